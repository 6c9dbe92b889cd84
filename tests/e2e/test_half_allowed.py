"""A pair of which one half is allowed, and comments that nearly allow a value: reports say what is missing."""

from __future__ import annotations

from html import unescape

import pytest

from tests.e2e import Pair, digest, run
from tests.repositories import Repository

FORMATS = ("text", "markdown", "html", "github")


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


def lines(pair: Pair, first: str = "", second: str = "", above: str = "") -> str:
    return f'{above}BINANCE_API_KEY = "{pair.key}"{first}\nBINANCE_API_SECRET = "{pair.secret}"{second}\n'


@pytest.mark.parametrize("format", FORMATS)
def test_half_of_a_pair_is_allowed_by_a_comment(repository: Repository, pair: Pair, format: str) -> None:
    repository.stage("cfg.py", lines(pair, first="  # binance-leaks: allow"))
    ran = run("staged", "--format", format, cwd=repository.folder)
    assert ran.status == 1
    shown = " ".join(unescape(ran.out).replace("`", "").replace("\\", "").split())
    assert "cfg.py:1 is allowed, cfg.py:2 is not: put the comment there too." in shown


def test_half_of_a_pair_is_allowed_by_the_configuration(repository: Repository, pair: Pair) -> None:
    repository.write(".binance-leaks.toml", f'[[allow]]\nsha256 = "{digest(pair.secret)}"\n')
    repository.write("cfg.py", lines(pair))
    shown = " ".join(run("scan", "cfg.py", cwd=repository.folder).out.split())
    assert "cfg.py:2 is allowed, cfg.py:1 is not: add the other digest to the configuration" in shown


@pytest.mark.parametrize(
    "comment",
    [
        "binance-leaks: ignore", "binance-leaks:disable", "binance_leaks: allow", "binance-leaks allow", "noqa: S105",
        "nosec", "gitleaks:allow", "trufflehog:ignore", "Binance-Leaks: skip", "pragma: allowlist", "ggignore",
    ],
)  # fmt: skip
def test_a_comment_that_nearly_allows_it_is_named(repository: Repository, pair: Pair, comment: str) -> None:
    repository.write("a.py", lines(pair, first=f"  # {comment}", second=f"  # {comment}"))
    shown = " ".join(run("scan", "a.py", cwd=repository.folder).out.split())
    word = comment.partition(": S")[0]
    for line in (1, 2):
        assert f"a.py:{line}: “{word}” does not allow it; write “binance-leaks: allow”." in shown


@pytest.mark.parametrize("format", FORMATS)
def test_on_the_line_above(repository: Repository, pair: Pair, format: str) -> None:
    repository.write("a.py", lines(pair, above="# binance-leaks: ignore\n"))
    ran = run("scan", "a.py", "--format", format, cwd=repository.folder)
    shown = " ".join(unescape(ran.out).replace("`", "").replace("\\", "").split())
    assert "“binance-leaks: ignore” does not allow it; write “binance-leaks: allow next line”." in shown
    assert "a.py:3:" not in shown.partition("does not allow it")[0][-30:]


def test_nothing_is_said_where_nothing_was_meant(repository: Repository, pair: Pair) -> None:
    repository.write("a.py", lines(pair, second="  # our allowed key"))
    shown = run("scan", "a.py", cwd=repository.folder).out
    assert "does not allow" not in shown
    assert "is allowed" not in shown


def test_what_is_allowed_as_said(repository: Repository, pair: Pair) -> None:
    comment = "  # binance-leaks: allow"
    repository.write("a.py", lines(pair, first=comment, second=comment))
    assert run("scan", "a.py", cwd=repository.folder).status == 0
    repository.write("a.py", lines(pair, first=comment, above="# binance-leaks: ignore\n"))
    assert run("scan", "a.py", cwd=repository.folder).status == 1
