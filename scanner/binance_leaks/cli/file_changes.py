"""Show changes of files before they are written."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher, unified_diff
from types import MappingProxyType

from binance_leaks.detect import prefilter
from binance_leaks.detect.engine import detect
from binance_leaks.detect.work import Work
from binance_leaks.report import write_report
from binance_leaks.report.sanitize import Quoted, Redactor

_NO_END = "\\ No newline at end of file\n"
_LEFT_OUT = "…"
_ALIKE = 8
"""Characters that a line shares with a removed one, if it is that line with something added."""
_MOST = 1_000
"""Removed lines that each line is compared with."""


def diff(path: str, old: bytes | None, new: bytes, *, encoding: str = "utf-8") -> Iterator[str]:
    """Yield the lines of a unified diff; the text of the file is not trusted, and sanitized.

    Where the file holds a credential, only what is added to it is shown: a value can be written in more ways than a
    line shows, such as in pieces, in escapes or over several lines.
    """
    quoted = Quoted(Redactor(MappingProxyType({})))
    shown = quoted.path(path)
    before, after = _lines(old or b"", encoding), _lines(new, encoding)
    names = (f"a/{shown}" if old is not None else "/dev/null", f"b/{shown}")
    if any(_may_hold_credential(content, path) for content in (old or b"", new)):
        found = _additions(before, after, names)
    else:
        found = unified_diff(before, after, *names)
    for line in found:
        yield quoted.path(line.rstrip("\r\n")) + "\n"
        if not line.endswith("\n"):
            yield _NO_END


def print_lines(lines: Iterable[str]) -> None:
    """Print lines that end in a newline to standard output."""
    write_report("".join(lines), sys.stdout)


def _may_hold_credential(content: bytes, path: str) -> bool:
    if not prefilter.may_hold(content):
        return False
    work = Work()
    return bool(detect(content, path=path, mentions_binance=True, work=work)) or work.is_exhausted()


def _additions(before: Sequence[str], after: Sequence[str], names: tuple[str, str]) -> Iterator[str]:
    """Yield a unified diff without context, with nothing in it that the file had before."""
    changes = [change for change in SequenceMatcher(None, before, after).get_opcodes() if change[0] != "equal"]
    removed = [_unindented(line) for _, start, end, _, _ in changes for line in before[start:end]]
    yield from (f"--- {names[0]}\n", f"+++ {names[1]}\n")
    for _, start, end, new_start, new_end in changes:
        yield f"@@ -{start + 1},{end - start} +{new_start + 1},{new_end - new_start} @@\n"
        yield from [f"-{_LEFT_OUT}\n"] * (end - start)
        for line in after[new_start:new_end]:
            yield f"+{_without_former(line, removed)}"


def _without_former(line: str, removed: Sequence[str]) -> str:
    """The line without the beginning and end that it has from the removed line which is most like it."""
    if len(removed) > _MOST:
        return f"{_LEFT_OUT}\n"
    text = _unindented(line)
    head = tail = 0
    for former in removed:
        same_head = _common(former, text)
        same_tail = _common(former[same_head:][::-1], text[same_head:][::-1])
        if same_head + same_tail >= max(head + tail, min(len(former), _ALIKE)):
            head, tail = same_head, same_tail
    if head + tail == 0:
        return line
    return f"{_LEFT_OUT * bool(head)}{text[head : len(text) - tail]}{_LEFT_OUT * bool(tail)}\n"


def _unindented(line: str) -> str:
    return line.lstrip(" \t").rstrip("\n")


def _common(first: str, second: str) -> int:
    """How many characters at the beginning are the same."""
    length = min(len(first), len(second))
    return next((at for at in range(length) if first[at] != second[at]), length)


def _lines(data: bytes, encoding: str) -> list[str]:
    text = data.decode(encoding, "surrogateescape" if encoding == "utf-8" else "replace")
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
