"""Exports of chats, issues, notes and mail: pairs across messages, and who wrote them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Sequence
from encodings.aliases import aliases
from pathlib import Path

import pytest
from binance_leaks import scan_bytes
from binance_leaks.detect import json_messages
from binance_leaks.detect.messages import find_messages
from binance_leaks.findings import Finding, Result
from binance_leaks.sources import mail, outlook
from binance_leaks.sources.unpack import ArchiveLimits, DamagedArchiveError, OverLimitError, UnpackBudget

from tests import mailboxes
from tests.e2e import Pair, run, value
from tests.exports import EXPORTS, WITHOUT_AUTHOR, Chat, Sent, discord_json, slack, telegram_json
from tests.exports import _zip as zipped
from tests.repositories import Repository


def alice(minute: int, text: str) -> Sent:
    return Sent(author="Alice", minute=minute, text=text)


def bob(minute: int, text: str) -> Sent:
    return Sent(author="Bob", minute=minute, text=text)


CHATS: dict[str, Callable[[Pair], Chat]] = {
    "one message": lambda pair: [
        bob(0, "hi"),
        alice(1, f"binance\napi key: {pair.key}\nsecret: {pair.secret}"),
    ],
    "two messages": lambda pair: [
        bob(0, "the bot says -2015"),
        alice(1, f"this is the binance api key: {pair.key}"),
        alice(2, f"and the secret: {pair.secret}"),
    ],
    "with one between": lambda pair: [
        alice(1, f"binance api key: {pair.key}"),
        bob(2, "got it"),
        alice(3, f"secret key: {pair.secret}"),
    ],
    "bare values": lambda pair: [
        bob(0, "send me the binance api key and secret"),
        alice(1, pair.key),
        alice(2, pair.secret),
    ],
    "code": lambda pair: [
        bob(0, '"hi" é'),
        alice(1, f'exchange = Client("{pair.key}", "{pair.secret}") # binance'),
    ],
}


def only(result: Result, pair: Pair) -> Finding:
    (finding,) = result.findings
    assert {value.sha256 for value in finding.values} == pair.digests
    return finding


@pytest.mark.parametrize("name", EXPORTS)
def test_pairs_and_their_authors(name: str) -> None:
    path, write = EXPORTS[name]
    for make in CHATS.values():
        pair = Pair.fresh()
        finding = only(scan_bytes(write(make(pair)), path=path), pair)
        for place in finding.locations:
            assert place.origin is not None
            assert ("alice" in place.origin.author.lower()) is (name not in WITHOUT_AUTHOR)
            assert "2024" in place.origin.date or "24" in place.origin.date or "٢٠٢٤" in place.origin.date


@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64"])
@pytest.mark.parametrize("kind", ["plain", "html"])
@pytest.mark.parametrize("write", [mailboxes.mailbox, mailboxes.eml], ids=["mailbox", "forwarded"])
def test_mail(write: Callable[[Chat, str, str], bytes], encoding: str, kind: str) -> None:
    pair = Pair.fresh()
    if write is mailboxes.eml and encoding != "7bit":
        chat = [alice(2, f"binance api key: {pair.key}\nsecret: {pair.secret}")]
    else:
        chat = [bob(0, "hi"), alice(1, f"binance api key: {pair.key}"), alice(2, f"and the secret: {pair.secret}")]
    finding = only(scan_bytes(write(chat, encoding, kind), path="mail"), pair)
    for place in finding.locations:
        assert place.origin is not None
        assert place.origin.author == "Alice (alice@project.example)"
        assert place.origin.date in ("2024-03-05 10:01:00 UTC", "2024-03-05 10:02:00 UTC")


@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize("form", ["text", "long text", "attachment", "archive"])
def test_outlook(form: str, scattered: bool) -> None:
    pair = Pair.fresh()
    text = f"binance api key: {pair.key}\nsecret: {pair.secret}"
    attached = {
        "attachment": [(".env", pair.dotenv.encode())],
        "archive": [("bot.zip", zipped({"filling": bytes(9000), "bot.py": pair.python.encode()}))],
    }.get(form, [])
    sent = alice(1, "see the file" if attached else text if form == "text" else f"{'Hello. ' * 900}\n{text}")
    finding = only(scan_bytes(mailboxes.outlook(sent, attached, scattered=scattered), path="mail.msg"), pair)
    for place in finding.locations:
        assert place.origin is not None
        assert (place.origin.author, place.origin.date) == ("Alice", "2024-03-05 10:01:00 UTC")


def test_attachments_and_saved_pages() -> None:
    pair = Pair.fresh()
    message = mailboxes.with_attachment(alice(1, ""), "bot.zip", zipped({"bot.py": pair.python.encode()}))
    assert {place.path for place in only(scan_bytes(message, path="mail.eml"), pair).locations} == {
        "mail.eml!/bot.zip!/bot.py"
    }
    page = EXPORTS["GitHub, saved page"][1](CHATS["two messages"](pair))
    for place in only(scan_bytes(mailboxes.saved_page(page), path="page.mhtml"), pair).locations:
        assert place.origin is not None
        assert place.origin.author == "Alice"


@pytest.mark.parametrize("missing", ["From", "Date"])
def test_mail_without_author_or_date_is_read_to_its_end(missing: str) -> None:
    lines = ["From: a@b.example", "To: b@b.example", "Date: Tue, 5 Mar 2024 10:00:00 +0100", "Subject: hi"]
    head = "\n".join(line for line in lines if not line.startswith(missing))
    assert scan_bytes(f"{head}\n\nhello\n".encode(), path="a.eml").complete
    pair = Pair.fresh()
    data = f"{head}\nX-Bot: BINANCE_API_KEY={pair.key} BINANCE_API_SECRET={pair.secret}\n\nhello\n".encode()
    assert {place.path for place in only(scan_bytes(data, path="a.eml"), pair).locations} == {"a.eml!/headers"}


TITLES = ["BINANCE_API_SECRET", "binanceApiSecretKeyOfProduction", "The secret of our account at Binance, for the bot"]


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("inner", ["attachments", "files"])
def test_a_text_of_a_message_names_the_value_beside_it(title: str, inner: str) -> None:
    fields = {inner: [{"fields": [{"title": title, "value": value()}]}]}
    message = {"type": "message", "user": "U1", "ts": "1700000001.000100", "text": "see below"}
    export = scan_bytes(json.dumps([message, {**message, **fields}]).encode(), path="general.json")
    plain = scan_bytes(json.dumps([fields]).encode(), path="general.json")
    assert [each.confidence for each in plain.findings] == [each.confidence for each in export.findings]
    assert export.findings


def test_a_patch_that_looks_like_mail_keeps_its_lines() -> None:
    pair = Pair.fresh()
    head = f"From {'ab' * 20} Mon Sep 17 00:00:00 2001\nFrom: Alice <a@project.example>\n"
    head += "Date: Tue, 5 Mar 2024 10:00:00 +0100\n"
    patch = f"{head}Subject: [PATCH] Bot\n\n---\n bot.py | 1 +\n\n+{pair.call}".encode()
    (finding,) = scan_bytes(patch, path="binance.patch").findings
    assert {(place.path, place.line) for place in finding.locations} == {("binance.patch", 9)}


class TestManyMessages:
    """Accounts are not mixed, and a large export is the same as a small one."""

    def chat(self, pairs: Sequence[Pair]) -> Chat:
        """Several people post their keys between others' talk."""
        sent: list[Sent] = []
        for number, pair in enumerate(pairs):
            name = f"User{number}"
            sent += [
                Sent(author=name, minute=number % 60, text=f"binance api key {pair.key}"),
                Sent(author=name, minute=number % 60, text=f"secret {pair.secret}"),
                *(Sent(author="Bob", minute=number % 60, text=f"message {word}: no keys here") for word in range(9)),
            ]
        return sent

    @pytest.mark.parametrize("write", [telegram_json, discord_json, slack], ids=["Telegram", "Discord", "Slack"])
    def test_each_has_its_own(self, write: Callable[[Chat], bytes]) -> None:
        pairs = [Pair.fresh() for _ in range(8)]
        result = scan_bytes(write(self.chat(pairs)), path="export")
        found = {frozenset(value.sha256 for value in one.values) for one in result.findings}
        assert found == {frozenset(pair.digests) for pair in pairs}
        authors = {place.origin.author.lower() for one in result.findings for place in one.locations if place.origin}
        assert authors == {f"user{number}" for number in range(8)}

    @pytest.mark.parametrize("indent", [None, 1])
    def test_a_part_of_a_large_export(self, indent: int | None) -> None:
        """An export of more than 8 MiB is read in windows."""
        pair = Pair.fresh()
        chat = [*(bob(n % 60, f"message {n} {'word ' * 400}") for n in range(5000))]
        chat[2500:2500] = [alice(1, f"binance api key: {pair.key}"), alice(2, f"secret: {pair.secret}")]
        whole = json.loads(telegram_json(chat))
        data = json.dumps(whole, indent=indent).encode()
        assert len(data) > 9 << 20
        finding = only(scan_bytes(data, path="result.json"), pair)
        assert {place.origin.author for place in finding.locations if place.origin} == {"Alice"}
        lines = data.split(b"\n")
        for place in finding.locations:
            assert any(
                value.encode() in lines[place.line - 1][place.column - 1 :][:64] for value in (pair.key, pair.secret)
            )


def test_the_same_in_a_folder_and_in_a_history(tmp_path: Path) -> None:
    pair = Pair.fresh()
    repository = Repository.create(tmp_path / "repository")
    repository.commit({"result.json": telegram_json(CHATS["two messages"](pair))})
    places = [
        {
            (place["path"], place["line"], place["column"], place["origin"] and place["origin"]["author"])
            for finding in run(command, "--format", "json", cwd=repository.folder).report["findings"]
            for place in finding["locations"]
        }
        for command in ("scan", "history")
    ]
    assert places[0] == places[1]
    assert {place[3] for place in places[0]} == {"Alice"}


def test_the_report_says_who_wrote_it(tmp_path: Path) -> None:
    pair = Pair.fresh()
    (tmp_path / "result.json").write_bytes(telegram_json(CHATS["two messages"](pair)))
    text = " ".join(run("scan", "result.json", cwd=tmp_path).out.split())
    assert "written by Alice on 2024-03-05T10:01:00" in text
    assert "Ask those who wrote it" in text


@pytest.mark.parametrize("name", ["\x1b[2J\u202eevil", "::error::x", "<script>alert(1)</script>", "a" * 5000])
def test_hostile_names(name: str, tmp_path: Path) -> None:
    pair = Pair.fresh()
    hidden = value()
    chat = [Sent(author=f"{name} {hidden}", minute=1, text=f"binance api key: {pair.key} secret: {pair.secret}")]
    (tmp_path / "result.json").write_bytes(telegram_json(chat))
    for form in ("text", "json", "html", "sarif", "csv", "markdown", "github"):
        outcome = run("scan", "result.json", "--format", form, cwd=tmp_path)
        assert outcome.status == 1
        assert "\x1b[2J" not in outcome.out
        assert hidden not in outcome.out


def test_what_is_outside_of_messages_is_found() -> None:
    """A value in a field that is no text, beside messages."""
    pair = Pair.fresh()
    whole = json.loads(telegram_json([bob(0, f"https://t.example/{'a1B2' * 20}")]))
    whole["settings"] = {"binance_api_key": pair.key, "binance_api_secret": pair.secret}
    only(scan_bytes(json.dumps(whole).encode(), path="result.json"), pair)


@pytest.mark.parametrize(
    "data",
    [
        b'{"date": "x", "text": "' * 20_000,
        b'"date":' + b"[" * 300_000,
        b'{"date": "1", "text": "' + b"\\" * 2_000_000,
        b'"ts":"1"' + b'"a\\"' * 400_000,
        b'<span class="author">' * 40_000,
        b'<div class="text author">' * 20_000,
        b"Author,Date,Content\n" + b'"' * 1_000_000,
        b"[1/1/24, 10:00:00] " * 60_000,
        b"[1/1/24, 10:00:00] A: b\n" * 60_000,
    ],
    ids=range(9),
)
def test_hostile_exports_take_no_longer_than_others(data: bytes) -> None:
    data += value().encode() + b" " + data[-100_000:]
    started = time.process_time()
    find_messages(data)
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    "data",
    [
        b"From: a\nTo: b\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n" + b"--x\n" * 200_000,
        b"From: a\nTo: b\nSubject: c\nContent-Type: message/rfc822\n\n" * 3_000,
        b"From: a\nTo: b\nSubject: =?x?q?" + b"=41" * 200_000,
        b"From: " + b"<" * 300_000 + b"\nTo: a\nSubject: b\n\n",
        b"From a@b Tue Mar  5 10:00:00 2024\nFrom: a\nTo: b\nDate: x\n\n\n" * 4_000,
        bytes.fromhex("d0cf11e0a1b11ae1") + "__properties_version1.0".encode("utf-16-le") * 20_000,
        mailboxes.outlook(alice(1, "x"))[:700],
    ],
    ids=range(7),
)
def test_hostile_mail(data: bytes) -> None:
    started = time.process_time()
    scan_bytes(data, path="mail")
    assert time.process_time() - started < 8


HEADS = b"From: a@project.example\nTo: b\nSubject: c\n"
ENCODED_PART = b"--x\nContent-transfer-encoding: BASE64\n\ndGV4dA==\n--x--\n"


@pytest.mark.parametrize(
    "head",
    [
        b'Content-Type: text/plain;a="' + b";" * 50_000 + b"\n",
        b'Content-Type: text/plain\nContent-Disposition: attachment; a="' + b";" * 50_000 + b"\n",
        b"Content-Type: text/plain; charset=punycode\n",
        b"Content-Type: text/plain; charset=idna\n",
        b"Content-Type: text/plain; charset=unicode_escape\n",
        b"Content-Type: text/plain\nContent-Disposition: attachment; filename*=utf-8''%zz; filename*1*=x\n",
        b"Content-Type: text/plain; charset*=utf-8''%zz; charset*1*=x\n",
        b"Content-Type: multipart/mixed; boundary*=utf-8''%zz; boundary*1*=x\n",
        b"Content-Type: text/plain\nReply-To: x\nDate: " + b"(" * 5_000 + b"\n",
    ],
    ids=range(9),
)
def test_hostile_headers_of_mail_hide_nothing(head: bytes) -> None:
    pair = Pair.fresh()
    text = f"binance api key: {pair.key}\nsecret: {pair.secret}\n".encode()
    started = time.process_time()
    only(scan_bytes(HEADS + head + b"\n" + text + b"-abc" * 100_000, path="a.eml"), pair)
    assert time.process_time() - started < 4


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"Content-Type: multipart/mixed; boundary*=utf-8''%zz; boundary*1*=x\n", ENCODED_PART),
        (b"Content-Type: multipart/mixed\n", ENCODED_PART),
        (b"Content-Type: multipart/mixed; boundary=y\n", ENCODED_PART),
        (b"Content-Type: multipart/mixed; boundary=y\n", ENCODED_PART + b"--y--\n"),
        (b"Content-Type: multipart/mixed" + b";" * 100 + b" boundary=x\n", b"--x\n\ntext\n--x--\n"),
        (b"Content-Type: multipart/mixed; a=" + b"b" * 5_000 + b"; boundary=x\n", b"--x\n\ntext\n--x--\n"),
        (b"X: " + b"y" * (1 << 20) + b"\nContent-Type: multipart/mixed; boundary=x\n", b"--x\n\ntext\n--x--\n"),
        (b"Content-Type: multipart/mixed; boundary=x\n", b"--x\n\ntext\n" * 3_000),
        (
            b"Content-Type: multipart/mixed; boundary=x\n",
            b"".join(
                b"--%s\nContent-Type: multipart/mixed; boundary=%s\n\n" % (b"x" * n, b"x" * (n + 1))
                for n in range(1, 12)
            ),
        ),
    ],
    ids=["damaged", "none", "another", "below", "parameters", "length", "head", "parts", "depth"],
)
def test_parts_of_mail_that_are_not_decoded_are_reported(head: bytes, body: bytes) -> None:
    assert not scan_bytes(HEADS + head + b"\n" + body, path="a.eml").complete


@pytest.mark.parametrize("head", [b"", b"; boundary=y", b"; boundary=x"])
def test_parts_of_mail_that_need_no_decoding_are_read(head: bytes) -> None:
    body = ENCODED_PART if head.endswith(b"x") else ENCODED_PART.replace(b"BASE64", b"8bit")
    assert scan_bytes(HEADS + b"Content-Type: multipart/mixed" + head + b"\n\n" + body, path="a.eml").complete


@pytest.mark.parametrize("charset", ["ebcdic-cp-us", "u16", "UTF-7", "csShiftJIS", "gb18030", "x-unknown", "a" * 5_000])
def test_charsets_of_mail(charset: str) -> None:
    pair = Pair.fresh()
    codec = charset if charset in aliases or charset == "ebcdic-cp-us" else "utf-8"
    head = f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: base64\n\n".encode()
    text = f"binance api key: {pair.key}\nsecret: {pair.secret}\n".encode(codec)
    only(scan_bytes(HEADS + head + base64.encodebytes(text), path="a.eml"), pair)


@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_base64_of_mail_without_its_padding_is_decoded(cut: int) -> None:
    pair = Pair.fresh()
    archive = zipped({"bot.py": pair.python.encode()})
    text = base64.encodebytes(archive + bytes(1 + cut)).rstrip(b"=\n")[: -cut or None]
    head = b"Content-Type: application/zip; name=bot.zip\nContent-Transfer-Encoding: base64\n\n"
    only(scan_bytes(HEADS + head + text, path="a.eml"), pair)


def test_a_boundary_in_one_long_line_takes_no_longer() -> None:
    def seconds(count: int) -> float:
        head = HEADS + b"Content-Type: multipart/mixed; boundary=a\n\n"
        data = head + b"x--a" * count
        started = time.process_time()
        assert list(mail.read_parts(data))
        return time.process_time() - started

    few, many = (min(seconds(count) for _ in range(3)) for count in (40_000, 320_000))
    assert many < 24 * few


def test_every_cut_of_a_message_of_outlook_is_read_or_reported() -> None:
    pair = Pair.fresh()
    data = mailboxes.outlook(alice(1, f"binance api key: {pair.key}\nsecret: {pair.secret}"))
    for size in range(0, len(data), 197):
        result = scan_bytes(data[:size] + bytes(len(data) - size), path="mail.msg")
        assert result.findings or not result.complete or pair.key.encode("utf-16-le") not in data[:size]


def test_storages_of_outlook_that_share_their_content_are_read_once_and_reported() -> None:
    pair = Pair.fresh()
    archive = zipped({"bot.py": pair.python.encode()})
    data = bytearray(mailboxes.outlook(alice(1, "see the files"), [(f"{number}.zip", archive) for number in range(8)]))
    name, at, storages = "__attach_version1.0_#".encode("utf-16-le"), 0, []
    while (at := data.find(name, at + 1)) > 0:
        storages.append(at)
    for at in storages[1:]:
        data[at + 76 : at + 80] = (1).to_bytes(4, "little")
    parts = outlook.read_parts(bytes(data), UnpackBudget(ArchiveLimits()))
    with pytest.raises(DamagedArchiveError):
        for number, _ in enumerate(parts):
            assert number < 50
    result = scan_bytes(bytes(data), path="mail.msg")
    only(result, pair)
    assert not result.complete


def test_streams_of_outlook_count_against_the_budget() -> None:
    data = mailboxes.outlook(alice(1, "Hello. " * 900))
    with pytest.raises(OverLimitError):
        list(outlook.read_parts(data, UnpackBudget(ArchiveLimits(total=5_000))))


def test_the_work_for_a_message_in_json_grows_with_its_texts() -> None:
    def seconds(count: int) -> float:
        texts = [{"text": f"{number:06} " * 10} for number in range(count)]
        data = json.dumps({"date": "2024-03-05T10:00:00", "parts": texts}).encode()
        started = time.process_time()
        assert len(list(json_messages.read(data, 0, len(data)))) == 1
        return time.process_time() - started

    few, many = (min(seconds(count) for _ in range(3)) for count in (500, 4_000))
    assert many < 24 * few
