"""What goes to a worker and comes back: plain data, the same in a pipe and over a network, without any value.

An address may hold a login of the user, which a worker must have; nothing else here is secret.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from binance_leaks.report.json import Report
from binance_leaks.report.sanitize import printable, without_values


class RepositoryTask(TypedDict):
    """A repository to scan, with what an earlier scan left; `state` is base64, empty if there is none.

    With `has_state` it is left out, and sent if the worker asks for it. `lent` are the real folders of objects that it
    borrows and that another repository of the fleet stands for.
    """

    key: str
    label: str
    address: str
    lent: list[str]
    fingerprint: str
    has_state: bool
    state: str


class Task(TypedDict):
    """What a worker is given.

    `holds_for` is what the coordinator's detector and settings come to: a worker of another version refuses. `config`
    is the text of the user's configuration file, if there is one. `keep` says that the next scan wants a state.
    `time_limit` is in seconds for each repository, `clone_limit` in bytes.
    """

    holds_for: str
    config: str | None
    exclude: list[str]
    reachable: bool
    keep: bool
    jobs: int
    time_limit: float
    clone_limit: int
    repositories: list[RepositoryTask]


class Done(TypedDict):
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


class Message(TypedDict, total=False):
    """What a runner says: how far it is, what became of a repository, or that it is ready for the next task."""

    step: Step
    done: Done
    ready: bool


class Reply(TypedDict):
    """What a worker made of a unit, and what it is called."""

    worker: str
    done: list[Done]


def nothing_wrong(key: str) -> Done:
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


def failure(key: str, reason: str, hint: str = "", *, again: bool, seconds: float = 0.0) -> Done:
    """A repository that could not be scanned. Names of strangers may stand in the reason: it is made inert here."""
    return {
        **nothing_wrong(key),
        "seconds": seconds,
        "reason": without_values(printable(reason)),
        "hint": without_values(printable(hint)),
        "again": again,
    }
