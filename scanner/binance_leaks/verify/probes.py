"""Which host and path is asked for which environment: the fixed list of hosts, and the least intrusive request on each.

`GET /sapi/v1/account/apiRestrictions` tells what the key may do and nothing about the account. Only the live exchange
has it; elsewhere the account itself must be asked. What that answers of rights is the account's, not the key's, so it
is used for liveness alone and dropped, as it may hold balances. No endpoint that changes anything is ever called.

Weights and limits a minute are documented for `/sapi` and spot; those of futures and of Binance.US are assumed low.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from binance_leaks.model import Environment

LIMIT_SAPI = 12_000
LIMIT_SPOT = 6_000
LIMIT_FUTURES = 2_400
LIMIT_US = 1_200


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """One request that tells whether a credential lives, on one host.

    `limit` is the weight that the host allows an address in a minute. An answer is believed only if it has one of the
    fields `marks`. `tells_permissions` says that the answer is about the key.
    """

    environment: Environment
    host: str
    path: str
    parameters: tuple[tuple[str, str], ...] = ()
    weight: int
    limit: int
    time_path: str
    marks: frozenset[str]
    tells_permissions: bool = False


_RESTRICTIONS = Probe(
    environment=Environment.MAINNET,
    host="api.binance.com",
    path="/sapi/v1/account/apiRestrictions",
    weight=1,
    limit=LIMIT_SAPI,
    time_path="/api/v3/time",
    marks=frozenset({"ipRestrict", "createTime", "enableReading"}),
    tells_permissions=True,
)


def _account(environment: Environment, host: str, limit: int) -> Probe:
    return Probe(
        environment=environment,
        host=host,
        path="/api/v3/account",
        parameters=(("omitZeroBalances", "true"),),
        weight=20,
        limit=limit,
        time_path="/api/v3/time",
        marks=frozenset({"canTrade", "accountType", "balances"}),
    )


_TESTNET = _account(Environment.TESTNET, "testnet.binance.vision", LIMIT_SPOT)
_DEMO = _account(Environment.DEMO, "demo-api.binance.com", LIMIT_SPOT)
_US = _account(Environment.US, "api.binance.us", LIMIT_US)
_FUTURES_TESTNET = Probe(
    environment=Environment.FUTURES_TESTNET,
    host="testnet.binancefuture.com",
    path="/fapi/v1/accountConfig",
    weight=5,
    limit=LIMIT_FUTURES,
    time_path="/fapi/v1/time",
    marks=frozenset({"canTrade", "feeTier", "dualSidePosition"}),
)

_PROBES: Mapping[Environment, tuple[Probe, ...]] = MappingProxyType(
    {
        Environment.MAINNET: (_RESTRICTIONS,),
        Environment.US: (_US,),
        # A key of the live exchange can stand beside the name of a test system: unknown there, it may live here.
        Environment.TESTNET: (_TESTNET, _RESTRICTIONS),
        Environment.DEMO: (_DEMO, _RESTRICTIONS),
        Environment.FUTURES_TESTNET: (_FUTURES_TESTNET, _RESTRICTIONS),
        # Not Binance.US: another company, which refuses most places, and a refusal ends the run.
        Environment.UNKNOWN: (_RESTRICTIONS, _TESTNET, _DEMO),
        Environment.TR: (),
        Environment.PAY: (),
    }
)

HOSTS = frozenset(probe.host for probes in _PROBES.values() for probe in probes)
"""The only hosts that are ever asked."""

_HEX = frozenset(b"0123456789abcdef")


def probes_for(environment: Environment, api_key: bytes) -> tuple[Probe, ...]:
    """What to ask about a key of this environment, in order; the later ones only if it is unknown to the earlier.

    Empty where nothing is known about asking. A key of lower-case hex can be of the futures testnet only.
    """
    probes = _PROBES[environment]
    if set(api_key) <= _HEX and environment in (Environment.FUTURES_TESTNET, Environment.UNKNOWN):
        return (_FUTURES_TESTNET,)
    return probes
