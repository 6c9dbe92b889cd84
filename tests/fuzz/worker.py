"""Calls one target with input after input, in a process of its own.

The input is written to a file that the parent maps, too, before the target is called: whatever ends this process, the
parent has it. A signal of the timer of CPU time ends it after `HANG_SECONDS` with an input, also in compiled code.
"""

from __future__ import annotations

import faulthandler
import json
import mmap
import os
import resource
import signal
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from unittest.mock import patch

from binance_leaks.sources.pictures import settings as picture_settings

from tests.fuzz.grammars import inputs_of
from tests.fuzz.laws import HANG_SECONDS, Laws, Target, Violation
from tests.fuzz.mutation import LARGEST, Mutator
from tests.fuzz.planted import Planted

INPUT, FOUND, ERRORS = "input", "found.json", "errors"
"""Files of a worker."""
SHARED = 2 * LARGEST
_HEAD = struct.Struct("<QQQ")
_MOST_MEMORY = 3 << 30
"""Bytes of address space beyond that of the start."""
_MOST_KEPT = 1_000
_MOST_FOUND = 10
_GRAMMAR_SHARE, _SEED_SHARE, _WRAPPED_SHARE = 0.1, 0.3, 0.2
_SIZES = (100, 400, 1_500, 6_000)
"""Bytes from which a grammar makes an input."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What a worker does."""

    target: Target
    seed: int
    planted: int
    """The seed of the planted pair."""
    until: float
    """When it ends, by the monotonic clock."""
    most: int = 0
    """Inputs, or 0 for as many as there is time for."""
    hang: float = HANG_SECONDS


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a worker is, as its parent sees it."""

    inputs: int
    kept: int
    data: bytes
    """The input at hand."""


class SharedInput:
    """The input at hand, in a file that both processes map."""

    def __init__(self, file: Path) -> None:
        with file.open("r+b") as stream:
            self._map = mmap.mmap(stream.fileno(), SHARED)

    def write(self, inputs: int, kept: int, data: bytes) -> None:
        """Note an input before it is used."""
        self._map[_HEAD.size : _HEAD.size + len(data)] = data
        self._map[: _HEAD.size] = _HEAD.pack(inputs, kept, len(data))

    def read(self) -> Progress:
        """What is noted."""
        inputs, kept, size = _HEAD.unpack(self._map[: _HEAD.size])
        return Progress(inputs=inputs, kept=kept, data=self._map[_HEAD.size : _HEAD.size + size])


def create_shared(file: Path) -> SharedInput:
    """A new file for an input at hand."""
    file.write_bytes(bytes(SHARED))
    return SharedInput(file)


class Inputs:
    """The inputs of a target: its seeds, then mutants and what its grammar makes; interesting ones are kept."""

    def __init__(self, target: Target, planted: Planted, rng: Random) -> None:
        self._rng = rng
        self._seeds = [seed[:LARGEST] for seed in target.seeds(planted)]
        self._longest = 2 * max(map(len, self._seeds), default=0)
        self.pool = list(self._seeds)
        values = (planted.pair.key.encode(), planted.pair.secret.encode())
        self._mutator = Mutator(rng, (*target.words, *values), self.pool)
        self._wraps = target.wraps
        self._wrapped_share = _WRAPPED_SHARE if target.wraps else 0
        self._make = inputs_of(target.grammar(planted)) if target.grammar is not None else None

    def __iter__(self) -> Iterator[bytes]:
        rng = self._rng
        yield from self._seeds
        while True:
            if self._make is not None and rng.random() < _GRAMMAR_SHARE:
                made = self._make(rng.randbytes(rng.choice(_SIZES)))
                if made is not None and len(made) <= LARGEST:
                    yield made
            elif self.pool:
                data = self._mutator.mutated(rng.choice(self._seeds if rng.random() < _SEED_SHARE else self.pool))
                yield rng.choice(self._wraps)(data)[:LARGEST] if rng.random() < self._wrapped_share else data
            else:
                yield rng.randbytes(8)

    def keep(self, data: bytes) -> bool:
        """Mutate an input further, unless there are enough."""
        if not self._seeds or len(data) > self._longest or len(self.pool) - len(self._seeds) >= _MOST_KEPT:
            return False
        self.pool.append(data)
        return True


@contextmanager
def prepare(target: Target) -> Iterator[None]:
    """Set this process up for a target."""
    pictures = "auto" if target.pictures else "off"
    with (
        patch.dict(os.environ, {picture_settings.VARIABLE: pictures}),
        patch.object(picture_settings, "can_read_text", lambda: False),  # its models take a second for a picture
    ):
        yield


def limit(hang: float) -> None:
    """Let the system end this process where an input takes too long or too much memory."""
    if sys.platform == "linux":  # others do not say what is used, or do not limit it
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (used + _MOST_MEMORY, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.enable()
    faulthandler.register(signal.SIGPROF, chain=True)
    signal.setitimer(signal.ITIMER_PROF, hang)


def work(task: Task, shared: SharedInput) -> list[tuple[Violation, bytes]]:
    """Try inputs until the time is over; what is wrong, each fault once."""
    target = task.target
    planted = Planted.of(task.planted)
    inputs = Inputs(target, planted, Random(task.seed))
    laws = Laws(target, planted)
    found: dict[str, tuple[Violation, bytes]] = {}
    kept = 0
    limit(task.hang)
    for count, data in enumerate(inputs, start=1):
        shared.write(count, kept, data)
        signal.setitimer(signal.ITIMER_PROF, task.hang)
        violation, is_new = laws.check(data)
        if violation is not None:
            known = found.get(violation.what)
            if known is None or len(data) < len(known[1]):
                found[violation.what] = violation, data
            if len(found) >= _MOST_FOUND:
                break
        elif is_new and inputs.keep(data):
            kept += 1
        if time.monotonic() > task.until or count == task.most:
            break
    signal.setitimer(signal.ITIMER_PROF, 0)
    return list(found.values())


def serve(task: Task, folder: Path) -> None:
    """Do a task in a process that was forked for it, with a folder of its own; write there what is wrong."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    errors = (folder / ERRORS).open("w", buffering=1)
    sys.stdout = sys.stderr = errors
    for descriptor in (1, 2):  # compiled code writes to these
        os.dup2(errors.fileno(), descriptor)
    os.environ["HOME"] = str(folder)
    tempfile.tempdir = str(folder)
    os.chdir(folder)
    with prepare(task.target):
        found = work(task, SharedInput(folder / INPUT))
    (folder / FOUND).write_text(json.dumps([{**asdict(violation), "data": data.hex()} for violation, data in found]))
