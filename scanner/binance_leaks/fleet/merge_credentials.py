"""One credential out of what the repositories of a fleet hold of it: the same key, and the secrets that go with it.

Repositories speak for each other: what is beyond doubt in one of them is so in all that hold it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from binance_leaks.detect.correlate import MOST_EVIDENCE, PRUDENT
from binance_leaks.detect.published import published_as
from binance_leaks.fleet.models import Held
from binance_leaks.model import Confidence, Credential, Environment, Role, Value
from binance_leaks.risk import is_play_money
from binance_leaks.verification import Verification


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """What one repository adds to a credential.

    `roles` maps the roles of its places to those that they have in the credential. A place whose role is not in it
    belongs to another credential.
    """

    held: Held
    roles: Mapping[Role, Role]


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """A credential of the fleet, without sightings, with those that hold it and what Binance answered about it."""

    credential: Credential
    members: tuple[Member, ...]
    verification: Verification | None = None

    @property
    def digests(self) -> frozenset[str]:
        """The digests of its values."""
        return frozenset(value.sha256 for value in self.credential.values)

    @property
    def leading(self) -> frozenset[str]:
        """The digests of its API key, or of all its values if it has none: what makes it the same credential."""
        keys = frozenset(value.sha256 for value in self.credential.values if value.role is Role.API_KEY)
        return keys or self.digests


@dataclass(frozen=True, kw_only=True, slots=True)
class _Settled:
    """A finding with each of its values in the role that it has in the whole fleet."""

    held: Held
    values: tuple[Value, ...]

    def joins(self, digest: str) -> bool:
        """A key takes its credential with it; a secret only where it is alone (two keys beside one secret stay two)."""
        return len(self.values) == 1 or any(
            value.sha256 == digest and value.role is Role.API_KEY for value in self.values
        )

    @property
    def member(self) -> Member:
        """With the roles of places turned as those of the values; where that is not clear they stay."""
        turned: dict[Role, Role] = {}
        for before, after in zip(self.held.values, self.values, strict=True):
            turned[before.role] = after.role if turned.get(before.role, after.role) is after.role else before.role
        return Member(held=self.held, roles=turned)


def grouped(held: Iterable[Held]) -> list[Group]:
    """One group per credential, whatever the order of what is held."""
    ordered = sorted(held, key=_by_weight)
    groups: dict[str, list[_Settled]] = {}
    owners: dict[str, str] = {}
    for each in sorted(_with_settled_roles(ordered), key=lambda settled: -len(settled.values)):
        digests = [value.sha256 for value in each.values]
        owner = next((owners[one] for one in digests if one in owners and each.joins(one)), _id(each.values))
        groups.setdefault(owner, []).append(each)
        for one in digests:
            owners.setdefault(one, owner)
    return [_group(settled) for settled in groups.values()]


def credential_of(values: Iterable[Value], members: Sequence[Member]) -> Credential:
    """The credential of these values: the most prudent environment that is said, the highest confidence.

    A repository that says test system does not speak for another one that holds it and says nothing.
    """
    kept = {(value.role, value.sha256): value for value in values}
    roles = list(Role)
    ordered = tuple(kept[key] for key in sorted(kept, key=lambda key: (roles.index(key[0]), key[1])))
    return Credential(
        values=ordered,
        sightings=(),
        environment=_environment(members),
        confidence=max(member.held.confidence for member in members),
        evidence=_evidence(members),
        known_example=all(published_as(value.sha256) is not None for value in ordered),
    )


def _environment(members: Sequence[Member]) -> Environment:
    told = {member.held.environment for member in members}
    environment = next(each for each in PRUDENT if each in told)
    silent = (
        member.held.environment is Environment.UNKNOWN and member.held.confidence > Confidence.LOW for member in members
    )
    return Environment.UNKNOWN if is_play_money(environment) and any(silent) else environment


def in_role(value: Value, role: Role) -> Value:
    """The value in another role; a key that turns out to be a secret shows its first characters only."""
    if value.role is role:
        return value
    start, mark, _ = value.masked.partition("…")
    return replace(value.in_role(role), masked=start + mark if role is Role.SECRET_KEY else value.masked)


def _by_weight(held: Held) -> tuple[int, int, str, str]:
    """Those first that know most: whole pairs, then the surest; the same order on every machine."""
    return -len(held.values), -held.confidence.rank, held.repository, held.credential


def _with_settled_roles(ordered: Iterable[Held]) -> list[_Settled]:
    """A value that has several roles takes that of the finding that knows most."""
    roles: dict[str, Role] = {}
    settled = []
    for held in ordered:
        values = tuple(in_role(value, roles.setdefault(value.sha256, value.role)) for value in held.values)
        settled.append(_Settled(held=held, values=values))
    return settled


def _group(settled: Sequence[_Settled]) -> Group:
    members = tuple(sorted((each.member for each in settled), key=lambda member: _by_place(member.held)))
    values = (value for each in settled for value in each.values)
    return Group(credential=credential_of(values, members), members=members)


def _by_place(held: Held) -> tuple[str, str, str]:
    return held.label, held.repository, held.credential


def _evidence(members: Iterable[Member]) -> tuple[str, ...]:
    """The best of each repository before the second best of any."""
    places: dict[str, int] = {}
    for member in members:
        for place, text in enumerate(member.held.evidence):
            places[text] = min(place, places.get(text, place))
    return tuple(sorted(places, key=lambda text: (places[text], text))[:MOST_EVIDENCE])


def _id(values: Sequence[Value]) -> str:
    return min(value.sha256 for value in values if value.role is Role.API_KEY or _keyless(values))


def _keyless(values: Sequence[Value]) -> bool:
    return all(value.role is not Role.API_KEY for value in values)
