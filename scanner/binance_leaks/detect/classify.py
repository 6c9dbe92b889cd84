"""Values of a document with their roles: shapes, names and positions brought together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from binance_leaks.detect import prefilter
from binance_leaks.detect.base64_blocks import in_base64_block
from binance_leaks.detect.base64_values import encoded_values
from binance_leaks.detect.call_arguments import positional_roles
from binance_leaks.detect.candidates import Candidate, Shape, candidates
from binance_leaks.detect.document import Document
from binance_leaks.detect.environment_evidence import WholeFile, environment_of
from binance_leaks.detect.evidence import document_mentions, evidence_for, foreign_service, statement
from binance_leaks.detect.names import Strength
from binance_leaks.detect.nearby_names import Label, Reach, file_label, label_of
from binance_leaks.detect.private_keys import KeyType, PrivateKey, private_keys
from binance_leaks.detect.rules import ED25519_SEED
from binance_leaks.detect.split_values import fragments
from binance_leaks.detect.tables import column_name
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
    """The comment that allows the value at `text[start:end]`: on one of its lines, or on the line above it.

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
    """An occurrence with its place in the document's text.

    `partner` is the index of the value that position pairs it with.

    `of_an_api` is false for a hex or base36 value whose name is that of some secret, not clearly an API's: such a value
    counts only beside its other half. `binance` says that the name itself does, `ambiguous` that it may mean either.
    """

    occurrence: Occurrence
    start: int
    end: int
    shape: Shape | None
    strength: Strength
    of_an_api: bool = True
    binance: bool = False
    ambiguous: bool = False
    partner: int | None = None

    @property
    def role(self) -> Role:
        """The role of its value."""
        return self.occurrence.value.role


def marks_of(document: Document) -> list[Mark]:
    """Every value of the document that could be a credential, in order."""
    found = _candidates(document)
    keys = list(private_keys(document))
    if not found and not keys:
        return []
    ends = [(key.start, key.end) for key in keys]
    found = [candidate for candidate in found if not any(start <= candidate.start < end for start, end in ends)]
    return sorted(
        [*_hmac_marks(document, found), *_private_marks(document, keys, found)],
        key=lambda mark: mark.start,
    )


def _candidates(document: Document) -> list[Candidate]:
    """Plain, encoded and fragmented values; hex and base36 only where something speaks for Binance."""
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


def _labels(document: Document, found: Sequence[Candidate]) -> list[Label | None]:
    labels: list[Label | None] = []
    for index, candidate in enumerate(found):
        previous_end = found[index - 1].end if index else 0
        next_start = found[index + 1].start if index + 1 < len(found) else len(document.text)
        label = label_of(document, candidate, previous_end, next_start)
        if label is None or label.reach is not Reach.DIRECT or label.call:
            column = column_name(document, candidate)
            label = Label(name=column, reach=Reach.DIRECT) if column is not None else label
        labels.append(label)
    if found and all(label is None for label in labels) and len({candidate.value for candidate in found}) == 1:
        return [file_label(document)] * len(found)
    return labels


def _hmac_marks(document: Document, found: Sequence[Candidate]) -> list[Mark]:
    labels = _labels(document, found)
    positions = positional_roles(document, found, labels)
    marks: dict[int, Mark] = {}
    whole = WholeFile(document)
    for index, candidate in enumerate(found):
        label = labels[index]
        placed = positions.get(index)
        if label is not None and label.name.excluded and placed is None:
            continue
        role, strength, partner = Role.API_KEY, Strength.NONE, None
        if placed is not None:
            role, partner = placed
            strength = _positional_strength(document, found, index, partner, label)
        elif label is not None and label.name.role is not None:
            role, strength = label.name.role, label.name.strength
        mark = _mark(document, candidate, label, role, strength, whole)
        if mark is not None:
            marks[index] = replace(mark, partner=partner)
    order = {old: new for new, old in enumerate(sorted(marks))}
    return _one_role_a_value(
        [
            replace(mark, partner=order.get(mark.partner) if mark.partner is not None else None)
            for _, mark in sorted(marks.items())
        ]
    )


_CALL = re.compile(r"[\w>\])]\s*(?:<[^<>()]*>)?\(\s*(?:[\w.:]+\(|new\s+\w+\()*\s*[@bruLfN]?[\"'`]?$")


def _positional_strength(
    document: Document, found: Sequence[Candidate], index: int, partner: int | None, label: Label | None
) -> Strength:
    """Position in a call or beside a name is as good as a name; two bare values are not."""
    if partner is None:
        return label.name.strength if label is not None else Strength.PLAIN
    first = found[min(index, partner)]
    lead = document.text[max(0, first.start - 80) : first.start]
    if _CALL.search(lead) or label is not None:
        return Strength.PLAIN
    return Strength.NONE


def _mark(
    document: Document, candidate: Candidate, label: Label | None, role: Role, strength: Strength, whole: WholeFile
) -> Mark | None:
    foreign = foreign_service(document, candidate, label)
    evidence = evidence_for(document, candidate, label) if foreign is None else ()
    if candidate.shape is not Shape.BASE62 and not _admitted(document, candidate, strength, evidence, foreign):
        return None
    occurrence = _occurrence(
        document,
        Value.of(role, candidate.value),
        candidate.start,
        candidate.end,
        rule=candidate.rule,
        label=label,
        named=strength >= Strength.PLAIN,
        evidence=evidence,
    )
    occurrence = replace(
        occurrence, environment=environment_of(document, candidate, label, evidence, whole), foreign=foreign
    )
    return Mark(
        occurrence=occurrence,
        start=candidate.start,
        end=candidate.end,
        shape=candidate.shape,
        strength=strength,
        of_an_api=candidate.shape is Shape.BASE62 or (label is not None and _names_an_api(document, candidate, label)),
        binance=label is not None and label.name.binance,
        ambiguous=label is not None and label.name.ambiguous,
    )


def _names_an_api(document: Document, candidate: Candidate, label: Label) -> bool:
    """Whether a lone hex or base36 value is named for an API, with Binance or its futures in the same statement."""
    if not label.name.of_an_api or "private" in label.name.words:
        return False
    if candidate.shape is Shape.BASE36 or label.name.binance or _names_futures(label.name.text):
        return True
    return document.mention_between(*statement(document, candidate)) is not None


def _names_futures(name: str) -> bool:
    return any(word in name.lower() for word in FUTURES_WORDS)


_LOOKS_DERIVED = re.compile(
    r"hmac\W*$|signature|\bhash|txid|tx_?hash|sha-?256|\bjwt|listen_?key|digest|checksum|0x$", re.IGNORECASE
)


def _admitted(
    document: Document, candidate: Candidate, strength: Strength, evidence: Sequence[Evidence], foreign: str | None
) -> bool:
    """Hex and base36 look like a hundred other things: they need a credential's name, Binance, and no hash near."""
    if foreign is not None or strength < Strength.PLAIN:
        return False
    start, _ = statement(document, candidate)
    if _LOOKS_DERIVED.search(document.text[max(start, candidate.start - 40) : candidate.start]):
        return False
    if candidate.shape is Shape.BASE36:
        return bool(evidence) or bool(BINANCE_PAY.search(document.text))
    return bool(evidence) or strength is Strength.STRONG


def _occurrence(
    document: Document,
    value: Value,
    start: int,
    end: int,
    *,
    rule: str,
    label: Label | None,
    named: bool,
    evidence: Sequence[Evidence],
) -> Occurrence:
    line, column = document.position(start)
    last_line, _ = document.position(max(start, end - 1))
    by_name = _shown_name(label) if named else None
    return Occurrence(
        value=value,
        location=Location(role=value.role, path="", line=line, column=column, allowed=allowed(document, start, end)),
        rule=rule,
        last_line=last_line,
        stem=label.name.stem if label is not None and label.reach is not Reach.ABOVE else (),
        named=named,
        evidence=(*evidence, Evidence(grade=Grade.STATEMENT, text=by_name, for_binance=False))
        if by_name
        else tuple(evidence),
    )


_RANDOM = re.compile(r"(?=[A-Za-z]*\d)[A-Za-z0-9]{20,}")


def _shown_name(label: Label | None) -> str | None:
    """The name for the report, unless it could be part of a value itself."""
    if label is None or len(label.name.text) > 40 or _RANDOM.search(label.name.text):
        return None
    return f"named “{label.name.text}”"


def _one_role_a_value(marks: list[Mark]) -> list[Mark]:
    """A value that stands in two roles, as when one string was pasted into both fields, takes the better-named one."""
    best: dict[str, Mark] = {}
    for mark in marks:
        held = best.get(mark.occurrence.value.sha256)
        if held is None or mark.strength > held.strength:
            best[mark.occurrence.value.sha256] = mark
    marks = [with_role(mark, best[mark.occurrence.value.sha256].role) for mark in marks]
    return [
        with_role(mark, Role.API_KEY) if mark.ambiguous and _beside_a_clear_secret(marks, index) else mark
        for index, mark in enumerate(marks)
    ]


def _beside_a_clear_secret(marks: Sequence[Mark], index: int) -> bool:
    """Of two secrets side by side the one whose name is ambiguous (密钥) is the key."""
    around = [marks[at] for at in (index - 1, index + 1) if 0 <= at < len(marks)]
    return any(other.role is Role.SECRET_KEY and not other.ambiguous for other in around) and all(
        other.role is Role.SECRET_KEY for other in around
    )


def with_role(mark: Mark, role: Role) -> Mark:
    """The same mark in another role."""
    return replace(mark, occurrence=mark.occurrence.in_role(role))


def _private_marks(document: Document, keys: Iterable[PrivateKey], found: Sequence[Candidate]) -> list[Mark]:
    marks = []
    whole = WholeFile(document)
    for key in keys:
        place = Candidate(start=key.start, end=key.end, value=b"", shape=None, rule=key.rule)
        previous_end = max((candidate.end for candidate in found if candidate.end <= key.start), default=0)
        label = label_of(document, place, previous_end, len(document.text))
        if key.rule == ED25519_SEED and not _names_private_key(label):
            continue
        foreign = foreign_service(document, place, label)
        evidence = evidence_for(document, place, label) if foreign is None else ()
        if not prefilter.mentions_binance(document.flat):
            # Far from the key only the name itself counts: other exchanges have the same API and its parameters.
            evidence = tuple(piece for piece in evidence if piece.grade is not Grade.FILE)
        occurrence = _occurrence(
            document,
            Value.of(Role.PRIVATE_KEY, key.der),
            key.start,
            key.end,
            rule=key.rule,
            label=label if label is not None and label.name.role is not None else None,
            named=True,
            evidence=evidence,
        )
        environment = environment_of(document, place, label, evidence, whole)
        marks.append(
            Mark(
                occurrence=replace(
                    occurrence, environment=environment, foreign=foreign, encrypted=key.type is KeyType.ENCRYPTED
                ),
                start=key.start,
                end=key.end,
                shape=None,
                strength=Strength.PLAIN,
            )
        )
    return marks


def _names_private_key(label: Label | None) -> bool:
    return label is not None and label.name.role is Role.SECRET_KEY and label.reach in (Reach.DIRECT, Reach.ABOVE)
