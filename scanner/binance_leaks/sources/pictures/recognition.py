"""Read codes, and recognize text. Runs in the process that reads pictures only, as its libraries are optional.

Finding the lines of a picture takes most of the time, and reading them the rest. So a picture without a shape that may
be a long line is left at once, and of one with lines those that may be a value are read first: without any, nothing
else of it matters.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy
import zxingcpp

from binance_leaks.sources.pictures.decode import Frame

if TYPE_CHECKING:
    from collections.abc import Sequence

Line = tuple[float, float, float, float, str]
"""Left, top, right and bottom in pixels, and the text."""

_SCALE = 0.75
_MOST_PIXELS, _MOST_PIXELS_QUICK = 1_000_000, 400_000
"""Pixels in which lines are looked for: half a second for a million."""
_MOST_LINES, _MOST_LINES_QUICK = 300, 12
_LONG = 4.0
"""How much wider than high a line is that may hold a part of a value."""
_PIECE = re.compile(r"[A-Za-z0-9|]{8,}")
MOST_CODES = 64
_LONGEST_CODE = 1 << 16
_LARGEST_CUT_OUT, _MARGIN = 1500, 32


def read_codes(frame: Frame) -> list[str]:
    """Return the texts of the QR codes and other codes in a page, also of one that is cut out without its margin.

    Not more than one beyond `MOST_CODES`.
    """
    found = zxingcpp.read_barcodes(frame.pixels)
    if not found and max(frame.pixels.shape) <= _LARGEST_CUT_OUT:
        margin = ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0))
        found = zxingcpp.read_barcodes(numpy.pad(frame.pixels, margin, constant_values=255))
    return [code.text[:_LONGEST_CODE] for code in found[: MOST_CODES + 1] if code.text]


class Recognizer:
    """Recognizes text with the models that the package `rapidocr` brings along. Nothing is ever downloaded.

    `left_out` is the number of lines of the last page that were too many.
    """

    def __init__(self) -> None:
        import onnxruntime  # codes are read without it
        from rapidocr import RapidOCR  # as above

        self.left_out = 0
        onnxruntime.disable_telemetry_events()
        self._engine = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,  # it turns lines of random characters upside down
                "Det.limit_type": "max",
                "Det.limit_side_len": 4096,
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,  # more wait for each other in a loop
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )
        blank = _blank(32, 64)
        self._engine(blank, use_det=True, use_cls=False, use_rec=False)  # loads the models
        self._read(blank)

    def lines(self, pixels: numpy.ndarray, *, quick: bool) -> list[Line]:
        """Return the lines of a page if any may be a part of a value, none otherwise."""
        import cv2  # as above
        from rapidocr.utils.process_img import get_rotate_crop_image  # as above

        self.left_out = 0
        picture = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        height, width = picture.shape[:2]
        most = _MOST_PIXELS_QUICK if quick else _MOST_PIXELS
        scale = min(1.0 if max(height, width) <= 960 else _SCALE, math.sqrt(most / (height * width)))
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture
        if not _may_show_lines(small):
            return []
        boxes = self._engine(small, use_det=True, use_cls=False, use_rec=False).boxes
        if boxes is None:
            return []
        crops = [(box / scale, get_rotate_crop_image(picture, numpy.float32(box / scale))) for box in boxes]
        crops.sort(key=lambda each: -each[1].shape[1] / each[1].shape[0])
        most_lines = _MOST_LINES_QUICK if quick else _MOST_LINES
        self.left_out = max(0, len(crops) - most_lines)
        crops = crops[:most_lines]
        long = [each for each in crops if each[1].shape[1] >= _LONG * each[1].shape[0]]
        lines = [line for box, crop in long for line in self._line(box, crop)]
        if not any(_may_be_of_value(text) for *_, text in lines):
            return []
        return lines + [line for box, crop in crops[len(long) :] for line in self._line(box, crop)]

    def _line(self, box: numpy.ndarray, crop: numpy.ndarray) -> Sequence[Line]:
        text = self._read(crop)
        (left, top), (right, bottom) = box.min(axis=0).tolist(), box.max(axis=0).tolist()
        return [(left, top, right, bottom, text)] if text else []

    def _read(self, crop: numpy.ndarray) -> str:
        texts = self._engine(crop, use_det=False, use_cls=False, use_rec=True).txts
        return texts[0] if texts else ""


def _may_be_of_value(text: str) -> bool:
    """Whether a line has a long run with letters and digits, as parts of values have."""
    return any(
        any(map(str.isdigit, piece)) and any(map(str.isalpha, piece)) for piece in _PIECE.findall(text.replace(" ", ""))
    )


def _may_show_lines(picture: numpy.ndarray) -> bool:
    """Whether anything in a picture is as long as a part of a value: strokes side by side, that join if smeared."""
    import cv2  # codes are read without it

    gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    edges = cv2.morphologyEx(gray, cv2.MORPH_GRADIENT, numpy.ones((3, 3), numpy.uint8))
    _, strokes = cv2.threshold(edges, 24, 255, cv2.THRESH_BINARY)
    smeared = cv2.morphologyEx(strokes, cv2.MORPH_CLOSE, numpy.ones((1, 9), numpy.uint8))
    _, _, shapes, _ = cv2.connectedComponentsWithStats(smeared)
    return bool(((shapes[1:, cv2.CC_STAT_WIDTH] >= 48) & (shapes[1:, cv2.CC_STAT_HEIGHT] >= 5)).any())


def _blank(height: int, width: int) -> numpy.ndarray:
    return numpy.full((height, width, 3), 255, numpy.uint8)
