"""A worker that lies, or is of another version, harms neither the run nor the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import cast

import pytest
from binance_leaks.fleet.coordinator import Coordinator, Pool, Settings
from binance_leaks.fleet.models import Checkpoint, Repository, RunStatus, ScanFailure, ScanResult, ScanStatus, Unit
from binance_leaks.fleet.store import Store
from binance_leaks.fleet.worker_protocol import Reply, RepositoryOutcome, Task, failed_outcome
from binance_leaks.model import Role

from tests.fleet.fleets import ALL, Fleet, found, report, repository, scanned
from tests.report.examples import Maker

MAKER = Maker(91)
KEY = MAKER.value(Role.API_KEY)
Answer = Callable[[Task], object]
HOSTILE = "\x1b[31m\u202e"


class Liar:
    """A pool whose one worker answers as a test wants it."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.tasks: list[Task] = []

    def slots(self) -> int:
        return 1

    def submit(self, task: Task, *, avoid: Collection[str]) -> Future[Reply]:  # noqa: ARG002 - the protocol's
        self.tasks.append(task)
        assert len(self.tasks) < 20, "it would go on for ever"
        future: Future[Reply] = Future()
        future.set_result(cast(Reply, self._answer(task)))
        return future

    def failure_reason(self, error: BaseException) -> str | None:
        return str(error)

    def reconnect(self) -> None:
        pass

    def workers(self) -> Mapping[str, int]:
        return {}

    def close(self) -> None:
        pass


class Nobody:
    """Watches nothing."""

    def recorded(self, repository: Repository, outcome: ScanResult | ScanFailure) -> None:
        pass

    def tick(self, pool: Pool) -> None:
        pass


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet.at(tmp_path)


def honest(name: str) -> RepositoryOutcome:
    """What a worker finds in a repository."""
    key = repository(name).key
    return {**failed_outcome(key, "", again=False), "report": report(found(KEY)), "fingerprint": "f" * 64}


def run(fleet: Fleet, answer: Answer, *names: str, retries: int = 1) -> Liar:
    """A run with a worker that answers so."""
    pool = Liar(answer)
    units = [Unit(repositories=(repository(name),)) for name in names]
    with fleet.opened() as store:
        number = store.begin("list", [repository(name) for name in names])
        settings = Settings(settings_digest="it", retries=retries)
        Coordinator(pool, store, number, settings, Nobody()).scan(units)
        store.finish(number, RunStatus.FINISHED, {})
    return pool


def states(fleet: Fleet) -> dict[str, tuple[ScanStatus, str]]:
    """How the repositories stand in the last run; all that the store says of it can be read."""
    with Store.read(fleet.file) as store:
        last = store.runs()[-1].id
        fleet.result(last, ALL)
        store.attempts(last)
        return {scan.repository.label: (scan.status, scan.reason) for scan in store.scans(last)}


def spoilt(where: str, what: object) -> RepositoryOutcome:
    """An honest reply but for one place in it, named by its keys."""
    done = json.loads(json.dumps(honest("a")))
    *way, last = where.split(".")
    at = done
    for name in way:
        at = at[int(name)] if name.isdigit() else at[name]
    at[int(last) if last.isdigit() else last] = what
    return cast(RepositoryOutcome, done)


@pytest.mark.parametrize(
    ("where", "what"),
    [
        ("seconds", "long"),
        ("seconds", float("nan")),
        ("seconds", -1),
        ("state", "%%%"),
        ("state", 7),
        ("fingerprint", ["f"]),
        ("reason", 1),
        ("hint", None),
        ("again", "no"),
        ("wants_state", "no"),
        ("report", []),
        ("report", {}),
        ("report.findings.0", None),
        ("report.findings.0.id", 5),
        ("report.findings.0.id", "a key as it is"),
        ("report.findings.0.evidence", "text"),
        ("report.findings.0.evidence", [[]]),
        ("report.findings.0.risk.reasons", {"a": 1}),
        ("report.findings.0.suppressed", {"by": "nobody", "reason": ""}),
        ("report.findings.0.suppressed", {"by": "inline", "reason": 3}),
        ("report.findings.0.values", []),
        ("report.findings.0.values.0.role", "king"),
        ("report.findings.0.locations.0.line", "three"),
        ("report.findings.0.locations.0.line", 0),
        ("report.findings.0.locations.0.line", True),
        ("report.findings.0.locations.0.column", 1.5),
        ("report.findings.0.locations.0.role", "king"),
        ("report.findings.0.locations.0.path", 5),
        ("report.findings.0.locations.0.path", "\ud800"),
        ("report.findings.0.locations.0.standing", "yes"),
        ("report.findings.0.locations.0.replaceable", "yes"),
        ("report.findings.0.locations.0.cell", {"number": -1, "part": None}),
        ("report.findings.0.locations.0.cell", {"number": 1, "part": "middle"}),
        ("report.findings.0.locations.0.exposure", "nowhere"),
        ("report.findings.0.locations.0.blob", "no id"),
        ("report.findings.0.locations.0.refs", [1]),
        ("report.findings.0.locations.0.commit.id", "no id"),
        ("report.findings.0.locations.0.commit.author", None),
        ("report.findings.0.locations.0.commit.date", 12),
        ("report.scan.complete", "yes"),
        ("report.scan.stats", {"objects": "many"}),
        ("report.scan.stats", {"objects": True}),
        ("report.scan.skipped", [{"what": 1, "why": ""}]),
    ],
)
def test_a_reply_of_another_shape(fleet: Fleet, where: str, what: object) -> None:
    """It fails, after as many attempts as any other; what comes of the others is kept, and can be read."""

    def answer(task: Task) -> object:
        name = task["repositories"][0]["label"]
        return {"worker": "w", "done": [spoilt(where, what) if name == "a" else honest(name)]}

    pool = run(fleet, answer, "a", "b")
    reported = states(fleet)
    assert reported["a"][0] is ScanStatus.FAILED
    assert "invalid reply" in reported["a"][1] or "sent no result" in reported["a"][1]
    assert reported["b"] == (ScanStatus.SCANNED, "")
    assert len(pool.tasks) == 3


@pytest.mark.parametrize(
    "reply",
    [
        None, [], {}, {"worker": "w"}, {"worker": 1, "done": []}, {"worker": "w", "done": {}},
        {"worker": "w", "done": [None]}, {"worker": "w", "done": [{}]}, {"worker": "w", "done": [{"key": []}]},
        {"worker": "w", "done": [{"key": "https://git.example/a"}]},
    ],
)  # fmt: skip
def test_what_is_no_reply(fleet: Fleet, reply: object) -> None:
    pool = run(fleet, lambda _: reply, "a")
    assert states(fleet)["a"][0] is ScanStatus.FAILED
    assert len(pool.tasks) == 2


def test_one_that_asks_for_ever(fleet: Fleet) -> None:
    """What is remembered is sent once."""
    fleet.run("a", [scanned("a", remembered=Checkpoint(fingerprint="e" * 64, state=b"state"))])
    done = {**failed_outcome(repository("a").key, "", again=False), "wants_state": True}
    pool = run(fleet, lambda _: {"worker": "w", "done": [done]}, "a")
    assert states(fleet)["a"][0] is ScanStatus.FAILED
    assert [bool(task["repositories"][0]["state"]) for task in pool.tasks] == [False, True, True]


@pytest.mark.parametrize("known", [None, "e" * 64])
@pytest.mark.parametrize("printed", ["", "f" * 64])
def test_nothing_is_as_it_was_that_was_never_seen(fleet: Fleet, known: str | None, printed: str) -> None:
    """Only a repository that still has the fingerprint that is remembered is passed over."""
    if known is not None:
        fleet.run("a", [scanned("a", remembered=Checkpoint(fingerprint=known))])
    done = {**failed_outcome(repository("a").key, "", again=False), "fingerprint": printed}
    run(fleet, lambda _: {"worker": "w", "done": [done]}, "a")
    assert states(fleet)["a"][0] is ScanStatus.FAILED


def test_what_is_as_it_was(fleet: Fleet) -> None:
    fleet.run("a", [scanned("a", remembered=Checkpoint(fingerprint="e" * 64))])
    done = {**failed_outcome(repository("a").key, "", again=False), "fingerprint": "e" * 64}
    run(fleet, lambda _: {"worker": "w", "done": [done]}, "a")
    assert states(fleet)["a"] == (ScanStatus.UNCHANGED, "")


def test_values_in_a_reply(fleet: Fleet) -> None:
    """They are masked before they are stored, wherever a worker puts them."""
    assert KEY.secret is not None
    text = KEY.secret.reveal().decode("ascii")
    places = (
        "locations.0.path", "locations.0.refs.0", "locations.0.commit.author", "locations.0.commit.subject",
        "locations.0.commit.date", "evidence.0", "risk.reasons.0",
    )  # fmt: skip

    def answer(task: Task) -> object:
        name = task["repositories"][0]["label"]
        if name == "b":
            reason = {"reason": f"of {text}", "hint": f"{HOSTILE}{text}"}
            return {"worker": f"{HOSTILE}{text}", "done": [{**honest("b"), **reason}]}
        done = honest("a")
        assert done["report"] is not None
        done["report"]["findings"][0]["locations"][0]["refs"] = ["refs/heads/main"]
        done["report"]["findings"][0]["suppressed"] = {"by": "inline", "reason": text}
        done["report"]["scan"]["skipped"] = [{"what": text, "why": text}]
        done = json.loads(json.dumps(done))
        for place in places:
            done = _put(done, f"report.findings.0.{place}", f"x/{text}/y")
        return {"worker": text, "done": [done]}

    run(fleet, answer, "a", "b")
    assert states(fleet)["a"][0] is ScanStatus.SCANNED
    assert states(fleet)["b"][0] is ScanStatus.FAILED
    content = b"".join(file.read_bytes() for file in fleet.file.parent.iterdir())
    assert KEY.sha256.encode() in content
    assert text.encode() not in content
    assert b"\x1b" not in b"".join(
        str(row).encode() for row in fleet.asked("SELECT reason || hint || worker FROM scans")
    )


def _put(done: RepositoryOutcome, where: str, what: object) -> RepositoryOutcome:
    *way, last = where.split(".")
    at = json.loads(json.dumps(done))
    whole = at
    for name in way:
        at = at[int(name)] if name.isdigit() else at[name]
    at[int(last) if last.isdigit() else last] = what
    return cast(RepositoryOutcome, whole)
