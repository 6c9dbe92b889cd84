"""What of an object its delta base does not have: the places that need a second look.

What a delta copies was looked at in its base. What it inserts, and where two copies meet that did not stand together,
may hold something new, within a margin that is wider than anything that is looked for.
"""

from __future__ import annotations

from scanner.sources.objects.codec import DamagedObjectError, delta_sizes

SEPARATOR = b"\n\0\1\0\n"
"""Between two places that do not touch."""
_ARGUMENTS = tuple(bin(code & 127).count("1") for code in range(256))


def changed(base_size: int, delta: bytes, content: bytes, margin: int, worth: int) -> bytes:
    """The changed places of `content`, which `delta` makes of a base of `base_size` bytes; all of it if they are many.

    They come with `margin` bytes to either side. `worth` is how many times as long as the delta the object must be
    for the delta to be looked into.

    Copying and inserting are read off the delta (gitformat-pack); the caller has applied it, so it is well formed.
    """
    length = len(content)
    if len(delta) * worth > length:
        return content
    places = _places(base_size, delta, length, margin)
    if not places:
        return b""
    if sum(end - start for start, end in places) * 2 > length:
        return content
    return SEPARATOR.join([content[start:end] for start, end in places])


def _places(base_size: int, delta: bytes, length: int, margin: int) -> list[tuple[int, int]]:
    """Start and end of the changed places with their margins, ascending, none touching another."""
    places: list[tuple[int, int]] = []
    start = end = -1
    made = expected = 0  # bytes of the result so far; where in the base the next byte would go on
    _, _, at = delta_sizes(delta)
    try:
        while at < len(delta):
            code = delta[at]
            at += 1
            if code >= 128:
                arguments = _ARGUMENTS[code]
                offset, size = _copied(code, delta, at)
                at += arguments
                if offset == expected:
                    made += size
                    expected = offset + size
                    continue
                low, high = made - margin, made + margin
                made += size
                expected = offset + size
            else:
                low, high = made - margin, made + code + margin
                made += code
                at += code
                expected = -1
            if low > end:
                if end >= 0:
                    places.append((start, end))
                start = max(0, low)
            end = high
    except IndexError:
        raise DamagedObjectError("its delta is corrupt") from None
    if expected != base_size:  # the base went on where this ends
        low = length - margin
        if low > end:
            if end >= 0:
                places.append((start, end))
            start = max(0, low)
        end = length
    if end >= 0:
        places.append((start, min(end, length)))
    return places


def _copied(code: int, delta: bytes, at: int) -> tuple[int, int]:
    offset = size = 0
    if code & 1:
        offset = delta[at]
        at += 1
    if code & 2:
        offset |= delta[at] << 8
        at += 1
    if code & 4:
        offset |= delta[at] << 16
        at += 1
    if code & 8:
        offset |= delta[at] << 24
        at += 1
    if code & 16:
        size = delta[at]
        at += 1
    if code & 32:
        size |= delta[at] << 8
        at += 1
    if code & 64:
        size |= delta[at] << 16
    return offset, size or 0x10000
