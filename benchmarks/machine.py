"""Measures `binance-leaks machine` on a home folder: 200,000 files, and 54 places with a generated pair each.

Run with the project's folder on the import path, as the places are those of the tests.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.machine.home import DATABASES, LINUX, make_database, make_home

_NAMES = ("main.py", "util.ts", "notes.txt", "data.csv", "index.js", "lib.rs", "config.yaml", "README.rst", "x.json")
_PER_FOLDER = 20
_DEEPEST = 9


def main() -> int:
    """Make the folder, measure and print."""
    parser = argparse.ArgumentParser(description="Measures `binance-leaks machine` on a generated home folder.")
    parser.add_argument("--files", type=int, default=200_000, metavar="N", help="files in it (default: 200000)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="counted rounds (default: 3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch, "me")
        _fill(home, options.files)
        pairs = make_home(home, LINUX)
        pairs.update({name: make_database(home / name) for name in DATABASES})
        wanted = {digest for pair in pairs.values() for digest in pair.digests}
        print(f"{options.files:,} files, {len(pairs)} places with a pair\n")
        print("| command | time | processor time | pairs found |\n|---|---|---|---|")
        for words in (("--dry-run",), ("--format", "json")):
            runs = [_measure(home, words) for _ in range(options.rounds + 1)][1:]
            elapsed, used, out = sorted(runs)[len(runs) // 2]
            found = f"{len(wanted & _digests(out)) // 2}" if "json" in words else ""
            print(f"| machine {' '.join(words)} | {elapsed:.1f} s | {used:.1f} s | {found} |")
    return 0


def _fill(home: Path, files: int) -> None:
    chosen = random.Random(1)
    home.mkdir()
    folders = [(home, 0)]
    for number in range(files // _PER_FOLDER):
        parent, depth = chosen.choice(folders[-4_000:])
        folder = parent / f"folder{number}"
        folder.mkdir()
        if depth < _DEEPEST:
            folders.append((folder, depth + 1))
        for index in range(_PER_FOLDER):
            (folder / f"{index}-{chosen.choice(_NAMES)}").write_bytes(b"x" * chosen.randint(10, 2_000))


def _measure(home: Path, words: tuple[str, ...]) -> tuple[float, float, bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "binance_leaks", "machine", "-q", *words],
        cwd=home,
        env={**kept, "HOME": str(home)},
        stdout=subprocess.PIPE,
        check=False,
    )
    elapsed, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if done.returncode not in (0, 1):
        raise SystemExit(f"binance-leaks ended with {done.returncode}")
    return elapsed, used, done.stdout


def _digests(report: bytes) -> set[str]:
    return {value["sha256"] for finding in json.loads(report)["findings"] for value in finding["values"]}


if __name__ == "__main__":
    sys.exit(main())
