"""The words of verification: what Binance answered about a credential, and what it may do.

Nothing of an answer is kept but permissions and two dates. What users report or what is only believed of Binance's
answers is worded so (`note`): "probably", "cannot tell from here".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from binance_leaks.model import Environment, Ordered


class Verdict(Enum):
    """What is known of a credential after asking, or why it was not asked."""

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

    Of inconclusive ones: `address` (refused for the address, a permission, the environment or a ban: Binance does not
    say which), `location`, `firewall`, `banned`, `rate`, `clock`, `network`, `server`, `redirect`, `answer` (not one of
    Binance's), `stopped` (an earlier answer forbade to go on). Of the others: `environment` and `library`, for which
    nothing can be asked, `unusable` (a key that nobody can use as it is), `incomplete` (a half that is never sent
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
    """What a key may do at most, the least harm first."""

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
    """What a key may do, by the names that Binance gives it: `granted` and `denied`, each sorted.

    `ip_restricted` says that it is bound to trusted addresses. Dates are milliseconds since 1970: `created`, and
    `trading_ends`, after which spot and margin trading is over. None where the answer did not say.
    """

    granted: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    ip_restricted: bool | None = None
    created: int | None = None
    trading_ends: int | None = None

    @property
    def unknown(self) -> tuple[str, ...]:
        """Granted permissions of which nothing is known here."""
        return tuple(name for name in self.granted if name not in PERMISSION_TIERS)

    @property
    def tier(self) -> Tier | None:
        """The highest tier of what is granted; an unknown permission counts as trading at least. None without any."""
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
    """What is known of one credential.

    `host` answered, as the system `environment`, at `checked_at` (ISO 8601, UTC). `permissions` are None where the host
    does not tell a key's: then a live key may be able to do anything. `key` and `secret` are the SHA-256 digests of the
    values for which the verdict holds: of several candidates the right one, and of a pair that was noted down the wrong
    way round (`swapped`) the right way. `note` is one or more plain sentences and holds nothing that a server wrote.
    """

    verdict: Verdict
    cause: Cause | None = None
    permissions: Permissions | None = None
    environment: Environment | None = None
    host: str | None = None
    checked_at: str | None = None
    note: str = ""
    key: str | None = None
    secret: str | None = None
    swapped: bool = False

    @property
    def tier(self) -> Tier | None:
        """What the key may do at most, None where nobody said."""
        return self.permissions.tier if self.permissions is not None else None

    @property
    def ip_restricted(self) -> bool | None:
        """Whether the key works from trusted addresses only, None where nobody said."""
        return self.permissions.ip_restricted if self.permissions is not None else None
