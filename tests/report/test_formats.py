"""The registry of formats, what it costs to use it, and writing to a stream."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO, TextIOWrapper

import pytest
from binance_leaks.errors import UsageError
from binance_leaks.report import FORMAT_NAMES, View, format_named, write_report
from binance_leaks.report.json import render_json
from binance_leaks.report.text import render_text

from . import examples


def test_formats_are_found_by_name() -> None:
    assert FORMAT_NAMES == ("text", "json", "sarif", "github", "gitlab", "junit", "csv", "markdown", "html")
    assert [format_named(name).name for name in FORMAT_NAMES] == list(FORMAT_NAMES)


def test_an_unknown_format_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="unknown report format: 'yaml'") as caught:
        format_named("yaml")
    assert caught.value.hint == f"Known: {', '.join(FORMAT_NAMES)}"


def test_formats_pass_the_view_on() -> None:
    result = examples.files_result()
    view = View(width=50, color=True, show_suppressed=True, verbose=True)
    assert format_named("text").render(result, view) == render_text(result, view)
    assert format_named("json").render(result, view) == render_json(result, View(show_suppressed=True))


@pytest.mark.parametrize("name", FORMAT_NAMES)
@pytest.mark.parametrize("show_suppressed", [False, True])
def test_the_same_result_gives_the_same_text(name: str, show_suppressed: bool) -> None:
    view = View(show_suppressed=show_suppressed)
    first, second = (format_named(name).render(examples.files_result(), view) for _ in range(2))
    assert first == second


def test_a_clean_scan_pays_for_no_slow_import() -> None:
    program = (
        "import sys; from binance_leaks.findings import Result, ScanStats, SourceKind\n"
        "from binance_leaks.report import View, format_named\n"
        "result = Result(source=SourceKind.STAGED, target='.', findings=(), stats=ScanStats(files=2))\n"
        "assert 'No Binance credentials' in format_named('text').render(result, View())\n"
        "sys.exit(sorted({'rich', 'json', 'unicodedata'} & set(sys.modules)).__repr__().strip('[]') or None)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("encoding", "written"),
    [("utf-8", "abcd…\n配"), ("ascii", "abcd...\n\\u914d"), ("cp1252", "abcd…\n\\u914d"), ("gbk", "abcd…\n配")],
)
def test_a_stream_gets_what_it_can_encode(encoding: str, written: str) -> None:
    raw = BytesIO()
    stream = TextIOWrapper(raw, encoding=encoding, newline="\n")
    write_report("abcd…\n配", stream)
    assert raw.getvalue().decode(encoding) == written
