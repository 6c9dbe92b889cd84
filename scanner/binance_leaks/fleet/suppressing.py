"""What takes a credential of a fleet out of the gate."""

from __future__ import annotations

from binance_leaks.findings import SuppressedBy, Suppression
from binance_leaks.fleet.merge_credentials import Group
from binance_leaks.pipeline.triage import published


def suppression(group: Group) -> Suppression | None:
    """A credential is suppressed only if it is in every repository that holds it.

    Documented values need nothing else to be suppressed; where one is part of a real credential that one counts.
    """
    if group.credential.known_example:
        return published(group.credential)
    given = [member.held.suppressed for member in group.members]
    said = [one for one in given if one is not None]
    if len(said) < len(given):
        return None
    return next((one for one in said if one.by is not SuppressedBy.KNOWN_EXAMPLE), said[0])
