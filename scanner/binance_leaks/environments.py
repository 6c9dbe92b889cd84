"""The table of environments: all that differs between Binance systems.

To add an environment, add a member to `Environment` and its row to `_TABLE`. Detection, verification, risk, reports,
configuration and the command line read them here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType

from binance_leaks.lazy_dataclasses import dataclass


class Environment(Enum):
    """The Binance system that a credential belongs to.

    The members are in order of caution: where several are named, the first of them is assumed.
    """

    __hash__ = object.__hash__  # members are singletons; that of Enum is slower

    MAINNET = "mainnet"
    US = "us"
    TR = "tr"
    TH = "th"
    PAY = "pay"
    WEB3 = "web3"
    DEMO = "demo"
    TESTNET = "testnet"
    FUTURES_TESTNET = "futures-testnet"
    UNKNOWN = "unknown"

    @property
    def facts(self) -> EnvironmentFacts:
        """The row of this environment."""
        return _TABLE[self]


@dataclass(frozen=True, kw_only=True, slots=True)
class Hint:
    """Text that names an environment."""

    starts: str
    """The strings that a match can begin with, separated by blanks: each is searched for, the pattern tried there."""
    pattern: str
    """A regular expression (`re.VERBOSE`) for text in lower case."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """One signed GET that shows whether a credential is active, on one host.

    It changes nothing there.
    """

    environment: Environment
    """The system that answers."""
    host: str
    path: str
    parameters: tuple[tuple[str, str], ...] = ()
    weight: int
    """What the request counts for, against the limit."""
    limit: int
    """The weight that the host allows one address per minute."""
    time_path: str
    """Where the host's clock is read."""
    fields: frozenset[str]
    """An answer is believed only if it has one of these fields."""
    tells_permissions: bool = False
    """Whether the answer is about the key. Elsewhere it is about the account."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentFacts:
    """One row of the table."""

    title: str
    """Its name in reports."""
    play_money: bool
    """Whether it is a test system, where nothing real can be lost."""
    stakes: str
    """A sentence for the reasons of a risk."""
    stated: Hint | None
    """Hosts and settings that name it, in the block around a value or anywhere in its file."""
    named: Hint | None
    """Terms that name it near a value, or in a path."""
    name_words: frozenset[str] = frozenset()
    """Parts of a value's own name that name it."""
    can_be_off: bool = False
    """Whether a setting of its name can be false, which then means the main exchange (`testnet = false`)."""
    alphabet: str | None = None
    """The alphabet that only its keys have (the value of a `detect.candidates.Shape`)."""
    probes: tuple[Probe, ...] = ()
    """Its own requests, in order."""
    also_probed: tuple[Environment, ...] = ()
    """The environments whose hosts are probed next if the key is unknown to the earlier ones."""
    unverifiable: str = ""
    """Why there is no probe; empty if there is one."""
    key_page: str | None = None
    """Where its owner revokes a key; None where that is the site that issued it."""


KEY_PAGE = "https://www.binance.com/en/my/settings/api-management"
"""Where a key of the live exchange is changed or deleted."""

_LIMIT_SAPI = 12_000
_LIMIT_SPOT = 6_000
# Not documented: assumed low.
_LIMIT_FUTURES = 2_400
_LIMIT_US = 1_200
_NO_PROBE = "no safe way to check this system is known to this tool"
_SET = r"""["'\])\s]{0,9}(?::\s?(?:bool|boolean|str|string)\s?)?(?:[:=]|=>|:=|\(){1,3}\s{0,9}["']?"""
"""What is between a setting and what it is set to."""
_ON = rf"{_SET}(?:true|1|yes|on)\b"


def _chosen(names: str) -> str:
    """An expression for a setting that chooses a system by its name: `BINANCE_API_ENV=testnet`."""
    return rf"(?:env(?:ironment)?|network|net|mode|sandbox)(?![a-z]){_SET}(?:{names})(?![a-z])"


def _chosen_for_binance(names: str) -> str:
    """The same where other programs have such settings too: only with Binance in the setting's name."""
    return rf"binance[\w.-]{{0,20}}?{_chosen(names)}"


def _account(
    environment: Environment,
    host: str,
    limit: int,
    *,
    weight: int = 20,
    parameters: tuple[tuple[str, str], ...] = (("omitZeroBalances", "true"),),
) -> Probe:
    """The account, where there is no endpoint for the rights of a key: only whether it answers is used."""
    return Probe(
        environment=environment,
        host=host,
        path="/api/v3/account",
        parameters=parameters,
        weight=weight,
        limit=limit,
        time_path="/api/v3/time",
        fields=frozenset({"canTrade", "accountType", "balances"}),
    )


_TABLE: Mapping[Environment, EnvironmentFacts] = MappingProxyType(
    {
        Environment.MAINNET: EnvironmentFacts(
            title="mainnet",
            play_money=False,
            stakes="It belongs to the live exchange.",
            stated=Hint(
                starts="api fapi dapi eapi papi stream fstream dstream nbstream ws- binance",
                # A host that contains another is another host: demo-api.binance.com is not api.binance.com.
                pattern=r"(?<![\w.-])(?:api\d?|fapi|dapi|eapi|papi|[fd]?stream|nbstream|api-gcp|ws-[fd]?api)"
                rf"\.binance\.com | {_chosen_for_binance('main(?:net)?|prod(?:uction)?|live|real')}",
            ),
            named=Hint(
                starts="main live prod real 正式 实盘",
                pattern=r"main[\s_-]?net | (?<![a-z])(?:live|prod|production|real)(?![a-z]) | 正式 | 实盘",
            ),
            probes=(
                # The rights of the key, and nothing about the account: the least intrusive request that exists.
                Probe(
                    environment=Environment.MAINNET,
                    host="api.binance.com",
                    path="/sapi/v1/account/apiRestrictions",
                    weight=1,
                    limit=_LIMIT_SAPI,
                    time_path="/api/v3/time",
                    fields=frozenset({"ipRestrict", "createTime", "enableReading"}),
                    tells_permissions=True,
                ),
            ),
            key_page=KEY_PAGE,
        ),
        Environment.US: EnvironmentFacts(
            title="Binance.US",
            play_money=False,
            stakes="It belongs to Binance.US, where money is real.",
            stated=Hint(
                starts="binance.us binanceus tld",
                pattern=r"binance\.us(?![a-z]) | binanceus(?![a-z]) | tld[\"')\s]*[:=]+\s*[\"']us[\"']",
            ),
            named=Hint(starts="binance", pattern=r"binance[\s_.-]?us(?![a-z])"),
            name_words=frozenset({"us"}),
            # Its documents have no `omitZeroBalances`, and an error for parameters that were not read.
            probes=(_account(Environment.US, "api.binance.us", _LIMIT_US, weight=10, parameters=()),),
        ),
        Environment.TR: EnvironmentFacts(
            title="Binance TR",
            play_money=False,
            stakes="It belongs to Binance TR, where money is real.",
            stated=Hint(
                starts="binance.tr trbinance tld",
                pattern=r"binance\.tr(?![a-z]) | trbinance | tld[\"')\s]*[:=]+\s*[\"']tr[\"']",
            ),
            named=Hint(starts="binance", pattern=r"binance[\s_.-]?tr(?![a-z])"),
            name_words=frozenset({"tr"}),
            unverifiable=_NO_PROBE,
        ),
        # A company of its own: the live exchange knows nothing of its keys.
        Environment.TH: EnvironmentFacts(
            title="Binance TH",
            play_money=False,
            stakes="It belongs to Binance TH, where money is real.",
            stated=Hint(
                starts="binance.th binanceth tld",
                pattern=r"binance\.th(?![a-z]) | binanceth(?![a-z]) | tld[\"')\s]{0,9}[:=]{1,2}\s{0,9}[\"']th[\"']",
            ),
            named=Hint(starts="binance", pattern=r"binance[\s_.-]?th(?![a-z])"),
            unverifiable=_NO_PROBE,
        ),
        Environment.PAY: EnvironmentFacts(
            title="Binance Pay",
            play_money=False,
            # Also the keys of Agent Pay: a private user's, which pay up to the limits that the user has set.
            stakes="It belongs to Binance Pay: a merchant's, or a user's that an agent pays with.",
            stated=Hint(starts="binance bpay", pattern=r"binance[\s._-]?(?:agent[\s._-]?)?pay | bpay\.binanceapi"),
            named=Hint(starts="payment", pattern=r"payment_?api_?(?:key|secret)"),  # of Agent Pay
            alphabet="base36",
            unverifiable=_NO_PROBE,
        ),
        # The form of its keys is not documented.
        Environment.WEB3: EnvironmentFacts(
            title="Binance Web3",
            play_money=False,
            stakes="It belongs to the Binance Web3 API.",
            stated=Hint(starts="web3.binance x-oc-", pattern=r"web3\.binance\.com | x-oc-(?:apikey|sign)"),
            named=Hint(starts="binance web3", pattern=r"binance[\s_.-]?web3 | web3[\s_.-]?binance"),
            unverifiable=_NO_PROBE,
        ),
        Environment.DEMO: EnvironmentFacts(
            title="demo trading",
            play_money=True,
            stakes="It belongs to demo trading, where no money is real.",
            stated=Hint(
                starts="demo env network mode binance",
                pattern=rf"demo-[a-z-]{{1,20}}\.binance\.com | demo\.binance\.com"
                rf" | demo(?:[\s_-]?(?:mode|trading|account|key|api)(?:{_SET}true)?|{_ON})"
                rf" | {_chosen('demo')} | {_chosen_for_binance('demo')}",
            ),
            named=Hint(starts="demo 模拟", pattern=r"(?<![a-z])demo(?![a-z]) | 模拟"),
            can_be_off=True,
            probes=(_account(Environment.DEMO, "demo-api.binance.com", _LIMIT_SPOT),),
            # A key of the live exchange can be next to the name of a test system: unknown there, it may be active here.
            also_probed=(Environment.MAINNET,),
        ),
        Environment.TESTNET: EnvironmentFacts(
            title="testnet",
            play_money=True,
            stakes="It belongs to the spot testnet, where no money is real.",
            stated=Hint(
                starts="test sandbox setsandbox set_sandbox spot binance env network mode",
                pattern=rf"testnet\.binance\.vision | (?:test[\s_-]?net|sandbox(?:_?mode)?|set_?sandbox_?mode){_ON}"
                rf" | (?:spot|binance)[\s_-]testnet | {_chosen('(?:spot[_-]?)?testnet')}"
                rf" | {_chosen_for_binance('test(?:net)?|sandbox|paper')}",
            ),
            named=Hint(
                starts="test sandbox binance paper",
                pattern=r"test[\s_.-]?net | (?<![a-z])sandbox(?![a-z]) | binance[\s_.-]?test(?![a-z])"
                r" | (?<![a-z])test(?=[\s_.-]?(?:api|key|secret|binance)) | (?<![a-z])paper(?![a-z])",
            ),
            name_words=frozenset({"test", "testnet"}),
            can_be_off=True,
            probes=(_account(Environment.TESTNET, "testnet.binance.vision", _LIMIT_SPOT),),
            also_probed=(Environment.MAINNET,),
        ),
        Environment.FUTURES_TESTNET: EnvironmentFacts(
            title="futures testnet",
            play_money=True,
            stakes="It belongs to the futures testnet, where no money is real.",
            stated=Hint(
                starts="testnet fstream.binancefuture dstream.binancefuture binancefuture future",
                pattern=r"(?:testnet\.|[fd]stream\.)?binancefuture\.com"
                r" | futures?[\s_-]testnet(?![a-z]) | testnet[\s_-]futures?(?![a-z])",
            ),
            named=Hint(
                starts="testnet future",
                pattern=r"testnet[\s_.-]?futures? | futures?[\s_.-]?test(?:net)?(?![a-z])",
            ),
            can_be_off=True,
            alphabet="hex",
            probes=(
                Probe(
                    environment=Environment.FUTURES_TESTNET,
                    host="testnet.binancefuture.com",
                    path="/fapi/v1/accountConfig",
                    weight=5,
                    limit=_LIMIT_FUTURES,
                    time_path="/fapi/v1/time",
                    fields=frozenset({"canTrade", "feeTier", "dualSidePosition"}),
                ),
            ),
            also_probed=(Environment.MAINNET,),
        ),
        Environment.UNKNOWN: EnvironmentFacts(
            title="environment unknown",
            play_money=False,
            stakes="No test system is named nearby: assumed to be of the live exchange.",
            stated=None,
            named=None,
            # Not Binance.US: another company, which refuses most places, and a refusal ends the run.
            also_probed=(Environment.MAINNET, Environment.TESTNET, Environment.DEMO),
            key_page=KEY_PAGE,
        ),
    }
)

HOSTS = frozenset(probe.host for facts in _TABLE.values() for probe in facts.probes)
"""The only hosts that are ever contacted."""

_HEX = frozenset(b"0123456789abcdef")


def probes_for(environment: Environment, api_key: bytes) -> tuple[Probe, ...]:
    """The probes for a key of this environment, in order.

    The later ones are for a key that the earlier ones do not know.

    Empty where none is known. A lower-case hex key can only belong to a system whose keys are hex.
    """
    systems = (environment, *environment.facts.also_probed)
    if environment is Environment.UNKNOWN or environment.facts.alphabet == "hex":
        hex_systems = tuple(system for system in Environment if system.facts.alphabet == "hex")
        systems = hex_systems if set(api_key) <= _HEX else systems
    return tuple(probe for system in systems for probe in system.facts.probes)


def most_prudent(environments: Iterable[Environment]) -> Environment:
    """The environment, of those given, in which most is at stake."""
    given = set(environments)
    return next(iter(given)) if len(given) == 1 else next(each for each in Environment if each in given)
