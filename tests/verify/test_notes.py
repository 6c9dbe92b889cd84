"""Notes on verdicts: what each says, for every outcome and what surrounds it."""

from __future__ import annotations

import pytest
from binance_leaks.model import Environment
from binance_leaks.verification import Cause, Permissions, Verdict
from binance_leaks.verify.notes import Context, join, not_checked, note_of
from binance_leaks.verify.responses import Outcome

MAINNET, US, TESTNET = Environment.MAINNET, Environment.US, Environment.TESTNET
HOST = "api.binance.com"
ACCEPTED = f"Active: {HOST} accepted it"
SIGNATURE = f"The API key is probably active: {HOST} refused nothing but the signature (code -1022); "
NOWHERE = f"Not known to {HOST}, asked twice; "
NO_FORM = f"Not known to {HOST}, which answered that it does not have the form of a key; "
ONE_WAY = "whether key and secret are the wrong way round was not checked on"
UNDECIDED = "It cannot be determined from here whether it is active: "


def at(**surroundings: object) -> Context:
    usual = {"lone": False, "swapped": False, "unknown_on": (), "elsewhere": (), "asked": (), "unclear": ()}
    return Context(**{"host": HOST, **usual, **surroundings})  # type: ignore[arg-type]  # the fields of each row


@pytest.mark.parametrize(
    ("permissions", "note"),
    [
        (Permissions(granted=("enableReading",)), f"{ACCEPTED} and returned the permissions of the key."),
        (Permissions(denied=("enableReading",)), f"{ACCEPTED} and returned the permissions of the key."),
        (Permissions(ip_restricted=True), f"{ACCEPTED}. Its answer does not contain the permissions of the key."),
        (None, f"{ACCEPTED}. Its answer is about the account, not the key, whose permissions are unknown."),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_what_an_active_key_answered(permissions: Permissions | None, note: str, swapped: bool) -> None:
    outcome = Outcome(verdict=Verdict.LIVE, permissions=permissions)
    turned = " Key and secret are written the wrong way round: the value found as the secret is the key."
    assert note_of(outcome, at(swapped=swapped), None) == note + (turned if swapped else "")


@pytest.mark.parametrize(
    ("cause", "lone", "why"),
    [
        (None, False, "the secret found with it is not its own."),
        (None, True, "it was checked without its secret."),
        (Cause.ENCRYPTED, True, "its private key was found and is encrypted: anyone who has the passphrase can sign."),
        (Cause.UNUSABLE, True, "the private key found with it could not be used, so it was checked without it."),
        (Cause.BUDGET, False, "not every secret near it could be tried (there are too many)."),
        (Cause.NETWORK, False, "not every secret near it could be tried (network)."),
    ],
)
def test_why_no_secret_signs(cause: Cause | None, lone: bool, why: str) -> None:
    outcome = Outcome(verdict=Verdict.KEY_LIVE_SECRET_WRONG, detail="code -1022")
    assert note_of(outcome, at(lone=lone), cause) == SIGNATURE + why


@pytest.mark.parametrize(
    ("context", "note"),
    [
        (at(), f"Probably revoked or deleted: {HOST} did not know the key, twice."),
        (at(unknown_on=["a", "b", "c"]), "Probably revoked or deleted: a, b and c did not know the key, twice."),
        (at(elsewhere=[US], asked=[MAINNET]), f"{NOWHERE}it may belong to Binance.US or a test system."),
        (at(elsewhere=[US], asked=[TESTNET, MAINNET]), f"{NOWHERE}it may belong to Binance.US."),
        (
            at(elsewhere=[MAINNET], asked=[MAINNET]),
            f"{NOWHERE}{ONE_WAY} mainnet.",
        ),
        (
            at(elsewhere=[MAINNET, TESTNET], asked=[MAINNET, TESTNET], unclear=[TESTNET]),
            f"{NOWHERE}there was no clear answer of testnet; {ONE_WAY} mainnet.",
        ),
    ],
)
def test_a_key_that_nobody_knows_is_revoked_only_where_nothing_else_may_know_it(context: Context, note: str) -> None:
    assert note_of(Outcome(verdict=Verdict.NOT_FOUND), context, None) == note
    formless = note_of(Outcome(verdict=Verdict.MALFORMED, detail="code -2014"), context, None)
    if context.elsewhere:
        assert formless == note.replace(NOWHERE, NO_FORM)
    else:
        hosts = join(context.unknown_on or [HOST])
        assert formless == f"Probably no key: {hosts} answered that it does not have the form of one (code -2014)."


@pytest.mark.parametrize(
    ("unknown_on", "start"),
    [([], ""), (["a"], "a does not know the key. "), (["a", "b"], "a and b do not know the key. ")],
)
@pytest.mark.parametrize(("detail", "end"), [("", "."), ("status 500", " (status 500).")])
def test_what_could_not_be_decided(unknown_on: list[str], start: str, detail: str, end: str) -> None:
    outcome = Outcome(verdict=Verdict.INCONCLUSIVE, cause=Cause.SERVER, detail=detail)
    note = note_of(outcome, at(unknown_on=unknown_on), None)
    assert note == f"{start}{UNDECIDED}Binance had a failure of its own{end}"


def test_each_cause_of_an_undecided_outcome_has_words() -> None:
    undecided = {each: note_of(Outcome(verdict=Verdict.INCONCLUSIVE, cause=each), at(), None) for each in Cause}
    wordless = {each for each, note in undecided.items() if note == f"{UNDECIDED}."}
    of_credentials = {Cause.ENVIRONMENT, Cause.UNUSABLE, Cause.INCOMPLETE, Cause.EXAMPLE, Cause.ENCRYPTED}
    assert wordless == {*of_credentials, Cause.LIBRARY}


@pytest.mark.parametrize("why", ["it is so", "it is so."])
def test_what_is_not_checked(why: str) -> None:
    for verdict, start in ((Verdict.NOT_ASKED, "Not checked"), (Verdict.NOT_VERIFIABLE, "Cannot be verified")):
        made = not_checked(verdict, Cause.INCOMPLETE, why)
        assert (made.verdict, made.cause, made.note) == (verdict, Cause.INCOMPLETE, f"{start}: it is so.")
    assert note_of(Outcome(verdict=Verdict.NOT_VERIFIABLE, detail=why), at(), None) == "Cannot be verified: it is so."
