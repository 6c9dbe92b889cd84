"""The compiled readers of objects answer as those in Python do, also to what is damaged or forged."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from random import Random
from types import ModuleType
from typing import cast

import pytest
from binance_leaks.native import compiled
from binance_leaks.sources import archive_kind
from binance_leaks.sources.fast_path import is_harmless
from binance_leaks.sources.plumbing import _LFS_VERSIONS, may_be_lfs_pointer

from tests.fuzz.native import KINDS, fuzz

pytestmark = pytest.mark.skipif(compiled is None, reason="the compiled module is not there")


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_inputs_are_read_alike(kind: str) -> None:
    outcomes = fuzz(kind, range(200 if kind == "texts" else 700))
    assert len(outcomes) >= 3
    assert min(outcomes.values()) > 3


def beginnings_and_ends() -> Iterator[bytes]:
    """What begins or ends as an archive, a program with one, or a pointer, and what nearly does."""
    rng = Random(1)
    heads = [*archive_kind._MAGIC, b"BZh91AY&SY", zlib.compress(b"blob 3\0abc"), bytes(257) + b"ustar", b""]
    heads += [b" \n\t\r\x0b\x0c"[: rng.randrange(7)] + version for version in _LFS_VERSIONS]
    heads += archive_kind.PROGRAMS
    heads += [start + b" x\nFrom: x\nTo: x\n\n" for start in (*archive_kind._MAIL_STARTS, b"From x\nDate:")]
    directory = b"PK\x01\x02" + bytes(42)
    end = archive_kind.ZIP_END + bytes(8) + len(directory).to_bytes(4, "little") + bytes(6)
    for head in heads:
        for behind in (
            b"",
            b"text",
            b"text" * 300,
            directory + end,
            directory + end + b"a comment",
            bytes(70_000) + end,
        ):
            yield head + behind
            yield head[:-1] + behind
            yield b"x" + head + behind


def test_what_python_reads_otherwise_is_shown() -> None:
    native = cast("ModuleType", compiled)
    shown = [
        data
        for data in beginnings_and_ends()
        if archive_kind.archive_kind(data) is not None or archive_kind.may_end_in_zip(data) or may_be_lfs_pointer(data)
    ]
    assert {archive_kind.archive_kind(data) for data in shown} >= {*archive_kind.ArchiveKind}
    assert [data for data in shown if not native.may_be_container(data)] == []
    assert [data for data in shown if is_harmless(data)] == []
    assert not any(map(native.may_be_container, (b"", b"x = 1", b"import os\n", b"#!/bin/sh\necho PK\n", bytes(3000))))
