"""Decode pictures within limits. Runs in the process that reads pictures only, as its libraries are optional."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress

import numpy
from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError

from binance_leaks.lazy_dataclasses import dataclass

MOST_PIXELS = 50_000_000
_FORMATS = ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP", "HEIF", "AVIF", "JPEG2000", "MPO", "PPM")
_MOST_PAGES = 20
MOST_METADATA = 1 << 20
_SMALLEST = 16
_TEXTS = frozenset(("comment", "xmp", "XML:com.adobe.xmp", "Description", "Title"))
_XP = range(0x9C9B, 0x9CA0)
"""Tags of EXIF that Windows writes in UTF-16."""
_COMMENT = 0x9286
_CONTROLS = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f]")

ImageFile.LOAD_TRUNCATED_IMAGES = True
Image.MAX_IMAGE_PIXELS = None  # the limit is checked here, before anything is decoded
with suppress(ImportError):
    import pillow_heif

    pillow_heif.register_heif_opener()


class PictureError(Exception):
    """Why a picture is not read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A page of a picture: its number from 1, 0 for a single one, and its pixels in red, green and blue."""

    page: int
    pixels: numpy.ndarray


def read_metadata(picture: bytes) -> tuple[list[str], bool]:
    """Return the texts that a picture has beside its pixels: text chunks, comments, EXIF, XMP; and whether it is all.

    Raises PictureError.
    """
    image = _open(picture)
    with suppress(Exception):
        image.load()  # text behind the pixels is read with them
    found: list[str] = []
    texts = {**image.info, **getattr(image, "text", {})}
    for name, value in texts.items():
        if isinstance(value, bytes) and name in _TEXTS:
            value = value.decode("utf-8", "replace")
        if isinstance(value, str):
            found.append(f"{name}: {value}")
    with suppress(Exception):
        exif = image.getexif()
        for tags in (exif, exif.get_ifd(ExifTags.IFD.Exif)):
            found += [f"{ExifTags.TAGS.get(tag, tag)}: {_exif_text(tag, value)}" for tag, value in tags.items()]
    lines: list[str] = []
    room = MOST_METADATA
    for line in found:
        if line.endswith(": "):
            continue
        if len(line) > room:
            return [*lines, _CONTROLS.sub("", line[:room])], False
        lines.append(_CONTROLS.sub("", line))
        room -= len(line)
    return lines, not _has_longer_text(picture)


def _has_longer_text(picture: bytes) -> bool:
    """Whether a compressed text of a PNG file is longer than Pillow unpacks: it then leaves it out without a word."""
    if b"zTXt" not in picture and b"iTXt" not in picture:
        return False
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        _open(picture).load()
    except UnicodeError:
        return False
    except ValueError:
        return True
    except Exception:  # damaged otherwise, which is another fault
        return False
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = True
    return False


def _exif_text(tag: int, value: object) -> str:
    if isinstance(value, bytes):
        if tag in _XP:
            return value.decode("utf-16-le", "replace").rstrip("\0")
        text = value[8:] if tag == _COMMENT else value
        return text.decode("utf-8", "replace") if text.isascii() else ""
    return value if isinstance(value, str) else ""


def read_frames(picture: bytes) -> Iterator[Frame | str]:
    """Yield the pages of a picture, and why some are not read. Raises PictureError.

    Of what moves, the first, the middle and the last frame are read; of pages the first 20.
    """
    image = _open(picture)
    count = 1 if image.format == "MPO" else int(getattr(image, "n_frames", 1))
    wanted = list(range(count))
    if image.format == "TIFF":
        wanted = wanted[:_MOST_PAGES]
    elif count > 3:
        wanted = [0, count // 2, count - 1]
    if len(wanted) < count:
        yield f"only {len(wanted)} of its {count:,} pages were read"
    for number in wanted:
        if count > 1:
            image.seek(number)
        _check_size(image)
        if min(image.size) >= _SMALLEST:
            yield Frame(page=number + 1 if count > 1 else 0, pixels=_pixels(image))


def _open(picture: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(picture), formats=[name for name in _FORMATS if name in _known()])
        except UnidentifiedImageError:
            raise PictureError("it is damaged, or of a kind that is not read") from None
    _check_size(image)
    return image


def _known() -> frozenset[str]:
    Image.preinit()
    Image.init()
    return frozenset(Image.OPEN)


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise PictureError(f"it has more than {MOST_PIXELS // 1_000_000} million pixels")


def _pixels(image: Image.Image) -> numpy.ndarray:
    """The pixels of a page, upright; what shines through is put on white, or on black under what is light."""
    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        layered = upright.convert("RGBA")
        values = numpy.asarray(layered)
        shown = values[..., :3][values[..., 3] > 127]
        paper = 0 if shown.size and shown.mean() > 160 and (values[..., 3] < 128).any() else 255
        under = Image.new("RGBA", layered.size, (paper, paper, paper, 255))
        upright = Image.alpha_composite(under, layered)
    elif upright.mode.startswith(("I", "F")):
        values = numpy.asarray(upright).astype("float32")
        span = float(values.max() - values.min()) or 1.0
        upright = Image.fromarray(((values - values.min()) / span * 255).astype("uint8"))
    pixels: numpy.ndarray = numpy.asarray(upright.convert("RGB"))
    return pixels
