"""Decide whether the work of a regular expression grows linearly with its input, whatever the input is.

`re` backtracks: an attempt that fails has tried every run of the expression's automaton over the text, and `search`
tries from every position. So an expression is linear if the number of these runs is bounded for every text. `growth`
parses an expression with the parser of `re`, builds the automaton of its characters, puts a loop over any character
before it if it is searched, and looks for what makes the runs many (Weber and Seidl, "On the degree of ambiguity of
finite automata"):

- *exponential*: one text leads from a state back to it in two ways. `(?:a+)+b`, `(?:a|a)*b`, `(?:a|aa)*b`.
- *polynomial*: one text leads from a state p to p, from p to a state q, and from q to q. `a*a*b`, `a*(?:,)?[ab]*c`; if
  searched, where the loop of the search is such a p, also `\\s+$` and `[a-z]+_`.

Where the expression has matched for certain it cannot fail, so that the end of `[a-z]+` counts for nothing if searched;
that of `[a-z]+_` does. Look-behinds and look-aheads of one character, `^`, `$` and `\\b` exclude runs:
`(?<![a-z])[a-z]+_` is linear. Longer ones, atomic groups and references could only exclude more, and are not used to.

A repetition of at most `BOUND` is no loop where the growth is polynomial: it multiplies the work by a constant. Each is
modelled by at most `COPIES` copies, so that what differs only in longer counts is taken for the same.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import Enum
from functools import reduce
from itertools import permutations, product
from operator import or_
from typing import Any

if sys.version_info >= (3, 11):
    from re import _parser as sre_parse
else:
    import sre_parse

BOUND = 512
COPIES = 3
_BEGINNING = 1
_END = 2
_SAMPLES = "\u0130\u0131\u017f\u212aé密ключ비٣\u2003\u2028²—：＝"
_Items = Iterable[tuple[Any, Any]]


class Use(Enum):
    """How an expression is applied to a text."""

    SEARCH = "search"
    MATCH = "match"
    FULLMATCH = "fullmatch"


@dataclass(frozen=True, slots=True)
class Growth:
    """More than linear work: of which kind, and over repetitions of which text."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind} over {self.text!r} repeated"


@dataclass(frozen=True, slots=True)
class _Path:
    """A way from one state to the next without reading: allowed characters before it and after it, and its target.

    It is `sure` if these characters are all that it depends on.
    """

    before: int
    after: int
    target: int
    sure: bool = True


def growth(pattern: str | bytes, flags: int = 0, use: Use = Use.SEARCH) -> Growth | None:
    """Return how the work of an expression grows, or None if it is linear."""
    with_all_loops = _Ambiguity(_Automaton(pattern, flags, use, bound=COPIES))
    return with_all_loops.exponential() or _Ambiguity(_Automaton(pattern, flags, use, bound=BOUND)).polynomial()


class _Alphabet:
    """Sets of characters as bit masks: all that an expression distinguishes, the beginning and the end of the text."""

    def __init__(self, items: _Items, *, binary: bool) -> None:
        named = {code for literal in _literals(items) for code in (literal - 1, literal, literal + 1)}
        known = {code for code in named if 0 <= code <= sys.maxunicode}
        codes = range(256) if binary else {*range(0x100), *map(ord, _SAMPLES), *known}
        cased = () if binary else (ord(case(chr(code))[:1]) for code in codes for case in (str.lower, str.upper))
        self.binary = binary
        self.bits = {code: 1 << index for index, code in enumerate(sorted({*codes, *cased}), start=2)}
        self._same: defaultdict[int, int] = defaultdict(int)
        for code, bit in self.bits.items():
            self._same[_folded(code, binary=binary)] |= bit
        self.all = _BEGINNING | _END | _union(self.bits.values())
        self.characters = self.all & ~(_BEGINNING | _END)
        self.newline = self.bits[ord("\n")]
        self._known: dict[str, int] = {}

    def category(self, name: str, flags: int) -> int:
        """The set of `\\w`, `\\d`, `\\s`, or their complements."""
        letter = {"WORD": "w", "DIGIT": "d", "SPACE": "s"}[name.rpartition("_")[2]]
        test = re.compile(rf"\{letter}", re.ASCII if self.binary else flags & re.ASCII).match
        found = _union(bit for code, bit in self.bits.items() if test(chr(code)))
        return self.characters & ~found if "_NOT_" in name else found

    def one_of(self, members: _Items, flags: int) -> int:
        """The set of a class, or of a single literal."""
        found, negated = 0, False
        for op, value in members:
            match str(op):
                case "NEGATE":
                    negated = True
                case "LITERAL":
                    found |= self.bits[value]
                case "RANGE":
                    found |= _union(bit for code, bit in self.bits.items() if value[0] <= code <= value[1])
                case "CATEGORY":
                    found |= self.category(str(value), flags)
                case unknown:
                    raise NotImplementedError(unknown)
        if flags & re.IGNORECASE:
            found = _union(same for same in self._same.values() if same & found)
        return self.characters & ~found if negated else found

    def characters_of(self, op: str, value: Any, flags: int) -> int | None:
        """The set that an item reads one of, or None if it is not an item that reads exactly one character."""
        if op == "ANY":
            return self.characters if flags & re.DOTALL else self.characters & ~self.newline
        if op not in ("LITERAL", "NOT_LITERAL", "IN"):
            return None
        key = f"{op} {value} {flags & (re.IGNORECASE | re.ASCII)}"
        if key not in self._known:
            members = value if op == "IN" else [("LITERAL", value)]
            found = self.one_of(members, flags)
            self._known[key] = self.characters & ~found if op == "NOT_LITERAL" else found
        return self._known[key]

    def example(self, mask: int) -> str:
        """A character of a set, one that is easy to read if there is one."""
        codes = [code for code, bit in self.bits.items() if bit & mask]
        return chr(min(codes, key=lambda code: (not chr(code).isalnum(), not 32 < code < 127, code)))


class _Automaton:
    """The states of an expression, one for each character that it reads, and the ways between them."""

    def __init__(self, pattern: str | bytes, flags: int, use: Use, *, bound: int) -> None:
        parsed: Any = sre_parse.parse(pattern, flags)  # type: ignore[arg-type]
        self.alphabet = _Alphabet(parsed, binary=isinstance(pattern, bytes))
        self._ways: defaultdict[int, list[_Path]] = defaultdict(list)
        self._groups: dict[int, tuple[Sequence[tuple[Any, Any]], int]] = {}
        self.sets: dict[int, int] = {}
        self._then: dict[int, int] = {}
        self._count = 0
        self._bound = bound
        self.start, self.loop, self.accept = self._node(), self._node(), self._node()
        if use is Use.SEARCH:
            self._read(self.loop, self.alphabet.characters, self.start)
            self._way(self.start, self.loop)
        entry = self._node()
        self._way(self.start, entry)
        end = self._add(parsed, parsed.state.flags, entry)
        self._way(end, self.accept, after=_END if use is Use.FULLMATCH else self.alphabet.all)

    def paths(self, state: int) -> list[_Path]:
        """All ways from what a state has read to what is read next, or to the end of the expression."""
        return list(self._paths(self._way_to(self._then.get(state, state)), frozenset()))

    def _paths(self, path: _Path, seen: frozenset[int]) -> Iterator[_Path]:
        if path.target in self.sets or path.target == self.accept:
            yield path
            return
        for way in self._ways[path.target]:
            before, after = path.before & way.before, path.after & way.after
            if way.target not in seen and before and after:
                yield from self._paths(_Path(before, after, way.target, path.sure and way.sure), seen | {path.target})

    def _node(self) -> int:
        self._count += 1
        return self._count

    def _way_to(self, target: int) -> _Path:
        return _Path(self.alphabet.all, self.alphabet.all, target)

    def _way(
        self, source: int, target: int, *, before: int | None = None, after: int | None = None, sure: bool = True
    ) -> None:
        every = self.alphabet.all
        self._ways[source].append(
            _Path(every if before is None else before, every if after is None else after, target, sure)
        )

    def _read(self, node: int, characters: int, then: int) -> None:
        self.sets[node] = characters
        self._then[node] = then

    def _add(self, items: _Items, flags: int, node: int) -> int:
        """Append items after a node. Returns the node after them."""
        for op, value in items:
            node = self._add_item(str(op), value, flags, node)
        return node

    def _add_item(self, op: str, value: Any, flags: int, node: int) -> int:
        end = self._node()
        characters = self.alphabet.characters_of(op, value, flags)
        if characters is not None:
            state = self._node()
            self._read(state, characters, end)
            self._way(node, state)
            return end
        match op:
            case "BRANCH":
                for choice in value[1]:
                    self._way(self._add(choice, flags, self._next(node)), end)
            case "SUBPATTERN":
                group, added, removed, inner = value
                flags = (flags | added) & ~removed
                self._groups[group] = (inner, flags)
                return self._add(inner, flags, node)
            case "ATOMIC_GROUP":
                self._way(self._add(value, flags, node), end, sure=False)
            case "GROUPREF":
                self._way(self._add(*self._groups[value], node), end, sure=False)
            case "MAX_REPEAT" | "MIN_REPEAT":
                self._repeat(value, flags, node, end)
            case "POSSESSIVE_REPEAT":
                inner = self._node()
                self._repeat(value, flags, node, inner)
                self._way(inner, end, sure=False)
            case "ASSERT" | "ASSERT_NOT":
                self._look(value[1], flags, node, end, ahead=value[0] > 0, positive=op == "ASSERT")
            case "AT":
                self._at(str(value), flags, node, end)
            case unknown:
                raise NotImplementedError(unknown)
        return end

    def _next(self, node: int) -> int:
        target = self._node()
        self._way(node, target)
        return target

    def _repeat(self, value: tuple[int, int, _Items], flags: int, node: int, end: int) -> None:
        least, most, items = value
        endless = most > self._bound
        for _ in range(min(least, COPIES) - endless):
            node = self._add(items, flags, self._next(node))
        if endless:
            entry = self._next(node)
            exit_ = self._add(items, flags, entry)
            self._way(exit_, entry)
            self._way(exit_, end)
            if not least:
                self._way(node, end)
            return
        self._way(node, end)
        for _ in range(min(most - least, max(COPIES - least, 1))):
            node = self._add(items, flags, self._next(node))
            self._way(node, end)

    def _look(self, items: _Items, flags: int, node: int, end: int, *, ahead: bool, positive: bool) -> None:
        """Constrain what goes on by one character. The expression of a look-ahead also reads, to nowhere."""
        certain = self._alternatives(items, flags)
        if ahead:
            entry, nowhere = self._next(node), self._node()
            self._way(self._add(items, flags, entry), nowhere)
            self.sets[nowhere] = 0
            possible = _union(
                path.after if path.target == nowhere else path.after & self.sets[path.target]
                for path in self._paths(self._way_to(entry), frozenset())
            )
        else:
            possible = self._last(items, flags)
        allowed = possible if positive else self.alphabet.all & ~certain
        before, after = (None, allowed) if ahead else (allowed, None)
        self._way(node, end, before=before, after=after, sure=certain == possible)

    def _alternatives(self, items: _Items, flags: int) -> int:
        """What an expression certainly matches of single characters and of the end."""
        parts = list(items)
        if len(parts) != 1:
            return 0
        op, value = str(parts[0][0]), parts[0][1]
        if op == "BRANCH":
            return _union(self._alternatives(choice, flags) for choice in value[1])
        if op == "SUBPATTERN":
            return self._alternatives(value[3], (flags | value[1]) & ~value[2])
        if op == "AT" and str(value) in ("AT_END", "AT_END_STRING"):
            return _END
        return self.alphabet.characters_of(op, value, flags) or 0

    def _last(self, items: _Items, flags: int) -> int:
        """The characters that an expression can end with, or all if they are not known."""
        parts = list(items)
        if not parts:
            return self.alphabet.all
        op, value = str(parts[-1][0]), parts[-1][1]
        if op == "BRANCH":
            return _union(self._last(choice, flags) for choice in value[1])
        if op == "SUBPATTERN":
            return self._last(value[3], (flags | value[1]) & ~value[2])
        if op == "MAX_REPEAT" and value[0] > 0:
            return self._last(value[2], flags)
        if op == "AT" and str(value) == "AT_BEGINNING":
            return _BEGINNING | (self.alphabet.newline if flags & re.MULTILINE else 0)
        characters = self.alphabet.characters_of(op, value, flags)
        return self.alphabet.all if characters is None else characters

    def _at(self, where: str, flags: int, node: int, end: int) -> None:
        alphabet = self.alphabet
        word = alphabet.category("CATEGORY_WORD", flags)
        match where:
            case "AT_BEGINNING" if flags & re.MULTILINE:
                self._way(node, end, before=_BEGINNING | alphabet.newline)
            case "AT_BEGINNING" | "AT_BEGINNING_STRING":
                self._way(node, end, before=_BEGINNING)
            case "AT_END":
                self._way(node, end, after=_END)
                self._way(node, end, after=alphabet.newline, sure=bool(flags & re.MULTILINE))
            case "AT_END_STRING":
                self._way(node, end, after=_END)
            case "AT_BOUNDARY":
                self._way(node, end, before=word, after=alphabet.all & ~word)
                self._way(node, end, before=alphabet.all & ~word, after=word)
            case "AT_NON_BOUNDARY":
                self._way(node, end, before=word, after=word)
                self._way(node, end, before=alphabet.all & ~word, after=alphabet.all & ~word)
            case unknown:
                raise NotImplementedError(unknown)


_State = tuple[int, int]
"""A state of the automaton, and which kind of character it has read, of those that look-behinds distinguish."""
_Edge = tuple[int, _State]
_Edges = dict[_State, list[_Edge]]


class _Ambiguity:
    """The states that an attempt to match can fail in, and the ways in which one text leads through them."""

    def __init__(self, automaton: _Automaton) -> None:
        self._alphabet = automaton.alphabet
        self._automaton = automaton
        self._paths = {state: automaton.paths(state) for state in (automaton.start, *automaton.sets)}
        kinds: defaultdict[tuple[bool, ...], int] = defaultdict(int)
        befores = sorted({path.before for paths in self._paths.values() for path in paths})
        for bit in (_BEGINNING, *self._alphabet.bits.values()):
            kinds[tuple(bool(before & bit) for before in befores)] |= bit
        self._kinds = list(kinds.values())
        start = [(automaton.start, kind) for kind in range(len(self._kinds))]
        self.edges = self._without_settled(self._edges_from(start, self._next), start)

    def exponential(self) -> Growth | None:
        """Return the growth if one text leads from a state back to it in two ways."""
        for loop in _loops(_reach(self.edges)):
            text = self._two_ways_back(loop)
            if text:
                return Growth("exponential", text)
        return None

    def polynomial(self) -> Growth | None:
        """Return the growth if one text leads around two loops, and from one to the other."""
        reach = _reach(self.edges)
        loops = _loops(reach)
        for first, second in permutations(loops, 2):
            if next(iter(second)) in reach[next(iter(first))]:
                text = self._two_loops(first, second, reach)
                if text:
                    return Growth("polynomial", text)
        return None

    def _next(self, state: _State) -> Iterator[_Edge]:
        node, kind = state
        for path in self._paths[node]:
            if path.before & self._kinds[kind] and path.target != self._automaton.accept:
                for other, characters in enumerate(self._kinds):
                    label = self._automaton.sets[path.target] & path.after & characters & self._alphabet.characters
                    if label:
                        yield label, (path.target, other)

    def _edges_from(self, start: Iterable[_State], follow: Callable[[_State], Iterable[_Edge]]) -> _Edges:
        waiting = deque(start)
        edges: _Edges = {}
        while waiting:
            state = waiting.popleft()
            if state not in edges:
                edges[state] = list(follow(state))
                waiting += (target for _, target in edges[state])
        return edges

    def _without_settled(self, edges: _Edges, start: Iterable[_State]) -> _Edges:
        """The edges that are followed before it is settled that the expression matches.

        An edge settles it if the expression may end before its character, unless what is read after that in vain is
        without limit.
        """
        matched = self._matched(edges)
        unsettled = {
            state: [(label & ~matched[state], target) for label, target in out if label & ~matched[state]]
            for state, out in edges.items()
        }
        loops = set().union(*_loops(_reach(unsettled)))
        reach = _reach(edges)
        wasteful = {state for state in edges if state in loops or not loops.isdisjoint(reach[state])}
        return self._edges_from(
            start,
            lambda state: (
                (label if target in wasteful else label & ~matched[state], target)
                for label, target in edges[state]
                if target in wasteful or label & ~matched[state]
            ),
        )

    def _matched(self, edges: _Edges) -> dict[_State, int]:
        """The characters before which the expression matches for certain, at each state."""
        accepted = dict.fromkeys(edges, _BEGINNING)
        for state in edges:
            for path in self._paths[state[0]]:
                if path.sure and path.target == self._automaton.accept and path.before & self._kinds[state[1]]:
                    accepted[state] |= path.after
        certain = set(edges)
        while True:
            matched = {
                state: accepted[state] | _union(label for label, target in out if target in certain)
                for state, out in edges.items()
            }
            remaining = {state for state in certain if matched[state] == self._alphabet.all}
            if remaining == certain:
                return matched
            certain = remaining

    def _two_ways_back(self, loop: frozenset[_State]) -> str | None:
        """A text that leads from a state of a loop to a state of it in two ways, or None."""
        inner = {state: [edge for edge in self.edges[state] if edge[1] in loop] for state in loop}
        starts = []
        for out in inner.values():
            for index, (label, target) in enumerate(out):
                for other, another in out[:index]:
                    if label & other and target == another:
                        return self._alphabet.example(label & other)
                    if label & other:
                        starts.append(((target, another), self._alphabet.example(label & other)))
        found = dict(starts)
        waiting = deque(found)
        while waiting:
            pair = waiting.popleft()
            for (label, target), (other, another) in product(inner[pair[0]], inner[pair[1]]):
                if label & other and (target, another) not in found:
                    text = found[pair] + self._alphabet.example(label & other)
                    if target == another:
                        return text
                    found[target, another] = text
                    waiting.append((target, another))
        return None

    def _two_loops(
        self, first: frozenset[_State], second: frozenset[_State], reach: Mapping[_State, Set[_State]]
    ) -> str | None:
        """A text that leads around the first loop, around the second, and from the first to the second, or None."""
        for begin, end in product(first, second):
            found = {(begin, begin, end): ""}
            waiting = deque(found)
            while waiting:
                states = waiting.popleft()
                for label, triple in self._step(states, first, second):
                    if triple not in found and (end == triple[1] or end in reach[triple[1]]):
                        found[triple] = found[states] + self._alphabet.example(label)
                        if triple == (begin, end, end):
                            return found[triple]
                        waiting.append(triple)
        return None

    def _step(
        self, states: tuple[_State, _State, _State], first: frozenset[_State], second: frozenset[_State]
    ) -> Iterator[tuple[int, tuple[_State, _State, _State]]]:
        for label, one in self.edges[states[0]]:
            if one in first:
                for other, two in self.edges[states[1]]:
                    if label & other:
                        for another, three in self.edges[states[2]]:
                            if three in second and label & other & another:
                                yield label & other & another, (one, two, three)


def _reach(edges: _Edges) -> dict[_State, set[_State]]:
    """The states that each state leads to."""
    found = {state: {target for _, target in out} for state, out in edges.items()}
    size = -1
    while size < (size := sum(map(len, found.values()))):
        for state in reversed(found):
            found[state].update(*(found[target] for _, target in edges[state]))
    return found


def _loops(reach: Mapping[_State, Set[_State]]) -> list[frozenset[_State]]:
    """The strongly connected components that have a way from each state to itself."""
    inside = [state for state in reach if state in reach[state]]
    return list({frozenset(other for other in reach[state] if state in reach[other]) for state in inside})


def _union(masks: Iterable[int]) -> int:
    return reduce(or_, masks, 0)


def _folded(code: int, *, binary: bool) -> int:
    """The code of a character without its case."""
    char = chr(code).lower().upper()
    return code if len(char) > 1 or (binary and code > 127) else ord(char)


def _literals(items: Any) -> Iterator[int]:
    """All characters that an expression names."""
    for item in items:
        if isinstance(item, tuple) and len(item) == 2 and str(item[0]) in ("LITERAL", "NOT_LITERAL"):
            yield item[1]
        elif isinstance(item, tuple) and len(item) == 2 and str(item[0]) == "RANGE":
            yield from item[1]
        elif isinstance(item, (tuple, list, sre_parse.SubPattern)):
            yield from _literals(item)
