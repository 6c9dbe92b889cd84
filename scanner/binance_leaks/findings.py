"""The models of findings and of the result of a scan; all are immutable.

A *finding* is a credential with its risk, what suppresses it, and its verification by Binance.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING

from binance_leaks.lazy_dataclasses import dataclass, field_names, replace
from binance_leaks.model import Confidence, Environment, Exposure, Kind, Location, RiskLevel, Value, is_undecided

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
    """A level with its reasons in plain English."""

    level: RiskLevel
    reasons: tuple[str, ...]


class Mark(Enum):
    """What became of a credential since an earlier run over the same repositories."""

    NEW = "new"
    STILL_THERE = "still-there"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A credential with its risk: what reports show and gates count.

    `fails` is True if it fails the gate: it is introduced, and of a risk that fails in its environment. Other findings
    are shown as warnings. `verification` is None if it was not checked with Binance. In a fleet `mark` compares it with
    the run before, if there was one, and `unlisted` counts locations beyond `locations`; each repository that still has
    the finding has at least one of them.
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

        Empty where a single repository was scanned.
        """
        return tuple(sorted({place.repository for place in self.locations if place.repository is not None}))

    @property
    def is_undecided(self) -> bool:
        """Whether it is one value that may be the API key as well as the secret."""
        return is_undecided(self.kind, self.evidence)

    @property
    def exposure(self) -> Exposure:
        """The widest exposure of its locations."""
        return max(location.exposure for location in self.locations)

    @property
    def is_new(self) -> bool:
        """Whether any of its values is introduced at its location."""
        return any(not location.preexisting for location in self.locations)


class SourceKind(Enum):
    """What was scanned."""

    FILES = "files"
    STAGED = "staged"
    HISTORY = "history"
    RANGE = "range"
    FLEET = "fleet"
    MACHINE = "machine"


PARTIAL_CLONE = "not in this partial clone"
NOT_READABLE = "git cannot read it: it is damaged, or takes too much memory"
SHALLOW_CLONE = "this is a shallow clone; `git fetch --unshallow` brings the rest"
INCOMPLETE_CLONE = frozenset({PARTIAL_CLONE, SHALLOW_CLONE})
"""Reasons for which objects were not read that only the remote has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Skipped:
    """Something that was not scanned, and why.

    `lost` is True if it could have contained a credential, so that the scan is incomplete without it.
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
    """Paths that were left out though the index or a commit of the range changes them."""
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
        known = {*field_names(cls)} - {"seconds"}
        return cls(
            seconds=counts.get("seconds"), **{name: int(count) for name, count in counts.items() if name in known}
        )

    def counts(self) -> dict[str, int | float]:
        """Return what was counted, by name and in a fixed order."""
        by_name = ((name, getattr(self, name)) for name in field_names(self))
        return {name: count for name, count in by_name if count is not None}

    def plus(self, other: ScanStats) -> ScanStats:
        """Return the sums of two parts of a scan."""
        mine = self.counts()
        return self.of({**mine, **{name: mine.get(name, 0) + count for name, count in other.counts().items()}})


class Forge(Enum):
    """A kind of forge, whether it is a public one or run by somebody."""

    GITHUB = "github"
    GITLAB = "gitlab"
    BITBUCKET = "bitbucket"
    GITEA = "gitea"
    """Forgejo too, which continues it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """The repository that was scanned; name and page are untrusted text."""

    name: str
    """Its name on a known forge, or the name of its folder."""
    page: str = ""
    """Its page on a known forge, empty for others."""
    forge: Forge | None = None
    """The kind of forge that its remote is at; None where its address does not say it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """A whole scan: what reports render.

    `findings` are sorted, most severe first; suppressed ones are separate. `rebase` is set for commits that have not
    left this machine: what git rebase needs to reach the first of them that holds a value. `repository` is None where
    there is not one, or where no report needs it. `base_policy` says that what the scanned commits allow does not
    count.
    """

    source: SourceKind
    target: str
    findings: tuple[Finding, ...]
    suppressed: tuple[Finding, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    stats: ScanStats = ScanStats()
    interrupted: bool = False
    rebase: str | None = None
    repository: Repository | None = None
    base_policy: bool = False

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
