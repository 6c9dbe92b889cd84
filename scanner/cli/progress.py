"""A progress bar for scans, on a terminal only. Draws from the scanning loop: no thread, so that processes can fork."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from scanner.pipeline.files import Tally

_INTERVAL = 0.1


class FileProgress:
    """Files done of all, bytes, rate, time left, values found so far; on standard error, gone when done."""

    def __init__(self, *, total: int) -> None:
        self._progress = Progress(
            TextColumn("scanning"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[size]}  {task.fields[found]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
        )
        self._task = self._progress.add_task("scanning", total=total, size="", found="")
        self._started = time.monotonic()
        self._drawn = 0.0

    def __enter__(self) -> FileProgress:
        try:
            self._progress.start()
        except BaseException:
            self._progress.stop()  # an interrupt must not leave the cursor hidden
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self, tally: Tally) -> None:
        """Shows how far the scan is, ten times a second at most."""
        now = time.monotonic()
        if now - self._drawn < _INTERVAL:
            return
        self._drawn = now
        rate = tally.bytes / max(now - self._started, 0.001)
        self._progress.update(
            self._task,
            completed=tally.files,
            size=f"{tally.bytes / 1e6:,.0f} MB at {rate / 1e6:,.0f} MB/s",
            found=f"{len(tally.credentials)} suspicious" if tally.credentials else "",
        )
        self._progress.refresh()
