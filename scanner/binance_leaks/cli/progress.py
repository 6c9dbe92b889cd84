"""Progress bars, for terminals only.

They draw from the loop that works: no thread, so that processes can fork.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import TypeVar

import rich.progress
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

from binance_leaks.pipeline.source import Progress
from binance_leaks.quantities import human_size
from binance_leaks.report.sanitize import printable

_INTERVAL = 0.1
_B = TypeVar("_B", bound="_Bar")


class _Bar:
    """One line on standard error, redrawn ten times a second at most, gone when done."""

    def __init__(self, title: str, *, console: Console | None = None) -> None:
        self._progress = rich.progress.Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[text]}", markup=False),
            TimeRemainingColumn(),
            console=console or Console(stderr=True),
            auto_refresh=False,
            transient=True,
        )
        self._task = self._progress.add_task(title, total=None, text="")
        self._started = time.monotonic()
        self._drawn = 0.0

    def __enter__(self: _B) -> _B:
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

    def _is_due(self) -> bool:
        now = time.monotonic()
        if now - self._drawn < _INTERVAL:
            return False
        self._drawn = now
        return True

    def _draw(self, done: int, total: int | None, text: str) -> None:
        self._progress.update(self._task, completed=done, total=total or None, text=text)
        self._progress.refresh()

    def _describe(self, done: int, total: int | None, size: int, found: int) -> str:
        """Describe the progress: done of all, bytes, rate, values found so far."""
        rate = size / max(time.monotonic() - self._started, 0.001)
        parts = [f"{done:,}/{total:,}" if total else f"{done:,}", f"{human_size(size)} at {human_size(rate)}/s"]
        return "  ".join([*parts, f"{found:,} suspicious"] if found else parts)


class ScanProgress(_Bar):
    """The progress of a scan: done of all, bytes, rate, time left, credentials found."""

    def __init__(self, *, console: Console | None = None) -> None:
        super().__init__("scanning", console=console)

    def update(self, progress: Progress) -> None:
        """Show how far the scan is."""
        if self._is_due():
            text = self._describe(progress.done, progress.total, progress.bytes, progress.found)
            self._draw(progress.done, progress.total, text)


class SearchProgress(_Bar):
    """Folders listed and files chosen, of a number that is not known."""

    def __init__(self, *, console: Console | None = None) -> None:
        super().__init__("looking for files", console=console)

    def update(self, folders: int, files: int) -> None:
        """Show how far the search is."""
        if self._is_due():
            self._draw(folders, None, f"{folders:,} folders  {files:,} files to read")


class VerifyProgress(_Bar):
    """Credentials checked with Binance, of all."""

    def __init__(self, *, console: Console | None = None) -> None:
        super().__init__("checking with Binance", console=console)

    def update(self, done: int, total: int) -> None:
        """Show how far the verification is."""
        if self._is_due() or done == total:
            self._draw(done, total, f"{done:,}/{total:,}")


class CloneProgressBar(_Bar):
    """The phases of a clone, one after the other."""

    def __init__(self, *, console: Console | None = None) -> None:
        super().__init__("cloning", console=console)
        self._phase = ""

    def update(self, phase: str, done: int, total: int | None) -> None:
        """Show how far a phase is.

        `total` is None where it is unknown, as for phases of a remote.
        """
        if phase != self._phase:
            self._phase = phase
            self._progress.reset(self._task, description=printable(f"cloning: {phase}"))
            self._drawn = 0.0
        if self._is_due():
            self._draw(done, total, f"{done:,}/{total:,}" if total else f"{done:,}")
