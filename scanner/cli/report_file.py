"""Files that reports are written to: asked before a scan whether they can be, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from scanner.errors import ScanError
from scanner.writing import put_in_place

_MOST_SUMMARY = 1024 * 1024  # what GitHub takes of a step's summary, in bytes; of a larger one it shows nothing
_CUT = "\n\n**This summary was cut**: it is larger than GitHub shows. Another report has the rest.\n"


def refuse_unwritable(files: Sequence[Path]) -> None:
    """Raise ScanError for a file that cannot be written. Asked before a long scan; touches nothing."""
    for file in files:
        problem = _problem(file)
        if problem:
            raise _unwritable(file, problem)


def write_file(file: Path, text: str) -> None:
    """Write a report as UTF-8: a reader sees the old file or the whole new one. Raises ScanError where it cannot.

    What is no plain file, such as a pipe, and a file in a folder that is closed, are written in place.
    """
    data = text.encode()
    try:
        target = Path(os.path.realpath(file))
        if (file.is_file() or not file.exists()) and os.access(target.parent, os.W_OK):
            put_in_place(target, data)
        else:
            file.write_bytes(data)
    except OSError as error:
        raise _unwritable(file, error.strerror or type(error).__name__) from None


def append_summary(file: Path, text: str) -> None:
    """Append a step's summary to the file that GitHub Actions named for it, no more than GitHub takes of it.

    Raises ScanError where it cannot.
    """
    data = text.encode()
    try:
        size = file.stat().st_size if file.exists() else 0
        if size + len(data) > _MOST_SUMMARY:
            data = _cut(data, _MOST_SUMMARY - size)
        with file.open("ab") as stream:
            stream.write(data)
    except OSError as error:
        raise ScanError(f"step summary {file} cannot be written: {error.strerror or type(error).__name__}") from None


def _cut(data: bytes, room: int) -> bytes:
    """Whole lines and a word on what is missing, or nothing where there is no room for that."""
    note = _CUT.encode()
    end = data.rfind(b"\n", 0, max(room - len(note), 0))
    return data[:end] + note if end > 0 else b""


def _problem(file: Path) -> str:
    try:
        if file.is_dir():
            return "it is a folder"
        if not file.parent.is_dir():
            return f"there is no folder {file.parent}"
        if file.exists():
            return "" if os.access(file, os.W_OK) else "it is read-only"
        return (
            "" if os.access(Path(os.path.realpath(file)).parent, os.W_OK) else f"the folder {file.parent} is read-only"
        )
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or "its name is no name of a file"


def _unwritable(file: Path, why: str) -> ScanError:
    return ScanError(f"report {file} cannot be written: {why}")
