"""The words of what was judged: findings, and the result of a scan.

Everything here is immutable.

A *finding* is a credential that was judged: its risk, what allows it, what Binance answered about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import TYPE_CHECKING

from binance_leaks.model import Confidence, Environment, Exposure, Kind, Location, RiskLevel, Value

if TYPE_CHECKING:
    from binance_leaks.verification import Verification


class SuppressedBy(Enum):
    """What took a finding out of the gate."""

    INLINE = "inline"
    BASELINE = "baseline"
    CONFIG = "config"
    KNOWN_EXAMPLE = "known-example"


@dataclass(frozen=True, kw_only=True, slots=True)
class Suppression:
    """Why a finding does not count."""

    by: SuppressedBy
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Risk:
    """A level with its reasons in plain words."""

    level: RiskLevel
    reasons: tuple[str, ...]


class Mark(Enum):
    """What became of a credential since an earlier run over the same repositories."""

    NEW = "new"
    STILL_THERE = "still-there"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A credential that was judged: what reports show and gates count.

    `fails` says that the gate does not let it pass: it is new where it stands, and of a risk that fails in its
    environment. What does not fail is shown as a warning. `verification` is None if nobody was to ask Binance. In a
    fleet `mark` tells it from the run before, if there was one, and `unlisted` counts places beyond `locations`, of
    which each repository that holds it still has one.
    """

    id: str
    kind: Kind
    environment: Environment
    confidence: Confidence
    risk: Risk
    values: tuple[Value, ...]
    locations: tuple[Location, ...]
    evidence: tuple[str, ...]
    suppressed: Suppression | None = None
    fails: bool = True
    verification: Verification | None = None
    mark: Mark | None = None
    unlisted: int = 0

    @property
    def repositories(self) -> tuple[str, ...]:
        """The repositories of a fleet that hold it, sorted.

        Returns None where a single one was scanned.
        """
        return tuple(sorted({place.repository for place in self.locations if place.repository is not None}))

    @property
    def exposure(self) -> Exposure:
        """The widest exposure of its locations."""
        return max(location.exposure for location in self.locations)

    @property
    def is_new(self) -> bool:
        """Whether any of its values is new where it stands."""
        return any(not location.preexisting for location in self.locations)


class SourceKind(Enum):
    """What was scanned."""

    FILES = "files"
    STAGED = "staged"
    HISTORY = "history"
    RANGE = "range"
    FLEET = "fleet"


@dataclass(frozen=True, kw_only=True, slots=True)
class Skipped:
    """Something that was not scanned, and why.

    `lost` says that it could have held a credential, so that the scan is incomplete without it.
    """

    what: str
    why: str
    lost: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanStats:
    """What a scan counted; None for what it does not count.

    The names are those of the JSON report.
    """

    repositories: int | None = None
    """Repositories of a fleet, those that could not be scanned among them."""
    repositories_failed: int | None = None
    repositories_waiting: int | None = None
    """Repositories that the run has not reached."""
    repositories_unchanged: int | None = None
    objects: int | None = None
    """Git objects of all types that were read."""
    blobs: int | None = None
    commits: int | None = None
    messages: int | None = None
    """Messages of commits that are about to be made."""
    files: int | None = None
    bytes: int | None = None
    excluded: int | None = None
    """Paths that were left out though a commit of the range changes them."""
    seconds: float | None = None
    new: int | None = None
    """Findings that the run before did not have; so for the next two."""
    still_there: int | None = None
    gone: int | None = None
    suppressed: int | None = None
    """Findings that something allows."""
    below_confidence: int | None = None
    """Credentials that are not certain enough to be reported."""
    standing: int | None = None
    """Credentials that were there before the commits of a range."""

    @classmethod
    def of(cls, counts: Mapping[str, int | float]) -> ScanStats:
        """Return counts by name, as a report has them.

        Names that this version does not know are left out.
        """
        known = {field.name for field in fields(cls)} - {"seconds"}
        return cls(
            seconds=counts.get("seconds"), **{name: int(count) for name, count in counts.items() if name in known}
        )

    def counts(self) -> dict[str, int | float]:
        """Return what was counted, by name and in a fixed order."""
        by_name = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: count for name, count in by_name if count is not None}

    def plus(self, other: ScanStats) -> ScanStats:
        """Return the sums of two parts of a scan."""
        mine = self.counts()
        return self.of({**mine, **{name: mine.get(name, 0) + count for name, count in other.counts().items()}})


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """A whole scan: what reports render.

    `findings` are sorted, the gravest first; suppressed ones are apart.
    """

    source: SourceKind
    target: str
    findings: tuple[Finding, ...]
    suppressed: tuple[Finding, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    stats: ScanStats = ScanStats()
    interrupted: bool = False

    def without_secrets(self) -> Result:
        """The same result without the bytes of any value, as reports need none."""

        def stripped(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
            return tuple(
                replace(finding, values=tuple(value.without_secret() for value in finding.values))
                for finding in findings
            )

        return replace(self, findings=stripped(self.findings), suppressed=stripped(self.suppressed))

    @property
    def complete(self) -> bool:
        """Whether everything that could hold a credential was read."""
        return not self.interrupted and not any(skipped.lost for skipped in self.skipped)
