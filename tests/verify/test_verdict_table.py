"""What is concluded from all answers about a key: a readable table, and a law over every combination of answers.

The law: no check makes a credential calmer than if nothing had been asked, unless the answers exclude that it opens an
account with real money. What is unknown where it was asked, and may be of another system, loses one step at most.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product
from pathlib import Path
from random import Random

import pytest
from binance_leaks.environments import probes_for
from binance_leaks.model import Credential, Environment, Location, RiskLevel, Role
from binance_leaks.pipeline.apply_verification import verified
from binance_leaks.report.verification_text import describe_verdict
from binance_leaks.risk import assess, power_of, system_of
from binance_leaks.verification import Verdict, Verification
from binance_leaks.verify.http_types import NoReply, Reply, Request
from binance_leaks.verify.rate_limit import Limits
from binance_leaks.verify.verifier import Verifier

from tests.binance.accounts import MAINNET, READ, TRADE, TRANSFER, WITHDRAW, Account, ed25519_account, hmac_account
from tests.verify.credentials import certain, credential, occurrence, value_of
from tests.verify.fakes import FakeClock, FakeTransport

TABLE = Path(__file__).with_name("answers.tsv")
HMAC, PRIVATE = hmac_account(Random(1)), ed25519_account(Random(2))
PLACES = (Location(role=Role.API_KEY, path="bot.py", line=1, column=1),)
GRANTED = {"withdraw": WITHDRAW, "transfer": TRANSFER, "trade": TRADE, "read": READ, "nothing": {}}
UNCLEAR_CODES = ("-2015", "-1021", "-1003", "-1004", "-1099", "-1109", "-2017", "-3001", "-4004", "-9999")
UNCLEAR = (*UNCLEAR_CODES, "403", "418", "429", "451", "500", "302", "portal", "cut")
UNKNOWN = ("-2008", "-2014")
KNOWN = ("live", "-1002", "-1022")
FOUND = ("pair", "private", "key", "encrypted")
NAMED = ("mainnet", "mainnet!", "us", "us!", "testnet", "testnet!", "demo", "futures-testnet", "unknown", "th", "pay")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the table."""

    context: str
    found: str
    answers: str
    verdict: str
    cause: str
    level: str
    system: str
    words: str


def rows() -> list[Row]:
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if not line.startswith("#")]
    names = tuple(Row.__dataclass_fields__)
    return [Row(**dict(zip(names, line.split("\t"), strict=True))) for line in lines]


def environment_of(context: str) -> Environment:
    return Environment(context.rstrip("!"))


@cache
def found_in(context: str, found: str) -> Credential:
    """What was found, near what names this environment."""
    account = PRIVATE if found == "private" else HMAC
    key, secret = value_of(account, key=True), value_of(account, key=False)
    match found:
        case "pair" | "private":
            made = credential(key, secret, environment=environment_of(context))
        case "secret":
            made = credential(secret, environment=environment_of(context))
        case _:
            beside = replace(occurrence(key), encrypted_beside=found == "encrypted")
            made = credential(key, environment=environment_of(context), occurrences=[beside])
    return certain(made) if context.endswith("!") else made


@cache
def reply(answer: str, host: str) -> Reply | NoReply:
    """An answer as that host writes it."""
    if answer.startswith("-"):
        return Reply(status=400, body=json.dumps({"code": int(answer), "msg": "error"}).encode())
    if answer.isdigit():
        return Reply(status=int(answer), body=b"<html></html>", retry_after=1)
    match answer:
        case "cut":
            return NoReply.CUT
        case "portal":
            return Reply(status=200, body=b"<html>Log in to the hotel</html>")
        case "only-restricted":
            return Reply(status=200, body=b'{"ipRestrict": false}')
    account = Account(key="", secret=b"", permissions=GRANTED.get(answer, WITHDRAW))
    body = account.restrictions() if host == MAINNET else {**account.account(), **account.futures()}
    return Reply(status=200, body=json.dumps(body).encode())


def concluded(
    context: str, found: str, answers: dict[str, str]
) -> tuple[Credential, Verification, RiskLevel, FakeTransport]:
    """The credential, its verification and its level after these answers, by host; others answer -2008."""
    made, clock = found_in(context, found), FakeClock(time.time())

    def answer(request: Request) -> Reply | NoReply:
        if request.path.endswith("/time"):
            return Reply(status=200, body=json.dumps({"serverTime": int(clock.now() * 1000)}).encode())
        key = request.api_key.reveal() if request.api_key is not None else b""
        swapped = key != made.values[0].secret.reveal() if made.values[0].secret is not None else False
        return reply("-2008" if swapped else answers.get(request.host, "-2008"), request.host)

    transport = FakeTransport(answer, clock)
    verifier = Verifier(transport, clock=clock, limits=Limits(workers=1))
    settled = verified([made], verifier.verify([made]))
    (after,) = settled.credentials
    verification = settled.verifications[after.id]
    return after, verification, assess(after, PLACES, verification).level, transport


def by_host(context: str, answers: str) -> dict[str, str]:
    """`first=-2015 main=451` by the names of hosts."""
    probes = probes_for(environment_of(context), HMAC.key.encode())
    names = {"main": MAINNET, **({"first": probes[0].host} if probes else {})}
    given = (each.split("=") for each in answers.split())
    return {names.get(name, name): answer for name, answer in given}


def test_the_rows_of_the_table() -> None:
    wrong = []
    for row in rows():
        after, found, level, _ = concluded(row.context, row.found, by_host(row.context, row.answers))
        cause = found.cause.value if found.cause is not None else ""
        system = found.environment.value if found.environment is not None else ""
        words = row.words if row.words in found.note else found.note
        now = replace(row, verdict=found.verdict.value, cause=cause, level=level.value, system=system, words=words)
        is_called_revoked = "revoked" in describe_verdict(found)
        if (
            now != row
            or is_called_revoked != (found.is_gone and found.verdict is Verdict.NOT_FOUND)
            or after.environment is not (found.environment or environment_of(row.context))
        ):
            wrong.append((row, now))
    assert wrong == []


def answers_of_two() -> Iterator[tuple[str, str]]:
    """What the first host and the live exchange answer."""
    every = (*KNOWN, *UNKNOWN, "-2015", "403", "451", "500", "cut")
    yield from product(every, every)


def is_excluded(after: Credential, found: Verification) -> bool:
    """Whether the answers exclude that what was found opens an account with real money."""
    known_to_test_system = power_of(found) is not None or found.verdict is Verdict.KEY_LIVE_SECRET_WRONG
    if known_to_test_system and system_of(after.environment, found).facts.play_money:
        return True
    return found.is_gone or (found.verdict is Verdict.KEY_LIVE_SECRET_WRONG and found.cause is None)


@pytest.mark.parametrize("context", NAMED)
@pytest.mark.parametrize("found", FOUND)
def test_the_law(context: str, found: str) -> None:
    made = found_in(context, found)
    unasked = assess(made, PLACES).level
    for first, main in answers_of_two():
        hosts = by_host(context, f"main={main}") | by_host(context, f"first={first}")
        if environment_of(context) in (Environment.MAINNET, Environment.UNKNOWN) and first != main:
            continue
        after, verification, level, transport = concluded(context, found, hosts)
        case = (context, found, first, main, verification)
        step = verification.verdict in (Verdict.NOT_FOUND, Verdict.MALFORMED)
        if not is_excluded(after, verification):
            assert level.rank >= unasked.rank - step, case
            assert level > RiskLevel.INFO or unasked is RiskLevel.INFO, case
        if verification.is_gone:
            assert context.endswith("!"), case
        if verification.verdict is Verdict.INCONCLUSIVE and main in UNCLEAR and found != "key" and found != "encrypted":
            assert level is RiskLevel.HIGH, case
        for request in transport.requests:
            other_company = (request.host == "api.binance.us") != (environment_of(context) is Environment.US)
            assert not other_company, case


@pytest.mark.parametrize("context", NAMED)
def test_halves_that_are_the_wrong_way_round_are_no_reason_for_calm(context: str) -> None:
    """The value that was taken for the secret is the key, and what is answered about it is unclear."""
    made, clock = found_in(context, "pair"), FakeClock(time.time())

    def swapped(request: Request, answer: str) -> Reply | NoReply:
        if request.path.endswith("/time"):
            return Reply(status=200, body=json.dumps({"serverTime": int(clock.now() * 1000)}).encode())
        key = request.api_key.reveal() if request.api_key is not None else b""
        return reply("-2008" if key == HMAC.key.encode() else answer, request.host)

    for answer in UNCLEAR:
        transport = FakeTransport(partial(swapped, answer=answer), clock)
        found = Verifier(transport, clock=clock, limits=Limits(workers=1)).verify([made])[made.id]
        assert not found.is_gone, answer
        assert assess(made, PLACES, found).level >= assess(made, PLACES).level, answer
        if found.verdict is Verdict.INCONCLUSIVE:
            assert assess(made, PLACES, found).level is RiskLevel.HIGH, answer
