"""Objects that git cannot read, or that are not of the size that they claim: reported, and all others are scanned."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import new

import pytest
from binance_leaks.cli import main
from binance_leaks.errors import GitError
from binance_leaks.findings import NOT_READABLE, Skipped
from binance_leaks.pipeline.introduced import FileVersions
from binance_leaks.sources import plumbing
from binance_leaks.sources.git import Git

from tests.e2e import Pair
from tests.repositories import Repository

MEGABYTE = 1 << 20
sha1 = partial(new, "sha1", usedforsecurity=False)
KILL = 9
MOST = 48 * MEGABYTE
"""What git may take for one object here."""


def _loose(content: bytes, claimed: int) -> Callable[[Repository], str]:
    def write(repository: Repository) -> str:
        name = sha1(content).hexdigest()
        data = zlib.compress(b"blob %d\0" % claimed + content)
        repository.write(f".git/objects/{name[:2]}/{name[2:]}", data)
        return name

    return write


def _doubling_deltas(repository: Repository) -> str:
    """Make a pack of a few kilobytes in which each delta is twice its base; the last one is of 64 megabytes."""
    content = bytes(MEGABYTE)
    entries = [_entry(3, len(content), zlib.compress(content))]
    size = len(content)
    while size < 2 * MOST - 32 * MEGABYTE:
        copies = b"".join(
            b"\xff" + struct.pack("<I", at) + min(0xFFFFFF, size - at).to_bytes(3, "little")
            for _ in range(2)
            for at in range(0, size, 0xFFFFFF)
        )
        delta = _number(size) + _number(2 * size) + copies
        entries.append(_entry(6, len(delta), _distance(len(entries[-1])) + zlib.compress(delta)))
        size *= 2
    pack = b"PACK" + struct.pack(">II", 2, len(entries)) + b"".join(entries)
    subprocess.run(
        ["git", "index-pack", "--stdin"],
        input=pack + sha1(pack).digest(),
        cwd=repository.folder,
        check=True,
        capture_output=True,
    )
    digest = sha1(b"blob %d\0" % size)
    for _ in range(size // MEGABYTE):
        digest.update(content)
    return digest.hexdigest()


def _entry(kind: int, size: int, data: bytes) -> bytes:
    rest = size >> 4
    return bytes([kind << 4 | size & 15 | (128 if rest else 0)]) + (_number(rest) if rest else b"") + data


def _number(value: int) -> bytes:
    digits = [value & 127]
    while value := value >> 7:
        digits[-1] |= 128
        digits.append(value & 127)
    return bytes(digits)


def _distance(back: int) -> bytes:
    digits = [back & 127]
    while back := back >> 7:
        back -= 1
        digits.insert(0, 128 | back & 127)
    return bytes(digits)


def _that_answers_for_others(repository: Repository) -> str:
    """Write an object that goes on, beyond its size, with git's answers for all others: that they are empty."""
    names = repository.git(
        "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype) 0"
    ).splitlines()
    answers = "".join(f"\n{name} \n" for name in names)
    return _loose(b"x = 1\n" + answers.encode("ascii"), 6)(repository)


OBJECTS: dict[str, Callable[[Repository], str]] = {
    "more than it claims": _loose(b"y" * 5000, 7),
    "less than it claims": _loose(b"y" * 50, 7000),
    "less than the gigabytes that it claims": _loose(b"y" * 50, 2 << 30),
    "more than a pipe holds": _loose(bytes(9 * MEGABYTE), 7),
    "answers for other objects": _that_answers_for_others,
    "deltas that make gigabytes": _doubling_deltas,
}


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


def _make(repository: Repository, kind: str, pair: Pair) -> str:
    """Commit a pair and such an object beside it, and stage both elsewhere. Their ids are in both orders."""
    repository.commit({"a.py": "x = 1\n"})
    repository.commit({"bot.env": pair.dotenv, **{f"{number}.txt": f"{number}\n" for number in range(20)}})
    name = OBJECTS[kind](repository)
    repository.git("update-index", "--add", "--cacheinfo", f"100644,{name},0.bin")
    tree = repository.git("write-tree", "--missing-ok")
    repository.git("update-ref", "HEAD", repository.git("commit-tree", "-p", "HEAD~1", "-m", "object", tree))
    for path, blob in (("1.bin", name), ("z.env", repository.git("rev-parse", "HEAD:bot.env"))):
        repository.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
    return name


@pytest.mark.parametrize("words", [("history", "--jobs", "1"), ("range", "HEAD~1..HEAD"), ("staged",)])
@pytest.mark.parametrize("kind", OBJECTS)
def test_the_others_are_scanned(
    repository: Repository,
    pair: Pair,
    kind: str,
    words: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(plumbing.READER_LIMITS, "GIT_ALLOC_LIMIT", str(MOST))
    signals: list[int] = []
    send = os.kill

    def kill(pid: int, number: int) -> None:
        signals.append(number)
        send(pid, number)

    monkeypatch.setattr(os, "kill", kill)
    _make(repository, kind, pair)
    monkeypatch.chdir(repository.folder)
    assert main([*words, "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [skipped["why"] for skipped in report["scan"]["skipped"]] == [NOT_READABLE]
    assert {value["sha256"] for found in report["findings"] for value in found["values"]} == pair.digests
    assert main([*words, "--exit-zero"]) == 3
    assert KILL not in signals  # git came to its end: nobody waited until it was idle for long


def test_the_last_object_has_more_than_it_claims(repository: Repository) -> None:
    repository.commit({"a.py": "x = 1\n"})
    name = OBJECTS["more than it claims"](repository)
    damaged: list[str] = []
    with Git(str(repository.folder)).blobs([name], damaged) as blobs:
        assert [stream.read() for _, stream in blobs if stream is not None] == [b"y" * 7]
    assert damaged == [name]
    with pytest.raises(GitError, match=name), Git(str(repository.folder)).blobs([name]) as blobs:
        list(blobs)


def test_an_object_that_is_gone_when_it_is_read_again(repository: Repository) -> None:
    versions = FileVersions(Git(str(repository.folder)))
    lost = sha1(b"blob 1\0x").hexdigest()
    versions.add_suspicious([lost])
    versions.detect([(lost, b"a.py")])
    assert versions.skipped == [Skipped(what="a.py", why=NOT_READABLE)]
