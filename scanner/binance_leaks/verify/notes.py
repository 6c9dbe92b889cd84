"""Describe outcomes in plain English, without anything that a server wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from binance_leaks.environments import Environment
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.verification import Cause, Verdict, Verification
from binance_leaks.verify.responses import Outcome

_CANNOT_TELL = "It cannot be determined from here whether it is active"
_CAUSES: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.ADDRESS: "Binance refused this request: this address may not be on the key's list, a permission may be "
        "missing, the key may be of another environment, or banned for a while. That does not mean it is dead",
        Cause.LOCKED: "Binance reports that the API keys are locked. That does not mean that they are revoked",
        Cause.REFUSED: "Binance refused this request, and its answer leaves open why. That does not mean it is dead",
        Cause.LOCATION: "Binance does not serve the place where this runs, as is usual on hosted CI and US clouds",
        Cause.FIREWALL: "a firewall answered, not the exchange; this run sends no more requests",
        Cause.BANNED: "this address is banned for too many requests, from minutes to days; this "
        "run sends no more requests",
        Cause.RATE: "this address has sent too many requests for now",
        Cause.CLOCK: "the clock of this machine is off, and correcting for it did not help",
        Cause.NETWORK: "the network failed",
        Cause.SERVER: "Binance had a failure of its own",
        Cause.BUSY: "the server is busy; try again later",
        Cause.REDIRECT: "the answer points elsewhere, and redirects are not followed",
        Cause.ANSWER: "the answer is not a known one",
        Cause.STOPPED: "not checked, because of an earlier answer",
        Cause.BUDGET: "a limit of this run was reached",
    }
)
_UNTRIED: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.BUDGET: "there are too many",
        Cause.LIBRARY: "the package cryptography is missing for a private key",
    }
)


def not_checked(verdict: Verdict, cause: Cause, why: str) -> Verification:
    """Make the verification of a credential that is not checked."""
    start = "Cannot be verified" if verdict is Verdict.NOT_VERIFIABLE else "Not checked"
    return Verification(verdict=verdict, cause=cause, note=f"{start}: {why.rstrip('.')}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What a note says beside the outcome of one host."""

    host: str
    lone: bool
    """Whether the key was checked without a secret."""
    swapped: bool
    """Whether key and secret are the wrong way round."""
    unknown_on: Sequence[str]
    """The hosts that do not know the key."""
    elsewhere: Sequence[Environment]
    """The systems that may know it all the same."""
    asked: Sequence[Environment]
    """The systems that were asked."""
    unclear: Sequence[Environment]
    """Those whose answer was not clear."""


def note_of(outcome: Outcome, context: Context, cause: Cause | None) -> str:
    """Return the note on an outcome, with the `cause` of the verdict."""
    parts = [_verdict(outcome, context, cause)]
    if context.swapped:
        parts.append("Key and secret are written the wrong way round: the value found as the secret is the key.")
    return " ".join(parts)


def _verdict(outcome: Outcome, context: Context, cause: Cause | None) -> str:
    host = context.host
    match outcome.verdict:
        case Verdict.LIVE if outcome.permissions is not None and outcome.permissions.known:
            return f"Active: {host} accepted it and returned the permissions of the key."
        case Verdict.LIVE if outcome.permissions is not None:
            return f"Active: {host} accepted it. Its answer does not contain the permissions of the key."
        case Verdict.LIVE:
            return (
                f"Active: {host} accepted it. Its answer is about the account, not the key, whose permissions are "
                "unknown."
            )
        case Verdict.LIVE_NO_PERMISSION:
            return (
                f"Probably active: {host} accepted the signature and refused permission for this one request "
                f"({outcome.detail})."
            )
        case Verdict.KEY_LIVE_SECRET_WRONG:
            return (
                f"The API key is probably active: {host} refused nothing but the signature ({outcome.detail}); "
                f"{_secret(context, cause)}."
            )
        case Verdict.NOT_FOUND | Verdict.MALFORMED:
            return _unknown(outcome, context)
        case Verdict.NOT_VERIFIABLE | Verdict.NOT_ASKED:
            return f"Cannot be verified: {outcome.detail.rstrip('.')}."
        case Verdict.INCONCLUSIVE:
            return _inconclusive(outcome, context.unknown_on)


def _secret(context: Context, cause: Cause | None) -> str:
    """Explain why no secret signs for a key."""
    match cause:
        case None:
            return "it was checked without its secret" if context.lone else "the secret found with it is not its own"
        case Cause.ENCRYPTED:
            return "its private key was found and is encrypted: anyone who has the passphrase can sign"
        case Cause.UNUSABLE:
            return "the private key found with it could not be used, so it was checked without it"
        case _:
            return f"not every secret near it could be tried ({_UNTRIED.get(cause, cause.value)})"


def _unknown(outcome: Outcome, context: Context) -> str:
    """Describe a key that no system knows which was asked; what else it may be of keeps it from being revoked."""
    hosts = join(context.unknown_on or [context.host])
    if not context.elsewhere:
        if outcome.verdict is Verdict.MALFORMED:
            return f"Probably no key: {hosts} answered that it does not have the form of one ({outcome.detail})."
        return f"Probably revoked or deleted: {hosts} did not know the key, twice."
    did = (
        f"Not known to {hosts}, asked twice"
        if outcome.verdict is Verdict.NOT_FOUND
        else f"Not known to {hosts}, which answered that it does not have the form of a key"
    )
    others = [each.facts.title for each in context.elsewhere if each not in context.asked]
    if others and not any(each.facts.play_money for each in context.asked):
        others.append("a test system")
    unclear = [each.facts.title for each in context.elsewhere if each in context.unclear]
    one_way = [each.facts.title for each in context.elsewhere if each in context.asked and each not in context.unclear]
    parts = [f"it may belong to {join(others, 'or')}"] if others else []
    if unclear:
        parts.append(f"there was no clear answer of {join(unclear)}")
    if one_way:
        parts.append(f"whether key and secret are the wrong way round was not checked on {join(one_way)}")
    return f"{did}; {'; '.join(parts)}."


def _inconclusive(outcome: Outcome, unknown_on: Sequence[str]) -> str:
    known = f"{join(unknown_on)} {'does' if len(unknown_on) == 1 else 'do'} not know the key. " if unknown_on else ""
    cause = _CAUSES.get(outcome.cause, "") if outcome.cause is not None else ""
    detail = f" ({outcome.detail})" if outcome.detail else ""
    return f"{known}{_CANNOT_TELL}: {cause}{detail}."


def join(names: Sequence[str], word: str = "and") -> str:
    """Join names: `a`, `a and b`, `a, b and c`."""
    return f" {word} ".join(filter(None, (", ".join(names[:-1]), names[-1])))
