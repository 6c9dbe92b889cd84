"""Where in some bytes a credential could stand: the cheap test in front of the detector.

Nearly every file holds nothing, so this is what nearly every byte of a scan meets, and all that a clean commit pays for.
It translates the bytes to a few classes and searches the result for long runs. It may say yes where nothing is, never no
where the detector would find something; a test holds that law.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it: this module is all that a clean commit imports
if TYPE_CHECKING:
    from collections.abc import Iterator

_CLASS_MEMBERS = {
    "a": b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    "q": b"\"'`",
    "b": b"\\",
    " ": b" \t\r\n",
    "=": b"=",
    "\0": b"\0",
}


def _classes() -> bytes:
    table = bytearray(b"x" * 256)
    for name, members in _CLASS_MEMBERS.items():
        for byte in members:
            table[byte] = ord(name)
    return bytes(table)


_CLASSES = _classes()
_RUN = b"a" * 64
_WIDE_TEXT = b"a\0" * 8
PRIVATE_KEY_LITERALS = (
    b"PRIVATE KEY-----",
    b"MC4CAQAwBQYDK2VwBCIEI",
    b"IBADANBgkqhkiG9w0BAQEFAASC",
    b"IBAAKCAQEA",
    b"IBAAKCAgEA",
    b"LS0tLS1CRUdJTi",
)
_FRAGMENTS = (b"a" * 16 + b"q", b"a" * 16 + b"b", b"a" * 16 + b"= ")
_JOINT = (
    rb"""["'`][\s\\)]{0,60}(?:[+.&|<>~,\\]{0,3})[\s_\\(]{0,80}[A-Za-z@]?["'`]"""  # "…" + "…"
    rb"""|["'`][\s;]{0,40}[\w$.{}]{1,60}\s{0,20}(?:\+|\.|&|<>)=\s{0,20}["'`]"""  # "…"; name += "…"
    rb"""|[\\=]\r?\n[ \t]{0,60}"""  # …\ or, in quoted-printable, …=
)
_LONGEST_JOINT = 160
_SEED = rb"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{43}=(?![A-Za-z0-9+/=])"


def may_hold(data: bytes) -> bool:
    """Whether anything in `data` is worth the detector's time."""
    return next(hits(data), None) is not None


def hits(data: bytes) -> Iterator[int]:
    """Offsets of everything that could belong to a credential, kind by kind, each kind ascending."""
    classes = classified(data)
    yield from runs(classes)
    for literal in PRIVATE_KEY_LITERALS:
        yield from _every(data, literal)
    yield from joined_pieces(data, classes)
    if mentions_binance(data):
        yield from _seeds(data)
    if holds_wide_text(classes):
        for first in (0, 1):
            yield from (2 * at + first for at in hits(data[first::2]))


def classified(data: bytes) -> bytes:
    """Every byte by its class, as the functions below want it: `a` for an alphanumeric, `q` for a quote, and so on."""
    return data.translate(_CLASSES)


def runs(classes: bytes) -> Iterator[int]:
    """Starts of 64 alphanumerics; several in a longer run."""
    return _every(classes, _RUN)


def joined_pieces(data: bytes, classes: bytes) -> Iterator[int]:
    """Starts within long pieces of a value that was cut into literals or lines."""
    for fragment in _FRAGMENTS:
        yield from _joined(data, classes, fragment)


def holds_wide_text(classes: bytes) -> bool:
    """Whether there is text in UTF-16."""
    return _WIDE_TEXT in classes


def mentions_binance(data: bytes) -> bool:
    """Whether the exchange's name stands in `data`, in one of the usual spellings."""
    return b"inance" in data or b"INANCE" in data


def _every(data: bytes, needle: bytes) -> Iterator[int]:
    at = data.find(needle)
    while at >= 0:
        yield at
        at = data.find(needle, at + len(needle))


def _joined(data: bytes, classes: bytes, fragment: bytes) -> Iterator[int]:
    """Long pieces at the end of a string literal or of a continued line, with another piece right behind or before."""
    lists = b"join" in data or b"concat" in data
    for at in _every(classes, fragment):
        import re  # start-up: 5 ms that most commits need not pay

        end = at + 16
        behind = re.match(rb"(?:" + _JOINT + rb")[A-Za-z0-9]", data[end : end + _LONGEST_JOINT])
        if behind and (lists or b"," not in behind.group()):
            yield at
            continue
        start = len(classes[max(0, at - 64) : at].rstrip(b"a")) + max(0, at - 64)
        before = re.search(rb"[A-Za-z0-9](?:" + _JOINT + rb")$", data[max(0, start - _LONGEST_JOINT) : start])
        if before and (lists or b"," not in before.group()):
            yield at


def _seeds(data: bytes) -> Iterator[int]:
    """Base64 of 32 bytes, as of a bare Ed25519 seed."""
    import re  # start-up, as above

    yield from (match.start() for match in re.finditer(_SEED, data))
