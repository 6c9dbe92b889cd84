"""Real Dask clusters for tests: a scheduler and workers, each a process of its own on this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e import SOURCE

_PATIENCE = 120.0
_PAUSE = 0.05
_ENDS = 2.0


def eventually(what: Callable[[], object], *, within: float = _PATIENCE, reported: Callable[[], str] = str) -> None:
    """Wait until something holds. A test that waits in vain fails, with what is `reported` then."""
    until = time.monotonic() + within
    while not what():
        if time.monotonic() > until:
            raise AssertionError(f"not so after {within:g} seconds: {reported()}")
        time.sleep(_PAUSE)


def lives(process: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state not in "ZX"


def children(process: int) -> list[int]:
    """The processes that one has started and that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError, IndexError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == process and lives(int(entry.name)):
                    found.append(int(entry.name))
    return found


def command(process: int) -> str:
    """The command line of a process, as everybody on the machine can see it."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().decode("latin-1")
    return ""


def working_in(folder: Path) -> list[int]:
    """The processes whose current folder is in this one, or was before it was removed."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                if (entry / "cwd").readlink().is_relative_to(folder) and lives(int(entry.name)):
                    found.append(int(entry.name))
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A scheduler or a worker. `temporary` is where it makes temporary folders, `log` what it says."""

    process: subprocess.Popen[bytes]
    log: Path
    temporary: Path

    @property
    def printed(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def port(self) -> int:
        """Where a worker listens."""
        return int(self.printed.partition("Start worker at:")[2].splitlines()[0].rpartition(":")[2])

    def end(self, number: int) -> None:
        """Sends a signal to it alone and waits for its end."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(timeout=_PATIENCE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """A scheduler at `address` and its workers."""

    folder: Path
    address: str
    env: Mapping[str, str]
    parts: list[Part] = field(default_factory=list)

    @property
    def scheduler(self) -> Part:
        """The one that was started last."""
        return next(part for part in reversed(self.parts) if part.log.name.startswith("scheduler"))

    @property
    def workers(self) -> list[Part]:
        """Those that still run, in the order of their start."""
        return [p for p in self.parts if p.log.name.startswith("worker") and p.process.poll() is None]

    def start_worker(self, *, threads: int = 1, path: str = str(SOURCE), wait: bool = True) -> Part:
        """One more worker, which imports from `path`."""
        part = self._start(
            "worker", path, "distributed.cli.dask_worker", self.address, "--no-nanny", f"--nthreads={threads}",
            "--host=127.0.0.1", "--no-dashboard", f"--local-directory={self.folder / 'spill'}", "--death-timeout=60",
        )  # fmt: skip
        if wait:
            self.settle(part, "Registered to")
        return part

    def start_scheduler(self, path: str = str(SOURCE)) -> Part:
        """A scheduler at the same address, after the last one has ended."""
        port = self.address.rpartition(":")[2]
        part = self._start(
            "scheduler", path, "distributed.cli.dask_scheduler", "--host=127.0.0.1", f"--port={port}", "--no-dashboard",
        )  # fmt: skip
        return self.settle(part, "Scheduler at:")

    @staticmethod
    def settle(part: Part, word: str) -> Part:
        """Wait until it says a word."""
        eventually(lambda: word in part.printed or part.process.poll() is not None, reported=lambda: part.printed)
        assert word in part.printed, part.printed
        return part

    @property
    def printed(self) -> str:
        """What all parts have printed."""
        return "\n".join(part.printed for part in self.parts)

    def leftovers(self) -> list[str]:
        """Clones, and folders of runners whose worker is gone."""
        gone = [part for part in self.parts if part.process.poll() is not None]
        clones = [left for part in self.parts for left in part.temporary.rglob("mirror-*")]
        return sorted(map(str, (*clones, *(left for part in gone for left in part.temporary.rglob("fleet-*")))))

    def end(self) -> None:
        """Ends all parts, and waits for each."""
        for part in reversed(self.parts):
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    if part.process.poll() is None:
                        part.process.send_signal(number)
                    part.process.wait(timeout=_ENDS)
                    break

    def _start(self, kind: str, path: str, module: str, *words: str) -> Part:
        name = f"{kind}-{len(self.parts)}"
        temporary = self.folder / f"tmp-{name}"
        temporary.mkdir(parents=True)
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-P" if sys.version_info >= (3, 11) else "-B", "-m", module, *words],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=temporary,
                env={**os.environ, **self.env, "PYTHONPATH": path, "TMPDIR": str(temporary)},
            )  # fmt: skip
        part = Part(process=process, log=log, temporary=temporary)
        self.parts.append(part)
        return part


@contextlib.contextmanager
def cluster(
    folder: Path, *, workers: int = 2, env: Mapping[str, str] | None = None, path: str = str(SOURCE)
) -> Iterator[Cluster]:
    """A cluster that is ended at the end, whatever happens. Its logs and temporary folders are below `folder`."""
    made = Cluster(folder=folder, address=f"tcp://127.0.0.1:{_free_port()}", env=env or {})
    folder.mkdir(parents=True, exist_ok=True)
    try:
        made.start_scheduler(path)
        started = [made.start_worker(path=path, wait=False) for _ in range(workers)]
        for part in started:
            made.settle(part, "Registered to")
        yield made
    finally:
        made.end()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
