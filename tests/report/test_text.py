"""The text report: golden files, widths, colours, and that nothing hostile gets through."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest
from binance_leaks.environments import KEY_PAGE
from binance_leaks.findings import Mark, Result, SourceKind
from binance_leaks.model import Environment, Exposure, RiskLevel, Role
from binance_leaks.report import FORMAT_NAMES, View, format_named
from binance_leaks.report.text import render_text
from hypothesis import example, given, settings
from hypothesis import strategies as st

from . import examples
from .examples import Hostile
from .goldens import assert_golden

RESULTS: dict[str, Callable[[], Result]] = {
    "files": examples.files_result,
    "staged": examples.staged_result,
    "message": examples.message_result,
    "history": examples.history_result,
    "local": examples.local_result,
    "clean": examples.clean_result,
    "verified": examples.verified_result,
    "fleet": examples.fleet_result,
}
HOSTILE = (
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;http://example.invalid\x07link\x1b]8;;\x07",
    "a.py\nHIGH  forged, mainnet",
    "a.py\rHIGH  forged, mainnet",
    "exe.\u202egnp",
    "a\u2028b\u2029c\x85d\x0be\x0cf",
    "\x9b2J\x00\x08\x7f",
    "zero\u200bwidth\ufeff\U000e0041",
    "bytes-\udcff\udc80-\ud800",
    "[bold red]markup[/bold red] [link=http://example.invalid]x[/link] :warning: [/]",
)
_SGR = re.compile(r"\x1b\[[0-9;]*m")
_LINK = re.compile(
    r"\x1b\]8;;(?P<url>file:///(?:[A-Z]:/)?[A-Za-z0-9._~%-][A-Za-z0-9./_~%-]*)\x1b\\(?P<shown>[^\x1b\n]+)\x1b\]8;;\x1b\\"
)


def plain(
    result: Result,
    *,
    width: int = 80,
    show_suppressed: bool = False,
    verbose: bool = False,
    remembered: bool = False,
    program: str = "binance-leaks",
) -> str:
    view = View(width=width, show_suppressed=show_suppressed, verbose=verbose, remembered=remembered, program=program)
    return render_text(result, view)


def assert_inert(text: str) -> None:
    """No character but the line feed that moves a cursor, changes a colour or cannot be seen."""
    assert not [char for char in text if char != "\n" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


def test_golden() -> None:
    """What blocks a commit; test_every_format.py has a plain and a hostile result."""
    assert_golden("staged.txt", render_text(examples.staged_result(), View()))


@pytest.mark.parametrize("width", [20, 40, 80])
def test_only_lines_to_copy_run_over(width: int) -> None:
    lines = [
        line for made in RESULTS.values() for line in plain(made(), width=width, show_suppressed=True).splitlines()
    ]
    copied = re.compile(
        r":\d+:\d+|https://|^  False alarm\?|^     (git|binance-leaks|echo|python|\w+ = os\.environ\S+$)"
        r"|^  (data|vendor|team)/|^  (API|secret|private) key |^  In .*:$"
    )
    assert [line for line in lines if len(line) > width and not copied.search(line)] == []


def test_no_trailing_blanks() -> None:
    for made in RESULTS.values():
        text = plain(made(), width=40, show_suppressed=True, verbose=True)
        assert [line for line in text.splitlines() if line != line.rstrip()] == []
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


@pytest.mark.parametrize("width", [40, 80])
def test_color_changes_nothing_but_color(width: int) -> None:
    for name, made in RESULTS.items():
        colored = render_text(made(), View(width=width, color=True, show_suppressed=True, verbose=True))
        assert "\x1b[" in colored, name
        assert _SGR.sub("", colored) == plain(made(), width=width, show_suppressed=True, verbose=True), name


def test_a_level_stays_one_word_in_color() -> None:
    colored = render_text(examples.staged_result(), View(width=40, color=True))
    assert colored.startswith("\x1b[1;31mHIGH\x1b[0m  ")


def test_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = plain(examples.files_result())
    for name, value in {"FORCE_COLOR": "1", "COLUMNS": "33", "TTY_COMPATIBLE": "1", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    assert plain(examples.files_result()) == before
    monkeypatch.delenv("FORCE_COLOR")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b[" in render_text(examples.files_result(), View(width=80, color=True))


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
@pytest.mark.parametrize("verbose", [False, True])
def test_hostile_names_inject_nothing(verbose: bool, made: Hostile) -> None:
    for hostile in HOSTILE:
        result = made(hostile)
        text = plain(result, width=120, show_suppressed=True, verbose=verbose)
        assert_inert(text)
        assert text.encode()
        assert not any(line.lstrip().startswith("HIGH") for line in text.splitlines()), hostile
        colored = render_text(result, View(width=120, color=True, show_suppressed=True, verbose=verbose))
        assert _SGR.sub("", colored) == text, hostile


def test_markup_is_not_obeyed() -> None:
    name = "[bold red]x[/bold red]:warning:.py"
    assert f"    {name}:2:1\n" in plain(examples.hostile_result(name))


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
@settings(max_examples=60)
@given(hostile=st.text(st.characters(exclude_categories=()), max_size=300), width=st.integers(0, 200))
def test_any_text_is_made_inert(hostile: str, width: int, made: Hostile) -> None:
    text = plain(made(hostile), width=width, show_suppressed=True, verbose=True)
    assert_inert(text)
    text.encode()


@pytest.mark.parametrize("around", ["{}", "keys/{}/a.txt", 'Client("{}")', "key={}"])
def test_a_value_in_a_name_or_subject_is_masked(around: str) -> None:
    value = examples.Maker(99).raw().decode()
    text = plain(examples.hostile_result(around.format(value)), show_suppressed=True, verbose=True)
    assert value not in re.sub(r"\s", "", text)
    assert value[4:] not in re.sub(r"\s", "", text)


def test_digests_are_whole_when_verbose() -> None:
    for result in (made() for made in RESULTS.values()):
        text = re.sub(r"\s", "", plain(result, width=40, show_suppressed=True, verbose=True))
        findings = (*result.findings, *result.suppressed)
        assert [value for one in findings for value in one.values if value.sha256 not in text] == []


def test_digests_are_shown_only_when_verbose() -> None:
    assert re.search(r"[0-9a-f]{33}", plain(examples.files_result(), remembered=True)) is None
    assert "sha256       " in plain(examples.files_result(), verbose=True)


def test_a_false_alarm_is_allowed_by_one_command() -> None:
    result = examples.files_result()
    one = replace(result, findings=result.findings[:1])
    both = " ".join(sorted(value.sha256 for value in one.findings[0].values))
    assert plain(one).endswith(f'  False alarm? binance-leaks allow {both} --reason "WHY"\n')
    assert plain(one, remembered=True, program="/a/b").endswith('  False alarm? /a/b allow --last --reason "WHY"\n')
    several = plain(result, remembered=True)
    first = result.findings[0].id[:8]
    assert several.endswith(f'  False alarm? binance-leaks allow {first} --reason "WHY"\n')
    for finding in result.findings:
        assert f"  {finding.id[:8]}\n" in several


@pytest.mark.parametrize("roles", [(Role.API_KEY, Role.SECRET_KEY), (Role.PRIVATE_KEY,)])
def test_one_finding_of_a_commit_takes_at_most_twelve_lines(roles: tuple[Role, ...]) -> None:
    places = [examples.at("bot.py", n, role=role, exposure=Exposure.STAGED) for n, role in enumerate(roles, start=1)]
    finding = examples.Maker(3).finding(*roles, locations=places, level=RiskLevel.HIGH)
    text = plain(replace(examples.clean_result(source=SourceKind.STAGED), findings=(finding,)), remembered=True)
    assert len([line for line in text.splitlines() if line]) <= 12


def test_what_passes_the_gate_is_reported_from_what_fails() -> None:
    result = examples.files_result()
    one, two = (replace(result.findings[n], fails=n == 0) for n in range(2))
    text = plain(replace(result, findings=(one, two)))
    assert text.count("Does not fail the gate. Its risk is below the gate.") == 1
    assert text.index("Does not fail") > text.index("Why ")
    assert "; 1 fails the gate.\n" in text
    assert "; none fails the gate.\n" in plain(replace(result, findings=(two,)))
    assert "of them" not in plain(result)


def test_a_tag_message_is_mended_by_another_tag() -> None:
    range_ = replace(examples.clean_result(), source=SourceKind.RANGE)
    tag, commit = (examples.at(path, 1, exposure=Exposure.MESSAGE) for path in ("tag message", "commit message"))
    for places, tags, commits in (((tag,), 1, 0), ((commit,), 0, 1), ((tag, commit), 1, 1)):
        finding = replace(examples.files_result().findings[0], locations=places)
        text = plain(replace(range_, findings=(finding,)), width=200)
        assert (text.count("Delete the tag"), text.count("rewrite these commits")) == (tags, commits)


def test_a_long_list_is_folded_and_unfolded() -> None:
    folded, whole = plain(examples.files_result()), plain(examples.files_result(), verbose=True)
    assert folded.count("exchange_") == 6
    assert "and 5 more locations" in folded
    assert whole.count("exchange_") == 11
    assert folded.count("permission denied") == 10
    assert whole.count("permission denied") == 12


def test_a_fold_that_saves_no_line_is_not_made() -> None:
    places = [examples.at(f"{n}.py", 1) for n in range(7)]
    finding = replace(examples.files_result().findings[3], locations=tuple(places))
    text = plain(replace(examples.files_result(), findings=(finding,)))
    assert "6.py:1:1" in text
    assert "more location" not in text


def test_suppressed_are_counted_or_listed() -> None:
    folded, listed = plain(examples.files_result()), plain(examples.files_result(), show_suppressed=True)
    assert "2 suppressed, --show-suppressed lists them." in folded
    assert "docs/example.md" not in folded
    assert listed.count("docs/example.md:21:3") == 2
    assert "suppressed (inline): a made-up value" in listed
    assert "lists them" not in listed


def test_only_suppressed_is_clean_and_gives_no_advice() -> None:
    text = plain(replace(examples.files_result(), findings=(), skipped=()), show_suppressed=True)
    assert "No Binance credentials found in 1,234 files" in text
    assert "What to do now" not in text


def test_staged_reports_what_blocks_from_what_does_not() -> None:
    text = plain(examples.staged_result())
    assert (
        text.index("Added in this commit")
        < text.index("bot/settings.py")
        < text.index("Already there before this change; does")
    )
    assert text.index("Already there before this change; does") < text.index("bot/old_settings.py")
    assert "Read it from the environment, then run git add bot/settings.py:" in text


def test_staged_with_nothing_added_advises_as_for_a_leak() -> None:
    result = examples.staged_result()
    text = plain(replace(result, findings=result.findings[1:]))
    assert "run git add" not in text
    assert "First revoke it" in text


@pytest.mark.parametrize("source", list(SourceKind))
def test_advice_reports_where_to_revoke_and_how_to_allow(source: SourceKind) -> None:
    text = plain(replace(examples.files_result(), source=source), width=40)
    assert f"     {KEY_PAGE}\n" in text
    assert "  False alarm? binance-leaks allow " in text


def test_advice_names_the_key_page_only_where_it_holds_the_key() -> None:
    finding = replace(examples.staged_result().findings[0], environment=Environment.US)
    text = plain(replace(examples.staged_result(), findings=(finding,)))
    assert KEY_PAGE not in text
    assert Environment.US.facts.key_page in text


def test_incomplete_is_never_silent() -> None:
    clean = examples.clean_result()
    text = plain(replace(clean, interrupted=True))
    assert "found in what was read: 1,234 files" in text
    assert "The scan was interrupted" in text
    colored = render_text(examples.files_result(), View(width=80, color=True))
    assert "\x1b[1;31mThe scan is incomplete: 12 items not read.\x1b[0m" in colored


def test_every_exposure_of_every_source_has_words() -> None:
    for source in SourceKind:
        for exposure in Exposure:
            finding = replace(
                examples.staged_result().findings[1], locations=(examples.at("a.py", 1, exposure=exposure),)
            )
            text = plain(replace(examples.clean_result(source=source), findings=(finding,)))
            is_beside = source is SourceKind.STAGED and exposure in (Exposure.STAGED, Exposure.MESSAGE)
            shape = r"^  API key +\w{4}…\w{4}  a\.py:1:1$" if is_beside else r"^  [A-Z][^:]+:\n    a\.py:1:1$"
            assert re.search(shape, text, re.MULTILINE)


def test_roles_are_named_where_there_are_several() -> None:
    text = plain(examples.files_result())
    assert "bot/settings.py:13:15  secret key" in text
    assert "tests/test_client.py:9:5\n" in text
    lone = examples.Maker(3).finding(
        Role.PRIVATE_KEY, locations=[examples.at("id.pem", 1, role=Role.PRIVATE_KEY)], level=RiskLevel.MEDIUM
    )
    assert "  private key  48 bytes\n" in plain(replace(examples.clean_result(), findings=(lone,)))


def test_refs_are_folded_and_unfolded() -> None:
    folded, whole = plain(examples.history_result()), plain(examples.history_result(), verbose=True)
    assert "        in main, origin/main, release/1, release/2 and 3 more\n" in folded
    assert "        in main, origin/main, release/1, release/2, v1.0, v1.1, v2.0\n" in whole
    assert "        in main, origin/main, release/1, release/2, v1.0\n" in folded  # a fold would save nothing


def test_a_history_reports_who_brought_it_and_who_took_it_out() -> None:
    text = plain(examples.history_result())
    assert "    1f3a1f3a1f3a 2024-03-05 Jane Doe: Add the grid bot and its settings\n      bot.py:3:9\n" in text
    assert "        removed in 9c0d9c0d9c0d (2024-04-01) by Max: Move settings\n" in text
    assert text.count("removed in") == 1, "locations with one fate are reported together"
    assert "jane@" not in text
    assert "2024-03-05 Jane Doe <jane@project.example>: Add" in plain(examples.history_result(), verbose=True)


def test_an_author_of_an_address_alone_is_shown() -> None:
    commit = replace(examples.COMMIT, author="<only@project.example>")
    finding = replace(examples.local_result().findings[0], locations=(examples.at("a.py", 1, commit=commit),))
    assert "2024-03-05 <only@project.example>: Add" in plain(replace(examples.local_result(), findings=(finding,)))


def test_pushed_is_reported_once_a_finding() -> None:
    assert plain(examples.history_result()).count("Pushed: a remote has it.") == 1
    assert "Pushed" not in plain(examples.local_result())


def test_messages_are_distinguished() -> None:
    text = plain(examples.history_result())
    assert "  In a tag message:\n    tag message:3:1" in text
    assert "  In a commit message:\n" in text
    finding = examples.history_result().findings[0]
    both = (*finding.locations, examples.at("commit message", 1, exposure=Exposure.MESSAGE))
    mixed = plain(replace(examples.history_result(), findings=(replace(finding, locations=both),)))
    assert "  In a commit or tag message:\n" in mixed


def linked(result: Result, *, folder: str = "/home/jane/bot", color: bool = False, width: int = 80) -> str:
    return render_text(result, View(width=width, color=color, show_suppressed=True, verbose=True, folder=folder))


@pytest.mark.parametrize("width", [20, 80])
@pytest.mark.parametrize("color", [False, True])
def test_links_change_nothing_but_links(width: int, color: bool) -> None:
    for name, made in RESULTS.items():
        text = linked(made(), width=width, color=color)
        bare = render_text(made(), View(width=width, color=color, show_suppressed=True, verbose=True))
        assert _LINK.sub(lambda link: link["shown"], text) == bare, name


def test_only_files_that_are_there_are_linked() -> None:
    urls = [link["url"].rpartition("/")[2] for link in _LINK.finditer(linked(examples.history_result()))]
    assert urls == ["conf.py"], "older commits, messages and dropped objects are no files"
    staged = linked(examples.staged_result())
    assert "\x1b]8;;file:///home/jane/bot/bot/settings.py\x1b\\bot/settings.py:12:12\x1b]8;;\x1b\\" in staged
    assert "\x1b]8;;" not in linked(examples.message_result())


@pytest.mark.parametrize(
    ("path", "folder", "url"),
    [
        ("a b/ü.py", "/x y", "file:///x%20y/a%20b/%C3%BC.py"),
        ("/abs/a.py", "/x", "file:///abs/a.py"),
        ("../up.py", "/x/y", "file:///x/up.py"),
        ("a.zip!/inner/b.py", "/x", "file:///x/a.zip"),
        ("C:/keys/a.py", "D:/work", "file:///C:/keys/a.py"),
        ("a.py", "D:/work", "file:///D:/work/a.py"),
        ("bytes-\udcff", "/x", "file:///x/bytes-%FF"),
        ("a.py#L1?x=%41;b", "/x", "file:///x/a.py%23L1%3Fx%3D%2541%3Bb"),
    ],
)
def test_urls(path: str, folder: str, url: str) -> None:
    finding = replace(examples.files_result().findings[0], locations=(examples.at(path, 1),))
    text = linked(replace(examples.clean_result(), findings=(finding,)), folder=folder)
    assert [link["url"] for link in _LINK.finditer(text)] == [url]


@pytest.mark.parametrize("place", ["path", "folder"])
def test_hostile_names_inject_no_link(place: str) -> None:
    for hostile in (*HOSTILE, "a\x1b\\\x1b[2J", "javascript:alert(1)", "//host/share", "x" * 3000, "\x07"):
        result = examples.hostile_result(hostile)
        text = linked(result, folder="/x") if place == "path" else linked(result, folder=f"/{hostile}")
        assert_inert(_LINK.sub(lambda link: link["shown"], text))
        for link in _LINK.finditer(text):
            assert link["url"].isascii(), hostile
            assert len(link["url"]) <= 2000, hostile


@settings(max_examples=60)
@given(hostile=st.text(st.characters(exclude_categories=()), min_size=1, max_size=100))
@example(hostile="/")
def test_any_name_makes_an_inert_link(hostile: str) -> None:
    text = linked(examples.hostile_result(hostile), folder="/x")
    assert_inert(_LINK.sub(lambda link: link["shown"], text))


def test_a_link_shows_no_value() -> None:
    value = examples.Maker(99).raw().decode()
    for text in (
        linked(examples.hostile_result(f"keys/{value}.py")),
        linked(examples.hostile_result("a"), folder=f"/{value}"),
    ):
        assert value not in text
        assert not _LINK.search(text)


def test_places_of_a_fleet_stand_by_repository_and_many_are_folded() -> None:
    result = examples.fleet_result()
    folded, unfolded = plain(result), plain(result, verbose=True)
    heads = re.findall(r"^  (In .*:|and .* repositor.*|and .* in the store)$", folded, re.MULTILINE)
    assert heads == [
        "In team/bot:",
        "In forks/user-0:",
        "In forks/user-1:",
        "and 6 more repositories",
        "and 4,950 more locations in the store",
        "In ops/deploy tools:",
        "In /srv/git/old.git:",
        "In team/bot:",
    ]
    assert [f"  In forks/user-{n}:\n" in unfolded for n in range(7)] == [True] * 7
    assert "more repositories\n" not in unfolded.partition("credentials:")[0]
    assert unfolded.count("k8s/") == 9
    assert "\x1b]8" not in linked(result), "the file is in another folder, or on another machine"


def test_a_mark_is_in_the_first_line() -> None:
    lines = [line for line in plain(examples.fleet_result()).splitlines() if re.match("[A-Z]+  ", line)]
    assert [line.partition("  ")[2].partition(":")[0] for line in lines] == [
        "still there",
        "NEW",
        "gone",
        "still there",
    ]


def test_what_is_gone_is_nowhere_there_today() -> None:
    result = examples.fleet_result()
    gone = replace(result.findings[3], mark=Mark.GONE, fails=False)
    for name in FORMAT_NAMES:
        text = format_named(name).render(replace(result, findings=(gone,), suppressed=()), View(verbose=True))
        assert "in the current files" not in text
        assert "keys.py" in text
    assert "  In team/bot:\n    In the files of an earlier run:\n" in plain(replace(result, findings=(gone,)))
