"""What verifications change about credentials: halves are turned, secrets move, and who knows a key is evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

import pytest
from binance_leaks.model import UNDECIDED, Confidence, Credential, Environment, Role, Value
from binance_leaks.pipeline.apply_verification import Verified, verified
from binance_leaks.verification import Verdict, Verification

from tests.binance.accounts import hmac_account
from tests.verify.credentials import credential, occurrence, value_of

_RNG = Random(20_261_201)
ACCOUNTS = tuple(hmac_account(_RNG) for _ in range(3))
KEYS = tuple(value_of(each, key=True) for each in ACCOUNTS)
SECRETS = tuple(value_of(each, key=False) for each in ACCOUNTS)
HOST = "api.binance.com"
OUTSIDE = [verdict for verdict in Verdict if verdict not in (Verdict.LIVE, Verdict.LIVE_NO_PERMISSION)]


def answer(
    verdict: Verdict = Verdict.LIVE,
    key: Value = KEYS[0],
    secret: Value | None = None,
    *,
    host: str | None = HOST,
    environment: Environment | None = None,
    swapped: bool = False,
) -> Verification:
    return Verification(
        verdict=verdict,
        key=key.sha256,
        secret=secret.sha256 if secret is not None else None,
        host=host,
        environment=environment,
        swapped=swapped,
    )


def at(path: str, *values: Value) -> Credential:
    """These values in one file, of which little is known."""
    seen = [occurrence(value, path=path, line=line) for line, value in enumerate(values, start=1)]
    return replace(credential(*values, occurrences=seen), confidence=Confidence.MEDIUM, evidence=("a name",))


def applied(credentials: Sequence[Credential], found: Mapping[Credential, Verification]) -> Verified:
    return verified(credentials, {each.id: verification for each, verification in found.items()})


def values_of(result: Verified) -> list[set[tuple[str, str]]]:
    """The values of each credential."""
    return [listed(*(each.value for each in credential.occurrences)) for credential in result.credentials]


def listed(*values: Value) -> set[tuple[str, str]]:
    return {(value.role.value, value.sha256) for value in values}


def paths(credential: Credential) -> set[str]:
    return {each.location.path for each in credential.occurrences}


def test_a_system_that_knows_the_key_is_evidence() -> None:
    pair = at("bot.py", KEYS[0], SECRETS[0])
    for verdict in (Verdict.LIVE, Verdict.LIVE_NO_PERMISSION, Verdict.KEY_LIVE_SECRET_WRONG):
        for environment in (Environment.TESTNET, None):
            (after,) = applied([pair], {pair: answer(verdict, environment=environment)}).credentials
            assert (after.confidence, after.environment) == (Confidence.HIGH, environment or Environment.MAINNET)
            assert after.evidence == (f"{HOST} knows it", "a name")


def test_a_value_that_binance_knows_as_key_is_one() -> None:
    lone = replace(at("bot.py", KEYS[0]), evidence=(UNDECIDED, "a name"))
    for verdict, is_undecided in ((Verdict.KEY_LIVE_SECRET_WRONG, False), (Verdict.NOT_FOUND, True)):
        (after,) = applied([lone], {lone: answer(verdict)}).credentials
        assert after.is_undecided is is_undecided


@pytest.mark.parametrize("verdict", [Verdict.INCONCLUSIVE, Verdict.NOT_FOUND, Verdict.NOT_ASKED])
@pytest.mark.parametrize("environment", [None, Environment.UNKNOWN])
def test_what_nobody_knows_keeps_its_confidence(verdict: Verdict, environment: Environment | None) -> None:
    pair, other = at("bot.py", KEYS[0], SECRETS[0]), at("other.py", KEYS[1])
    result = applied([pair, other], {pair: answer(verdict, environment=environment)})
    assert result.credentials == (replace(pair, environment=environment or pair.environment), other)
    assert [*result.verifications] == [pair.id]


def test_without_answers_nothing_changes() -> None:
    pair = at("bot.py", KEYS[0], SECRETS[0])
    assert applied([pair, pair], {}) == Verified(credentials=(pair, pair), verifications={}, interrupted=False)


def test_an_answer_of_no_host_is_no_evidence() -> None:
    pair = at("bot.py", KEYS[0], SECRETS[0])
    assert applied([pair], {pair: answer(host=None, environment=Environment.TESTNET)}).credentials == (pair,)


TURNED = at("turned.py", SECRETS[0].in_role(Role.API_KEY), KEYS[0].in_role(Role.SECRET_KEY))
RIGHT = at("right.py", KEYS[0], SECRETS[0])


@pytest.mark.parametrize("given", [[TURNED], [TURNED, RIGHT], [RIGHT, TURNED]], ids=["alone", "first", "second"])
@pytest.mark.parametrize("asked", [TURNED, RIGHT], ids=["before", "after"])
def test_halves_are_turned(given: Sequence[Credential], asked: Credential) -> None:
    """The answer is by the id before or after; where the pair is the right way round, too, they are one."""
    result = applied(given, {asked: answer(secret=SECRETS[0], swapped=True)})
    assert values_of(result) == [listed(KEYS[0], SECRETS[0])]
    assert paths(result.credentials[0]) == {path for each in given for path in paths(each)}
    assert len(result.credentials[0].occurrences) == 2 * len(given)
    assert [*result.verifications] == [RIGHT.id]


def test_halves_are_not_turned_by_an_answer_about_others() -> None:
    result = applied([TURNED], {RIGHT: answer(secret=SECRETS[0])})
    assert (result.credentials, result.verifications) == ((TURNED,), {})


@pytest.mark.parametrize("verdict", [Verdict.LIVE, Verdict.LIVE_NO_PERMISSION])
def test_a_secret_goes_to_its_key_from_everywhere(verdict: Verdict) -> None:
    """Two other keys hold it, and it is alone in a file: what held nothing else is gone."""
    owner, secret = at("owner.py", KEYS[0]), SECRETS[0]
    first, second = at("first.py", KEYS[1], secret), at("second.py", KEYS[2], secret, SECRETS[2])
    alone = at("alone.py", secret)
    result = applied([first, owner, second, alone], {owner: answer(verdict, secret=secret)})
    assert values_of(result) == [listed(KEYS[1]), listed(KEYS[0], secret), listed(KEYS[2], SECRETS[2])]
    assert paths(result.credentials[1]) == {"owner.py", "first.py", "second.py", "alone.py"}
    assert result.credentials[0].environment is Environment.MAINNET


@pytest.mark.parametrize("verdict", OUTSIDE)
def test_a_secret_stays_where_nobody_said_that_it_signs(verdict: Verdict) -> None:
    owner, other = at("owner.py", KEYS[0]), at("other.py", KEYS[1], SECRETS[0])
    result = applied([owner, other], {owner: answer(verdict, secret=SECRETS[0])})
    assert values_of(result) == [listed(KEYS[0]), listed(KEYS[1], SECRETS[0])]


def test_a_lone_secret_that_shares_a_verdict_owns_nothing() -> None:
    alone, pair = at("alone.py", SECRETS[0]), at("pair.py", KEYS[0], SECRETS[0])
    found = answer(secret=SECRETS[0])
    for given in ([alone, pair], [pair, alone]):
        result = applied(given, {pair: found, alone: found})
        assert values_of(result) == [listed(KEYS[0], SECRETS[0])]
        assert len(result.credentials[0].occurrences) == 3
