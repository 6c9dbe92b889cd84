"""Messages between coordinator and workers, and their validation.

Plain data, the same in a pipe and over a network, without any value. An address may hold a login, which a worker needs;
nothing else is secret. A worker may have another version or be hostile: its replies are validated here, reports where
they are stored (`binance_leaks.fleet.store.recording`).
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Collection
from typing import TypedDict, cast

from binance_leaks.errors import UsageError
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.report.json import Report
from binance_leaks.report.sanitize import printable, without_values
from binance_leaks.report.stored import JsonPart


class RepositoryTask(TypedDict):
    """A repository to scan, with the results of its last scan.

    `state` is base64, empty if there is none.

    With `has_state` there is a state that is left out, and sent if the worker asks for it. `covered_stores` are the
    real object folders that it borrows and that another repository of the unit scans.
    """

    key: str
    label: str
    address: str
    covered_stores: list[str]
    fingerprint: str
    has_state: bool
    state: str


class Task(TypedDict):
    """A task for a worker.

    `settings_digest` is the digest of the coordinator's detector and settings: a worker of another version refuses.
    `config` is the text of the user's configuration file, if there is one. With `keep` the state for the next scan is
    sent back. `time_limit` is in seconds for each repository, `clone_limit` in bytes.
    """

    settings_digest: str
    config: str | None
    exclude: list[str]
    reachable: bool
    keep: bool
    jobs: int
    time_limit: float
    clone_limit: int
    repositories: list[RepositoryTask]


class RepositoryOutcome(TypedDict):
    """The outcome for one repository.

    `report` is None where nothing has changed, and where it failed: then `reason` says why, `hint` what to do, and
    `again` whether to retry. With `wants_state` something has changed, and the state is needed to scan it.
    """

    key: str
    report: Report | None
    fingerprint: str
    state: str
    seconds: float
    reason: str
    hint: str
    again: bool
    wants_state: bool


class Step(TypedDict):
    """Progress of a unit: which repository is in which phase, and the bytes read so far."""

    label: str
    phase: str
    bytes: int


ReportStep = Callable[[Step], None]
StepListener = Callable[[str, Step], None]
"""Told the worker and how far it is with a unit; called from any thread."""


class Message(TypedDict, total=False):
    """A message of a scan process: progress, an outcome, or that it is ready for the next task."""

    step: Step
    done: RepositoryOutcome
    ready: bool


class Reply(TypedDict):
    """The name of a worker and its outcomes for a unit."""

    worker: str
    done: list[RepositoryOutcome]


def empty_outcome(key: str) -> RepositoryOutcome:
    """Return the outcome of a repository without result or failure."""
    return {
        "key": key,
        "report": None,
        "fingerprint": "",
        "state": "",
        "seconds": 0.0,
        "reason": "",
        "hint": "",
        "again": False,
        "wants_state": False,
    }


def failed_outcome(key: str, reason: str, hint: str = "", *, again: bool, seconds: float = 0.0) -> RepositoryOutcome:
    """Return the outcome of a failed repository.

    The reason may hold foreign names: it is sanitized here.
    """
    return {
        **empty_outcome(key),
        "seconds": seconds,
        "reason": without_values(printable(reason)),
        "hint": without_values(printable(hint)),
        "again": again,
    }


_FINGERPRINT = lazy_pattern(r"(?:[0-9a-f]{64})?")
_LONGEST = 1000
_MOST_SECONDS = 10**12


def parse_worker(reply: object) -> str:
    """Return the name of the worker; empty if it gives none."""
    name = reply.get("worker") if isinstance(reply, dict) else None
    return _inert(name) if isinstance(name, str) else ""


def parse_outcomes(reply: object, keys: Collection[str]) -> dict[str, RepositoryOutcome]:
    """Return the valid outcomes of repositories with these keys; others are ignored."""
    data = reply.get("done") if isinstance(reply, dict) else None
    found: dict[str, RepositoryOutcome] = {}
    for each in data if isinstance(data, list) else ():
        done = _outcome(each)
        if done is not None and done["key"] in keys:
            found[done["key"]] = done
    return found


def _outcome(data: object) -> RepositoryOutcome | None:
    done = JsonPart("of a worker", "", data)
    try:
        if done["seconds"].number() >= _MOST_SECONDS:
            return None
        state = done["state"].text()
        b64decode(state, validate=True)
        return {
            "key": done["key"].text(),
            "report": cast(Report | None, done["report"].optional(JsonPart.mapping)),
            "fingerprint": done["fingerprint"].form(_FINGERPRINT, "a fingerprint"),
            "state": state,
            "seconds": float(done["seconds"].number()),
            "reason": _inert(done["reason"].text()),
            "hint": _inert(done["hint"].text()),
            "again": done["again"].truth(),
            "wants_state": done["wants_state"].truth(),
        }
    except (UsageError, ValueError):
        return None


def _inert(text: str) -> str:
    return without_values(printable(text[:_LONGEST]))
