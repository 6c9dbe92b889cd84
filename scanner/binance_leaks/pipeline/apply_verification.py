"""Apply verifications: swap halves, move secrets to their keys, raise confidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from types import MappingProxyType
from typing import Protocol, TypeVar

from binance_leaks.detect.credentials import credential_of
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.model import UNDECIDED, Confidence, Credential, Environment, Occurrence, Role
from binance_leaks.verification import Verdict, Verification

OTHER_ROLE: Mapping[Role, Role] = MappingProxyType(
    {Role.API_KEY: Role.SECRET_KEY, Role.SECRET_KEY: Role.API_KEY, Role.PRIVATE_KEY: Role.PRIVATE_KEY}
)
"""The role of a value in a pair whose halves turned out to be swapped."""
_SIGNS = (Verdict.LIVE, Verdict.LIVE_NO_PERMISSION)
_KNOWN = (*_SIGNS, Verdict.KEY_LIVE_SECRET_WRONG)

_H = TypeVar("_H", bound="Holder")
Result = tuple[_H, Verification | None]
"""A credential after its verification was applied, and that verification."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """Credentials after verification, and the verification of each, by its id."""

    credentials: tuple[Credential, ...]
    verifications: Mapping[str, Verification]
    interrupted: bool = False
    """Whether the user interrupted it: then the rest was not asked."""


Verify = Callable[[Sequence[Credential]], Verified]
"""Checks credentials with Binance. Only the command line makes one, and only on request."""


class Holder(Protocol):
    """A credential with the occurrences of a scan, or the repositories of a fleet."""

    @property
    def credential(self) -> Credential:
        """The credential."""
        ...

    def with_credential(self: _H, credential: Credential) -> _H:
        """Replace the judgement of the credential; its values remain."""
        ...

    def swapped(self: _H) -> _H:
        """Exchange key and secret."""
        ...

    def joined(self: _H, other: _H) -> _H:
        """Add what holds the values of the same credential."""
        ...

    def without(self: _H, digests: Set[str]) -> _H | None:
        """Remove these values; None where none is left."""
        ...

    def with_value_of(self: _H, digest: str, other: _H) -> _H:
        """Add one value of another credential, with what holds it there."""
        ...


def verified(credentials: Sequence[Credential], found: Mapping[str, Verification]) -> Verified:
    """Apply verifications, by credential id, to the credentials of one scan."""
    results = apply_verifications([_Scanned(credential) for credential in credentials], found)
    return Verified(
        credentials=tuple(held.credential for held, _ in results),
        verifications={held.credential.id: verification for held, verification in results if verification is not None},
    )


def apply_verifications(holders: Iterable[_H], found: Mapping[str, Verification]) -> list[Result[_H]]:
    """Apply verifications, by the ids of credentials before or after a swap.

    A pair whose halves are swapped is turned. A secret goes to the key that it signs for, and to no other one. A key
    that a system of Binance knows belongs to that system, with high confidence.
    """
    if not found:
        return [(holder, None) for holder in holders]
    results = _join_same([_swap_if_needed(holder, found) for holder in holders])
    owners = {
        verification.secret: holder.credential.id
        for holder, verification in results
        if verification is not None
        and verification.secret is not None
        and verification.verdict in _SIGNS
        and holder.credential.has_key
    }
    if owners:
        sources = {digest: [holder for holder, _ in results if digest in _digests(holder)] for digest in owners}
        settled = ((_assign_secrets(holder, owners, sources), verification) for holder, verification in results)
        results = [(holder, verification) for holder, verification in settled if holder is not None]
    return [(_raise_confidence(holder, verification), verification) for holder, verification in results]


def _swap_if_needed(holder: _H, found: Mapping[str, Verification]) -> Result[_H]:
    """Turn a pair unless its key is the one that the verification is of: it may be the right way round here."""
    swapped = holder.swapped()
    verification = found.get(holder.credential.id)
    if verification is None:
        verification = found.get(swapped.credential.id)
        if verification is None or not verification.swapped:
            return holder, None
    keys = {value.sha256 for value in holder.credential.values if value.role is Role.API_KEY}
    return (swapped if verification.swapped and verification.key not in keys else holder), verification


def _join_same(results: Iterable[Result[_H]]) -> list[Result[_H]]:
    """Join those of one id: a pair that was turned may be the right way round elsewhere."""
    joined: dict[str, Result[_H]] = {}
    for holder, verification in results:
        name = holder.credential.id
        if name in joined:
            held, known = joined[name]
            joined[name] = held.joined(holder), known
        else:
            joined[name] = holder, verification
    return list(joined.values())


def _assign_secrets(holder: _H, owners: Mapping[str, str], sources: Mapping[str, Sequence[_H]]) -> _H | None:
    """Remove the secrets of other keys and add its own from elsewhere; None where nothing is left."""
    name = holder.credential.id
    others = {digest for digest in _digests(holder) if owners.get(digest, name) != name}
    settled = holder.without(others) if others else holder
    for digest, owner in owners.items():
        for source in sources[digest] if owner == name else ():
            if settled is not None and source is not holder:
                settled = settled.with_value_of(digest, source)
    return settled


def _digests(holder: Holder) -> frozenset[str]:
    return frozenset(value.sha256 for value in holder.credential.values)


def _raise_confidence(holder: _H, verification: Verification | None) -> _H:
    """Set the environment to the system that knows the key, regardless of evidence in the text.

    It becomes unknown where the test system that the text names is doubted.
    """
    if verification is None:
        return holder
    credential = holder.credential
    if verification.verdict not in _KNOWN or verification.host is None:
        doubted = verification.environment is Environment.UNKNOWN
        return holder.with_credential(replace(credential, environment=Environment.UNKNOWN)) if doubted else holder
    return holder.with_credential(
        replace(
            credential,
            confidence=Confidence.HIGH,
            evidence=(f"{verification.host} knows it", *(text for text in credential.evidence if text != UNDECIDED)),
            environment=verification.environment or credential.environment,
        )
    )


@dataclass(frozen=True, slots=True)
class _Scanned:
    """A credential of one scan, held by its occurrences."""

    credential: Credential

    def with_credential(self, credential: Credential) -> _Scanned:
        return _Scanned(credential)

    def swapped(self) -> _Scanned:
        return self._of([each.in_role(OTHER_ROLE[each.value.role]) for each in self.credential.occurrences])

    def joined(self, other: _Scanned) -> _Scanned:
        return self._with(other.credential.occurrences)

    def without(self, digests: Set[str]) -> _Scanned | None:
        kept = [each for each in self.credential.occurrences if each.value.sha256 not in digests]
        return self._of(kept) if kept else None

    def with_value_of(self, digest: str, other: _Scanned) -> _Scanned:
        return self._with([each for each in other.credential.occurrences if each.value.sha256 == digest])

    def _with(self, occurrences: Iterable[Occurrence]) -> _Scanned:
        own = self.credential.occurrences
        added = [each for each in dict.fromkeys(occurrences) if each not in own]
        return self._of([*own, *added]) if added else self

    def _of(self, occurrences: Sequence[Occurrence]) -> _Scanned:
        """Make a credential of these occurrences, of the same environment and no less confidence."""
        former, made = self.credential, credential_of(occurrences)
        confidence = max(made.confidence, former.confidence)
        return _Scanned(replace(made, environment=former.environment, confidence=confidence))
