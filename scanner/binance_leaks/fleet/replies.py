"""What a worker replied, held to the shape in which one of this version replies: it may be of another, or lie.

What stands in a report is held to its shape where it is stored (`binance_leaks.fleet.store.rows`).
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Collection
from typing import cast

from binance_leaks.fleet.wire import Done
from binance_leaks.report.json import Report
from binance_leaks.report.sanitize import printable, without_values

_FINGERPRINT = re.compile(r"(?:[0-9a-f]{64})?")
_LONGEST = 1000


def worker_of(reply: object) -> str:
    """What the worker is called; empty if it does not tell."""
    name = reply.get("worker") if isinstance(reply, dict) else None
    return _inert(name) if isinstance(name, str) else ""


def done_of(reply: object, keys: Collection[str]) -> dict[str, Done]:
    """What became of the repositories with these keys. Left out is what has another shape: of it nothing is known."""
    told = reply.get("done") if isinstance(reply, dict) else None
    found: dict[str, Done] = {}
    for each in told if isinstance(told, list) else ():
        done = _done(each) if isinstance(each, dict) else None
        if done is not None and done["key"] in keys:
            found[done["key"]] = done
    return found


def _done(told: dict[str, object]) -> Done | None:
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
