"""Accounts of the played exchange: keys of every type with what they may do."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from urllib.parse import unquote_plus

from binance_leaks.model import Role
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from tests.corpus import values

MAINNET = "api.binance.com"
TESTNET = "testnet.binance.vision"
DEMO = "demo-api.binance.com"
US = "api.binance.us"
FUTURES_TESTNET = "testnet.binancefuture.com"
DEMO_FUTURES = "demo-fapi.binance.com"
DEMO_COIN_FUTURES = "demo-dapi.binance.com"

READ = {"enableReading": True}
TRADE = {**READ, "enableSpotAndMarginTrading": True}
TRANSFER = {**TRADE, "permitsUniversalTransfer": True}
WITHDRAW = {**TRANSFER, "enableWithdrawals": True}

_ALL = (
    "enableReading",
    "enableSpotAndMarginTrading",
    "enableMargin",
    "enableFutures",
    "enableVanillaOptions",
    "enablePortfolioMarginTrading",
    "enableFixApiTrade",
    "enableFixReadOnly",
    "enableInternalTransfer",
    "permitsUniversalTransfer",
    "enableWithdrawals",
)
CREATED = 1_700_000_000_000


@dataclass(frozen=True, kw_only=True)
class Account:
    """A key of one host with its secret half, HMAC secret or private key, and what it may do.

    `addresses` are the only ones it works from; empty lets all in. `extra` joins the fields of an answer.
    """

    key: str
    secret: bytes = field(repr=False)
    role: Role = Role.SECRET_KEY
    host: str = MAINNET
    permissions: Mapping[str, bool] = field(default_factory=lambda: READ)
    addresses: tuple[str, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)

    def accepts(self, payload: bytes, signature: str) -> bool:
        """Whether a signature as it is in the URL is this account's.

        HMAC's is hex in any case; the others are base64, where a `+` that is not percent-encoded is a blank.
        """
        decoded = unquote_plus(signature)
        if self.role is not Role.PRIVATE_KEY:
            expected = hmac.new(self.secret, payload, sha256).hexdigest()
            return hmac.compare_digest(expected.encode(), decoded.lower().encode())
        try:
            raw = base64.b64decode(decoded, validate=True)
            match load_der_private_key(self.secret, None):
                case rsa.RSAPrivateKey() as key:
                    key.public_key().verify(raw, payload, padding.PKCS1v15(), hashes.SHA256())
                case ed25519.Ed25519PrivateKey() as other:
                    other.public_key().verify(raw, payload)
                case _:
                    return False
        except (ValueError, InvalidSignature):
            return False
        return True

    def restrictions(self) -> dict[str, object]:
        """The body of `GET /sapi/v1/account/apiRestrictions`."""
        return {
            "ipRestrict": bool(self.addresses),
            "createTime": CREATED,
            **{name: self.permissions.get(name, False) for name in _ALL},
            **{name: value for name, value in self.permissions.items() if name not in _ALL},
            **self.extra,
        }

    def account(self) -> dict[str, object]:
        """The body of `GET /api/v3/account`: rights of the account, which say nothing of the key, and balances."""
        return {
            "makerCommission": 15,
            "canTrade": True,
            "canWithdraw": True,
            "canDeposit": True,
            "accountType": "SPOT",
            "balances": [{"asset": "BTC", "free": "4723846.89208129", "locked": "0.00000000"}],
            "permissions": ["SPOT"],
            "uid": 354937868,
            **self.extra,
        }

    def futures(self) -> dict[str, object]:
        """The body of `GET /fapi/v1/accountConfig`."""
        return {
            "feeTier": 0,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": True,
            "dualSidePosition": True,
            "updateTime": 1724416653850,
            "multiAssetsMargin": False,
            "tradeGroupId": -1,
            **self.extra,
        }


def hmac_account(rng: Random, *, host: str = MAINNET, **more: object) -> Account:
    """A fresh account with a key and a secret, in hex on the futures testnet."""
    make = values.hex_value if host == FUTURES_TESTNET else values.hmac_value
    account = Account(key=make(rng), secret=make(rng).encode(), host=host)
    return _with(account, more)


def ed25519_account(rng: Random, **more: object) -> Account:
    """A fresh account whose secret half is an Ed25519 private key."""
    account = Account(key=values.hmac_value(rng), secret=values.ed25519_der(rng), role=Role.PRIVATE_KEY)
    return _with(account, more)


def rsa_account(rng: Random, **more: object) -> Account:
    """An account whose secret half is an RSA private key."""
    account = Account(key=values.hmac_value(rng), secret=values.rsa_der(), role=Role.PRIVATE_KEY)
    return _with(account, more)


def _with(account: Account, more: Mapping[str, object]) -> Account:
    return Account(**{**vars(account), **more})
