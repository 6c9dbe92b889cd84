"""Times `fleet scan` over many repositories, on this machine and on a Dask cluster of the same size.

Small repositories are made, unless a folder that holds some is given; those are only read. The floor of the same run is
one process that scans all of them one after the other, divided by the processors that the fleet has; beside it are
single runs of `history`, one for each. What a repository costs is reported without what a fleet of one costs, so that
starting and connecting do not count. The CPU of the coordinator is that of its own process. `again` is a second run
with the store of a first one that is not counted.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import statistics
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from programs import Absent, Program, add_program_argument, environment, find_own, interpreter
from timing import BenchmarkError, Command, Run, alternate, markdown, run, seconds

_DRIVER = """
import resource, sys
from binance_leaks.cli import main
status = main()
own, others = (sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sys.stderr.write(f"\\n{own} {others} {peak}")
sys.exit(status)
"""
_IN_PROCESS = """
import sys
from pathlib import Path
from binance_leaks.fleet.local_repositories import find_repositories
from binance_leaks.fleet.unit_scan import scan_unit, settings_digest
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
_HEADER = ("way", "time", "times floor", "a repository", "coordinator", "its CPU", "CPU of all", "its peak")
_FOUND = frozenset({0, 1})
_LOCAL, _CLUSTER, _AGAIN = "local", "cluster", "again"
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
                for command in commands:
                    if command.name.startswith(_AGAIN):
                        run(command)
                runs = alternate(commands, rounds=options.rounds, warmup=options.warmup)
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
    parser.add_argument("--places", type=int, default=0, help="of 50 credentials, in each (default: none)")
    parser.add_argument("--modes", nargs="+", choices=(_LOCAL, _AGAIN, _CLUSTER), default=[_LOCAL, _AGAIN, _CLUSTER])
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes, workers of one thread (default: processors)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="counted rounds (default: %(default)s)")
    parser.add_argument("--warmup", type=int, default=1, help="rounds before them (default: %(default)s)")
    add_program_argument(parser)
    return parser.parse_args()


def _fleet(options: argparse.Namespace, scratch: Path, env: Mapping[str, str]) -> Fleet:
    folder = options.fleet.absolute() if options.fleet else scratch / "fleet"
    if not options.fleet:
        for number in range(options.count):
            _make(folder / f"project-{number:04}", 1 + number % options.commits, options.places, env)
    found = {head.parent for head in folder.rglob("HEAD") if (head.parent / "objects").is_dir()}
    repositories = tuple(sorted(git.parent if git.name == ".git" else git for git in found))
    if len(repositories) < 2:
        raise BenchmarkError(f"no fleet: {folder}")
    one = scratch / "one"
    one.mkdir()
    (one / "list.txt").write_text(f"{repositories[0]}\n")
    return Fleet(folder=folder, repositories=repositories, one=one / "list.txt")


def _make(folder: Path, commits: int, places: int, env: Mapping[str, str]) -> None:
    """A small repository: so many versions of a file of its own, and so many places of the same 50 credentials."""
    folder.mkdir(parents=True)
    stream = b""
    for number in range(commits):
        text = f"# {folder.name}, version {number}\nfrom binance.client import Client\n".encode() * 20
        stream += b"commit refs/heads/main\ncommitter B <b@example.com> %d +0000\ndata 1\nx\n" % (
            1_700_000_000 + number
        )
        stream += b"M 100644 inline main.py\ndata %d\n%s\n" % (len(text), text)
    rng = Random(1)
    pairs = [[_value(rng), _value(rng)] for _ in range(50 if places else 0)]
    for number in range(places // 2):
        key, secret = pairs[number % 50]
        text = f'# {number}\nfrom binance.client import Client\nclient = Client("{key}", "{secret}")\n'.encode()
        stream += b"M 100644 inline s%d/c%d.py\ndata %d\n%s\n" % (number % 50, number, len(text), text)
    for words, given in ((("init", "--quiet", "--template="), b""), (("fast-import", "--quiet"), stream)):
        subprocess.run(["git", "-C", str(folder), *words], env=dict(env), input=given, check=True)


def _value(rng: Random) -> str:
    """What has the shape of a key or secret, and is none."""
    return "aB3" + "".join(rng.choices(string.ascii_letters + string.digits, k=61))


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

    history = f'"{own.path}" history "$one" --jobs 1 --allow-incomplete --no-progress'
    single = f'for one in "$@"; do {history} >&2 || test $? = 1 || exit 3; done'
    commands = [
        command(_FLOOR, python, "-c", _IN_PROCESS, str(fleet.folder)),
        command(_SINGLE, "sh", "-c", single, "sh", *map(str, fleet.repositories[: _singles(fleet, options)])),
    ]
    for mode in options.modes:
        where = ("--scheduler", address) if mode == _CLUSTER else ("--jobs", str(options.jobs))
        for name, what in ((mode, fleet.folder), (mode + _ONE, fleet.one)):
            store = ("--store", str(scratch / f"{name}.db")) if mode == _AGAIN else ()
            words = (
                "fleet",
                "scan",
                str(what),
                *where,
                *store,
                "--allow-incomplete",
                "--no-progress",
                "--format",
                "json",
            )
            commands.append(command(name, python, "-c", _DRIVER, *words))
    return commands


def _singles(fleet: Fleet, options: argparse.Namespace) -> int:
    """How many are scanned by themselves: of generated ones, which are all alike, a few stand for all."""
    return len(fleet.repositories) if options.fleet else _SINGLES


def _table(runs: Mapping[str, Sequence[Run]], fleet: Fleet, options: argparse.Namespace) -> str:
    count = len(fleet.repositories)
    floors = [run.wall / options.jobs for run in runs[_FLOOR]]
    floor = statistics.median(floors)
    single = statistics.median(run.wall / min(count, _singles(fleet, options)) for run in runs[_SINGLE])
    rows = [
        [f"{_FLOOR} / {options.jobs}", seconds(floor), "1.00", seconds(floor / count), "", "", "", ""],
        [
            f"{_SINGLE} / {options.jobs}", seconds(single * count / options.jobs),
            f"{single * count / options.jobs / floor:.2f}", seconds(single / options.jobs), "", "", "", "",
        ],
    ]  # fmt: skip
    for mode in options.modes:
        whole, one = runs[mode], runs[mode + _ONE]
        ratio = statistics.median(run.wall / base for run, base in zip(whole, floors, strict=True))
        each = statistics.median((run.wall - alone.wall) / (count - 1) for run, alone in zip(whole, one, strict=True))
        wall = statistics.median(run.wall for run in whole)
        own, others, peak = (statistics.median(_cpu(done)[part] for done in whole) for part in (0, 1, 2))
        alone = statistics.median(_cpu(run)[0] for run in one)
        rows.append(
            [
                mode,
                seconds(wall),
                f"{ratio:.2f}",
                seconds(each),
                f"{seconds((own - alone) / (count - 1))} each",
                seconds(own),
                "elsewhere" if mode == _CLUSTER else f"{seconds(own + others)}",
                f"{peak / 1024:.0f} MB",
            ]
        )
    return markdown(_HEADER, rows)


def _cpu(run: Run) -> tuple[float, float, float]:
    """Seconds of CPU of the coordinator itself and of all that it has started, and its peak in KiB."""
    own, others, peak = map(float, run.printed.split()[-3:])
    return own, others, peak


if __name__ == "__main__":
    sys.exit(main())
