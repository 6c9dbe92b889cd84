"""Archives of other programs: 7z, zstd, git's packs, bundles and objects, and those that are only recognized."""

from __future__ import annotations

import io
import lzma
import random
import struct
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from binance_leaks.sources import git_packs, seven_zip
from binance_leaks.sources.archives import ArchiveKind, ArchiveLimits, archive_kind
from binance_leaks.sources.read_content import Chunk, read_stream
from binance_leaks.sources.unpack import DamagedArchiveError, OverLimitError, UnpackBudget

from tests.repositories import Repository
from tests.sources.test_archives import LINE, MIB, TEXT, VALUE, Pipe, read, reasons, tarred, zipped

FILES = {"a.txt": TEXT, "bot/.env": b"BINANCE=1\n" * 50, "leer": b"", "ü/b.bin": random.Random(1).randbytes(5000)}
STARTS: Mapping[str, bytes] = {
    "rar": b"Rar!\x1a\x07\x01\0",
    "lz4": b"\x04\x22\x4d\x18",
    "lzip": b"LZIP\x01\x0c",
    "compress": b"\x1f\x9d\x90",
    "cabinet": b"MSCF\0\0\0\0",
}


@pytest.mark.parametrize("name", STARTS)
def test_archives_that_nothing_reads_are_reported_and_scanned_as_they_are(name: str) -> None:
    data = STARTS[name] + TEXT
    assert archive_kind(data) is ArchiveKind(name)
    found, skipped = read(data)
    assert found == {"a.bin": data}
    assert reasons(skipped) == f"the content of {name} archives is not read"


@pytest.mark.parametrize(
    "text", [b"Rare words", b"x^2 + y^2 = z^2\n", b"LZIP is slow", b"PACKAGE", b"7z a b", b"# v2\n"]
)
def test_words_are_no_archives(text: bytes) -> None:
    assert archive_kind(text) is None


# --- 7z ----------------------------------------------------------------------------------------------------------


def seven_zipped(files: Mapping[str, bytes], *methods: str, **options: object) -> bytes:
    py7zr = pytest.importorskip("py7zr")
    filters = [{"id": getattr(py7zr, f"FILTER_{method}")} for method in methods] or None
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", filters=filters, **options) as archive:
        for name, data in files.items():
            archive.writestr(data, name)
    return out.getvalue()


@pytest.mark.parametrize(
    "methods",
    [(), ("LZMA",), ("LZMA2",), ("BZIP2",), ("DEFLATE",), ("COPY",)],
    ids="+".join,
)
def test_members_of_7z_archives_are_read(methods: tuple[str, ...]) -> None:
    found, skipped = read(seven_zipped(FILES, *methods))
    assert found == {f"a.bin!/{name}": data for name, data in FILES.items() if data or f"a.bin!/{name}" in found}
    assert not skipped


@pytest.mark.parametrize("methods", [("X86", "LZMA2"), ("ARM", "LZMA")], ids="+".join)
def test_filters_for_machine_code_leave_text_alone(methods: tuple[str, ...]) -> None:
    found, skipped = read(seven_zipped(FILES, *methods))
    assert found["a.bin!/a.txt"] == TEXT
    assert not skipped


def test_7z_archives_inside_others() -> None:
    inner = seven_zipped(FILES)
    for outer in (seven_zipped({"in.7z": inner}), zipped({"in.7z": inner}), tarred({"in.7z": inner})):
        found, skipped = read(outer)
        assert found["a.bin!/in.7z!/a.txt"] == TEXT
        assert not skipped


@pytest.mark.parametrize(
    ("methods", "options", "why"),
    [
        (("PPMD",), {}, "compressed in a way that is not supported"),
        ((), {"password": "x"}, "encrypted"),
        ((), {"password": "x", "header_encryption": True}, "the header of the 7z archive is encrypted"),
    ],
    ids=["PPMd", "encrypted", "encrypted header"],
)
def test_7z_archives_that_cannot_be_read(methods: tuple[str, ...], options: Mapping[str, object], why: str) -> None:
    _, skipped = read(seven_zipped(FILES, *methods, **options))
    assert why in reasons(skipped)


def test_wrong_content_of_7z_archives_is_damage() -> None:
    data = bytearray(seven_zipped(FILES, "COPY"))
    data[40] ^= 1
    found, skipped = read(bytes(data))
    assert "does not match its checksum" in reasons(skipped)
    assert found["a.bin"] == data


@pytest.mark.parametrize("seed", range(60))
def test_no_damage_of_7z_archives_raises(seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(seven_zipped({"a.txt": TEXT, "b": b"x"}, *rng.choice([(), ("LZMA",), ("COPY",)])))
    for _ in range(rng.randint(1, 6)):
        data[rng.randrange(8, len(data))] = rng.randrange(256)
    cut = bytes(data[: rng.choice([len(data), rng.randrange(len(data))])])
    found, skipped = read(cut, limits=ArchiveLimits(total=8 * MIB))
    assert skipped or any(content == TEXT for content in found.values())


def test_a_7z_archive_that_asks_for_much_memory_is_refused() -> None:
    with pytest.raises(OverLimitError, match="too much memory"):
        seven_zip._lzma2(b"\x28", 4 << 30)
    with pytest.raises(OverLimitError, match="too large"):
        start = seven_zip_start(b"", size=1 << 40)
        seven_zip.read_archive(io.BytesIO(start), UnpackBudget(ArchiveLimits()))


def test_a_7z_archive_that_claims_many_files_is_refused() -> None:
    header = bytes([0x01, 0x05, 0xE0, 0x00, 0x00, 0x20]) + b"\0" * 3_000_000  # two million files
    with pytest.raises(OverLimitError, match="more than"):
        seven_zip.read_archive(io.BytesIO(seven_zip_start(header) + header), UnpackBudget(ArchiveLimits()))


def seven_zip_start(header: bytes, size: int | None = None) -> bytes:
    start = (
        bytes(8)
        + (len(header) if size is None else size).to_bytes(8, "little")
        + zlib.crc32(header).to_bytes(4, "little")
    )
    return b"7z\xbc\xaf\x27\x1c\0\4" + zlib.crc32(start).to_bytes(4, "little") + start


def raw_seven_zip(method: bytes, properties: bytes, packed: bytes, size: int, *, more: bytes = b"") -> bytes:
    """A 7z archive of one file, `a`, whose header has `more` among the properties of files."""
    coder = bytes([1, len(method) | 0x20, *method, len(properties), *properties])
    streams = b"\6\0\1\x09" + number(len(packed)) + b"\0\7\x0b\1\0" + coder + b"\x0c" + number(size) + b"\0\0"
    names = "a\0".encode("utf-16-le")
    header = b"\1\4" + streams + b"\5\1\x11" + number(len(names) + 1) + b"\0" + names + more + b"\0\0"
    start = struct.pack("<QQL", len(packed), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<L", zlib.crc32(start)) + start + packed + header


def number(value: int) -> bytes:
    return bytes([value]) if value < 0x80 else bytes([0x80 | value >> 8, value & 0xFF])


def raw_lzma(identity: int) -> bytes:
    return lzma.compress(b"1", lzma.FORMAT_RAW, filters=[{"id": identity, "dict_size": 1 << 16}])


LZMA1 = (b"\x03\x01\x01", b"\x5d\0\0\1\0")
LZMA2 = (b"\x21", b"\x08")
NO_FILE: Mapping[str, bytes] = {
    "behind LZMA": raw_seven_zip(*LZMA1, raw_lzma(lzma.FILTER_LZMA1) + LINE, 1),
    "behind LZMA2": raw_seven_zip(*LZMA2, raw_lzma(lzma.FILTER_LZMA2) + LINE, 1),
    "unpacked beyond the files": raw_seven_zip(
        *LZMA2, lzma.compress(b"1" + LINE, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2}]), 1
    ),
    "behind a copy": raw_seven_zip(b"\0", b"", b"1" + LINE, 1),
    "another property of files": raw_seven_zip(b"\0", b"", b"1", 1, more=b"\x19" + number(len(LINE)) + LINE),
}


@pytest.mark.parametrize("place", NO_FILE)
def test_text_of_a_7z_archive_that_is_in_no_file_is_scanned(place: str) -> None:
    found, skipped = read(NO_FILE[place])
    assert found["a.bin!/a"] == b"1"
    assert VALUE in found["a.bin"]
    assert not skipped


# --- zstd --------------------------------------------------------------------------------------------------------


def zstd_packed(data: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        zstd = pytest.importorskip("backports.zstd")
    packed: bytes = zstd.compress(data)
    return packed


def test_zstd_is_read() -> None:
    found, skipped = read(zstd_packed(TEXT), "a.txt.zst")
    assert found == {"a.txt.zst!/a.txt": TEXT}
    assert not skipped
    found, skipped = read(zstd_packed(tarred({"a": TEXT})) + zstd_packed(b""), "a.tar.zst")
    assert found == {"a.tar.zst!/a": TEXT}
    assert not skipped


def test_a_zstd_bomb_is_stopped() -> None:
    found, skipped = read(zstd_packed(b"x" * 64 * MIB), "a.zst")
    assert "it unpacks to more than 200 times its size" in reasons(skipped)
    assert sum(map(len, found.values())) < 16 * MIB


def test_truncated_zstd_data_are_damage() -> None:
    _, skipped = read(zstd_packed(random.Random(1).randbytes(20_000))[:10_000], "a.zst")
    assert "the zstd data end too early" in reasons(skipped)


def test_zstd_without_the_library_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("binance_leaks.sources.archives.can_read_zstd", lambda: False)
    data = b"\x28\xb5\x2f\xfd" + TEXT
    found, skipped = read(data)
    assert found == {"a.bin": data}
    assert "pip install backports.zstd" in reasons(skipped)


# --- git ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def history(tmp_path: Path) -> Repository:
    """Three versions of a file, so that a pack has deltas; the middle one holds what is looked for."""
    repository = Repository.create(tmp_path / "repository")
    lines = "".join(f"line {number} of some text\n" for number in range(400))
    for number, text in enumerate((lines, lines + "hidden\n", lines + "more\n")):
        repository.commit({"notes.txt": text, f"other{number}": f"{number}\n"}, message=f"version {number}")
    return repository


def packed(repository: Repository) -> bytes:
    repository.git("gc", "--quiet")
    (pack,) = (repository.folder / ".git/objects/pack").glob("*.pack")
    return pack.read_bytes()


def bundled(repository: Repository, *revisions: str) -> bytes:
    repository.git("bundle", "create", "--quiet", "all.bundle", *revisions)
    return repository.path("all.bundle").read_bytes()


@pytest.mark.parametrize("pack", [packed, lambda repository: bundled(repository, "--all")], ids=["pack", "bundle"])
def test_objects_of_packs_and_bundles_are_read(history: Repository, pack: Callable[[Repository], bytes]) -> None:
    found, skipped = read(pack(history))
    assert not skipped
    blob = history.git("rev-parse", "HEAD~1:notes.txt")
    assert found[f"a.bin!/blob {blob}"].endswith(b"\nline 399 of some text\nhidden\n")
    assert sum(name.startswith("a.bin!/blob ") for name in found) == 6
    assert sum(name.startswith("a.bin!/commit ") for name in found) == 3
    assert not any(name.startswith("a.bin!/tree ") for name in found)


def test_what_a_thin_bundle_adds_is_read(history: Repository) -> None:
    found, skipped = read(bundled(history, "HEAD~2..HEAD"))
    assert b"hidden" in b"".join(found.values())
    assert "only what they add was read" in reasons(skipped)


def test_loose_objects_are_read(history: Repository) -> None:
    blob = history.git("rev-parse", "HEAD~1:notes.txt")
    data = (history.folder / ".git/objects" / blob[:2] / blob[2:]).read_bytes()
    found, skipped = read(data, blob[2:])
    assert found[f"{blob[2:]}!/blob"].endswith(b"hidden\n")
    assert not skipped


def test_a_git_folder_in_an_archive_is_read(history: Repository) -> None:
    files = {
        path.relative_to(history.folder).as_posix(): path.read_bytes()
        for path in (history.folder / ".git").rglob("*")
        if path.is_file()
    }
    found, skipped = read(zipped(files))
    assert not skipped
    assert any(content.endswith(b"hidden\n") for content in found.values())


@pytest.mark.parametrize("cut", [8, 12, 13, 100, -21])
def test_truncated_packs_are_reported_and_scanned_as_they_are(history: Repository, cut: int) -> None:
    data = packed(history)[:cut]
    found, skipped = read(data)
    assert "ends too early" in reasons(skipped)
    assert found["a.bin"] == data


def test_damaged_packs_raise_nothing_else(history: Repository) -> None:
    data = packed(history)
    for seed in range(60):
        rng = random.Random(seed)
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 8)):
            damaged[rng.randrange(12, len(data))] = rng.randrange(256)
        try:
            list(git_packs.read_pack(io.BytesIO(bytes(damaged)), UnpackBudget(ArchiveLimits(total=8 * MIB))))
        except (DamagedArchiveError, OverLimitError):
            continue


def test_a_pack_is_bounded() -> None:
    body = zlib.compress(bytes(20 * MIB))
    size = 20 * MIB
    head, rest = [0x30 | size & 15 | 128], size >> 4
    while rest > 127:
        head.append(rest & 127 | 128)
        rest >>= 7
    entry = bytes([*head, rest]) + body
    data = b"PACK" + (2).to_bytes(4, "big") + (40).to_bytes(4, "big") + entry * 40
    _, skipped = read(data, limits=ArchiveLimits(total=64 * MIB))
    assert "the archive unpacks to more than 64 MiB" in reasons(skipped)


def test_zlib_data_of_another_kind_are_no_object() -> None:
    assert archive_kind(zlib.compress(b"blobs of something else")) is None
    assert archive_kind(zlib.compress(b"blob 3\0abc")) is ArchiveKind.GIT_OBJECT


def test_streams_that_cannot_go_back() -> None:
    items = list(read_stream("a.rar", "a.rar", Pipe(STARTS["rar"] + TEXT)))
    assert [type(item) for item in items].count(Chunk) == 1
