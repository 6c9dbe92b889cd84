"""Holds that the work of the detector grows with the size of a file, and not with its square, whatever is in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from binance_leaks.detect import private_keys
from binance_leaks.detect.document import Document, documents
from binance_leaks.detect.engine import detect

from tests.detect.grammars import GRAMMARS, Grammar
from tests.detect.work import Work, count_work

SMALL, LARGE = 8 * 1024, 32 * 1024
MOST = 1.5 * LARGE / SMALL
"""How much more may be done for the large file: what looks some thousand characters far finds less in the small one."""

LINES_OF_VALUES, OTHER_LINES = 25, 5
"""How many lines of Python may run for a byte of nothing but values, and of anything else."""


@pytest.mark.parametrize("grammar", GRAMMARS, ids=[grammar.name for grammar in GRAMMARS])
def test_work_grows_with_the_size(grammar: Grammar) -> None:
    small, large = (count_work(partial(detect, grammar.text(size))) for size in (SMALL, LARGE))
    assert large.lines <= MOST * small.lines
    assert large.characters <= MOST * small.characters
    assert large.lines <= LARGE * (LINES_OF_VALUES if grammar.of_values else OTHER_LINES)


READING: dict[str, Callable[[Document, int], object]] = {
    "find": lambda document, at: document.text.find("\0", at),
    "rfind": lambda document, at: document.text.rfind("\0", 0, at),
    "slice": lambda document, at: document.text[:at],
    "derived": lambda document, at: document.classes.find(b"\0", at),
    "whole": lambda document, _: "\0" in document.text,
    "expression": lambda document, at: private_keys._BEGIN.search(document.text, at),
}


@pytest.mark.parametrize("read", READING)
def test_what_each_line_reads_of_the_whole_is_counted(read: str) -> None:
    small, large = _on_each_line(READING[read])
    assert large.characters > 3 * MOST * small.characters


def test_what_runs_for_each_pair_of_lines_is_counted() -> None:
    def run(document: Document, _at: int) -> None:
        for index in range(len(document.line_starts)):
            document.line_span(index)

    small, large = _on_each_line(run)
    assert large.lines > 3 * MOST * small.lines


def _on_each_line(run: Callable[[Document, int], object]) -> tuple[Work, Work]:
    def run_on_all(lines: int) -> None:
        document = documents(b"a line of words\n" * lines)[0]
        for at in document.line_starts:
            run(document, at)

    return count_work(partial(run_on_all, 32)), count_work(partial(run_on_all, 256))
