"""The `html` format: fills the template, and allows the browser only the page's own style and script.

The page contains no value, makes no network requests, and works without its script. It is ASCII, other characters being
written as references, so that it is the same on every console and code page.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import DictLoader, StrictUndefined, Template
from jinja2 import Environment as TemplateEnvironment
from markupsafe import Markup

from binance_leaks import __version__
from binance_leaks.environments import Environment
from binance_leaks.findings import Finding, Mark, Result, Skipped, SourceKind
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import RiskLevel
from binance_leaks.quantities import human_size, human_time, plural
from binance_leaks.report import View
from binance_leaks.report.advice import steps
from binance_leaks.report.forge import ForgeLinks
from binance_leaks.report.html.card import Card, CardFormatter, TaskText
from binance_leaks.report.html.locations import FleetText
from binance_leaks.report.html.timeline import Chart, chart_of
from binance_leaks.report.locations import EXPOSURES_BY_USE, LEVELS_BY_SEVERITY, describe_repositories
from binance_leaks.report.names import (
    EXPOSURE_NAMES,
    capitalize_first,
    harmless_items,
    listed_findings,
    lost_items,
    statistics,
)
from binance_leaks.report.remedies import Step
from binance_leaks.report.sanitize import Quoted, Redactor
from binance_leaks.report.summary import count_suppressed, describe_clean, describe_gate, describe_incomplete
from binance_leaks.report.verification_text import count_verdicts

_TEMPLATES = ("page.html", "card.html", "chart.html", "controls.html", "locations.html")
_MAX_SKIPPED = 200
_OPEN_AT_FIRST = 3
_MAX_FIRST = 8
_LEAST_CHARTED = 5
_HYPHENED = lazy_pattern(r"((?<!\S)(?=\S{1,40}(?:\s|$))[^\s/-]*[/-]\S*)")
_SOURCES = {
    SourceKind.FILES: "Files in",
    SourceKind.STAGED: "Staged changes in",
    SourceKind.HISTORY: "History of",
    SourceKind.RANGE: "Commits",
    SourceKind.FLEET: "Fleet:",
    SourceKind.MACHINE: "This machine:",
}
_STATISTICS = ("repositories", "commits", "files", "objects", "blobs", "bytes", "seconds", "excluded", "suppressed")
_MEASURES = {"bytes": ("read", human_size), "seconds": ("took", human_time)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """A count of something: its key in the page, its name, and the card to jump to, if any."""

    key: str
    name: str
    count: int
    first: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnreadList:
    """Items that were not read, each with the reason; `count` includes those not listed."""

    count: int
    listed: tuple[tuple[str, str], ...]

    @property
    def more(self) -> int:
        """Number of items that are not listed."""
        return self.count - len(self.listed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Everything that the template gets, except style and script.

    `digest` is of the credentials and steps: the browser keeps ticks under it. `there` counts the credentials that the
    headline counts, by level, and `levels` all of them.
    """

    version: str
    target: str
    source: str
    made: str
    complete: bool
    incomplete: str
    digest: str
    repository: str
    link: str
    headline: str
    there: tuple[Count, ...]
    gone: str
    verified: str
    levels: tuple[Count, ...]
    environments: tuple[Count, ...]
    exposures: tuple[Count, ...]
    first_tasks: tuple[TaskText, ...]
    tasks: tuple[TaskText, ...]
    chart: Chart | None
    fleet: FleetText | None
    cards: tuple[Card, ...]
    suppressed: tuple[Card, ...]
    suppressed_note: str
    failing: str
    facts: tuple[tuple[str, str], ...]
    lost: UnreadList
    harmless: UnreadList
    open_at_first: int = _OPEN_AT_FIRST

    @property
    def title(self) -> str:
        """The name of the repository, or what was scanned, with what was found there."""
        counts = ", ".join(f"{level.count:,} {level.name}" for level in self.there)
        return f"{self.repository or self.target}: {self.headline}{f': {counts}' if counts else ''}{self.gone}"


def render_html(result: Result, view: View) -> str:
    """Render the self-contained page. Suppressed findings are behind a switch if the view shows them.

    `verbose` unfolds long lists, and shows addresses of authors.
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
    """Return the Content-Security-Policy: this style and this script, by their digests, and nothing else."""
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


@cache
def _template() -> Template:
    """Compile the templates, once in a process: that takes longer than to fill them."""
    environment = TemplateEnvironment(
        loader=DictLoader({name: _asset(name) for name in _TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = unbroken
    return environment.get_template(_TEMPLATES[0])


def _asset(name: str) -> str:
    return files("binance_leaks.report.html").joinpath(name).read_text("utf-8").strip()


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _page(result: Result, view: View) -> Page:
    quoted = Quoted(Redactor.of(result))
    formatter = CardFormatter(
        result, listed=listed_findings(result, show_suppressed=view.show_suppressed), verbose=view.verbose
    )
    cards = formatter.cards(result.findings)
    hidden = formatter.cards(result.suppressed, start=len(cards) + 1) if view.show_suppressed else ()
    first, then = _split_urgent(steps(result) if result.findings else [])
    first_tasks = tuple(TaskText.of(step, quoted, about=True) for step in first)
    tasks = tuple(TaskText.of(step, quoted, about=True) for step in then)
    failing = sum(finding.fails for finding in result.findings)
    there = [card for card in cards if card.mark != Mark.GONE.value]
    return Page(
        version=__version__,
        target=quoted.path(result.target),
        source=_SOURCES[result.source],
        made=f"{view.moment:%Y-%m-%d %H:%M} UTC",
        complete=result.complete,
        incomplete=describe_incomplete(lost_items(result)),
        digest=_report_digest((*first_tasks, *tasks), (*cards, *hidden)),
        repository=quoted.path(result.repository.name).strip() if result.repository is not None else "",
        link=ForgeLinks.of(result).page,
        headline=_headline(result, len(there)),
        there=tuple(level for level in (_level(level, there) for level in LEVELS_BY_SEVERITY) if level.count),
        gone=f", {len(cards) - len(there):,} gone" if there and len(there) < len(cards) else "",
        verified=count_verdicts(result.findings),
        levels=tuple(_level(level, cards) for level in LEVELS_BY_SEVERITY),
        environments=_environments(result.findings),
        exposures=_exposures(cards),
        first_tasks=first_tasks,
        tasks=tasks,
        chart=chart_of(result.findings) if len(cards) >= _LEAST_CHARTED else None,
        fleet=formatter.repositories.fleet(result),
        cards=cards,
        suppressed=hidden,
        suppressed_note=f"{count_suppressed(result)}." if result.suppressed and not hidden else "",
        failing=_describe_gate(failing, len(cards)),
        facts=tuple(_scan_facts(result)),
        lost=_unread_list(lost_items(result), quoted, verbose=view.verbose),
        harmless=_unread_list(harmless_items(result), quoted, verbose=view.verbose),
    )


def _split_urgent(todo: Sequence[Step]) -> tuple[Sequence[Step], Sequence[Step]]:
    """Split off the steps for the most severe credentials from those that can wait."""
    others = (place for place, step in enumerate(todo) if place and step.about)
    end = min(next(others, len(todo)), _MAX_FIRST)
    return (todo[:end], todo[end:]) if len(todo) > end + 1 else (todo, ())


def _headline(result: Result, there: int) -> str:
    """Return how many credentials are there, in a fleet in how many repositories."""
    if not result.findings:
        return describe_clean(result).removesuffix(".")
    if not there:
        return f"{plural(len(result.findings), 'finding')} gone"
    return f"{plural(there, 'finding')} {describe_repositories(result)}".strip()


def _report_digest(tasks: Sequence[TaskText], cards: Sequence[Card]) -> str:
    """Return a digest that another report with other steps does not have, so that no tick is of another step."""
    digest = sha256()
    for scope, steps_of in (("", tasks), *((card.id, card.tasks) for card in cards)):
        for task in steps_of:
            digest.update(
                "\0".join((scope, task.text, *task.links, *task.lines)).encode("utf-8", "backslashreplace") + b"\0\0"
            )
    return digest.hexdigest()


def unbroken(text: str) -> Markup:
    """Return text in which no line ends within a word with hyphens or slashes, such as an option."""
    parts = _HYPHENED.split(text)
    return Markup().join(
        Markup('<span class="whole">{}</span>').format(part) if number % 2 else part
        for number, part in enumerate(parts)
    )


def _describe_gate(failing: int, total: int) -> str:
    """Return how many fail the gate, unless all do."""
    if failing == total:
        return ""
    return f"{capitalize_first(describe_gate(failing))}."


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


def _scan_facts(result: Result) -> Iterator[tuple[str, str]]:
    stats = statistics(result)
    for name in sorted(stats, key=lambda name: (name not in _STATISTICS, (*_STATISTICS, name).index(name))):
        label, measured = _MEASURES.get(name, (name.replace("_", " "), "{:,}".format))
        if stats[name] or name in _STATISTICS[:7]:
            yield label, measured(stats[name])


def _unread_list(things: Sequence[Skipped], quoted: Quoted, *, verbose: bool) -> UnreadList:
    listed = things if verbose else things[:_MAX_SKIPPED]
    return UnreadList(count=len(things), listed=tuple((quoted.path(one.what), quoted.prose(one.why)) for one in listed))
