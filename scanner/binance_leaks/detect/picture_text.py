"""Text that was recognized in a picture, as a document for the detector, and what its readings are worth.

Recognition reads runs of random characters well, but not those that look alike: in 36 values that a browser drew it
took I for l, or 0 for O, in every third. It also splits runs, and drops or doubles a character. So runs of about the
length of a value are made one for the detector, and what it then finds is known by the picture, not by its characters.
"""

from __future__ import annotations

import itertools
import string
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from binance_leaks.detect.candidates import LENGTH
from binance_leaks.detect.credentials import Group, credential_of, merge_credentials
from binance_leaks.detect.published import published_as
from binance_leaks.lazy_dataclasses import dataclass, field, replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Credential, Evidence, Grade, Occurrence, Reading, Value

_SHORTEST, _LONGEST = LENGTH - 2, LENGTH + 3
"""Lengths of a run that may be a value of which recognition lost or doubled characters."""
_SHORTEST_PART = 8
_SHORTEST_SPLIT = 2
_MOST_ROWS = 5
_RUN = lazy_pattern(r"[A-Za-z0-9]+")
_GAP = lazy_pattern(r"(?<=[A-Za-z0-9]) (?=[A-Za-z0-9])")
_BARS = lazy_pattern(r"(?<=[A-Za-z0-9])[|!¡](?=[A-Za-z0-9])")
_LABEL = lazy_pattern(r"(?i)api[\s_-]{0,2}key|secret|\bkey\b")
_DIGITS_IN_HEX = str.maketrans("OoIl", "0011")
_HEX = frozenset("0123456789abcdefABCDEF")
_LOOK_ALIKE = {character: group for group in ("Il1", "0O") for character in group}
_MOST_READINGS = 20_000
_COVERED = "…"
_PAGE_LABELS = (
    *("enable spot", "enable withdrawals", "enable futures", "enable reading", "enable margin", "api restrictions"),
    *("restrict access to trusted", "permits universal transfer", "unrestricted (less secure)"),
)
"""Labels of the page on which the exchange shows a key, of which two are evidence."""
_EVIDENCE_RECOGNIZED = "read from a picture: similar characters may be mistaken, so that its id is of the picture"


@dataclass(frozen=True, slots=True)
class PictureLine:
    """A line as recognition found it: its rectangle in pixels, and its text."""

    left: float
    top: float
    right: float
    bottom: float
    text: str

    @property
    def height(self) -> float:
        """Its height, at least one pixel."""
        return max(1.0, self.bottom - self.top)


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureText:
    """The text of a picture, in rows."""

    text: str
    parts: Mapping[str, int] = field(default_factory=dict)
    """By SHA-256 of what the text has in place of a value of which a part can be read: how many characters."""
    is_key_page: bool = False
    """Whether it has labels of the exchange's page of API keys."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureOrigin:
    """Where a text comes from: the SHA-256 of its picture, and what was done to read it."""

    digest: str
    recognized: PictureText | None = None
    """None for codes and metadata, whose characters are exact."""
    what: str = "a picture"


def lay_out(lines: Iterable[PictureLine]) -> PictureText:
    """Return the text of a picture: lines in rows, wrapped values joined, and runs of about 64 characters made 64 long.

    >>> lay_out([PictureLine(50, 0, 90, 20, "Key"), PictureLine(0, 0, 40, 20, "API")]).text
    'API Key'
    """
    rows = _joined_wraps(_rows([replace(line, text=_normalized(line.text)) for line in lines]))
    texts = [_row_text(row) for row in rows]
    parts: dict[str, int] = {}
    repaired: list[str] = []
    for number, text in enumerate(texts):
        before = repaired[number - 1] if number else ""
        repaired.append(_with_whole_parts(_repaired(text), before, parts))
    lower = " ".join(texts).lower()
    labels = sum(label in lower for label in _PAGE_LABELS)
    return PictureText(text="\n".join(repaired), parts=parts, is_key_page=labels > 1)


def _normalized(text: str) -> str:
    """The text in plain letters, with a bar inside a run as the letter that it is."""
    return _BARS.sub("l", unicodedata.normalize("NFKC", text).strip())


def _rows(lines: Iterable[PictureLine]) -> list[list[PictureLine]]:
    """The lines in rows from top to bottom, each from left to right."""
    rows: list[list[PictureLine]] = []
    for line in sorted(lines, key=lambda line: (line.top + line.bottom, line.left)):
        row = rows[-1] if rows else []
        if row:
            overlap = min(row[-1].bottom, line.bottom) - max(row[-1].top, line.top)
            if overlap > min(row[-1].height, line.height) / 2:
                row.append(line)
                continue
        rows.append([line])
    return [sorted(row, key=lambda line: line.left) for row in rows]


def _row_text(row: Sequence[PictureLine]) -> str:
    """The text of a row; what recognition cut out of one run is joined."""
    text = row[0].text
    for last, line in itertools.pairwise(row):
        gap = line.left - last.right
        joins = gap < 0.7 * line.height and _is_split(_last_run(text), _first_run(line.text))
        text += line.text if joins else f" {line.text}"
    return text


def _last_run(text: str) -> str:
    return text[len(text.rstrip(string.ascii_letters + string.digits)) :]


def _first_run(text: str) -> str:
    return text[: len(text) - len(text.lstrip(string.ascii_letters + string.digits))]


def _joined_wraps(rows: list[list[PictureLine]]) -> list[list[PictureLine]]:
    """Join a value that is wrapped into lines one below the other in the first of them."""
    rows = [list(row) for row in rows]
    for number, row in enumerate(rows):
        for place, line in enumerate(row):
            run = _last_run(line.text)
            if not _SHORTEST_PART <= len(run) < _SHORTEST:
                continue
            below = list(_lines_below(rows[number + 1 : number + _MOST_ROWS], line, run))
            for count in range(1, len(below) + 1):
                whole = run + "".join(each.text for _, each in below[:count])
                if _SHORTEST <= len(whole) <= _LONGEST and _is_random(whole):
                    row[place] = replace(line, text=line.text + whole[len(run) :])
                    for other, each in below[:count]:
                        other.remove(each)
                    break
    return [row for row in rows if row]


def _lines_below(
    rows: Sequence[list[PictureLine]], line: PictureLine, run: str
) -> Iterator[tuple[list[PictureLine], PictureLine]]:
    """Yield the lines that go on with a run, each with its row: only of its characters, and close below."""
    start = line.right - (line.right - line.left) * len(run) / len(line.text)
    last = line
    for row in rows:
        found = next(
            (
                each
                for each in row
                if each.text.isascii() and each.text.isalnum() and each.top - last.bottom < 1.2 * last.height
                and min(abs(each.left - start), abs(each.left - line.left)) < 2 * line.height
            ),
            None,
        )  # fmt: skip
        if found is None:
            return
        yield row, found
        last = found


def _is_split(first: str, second: str) -> bool:
    """Whether two runs are parts of one value, and neither a value by itself."""
    return (
        min(len(first), len(second)) >= _SHORTEST_SPLIT
        and max(len(first), len(second)) < _SHORTEST
        and _SHORTEST <= len(first) + len(second) <= _LONGEST
        and _is_random(first + second)
    )


def _is_random(run: str) -> bool:
    """Whether a run has what random characters have: digits and letters of both kinds, in every part of it."""
    kinds = (any(map(str.isdigit, run)), any(map(str.islower, run)), any(map(str.isupper, run)))
    return all(kinds) and len(set(run)) > len(run) // 3


def _repaired(text: str) -> str:
    """The text with each run that may be a value made 64 characters long."""
    for match in reversed(list(_GAP.finditer(text))):
        if _is_split(_last_run(text[: match.start()]), _first_run(text[match.end() :])):
            text = text[: match.start()] + text[match.end() :]
    return _RUN.sub(lambda match: _as_value(match.group()), text)


def _as_value(run: str) -> str:
    if not _SHORTEST <= len(run) <= _LONGEST:
        return run
    digits = run.translate(_DIGITS_IN_HEX)
    if _HEX.issuperset(digits):
        return digits  # a digest or a signature, of which a digit was taken for a letter
    return _published(run) or _filled(run) if _is_random(run) else run


def _filled(*pieces: str) -> str:
    """Some pieces of a value with characters between the last two, or behind the only one, that make it 64 long."""
    run = "".join(pieces)
    alphabet = string.ascii_letters + string.digits
    more = "".join(alphabet[byte % len(alphabet)] for byte in sha256(run.encode("ascii")).digest() * 2)
    at = len(run) - len(pieces[-1]) if len(pieces) > 1 else len(run)
    return (run[:at] + more[: max(0, LENGTH - len(run))] + run[at:])[:LENGTH]


def _with_whole_parts(text: str, before: str, parts: dict[str, int]) -> str:
    """Put a value in place of what can still be read of one beside its label; note in `parts` how much that is."""
    runs = [match for match in _RUN.finditer(text) if _is_part(match.group())]
    if not 0 < len(runs) < 3 or any(len(match.group()) >= _SHORTEST for match in _RUN.finditer(text)):
        return text
    label = text[: runs[0].start()]
    if _LABEL.search(label) is None and (label.strip() or _LABEL.search(before) is None):
        return text
    pieces = [match.group() for match in runs]
    shown = sum(map(len, pieces))
    if shown >= _SHORTEST:
        return text
    whole = _filled(*pieces)
    parts[sha256(whole.encode("ascii")).hexdigest()] = shown
    return f"{label}{whole}{text[runs[-1].end() :]}"


def _is_part(run: str) -> bool:
    return _SHORTEST_PART <= len(run) < _SHORTEST and _is_random(run)


def with_origin(credentials: Iterable[Credential], origin: PictureOrigin) -> tuple[Credential, ...]:
    """Return what the detector found in a text of a picture, with what that means for each value.

    A recognized value has an id of the picture, and no bytes that could be sent to anybody. One that is a documented
    example, if similar characters are taken for one another, has that one's.
    """
    evidence = Evidence(
        grade=Grade.STATEMENT,
        text=_EVIDENCE_RECOGNIZED if origin.recognized is not None else f"read from {origin.what}",
        for_binance=False,
    )
    if origin.recognized is None:
        return tuple(_with_evidence(credential, evidence) for credential in credentials)
    found = list(credentials)
    places = {
        (each.location.line, each.location.column, each.value.sha256) for one in found for each in one.occurrences
    }
    order = list(dict.fromkeys(digest for _, _, digest in sorted(places)))
    parts = origin.recognized.parts
    groups: list[Group] = []
    for credential in found:
        halves: dict[bool, list[Occurrence]] = {}
        for each in credential.occurrences:
            shown = parts.get(each.value.sha256)
            value = _value_of_picture(
                each.value, origin.digest, order.index(each.value.sha256), is_part=shown is not None
            )
            known = [evidence]
            if shown is not None:
                text = f"only {shown} of its {LENGTH} characters can be read"
                known.append(Evidence(grade=Grade.STATEMENT, text=text, for_binance=False))
            reading = Reading.RECOGNIZED if shown is None else Reading.PART
            halves.setdefault(shown is None, []).append(
                replace(each, value=value, evidence=(*each.evidence, *known), reading=reading)
            )
        groups += [Group.of(*half) for half in halves.values()]
    return merge_credentials(groups)


def _with_evidence(credential: Credential, evidence: Evidence) -> Credential:
    return credential_of([replace(each, evidence=(*each.evidence, evidence)) for each in credential.occurrences])


def _value_of_picture(value: Value, picture: str, number: int, *, is_part: bool) -> Value:
    if published_as(value.sha256) is not None:
        return value
    digest = sha256(f"binance-leaks/picture:{picture}:{number}".encode("ascii")).hexdigest()
    return replace(value, sha256=digest, sha1="", secret=None, masked=_COVERED if is_part else value.masked)


def _published(run: str) -> str | None:
    """The documented example that a run is if characters that look alike were mistaken."""
    readings = itertools.islice(_readings(run), _MOST_READINGS)
    return next((each for each in readings if published_as(sha256(each.encode("ascii")).hexdigest())), None)


def _readings(run: str) -> Iterator[str]:
    """Every way to read a run, those with the fewest mistakes first."""
    unsure = [at for at, character in enumerate(run) if character in _LOOK_ALIKE]
    for count in range(len(unsure) + 1):
        for mistaken in itertools.combinations(unsure, count):
            others = [_LOOK_ALIKE[run[at]].replace(run[at], "") for at in mistaken]
            for right in itertools.product(*others):
                characters = list(run)
                for at, character in zip(mistaken, right, strict=True):
                    characters[at] = character
                yield "".join(characters)
