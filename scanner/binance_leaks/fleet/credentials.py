"""The credentials of a fleet: what its repositories hold of each, merged, suppressed and verified.

Repositories speak for each other: what is certain in one of them is certain in all that hold the credential.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from binance_leaks.detect.credentials import (
    MOST_EVIDENCE,
    are_published,
    describe_disagreement,
    distinct_values,
    group_by_value,
)
from binance_leaks.environments import Environment, most_prudent
from binance_leaks.findings import SuppressedBy, Suppression
from binance_leaks.fleet.models import Holding
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.model import UNDECIDED, Confidence, Credential, Role, Value
from binance_leaks.pipeline.apply_verification import OTHER_ROLE, apply_verifications
from binance_leaks.pipeline.triage import published
from binance_leaks.verification import Verification


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """What one repository adds to a credential.

    `roles` maps the roles of its locations to those that they have in the credential. A location whose role is not in
    it belongs to another credential.
    """

    held: Holding
    roles: Mapping[Role, Role]

    def without(self, digests: Set[str]) -> Member | None:
        """Remove the locations of these values; None where no value is left."""
        kept = {value.role for value in self.held.values if value.sha256 not in digests}
        roles = {before: after for before, after in self.roles.items() if before in kept}
        return replace(self, roles=roles) if kept else None


@dataclass(frozen=True, kw_only=True, slots=True)
class FleetCredential:
    """A credential of the fleet, without occurrences: the repositories that hold it, and its verification."""

    credential: Credential
    members: tuple[Member, ...]
    verification: Verification | None = None

    @classmethod
    def of(cls, values: Iterable[Value], members: Sequence[Member]) -> FleetCredential:
        """Make the credential of these values: the most prudent environment, the highest confidence."""
        distinct = distinct_values(values)
        credential = Credential(
            values=distinct,
            occurrences=(),
            environment=_environment(members),
            confidence=max(member.held.confidence for member in members),
            evidence=_evidence(members),
            known_example=are_published(distinct),
        )
        return cls(credential=credential, members=tuple(members))

    @property
    def digests(self) -> frozenset[str]:
        """The digests of its values."""
        return frozenset(value.sha256 for value in self.credential.values)

    @property
    def identifying(self) -> frozenset[str]:
        """The digests that identify it: those of its API key, or of all its values if it has none."""
        keys = frozenset(value.sha256 for value in self.credential.values if value.role is Role.API_KEY)
        return keys or self.digests

    @property
    def repositories(self) -> frozenset[str]:
        """The keys of the repositories that hold it."""
        return frozenset(member.held.repository for member in self.members)

    @property
    def suppression(self) -> Suppression | None:
        """Why it does not fail: it is suppressed in every repository that holds it, or all its values are published.

        Where a published value is part of a real credential, that credential counts.
        """
        if self.credential.known_example:
            return published(self.credential)
        given = [member.held.suppressed for member in self.members]
        known = [each for each in given if each is not None]
        if len(known) < len(given):
            return None
        return next((each for each in known if each.by is not SuppressedBy.KNOWN_EXAMPLE), known[0])

    def with_credential(self, credential: Credential) -> FleetCredential:
        """Replace the judgement of the credential; its values remain."""
        return replace(self, credential=credential)

    def swapped(self) -> FleetCredential:
        """Exchange key and secret."""
        members = [
            replace(member, roles={before: OTHER_ROLE[after] for before, after in member.roles.items()})
            for member in self.members
        ]
        return FleetCredential.of([in_role(value, OTHER_ROLE[value.role]) for value in self.credential.values], members)

    def joined(self, other: FleetCredential) -> FleetCredential:
        """Add the repositories that hold the same credential."""
        values = (*self.credential.values, *other.credential.values)
        return FleetCredential.of(values, (*self.members, *other.members))

    def without(self, digests: Set[str]) -> FleetCredential | None:
        """Remove these values; None where none is left.

        Locations remain that may be of another value.
        """
        values = [value for value in self.credential.values if value.sha256 not in digests]
        members = [kept for member in self.members if (kept := member.without(digests)) is not None]
        return FleetCredential.of(values, members) if values and members else None

    def with_value_of(self, digest: str, other: FleetCredential) -> FleetCredential:
        """Add one value of another credential, with the repositories that hold it there."""
        taken = {value.sha256: value for value in other.credential.values if value.sha256 == digest}
        members = []
        for member in other.members:
            roles = {value.role: taken[value.sha256].role for value in member.held.values if value.sha256 in taken}
            if roles:
                members.append(Member(held=member.held, roles=roles))
        if not members:
            return self
        return FleetCredential.of((*self.credential.values, *taken.values()), (*self.members, *members))


@dataclass(frozen=True, kw_only=True, slots=True)
class _RoledHolding:
    """A holding with each of its values in the role that it has in the whole fleet."""

    held: Holding
    values: tuple[Value, ...]

    @property
    def member(self) -> Member:
        """The member with the roles of its locations turned like those of the values, where that is unambiguous."""
        turned: dict[Role, Role] = {}
        for before, after in zip(self.held.values, self.values, strict=True):
            turned[before.role] = after.role if turned.get(before.role, after.role) is after.role else before.role
        return Member(held=self.held, roles=turned)


def merge(held: Iterable[Holding], found: Mapping[str, Verification]) -> list[FleetCredential]:
    """Merge what repositories hold into one group per credential, and apply verifications, by credential id.

    The result does not depend on the order of `held`.
    """
    settled = _with_settled_roles(sorted(held, key=_weight))
    groups = [_group(each) for each in group_by_value(settled, lambda each: each.values)]
    return [replace(group, verification=answer) for group, answer in apply_verifications(groups, found)]


def _environment(members: Sequence[Member]) -> Environment:
    """The most prudent environment; unknown if one says test system and another says nothing."""
    environment = most_prudent(member.held.environment for member in members)
    silent = (
        member.held.environment is Environment.UNKNOWN and member.held.confidence > Confidence.LOW for member in members
    )
    return Environment.UNKNOWN if environment.facts.play_money and any(silent) else environment


def in_role(value: Value, role: Role) -> Value:
    """Return the value in another role.

    A key that turns out to be a secret shows its first characters only.
    """
    if value.role is role:
        return value
    start, mark, _ = value.masked.partition("…")
    return replace(value.in_role(role), masked=start + mark if role is Role.SECRET_KEY else value.masked)


def _weight(held: Holding) -> tuple[int, bool, int, str, str]:
    """Sort key: pairs first, undecided values last, then by confidence; the same order on every machine."""
    return -len(held.values), UNDECIDED in held.evidence, -held.confidence.rank, held.repository, held.credential


def _with_settled_roles(ordered: Iterable[Holding]) -> list[_RoledHolding]:
    """Give each value one role: that of the first finding, by weight."""
    roles: dict[str, Role] = {}
    settled = []
    for held in ordered:
        values = tuple(in_role(value, roles.setdefault(value.sha256, value.role)) for value in held.values)
        settled.append(_RoledHolding(held=held, values=values))
    return settled


def _group(settled: Sequence[_RoledHolding]) -> FleetCredential:
    members = tuple(
        sorted(
            (each.member for each in settled),
            key=lambda each: (each.held.label, each.held.repository, each.held.credential),
        )
    )
    return FleetCredential.of((value for each in settled for value in each.values), tuple(members))


def _evidence(members: Sequence[Member]) -> tuple[str, ...]:
    """Select evidence: the best of each repository before the second best of any."""
    places: dict[str, int] = {}
    undecided = all(UNDECIDED in member.held.evidence for member in members)
    environments = {member.held.environment for member in members} - {Environment.UNKNOWN}
    if len(environments) > 1:
        places[describe_disagreement("repositories", environments)] = -1
    for member in members:
        for place, text in enumerate(member.held.evidence):
            if text == UNDECIDED and not undecided:
                continue
            places[text] = min(place, places.get(text, place))
    return tuple(sorted(places, key=lambda text: (places[text], text))[:MOST_EVIDENCE])
