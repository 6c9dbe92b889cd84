"""A fault of the program itself: one line, no value, and never the exit status of findings."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
from binance_leaks.detect.document import Document
from binance_leaks.detect.private_keys import private_keys
from binance_leaks.errors import describe_fault
from binance_leaks.pipeline.workers import WorkerPool

from tests.e2e import Pair

PROGRAM = """
import sys
import binance_leaks.cli.scan as scan
from binance_leaks.cli import main

def run(options):
    {fault}

scan.run = run
sys.exit(main(sys.argv[1:]))
"""
FAULTS = {
    "KeyError": "raise KeyError({value!r})",
    "RecursionError": "run(options)",
    "ModuleNotFoundError": "import a_package_that_nobody_has",
    "AssertionError": "assert not {value!r}",
    "UnicodeDecodeError": "{value!r}.encode('utf-16').decode('ascii')",
}


def fail(fault: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `scan` with a command that fails in place of the real one."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(fault=fault), "scan", ".", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_line_and_exits_3(tmp_path: Path, name: str) -> None:
    pair = Pair.fresh()
    done = fail(FAULTS[name].format(value=pair.secret), tmp_path)
    assert done.returncode == 3
    first, hint = done.stderr.splitlines()
    assert first.startswith(f"binance-leaks: internal error: {name} in binance_leaks.cli")
    assert "install binance-leaks again" in hint if name == "ModuleNotFoundError" else "report" in hint
    assert pair.secret not in done.stdout + done.stderr


def test_a_fault_while_an_error_is_reported(tmp_path: Path) -> None:
    """Where a package is damaged, printing an error fails, too: still one line, and not the status of findings."""
    fault = "sys.modules['binance_leaks.report.sanitize'] = None; raise OSError(5, 'x')"
    done = fail(fault, tmp_path)
    assert done.returncode == 3
    assert done.stderr.startswith("binance-leaks: internal error: ModuleNotFoundError in binance_leaks.cli:")
    assert len(done.stderr.splitlines()) == 2


def test_github_shows_a_fault(tmp_path: Path) -> None:
    done = fail("raise KeyError('x')", tmp_path, "--format", "github")
    assert done.returncode == 3
    assert "::error" in done.stdout
    assert "internal error: KeyError" in done.stdout


class Broken:
    """A worker that fails with a message that nobody should read."""

    def work(self, task: str) -> int:
        return int(task)


def test_a_fault_of_a_worker_is_named_without_its_message() -> None:
    value = Pair.fresh().secret
    with pytest.raises(Exception, match="ValueError") as raised, WorkerPool(1, Broken) as pool:
        list(pool.run([value]))
    assert value not in str(raised.value)


def test_the_innermost_line_of_ours_is_named() -> None:
    with pytest.raises(AttributeError) as raised:
        list(private_keys(cast(Document, None)))
    assert re.fullmatch(r"AttributeError in binance_leaks\.detect\.private_keys:\d+", describe_fault(raised.value))
    with pytest.raises(ValueError, match="invalid") as raised_here:
        int("x")
    assert describe_fault(raised_here.value) == "ValueError"
