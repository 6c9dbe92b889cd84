"""Apply verification results to the credentials of a fleet, as `pipeline.apply_verification` does for one scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from binance_leaks.fleet.merge_credentials import Group, Member, credential_of, in_role
from binance_leaks.model import Confidence, Role, Value
from binance_leaks.pipeline.apply_verification import KNOWN, SIGNS
from binance_leaks.verification import Verification

_OTHER: Mapping[Role, Role] = MappingProxyType(
    {Role.API_KEY: Role.SECRET_KEY, Role.SECRET_KEY: Role.API_KEY, Role.PRIVATE_KEY: Role.PRIVATE_KEY}
)


def as_answered(groups: Sequence[Group], found: Mapping[str, Verification]) -> list[Group]:
    """The credentials in the light of what was found out, by their ids before or after a swap.

    A pair that was noted down the wrong way round is turned. A key goes together with the secret that signs for it,
    which then is nobody else's. What Binance knows is Binance's, and of the system that knows it.
    """
    turned = _united([_answered(group, found) for group in groups])
    owners = {
        group.verification.secret: group.credential.id
        for group in turned
        if group.verification is not None
        and group.verification.secret is not None
        and group.verification.verdict in SIGNS
        and group.credential.has_key
    }
    if not owners:
        return [_surer(group) for group in turned]
    sources = {digest: [group for group in turned if digest in group.digests] for digest in owners}
    settled = (_settled(group, owners, sources) for group in turned)
    return [_surer(group) for group in settled if group is not None]


def _answered(group: Group, found: Mapping[str, Verification]) -> Group:
    answer = found.get(group.credential.id) or _answer_to_swapped(group, found)
    if answer is None:
        return group
    return replace(_turned(group) if answer.swapped else group, verification=answer)


def _answer_to_swapped(group: Group, found: Mapping[str, Verification]) -> Verification | None:
    """The answer that stands under the id that the credential has once it is turned."""
    turned = _turned(group)
    answer = found.get(turned.credential.id)
    return answer if answer is not None and answer.swapped else None


def _turned(group: Group) -> Group:
    """Key and secret exchanged."""
    members = tuple(
        replace(member, roles={before: _OTHER[after] for before, after in member.roles.items()})
        for member in group.members
    )
    values = [in_role(value, _OTHER[value.role]) for value in group.credential.values]
    return replace(group, credential=credential_of(values, members), members=members)


def _united(groups: Sequence[Group]) -> list[Group]:
    """One group per id: a pair that was turned may be noted down the right way round elsewhere."""
    united: dict[str, Group] = {}
    for group in groups:
        name = group.credential.id
        held = united.get(name)
        if held is None:
            united[name] = group
            continue
        members = (*held.members, *group.members)
        values = (*held.credential.values, *group.credential.values)
        united[name] = Group(
            credential=credential_of(values, members),
            members=members,
            verification=held.verification or group.verification,
        )
    return list(united.values())


def _settled(group: Group, owners: Mapping[str, str], sources: Mapping[str, Sequence[Group]]) -> Group | None:
    """The credential with the secrets that are its own, from where they were; None where nothing of it is left."""
    name = group.credential.id
    lost = {digest for digest in group.digests if owners.get(digest, name) != name}
    values = [value for value in group.credential.values if value.sha256 not in lost]
    members = [kept for member in group.members if (kept := _without(member, lost)) is not None]
    answer = group.verification
    own = answer.secret if answer is not None and owners.get(answer.secret or "") == name else None
    for other in sources[own] if own is not None else ():
        if other is not group:
            taken = [value for value in other.credential.values if value.sha256 == own]
            values += taken
            members += _holding(taken, other)
    if not values or not members:
        return None
    if not lost and len(members) == len(group.members):
        return group
    return replace(group, credential=credential_of(values, members), members=tuple(members))


def _without(member: Member, lost: set[str]) -> Member | None:
    """The member without the places of values that belong elsewhere; those stay that may be of another value."""
    kept = {value.role for value in member.held.values if value.sha256 not in lost}
    if not kept:
        return None
    return replace(member, roles={before: after for before, after in member.roles.items() if before in kept})


def _holding(taken: Sequence[Value], other: Group) -> list[Member]:
    """The members of another credential that hold these values of it, with the places of their roles."""
    digests = {value.sha256: value.role for value in taken}
    found = []
    for member in other.members:
        roles = {value.role: digests[value.sha256] for value in member.held.values if value.sha256 in digests}
        if roles:
            found.append(Member(held=member.held, roles=roles))
    return found


def _surer(group: Group) -> Group:
    answer = group.verification
    if answer is None or answer.verdict not in KNOWN or answer.host is None:
        return group
    return replace(
        group,
        credential=replace(
            group.credential,
            confidence=Confidence.HIGH,
            evidence=(f"{answer.host} knows it", *group.credential.evidence),
            environment=answer.environment or group.credential.environment,
        ),
    )
