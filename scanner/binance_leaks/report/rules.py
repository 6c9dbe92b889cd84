"""Rule ids and texts for SARIF, GitLab and JUnit: one rule per kind, and one per kind for test systems.

Test systems have rules of their own, so that a reviewer can mute them without muting what costs money.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from binance_leaks.environments import KEY_PAGE, Environment
from binance_leaks.findings import Finding
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import Kind
from binance_leaks.report.advice import NEW_KEY, STORE_SAFELY
from binance_leaks.report.allow_commands import ALLOW_COMMENT
from binance_leaks.risk import system_of

CWE = "CWE-798"  # use of hard-coded credentials
CWE_PAGE = "https://cwe.mitre.org/data/definitions/798.html"

_DESCRIPTIONS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.KEY_PAIR: "An API key with its secret: anyone who has both can sign requests.",
        Kind.SECRET_KEY: "A secret key without its API key: it can sign requests once the key is known.",
        Kind.PRIVATE_KEY: "A private key: it can sign requests once the API key that belongs to it is known.",
        Kind.API_KEY: "An API key without its secret: it cannot sign requests alone, but it identifies an account.",
    }
)
_UNDECIDED = "A value that is an API key or its secret: nothing says which, so it may sign requests."
_NAMES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.KEY_PAIR: "key pair",
        Kind.SECRET_KEY: "secret key",
        Kind.PRIVATE_KEY: "private key",
        Kind.API_KEY: "API key",
    }
)
# Scores as code scanning reads them: high from 7.0, medium from 4.0, low below; they follow the levels of risk.
_SCORES: Mapping[tuple[Kind, bool], str] = MappingProxyType(
    {
        (Kind.KEY_PAIR, False): "8.5",
        (Kind.SECRET_KEY, False): "6.0",
        (Kind.PRIVATE_KEY, False): "6.0",
        (Kind.API_KEY, False): "3.0",
        (Kind.KEY_PAIR, True): "2.5",
        (Kind.SECRET_KEY, True): "2.0",
        (Kind.PRIVATE_KEY, True): "2.0",
        (Kind.API_KEY, True): "1.0",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A rule for one kind of credential, of the live exchange or of test systems."""

    kind: Kind
    play_money: bool
    undecided: bool = False
    """Whether what is taken for an API key may be the secret."""

    @property
    def id(self) -> str:
        """Return the id: `binance-key-pair`, `binance-testnet-key-pair`."""
        kind = "key-or-secret" if self.undecided else self.kind.value
        return f"binance-testnet-{kind}" if self.play_money else f"binance-{kind}"

    @property
    def title(self) -> str:
        """Return what it finds, in a few words."""
        name = "API key or secret key" if self.undecided else _NAMES[self.kind]
        return f"Binance {'test system ' if self.play_money else ''}{name} in the repository"

    @property
    def description(self) -> str:
        """Describe what was found and what it can do."""
        stakes = (
            f"It belongs to a test system ({_test_systems()}) without real money."
            if self.play_money
            else "It belongs to an exchange or account with real money, or nothing nearby says otherwise."
        )
        return f"{_UNDECIDED if self.undecided else _DESCRIPTIONS[self.kind]} {stakes}"

    @property
    def score(self) -> str:
        """Return the severity from 0.0 to 10.0."""
        return _SCORES[Kind.SECRET_KEY if self.undecided else self.kind, self.play_money]

    def help(self, *, markdown: bool) -> str:
        """Describe what it is, what to do now, and how to allow a false alarm."""
        tick = "`" if markdown else ""
        revoke = "on the site that issued it" if self.play_money else f"at {KEY_PAGE}"
        command = f"{tick}binance-leaks allow SHA256{' SHA256' if self.kind is Kind.KEY_PAIR else ''}{tick}"
        comment = f"{tick}{ALLOW_COMMENT}{tick}"
        lines = (
            self.description,
            "",
            f"1. Revoke it {revoke}. Until then, anyone who has seen it can use it.",
            "2. Remove it from the files. If it was ever committed, the history still contains it.",
            f"3. {NEW_KEY.text}",
            f"4. {STORE_SAFELY.text}",
            "",
            f"To allow a false alarm, run {command} with its digests, or add a comment to its line: {comment}",
        )
        return "\n".join(lines)


def _test_systems() -> str:
    """Return the names of the test systems: `a, b or c`."""
    *others, last = (environment.facts.title for environment in Environment if environment.facts.play_money)
    return f"{', '.join(others)} or {last}"


RULES: tuple[Rule, ...] = (
    *(Rule(kind=kind, play_money=play) for play in (False, True) for kind in Kind),
    *(Rule(kind=Kind.API_KEY, play_money=play, undecided=True) for play in (False, True)),
)


def rule_of(finding: Finding) -> Rule:
    """Return the rule of a finding, by the environment that accepted it if one did."""
    return Rule(
        kind=finding.kind,
        play_money=system_of(finding.environment, finding.verification).facts.play_money,
        undecided=finding.is_undecided,
    )
