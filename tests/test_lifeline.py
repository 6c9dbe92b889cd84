"""Workers end with the process that started them, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path

import pytest
from binance_leaks.pipeline.lifeline import Lifeline

if __name__ != "__main__":
    from tests.e2e import PROGRAM, Pair

TOP = Path(__file__).resolve().parents[1]


def follow_for_ever(lifeline: Lifeline) -> None:
    """What a worker that hangs does."""
    lifeline.follow()
    os.write(1, b"up")
    time.sleep(600)


@pytest.mark.parametrize("method", get_all_start_methods())
def test_a_worker_that_hangs_ends_with_its_parent(method: str) -> None:
    """Its output is closed when all that hold it are gone."""
    words = [sys.executable, "-m", "tests.test_lifeline", method]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=TOP) as parent:
        assert parent.stdout is not None
        assert parent.stdout.read(4) == b"upup"
        parent.kill()
        assert parent.stdout.read() == b""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
def test_a_scan_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    for number in range(1500):
        pair = Pair.fresh()
        (tmp_path / f"{number}.env").write_text(f"BINANCE_API_KEY={pair.key}\nBINANCE_API_SECRET={pair.secret}\n" * 9)
    words = [*PROGRAM, "scan", "--no-progress", "--jobs", "2", "."]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=tmp_path) as scan:
        assert scan.stdout is not None
        time.sleep(1.5)
        assert scan.poll() is None
        scan.kill()
        assert scan.stdout.read() == b""


if __name__ == "__main__":
    context = get_context(sys.argv[1])
    line = Lifeline(context)
    for _ in range(2):
        context.Process(target=follow_for_ever, args=(line,)).start()  # type: ignore[attr-defined]
    time.sleep(600)
