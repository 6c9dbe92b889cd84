"""Credentials made of occurrences: build, merge, judge again with evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from itertools import groupby
from typing import NamedTuple, TypeVar

from binance_leaks.detect.confidence import OF_THE_TEXT, confidence_of
from binance_leaks.detect.names import is_credential_file
from binance_leaks.detect.published import published_as
from binance_leaks.environments import Environment, most_prudent
from binance_leaks.lazy_dataclasses import replace
from binance_leaks.model import UNDECIDED, Confidence, Credential, Evidence, Grade, Kind, Occurrence, Role, Value

_T = TypeVar("_T")

MOST_EVIDENCE = 12


class Group(NamedTuple):
    """Occurrences of one credential that has yet to be judged."""

    values: tuple[Value, ...]
    occurrences: tuple[Occurrence, ...]

    @classmethod
    def of(cls, *occurrences: Occurrence) -> Group:
        """A group of these occurrences."""
        return cls(values=distinct_values(each.value for each in occurrences), occurrences=_in_order(occurrences))


def credential_of(occurrences: Sequence[Occurrence]) -> Credential:
    """Build the credential of which these are the occurrences: of one key, of one secret, or of both."""
    values = distinct_values(occurrence.value for occurrence in occurrences)
    halves = _environments(occurrences)
    return Credential(
        values=values,
        occurrences=_in_order(occurrences),
        environment=_environment_of_halves(halves),
        confidence=confidence_of(occurrences),
        evidence=_evidence(occurrences, halves),
        known_example=are_published(values),
    )


def _in_order(occurrences: Sequence[Occurrence]) -> tuple[Occurrence, ...]:
    return tuple(sorted(occurrences, key=_place)) if len(occurrences) > 1 else tuple(occurrences)


def assumed_environment(occurrence: Occurrence) -> Environment:
    """What its surroundings say, else the live exchange where its file speaks of Binance."""
    if occurrence.environment is not Environment.UNKNOWN:
        return occurrence.environment
    for evidence in occurrence.evidence:
        if evidence.for_binance and evidence.grade in OF_THE_TEXT:
            return Environment.MAINNET
    return Environment.UNKNOWN


_Halves = Sequence[Set[tuple[Environment, bool]]]
"""For each half the environment in each of its files, and whether the file states it."""


def _environment_of_halves(halves: _Halves) -> Environment:
    """The environment of a credential: of those that its files state, the most prudent.

    What is stated of one half holds for the other. A file that states nothing of a half counts, with what is assumed
    there, against the files that do.
    """
    stated = [environments for environments in halves if any(is_stated for _, is_stated in environments)]
    return most_prudent(environment for environments in stated or halves for environment, _ in environments)


def _doubt(halves: _Halves) -> str | None:
    """What to report where files disagree about the environment of one value; None where they do not."""
    for environments in halves:
        named = {environment for environment, _ in environments} - {Environment.UNKNOWN}
        if len(named) > 1:
            return describe_disagreement("files", named)
    return None


def _environments(occurrences: Iterable[Occurrence]) -> _Halves:
    halves: dict[str, dict[tuple[str, str | None], list[Occurrence]]] = {}
    for occurrence in occurrences:
        location = occurrence.location
        files = halves.setdefault(occurrence.value.sha256, {})
        files.setdefault((location.path, location.blob), []).append(occurrence)
    return [{_environment_in_file(found) for found in files.values()} for files in halves.values()]


def _environment_in_file(occurrences: Sequence[Occurrence]) -> tuple[Environment, bool]:
    if len(occurrences) == 1:
        return assumed_environment(occurrences[0]), occurrences[0].environment is not Environment.UNKNOWN
    stated = {occurrence.environment for occurrence in occurrences} - {Environment.UNKNOWN}
    return most_prudent(stated or map(assumed_environment, occurrences)), bool(stated)


def distinct_values(values: Iterable[Value]) -> tuple[Value, ...]:
    """Return each value once per role, keys first, in an order that does not depend on the input's."""
    distinct: dict[tuple[Role, str], Value] = {}
    for value in values:
        distinct.setdefault((value.role, value.sha256), value)
    if len(distinct) == 1:
        return tuple(distinct.values())
    return tuple(distinct[key] for key in sorted(distinct, key=lambda key: (_ROLE_ORDER[key[0]], key[1])))


_ROLE_ORDER = {role: place for place, role in enumerate(Role)}


def are_published(values: Sequence[Value]) -> bool:
    """Whether all of these values are examples from public documents."""
    return all(published_as(value.sha256) is not None for value in values)


def merge_credentials(credentials: Iterable[Credential | Group]) -> tuple[Credential, ...]:
    """Merge to one credential per identity, with all its occurrences; a lone secret joins the pair that has it.

    A value with different roles in different places takes the role that a name gave it.
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


def _with_settled_roles(credentials: Sequence[Credential | Group]) -> list[Credential | Group]:
    roles: dict[str, tuple[bool, int, Role]] = {}
    for credential in credentials:
        for occurrence in credential.occurrences:
            rank = (occurrence.named, len(credential.values), occurrence.value.role)
            held = roles.get(occurrence.value.sha256)
            if held is None or rank[:2] > held[:2]:
                roles[occurrence.value.sha256] = rank
    settled: list[Credential | Group] = []
    for credential in credentials:
        occurrences = [occurrence.in_role(roles[occurrence.value.sha256][2]) for occurrence in credential.occurrences]
        if occurrences == list(credential.occurrences):
            settled.append(credential)
        elif any(occurrence.value.role is Role.API_KEY for occurrence in occurrences):
            settled.append(Group.of(*occurrences))
        else:  # two secrets are no pair
            ordered = sorted(occurrences, key=_digest)
            settled += [Group.of(*of_one) for _, of_one in groupby(ordered, key=_digest)]
    return settled


def _digest(occurrence: Occurrence) -> str:
    return occurrence.value.sha256


def drop_unrelated_private_keys(credentials: Iterable[Credential]) -> tuple[Credential, ...]:
    """Return the credentials without the private keys for which there is no evidence for Binance."""
    return tuple(
        credential
        for credential in credentials
        if credential.values[0].role is not Role.PRIVATE_KEY
        or any(evidence.for_binance for occurrence in credential.occurrences for evidence in occurrence.evidence)
    )


def with_evidence(credential: Credential, evidence: Evidence) -> Credential:
    """Return the credential, judged again with evidence from outside its files."""
    occurrences = [
        replace(occurrence, evidence=(*occurrence.evidence, evidence)) for occurrence in credential.occurrences
    ]
    environment = credential.environment
    renewed = credential_of(occurrences)
    return replace(renewed, environment=environment)


def lacks_evidence(credential: Credential) -> bool:
    """Whether evidence in the files beside it could change its confidence."""
    if credential.confidence is Confidence.HIGH or all(occurrence.foreign for occurrence in credential.occurrences):
        return False
    grades = [
        evidence.grade
        for occurrence in credential.occurrences
        for evidence in occurrence.evidence
        if evidence.for_binance
    ]
    named = any(occurrence.named for occurrence in credential.occurrences) or (
        len(credential.values) > 1
        and any(is_credential_file(occurrence.location.path) for occurrence in credential.occurrences)
    )
    return named and not any(grade >= Grade.SIBLING for grade in grades)


def _evidence(occurrences: Sequence[Occurrence], halves: _Halves) -> tuple[str, ...]:
    found = {evidence.text: evidence.grade.rank for occurrence in occurrences for evidence in occurrence.evidence}
    texts = sorted(found, key=lambda text: (-found[text], text))
    doubts = [UNDECIDED] if _are_undecided(occurrences) else []
    if (doubt := _doubt(halves)) is not None:
        doubts.append(doubt)
    return tuple(doubts + texts)[:MOST_EVIDENCE]


def _are_undecided(occurrences: Sequence[Occurrence]) -> bool:
    """Whether these are of one value to which nothing gives a role."""
    return all(occurrence.value.role is Role.API_KEY and not occurrence.named for occurrence in occurrences)


def _place(occurrence: Occurrence) -> tuple[str, int, int, str, str]:
    location = occurrence.location
    return location.path, location.line, location.column, location.role.value, occurrence.value.sha256


def _unique(occurrences: Iterable[Occurrence]) -> list[Occurrence]:
    """Keep one occurrence per place, the strongest: several versions of a file may have the value there."""
    seen: dict[tuple[object, ...], Occurrence] = {}
    for occurrence in occurrences:
        key = (*_place(occurrence), occurrence.location.exposure, occurrence.location.blob)
        held = seen.setdefault(key, occurrence)
        if held is not occurrence:
            kept, other = (occurrence, held) if _weight(occurrence) > _weight(held) else (held, occurrence)
            seen[key] = with_stated(kept, {other.environment})
    return list(seen.values())


def with_stated(occurrence: Occurrence, environments: Iterable[Environment]) -> Occurrence:
    """Return an occurrence with what other versions of its file state of its environment: the more severe counts."""
    stated = {occurrence.environment, *environments} - {Environment.UNKNOWN}
    if stated <= {occurrence.environment}:
        return occurrence
    environment = most_prudent(stated)
    if len(stated) == 1:
        return replace(occurrence, environment=environment)
    certain = occurrence.certain and all(each.facts.play_money for each in stated - {occurrence.environment})
    doubt = Evidence(
        grade=Grade.STATEMENT, text=describe_disagreement("versions of its files", stated), for_binance=False
    )
    return replace(occurrence, environment=environment, evidence=(*occurrence.evidence, doubt), certain=certain)


def describe_disagreement(what: str, environments: Set[Environment]) -> str:
    """Describe that some files, versions or repositories place a credential in different environments."""
    listed = ", ".join(each.value for each in Environment if each in environments)
    return f"{what} disagree about its environment ({listed}): the more severe one counts"


def _weight(occurrence: Occurrence) -> tuple[int, bool]:
    return confidence_of((occurrence,)).rank, occurrence.named


def mark_encrypted_beside(credentials: Sequence[Credential]) -> tuple[Credential, ...]:
    """Mark API keys that were found alone, with an encrypted private key in a file of the same folder."""
    folders = {_folder(each) for credential in credentials for each in credential.occurrences if each.encrypted}
    if not folders:
        return tuple(credentials)
    return tuple(
        replace(
            credential,
            occurrences=tuple(
                replace(each, encrypted_beside=True) if _folder(each) in folders else each
                for each in credential.occurrences
            ),
        )
        if credential.kind is Kind.API_KEY
        else credential
        for credential in credentials
    )


def _folder(occurrence: Occurrence) -> str:
    return occurrence.location.path.rpartition("/")[0]
