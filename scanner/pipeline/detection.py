"""What a piece of content holds, and what a commit or a tag."""

from __future__ import annotations

from scanner.detect import prefilter
from scanner.detect.blocks import without_signatures
from scanner.detect.engine import detect
from scanner.model import Credential
from scanner.sources.objects.content import merged_tags, message_start
from scanner.sources.piece import Piece


def credentials_in(piece: Piece) -> tuple[Credential, ...]:
    """The credentials of one piece."""
    return detect(
        piece.data,
        path=piece.path,
        evidence_path=piece.evidence_path,
        first_line=piece.first_line,
        first_column=piece.first_column,
        mentions_binance=piece.mentions_binance,
    )


def credentials_in_object(content: bytes) -> tuple[Credential, ...]:
    """The credentials of a commit or tag: of its message, of its headers, and of the tags that it keeps."""
    found: list[Credential] = []
    kept = _unsigned(content)
    start = message_start(kept)
    for text in (kept[start:], kept[:start], *map(_unsigned, merged_tags(content))):
        if prefilter.may_hold(text):
            found += detect(text)
    return tuple(found)


def _unsigned(content: bytes) -> bytes:
    return without_signatures(content, headers=message_start(content))
