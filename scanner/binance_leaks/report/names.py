"""Display names of kinds, environments, roles, exposures and marks, and short phrases that all formats share.

Nothing here is untrusted text except masks from a stored report, which pass `printable`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from binance_leaks.findings import Finding, Mark, Result, Skipped, SourceKind
from binance_leaks.model import Exposure, Kind, Location, Readers, Role
from binance_leaks.report.sanitize import printable

_KIND_NAMES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.KEY_PAIR: "Binance key pair",
        Kind.API_KEY: "API key without its secret",
        Kind.SECRET_KEY: "secret key",
        Kind.PRIVATE_KEY: "private key",
    }
)
ROLE_NAMES: Mapping[Role, str] = MappingProxyType(
    {Role.API_KEY: "API key", Role.SECRET_KEY: "secret key", Role.PRIVATE_KEY: "private key"}
)
_UNDECIDED_KIND = "API key or secret key"
_UNDECIDED_ROLE = "key or secret"
EXPOSURE_NAMES: Mapping[Exposure, str] = MappingProxyType(
    {
        Exposure.STAGED: "added in this commit",
        Exposure.PRESENT: "in the current files",
        Exposure.HISTORY: "only in older commits",
        Exposure.MESSAGE: "in a commit or tag message",
        Exposure.UNREACHABLE: "only in the object database, unreachable from any branch or tag",
    }
)
MARK_NAMES: Mapping[Mark, str] = MappingProxyType({Mark.NEW: "NEW", Mark.STILL_THERE: "still there", Mark.GONE: "gone"})
_READERS: Mapping[Readers | None, str] = MappingProxyType(
    {Readers.GROUP: "readable by its group", Readers.EVERYONE: "readable by every user of this machine"}
)
_ROLES = tuple(Role)
UNNAMED = "(unnamed)"
"""Shown for an empty name."""
ALREADY_THERE = "already there before this change"
PUSHED = "pushed: a remote has it"

REST = Skipped(what="the rest of the scan", why="interrupted")


def capitalize_first(text: str) -> str:
    """Return the text with its first letter as a capital, and the others unchanged."""
    return f"{text[:1].upper()}{text[1:]}"


def kind_name(finding: Finding) -> str:
    """Return what of a credential was found."""
    return _UNDECIDED_KIND if finding.is_undecided else _KIND_NAMES[finding.kind]


def role_name(finding: Finding, role: Role) -> str:
    """Return what a value of a finding is for."""
    return _UNDECIDED_ROLE if finding.is_undecided else ROLE_NAMES[role]


def title(finding: Finding) -> str:
    """Return kind and environment: `Binance key pair, mainnet`."""
    kind = kind_name(finding).removeprefix("Binance ")
    return f"Binance {kind}, {finding.environment.facts.title}"


def join_masks(finding: Finding) -> str:
    """Return its masked values with their roles: `API key abcd…wxyz, secret key efgh…`."""
    return ", ".join(f"{name} {mask}" for name, mask in named_masks(finding))


def named_masks(finding: Finding) -> list[tuple[str, str]]:
    """Return role names and masks of its values, ordered by role."""
    values = sorted(finding.values, key=lambda value: _ROLES.index(value.role))
    return [(role_name(finding, value.role), printable(value.masked).removeprefix("private key, ")) for value in values]


def readers_name(location: Location) -> str:
    """Return who can read a file besides its owner; empty if nobody can, or it is not known."""
    return _READERS.get(location.readers, "")


def exposure_name(exposure: Exposure, mark: Mark | None) -> str:
    """Return how a value is exposed, or was, for a credential that is gone."""
    return (
        "in the files of an earlier run"
        if mark is Mark.GONE and exposure is Exposure.PRESENT
        else EXPOSURE_NAMES[exposure]
    )


def pass_reason(finding: Finding) -> str:
    """Return a sentence on why it does not fail the gate; empty if it fails."""
    if finding.suppressed is not None:
        return f"Suppressed ({finding.suppressed.by.value})."
    if finding.fails:
        return ""
    if finding.mark is Mark.GONE:
        return "It is gone: no repository of this run has it; these are its locations in an earlier run."
    return "Its risk is below the gate." if finding.is_new else f"It was {ALREADY_THERE}."


def lost_items(result: Result) -> list[Skipped]:
    """Return what was not read and could hold a credential, including the rest of an interrupted scan."""
    lost = [skipped for skipped in result.skipped if skipped.lost]
    return [*lost, REST] if result.interrupted else lost


def harmless_items(result: Result) -> list[Skipped]:
    """Return what was skipped and cannot hold a credential."""
    return [skipped for skipped in result.skipped if not skipped.lost]


def skipped_phrase(result: Result) -> str:
    """Return what harmless items are: of a machine parts of places are left out, and nobody knows what is in them."""
    return "left out or read in part" if result.source is SourceKind.MACHINE else "skipped, nothing lost"


def listed_findings(result: Result, *, show_suppressed: bool) -> tuple[Finding, ...]:
    """Return the findings to list; suppressed ones follow if they are shown."""
    return (*result.findings, *result.suppressed) if show_suppressed else result.findings


def statistics(result: Result) -> dict[str, int | float]:
    """Return the counts of the scan, including suppressed findings, which a stored report counts even if unlisted."""
    counts = result.stats.counts()
    return {**counts, "suppressed": counts.get("suppressed", len(result.suppressed))}
