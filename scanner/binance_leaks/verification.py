"""Verdicts, permissions and tiers: what Binance answered, and what a key can do.

Nothing of an answer is kept but permissions and two dates. What users report or what is only believed of Binance's
answers is worded so (`note`): "probably", "not known from here".
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Environment, Ordered


class Verdict(Enum):
    """What is known of a credential after the check, or why it was not checked."""

    LIVE = "live"
    LIVE_NO_PERMISSION = "live-no-permission"
    KEY_LIVE_SECRET_WRONG = "key-live-secret-wrong"
    NOT_FOUND = "not-found"
    MALFORMED = "malformed"
    INCONCLUSIVE = "inconclusive"
    NOT_VERIFIABLE = "not-verifiable"
    NOT_ASKED = "not-asked"


class Cause(Enum):
    """Why a verdict is inconclusive, not verifiable or not asked.

    Inconclusive: `address` (refused for the address, a permission, the environment or a ban: Binance does not report
    which), `locked` (the API keys of the account are), `refused` (for a reason that the answer leaves open),
    `location`, `firewall`, `banned`, `rate`, `clock`, `network`, `server`, `busy`, `redirect`, `answer` (not one of
    Binance's), `stopped` (an earlier answer or an interrupt ended the run). Not verifiable: `environment` (there is no
    safe probe), `library` (one is missing), `unusable` (the key cannot be sent). Not asked: `incomplete` (a half that
    is never sent alone), `example` (documented), `budget` (a limit of this run).

    With `key-live-secret-wrong` it is why the right secret may be there all the same: `encrypted` (a private key that
    was found needs a passphrase), or a secret could not be tried (`unusable`, `library`, or a cause of no answer).
    """

    ADDRESS = "address"
    LOCKED = "locked"
    REFUSED = "refused"
    LOCATION = "location"
    FIREWALL = "firewall"
    BANNED = "banned"
    RATE = "rate"
    CLOCK = "clock"
    NETWORK = "network"
    SERVER = "server"
    BUSY = "busy"
    REDIRECT = "redirect"
    ANSWER = "answer"
    STOPPED = "stopped"
    ENVIRONMENT = "environment"
    LIBRARY = "library"
    UNUSABLE = "unusable"
    INCOMPLETE = "incomplete"
    EXAMPLE = "example"
    BUDGET = "budget"
    ENCRYPTED = "encrypted"


class Tier(Ordered):
    """The most that a key can do, the least harm first."""

    READ = "read"
    TRADE = "trade"
    TRANSFER = "transfer"
    WITHDRAW = "withdraw"


PERMISSION_TIERS: Mapping[str, Tier] = MappingProxyType(
    {
        "enableReading": Tier.READ,
        "enableFixReadOnly": Tier.READ,
        "enableSpotAndMarginTrading": Tier.TRADE,
        "enableMargin": Tier.TRADE,
        "enableFutures": Tier.TRADE,
        "enableVanillaOptions": Tier.TRADE,
        "enablePortfolioMarginTrading": Tier.TRADE,
        "enableFixApiTrade": Tier.TRADE,
        "enableInternalTransfer": Tier.TRANSFER,
        "permitsUniversalTransfer": Tier.TRANSFER,
        "enableWithdrawals": Tier.WITHDRAW,
    }
)
"""The permissions that Binance documents (`GET /sapi/v1/account/apiRestrictions`), each with what it allows."""

_LAPSING = frozenset({"enableSpotAndMarginTrading"})
_MOMENT = lazy_pattern(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?")
_UNSAFE = lazy_pattern(r"[^A-Za-z0-9_.-]")
_LONG_RUN = lazy_pattern(r"[A-Za-z0-9]{24,}")
_LONGEST_NAME, _LONGEST_RANDOM = 48, 10
_SHORTENED = "..."


def safe_name(name: str) -> str:
    """Make the name of a permission safe to show, whatever its spelling: a server wrote it.

    Unsafe characters are replaced, and a long name is shortened, more so if it could hold a part of a key.
    """
    safe = _UNSAFE.sub("_", name) or "_"
    longest = _LONGEST_RANDOM if any(map(_looks_random, _LONG_RUN.findall(safe))) else _LONGEST_NAME
    return safe if len(safe) <= longest else safe[: longest - len(_SHORTENED)] + _SHORTENED


def _looks_random(run: str) -> bool:
    digits = sum(char.isdigit() for char in run)
    return digits > 2 or digits + sum(char.isupper() for char in run) > 0.45 * len(run)


@dataclass(frozen=True, kw_only=True, slots=True)
class Permissions:
    """The permissions of a key, by Binance's names: `granted` and `denied`, sorted.

    `ip_restricted` is True if it is restricted to trusted addresses. Dates are milliseconds since 1970: `created`, and
    `trading_ends`, after which spot and margin trading is over. None where the answer did not contain them.
    """

    granted: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    ip_restricted: bool | None = None
    created: int | None = None
    trading_ends: int | None = None

    @property
    def known(self) -> bool:
        """Whether any permission is known. An answer may hold only dates and the restriction to addresses."""
        return bool(self.granted or self.denied)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Granted permissions that this version does not know."""
        return tuple(name for name in self.granted if name not in PERMISSION_TIERS)

    @property
    def tier(self) -> Tier | None:
        """The highest tier of what is granted.

        An unknown permission counts as trading at least. None without any.
        """
        return max((PERMISSION_TIERS.get(name, Tier.TRADE) for name in self.granted), default=None)

    @property
    def can_do_nothing(self) -> bool:
        """Whether nothing is granted, and of each tier something is denied: what is not mentioned may be granted."""
        return not self.granted and {PERMISSION_TIERS.get(name) for name in self.denied}.issuperset(Tier)

    def without(self, lapsed: frozenset[str]) -> Permissions:
        """Count these permissions as denied."""
        granted = tuple(name for name in self.granted if name not in lapsed)
        denied = tuple(sorted({*self.denied, *self.granted} - set(granted)))
        return replace(self, granted=granted, denied=denied)

    def nameable(self) -> Permissions:
        """Make the names safe to show; of two that become one, the granted one counts."""
        granted, denied = ({safe_name(name) for name in names} for names in (self.granted, self.denied))
        return replace(self, granted=tuple(sorted(granted)), denied=tuple(sorted(denied - granted)))

    def fields(self) -> dict[str, bool | int]:
        """All of it as plain data, by Binance's names."""
        fields: dict[str, bool | int] = {name: name in self.granted for name in sorted((*self.granted, *self.denied))}
        if self.created is not None:
            fields["createTime"] = self.created
        if self.trading_ends is not None:
            fields["tradingAuthorityExpirationTime"] = self.trading_ends
        return fields


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """The result of checking one credential."""

    verdict: Verdict
    cause: Cause | None = None
    permissions: Permissions | None = None
    """None where the host does not return a key's permissions: then an active key may be able to do anything."""
    environment: Environment | None = None
    """The system that knows the key; `UNKNOWN` where none does and the surroundings named one that may be wrong."""
    host: str | None = None
    """The host that answered."""
    checked_at: str | None = None
    """When it answered: ISO 8601, UTC."""
    elsewhere: tuple[Environment, ...] | None = None
    """Systems that may know the key, where those that were asked do not: not asked, or without a clear answer.

    None where that was not determined: then any system may.
    """
    note: str = ""
    """One or more plain sentences. They contain nothing that a server wrote."""
    key: str | None = None
    """SHA-256 of the key for which the verdict holds."""
    secret: str | None = None
    """SHA-256 of the secret that signs for it: the right one of several."""
    swapped: bool = False
    """Whether key and secret were written the wrong way round. `key` and `secret` are the right way."""

    @property
    def is_gone(self) -> bool:
        """Whether every system that the key could belong to answered that it does not know it."""
        return self.verdict in (Verdict.NOT_FOUND, Verdict.MALFORMED) and self.elsewhere == ()

    @property
    def permissions_in_force(self) -> Permissions | None:
        """The permissions that had not lapsed when Binance answered, None if none is known."""
        if self.permissions is None or not self.permissions.known:
            return None
        return self.permissions.without(_LAPSING) if self.trading_has_ended else self.permissions

    @property
    def trading_has_ended(self) -> bool:
        """Whether a right to trade spot and margin had lapsed when Binance answered."""
        ends = self.permissions.trading_ends if self.permissions is not None else None
        moment = _MOMENT.match(self.checked_at or "")
        if self.permissions is None or ends is None or moment is None:
            return False
        from calendar import timegm  # start-up: few findings are verified

        try:
            checked = timegm(tuple(int(part or 0) for part in moment.groups()))
        except ValueError:
            return False
        return ends <= checked * 1000 and not _LAPSING.isdisjoint(self.permissions.granted)

    @property
    def tier(self) -> Tier | None:
        """The most that the key can do now, None if that is not known."""
        permissions = self.permissions_in_force
        return permissions.tier if permissions is not None else None

    @property
    def ip_restricted(self) -> bool | None:
        """Whether the key works only from trusted addresses, None if that is not known."""
        return self.permissions.ip_restricted if self.permissions is not None else None
