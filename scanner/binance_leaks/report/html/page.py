"""Draws a result as a page: fills the template, and lets the browser run nothing but the page's own style and script.

The page holds no value, asks the network for nothing, and works without its script. It is ASCII, characters beyond that
being written as references, so that it is the same on every console and code page.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from jinja2 import DictLoader, StrictUndefined, Template
from jinja2 import Environment as TemplateEnvironment
from markupsafe import Markup

from binance_leaks import __version__
from binance_leaks.environments import Environment
from binance_leaks.findings import Finding, Result, Skipped, SourceKind
from binance_leaks.model import RiskLevel
from binance_leaks.report import View
from binance_leaks.report.advice import steps
from binance_leaks.report.html.card import Card, Deck, Task
from binance_leaks.report.html.chart import Chart, chart_of
from binance_leaks.report.html.locations import Fleet, headline
from binance_leaks.report.locations import EXPOSURES_BY_USE, LEVELS
from binance_leaks.report.names import EXPOSURE_NAMES, left_out, shown, statistics, unread
from binance_leaks.report.remedy import Step
from binance_leaks.report.sanitize import Quoted, Redactor
from binance_leaks.report.summary import human_size, human_time, nothing_found, plural, suppressed_count
from binance_leaks.report.verification_text import counts

_TEMPLATES = ("page.html", "card.html", "chart.html", "controls.html", "locations.html")
_MOST_SKIPPED = 200
_OPEN_AT_FIRST = 3
_MOST_FIRST = 7
_SOURCES = {
    SourceKind.FILES: "Files in",
    SourceKind.STAGED: "Staged changes in",
    SourceKind.HISTORY: "The history of",
    SourceKind.RANGE: "The commits",
    SourceKind.FLEET: "The fleet:",
}
_STATISTICS = ("repositories", "commits", "files", "objects", "blobs", "bytes", "seconds", "excluded", "suppressed")
_MEASURES = {"bytes": ("read", human_size), "seconds": ("took", human_time)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """How many there are of something: its key in the page, its name, and the card to jump to, if any."""

    key: str
    name: str
    count: int
    first: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unread:
    """Things that were not read, each with the reason, and how many more there are than are listed."""

    count: int
    listed: tuple[tuple[str, str], ...]

    @property
    def more(self) -> int:
        """How many are not listed."""
        return self.count - len(self.listed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """All that the template is given, but for style and script."""

    version: str
    target: str
    source: str
    made: str
    complete: bool
    headline: str
    verified: str
    levels: tuple[Count, ...]
    environments: tuple[Count, ...]
    exposures: tuple[Count, ...]
    first_tasks: tuple[Task, ...]
    tasks: tuple[Task, ...]
    chart: Chart | None
    fleet: Fleet | None
    cards: tuple[Card, ...]
    suppressed: tuple[Card, ...]
    suppressed_told: str
    failing: str
    facts: tuple[tuple[str, str], ...]
    lost: Unread
    harmless: Unread
    open_at_first: int = _OPEN_AT_FIRST


def render_html(result: Result, view: View) -> str:
    """The page, complete in itself. Suppressed findings are in it if the view shows them, behind a switch.

    `verbose` leaves nothing out of long lists, and shows addresses of authors.
    """
    style, script = _asset("page.css"), _asset("page.js")
    text = _template().render(
        page=_page(result, view),
        policy=policy(style, script),
        style=Markup(style),  # noqa: S704  # our own, part of the package
        script=Markup(script),  # noqa: S704  # as above
    )
    return text.encode("ascii", "xmlcharrefreplace").decode().strip() + "\n"


def policy(style: str, script: str) -> str:
    """The Content-Security-Policy: this style and this script, by their digests, and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _template() -> Template:
    environment = TemplateEnvironment(
        loader=DictLoader({name: _asset(name) for name in _TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(_TEMPLATES[0])


def _asset(name: str) -> str:
    return files("binance_leaks.report.html").joinpath(name).read_text("utf-8").strip()


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _page(result: Result, view: View) -> Page:
    quoted = Quoted(Redactor.of(result))
    deck = Deck(result, listed=shown(result, show_suppressed=view.show_suppressed), verbose=view.verbose)
    cards = deck.cards(result.findings)
    hidden = deck.cards(result.suppressed, start=len(cards) + 1) if view.show_suppressed else ()
    first, then = _urgent(steps(result) if result.findings else [])
    failing = sum(finding.fails for finding in result.findings)
    return Page(
        version=__version__,
        target=quoted.path(result.target),
        source=_SOURCES[result.source],
        made=f"{view.moment:%Y-%m-%d %H:%M} UTC",
        complete=result.complete,
        headline=_headline(result),
        verified=counts(result.findings),
        levels=tuple(_level(level, cards) for level in LEVELS),
        environments=_environments(result.findings),
        exposures=_exposures(cards),
        first_tasks=tuple(Task.of(step, quoted, about=True) for step in first),
        tasks=tuple(Task.of(step, quoted, about=True) for step in then),
        chart=chart_of(result.findings),
        fleet=deck.roll.fleet(result),
        cards=cards,
        suppressed=hidden,
        suppressed_told=f"{suppressed_count(result)}." if result.suppressed and not hidden else "",
        failing=_failing(failing, len(cards)),
        facts=tuple(_facts(result)),
        lost=_unread(unread(result), quoted, verbose=view.verbose),
        harmless=_unread(left_out(result), quoted, verbose=view.verbose),
    )


def _urgent(todo: Sequence[Step]) -> tuple[Sequence[Step], Sequence[Step]]:
    """The steps for the gravest credentials, and those that can wait until these are taken."""
    others = (place for place, step in enumerate(todo) if place and step.about)
    end = min(next(others, len(todo)), _MOST_FIRST)
    return (todo[:end], todo[end:]) if len(todo) > end + 1 else (todo, ())


def _headline(result: Result) -> str:
    if result.findings and result.source is SourceKind.FLEET:
        return headline(result)
    if result.findings:
        return f"{plural(len(result.findings), 'leaked credential')} found"
    return nothing_found(result).removesuffix(".")


def _failing(failing: int, total: int) -> str:
    """How many fail the gate, unless it is all."""
    if failing == total:
        return ""
    return f"{failing:,} of them fail{'s' if failing == 1 else ''} the gate." if failing else "None fails the gate."


def _level(level: RiskLevel, cards: Sequence[Card]) -> Count:
    found = [card for card in cards if card.level == level.value]
    return Count(key=level.value, name=level.value, count=len(found), first=found[0].id if found else "")


def _environments(findings: Sequence[Finding]) -> tuple[Count, ...]:
    found = [finding.environment for finding in findings]
    return tuple(
        Count(key=environment.value, name=environment.facts.title, count=found.count(environment))
        for environment in Environment
        if environment in found
    )


def _exposures(cards: Sequence[Card]) -> tuple[Count, ...]:
    found = [exposure for card in cards for exposure in card.exposures]
    return tuple(
        Count(key=exposure.value, name=EXPOSURE_NAMES[exposure], count=found.count(exposure.value))
        for exposure in EXPOSURES_BY_USE
        if exposure.value in found
    )


def _facts(result: Result) -> Iterator[tuple[str, str]]:
    stats = statistics(result)
    for name in sorted(stats, key=lambda name: (name not in _STATISTICS, (*_STATISTICS, name).index(name))):
        told, measured = _MEASURES.get(name, (name.replace("_", " "), "{:,}".format))
        if stats[name] or name in _STATISTICS[:7]:
            yield told, measured(stats[name])


def _unread(things: Sequence[Skipped], quoted: Quoted, *, verbose: bool) -> Unread:
    listed = things if verbose else things[:_MOST_SKIPPED]
    return Unread(count=len(things), listed=tuple((quoted.path(one.what), quoted.prose(one.why)) for one in listed))
