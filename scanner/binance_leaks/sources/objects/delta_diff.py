"""The parts of an object that differ from its delta base.

What a delta copies was looked at in its base. What it inserts, and where two copies meet that were apart,
may hold something new, within a margin that is wider than anything that is looked for.
"""

from __future__ import annotations

from dataclasses import dataclass

SEPARATOR = b"\n\0\1\0\n"
"""Between two places that do not touch."""


@dataclass(frozen=True, slots=True)
class ContextSizes:
    """How much is shown of what surrounds a change: bytes before and behind it.

    `worth` is how many times as long as its delta an object must be for it to pay to look for the changes.
    """

    before: int
    behind: int
    worth: int


def changed_parts(base_size: int, delta: bytes, at: int, content: bytes, around: ContextSizes) -> bytes:
    """The changed places of `content`, which `delta` makes of a base of `base_size` bytes; all of it if they are many.

    The instructions of the delta begin at `at`. What they copy and insert is read off them (gitformat-pack); the
    caller has applied them, so they are well formed.
    """
    length = len(content)
    if (len(delta) - at) * around.worth > length:
        return content
    places = _places(base_size, delta, at, length, around)
    if not places:
        return b""
    if len(places) == 1:
        start, end = places[0]
        return content[start:end]
    if sum(end - start for start, end in places) * 2 > length:
        return content
    return SEPARATOR.join([content[start:end] for start, end in places])


def _places(base_size: int, delta: bytes, at: int, length: int, around: ContextSizes) -> list[tuple[int, int]]:
    """Start and end of the changed places with what is around them, ascending, none touching another."""
    places: list[tuple[int, int]] = []
    before, behind = around.before, around.behind
    start, end = 0, -1
    made = expected = 0  # bytes of the result so far; where in the base the next byte would go on
    stop = len(delta)
    number, arguments = int.from_bytes, _ARGUMENTS
    while at < stop:
        code = delta[at]
        at += 1
        if code >= 128:
            known = arguments[code]
            if known is None:
                offset, size, at = _copied(code, delta, at)
            else:
                middle = at + known[0]
                offset = number(delta[at:middle], "little")
                at = middle + known[1]
                size = number(delta[middle:at], "little") or 0x10000
            if offset == expected:
                made += size
                expected = offset + size
                continue
            low, high = made - before, made + behind
            made += size
            expected = offset + size
        else:
            low = made - before
            made += code
            high = made + behind
            at += code
            expected = -1
        if low > end:
            if end >= 0:
                places.append((start, end))
            start = low if low > 0 else 0
        end = high
    if expected != base_size:  # the base went on where this ends
        low = length - before
        if low > end:
            if end >= 0:
                places.append((start, end))
            start = low if low > 0 else 0
        end = length
    if end >= 0:
        places.append((start, end if end < length else length))
    return places


def _simple(code: int) -> tuple[int, int] | None:
    """How many bytes of offset and of size follow a copy instruction, None where some in between are left out."""
    counts = {0: 0, 1: 1, 3: 2, 7: 3, 15: 4}
    offset, size = counts.get(code & 15), counts.get((code >> 4) & 7)
    return None if offset is None or size is None else (offset, size)


_ARGUMENTS = tuple(_simple(code) for code in range(256))


def _copied(code: int, delta: bytes, at: int) -> tuple[int, int, int]:
    """Offset and size of a copy instruction, and where the next one begins."""
    values = []
    for bits in (range(4), range(4, 7)):
        value = 0
        for place, bit in enumerate(bits):
            if code & (1 << bit):
                value |= delta[at] << (8 * place)
                at += 1
        values.append(value)
    return values[0], values[1] or 0x10000, at
