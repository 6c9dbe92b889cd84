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
    host: str | None = None
    """A regular expression for hosts that only its keys are for. One in code leaves no other system possible."""
    unverifiable: str = ""
    """Why there is no probe; empty if there is one."""
    key_page: str
    """Where its owner revokes a key: the page, or the site where no page is certain."""
    key_menu: str = ""
    """What to look for on that site; empty where `key_page` is the page itself."""

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that are asked about its keys."""
        return frozenset(probe.host for probe in self.probes)


KEY_PAGE = "https://www.binance.com/en/my/settings/api-management"
"""Where a key of the live exchange is changed or deleted."""

_LIMIT_SAPI = 12_000
_LIMIT_SPOT = 6_000
# Not documented: assumed low.
_LIMIT_FUTURES = 2_400
_LIMIT_US = 1_200
_OF_ITS_OWN = "a company of its own, for which no request is known that shows only whether a key is active"
_API_MANAGEMENT = "API management"
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


def _futures(environment: Environment, host: str, *, path: str = "/fapi/v1/accountConfig") -> Probe:
    """The futures account: without its balances, where there is such a request."""
    return Probe(
        environment=environment,
        host=host,
        path=path,
        weight=5,
        limit=_LIMIT_FUTURES,
        time_path=f"{path[:5]}/v1/time",
        fields=frozenset({"canTrade", "feeTier", "dualSidePosition"}),
    )


_MAINNET_HOST = (
    # A host that contains another is another host: demo-api.binance.com is not api.binance.com.
    r"(?<![\w.-])(?:api\d?|fapi|dapi|eapi|papi|[fd]?stream|nbstream|api-gcp|ws-[fd]?api)\.binance\.com"
)


_TABLE: Mapping[Environment, EnvironmentFacts] = MappingProxyType(
    {
        Environment.MAINNET: EnvironmentFacts(
            title="mainnet",
            play_money=False,
            stakes="It belongs to the live exchange.",
            stated=Hint(
                starts="api fapi dapi eapi papi stream fstream dstream nbstream ws- binance",
                pattern=rf"{_MAINNET_HOST} | {_chosen_for_binance('main(?:net)?|prod(?:uction)?|live|real')}",
            ),
            host=_MAINNET_HOST,
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
            host=r"(?<![\w.-])api\.binance\.us",
            key_page="https://www.binance.us/en/usercenter/settings/api-management",
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
            unverifiable=f"Binance TR is {_OF_ITS_OWN}",
            key_page="https://www.binance.tr/",
            key_menu=_API_MANAGEMENT,
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
            unverifiable=f"Binance TH is {_OF_ITS_OWN}",
            key_page="https://www.binance.th/",
            key_menu=_API_MANAGEMENT,
        ),
        Environment.PAY: EnvironmentFacts(
            title="Binance Pay",
            play_money=False,
            # Also the keys of Agent Pay: a private user's, which pay up to the limits that the user has set.
            stakes="It belongs to Binance Pay: a merchant's, or a user's that an agent pays with.",
            stated=Hint(starts="binance bpay", pattern=r"binance[\s._-]?(?:agent[\s._-]?)?pay | bpay\.binanceapi"),
            named=Hint(starts="payment", pattern=r"payment_?api_?(?:key|secret)"),  # of Agent Pay
            alphabet="base36",
            unverifiable="every request of Binance Pay shows orders or payments, of a merchant's key as of an agent's",
            key_page="https://merchant.binance.com/",
            key_menu="the developers' section; the key of an agent: Binance Pay in the settings of the account",
        ),
        # The form of its keys is not documented.
        Environment.WEB3: EnvironmentFacts(
            title="Binance Web3",
            play_money=False,
            stakes="It belongs to the Binance Web3 API.",
            stated=Hint(starts="web3.binance x-oc-", pattern=r"web3\.binance\.com | x-oc-(?:apikey|sign)"),
            named=Hint(starts="binance web3", pattern=r"binance[\s_.-]?web3 | web3[\s_.-]?binance"),
            unverifiable="the Binance Web3 API documents no request that shows only whether a key is active",
            key_page="https://web3.binance.com/",
            key_menu="the keys of the developer's account",
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
            probes=(
                _account(Environment.DEMO, "demo-api.binance.com", _LIMIT_SPOT),
                _futures(Environment.DEMO, "demo-fapi.binance.com"),
                _futures(Environment.DEMO, "demo-dapi.binance.com", path="/dapi/v1/account"),
            ),
            host=r"demo-[a-z-]{1,20}\.binance\.com",
            # A key of the live exchange can be next to the name of a test system: unknown there, it may be active here.
            # The futures testnet and the demo are growing together, and their names are used for each other.
            also_probed=(Environment.MAINNET, Environment.FUTURES_TESTNET),
            key_page="https://demo.binance.com/en/my/settings/api-management",
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
            host=r"testnet\.binance\.vision",
            also_probed=(Environment.MAINNET,),
            key_page="https://testnet.binance.vision/",
            key_menu="the list of your keys",
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
            probes=(_futures(Environment.FUTURES_TESTNET, "testnet.binancefuture.com"),),
            host=r"testnet\.binancefuture\.com",
            also_probed=(Environment.MAINNET, Environment.DEMO),
            key_page="https://testnet.binancefuture.com/",
            key_menu="the API key of the account",
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

KEY_PAGES = frozenset(facts.key_page for facts in _TABLE.values())
"""Where keys are revoked."""

HOSTS = frozenset(probe.host for facts in _TABLE.values() for probe in facts.probes)
"""The only hosts that are ever contacted."""

_HEX = frozenset(b"0123456789abcdef")
_BASE36 = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyz")


def probes_for(environment: Environment, api_key: bytes) -> tuple[Probe, ...]:
    """The probes for a key of this environment, in order.

    The later ones are for a key that the earlier ones do not know.

    Empty where none is known. A lower-case hex key is asked about only where keys are hex, and on the demo beside that.
    """
    systems = (environment, *environment.facts.also_probed)
    if environment is Environment.UNKNOWN or environment.facts.alphabet == "hex":
        systems = (Environment.FUTURES_TESTNET, Environment.DEMO) if set(api_key) <= _HEX else systems
    return tuple(probe for system in systems for probe in system.facts.probes)


def possible_systems(environment: Environment, api_key: bytes, *, certain: bool) -> tuple[Environment, ...]:
    """The systems with real money that a key may belong to, by its surroundings and its form.

    Where its system is `certain`, that one alone. A name nearby, or that nothing is named, leaves all of them.
    """
    if certain:
        return () if environment.facts.play_money else (environment,)
    real = (system for system in Environment if not system.facts.play_money and system is not Environment.UNKNOWN)
    return tuple(system for system in real if system.facts.alphabet != "base36" or set(api_key) <= _BASE36)


def most_prudent(environments: Iterable[Environment]) -> Environment:
    """The environment, of those given, in which most is at stake."""
    given = set(environments)
    return next(iter(given)) if len(given) == 1 else next(each for each in Environment if each in given)
