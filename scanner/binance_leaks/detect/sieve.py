"""The test before the detector: which content it must see.

The first test is on every byte, and compiled: it finds the traits of some bytes, such as a run that may be a value, a
piece of one, the exchange's name. A trait is found in no more than 256 bytes, so a version of a file has the traits of
its delta base, as far as that was copied, and those of what changed. What has traits is looked at more closely here.
There may be false suspicions, but nothing that the detector would find is missed; a test holds that law. Where the
compiled module is not installed, `prefilter` reads every version whole.
"""

from __future__ import annotations

from enum import IntFlag
from functools import cache
from typing import TYPE_CHECKING, Protocol

from binance_leaks.detect import first_test, prefilter
from binance_leaks.detect.base64_blocks import encoded_texts, encoded_value, is_longer_than_value
from binance_leaks.detect.candidates import LENGTH, Shape, shape_of, value_in_run
from binance_leaks.detect.document import PRINTABLE, Document, is_binary
from binance_leaks.detect.first_test import must_look, new_search
from binance_leaks.detect.glued_values import LONGEST, REACH, glued_in_run
from binance_leaks.detect.literal_chains import CHAIN_REACH, around
from binance_leaks.detect.private_keys import holds_packed_key
from binance_leaks.detect.split_values import find_split_values
from binance_leaks.detect.vocabulary import secret_stems
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.native import compiled

if TYPE_CHECKING:
    from binance_leaks import _native


class Trait(IntFlag):
    """What some bytes hold that may belong to a credential."""

    VALUE = first_test.VALUE
    """A run that is a value by its shape and its neighbours."""
    HEX = first_test.HEX
    """A run of 64 hexadecimal digits, which counts only where the exchange is named."""
    NAMED_HEX = first_test.NAMED_HEX
    """A run of 64 hexadecimal digits near a word that is in names of credentials."""
    PIECE = first_test.PIECE
    """A piece of a value that was cut into literals or lines."""
    LIST = first_test.LIST
    """A list that is joined."""
    NAMED = first_test.NAMED
    """The exchange's name."""
    CHAIN = first_test.CHAIN
    """Literals that may make up a value, though they are short. They count only where the exchange is named."""
    ENCODED = first_test.ENCODED
    """Base64 of text."""
    PRIVATE_KEY = first_test.PRIVATE_KEY
    """The beginning of a private key."""
    SEED = first_test.SEED
    """43 characters of base64: a bare Ed25519 seed, if its name and the file say so."""
    MENTION = first_test.MENTION
    """A word that may speak for the exchange."""
    FUTURE = first_test.FUTURE
    """A word that may speak for the futures testnet."""
    WIDE = first_test.WIDE
    """Text in UTF-16 or UTF-32, of which each character is escaped, or that mark-up interrupts."""
    BINARY = first_test.BINARY
    """A zero byte, by which neighbours mean less."""
    DATABASE = first_test.DATABASE
    """The beginning of an SQLite database, whose values may run together."""
    PICTURE = first_test.PICTURE
    """What begins a picture, or a text that holds one. It is sought where pictures are read."""
    PACKED = first_test.PACKED
    """The beginning of compressed data or of an archive in base64."""
    CLEAN = first_test.CLEAN
    """The detector was asked about all of it, and found nothing."""


NO_TRAITS = Trait(0)
_ANY_HEX_DIGITS = b"0123456789abcdefABCDEF"
_LONE_SEED = lazy_pattern(prefilter.LONE_SEED)
_NEAR = 200
_CONTEXT, _LONGEST_KNOWN = 170, 400
_LENGTHS = (b"@", b"@\0\0\0")
_PRINTABLE = {byte: "\n" for byte in range(256) if not (0x20 <= byte < 0x7F or byte in (9, 10, 13))}
_AROUND_PIECE = 800
_MOST_PIECES, _MOST_PLACES, _MOST_REMEMBERED = 200, 8, 200_000


class Sieve(Protocol):
    """Decides which content the detector must see."""

    @property
    def search(self) -> _native.Search | None:
        """The first test; None if there is none."""
        ...

    def traits(self, content: bytes, fresh: bytes, inherited: int, seen: int | None = None) -> Trait:
        """Return the traits of a file: of what is `fresh` in it, and those that it has `inherited` from its base.

        `seen` is what `search` finds in what is fresh, if that is known.
        """
        ...

    def suspects(self, content: bytes, traits: Trait) -> bool:
        """Whether the detector could find something in a file that has, or may have, these traits."""
        ...

    def holds_chain(self, content: bytes) -> bool:
        """Whether a file that names the exchange holds a value in short pieces."""
        ...


def best_sieve(search: _native.Search | None = None) -> Sieve:
    """Return the fastest sieve that is installed, with this first test or one of its own."""
    return PlainSieve() if compiled is None else CompiledSieve(search)


class PlainSieve:
    """The prefilter as a sieve: without dependencies, and always reading whole files."""

    search = None

    def traits(self, content: bytes, fresh: bytes, inherited: int, seen: int | None = None) -> Trait:  # noqa: ARG002 - knows the whole only
        """Return the traits of anything that may be a value, or none."""
        packed = Trait.PACKED if prefilter.holds_packed_content(content) else NO_TRAITS
        return packed | (Trait.VALUE | Trait.CHAIN if prefilter.may_hold(content) else NO_TRAITS)

    def suspects(self, content: bytes, traits: Trait) -> bool:  # noqa: ARG002 - the traits are of the same content
        """Whether there are traits."""
        return bool(traits)

    def holds_chain(self, content: bytes) -> bool:
        """Whether there is one."""
        return next(prefilter.short_pieces(content), None) is not None


# As integers, since those of flags are slow.
_CLEAN, _IS_BINARY, _NAMED = int(Trait.CLEAN), int(Trait.BINARY), int(Trait.NAMED)
_VALUE, _PIECE, _SEED = int(Trait.VALUE), int(Trait.PIECE), int(Trait.SEED)


class CompiledSieve:
    """The sieve with the compiled first test. Raises ImportError where that is not installed."""

    def __init__(self, search: _native.Search | None = None) -> None:
        self.search = search or new_search()
        self._dull: set[int] = set()

    def traits(self, content: bytes, fresh: bytes, inherited: int, seen: int | None = None) -> Trait:
        """Return the traits of a file: of what is `fresh` in it, and those that it has `inherited` from its base."""
        seen = self.search.traits(fresh) if seen is None else seen
        if not must_look(inherited, seen):
            return Trait(inherited | (seen & ~_CLEAN))
        if seen & ~inherited & _IS_BINARY and fresh is not content:
            fresh, seen = content, self.search.traits(content)  # what was judged as text is judged anew
        traits = (seen & ~(_VALUE | _PIECE)) | (inherited & ~_CLEAN)
        if seen & _VALUE:
            traits |= self._traits_of_runs(fresh, binary=bool(traits & _IS_BINARY) or is_binary(content))
        if seen & _PIECE and self._holds_piece(content, fresh):
            traits |= _PIECE
        if seen & _SEED and traits & _NAMED and not inherited & _SEED and not _holds_named_seed(fresh):
            traits &= ~_SEED
        return Trait(traits)

    def _holds_piece(self, content: bytes, fresh: bytes) -> bool:
        """Whether some pieces, the first of which is fresh, make up a value."""
        pieces = {fresh[start:end] for start, end in self.search.pieces(fresh)}
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
                self._remember(known)
            at = content.find(piece, at + 1)
        return True

    def suspects(self, content: bytes, traits: Trait) -> bool:
        """Whether the detector could find something in a file that has, or may have, these traits."""
        if not must_look(traits, traits):
            return False
        if traits & (Trait.WIDE | Trait.DATABASE):
            return prefilter.may_hold(content)
        if traits & Trait.HEX and traits & Trait.MENTION:
            return True
        if traits & Trait.PACKED and prefilter.holds_packed_content(content):
            return True
        if traits & Trait.NAMED_HEX and traits & Trait.FUTURE:
            return True
        if traits & Trait.SEED and prefilter.may_hold_seed(content) and _holds_named_seed(content):
            return True
        binary = is_binary(content) if traits & (Trait.VALUE | Trait.ENCODED) else False
        if traits & Trait.VALUE and self._traits_of_runs(content, binary=binary) & _VALUE:
            return True
        if traits & Trait.PRIVATE_KEY and holds_packed_key(content):
            return True
        if traits & Trait.CHAIN and traits & Trait.NAMED and self.holds_chain(content):
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
        for start, end in around((at for at, _ in self.search.chains(content)), CHAIN_REACH):
            window = content[start:end]
            known = hash(window)
            if known not in self._dull:
                if next(prefilter.short_pieces(window), None) is not None:
                    return True
                self._remember(known)
        return False

    def _remember(self, known: int) -> None:
        if len(self._dull) < _MOST_REMEMBERED:
            self._dull.add(known)

    def _traits_of_runs(self, data: bytes, *, binary: bool) -> int:
        """Return what the long runs in some bytes may be: VALUE, HEX, PIECE, ENCODED.

        Versions of a file have the same runs: those that were nothing are remembered.
        """
        traits = 0
        for start, end in self.search.runs(data):
            length = end - start
            first = max(0, start - _CONTEXT)
            known = (
                hash((data[first : end + _CONTEXT], start - first, length, binary)) if length <= _LONGEST_KNOWN else 0
            )
            if known in self._dull:
                continue
            found = NO_TRAITS
            if length < LENGTH:
                found |= Trait.PIECE if prefilter.is_last_piece(data, start) else NO_TRAITS
            elif length <= LONGEST or (binary and data[max(0, start - 4) : start].endswith(_LENGTHS)):
                found |= _trait_of_run(data, start, end, binary=binary)
            if prefilter.is_encoded_text(data[start:end]):
                found |= Trait.ENCODED
            if not found and known:
                self._remember(known)
            traits |= found
        return traits


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
        if any(name in window for name in _names_of_seeds()):
            return True
    return False


@cache
def _names_of_seeds() -> tuple[bytes, ...]:
    return (*secret_stems(), *(name.lower() for name in prefilter.SEED_NAMES))


def _holds_encoded(document: Document) -> bool:
    return any(
        encoded_value(each) is not None or (is_longer_than_value(each) and prefilter.may_hold(each.decoded))
        for each in encoded_texts(document)
    )
