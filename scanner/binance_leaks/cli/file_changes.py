"""Show changes of files before they are written."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from difflib import unified_diff
from types import MappingProxyType

from binance_leaks.report import write_report
from binance_leaks.report.sanitize import Quoted, Redactor

_NO_END = "\\ No newline at end of file\n"


def diff(path: str, old: bytes | None, new: bytes, *, encoding: str = "utf-8") -> Iterator[str]:
    """Yield the lines of a unified diff; the text of the file is not trusted, and sanitized."""
    quoted = Quoted(Redactor(MappingProxyType({})))
    shown = quoted.path(path)
    found = unified_diff(
        _lines(old or b"", encoding),
        _lines(new, encoding),
        fromfile=f"a/{shown}" if old is not None else "/dev/null",
        tofile=f"b/{shown}",
    )
    for line in found:
        yield quoted.path(line.rstrip("\r\n")) + "\n"
        if not line.endswith("\n"):
            yield _NO_END


def print_lines(lines: Iterable[str]) -> None:
    """Print lines that end in a newline to standard output."""
    write_report("".join(lines), sys.stdout)


def _lines(data: bytes, encoding: str) -> list[str]:
    text = data.decode(encoding, "surrogateescape" if encoding == "utf-8" else "replace")
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
