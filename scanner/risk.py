"""Judges the harm that a credential can do, with the reasons in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from scanner.model import Confidence, Credential, Environment, Exposure, Kind, Location, Risk, RiskLevel

_REAL_MONEY = "real money"
_PLAY_MONEY = "play money"

_STAKES: Mapping[Environment, tuple[str, str]] = MappingProxyType(
    {
        Environment.MAINNET: (_REAL_MONEY, "It belongs to the live exchange."),
        Environment.US: (_REAL_MONEY, "It belongs to Binance.US, where money is real."),
        Environment.TR: (_REAL_MONEY, "It belongs to Binance TR, where money is real."),
        Environment.PAY: (_REAL_MONEY, "It belongs to a Binance Pay merchant."),
        Environment.UNKNOWN: (_REAL_MONEY, "Nothing near it says test system, so it is taken for the live exchange."),
        Environment.TESTNET: (_PLAY_MONEY, "It belongs to the spot testnet, where no money is real."),
        Environment.FUTURES_TESTNET: (_PLAY_MONEY, "It belongs to the futures testnet, where no money is real."),
        Environment.DEMO: (_PLAY_MONEY, "It belongs to demo trading, where no money is real."),
    }
)

_BASE: Mapping[Kind, Mapping[str, RiskLevel]] = MappingProxyType(
    {
        Kind.KEY_PAIR: {_REAL_MONEY: RiskLevel.HIGH, _PLAY_MONEY: RiskLevel.LOW},
        Kind.PRIVATE_KEY: {_REAL_MONEY: RiskLevel.MEDIUM, _PLAY_MONEY: RiskLevel.LOW},
        Kind.SECRET_KEY: {_REAL_MONEY: RiskLevel.MEDIUM, _PLAY_MONEY: RiskLevel.LOW},
        Kind.API_KEY: {_REAL_MONEY: RiskLevel.LOW, _PLAY_MONEY: RiskLevel.INFO},
    }
)

_MEANS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.KEY_PAIR: "Key and secret were both found: whoever reads them can sign requests.",
        Kind.PRIVATE_KEY: "A private key signs requests; its API key was not found.",
        Kind.SECRET_KEY: "A secret signs requests; its API key was not found.",
        Kind.API_KEY: "An API key alone cannot sign requests; its secret was not found.",
    }
)


def assess(credential: Credential, locations: Sequence[Location]) -> Risk:
    """The risk of a credential that nobody has asked Binance about, found at these locations.

    What it is and what it opens give the level; doubt and a hidden place each take one step off it.
    """
    if credential.known_example:
        return Risk(level=RiskLevel.INFO, reasons=("It is an example from public documentation, not a leak.",))
    base = _unverified(credential)
    return _lessened(base, _mitigations(credential, locations))


def is_play_money(environment: Environment) -> bool:
    """Whether an environment is a test system, where nothing real can be lost."""
    return _STAKES[environment][0] == _PLAY_MONEY


def _unverified(credential: Credential) -> Risk:
    """What the credential could do, judged by its shape and surroundings alone."""
    stakes, where = _STAKES[credential.environment]
    return Risk(level=_BASE[credential.kind][stakes], reasons=(_MEANS[credential.kind], where))


def _mitigations(credential: Credential, locations: Sequence[Location]) -> list[str]:
    """Reasons that each take one step off the level."""
    reasons = []
    if credential.confidence is Confidence.LOW:
        reasons.append("One step down: little speaks for Binance.")
    if locations and all(location.exposure is Exposure.UNREACHABLE for location in locations):
        reasons.append("One step down: no branch or tag leads to it any more.")
    return reasons


def _lessened(risk: Risk, mitigations: Sequence[str]) -> Risk:
    """The risk one step lower for each reason, as far as there are steps."""
    taken = tuple(mitigations[: risk.level.rank])
    return Risk(level=list(RiskLevel)[risk.level.rank - len(taken)], reasons=risk.reasons + taken)
