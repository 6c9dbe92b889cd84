"""The test on every byte, compiled where that was built: whether a credential may be in some bytes at all.

It finds traits, bit by bit as `scanner/native/search.c` has them. Here are those that need no vocabulary, so that a
commit that is clean imports nothing else; `sieve` knows all of them. There may be false hits, but nothing that the
detector would find is missed.
"""

from __future__ import annotations

from binance_leaks.detect import prefilter
from binance_leaks.native import compiled

TYPE_CHECKING = False  # as typing has it: the hook imports this
if TYPE_CHECKING:
    from collections.abc import Iterator

    from binance_leaks import _native

VALUE, HEX, NAMED_HEX, PIECE, LIST, NAMED, CHAIN, ENCODED = (1 << bit for bit in range(8))
PRIVATE_KEY, SEED, MENTION, FUTURE, WIDE, BINARY, DATABASE, CLEAN = (1 << bit for bit in range(8, 16))
PICTURE, PACKED = 1 << 16, 1 << 17
ALONE = VALUE | PIECE | LIST | ENCODED | PRIVATE_KEY | WIDE | DATABASE | PICTURE | PACKED
"""The traits that are a suspicion whatever else there is."""
ANYWHERE, _BEFORE_LITERALS, _BEFORE_PIECES, _INSIDE_WORD = range(4)
_BLOCK, _OVERLAP = 64 << 10, 4 << 10
"""Bytes that are searched at a time where few are suspicious, and more of them than any hit depends on."""
MARGIN = 256
"""How many bytes around a change have all its traits."""
SOFT_BREAKS = (
    *(b"<wbr>", b"<wbr/>", b"<wbr />", b"&shy;", b"&#173;", b"&#8203;", b"&#xad;", b"&#x200b;"),
    *(b"\xc2\xad", b"\xe2\x80\x8b", b"\xe2\x80\x8c", b"\xe2\x80\x8d", b"\xe2\x81\xa0", b"\xef\xbb\xbf"),
)
"""Every soft break, in small letters."""
WORDS = (
    (b"inanc", NAMED, ANYWHERE),
    (b"private key-----", PRIVATE_KEY, ANYWHERE),
    *((literal.lower(), PRIVATE_KEY, ANYWHERE) for literal in prefilter.PACKED_KEYS),
    (b"sqlite format 3\0", DATABASE, ANYWHERE),
    *((start.lower(), PACKED, ANYWHERE) for start in prefilter.PACKED_CONTENT),
    *((call, LIST, _BEFORE_LITERALS) for call in prefilter.JOINING_CALLS),
    *((word, CHAIN, _BEFORE_PIECES) for word in (b"join", b"concat", b"implode")),
    *((mark, WIDE, ANYWHERE) for mark in prefilter.OFFICE),
    *((zeros.join((b"i", b"n", b"a", b"n", b"c")), WIDE, ANYWHERE) for zeros in (b"\0", b"\0\0\0")),
    *((escape, WIDE, ANYWHERE) for escape in prefilter.WIDE_ESCAPES),
    *((mark, WIDE, _INSIDE_WORD) for mark in SOFT_BREAKS),
)
"""Words in small letters, each with its trait and where it counts."""
PICTURES = (
    *(b"\x89png\r\n\x1a\n", b"\xff\xd8\xff", b"gif87a", b"gif89a", b"ii*\0", b"mm\0*", b"webpvp8"),
    *(b"ftyphe", b"ftypmif1", b"ftypmsf1", b"ftypavi", b"ivborw0kggo", b"image/"),
    *(size + b"\0\0\0" for size in (b"\x0c", b"\x28", b"\x34", b"\x38", b"\x40", b"\x6c", b"\x7c")),
)
"""What begins a picture, or a text that holds one in base64; of a BMP file the size of its second header."""

_SEARCH: _native.Search | None = compiled.Search(WORDS, ()) if compiled is not None else None


def may_hold(data: bytes) -> bool:
    """Whether anything in `data` is worth the detector's time, or packed in base64."""
    seen = _SEARCH.traits(data) if _SEARCH is not None else ALONE
    if not _is_suspicious(seen):
        return False
    return prefilter.may_hold(data) or bool(seen & PACKED and prefilter.holds_packed_content(data))


def may_hold_packed_content(data: bytes) -> bool:
    """Whether base64 of compressed data or of an archive is in a text."""
    return (_SEARCH is None or bool(_SEARCH.traits(data) & PACKED)) and prefilter.holds_packed_content(data)


def hits(data: bytes) -> Iterator[int]:
    """Yield offsets of everything that may belong to a credential, as `prefilter.hits` does, not in order."""
    if _SEARCH is None:
        return prefilter.hits(data)
    if not _is_suspicious(_SEARCH.traits(data)):
        return iter(())
    # What the whole of the data decides cannot be decided by its blocks.
    is_named = prefilter.names_exchange(data.translate(None, b"\0"))
    if len(data) <= _BLOCK or is_named or prefilter.may_be_interrupted(data):
        return prefilter.hits(data)
    return _hits_by_block(_SEARCH, data)


def _hits_by_block(search: _native.Search, data: bytes) -> Iterator[int]:
    for at in range(0, len(data), _BLOCK):
        start = max(0, at - _OVERLAP)
        block = data[start : at + _BLOCK + _OVERLAP]
        if _is_suspicious(search.traits(block)):
            yield from (start + hit for hit in prefilter.plain_hits(block))


def places_of_pieces(data: bytes) -> list[int] | None:
    """Return the places around which a value may be in pieces of any length, in order; None if it may be anywhere."""
    if _SEARCH is None:
        return None
    return sorted(at for at, _ in (*_SEARCH.chains(data), *_SEARCH.pieces(data)))


def new_search(*, pictures: bool = False) -> _native.Search:
    """Return the test with the words of the vocabulary too, and with what marks pictures if they are read.

    Raises ImportError where it was not built.
    """
    if compiled is None:
        raise ImportError("the compiled module is not installed")
    # start-up: the hook does without
    from binance_leaks.detect.vocabulary import FUTURES_WORDS, clear_name_stems, evidence_stems

    mentions = [(stem, MENTION, ANYWHERE) for stem in evidence_stems() if stem.decode("latin-1") not in FUTURES_WORDS]
    futures = [(word.encode(), FUTURE, ANYWHERE) for word in FUTURES_WORDS]
    marks = [(mark, PICTURE, ANYWHERE) for mark in PICTURES]
    search: _native.Search = compiled.Search(
        [*mentions, *futures, *WORDS, *(marks if pictures else ())],
        [(stem, 0, ANYWHERE) for stem in clear_name_stems()],
    )
    return search


def must_look(inherited: int, seen: int) -> bool:
    """Whether a version with traits `seen` in its changed parts must be looked at, more closely than at those."""
    if inherited & CLEAN and not seen & ~(inherited & (NAMED | MENTION | FUTURE)):
        return False  # nothing was found in its base, and the rest of it is as it was
    traits = inherited | seen
    if traits & ALONE or (seen & ~inherited & BINARY):
        return True
    return bool((traits & HEX and traits & (MENTION | FUTURE)) or (traits & (SEED | CHAIN) and traits & NAMED))


def _is_suspicious(traits: int) -> bool:
    """Whether traits may belong to a credential, where the vocabulary was not sought, which digits count with."""
    return bool(traits & (ALONE | HEX) or (traits & (SEED | CHAIN) and traits & NAMED))
