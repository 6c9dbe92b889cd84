"""Turn replies into verdicts, by status and code.

Messages of a server are neither matched nor kept.

Source of the codes: Binance's error documents; what -1002, -2008, -2014 and -2015 mean for a key's life is reported by
users and maintainers of clients, which is why the notes say "probably".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

from binance_leaks.environments import Probe
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.verification import PERMISSION_TIERS, Cause, Permissions, Verdict
from binance_leaks.verify.http_types import NoReply, Reply

_MOST_OTHERS = 60
_RESTRICTED, _CREATED, _TRADING_ENDS = "ipRestrict", "createTime", "tradingAuthorityExpirationTime"
_NO_PERMISSIONS = frozenset({_RESTRICTED, _CREATED, _TRADING_ENDS})
_PERMISSION = lazy_pattern(r"(?:enable|permits?|can|allow)(?![a-z])")
"""What the name of a permission begins with; of any other name, only a boolean value counts."""
_TRUE = frozenset({"true", "yes", "on", "1"})
_LONGEST_NUMBER = 18
_OK = 200

_BY_CODE: Mapping[int, tuple[Verdict, Cause | None]] = MappingProxyType(
    {
        -1002: (Verdict.LIVE_NO_PERMISSION, None),
        -1022: (Verdict.KEY_LIVE_SECRET_WRONG, None),
        -2008: (Verdict.NOT_FOUND, None),
        -2014: (Verdict.MALFORMED, None),
        -2015: (Verdict.INCONCLUSIVE, Cause.ADDRESS),
        -1021: (Verdict.INCONCLUSIVE, Cause.CLOCK),
        -1003: (Verdict.INCONCLUSIVE, Cause.RATE),
        -1000: (Verdict.INCONCLUSIVE, Cause.SERVER),
        -1001: (Verdict.INCONCLUSIVE, Cause.SERVER),
        -1006: (Verdict.INCONCLUSIVE, Cause.SERVER),
        -1007: (Verdict.INCONCLUSIVE, Cause.SERVER),
        -1008: (Verdict.INCONCLUSIVE, Cause.SERVER),
        -1004: (Verdict.INCONCLUSIVE, Cause.BUSY),
        -2017: (Verdict.INCONCLUSIVE, Cause.LOCKED),
        # Not found, not authenticated or not authorized; a wrong account; two-factor or a login is missing.
        -1099: (Verdict.INCONCLUSIVE, Cause.REFUSED),
        -1109: (Verdict.INCONCLUSIVE, Cause.REFUSED),
        -3001: (Verdict.INCONCLUSIVE, Cause.REFUSED),
        -4004: (Verdict.INCONCLUSIVE, Cause.REFUSED),
    }
)
_BY_STATUS: Mapping[int, Cause] = MappingProxyType(
    {403: Cause.FIREWALL, 418: Cause.BANNED, 429: Cause.RATE, 451: Cause.LOCATION}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The outcome of one check; `detail` has more of the cause, as fixed texts and numbers."""

    verdict: Verdict
    cause: Cause | None = None
    permissions: Permissions | None = None
    detail: str = ""

    @property
    def lives(self) -> bool:
        """Whether the pair of key and secret was accepted."""
        return self.verdict in (Verdict.LIVE, Verdict.LIVE_NO_PERMISSION)


def inconclusive(cause: Cause, detail: str = "") -> Outcome:
    """Make an outcome that means nothing about the credential."""
    return Outcome(verdict=Verdict.INCONCLUSIVE, cause=cause, detail=detail)


def outcome_of(reply: Reply | NoReply, probe: Probe) -> Outcome:
    """Return the outcome that a reply to a probe gives.

    A page of a firewall, a limit, a ban, a refused location and a failure of the server never mean live or dead,
    with any content; nor does a success without the fields that Binance returns, as of a captive portal.
    """
    if isinstance(reply, NoReply):
        return inconclusive(Cause.NETWORK, reply.value)
    status = reply.status
    if status in _BY_STATUS:
        return inconclusive(_BY_STATUS[status], f"status {status}")
    if status >= 500 or status < 200:
        return inconclusive(Cause.SERVER, f"status {status}")
    if 300 <= status < 400:
        return inconclusive(Cause.REDIRECT, f"status {status}")
    fields = fields_of(reply.body)
    if status == _OK and fields.keys() & probe.fields and "code" not in fields:
        return Outcome(verdict=Verdict.LIVE, permissions=_permissions(fields) if probe.tells_permissions else None)
    code = fields.get("code")
    if not isinstance(code, int) or isinstance(code, bool):
        return inconclusive(Cause.ANSWER, f"status {status}, and not an answer of Binance")
    if code not in _BY_CODE:
        return inconclusive(Cause.ANSWER, f"status {status}, code {code}")
    verdict, cause = _BY_CODE[code]
    return Outcome(verdict=verdict, cause=cause, detail=f"code {code}")


def server_time(reply: Reply | NoReply) -> int | None:
    """Return the time of a host, in milliseconds since 1970, None if there is none."""
    if isinstance(reply, NoReply) or reply.status != _OK:
        return None
    return milliseconds_of(fields_of(reply.body).get("serverTime"))


def fields_of(body: bytes) -> Mapping[str, object]:
    """Return the fields of a JSON object, empty for anything else.

    Anything else is also damaged or too deep JSON, or one with huge numbers. Of a field that is there more than once
    the more dangerous value counts.
    """
    try:
        parsed: object = json.loads(body, parse_int=_number, object_pairs_hook=_most_dangerous)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _number(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else None


def _most_dangerous(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for name, value in pairs:
        fields[name] = _worse(name, fields[name], value) if name in fields else value
    return fields


def _worse(name: str, one: object, other: object) -> object:
    """Return the more dangerous of two values of a field. Two different codes are no answer at all."""
    if name == "code":
        return one if one == other else None
    if name == _RESTRICTED:
        return one if one is False else other
    if name in _NO_PERMISSIONS:
        moments = [milliseconds_of(one), milliseconds_of(other)]
        return max((moment for moment in moments if moment is not None), default=None) if all(moments) else None
    return one if _is_granted(name, one) else other


def _permissions(fields: Mapping[str, object]) -> Permissions:
    """Return the fields that are permissions, whatever their spelling. A few hundred unknown ones become a number."""
    names = [name for name in fields if name not in _NO_PERMISSIONS]
    granted = [name for name in names if _is_granted(name, fields[name])]
    denied = [name for name in names if name not in granted and _is_denied(name, fields[name])]
    others = [name for name in granted if name not in PERMISSION_TIERS]
    if len(others) > _MOST_OTHERS:
        kept = {*others[:_MOST_OTHERS], *PERMISSION_TIERS}
        granted = [*(name for name in granted if name in kept), f"and_{len(others) - _MOST_OTHERS}_more"]
    known = [name for name in denied if name in PERMISSION_TIERS]
    restricted = fields.get(_RESTRICTED)
    return Permissions(
        granted=tuple(granted),
        denied=(*known, *[name for name in denied if name not in PERMISSION_TIERS][:_MOST_OTHERS]),
        ip_restricted=restricted if isinstance(restricted, bool) else None,
        created=milliseconds_of(fields.get(_CREATED)),
        trading_ends=milliseconds_of(fields.get(_TRADING_ENDS)),
    ).nameable()


def _is_granted(name: str, value: object) -> bool:
    """Whether a permission is granted: to be safe, a name that sounds like one is, unless it is false or null."""
    if name in PERMISSION_TIERS or _PERMISSION.match(name):
        return value not in (False, None)
    return str(value).lower() in _TRUE


def _is_denied(name: str, value: object) -> bool:
    return value is False or name in PERMISSION_TIERS or _PERMISSION.match(name) is not None


def milliseconds_of(value: object) -> int | None:
    """Return a moment between 1973 and 2286 in milliseconds since 1970, None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and 10**11 <= value < 10**13:
        return value
    return None
