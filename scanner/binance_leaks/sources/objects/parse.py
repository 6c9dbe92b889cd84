"""Parse commits, tags and trees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import Commit

_PERSON = re.compile(rb"([^<\n]*?) ?<([^>\n]*)>[^\n]*? (-?\d+) ([+-]\d{4})$")
_SECONDS = re.compile(rb"-?[0-9]{1,18}")
_MERGED_TAG = re.compile(rb"^mergetag ([^\n]*\n(?: [^\n]*\n)*)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class CommitNode:
    """A commit in the graph.

    Ids are bytes, `time` is the committer's, in seconds since 1970.
    """

    tree: bytes
    parents: tuple[bytes, ...]
    time: int


def find_merged_tags(content: bytes) -> list[bytes]:
    """The tags that a merge commit keeps in its headers, also after they were deleted."""
    return [match.group(1).replace(b"\n ", b"\n") for match in _MERGED_TAG.finditer(content)]


def without_merged_tags(headers: bytes) -> bytes:
    """The headers of a commit with its merged tags blanked; lines keep their numbers."""
    return _MERGED_TAG.sub(lambda match: b"\n" * match.group().count(b"\n"), headers)


def find_message(content: bytes) -> int:
    """Where the message of a commit or tag begins."""
    at = content.find(b"\n\n")
    return len(content) if at < 0 else at + 2


def parse_commit_node(content: bytes, id_size: int) -> CommitNode | None:
    """A commit's place in the graph, None for a commit that is malformed; the time is 0 where that cannot be read."""
    width = 2 * id_size
    try:
        if not content.startswith(b"tree "):
            return None
        tree = _id_of(content[5 : 5 + width], id_size)
        at = 6 + width
        parents = []
        while content.startswith(b"parent ", at):
            parents.append(_id_of(content[at + 7 : at + 7 + width], id_size))
            at += 8 + width
    except ValueError:
        return None
    start = content.find(b"\ncommitter ", at - 1)
    line = content[start + 1 :].partition(b"\n")[0] if start >= 0 else b""
    seconds = _SECONDS.fullmatch(line.rsplit(b" ", 2)[-2]) if line else None
    return CommitNode(tree=tree, parents=tuple(parents), time=int(seconds.group()) if seconds is not None else 0)


def _id_of(digits: bytes, id_size: int) -> bytes:
    name = bytes.fromhex(digits.decode("ascii"))
    if len(name) != id_size:
        raise ValueError("no id")
    return name


def parse_commit(name: str, content: bytes) -> Commit:
    """A commit for the reader: author, date, subject, as far as they can be read."""
    head, _, message = content.partition(b"\n\n")
    headers: dict[bytes, bytes] = {}
    for line in head.split(b"\n"):
        word, _, rest = line.partition(b" ")
        if word:
            headers.setdefault(word, rest)
    author, date = _person(headers.get(b"author", b"") or headers.get(b"tagger", b""), headers.get(b"encoding"))
    subject = next((line for line in message.split(b"\n") if line.strip()), b"")
    return Commit(id=name, author=author, date=date, subject=_decoded(subject.strip(), headers.get(b"encoding")))


def parse_tree(tree: bytes, id_size: int) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Mode, name and object id of every entry of a tree, as far as it is well formed."""
    at = 0
    while at < len(tree):
        space = tree.find(b" ", at)
        end = tree.find(b"\0", space)
        if space < 0 or end < 0 or end + 1 + id_size > len(tree):
            return
        yield tree[at:space], tree[space + 1 : end], tree[end + 1 : end + 1 + id_size]
        at = end + 1 + id_size


def _person(line: bytes, encoding: bytes | None) -> tuple[str, str]:
    match = _PERSON.match(line)
    if match is None:
        return _decoded(line, encoding), ""
    name, mail, seconds, offset = match.groups()
    minutes = int(offset[1:3]) * 60 + int(offset[3:5])
    zone = timezone(timedelta(minutes=-minutes if offset.startswith(b"-") else minutes)) if minutes < 1440 else None
    try:
        date = datetime.fromtimestamp(int(seconds), tz=zone or timezone.utc).isoformat()
    except (OverflowError, ValueError, OSError):
        date = ""
    return _decoded(b"%s <%s>" % (name, mail), encoding), date


def _decoded(text: bytes, encoding: bytes | None) -> str:
    for codec in ((encoding or b"utf-8").decode("ascii", "replace"), "utf-8"):
        try:
            return text.decode(codec)
        except (UnicodeDecodeError, LookupError, ValueError):  # noqa: PERF203 - two rounds at most
            continue
    return text.decode("latin-1")
