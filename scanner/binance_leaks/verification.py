"""Verdicts, permissions and tiers: what Binance answered, and what a key can do.

Nothing of an answer is kept but permissions and two dates. What users report or what is only believed of Binance's
answers is worded so (`note`): "probably", "not known from here".
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from binance_leaks.lazy_dataclasses import dataclass
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
    which), `location`, `firewall`, `banned`, `rate`, `clock`, `network`, `server`, `redirect`, `answer` (not one of
    Binance's), `stopped` (an earlier answer ended the run). Not verifiable: `environment` (there is no safe probe),
    `library` (one is missing), `unusable` (the key cannot be sent). Not asked: `incomplete` (a half that is never sent
    alone), `example` (documented), `budget` (a limit of this run).
    """

    ADDRESS = "address"
    LOCATION = "location"
    FIREWALL = "firewall"
    BANNED = "banned"
    RATE = "rate"
    CLOCK = "clock"
    NETWORK = "network"
    SERVER = "server"
    REDIRECT = "redirect"
    ANSWER = "answer"
    STOPPED = "stopped"
    ENVIRONMENT = "environment"
    LIBRARY = "library"
    UNUSABLE = "unusable"
    INCOMPLETE = "incomplete"
    EXAMPLE = "example"
    BUDGET = "budget"


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
    def unknown(self) -> tuple[str, ...]:
        """Granted permissions that this version does not know."""
        return tuple(name for name in self.granted if name not in PERMISSION_TIERS)

    @property
    def tier(self) -> Tier | None:
        """The highest tier of what is granted.

        An unknown permission counts as trading at least. None without any.
        """
        return max((PERMISSION_TIERS.get(name, Tier.TRADE) for name in self.granted), default=None)

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
    """The system that knows the key."""
    host: str | None = None
    """The host that answered."""
    checked_at: str | None = None
    """When it answered: ISO 8601, UTC."""
    note: str = ""
    """One or more plain sentences. They contain nothing that a server wrote."""
    key: str | None = None
    """SHA-256 of the key for which the verdict holds."""
    secret: str | None = None
    """SHA-256 of the secret that signs for it: the right one of several."""
    swapped: bool = False
    """Whether key and secret were written the wrong way round. `key` and `secret` are the right way."""

    @property
    def tier(self) -> Tier | None:
        """The most that the key can do, None if that is not known."""
        return self.permissions.tier if self.permissions is not None else None

    @property
    def ip_restricted(self) -> bool | None:
        """Whether the key works only from trusted addresses, None if that is not known."""
        return self.permissions.ip_restricted if self.permissions is not None else None
