"""The record of judgements: all that the detector finds in each case, down to evidence and columns.

`judge` checks what a case states; the record shows what no case states, so that a change of it is seen and read.
`judgements.tsv` has a line for each case: its id, then a field for each credential, of any confidence:

    KIND CONFIDENCE ENVIRONMENT | OCCURRENCE, OCCURRENCE… | EVIDENCE; EVIDENCE…

An occurrence is the name of its placeholder, its line and column, and what is not usual about it: another last line, a
role that is not its placeholder's, a rule other than `hmac`, `unnamed`, the stem of its name in brackets, an
environment that is not the credential's, `of` another service, `encrypted`, `in path`. All seeds give the same.
`python -m tests.corpus --record` writes the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import ndiff
from functools import cache
from pathlib import Path

from binance_leaks.detect.rules import HMAC
from binance_leaks.model import Credential, Environment, Occurrence

from tests.corpus import Filled, placeholders

RECORD = Path(__file__).with_name("judgements.tsv")


def recorded_anew(judged: Iterable[tuple[Filled, Iterable[Credential]]]) -> str:
    """The text of the record, of cases and what was found in them."""
    return "".join("\t".join((filled.case.id, *describe(filled, found))) + "\n" for filled, found in judged)


@cache
def recorded() -> Mapping[str, tuple[str, ...]]:
    """Read the record: the credentials of each case, by its id."""
    lines = (line.split("\t") for line in RECORD.read_text(encoding="utf-8").splitlines())
    return {case: tuple(credentials) for case, *credentials in lines}


def changes(filled: Filled, found: Iterable[Credential]) -> list[str]:
    """The credentials that are not as recorded, `-` before and `+` now, with marks below what differs."""
    before, now = recorded().get(filled.case.id, ()), describe(filled, found)
    return [] if before == now else [line.rstrip("\n") for line in ndiff(before, now)]


def describe(filled: Filled, found: Iterable[Credential]) -> tuple[str, ...]:
    """Describe each credential in one line, in the order of their locations."""
    names = {digest: name for name, digest in filled.digests.items()}
    ordered = sorted(found, key=lambda credential: sorted(_place(each, names) for each in credential.occurrences))
    return tuple(_credential(credential, names) for credential in ordered)


def _credential(credential: Credential, names: Mapping[str, str]) -> str:
    occurrences = sorted(credential.occurrences, key=lambda occurrence: _place(occurrence, names))
    fields = (
        f"{credential.kind.value} {credential.confidence.value} {credential.environment.value}",
        ", ".join(" ".join(_occurrence(each, names, credential.environment)) for each in occurrences),
        "; ".join(credential.evidence),
    )
    return " | ".join(filter(None, fields))


def _place(occurrence: Occurrence, names: Mapping[str, str]) -> tuple[int, int, str]:
    return occurrence.location.line, occurrence.location.column, _name(occurrence, names)


def _name(occurrence: Occurrence, names: Mapping[str, str]) -> str:
    return names.get(occurrence.value.sha256, "?")


def _occurrence(occurrence: Occurrence, names: Mapping[str, str], environment: Environment) -> Iterator[str]:
    name, location = _name(occurrence, names), occurrence.location
    yield f"{name} {location.line}:{location.column}"
    if occurrence.last_line != location.line:
        yield f"to {occurrence.last_line}"
    if name == "?" or occurrence.value.role is not placeholders.role_of(placeholders.parse(name).base):
        yield occurrence.value.role.value
    if occurrence.rule != HMAC:
        yield occurrence.rule
    if not occurrence.named:
        yield "unnamed"
    if occurrence.stem:
        yield f"[{' '.join(occurrence.stem)}]"
    if occurrence.environment not in (environment, Environment.UNKNOWN):
        yield occurrence.environment.value
    if occurrence.foreign is not None:
        yield f"of {occurrence.foreign}"
    if occurrence.encrypted:
        yield "encrypted"
    if occurrence.in_path:
        yield "in path"
