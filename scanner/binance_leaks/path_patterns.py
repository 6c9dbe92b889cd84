"""Match paths with patterns as in `.gitignore`, in time that grows with the path only.

A pull request brings patterns and paths. Translated as pathspec does it, `*a*a*a*a*b` takes a minute for a name of 200
letters: each star tries every length for each length of those before it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from binance_leaks.lazy_patterns import lazy_pattern

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MOST_PATTERNS = 5000
_ANY = "[^/]*"
_STARS = lazy_pattern(r"(?:\[\^/\]\*)+")
_FOLDERS = lazy_pattern(r"(\(\?:/\.\+\)\?)")
_FIRST_FOLDERS = "(?:.+/)?"


class Globs:
    """Path patterns: `*.log`, `tests/`, `!kept.log`."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._spec = compile_patterns(patterns) if patterns else None

    def __bool__(self) -> bool:
        return self._spec is not None

    def match(self, path: str) -> bool:
        """Whether the path, with `/`, relative to where the patterns hold, is one of them."""
        return self._spec is not None and self._spec.match_file(path)


def compile_patterns(patterns: Sequence[str]) -> GitIgnoreSpec:
    """Compile patterns. Raises ValueError for one that is not a pattern."""
    from pathspec import GitIgnoreSpec  # start-up: 15 ms, and most projects have no patterns

    spec = GitIgnoreSpec.from_lines(patterns)
    for each in spec.patterns:
        if isinstance(regex := getattr(each, "regex", None), re.Pattern):
            each.regex = re.compile(without_backtracking(regex.pattern))
    return spec


def without_backtracking(regex: str) -> str:
    """Return an expression that matches the same paths, where what precedes a further star is searched once.

    `regex` is one of pathspec's: `[^/]*` is a star and `(?:/.+)?` folders between two slashes. The first place for what
    is between two stars is as good as any other, so that no longer one has to be tried.
    """
    parts = _FOLDERS.split(regex)
    made = [_within_segments(parts[0])]
    for at in range(1, len(parts), 2):
        folders, behind = parts[at], _within_segments(parts[at + 1])
        if at + 2 < len(parts):  # more folders follow
            folders = f"(?:(?!{behind}/)/[^/]+)*"
        made += [folders, behind]
    whole = "".join(made)
    first, found, rest = whole.partition(_FIRST_FOLDERS)
    if found and len(parts) > 1:
        head, folders, tail = rest.partition(made[1])
        whole = f"{first}(?:(?!{head}/)[^/]+/)*{head}{folders}{tail}"
    return whole


def _within_segments(regex: str) -> str:
    literals = _STARS.split(regex)
    if len(literals) < 3:
        return _ANY.join(literals)
    between = "".join(f"(?:(?!{literal})[^/])*{literal}" for literal in literals[1:-1])
    return f"{literals[0]}{between}{_ANY}{literals[-1]}"
