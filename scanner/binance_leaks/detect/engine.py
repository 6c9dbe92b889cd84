"""Detect credentials in bytes: read texts, classify candidates, pair halves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from binance_leaks.detect.base64_blocks import EncodedText, encoded_texts, is_longer_than_value
from binance_leaks.detect.classify import find_matches
from binance_leaks.detect.credentials import Group, merge_credentials
from binance_leaks.detect.document import Document, documents
from binance_leaks.detect.evidence import document_mentions
from binance_leaks.detect.pairing import find_pairs
from binance_leaks.detect.work import Work
from binance_leaks.lazy_dataclasses import replace
from binance_leaks.model import Credential


def detect(
    data: bytes,
    *,
    path: str = "",
    evidence_path: str | None = None,
    first_line: int = 1,
    first_column: int = 1,
    mentions_binance: bool = False,
    work: Work | None = None,
) -> tuple[Credential, ...]:
    """Return every credential in `data`, of any confidence, keys paired with their secrets.

    `path` is what locations show; `evidence_path`, the same unless given, is the part of it that may speak for Binance.
    The rest is for a part of a larger file: where it begins, whether that file mentions Binance elsewhere, and the
    work that was done for it. Where that `is_exhausted()` afterwards, only the beginning was searched.
    """
    found: list[Group] = []
    for document in documents(
        data,
        path=path if evidence_path is None else evidence_path,
        first_line=first_line,
        first_column=first_column,
        mentions_binance=mentions_binance,
        work=work,
    ):
        found += groups_in(document, path)
    return merge_credentials(found)


_DEEPEST = 3


def groups_in(document: Document, path: str, *, depth: int = 0) -> Iterator[Group]:
    """Yield the occurrences of each credential in a document, which is at a path.

    `depth` is how often it was decoded from base64.
    """
    encoded = list(encoded_texts(document))
    matches = find_matches(document, path, encoded)
    pairs = find_pairs(document, matches)
    paired = {index for pair in pairs for index in pair}
    for key, secret in pairs:
        yield Group.of(matches[key].occurrence, matches[secret].secret_half)
    for index, match in enumerate(matches):
        if index not in paired and match.of_an_api:
            yield Group.of(match.occurrence)
    if depth < _DEEPEST:
        yield from _in_encoded_texts(document, path, filter(is_longer_than_value, encoded), depth)


def _in_encoded_texts(document: Document, path: str, encoded: Iterable[EncodedText], depth: int) -> Iterator[Group]:
    """Detect in base64 of a whole configuration file; what is found is located where the base64 begins."""
    for each in encoded:
        line, column = document.position(each.start)
        last_line, _ = document.position(each.end)
        text = each.decoded.decode("ascii")
        inner = Document(
            text=text, path=document.path, mentions_binance=document_mentions(document), work=document.work
        )
        origin = document.origin(each.start)
        for group in groups_in(inner, path, depth=depth + 1):
            moved = (
                replace(
                    found,
                    location=replace(found.location, line=line, column=column, origin=origin),
                    last_line=last_line,
                )
                for found in group.occurrences
            )
            yield Group.of(*moved)
