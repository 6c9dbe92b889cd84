"""Record which lines of some files run in each test, in every process that the test starts.

The folder holds `files`, the paths to trace, and `current`, the number of the running test. Each process appends the
lines that it runs to the file `NUMBER.lines`, each once. Only the standard library is imported, as this runs first.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

STARTING = "starting"
"""What is running while modules are imported and tests are collected."""


class LineRecorder:
    """Traces this process and its forks from `start` on.

    From Python 3.12 on, what is recorded costs nothing more, and tests take hardly longer than without it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = frozenset((folder / "files").read_text("utf-8").splitlines())
        self._left: dict[int, set[int]] = {}
        self._process = 0
        self._stream = -1

    def start(self) -> None:
        """Trace this thread and the ones that it starts."""
        if sys.version_info >= (3, 12):
            sys.monitoring.use_tool_id(sys.monitoring.COVERAGE_ID, "mutants")
            sys.monitoring.register_callback(sys.monitoring.COVERAGE_ID, sys.monitoring.events.LINE, self._run)
            sys.monitoring.set_events(sys.monitoring.COVERAGE_ID, sys.monitoring.events.LINE)
            return
        threading.settrace(self._enter)
        sys.settrace(self._enter)

    def stop(self) -> None:
        """Trace no more."""
        if sys.version_info >= (3, 12):
            sys.monitoring.set_events(sys.monitoring.COVERAGE_ID, 0)
            sys.monitoring.free_tool_id(sys.monitoring.COVERAGE_ID)
            return
        sys.settrace(None)
        threading.settrace(None)

    def begin(self, name: str) -> None:
        """Record what runs from now on under this name."""
        (self._folder / "current").write_text(name, "ascii")
        self._left.clear()
        self._process = 0
        if sys.version_info >= (3, 12):
            sys.monitoring.restart_events()

    if sys.version_info >= (3, 12):

        def _run(self, code: CodeType, line: int) -> object:
            if code.co_filename in self._files:
                self._write(f"{code.co_filename}:{line}\n")
            return sys.monitoring.DISABLE

    def _enter(self, frame: FrameType, _: str, __: Any) -> Any:
        code = frame.f_code
        if code.co_filename not in self._files:
            return None
        left = self._left.get(id(code))
        if left is None:
            left = self._left[id(code)] = {line for *_, line in code.co_lines() if line}
        return self._note if left else None

    def _note(self, frame: FrameType, event: str, _: Any) -> Any:
        left = self._left.get(id(frame.f_code))
        if event == "line" and left and frame.f_lineno in left:
            left.discard(frame.f_lineno)
            self._write(f"{frame.f_code.co_filename}:{frame.f_lineno}\n")
        return self._note

    def _write(self, line: str) -> None:
        if self._process != os.getpid():  # begun anew, or a fork, perhaps in another test than its parent
            if self._stream >= 0 and self._process:
                os.close(self._stream)
            self._process = os.getpid()
            name = (self._folder / "current").read_text("ascii")
            self._stream = os.open(self._folder / f"{name}.lines", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(self._stream, line.encode())
