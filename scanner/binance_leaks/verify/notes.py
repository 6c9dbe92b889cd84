"""Notes in plain words: what an outcome means, how sure that is, and what was not asked.

They hold nothing that a server wrote. Meanings of answers that users report and Binance does not document are worded as
probable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from binance_leaks.verification import Cause, Verdict, Verification
from binance_leaks.verify.responses import Outcome

_CANNOT_TELL = "Cannot tell from here whether it is alive"
_CAUSES: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.ADDRESS: "Binance refused this request: this address may not be on the key's list, a permission may be "
        "missing, the key may be of another environment, or banned for a while. That does not mean it is dead",
        Cause.LOCATION: "Binance does not serve the place where this runs, as is usual on hosted CI and US clouds",
        Cause.FIREWALL: "a firewall answered, not the exchange; nothing more is asked in this run",
        Cause.BANNED: "this address is banned for asking too much, from minutes to days; nothing more is asked in this "
        "run",
        Cause.RATE: "this address has asked too much for now",
        Cause.CLOCK: "the clock of this machine is off, and correcting for it did not help",
        Cause.NETWORK: "the network failed",
        Cause.SERVER: "Binance had a failure of its own",
        Cause.REDIRECT: "the answer points elsewhere, and redirects are not followed",
        Cause.ANSWER: "the answer is not a known one",
        Cause.STOPPED: "not checked, because of an earlier answer",
        Cause.BUDGET: "a limit of this run was reached",
    }
)


def not_checked(verdict: Verdict, cause: Cause, why: str) -> Verification:
    """The verification of what is not asked about."""
    start = "Cannot be verified" if verdict is Verdict.NOT_VERIFIABLE else "Not asked"
    return Verification(verdict=verdict, cause=cause, note=f"{start}: {why.rstrip('.')}.")


def note_of(outcome: Outcome, host: str, *, lone: bool, swapped: bool, unknown_on: Sequence[str]) -> str:
    """The note on an outcome of `host`: of a key without a secret, of halves that were swapped.

    `unknown_on` are all the hosts that said not to know the key.
    """
    parts = [_verdict(outcome, host, lone=lone, unknown_on=unknown_on)]
    if swapped:
        parts.append("Key and secret are written the wrong way round: the value found as the secret is the key.")
    return " ".join(parts)


def _verdict(outcome: Outcome, host: str, *, lone: bool, unknown_on: Sequence[str]) -> str:
    match outcome.verdict:
        case Verdict.LIVE if outcome.permissions is not None:
            return f"Alive: {host} accepted it and returned the permissions of the key."
        case Verdict.LIVE:
            return (
                f"Alive: {host} accepted it. Its answer is about the account, not the key, whose permissions are "
                "unknown."
            )
        case Verdict.LIVE_NO_PERMISSION:
            return (
                f"Probably alive: {host} took the signature and refused permission for this one question "
                f"({outcome.detail})."
            )
        case Verdict.KEY_LIVE_SECRET_WRONG:
            secret = "it was asked about without its secret" if lone else "the secret found with it is not its own"
            return (
                f"The API key is probably alive: {host} refused nothing but the signature ({outcome.detail}); {secret}."
            )
        case Verdict.NOT_FOUND:
            return (
                f"Probably revoked or deleted: {_join(unknown_on or [host])} did not know the key, asked again too. "
                "It could still be of a system that was not asked."
            )
        case Verdict.MALFORMED:
            return f"Probably no key: {host} says that it does not have the form of one ({outcome.detail})."
        case Verdict.NOT_VERIFIABLE | Verdict.NOT_ASKED:
            return f"Cannot be verified: {outcome.detail.rstrip('.')}."
        case Verdict.INCONCLUSIVE:
            return _inconclusive(outcome)


def _inconclusive(outcome: Outcome) -> str:
    cause = _CAUSES.get(outcome.cause, "") if outcome.cause is not None else ""
    detail = f" ({outcome.detail})" if outcome.detail else ""
    return f"{_CANNOT_TELL}: {cause}{detail}."


def _join(hosts: Sequence[str]) -> str:
    """Hosts as words: `a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(hosts[:-1]), hosts[-1])))
