"""The pictures of a PDF file (ISO 32000-1, section 8.9.5), as files of a kind that is read.

JPEG and JPEG 2000 are in it as they are. Deflated rows with predictors are the content of a PNG file, and get the rest
of one; other pixels get the header of a PPM file. Pictures of fax and JBIG2 are not read, and counted.
"""

from __future__ import annotations

import time
import zlib
from collections import Counter
from collections.abc import Iterator

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.sources.pdf_objects import FILTERS, PdfFile, PdfObject, Value
from binance_leaks.sources.pictures.kinds import LARGEST
from binance_leaks.sources.unpack import UnpackBudget

_AS_THEY_ARE = frozenset(("DCTDecode", "DCT", "JPXDecode"))
_DEFLATED = (["FlateDecode"], ["Fl"])
_MOST_PICTURES = 200
_MOST_PIXELS = 50_000_000
_SMALLEST = 16
_PNG_PREDICTORS = 10
_GRAY, _RGB, _INDEXED = 0, 2, 3
"""Types of color of a PNG file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shape:
    width: int
    height: int
    bits: int
    color: int
    palette: bytes = b""


def pictures_of(file: PdfFile, budget: UnpackBudget) -> Iterator[tuple[str, bytes] | str]:
    """Yield name and content of the pictures that are drawn, then why others are not read.

    The time that it takes to make them is of that in which pictures are read. Raises `OverLimitError`.
    """
    found = file.of_type(b"Image")
    unread: Counter[str] = Counter()
    for place, (number, each) in enumerate(found.items()):
        if place == _MOST_PICTURES or budget.reading_seconds <= 0:
            limit = f"only {_MOST_PICTURES} are read" if place == _MOST_PICTURES else "the others took too long"
            unread[limit] = len(found) - place
            break
        started = time.monotonic()
        picture = _picture(file, each)
        budget.reading_seconds -= time.monotonic() - started
        if isinstance(picture, bytes):
            yield f"object {number}", picture
        elif picture is not None:
            unread[picture] += 1
    for why, count in unread.items():
        yield f"{count:,} of the pictures in the PDF file {'was' if count == 1 else 'were'} not read: {why}"


def _picture(file: PdfFile, found: PdfObject) -> bytes | str | None:
    """A picture, or why it is not read; None where it is too small to show anything."""
    filters = [str(name) for name in file.items(found.entries.get("Filter"))]
    if filters and filters[-1] in _AS_THEY_ARE and FILTERS.issuperset(filters[:-1]):
        return file.unpack(_without_last_filter(found, filters))
    width, height = (_number(file.resolve(found.entries.get(name))) for name in ("Width", "Height"))
    if not (width >= _SMALLEST and height >= _SMALLEST):
        return None
    if not FILTERS.issuperset(filters):
        return "fax, JBIG2 and what else packs them"
    if width * height > _MOST_PIXELS:
        return f"more than {_MOST_PIXELS // 1_000_000} million pixels"
    shape = _shape(file, found, width, height)
    if shape is None:
        return "their colors"
    picture = _as_png(file, found, shape) if filters in _DEFLATED else None
    return picture or _as_ppm(file.unpack(found), shape) or "too large, or cut off"


def _without_last_filter(found: PdfObject, filters: list[str]) -> PdfObject:
    names = " ".join(f"/{name}" for name in filters[:-1])
    return PdfObject(raw=f"<< /Filter [{names}] >>".encode("latin-1"), stream=found.stream)


def _shape(file: PdfFile, found: PdfObject, width: int, height: int) -> _Shape | None:
    """The size and colors of a picture, None where they are of a kind that is not read."""
    bits = _number(file.resolve(found.entries.get("BitsPerComponent")))
    if bits not in (1, 2, 4, 8):
        return None
    space = found.entries.get("ColorSpace")
    palette = _palette(file, space)
    color = _INDEXED if palette else {1: _GRAY, 3: _RGB}.get(_components(file, space))
    return _Shape(width=width, height=height, bits=bits, color=color, palette=palette) if color is not None else None


def _number(value: Value) -> int:
    return int(value) if isinstance(value, float) else 0


def _components(file: PdfFile, space: Value) -> int:
    """How many numbers a pixel has, 0 where that is not known."""
    items = file.items(space)
    name = str(file.resolve(items[0])) if items else ""
    if name == "ICCBased" and len(items) > 1:
        profile = file.object_at(items[1])
        return _number(file.resolve(profile.entries.get("N"))) if profile is not None else 0
    return {"DeviceRGB": 3, "CalRGB": 3, "DeviceGray": 1, "CalGray": 1}.get(name, 0)


def _palette(file: PdfFile, space: Value) -> bytes:
    """The colors of a picture whose pixels are their numbers, empty for any other."""
    items = file.items(space)
    if len(items) < 4 or file.resolve(items[0]) != "Indexed" or _components(file, items[1]) != 3:
        return b""
    table = file.object_at(items[3])
    value = file.unpack(table) if table is not None and table.stream is not None else file.resolve(items[3])
    return value[: 3 * 256] if isinstance(value, bytes) else b""


def _as_png(file: PdfFile, found: PdfObject, shape: _Shape) -> bytes | None:
    """The picture as a PNG file, None where its rows have no predictors."""
    parameters = file.items(found.entries.get("DecodeParms"))
    if not parameters or _number(file.dictionary(parameters[-1]).get("Predictor")) < _PNG_PREDICTORS:
        return None
    sizes = shape.width.to_bytes(4, "big") + shape.height.to_bytes(4, "big")
    chunks = [(b"IHDR", sizes + bytes((shape.bits, shape.color, 0, 0, 0)))]
    chunks += [(b"PLTE", shape.palette[: len(shape.palette) // 3 * 3])] if shape.palette else []
    chunks += [(b"IDAT", found.stream or b""), (b"IEND", b"")]
    parts = [
        len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big") for name, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _as_ppm(data: bytes, shape: _Shape) -> bytes | None:
    """The picture, as far as its pixels go, as a PPM file, or a PGM or PBM file of one color; None if it is too large.

    What is made is at most some times as large as the pixels that are there, and larger than `LARGEST` never.
    """
    numbers = 3 if shape.color == _RGB else 1
    row = (shape.width * numbers * shape.bits + 7) // 8
    height = min(shape.height, -(-len(data) // row))
    is_bitmap = shape.bits == 1 and numbers == 1
    shown = row if is_bitmap else shape.width * (1 if shape.color == _GRAY else 3)
    if shown * height > LARGEST or height < _SMALLEST:
        return None
    data = data[: row * height].ljust(row * height, b"\0")
    if is_bitmap:
        if shape.color == _GRAY:  # in a PBM file 1 is black
            data = data.translate(bytes(255 - byte for byte in range(256)))
        return b"P4 %d %d\n" % (shape.width, height) + data
    if shape.bits < 8:
        data = _one_byte_each(data, shape, row, shape.width * numbers)
    if shape.color == _INDEXED:
        mapped = bytearray(3 * len(data))
        for channel in range(3):
            mapped[channel::3] = data.translate(shape.palette[channel::3][:256].ljust(256, b"\0"))
        return b"P6 %d %d 255\n" % (shape.width, height) + mapped
    return b"P%d %d %d 255\n" % (6 if numbers == 3 else 5, shape.width, height) + data


def _one_byte_each(data: bytes, shape: _Shape, row: int, length: int) -> bytes:
    """The numbers of less than a byte as a byte each, in rows without what fills their ends; levels as of 8 bits."""
    parts, mask = 8 // shape.bits, (1 << shape.bits) - 1
    step = 1 if shape.color == _INDEXED else 255 // mask
    wide = bytearray(parts * len(data))
    for at in range(parts):
        shift = 8 - shape.bits * (at + 1)
        wide[at::parts] = data.translate(bytes((byte >> shift & mask) * step for byte in range(256)))
    rows, each = memoryview(wide), row * parts
    return b"".join(rows[at : at + length] for at in range(0, len(wide), each)) if each > length else bytes(wide)
