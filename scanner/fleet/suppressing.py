"""What takes a credential of a fleet out of the gate."""

from __future__ import annotations

from scanner.baseline.known import Label
from scanner.detect.examples import published_as
from scanner.findings import SuppressedBy, Suppression
from scanner.fleet.grouping import Group


def suppression(group: Group) -> Suppression | None:
    """A credential is suppressed only if it is in every repository that holds it: by a baseline with the gravest label.

    Documented values need nothing else to be suppressed; where one is part of a real credential that one counts.
    """
    if group.credential.known_example:
        source = published_as(group.credential.values[0].sha256)
        return Suppression(by=SuppressedBy.KNOWN_EXAMPLE, reason=f"published in {source}")
    given = [member.held.suppressed for member in group.members]
    if None in given:
        return None
    said = [one for one in given if one is not None]
    known = [one for one in said if one.by is SuppressedBy.BASELINE]
    if known:
        return max(known, key=lambda one: _label_rank(one.reason))
    return next((one for one in said if one.by is not SuppressedBy.KNOWN_EXAMPLE), said[0])


def _label_rank(reason: str) -> int:
    return next((label.rank for label in Label if label.value == reason), -1)
