"""Detect credentials in bytes: read texts, classify candidates, pair halves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from binance_leaks.detect.base64_blocks import encoded_texts
from binance_leaks.detect.classify import find_matches
from binance_leaks.detect.credentials import credential_of, merge_credentials
from binance_leaks.detect.document import Document, documents
from binance_leaks.detect.evidence import document_mentions
from binance_leaks.detect.pairing import find_pairs
from binance_leaks.model import Credential, Occurrence


def detect(
    data: bytes,
    *,
    path: str = "",
    evidence_path: str | None = None,
    first_line: int = 1,
    first_column: int = 1,
    mentions_binance: bool = False,
) -> tuple[Credential, ...]:
    """Return every credential in `data`, of any confidence, keys paired with their secrets.

    `path` is what locations show; `evidence_path`, the same unless given, is the part of it that may speak for Binance.
    The rest is for a part of a larger file: where it begins, and whether that file mentions Binance elsewhere.
    """
    found: list[Credential] = []
    for document in documents(
        data,
        path=path if evidence_path is None else evidence_path,
        first_line=first_line,
        first_column=first_column,
        mentions_binance=mentions_binance,
    ):
        found += _in_document(document)
    return tuple(_relocated(credential, path=path) for credential in merge_credentials(found))


def _in_document(document: Document, *, encoded: bool = True) -> Iterator[Credential]:
    matches = find_matches(document)
    pairs = find_pairs(document, matches)
    paired = {index for pair in pairs for index in pair}
    for key, secret in pairs:
        yield credential_of((matches[key].occurrence, matches[secret].occurrence))
    for index, match in enumerate(matches):
        if index not in paired and match.of_an_api:
            yield credential_of((match.occurrence,))
    if encoded:
        yield from _in_encoded_texts(document)


def _in_encoded_texts(document: Document) -> Iterator[Credential]:
    """Detect in base64 of a whole configuration file; what is found is located where the base64 begins."""
    for start, end, decoded in encoded_texts(document):
        line, column = document.position(start)
        last_line, _ = document.position(end)
        inner = Document(text=decoded.decode("ascii"), path=document.path, mentions_binance=document_mentions(document))
        for credential in _in_document(inner, encoded=False):
            yield _relocated(credential, line=line, column=column, last_line=last_line)


def _relocated(
    credential: Credential, *, path: str | None = None, line: int = 0, column: int = 0, last_line: int = 0
) -> Credential:
    """Return the credential with its occurrences at other places."""

    def moved(occurrence: Occurrence) -> Occurrence:
        location = occurrence.location
        if path is not None:
            return replace(occurrence, location=replace(location, path=path))
        return replace(occurrence, location=replace(location, line=line, column=column), last_line=last_line)

    return replace(credential, occurrences=tuple(moved(occurrence) for occurrence in credential.occurrences))
