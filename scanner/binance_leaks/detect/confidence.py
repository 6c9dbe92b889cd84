"""Confidence that a credential belongs to Binance, by shape, role and evidence."""

from __future__ import annotations

from collections.abc import Sequence

from binance_leaks.detect import rules
from binance_leaks.model import Confidence, Grade, Occurrence, Reading, Role

OF_THE_TEXT = frozenset({Grade.PATH, Grade.FILE, Grade.BLOCK, Grade.STATEMENT})
"""Evidence in the file or its path, not beside it."""
NEAR = frozenset({Grade.PATH, Grade.BLOCK, Grade.STATEMENT})
"""Evidence that is enough for a value without a name."""


def confidence_of(occurrences: Sequence[Occurrence]) -> Confidence:
    """Return the confidence in a credential from its occurrences, one or more of each half.

    `high` where shape, role and evidence for Binance agree; `medium` where two of the three do, or a pair has one;
    `low` for shape alone. A lone value that has the name of a credential but no evidence for Binance is `low`: in 39
    public repositories as many of those were other services' as were Binance's. A value that is another service's in
    all its occurrences is `low`; in one of several that changes nothing.
    """
    exact = [occurrence for occurrence in occurrences if occurrence.reading is Reading.EXACT]
    if not exact:
        return min(_of_recognized(occurrences), _confidence_of(occurrences))
    return _confidence_of(exact)


def _of_recognized(occurrences: Sequence[Occurrence]) -> Confidence:
    """The most confidence in what was recognized in a picture: both halves with their labels may be `high`."""
    if any(occurrence.reading is Reading.PART for occurrence in occurrences):
        return Confidence.LOW
    named = {occurrence.value.role for occurrence in occurrences if occurrence.named}
    return Confidence.HIGH if Role.API_KEY in named and len(named) > 1 else Confidence.MEDIUM


def _confidence_of(occurrences: Sequence[Occurrence]) -> Confidence:
    native = [occurrence for occurrence in occurrences if not occurrence.foreign]
    if len(native) < len(occurrences):
        if len({occurrence.value for occurrence in native}) < len({occurrence.value for occurrence in occurrences}):
            return Confidence.LOW
        occurrences = native
    grades = {evidence.grade for occurrence in occurrences for evidence in occurrence.evidence if evidence.for_binance}
    named = any(occurrence.named for occurrence in occurrences)
    roles = {occurrence.value.role for occurrence in occurrences}
    pair = Role.API_KEY in roles and len(roles) > 1
    if any(occurrence.encrypted for occurrence in occurrences):
        return Confidence.LOW
    if not grades and any(occurrence.rule in rules.STRICT for occurrence in occurrences):
        return Confidence.LOW
    if Role.PRIVATE_KEY in roles:
        return _of_private_key(grades, pair)
    if grades & OF_THE_TEXT and (named or pair):
        return Confidence.HIGH
    if grades & NEAR or (grades and named) or (pair and (named or grades)):
        return Confidence.MEDIUM
    return Confidence.LOW


def _of_private_key(grades: set[Grade], pair: bool) -> Confidence:
    if grades & NEAR:
        return Confidence.HIGH
    return Confidence.MEDIUM if grades - {Grade.REPOSITORY} or pair else Confidence.LOW
