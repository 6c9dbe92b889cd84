"""Files that are ours as a whole: a first line tells whether anybody has changed one since it was written."""

from __future__ import annotations

import re
from hashlib import sha256

from binance_leaks.setup.plan import Keep, Plan, Refuse, Write

_LINE = re.compile(rb"# Written by `binance-leaks init` \(digest ([0-9a-f]{16})\); .*\r?\n")
_DIGITS = 16  # against oversight, not against forgery: whoever can edit the file can do anything


def plan_file(path: str, old: bytes | None, body: str, *, notes: tuple[str, ...] = ()) -> Plan:
    """What is to become of a file whose whole content is ours. One that was edited, or is not ours, stays."""
    new = stamped(body)
    if old is None:
        return Write(path=path, old=None, new=new, notes=notes)
    if _lines(old) == new:
        return Keep(path=path)
    if not is_untouched(old):
        why = "it was edited since it was written" if _LINE.match(old) else "it was there before"
        return Refuse(path=path, why=why, old=old, wanted=new)
    return Write(path=path, old=old, new=new.replace(b"\n", b"\r\n") if b"\r\n" in old else new, notes=notes)


def stamped(body: str) -> bytes:
    """The file with its first line."""
    line = f"# Written by `binance-leaks init` (digest {_digest(body.encode())}); once edited, it is left alone.\n"
    return (line + body).encode("utf-8")


def is_untouched(data: bytes) -> bool:
    """Whether a file is as it was written; a checkout may have changed its line ends."""
    found = _LINE.match(data)
    return found is not None and found[1].decode() == _digest(_lines(data[found.end() :]))


def _digest(body: bytes) -> str:
    return sha256(body).hexdigest()[:_DIGITS]


def _lines(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n")
