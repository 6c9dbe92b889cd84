"""What `allow` and `init` show of a file before they write it: their additions, and nothing of a value in any form."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter

import pytest
from binance_leaks.cli.file_changes import diff

from tests.corpus import fill, load

COMMENT = "  # binance-leaks: allow"
FAMILIES = {
    family: [case for case in cases if case.expect and case.encoding == "utf-8"]
    for family, cases in groupby(load(), attrgetter("family"))
}


@pytest.mark.parametrize("family", [family for family, cases in FAMILIES.items() if cases])
def test_nothing_that_was_there_is_shown(family: str) -> None:
    for case in FAMILIES[family]:
        old = fill(case, 1).data
        new = b"\n".join(line + COMMENT.encode() for line in old.split(b"\n"))
        added = [
            line for line in list(diff(case.filename, old, new))[2:] if not line.startswith(("@@ ", "-…\n", "\\ "))
        ]
        assert [line for line in added if not COMMENT.endswith(line[1:].strip().removeprefix("…"))] == [], case.id


@pytest.mark.parametrize("wrap", ["  {},\n", "\t{}\n", "{}  ", "[{}]\n"])
def test_lines_that_are_written_anew_are_left_out(wrap: str) -> None:
    case = next(case for case in load() if case.expect and case.encoding == "utf-8")
    old = fill(case, 1).data.decode()
    shown = "".join(diff(case.filename, old.encode(), "".join(wrap.format(line) for line in old.splitlines()).encode()))
    assert not [line for line in old.splitlines() if len(line.strip()) > len("[],") and line.strip() in shown]


def test_other_files_are_shown_with_their_context() -> None:
    old, new = b"repos:\n- repo: local\n  hooks: []\n", b"repos:\n- repo: local\n  hooks: [x]\n"
    assert "".join(diff("a.yaml", old, new)).endswith(" repos:\n - repo: local\n-  hooks: []\n+  hooks: [x]\n")
    digests = f'[[allow]]\nsha256 = "{"0a" * 32}"\n'.encode()
    assert "+reason = 'x'\n" in list(diff(".binance-leaks.toml", digests, digests + b"reason = 'x'\n"))
    assert any(line.startswith(" sha256") for line in diff(".binance-leaks.toml", digests, digests + b"x = 1\n"))
