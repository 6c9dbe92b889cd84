"""Run the program with a fault in its calls to the system.

The calls are those of the C library, of SQLite too, and are counted: a run without a fault returns a `Call` for each,
and a fault names one of them. A fault of changes is only in files below the `root` of the run.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import IntEnum, IntFlag
from pathlib import Path

from tests.program_server import Server, run_program

VARIABLE = "TEST_FAULT"
"""The variable of the environment in which the program is given its fault."""
EVER = (1 << 31) - 1
_SOURCE = Path(__file__).with_name("injection.c")
_COMPILER = shutil.which("cc") or shutil.which("gcc")
NEEDS = "" if sys.platform == "linux" and _COMPILER else "faults need Linux and a C compiler"
"""Why there are no faults here, if there are none."""
VALUE = re.compile(r"(?<![A-Za-z0-9])(?![0-9a-f]{64})[A-Za-z0-9]{64}(?![A-Za-z0-9])")


class Group(IntFlag):
    """Calls, as `injection.c` describes them."""

    CHANGES = 1
    READS = 2
    OUTPUTS = 4


class Effect(IntEnum):
    """What becomes of a call, as `injection.c` describes it."""

    NONE = 0
    KILL = 1
    CUT = 2
    FAIL = 3
    SHORTEN = 4
    INTERRUPT = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """A fault of the calls `first` to `last` of some groups; of the clock; of standard streams; or a kill at a time.

    `error` is the error number of a call that fails. Each second reading of the clock, which is stopped at `clock` if
    that is not 0, is off by `jump` seconds. The streams `closed` are so when the program starts. After `alarm` seconds
    the process is ended wherever it is. `entry` is what runs: a function that returns an exit status.
    """

    groups: Group = Group.CHANGES
    effect: Effect = Effect.NONE
    error: int = 0
    first: int = 0
    last: int = -1
    clock: int = 0
    jump: int = 0
    closed: tuple[int, ...] = ()
    alarm: float = 0.0
    entry: str = "binance_leaks.cli:main"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was made, and the path of its file."""

    name: str
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A run of the program that met a fault: its exit status, negative for a signal, and what it printed."""

    status: int
    out: str
    err: str
    calls: tuple[Call, ...] = field(repr=False)
    """The calls of the groups of the fault."""


def run(
    words: Sequence[str | Path], fault: Fault, *, root: Path, cwd: Path, env: Mapping[str, str], stdin: bytes = b""
) -> Run:
    """Run the program with a fault. Whatever it is, it ends in time, without a traceback, and shows no value."""
    log = root.with_name(f"{root.name}.calls")
    log.write_bytes(b"")
    given = {VARIABLE: json.dumps({**asdict(fault), "root": os.fspath(root), "log": os.fspath(log)})}
    done = run_program(
        [os.fsencode(word) for word in words],
        cwd=cwd,
        env={**os.environ, **env, **given},
        stdin=stdin,
        timeout=60,
        server=Server("tests.faults.program", (("LD_PRELOAD", _library()), ("PYTHONUNBUFFERED", "1"))),
    )
    lines = (line.partition(" ") for line in log.read_text("utf-8", "surrogateescape").splitlines())
    made = Run(
        status=done.returncode,
        out=done.stdout.decode("utf-8", "replace"),
        err=done.stderr.decode("utf-8", "replace"),
        calls=tuple(Call(name, path) for name, _, path in lines),
    )
    assert "Traceback" not in made.err, made.err
    assert not VALUE.search(made.out), "standard output holds a value"
    assert not VALUE.search(made.err), "standard error holds a value"
    return made


@functools.cache
def _library() -> str:
    """Compile the library that is preloaded; the folder of the tests' temporary files keeps it for all processes."""
    digest = f"{_SOURCE.stat().st_mtime_ns:x}"
    library = Path(tempfile.gettempdir(), f"binance-leaks-faults-{os.getuid()}-{digest}.so")
    if not library.exists():
        assert _COMPILER is not None
        made = library.with_suffix(f".{os.getpid()}")
        subprocess.run(
            [_COMPILER, "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", made, _SOURCE, "-ldl"],
            check=True,
        )
        made.rename(library)
    return os.fspath(library)
