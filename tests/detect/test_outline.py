"""The outline of a text: how far lines are indented, and what encloses them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from binance_leaks.detect.document import Document
from binance_leaks.detect.outline import Outline


@pytest.mark.parametrize(
    ("line", "columns"),
    [
        ("key: 1", 0),
        ("  key: 1", 2),
        ("\tkey: 1", 4),
        ("- key: 1", 2),
        ("  - key: 1", 4),
        ("#   key: 1", 4),
        ("// key: 1", 3),
        (" * key: 1", 3),
        ("", -1),
        (" \t", -1),
    ],
)
def test_marks_of_comments_and_lists_are_part_of_the_indentation(line: str, columns: int) -> None:
    assert Outline(Document(text=f"first:\n{line}\nlast:")).indent(1) == columns


@pytest.mark.parametrize(
    ("text", "enclosing"),
    [
        ("binance:\n  bot:\n    key: 1", ["  bot:", "binance:"]),
        ("kraken:\n  key: 1\nbinance:\n  key: 1", ["binance:"]),
        ("binance:\n\n\n  key: 1", ["binance:"]),
        ("binance = [\n  {\n    key: 1", ["binance = ["]),
        ("[kraken]\nkey = 1\n[binance]\nname = 1\nkey = 1", ["[binance]"]),
        ("top:\n[binance]  # bot\n  key = 1", ["[binance]  # bot"]),
        ("# binance:\n#   key: 1", ["# binance:"]),
        ("def binance():\n    # key: 1", ["def binance():"]),
        ("def binance():\n    if bot:\n        pass\n    # key: 1", ["def binance():"]),
        ("a:\n  binance:\n\n    # key: 1", ["  binance:", "a:"]),
        ("[kraken]\n# a\n[binance]\n# key: 1", ["[binance]"]),
        ("binance: 1\nkey: 1", []),
    ],
)
def test_what_encloses_the_last_line(text: str, enclosing: Sequence[str]) -> None:
    document = Document(text=text)
    spans = Outline(document).enclosing_lines(text.count("\n"))
    assert [text[start:end] for start, end in spans] == list(enclosing)


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("binance:\n  key: 1\n\n  secret: 2\n\nother:\n  key: 1", 3),
        ("  binance:\n  key: 1", 0),
        ("binance:\nkey: 1\n  deeper: 2", 0),
        ("[binance]\nkey = 1\n  deeper = 2\n[other]\nkey = 1", 2),
        ("binance:\n  [{}]\n  key: 1", 2),
    ],
)
def test_what_the_first_line_encloses(text: str, last: int) -> None:
    assert Outline(Document(text=text)).last_enclosed(0) == last
