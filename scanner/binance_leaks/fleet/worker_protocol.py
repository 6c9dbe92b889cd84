"""What goes to a worker and comes back: plain data, the same in a pipe and over a network, without any value.

An address may hold a login of the user, which a worker must have; nothing else here is secret.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Collection
from typing import TypedDict, cast

from binance_leaks.report.json import Report
from binance_leaks.report.sanitize import printable, without_values


class RepositoryTask(TypedDict):
    """A repository to scan, with what an earlier scan left; `state` is base64, empty if there is none.

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
    """What a worker is given.

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
    """What became of one repository.

    `report` is None where nothing has changed, and where it failed: then `reason` says why, `hint` what to do, and
    `again` whether another attempt could do better. With `wants_state` something has changed, and it is still to do.
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
    """How far a unit is: what is done with which repository, and how many bytes of it were read."""

    label: str
    phase: str
    bytes: int


Tell = Callable[[Step], None]
Watch = Callable[[str, Step], None]
"""Told the worker and how far it is with a unit; called from any thread."""


class Message(TypedDict, total=False):
    """What a runner says: how far it is, what became of a repository, or that it is ready for the next task."""

    step: Step
    done: RepositoryOutcome
    ready: bool


class Reply(TypedDict):
    """What a worker made of a unit, and what it is called."""

    worker: str
    done: list[RepositoryOutcome]


def empty_outcome(key: str) -> RepositoryOutcome:
    """A repository of which nothing is told yet."""
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
    """A repository that could not be scanned. Names of strangers may stand in the reason: it is made inert here."""
    return {
        **empty_outcome(key),
        "seconds": seconds,
        "reason": without_values(printable(reason)),
        "hint": without_values(printable(hint)),
        "again": again,
    }


_FINGERPRINT = re.compile(r"(?:[0-9a-f]{64})?")
_LONGEST = 1000


def parse_worker(reply: object) -> str:
    """What the worker is called; empty if it does not tell."""
    name = reply.get("worker") if isinstance(reply, dict) else None
    return _inert(name) if isinstance(name, str) else ""


def parse_outcomes(reply: object, keys: Collection[str]) -> dict[str, RepositoryOutcome]:
    """What became of the repositories with these keys. Left out is what has another shape: of it nothing is known."""
    told = reply.get("done") if isinstance(reply, dict) else None
    found: dict[str, RepositoryOutcome] = {}
    for each in told if isinstance(told, list) else ():
        done = _done(each) if isinstance(each, dict) else None
        if done is not None and done["key"] in keys:
            found[done["key"]] = done
    return found


def _done(told: dict[str, object]) -> RepositoryOutcome | None:
    key, fingerprint, state, reason, hint = (
        _text(told, name) for name in ("key", "fingerprint", "state", "reason", "hint")
    )
    again, wants_state = told.get("again"), told.get("wants_state")
    seconds, report = _seconds(told.get("seconds")), told.get("report", "")
    if key is None or fingerprint is None or state is None or reason is None or hint is None or seconds is None:
        return None
    if (
        not isinstance(again, bool)
        or not isinstance(wants_state, bool)
        or not (report is None or isinstance(report, dict))
    ):
        return None
    if _FINGERPRINT.fullmatch(fingerprint) is None or not _is_packed(state):
        return None
    return {
        "key": key,
        "report": cast(Report | None, report),
        "fingerprint": fingerprint,
        "state": state,
        "seconds": seconds,
        "reason": _inert(reason),
        "hint": _inert(hint),
        "again": again,
        "wants_state": wants_state,
    }


def _text(told: dict[str, object], name: str) -> str | None:
    text = told.get(name)
    return text if isinstance(text, str) else None


def _seconds(told: object) -> float | None:
    """Seconds from 0, as far as a clock could count them."""
    if isinstance(told, bool) or not isinstance(told, (int, float)) or not 0 <= told < 1e12:
        return None
    return float(told)


def _is_packed(state: str) -> bool:
    try:
        b64decode(state, validate=True)
    except ValueError:
        return False
    return True


def _inert(text: str) -> str:
    return without_values(printable(text[:_LONGEST]))
