"""The test before the detector for a history: many versions of the same files.

It finds the traits of some bytes: a run that may be a value, one of hexadecimal digits, a piece of a value, the
exchange's name. A trait is found in no more than 256 bytes, so a version of a file has the traits of its delta base, as
far as that was copied, and those of what changed. Whether the detector must see the file follows from the traits of the
whole. There may be false suspicions, but nothing that the detector would find is missed; a test holds that law.

With hyperscan this takes a tenth of the time of `prefilter`, which is used where that is not installed.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from enum import IntFlag, auto
from functools import cached_property
from typing import Protocol

from binance_leaks.detect import prefilter
from binance_leaks.detect.base64_blocks import encoded_texts, encoded_value, is_longer_than_value
from binance_leaks.detect.candidates import LENGTH, Shape, shape_of, value_in_run
from binance_leaks.detect.document import PRINTABLE, Document, is_binary
from binance_leaks.detect.glued_values import LONGEST, REACH, glued_in_run
from binance_leaks.detect.interrupted_text import BREAK_HINTS
from binance_leaks.detect.literal_chains import CHAIN_HINTS, around
from binance_leaks.detect.literal_chains import LONGEST as LONGEST_CHAIN
from binance_leaks.detect.private_keys import holds_packed_key
from binance_leaks.detect.split_values import PIECES_BEFORE, find_split_values
from binance_leaks.detect.vocabulary import (
    ANY_SECRET_STEMS,
    CLEAR_NAME_STEMS,
    FUTURES_WORDS,
    SECRET_STEMS,
    WIDE_VOCABULARY,
    escaped,
)


class Trait(IntFlag):
    """What some bytes hold that may belong to a credential."""

    VALUE = auto()
    """A run that is a value by its shape and its neighbours."""
    HEX = auto()
    """A run of 64 hexadecimal digits, which counts only where the exchange is named."""
    NAMED_HEX = auto()
    """A run of 64 hexadecimal digits near a word that is in names of credentials."""
    PIECE = auto()
    """A piece of a value that was cut into literals or lines."""
    LIST = auto()
    """A list that is joined."""
    NAMED = auto()
    """The exchange's name."""
    CHAIN = auto()
    """Literals that may make up a value, though they are short. Looked for only where the exchange is named."""
    ENCODED = auto()
    """Base64 of text."""
    PRIVATE_KEY = auto()
    """The beginning of a private key."""
    SECRET_NAME = auto()
    """A word that may name a secret. It is not passed on."""
    SEED = auto()
    """43 characters of base64 near such a word: a bare Ed25519 seed, if the file mentions such keys."""
    MENTION = auto()
    """A word that may speak for the exchange."""
    FUTURE = auto()
    """A word that may speak for the futures testnet."""
    MENTION_SOUGHT = auto()
    """Whether MENTION and FUTURE were looked for, which only HEX makes worth while."""
    WIDE = auto()
    """Text in UTF-16 or UTF-32, of which each character is escaped, or that mark-up interrupts."""
    BINARY = auto()
    """A zero byte, by which neighbours mean less."""
    DATABASE = auto()
    """The beginning of an SQLite database, whose values may run together."""


NO_TRAITS = Trait(0)
_NAMED = int(Trait.NAMED)
_NOTHING_KEPT = ~int(Trait.SECRET_NAME | Trait.NAMED)
_HEX_DIGITS = b"0123456789abcdef"
_ANY_HEX_DIGITS = b"0123456789abcdefABCDEF"
_LONGEST_GLUED = LENGTH + 14
_SHORTEST_ENCODED = 60
_TEXT = bytes([*range(0x20, 0x7F), 9, 10, 13])
_LONE_SEED = re.compile(prefilter.LONE_SEED)
_SEED_NAMES = (*ANY_SECRET_STEMS, *(name.lower() for name in prefilter.SEED_NAMES))
_SECRET_NAME = b"(?i)" + b"|".join(map(escaped, (*SECRET_STEMS, *prefilter.SEED_NAMES)))
_NEAR = 200
_BEFORE_HEX, _BEHIND_HEX = 250, 100
_CONTEXT, _LONGEST_KNOWN = 170, 400
_LENGTHS = (b"@", b"@\0\0\0")
_PRINTABLE = {byte: "\n" for byte in range(256) if not (0x20 <= byte < 0x7F or byte in (9, 10, 13))}
_SQLITE = b"SQLite format 3\0"
_AROUND_PIECE = 800
_CHAIN_REACH = 4 * LONGEST_CHAIN
_MOST_PIECES, _MOST_PLACES, _MOST_REMEMBERED = 200, 8, 200_000

_RUN = rb"[A-Za-z0-9]{48}"
_JOINT = rb"[A-Za-z0-9]{4}[\"'`][ \t\r\n+.&|<>~_;][ \t\r\n+.&|<>~\\()_;\xc2\xa0]*[bruLfN@]?[\"'`][A-Za-z0-9]"
_APPENDED = rb"[+.&>]=\s*[\"'`]"
_CONTINUED = rb"[A-Za-z0-9]{2}[\\=]\r?\n"
_PACKED = (rb"PRIVATE KEY-----", *prefilter.PACKED_KEYS)
_LIST = rb"(?:join\(|concat!)[\[( \t\r\n]*[\"'`]|\]\.join\("
_WIDE = (
    rb"(?i)i(?:\x00|\x00{3})n(?:\x00|\x00{3})a(?:\x00|\x00{3})n(?:\x00|\x00{3})c",
    rb"(?:[A-Za-z0-9]\x00){16}",
    rb"(?:[A-Za-z0-9]\x00\x00\x00){16}",
    rb"(?:[A-Za-z0-9+/]\x00){43}=",
    rb"(?:[A-Za-z0-9+/]\x00\x00\x00){43}=",
    rb"(?:\\{1,4}(?:u00|x)[2-7][0-9A-Fa-f]){8}",
    rb"(?:&#(?:x[2-7][0-9A-Fa-f]|[0-9]{2,3});){8}",
)
_SEED = rb"[A-Za-z0-9+/]{43}="


class Sieve(Protocol):
    """Decides which content the detector must see."""

    @property
    def margin(self) -> int | None:
        """How many bytes around a change are needed for its traits; None if a file is always read whole."""
        ...

    def traits(self, content: bytes, fresh: bytes, inherited: Trait) -> Trait:
        """Return the traits of a file: of what is `fresh` in it, and those that it has `inherited` from its base."""
        ...

    def suspects(self, content: bytes, traits: Trait) -> bool:
        """Whether the detector could find something in a file that has, or may have, these traits."""
        ...

    def holds_chain(self, content: bytes) -> bool:
        """Whether a file that names the exchange holds a value in short pieces."""
        ...


def best_sieve() -> Sieve:
    """Return the fastest sieve that is installed."""
    try:
        return FastSieve()
    except ImportError:
        return PlainSieve()


class PlainSieve:
    """The prefilter as a sieve: without dependencies, and always reading whole files."""

    margin = None

    def traits(self, content: bytes, fresh: bytes, inherited: Trait) -> Trait:  # noqa: ARG002 - knows the whole only
        """Return the traits of anything that may be a value, or none."""
        return Trait.VALUE | Trait.CHAIN if prefilter.may_hold(content) else NO_TRAITS

    def suspects(self, content: bytes, traits: Trait) -> bool:  # noqa: ARG002 - the traits are of the same content
        """Whether there are traits."""
        return bool(traits)

    def holds_chain(self, content: bytes) -> bool:
        """Whether there is one."""
        return next(prefilter.short_pieces(content), None) is not None


class FastSieve:
    """The sieve with hyperscan. Raises ImportError where that is not installed."""

    margin = 256

    def __init__(self) -> None:
        self._seen = 0
        self._joined: list[tuple[int, int]] = []
        self._dull: set[int] = set()
        # Apart, because together they are slower than one after the other.
        self._scans = (
            self._database((_RUN, Trait.VALUE)),
            self._database(
                *((literal, Trait.PRIVATE_KEY) for literal in _PACKED),
                (_LIST, Trait.LIST),
                (b"inanc|INANC", Trait.NAMED),
                (_SECRET_NAME, Trait.SECRET_NAME),
            ),
            self._database(*((pattern, Trait.WIDE) for pattern in (*_WIDE, *BREAK_HINTS))),
        )
        self._seeds = self._database((_SEED, Trait.SEED))
        self._chains = self._database(*((pattern, 0) for pattern in CHAIN_HINTS), places=True)
        self._joints = (
            self._database((_JOINT, 0), places=True),
            self._database((_APPENDED, 1), (_CONTINUED, 2), places=True),
        )

    @cached_property
    def _find_mentions(self) -> Callable[[bytes], None]:
        """The search for the vocabulary, which most histories never need."""
        return self._database(
            *((expression, Trait.MENTION) for expression in WIDE_VOCABULARY),
            *((word.encode(), Trait.FUTURE) for word in FUTURES_WORDS),
            caseless=True,
        )

    def traits(self, content: bytes, fresh: bytes, inherited: Trait) -> Trait:
        """Return the traits of a file: of what is `fresh` in it, and those that it has `inherited` from its base."""
        binary = b"\0" in content
        if binary and Trait.BINARY not in inherited:
            fresh = content  # what was judged as text is judged anew
        self._seen = 0
        for scan in self._scans:
            scan(fresh)
        if self._seen & Trait.SECRET_NAME.value:
            self._seeds(fresh)
        was_named = bool(inherited) and Trait.NAMED in inherited
        if (was_named or self._seen & _NAMED) and self._chain_places(fresh if was_named else content):
            self._seen |= Trait.CHAIN.value
        piece = self._holds_piece(content, fresh)
        office = prefilter.begins_as_office_document(content)
        if not (self._seen & _NOTHING_KEPT or piece or binary or office) and inherited in (NO_TRAITS, Trait.NAMED):
            # as of nearly every file, so without the cost of flags
            return Trait.NAMED if self._seen & _NAMED else inherited
        traits = self._look_closely(Trait(self._seen), content, fresh, binary=binary) | inherited
        if binary:
            traits |= Trait.BINARY
        if piece:
            traits |= Trait.PIECE
        if office:
            traits |= Trait.WIDE
        if Trait.HEX in traits:
            self._seen = 0
            self._find_mentions(fresh if Trait.MENTION_SOUGHT in inherited else content)
            traits |= Trait(self._seen) | Trait.MENTION_SOUGHT
        return traits | Trait.DATABASE if content.startswith(_SQLITE) else traits

    def _look_closely(self, traits: Trait, content: bytes, fresh: bytes, *, binary: bool) -> Trait:
        """Look more closely at what was seen in fresh bytes."""
        traits &= ~Trait.SECRET_NAME
        if Trait.VALUE in traits:
            traits &= ~Trait.VALUE
            traits |= self._traits_of_runs(fresh, binary=binary or is_binary(content))
        if Trait.SEED in traits and not _holds_named_seed(fresh):
            traits &= ~Trait.SEED
        return traits

    def _holds_piece(self, content: bytes, fresh: bytes) -> bool:
        """Whether some pieces, the first of which is fresh, make up a value."""
        self._joined.clear()
        for scan in self._joints:
            scan(fresh)
        pieces = {piece for kind, end in self._joined if (piece := PIECES_BEFORE[kind](fresh, end)) is not None}
        # One in ten million pieces of values is of hexadecimal digits alone, and nearly all such lines are.
        pieces = {piece for piece in pieces if piece.translate(None, _ANY_HEX_DIGITS)}
        return len(pieces) > _MOST_PIECES or any(self._is_of_value(content, piece) for piece in pieces)

    def _is_of_value(self, content: bytes, piece: bytes) -> bool:
        """Whether one of the first places of a piece in a file belongs to a value that was split.

        Versions of a file have the same places: those that were no value are remembered.
        """
        at = content.find(piece)
        for _ in range(_MOST_PLACES):
            if at < 0:
                return False
            window = content[max(0, at - _AROUND_PIECE) : at + _AROUND_PIECE]
            known = hash(window)
            if known not in self._dull:
                if next(find_split_values(Document(text=window.decode("utf-8", "replace"))), None) is not None:
                    return True
                if len(self._dull) < _MOST_REMEMBERED:
                    self._dull.add(known)
            at = content.find(piece, at + 1)
        return True

    def suspects(self, content: bytes, traits: Trait) -> bool:
        """Whether the detector could find something in a file that has, or may have, these traits."""
        if traits is Trait.NAMED:
            return False
        if traits & (Trait.WIDE | Trait.DATABASE):
            return prefilter.may_hold(content)
        if traits & Trait.HEX and (traits & Trait.MENTION or (traits & Trait.FUTURE and traits & Trait.NAMED_HEX)):
            return True
        if traits & Trait.SEED and prefilter.may_hold_seed(content):
            return True
        binary = is_binary(content) if traits & (Trait.VALUE | Trait.ENCODED) else False
        if traits & Trait.VALUE and self._traits_of_runs(content, binary=binary) & Trait.VALUE:
            return True
        if traits & Trait.PRIVATE_KEY and holds_packed_key(content):
            return True
        if traits & Trait.CHAIN and self.holds_chain(content):
            return True
        listed = traits & Trait.LIST and next(prefilter.listed_pieces(content), None) is not None
        if not (listed or traits & (Trait.PIECE | Trait.ENCODED)):
            return False
        text = content.translate(PRINTABLE).decode("latin-1") if binary else content.decode("utf-8", "replace")
        document = Document(text=text)
        if (listed or traits & Trait.PIECE) and next(find_split_values(document), None) is not None:
            return True
        return bool(traits & Trait.ENCODED) and _holds_encoded(document)

    def holds_chain(self, content: bytes) -> bool:
        """Whether a file that names the exchange holds a value in short pieces.

        Versions of a file have most of their literals in common: those that make up no value are remembered.
        """
        for start, end in around(self._chain_places(content), _CHAIN_REACH):
            window = content[start:end]
            known = hash(window)
            if known not in self._dull:
                if next(prefilter.short_pieces(window), None) is not None:
                    return True
                if len(self._dull) < _MOST_REMEMBERED:
                    self._dull.add(known)
        return False

    def _chain_places(self, data: bytes) -> list[int]:
        """Places of literals that something joins, in order."""
        self._joined.clear()
        self._chains(data)
        return sorted({end for _, end in self._joined})

    def _traits_of_runs(self, data: bytes, *, binary: bool) -> Trait:
        """Return what the long runs in some bytes may be: VALUE, HEX, PIECE, ENCODED.

        Versions of a file have the same runs: those that were nothing are remembered.
        """
        traits = NO_TRAITS
        dull = self._dull
        for start, end in prefilter.long_runs(prefilter.classified(data)):
            length = end - start
            run = data[start:end]
            if not run.translate(None, _HEX_DIGITS) or (
                run.startswith(b"0x") and not run[2:].translate(None, _HEX_DIGITS)
            ):
                if length == LENGTH and not traits & Trait.NAMED_HEX:
                    traits |= self._traits_of_hex(data, start, end)
                elif LENGTH < length <= _LONGEST_GLUED and not run.startswith(b"0x"):
                    traits |= Trait.HEX | Trait.NAMED_HEX
                continue
            first = max(0, start - _CONTEXT)
            known = (
                hash((data[first : end + _CONTEXT], start - first, length, binary)) if length <= _LONGEST_KNOWN else 0
            )
            if known in dull:
                continue
            found = NO_TRAITS
            if length < LENGTH:
                found |= Trait.PIECE if prefilter.is_last_piece(data, start) else NO_TRAITS
            elif length <= LONGEST or (binary and data[max(0, start - 4) : start].endswith(_LENGTHS)):
                found |= _trait_of_run(data, start, end, binary=binary)
            if length >= _SHORTEST_ENCODED and _is_encoded_text(data[start : min(end, start + 128)]):
                found |= Trait.ENCODED
            if not found and known and len(dull) < _MOST_REMEMBERED:
                dull.add(known)
            traits |= found
        return traits

    def _traits_of_hex(self, data: bytes, start: int, end: int) -> Trait:
        window = data[max(0, start - _BEFORE_HEX) : end + _BEHIND_HEX]
        known = hash(window)
        if known in self._dull:
            return Trait.HEX
        lower = window.lower()
        if any(stem in lower for stem in CLEAR_NAME_STEMS):
            return Trait.HEX | Trait.NAMED_HEX
        if len(self._dull) < _MOST_REMEMBERED:
            self._dull.add(known)
        return Trait.HEX

    def _database(
        self, *patterns: tuple[bytes, int], caseless: bool = False, places: bool = False
    ) -> Callable[[bytes], None]:
        import hyperscan  # start-up: only a scan of a history needs it, and it may be absent

        flags = hyperscan.HS_FLAG_DOTALL
        flags |= hyperscan.HS_FLAG_CASELESS if caseless else 0
        flags |= 0 if places else hyperscan.HS_FLAG_SINGLEMATCH
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        database.compile(
            expressions=[pattern for pattern, _ in patterns],
            ids=[int(trait) for _, trait in patterns],
            elements=len(patterns),
            flags=[flags] * len(patterns),
        )
        scan, seen = database.scan, self._note if places else self._see

        def search(data: bytes) -> None:
            scan(data, match_event_handler=seen)

        return search

    def _see(self, trait: int, start: int, end: int, flags: int, context: object) -> None:  # noqa: ARG002 - its signature
        self._seen |= trait

    def _note(self, kind: int, start: int, end: int, flags: int, context: object) -> None:  # noqa: ARG002 - as above
        self._joined.append((kind, end))


def _trait_of_run(data: bytes, start: int, end: int, *, binary: bool) -> Trait:
    before = max(0, start - REACH)
    text = data[before : end + REACH].decode("latin-1")
    for as_binary in (False, True) if binary else (False,):
        if as_binary:
            text = text.translate(_PRINTABLE)
        at = value_in_run(text, start - before, end - before, binary=as_binary)
        if at is not None:
            shape = shape_of(text[at : at + LENGTH])
            if shape is not None:
                return Trait.VALUE if shape is Shape.BASE62 else Trait.HEX
        elif glued_in_run(text, start - before, end - before) is not None:
            return Trait.VALUE
    return NO_TRAITS


def _holds_named_seed(data: bytes) -> bool:
    for match in _LONE_SEED.finditer(data):
        window = data[max(0, match.start() - _NEAR) : match.end() + _NEAR].lower()
        if any(name in window for name in _SEED_NAMES):
            return True
    return False


def _holds_encoded(document: Document) -> bool:
    return any(
        encoded_value(each) is not None or (is_longer_than_value(each) and prefilter.may_hold(each.decoded))
        for each in encoded_texts(document)
    )


def _is_encoded_text(run: bytes) -> bool:
    """Whether a run is base64 of text, wherever in the base64 it begins."""
    for skipped in range(4):
        part = run[skipped : skipped + (len(run) - skipped) // 4 * 4]
        if not binascii.a2b_base64(part).translate(None, _TEXT):
            return True
    return False
