"""Mail as programs keep it, with messages of a test's own: files, mailboxes, saved pages, Outlook's files."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import datetime, timezone
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from tests.exports import Chat, Sent

_SECTOR = 512
_NONE, _END = 0xFFFFFFFF, 0xFFFFFFFE


def message(one: Sent, encoding: str = "7bit", kind: str = "plain") -> EmailMessage:
    """A message whose text is encoded so."""
    made = EmailMessage()
    made["From"] = f"{one.author} <{one.author.lower()}@project.example>"
    made["To"] = "team@project.example"
    made["Subject"] = "The bot"
    made["Date"] = f"Tue, 05 Mar 2024 11:{one.minute:02}:00 +0100"
    made["Message-ID"] = f"<{one.minute}@project.example>"
    text = one.text if kind == "plain" else f"<html><body><p>{one.text.replace(chr(10), '<br>')}</p></body></html>"
    made.set_content(text, subtype=kind, cte=encoding)
    return made


def eml(chat: Chat, encoding: str = "7bit", kind: str = "plain") -> bytes:
    """All messages as parts of the last one, the way in which forwarded ones are."""
    last = message(chat[-1], encoding, kind)
    if len(chat) == 1:
        return last.as_bytes()
    for one in chat[:-1]:
        last.add_attachment(message(one, encoding, kind))
    return last.as_bytes()


def mailbox(chat: Chat, encoding: str = "7bit", kind: str = "plain", line_end: bytes = b"\n") -> bytes:
    """A mailbox."""
    out = b""
    for one in chat:
        start = f"From {one.author.lower()}@project.example Tue Mar  5 10:{one.minute:02}:00 2024\n".encode()
        out += start + message(one, encoding, kind).as_bytes() + b"\n"
    return out.replace(b"\n", line_end)


def with_attachment(one: Sent, name: str, content: bytes) -> bytes:
    """A message without values in its text, with a file."""
    made = message(Sent(author=one.author, minute=one.minute, text="see the file"))
    made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return made.as_bytes()


def saved_page(page: bytes) -> bytes:
    """A page as Chromium saves it."""
    made = MIMEMultipart("related")
    made["From"] = "<Saved by Blink>"
    made["Snapshot-Content-Location"] = "https://chat.example/"
    made["Subject"] = "Chat"
    made["Date"] = "Tue, 05 Mar 2024 11:00:00 +0100"
    part = MIMEText(page.decode(), "html", "utf-8")
    part.replace_header("Content-Transfer-Encoding", "base64")
    part["Content-Location"] = "https://chat.example/"
    made.attach(part)
    return made.as_bytes()


def outlook(one: Sent, attached: Sequence[tuple[str, bytes]] = (), *, scattered: bool = False) -> bytes:
    """A message of Outlook. `scattered` puts the sectors of each stream in reverse order."""
    sent = datetime(2024, 3, 5, 10, one.minute, tzinfo=timezone.utc) - datetime(1601, 1, 1, tzinfo=timezone.utc)
    ticks = int(sent.total_seconds()) * 10_000_000
    files: list[tuple[str, object]] = [
        ("__properties_version1.0", bytes(32) + struct.pack("<IIQ", 0x00390040, 6, ticks)),
        ("__substg1.0_0037001F", "The bot".encode("utf-16-le")),
        ("__substg1.0_0C1A001F", one.author.encode("utf-16-le")),
        ("__substg1.0_1000001F", one.text.encode("utf-16-le")),
    ]
    for number, (name, content) in enumerate(attached):
        inside = [("__substg1.0_3707001F", name.encode("utf-16-le")), ("__substg1.0_37010102", content)]
        files.append((f"__attach_version1.0_#{number:08X}", inside))
    return _compound_file(files, scattered=scattered)


def _compound_file(files: Sequence[tuple[str, object]], *, scattered: bool) -> bytes:
    """A compound file (MS-CFB) of version 3, with one storage below another at most."""
    entries: list[list[object]] = [["Root Entry", 5, _NONE, _NONE, 1, 0, 0]]
    contents: dict[int, bytes] = {}

    def add(items: Sequence[tuple[str, object]], first: int) -> None:
        """Entries of one storage as a list: each is on the right of the one before."""
        storages = []
        for place, (name, content) in enumerate(items):
            index = first + place
            right = index + 1 if place + 1 < len(items) else _NONE
            if isinstance(content, bytes):
                contents[index] = content
                entries.append([name, 2, _NONE, right, _NONE, 0, len(content)])
            else:
                entries.append([name, 1, _NONE, right, _NONE, 0, 0])
                storages.append((index, content))
        for index, content in storages:
            entries[index][4] = len(entries)
            add(content, len(entries))  # type: ignore[arg-type]

    add(files, 1)
    mini, mini_next, sectors, following = b"", list[int](), list[bytes](), list[int]()

    def chain(data: bytes, size: int, units: list[bytes], links: list[int]) -> int:
        count = -(-len(data) // size)
        base = len(links)
        order = [base + place for place in (reversed(range(count)) if scattered else range(count))]
        units += [b""] * count
        links += [_END] * count
        for place, at in enumerate(order):
            units[at] = data[place * size : place * size + size].ljust(size, b"\0")
            links[at] = order[place + 1] if place + 1 < count else _END
        return order[0] if order else _END

    small: list[bytes] = []
    for index, content in contents.items():
        if len(content) < 4096:
            entries[index][5] = chain(content, 64, small, mini_next)
        else:
            entries[index][5] = chain(content, _SECTOR, sectors, following)
    mini = b"".join(small)
    entries[0][5], entries[0][6] = chain(mini, _SECTOR, sectors, following), len(mini)
    mini_table = chain(struct.pack(f"<{len(mini_next)}I", *mini_next), _SECTOR, sectors, following)
    directory = chain(b"".join(map(_directory_entry, entries)), _SECTOR, sectors, following)
    tables = 1
    while (len(following) + tables) * 4 > tables * _SECTOR:
        tables += 1
    places = list(range(len(following), len(following) + tables))
    table = struct.pack(f"<{len(following) + tables}I", *following, *[0xFFFFFFFD] * tables)
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    header += struct.pack("<IIIIIIII", tables, directory, 0, 4096, mini_table, 1, _END, 0)
    header += struct.pack("<109I", *places, *[_NONE] * (109 - tables))
    filled = table.ljust(tables * _SECTOR, b"\xff")
    return header + b"".join(sectors) + filled


def _directory_entry(entry: Sequence[object]) -> bytes:
    name, kind, left, right, child, start, size = entry
    raw = str(name).encode("utf-16-le") + b"\0\0"
    return (
        raw.ljust(64, b"\0") + struct.pack("<HBB", len(raw), kind, 1) + struct.pack("<III", left, right, child)
        + bytes(36) + struct.pack("<IQ", start, size)
    )  # fmt: skip
