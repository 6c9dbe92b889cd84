"""The progress bars: what they show, how often, and that a remote cannot draw with them."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from binance_leaks.cli import progress
from binance_leaks.cli.progress import CloneProgressBar, ScanProgress
from binance_leaks.pipeline.source import Progress
from rich.console import Console

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A terminal of 80 columns that keeps all that it was shown."""

    def __init__(self) -> None:
        self._stream = StringIO()
        self.console = Console(file=self._stream, force_terminal=True, width=80, color_system=None)

    @property
    def raw(self) -> str:
        return self._stream.getvalue()

    @property
    def frames(self) -> list[str]:
        """Every line that was drawn and says anything."""
        return [line for line in re.split(r"[\r\n]+", _CONTROL.sub("", self.raw)) if line.strip()]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every update is drawn."""
    monkeypatch.setattr(progress, "_INTERVAL", 0.0)


@pytest.mark.usefixtures("always")
def test_a_history_shows_objects_bytes_rate_and_finds(terminal: Terminal) -> None:
    with ScanProgress(console=terminal.console) as bar:
        bar.update(Progress(1_000, 120_345, 52_000_000, 0))
        first = terminal.frames[-1]
        bar.update(Progress(120_000, 120_345, 2_100_000_000, 3))
        last = terminal.frames[-1]
    assert re.search(r"scanning .* 1,000/120,345  52 MB at .*B/s +[-0-9]:", first)
    assert "suspicious" not in first
    assert re.search(r" 120,000/120,345  2\.1 GB at .*B/s  3 suspicious ", last)
    assert all(len(frame) <= 80 for frame in terminal.frames)


@pytest.mark.usefixtures("always")
def test_an_unknown_total_is_not_shown(terminal: Terminal) -> None:
    with ScanProgress(console=terminal.console) as bar:
        bar.update(Progress(1_000, 0, 52_000_000, 0))
        assert re.search(r" 1,000  52 MB at ", terminal.frames[-1])
        bar.update(Progress(1_001, 2_000, 52_000_000, 0))
        assert " 1,001/2,000 " in terminal.frames[-1]


@pytest.mark.usefixtures("always")
def test_files(terminal: Terminal) -> None:
    with ScanProgress(console=terminal.console) as bar:
        bar.update(Progress(7, 20, 1_200))
    assert any(re.search(r"scanning .* 7/20  1\.2 kB at .*B/s", frame) for frame in terminal.frames)


def test_a_clone_shows_each_phase_at_once(terminal: Terminal) -> None:
    with CloneProgressBar(console=terminal.console) as bar:
        for phase, done, total in (("counting objects", 5, None), ("receiving objects", 1, 9), ("deltas", 2, 4)):
            bar.update(phase, done, total)
            reported = f"{done}/{total}" if total else f"{done}"
            assert re.search(rf"cloning: {phase} .* {reported} ", terminal.frames[-1])


@pytest.mark.usefixtures("always")
def test_a_remote_cannot_draw(terminal: Terminal) -> None:
    with CloneProgressBar(console=terminal.console) as bar:
        bar.update("[red]x[/]\x1b[2J\n", 1, 2)
    assert "[red]x[/]\\x1b[2J\\n" in "".join(terminal.frames)
    assert "\x1b[2J" not in terminal.raw


def test_not_every_update_is_drawn(terminal: Terminal) -> None:
    bar = ScanProgress(console=terminal.console)
    with bar:
        before = len(terminal.frames)
        for number in range(1_000):
            bar.update(Progress(number, 100_000, number, 0))
        assert len(terminal.frames) - before < 50


def test_the_cursor_comes_back(terminal: Terminal) -> None:
    with pytest.raises(KeyboardInterrupt), ScanProgress(console=terminal.console) as bar:
        bar.update(Progress(1, 2, 3, 4))
        raise KeyboardInterrupt
    assert terminal.raw.count("\x1b[?25l") == terminal.raw.count("\x1b[?25h") == 1
