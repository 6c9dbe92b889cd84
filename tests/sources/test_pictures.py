"""Pictures: recognized by their bytes, read in a process that cannot hang, and reported if they are not read."""

from __future__ import annotations

import base64
import io
import json
import signal
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from binance_leaks.detect import first_test
from binance_leaks.errors import UsageError
from binance_leaks.findings import Skipped
from binance_leaks.native import compiled
from binance_leaks.pipeline.files import scan_chunks
from binance_leaks.sources.pdf_objects import PdfFile
from binance_leaks.sources.pdf_pictures import pictures_of
from binance_leaks.sources.pictures import reader, settings
from binance_leaks.sources.pictures.embedded import embedded_pictures
from binance_leaks.sources.pictures.kinds import is_picture, may_hold_picture
from binance_leaks.sources.pictures.reader import PictureReader
from binance_leaks.sources.read_content import Chunk, read_stream
from binance_leaks.sources.unpack import ArchiveLimits, UnpackBudget

from tests.e2e import Pair, run
from tests.repositories import Repository
from tests.sources.test_archives import zipped
from tests.sources.test_pdf import pdf

image = pytest.importorskip("PIL.Image")
zxingcpp = pytest.importorskip("zxingcpp")
numpy = pytest.importorskip("numpy")
FORMATS = ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP")


def code(text: str, format: str = "PNG", **options: object) -> bytes:
    """A picture with a QR code."""
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    drawn = image.fromarray(numpy.asarray(barcode.to_image(scale=4))).convert("RGB")
    out = io.BytesIO()
    drawn.save(out, format, **options)
    return out.getvalue()


@pytest.fixture
def codes_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pictures are read, but no text is recognized, whose models take long to load."""
    monkeypatch.setenv(settings.VARIABLE, "auto")
    monkeypatch.setattr(settings, "can_read_text", lambda: False)
    own = PictureReader()
    monkeypatch.setattr("binance_leaks.sources.pictures.contents.picture_reader", lambda: own)
    yield
    own.close()


def read(data: bytes, name: str = "shot.png") -> tuple[dict[str, bytes], list[Skipped]]:
    """The chunks of a file by path, and what was not read."""
    items = list(read_stream(name, name, io.BytesIO(data), size=len(data)))
    return {each.path: each.data for each in items if isinstance(each, Chunk)}, [
        each for each in items if isinstance(each, Skipped)
    ]


def test_kinds_are_known_by_their_first_bytes() -> None:
    for format in FORMATS:
        assert is_picture(code("text", format)), format
    for brand in (b"heic", b"avif", b"mif1"):
        assert is_picture(b"\0\0\0\x1cftyp" + brand)
    for data in (
        b"",
        b"BM",
        b"BMW is a car maker",
        b"RIFF\0\0\0\0WAVE",
        b"\0\0\0\x1cftypmp42",
        b"import os\n",
        b"GIF8",
    ):
        assert not is_picture(data)


@pytest.mark.skipif(compiled is None, reason="the compiled module was not built")
def test_the_first_test_shows_what_holds_pictures() -> None:
    """Where pictures are read: nothing that may hold one is passed over, though a delta has no beginning of it."""
    search, without = first_test.new_search(pictures=True), first_test.new_search()
    held = [code("text", format) for format in FORMATS]
    held += [b"\0\0\0\x1cftypheic", b'<img src="data:image/png;base64,iVBORw0KGgoAAAA">', b'"iVBORw0KGgoAAAANSUhEUgAA"']
    for data in held:
        assert may_hold_picture(data)
        assert search.traits(data) & first_test.PICTURE
        assert not without.traits(data) & first_test.PICTURE
        assert first_test.must_look(0, search.traits(data))
    assert not search.traits(b"import os\nimage = None\n" * 50) & first_test.PICTURE


def test_pictures_in_base64_are_found_with_their_lines() -> None:
    first, second = code("first"), code("second", "JPEG")
    lines = base64.encodebytes(second)
    notebook = json.dumps({"image/png": base64.encodebytes(first).decode()})
    text = (
        b"a\nb <img src='data:image/jpeg;base64,"
        + base64.b64encode(second)
        + b"'>\n"
        + notebook.encode()
        + b"\n"
        + lines
    )
    assert list(embedded_pictures(text)) == [("picture in line 2", second), ("picture in line 3", first)]
    assert list(embedded_pictures(b"image/png;base64,iVBORw0KGgo" + b"!" * 90)) == []


@pytest.mark.usefixtures("codes_only")
def test_codes_and_metadata_are_read_wherever_a_picture_is() -> None:
    info = pytest.importorskip("PIL.PngImagePlugin").PngInfo()
    info.add_text("Comment", "packed text " * 20, zip=True)
    shot = code("what it says", pnginfo=info)
    found, skipped = read(shot)
    assert found["shot.png"] == shot
    assert found["shot.png!/code"] == b"what it says"
    assert b"packed text" in found["shot.png!/metadata"]
    assert skipped == []
    found, _ = read(zipped({"docs/a.gif": code("in an archive", "GIF")}), "a.zip")
    assert found["a.zip!/docs/a.gif!/code"] == b"in an archive"
    found, _ = read(shot + zipped({"a": b"behind a picture"}))
    assert (found["shot.png!/code"], found["shot.png!/a"]) == (b"what it says", b"behind a picture")
    jpeg = code("in a file", "JPEG", quality=95)
    size = image.open(io.BytesIO(jpeg)).size
    rows = image.open(io.BytesIO(code("as rows"))).convert("RGB")
    head = b"<</Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceRGB"
    packed = zlib.compress(b"".join(b"\0" + rows.crop((0, y, rows.width, y + 1)).tobytes() for y in range(rows.height)))
    predicted = b"<</Predictor 15/Colors 3/Columns %d>>" % rows.width
    parts = {
        6: head % size + b"/Filter/DCTDecode>>stream\n" + jpeg + b"\nendstream",
        7: head % rows.size + b"/Filter/FlateDecode/DecodeParms%s>>stream\n%s\nendstream" % (predicted, packed),
        8: head % rows.size + b"/Filter/FlateDecode>>stream\n" + zlib.compress(rows.tobytes()) + b"\nendstream",
    }
    found, _ = read(pdf(b"BT ET", parts), "a.pdf")
    codes = {path: text for path, text in found.items() if path.endswith("code")}
    assert codes == {
        "a.pdf!/object 6!/code": b"in a file",
        "a.pdf!/object 7!/code": b"as rows",
        "a.pdf!/object 8!/code": b"as rows",
    }
    found, _ = read(b"text\n![](data:image/png;base64," + base64.b64encode(shot) + b")\n", "README.md")
    assert found["README.md!/picture in line 2!/code"] == b"what it says"
    pages = image.open(io.BytesIO(code("one"))), image.open(io.BytesIO(code("two")))
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:])
    found, _ = read(out.getvalue(), "scan.tif")
    assert (found["scan.tif!/page 1 code"], found["scan.tif!/page 2 code"]) == (b"one", b"two")


@pytest.mark.usefixtures("codes_only")
def test_a_pair_in_a_code_is_that_pair() -> None:
    pair = Pair.fresh()
    shot = code(json.dumps({"apiKey": pair.key, "secretKey": pair.secret, "comment": "binance"}))
    (found,) = scan_chunks(read_stream("shot.png", "", io.BytesIO(shot))).credentials
    assert {each.sha256 for each in found.values} == pair.digests
    assert "read from a code in a picture" in found.evidence


@pytest.mark.usefixtures("codes_only")
def test_what_is_damaged_too_large_or_a_bomb_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    shot = code("text")
    sizes = (30_000).to_bytes(4, "big") * 2 + bytes((1, 0, 0, 0, 0))
    chunks = [(b"IHDR", sizes), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big") for name, data in chunks
    )
    for data, why in (
        (bomb, "million pixels"),
        (b"\x89PNG\r\n\x1a\n" + b"no chunk at all" * 9, "damaged"),
        (b"\0\0\0\x1cftypheic" + bytes(200), "damaged"),
    ):
        _, skipped = read(data)
        assert [(why in each.why, each.lost) for each in skipped] == [(True, False)], why
    found, _ = read(shot)  # the process goes on
    assert found["shot.png!/code"] == b"text"
    monkeypatch.setenv(settings.VARIABLE, "on")
    _, skipped = read(bomb)
    assert [each.lost for each in skipped] == [True]


@pytest.mark.usefixtures("codes_only")
def test_each_limit_is_noted_and_loses_what_must_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = "binance_leaks.sources.pictures."
    monkeypatch.setattr(limits + "embedded._MOST_EMBEDDED", 2)
    monkeypatch.setattr("binance_leaks.sources.pdf_pictures._MOST_PICTURES", 2)
    first, second, third = (b"![](data:image/png;base64,%s)\n" % base64.b64encode(code(text)) for text in "abc")
    head = b"<</Type/XObject/Subtype/Image/Width 90/Height 90/BitsPerComponent 1/ColorSpace/DeviceGray/Filter/%s>>"
    fax, jbig2, jpeg = (
        head % name + b"stream\n%s\nendstream" % code("a", "JPEG")
        for name in (b"CCITTFaxDecode", b"JBIG2Decode", b"DCTDecode")
    )
    info = pytest.importorskip("PIL.PngImagePlugin").PngInfo()
    info.add_text("one", "x" * 700_000)
    info.add_text("two", "y" * 700_000)
    packed = [pytest.importorskip("PIL.PngImagePlugin").PngInfo() for _ in range(2)]
    packed[0].add_text("one", "x" * 1_500_000, zip=True)
    packed[1].add_itxt("one", "x" * 1_500_000, zip=True)
    codes = image.open(io.BytesIO(code("a")))
    sheet = image.new("RGB", (codes.width * 10, codes.height * 7), "white")
    for place in range(70):
        sheet.paste(codes, (place % 10 * codes.width, place // 10 * codes.height))
    out = io.BytesIO()
    sheet.save(out, "PNG")
    cases = [
        (first + second + first, None),
        (first + second + third, "only the first 2 of its pictures in base64 were read"),
        (b"text\n" * 1_700_000 + first, "its pictures in base64 were not read, as it has more than 8 MiB"),
        (b"image/png\n" * 850_000, None),
        (pdf(b"BT ET", {6: jpeg, 7: jpeg}), None),
        (pdf(b"BT ET", {6: jpeg, 7: jpeg, 8: jpeg}), "1 of the pictures in the PDF file was not read: only 2 are read"),
        (
            pdf(b"BT ET", {6: fax, 7: jbig2}),
            "2 of the pictures in the PDF file were not read: fax, JBIG2 and what else",
        ),
        (code("a", pnginfo=info), "the picture: only 1 MiB of its metadata were read"),
        *((code("a", pnginfo=each), "the picture: only 1 MiB of its metadata were read") for each in packed),
        (out.getvalue(), "the picture: only 64 of its codes were read"),
    ]
    for mode in ("auto", "on"):
        monkeypatch.setenv(settings.VARIABLE, mode)
        for data, why in cases:
            _, skipped = read(data, "a")
            assert [each.lost for each in skipped] == [mode == "on"] * (why is not None), skipped
            assert why is None or skipped[0].why.startswith(why)


def test_pixels_of_a_pdf_file_cost_what_is_there() -> None:
    """A stream of one byte makes no picture of millions of pixels, and a picture no more than may be read."""
    budget = UnpackBudget(ArchiveLimits())

    def drawn(width: int, height: int, bits: int, space: bytes, data: bytes) -> tuple[bytes | str, int]:
        head = b"<</Subtype/Image/Width %d/Height %d/BitsPerComponent %d/ColorSpace%s>>"
        part = head % (width, height, bits, space) + b"stream\n" + data + b"\nendstream"
        file = PdfFile(pdf(b"", {6: part}), UnpackBudget(ArchiveLimits()))
        tracemalloc.start()
        (found,) = pictures_of(file, budget)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found if isinstance(found, str) else found[1], most

    indexed = b"[/Indexed/DeviceRGB 255<000102030405>]"
    for space, bits in ((indexed, 8), (indexed, 4), (b"/DeviceRGB", 8), (b"/DeviceGray", 2), (b"/DeviceGray", 1)):
        found, most = drawn(7000, 7000, bits, space, b"x")
        assert found == "1 of the pictures in the PDF file was not read: too large, or cut off", (space, bits)
        assert most < 1 << 20
    found, most = drawn(2000, 2000, 8, indexed, (b"\0\1" * 100_000)[:-1])  # a line end follows
    assert found == b"P6 2000 100 255\n" + bytes(range(6)) * 99_999 + bytes(range(3)) + bytes(3)
    assert most < 8 << 20
    for space, bits, row, shown in (
        (indexed, 4, b"\x01" * 8 + b"\x10", bytes(range(6)) * 8 + b"\3\4\5"),
        (b"/DeviceGray", 2, b"\x1b" * 4 + b"\x40", b"\0\x55\xaa\xff" * 4 + b"\x55"),
        (b"/DeviceRGB", 4, b"\x0f\x0f\x0f" * 8 + b"\xf0\xf0", b"\0\xff\0\xff\0\xff" * 8 + b"\xff\0\xff"),
        (b"/DeviceGray", 8, b"a" * 17, b"a" * 17),
    ):
        found, _ = drawn(17, 16, bits, space, row * 16)
        assert isinstance(found, bytes)
        assert found.partition(b" 255\n")[2] == shown * 16, (space, bits)
    budget.reading_seconds = 0.0
    found, _ = drawn(17, 16, 8, b"/DeviceGray", b"a" * 17 * 16)
    assert found == "1 of the pictures in the PDF file was not read: the others took too long"


@pytest.mark.usefixtures("codes_only")
def test_a_reader_that_hangs_or_dies_is_ended_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    for program, seconds, why in (
        ("import time; print('{\"ready\": true}', flush=True); time.sleep(600)", 0.2, "not read to its end in 0 s"),
        ("print('{\"ready\": true}', flush=True)", 60.0, "ended"),
        ("import sys; sys.exit(1)", 60.0, "ended"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(reader, "_PROGRAM", program)
            patch.setattr(reader, "_SECONDS", seconds)
            own = PictureReader()
            reading = own.read(b"\x89PNG", quick=False)
            assert why in reading.faults[0], (program, reading)
            assert own._process is None
    found, _ = read(code("text"))
    assert found["shot.png!/code"] == b"text"


@pytest.mark.usefixtures("codes_only")
def test_a_content_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shot = code("text")
    own = PictureReader()
    first = own.read(shot, quick=False)
    own.close()
    monkeypatch.setattr(reader, "_PROGRAM", "raise SystemExit")
    assert own.read(shot, quick=False) is first


def test_the_reading_process_neither_connects_nor_writes() -> None:
    from subprocess import run as run_process
    from sys import executable

    tried = (
        "import os, socket, subprocess, sys\n"
        "from binance_leaks.sources.pictures.reading_process import _Guard\n"
        "guard = _Guard(); guard.loaded = True; sys.addaudithook(guard)\n"
        "for do in (lambda: socket.create_connection(('127.0.0.1', 9)), lambda: subprocess.run(['true']),\n"
        "           lambda: open('left', 'w'), lambda: os.system('true')):\n"
        "    try:\n        do()\n    except PermissionError:\n        print('refused')\n"
    )
    done = run_process([executable, "-c", tried], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["refused"] * 4


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="the system has no alarms")
def test_the_reading_process_ends_by_itself_when_nobody_waits() -> None:
    """Who started it may be killed while a picture makes it hang."""
    hang = "from binance_leaks.sources.pictures import reading_process as r; import time; "
    hang += "r._read = lambda *_, **__: time.sleep(600); r.main(False)"
    with subprocess.Popen([sys.executable, "-c", hang], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps({"size": 1, "quick": True, "seconds": 0.2}).encode("ascii") + b"\nx")
        process.stdin.flush()
        assert process.wait(60) == -signal.SIGALRM


def test_without_the_extra_pictures_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from binance_leaks.cli.pictures import pictures_read
    from binance_leaks.pipeline.files import FileSource

    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(code(name))
    monkeypatch.setattr(settings, "can_read_codes", lambda: False)
    monkeypatch.setattr(settings, "can_read_text", lambda: False)
    source = FileSource(paths=[tmp_path], target="x")
    with pictures_read(None, quick=False):
        assert source.read().skipped == ()  # the environment says off
    with pictures_read("auto", quick=False):
        (skipped,) = source.read().skipped
    assert (skipped.what, skipped.lost) == ("2 pictures", False)
    assert "pip install" in skipped.why
    with pytest.raises(UsageError, match="are not all installed"), pictures_read("on", quick=False):
        pass


def test_a_commit_with_a_code_is_stopped(repository: Repository) -> None:
    """In a process of its own, where the text of the picture is recognized, too, if that is installed."""
    pair = Pair.fresh()
    repository.commit({"README.md": "text\n"})
    repository.stage("docs/shot.png", code(pair.dotenv))
    off = run("staged", cwd=repository.folder)
    assert off.status == 0
    environment = {settings.VARIABLE: "auto"}
    stopped = run("staged", cwd=repository.folder, env=environment)
    assert stopped.status == 1
    assert "docs/shot.png!/code" in stopped.out
    assert "reading a picture, at most a second each; --pictures off" in stopped.err
    passed = run("staged", "--pictures", "off", cwd=repository.folder, env=environment)
    assert passed.status == 0
    repository.commit({"docs/shot.png": code(pair.dotenv)})
    found = run("history", "--pictures", "auto", "--format", "json", cwd=repository.folder).report["findings"]
    assert [each["locations"][0]["path"] for each in found] == ["docs/shot.png!/code"]
