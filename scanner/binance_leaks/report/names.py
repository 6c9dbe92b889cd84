"""The names by which reports call what a finding is, and what they say of it in a few words of their own.

Nothing here was written by a stranger, but for masks out of a stored report, which pass `printable`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from binance_leaks.findings import Finding, Mark, Result, Skipped
from binance_leaks.model import Exposure, Kind, Role
from binance_leaks.report.sanitize import printable

KIND_NAMES: Mapping[Kind, str] = MappingProxyType(
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
EXPOSURE_NAMES: Mapping[Exposure, str] = MappingProxyType(
    {
        Exposure.STAGED: "added in this commit",
        Exposure.PRESENT: "there today",
        Exposure.HISTORY: "only in older commits",
        Exposure.MESSAGE: "in a message",
        Exposure.UNREACHABLE: "only in the object database, no branch or tag leads to it",
    }
)
MARK_NAMES: Mapping[Mark, str] = MappingProxyType({Mark.NEW: "NEW", Mark.STILL_THERE: "still there", Mark.GONE: "gone"})
_ROLES = tuple(Role)
UNNAMED = "(unnamed)"
"""In place of a name that is empty."""

REST = Skipped(what="the rest of the scan", why="interrupted")


def title(finding: Finding) -> str:
    """What it is, in which environment: `Binance key pair, mainnet`."""
    kind = KIND_NAMES[finding.kind].removeprefix("Binance ")
    return f"Binance {kind}, {finding.environment.facts.title}"


def masked(finding: Finding) -> str:
    """Its values with their roles, masked: `API key abcd…wxyz, secret key efgh…`."""
    return ", ".join(f"{name} {mask}" for name, mask in masks(finding))


def masks(finding: Finding) -> list[tuple[str, str]]:
    """The names and masks of its values, in the order of their roles."""
    values = sorted(finding.values, key=lambda value: _ROLES.index(value.role))
    return [(ROLE_NAMES[value.role], printable(value.masked).removeprefix("private key, ")) for value in values]


def exposed(exposure: Exposure, mark: Mark | None) -> str:
    """How a value is exposed, in words that hold for one that is gone too."""
    return "there in an earlier run" if mark is Mark.GONE and exposure is Exposure.PRESENT else EXPOSURE_NAMES[exposure]


def passes_because(finding: Finding) -> str:
    """Why the gate lets it pass, a sentence; empty if it does not."""
    if finding.suppressed is not None:
        return f"Suppressed ({finding.suppressed.by.value})."
    if finding.fails:
        return ""
    if finding.mark is Mark.GONE:
        return "It is gone: no repository of this run holds it, these are the places of an earlier one."
    return "Its risk is below the gate." if finding.is_new else "It stood there before this change."


def unread(result: Result) -> list[Skipped]:
    """What was not read and could have held a credential, with the rest of a scan that was interrupted."""
    lost = [skipped for skipped in result.skipped if skipped.lost]
    return [*lost, REST] if result.interrupted else lost


def left_out(result: Result) -> list[Skipped]:
    """What was not read, and nothing is lost by that."""
    return [skipped for skipped in result.skipped if not skipped.lost]


def shown(result: Result, *, show_suppressed: bool) -> tuple[Finding, ...]:
    """The findings of a report; the suppressed ones follow if they are asked for."""
    return (*result.findings, *result.suppressed) if show_suppressed else result.findings


def statistics(result: Result) -> dict[str, int | float]:
    """The counts of the scan, that of suppressed findings too, which a stored report keeps even if it lists none."""
    counts = result.stats.counts()
    return {**counts, "suppressed": counts.get("suppressed", len(result.suppressed))}
