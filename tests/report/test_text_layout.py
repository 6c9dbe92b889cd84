"""Styled lines are broken, measured and coloured as rich does it, without importing rich."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO

import pytest
from binance_leaks.report.text_layout import _NARROW, Page, Text
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text as RichText

_STYLES = ("", "bold", "dim", "bold red", "yellow")
_WORDS = st.text(st.sampled_from("abc/.:-,漢字é\u0301…–ß👍 \u00a0"), max_size=60)
_PARTS = st.lists(st.tuples(_WORDS, st.sampled_from(_STYLES)), min_size=1, max_size=4)


def _rich(parts: list[tuple[str, str]], *, width: int, indent: int, hang: int, color: bool) -> str:
    stream = StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        legacy_windows=False,
        markup=False,
        highlight=False,
        emoji=False,
    )
    text = RichText.assemble(*parts)
    first = text.wrap(console, width - indent)[0]
    rest = text[len(text) - len(text.plain[len(first) :].lstrip()) :]
    lines = [RichText(" " * indent) + first]
    if rest:
        lines += [RichText(" " * (indent + hang)) + line for line in rest.wrap(console, width - indent - hang)]
    for line in lines:
        line.rstrip()
        console.print(line, soft_wrap=True)
    return stream.getvalue()


@settings(max_examples=150)
@given(parts=_PARTS, width=st.integers(20, 50), indent=st.integers(0, 6), hang=st.integers(0, 4))
@example(parts=[("a" * 90, "")], width=20, indent=2, hang=2)
@example(parts=[("漢" * 45, "bold"), (" b", "")], width=21, indent=0, hang=3)
@example(parts=[("", "")], width=20, indent=2, hang=0)
def test_a_paragraph_is_broken_as_by_rich(parts: list[tuple[str, str]], width: int, indent: int, hang: int) -> None:
    page = Page(width=width, color=False)
    page.wrapped(Text.assemble(*parts), indent=indent, hang=hang)
    assert page.text() == _rich(parts, width=width, indent=indent, hang=hang, color=False)


def test_each_narrow_character_takes_a_column_for_rich_too() -> None:
    narrow = [chr(code) for code in range(0x3000) if _NARROW.fullmatch(chr(code))]
    assert "…" in narrow
    assert all(cell_len(char) == 1 for char in narrow)


@pytest.mark.parametrize("style", [style for style in _STYLES if style])
def test_a_line_is_styled_as_by_rich(style: str) -> None:
    parts = [("credential: ", style), ("12", ""), (" of them, and more than one line has room for", "dim")]
    page = Page(width=40, color=True)
    page.wrapped(Text.assemble(*parts), indent=2, hang=2)
    assert page.text() == _rich(parts, width=40, indent=2, hang=2, color=True)
    assert "\x1b[" in page.text()


def test_what_is_appended_has_the_style_of_the_text_too() -> None:
    line = Text("2 credentials: ", style="bold") + Text(", ").join([Text("1 high", style="red"), Text("1 low")])
    page = Page(width=80, color=True)
    page.whole(line.append("; none fails").append("."))
    assert page.text().startswith("\x1b[1m2 credentials: \x1b[0m\x1b[1;31m1 high\x1b[0m\x1b[1m, ")
    assert page.text().endswith("; none fails.\x1b[0m\n")


def test_a_report_with_findings_imports_neither_rich_nor_what_compiles_dataclasses() -> None:
    code = (
        "import sys; from binance_leaks.report import View; from binance_leaks.report.text import render_text;"
        "from binance_leaks.findings import *; from binance_leaks.model import *;"
        "value = Value(role=Role.API_KEY, sha256='0' * 64, masked='ab\u2026yz');"
        "place = Location(path='a.py', line=1, column=1, role=Role.API_KEY, exposure=Exposure.PRESENT);"
        "found = Finding(id='0' * 64, kind=Kind.API_KEY, environment=Environment.MAINNET, confidence=Confidence.HIGH,"
        " risk=Risk(level=RiskLevel.HIGH, reasons=('it is one',)), values=(value,), locations=(place,), evidence=());"
        "text = render_text(Result(source=SourceKind.FILES, target='.', findings=(found,)), View());"
        "assert 'HIGH' in text;"
        "sys.exit(sorted({'rich', 'dataclasses', 'inspect'} & set(sys.modules)).__repr__().strip('[]') or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
