"""Workers, and git that waits for a remote, end with the process that started them, however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path

import pytest
from binance_leaks.pipeline.lifeline import Lifeline

if __name__ != "__main__":
    from tests.e2e import PROGRAM, Pair
    from tests.repositories import Repository

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


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM", "SIGINT", "SIGALRM"])  # the last: its time limit is over
@pytest.mark.parametrize("command", ["ci", "history"])
def test_a_git_that_waits_for_a_remote_ends_with_its_command(tmp_path: Path, command: str, how: str) -> None:
    """Its connection is closed then."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}/a"
        repository = Repository.create(tmp_path / "clone")
        repository.commit({"a.py": "x = 1\n"})
        repository.git("remote", "add", "origin", url)
        words = ["ci", "--fetch", "--base", "ab" * 20] if command == "ci" else ["history", url]
        with subprocess.Popen(
            [*PROGRAM, *words, "--time-limit", "1h"],
            cwd=repository.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as ran:
            server.settimeout(60)
            connection, _ = server.accept()
            ran.send_signal(getattr(signal, how))
            with connection:
                connection.settimeout(20)
                while connection.recv(1 << 16):
                    pass


if __name__ == "__main__":
    context = get_context(sys.argv[1])
    line = Lifeline(context)
    for _ in range(2):
        context.Process(target=follow_for_ever, args=(line,)).start()  # type: ignore[attr-defined]
    time.sleep(600)
