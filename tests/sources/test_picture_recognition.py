"""Text in pictures, recognized by the real models: the parts that are installed decide whether this runs."""

from __future__ import annotations

import io
from random import Random

import pytest
from binance_leaks.pipeline.files import scan_chunks
from binance_leaks.sources.pictures import settings
from binance_leaks.sources.pictures.reader import picture_reader
from binance_leaks.sources.read_content import read_stream

from tests.corpus.values import hmac_value
from tests.e2e import Pair

image = pytest.importorskip("PIL.Image")
draw = pytest.importorskip("PIL.ImageDraw")
font = pytest.importorskip("PIL.ImageFont")
pytestmark = pytest.mark.skipif(not settings.can_read_text(), reason="nothing that recognizes text is installed")


def drawn(*lines: str) -> bytes:
    """A screenshot of some lines."""
    paper = image.new("RGB", (1000, 40 * len(lines) + 40), "white")
    for number, line in enumerate(lines):
        draw.Draw(paper).text((30, 20 + 40 * number), line, fill="#1e2329", font=font.load_default(20))
    out = io.BytesIO()
    paper.save(out, "PNG")
    return out.getvalue()


def test_a_page_with_a_pair_is_read_and_one_without_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.VARIABLE, "on")
    picture_reader().close()  # another test may have started its process, which then recognizes no text
    rng = Random(3)
    pair = Pair(key=hmac_value(rng), secret=hmac_value(rng))
    shot = drawn("Binance API Management", "API Key", pair.key, "Secret Key", pair.secret)
    tally = scan_chunks(read_stream("shot.png", "shot.png", io.BytesIO(shot)))
    assert tally.skipped == []
    (found,) = tally.credentials
    assert len(found.values) == 2
    assert {each.location.path for each in found.occurrences} == {"shot.png!/text"}
    assert all(each.secret is None for each in found.values)
    plain = drawn("Binance API Management", "The API key is shown once,", "so store it in a vault", "order 8812 filled")
    tally = scan_chunks(read_stream("plain.png", "plain.png", io.BytesIO(plain)))
    assert (tally.credentials, tally.skipped) == ([], [])
