"""Occurrences made into credentials: built, merged, paired across files, settled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from binance_leaks.detect import rules
from binance_leaks.detect.confidence import confidence_of
from binance_leaks.detect.pairing import same_world, stems_conflict
from binance_leaks.detect.published import published_as
from binance_leaks.environments import most_prudent
from binance_leaks.model import Confidence, Credential, Evidence, Grade, Occurrence, Role, Value

_T = TypeVar("_T")

MOST_EVIDENCE = 12


def credential_of(occurrences: Sequence[Occurrence]) -> Credential:
    """The credential that some occurrences of one key, of one secret, or of both make up."""
    values = distinct_values(occurrence.value for occurrence in occurrences)
    return Credential(
        values=values,
        occurrences=tuple(sorted(occurrences, key=_place)),
        environment=most_prudent(occurrence.environment for occurrence in occurrences),
        confidence=confidence_of(occurrences),
        evidence=_evidence(occurrences),
        known_example=are_published(values),
    )


def distinct_values(values: Iterable[Value]) -> tuple[Value, ...]:
    """Return each value once per role, keys first, in an order that does not depend on the input's."""
    roles = list(Role)
    distinct: dict[tuple[int, str], Value] = {}
    for value in values:
        distinct.setdefault((roles.index(value.role), value.sha256), value)
    return tuple(distinct[key] for key in sorted(distinct))


def are_published(values: Sequence[Value]) -> bool:
    """Whether all of these values are examples from public documents."""
    return all(published_as(value.sha256) is not None for value in values)


def merged(credentials: Iterable[Credential]) -> tuple[Credential, ...]:
    """One credential per identity, with all occurrences of its values; a lone secret goes to the pair that holds it.

    A value that has different roles in different places takes the role that a name gave it.
    """
    known = sorted(credentials, key=lambda credential: [_place(occurrence) for occurrence in credential.occurrences])
    groups = group_by_value(_with_settled_roles(known), lambda credential: credential.values)
    return tuple(
        credential_of(_unique(occurrence for credential in group for occurrence in credential.occurrences))
        for group in groups
    )


def group_by_value(findings: Iterable[_T], values_of: Callable[[_T], Sequence[Value]]) -> list[list[_T]]:
    """Group the findings that are one credential: those of one key, and lone halves with the pair that has them.

    `values_of` gives the values of a finding, each in the role that it has in all findings. Two keys beside one secret
    remain two credentials.
    """
    groups: dict[str, list[_T]] = {}
    owners: dict[str, str] = {}
    for finding in sorted(findings, key=lambda finding: -len(values_of(finding))):
        values = values_of(finding)
        keys = [value.sha256 for value in values if value.role is Role.API_KEY]
        digests = [value.sha256 for value in values]
        shared = digests if len(values) == 1 else [digest for digest in digests if digest in keys]
        owner = next((owners[digest] for digest in shared if digest in owners), min(keys or digests))
        groups.setdefault(owner, []).append(finding)
        for digest in digests:
            owners.setdefault(digest, owner)
    return list(groups.values())


def _with_settled_roles(credentials: Sequence[Credential]) -> list[Credential]:
    roles: dict[str, tuple[bool, int, Role]] = {}
    for credential in credentials:
        for occurrence in credential.occurrences:
            rank = (occurrence.named, len(credential.values), occurrence.value.role)
            held = roles.get(occurrence.value.sha256)
            if held is None or rank[:2] > held[:2]:
                roles[occurrence.value.sha256] = rank
    settled = []
    for credential in credentials:
        occurrences = [occurrence.in_role(roles[occurrence.value.sha256][2]) for occurrence in credential.occurrences]
        settled.append(credential if occurrences == list(credential.occurrences) else credential_of(occurrences))
    return settled


def paired_across(credentials: Iterable[Credential]) -> tuple[Credential, ...]:
    """The credentials with lone keys and lone secrets of different files paired, as `.env` with `settings.py`.

    A lone key and a lone secret belong together if each is the other's best partner and no second one is as good:
    names of the same account first, then the nearest folder. Where that is not clear they stay alone.
    """
    credentials = merged(credentials)
    keys = [credential for credential in credentials if _is_lone(credential, key=True)]
    secrets = [credential for credential in credentials if _is_lone(credential, key=False)]
    if not keys or not secrets or len(keys) * len(secrets) > 1_000_000:
        return credentials
    best_of_keys = {key.id: _best(key, secrets) for key in keys}
    best_of_secrets = {secret.id: _best(secret, keys) for secret in secrets}
    joined: dict[str, Credential] = {}
    for key in keys:
        secret = best_of_keys[key.id]
        if secret is None or best_of_secrets[secret.id] is not key:
            continue
        pair = credential_of((*key.occurrences, *secret.occurrences))
        joined[key.id] = joined[secret.id] = pair
    result = {
        (joined.get(credential.id) or credential).id: joined.get(credential.id) or credential
        for credential in credentials
    }
    return tuple(result.values())


def _is_lone(credential: Credential, *, key: bool) -> bool:
    if (
        len(credential.values) != 1
        or (credential.values[0].role is Role.API_KEY) is not key
        or credential.known_example
    ):
        return False
    if not key and credential.values[0].role is Role.PRIVATE_KEY:
        return any(evidence.for_binance for occurrence in credential.occurrences for evidence in occurrence.evidence)
    return any(occurrence.named and not occurrence.foreign for occurrence in credential.occurrences)


def _best(credential: Credential, others: Sequence[Credential]) -> Credential | None:
    """The one best partner, None where there is none or two are as good."""
    ranked = sorted(
        ((cost, index) for index, other in enumerate(others) if (cost := _distance(credential, other)) is not None),
    )
    if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return None
    return others[ranked[0][1]]


def _distance(one: Credential, other: Credential) -> tuple[int, int] | None:
    """How badly two lone halves fit: by the names of their accounts, then by folders between; None for not at all."""
    best: tuple[int, int] | None = None
    for first in one.occurrences[:8]:
        for second in other.occurrences[:8]:
            cost = _occurrence_distance(first, second)
            if cost is not None and (best is None or cost < best):
                best = cost
    return best


def _occurrence_distance(first: Occurrence, second: Occurrence) -> tuple[int, int] | None:
    if first.rule != second.rule and not {first.rule, second.rule} <= rules.OF_ONE_ACCOUNT:
        return None
    if stems_conflict(first.stem, second.stem) or not same_world(first.environment, second.environment):
        return None
    speaks = all(any(evidence.for_binance for evidence in occurrence.evidence) for occurrence in (first, second))
    folders = _folders_between(first.location.path, second.location.path)
    if folders > (_FAR if speaks else _NEAR):
        return None
    return (0 if first.stem == second.stem else 1), folders


_FAR, _NEAR = 6, 0


def _folders_between(one: str, other: str) -> int:
    """Steps from folder to folder; 0 for files side by side."""
    first, second = one.split("/")[:-1], other.split("/")[:-1]
    common = 0
    for left, right in zip(first, second, strict=False):
        if left != right:
            break
        common += 1
    return len(first) + len(second) - 2 * common


def settled(credentials: Iterable[Credential]) -> tuple[Credential, ...]:
    """The credentials without those private keys that nothing ties to Binance."""
    return tuple(
        credential
        for credential in credentials
        if credential.values[0].role is not Role.PRIVATE_KEY
        or any(evidence.for_binance for occurrence in credential.occurrences for evidence in occurrence.evidence)
    )


def with_evidence(credential: Credential, evidence: Evidence) -> Credential:
    """The credential, judged again with something that speaks for it from outside its files."""
    occurrences = [
        replace(occurrence, evidence=(*occurrence.evidence, evidence)) for occurrence in credential.occurrences
    ]
    environment = credential.environment
    renewed = credential_of(occurrences)
    return replace(renewed, environment=environment)


def lacks_evidence(credential: Credential) -> bool:
    """Whether a look at the files beside it could change what is thought of it."""
    if credential.confidence is Confidence.HIGH or all(occurrence.foreign for occurrence in credential.occurrences):
        return False
    grades = [
        evidence.grade
        for occurrence in credential.occurrences
        for evidence in occurrence.evidence
        if evidence.for_binance
    ]
    named = any(occurrence.named for occurrence in credential.occurrences)
    return named and not any(grade >= Grade.SIBLING for grade in grades)


def _evidence(occurrences: Sequence[Occurrence]) -> tuple[str, ...]:
    found = {evidence.text: evidence.grade.rank for occurrence in occurrences for evidence in occurrence.evidence}
    return tuple(sorted(found, key=lambda text: (-found[text], text))[:MOST_EVIDENCE])


def _place(occurrence: Occurrence) -> tuple[str, int, int, str, str]:
    location = occurrence.location
    return location.path, location.line, location.column, location.role.value, occurrence.value.sha256


def _unique(occurrences: Iterable[Occurrence]) -> list[Occurrence]:
    """One occurrence a place, the one that says most: several versions of a file may have the value there."""
    seen: dict[tuple[object, ...], Occurrence] = {}
    for occurrence in occurrences:
        key = (*_place(occurrence), occurrence.location.exposure, occurrence.location.blob)
        held = seen.setdefault(key, occurrence)
        if held is not occurrence and _weight(occurrence) > _weight(held):
            seen[key] = occurrence
    return list(seen.values())


def _weight(occurrence: Occurrence) -> tuple[int, bool]:
    return confidence_of((occurrence,)).rank, occurrence.named
