"""Archives: every member read at every depth, bounded, and nothing lost in silence."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import io
import lzma
import random
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

import pytest
from binance_leaks.findings import Skipped
from binance_leaks.sources.archives import ArchiveKind, ArchiveLimits, archive_kind, read_members
from binance_leaks.sources.read_content import TOO_LARGE_TO_BE_READ_TWICE, Chunk, read_stream
from binance_leaks.sources.streams import Readable
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.corpus.values import hmac_value

TEXT = b"binance_key = something\n" * 20
MIB = 1 << 20


class Pipe:
    """A stream that cannot go back."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def read(self, size: int, /) -> bytes:
        return self._stream.read(min(size, 5000))


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(files: Mapping[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def gzipped(data: bytes, name: str = "") -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=out) as stream:
        stream.write(data)
    return out.getvalue()


def label(value: object) -> str:
    """The name of a test's parameter, for archives are not the same bytes in every run."""
    return "data" if isinstance(value, bytes) else str(value)


def read(
    data: bytes, path: str = "a.bin", limits: ArchiveLimits | None = None
) -> tuple[dict[str, bytes], list[Skipped]]:
    """Contents by path and what was skipped; through a file and through a pipe, which must agree."""
    limits = limits or ArchiveLimits()
    items = list(read_members(path, path, io.BytesIO(data), limits=limits))
    piped = list(read_members(path, path, Pipe(data), limits=limits))
    assert [item for item in piped if item not in items] == []
    return contents(items), [item for item in items if isinstance(item, Skipped)]


def contents(items: Iterable[Chunk | Skipped]) -> dict[str, bytes]:
    chunks = [item for item in items if isinstance(item, Chunk)]
    assert len({chunk.path for chunk in chunks}) == len(chunks)
    return {chunk.path: chunk.data for chunk in chunks}


def reasons(skipped: Iterable[Skipped]) -> str:
    skipped = list(skipped)
    assert all(item.lost for item in skipped)
    assert all("\n" not in item.why for item in skipped)
    return "; ".join(item.why for item in skipped)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (zipped({"a": b"x"}), ArchiveKind.ZIP),
        (zipped({}), ArchiveKind.ZIP),
        (gzipped(b"x"), ArchiveKind.GZIP),
        (bz2.compress(b"x"), ArchiveKind.BZIP2),
        (bz2.compress(b""), ArchiveKind.BZIP2),
        (lzma.compress(b"x"), ArchiveKind.XZ),
        (tarred({"a": b"x"}), ArchiveKind.TAR),
        (tarred({"a": b"x"}, tarfile.GNU_FORMAT), ArchiveKind.TAR),
        (b"", None),
        (b"PK is how this text begins", None),
        (b"BZh is no block", None),
        (TEXT * 100, None),
    ],
    ids=label,
)
def test_archives_are_reported_by_their_first_bytes(data: bytes, kind: ArchiveKind | None) -> None:
    assert archive_kind(data[:512]) is kind
    assert archive_kind(data) is kind


FILES = {"a.txt": TEXT, "inner/b": b"b" * 70_000, "empty": b"", "ünï/ç.py": b"x"}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_zip_members_are_read(method: int) -> None:
    found, skipped = read(zipped(FILES, method), "dir/a.jar")
    assert found == {f"dir/a.jar!/{name}": data for name, data in FILES.items()}
    assert not skipped


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_tar_members_are_read_compressed_or_not(form: int, pack: Callable[[bytes], bytes]) -> None:
    files = {**FILES, "long/" * 60 + "name": TEXT, "long/" * 600 + "name": TEXT}
    found, skipped = read(pack(tarred(files, form)), "a.tar.gz")
    assert found == {f"a.tar.gz!/{name}": data for name, data in files.items()}
    assert not skipped


@pytest.mark.parametrize(
    ("data", "path", "inside"),
    [
        (gzipped(TEXT, "stored.env"), "dump.gz", "dump.gz!/stored.env"),
        (gzipped(TEXT), "d/dump.sql.gz", "d/dump.sql.gz!/dump.sql"),
        (gzipped(TEXT), "d/dump.tgz", "d/dump.tgz!/dump.tar"),
        (gzipped(TEXT), "svgz", "svgz!/svgz"),
        (bz2.compress(TEXT), "dump.bz2", "dump.bz2!/dump"),
        (lzma.compress(TEXT), "dump.XZ", "dump.XZ!/dump"),
        (gzipped(TEXT) + bytes(512) + gzipped(TEXT), "two.gz", "two.gz!/two"),
        (bz2.compress(TEXT) + bz2.compress(TEXT), "two.bz2", "two.bz2!/two"),
        (lzma.compress(TEXT) + lzma.compress(TEXT), "two.xz", "two.xz!/two"),
    ],
    ids=label,
)
def test_compressed_files_have_one_member(data: bytes, path: str, inside: str) -> None:
    found, skipped = read(data, path)
    assert found == {inside: TEXT * 2 if "two" in path else TEXT}
    assert not skipped


def test_gzip_headers_with_extra_fields_are_understood() -> None:
    plain = gzipped(TEXT)
    data = plain[:3] + b"\x0c" + plain[4:10] + b"\x05\x00extra" + "é.env".encode("latin-1") + b"\0" + plain[10:]
    assert read(data)[0] == {"a.bin!/é.env": TEXT}


nested = st.recursive(
    st.binary(max_size=300).map(lambda data: b"t:" + data),
    lambda inner: st.one_of(
        st.tuples(st.just("zip"), st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)),
        st.tuples(st.just("tar"), st.dictionaries(st.sampled_from("abcd"), inner, min_size=1, max_size=3)),
        st.tuples(st.sampled_from(["gz", "bz2", "xz"]), inner),
    ),
    max_leaves=6,
)


def build(tree: object) -> bytes:
    match tree:
        case bytes():
            return tree
        case ("zip", dict() as files):
            return zipped({name: build(inner) for name, inner in files.items()})
        case ("tar", dict() as files):
            return tarred({name: build(inner) for name, inner in files.items()})
        case ("gz", inner):
            return gzip.compress(build(inner))
        case ("bz2", inner):
            return bz2.compress(build(inner))
        case ("xz", inner):
            return lzma.compress(build(inner))
        case _:
            raise TypeError(tree)


def leaves(tree: object) -> list[bytes]:
    match tree:
        case bytes():
            return [tree]
        case (_, dict() as files):
            return [leaf for inner in files.values() for leaf in leaves(inner)]
        case (_, inner):
            return leaves(inner)
        case _:
            raise TypeError(tree)


@settings(max_examples=120)
@given(tree=nested, pipe=st.booleans())
def test_nestings_of_every_kind_give_their_leaves(tree: object, pipe: bool) -> None:
    data = build(tree)
    stream = Pipe(data) if pipe else io.BytesIO(data)
    items = list(read_members("x", "x", stream, limits=ArchiveLimits(depth=20)))
    assert [item.data for item in items if isinstance(item, Chunk)] == leaves(tree)
    assert not [item for item in items if isinstance(item, Skipped)]


def test_depth_is_bounded_and_reported() -> None:
    data = TEXT
    for _ in range(4):
        data = zipped({"in.zip": data})
    assert read(data, "o")[0] == {"o" + "!/in.zip" * 4: TEXT}
    found, skipped = read(zipped({"top.zip": data}), "o")
    assert reasons(skipped) == "archives are nested deeper than 4"
    assert list(found) == ["o!/top.zip" + "!/in.zip" * 3], "the raw bytes of what is too deep"


def test_hostile_names_are_shown_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["/etc/passwd", "../../up", "a\x1b[31m\nb", "C:\\x", "n" * 60_000]
    for data in (zipped(dict.fromkeys(names, TEXT)), tarred(dict.fromkeys(names, TEXT))):
        found, skipped = read(data)
        assert [path.removeprefix("a.bin!/") for path in found] == names
        assert not skipped
    assert not list(tmp_path.iterdir())


def test_names_in_no_encoding_are_kept() -> None:
    data = zipped({"é": TEXT, "later": TEXT}).replace("é".encode(), b"\xff\x80")
    assert read(data) == ({"a.bin!/\xa0Ç": TEXT, "a.bin!/later": TEXT}, [])
    assert read(tarred({"n\udcff": TEXT}, tarfile.GNU_FORMAT)) == ({"a.bin!/n\udcff": TEXT}, [])


def test_links_in_archives_are_text_only() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, kind in (("s", tarfile.SYMTYPE), ("h", tarfile.LNKTYPE), ("d", tarfile.DIRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        fifo = tarfile.TarInfo("f")
        fifo.type = tarfile.FIFOTYPE
        archive.addfile(fifo)
    found, skipped = read(out.getvalue())
    assert found == {"a.bin!/s": b"/etc/passwd"}
    assert not skipped


def test_tar_archives_one_behind_the_other_are_read() -> None:
    found, skipped = read(tarred({"a": TEXT}) + tarred({"b": TEXT}))
    assert found == {"a.bin!/a": TEXT, "a.bin!/b": TEXT}
    assert not skipped


def test_what_is_behind_a_tar_archive_is_scanned() -> None:
    found, skipped = read(tarred({"a": TEXT}) + TEXT)
    assert found == {"a.bin!/a": TEXT, "a.bin": TEXT}
    assert not skipped


def test_old_sparse_files_keep_the_archive_in_step() -> None:
    header = tarfile.TarInfo("sparse")
    header.type, header.size = tarfile.GNUTYPE_SPARSE, 512
    block = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    block[482] = 1
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    more, last = bytearray(512), bytes(512)
    more[504] = 1
    data = bytes(block) + bytes(more) + last + b"d" * 512 + tarred({"next": TEXT})
    assert read(data)[0] == {"a.bin!/sparse": b"d" * 512, "a.bin!/next": TEXT}


def test_members_that_the_directory_leaves_out_are_read_too() -> None:
    found, skipped = read(zipped({"a": TEXT}) + zipped({"b": TEXT}))
    assert found.pop("a.bin").startswith(b"PK\x01\x02"), "the directory of the first one"
    assert found == {"a.bin!/a": TEXT, "a.bin!/b": TEXT}
    assert not skipped
    emptied = zipped({"a": TEXT, "b": TEXT})
    emptied = emptied[:-18] + bytes(18)
    found, skipped = read(emptied)
    assert found.pop("a.bin").startswith(b"PK\x01\x02")
    assert (found, skipped) == ({"a.bin!/a": TEXT, "a.bin!/b": TEXT}, [])


def test_the_comment_of_a_zip_file_and_what_is_behind_it_are_scanned() -> None:
    data = zipped({"a": TEXT})
    commented = data[:-2] + struct.pack("<H", len(TEXT)) + TEXT
    assert read(commented) == ({"a.bin!/a": TEXT, "a.bin": TEXT}, [])
    assert read(data + TEXT) == ({"a.bin!/a": TEXT, "a.bin": TEXT}, [])


VALUE = hmac_value(random.Random(1)).encode()
LINE = b"binance_key = " + VALUE
"""Shorter than a field of a header of tar, and than the padding of a block."""


def extended(kind: bytes, body: bytes, *, padding: bytes = b"") -> bytes:
    """A header of tar and its body, in front of an archive of one member."""
    info = tarfile.TarInfo("headers")
    info.type, info.size = kind, len(body)
    return info.tobuf(tarfile.USTAR_FORMAT) + body + padding.ljust(-len(body) % 512, b"\0") + tarred({"a": b"1"})


def record(key: bytes, value: bytes) -> bytes:
    """A record of an extended header."""
    rest = len(key) + len(value) + 3
    size = next(size for size in range(rest, rest + 9) if len(str(size)) + rest == size)
    return b"%d %s=%s\n" % (size, key, value)


def zip_with(**attributes: object) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("a")
        for name, value in attributes.items():
            setattr(info, name, value)
        archive.writestr(info, b"1")
    return out.getvalue()


def hidden_in_zip(content: bytes) -> bytes:
    """Bytes between the only member of a zip file and its directory."""
    data = bytearray(zipped({"a": b"1"}))
    at = data.index(b"PK\x01\x02")
    data[-6:-2] = (at + len(content)).to_bytes(4, "little")
    return bytes(data[:at] + content + data[at:])


def zip_with_rest(method: int) -> bytes:
    """A zip file whose only member has more bytes than its compressed stream."""
    data = bytearray(zipped({"a": b"1" * 99}, method))
    at = data.index(b"PK\x01\x02")
    packed = int.from_bytes(data[18:22], "little") + len(LINE)
    data[18:22] = data[at + 20 : at + 24] = packed.to_bytes(4, "little")
    data[-6:-2] = (at + len(LINE)).to_bytes(4, "little")
    return bytes(data[:at] + LINE + data[at:])


def zip_with_other_local_name() -> bytes:
    data = zipped({"a" * len(LINE): b"1"})
    return data.replace(b"a" * len(LINE), LINE, 1)


def zip64_with_extension(content: bytes) -> bytes:
    """A zip file whose record for large archives is extended (APPNOTE 6.3.10, section 4.3.14)."""
    data = zipped({"a": b"1"})
    at = data.index(b"PK\x05\x06")
    start = data.index(b"PK\x01\x02")
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44 + len(content), 45, 45, 0, 0, 1, 1, at - start, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    return data[:at] + record + content + locator + data[at:]


def zip_with_member_twice() -> bytes:
    """A zip file whose directory has the same member twice, the second time with a comment."""
    data = zip_with(comment=LINE)
    at, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    commented = data[at:end]
    plain = commented[:32] + bytes(2) + commented[34 : -len(LINE)]
    directory = plain + commented
    return data[:at] + directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(directory), at, 0)


def tar_with(fields: Mapping[int, bytes], kind: bytes = tarfile.REGTYPE, form: Literal[0, 1] = 0) -> bytes:
    """A tar archive whose only header has bytes at offsets."""
    info = tarfile.TarInfo("name")
    info.type, info.linkname = kind, "target"
    block = bytearray(info.tobuf(form))
    for at, content in fields.items():
        block[at : at + len(content)] = content
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + bytes(1024)


def tar_with_sparse_map() -> bytes:
    data = tar_with({482: b"\1"}, tarfile.GNUTYPE_SPARSE, tarfile.GNU_FORMAT)
    return data[:512] + LINE.ljust(512, b"\0") + data[512:]


def git_object(content: bytes) -> bytes:
    return zlib.compress(b"blob %d\0%s" % (len(content), content))


def skippable(content: bytes) -> bytes:
    """A frame of zstd for other programs (RFC 8878, section 3.1.2)."""
    return b"\x5e\x2a\x4d\x18" + struct.pack("<L", len(content)) + content


ZSTD_1 = bytes.fromhex("28b52ffd200109000031")
"""The digit 1 as zstd packs it."""


def gzip_with(flags: int, header: bytes) -> bytes:
    data = gzip.compress(b"1", mtime=0)
    return data[:3] + bytes([flags]) + data[4:10] + header + data[10:]


EMPTY_7Z = b"7z\xbc\xaf\x27\x1c\0\4" + zlib.crc32(bytes(20)).to_bytes(4, "little") + bytes(20)
EMPTY_PACK = b"PACK" + bytes([0, 0, 0, 2, 0, 0, 0, 0])
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
NO_MEMBER: Mapping[str, bytes] = {
    "behind a 7z archive without a header": b"7z\xbc\xaf\x27\x1c\0\4" + bytes(24) + LINE,
    "behind an empty 7z archive": EMPTY_7Z + LINE,
    "behind an empty pack without its checksum": EMPTY_PACK + LINE,
    "behind an empty pack": EMPTY_PACK + hashlib.sha1(EMPTY_PACK, usedforsecurity=False).digest() + LINE,
    "prerequisite of a bundle": b"# v2 git bundle\n-" + b"0" * 40 + b" " + LINE + b"\n\n" + EMPTY_PACK + bytes(20),
    "global header of tar": extended(tarfile.XGLTYPE, record(b"comment", LINE)),
    "path in a global header of tar": extended(tarfile.XGLTYPE, record(b"path", LINE)),
    "extended header of tar": extended(tarfile.XHDTYPE, record(b"note", LINE)),
    "extended header of Solaris": extended(tarfile.SOLARIS_XHDTYPE, record(b"note", LINE)),
    "key of an extended header": extended(tarfile.XHDTYPE, record(LINE, b"1")),
    "extended header that is no record": extended(tarfile.XHDTYPE, LINE),
    "behind a record": extended(tarfile.XHDTYPE, record(b"mtime", b"1") + LINE),
    "path that is replaced": extended(tarfile.XHDTYPE, record(b"path", LINE) + record(b"path", b"b")),
    "path that another one replaces": extended(
        tarfile.XHDTYPE, record(b"path", LINE) + record(b"GNU.sparse.name", b"b")
    ),
    "target of what is no link": extended(tarfile.GNUTYPE_LONGLINK, LINE),
    "headers without a member": extended(tarfile.XHDTYPE, record(b"linkpath", LINE))[:1024] + bytes(1024),
    "padding of tar": extended(tarfile.REGTYPE, b"1", padding=LINE),
    "behind a tar archive, packed": tarred({"a": b"1"}) + gzip.compress(LINE),
    "behind an empty zip file": EMPTY_ZIP + LINE,
    "comment of a member of a zip file": zip_with(comment=LINE),
    "extra field of a zip file": zip_with(extra=b"\x99\x99" + struct.pack("<H", len(LINE)) + LINE),
    "between members and directory of a zip file": hidden_in_zip(LINE),
    "member that the directory leaves out": hidden_in_zip(zipped({"b": LINE * 4})),
    "comment of gzip": gzip_with(16, LINE + b"\0"),
    "extra field of gzip": gzip_with(4, struct.pack("<H", len(LINE)) + LINE),
    "long comment of gzip": gzip_with(16, b"#" * 300_000 + LINE + b"\0"),
    "name in the second header of gzip": gzip.compress(b"1") + gzip_with(8, LINE + b"\0"),
    "comment of the third header of gzip": gzip.compress(b"1") * 2 + bytes(99) + gzip_with(16, LINE + b"\0"),
    "extra field in the second header of gzip": gzip.compress(b"1") + gzip_with(4, struct.pack("<H", len(LINE)) + LINE),
    "behind gzip": gzip.compress(b"1") + LINE,
    "behind large gzip": gzip.compress(random.Random(1).randbytes(MIB + 9), 1) + LINE,
    "behind gzip, packed": gzip.compress(gzip.compress(b"1") + LINE),
    "behind gzip that ends in a git pack": gzip.compress(EMPTY_PACK + bytes(20)) + LINE,
    "behind bzip2": bz2.compress(b"1") + LINE,
    "behind xz": lzma.compress(b"1") + bytes(8) + LINE,
    "gzip behind bzip2": bz2.compress(b"1") + gzip.compress(LINE),
    "behind a compressed tar archive": gzip.compress(tarred({"a": b"1"})) + LINE,
    "behind an object of git": git_object(b"1") + LINE,
    "behind zstd": ZSTD_1 + LINE,
    "frame for other programs in zstd": ZSTD_1 + skippable(LINE) + ZSTD_1,
    "frame for other programs before zstd": skippable(LINE) + ZSTD_1,
    "zstd behind a frame for other programs": skippable(b"1234") + ZSTD_1 + LINE,
    "behind deflate in a member of a zip file": zip_with_rest(zipfile.ZIP_DEFLATED),
    "behind bzip2 in a member of a zip file": zip_with_rest(zipfile.ZIP_BZIP2),
    "name before a member of a zip file": zip_with_other_local_name(),
    "extension of a zip64 record": zip64_with_extension(LINE),
    "comment of a member that is listed twice": zip_with_member_twice(),
    "target of a file in tar": tar_with({157: LINE}),
    "target of a folder in tar": tar_with({157: LINE}, tarfile.DIRTYPE),
    "behind the target of a link in tar": tar_with({164: LINE}, tarfile.SYMTYPE),
    "behind the name in a tar header": tar_with({5: LINE}),
    "behind the prefix in a tar header": tar_with({345: b"p\0" + LINE}),
    "prefix in a header of GNU tar": tar_with({345: LINE}, tarfile.GNUTYPE_LONGNAME, tarfile.GNU_FORMAT),
    "owners in a tar header": tar_with({265: VALUE}),
    "map of a sparse file in tar": tar_with_sparse_map(),
}


@pytest.mark.parametrize("place", NO_MEMBER)
def test_text_of_an_archive_that_is_in_no_member_is_scanned(place: str) -> None:
    for stream in (io.BytesIO(NO_MEMBER[place]), Pipe(NO_MEMBER[place])):
        chunks = [item.data for item in read_members("a", "a", stream) if isinstance(item, Chunk)]
        assert any(VALUE in data for data in chunks)


def zip_with_two_names(second: bytes) -> bytes:
    """A zip file whose directory has a member twice, with names of the same length."""
    data = zipped({"a" * len(second): b"1"})
    at, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    directory = data[at:end] + data[at:end].replace(b"a" * len(second), second)
    return data[:at] + directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(directory), at, 0)


NAME_ALONE: Mapping[str, bytes] = {
    "folder in a zip file": zipped({f"{VALUE.decode()}/": b""}),
    "second name of a member of a zip file": zip_with_two_names(VALUE),
    "folder in tar": tar_with({0: VALUE}, tarfile.DIRTYPE),
    "pipe in tar": tar_with({0: VALUE}, tarfile.FIFOTYPE),
    "hard link in tar": tar_with({157: VALUE}, tarfile.LNKTYPE),
    "name of an extended header": tar_with({0: VALUE}, tarfile.XHDTYPE),
    "name that another one replaces": extended(tarfile.GNUTYPE_LONGNAME, b"b")[:1024] + tar_with({0: VALUE}),
}


@pytest.mark.parametrize("place", NAME_ALONE)
def test_a_name_without_content_is_a_path_where_it_may_have_a_value(place: str) -> None:
    found, skipped = read(NAME_ALONE[place])
    assert any(VALUE.decode() in path for path in found)
    assert not skipped


def test_records_for_other_programs_take_no_memory() -> None:
    last = len(tarred({"a": b"1"}))
    bodies = (b"".join(record(b"%d" % (number + at), b"v" * 60) for at in range(100)) for number in range(0, 6000, 100))
    stream = Pipe(b"".join(extended(tarfile.XHDTYPE, body)[:-last] for body in bodies) + bytes(1024))
    tracemalloc.start()
    try:
        size = sum(len(item.data) for item in read_members("a", "a", stream) if isinstance(item, Chunk))
        assert size > 6000 * 60
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()


PREFIXES = {
    "zipapp": b"#!/usr/bin/env python3\n",
    "script": b"#!/bin/sh\nexec java -jar $0\n" * 100,
    "program": b"MZ" + bytes(range(256)) * 40,
    "ELF": b"\x7fELF" + bytes(1000),
    "text": TEXT,
}


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("comment", [b"", b"a comment"])
def test_a_zip_file_behind_other_content_is_read(prefix: str, comment: bytes) -> None:
    data = PREFIXES[prefix] + zipped(FILES)
    if comment and prefix != "text":
        data = data[:-2] + len(comment).to_bytes(2, "little") + comment
    found, skipped = read(data, "bot.pyz")
    assert {name: found[name] for name in found if name != "bot.pyz"} == {
        f"bot.pyz!/{name}": content for name, content in FILES.items()
    }
    assert found["bot.pyz"] == data
    assert not skipped


@pytest.mark.parametrize("pipe", [False, True])
def test_a_zip_file_behind_a_large_program(pipe: bool) -> None:
    data = b"MZ" + bytes(9 << 20) + zipped({"a": TEXT})
    stream: Readable = Pipe(data) if pipe else io.BytesIO(data)
    items = list(read_stream("setup.exe", "", stream, size=len(data)))
    members = [item for item in items if isinstance(item, Chunk) and item.path != "setup.exe"]
    if pipe:
        assert not members
        assert [item.lost for item in items if isinstance(item, Skipped)] == [True]
    else:
        assert [(member.path, member.data) for member in members] == [("setup.exe!/a", TEXT)]


def test_a_zip_file_behind_other_content_inside_an_archive() -> None:
    found, skipped = read(zipped({"bot.pyz": PREFIXES["zipapp"] + zipped({"a": TEXT})}), "all.zip")
    assert found["all.zip!/bot.pyz!/a"] == TEXT
    assert not skipped


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n",
        b"From: a@project.example\nTo: b@project.example\nSubject: a\n\ntext\n",
        b"%PDF-1.4\n" * MIB,
    ],
    ids=["PDF", "mail", "large PDF"],
)
def test_a_zip_file_behind_a_document_is_read_or_reported(data: bytes) -> None:
    data += zipped({"a": TEXT})
    for stream in (io.BytesIO(data), Pipe(data)):
        items = list(read_stream("a", "a", stream))
        members = [item.data for item in items if isinstance(item, Chunk) and item.path == "a!/a"]
        reported = [item.why for item in items if isinstance(item, Skipped)]
        too_large = isinstance(stream, Pipe) and len(data) > MIB
        assert (members, reported) == (([], [TOO_LARGE_TO_BE_READ_TWICE]) if too_large else ([TEXT], []))


@pytest.mark.parametrize(
    "data",
    [
        b"MZ unzip knows PK\x05\x06" + bytes(50),
        b"text PK\x05\x06" + bytes(18),
        b"#!/bin/sh\n# PK\x05\x06" + b"\xff" * 18,
    ],
)
def test_the_mere_mark_of_a_zip_file_is_no_archive(data: bytes) -> None:
    found, skipped = read(data, "unzip")
    assert found == {"unzip": data}
    assert not skipped


def packed_members(text: bytes) -> tuple[dict[str, bytes], list[str]]:
    """The members that a text has in base64, and what was not read."""
    items = list(read_stream("a.txt", "a.txt", io.BytesIO(text)))
    assert isinstance(items[0], Chunk)
    assert items[0].data == text
    return (
        {item.path: item.data for item in items[1:] if isinstance(item, Chunk)},
        [item.why for item in items if isinstance(item, Skipped)],
    )


FORMS: Mapping[str, Callable[[str], str]] = {
    "one line": lambda text: text,
    "a longer line behind": lambda text: f"{text}\n{'x' * 200}",
    "lines": lambda text: "\n".join(text[at : at + 76] for at in range(0, len(text), 76)),
    "lines of YAML": lambda text: (
        "".join(f"\n    {text[at : at + 64]}" for at in range(0, len(text), 64)) + "\nnext: 1"
    ),
    "lines in a string": lambda text: "\\r\\n".join(text[at : at + 60] for at in range(0, len(text), 60)) + "\\r\\n",
    "literals": lambda text: "(" + " +\n  ".join(f'"{text[at : at + 64]}"' for at in range(0, len(text), 64)) + ")",
    "a comment": lambda text: "\n".join(f"# {text[at : at + 60]}" for at in range(0, len(text), 60)),
    "escaped": lambda text: text.replace("/", "\\/").replace("+", "\\u002B"),
    "percent": lambda text: "base64%2C" + text.replace("/", "%2F").replace("+", "%2b").replace("=", "%3D"),
    "for URLs": lambda text: text.replace("/", "_").replace("+", "-").rstrip("="),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, lambda data: zipped({"a": data})])
def test_what_a_text_has_in_base64_is_read(pack: Callable[[bytes], bytes], form: str) -> None:
    for size in range(90, 93):
        data = random.Random(size).randbytes(size)
        encoded = base64.b64encode(pack(data)).decode()
        members, unread = packed_members(f"a: 1\nb: {FORMS[form](encoded)}\n".encode())
        assert data in members.values()
        assert all(path.startswith("a.txt!/base64 in line ") for path in members)
        assert unread == []
        members, unread = packed_members(f"b: {FORMS[form](base64.b64encode(encoded.encode()).decode())}".encode())
        assert data in members.values()
        assert unread == []


def test_what_only_looks_like_packed_content_in_base64_is_silent() -> None:
    noise = base64.b64encode(random.Random(1).randbytes(200)).decode()
    for start in ("H4sI", "UEsDB", "QlpoO", "KLUv/"):
        assert packed_members(f"H4sI {start} {start}{noise[:50]} x{start}{noise} {start}…".encode()) == ({}, [])
    assert packed_members(f"UEsDB{noise}".encode())[0] == {}


def test_packed_content_in_base64_is_limited_and_damage_is_reported() -> None:
    data = random.Random(1).randbytes(200)
    encoded = base64.b64encode(gzip.compress(data))
    members, unread = packed_members(encoded[:200])
    assert unread == ["the gzip data end too early"]
    many = [base64.b64encode(gzip.compress(b"%d" % number + data)) for number in range(70)]
    members, unread = packed_members(b"\n".join([*many, *many]))
    assert len(members) == 64
    assert unread == ["only the first 64 of its archives in base64 were read"]
    for _ in range(3):
        encoded = base64.b64encode(gzip.compress(encoded))
    assert packed_members(encoded)[1] == ["archives are nested deeper than 4"]
    large = b"\n".join([encoded, b" " * (9 << 20)])
    (skipped,) = (item for item in read_stream("a", "a", io.BytesIO(large)) if isinstance(item, Skipped))
    assert "archives in base64 were not read" in skipped.why


def test_zip64_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    data = zipped({"a": TEXT, "b": TEXT})
    assert b"PK\x06\x07" in data
    assert read(data) == ({"a.bin!/a": TEXT, "a.bin!/b": TEXT}, [])


def test_zip_written_through_a_pipe_is_read() -> None:
    class Sink(io.RawIOBase):
        parts: list[bytes]

        def writable(self) -> bool:
            return True

        def write(self, data: object, /) -> int:
            assert isinstance(data, (bytes, bytearray, memoryview))
            self.parts.append(bytes(data))
            return len(data)

    sink = Sink()
    sink.parts = []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", TEXT)
        archive.writestr("b", TEXT)
    data = b"".join(sink.parts)
    assert read(data) == ({"a.bin!/a": TEXT, "a.bin!/b": TEXT}, [])
    found, _ = read(data[: data.index(b"PK\x01\x02")])
    assert found["a.bin!/a"] == found["a.bin!/b"] == TEXT, "found without the directory too"


# --- what is refused ---------------------------------------------------------------------------------------------


def test_encrypted_and_unsupported_members_are_reported_once() -> None:
    data = bytearray(zipped({"a": TEXT, "b": TEXT, "c": TEXT}, zipfile.ZIP_STORED))
    at = -1
    for _ in range(2):
        at = data.index(b"PK\x01\x02", at + 1)
        data[at + 8] |= 1
    found, skipped = read(bytes(data))
    assert found == {"a.bin!/c": TEXT}
    assert reasons(skipped) == "2 of its members are encrypted"

    found, skipped = read(zipped({"a": TEXT}, zipfile.ZIP_LZMA))
    assert not found
    assert reasons(skipped) == "1 of its members is compressed in a way that is not supported"


def test_a_gzip_bomb_is_stopped() -> None:
    bomb = gzip.compress(bytes(64 * MIB))
    assert len(bomb) * 200 < 64 * MIB
    found, skipped = read(zipped({"bomb.gz": bomb, "fine": TEXT}))
    assert found["a.bin!/fine"] == TEXT
    assert reasons(skipped) == "it unpacks to more than 200 times its size"
    assert sum(map(len, found.values())) < 20 * MIB
    assert not read(gzip.compress(bytes(MIB)))[1], "a small file of zeros is no bomb"


def zipped_by_bzip2(data: bytes) -> bytes:
    return zipped({"a": data}, zipfile.ZIP_BZIP2)


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress, zipped_by_bzip2])
def test_bombs_of_other_kinds_take_little_memory(pack: Callable[[bytes], bytes]) -> None:
    bomb = io.BytesIO(pack(bytes(64 * MIB)))
    tracemalloc.start()
    try:
        items = list(read_members("a", "a", bomb))
        assert tracemalloc.get_traced_memory()[1] < 40 * MIB
    finally:
        tracemalloc.stop()
    assert reasons(item for item in items if isinstance(item, Skipped))


def test_nested_zip_bombs_are_stopped_by_the_total() -> None:
    data = random.randbytes(1000) * 50
    for _ in range(3):
        data = zipped({f"{n}.zip": data for n in range(10)})
    items = list(read_members("a", "a", io.BytesIO(data), limits=ArchiveLimits(total=MIB)))
    skipped = [item for item in items if isinstance(item, Skipped)]
    assert skipped[-1] == Skipped(what="a", why="the archive unpacks to more than 1 MiB; the rest was not read")
    assert len(skipped) < 10
    assert sum(len(item.data) for item in items if isinstance(item, Chunk)) <= 2 * MIB


def test_members_that_share_their_bytes_are_read_once() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", bytes(MIB))
        archive.filelist = archive.filelist * 5000
    items = list(read_members("a", "a", io.BytesIO(out.getvalue())))
    assert len(items) == 1


def test_the_number_of_members_is_bounded() -> None:
    many = {str(n): b"x" for n in range(30)}
    for data in (zipped(many), tarred(many), zipped({"a.tar": tarred(many)})):
        found, skipped = read(data, limits=ArchiveLimits(members=20))
        assert 18 <= len(found) <= 20
        assert reasons(skipped) == "the archive has more than 20 members; the rest was not read"


def test_xz_data_that_ask_for_much_memory_are_refused() -> None:
    data = bytearray(lzma.compress(TEXT))
    size = (data[12] + 1) * 4
    header = data[12 : 12 + size]
    at = header.index(b"\x21\x01") + 2
    header[at] = 40
    header[-4:] = struct.pack("<L", zlib.crc32(header[:-4]))
    data[12 : 12 + size] = header
    found, skipped = read(bytes(data))
    assert reasons(skipped) == "the xz data need too much memory"
    assert not found


# --- what is damaged ---------------------------------------------------------------------------------------------


def test_a_truncated_zip_gives_what_it_has_and_its_raw_bytes() -> None:
    data = zipped({"a": TEXT, "b": TEXT, "c": random.randbytes(3000)})[:-300]
    found, skipped = read(data)
    assert found["a.bin!/a"] == found["a.bin!/b"] == TEXT
    assert found["a.bin"] == data
    assert "no directory" in reasons(skipped)


def test_a_zip_that_is_none_is_scanned_as_it_is() -> None:
    data = b"PK\x03\x04" + TEXT
    found, skipped = read(data)
    assert found["a.bin"] == data
    assert "no directory" in reasons(skipped)
    nested_found, _ = read(gzip.compress(data), "a.gz")
    assert nested_found["a.gz!/a"] == data


@pytest.mark.parametrize("data", [b"PK\x05\x06", b"PK\x03\x04", b"PK\x05\x06" + b"\xff" * 18, b"\x1f\x8b\x08"])
def test_the_smallest_archives_are_damaged(data: bytes) -> None:
    found, skipped = read(data)
    assert found["a.bin"] == data
    assert reasons(skipped)


def test_a_wrong_checksum_is_damage() -> None:
    data = zipped({"a": TEXT, "b": TEXT}, zipfile.ZIP_STORED).replace(TEXT, b"B" + TEXT[1:], 1)
    found, skipped = read(data)
    assert found["a.bin!/a"] == b"B" + TEXT[1:]
    assert found["a.bin!/b"] == TEXT
    assert found["a.bin"] == data
    assert "does not match its checksum or size" in reasons(skipped)


def test_a_lost_member_does_not_hide_the_others() -> None:
    data = bytearray(zipped({"a": TEXT, "b": TEXT, "c": TEXT}))
    second = data.index(b"PK\x03\x04", 1)
    data[second : second + 4] = b"XXXX"
    found, skipped = read(bytes(data))
    assert found == {"a.bin!/a": TEXT, "a.bin!/c": TEXT, "a.bin": bytes(data)}
    assert reasons(skipped) == "1 of its members is not where the directory places it"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_truncated_compressed_data_give_what_they_have(pack: Callable[[bytes], bytes]) -> None:
    content = "".join(f"line {n} {random.random()}\n" for n in range(45_000)).encode()  # more than a block of bzip2
    data = pack(content)
    found, skipped = read(data[: len(data) - 1000], "a")
    assert "too early" in reasons(skipped)
    assert content.startswith(found["a!/a"])
    if pack is gzip.compress:
        assert len(found["a!/a"]) > len(content) // 2
    assert data.startswith(found["a"][:1000])
    _, skipped = read(data[:-1], "a")
    assert "too early" in reasons(skipped)


def test_corrupt_compressed_data_are_reported_and_scanned_raw() -> None:
    data = gzip.compress(random.randbytes(20_000))
    corrupt = data[:12_000] + TEXT + data[12_000 + len(TEXT) :]
    found, skipped = read(corrupt)
    assert found["a.bin"] == corrupt
    assert "corrupt" in reasons(skipped)
    trailing = data + TEXT
    found, skipped = read(trailing)
    assert found["a.bin"] == TEXT, "what stands behind is scanned"
    assert not skipped


def test_damaged_tar_archives_are_reported() -> None:
    data = tarred({"a": TEXT, "b": TEXT, "c": TEXT})
    second = data.index(b"b\0\0")
    corrupt = data[:second] + b"?" + data[second + 1 :]
    found, skipped = read(corrupt)
    assert found == {"a.bin!/a": TEXT, "a.bin": corrupt[second:]}
    assert reasons(skipped) == "the tar archive is corrupt"

    found, skipped = read(data[: second + 512 + 100])
    assert found == {"a.bin!/a": TEXT, "a.bin!/b": TEXT[:100]}
    assert "too early" in reasons(skipped)

    found, skipped = read(data[: second + 100])
    assert found == {"a.bin!/a": TEXT, "a.bin": data[second : second + 100]}
    assert "too early" in reasons(skipped)


def test_compressed_tar_archives_that_end_too_early_are_reported_wherever_they_do() -> None:
    data = gzip.compress(tarred({str(n): random.randbytes(600) for n in range(20)}))
    for cut in range(30, len(data), 97):
        _, skipped = read(data[:cut])
        assert "too early" in reasons(skipped), cut


def test_an_error_of_the_disk_is_reported() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 20_000:
                raise OSError(5, "Input/output error")
            return super().read(min(size or 0, 8000))

    for data in (tarred({"a": TEXT, "b": random.randbytes(99_000)}), gzip.compress(random.randbytes(99_000))):
        items = list(read_members("a", "a", Failing(data)))
        assert "Input/output error" in reasons(item for item in items if isinstance(item, Skipped))


SAMPLES = [
    zipped({"a": TEXT, "b.gz": gzip.compress(TEXT)}),
    zipped({"a": TEXT, "d/b": TEXT}, zipfile.ZIP_STORED),
    zipped({"a": TEXT}, zipfile.ZIP_BZIP2),
    tarred({"a": TEXT, "é" * 90: TEXT}),
    tarred({"a": TEXT, "b" * 200: TEXT}, tarfile.GNU_FORMAT),
    gzipped(TEXT, "name"),
    gzip.compress(tarred({"a": TEXT})),
    bz2.compress(TEXT),
    lzma.compress(TEXT),
]


@pytest.mark.parametrize("sample", range(len(SAMPLES)))
def test_wherever_an_archive_is_cut_nothing_is_lost_in_silence(sample: int) -> None:
    data = SAMPLES[sample]
    whole = contents(read_members("a", "a", io.BytesIO(data)))
    for length in {*range(10, len(data), 7), *range(512, len(data), 512), len(data) - 1}:
        items = list(read_members("a", "a", io.BytesIO(data[:length])))
        if not any(isinstance(item, Skipped) for item in items):
            assert archive_kind(data[:length]) is None or contents(items) == whole, length


new_bytes = st.one_of(
    st.binary(min_size=1, max_size=8),
    st.sampled_from([b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x07", b"PK\x01\x02", b"\xff" * 8, bytes(8), bytes(512)]),
)


@settings(max_examples=400)
@given(
    sample=st.integers(0, len(SAMPLES) - 1),
    changes=st.lists(st.tuples(st.floats(0, 0.9999), new_bytes), min_size=1, max_size=4),
    length=st.floats(0.2, 1),
    pipe=st.booleans(),
)
def test_no_damage_raises(sample: int, changes: list[tuple[float, bytes]], length: float, pipe: bool) -> None:
    data = bytearray(SAMPLES[sample])
    for where, new in changes:
        at = int(where * len(data))
        data[at : at + len(new)] = new
    content = bytes(data[: int(length * len(data))])
    items = list(read_members("a", "a", Pipe(content) if pipe else io.BytesIO(content)))
    assert items
    reasons(item for item in items if isinstance(item, Skipped))
