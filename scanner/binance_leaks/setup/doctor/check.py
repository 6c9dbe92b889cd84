"""One thing that was looked at, and what to do about it."""

from __future__ import annotations

from enum import Enum

from binance_leaks.lazy_dataclasses import dataclass


class State(Enum):
    """What a check means for a commit that is made here."""

    OK = "ok"
    NOTE = "note"
    """An optional part that is not used."""
    WARNING = "warning"
    """A commit is checked, though perhaps not as meant."""
    FAILURE = "failure"
    """Something that should be checked is not."""
    UNKNOWN = "unknown"
    """It could not be found out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """The outcome of one check."""

    name: str
    state: State
    found: str
    remedy: str = ""
    """What to do, empty where there is nothing to do."""
