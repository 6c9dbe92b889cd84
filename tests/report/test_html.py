"""The HTML report as text: its policy, its structure, hostile text, timelines and chart."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from datetime import datetime, timezone
from functools import cache
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from unittest.mock import patch

import pytest
from binance_leaks.findings import Finding, Repository, Result, SourceKind
from binance_leaks.model import Commit, Exposure, RiskLevel, Role
from binance_leaks.report import View
from binance_leaks.report.forge import ForgeLinks
from binance_leaks.report.html.card import LINKED
from binance_leaks.report.html.page import render_html, unbroken
from binance_leaks.report.html.timeline import (
    HEIGHT,
    WIDTH,
    Change,
    TimelineFormatter,
    chart_of,
    introduced_on,
    parse_day,
)
from binance_leaks.report.sanitize import Quoted, Redactor
from hypothesis import given, settings
from hypothesis import strategies as st

from . import examples
from .examples import Hostile
from .test_markdown import INJECTIONS
from .test_text import HOSTILE

FULL = View(show_suppressed=True, verbose=True)
NO_LINKS = ForgeLinks(page="", redactor=Redactor({}))
VOID = frozenset({"meta", "link", "input", "line", "rect", "br", "wbr"})
MARKUP = (
    "<script>x</script>",
    "</script><script>x</script>",
    "</style><style>*{}",
    "</title><b>",
    "<!--",
    "-->",
    "]]>",
    '" onclick="x',
    "' autofocus onfocus='x",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{# x #}",
    "&lt;b&gt;",
    "&#x202e;",
    "javascript:x",
    "x" * 10_000,
)


class Reader(HTMLParser):
    """The tags with their attributes in their order, the text, and whether all that was opened is closed in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.words: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = tuple(attribute for attribute in attrs if attribute[0] != "data-report")  # a digest, no markup
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @classmethod
    def of(cls, page: str) -> Reader:
        reader = cls()
        reader.feed(page)
        reader.close()
        assert reader.open == []
        return reader

    @property
    def text(self) -> str:
        return "".join(self.words)


def parts(page: str, tag: str) -> list[str]:
    return re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)


@pytest.mark.parametrize("shown", examples.RESULTS)
def test_the_policy_allows_the_style_and_the_script_of_the_page_alone(shown: str) -> None:
    page = render_html(examples.RESULTS[shown](), FULL)
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    directives = dict(part.split(" ", 1) for part in unescape(policy).split("; "))
    for tag in ("style", "script"):
        (held,) = parts(page, tag)
        digest = b64encode(sha256(held.encode()).digest()).decode()
        assert directives.pop(f"{tag}-src") == f"'sha256-{digest}'"
        assert "</" not in held
        assert "<!--" not in held
    assert directives == {
        "default-src": "'none'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    head = page.index("Content-Security-Policy")
    assert head < min(page.index("<style>"), page.index("<script>"), page.index("<link"), page.index("<title>"))


@pytest.mark.parametrize("shown", examples.RESULTS)
def test_it_names_no_other_place_than_the_page_that_revokes(shown: str) -> None:
    page = render_html(replace(examples.RESULTS[shown](), repository=None), FULL)
    assert set(re.findall(r"[a-z]+://[^\s\"'<>]+", page)) <= LINKED
    attributes = [pair for _, attrs in Reader.of(page).tags for pair in attrs]
    linking = {"src", "href", "srcset", "action", "formaction", "poster", "data", "background", "ping", "cite"}
    for name, value in attributes:
        assert name != "style"
        assert not name.startswith("on")
        if name in linking:
            assert value in LINKED or value == "data:," or (value or "").startswith("#")
    style, script = parts(page, "style")[0], parts(page, "script")[0]
    assert not re.search(r"url\(|@import|image-set", style)
    assert not re.search(
        r"fetch|XMLHttp|innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(|import", script
    )


@pytest.mark.parametrize("shown", examples.RESULTS)
@pytest.mark.parametrize("view", [FULL, View()])
def test_it_is_sound_and_the_same_on_every_code_page(shown: str, view: View) -> None:
    page = render_html(examples.RESULTS[shown](), view)
    assert page.isascii()
    assert page.startswith("<!DOCTYPE html>\n")
    reader = Reader.of(page)
    ids = [value for _, attrs in reader.tags for name, value in attrs if name == "id"]
    assert len(ids) == len(set(ids))
    referred = [(value or "").split() for _, attrs in reader.tags for name, value in attrs if name == "aria-labelledby"]
    targets = [value or "" for _, attrs in reader.tags for name, value in attrs if name == "href"]
    wanted = {one for words in referred for one in words} | {one[1:] for one in targets if one.startswith("#")}
    assert wanted <= set(ids)
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@cache
def harmless(made: Hostile) -> str:
    """The page with a harmless name in the place of the hostile one."""
    return render_html(made("a/b"), FULL)


def is_text_alone(page: str, made: Hostile, *, nameless: bool) -> bool:
    """Whether tags and attributes are those of the harmless page; nobody is asked without a name."""
    found, expected = (Reader.of(each).tags for each in (page, harmless(made)))
    return set(found) <= set(expected) if nameless else found == expected


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
def test_hostile_text_makes_no_markup(made: Hostile) -> None:
    marked_up = []
    for hostile in (*HOSTILE, *INJECTIONS, *MARKUP):
        page = render_html(made(hostile), FULL)
        same_script = parts(page, "script") == parts(harmless(made), "script")
        if not (is_text_alone(page, made, nameless=not hostile.strip()) and same_script):
            marked_up.append(hostile)
    assert marked_up == []


UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
def test_what_one_sees_is_what_may_be_shown(made: Hostile) -> None:
    for hostile in (*HOSTILE, *MARKUP):
        result = made(hostile)
        text = Reader.of(render_html(result, FULL)).text
        assert Quoted(Redactor.of(result)).path(hostile) in text
        assert not UNSEEN.search(text), hostile


@settings(max_examples=60)
@given(hostile=st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_text_makes_no_markup(hostile: str) -> None:
    with patch("binance_leaks.report.advice.storage_steps", return_value=[]):  # of a kind of file by its name
        for made in examples.HOSTILE_RESULTS:
            page = render_html(made(hostile), FULL)
            assert is_text_alone(page, made, nameless=not hostile.partition(" <")[0].strip())


def card(finding: Finding, source: SourceKind = SourceKind.HISTORY, view: View | None = None) -> str:
    result = Result(source=source, target=".", findings=(finding,))
    page = render_html(result, view or View())
    return Reader.of(page[page.index("<article") : page.index("</article>") + len("</article>")]).text


def test_a_card_reports_rights_and_addresses() -> None:
    make = examples.Maker(4)
    pair = make.finding(Role.API_KEY, Role.SECRET_KEY, locations=examples.pair_at("a.py", 3), level=RiskLevel.HIGH)
    text = card(examples.judged(pair, examples.RANKED[2][1]))
    for reported in (
        "read yes",
        "trade yes futures, spot and margin",
        "transfer no",
        "withdraw no",
        "Works from any address.",
        "Unknown permissions enableCopyTrading; created 2023-11-14; spot and margin trading until 2026-09-21.",
        "Checked: api.binance.com, 2026-05-04 03:02 UTC.",
        "Within ten minutes, disable or delete the key at",
        "Create a new key with only the permissions it needs",
        pair.values[1].sha256,
    ):
        assert reported in text
    assert "Works from trusted addresses only." in card(examples.judged(pair, examples.RANKED[3][1]))
    assert "Not checked with Binance." in card(pair)
    undecided = card(examples.judged(pair, examples.UNDECIDED))
    assert "state unknown" in undecided
    assert "withdraw unknown" not in undecided, "no permissions are shown where it is not known to be active"


def test_each_card_has_steps_of_its_own() -> None:
    page = render_html(examples.verified_result(), View())
    lists = [text.split('<ol class="tasks">')[1].split("</ol>")[0] for text in page.split("<article")[1:]]
    assert "immediately, as withdrawals are final" in lists[0].lower()
    assert "It cannot move money: delete the key" in lists[4] + lists[5]
    assert "For " not in "".join(re.findall(r"<label>.*?</label>", "".join(lists)))
    assert not any("filter-repo" in one for one in lists), "the history is rewritten once for all"
    assert "filter-repo" in page


def at(path: str, added: Commit, removed: Commit | None = None, *refs: str) -> Finding:
    place = examples.at(path, 1, exposure=Exposure.HISTORY, commit=added, removed=removed, refs=refs)
    return examples.Maker(5).finding(Role.API_KEY, locations=[place], level=RiskLevel.LOW)


def commit(number: int, date: str) -> Commit:
    return Commit(id=f"{number:040x}", author=f"Author {number} <a@project.example>", date=date, subject="s")


def test_the_timeline_is_in_order_with_any_zone() -> None:
    early, late = commit(1, "2024-03-05T23:00:00+00:00"), commit(2, "2024-03-05T20:00:00-05:00")
    odd = [commit(3, "yesterday"), commit(4, "0001-01-01T00:00:00+14:00"), commit(5, "2024-03-06T00:30:00Z")]
    places = [examples.at(f"{one.id[-1]}.py", 1, commit=one, refs=("main",)) for one in (late, *odd, early)]
    finding = replace(at("x", early), locations=(*places, examples.at("1.py", 1, commit=early, removed=late)))
    line = TimelineFormatter(quoted=Quoted(Redactor({})), links=NO_LINKS, source=SourceKind.HISTORY).of(finding)
    assert line is not None
    authors = [event.commit.author for event in line.events]
    assert authors == ["Author 4", "Author 3", "Author 1", "Author 5", "Author 2", "Author 2"]
    assert line.events[-1].change is Change.REMOVED
    assert line.now.summary == "Still in the current files"
    assert line.now.refs == ("main",)


def test_long_timelines_and_lists_are_cut_and_counted() -> None:
    places = [
        examples.at(f"{n:03}.py", 1, commit=commit(n, f"20{n % 90 + 10}-01-01T00:00:00Z"), refs=(f"b{n:03}",))
        for n in range(150)
    ]
    finding = replace(at("x", commit(1, "2024-01-01")), locations=tuple(places))
    text = card(finding)
    assert "138 more commits" in text
    assert "and 138 more" in text
    assert "94 more locations" in text
    assert "and 50 more locations" in text
    whole = card(finding, view=View(verbose=True))
    assert "more commits" not in whole
    assert "144 more locations" in whole
    assert "Author 7 <a@project.example>" in whole
    assert "a@project.example" not in text


def test_files_have_no_timeline() -> None:
    assert "Timeline" not in card(at("a.py", commit(1, "2024-01-01")), SourceKind.FILES)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-03-05T17:20:31+01:00", "2024-03-05"),
        ("2024-02-30T00:00:00Z", None),
        ("2024-03-055", None),
        ("20240305", None),
        ("", None),
        ("٢٠٢٤-03-05", None),
    ],
)
def test_a_day_is_read_from_a_commit_or_not(text: str, day: str | None) -> None:
    found = parse_day(text)
    assert (found.isoformat() if found is not None else None) == day


def dated(*days: str) -> list[Finding]:
    return [at("a.py", commit(n, f"{day}T00:00:00Z")) for n, day in enumerate(days)]


@pytest.mark.parametrize(
    ("days", "first", "last"),
    [
        (("2024-03-05",), "2024-03", "2024-03"),
        (("2024-03-05", "2024-12-31"), "2024-03", "2024-12"),
        (("2019-03-05", "2026-12-31"), "2019 Q1", "2026 Q4"),
        (("2009-03-05", "2026-12-31"), "2009", "2026"),
        (("0001-01-01", "9999-12-31"), "0000–0499", "9500–9999"),
    ],
)
def test_the_chart_fits_its_spans_to_the_time(days: tuple[str, ...], first: str, last: str) -> None:
    chart = chart_of(dated(*days))
    assert chart is not None
    assert (chart.bars[0].name, chart.bars[-1].name) == (first, last)
    assert sum(bar.total for bar in chart.bars) == len(days)
    assert len(chart.bars) <= 36


@settings(max_examples=60)
@given(st.lists(st.dates().map(str), min_size=1, max_size=60))
def test_every_bar_is_inside_the_drawing_and_in_proportion(days: list[str]) -> None:
    findings = dated(*days)
    chart = chart_of([*findings, replace(findings[0], locations=(examples.at("a", 1),))])
    assert chart is not None
    assert chart.undated == 1
    assert sum(bar.total for bar in chart.bars) == len(days)
    top = chart.lines[-1].count
    assert max(bar.total for bar in chart.bars) <= top
    for bar in chart.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH + 0.1
        assert sum(part.height for part in bar.parts) == pytest.approx(HEIGHT * bar.total / top, abs=0.1)
        assert all(-0.01 <= part.y <= part.y + part.height <= HEIGHT + 0.02 for part in bar.parts)


def test_no_chart_without_dates() -> None:
    assert introduced_on(examples.files_result().findings[0]) is None
    assert chart_of(examples.files_result().findings) is None
    assert "<svg" not in render_html(examples.files_result(), View())


def test_what_was_not_read_is_at_the_top() -> None:
    page = render_html(examples.files_result(), View())
    assert page.index("The scan is incomplete: 12 items not read.") < page.index("What to do first")
    assert "data/part-11.bin" in page
    clean = render_html(examples.clean_result(), View())
    assert "incomplete" not in Reader.of(clean).text
    assert "What to do first" not in clean
    assert '<h1 class="good">No Binance credentials found in 1,234 files (56 MB, 0.8 s)</h1>' in clean
    interrupted = replace(examples.clean_result(), interrupted=True)
    assert "1 item not read" in render_html(interrupted, View())


def test_suppressed_ones_are_counted_or_shown() -> None:
    folded = render_html(examples.files_result(), View())
    assert "2 suppressed, --show-suppressed lists them." in Reader.of(folded).text
    assert "a made-up value" not in folded
    shown = render_html(examples.files_result(), View(show_suppressed=True))
    assert shown.count("a made-up value") == 2
    assert 'role="switch"' in shown


def links(page: str) -> set[str]:
    return set(re.findall(r'href="(https://[^"]*)"', page)) - LINKED


def test_what_a_forge_has_is_linked() -> None:
    result = examples.history_result()
    assert links(render_html(replace(result, repository=None), View())) == set()
    page = render_html(result, View())
    assert "<title>grid-bot: " in page
    commits = {place.commit.id for one in result.findings for place in one.locations if place.commit and place.pushed}
    found = links(page)
    assert commits
    assert all(url == examples.GRID_BOT.page or url.startswith(f"{examples.GRID_BOT.page}/") for url in found)
    assert {f"{examples.GRID_BOT.page}/commit/{commit}" for commit in commits} <= found
    assert any(re.fullmatch(rf"{examples.GRID_BOT.page}/blob/[0-9a-f]{{40}}/[^?]+#L\d+", url) for url in found)


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
def test_hostile_text_makes_no_other_link(made: Hostile) -> None:
    inside = rf"{examples.GRID_BOT.page}(/(commit|blob)/[0-9a-f]{{40}}(/[A-Za-z0-9%._~/-]+(#L\d+)?)?)?"
    for hostile in (*HOSTILE, *MARKUP):
        page = render_html(replace(made(hostile), repository=replace(examples.GRID_BOT, name=hostile)), FULL)
        assert [url for url in links(page) if not re.fullmatch(inside, url)] == [], hostile
        elsewhere = replace(made("a"), repository=Repository(name="a", page=hostile))
        assert links(render_html(elsewhere, FULL)) == set(), hostile


def test_the_first_author_is_to_be_asked() -> None:
    early, late = commit(1, "2024-03-05T23:00:00+00:00"), commit(2, "2024-03-05T20:00:00-05:00")
    place = examples.at("b.py", 1, commit=late)
    found = at("a.py", early)
    assert "Ask Author 1, who introduced it on 2024-03-05." in card(found)
    assert "on 2024-03-05, or 1 more author." in card(replace(found, locations=(place, *found.locations)))
    assert "Ask" not in card(replace(found, locations=(examples.at("a.py", 1),)))


def test_messages_and_notes_have_names() -> None:
    make, made = examples.Maker(6), commit(1, "2024-01-01T00:00:00Z")
    note = f"{'ab' * 10}/{'cd' * 10}"
    places = [
        examples.at("commit message", 1, exposure=Exposure.MESSAGE, commit=made, refs=("main",)),
        examples.at("tag message", 1, exposure=Exposure.MESSAGE, commit=made, refs=("v1.0",)),
        examples.at(note, 1, commit=made, refs=("refs/notes/commits",)),
        examples.at(note, 1, commit=made, refs=("refs/notes/ci",)),
        examples.at(note, 1, commit=made, refs=("refs/notes/ci", "main")),
    ]
    text = card(make.finding(Role.API_KEY, locations=places, level=RiskLevel.LOW))
    for name in (
        f"message of commit {made.id[:12]}:1:1",
        "message of tag v1.0:1:1",
        "note on abababababab:1:1",
        "note on abababababab (ci):1:1",
        f"{note}:1:1",
    ):
        assert name in text


def test_the_headline_counts_by_level() -> None:
    page = render_html(examples.gate_result(), View())
    (headline,) = re.findall(r"<h1>(.*?)</h1>", page)
    counts = [int(number) for number in re.findall(r">(\d+) [a-z]+<", headline)]
    assert headline.startswith(f"{len(examples.gate_result().findings)} findings: ")
    assert sum(counts) == len(examples.gate_result().findings)


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("push with --force --all.", "push with [--force] [--all.]"),
        ("see https://a.example/b", "see [https://a.example/b]"),
        ("(--a) & <b>", "[(--a)] &amp; &lt;b&gt;"),
        ("plain words", "plain words"),
    ],
)
def test_no_line_ends_within_an_option(text: str, marked: str) -> None:
    assert unbroken(text).replace('<span class="whole">', "[").replace("</span>", "]") == marked


def test_ticks_belong_to_these_credentials_and_steps() -> None:
    def digest(result: Result, view: View) -> str:
        (found,) = re.findall(r'<body data-report="([0-9a-f]{64})">', render_html(result, view))
        return str(found)

    result = examples.verified_result()
    same = digest(result, View())
    assert digest(result, View(moment=datetime(2026, 1, 1, tzinfo=timezone.utc))) == same
    assert digest(replace(result, findings=result.findings[1:]), View()) != same
    unverified = tuple(replace(one, verification=None) for one in result.findings)
    assert digest(replace(result, findings=unverified), View()) != same
