"""Roles by the use of variables: `Client(a, b)`, or `Client(key=a, secret=b)`, where `a` and `b` hold the values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import NamedTuple

from binance_leaks.detect.candidates import Candidate
from binance_leaks.detect.document import Document
from binance_leaks.detect.names import Name, Strength, read_name, words_of
from binance_leaks.detect.nearby_names import NamePosition, NearbyName, complement
from binance_leaks.detect.vocabulary import CLIENT_WORDS
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Role

_LARGEST_PROGRAM = 1 << 20
_LONGEST_LEAD = 120
_SAME_CALL = 200
_ASSIGNED = lazy_pattern(
    r"(?<![\w$])([A-Za-z_$][\w$]{0,60})(?:[\"'`]\])?(?:[ \t]{0,9}:[ \t]{0,9}&?[A-Za-z][\w.<>\[\]]{0,30})?"
    r"[ \t]{0,9}(?::=|=)[ \t]{0,9}[@bfruL]?\\{0,3}[\"'`]{0,3}\Z"
)
_USED = r"(?:Some\()?[@&*]?((?:[$A-Za-z_][\w$]{0,60}(?:\.|->|::)){0,4}[$A-Za-z_][\w$]{0,60})(?:\.\w{1,20}\(\))?\)?"
_TWO_ARGUMENTS = lazy_pattern(rf"\(\s{{0,99}}{_USED}\s{{0,99}},\s{{0,99}}{_USED}\s{{0,99}}[,)]")
_CALLED = lazy_pattern(r"[A-Za-z_$][\w$.:>-]{0,80}\Z")
_KEYWORD = lazy_pattern(
    r"(?<![\w$-])([A-Za-z_][\w-]{0,60})(?:[\"'`]\]?)?[ \t]{0,9}(?:=>|[:=(])[ \t]{0,9}"
    rf"{_USED}(?=\s{{0,99}}(?:[,;)}}\]]|\Z)|[ \t]{{0,99}}\n)"
)
_MAKES = frozenset({"build", "connect", "create", "init", "instance", "new", "of"})


class _Variable(NamedTuple):
    """A variable: the index of its value, and the name that gives that a role, if any does."""

    value: int
    name: Name

    @property
    def is_open(self) -> bool:
        """Whether its name does not say clearly whether the value is key or secret."""
        return self.name.role is None or self.name.strength < Strength.PLAIN


def roles_by_use(
    document: Document,
    found: Sequence[Candidate],
    nearby_names: Sequence[NearbyName | None],
    decided: Container[int],
) -> dict[int, tuple[Role, int | None]]:
    """Return the roles that uses of their variables give to values, by index, with the index of the partner, if any.

    `decided` has the indices of values that have a role by their own position. Uses that disagree give none.
    """
    if document.binary or len(document.text) > _LARGEST_PROGRAM:
        return {}
    variables = _variables(document.text, found, nearby_names, decided)
    roles = Counter(variable.name.role for variable in variables.values())
    if not any(variable.is_open for variable in variables.values()) and max(roles.values(), default=0) < 2:
        return {}
    uses: dict[int, set[Role]] = {}
    partners: dict[int, int] = {}
    for one, other, role in _uses(document.text, variables):
        uses.setdefault(one, set()).add(role)
        if other is not None:
            partners[one] = other
    return {index: (role, partners.get(index)) for index, (role, *others) in uses.items() if not others}


def _variables(
    text: str, found: Sequence[Candidate], nearby_names: Sequence[NearbyName | None], decided: Container[int]
) -> Mapping[str, _Variable]:
    """Return by their names the variables that hold one value."""
    variables: dict[str, _Variable] = {}
    values: dict[str, set[bytes]] = {}
    for index, candidate in enumerate(found):
        assigned = _ASSIGNED.search(text[max(0, candidate.start - _LONGEST_LEAD) : candidate.start])
        if assigned is None or index in decided:
            continue
        nearby = nearby_names[index]
        is_own = nearby is not None and nearby.position in (NamePosition.DIRECT, NamePosition.BEHIND)
        name = nearby.name if nearby is not None and is_own else read_name(assigned[1])
        if name.excluded or name.foreign:
            continue
        variables.setdefault(assigned[1], _Variable(index, name))
        values.setdefault(assigned[1], set()).add(candidate.value)
    return {name: variable for name, variable in variables.items() if len(values[name]) == 1}


def _uses(text: str, variables: Mapping[str, _Variable]) -> Iterator[tuple[int, int | None, Role]]:
    """Yield the index of each value of which a use gives the role, that of its partner, and the role."""
    for match in _TWO_ARGUMENTS.finditer(text):
        one, other = _last(match[1]), _last(match[2])
        if (one in variables or other in variables) and _is_client(text[max(0, match.start() - 90) : match.start()]):
            yield from _of_two(variables.get(one), variables.get(other), one, other)
    before: tuple[int, _Variable, Role] | None = None
    for match in _KEYWORD.finditer(text):
        variable = variables.get(_last(match[2]))
        if variable is None:
            continue
        name = read_name(match[1])
        if name.role is None or name.strength < Strength.PLAIN or name.excluded:
            continue
        if before and match.start() - before[0] < _SAME_CALL and before[2] is not name.role:
            partner = before[1]
            if variable.is_open or partner.is_open or variable.name.role is partner.name.role:
                yield partner.value, variable.value, before[2]
                yield variable.value, partner.value, name.role
        if variable.name.role is None and (name.role is Role.SECRET_KEY or name.strength is Strength.STRONG):
            yield variable.value, None, name.role  # `key` alone may be that of an HMAC or a dictionary
        before = match.end(), variable, name.role


def _of_two(
    one: _Variable | None, other: _Variable | None, first: str, second: str
) -> Iterator[tuple[int, int | None, Role]]:
    """Yield what two arguments of a client mean: by the name of either, else the first is the key."""
    names = one.name if one else read_name(first), other.name if other else read_name(second)
    roles = names[0].role, names[1].role
    if one is not None and other is not None:
        if roles[0] is roles[1] and Strength.STRONG not in (names[0].strength, names[1].strength):
            roles = Role.API_KEY, Role.SECRET_KEY
        elif not (one.is_open or other.is_open):
            return
    elif roles[0 if one is None else 1] is None:
        return
    key = roles[0] or (complement(roles[1]) if roles[1] else None)
    if key is None or roles[0] is roles[1]:
        return
    if one is not None:
        yield one.value, other.value if other else None, key
    if other is not None:
        yield other.value, one.value if one else None, complement(key)


def _last(variable: str) -> str:
    """Return the last part of a variable: of `self.config.key` it is `key`."""
    return variable.replace("->", ".").replace("::", ".").rpartition(".")[2]


def _is_client(lead: str) -> bool:
    """Whether a text ends with what makes a client, as `binance.NewClient` or `Client.create`."""
    called = _CALLED.search(lead.rstrip())
    if called is None:
        return False
    words = words_of(called.group())
    last = len(words) - 1
    while last > 0 and words[last] in _MAKES:
        last -= 1
    return bool(words) and words[last].endswith(CLIENT_WORDS)
