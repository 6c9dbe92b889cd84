"""What a scan reads: the `Source` protocol, and what a source detects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from binance_leaks.findings import ScanStats, Skipped, SourceKind
from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.masking import Secret
from binance_leaks.model import Credential, Evidence


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a source: files, objects or blobs read, bytes, credentials found."""

    done: int
    total: int | None
    """None or 0 where it is unknown."""
    bytes: int
    found: int = 0


ShowProgress = Callable[[Progress], None]


class NearbyEvidence(Protocol):
    """What is around a file: its neighbours and its repository."""

    def evidence_near(self, path: str) -> Evidence | None:
        """Return the strongest evidence for Binance beside the file at `path`, or None."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Detected:
    """What a source detected, before it is judged."""

    credentials: tuple[Credential, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    stats: ScanStats = field(default_factory=ScanStats)
    interrupted: bool = False
    nearby: NearbyEvidence | None = None
    """Evidence from outside the files; None where only the content counts."""
    reread_secrets: Callable[[], Mapping[str, Secret]] = dict
    """Read secrets, by SHA-256, that did not leave the process which found them. Verification needs them."""


D_co = TypeVar("D_co", bound=Detected, covariant=True)


class Source(Protocol[D_co]):
    """Something to scan.

    It has its own settings, reads, and detects credentials in what it reads.
    """

    @property
    def kind(self) -> SourceKind:
        """What sort of source this is."""
        ...

    @property
    def target(self) -> str:
        """What reports call it."""
        ...

    @property
    def anchor(self) -> str:
        """The folder that the paths of its locations are relative to."""
        ...

    def read(self, show: ShowProgress | None = None) -> D_co:
        """Read everything and return what was detected.

        An interrupt ends it early, with what was detected until then.

        `show` is called again and again; None without a terminal. Raises ScannerError.
        """
        ...
