"""Write the replacement file for `git filter-repo --replace-text`.

It is the only output that contains values: written only on request, readable by the user only, and never over an
existing file. git-filter-repo (2.47, `get_replace_text`) takes one expression a line, `literal:OLD==>NEW`, split
at the last `==>`, and knows no comments: a line that starts with `#` would be one more text to replace.
"""

from __future__ import annotations

import binascii
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from binance_leaks.errors import ScanError, UsageError
from binance_leaks.model import Credential, Role, Value
from binance_leaks.writing import create_private_file, remove_left_drafts

_REPLACEMENT = b"***REMOVED***"
_SHORTEST = 40
_BINARY_TEST = 8192  # bytes that git-filter-repo looks at
_COLUMNS = (76, 64)  # of MIME and of PEM; the wider first, as its lines hold whole lines of the other
_ED25519 = bytes.fromhex("302e020100300506032b657004220420")
_SEED_LENGTH = 32


def refuse_existing(file: Path) -> None:
    """Raise UsageError unless `file` can be made anew.

    Called before a long scan, so that it does not fail at its end. What a killed run has left there is removed: it may
    hold values, too.
    """
    remove_left_drafts(file.parent)
    if os.path.lexists(file):
        raise UsageError(
            f"{file} exists, and replacements are written over nothing",
            hint="Delete it, or name another file. It may hold the values of an earlier run.",
        )
    if not file.parent.is_dir():
        raise UsageError(f"{file} cannot be written: there is no folder {file.parent}")


def write_replacements(file: Path, credentials: Iterable[Credential]) -> int:
    """Write an expression for every form of every value; return the number of values.

    A value that has left the process that read it is skipped, and so is one that was recognized in a picture: the file
    may be empty. Without any credential no file is written. It is written whole, with mode 0600. Raises UsageError if
    anything is there already, even a link, and ScanError if it cannot be written.
    """
    refuse_existing(file)
    found = [value for credential in credentials for value in credential.values]
    if not found:
        return 0
    values = {value.sha256: value for value in found if value.secret}
    literals = dict.fromkeys(literal for value in values.values() for literal in _literals(value))
    lines = [b"literal:" + literal + b"==>" + _REPLACEMENT + b"\n" for literal in literals]
    try:
        create_private_file(file, b"".join(lines))
    except FileExistsError:
        refuse_existing(file)
        raise ScanError(f"{file} cannot be written: it came and went") from None
    except OSError as error:
        raise ScanError(f"{file} cannot be written: {error.strerror}") from None
    return len(values)


def can_replace(content: bytes, value: Value) -> bool:
    """Return whether git-filter-repo replaces a value in the content of a file; it leaves binary files as they are."""
    return b"\0" not in content[:_BINARY_TEST] and any(literal in content for literal in _literals(value))


def _literals(value: Value) -> Iterator[bytes]:
    """The forms of a value in files, longest first."""
    raw = value.secret.reveal() if value.secret else b""
    lines = _private_key_lines(raw) if value.role is Role.PRIVATE_KEY else [raw]
    for line in lines:
        yield line
        yield from _in_base64(line)


def _private_key_lines(der: bytes) -> Iterator[bytes]:
    """A private key in base64: in one line, in lines of usual lengths, the seed of Ed25519.

    Its form in the file is not known any more; escapes, quotes and indentation between lines do not matter. The last
    line may be too short to be distinguished from other text and remains: less than 30 bytes of a key, of no use.
    """
    body = _base64(der)
    yield body
    if der.startswith(_ED25519):
        yield _base64(der[len(_ED25519) :][:_SEED_LENGTH])
    for columns in _COLUMNS:
        lines = (body[start : start + columns] for start in range(0, len(body), columns))
        yield from (line for line in lines if len(line) >= _SHORTEST)


def _in_base64(text: bytes) -> Iterator[bytes]:
    """What base64 of a longer text has in it where that text holds this one, for each of the three alignments."""
    for before in range(3):
        encoded = binascii.b2a_base64(bytes(before) + text, newline=False)
        first, end = -(-8 * before // 6), 8 * (before + len(text)) // 6
        yield encoded[first:end]


def _base64(data: bytes) -> bytes:
    """Base64 without its padding, which some writers leave out."""
    return binascii.b2a_base64(data, newline=False).rstrip(b"=")
