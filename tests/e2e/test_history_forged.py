"""`history` of packs that lie: no crash, no endless loop, bounded memory, and what is sound is still found."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence

import pytest

from tests.e2e import PROGRAM, Pair
from tests.e2e.histories import Looked, history, objects_of
from tests.forged_packs import Entry, appending, back, blob, copies, delta, index, name_of, varint, write_pack
from tests.hiding_contents import module
from tests.repositories import Repository

MEMORY = 3 << 20  # KiB of address space, mapped libraries and packs with it
BOUNDED = ("sh", "-c", f'ulimit -v {MEMORY}; exec "$@"', "sh", *PROGRAM)
BASE = b"a base of some bytes\n" * 50


def fresh() -> bytes:
    """An id of nothing."""
    return os.urandom(20)


def _cycle() -> list[Entry]:
    one, two = fresh(), fresh()
    return [delta(two, copies(len(BASE), 1), name=one), delta(one, copies(len(BASE), 1), name=two)]


def _own_base() -> list[Entry]:
    name = fresh()
    return [delta(name, copies(len(BASE), 1), name=name)]


def _after_base(instructions: bytes, *, size: int | None = None) -> list[Entry]:
    base = blob(BASE)
    return [base, delta(back(len(base.raw)), instructions, name=fresh(), size=size)]


def _explosion() -> list[Entry]:
    """Each delta makes many times its base: 64 KiB become 1 MiB, 26 MiB, 4 GiB."""
    size = 0x10000
    entries = [blob(b"0123456789abcde\n" * (size // 16))]
    for times in (20, 20, 250):
        # A copy takes at most 16 MiB - 1, so that the larger bases are copied in part.
        taken = min(size, 0xFFFFFF)
        made = varint(size) + varint(taken * times) + (b"\xf0" + struct.pack("<I", taken)[:3]) * times
        entries.append(delta(back(len(entries[-1].raw)), made, name=fresh()))
        size = taken * times
    return entries


LIES: dict[str, Callable[[], list[Entry]]] = {
    "a blob of a terabyte": lambda: [blob(BASE, size=1 << 40)],
    "a blob of all the memory there is": lambda: [blob(BASE, size=(1 << 62) + 1)],
    "a blob larger than it says": lambda: [blob(bytes(80 << 20), size=10)],
    "a blob smaller than it says": lambda: [blob(BASE, size=len(BASE) + 1)],
    "a size without an end": lambda: [Entry(raw=b"\xbf" + b"\xff" * 60, name=fresh())],
    "no such type": lambda: [Entry(raw=b"\x5a" + blob(BASE).raw, name=fresh())],
    "no data": lambda: [Entry(raw=b"\xb5\x0a", name=fresh())],
    "deltas of each other": _cycle,
    "a delta of itself by id": _own_base,
    "a delta of itself by offset": lambda: [blob(BASE), delta(back(0), copies(len(BASE), 1), name=fresh())],
    "a base before the pack": lambda: [blob(BASE), delta(back(1 << 20), copies(len(BASE), 1), name=fresh())],
    "a base far before the pack": lambda: [blob(BASE), delta(b"\xff" * 12 + b"\x01", copies(1, 1), name=fresh())],
    "a base in the middle of an entry": lambda: [blob(BASE), delta(back(5), copies(len(BASE), 1), name=fresh())],
    "a base that is missing": lambda: [delta(fresh(), copies(len(BASE), 1), name=fresh())],
    "a delta of another base": lambda: _after_base(copies(len(BASE) + 1, 1)),
    "a delta that makes a terabyte": lambda: _after_base(varint(len(BASE)) + varint(1 << 40) + b"\x80"),
    "a delta beyond its base": lambda: _after_base(varint(len(BASE)) + varint(9) + b"\x91\xff\xff\x09"),
    "a delta with no such instruction": lambda: _after_base(varint(len(BASE)) + varint(9) + b"\x00"),
    "a delta cut short": lambda: _after_base(varint(len(BASE)) + varint(9) + b"\x09ab"),
    "a delta without a size": lambda: _after_base(b"\xff" * 30),
    "an empty delta": lambda: _after_base(b""),
    "a delta of a terabyte": lambda: _after_base(copies(len(BASE), 1), size=1 << 40),
}


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


def look(repository: Repository, program: Sequence[str] = BOUNDED) -> Looked:
    return history("--jobs", "2", cwd=repository.folder, program=program, timeout=50)


@pytest.mark.parametrize("lie", LIES)
def test_entries(lie: str, repository: Repository, pair: Pair) -> None:
    sound, beside = Pair.fresh(), Pair.fresh()
    repository.commit({"bot.py": module(pair)})
    # One pack of lies only, and one in which sound entries are before and after them.
    write_pack(repository.folder, LIES[lie]())
    among = [blob(module(sound).encode()), *LIES[lie](), blob(module(beside).encode())]
    write_pack(repository.folder, among)
    looked = look(repository)
    assert not looked.complete
    assert looked.holds(pair)
    assert looked.holds(sound)
    assert looked.holds(beside)


def test_more_and_more_memory(repository: Repository, pair: Pair) -> None:
    repository.commit({"bot.py": module(pair)})
    write_pack(repository.folder, _explosion())
    looked = look(repository)
    assert looked.holds(pair)


def test_a_long_chain_is_no_lie(repository: Repository, pair: Pair) -> None:
    """Longer than git makes them and than a call stack is deep; the pair is at its very end."""
    content = BASE
    entries = [blob(content)]
    for number in range(5000):
        more = f"line {number}\n".encode() if number < 4999 else module(pair).encode()
        entries.append(delta(back(len(entries[-1].raw)), appending(len(content), more), name=name_of(content + more)))
        content += more
    write_pack(repository.folder, entries)
    assert len(objects_of(repository.folder)) == 5001
    looked = look(repository)
    assert looked.status == 1
    assert looked.holds(pair)


def test_a_count_that_lies(repository: Repository, pair: Pair) -> None:
    repository.commit({"bot.py": module(pair)})
    for count in (0, 1, (1 << 32) - 1):
        other = Pair.fresh()
        entries = [blob(module(other).encode()), blob(os.urandom(30))]
        path = write_pack(repository.folder, entries, count=count)
        looked = look(repository)
        assert looked.holds(pair)
        assert not looked.complete or looked.holds(other)
        path.unlink()
        path.with_suffix(".pack").unlink()


OFFSETS = (0, 3, 11, 13, 1 << 20, (1 << 31) - 1, 1 << 31, 1 << 40, (1 << 63) - 1, (1 << 64) - 1)


def test_indexes_that_lie(repository: Repository, pair: Pair) -> None:
    repository.commit({"bot.py": module(pair)})
    path = write_pack(repository.folder, [blob(BASE), blob(os.urandom(30))])
    checksum = path.with_suffix(".pack").read_bytes()[-20:]
    sound = path.read_bytes()
    rows = [sorted((fresh(), 0, offset) for offset in (12, *OFFSETS)), sorted((fresh(), 0, 12) for _ in range(9))]
    forged = [
        *(index(some, checksum) for some in rows),
        sound[:8] + b"\xff" * 1024 + sound[1032:],
        sound[:8] + bytes(1020) + struct.pack(">I", (1 << 32) - 1) + sound[1032:],
        sound[:8] + struct.pack(">256I", *range(255, -1, -1)) + sound[1032:],
        sound[:500],
        sound[:-40],
        b"\xfftOc\x00\x00\x00\x09" + sound[8:],
        b"",
        bytes(2000),
    ]
    for number, content in enumerate(forged):
        path.chmod(0o600)
        path.write_bytes(content)
        looked = look(repository)
        assert not looked.complete, number
        assert looked.holds(pair), number


def test_the_bound_itself_stops_nothing(repository: Repository) -> None:
    write_pack(repository.folder, [blob(BASE), *_after_base(copies(len(BASE), 2))[1:]])
    assert look(repository).status == look(repository, PROGRAM).status == 0
