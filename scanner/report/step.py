"""One step of advice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing to do. `verbatim` are lines to copy as they are."""

    text: str
    verbatim: tuple[str, ...] = ()
