"""Scan an event of an agent's hook: its texts as one content, and the files that the agent is about to read."""

from __future__ import annotations

import os
import stat
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from binance_leaks.findings import Skipped, SourceKind
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import Location
from binance_leaks.pipeline.files import detected_in, scan_chunks, scan_entries
from binance_leaks.pipeline.source import Detected, ShowProgress
from binance_leaks.pipeline.tally import Tally
from binance_leaks.sources.files import list_files
from binance_leaks.sources.nearby_evidence import EvidenceNearFiles
from binance_leaks.sources.read_content import Chunk
from binance_leaks.sources.streams import describe_error

if TYPE_CHECKING:
    from binance_leaks.agents.event import AgentEvent, Text

LARGEST_FILE = 64 << 20
"""Bytes of the largest file that is read while the agent waits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentEventSource:
    """An event of an agent's hook."""

    event: AgentEvent
    anchor: str = os.curdir
    kind: SourceKind = SourceKind.FILES

    @property
    def target(self) -> str:
        """The agent and the event."""
        return f"{self.event.agent.title}, {self.event.name}"

    @property
    def path(self) -> str:
        """What the locations of the texts are called: the file that they are for, or one in the agent's folder."""
        event = self.event
        if event.target and not event.only_names_file:
            return event.target
        return os.path.join(event.folder, event.kind)  # noqa: PTH118

    def read(self, show: ShowProgress | None = None) -> Detected:  # noqa: ARG002 - the agent shows that it waits
        """Scan texts and files. A file is read as `scan` reads one that it is given."""
        contents = {
            self.path: self.event.document(),
            **{self._markup_path(text): text.data for text in self.event.markup},
        }
        evidence = self._evidence_path()
        tally = scan_chunks(
            Chunk(path=path, evidence_path=evidence, data=content) for path, content in contents.items()
        )
        tally.add(_scan_files(self.event.files))
        return detected_in(tally, nearby=EvidenceNearFiles())

    def locator(self) -> Callable[[Location], tuple[str, int]]:
        """Return a function from a location to the file or field that it is in, and the line there."""
        event, first_lines = self.event, self.event.first_lines()
        markup = {self._markup_path(text): text.place for text in event.markup}

        def locate(place: Location) -> tuple[str, int]:
            if place.path in markup:
                return event.target or markup[place.path], place.line
            if place.path != self.path:
                return place.path, place.line
            at = bisect_right(first_lines, place.line) - 1
            text = event.texts[at]
            return event.target or text.place, place.line - first_lines[at] + (0 if "\n" in text.text else 1)

        return locate

    def _markup_path(self, text: Text) -> str:
        return f"{self.path}#{text.place}"

    def _evidence_path(self) -> str:
        """The path whose names are evidence: from the agent's folder, never the folders above it."""
        target = self.event.target
        if not target:
            return ""
        folder, target = (os.path.normpath(path).replace(os.sep, "/") for path in (self.event.folder, target))
        folder = f"{folder.rstrip('/')}/"
        return target[len(folder) :] if target.startswith(folder) else target.rpartition("/")[2]


def _scan_files(paths: Sequence[str]) -> Tally:
    skipped = [Skipped(what=path, why=why) for path in paths if (why := why_refused(path))]
    refused = {item.what for item in skipped}
    readable = [Path(path) for path in paths if path not in refused]
    tally = scan_entries(list_files(readable, exclude=lambda _: False, all_files=True)) if readable else Tally()
    tally.skipped += skipped
    return tally


def why_refused(path: str) -> str:
    """Return why a file is not opened while the agent waits, or cannot be; an empty text if it can."""
    try:
        status = os.stat(path)  # noqa: PTH116
        if not stat.S_ISREG(status.st_mode):
            return "not a regular file"
        if status.st_size > LARGEST_FILE:
            return f"larger than {LARGEST_FILE >> 20} MiB"
        os.close(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)))
    except OSError as error:
        return describe_error(error)
    return ""
