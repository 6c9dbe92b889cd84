"""Risk: the table, the steps down, and that every level says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from random import Random
from string import ascii_letters, digits

import pytest
from binance_leaks.model import (
    UNDECIDED,
    Confidence,
    Credential,
    Environment,
    Exposure,
    Kind,
    Location,
    Readers,
    RiskLevel,
    Role,
    Value,
)
from binance_leaks.risk import assess, with_readers

_ROLES = {
    Kind.KEY_PAIR: (Role.API_KEY, Role.SECRET_KEY),
    Kind.API_KEY: (Role.API_KEY,),
    Kind.SECRET_KEY: (Role.SECRET_KEY,),
    Kind.PRIVATE_KEY: (Role.PRIVATE_KEY,),
}
_TEST_SYSTEMS = [Environment.TESTNET, Environment.FUTURES_TESTNET, Environment.DEMO]
_REAL_SYSTEMS = [environment for environment in Environment if environment not in _TEST_SYSTEMS]


def credential(
    kind: Kind = Kind.KEY_PAIR,
    environment: Environment = Environment.MAINNET,
    confidence: Confidence = Confidence.HIGH,
    *,
    known_example: bool = False,
    roles: Sequence[Role] = (),
) -> Credential:
    random = Random(1)
    return Credential(
        values=tuple(
            Value.of(role, "".join(random.choices(ascii_letters + digits, k=64)).encode())
            for role in roles or _ROLES[kind]
        ),
        occurrences=(),
        environment=environment,
        confidence=confidence,
        evidence=(),
        known_example=known_example,
    )


def at(*exposures: Exposure) -> list[Location]:
    return [
        Location(role=Role.API_KEY, path="a.py", line=1, column=1, exposure=exposure)
        for exposure in exposures or (Exposure.PRESENT,)
    ]


@pytest.mark.parametrize("environment", _REAL_SYSTEMS)
@pytest.mark.parametrize(
    ("kind", "level"),
    [
        (Kind.KEY_PAIR, RiskLevel.HIGH),
        (Kind.SECRET_KEY, RiskLevel.MEDIUM),
        (Kind.PRIVATE_KEY, RiskLevel.MEDIUM),
        (Kind.API_KEY, RiskLevel.LOW),
    ],
)
def test_where_money_is_real(kind: Kind, environment: Environment, level: RiskLevel) -> None:
    assert assess(credential(kind, environment), at()).level is level


@pytest.mark.parametrize("environment", _TEST_SYSTEMS)
@pytest.mark.parametrize(
    ("kind", "level"),
    [
        (Kind.KEY_PAIR, RiskLevel.LOW),
        (Kind.SECRET_KEY, RiskLevel.LOW),
        (Kind.PRIVATE_KEY, RiskLevel.LOW),
        (Kind.API_KEY, RiskLevel.INFO),
    ],
)
def test_where_no_money_is_real(kind: Kind, environment: Environment, level: RiskLevel) -> None:
    assert assess(credential(kind, environment), at()).level is level


def test_a_key_with_a_private_key_is_a_pair() -> None:
    pair = credential(roles=(Role.API_KEY, Role.PRIVATE_KEY))
    assert assess(pair, at()).level is RiskLevel.HIGH


@pytest.mark.parametrize("environment", list(Environment))
@pytest.mark.parametrize("confidence", list(Confidence))
@pytest.mark.parametrize("exposure", [Exposure.PRESENT, Exposure.UNREACHABLE])
def test_what_may_be_a_secret_is_rated_as_one(
    environment: Environment, confidence: Confidence, exposure: Exposure
) -> None:
    undecided = replace(credential(Kind.API_KEY, environment, confidence), evidence=(UNDECIDED, "a name"))
    secret = credential(Kind.SECRET_KEY, environment, confidence)
    rated, as_secret = assess(undecided, at(exposure)), assess(secret, at(exposure))
    assert rated.level is as_secret.level
    assert rated.reasons[0] == "It may be a secret, which signs requests: nothing names it as the API key."
    assert rated.reasons[1:] == as_secret.reasons[1:]


@pytest.mark.parametrize("kind", list(Kind))
def test_a_documented_example_is_only_reported(kind: Kind) -> None:
    risk = assess(credential(kind, known_example=True), at())
    assert risk.level is RiskLevel.INFO
    assert risk.reasons == ("It is an example from public documentation, not a leak.",)


def test_doubt_and_a_hidden_place_take_a_step_each() -> None:
    pair, doubtful = credential(), credential(confidence=Confidence.LOW)
    hidden = at(Exposure.UNREACHABLE, Exposure.UNREACHABLE)
    assert assess(pair, at()).level is RiskLevel.HIGH
    assert assess(doubtful, at()).level is RiskLevel.MEDIUM
    assert assess(pair, hidden).level is RiskLevel.MEDIUM
    assert assess(doubtful, hidden).level is RiskLevel.LOW
    assert [reason for reason in assess(doubtful, hidden).reasons if reason.startswith("One step down")] == [
        "One step down: there is little evidence for Binance.",
        "One step down: no branch or tag leads to it any more.",
    ]


def test_one_reachable_place_is_enough() -> None:
    assert assess(credential(), at(Exposure.UNREACHABLE, Exposure.HISTORY)).level is RiskLevel.HIGH


def test_no_place_at_all_is_no_hidden_place() -> None:
    assert assess(credential(), []).level is RiskLevel.HIGH


def test_a_step_that_cannot_be_taken_is_not_reported() -> None:
    key = credential(Kind.API_KEY, Environment.TESTNET, Confidence.LOW)
    risk = assess(key, at(Exposure.UNREACHABLE))
    assert risk.level is RiskLevel.INFO
    assert not any("step down" in reason for reason in risk.reasons)


def test_every_level_reports_why_in_short_sentences() -> None:
    for case in product(Kind, Environment, Confidence, Exposure):
        kind, environment, confidence, exposure = case
        reasons = assess(credential(kind, environment, confidence), at(exposure)).reasons
        assert reasons, case
        assert all(reason.endswith(".") and len(reason) <= 80 for reason in reasons), case


@pytest.mark.parametrize("readers", list(product((None, *Readers), repeat=2)))
def test_who_else_can_read_a_file_is_a_reason_and_no_step(readers: tuple[Readers | None, ...]) -> None:
    places = [replace(place, readers=each) for place, each in zip(at(*[Exposure.PRESENT] * 2), readers, strict=True)]
    rated = assess(credential(), places)
    risk = with_readers(rated, places)
    assert risk.level is rated.level
    added = risk.reasons[len(rated.reasons) :]
    widest = max((each for each in readers if each is not None), default=Readers.OWNER)
    words = {Readers.OWNER: [], Readers.GROUP: ["The group"], Readers.EVERYONE: ["Every user"]}[widest]
    assert [reason.partition(" of ")[0] for reason in added] == words
