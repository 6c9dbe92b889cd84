"""Which key goes with which secret, within one document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from binance_leaks.detect.candidates import Shape
from binance_leaks.detect.classify import Mark
from binance_leaks.detect.document import Document
from binance_leaks.detect.names import Strength
from binance_leaks.model import Environment, Role

_NEAR_LINES = 40
_NEIGHBOURS = 12
_UNNAMED_LINES = 2


def pairs_of(document: Document, marks: Sequence[Mark]) -> list[tuple[int, int]]:
    """Indices of keys with those of their secrets, no index twice.

    First what position says (`Client("K", "S")`), then equal names of accounts (`KEY_2` with `SECRET_2`), then lists of
    keys beside lists of secrets, then the nearest, and last the only two that are left, however far apart.
    """
    free = set(range(len(marks)))
    pairs: list[tuple[int, int]] = []

    def take(first: int, second: int) -> None:
        key, secret = (first, second) if marks[first].role is Role.API_KEY else (second, first)
        free.difference_update((key, secret))
        pairs.append((key, secret))

    for index, mark in enumerate(marks):
        partner = mark.partner
        if partner is not None and index in free and partner in free and mark.role is not marks[partner].role:
            take(index, partner)
    for _, first, second in sorted(_edges(document, marks, same_stem=True)):
        if first in free and second in free:
            take(first, second)
    for first, second in _parallel_lists(marks, sorted(free)):
        take(first, second)
    for _, first, second in sorted(_edges(document, marks, same_stem=False)):
        if first in free and second in free:
            take(first, second)
    left = _only_two(marks, sorted(free))
    if left:
        take(*left)
    return pairs


def compatible(first: Mark, second: Mark) -> bool:
    """Whether two values can be halves of one credential at all."""
    if (first.role is Role.API_KEY) == (second.role is Role.API_KEY):
        return False
    if first.occurrence.value.sha256 == second.occurrence.value.sha256:
        return False
    shapes = {first.shape, second.shape} - {None}
    if len(shapes) > 1 or (None in (first.shape, second.shape) and shapes != {Shape.BASE62}):
        return False
    one, other = first.occurrence, second.occurrence
    return one.foreign == other.foreign and not stems_conflict(one.stem, other.stem)


def stems_conflict(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two names are of different accounts: neither's words are all in the other's."""
    return bool(one) and bool(other) and not (set(one) <= set(other) or set(other) <= set(one))


def same_world(one: Environment, other: Environment) -> bool:
    """Whether two environments can be one: real money on both sides, or play money on both."""
    if Environment.UNKNOWN in (one, other):
        return True
    return one.facts.play_money == other.facts.play_money


def _edges(document: Document, marks: Sequence[Mark], *, same_stem: bool) -> Iterator[tuple[float, int, int]]:
    """Possible pairs with their cost: lines between, with an extra for what separates accounts."""
    for first, mark in enumerate(marks):
        reach = len(marks) if same_stem and mark.occurrence.stem and len(marks) <= 400 else first + 1 + _NEIGHBOURS
        for second in range(first + 1, min(reach, len(marks))):
            other = marks[second]
            if not compatible(mark, other):
                continue
            equal = bool(mark.occurrence.stem) and mark.occurrence.stem == other.occurrence.stem
            if same_stem and not equal:
                continue
            lines = document.line_index(other.start) - document.line_index(mark.end - 1)
            if not equal and lines > (
                _UNNAMED_LINES if Strength.NONE in (mark.strength, other.strength) else _NEAR_LINES
            ):
                break
            yield lines + _separation(document, mark, other), first, second


def _separation(document: Document, mark: Mark, other: Mark) -> float:
    between = document.text[mark.end : min(other.start, mark.end + 2000)]
    cost = 0.0
    if "\n\n" in between or "\r\n\r\n" in between:
        cost += 3
    if "}" in between or "\n[" in between or ("</" in between and between.count("</") > 2):
        cost += 3
    if mark.occurrence.stem != other.occurrence.stem:
        cost += 2
    if mark.binance != other.binance:
        cost += 1.5
    if not same_world(mark.occurrence.environment, other.occurrence.environment):
        cost += 10
    return cost


def _parallel_lists(marks: Sequence[Mark], free: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Several keys in a row and then as many secrets, or the reverse: the first with the first, and so on."""
    runs = [list(run) for _, run in groupby(free, key=lambda index: marks[index].role is Role.API_KEY)]
    at = 0
    while at + 1 < len(runs):
        one, other = runs[at], runs[at + 1]
        if len(one) == len(other) > 1 and all(compatible(marks[i], marks[j]) for i, j in zip(one, other, strict=True)):
            yield from zip(one, other, strict=True)
            at += 2
        else:
            at += 1


def _only_two(marks: Sequence[Mark], free: Sequence[int]) -> tuple[int, int] | None:
    """The one key and the one secret that are left, if they were named and nothing speaks against them."""
    by_role: dict[bool, set[str]] = {True: set(), False: set()}
    for index in free:
        by_role[marks[index].role is Role.API_KEY].add(marks[index].occurrence.value.sha256)
    if len(by_role[True]) != 1 or len(by_role[False]) != 1:
        return None
    first = next(index for index in free if marks[index].role is Role.API_KEY)
    second = next(index for index in free if marks[index].role is not Role.API_KEY)
    one, other = marks[first], marks[second]
    named = Strength.NONE not in (one.strength, other.strength)
    if named and compatible(one, other) and same_world(one.occurrence.environment, other.occurrence.environment):
        return first, second
    return None
