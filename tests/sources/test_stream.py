"""Streams: one chunk where they fit, else windows that lose nothing, repeat nothing and know where they begin."""

from __future__ import annotations

import io
import itertools
import os
import random
import re
import string
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import binance_leaks
import pytest
from binance_leaks.detect import prefilter
from binance_leaks.findings import Skipped
from binance_leaks.sources.read_content import WHOLE_LIMIT, Chunk, WindowSizes, read_content, read_stream
from hypothesis import given, settings
from hypothesis import strategies as st

SMALL = WindowSizes(whole=8192, step=4096, margin=1024, window=4096)
ALONE = re.compile(rb"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9]{64}(?![A-Za-z0-9+/=_-])")
LETTERS = string.ascii_letters + string.digits


def value() -> bytes:
    return "".join(random.choices(LETTERS, k=64)).encode()


def alone(data: bytes) -> Iterator[int]:
    return (match.start() for match in ALONE.finditer(data))


class Trickle:
    """A stream that gives its content in odd portions, and then an error, if it is given one."""

    def __init__(self, data: bytes, portions: Sequence[int] = (1 << 30,), error: OSError | None = None) -> None:
        self._stream = io.BytesIO(data)
        self._portions = list(portions)
        self._error = error

    def read(self, size: int, /) -> bytes:
        portion = self._portions.pop(0)
        self._portions.append(portion)
        part = self._stream.read(min(size, portion))
        if not part and self._error is not None:
            raise self._error
        return part


def split(items: Iterable[Chunk | Skipped]) -> tuple[list[Chunk], list[Skipped]]:
    every = list(items)
    return [item for item in every if isinstance(item, Chunk)], [item for item in every if isinstance(item, Skipped)]


def offset_of(chunk: Chunk, content: bytes) -> int:
    """Where a chunk of ASCII content says that it begins."""
    at = 0
    for _ in range(chunk.first_line - 1):
        at = content.index(b"\n", at) + 1
    return at + chunk.first_column - 1


def test_content_that_fits_is_one_whole_piece() -> None:
    for content in (b"", b"a\nb\n", bytes(WHOLE_LIMIT)):
        chunks, skipped = split(read_stream("x/y", "y", Trickle(content)))
        assert chunks == [Chunk(path="x/y", evidence_path="y", data=content)]
        assert not skipped


words = st.one_of(st.integers(1, 70), st.integers(63, 66), st.integers(600, 3000))
segments = st.lists(
    st.one_of(
        st.tuples(st.just("value"), st.integers(1, 3)),
        st.tuples(st.just("word"), words),
        st.tuples(st.just("lines"), st.integers(1, 120)),
        st.tuples(st.just("spaces"), st.integers(1, 4000)),
    ),
    min_size=1,
    max_size=40,
)


def render(parts: Sequence[tuple[str, int]], ends: Sequence[str]) -> bytes:
    made = []
    for index, (kind, count) in enumerate(parts):
        match kind:
            case "value":
                text = b" ".join(value() for _ in range(count))
            case "word":
                text = "".join(random.choices(LETTERS, k=count)).encode()
            case "lines":
                text = b"some words of a log file, as usual\n" * count
            case _:
                text = b" " * count
        made.append(text + ends[index % len(ends)].encode())
    return b"".join(made)


@settings(max_examples=200)
@given(
    parts=segments,
    ends=st.lists(st.sampled_from(["\n", " ", '"', "\n\n", "' : '"]), min_size=1, max_size=5),
    portions=st.lists(st.integers(1, 5000), min_size=1, max_size=4),
    hits=st.sampled_from([alone, prefilter.hits]),
)
def test_windows_show_what_the_whole_shows(
    parts: list[tuple[str, int]],
    ends: list[str],
    portions: list[int],
    hits: Callable[[bytes], Iterable[int]],
) -> None:
    content = render(parts, ends)
    content += b"\n" * max(0, SMALL.whole + 1 - len(content))
    chunks, skipped = split(read_content("f", "f", Trickle(content, portions), hits=hits, sizes=SMALL))
    assert not skipped
    assert all(not chunk.whole and len(chunk.data) <= SMALL.window + 2 * SMALL.margin for chunk in chunks)
    spans = [(offset_of(chunk, content), offset_of(chunk, content) + len(chunk.data)) for chunk in chunks]
    assert [content[start:end] for start, end in spans] == [chunk.data for chunk in chunks]
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans)), "windows overlap"
    edges = {0, len(content)} | ({end for _, end in spans} & {start for start, _ in spans})
    seen = []
    for start, end in spans:
        for at in alone(content[start:end]):
            seen.append(start + at)
            assert at >= SMALL.margin // 2 or start in edges, "too little before it is shown"
            assert end - start - at >= SMALL.margin // 2 or end in edges, "too little behind it is shown"
    assert seen == list(alone(content))


@settings(max_examples=40)
@given(
    before=st.integers(0, 9000),
    between=st.integers(0, 9000),
    wide=st.sampled_from(["utf-16-le", "utf-16-be"]),
    end=st.sampled_from(["\n", " "]),
)
def test_windows_of_wide_text_keep_its_letters_together(before: int, between: int, wide: str, end: str) -> None:
    line = "x" * 37 + end
    values = [value().decode(), value().decode()]
    text = f"{(line * 240)[:before]}{end}{values[0]}{end}{(line * 240)[:between]}{end}{values[1]}{end}{line * 240}"
    chunks, _ = split(read_content("f", "f", io.BytesIO(text.encode(wide)), sizes=SMALL))
    shown = [word for chunk in chunks for word in chunk.data.decode(wide).split()]
    assert [word for word in shown if word in values] == values


def test_crowded_hits_give_bounded_windows_cut_between_lines() -> None:
    lines = [b'key = "%s"\n' % value() for _ in range(500)]
    chunks, _ = split(read_content("f", "f", io.BytesIO(b"".join(lines)), sizes=SMALL))
    assert b"".join(chunk.data for chunk in chunks) == b"".join(lines)
    assert max(len(chunk.data) for chunk in chunks) <= SMALL.window + 2 * SMALL.margin
    assert all(chunk.data.endswith(b"\n") for chunk in chunks)
    at = 1
    for chunk in chunks:
        assert (chunk.first_line, chunk.first_column) == (at, 1)
        at += chunk.data.count(b"\n")


def test_crowded_hits_on_one_line_are_cut_between_words() -> None:
    content = b",".join(b'"%s"' % value() for _ in range(500))
    everywhere = read_content("f", "f", io.BytesIO(content), sizes=SMALL, hits=lambda data: range(0, len(data), 64))
    chunks, _ = split(everywhere)
    assert b"".join(chunk.data for chunk in chunks) == content
    assert sum(len(list(alone(chunk.data))) for chunk in chunks) == 500
    assert all(chunk.first_line == 1 for chunk in chunks)
    assert [chunk.first_column for chunk in chunks] == [1 + offset_of(chunk, content) for chunk in chunks]


def test_one_word_without_end_is_cut_somewhere() -> None:
    content = value() * 2000
    everywhere = read_content("f", "f", io.BytesIO(content), sizes=SMALL, hits=lambda data: range(0, len(data), 64))
    chunks, _ = split(everywhere)
    assert b"".join(chunk.data for chunk in chunks) == content


def test_columns_count_characters() -> None:
    content = "é".encode() * 20_000 + b" " + value() + b" " + b"-" * 40_000
    chunks, _ = split(read_content("f", "f", io.BytesIO(content), sizes=SMALL))
    (chunk,) = chunks
    at = content.index(chunk.data)
    assert chunk.first_column == 1 + len(content[:at].decode(errors="ignore"))


def test_windows_know_that_binance_was_named_far_above() -> None:
    far = b"nothing here\n" * 4000
    for name, mentioned in ((b"# Binance\n", True), ("# binance\n".encode("utf-16-le"), True), (b"# other\n", False)):
        widened = name + (far if name.isascii() and b"\0" not in name else far.decode().encode("utf-16-le"))
        (chunk,), _ = split(read_content("f", "f", io.BytesIO(widened + value()), sizes=SMALL))
        assert chunk.mentions_binance is mentioned


@pytest.mark.parametrize("length", [10, 5000, 30_000])
def test_an_error_while_reading_comes_after_what_was_read(length: int) -> None:
    content = (b"line\n" * 6000)[:length] + b"\n" + value()
    error = OSError(5, "Input/output error", "/secret/path")
    items = list(read_content("f", "f", Trickle(content, error=error), sizes=SMALL))
    assert items[-1] == Skipped(what="f", why="Input/output error", lost=True)
    (chunk,) = [item for item in items if isinstance(item, Chunk)]
    assert chunk.data.endswith(content[-64:])


def test_an_error_at_the_start_gives_no_piece() -> None:
    items = list(read_stream("f", "f", Trickle(b"", error=OSError(5, "Input/output error"))))
    assert items == [Skipped(what="f", why="Input/output error")]


def test_a_stream_that_has_nothing_ready_is_lost() -> None:
    class Waiting:
        def read(self, size: int, /) -> bytes | None:
            return b"some"[:size] if size == 512 else None

    items = list(read_stream("f", "f", Waiting()))
    assert [type(item) for item in items] == [Chunk, Skipped]


def test_a_file_that_shrinks_is_lost_and_one_that_grows_is_read_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(value() + b"\n" + b"line\n" * 10_000)
    with path.open("rb", buffering=0) as stream:
        size = path.stat().st_size
        items = []
        for item in read_content("log", "log", stream, size=size, sizes=SMALL):
            os.truncate(path, 20_000)
            items.append(item)
    assert [type(item) for item in items] == [Chunk, Skipped]
    assert items[-1] == Skipped(what="log", why="the file shrank while it was read")

    path.write_bytes(b"line\n" * 4)
    with path.open("rb", buffering=0) as stream:
        chunks, skipped = split(read_stream("log", "log", stream, size=10))
    assert [chunk.data for chunk in chunks] == [b"line\nline\n"]
    assert not skipped


def test_memory_does_not_grow_with_the_content() -> None:
    class Endless:
        left = 96 << 20
        block = (b"word " * 20 + b"\n") * (1 << 14)

        def read(self, size: int, /) -> bytes:
            part = self.block[: min(size, self.left)]
            self.left -= len(part)
            return part

    tracemalloc.start()
    try:
        assert list(read_stream("f", "f", Endless())) == []
        assert tracemalloc.get_traced_memory()[1] < 48 << 20
    finally:
        tracemalloc.stop()


READ_STDIN = (
    "import sys\n"
    "from binance_leaks.sources.read_content import read_stream\n"
    "for item in read_stream('<stdin>', '', sys.stdin.buffer):\n"
    "    print(item.path, len(item.data))\n"
)


def test_standard_input_is_read_whatever_it_holds(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("inner/.env", b"x" * 5000)
    for content, expected in ((archive.read_bytes(), "<stdin>!/inner/.env 5000\n"), (b"plain", "<stdin> 5\n")):
        command = [sys.executable, "-c", READ_STDIN]
        out = subprocess.run(command, input=content, stdout=subprocess.PIPE, check=True).stdout
        assert out.decode() == expected
    with archive.open("rb") as redirected:
        out = subprocess.run(command, stdin=redirected, stdout=subprocess.PIPE, check=True).stdout
    assert out.decode() == "<stdin>!/inner/.env 5000\n"


def test_plain_files_import_no_decoder() -> None:
    code = (
        "import io, sys\n"
        "from binance_leaks.sources import files, read_content\n"
        "list(read_content.read_stream('a', 'a', io.BytesIO(b'text')))\n"
        "lazy = {'bz2', 'lzma', 'zlib', 'tarfile', 'tempfile', 'zipfile', 'pathlib'}\n"
        "lazy |= {'binance_leaks.sources.archives'}\n"
        "print(*sorted(lazy & set(sys.modules)))\n"
    )
    ours = {**os.environ, "PYTHONPATH": str(Path(binance_leaks.__file__).parents[1])}  # -S leaves the environment's out
    out = subprocess.run([sys.executable, "-S", "-c", code], env=ours, stdout=subprocess.PIPE, check=True).stdout
    assert out.split() == []
