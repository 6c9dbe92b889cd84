"""Classify the candidates of a document by their names, positions and evidence."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

from binance_leaks.detect import prefilter
from binance_leaks.detect.allow_comments import find_allow_comment, find_near_miss
from binance_leaks.detect.base64_blocks import Base64Lines, EncodedText, encoded_value, in_base64_block
from binance_leaks.detect.call_arguments import positional_roles
from binance_leaks.detect.candidates import Candidate, Shape, find_candidates
from binance_leaks.detect.document import Document
from binance_leaks.detect.environment_evidence import WholeFile, environment_of
from binance_leaks.detect.evidence import Surroundings, document_mentions, statement
from binance_leaks.detect.glued_values import find_glued_values
from binance_leaks.detect.names import REMEMBERED, Strength
from binance_leaks.detect.nearby_names import NamePosition, NearbyName, find_nearby_name, name_in_file_name
from binance_leaks.detect.outline import Outline
from binance_leaks.detect.private_keys import KeyType, PrivateKey, private_keys
from binance_leaks.detect.rules import ED25519_SEED
from binance_leaks.detect.split_values import find_split_values
from binance_leaks.detect.tables import Tables
from binance_leaks.detect.variable_uses import roles_by_use
from binance_leaks.detect.vocabulary import AGENT_PAY_NAME, BINANCE_PAY, ELLIPTIC_CURVES, FUTURES_WORDS
from binance_leaks.lazy_dataclasses import replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Evidence, Grade, Location, Occurrence, Role, Value


class Match(NamedTuple):
    """A candidate that may be half of a credential: an occurrence with its place in the document's text."""

    occurrence: Occurrence
    start: int
    end: int
    shape: Shape | None
    strength: Strength
    """How clearly its name or its position gives its role."""
    of_an_api: bool = True
    """False for a hex or base36 value without the name of an API credential: it counts beside its other half only."""
    binance: bool = False
    """Whether its own name mentions Binance."""
    ambiguous: bool = False
    """Whether its name may mean a key as well as a secret."""
    partner: int | None = None
    """The index of the value that position pairs it with."""
    by_use: bool = False
    """Whether its role is that of its variable's use."""

    @property
    def role(self) -> Role:
        """The role of its value."""
        return self.occurrence.value.role

    @property
    def secret_half(self) -> Occurrence:
        """Its occurrence as the secret half of a pair."""
        return self.occurrence.in_role(Role.SECRET_KEY) if self.role is Role.API_KEY else self.occurrence


class _Reading(NamedTuple):
    """A candidate with what its surroundings mean: its name, its role and how clear it is, evidence, other services."""

    candidate: Candidate
    nearby: NearbyName | None
    role: Role
    strength: Strength
    evidence: tuple[Evidence, ...]
    foreign: str | None
    partner: int | None = None
    """The index of the candidate that position pairs it with."""
    by_use: bool = False


def find_matches(document: Document, path: str, encoded: Sequence[EncodedText]) -> list[Match]:
    """Return every value of the document that may be a credential, in order; locations show `path`.

    `encoded` are the texts in it that are encoded in base64.
    """
    found = _candidates(document, encoded)
    keys = list(private_keys(document))
    if not found and not keys:
        return []
    spans = sorted((key.start, key.end) for key in keys)
    found = [candidate for candidate in found if not _is_within(spans, candidate.start)]
    classifier = _Classifier(document, path, sorted([*spans, *((each.start, each.end) for each in found)]))
    return sorted(
        [*classifier.classify(found), *classifier.classify_private_keys(keys, found)], key=lambda match: match.start
    )


def _is_within(spans: Sequence[tuple[int, int]], offset: int) -> bool:
    """Whether an offset is in one of some spans, which are in order."""
    at = bisect_left(spans, (offset + 1, 0))
    return any(offset < end for _, end in spans[max(0, at - _MOST_NESTED) : at])


_MOST_NESTED = 8
_NAME_REACH = 32


def _candidates(document: Document, encoded: Sequence[EncodedText]) -> list[Candidate]:
    """Return plain, encoded and split values; hex and base36 only where something speaks for Binance."""
    plain, runs = find_candidates(document)
    if any(candidate.shape is not Shape.BASE62 for candidate in plain):
        admitted = _admitted_shapes(document)
        plain = [candidate for candidate in plain if candidate.shape in admitted]
    lines = Base64Lines(document)
    plain = [candidate for candidate in plain if not in_base64_block(document, candidate, lines)]
    written = [*plain, *find_split_values(document), *find_glued_values(document, runs)]
    found = [*filter(None, map(encoded_value, encoded)), *_outside(encoded, written)]
    if any(candidate.shape is not Shape.BASE62 for candidate in found):
        admitted = _admitted_shapes(document)
        found = [candidate for candidate in found if candidate.shape in admitted]
    return sorted(found, key=lambda candidate: candidate.start)


def _outside(encoded: Sequence[EncodedText], candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """Yield the candidates that are no pieces of base64 of a text, of which a folded line is as long as a value."""
    for candidate in candidates:
        before = bisect_left(encoded, candidate.end, key=lambda text: text.start)
        if before == 0 or encoded[before - 1].end <= candidate.start:
            yield candidate


def _admitted_shapes(document: Document) -> set[Shape]:
    admitted = {Shape.BASE62}
    futures = not document.binary and any(word.encode() in document.lower for word in FUTURES_WORDS)
    if futures or document_mentions(document):
        admitted.add(Shape.HEX)
    agent_pay = Shape.HEX in admitted and _is_named(document, b"payment", AGENT_PAY_NAME)
    if agent_pay or BINANCE_PAY.search(document.path) or _is_named(document, b"pay", BINANCE_PAY):
        admitted.add(Shape.BASE36)
    return admitted


def _is_named(document: Document, stem: bytes, name: re.Pattern[str]) -> bool:
    """Whether a name is in the text that has a stem in it. Reads only what is around the stem."""
    at = document.lower.find(stem)
    while at >= 0:
        if name.search(document.text, max(0, at - _NAME_REACH), at + _NAME_REACH):
            return True
        at = document.lower.find(stem, at + 1)
    return False


class _Classifier:
    """Reads what surrounds the candidates of one document; holds what is made once for the document."""

    def __init__(self, document: Document, path: str, values: Sequence[tuple[int, int]]) -> None:
        self._document = document
        self._path = path
        self._outline = Outline(document)
        self._surroundings = Surroundings(self._outline)
        self._tables = Tables(document)
        self._whole = WholeFile(self._outline, values)

    @cached_property
    def _has_elliptic_curves(self) -> bool:
        return ELLIPTIC_CURVES.search(self._document.text) is not None

    @cached_property
    def _mentions_binance(self) -> bool:
        return prefilter.mentions_binance(self._document.flat)

    @cached_property
    def _mentions_pay(self) -> bool:
        return _is_named(self._document, b"pay", BINANCE_PAY)

    def classify(self, found: Sequence[Candidate]) -> list[Match]:
        """Give candidates their roles, by name or by position; drop those that are no credentials."""
        nearby_names = self._nearby_names(found)
        positions = positional_roles(self._document, found, nearby_names)
        uses = roles_by_use(self._document, found, nearby_names, positions)
        readings: dict[int, _Reading] = {}
        for index, nearby in enumerate(nearby_names):
            position = uses.get(index) or positions.get(index)
            if nearby is not None and nearby.name.excluded and position is None:
                continue
            role, strength, partner = Role.API_KEY, Strength.NONE, None
            if position is not None:
                role, partner = position
                strength = Strength.PLAIN if index in uses else self._positional_strength(found, index, partner, nearby)
            elif nearby is not None and nearby.name.role is not None:
                role, strength = nearby.name.role, nearby.name.strength
            candidate = found[index]
            if candidate.shape is not Shape.BASE62 and not self._may_be_admitted(candidate, nearby, strength):
                continue
            reading = self._read(candidate, nearby, role, strength)
            if candidate.shape is Shape.BASE62 or self._is_admitted(reading):
                readings[index] = reading._replace(partner=partner, by_use=index in uses)
        order = {old: new for new, old in enumerate(readings)}
        return _settle_roles([self._match(reading, order) for reading in readings.values()])

    def classify_private_keys(self, keys: Sequence[PrivateKey], found: Sequence[Candidate]) -> Iterator[Match]:
        """Read the surroundings of private keys; `found` are the other candidates of the document."""
        ends = sorted(other.end for other in found)
        for key in keys:
            candidate = Candidate(start=key.start, end=key.end, value=key.der, shape=None, rule=key.rule)
            before = bisect_right(ends, key.start)
            previous_end = ends[before - 1] if before else 0
            nearby = find_nearby_name(self._outline, candidate, previous_end, len(self._document.text))
            if key.rule == ED25519_SEED and not _names_private_key(nearby):
                continue
            reading = self._read(candidate, nearby, Role.PRIVATE_KEY, Strength.PLAIN)
            if not self._mentions_binance:
                # Far from the key only the name itself counts: other exchanges have the same API and its parameters.
                near = tuple(piece for piece in reading.evidence if piece.grade is not Grade.FILE)
                reading = reading._replace(evidence=near)
            occurrence = self._occurrence(reading)
            yield Match(
                occurrence=replace(occurrence, encrypted=True) if key.type is KeyType.ENCRYPTED else occurrence,
                start=key.start,
                end=key.end,
                shape=None,
                strength=Strength.PLAIN,
            )

    def _nearby_names(self, found: Sequence[Candidate]) -> list[NearbyName | None]:
        nearby_names: list[NearbyName | None] = []
        for index, candidate in enumerate(found):
            previous_end = found[index - 1].end if index else 0
            next_start = found[index + 1].start if index + 1 < len(found) else len(self._document.text)
            nearby = find_nearby_name(self._outline, candidate, previous_end, next_start)
            if nearby is None or nearby.position is not NamePosition.DIRECT or nearby.call:
                column = self._tables.column_name(candidate)
                nearby = NearbyName(name=column, position=NamePosition.DIRECT) if column is not None else nearby
            nearby_names.append(nearby)
        if (
            found
            and all(nearby is None for nearby in nearby_names)
            and len({candidate.value for candidate in found}) == 1
        ):
            return [name_in_file_name(self._document)] * len(found)
        return nearby_names

    def _positional_strength(
        self, found: Sequence[Candidate], index: int, partner: int | None, nearby: NearbyName | None
    ) -> Strength:
        """Position in a call or beside a name is as good as a name; two bare values are not."""
        if partner is None:
            return nearby.name.strength if nearby is not None else Strength.PLAIN
        first = found[min(index, partner)]
        lead = self._document.text[max(0, first.start - 80) : first.start]
        return Strength.PLAIN if _CALL.search(lead) or nearby is not None else Strength.NONE

    def _read(self, candidate: Candidate, nearby: NearbyName | None, role: Role, strength: Strength) -> _Reading:
        foreign = self._surroundings.foreign_service(candidate, nearby)
        return _Reading(
            candidate=candidate,
            nearby=nearby,
            role=role,
            strength=strength,
            evidence=self._surroundings.evidence(candidate, nearby) if foreign is None else (),
            foreign=foreign,
        )

    def _may_be_admitted(self, candidate: Candidate, nearby: NearbyName | None, strength: Strength) -> bool:
        """Hex and base36 look like a hundred other things: they need a credential's name, and no hash near."""
        if strength < Strength.PLAIN:
            return False
        text, at = self._document.text, candidate.start
        start, _ = statement(self._document, candidate)
        if _LOOKS_DERIVED.search(text[max(start, at - 40) : at]):
            return False
        return (nearby is not None and nearby.name.of_an_api) or not self._has_elliptic_curves

    def _is_admitted(self, reading: _Reading) -> bool:
        """They also need Binance, and no other service."""
        if reading.foreign is not None:
            return False
        if reading.candidate.shape is Shape.BASE36 and self._mentions_pay:
            return True
        return bool(reading.evidence) or (
            reading.candidate.shape is not Shape.BASE36 and reading.strength is Strength.STRONG
        )

    def _match(self, reading: _Reading, order: Mapping[int, int]) -> Match:
        """Make a match; `order` has the indices of matches by those of candidates."""
        candidate, nearby = reading.candidate, reading.nearby
        return Match(
            occurrence=self._occurrence(reading),
            start=candidate.start,
            end=candidate.end,
            shape=candidate.shape,
            strength=reading.strength,
            of_an_api=candidate.shape is Shape.BASE62 or (nearby is not None and self._names_an_api(candidate, nearby)),
            binance=nearby is not None and nearby.name.binance,
            ambiguous=nearby is not None and (nearby.ambiguous or nearby.name.ambiguous),
            partner=order.get(reading.partner) if reading.partner is not None else None,
            by_use=reading.by_use,
        )

    def _names_an_api(self, candidate: Candidate, nearby: NearbyName) -> bool:
        """Whether a lone hex or base36 value is named for an API, with Binance or its futures in the same statement."""
        if not nearby.name.of_an_api or "private" in nearby.name.words:
            return False
        if candidate.shape is Shape.BASE36 or nearby.name.binance or _mentions_futures(nearby.name.text):
            return True
        return self._document.mention_between(*statement(self._document, candidate)) is not None

    def _occurrence(self, reading: _Reading) -> Occurrence:
        document, candidate, nearby = self._document, reading.candidate, reading.nearby
        value = Value.of(reading.role, candidate.value)
        line, column = document.position(candidate.start)
        last_line = document.position(candidate.end - 1)[0] if candidate.end - 1 > candidate.start else line
        if value.role is Role.PRIVATE_KEY and nearby is not None and nearby.name.role is None:
            nearby = None
        named = reading.strength >= Strength.PLAIN
        is_own = nearby is not None and (nearby.name.role is None or _agree(nearby.name.role, value.role))
        name = _shown_name(nearby.name.text) if nearby is not None and named and is_own else ()
        environment = environment_of(candidate, reading.nearby, self._whole)
        allowed = find_allow_comment(document, candidate.start, candidate.end)
        near_miss = find_near_miss(document, candidate.start, candidate.end) if allowed is None else None
        return Occurrence(
            value=value,
            location=Location(
                role=value.role,
                path=self._path,
                line=line,
                column=column,
                allowed=allowed,
                near_miss=near_miss[0] if near_miss is not None else None,
                near_miss_above=near_miss is not None and near_miss[1],
                origin=document.origin(candidate.start),
            ),
            rule=candidate.rule,
            last_line=last_line,
            stem=nearby.name.stem if nearby is not None and nearby.position is not NamePosition.ABOVE else (),
            named=named,
            environment=environment,
            evidence=(*reading.evidence, *name),
            foreign=reading.foreign,
            certain=self._whole.is_certain(environment),
        )


_CALL = lazy_pattern(r"[\w>\])]\s*\(\s*[@bruLfN]?[\"'`]?$")
_LOOKS_DERIVED = lazy_pattern(
    r"hmac\W*$|signature|\bhash|txid|tx_?hash|sha-?256|\bjwt|listen_?key|digest|checksum|0x$", re.IGNORECASE
)
_RANDOM = lazy_pattern(r"(?<![A-Za-z0-9])(?=[A-Za-z]*\d)[A-Za-z0-9]{20,}")


def _mentions_futures(name: str) -> bool:
    return any(word in name.lower() for word in FUTURES_WORDS)


@lru_cache(maxsize=REMEMBERED)
def _shown_name(name: str) -> tuple[Evidence, ...]:
    """The name for the report, if there is one, unless it could be part of a value itself."""
    if not 0 < len(name) <= 40 or _RANDOM.search(name):
        return ()
    return (Evidence(grade=Grade.STATEMENT, text=f"named “{name}”", for_binance=False),)


def _agree(named: Role, role: Role) -> bool:
    """Whether a name that gives one role can be that of a value in another: both are keys, or both secrets."""
    return (named is Role.API_KEY) == (role is Role.API_KEY)


def _names_private_key(nearby: NearbyName | None) -> bool:
    return (
        nearby is not None
        and nearby.name.role is Role.SECRET_KEY
        and nearby.position in (NamePosition.DIRECT, NamePosition.ABOVE)
    )


def _settle_roles(matches: list[Match]) -> list[Match]:
    """Give a value that has two roles, as when one string was pasted into both fields, the better-named one."""
    best: dict[str, Match] = {}
    for match in matches:
        held = best.get(match.occurrence.value.sha256)
        if held is None or match.strength > held.strength:
            best[match.occurrence.value.sha256] = match
    matches = [_with_role(match, best[match.occurrence.value.sha256].role) for match in matches]
    return [
        _with_role(match, Role.API_KEY)
        if match.ambiguous and (_is_beside_clear_secret(matches, index) or _is_first_of_two(matches, index))
        else match
        for index, match in enumerate(matches)
    ]


def _is_beside_clear_secret(matches: Sequence[Match], index: int) -> bool:
    """Of two secrets side by side the one whose name is ambiguous (密钥) is the key."""
    around = [matches[at] for at in (index - 1, index + 1) if 0 <= at < len(matches)]
    return any(other.role is Role.SECRET_KEY and not other.ambiguous for other in around) and all(
        other.role is Role.SECRET_KEY for other in around
    )


def _is_first_of_two(matches: Sequence[Match], index: int) -> bool:
    """Of two secrets side by side whose names are both ambiguous the first is the key, unless a key is before them."""
    before, two, behind = matches[max(0, index - 1) : index], matches[index : index + 2], matches[index + 2 : index + 3]
    return (
        len(two) == 2
        and all(match.ambiguous and match.role is Role.SECRET_KEY for match in two)
        and are_distinct(*two)
        and all(match.role is Role.SECRET_KEY and not match.ambiguous for match in before)
        and not any(match.role is Role.SECRET_KEY for match in behind)
    )


def are_distinct(one: Match, other: Match) -> bool:
    """Whether two matches have different values."""
    return one.occurrence.value.sha256 != other.occurrence.value.sha256


def _with_role(match: Match, role: Role) -> Match:
    return match if match.role is role else match._replace(occurrence=match.occurrence.in_role(role))
