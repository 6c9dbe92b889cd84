"""Credentials as the detector would hand them on, of accounts that the played exchange has or has not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from binance_leaks.model import Confidence, Credential, Environment, Location, Occurrence, Role, Value

from tests.binance.accounts import Account


def value_of(account: Account, *, key: bool) -> Value:
    """The key of an account, or its secret half."""
    return Value.of(Role.API_KEY, account.key.encode()) if key else Value.of(account.role, account.secret)


def occurrence(value: Value, *, path: str = "bot.py", line: int = 1, encrypted: bool = False) -> Occurrence:
    """A value on a line of a file."""
    location = Location(role=value.role, path=path, line=line, column=1)
    return Occurrence(value=value, location=location, rule="test", last_line=line, named=True, encrypted=encrypted)


def credential(
    *values: Value,
    environment: Environment = Environment.MAINNET,
    occurrences: Sequence[Occurrence] = (),
    known_example: bool = False,
) -> Credential:
    """These values as one credential, on neighbouring lines unless their places are given."""
    seen = tuple(occurrences) or tuple(occurrence(value, line=number) for number, value in enumerate(values, start=1))
    return Credential(
        values=values,
        occurrences=seen,
        environment=environment,
        confidence=Confidence.HIGH,
        evidence=(),
        known_example=known_example,
    )


def pair(account: Account, *, environment: Environment = Environment.MAINNET) -> Credential:
    """The key of an account with its secret half."""
    return credential(value_of(account, key=True), value_of(account, key=False), environment=environment)


def certain(made: Credential) -> Credential:
    """The same where its owner, or a host in code, says which environment it is of."""
    occurrences = (replace(each, environment=made.environment, certain=True) for each in made.occurrences)
    return replace(made, occurrences=tuple(occurrences))
