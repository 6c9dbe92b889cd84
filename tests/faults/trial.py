"""Try a command with faults, each time in the same folder as it was before, and hold the laws against what it leaves.

- A file is the old or the new one, never anything else.
- A run that could not write a file does not end as if it had, and says so in one line.
- What a run that was killed leaves is removed by the next one, and by `doctor` where that looks.
- No output, and nothing that is left, holds a value.
"""

from __future__ import annotations

import errno
import re
import shutil
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from tests.faults import injection
from tests.faults.commands import Place, WritingCommand, is_draft, is_record, make
from tests.faults.injection import EVER, VALUE, Call, Effect, Fault, Group, Run

_CLOCK = 1_800_000_000
"""The time of every run, so that what it writes is the same each time."""
YEARS = 10 * 365 * 86_400
_DURATION = re.compile(rb'(?<="seconds": )[0-9.]+|[0-9.]+(?= s\b)')
_KILLED = (-signal.SIGKILL, -signal.SIGALRM)
_ENDINGS_OF_TROUBLE = (2, 3)
_ERRORS = {
    "mkdir": (errno.ENOSPC, errno.EACCES),
    "create": (errno.ENOSPC, errno.EACCES, errno.EMFILE),
    "write": (errno.ENOSPC, errno.EIO, errno.EFBIG),
    "fsync": (errno.EIO, errno.ENOSPC),
    "chmod": (errno.EPERM,),
    "rename": (errno.EIO, errno.EACCES),
    "link": (errno.EPERM, errno.EIO),
    "unlink": (errno.EIO,),
}
"""How each call that changes files can fail: first as it does most often."""
_OF_DOCTOR = ("project/", "home/")
"""Where `doctor` looks for drafts. Reports may be anywhere."""

Files = dict[str, bytes]
"""Content of files by their paths, durations left out."""


def _without_durations(data: bytes) -> bytes:
    return _DURATION.sub(b"", data)


@contextmanager
def _named(what: object) -> Iterator[None]:
    """Put what was tried before the message of a law that does not hold."""
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{what}: {error}") from error


@dataclass(kw_only=True, slots=True)
class Trial:
    """A command, its folder and a copy of that; what the folder holds before and after a run without a fault."""

    command: WritingCommand
    root: Path
    template: Path
    words: tuple[str, ...]
    old: Files = field(default_factory=dict)
    new: Files = field(default_factory=dict)
    plain: Run = field(default_factory=lambda: Run(status=0, out="", err="", calls=()))
    """The run without a fault; its calls are the changes that it made."""
    runs: int = 0
    """How often the command was run so far."""
    _recovered: set[tuple[object, ...]] = field(default_factory=set)
    """What killed runs have left so far and the next run has removed."""

    @classmethod
    def of(cls, command: WritingCommand, folder: Path, url: str) -> Trial:
        """Make the folder of a command, and run it there without a fault."""
        root, template = folder / "place", folder / "template"
        make(root, command)
        shutil.copytree(root, template, symlinks=True)
        words = tuple(word.format(url=url) for word in command.words)
        trial = cls(command=command, root=root, template=template, words=words)
        trial.old = trial._files()
        trial.plain = trial.run(Fault())
        trial.new = trial._files()
        trial._check_plain()
        return trial

    def kill_at_calls(self, calls: Iterable[int]) -> None:
        """Kill the process before some of its changes, in the middle of what it writes there, and after its last."""
        for number in calls:
            call = self.plain.calls[number]
            is_last = number == len(self.plain.calls) - 1
            for effect in (Effect.KILL, Effect.CUT) if call.name == "write" or is_last else (Effect.KILL,):
                fault = Fault(effect=effect, first=number, last=number)
                with _named((effect.name, number, call)):
                    self._check_killed(self.run(fault))

    def kill_at_times(self, rng: Random, count: int) -> None:
        """Kill the process at random instructions."""
        started = time.perf_counter()
        self.run(Fault())
        longest = time.perf_counter() - started
        for _ in range(count):
            seconds = rng.uniform(0.001, longest)
            with _named(f"killed after {seconds:.4f} s"):
                self._check_killed(self.run(Fault(alarm=seconds)))

    def fail_at_calls(self, calls: Iterable[int], *, errors: int | None = None) -> None:
        """Let changes fail, each with the first of its errors or with all; a disk that is full stays so."""
        for number in calls:
            call = self.plain.calls[number]
            for error in _ERRORS[call.name][:errors]:
                last = EVER if error == errno.ENOSPC else number
                with _named((errno.errorcode[error], number, call)):
                    self._check_truth(self.run(Fault(effect=Effect.FAIL, error=error, first=number, last=last)))

    def change_nothing(self) -> None:
        """Calls that do less than they should, and calls that are interrupted, change nothing."""
        for effect in (Effect.SHORTEN, Effect.INTERRUPT):
            with _named(effect.name):
                groups = Group.CHANGES | Group.READS | Group.OUTPUTS
                run = self.run(Fault(groups=groups, effect=effect, last=EVER))
                assert self._outcome(run) == self._outcome(self.plain)
                self._check_complete()

    def reads(self) -> tuple[Call, ...]:
        """The files and folders that the command reads."""
        return self.run(Fault(groups=Group.READS, effect=Effect.FAIL)).calls

    def fail_reads(self, numbers: Iterable[int]) -> None:
        """Let files and folders fail to be read: nothing that depends on it is passed over silently."""
        for number in numbers:
            with _named(("EIO", number)):
                fault = Fault(groups=Group.READS, effect=Effect.FAIL, error=errno.EIO, first=number, last=number)
                run = self.run(fault)
                after = {name: data for name, data in self._files().items() if not is_record(name)}
                new = {name: data for name, data in self.new.items() if not is_record(name)}
                is_same = (self._outcome(run), after) == (self._outcome(self.plain), new)
                is_said = run.status in _ENDINGS_OF_TROUBLE or "ncomplete" in run.out + run.err
                assert is_same or is_said, f"{run}, not {self.plain}"

    def close_streams(self, subsets: Iterable[tuple[int, ...]]) -> None:
        """Standard streams that are closed at the start change nothing: nothing is printed into a file."""
        for closed in subsets:
            with _named(f"closed: {closed}"):
                run = self.run(Fault(closed=closed))
                assert run.status == self.plain.status, run
                assert 1 in closed or self._outcome(run)[1] == self._outcome(self.plain)[1]
                self._check_complete()

    def fail_outputs(self, errors: Sequence[int] = (errno.ENOSPC, errno.EPIPE)) -> None:
        """Output that cannot be written, from the first or only the last piece on, is no success."""
        pieces = len(self.run(Fault(groups=Group.OUTPUTS)).calls)
        for error in errors:
            for first in sorted({0, pieces - 1} if pieces else ()):
                with _named((errno.errorcode[error], f"output {first} of {pieces}")):
                    fault = Fault(groups=Group.OUTPUTS, effect=Effect.FAIL, error=error, first=first, last=EVER)
                    run = self.run(fault)
                    assert run.status in _ENDINGS_OF_TROUBLE, run
                    assert not self._check_old_or_new(), "a draft is left"

    def jump_clock(self, jumps: Sequence[int] = (YEARS, -YEARS)) -> None:
        """A clock that jumps by years changes no exit status, unless that depends on another machine."""
        for jump in jumps:
            with _named(f"clock jumps by {jump} s"):
                run = self.run(Fault(clock=_CLOCK, jump=jump))
                assert run.status == self.plain.status or (self.command.asks and run.status == 3), run
                assert run.err == self.plain.err
                after = self._files()
                assert all(name in after and after[name] != self.old.get(name) for name in self._required())
                assert not [name for name in after if is_draft(name)]

    def blobs(self) -> list[str]:
        """The ids of all files of the project's history."""
        listed = Place(self.template).project.git("rev-list", "--all", "--objects", "--filter=object:type=blob")
        return [line.split()[0] for line in listed.splitlines() if " " in line]

    def run(self, fault: Fault) -> Run:
        """Run the command with a fault, in the folder as it was before."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.template, self.root, symlinks=True)
        self.runs += 1
        return self._run_here(self.words, fault)

    def _run_here(self, words: Sequence[str], fault: Fault) -> Run:
        place = Place(self.root)
        return injection.run(
            words,
            replace(fault, clock=fault.clock or _CLOCK),
            root=self.root,
            cwd=place.project.folder,
            env={**place.env, **self.command.env},
        )

    def _files(self) -> Files:
        return {name: _without_durations(data) for name, data in Place(self.root).files().items()}

    def _temporary(self) -> list[str]:
        return [path.name for path in (self.root / "tmp").iterdir()]

    def _required(self) -> set[str]:
        """The files that the command must write."""
        return {name for name in self.new if self.command.is_written(name)}

    @staticmethod
    def _outcome(run: Run) -> tuple[int, bytes, str]:
        return run.status, _without_durations(run.out.encode()), run.err

    def _check_plain(self) -> None:
        """The command writes what the table says, and no value where there was none."""
        assert self.plain.status == self.command.status, self.plain
        written = {name for name in {*self.old, *self.new} if self.old.get(name) != self.new.get(name)}
        assert len(self._required() & written) == len(self.command.writes), written
        assert all(is_record(name) for name in written - self._required()), written
        self._check_values(written)

    def _check_values(self, names: Iterable[str]) -> None:
        """No file of these holds a value, unless the command is there to write values."""
        if not self.command.writes_values:
            files = Place(self.root).files()
            assert not [name for name in names if VALUE.search(files[name].decode("utf-8", "replace"))]

    def _check_killed(self, run: Run) -> None:
        if run.status == self.plain.status:  # it has ended before
            self._check_complete()
            return
        assert run.status in _KILLED, run
        drafts = self._check_old_or_new()
        after = self._files()
        written = tuple(sorted(name for name in self._required() if after.get(name) == self.new[name]))
        places = tuple(sorted({name.rpartition("/")[0] for name in drafts}))
        left = (written, places, len(drafts), self._temporary() != [])
        if left not in self._recovered:
            self._recover(drafts)
            self._recovered.add(left)

    def _check_truth(self, run: Run) -> None:
        """Exit status and messages of a run that met an error are true of what it has left."""
        drafts = self._check_old_or_new()
        assert not drafts or run.status in _ENDINGS_OF_TROUBLE, f"left behind: {drafts}"
        assert len(drafts) <= 1, drafts
        after = self._files()
        missed = {name for name in self._required() if after.get(name) != self.new[name]}
        if run.status == self.plain.status:
            assert not missed, f"exit status {run.status}, but not written: {missed}\n{run.err}"
        else:
            assert run.status in _ENDINGS_OF_TROUBLE, run
            self._check_error_lines(run)

    def _check_error_lines(self, run: Run) -> None:
        """Beside what it prints anyway, a run prints one line that says why, and perhaps a hint below it."""
        usual = self.plain.err.splitlines()
        lines = [line for line in run.err.splitlines() if line not in usual]
        assert 1 <= len(lines) <= 2, run
        assert lines[0].startswith("binance-leaks: "), run
        assert "internal error" not in lines[0], run
        assert all(line.startswith("  ") for line in lines[1:]), run

    def _check_complete(self) -> None:
        after = self._files()
        for name in self._required():
            assert after.get(name) == self.new[name], f"{name} is not the new one"
        assert not [name for name in after if is_draft(name) or name.startswith("tmp/")]

    def _check_old_or_new(self) -> list[str]:
        """Every file is the old or the new one; return the drafts that are there beside them."""
        after = self._files()
        drafts = [name for name in after if is_draft(name)]
        self._check_values(drafts)
        for name in {*self.old, *self.new, *after}.difference(drafts):
            if not name.startswith("tmp/"):
                assert after.get(name) in (self.old.get(name), self.new.get(name)), f"{name} is neither old nor new"
        return drafts

    def _recover(self, drafts: Sequence[str]) -> None:
        """What a killed run has left is removed by `doctor`, and by the next run, which does its work."""
        if any(name.startswith(_OF_DOCTOR) for name in drafts):
            saved = self.root.with_name("saved")
            shutil.rmtree(saved, ignore_errors=True)
            shutil.copytree(self.root, saved, symlinks=True)
            self._run_here(("doctor", "--no-run"), Fault())
            self._check_nothing_left(_OF_DOCTOR)
            shutil.rmtree(self.root)
            saved.rename(self.root)
        is_refused = self.command.refuses and self._required() <= self._files().keys()
        run = self._run_here(self.words, Fault())
        assert run.status == (2 if is_refused else self.command.status), f"after a kill: {run}"
        self._check_nothing_left(("out/",) if is_refused else ("",))

    def _check_nothing_left(self, within: tuple[str, ...]) -> None:
        left = [name for name in self._files() if is_draft(name) and name.startswith(within)]
        left += self._temporary()
        assert not left, f"left behind: {left}"
