"""Starts a worker for each target, several at a time, and watches them: a death and a hang are findings too."""

from __future__ import annotations

import json
import shlex
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

from tests.fuzz.laws import HANG_SECONDS, Target, Violation
from tests.fuzz.worker import ERRORS, FOUND, INPUT, Progress, SharedInput, Task, create_shared, serve

STALLED_SECONDS = 180.0
"""Of no new input, by the clock: for what hangs without using the processor."""
_POLL = 0.1
_MOST_DEATHS = 5
_LEAST_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A violation, and how to repeat it."""

    task: Task
    violation: Violation
    data: bytes

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.task.target.name.replace(' ', '-')}-{self.violation.law}-{sha256(self.data).hexdigest()[:12]}"

    def save(self, folder: Path) -> str:
        """Write the input and the details into a folder; the command that repeats it."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.name}.input"
        file.write_bytes(self.data)
        words = ["python", "-m", "tests.fuzz", "--target", self.task.target.name, "--seed", str(self.task.planted)]
        command = shlex.join([*words, "--input", str(file)])
        (folder / f"{self.name}.txt").write_text(f"{self.violation.what}\n{command}\n{self.violation.details}\n")
        return command


class _Running:
    """A worker at work."""

    def __init__(self, task: Task, folder: Path) -> None:
        self.task = task
        self.started = self._moved = time.monotonic()
        self._count = 0
        self._is_stalled = False
        self._folder = Path(tempfile.mkdtemp(dir=folder))
        self._shared: SharedInput = create_shared(self._folder / INPUT)
        self.process = get_context("fork").Process(target=serve, args=(task, self._folder))
        self.process.start()

    def progress(self) -> Progress:
        """How far it is."""
        return self._shared.read()

    def ended(self) -> bool:
        """Whether it is done. One that stands still is ended."""
        inputs = self.progress().inputs
        now = time.monotonic()
        if inputs != self._count:
            self._count, self._moved = inputs, now
        elif now - self._moved > STALLED_SECONDS:
            self._is_stalled = True
            self.process.kill()
        return self.process.exitcode is not None

    def so_far(self) -> Tally:
        """What it did."""
        return Tally(target=self.task.target.name, inputs=self.progress().inputs)

    def found(self) -> list[Found]:
        """What it found, or how it died, once it has ended."""
        error = (self._folder / ERRORS).read_text(errors="replace")[-20_000:]
        status = self.process.exitcode or 0
        if status == 0:
            listed = json.loads((self._folder / FOUND).read_text())
            return [self._one(bytes.fromhex(each.pop("data")), Violation(**each)) for each in listed]
        name = signal.Signals(-status).name if status < 0 else f"status {status}"
        law = "hang" if name == "SIGPROF" or self._is_stalled else "death"
        return [self._one(self.progress().data, Violation(law=law, what=f"ended by {name}", details=error))]

    def _one(self, data: bytes, violation: Violation) -> Found:
        return Found(task=self.task, violation=violation, data=data)


@dataclass(kw_only=True, slots=True)
class Tally:
    """What became of a target."""

    target: str
    inputs: int = 0
    kept: int = 0
    seconds: float = 0.0
    found: list[Found] = field(default_factory=list)

    def add(self, worker: _Running) -> None:
        """Add what a worker did."""
        progress = worker.progress()
        self.inputs += progress.inputs
        self.kept += progress.kept
        self.seconds += time.monotonic() - worker.started

    def may_go_on(self, task: Task) -> bool:
        """Whether another worker is to take the place of one that died."""
        deaths = sum(found.violation.law in ("hang", "death") for found in self.found)
        return deaths < _MOST_DEATHS and not task.most and task.until - time.monotonic() > _LEAST_SECONDS


Show = Callable[[Sequence[Tally]], None]


def run(
    targets: Sequence[Target],
    *,
    seed: int,
    processes: int,
    seconds: float,
    most: int = 0,
    hang: float = HANG_SECONDS,
    show: Show = lambda _: None,
    done: Callable[[Tally], None] = lambda _: None,
) -> list[Tally]:
    """Give each target its share of the time. A worker that dies is followed by another for the rest of its share.

    `show` is called often, `done` when a target had its share. An interrupt ends the run, and what was done counts.
    """
    tallies = {target.name: Tally(target=target.name) for target in targets}
    end = time.monotonic() + seconds
    waiting = list(targets)
    running: list[_Running] = []
    with tempfile.TemporaryDirectory() as name:
        try:
            while waiting or running:
                while waiting and len(running) < processes:
                    share = max(_LEAST_SECONDS, (end - time.monotonic()) * processes / (len(waiting) + len(running)))
                    target, until = waiting.pop(0), time.monotonic() + share
                    task = Task(target=target, seed=seed, planted=seed, until=until, most=most, hang=hang)
                    running.append(_Running(task, Path(name)))
                time.sleep(_POLL)
                for worker in [each for each in running if each.ended()]:
                    running.remove(worker)
                    tally = tallies[worker.task.target.name]
                    tally.add(worker)
                    tally.found += worker.found()
                    if worker.process.exitcode and tally.may_go_on(worker.task):
                        running.append(_Running(replace(worker.task, seed=worker.task.seed + 1), Path(name)))
                    else:
                        done(tally)
                show([*tallies.values(), *(worker.so_far() for worker in running)])
        except KeyboardInterrupt:
            for worker in running:
                tallies[worker.task.target.name].add(worker)
        finally:
            for worker in running:
                worker.process.kill()
                worker.process.join()
    return list(tallies.values())
