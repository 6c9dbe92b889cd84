"""Find the credentials of a document: candidates with their names, positions and evidence brought together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from binance_leaks.detect import prefilter
from binance_leaks.detect.base64_blocks import encoded_values, in_base64_block
from binance_leaks.detect.call_arguments import positional_roles
from binance_leaks.detect.candidates import Candidate, Shape, candidates
from binance_leaks.detect.document import Document
from binance_leaks.detect.environment_evidence import WholeFile, environment_of
from binance_leaks.detect.evidence import document_mentions, evidence_for, foreign_service, statement
from binance_leaks.detect.names import Strength
from binance_leaks.detect.nearby_names import Label, Reach, file_label, label_of
from binance_leaks.detect.outline import Outline
from binance_leaks.detect.private_keys import KeyType, PrivateKey, private_keys
from binance_leaks.detect.rules import ED25519_SEED
from binance_leaks.detect.split_values import fragments
from binance_leaks.detect.tables import Tables
from binance_leaks.detect.vocabulary import BINANCE_PAY, FUTURES_WORDS
from binance_leaks.model import Evidence, Grade, Location, Occurrence, Role, Value

_SAME_LINE = re.compile(
    r"binance-leaks:\s*allow\b(?![\s-]*next)|pragma:\s*(?:allow|white)list[ -]secret", re.IGNORECASE
)
_NEXT_LINE = re.compile(
    r"binance-leaks:\s*allow[\s-]*next[\s-]*line|pragma:\s*(?:allow|white)list[ -]next-?line[ -]secret", re.IGNORECASE
)
_REACH = 500
_MOST_LINES = 200


def allowed(document: Document, start: int, end: int) -> str | None:
    """Return the comment that allows the value at `text[start:end]`, on one of its lines or on the line above it.

    In a very long line, such as minified code, only a comment near the value counts.
    """
    first, last = document.line_index(start), document.line_index(end)
    for index in range(first, min(last, first + _MOST_LINES) + 1):
        line_start, line_end = document.line_span(index)
        match = _SAME_LINE.search(document.text, max(line_start, start - _REACH), min(line_end, end + _REACH))
        if match:
            return match.group()
    if first == 0:
        return None
    line_start, line_end = document.line_span(first - 1)
    match = _NEXT_LINE.search(document.text, line_start, min(line_end, line_start + 2 * _REACH))
    return match.group() if match else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A candidate that may be half of a credential: an occurrence with its place in the document's text."""

    occurrence: Occurrence
    start: int
    end: int
    shape: Shape | None
    strength: Strength
    """How clearly its name or its position gives its role."""
    of_an_api: bool = True
    """False for a hex or base36 value whose name does not say that it is an API's: it counts beside its half only."""
    binance: bool = False
    """Whether its own name mentions Binance."""
    ambiguous: bool = False
    """Whether its name may mean a key as well as a secret."""
    partner: int | None = None
    """The index of the value that position pairs it with."""

    @property
    def role(self) -> Role:
        """The role of its value."""
        return self.occurrence.value.role


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """A candidate with what its surroundings say: its name, its role and how clear it is, evidence, other services."""

    candidate: Candidate
    label: Label | None
    role: Role
    strength: Strength
    evidence: tuple[Evidence, ...]
    foreign: str | None


def marks_of(document: Document) -> list[Mark]:
    """Return every value of the document that may be a credential, in order."""
    found = _candidates(document)
    keys = list(private_keys(document))
    if not found and not keys:
        return []
    ends = [(key.start, key.end) for key in keys]
    found = [candidate for candidate in found if not any(start <= candidate.start < end for start, end in ends)]
    classifier = _Classifier(document)
    return sorted(
        [*classifier.classify(found), *classifier.classify_private_keys(keys, found)], key=lambda mark: mark.start
    )


def _candidates(document: Document) -> list[Candidate]:
    """Return plain, encoded and split values; hex and base36 only where something speaks for Binance."""
    plain = list(candidates(document))
    if any(candidate.shape is not Shape.BASE62 for candidate in plain):
        admitted = _admitted_shapes(document)
        plain = [candidate for candidate in plain if candidate.shape in admitted]
    plain = [candidate for candidate in plain if not in_base64_block(document, candidate)]
    others = [
        candidate
        for candidate in (*encoded_values(document), *fragments(document))
        if candidate.shape is Shape.BASE62 or candidate.shape in _admitted_shapes(document)
    ]
    return sorted([*plain, *others], key=lambda candidate: candidate.start)


def _admitted_shapes(document: Document) -> set[Shape]:
    admitted = {Shape.BASE62}
    futures = not document.binary and any(word.encode() in document.lower for word in FUTURES_WORDS)
    if futures or document_mentions(document):
        admitted.add(Shape.HEX)
    if (b"pay" in document.lower and BINANCE_PAY.search(document.text)) or BINANCE_PAY.search(document.path):
        admitted.add(Shape.BASE36)
    return admitted


class _Classifier:
    """Reads what surrounds the candidates of one document; holds what is made once for the document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._outline = Outline(document)
        self._tables = Tables(document)
        self._whole = WholeFile(self._outline)

    def classify(self, found: Sequence[Candidate]) -> list[Mark]:
        """Give candidates their roles, by name or by position; drop those that are no credentials."""
        labels = self._labels(found)
        positions = positional_roles(self._document, found, labels)
        marks: dict[int, Mark] = {}
        for index, label in enumerate(labels):
            position = positions.get(index)
            if label is not None and label.name.excluded and position is None:
                continue
            role, strength, partner = Role.API_KEY, Strength.NONE, None
            if position is not None:
                role, partner = position
                strength = self._positional_strength(found, index, partner, label)
            elif label is not None and label.name.role is not None:
                role, strength = label.name.role, label.name.strength
            reading = self._read(found[index], label, role, strength)
            if reading.candidate.shape is Shape.BASE62 or self._is_admitted(reading):
                marks[index] = replace(self._mark(reading), partner=partner)
        order = {old: new for new, old in enumerate(sorted(marks))}
        return _settle_roles(
            [
                replace(mark, partner=order.get(mark.partner) if mark.partner is not None else None)
                for _, mark in sorted(marks.items())
            ]
        )

    def classify_private_keys(self, keys: Sequence[PrivateKey], found: Sequence[Candidate]) -> Iterator[Mark]:
        """Read the surroundings of private keys; `found` are the other candidates of the document."""
        for key in keys:
            candidate = Candidate(start=key.start, end=key.end, value=key.der, shape=None, rule=key.rule)
            previous_end = max((other.end for other in found if other.end <= key.start), default=0)
            label = label_of(self._outline, candidate, previous_end, len(self._document.text))
            if key.rule == ED25519_SEED and not _names_private_key(label):
                continue
            reading = self._read(candidate, label, Role.PRIVATE_KEY, Strength.PLAIN)
            if not prefilter.mentions_binance(self._document.flat):
                # Far from the key only the name itself counts: other exchanges have the same API and its parameters.
                near = tuple(piece for piece in reading.evidence if piece.grade is not Grade.FILE)
                reading = replace(reading, evidence=near)
            occurrence = self._occurrence(reading)
            yield Mark(
                occurrence=replace(occurrence, encrypted=key.type is KeyType.ENCRYPTED),
                start=key.start,
                end=key.end,
                shape=None,
                strength=Strength.PLAIN,
            )

    def _labels(self, found: Sequence[Candidate]) -> list[Label | None]:
        labels: list[Label | None] = []
        for index, candidate in enumerate(found):
            previous_end = found[index - 1].end if index else 0
            next_start = found[index + 1].start if index + 1 < len(found) else len(self._document.text)
            label = label_of(self._outline, candidate, previous_end, next_start)
            if label is None or label.reach is not Reach.DIRECT or label.call:
                column = self._tables.column_name(candidate)
                label = Label(name=column, reach=Reach.DIRECT) if column is not None else label
            labels.append(label)
        if found and all(label is None for label in labels) and len({candidate.value for candidate in found}) == 1:
            return [file_label(self._document)] * len(found)
        return labels

    def _positional_strength(
        self, found: Sequence[Candidate], index: int, partner: int | None, label: Label | None
    ) -> Strength:
        """Position in a call or beside a name is as good as a name; two bare values are not."""
        if partner is None:
            return label.name.strength if label is not None else Strength.PLAIN
        first = found[min(index, partner)]
        lead = self._document.text[max(0, first.start - 80) : first.start]
        return Strength.PLAIN if _CALL.search(lead) or label is not None else Strength.NONE

    def _read(self, candidate: Candidate, label: Label | None, role: Role, strength: Strength) -> _Reading:
        foreign = foreign_service(self._outline, candidate, label)
        return _Reading(
            candidate=candidate,
            label=label,
            role=role,
            strength=strength,
            evidence=evidence_for(self._outline, candidate, label) if foreign is None else (),
            foreign=foreign,
        )

    def _is_admitted(self, reading: _Reading) -> bool:
        """Hex and base36 look like a hundred other things: they need a credential's name, Binance, and no hash near."""
        if reading.foreign is not None or reading.strength < Strength.PLAIN:
            return False
        text, at = self._document.text, reading.candidate.start
        start, _ = statement(self._document, reading.candidate)
        if _LOOKS_DERIVED.search(text[max(start, at - 40) : at]):
            return False
        if reading.candidate.shape is Shape.BASE36:
            return bool(reading.evidence) or bool(BINANCE_PAY.search(text))
        return bool(reading.evidence) or reading.strength is Strength.STRONG

    def _mark(self, reading: _Reading) -> Mark:
        candidate, label = reading.candidate, reading.label
        return Mark(
            occurrence=self._occurrence(reading),
            start=candidate.start,
            end=candidate.end,
            shape=candidate.shape,
            strength=reading.strength,
            of_an_api=candidate.shape is Shape.BASE62 or (label is not None and self._names_an_api(candidate, label)),
            binance=label is not None and label.name.binance,
            ambiguous=label is not None and label.name.ambiguous,
        )

    def _names_an_api(self, candidate: Candidate, label: Label) -> bool:
        """Whether a lone hex or base36 value is named for an API, with Binance or its futures in the same statement."""
        if not label.name.of_an_api or "private" in label.name.words:
            return False
        if candidate.shape is Shape.BASE36 or label.name.binance or _mentions_futures(label.name.text):
            return True
        return self._document.mention_between(*statement(self._document, candidate)) is not None

    def _occurrence(self, reading: _Reading) -> Occurrence:
        document, candidate, label = self._document, reading.candidate, reading.label
        value = Value.of(reading.role, candidate.value)
        line, column = document.position(candidate.start)
        last_line, _ = document.position(max(candidate.start, candidate.end - 1))
        if value.role is Role.PRIVATE_KEY and label is not None and label.name.role is None:
            label = None
        named = reading.strength >= Strength.PLAIN
        shown = _shown_name(label) if named else None
        name = (Evidence(grade=Grade.STATEMENT, text=shown, for_binance=False),) if shown else ()
        return Occurrence(
            value=value,
            location=Location(
                role=value.role,
                path="",
                line=line,
                column=column,
                allowed=allowed(document, candidate.start, candidate.end),
            ),
            rule=candidate.rule,
            last_line=last_line,
            stem=label.name.stem if label is not None and label.reach is not Reach.ABOVE else (),
            named=named,
            environment=environment_of(candidate, reading.label, reading.evidence, self._whole),
            evidence=(*reading.evidence, *name),
            foreign=reading.foreign,
        )


_CALL = re.compile(r"[\w>\])]\s*(?:<[^<>()]*>)?\(\s*(?:[\w.:]+\(|new\s+\w+\()*\s*[@bruLfN]?[\"'`]?$")
_LOOKS_DERIVED = re.compile(
    r"hmac\W*$|signature|\bhash|txid|tx_?hash|sha-?256|\bjwt|listen_?key|digest|checksum|0x$", re.IGNORECASE
)
_RANDOM = re.compile(r"(?=[A-Za-z]*\d)[A-Za-z0-9]{20,}")


def _mentions_futures(name: str) -> bool:
    return any(word in name.lower() for word in FUTURES_WORDS)


def _shown_name(label: Label | None) -> str | None:
    """The name for the report, unless it could be part of a value itself."""
    if label is None or len(label.name.text) > 40 or _RANDOM.search(label.name.text):
        return None
    return f"named “{label.name.text}”"


def _names_private_key(label: Label | None) -> bool:
    return label is not None and label.name.role is Role.SECRET_KEY and label.reach in (Reach.DIRECT, Reach.ABOVE)


def _settle_roles(marks: list[Mark]) -> list[Mark]:
    """Give a value that has two roles, as when one string was pasted into both fields, the better-named one."""
    best: dict[str, Mark] = {}
    for mark in marks:
        held = best.get(mark.occurrence.value.sha256)
        if held is None or mark.strength > held.strength:
            best[mark.occurrence.value.sha256] = mark
    marks = [_with_role(mark, best[mark.occurrence.value.sha256].role) for mark in marks]
    return [
        _with_role(mark, Role.API_KEY) if mark.ambiguous and _is_beside_clear_secret(marks, index) else mark
        for index, mark in enumerate(marks)
    ]


def _is_beside_clear_secret(marks: Sequence[Mark], index: int) -> bool:
    """Of two secrets side by side the one whose name is ambiguous (密钥) is the key."""
    around = [marks[at] for at in (index - 1, index + 1) if 0 <= at < len(marks)]
    return any(other.role is Role.SECRET_KEY and not other.ambiguous for other in around) and all(
        other.role is Role.SECRET_KEY for other in around
    )


def _with_role(mark: Mark, role: Role) -> Mark:
    return replace(mark, occurrence=mark.occurrence.in_role(role))
