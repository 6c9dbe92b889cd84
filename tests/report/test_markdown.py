"""The markdown report: rendered to HTML as GitHub and GitLab do, and what is left of hostile text there."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import pytest
from binance_leaks.environments import KEY_PAGE
from binance_leaks.findings import Finding, Result
from binance_leaks.report import View
from binance_leaks.report.markdown import render_markdown
from binance_leaks.report.sanitize import code_span, markdown_text
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from . import examples
from .examples import Hostile
from .test_text import HOSTILE

INJECTIONS = (
    "[x](http://evil.example)", "![x](http://evil.example/i.png)", "<img src=x onerror=y>", "<script>x</script>",
    "<!-- x", "http://evil.example", "www.evil.example", "<http://evil.example>", "me@evil.example", "@octocat", "#1",
    "!1", "GH-1", "octocat/repo#1", "`", "``", "a`b", "`` ` ``", "a|b", "|", "\\|", "a\\", "\\`", "**bold**", "_it_",
    "~~x~~", "$x$", ":smile:", "# heading", "> quote", "- [ ] task", "1. one", "```\nfence", "| a | b |",
    "&lt;b&gt;", "</td></tr>", "[ref]", "[^1]", "---", "{+ added +}", "%5Bx%5D", " ", "", "a\n\n# b", "  x  ",
)  # fmt: skip


def html(result: Result, *, show_suppressed: bool = True, verbose: bool = False) -> str:
    """With tables, raw HTML and bare addresses as GitHub takes them."""
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": True})
    return str(parser.render(render_markdown(result, View(show_suppressed=show_suppressed, verbose=verbose))))


def prose(rendered: str) -> str:
    """What is not in a code span or block, where GitHub and GitLab look for names, numbers and addresses."""
    return re.sub(r"<pre>.*?</pre>|<code>.*?</code>", "", rendered, flags=re.DOTALL)


@cache
def harmless(made: Hostile, *, verbose: bool = False) -> list[str]:
    """The tags of the report with a harmless name in the place of the hostile one."""
    return shape(html(made("a/b"), verbose=verbose))


def shape(rendered: str) -> list[str]:
    """The tags in their order, except those of code spans."""
    return [tag for tag in re.findall(r"</?[a-z0-9]+", rendered) if tag not in ("<code", "</code")]


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
@pytest.mark.parametrize("verbose", [False, True])
def test_hostile_text_makes_no_markup(verbose: bool, made: Hostile) -> None:
    for hostile in (*HOSTILE, *INJECTIONS):
        rendered = html(made(hostile), verbose=verbose)
        assert shape(rendered) == harmless(made, verbose=verbose), hostile
        outside = prose(rendered)
        assert not set("@#!$|[]*~`") & set(re.sub(r"<[^>]*>|&[a-z]+;", "", outside)), hostile
        assert not re.search("evil|octocat", outside), hostile


@settings(max_examples=100)
@given(hostile=st.text(st.sampled_from("`|\\*_[]()<>#@&;:/.~$-+ \nabc\u200b"), max_size=30))
def test_any_text_makes_no_markup(hostile: str) -> None:
    for made in examples.HOSTILE_RESULTS:
        assert shape(html(made(hostile))) == harmless(made)


@settings(max_examples=200)
@given(text=st.text(st.characters(exclude_categories=()), max_size=40))
def test_a_code_span_is_one(text: str) -> None:
    for shown in (code_span(text), markdown_text(text)):
        tokens = MarkdownIt("gfm-like", {"html": True, "linkify": True}).parseInline(f"see {shown} there")[0].children
        assert tokens is not None
        assert {token.type for token in tokens} <= {"text", "code_inline"}
    assert MarkdownIt("commonmark").render(code_span(text)).count("<code>") == 1


def test_words_stay_words() -> None:
    for text in (
        "Its name mentions Binance.",
        "It belongs to Binance.US, where money is real.",
        "One step down: no branch.",
    ):
        assert markdown_text(text) == text
    for text in ("see www.x", "a@b", "#1", "1f3a1f3a", "a_b_", "http://x", "x:y", "GL-1"):
        assert markdown_text(text) == code_span(text)


def test_the_table_has_a_row_for_each_finding() -> None:
    rendered = html(examples.files_result(), show_suppressed=False)
    assert rendered.count("<table>") == 1
    assert rendered.count("<tr>") == 1 + 5
    assert html(examples.files_result()).count("<table>") == 2


def test_the_gate_and_the_counts_are_reported() -> None:
    text = render_markdown(examples.gate_result(), View())
    assert text.startswith("## Binance credentials found: 2 high, 14 low\n")
    assert "**fails**" in text
    assert "It was already there before this change." in text
    assert "Its risk is below the gate." in text


def test_it_reports_what_to_do_and_how_to_allow() -> None:
    text = render_markdown(examples.history_result(), View())
    assert "### What to do now" in text
    assert KEY_PAGE in text
    assert "git filter-repo" in text
    assert "binance-leaks allow " in text
    assert "What to do now" not in render_markdown(examples.clean_result(), View())


def test_incompleteness_comes_first() -> None:
    blocks = render_markdown(examples.files_result(), View()).split("\n\n")
    assert blocks[1] == "> **The scan is incomplete: 12 items not read.**"
    clean = render_markdown(replace(examples.clean_result(), interrupted=True), View())
    assert clean.startswith("## Scan for Binance credentials: incomplete\n")


def test_it_fits_a_comment_and_counts_what_is_left_out() -> None:
    finding = examples.files_result().findings[3]
    long = "folder/" * 40
    places = tuple(examples.at(f"{long}{n}.py", n, commit=examples.COMMIT, pushed=True) for n in range(1, 100))
    many: tuple[Finding, ...] = tuple(replace(finding, id=f"{n:032x}", locations=places) for n in range(300))
    text = render_markdown(replace(examples.gate_result(), findings=many), View())
    assert len(text) < 65_536
    assert "… and 250 more credentials." in text
    assert "and 93 more locations" in text
    assert len(render_markdown(replace(examples.clean_result(), findings=many[:50]), View(verbose=True))) > 65_536


def test_places_are_links_where_the_forge_is_known() -> None:
    result = examples.gate_result()
    page = examples.GRID_BOT.page
    assert "](" not in render_markdown(replace(result, repository=None), View(verbose=True))
    text = render_markdown(result, View(verbose=True))
    row = next(line for line in text.splitlines() if line.startswith("| **HIGH**"))
    place = result.findings[0].locations[0]
    assert place.commit is not None
    assert f"[`{place.path}:{place.line}`]({page}/blob/{place.commit.id}/{place.path}#L{place.line})" in row
    assert f"[`{place.commit.id[:12]}`]({page}/commit/{place.commit.id})" in row


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
def test_hostile_text_makes_no_other_link(made: Hostile) -> None:
    inside = rf"{examples.GRID_BOT.page}/(commit|blob)/[0-9a-f]{{40}}(/[A-Za-z0-9%._~/-]+(#L\d+)?)?"
    for hostile in HOSTILE:
        text = render_markdown(replace(made(hostile), repository=replace(examples.GRID_BOT, name=hostile)), View())
        urls = re.findall(r"\]\(([^)]*)\)", re.sub(r"`[^`]*`", "", text))
        assert [url for url in urls if not re.fullmatch(inside, url)] == [], hostile
        assert "](" not in re.sub(r"`[^`]*`", "", render_markdown(made(hostile), View())), hostile


def test_a_fleet_names_the_repository_in_front_of_each_path() -> None:
    text = render_markdown(examples.fleet_result(), View())
    row = next(line for line in text.splitlines() if line.startswith("| **CRITICAL**"))
    assert row.startswith("| **CRITICAL** | **still there**, Binance key pair")
    assert "`team/bot: bot/settings.py:12` in" in row
    assert "and 17 more locations in 8 more repositories, 4,950 more locations in the store |" in row
    assert "- `forks/user-4: conf/live.env:3:12` (API key)" in text
    assert "In 10 of 212 repositories; 2 could not be scanned." in text
