"""Codecs agree with each other and with a plain model; what changed in a version covers all that is new in it."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable
from functools import partial
from random import Random

import pytest
from binance_leaks.sources.objects.codec import (
    DamagedObjectError,
    PackCodec,
    apply_delta,
    best_codec,
    delta_sizes,
    plain_codec,
)
from binance_leaks.sources.objects.walk import ContextSizes, changed_parts
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.deltas import Part, delta_of, made_of
from tests.forged_packs import copies, varint

law = settings(max_examples=250)
CODECS = (best_codec(), plain_codec())


def _outcome(make: Callable[[], bytes]) -> bytes | None:
    try:
        return make()
    except DamagedObjectError:
        return None


@st.composite
def versions(draw: st.DrawFn, *, longest: int = 3000) -> tuple[bytes, list[Part]]:
    """A base of random bytes, and the parts of a version of it."""
    base = Random(draw(st.integers(0, 999))).randbytes(draw(st.integers(0, longest)))
    parts: list[Part] = []
    for _ in range(draw(st.integers(0, 8))):
        goes_on = parts and not isinstance(parts[-1], bytes) and draw(st.booleans())
        if draw(st.integers(0, 2)) and base:
            last = parts[-1] if goes_on else (0, 0)
            start = sum(last) if not isinstance(last, bytes) and goes_on else draw(st.integers(0, len(base)))
            parts.append((start, draw(st.integers(0, len(base) - start))))
        else:
            parts.append(draw(st.binary(min_size=1, max_size=300)))
    return base, [part for part in parts if isinstance(part, bytes) or part[1]]


@law
@given(version=versions(), short=st.booleans())
def test_a_delta_makes_what_it_reports(version: tuple[bytes, list[Part]], short: bool) -> None:
    base, parts = version
    delta = delta_of(base, parts, short=short)
    assert [codec.apply(base, delta) for codec in CODECS] == [made_of(base, parts)] * 2


@pytest.mark.parametrize("size", [0xFF, 0x100, 0xFFFF, 0x10000, 0x10001, 0xFF0000, 0xFFFFFF])
@pytest.mark.parametrize("offset", [0, 1, 0xFF00, 0x10000, 0x1000001])
def test_copies_of_all_sizes(size: int, offset: int) -> None:
    base = Random(size).randbytes(1 << 16) * 513  # 32 MiB, so that both may be as large as they get
    for short in (True, False):
        delta = delta_of(base, [(offset, size)], short=short)
        for codec in CODECS:
            assert codec.apply(base, delta) == base[offset : offset + size]


@settings(max_examples=250)
@given(
    version=versions(longest=400),
    flips=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3),
    end=st.none() | st.integers(0, 60),
    more=st.binary(max_size=4),
)
def test_of_a_corrupt_delta_the_codecs_make_nothing_else(
    version: tuple[bytes, list[Part]], flips: list[tuple[int, int]], end: int | None, more: bytes
) -> None:
    base, parts = version
    delta = bytearray(delta_of(base, parts))
    for place, byte in flips:
        delta[place % len(delta)] = byte
    corrupt = bytes(delta[:end]) + more
    best, plain = (_outcome(partial(_applied, codec, base, corrupt)) for codec in CODECS)
    if plain is not None:
        assert best == plain
        assert delta_sizes(corrupt)[:2] == (len(base), len(plain))
    elif best is not None:  # the compiled one does not mind an instruction too many behind a whole result
        assert len(best) == delta_sizes(corrupt)[1]


def _applied(codec: PackCodec, base: bytes, delta: bytes) -> bytes:
    if delta_sizes(delta)[1] > 1 << 20:
        raise DamagedObjectError("too large")  # as their callers do
    return codec.apply(base, delta)


@law
@given(data=st.binary(max_size=2000), level=st.integers(0, 9), behind=st.binary(max_size=30))
def test_inflating(data: bytes, level: int, behind: bytes) -> None:
    packed = memoryview(zlib.compress(data, level) + behind)
    for codec in CODECS:
        assert codec.inflate(packed, len(data)) == data
        assert _outcome(partial(codec.inflate, packed, len(data) + 1)) is None
        if data:
            assert _outcome(partial(codec.inflate, packed, len(data) - 1)) is None


@settings(max_examples=300)
@given(
    data=st.binary(max_size=300),
    flips=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 255)), max_size=2),
    end=st.none() | st.integers(0, 300),
)
def test_of_corrupt_data_the_codecs_make_the_same(data: bytes, flips: list[tuple[int, int]], end: int | None) -> None:
    packed = bytearray(zlib.compress(data))
    for place, change in flips:
        packed[place % len(packed)] ^= change
    view = memoryview(bytes(packed[:end]))
    best, plain = (_outcome(partial(codec.inflate, view, len(data))) for codec in CODECS)
    assert best == plain


@pytest.mark.parametrize("codec", CODECS, ids=["best", "plain"])
def test_memory_is_bounded_by_the_sizes_reported(codec: PackCodec) -> None:
    bomb = memoryview(zlib.compress(bytes(60 << 20)))
    base = bytes(0x10000)
    forged = varint(len(base)) + varint(1 << 20) + copies(len(base), 4000)[5:]
    tracemalloc.start()
    try:
        assert _outcome(partial(codec.inflate, bomb, 1000)) is None
        assert _outcome(partial(codec.apply, base, forged)) is None
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def _new_windows(base: bytes, parts: list[Part], around: ContextSizes) -> list[tuple[int, int]]:
    """Every place that a version does not have from its base: what is inserted, and each joint of what was not
    together, the ends of the file among them."""
    windows, made, expected = [], 0, 0
    for part in parts:
        size = len(part) if isinstance(part, bytes) else part[1]
        if isinstance(part, bytes):
            windows.append((made - around.before, made + size + around.behind))
        elif part[0] != expected:
            windows.append((made - around.before, made + around.behind))
        expected = -1 if isinstance(part, bytes) else sum(part)
        made += size
    if expected != len(base):
        windows.append((made - around.before, made))
    return [(max(0, start), min(made, end)) for start, end in windows]


@settings(max_examples=300)
@given(
    version=versions(longest=6000),
    around=st.builds(ContextSizes, st.integers(0, 300), st.integers(0, 300)),
    short=st.booleans(),
)
def test_what_changed_covers_all_that_is_new(
    version: tuple[bytes, list[Part]], around: ContextSizes, short: bool
) -> None:
    base, parts = version
    delta = delta_of(base, parts, short=short)
    content = apply_delta(base, delta)
    fresh = changed_parts(len(base), delta, delta_sizes(delta)[2], content, around)
    missed = [(start, end) for start, end in _new_windows(base, parts, around) if content[start:end] not in fresh]
    assert missed == []


def test_what_changed_at_the_beginning() -> None:
    base = Random(1).randbytes(5000)
    for place in (0, 1, 255, 256, 257, 4999, 5000):
        parts: list[Part] = [(0, place), b"something new", (place, len(base) - place)]
        delta = delta_of(base, parts)
        content = apply_delta(base, delta)
        fresh = changed_parts(len(base), delta, delta_sizes(delta)[2], content, ContextSizes(256, 256))
        assert content[max(0, place - 256) : place + 13 + 256] in fresh
        assert len(fresh) < 600


def test_what_did_not_change_is_not_shown() -> None:
    base = Random(2).randbytes(5000)
    delta = delta_of(base, [(0, 1000), (1000, 4000)])
    assert changed_parts(len(base), delta, delta_sizes(delta)[2], base, ContextSizes(256, 256)) == b""
