"""Pair keys with their secrets within one document."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence, Set
from heapq import heappop, heappush
from itertools import groupby, repeat

from binance_leaks.detect.candidates import Shape
from binance_leaks.detect.classify import Match, are_distinct
from binance_leaks.detect.confidence import NEAR
from binance_leaks.detect.credentials import assumed_environment
from binance_leaks.detect.document import Document
from binance_leaks.detect.names import Strength, words_of
from binance_leaks.detect.vocabulary import INDISTINCT_WORDS
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Environment, Role

_NEAR_LINES = 40
_NEIGHBOURS = 12
_SAME_STEM = 24
_UNNAMED_LINES = 2
_UNNAMED_GAP = 200
_SAYS_NOTHING = 2
_LONGEST_WORD = 60
_ASSIGNED = lazy_pattern(r"([A-Za-z][\w.-]{0,40})[\"'`]?[ \t]{0,4}[:=][ \t]{0,4}[\"'`]?\Z")


def find_pairs(document: Document, matches: Sequence[Match]) -> list[tuple[int, int]]:
    """Return indices of keys with those of their secrets, no index twice.

    First by position (`Client("K", "S")`), then equal names of accounts (`KEY_2` with `SECRET_2`), then lists of
    keys beside lists of secrets, then the nearest, then the only two that are left, however far apart. Last come two
    next to each other of which nothing says which is which: the first counts as the key, unless only the other is used
    as one.
    """
    free = set(range(len(matches)))
    pairs: list[tuple[int, int]] = []

    def take(first: int, second: int) -> None:
        key, secret = (first, second) if matches[first].role is Role.API_KEY else (second, first)
        free.difference_update((key, secret))
        pairs.append((key, secret))

    for index, match in enumerate(matches):
        partner = match.partner
        if partner is None or not {index, partner} <= free:
            continue
        other = matches[partner]
        if match.role is not other.role and match.occurrence.foreign == other.occurrence.foreign:
            take(index, partner)
    places = _Places(document, matches)
    for first, second in places.cheapest(_of_same_stem(matches), free):
        take(first, second)
    for first, second in _parallel_lists(matches, sorted(free)):
        take(first, second)
    for first, second in places.cheapest(map(places.neighbours, sorted(free)), free):
        take(first, second)
    left = _only_two(matches, sorted(free))
    if left:
        take(*left)
    for first, second in _undecided(places, matches, sorted(free)):
        take(first, second)
    return pairs


def compatible(first: Match, second: Match) -> bool:
    """Whether two values can be halves of one credential at all.

    An encrypted private key, which signs nothing without its passphrase, is none: its API key is judged alone.
    """
    if (first.role is Role.API_KEY) == (second.role is Role.API_KEY):
        return False
    if not are_distinct(first, second):
        return False
    shapes = {first.shape, second.shape} - {None}
    if len(shapes) > 1 or (None in (first.shape, second.shape) and shapes != {Shape.BASE62}):
        return False
    one, other = first.occurrence, second.occurrence
    if one.encrypted or other.encrypted:
        return False
    return one.foreign == other.foreign and not stems_conflict(one.stem, other.stem)


def stems_conflict(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two names are of different accounts: neither's words are all in the other's."""
    return bool(one) and bool(other) and not (set(one) <= set(other) or set(other) <= set(one))


def same_world(one: Environment, other: Environment) -> bool:
    """Whether two environments can be one: real money on both sides, or play money on both."""
    if Environment.UNKNOWN in (one, other):
        return True
    return one.facts.play_money == other.facts.play_money


def _of_same_stem(matches: Sequence[Match]) -> Iterator[Iterator[tuple[int, int]]]:
    """For each match yield its index with those of a few that follow and whose names are of the same account."""
    by_name: dict[tuple[bool, tuple[str, ...]], list[int]] = {}
    for index, match in enumerate(matches):
        if match.occurrence.stem:
            by_name.setdefault((match.role is Role.API_KEY, match.occurrence.stem), []).append(index)
    for (is_key, stem), indices in by_name.items():
        others = by_name.get((not is_key, stem), [])
        for first in indices:
            at = bisect_right(others, first)
            yield zip(repeat(first), others[at : at + _SAME_STEM])


class _Places:
    """Where the matches of a document are, and what is between them."""

    def __init__(self, document: Document, matches: Sequence[Match]) -> None:
        self._text = document.text
        self._matches = matches
        self._keys = [index for index, match in enumerate(matches) if match.role is Role.API_KEY]
        self._secrets = [index for index, match in enumerate(matches) if match.role is not Role.API_KEY]
        self._first_lines = [document.line_index(match.start) for match in matches]
        self._last_lines = [document.line_index(match.end - 1) for match in matches]
        self._environments = [assumed_environment(match.occurrence) for match in matches]

    def cheapest(self, rows: Iterable[Iterator[tuple[int, int]]], free: Set[int]) -> Iterator[tuple[int, int]]:
        """Yield possible pairs, the one that costs least first, while both are free.

        Pairs cost the lines between, and more for what separates accounts; a row has those of one match, in order. What
        separates them is sought only for those that are next by the lines.
        """
        queue: list[tuple[float, int, int, bool, Iterator[tuple[int, int]]]] = []

        def advance(row: Iterator[tuple[int, int]]) -> None:
            for first, second in row:
                if first not in free:
                    return
                if second in free:
                    heappush(queue, (self._first_lines[second] - self._last_lines[first], first, second, False, row))
                    return

        for row in rows:
            advance(row)
        while queue:
            cost, first, second, is_settled, row = heappop(queue)
            if first not in free:
                continue
            if second in free and (is_settled or compatible(self._matches[first], self._matches[second])):
                separation = 0.0 if is_settled else self._separation(first, second)
                if not separation:
                    yield first, second
                    continue
                heappush(queue, (cost + separation, first, second, True, row))
            if not is_settled:
                advance(row)

    def neighbours(self, first: int) -> Iterator[tuple[int, int]]:
        """Yield the index of a match with those of others that are close behind, or of one account and not far."""
        match = self._matches[first]
        stem = match.occurrence.stem
        others = self._secrets if match.role is Role.API_KEY else self._keys
        start = bisect_right(others, first)
        for second in others[start : bisect_right(others, first + _NEIGHBOURS)]:
            other = self._matches[second]
            equal = bool(stem) and stem == other.occurrence.stem
            most = _UNNAMED_LINES if Strength.NONE in (match.strength, other.strength) else _NEAR_LINES
            if not equal and self._lines_between(first, second) > most:
                if compatible(match, other):
                    return
                continue
            yield first, second

    def are_close(self, first: int, second: int) -> bool:
        """Whether two matches are so close that no name is needed to pair them."""
        near = self._matches[second].start - self._matches[first].end <= _UNNAMED_GAP
        return near and self._lines_between(first, second) <= _UNNAMED_LINES

    def may_be_halves(self, first: int, second: int) -> bool:
        """Whether two values are not called two things, as `csrftoken` and `order` are."""
        return self._called(first) == self._called(second) and are_distinct(self._matches[first], self._matches[second])

    def _called(self, index: int) -> str:
        """The word to which a value is assigned, without a number at its end.

        Empty where it names Binance or nothing, as `a` and `first` do.
        """
        start = self._matches[index].start
        word = _ASSIGNED.search(self._text[max(start - _LONGEST_WORD, 0) : start])
        if word is None or "binance" in word[1].lower():
            return ""
        called = word[1].rstrip("0123456789")
        parts = words_of(called)
        counts = not INDISTINCT_WORDS.isdisjoint(parts) and all(
            len(part) <= _SAYS_NOTHING or part in INDISTINCT_WORDS for part in parts
        )
        return "" if counts or len(called) <= _SAYS_NOTHING else called

    def lines_of(self, indices: Sequence[int]) -> list[list[int]]:
        """Group indices of matches by the lines that they begin on."""
        return [list(line) for _, line in groupby(indices, key=self._first_lines.__getitem__)]

    def _lines_between(self, first: int, second: int) -> int:
        return self._first_lines[second] - self._last_lines[first]

    def _separation(self, first: int, second: int) -> float:
        match, other = self._matches[first], self._matches[second]
        between = self._text[match.end : min(other.start, match.end + 2000)]
        cost = 0.0
        if "\n\n" in between or "\r\n\r\n" in between:
            cost += 3
        if "}" in between or "\n[" in between or ("</" in between and between.count("</") > 2):
            cost += 3
        if match.occurrence.stem != other.occurrence.stem:
            cost += 2
        if match.binance != other.binance:
            cost += 1.5
        if not same_world(self._environments[first], self._environments[second]):
            cost += 10
        return cost


def _parallel_lists(matches: Sequence[Match], free: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Pair several keys in a row with as many secrets after or before them: the first with the first, and so on."""
    runs = [list(run) for _, run in groupby(free, key=lambda index: matches[index].role is Role.API_KEY)]
    at = 0
    while at + 1 < len(runs):
        one, other = runs[at], runs[at + 1]
        if len(one) == len(other) > 1 and all(
            compatible(matches[i], matches[j]) for i, j in zip(one, other, strict=True)
        ):
            yield from zip(one, other, strict=True)
            at += 2
        else:
            at += 1


def _undecided(places: _Places, matches: Sequence[Match], free: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Pair two values next to each other near a mention of Binance, where nothing but a use gives the role of either.

    The one that is used as a key is the key. More than two in a row are a list, unless there are two on each of its
    lines.
    """
    runs: list[list[int]] = []
    for index in free:
        if not _is_undecided(matches[index]):
            continue
        if runs and runs[-1][-1] == index - 1 and places.are_close(index - 1, index):
            runs[-1].append(index)
        else:
            runs.append([index])
    for run in runs:
        parts = [run] if len(run) == 2 else places.lines_of(run)
        if all(len(part) == 2 and places.may_be_halves(*part) for part in parts):
            for first, second in parts:
                if not matches[second].by_use:
                    yield first, second
                elif not matches[first].by_use:
                    yield second, first


def _is_undecided(match: Match) -> bool:
    return (
        match.role is Role.API_KEY
        and (match.strength is Strength.NONE or match.by_use)
        and match.occurrence.foreign is None
        and any(evidence.for_binance and evidence.grade in NEAR for evidence in match.occurrence.evidence)
    )


def _only_two(matches: Sequence[Match], free: Sequence[int]) -> tuple[int, int] | None:
    """Return the one key and the one secret that are left, if they are named and nothing is against it."""
    by_role: dict[bool, set[str]] = {True: set(), False: set()}
    for index in free:
        by_role[matches[index].role is Role.API_KEY].add(matches[index].occurrence.value.sha256)
    if len(by_role[True]) != 1 or len(by_role[False]) != 1:
        return None
    first = next(index for index in free if matches[index].role is Role.API_KEY)
    second = next(index for index in free if matches[index].role is not Role.API_KEY)
    one, other = matches[first], matches[second]
    named = Strength.NONE not in (one.strength, other.strength)
    if named and compatible(one, other) and same_world(one.occurrence.environment, other.occurrence.environment):
        return first, second
    return None
