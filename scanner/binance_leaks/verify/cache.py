"""Verdicts of earlier runs in a file: digests, verdicts, permissions and dates.

A digest covers key, secret and host, computed from the values themselves: the digests in reports are not enough to make
an entry. Only definite verdicts are kept, those of active keys for a shorter time, so that a revocation is noticed.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from binance_leaks.errors import ScanError, UsageError
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.reading import kind_of
from binance_leaks.verification import Permissions, Verdict
from binance_leaks.verify.responses import Outcome, milliseconds_of
from binance_leaks.writing import replace_file

_SCHEMA = "binance-leaks-verified/2"
_LARGEST = 16 << 20
_LATEST = 10**10
"""Seconds since 1970, in the year 2286."""
_MOST_ENTRIES = 50_000
_HOUR = 3600.0
_SKEW = 300.0
_DEFINITE = frozenset(
    {
        Verdict.LIVE,
        Verdict.LIVE_NO_PERMISSION,
        Verdict.KEY_LIVE_SECRET_WRONG,
        Verdict.NOT_FOUND,
        Verdict.MALFORMED,
    }
)
_DEAD = frozenset({Verdict.NOT_FOUND, Verdict.MALFORMED})


@dataclass(frozen=True, kw_only=True, slots=True)
class DatedOutcome:
    """An outcome and its time, in seconds since 1970."""

    outcome: Outcome
    at: float


class Cache(Protocol):
    """A store of outcomes by the digest of their attempt; used by several threads."""

    def get(self, digest: str, now: float) -> DatedOutcome | None:
        """Return the stored outcome if it is not too old."""
        ...

    def put(self, digest: str, dated: DatedOutcome) -> None:
        """Store an outcome, if it is definite."""
        ...


class NoCache:
    """A cache that stores nothing."""

    def get(self, digest: str, now: float) -> DatedOutcome | None:  # noqa: ARG002 - the protocol's
        """Nothing."""
        return None

    def put(self, digest: str, dated: DatedOutcome) -> None:
        """Nothing."""


class CacheFile:
    """A cache that is read from a file when it is made, and written by `save`.

    `live_for` and `dead_for` are the seconds for which verdicts are valid. A damaged or missing file counts as empty.
    Raises UsageError for a file that another user could have made or changed, as its content would be believed: a link,
    no plain file, another owner, one that others may write.
    """

    def __init__(self, file: Path, *, live_for: float = _HOUR, dead_for: float = 24 * _HOUR) -> None:
        self._file = file
        self._live_for = live_for
        self._dead_for = dead_for
        self._lock = threading.Lock()
        self._entries = _entries(_read(file))

    def get(self, digest: str, now: float) -> DatedOutcome | None:
        """Return the stored outcome if it is not too old, and not from the future."""
        with self._lock:
            dated = self._entries.get(digest)
        return dated if dated is not None and self._is_fresh(dated, now) else None

    def put(self, digest: str, dated: DatedOutcome) -> None:
        """Store a definite outcome."""
        if dated.outcome.verdict in _DEFINITE:
            with self._lock:
                self._entries[digest] = dated

    def save(self, now: float) -> None:
        """Write what is still fresh, with mode 0600, completely or not at all.

        Raises ScanError where that fails.
        """
        with self._lock:
            held = [(digest, dated) for digest, dated in self._entries.items() if self._is_fresh(dated, now)]
        newest = sorted(held, key=lambda entry: -entry[1].at)[:_MOST_ENTRIES]
        content = {"schema": _SCHEMA, "entries": {digest: _entry_of(dated) for digest, dated in sorted(newest)}}
        _refuse_untrusted_file(self._file)
        try:
            replace_file(self._file, json.dumps(content, indent=1).encode("ascii"), private=True)
        except OSError as error:
            raise ScanError(f"cache {self._file} cannot be written: {error.strerror}") from None

    def _is_fresh(self, dated: DatedOutcome, now: float) -> bool:
        allowed = self._dead_for if dated.outcome.verdict in _DEAD else self._live_for
        return -_SKEW <= now - dated.at < allowed


def _read(file: Path) -> bytes:
    if not file.parent.is_dir():
        raise UsageError(f"{file} cannot be written: there is no folder {file.parent}")
    _refuse_untrusted_file(file)
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as stream:
            _refuse_untrusted(file, os.fstat(stream.fileno()))
            return stream.read(_LARGEST + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise UsageError(f"cache {file} cannot be read: {error.strerror}", hint="Name another file.") from None


def _refuse_untrusted_file(file: Path) -> None:
    try:
        _refuse_untrusted(file, file.lstat())
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"cache {file} cannot be read: {error.strerror}", hint="Name another file.") from None


def _refuse_untrusted(file: Path, status: os.stat_result) -> None:
    strange = None
    if not stat.S_ISREG(status.st_mode):
        strange = f"is {kind_of(status.st_mode)}"
    elif sys.platform != "win32" and status.st_uid != os.geteuid():
        strange = "belongs to another user"
    elif sys.platform != "win32" and status.st_mode & 0o022:
        strange = "can be changed by other users"
    if strange:
        raise UsageError(f"cache {file} {strange}, so it is not believed", hint="Delete it, or name another file.")


def _entries(content: bytes) -> dict[str, DatedOutcome]:
    if len(content) > _LARGEST:
        return {}
    try:
        parsed: object = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(parsed, dict) or parsed.get("schema") != _SCHEMA or not isinstance(parsed.get("entries"), dict):
        return {}
    read = {str(digest): _dated(entry) for digest, entry in parsed["entries"].items()}
    return {digest: dated for digest, dated in read.items() if dated is not None}


def _entry_of(dated: DatedOutcome) -> Mapping[str, object]:
    outcome, permissions = dated.outcome, dated.outcome.permissions
    return {
        "at": round(dated.at, 3),
        "verdict": outcome.verdict.value,
        "detail": outcome.detail,
        "permissions": None
        if permissions is None
        else {
            "granted": permissions.granted,
            "denied": permissions.denied,
            "ip_restricted": permissions.ip_restricted,
            "created": permissions.created,
            "trading_ends": permissions.trading_ends,
        },
    }


def _dated(entry: object) -> DatedOutcome | None:
    """An entry as it was written, None for anything else."""
    match entry:
        case {"at": int() | float() as at, "verdict": str(verdict), "detail": str(detail), "permissions": permissions}:
            pass
        case _:
            return None
    known = next((each for each in _DEFINITE if each.value == verdict), None)
    if known is None or (permissions is not None and _permissions(permissions) is None) or not 0 <= at < _LATEST:
        return None
    return DatedOutcome(
        outcome=Outcome(verdict=known, permissions=_permissions(permissions), detail=detail), at=float(at)
    )


def _permissions(entry: object) -> Permissions | None:
    match entry:
        case {
            "granted": list(granted),
            "denied": list(denied),
            "ip_restricted": bool() | None as restricted,
            "created": int() | None as created,
            "trading_ends": int() | None as ends,
        } if all(isinstance(name, str) for name in (*granted, *denied)) and all(
            moment is None or milliseconds_of(moment) is not None for moment in (created, ends)
        ):
            return Permissions(
                granted=tuple(granted),
                denied=tuple(denied),
                ip_restricted=restricted,
                created=created,
                trading_ends=ends,
            )
        case _:
            return None
