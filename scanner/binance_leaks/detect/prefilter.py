"""The cheap test before the detector: where in some bytes a credential may be.

Nearly every file holds nothing, so nearly every byte of a scan is read by this module only, and a clean commit pays for
nothing else. It translates the bytes to a few classes and searches the result for long runs. It may have false hits,
but misses nothing that the detector would find; a test holds that law.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it: this module is all that a clean commit imports
if TYPE_CHECKING:
    from collections.abc import Iterator

ALPHANUMERIC = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_QUOTES = b"\"'`"


def _classes(**members: bytes) -> bytes:
    table = bytearray(b"x" * 256)
    for name, of_class in members.items():
        for byte in of_class:
            table[byte] = ord(name)
    return bytes(table)


_CLASSES = _classes(**{"a": ALPHANUMERIC, "q": _QUOTES + b"\\=", " ": b" \t\r\n+.&|<>~_;", "\0": b"\0"})
_LITERALS = _classes(a=ALPHANUMERIC, q=_QUOTES)
_ONE_QUOTE = bytes.maketrans(_QUOTES, b'"""')
_SHORTEST_RUN = b"a" * 16
_KEY_RUN = b"a" * 21
_WIDE_TEXT = b"a\0" * 7  # as long as the exchange's name
_WIDER_TEXT = b"a\0\0\0" * 7
_ESCAPED = (b"qaaaaa" * 16, b"qqaaaaa" * 16, b"qaaa" * 16, b"qqaaa" * 16)
_REFERENCE = b"&#"
_REFERENCES = rb"&#(?:x[2-7][0-9A-Fa-f]|[0-9]{2,3});&#"
_ESCAPED_RUN = rb"(?:\\{1,4}(?:u00|x)[2-7][0-9A-Fa-f]|&#(?:x[2-7][0-9A-Fa-f]|[0-9]{2,3});){%d,}"
_HEAD, _OFFICE_HEAD, _INDENT = 1024, 4096, 64
_MARKUP = (b"<", b"\xef\xbb\xbf<", b"\xff<")  # the last: every second byte of UTF-16 with a mark
OFFICE = (b"wordprocessingml/", b"drawingml/", b"spreadsheetml/", b"opendocument:xmlns:office", b"office/word/2003/")
_SOFT_BREAKS = (b"<wbr", b"&shy", b"&#")
_INVISIBLE = (b"\xe2\x80\x8b", b"\xe2\x80\x8c", b"\xe2\x80\x8d", b"\xe2\x81\xa0", b"\xef\xbb\xbf", b"\xc2\xad")
_PEM = b"PRIVATE KEY-----"
PACKED_KEYS = (b"IBAAKCA", b"MC4CAQAwBQYDK2VwBCIEI", b"IBADANBgkqhkiG9w0BAQEFAASC", b"LS0tLS1CRUdJTi")
XZ_WITHOUT_SLASH = b"Td6WFoA"
"""What xz data begins with in base64, without the slash before, which may be escaped or an underscore."""
PACKED_CONTENT = (
    *(b"H4sI", b"UEsDB", b"Qlpo", XZ_WITHOUT_SLASH, b"KLUv", b"N3q8ryc"),
    *(b"SDRzS", b"VUVzRE", b"UWxwb0", b"L1RkNldGb0", b"S0xVdi", b"TjNxOHJ5Y"),
)
"""What gzip, zip, bzip2, xz, zstd and 7z data begins with in base64, and in base64 of that."""
_BASE64_IN_TEXT = ALPHANUMERIC + b"+/_-\\%"
_PACKED_HEAD = 32
_PIECE_ENDS = b"a" * 16 + b"q "
_LONG_PIECE = b"a" * 48
_LENGTH = 64
_VALUE = b"a" * _LENGTH
_TEXT = bytes([*range(0x20, 0x7F), 9, 10, 13])
_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")
SHORTEST_ENCODED = 60
"""Alphanumerics in a row on the first line of base64 of any value, where it is folded or not."""
_MOST_DECODED = 128
_MUCH = b"a" * 4096
_SOME = 64
_PREFIXES = b"bruLfN@"
_JOINERS = b" \t\r\n+.&|<>~\\()_;"
_LONGEST_JOINT = 160
_APPENDED = rb"[;\s]*[\w$.{}]{1,60}\s{0,20}(?:\+|\.|&|<>)=\s{0,20}[\"'`]"
_LISTED = rb"[\"'`][A-Za-z0-9]{1,63}[\"'`](?:\s*,\s*[\"'`][A-Za-z0-9]{1,63}[\"'`]){1,63}"
_LIST_REACH = 420
JOINING_CALLS = (b"join(", b"concat!")
_JOINING_WORDS = (b"join", b"concat", b"implode", b'"")')
_ADDING = (b"+=", b".=", b"&=", b">=", b"|=", b"append(", b"push(", b"push_str(", b"add(", b"write(")
_BETWEEN_LITERALS = b" \t\r\n\xa0\xc2)(+.&|<>~\\_@;"
_BLANKS = b" \t\r\n\x0b\x0c\xa0"
_LONGEST_PREFIX = 5
WIDE_ESCAPES = (b"&\0#\0", b"\\\0u\0", b"\\\0x\0", b"&\0\0\0#\0\0\0", b"\\\0\0\0u\0\0\0", b"\\\0\0\0x\0\0\0")
_WIDE_NAME = tuple(zeros.join(map(bytes, zip(name))) for name in (b"inanc", b"INANC") for zeros in (b"\0", b"\0\0\0"))
SEED_NAMES = (b"rivate", b"RIVATE", b"25519")
LONE_SEED = rb"=(?<=[A-Za-z0-9+/]{43}=)(?<![A-Za-z0-9+/][A-Za-z0-9+/]{43}=)(?![A-Za-z0-9+/=])"
"""Base64 of 32 bytes, as of a bare Ed25519 seed: by its last character, for which a search is fast."""
_SEED_LENGTH = 43


def may_hold(data: bytes) -> bool:
    """Whether anything in `data` is worth the detector's time."""
    return next(hits(data), None) is not None


def path_may_hold(path: bytes) -> bool:
    """Whether a path, or the entries of a tree, may have a value in a name."""
    return len(path) >= _LENGTH and _VALUE in classified(path)


def hits(data: bytes, *, chains: bool = True) -> Iterator[int]:
    """Yield offsets of everything that may belong to a credential, kind by kind, each kind ascending.

    Without `chains`, no values in short pieces, for data of which it is known that there are none.
    """
    if _is_mostly_zeros(data) and _SHORTEST_RUN not in classified(data.translate(None, b"\0")):
        return
    if may_be_interrupted(data):
        yield from _interrupted(data)
    yield from plain_hits(data, chains=chains)


def plain_hits(data: bytes, *, chains: bool = True) -> Iterator[int]:
    """Yield the same for data that nothing interrupts, however many zeros it has."""
    classes = classified(data)
    if mentions_binance(data):
        if chains:
            yield from short_pieces(data)
        if _names_seed(data):
            yield from _seeds(data)
    if holds_wide_text(classes) or holds_wide_escapes(data):
        for first in (0, 1):
            yield from (2 * at + first for at in hits(data[first::2]))
    if may_hold_escapes(data, classes):
        yield from (start for start, _ in escaped_runs(data, 48))
    if _SHORTEST_RUN not in classes:
        yield from listed_pieces(data)  # these may be short
        return  # all other kinds have such a run; numbers and zeros have none
    for start, end in long_runs(classes):
        if end - start >= _LENGTH or is_last_piece(data, start) or is_encoded_text(data[start:end]):
            yield start
    yield from private_key_starts(data, classes)
    yield from joined_pieces(data, classes)


def _is_mostly_zeros(data: bytes) -> bool:
    """Whether it is a table of numbers, a disk image or the like, in which text is rare."""
    return b"\0" in data and data.count(b"\0") * 10 > len(data) * 9


def classified(data: bytes) -> bytes:
    """Replace every byte by its class, for the functions below: `a` for an alphanumeric, `q` for a quote, and so on."""
    return data.translate(_CLASSES)


def long_runs(classes: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of every run of 48 or more alphanumerics."""
    start = classes.find(_LONG_PIECE)
    while start >= 0:
        end = run_end(classes, start + len(_LONG_PIECE))
        yield start, end
        start = classes.find(_LONG_PIECE, end)


def run_end(classes: bytes, at: int) -> int:
    """Return where a run of alphanumerics ends that goes on at an offset."""
    rest = classes[at : at + _SOME]
    left = len(rest.lstrip(b"a"))
    if left or len(rest) < _SOME:
        return at + len(rest) - left
    at += _SOME
    while classes.startswith(_MUCH, at):
        at += len(_MUCH)
    rest = classes[at : at + len(_MUCH)]
    return at + len(rest) - len(rest.lstrip(b"a"))


def last_pieces(data: bytes, classes: bytes) -> Iterator[int]:
    """Yield starts of long last pieces of values that are split over literals."""
    for start, end in long_runs(classes):
        if end - start < 64 and is_last_piece(data, start):
            yield start


def is_last_piece(data: bytes, start: int) -> bool:
    """Whether the literal that begins at `start` continues one before it."""
    return start > 0 and data[start - 1] in _QUOTES and _joined_before(data, start)


def is_encoded_text(run: bytes) -> bool:
    """Whether a run of alphanumerics is long enough for base64 of a text, and is that wherever in it it begins."""
    if len(run) < SHORTEST_ENCODED:
        return False
    import binascii  # start-up, as above

    parts = (run[skipped:_MOST_DECODED] for skipped in range(4))
    return any(printable_text(binascii.a2b_base64(part[: len(part) // 4 * 4])) is not None for part in parts)


def printable_text(decoded: bytes) -> bytes | None:
    """Return printable ASCII text that may be in UTF-16, as PowerShell encodes its commands; None for anything else."""
    for mark in _MARKS:
        decoded = decoded.removeprefix(mark)
    for text, zeros in ((decoded, b""), (decoded[::2], decoded[1::2]), (decoded[1::2], decoded[::2])):
        if not zeros.strip(b"\0") and not text.translate(None, _TEXT):
            return text
    return None


def private_key_starts(data: bytes, classes: bytes) -> Iterator[int]:
    """Yield offsets where a private key in PEM or in base64 begins, or its first recognisable part."""
    yield from _every(data, _PEM)
    if _KEY_RUN in classes:
        for literal in PACKED_KEYS:
            yield from _every(data, literal)


def packed_content(data: bytes) -> Iterator[int]:
    """Yield offsets where base64 of compressed data or of an archive begins."""
    for literal in PACKED_CONTENT:
        for at in _every(data, literal):
            head = data[at : at + _PACKED_HEAD]
            if not head.translate(None, _BASE64_IN_TEXT) and len(head) == _PACKED_HEAD and _begins_word(data, at):
                yield at


def holds_packed_content(data: bytes) -> bool:
    """Whether base64 of compressed data or of an archive is in a text."""
    return next(packed_content(data), None) is not None


def _begins_word(data: bytes, at: int) -> bool:
    """Whether no letter or digit is before an offset, except that of an escape such as `\\n` or `%2C`."""
    before = data[max(0, at - 3) : at]
    return not before[-1:].isalnum() or before[-2:-1] == b"\\" or (len(before) == 3 and before[:1] == b"%")


def joined_pieces(data: bytes, classes: bytes) -> Iterator[int]:
    """Yield offsets in long pieces of a value that is split over literals or lines.

    Of the pieces one must have 16 characters and not be the last, or be the last of 48 or more.
    """
    yield from joined_literals(data, classes)
    yield from listed_pieces(data)


def joined_literals(data: bytes, classes: bytes) -> Iterator[int]:
    """Yield offsets in pieces of 16 or more characters that another follows, after an operator or after nothing."""
    for at in _every(classes, _PIECE_ENDS):
        if data[at + 16] in _QUOTES:
            joined = _joined_behind(data, at + 16)
        else:  # a backslash, or the = of quoted-printable, at the end of a line
            joined = classes[at + 17 : at + _LONGEST_JOINT].lstrip(b" ")[:1] == b"a"
        if joined:
            yield at


def listed_pieces(data: bytes) -> Iterator[int]:
    """Yield offsets in the pieces of a value in a list that is joined, such as `"".join(["…", "…"])`."""
    spans: list[tuple[int, int]] = []
    for at in sorted(at for word in JOINING_CALLS for at in _every(data, word)):
        behind = data[at : at + 20].lstrip(b"joincat!").lstrip(b"[( \t\r\n")
        if data[at - 2 : at] == b"]." or (behind and behind[:1] in _QUOTES):
            start, end = max(0, at - _LIST_REACH), at + _LIST_REACH
            start = spans.pop()[0] if spans and start <= spans[-1][1] else start
            spans.append((start, end))
    if not spans:
        return
    import re  # start-up, as above

    for start, end in spans:
        for chain in re.finditer(_LISTED, data[start:end]):
            pieces = re.findall(rb"[A-Za-z0-9]+", chain.group())
            if sum(map(len, pieces)) == 64:
                yield start + chain.start() + chain.group().index(max(pieces, key=len))


def holds_wide_text(classes: bytes) -> bool:
    """Whether there is text in UTF-16 or UTF-32."""
    return b"\0" in classes and (_WIDE_TEXT in classes or _WIDER_TEXT in classes)


def holds_wide_escapes(data: bytes) -> bool:
    """Whether there may be escaped characters in UTF-16 or UTF-32."""
    return b"\0" in data and any(escape in data for escape in WIDE_ESCAPES)


def may_hold_escapes(data: bytes, classes: bytes) -> bool:
    """Whether there may be text of which each character is escaped, such as `\\u0041` or `&#65;`."""
    return _holds_references(data) or any(run in classes for run in _ESCAPED)


def _holds_references(data: bytes) -> bool:
    if _REFERENCE not in data:
        return False
    import re  # start-up, as above

    return re.search(_REFERENCES, data) is not None


def escaped_runs(data: bytes, shortest: int) -> Iterator[tuple[int, int]]:
    """Start and end of every run of so many escaped characters of ASCII, or more."""
    import re  # start-up, as above

    return (match.span() for match in re.finditer(_ESCAPED_RUN % shortest, data))


def may_be_interrupted(data: bytes) -> bool:
    """Whether mark-up or invisible characters may interrupt the text: an office document, soft breaks."""
    tag = data.find(b"<", 0, _HEAD)
    if (tag >= 0 and (_begins_as_markup(data) or data.find(b"</", tag, _HEAD) >= 0)) and (
        begins_as_office_document(data) or any(mark in data for mark in _SOFT_BREAKS)
    ):
        return True
    if data.isascii() or b"\0" in data or not _begins_as_utf8(data):
        return False
    return any(char[-1] in data and char in data for char in _INVISIBLE)  # a search for one byte is far faster


def _begins_as_utf8(data: bytes) -> bool:
    head = data[:_HEAD]
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4  # a character that is cut
    return True


def begins_as_office_document(data: bytes) -> bool:
    """Whether it begins like the XML of a text, table or slide of Word, LibreOffice and the like."""
    return _begins_as_markup(data) and any(mark in data[:_OFFICE_HEAD] for mark in OFFICE)


def _begins_as_markup(data: bytes) -> bool:
    return data.startswith(_MARKUP) or (data[:1].isspace() and data[:_INDENT].lstrip().startswith(b"<"))


def _interrupted(data: bytes) -> Iterator[int]:
    """Yield the offsets of what may belong to a credential in a text without its interruptions."""
    from binance_leaks.detect.interrupted_text import uninterrupted  # start-up: few texts are interrupted

    spans = uninterrupted(data)
    found = sorted(plain_hits(b"".join(data[start:end] + sign for start, end, sign in spans))) if spans else []
    length = at = 0
    for start, end, sign in spans:
        length += end - start + len(sign)
        while at < len(found) and found[at] < length:
            yield min(end, start + found[at] - (length - end + start - len(sign)))
            at += 1


def mentions_binance(data: bytes) -> bool:
    """Whether the exchange's name is in `data`, in one of the usual spellings, narrow or wide."""
    return names_exchange(data) or (b"\0" in data and any(name in data for name in _WIDE_NAME))


def names_exchange(data: bytes) -> bool:
    """Whether the exchange's name may be in `data`."""
    return b"inanc" in data or b"INANC" in data


def may_hold_seed(data: bytes) -> bool:
    """Whether a bare Ed25519 seed in `data` could be recognised: it needs a name, and Binance mentioned."""
    return names_exchange(data) and _names_seed(data)


def _names_seed(data: bytes) -> bool:
    return any(word in data for word in SEED_NAMES)


def short_pieces(data: bytes) -> Iterator[int]:
    """Yield the offsets of values that are split into pieces of any length, where the exchange is named."""
    if not _may_join_literals(data):
        return
    from binance_leaks.detect.literal_chains import find_chains  # start-up, as above

    yield from (start for start, _, _ in find_chains(data.decode("latin-1")))


def _may_join_literals(data: bytes) -> bool:
    """Whether something may join literals in `data`: an operator or nothing, an addition to a name, or a call."""
    side_by_side = data.translate(_LITERALS, _BETWEEN_LITERALS)
    if b"aqqa" in side_by_side or b"aqaqa" in side_by_side:  # with a prefix: "ab" f"cd"
        return True
    compact = data.translate(_ONE_QUOTE, _BLANKS).lower()
    if any(word in compact for word in _JOINING_WORDS):
        return True
    return any(
        b'"' in compact[at + len(word) : at + len(word) + _LONGEST_PREFIX]
        for word in _ADDING
        for at in _every(compact, word)
    )


def _every(data: bytes, needle: bytes) -> Iterator[int]:
    at = data.find(needle)
    while at >= 0:
        yield at
        at = data.find(needle, at + len(needle))


def _joined_behind(data: bytes, end: int) -> bool:
    """Whether another literal follows the one that ends at `end`, or is appended to the same name."""
    behind = data[end + 1 : end + _LONGEST_JOINT]
    rest = behind.lstrip(_JOINERS)
    quoted = rest[1:] if rest[:1] in _PREFIXES and rest[1:2] else rest
    if quoted[:1] and quoted[:1] in _QUOTES:
        return quoted[1:2].isalnum()
    return b"=" in behind and _appended(behind)


def _joined_before(data: bytes, start: int) -> bool:
    """Whether another literal is before the one that begins at `start`, or is already assigned to the same name."""
    before = data[max(0, start - _LONGEST_JOINT) : start]
    rest = before[:-1].rstrip(_JOINERS + _PREFIXES)
    if rest[-1:] and rest[-1:] in _QUOTES:
        return rest[-2:-1].isalnum()
    opened = max(rest.rfind(quote) for quote in (b'"', b"'", b"`"))
    return rest[-1:] == b"=" and opened > 0 and _appended(before[opened + 1 :])


def _appended(between: bytes) -> bool:
    import re  # start-up: 5 ms that most commits need not pay

    return re.match(_APPENDED, between) is not None


def _seeds(data: bytes) -> Iterator[int]:
    """Yield offsets of base64 of 32 bytes, as of a bare Ed25519 seed."""
    import re  # start-up, as above

    yield from (match.start() - _SEED_LENGTH for match in re.finditer(LONE_SEED, data))
