"""Results to look at in a browser: a dozen credentials of all kinds, thousands, and hostile ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from binance_leaks.findings import Finding, Mark, Result, ScanStats, Skipped, SourceKind, SuppressedBy, Suppression
from binance_leaks.model import Commit, Confidence, Environment, Exposure, Location, RiskLevel, Role
from binance_leaks.risk import order
from binance_leaks.verification import Verdict, Verification

from tests.report.examples import CHECKED, NOT_ASKED, RANKED, UNDECIDED, Maker, at, in_repository, judged, pair_at

AUTHORS = (
    "Ann Example <ann@project.example>",
    "Bo Li <bo@project.example>",
    "Chiara Rossi <chiara@project.example>",
    "דנה <dana@project.example>",
)
_WORDS = ("bot", "settings", "grid", "keys", "deploy", "exchange", "runner", "notebook", "conf", "live")
_FOLDERS = ("", "bot/", "services/collector/", "deploy/k8s/", "notebooks/", "old/2021/")
_SUBJECTS = (
    "Add the grid bot and its settings",
    "First version",
    "Move settings",
    "Fix the build",
    "Deploy to the host",
)
_GONE = "Read keys from the environment"
_ROLES = (
    (Role.API_KEY, Role.SECRET_KEY),
    (Role.API_KEY,),
    (Role.SECRET_KEY,),
    (Role.PRIVATE_KEY,),
)
_ENVIRONMENTS = tuple(Environment)


class History:
    """Makes up a history; the same one for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._make = Maker(seed)

    def commit(self, year: int, subject: str = "") -> Commit:
        """A commit of this year."""
        pick = self._random
        return Commit(
            id=f"{pick.getrandbits(160):040x}",
            author=pick.choice(AUTHORS),
            date=f"{year}-{pick.randint(1, 12):02}-{pick.randint(1, 28):02}T{pick.randint(0, 23):02}:10:11+02:00",
            subject=subject or pick.choice(_SUBJECTS),
        )

    def path(self) -> str:
        """A path such as people have."""
        pick = self._random
        return (
            f"{pick.choice(_FOLDERS)}{pick.choice(_WORDS)}_{pick.randint(1, 99)}.{pick.choice(['py', 'env', 'yaml'])}"
        )

    def places(self, exposure: Exposure, year: int) -> list[Location]:
        """A pair at one path, with what became of it."""
        added, removed = self.commit(year), self.commit(year + 1, _GONE)
        gone = exposure is Exposure.HISTORY
        pushed = self._random.random() < 0.6
        refs = ("main", "origin/main", "v1.0") if pushed else ("main",)
        path = "commit message" if exposure is Exposure.MESSAGE else self.path()
        return [
            replace(
                place,
                commit=added,
                removed=removed if gone else None,
                refs=() if exposure is Exposure.UNREACHABLE else refs,
                pushed=pushed and exposure is not Exposure.UNREACHABLE,
            )
            for place in pair_at(path, self._random.randint(1, 200), exposure)
        ]

    def finding(
        self,
        number: int,
        verification: Verification | None = None,
        exposure: Exposure = Exposure.HISTORY,
        environment: Environment = Environment.MAINNET,
        roles: tuple[Role, ...] = _ROLES[0],
    ) -> Finding:
        """A finding, judged."""
        places = self.places(exposure, 2019 + number % 7)
        if len(roles) == 1:
            places = [replace(places[0], role=roles[0])]
        found = self._make.finding(*roles, locations=places, level=RiskLevel.HIGH, environment=environment)
        confidence = Confidence.MEDIUM if number % 5 == 4 else Confidence.HIGH
        return judged(replace(found, confidence=confidence), verification)


def dozen() -> Result:
    """Credentials of all kinds from the whole history of one repository, with what Binance answered."""
    history = History(21)
    findings = [history.finding(n, reported) for n, (_, reported) in enumerate(RANKED)]
    play = Verification(
        verdict=Verdict.LIVE, environment=Environment.TESTNET, host="testnet.binance.vision", checked_at=CHECKED
    )
    findings += [
        history.finding(1, UNDECIDED, Exposure.PRESENT),
        history.finding(3, play, Exposure.PRESENT, Environment.TESTNET),
        history.finding(2, NOT_ASKED, Exposure.UNREACHABLE, Environment.UNKNOWN, (Role.SECRET_KEY,)),
        history.finding(5, None, Exposure.HISTORY, Environment.MAINNET, (Role.PRIVATE_KEY,)),
        history.finding(6, None, Exposure.MESSAGE, Environment.US, (Role.API_KEY,)),
    ]
    spread = [place for year in range(2019, 2025) for place in history.places(Exposure.HISTORY, year)[:1]]
    findings[0] = replace(findings[0], locations=(*findings[0].locations, *spread))
    suppressed = Suppression(by=SuppressedBy.BASELINE, reason="known since 2022, revoked")
    hidden = tuple(replace(history.finding(n), suppressed=suppressed) for n in range(2))
    return Result(
        source=SourceKind.HISTORY,
        target="/home/ann/projects/grid-bot",
        findings=tuple(sorted(findings, key=order)),
        suppressed=hidden,
        skipped=(Skipped(what="vendor/ta-lib", why="a submodule: --submodules reads it too", lost=False),),
        stats=ScanStats(objects=120_345, blobs=60_102, commits=31_007, bytes=2_100_000_000, seconds=2.41),
    )


def many(count: int) -> Result:
    """So many credentials of one history."""
    history, pick = History(22), Random(23)
    return Result(
        source=SourceKind.HISTORY,
        target="monorepo",
        findings=tuple(sorted(_many(history, pick, count), key=order)),
        stats=ScanStats(objects=1_200_345, bytes=21_000_000_000, seconds=75.2),
    )


def _many(history: History, pick: Random, count: int) -> Iterator[Finding]:
    verifications = (*(reported for _, reported in RANKED), UNDECIDED, None, None)
    exposures = (Exposure.PRESENT, Exposure.HISTORY, Exposure.HISTORY, Exposure.MESSAGE, Exposure.UNREACHABLE)
    for number in range(count):
        environment = pick.choice(_ENVIRONMENTS)
        yield history.finding(
            number, pick.choice(verifications), pick.choice(exposures), environment, pick.choice(_ROLES)
        )


def fleet(count: int, repositories: int) -> Result:
    """So many credentials in so many repositories, the first in all of those, most in one, some in a few."""
    history, pick = History(25), Random(26)
    names = [f"team-{n % 7}/{pick.choice(_WORDS)}-{n}" for n in range(repositories)]
    findings = sorted(_many(history, pick, count), key=order)
    for number, found in enumerate(findings):
        several = names if number == 0 else pick.sample(names, pick.choice((1, 1, 1, 2, min(9, repositories))))
        places = (place for name in several for place in in_repository(name, found.locations))
        mark = (Mark.NEW, Mark.STILL_THERE, Mark.STILL_THERE, Mark.GONE)[number % 4]
        findings[number] = replace(
            found, locations=tuple(places), mark=mark, fails=mark is not Mark.GONE, unlisted=40 if number == 0 else 0
        )
    marks = [found.mark for found in findings]
    return Result(
        source=SourceKind.FLEET,
        target=f"{repositories + 30:,} repositories of list.txt",
        findings=tuple(findings),
        skipped=(
            Skipped(what="team-1/huge", why="timed out after 3 attempts"),
            Skipped(what="team-2/broken", why="is no repository"),
        ),
        stats=ScanStats(
            repositories=repositories + 30,
            repositories_failed=2,
            repositories_unchanged=5,
            objects=1_200_345,
            bytes=21_000_000_000,
            seconds=75.2,
            new=marks.count(Mark.NEW),
            still_there=marks.count(Mark.STILL_THERE),
            gone=marks.count(Mark.GONE),
        ),
    )


def hostile_fleet() -> Result:
    """The same in repositories that are called like that."""
    result = hostile()
    findings = (
        replace(found, locations=tuple(in_repository(text, found.locations)), mark=Mark.NEW)
        for text, found in zip(HOSTILE, result.findings, strict=True)
    )
    stats = ScanStats(repositories=len(HOSTILE), new=len(HOSTILE))
    return replace(result, source=SourceKind.FLEET, findings=tuple(findings), stats=stats)


def hostile() -> Result:
    """Names, authors, refs and subjects that try to become something else than text."""
    history = History(24)
    findings = []
    for number, text in enumerate(HOSTILE):
        commit = Commit(id=f"{number:040x}", author=text, date="2024-03-05T17:20:31+01:00", subject=text)
        places = (
            at(text or "empty", 1, exposure=Exposure.HISTORY, commit=commit, refs=(text,), removed=commit),
            at(f"{text}/a.py", 2, commit=commit, refs=(text,), pushed=True),
        )
        found = history.finding(number, Verification(verdict=Verdict.INCONCLUSIVE, note=text), roles=(Role.API_KEY,))
        findings.append(replace(found, locations=places, evidence=(text,)))
    suppression = Suppression(by=SuppressedBy.CONFIG, reason=HOSTILE[0])
    return Result(
        source=SourceKind.HISTORY,
        target=HOSTILE[0],
        findings=tuple(findings),
        suppressed=(replace(findings[0], suppressed=suppression, id="0" * 32),),
        skipped=tuple(Skipped(what=text, why=text) for text in HOSTILE),
    )


HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\">",
    "<script>document.title='owned'</script>",
    "</title><script>document.title='owned'</script>",
    "</style></script><script>document.title='owned'</script>",
    '"><svg onload="document.title=\'owned\'">',
    "'><a href='javascript:document.title=1'>x</a>",
    "<!--",
    "]]>",
    "<base href='http://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "<link rel=stylesheet href=http://evil.example/x.css><style>*{display:none}</style>",
    "<form action=http://evil.example><button autofocus>x",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;script&gt;&#x202e;&nbsp;",
    "a\x00b\x1b[31m\x7f\x9b",
    "exe.\u202egnp.\u2066\u2067\u200f",
    "zero\u200bwidth\ufeff\u00ad",
    "עברית/مفاتيح.py",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031e\u0349\u035a\u032f\u031e\u0320\u034dalgo"
    * 20,
    "x" * 10_000,
    "wide " * 2_000,
    "a\nb\r\nc\u2028d",
)
