"""The pictures of a PDF file (ISO 32000-1, section 8.9.5), as files of a kind that is read.

JPEG and JPEG 2000 are in it as they are. Deflated rows with predictors are the content of a PNG file, and get the rest
of one; other pixels get the header of a PPM file. Pictures of fax and JBIG2 are not read.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.sources.pdf_objects import FILTERS, PdfFile, PdfObject, Value

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


def pictures_of(file: PdfFile) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of the pictures that are drawn. Raises `OverLimitError`."""
    for number, found in list(file.of_type(b"Image").items())[:_MOST_PICTURES]:
        filters = [str(name) for name in file.items(found.entries.get("Filter"))]
        if filters and filters[-1] in _AS_THEY_ARE and FILTERS.issuperset(filters[:-1]):
            yield number, file.unpack(_without_last_filter(found, filters))
        elif FILTERS.issuperset(filters) and (shape := _shape(file, found)) is not None:
            picture = _as_png(file, found, shape) if filters in _DEFLATED else None
            yield number, picture or _as_ppm(file.unpack(found), shape)


def _without_last_filter(found: PdfObject, filters: list[str]) -> PdfObject:
    names = " ".join(f"/{name}" for name in filters[:-1])
    return PdfObject(raw=f"<< /Filter [{names}] >>".encode("latin-1"), stream=found.stream)


def _shape(file: PdfFile, found: PdfObject) -> _Shape | None:
    """The size and colors of a picture, None where it is small or they are not known."""
    sizes = [_number(file.resolve(found.entries.get(name))) for name in ("Width", "Height", "BitsPerComponent")]
    width, height, bits = sizes
    if not (width >= _SMALLEST and height >= _SMALLEST and width * height <= _MOST_PIXELS and bits in (1, 2, 4, 8)):
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


def _as_ppm(data: bytes, shape: _Shape) -> bytes:
    """The picture as a PPM file, or a PGM or PBM file of one color."""
    numbers = 3 if shape.color == _RGB else 1
    row = (shape.width * numbers * shape.bits + 7) // 8
    data = data[: row * shape.height].ljust(row * shape.height, b"\0")
    if shape.bits == 1:
        if shape.color == _GRAY:  # in a PBM file 1 is black
            data = data.translate(bytes(255 - byte for byte in range(256)))
        return b"P4 %d %d\n" % (shape.width, shape.height) + data
    if shape.bits < 8:
        parts, mask = 8 // shape.bits, (1 << shape.bits) - 1
        levels = [bytes((byte >> (8 - shape.bits * (at + 1)) & mask) for at in range(parts)) for byte in range(256)]
        wide = b"".join(map(levels.__getitem__, data))
        each = row * parts
        data = b"".join(wide[at : at + shape.width] for at in range(0, each * shape.height, each))
    if shape.color == _INDEXED:
        colors = [shape.palette[at : at + 3].ljust(3, b"\0") for at in range(0, 3 * 256, 3)]
        data, numbers = b"".join(map(colors.__getitem__, data)), 3
    elif shape.bits < 8:
        step = 255 // ((1 << shape.bits) - 1)
        data = data.translate(bytes(min(255, byte * step) for byte in range(256)))
    return b"P%d %d %d 255\n" % (6 if numbers == 3 else 5, shape.width, shape.height) + data
