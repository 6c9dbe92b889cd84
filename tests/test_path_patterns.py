"""Path patterns: they match what pathspec matches, and no pattern is slow on any path."""

from __future__ import annotations

import random
import re
import time

import pytest
from binance_leaks.path_patterns import Globs, without_backtracking
from pathspec import GitIgnoreSpec

PARTS = ("a", "b", "*", "**", "/", "?", "[ab]", "/**/", "**/", "!", "a", "*")


def test_an_expression_matches_the_same_paths() -> None:
    chance = random.Random(19)
    compared = 0
    while compared < 20_000:
        written = "".join(chance.choices(PARTS, k=chance.randint(1, 9)))
        try:
            pattern = next(iter(GitIgnoreSpec.from_lines([written]).patterns), None)
        except ValueError:
            continue
        regex = getattr(pattern, "regex", None)
        if not isinstance(regex, re.Pattern):
            continue
        linear = re.compile(without_backtracking(regex.pattern))
        for _ in range(10):
            path = "/".join("".join(chance.choices("ab", k=chance.randint(1, 4))) for _ in range(chance.randint(1, 6)))
            before, after = regex.match(path), linear.match(path)
            assert (before and before.groupdict()) == (after and after.groupdict()), (written, path)
            compared += 1


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 9 + "b", "a" * 5000),
        ("**/a/" * 6 + "b", "a/" * 2000),
        ("x/" + "**/a/" * 6 + "b", "x/" + "a/" * 2000),
        ("**/*a*a/**/*a*a/**/*a*a/**/b*", "aaaa/" * 1000),
    ],
)
def test_a_pattern_is_fast(pattern: str, path: str) -> None:
    started = time.process_time()
    assert not Globs([pattern]).match(path)
    assert time.process_time() - started < 5
