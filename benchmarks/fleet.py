"""Times `fleet scan` over many repositories, on this machine and on a Dask cluster of the same size.

Small repositories are made, unless a folder that holds some is given; those are only read. The floor of the same run is
one process that scans all of them one after the other, divided by the processors that the fleet has; beside it stand
single runs of `history`, one for each. What a repository costs is told without what a fleet of one costs, so that
starting and connecting do not count. The CPU of the coordinator is that of its own process.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from programs import Absent, Program, add_program_argument, environment, find_own, interpreter
from timing import BenchmarkError, Command, Run, alternate, markdown, seconds

_DRIVER = """
import resource, sys
from scanner.cli import main
status = main()
own, others = (sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
sys.stderr.write(f"\\n{own} {others}")
sys.exit(status)
"""
_IN_PROCESS = """
import sys
from pathlib import Path
from scanner.fleet.search import find_repositories
from scanner.fleet.work import scan_unit, settings_digest
holds_for = settings_digest(None, (), reachable=False)
entries, _ = find_repositories(Path(sys.argv[1]))
for entry in entries:
    repository = {"key": entry.address, "label": entry.label, "address": entry.address, "lent": [],
                  "fingerprint": "", "has_state": False, "state": ""}
    task = {"holds_for": holds_for, "config": None, "exclude": [], "reachable": False, "keep": False, "jobs": 1,
            "time_limit": 3600.0, "clone_limit": 1 << 40, "repositories": [repository]}
    for done in scan_unit(task, lambda step: None):
        if done["reason"]:
            sys.exit(done["reason"])
"""
_HEADER = ("way", "time", "times floor", "a repository", "coordinator", "its CPU", "CPU of all")
_FOUND = frozenset({0, 1})
_LOCAL, _CLUSTER = "local", "cluster"
_FLOOR, _SINGLE, _ONE = "all in one process", "history, each by itself", ", one repository"
_SINGLES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Fleet:
    """What is scanned: a folder of repositories, and another one that holds one of them."""

    folder: Path
    repositories: tuple[Path, ...]
    one: Path


def main() -> int:
    """Measure and print."""
    options = _options()
    own = find_own(options.program)
    try:
        if isinstance(own, Absent):
            raise BenchmarkError(own.why)
        with tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder)
            env = environment(scratch)
            fleet = _fleet(options, scratch, env)
            print(f"{len(fleet.repositories):,} repositories, {options.jobs} at a time")
            with ExitStack() as stack:
                address = ""
                if _CLUSTER in options.modes:
                    address = stack.enter_context(_cluster(own, options.jobs, scratch, env))
                commands = _commands(own, fleet, options, address, scratch, env)
                runs = alternate(commands, rounds=options.rounds)
            print(_table(runs, fleet, options))
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Times `fleet scan`, on this machine and on a Dask cluster.")
    parser.add_argument("--fleet", type=Path, metavar="DIR", help="a folder that holds repositories (default: made)")
    parser.add_argument("--count", type=int, default=200, help="repositories to make (default: %(default)s)")
    parser.add_argument("--commits", type=int, default=3, help="at most, in each (default: %(default)s)")
    parser.add_argument("--modes", nargs="+", choices=(_LOCAL, _CLUSTER), default=[_LOCAL, _CLUSTER])
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes, workers of one thread (default: processors)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="counted rounds (default: %(default)s)")
    add_program_argument(parser)
    return parser.parse_args()


def _fleet(options: argparse.Namespace, scratch: Path, env: Mapping[str, str]) -> Fleet:
    folder = options.fleet.absolute() if options.fleet else scratch / "fleet"
    if not options.fleet:
        for number in range(options.count):
            _make(folder / f"project-{number:04}", 1 + number % options.commits, env)
    repositories = tuple(sorted({found.parent for found in folder.rglob(".git")}))
    if len(repositories) < 2:
        raise BenchmarkError(f"no fleet: {folder}")
    one = scratch / "one"
    one.mkdir()
    (one / "list.txt").write_text(f"{repositories[0]}\n")
    return Fleet(folder=folder, repositories=repositories, one=one / "list.txt")


def _make(folder: Path, commits: int, env: Mapping[str, str]) -> None:
    """A small repository: so many versions of a file of its own, none with a credential."""
    folder.mkdir(parents=True)
    stream = b""
    for number in range(commits):
        text = f"# {folder.name}, version {number}\nfrom binance.client import Client\n".encode() * 20
        stream += b"commit refs/heads/main\ncommitter B <b@example.com> %d +0000\ndata 1\nx\n" % (
            1_700_000_000 + number
        )
        stream += b"M 100644 inline main.py\ndata %d\n%s\n" % (len(text), text)
    for words, given in ((("init", "--quiet", "--template="), b""), (("fast-import", "--quiet"), stream)):
        subprocess.run(["git", "-C", str(folder), *words], env=dict(env), input=given, check=True)


@contextmanager
def _cluster(own: Program, workers: int, scratch: Path, env: Mapping[str, str]) -> Iterator[str]:
    """A scheduler and its workers on this machine, of one thread each."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
    with ExitStack() as stack:
        log = stack.enter_context((scratch / "cluster.log").open("wb"))

        def start(module: str, *words: str) -> None:
            argv = [str(interpreter(own)), "-m", f"distributed.cli.{module}", "--no-dashboard", *words]
            process = subprocess.Popen(argv, cwd=scratch, env=dict(env), stdout=log, stderr=log)
            stack.callback(_end, process)

        start("dask_scheduler", "--host=127.0.0.1", f"--port={address.rpartition(':')[2]}")
        for _ in range(workers):
            start("dask_worker", address, "--no-nanny", "--nthreads=1", "--host=127.0.0.1")
        until = time.monotonic() + 60
        while (scratch / "cluster.log").read_bytes().count(b"Registered to") < workers:
            if time.monotonic() > until:
                raise BenchmarkError("the cluster did not start")
            time.sleep(0.1)
        yield address


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5)
    process.kill()
    process.wait()


def _commands(
    own: Program, fleet: Fleet, options: argparse.Namespace, address: str, scratch: Path, env: Mapping[str, str]
) -> list[Command]:
    python = str(interpreter(own))

    def command(name: str, *argv: str) -> Command:
        return Command(name=name, argv=argv, cwd=scratch, env=env, expected=_FOUND)

    single = (
        f'for one in "$@"; do "{own.path}" history "$one" --jobs 1 --no-progress >&2 || test $? = 1 || exit 3; done'
    )
    commands = [
        command(_FLOOR, python, "-c", _IN_PROCESS, str(fleet.folder)),
        command(_SINGLE, "sh", "-c", single, "sh", *map(str, fleet.repositories[:_SINGLES])),
    ]
    for mode in options.modes:
        where = ("--jobs", str(options.jobs)) if mode == _LOCAL else ("--scheduler", address)
        for name, what in ((mode, fleet.folder), (mode + _ONE, fleet.one)):
            words = ("fleet", "scan", str(what), *where, "--no-progress", "--format", "json")
            commands.append(command(name, python, "-c", _DRIVER, *words))
    return commands


def _table(runs: Mapping[str, Sequence[Run]], fleet: Fleet, options: argparse.Namespace) -> str:
    count = len(fleet.repositories)
    floors = [run.wall / options.jobs for run in runs[_FLOOR]]
    floor = statistics.median(floors)
    single = statistics.median(run.wall / min(count, _SINGLES) for run in runs[_SINGLE])
    rows = [
        [f"{_FLOOR} / {options.jobs}", seconds(floor), "1.00", seconds(floor / count), "", "", ""],
        [
            f"{_SINGLE} / {options.jobs}", seconds(single * count / options.jobs),
            f"{single * count / options.jobs / floor:.2f}", seconds(single / options.jobs), "", "", "",
        ],
    ]  # fmt: skip
    for mode in options.modes:
        whole, one = runs[mode], runs[mode + _ONE]
        ratio = statistics.median(run.wall / base for run, base in zip(whole, floors, strict=True))
        each = statistics.median((run.wall - alone.wall) / (count - 1) for run, alone in zip(whole, one, strict=True))
        wall = statistics.median(run.wall for run in whole)
        own, others = (statistics.median(_cpu(run)[part] for run in whole) for part in (0, 1))
        alone = statistics.median(_cpu(run)[0] for run in one)
        rows.append(
            [
                mode,
                seconds(wall),
                f"{ratio:.2f}",
                seconds(each),
                f"{seconds((own - alone) / (count - 1))} each",
                seconds(own),
                f"{seconds(own + others)}" if mode == _LOCAL else "elsewhere",
            ]
        )
    return markdown(_HEADER, rows)


def _cpu(run: Run) -> tuple[float, float]:
    """Seconds of CPU of the coordinator itself, and of all that it has started."""
    own, others = run.said.split()[-2:]
    return float(own), float(others)


if __name__ == "__main__":
    sys.exit(main())
