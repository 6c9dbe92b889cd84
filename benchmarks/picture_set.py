"""Draws pictures with generated credentials in them, and bait without: pages, terminals, editors, photos, charts.

Pages are drawn by a Chromium, which `CHROMIUM` may name. The same number gives the same pictures, with other values.
"""

from __future__ import annotations

import html
import io
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy
import zxingcpp
from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Browser, sync_playwright
from samples import clean_sources, key_pair

INDEX = "index.json"
_THEMES = (
    ("#ffffff", "#1e2329", "#f5f5f5"),
    ("#181a20", "#eaecef", "#2b3139"),
    ("#fdf6e3", "#586e75", "#eee8d5"),
    ("#002b36", "#93a1a1", "#073642"),
    ("#300a24", "#eeeeec", "#4e2a45"),
)
_FONTS = ("DejaVu Sans", "DejaVu Sans Mono", "DejaVu Serif", "DejaVu Sans Condensed", "Liberation Sans, sans-serif")
_KINDS = ("page", "wrapped page", "terminal", "editor")
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """A picture: its file, what sort it is, and what of a credential it shows: `pair`, `key`, `secret` or nothing."""

    file: str
    sort: str
    shows: str = ""


def read_index(folder: Path) -> list[Drawn]:
    """Return what was drawn into a folder."""
    return [Drawn(**each) for each in json.loads((folder / INDEX).read_text("utf-8"))]


def draw(folder: Path, *, clear: int, others: int, bait: int, number: int) -> None:
    """Draw `clear` screenshots, `others` of codes, photos and covered values each, and `bait` into a folder."""
    chosen = random.Random(number)
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        drawn = list(_pictures(folder, browser, chosen, clear=clear, others=others, bait=bait))
        browser.close()
    (folder / INDEX).write_text(json.dumps([asdict(each) for each in drawn]), "utf-8")


def _pictures(
    folder: Path, browser: Browser, chosen: random.Random, *, clear: int, others: int, bait: int
) -> Iterator[Drawn]:
    for number in range(clear):
        kind = _KINDS[number % len(_KINDS)]
        shot = _shot(browser, chosen, _document(kind, chosen, *key_pair()))
        name = _save(folder, f"clear-{number}", shot, _FORMATS[number // len(_KINDS) % len(_FORMATS)])
        yield Drawn(file=name, sort=kind, shows="pair")
    for number in range(others):
        name = _save(folder, f"code-{number}", _code(chosen, *key_pair()), chosen.choice(("PNG", "JPEG", "WEBP")))
        yield Drawn(file=name, sort="QR code", shows="pair")
    for number in range(others):
        shot = _shot(browser, chosen, _document(chosen.choice(_KINDS), chosen, *key_pair()))
        strength = number % 3
        name = _save(folder, f"photo-{number}", _as_photo(shot, chosen, strength), "JPEG")
        yield Drawn(file=name, sort=f"photo, {('light', 'medium', 'strong')[strength]}", shows="pair")
    for number in range(others):
        covered = ("key", "secret", "ends")[number % 3]
        shot = _shot(browser, chosen, _document("page", chosen, *key_pair(), covered=covered))
        shows = {"key": "secret", "secret": "key", "ends": ""}[covered]
        yield Drawn(file=_save(folder, f"covered-{number}", shot, "PNG"), sort=f"covered: {covered}", shows=shows)
    for number in range(bait):
        draw_bait = _BAIT[number % len(_BAIT)]
        shot = draw_bait(browser, chosen)
        name = _save(folder, f"bait-{number}", shot, "JPEG" if draw_bait is _photo else "PNG")
        yield Drawn(file=name, sort=f"bait: {draw_bait.__name__.strip('_').replace('_', ' ')}")


def _save(folder: Path, stem: str, image: Image.Image, format: str) -> str:
    name = f"{stem}.{format.lower()}"
    image.save(folder / name, format, **({"quality": 85} if format in ("JPEG", "WEBP") else {}))
    return name


# --- pages -----------------------------------------------------------------------------------------------------------


def _document(kind: str, chosen: random.Random, key: str, secret: str, covered: str = "") -> str:
    """The HTML of a page, terminal or editor that shows a pair, of which something may be covered."""
    shown = {"key": html.escape(key), "secret": html.escape(secret)}
    cover = '<span style="background:#000;color:#000">{}</span>'
    if covered in shown:
        shown[covered] = f'<span style="background:#000;color:#000">{shown[covered]}</span>'
    elif covered == "ends":
        shown = {name: value[:14] + cover.format(value[14:50]) + value[50:] for name, value in shown.items()}
    back, text, panel = chosen.choice(_THEMES[:2] if "page" in kind else _THEMES)
    size = chosen.choice((13, 14, 15, 16, 18, 20, 22))
    font = chosen.choice(_FONTS) if "page" in kind else "DejaVu Sans Mono"
    style = f"background:{back};color:{text};font:{size}px '{font}';margin:0;padding:24px;line-height:1.5"
    if "page" in kind:
        width = "22em;word-break:break-all" if kind == "wrapped page" else "auto"
        label = chosen.choice(("API Key", "API key", "Api Key"))
        rows = "".join(
            f"<div style='background:{panel};padding:12px;margin:8px 0'><div style='opacity:.7'>{name}</div>"
            f"<div style='width:{width}'>{value}</div></div>"
            for name, value in ((label, shown["key"]), ("Secret Key", shown["secret"]))
        )
        head = chosen.choice(("Binance", "BINANCE", "binance.com/en/my/settings/api-management"))
        body = (
            f"<p>{head}</p><h2>API Management</h2><p>trading-bot-{chosen.randrange(99)}</p>{rows}"
            "<p>Enable Reading &nbsp;&nbsp; Enable Spot &amp; Margin Trading &nbsp;&nbsp; Enable Withdrawals</p>"
        )
    else:
        names = chosen.choice((("BINANCE_API_KEY", "BINANCE_API_SECRET"), ("binance_key", "binance_secret")))
        lines = {
            "terminal": [
                "$ cat .env", f"{names[0]}={shown['key']}", f"{names[1]}={shown['secret']}", "$ python bot.py",
            ],
            "editor": [
                "1  from binance.client import Client", "2  ", f'3  api_key = "{shown["key"]}"',
                f'4  api_secret = "{shown["secret"]}"', "5  client = Client(api_key, api_secret)",
            ],
        }[kind]  # fmt: skip
        body = f"<pre style='font:inherit;margin:0'>{chr(10).join(lines)}</pre>"
    return f'<body style="{style}">{body}</body>'


def _shot(browser: Browser, chosen: random.Random, document: str) -> Image.Image:
    size = chosen.choice(((1280, 720), (1440, 900), (1920, 1080)))
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]}, device_scale_factor=chosen.choice((1, 1, 1.5, 2))
    )
    page.set_content(document)
    data = page.screenshot(clip={"x": 0, "y": 0, "width": size[0], "height": min(size[1], 520)})
    page.close()
    return Image.open(io.BytesIO(data)).convert("RGB")


def _as_photo(shot: Image.Image, chosen: random.Random, strength: int) -> Image.Image:
    """A screen as a phone sees it: turned a little, not quite sharp, noisy, uneven light."""
    turned = shot.rotate(chosen.uniform(-1, 1) * (0.7, 1.5, 3.0)[strength], Image.Resampling.BICUBIC, expand=True)
    soft = turned.filter(ImageFilter.GaussianBlur((0.4, 0.8, 1.3)[strength]))
    values = numpy.asarray(soft).astype("float32")
    noise = numpy.random.default_rng(chosen.randrange(1 << 30)).normal(0, (4, 9, 16)[strength], values.shape)
    light = numpy.linspace(1.0, chosen.uniform(0.6, 0.95), values.shape[1])[None, :, None]
    return Image.fromarray(numpy.clip(values * light + noise, 0, 255).astype("uint8"))


def _code(chosen: random.Random, key: str, secret: str) -> Image.Image:
    content = chosen.choice(
        (
            json.dumps({"apiKey": key, "secretKey": secret, "comment": "binance bot"}),
            f"BINANCE_API_KEY={key}\nBINANCE_API_SECRET={secret}",
            f"binance://import?apiKey={key}&secretKey={secret}",
        )
    )
    barcode = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode)
    code = Image.fromarray(numpy.asarray(barcode.to_image(scale=chosen.choice((3, 4, 6)))))
    paper = Image.new("RGB", (code.width + 400, code.height + 200), chosen.choice(("#ffffff", "#eeeeee", "#fdf6e3")))
    paper.paste(code.convert("RGB"), (chosen.randrange(40, 360), chosen.randrange(40, 160)))
    if chosen.random() < 0.5:
        paper = _as_photo(paper, chosen, chosen.randrange(2))
    return paper


# --- bait ------------------------------------------------------------------------------------------------------------


def _icon(_: Browser, chosen: random.Random) -> Image.Image:
    size = chosen.choice((16, 24, 32, 48, 64, 128, 256))
    image = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    for _number in range(chosen.randrange(1, 6)):
        box = sorted(chosen.randrange(size) for _each in range(4))
        shape = chosen.choice((pen.ellipse, pen.rectangle))
        shape((box[0], box[1], box[2] + 1, box[3] + 1), fill=_color(chosen))
    return image


def _chart(_: Browser, chosen: random.Random) -> Image.Image:
    image = Image.new("RGB", (chosen.choice((640, 1000)), 480), chosen.choice(("#ffffff", "#0b0e11")))
    pen = ImageDraw.Draw(image)
    level = 240.0
    for x in range(20, image.width - 60, 8):
        change = chosen.gauss(0, 14)
        pen.line((x + 3, level - 20, x + 3, level + 20), fill="#848e9c")
        pen.rectangle((x, min(level, level + change), x + 5, max(level, level + change)), fill=_color(chosen))
        level = min(420.0, max(60.0, level + change))
    for row in range(60, 460, 50):
        pen.text((image.width - 58, row), f"{chosen.uniform(100, 99999):.2f}", fill="#848e9c")
    pen.text((20, 10), "BTCUSDT Binance 1h O H L C", fill="#848e9c")
    return image


def _photo(_: Browser, chosen: random.Random) -> Image.Image:
    seeded = numpy.random.default_rng(chosen.randrange(1 << 30))
    small = seeded.integers(0, 255, (chosen.choice((4, 12, 40)), chosen.choice((6, 16, 60)), 3), dtype="uint8")
    image = Image.fromarray(small).resize((800, 600), Image.Resampling.BICUBIC)
    values = numpy.asarray(image).astype("float32") + seeded.normal(0, 8, (600, 800, 3))
    return Image.fromarray(numpy.clip(values, 0, 255).astype("uint8"))


def _code_without_keys(browser: Browser, chosen: random.Random) -> Image.Image:
    lines = next(iter(clean_sources(1, chosen.randrange(1 << 30)).values())).splitlines()
    start = chosen.randrange(max(1, len(lines) - 30))
    return _lines(browser, chosen, lines[start : start + chosen.randrange(8, 26)])


def _hashes(browser: Browser, chosen: random.Random) -> Image.Image:
    length = chosen.choice((40, 64))
    lines = [f"{chosen.randbytes(32).hex()[:length]}  binance/file-{number}.tar.gz" for number in range(10)]
    return _lines(browser, chosen, ["$ sha256sum *", *lines])


def _base64_block(browser: Browser, chosen: random.Random) -> Image.Image:
    import base64

    body = base64.b64encode(chosen.randbytes(700)).decode("ascii")
    rows = [body[at : at + 64] for at in range(0, len(body), 64)]
    return _lines(browser, chosen, ["-----BEGIN CERTIFICATE-----", *rows, "-----END CERTIFICATE-----"])


def _hidden_keys(browser: Browser, chosen: random.Random) -> Image.Image:
    return _shot(browser, chosen, _document("page", chosen, "*" * chosen.randrange(20, 64), "•" * 40))


def _page_of_prose(browser: Browser, chosen: random.Random) -> Image.Image:
    words = [
        "The",
        "API",
        "key",
        "of",
        "Binance",
        "has",
        "two",
        "halves",
        "and",
        "the",
        "secret",
        "is",
        "shown",
        "once",
        "so",
        "store",
        "it",
        "in",
        "a",
        "vault",
        "and",
        "rotate",
    ]
    text = " ".join(chosen.choice(words) for _ in range(120))
    back, color, _panel = chosen.choice(_THEMES)
    return _shot(browser, chosen, f"<body style='background:{back};color:{color};font:16px sans-serif'><p>{text}</p>")


def _code_of_link(_: Browser, chosen: random.Random) -> Image.Image:
    barcode = zxingcpp.create_barcode(
        f"https://www.binance.com/en/activity/{chosen.randbytes(20).hex()}", zxingcpp.BarcodeFormat.QRCode
    )
    return Image.fromarray(numpy.asarray(barcode.to_image(scale=4)))


def _lines(browser: Browser, chosen: random.Random, lines: list[str]) -> Image.Image:
    back, color, _panel = chosen.choice(_THEMES)
    size = chosen.choice((13, 14, 16, 18))
    text = html.escape("\n".join(lines))
    style = f"background:{back};color:{color};font:{size}px 'DejaVu Sans Mono';margin:12px"
    return _shot(browser, chosen, f"<body style=\"{style}\"><pre style='font:inherit'>{text}</pre>")


def _color(chosen: random.Random) -> tuple[int, int, int]:
    return chosen.randrange(256), chosen.randrange(256), chosen.randrange(256)


_BAIT: tuple[Callable[[Browser, random.Random], Image.Image], ...] = (
    _icon, _chart, _photo, _icon, _photo, _icon, _code_of_link, _photo, _icon, _photo,
    _code_without_keys, _icon, _photo, _icon, _photo, _chart, _icon, _photo, _icon, _hashes,
    _icon, _photo, _icon, _chart, _photo, _icon, _photo, _icon, _base64_block, _icon,
    _photo, _icon, _photo, _hidden_keys, _icon, _photo, _icon, _page_of_prose, _photo, _icon,
)  # fmt: skip
