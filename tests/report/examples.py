"""Results to render, with values that a seeded generator makes up anew in each run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from string import ascii_letters, digits

from binance_leaks.findings import (
    Finding,
    Forge,
    Mark,
    Repository,
    Result,
    Risk,
    ScanStats,
    Skipped,
    SourceKind,
    SuppressedBy,
    Suppression,
)
from binance_leaks.model import (
    Commit,
    Confidence,
    Credential,
    Environment,
    Exposure,
    Kind,
    Location,
    Origin,
    RiskLevel,
    Role,
    Value,
)
from binance_leaks.risk import assess, order
from binance_leaks.verification import PERMISSION_TIERS, Cause, Permissions, Verdict, Verification

EVIDENCE = ("the package binance is imported in this file", "Client(...) takes it as its first argument")
COMMIT = Commit(
    id="1f3a" * 10,
    author="Jane Doe <jane@project.example>",
    date="2024-03-05T17:20:31+01:00",
    subject="Add the grid bot and its settings",
)
LATER = Commit(id="9c0d" * 10, author="Max", date="2024-04-01T09:00:00+00:00", subject="Move settings")


GRID_BOT = Repository(name="grid-bot", page="https://github.com/ann/grid-bot", forge=Forge.GITHUB)


class Maker:
    """Makes the same values for the same seed."""

    def __init__(self, seed: int = 7) -> None:
        self._random = Random(seed)

    def raw(self, alphabet: str = ascii_letters + digits) -> bytes:
        """64 random characters."""
        return "".join(self._random.choices(alphabet, k=64)).encode()

    def value(self, role: Role) -> Value:
        """A random value; of a private key its 48 bytes of DER."""
        raw = self._random.randbytes(48) if role is Role.PRIVATE_KEY else self.raw()
        return Value.of(role, raw)

    def finding(
        self,
        *roles: Role,
        locations: Sequence[Location],
        level: RiskLevel,
        environment: Environment = Environment.MAINNET,
        evidence: tuple[str, ...] = EVIDENCE,
        suppressed: Suppression | None = None,
    ) -> Finding:
        """A finding of one random value for each role."""
        values = tuple(self.value(role) for role in roles)
        confidence = Confidence.HIGH if len(roles) > 1 else Confidence.MEDIUM
        reasons = ("This is what can be done with it.", "It belongs to the live exchange.")
        return Finding(
            id=Credential(
                values=values, occurrences=(), environment=environment, confidence=confidence, evidence=evidence
            ).id,
            kind=kind_of(roles),
            environment=environment,
            confidence=confidence,
            risk=Risk(level=level, reasons=reasons),
            values=values,
            locations=tuple(locations),
            evidence=evidence,
            suppressed=suppressed,
        )


def kind_of(roles: Sequence[Role]) -> Kind:
    """The kind of a credential that has these roles."""
    return Kind.KEY_PAIR if len(roles) > 1 else Kind(roles[0].value)


def at(
    path: str,
    line: int,
    column: int = 1,
    *,
    role: Role = Role.API_KEY,
    exposure: Exposure = Exposure.PRESENT,
    commit: Commit | None = None,
    refs: tuple[str, ...] = (),
    preexisting: bool = False,
    removed: Commit | None = None,
    pushed: bool = False,
) -> Location:
    """A place."""
    return Location(
        role=role,
        path=path,
        line=line,
        column=column,
        exposure=exposure,
        commit=commit,
        blob="ab" * 20,
        refs=refs,
        preexisting=preexisting,
        removed=removed,
        pushed=pushed,
    )


def pair_at(
    path: str, line: int, exposure: Exposure = Exposure.PRESENT, *, preexisting: bool = False
) -> list[Location]:
    """The places of a key and, on the next line, its secret."""
    return [
        at(path, line, 12, exposure=exposure, preexisting=preexisting),
        at(path, line + 1, 15, role=Role.SECRET_KEY, exposure=exposure, preexisting=preexisting),
    ]


def files_result() -> Result:
    """Every kind of finding, many places, something suppressed, something not read."""
    make = Maker()
    many = [at(f"services/collector/config/exchange_{n:02}.yaml", 3 + n, 14) for n in range(11)]
    deep = "services/" + "very-long-folder-name/" * 5 + "settings.production.json"
    findings = (
        make.finding(Role.API_KEY, Role.SECRET_KEY, locations=pair_at("bot/settings.py", 12), level=RiskLevel.HIGH),
        make.finding(Role.PRIVATE_KEY, locations=[at(deep, 1, role=Role.PRIVATE_KEY)], level=RiskLevel.MEDIUM),
        make.finding(
            Role.SECRET_KEY,
            locations=[at("app.jar!/conf/app.properties", 4, 22, role=Role.SECRET_KEY)],
            level=RiskLevel.MEDIUM,
            environment=Environment.UNKNOWN,
        ),
        make.finding(Role.API_KEY, locations=many, level=RiskLevel.LOW, environment=Environment.US),
        make.finding(
            Role.API_KEY,
            locations=[at("tests/test_client.py", 9, 5)],
            level=RiskLevel.INFO,
            environment=Environment.TESTNET,
            evidence=tuple(f"evidence number {n}" for n in range(6)),
        ),
    )
    return Result(
        source=SourceKind.FILES,
        target=".",
        findings=findings,
        suppressed=(_suppressed(make, SuppressedBy.INLINE), _suppressed(make, SuppressedBy.CONFIG)),
        skipped=(
            *(Skipped(what=f"data/part-{n:02}.bin", why="permission denied") for n in range(12)),
            Skipped(what="vendor/lib", why="a submodule: scan it by itself", lost=False),
        ),
        stats=ScanStats(files=1234, bytes=56_100_000, seconds=0.8123),
    )


def staged_result() -> Result:
    """A pair that is being committed and was elsewhere before, and a key that was there before."""
    make = Maker(8)
    findings = (
        make.finding(
            Role.API_KEY,
            Role.SECRET_KEY,
            locations=[
                *pair_at("bot/settings.py", 12, exposure=Exposure.STAGED),
                *pair_at("bot/old_settings.py", 3, preexisting=True),
            ],
            level=RiskLevel.HIGH,
        ),
        make.finding(Role.API_KEY, locations=[at("README.md", 40, 3, preexisting=True)], level=RiskLevel.LOW),
    )
    stats = ScanStats(files=3, bytes=3456, seconds=0.0412)
    return Result(source=SourceKind.STAGED, target=".", findings=findings, stats=stats)


def message_result() -> Result:
    """A pair in the message of the commit that is being made."""
    make = Maker(9)
    places = pair_at("COMMIT_EDITMSG", 1, exposure=Exposure.MESSAGE)
    findings = (make.finding(Role.API_KEY, Role.SECRET_KEY, locations=places, level=RiskLevel.HIGH),)
    return Result(source=SourceKind.STAGED, target=".", findings=findings, stats=ScanStats(files=1, bytes=210))


def history_result() -> Result:
    """A key in old commits, in messages, dropped, in a stash, and at a tip, pushed; the scan was interrupted."""
    make = Maker(10)
    many = ("main", "origin/main", "release/1", "release/2", "v1.0", "v1.1", "v2.0")
    message = Exposure.MESSAGE
    places = [
        at("bot.py", 3, 9, exposure=Exposure.HISTORY, commit=COMMIT, refs=many, removed=LATER, pushed=True),
        at("settings.py", 7, 9, exposure=Exposure.HISTORY, commit=LATER, refs=("main",)),
        at("bot.py", 4, 9, exposure=Exposure.HISTORY, commit=COMMIT, refs=many, removed=LATER, pushed=True),
        at("old/bot.py", 4, 9, exposure=Exposure.HISTORY, commit=COMMIT, refs=("refs/stash",)),
        at("conf.py", 1, 1, exposure=Exposure.PRESENT, commit=LATER, refs=("main", "origin/main"), pushed=True),
        at("commit message", 2, 5, exposure=message, commit=COMMIT, refs=many[:5], pushed=True),
        at("stash.py", 8, 1, exposure=Exposure.UNREACHABLE, commit=LATER),
        at(f"blob:{'ab' * 20}", 8, 1, exposure=Exposure.UNREACHABLE),
    ]
    demo = make.finding(Role.API_KEY, locations=places, level=RiskLevel.LOW, environment=Environment.DEMO)
    tagged = make.finding(
        Role.API_KEY,
        Role.SECRET_KEY,
        locations=[
            at("tag message", 3, 1, exposure=message, refs=("v1.0",)),
            at("tag message", 4, 1, role=Role.SECRET_KEY, exposure=message, refs=("v1.0",)),
        ],
        level=RiskLevel.HIGH,
    )
    stats = ScanStats(objects=120_345, blobs=60_000, commits=31_000, bytes=2_100_000_000, seconds=75.2)
    return Result(
        source=SourceKind.HISTORY,
        target="repo",
        findings=(tagged, demo),
        stats=stats,
        interrupted=True,
        repository=GRID_BOT,
    )


def local_result() -> Result:
    """A pair that was committed, and then removed, in a repository without a remote."""
    removed = replace(LATER, subject="Keep the settings out of the repository, where they should never have been")
    places = [
        replace(place, commit=COMMIT, removed=removed, refs=("main",))
        for place in pair_at("bot/settings.py", 12, Exposure.HISTORY)
    ]
    finding = Maker(12).finding(Role.API_KEY, Role.SECRET_KEY, locations=places, level=RiskLevel.HIGH)
    stats = ScanStats(objects=1, blobs=1, commits=0, bytes=210, seconds=0.2)
    return Result(source=SourceKind.HISTORY, target=".", findings=(finding,), stats=stats)


def in_repository(name: str, places: Sequence[Location]) -> list[Location]:
    """The places, in this repository of a fleet."""
    return [replace(place, repository=name) for place in places]


def fleet_result() -> Result:
    """Many repositories: a pair in nine of them, some new, one gone, places that are in no report, two that failed."""
    make, refs = Maker(15), ("main", "origin/main")
    there = [replace(place, commit=COMMIT, refs=refs, pushed=True) for place in pair_at("bot/settings.py", 12)]
    copied = [
        replace(place, commit=COMMIT, removed=LATER, refs=refs[:1])
        for place in pair_at("conf/live.env", 3, Exposure.HISTORY)
    ]
    forks = [place for n in range(7) for place in in_repository(f"forks/user-{n}", copied)]
    spread = make.finding(
        Role.API_KEY,
        Role.SECRET_KEY,
        locations=[*forks, *in_repository("team/bot", there), *in_repository("team/api", copied)],
        level=RiskLevel.CRITICAL,
    )
    gone = make.finding(Role.SECRET_KEY, locations=in_repository("/srv/git/old.git", copied[1:]), level=RiskLevel.LOW)
    play = make.finding(
        Role.API_KEY,
        locations=in_repository("team/bot", [at("tests/keys.py", 9, commit=LATER, refs=refs[:1])]),
        level=RiskLevel.INFO,
        environment=Environment.TESTNET,
    )
    hidden = _suppressed(make, SuppressedBy.CONFIG)
    return Result(
        source=SourceKind.FLEET,
        target="212 repositories of list.txt",
        findings=(
            replace(spread, mark=Mark.STILL_THERE, unlisted=4950),
            replace(_in_one_repository(make), mark=Mark.NEW),
            replace(gone, mark=Mark.GONE, fails=False),
            replace(play, mark=Mark.STILL_THERE, fails=False),
        ),
        suppressed=(replace(hidden, locations=tuple(in_repository("team/docs", hidden.locations))),),
        skipped=(
            Skipped(what="team/huge", why="timed out after 3 attempts"),
            Skipped(what="team/broken", why="is no repository"),
            Skipped(what=f"team/bot: object {'12ab' * 10}", why="missing"),
        ),
        stats=ScanStats(
            repositories=212,
            repositories_failed=2,
            repositories_unchanged=5,
            objects=1_200_345,
            blobs=600_000,
            bytes=21_000_000_000,
            seconds=75.2,
            new=1,
            still_there=2,
            gone=1,
        ),
    )


def _in_one_repository(make: Maker) -> Finding:
    """A key at many places of one repository of a fleet."""
    old = Exposure.HISTORY
    places = [
        *(at(f"k8s/{n:02}/secret.yaml", 3 + n, exposure=old, commit=LATER, refs=("main",)) for n in range(9)),
        at("commit message", 2, 5, exposure=Exposure.MESSAGE, commit=COMMIT, refs=("v1.0",)),
        replace(
            at("images.zip!/keys.txt", 1, exposure=old, commit=LATER, refs=("v1.0",)),
            origin=Origin(author="Jane Doe", date="2024-03-05T17:20:31"),
        ),
    ]
    return make.finding(Role.API_KEY, locations=in_repository("ops/deploy tools", places), level=RiskLevel.MEDIUM)


def clean_result(*, source: SourceKind = SourceKind.FILES) -> Result:
    """Nothing found."""
    stats = ScanStats(files=1234, bytes=56_100_000, seconds=0.8123)
    return Result(source=source, target=".", findings=(), stats=stats)


def hostile_result(hostile: str) -> Result:
    """The same text in every place that a repository or a user fills."""
    make = Maker(11)
    commit = Commit(id="7e57" * 10, author=hostile, date=hostile, subject=hostile)
    places = [
        at(hostile, 1, exposure=Exposure.HISTORY, commit=commit, refs=(hostile,), removed=commit, pushed=True),
        replace(
            at(hostile, 2),
            near_miss=hostile,
            origin=Origin(author=hostile, date=hostile, layer=hostile, command=hostile, deleted=True),
        ),
        at(hostile, 3, exposure=Exposure.MESSAGE, commit=commit, refs=(hostile,) * 9),
    ]
    finding = make.finding(Role.API_KEY, locations=places, level=RiskLevel.LOW, evidence=(hostile,))
    finding = replace(finding, verification=Verification(verdict=Verdict.INCONCLUSIVE, note=f"{hostile}."))
    suppression = Suppression(by=SuppressedBy.INLINE, reason=hostile)
    hidden = make.finding(Role.API_KEY, locations=places, level=RiskLevel.LOW, suppressed=suppression)
    return Result(
        source=SourceKind.HISTORY,
        target=hostile,
        findings=(finding,),
        suppressed=(hidden,),
        skipped=(Skipped(what=hostile, why=hostile), Skipped(what=hostile, why=hostile, lost=False)),
        repository=Repository(name=f"bot {hostile}", page=hostile),
    )


def hostile_fleet(hostile: str) -> Result:
    """The same in a fleet, whose repositories are named like that too."""
    result = hostile_result(hostile)

    def moved(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        return tuple(
            replace(one, locations=tuple(in_repository(hostile, one.locations)), mark=Mark.NEW) for one in findings
        )

    stats = ScanStats(repositories=1, new=1)
    return replace(
        result,
        source=SourceKind.FLEET,
        findings=moved(result.findings),
        suppressed=moved(result.suppressed),
        stats=stats,
    )


Hostile = Callable[[str], Result]
HOSTILE_RESULTS: tuple[Hostile, ...] = (hostile_result, hostile_fleet)


def _suppressed(make: Maker, by: SuppressedBy) -> Finding:
    return make.finding(
        Role.API_KEY,
        locations=[at("docs/example.md", 21, 3)],
        level=RiskLevel.LOW,
        suppressed=Suppression(by=by, reason="a made-up value"),
    )


def gate_result() -> Result:
    """What a gate sees: a pair that fails, one that was there before, one below the gate, many more of those."""
    make = Maker(13)
    failing = make.finding(
        Role.API_KEY,
        Role.SECRET_KEY,
        locations=[replace(place, commit=COMMIT) for place in pair_at("bot/settings.py", 12, Exposure.STAGED)],
        level=RiskLevel.HIGH,
    )
    preexisting = make.finding(
        Role.API_KEY, Role.SECRET_KEY, locations=pair_at("old.py", 3, preexisting=True), level=RiskLevel.HIGH
    )
    low = [
        make.finding(
            Role.API_KEY, locations=[at(f"tests/{n}.py", n)], level=RiskLevel.LOW, environment=Environment.TESTNET
        )
        for n in range(1, 15)
    ]
    passing = (replace(finding, fails=False) for finding in (preexisting, *low))
    stats = ScanStats(commits=3)
    return Result(
        source=SourceKind.RANGE,
        target="main..HEAD",
        findings=(failing, *passing),
        stats=stats,
        repository=GRID_BOT,
    )


READING = "enableReading"
SPOT = "enableSpotAndMarginTrading"
CHECKED = "2026-05-04T03:02:01+00:00"


def permissions(*granted: str, ip_restricted: bool | None = False, ends: int | None = None) -> Permissions:
    """These are granted, the others that are documented denied."""
    return Permissions(
        granted=tuple(sorted(granted)),
        denied=tuple(sorted(PERMISSION_TIERS.keys() - set(granted))),
        ip_restricted=ip_restricted,
        created=1_700_000_000_000,
        trading_ends=ends,
    )


def live(*granted: str, ip_restricted: bool | None = False, ends: int | None = None) -> Verification:
    """A live key of the live exchange that may do this."""
    return Verification(
        verdict=Verdict.LIVE,
        permissions=permissions(*granted, ip_restricted=ip_restricted, ends=ends),
        environment=Environment.MAINNET,
        host="api.binance.com",
        checked_at=CHECKED,
        note="Active: api.binance.com accepted it and returned the permissions of the key.",
    )


WRONG = Verification(
    verdict=Verdict.KEY_LIVE_SECRET_WRONG,
    environment=Environment.MAINNET,
    host="api.binance.com",
    checked_at=CHECKED,
    note="The API key is probably active: api.binance.com refused nothing but the signature (code -1022); the secret "
    "found with it is not its own.",
)
REVOKED = Verification(
    verdict=Verdict.NOT_FOUND,
    host="api.binance.com",
    checked_at=CHECKED,
    elsewhere=(),
    note="Probably revoked or deleted: api.binance.com did not know the key, twice.",
)
UNDECIDED = Verification(
    verdict=Verdict.INCONCLUSIVE,
    cause=Cause.ADDRESS,
    host="api.binance.com",
    checked_at=CHECKED,
    note="It cannot be determined from here whether it is active: Binance refused this request: this address "
    "may not be on the key's list, a permission may be missing, the key may be of another environment, or banned for a "
    "while. That does not mean it is dead (code -2015).",
)
NOT_ASKED = Verification(verdict=Verdict.NOT_ASKED, cause=Cause.BUDGET, note="Not checked: this run checks 8 at most.")
RANKED: tuple[tuple[str, Verification], ...] = (
    ("withdraw", live(READING, SPOT, "enableWithdrawals", ip_restricted=True)),
    ("transfer", live(READING, SPOT, "permitsUniversalTransfer")),
    ("trade", live(READING, SPOT, "enableFutures", "enableCopyTrading", ends=1_790_000_000_000)),
    ("trade-ip", live(READING, SPOT, ip_restricted=True)),
    ("read", live(READING)),
    ("wrong", WRONG),
    ("revoked", REVOKED),
)
"""The most severe first."""


def judged(finding: Finding, verification: Verification | None) -> Finding:
    """The finding as it is after Binance was asked."""
    credential = Credential(
        values=finding.values,
        occurrences=(),
        environment=finding.environment,
        confidence=finding.confidence,
        evidence=finding.evidence,
    )
    return replace(finding, verification=verification, risk=assess(credential, finding.locations, verification))


def verified_result() -> Result:
    """Seven pairs that Binance knows something of, one that it does not, and a key that was not checked."""
    make = Maker(14)
    found = []
    for name, verification in (*RANKED, ("undecided", UNDECIDED)):
        places = [replace(place, commit=COMMIT, refs=("main",)) for place in pair_at(f"accounts/{name}.env", 1)]
        pair = make.finding(Role.API_KEY, Role.SECRET_KEY, locations=places, level=RiskLevel.HIGH)
        found.append(judged(pair, verification))
    lone = make.finding(Role.API_KEY, locations=[at("notes.txt", 9, commit=COMMIT)], level=RiskLevel.LOW)
    found.append(judged(lone, NOT_ASKED))
    found.reverse()
    stats = ScanStats(objects=40, blobs=12, commits=9, bytes=4100, seconds=1.3)
    return Result(source=SourceKind.HISTORY, target=".", findings=tuple(sorted(found, key=order)), stats=stats)


def everything_result() -> Result:
    """A fleet with all that a report can show: verdicts, marks, suppressed findings, items that were not read."""
    fleet, verified, names = fleet_result(), verified_result(), ("team/bot", "team/api")
    moved = [
        replace(one, locations=tuple(in_repository(names[number % 2], one.locations)), mark=Mark.STILL_THERE)
        for number, one in enumerate(verified.findings)
    ]
    findings = tuple(sorted([*fleet.findings, *moved], key=order))
    return replace(fleet, findings=findings, skipped=(*fleet.skipped, *files_result().skipped[-1:]))


def plain_result() -> Result:
    """A history as most are: an active pair that was removed, a key in today's files, one suppressed, one unread."""
    history, files = history_result(), files_result()
    pair, lone = local_result().findings[0], history.findings[1]
    key = replace(lone, locations=lone.locations[4:6])
    findings = (judged(pair, live(READING, SPOT)), replace(key, fails=False))
    return replace(
        history, findings=findings, suppressed=files.suppressed[:1], skipped=files.skipped[11:], interrupted=False
    )


RESULTS: dict[str, Callable[[], Result]] = {
    "files": files_result,
    "staged": staged_result,
    "message": message_result,
    "history": history_result,
    "local": local_result,
    "clean": clean_result,
    "gate": gate_result,
    "verified": verified_result,
    "fleet": fleet_result,
    "everything": everything_result,
}
