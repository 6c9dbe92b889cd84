"""The command that reports print for this program works where it is printed."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from binance_leaks.cli.output import program_command


def _put(folder: Path) -> Path:
    folder.mkdir(parents=True)
    program = folder / ("binance-leaks.exe" if sys.platform == "win32" else "binance-leaks")
    program.write_text("#!/bin/sh\n", "utf-8")
    program.chmod(0o755)
    return program


def test_its_name_where_that_is_in_the_path(tmp_path: Path) -> None:
    _put(tmp_path / "programs")
    assert program_command({"PATH": str(tmp_path / "programs")}) == "binance-leaks"


@pytest.mark.skipif(sys.platform == "win32", reason="pre-commit has other folders there")
def test_its_place_where_only_a_hook_has_it_in_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = tmp_path / "pre-commit" / "a repository" / "py_env-python3"
    program = _put(environment / "bin")
    monkeypatch.setattr(sys, "prefix", str(environment))
    assert program_command({"PATH": str(program.parent)}) == shlex.quote(str(program))
    _put(tmp_path / "programs")
    assert program_command({"PATH": f"{program.parent}:{tmp_path / 'programs'}"}) == "binance-leaks"


def test_python_where_there_is_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    words = shlex.split(program_command({"PATH": str(tmp_path)}))
    assert words == [sys.executable, "-I", "-m", "binance_leaks"]
    done = subprocess.run([*words, "--version"], capture_output=True, timeout=60, check=True)
    assert done.stdout.startswith(b"binance-leaks ")
