"""Sound inputs of every format, each with the planted pair, made by the code that writes the format in other tests."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import tempfile
import zlib
from array import array
from collections.abc import Sequence
from functools import cache
from hashlib import sha1, sha256
from pathlib import Path

from binance_leaks.api import render, scan_bytes
from binance_leaks.baseline.known import SECRET_TYPES
from binance_leaks.fleet.worker_protocol import empty_outcome
from binance_leaks.model import Role, Value
from binance_leaks.pipeline.state import State, pack_state
from binance_leaks.setup.agent_hooks import HOOK_FILES, command_of
from binance_leaks.setup.allow_entries import format_entry
from binance_leaks.setup.pre_commit import new_configuration
from binance_leaks.verification import Permissions, Verdict
from binance_leaks.verify.cache import CacheFile, DatedOutcome
from binance_leaks.verify.responses import Outcome

from tests import mailboxes
from tests.agents import filled
from tests.agents.documented import READS, STOPPED, WARNED
from tests.container_images import Layer, configuration, docker_archive, oci_layout
from tests.container_images import tarred as tarred_layer
from tests.corpus import fill, load
from tests.deltas import delta_of
from tests.detect import grammars
from tests.e2e import Pair
from tests.exports import EXPORTS, Sent
from tests.forged_packs import OFS_DELTA, back, header, index
from tests.fuzz.planted import Planted
from tests.hiding_contents import compiled, database, dotenv, module, tarred, zipped
from tests.sources.test_archives import zipped as zipped_files
from tests.sources.test_further_archives import seven_zipped, zstd_packed
from tests.sources.test_pdf import SUBSET, UNICODE_MAP, packed, pdf

Seeds = Sequence[bytes]
NOW = 1_800_000_000.0
"""A moment, in seconds since 1970."""
_SMALL = 1_500
"""Bytes of a hostile text: a run has many, and their mutants."""


@cache
def documents(planted: Planted) -> Seeds:
    """Texts of the corpus, hostile texts, and ordinary files with the pair."""
    pair = planted.pair
    texts = [fill(case, 1).data for case in load()[::3]]
    texts += [grammar.text(_SMALL) for grammar in grammars.GRAMMARS]
    return [*(text for text in texts if len(text) < 8 * _SMALL), *plain(pair)]


def plain(pair: Pair) -> list[bytes]:
    """Ordinary files."""
    fields = {"exchange": "binance", "apiKey": pair.key, "secret": pair.secret}
    return [
        dotenv(pair).encode(),
        module(pair).encode(),
        json.dumps(fields, indent=1).encode(),
        f"binance:\n  api_key: {pair.key}\n  secret: {pair.secret}\n".encode(),
        f"exchange,key,secret\nbinance,{pair.key},{pair.secret}\n".encode(),
        dotenv(pair).encode("utf-16"),
        compiled(pair),
    ]


def comments(planted: Planted) -> Seeds:
    """Values that a comment allows, or nearly."""
    pair, texts = planted.pair, list[str]()
    for mark in (
        "binance-leaks: allow",
        "pragma: allowlist secret",
        "binance-leaks: allow next line",
        "gitleaks:allow",
    ):
        for opening, closing in (("#", ""), ("//", ""), ("/*", "*/"), ("<!--", "-->"), ("--", "")):
            texts.append(f'binance_key = "{pair.key}" {opening} {mark} {closing}\nbinance_secret = "{pair.secret}"\n')
            texts.append(f'{opening} {mark} {closing}\nclient = Client("{pair.key}", "{pair.secret}")\n')
    texts.append(
        f'x = """\nbinance_key = {pair.key}\n"""\nrun: |\n  export BINANCE_SECRET={pair.secret}\ncat <<EOF\nEOF\n'
    )
    return [text.encode() for text in texts]


def notebooks(planted: Planted) -> Seeds:
    """Notebooks of two formats."""
    source = [f'client = Client("{planted.pair.key}",\n', f'  "{planted.pair.secret}")  # binance\n']
    cell = {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": source, "outputs": []}
    printed = {**cell, "source": ["x"], "outputs": [{"output_type": "stream", "name": "stdout", "text": source}]}
    html = {"output_type": "display_data", "metadata": {}, "data": {"text/html": source, "image/png": "iVBORw0KGgo="}}
    shown = {**cell, "outputs": [html], "attachments": {"a.png": {"image/png": "x"}}}
    notebook = {"cells": [cell, printed, shown], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    old = {"worksheets": [{"cells": [{**cell, "input": source}]}], "metadata": {}, "nbformat": 3}
    return [json.dumps(each, indent=indent).encode() for each in (notebook, old) for indent in (None, 1)]


def databases(planted: Planted) -> Seeds:
    """Files of SQLite."""
    return [database(planted.pair)]


def archives(planted: Planted) -> Seeds:
    """Archives of each kind, with others inside, with the pair as a name."""
    pair = planted.pair
    text = module(pair).encode()
    named = tarred_layer({f"{pair.key}/{pair.secret}.txt": text, "ü/leer": b""})
    both = [zipped(pair), tarred(pair), named, gzip.compress(named), bz2.compress(text), lzma.compress(text)]
    both += [loose_object(text), b"#!/usr/bin/python\n" + zipped(pair)]
    both += [
        seven_zipped({"bot.py": text, f"{pair.secret}.txt": b"x"}),
        zipped_files({"a.zip": zipped(pair), "b.tar.gz": tarred(pair), f"{pair.key}.txt": text}),
    ]
    both += [zstd_packed(text), b"# v2 git bundle\n" + b"ab" * 20 + b" refs/heads/main\n\n" + pack(planted)]
    return both


def pack(planted: Planted) -> bytes:
    """A pack with a blob and a delta of it, a tree, a commit and a tag."""
    return _pack(planted)[0]


def _objects(planted: Planted) -> list[tuple[int, bytes]]:
    """Types and contents."""
    blob = module(planted.pair).encode()
    return [(3, blob), (2, trees(planted)[0]), (1, commits(planted)[0]), (4, commits(planted)[2])]


def _pack(planted: Planted) -> tuple[bytes, bytes]:
    entries, rows, at = list[bytes](), list[tuple[bytes, int, int]](), 12
    contents = _objects(planted)
    delta = delta_of(contents[0][1], [b"import time\n", (0, len(contents[0][1]))])
    for kind, content in [*contents, (OFS_DELTA, delta)]:
        lead = header(kind, len(content)) + (back(at - 12) if kind == OFS_DELTA else b"")
        raw = lead + zlib.compress(content)
        name = sha1(bytes([kind]) + content, usedforsecurity=False).digest()
        rows.append((name, zlib.crc32(raw), at))
        entries.append(raw)
        at += len(raw)
    whole = b"PACK" + struct.pack(">II", 2, len(entries)) + b"".join(entries)
    checksum = sha1(whole, usedforsecurity=False).digest()
    return whole + checksum, index(sorted(rows), checksum)


def loose_object(content: bytes) -> bytes:
    """A blob as git keeps it in a file of its own."""
    return zlib.compress(b"blob %d\0" % len(content) + content)


def in_zip(content: bytes) -> bytes:
    """A zip file with another archive."""
    return zipped_files({"a.bin": content})


def in_tar(content: bytes) -> bytes:
    """A tar archive with another one, as a layer of an image too."""
    return tarred_layer({"a.bin": content, f"{'ab' * 32}/layer.tar": content})


def in_mail(content: bytes) -> bytes:
    """A message with an attached file."""
    return mailboxes.with_attachment(Sent(author="Ann", minute=1, text=""), "a.bin", content)


def in_pdf(content: bytes) -> bytes:
    """A PDF file with a packed stream that is no text."""
    return pdf(b"BT ET", {9: packed(content)})


def in_pack(content: bytes) -> bytes:
    """A pack with an object of each type, and its index."""
    return packed_entries([header(kind, len(content)) + zlib.compress(content, 1) for kind in (1, 2, 3, 4)])


def packed_entries(entries: Sequence[bytes]) -> bytes:
    """A pack of entries and the index that fits it, as one input."""
    whole = b"PACK" + struct.pack(">II", 2, len(entries))
    rows = []
    for raw in entries:
        rows.append((sha1(raw, usedforsecurity=False).digest(), zlib.crc32(raw), len(whole)))
        whole += raw
    checksum = sha1(whole, usedforsecurity=False).digest()
    return join_pack(whole + checksum, index(sorted(rows), checksum))


def join_pack(whole: bytes, its_index: bytes) -> bytes:
    """A pack and its index as one input: the size of the pack in four bytes is in front."""
    return len(whole).to_bytes(4, "big") + whole + its_index


def packs(planted: Planted) -> Seeds:
    """Packs with their indexes: of version 2, with offsets of 64 bits, of version 1."""
    whole, sound = _pack(planted)
    count = struct.unpack(">I", sound[8 + 4 * 255 : 8 + 4 * 256])[0]
    offsets = 8 + 1024 + count * 24
    wide = sound[:offsets] + struct.pack(">I", 1 << 31) + sound[offsets + 4 : offsets + 4 * count]
    wide += struct.pack(">Q", 12) + sound[offsets + 4 * count :]
    old = sound[8 : 8 + 1024] + bytes(24) * count + bytes(40)
    return [join_pack(whole, each) for each in (sound, wide, old)]


def trees(planted: Planted) -> Seeds:
    """Trees, one of which has a value as a name."""
    names = [
        b"100644 bot.py",
        b"40000 folder",
        b"120000 link",
        b"160000 module",
        b"100755 " + planted.pair.key.encode(),
    ]
    entries = b"".join(name + b"\0" + sha1(name, usedforsecurity=False).digest() for name in names)
    return [entries, entries[: len(entries) // 2], b"", b"".join(name + b"\0" + bytes(32) for name in names)]


def commits(planted: Planted) -> Seeds:
    """Commits and tags, with all headers that git knows."""
    pair = planted.pair
    who = b"Ann <ann@project.example> 1700000000 +0100"
    tree, parent = b"tree " + b"ab" * 20, b"parent " + b"cd" * 20
    tag = b"object %s\ntype commit\ntag v1\ntagger %s\n\n%s" % (b"ab" * 20, who, pair.dotenv.encode())
    signature = b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQIz\n -----END PGP SIGNATURE-----"
    merged = b"mergetag " + tag.replace(b"\n", b"\n ")
    heads = [tree, parent, parent, b"author " + who, b"committer " + who, b"encoding latin-1"]
    message = b"\n\nThe binance account\n\n" + pair.dotenv.encode()
    return [b"\n".join(heads[:5]) + message, b"\n".join([*heads, merged, signature]) + message, tag]


def pdfs(planted: Planted) -> Seeds:
    """PDF files of several packings."""
    pair = planted.pair
    content = f"BT /F1 9 Tf 50 700 Td (binance API key: {pair.key}) Tj 0 -12 Td (secret: {pair.secret}) Tj ET".encode()
    files = [pdf(content, filters=filters) for filters in ("", "Flate", "Flate85", "FlateHex", "Hex")]
    wide = b'BT /F2 9 Tf 50 700 Td <00220023> Tj [(\0"\0#) -900 (\0$)] TJ ET'
    objects = {**SUBSET, 8: packed(UNICODE_MAP), 9: packed(module(pair).encode())}
    return [*files, pdf(wide, objects)]


def mails(planted: Planted) -> Seeds:
    """Messages, mailboxes, saved pages."""
    pair = planted.pair
    chat = _chat(pair)
    kinds = [("7bit", "plain"), ("base64", "plain"), ("quoted-printable", "html")]
    made = [mailboxes.eml(chat, *kind) for kind in kinds] + [mailboxes.mailbox(chat, *kind) for kind in kinds]
    page = f"<table><tr><td>binance key</td><td>{pair.key}</td></tr></table>".encode()
    named = mailboxes.with_attachment(chat[0], f"{pair.secret}.zip", zipped(pair))
    return [
        *made,
        mailboxes.saved_page(page),
        named,
        mailboxes.with_attachment(chat[0], "bot.py", module(pair).encode()),
    ]


def outlook_files(planted: Planted) -> Seeds:
    """Messages of Outlook."""
    pair = planted.pair
    attached = [("bot.py", module(pair).encode()), (f"{pair.key}.zip", zipped(pair))]
    sent = Sent(author="Ann", minute=1, text=f"binance key {pair.key}\nsecret {pair.secret}")
    return [
        mailboxes.outlook(sent),
        mailboxes.outlook(sent, attached),
        mailboxes.outlook(sent, attached, scattered=True),
    ]


def _chat(pair: Pair) -> list[Sent]:
    return [
        Sent(author="Ann", minute=1, text="Which account does the bot use?"),
        Sent(author="Ben", minute=2, text=f"binance api key: {pair.key}"),
        Sent(author=f"Ann {pair.key}", minute=3, text=f"and the secret: {pair.secret}"),
    ]


def exports(planted: Planted) -> Seeds:
    """Exports of chats, issues and notes."""
    return [write(_chat(planted.pair)) for _, write in EXPORTS.values()]


def images(planted: Planted) -> Seeds:
    """Images of containers, as docker saves them and as an OCI layout."""
    pair = planted.pair
    layers = [
        Layer(command=f"COPY .env /app # {pair.key}", files={"app/.env": dotenv(pair).encode()}),
        Layer(command="RUN rm /app/.env", files={"app/.wh..env": b"", f"app/{pair.secret}": b"x"}),
    ]
    settings = configuration(layers, {"Env": [f"BINANCE_KEY={pair.key}", f"BINANCE_SECRET={pair.secret}"]}, "ENV x")
    layouts = [oci_layout(layers, settings, pack) for pack in (bytes, lambda data: gzip.compress(data, mtime=0))]
    return [docker_archive(layers, settings), *(tarred_layer(dict(files)) for files in layouts)]


FILE = b"\n--file "
"""What begins a file of a folder: its name follows, and a line feed."""


def image_folders(planted: Planted) -> Seeds:
    """Folders with an OCI layout: its files one behind the other."""
    pair = planted.pair
    layers = [
        Layer(command=f"RUN x {pair.key}", files={"app/.env": dotenv(pair).encode()}),
        Layer(command="RUN rm .env", files={"app/.wh..env": b"", f"{pair.secret}.py": module(pair).encode()}),
    ]
    layout = oci_layout(layers, configuration(layers), lambda data: gzip.compress(data, mtime=0))
    return [b"".join(FILE + name.encode() + b"\n" + content for name, content in layout.items())]


def verdict_caches(planted: Planted) -> Seeds:
    """Caches of verdicts: written by the program."""
    granted = Permissions(granted=("enableReading",), denied=("enableFutures",), created=1_700_000_000_000)
    digest = sha256(planted.pair.key.encode()).hexdigest()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "verified.json"
        cache = CacheFile(file)
        cache.put(digest, DatedOutcome(outcome=Outcome(verdict=Verdict.LIVE, permissions=granted), at=NOW))
        cache.put(digest[::-1], DatedOutcome(outcome=Outcome(verdict=Verdict.NOT_FOUND, detail="code -2008"), at=NOW))
        cache.save(NOW)
        return [file.read_bytes()]


def pictures(planted: Planted) -> Seeds:
    """Pictures with a code, of each format, with metadata."""
    from PIL import Image

    from tests.sources.test_pictures import code

    text = f"binance key {planted.pair.key}\nsecret {planted.pair.secret}"
    made = [code(text, kind) for kind in ("PNG", "JPEG", "GIF", "WEBP")]
    made += [code("x", "TIFF", compression="tiff_lzw"), code("x", "BMP")]
    exif = Image.Exif()
    exif[0x010E] = text
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG", exif=exif)
    return [*made, out.getvalue()]


def configurations(planted: Planted) -> Seeds:
    """Configurations: a table in `pyproject.toml`, a file of ours, with entries that allow."""
    entry = format_entry(Path("pyproject.toml"), ["cd" * 32], "a reason")
    ours = 'exclude = ["docs/**", "*.lock"]\nconfidence = "low"\nbaseline = ".secrets.baseline"\nfail-on = "high"\n'
    levels = "[fail-on]\nmainnet = 'low'\ndefault = 'never'\n"
    table = f"[project]\nname = 'x'\n[tool.binance-leaks]\n{ours}\n# a comment\n[tool.other]\ndots.in.key = 1\n"
    allow = (
        f'[[allow]]\nsha256 = ["{"ab" * 32}"]\nreason = "old"\npath = "docs/"\n[[allow]]\nvalues = [1.5, 1979-05-27]\n'
    )
    texts = [table, ours, ours + levels, entry, ours + allow, f'{planted.pair.key} = 1\n["{planted.pair.secret}"]\n']
    return [text.encode() for text in texts]


def baselines(planted: Planted) -> Seeds:
    """Baselines of detect-secrets."""
    values = [
        Value.of(Role.API_KEY, planted.pair.key.encode()),
        Value.of(Role.SECRET_KEY, planted.pair.secret.encode()),
    ]
    listed = [
        {"type": SECRET_TYPES[value.role], "filename": "bot.py", "hashed_secret": value.sha1, "line_number": 1,
         "is_verified": False, "is_secret": True}
        for value in values
    ]  # fmt: skip
    results = {"bot.py": listed, f"a/{planted.pair.key}.py": [{**listed[0], "is_secret": False}]}
    whole = {"version": "1.5.0", "plugins_used": [], "filters_used": [], "results": results, "generated_at": "2024"}
    whole["binance_leaks"] = {"history": True}
    return [json.dumps(whole, indent=2).encode(), json.dumps({**whole, "version": "0.9"}).encode()]


def reports(planted: Planted) -> Seeds:
    """Reports in JSON, of contents and of everything that there is to report."""
    from tests.report import examples

    results = [scan_bytes(module(planted.pair).encode(), path=f"{planted.pair.key}/bot.py")]
    results += [examples.everything_result(), examples.history_result(), examples.verified_result()]
    results += [examples.fleet_result(), examples.hostile_result(planted.pair.secret)]
    return [render(result, "json").encode() for result in results]


def ci_events(planted: Planted) -> Seeds:
    """Events of GitHub Actions."""
    ids = ["ab" * 20, "cd" * 20, "0" * 40]
    repository = {"default_branch": "main", "full_name": "o/r"}
    request = {"number": 7, "head": {"sha": ids[0], "ref": planted.pair.key}, "base": {"sha": ids[1], "ref": "main"}}
    push = {"ref": f"refs/heads/{planted.pair.secret}", "before": ids[0], "after": ids[1], "forced": True}
    events = [
        {"pull_request": request, "repository": repository},
        {**push, "repository": repository, "deleted": False, "commits": [{"id": ids[1]}]},
        {**push, "ref": "refs/tags/v1", "before": ids[2], "repository": repository},
        {"merge_group": {"base_sha": ids[0], "head_sha": ids[1]}, "repository": repository},
    ]
    return [json.dumps(event).encode() for event in events]


def agent_events(planted: Planted) -> Seeds:
    """The events that agents' documents show."""
    return [json.dumps(filled(each.fields, planted.pair)).encode() for each in (*STOPPED, *WARNED, *READS)]


def agent_settings(planted: Planted) -> Seeds:
    """Settings of agents: JSON with comments, TOML."""
    ours = [command_of(agent) for agent in HOOK_FILES]
    hook = {"matcher": "*", "hooks": [{"type": "command", "command": ours[0], "timeout": 60}]}
    settings = {"version": 1, "hooks": {"PreToolUse": [hook], "UserPromptSubmit": []}, "env": {"K": planted.pair.key}}
    texts = [json.dumps(settings, indent=indent) for indent in (None, 2, "\t")]
    texts += [
        texts[1].replace("{", "{ // a comment\n", 1).replace("]", ", ] /* another */", 1),
        "{}",
        "// none\n{\n}\n",
    ]
    texts.append(
        f'[features]\nhooks = true\n[[hooks.PreToolUse]]\n[[hooks.PreToolUse.hooks]]\ncommand = "{ours[-1]}"\n'
    )
    return [text.encode() for text in texts]


def pre_commit_files(planted: Planted) -> Seeds:
    """Configurations of pre-commit."""
    others = "repos:\n- repo: https://example.org/x\n  rev: v1\n  hooks:\n  - id: x\n    args: [--a, '{}']\n"
    texts = ["\n".join(new_configuration(None)) + "\n", others.format(planted.pair.key), "repos: []\n"]
    texts.append("default_install_hook_types: [pre-commit, pre-push]\n" + texts[0] + "ci: {skip: [a]}\n# the end\n")
    return [text.encode() for text in texts]


def repository_lists(planted: Planted) -> Seeds:
    """Lists of repositories: lines, tables, exports of forges."""
    key = planted.pair.key
    item = {
        "nameWithOwner": "org/a",
        "url": "https://github.com/org/a",
        "sshUrl": "git@github.com:o/a.git",
        "diskUsage": 1,
    }
    lines = f"# all\nhttps://{key}@host.example/a = label\n../b\tc\ngit@host:a/b.git\nssh://host/x\n"
    table = f"name,clone_url,size\na,https://host/a,12\n{key},https://host/b?token={planted.pair.secret},\n"
    pages = {"values": [item], "next": "https://x"}
    texts = [lines, table, json.dumps([item, {**item, "url": f"https://x:{key}@host/b"}]), json.dumps(pages)]
    texts += [
        json.dumps([item]) + json.dumps([item]),
        table.replace(",", "\t"),
        json.dumps({"data": {"nodes": [item]}}),
    ]
    return [text.encode() for text in texts] + [lines.encode("utf-16")]


def replies(planted: Planted) -> Seeds:
    """Replies of workers."""
    found = json.loads(reports(planted)[0])
    done = [{**empty_outcome("a"), "report": found, "fingerprint": "f" * 64}]
    done.append({**empty_outcome("b"), "reason": f"it failed on {planted.pair.key}", "hint": planted.pair.secret})
    return [json.dumps({"worker": f"host {planted.pair.key}", "done": done}).encode()]


def states(planted: Planted) -> Seeds:
    """States of a history scan."""
    hit = sha256(planted.pair.key.encode()).digest()[:20]
    return [pack_state("these", State(starts=array("Q", range(count)), hits=frozenset({hit}))) for count in (0, 5)]


def answers(planted: Planted) -> Seeds:
    """Answers of Binance: success, failures, limits, pages of others."""
    granted = {"ipRestrict": False, "createTime": 1700000000000, "enableWithdrawals": True, "enableReading": True}
    account = {"canTrade": True, "permissions": ["SPOT"], "balances": [], "makerCommission": 10, "uid": 1}
    bodies: list[object] = [granted, account, {"code": -2015, "msg": f"Invalid {planted.pair.key}"}, {"code": -1003}]
    bodies += [{"serverTime": 1700000000000}, {"code": -1021, "msg": "recvWindow"}, []]
    return [
        status.to_bytes(2, "big") + json.dumps(body).encode()
        for status in (200, 400, 401, 403, 418, 429, 451, 503)
        for body in bodies
    ]


def pointers(planted: Planted) -> Seeds:
    """Pointers of Git LFS."""
    digest = sha256(planted.pair.key.encode()).hexdigest().encode()
    return [b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 12345\n" % digest]
