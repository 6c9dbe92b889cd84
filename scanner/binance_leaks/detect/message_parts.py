"""What the readers of exports share: a message, and the words that name its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

LONGEST_NAME = 200


class Message(NamedTuple):
    """A message: its author and date as they are written, the spans of its text, and all that is text of it."""

    author: str
    date: str
    parts: Sequence[tuple[int, int, bytes]]
    """Start and end of bytes, and what is put behind them; at least one."""
    covered: Sequence[tuple[int, int]]


AUTHORS: Mapping[str, int] = MappingProxyType(
    {
        "user": 1, "from": 2, "u": 2, "actor": 2, "owner": 1, "username": 3, "sender": 3, "author": 3, "creator": 3,
        "reporter": 2, "createdby": 3, "sendername": 4, "displayname": 4, "imdisplayname": 4, "senderdisplayname": 4,
        "userprofile": 5, "authorname": 4, "emailaddress": 1, "login": 2,
    }
)  # fmt: skip
"""Fields that hold the author or are an object about him, with how well they name a person."""

NAMES: Mapping[str, int] = MappingProxyType(
    {
        "realname": 5, "displayname": 4, "nickname": 3, "name": 4, "username": 3, "login": 3, "emailaddress": 2,
        "email": 2, "id": 1, "accountid": 1, "global_name": 3,
    }
)  # fmt: skip
"""Fields of an object about a person."""

DATES = frozenset(
    {
        "date", "timestamp", "ts", "createdat", "created", "createddatetime", "datetime", "originalarrivaltime",
        "composetime", "createat", "originserverts", "sentat", "datecreated", "createdtime", "createdate", "sent",
        "time",
    }
)  # fmt: skip
TEXTS = frozenset(
    {
        "text", "content", "contents", "body", "message", "msg", "description", "note", "notes", "comment", "caption",
        "summary", "title", "plaintext", "plain_text", "textbody",
    }
)  # fmt: skip


def normalized(name: bytes) -> str:
    """The name of a field in small letters, without signs between its words."""
    text = name[:LONGEST_NAME].decode("utf-8", "replace")
    return text.lower().replace("_", "").replace("-", "").replace(" ", "")
