"""Every kind of archive, in the index, in a range and in a history: none is passed as clean by its packed bytes."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import tarfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from binance_leaks.sources.archive_kind import ArchiveKind, archive_kind

from tests import mailboxes
from tests.e2e import Pair, run
from tests.exports import Sent
from tests.exports import _zip as zipped
from tests.repositories import Repository
from tests.sources.test_further_archives import STARTS, bundled, seven_zipped, zstd_packed
from tests.sources.test_pdf import pdf

HEADERS = "From: a@project.example\nTo: b@project.example\nSubject: bot\nMIME-Version: 1.0\n"


def mail(content: bytes, width: int, name: str = "") -> bytes:
    """A message of one part in base64, in lines of a width."""
    text = base64.b64encode(content).decode()
    lines = "\n".join(text[at : at + width] for at in range(0, len(text), width))
    kind = f'application/zip; name="{name}"' if name else "text/plain"
    return f"{HEADERS}Content-Type: {kind}\nContent-Transfer-Encoding: base64\n\n{lines}\n".encode()


def bundle(pair: Pair, folder: Path) -> bytes:
    repository = Repository.create(folder)
    repository.commit({"bot.py": pair.python})
    return bundled(repository, "--all")


def tar(data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("bot.py.gz")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def unread(name: str, text: bytes) -> bytes:
    return STARTS[name] + zlib.compress(text)


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "bot.zip": lambda text: zipped({"bot.py": text}),
    "bot.py.gz": lambda text: gzip.compress(text),
    "bot.py.bz2": lambda text: bz2.compress(text),
    "bot.py.xz": lambda text: lzma.compress(text),
    "bot.py.zst": lambda text: zstd_packed(text),
    "bot.tar": lambda text: tar(gzip.compress(text)),
    "bot.7z": lambda text: seven_zipped({"bot.py": text}),
    "object": lambda text: zlib.compress(b"blob %d\0" % len(text) + text),
    "a.pdf": lambda text: pdf(b"BT /F1 9 Tf 50 700 Td (%s) Tj ET" % text.replace(b"\n", b" ")),
    "lines of 48.eml": lambda text: mail(text, 48),
    "lines of 60.eml": lambda text: mail(text, 60),
    "attached.eml": lambda text: mail(zipped({"bot.py": text}), 60, "bot.zip"),
    "a.mbox": lambda text: b"From a@b Tue Mar  5 10:00:00 2024\n" + mail(text, 60),
    "attached.msg": lambda text: mailboxes.outlook(
        Sent(author="Alice", minute=1, text="see the file"), [("bot.zip", zipped({"bot.py": text}))]
    ),
    "cloud-init.yaml": lambda text: b"- encoding: gz+b64\n  content: " + base64.b64encode(gzip.compress(text)) + b"\n",
    "helm.yaml": lambda text: b"  release: " + base64.b64encode(base64.b64encode(gzip.compress(text))) + b"\n",
    "page.html": lambda text: b"<a href='data:application/zip;base64,%s'>" % base64.b64encode(zipped({"a": text})),
    "lines.txt": lambda text: base64.encodebytes(bz2.compress(text)),
    "lines in quotes.json": lambda text: json.dumps({"xz": base64.encodebytes(lzma.compress(text)).decode()}).encode(),
    "url-safe.txt": lambda text: b"https://project.example/" + base64.urlsafe_b64encode(zstd_packed(text)),
    "secret.yaml": lambda text: b"  env: " + base64.b64encode(base64.b64encode(text)) + b"\n",
    "run.ps1": lambda text: b"powershell -enc " + base64.b64encode(text.decode().encode("utf-16-le")),
    **{f"bot.{name}": partial(unread, name) for name in STARTS},
}


def test_none_is_passed_as_clean(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"README": "read me\n"})
    kinds: set[ArchiveKind | None] = set()
    calm: list[tuple[str, str]] = []
    pairs: dict[str, frozenset[str]] = {}
    for name in (*PACKED, "all.bundle"):
        pair = Pair.fresh()
        text = f"# binance\n{pair.python}".encode()
        content = PACKED[name](text) if name in PACKED else bundle(pair, tmp_path / "bundled")
        kinds.add(archive_kind(content))
        pairs[name] = frozenset(pair.digests)
        repository.stage(name, content)
        if run("staged", cwd=repository.folder).status not in (1, 3):
            calm.append(("staged", name))
        repository.commit()
        if run("range", "HEAD~1..HEAD", cwd=repository.folder).status not in (1, 3):
            calm.append(("range", name))
    report = run("history", "--format", "json", cwd=repository.folder).report
    found = {value["sha256"] for finding in report["findings"] for value in finding["values"]}
    skipped = " ".join(item["what"] for item in report["scan"]["skipped"])
    for name, digests in pairs.items():
        if not digests <= found and repository.git("rev-parse", f"HEAD:{name}") not in skipped:
            calm.append(("history", name))
    assert calm == []
    assert kinds == {*ArchiveKind, None}
