"""The law of a store: after any fault it holds what one of the transactions left, and the run can be finished."""

from __future__ import annotations

import errno
import shutil
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.faults import injection
from tests.faults.injection import EVER, NEEDS, Effect, Fault, Run
from tests.faults.store_run import State, state, steps

pytestmark = pytest.mark.skipif(bool(NEEDS), reason=NEEDS)
_FILES = {f"fleet.db{suffix}" for suffix in ("", "-wal", "-shm", "-lock")}


class StoreTrial:
    """A run that writes a store, with faults, and the states that its transactions leave."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "store"
        self._file = self.root / "fleet.db"
        self.root.mkdir()
        self.runs = 0
        self._states: list[State] = [state(self._file)]
        self._states += [state(self._file) for _ in steps(self._file)]
        self.calls = self._run(Fault()).calls
        assert state(self._file) == self._states[-1]

    def kill_at_calls(self, calls: Iterable[int]) -> None:
        """Kill the process: what it left is whole, and another run finishes it."""
        for number in calls:
            run = self._run(Fault(effect=Effect.CUT, first=number, last=number))
            assert run.status == -signal.SIGKILL, run
            self._check(run, number)

    def fail_at_calls(self, calls: Iterable[int], error: int) -> None:
        """Let all calls fail from one on: the run says so, unless it was over."""
        for number in calls:
            run = self._run(Fault(effect=Effect.FAIL, error=error, first=number, last=EVER))
            if state(self._file) != self._states[-1]:
                assert run.status == 3, run
            if run.status:
                assert run.status == 3, run
                assert run.err.startswith("binance-leaks: "), run
                assert len(run.err.splitlines()) == 1, run
            self._check(run, number)

    def _run(self, fault: Fault) -> Run:
        shutil.rmtree(self.root)
        self.runs += 1
        self.root.mkdir()
        fault = Fault(
            effect=fault.effect, error=fault.error, first=fault.first, last=fault.last,
            entry="tests.faults.store_run:main",
        )  # fmt: skip
        return injection.run([self._file], fault, root=self.root, cwd=self.root, env={})

    def _check(self, run: Run, number: int) -> None:
        assert state(self._file) in self._states, (number, self.calls[number], run)
        for _ in steps(self._file):
            pass
        assert state(self._file) == self._states[-1], (number, self.calls[number])
        assert {path.name for path in self.root.iterdir()} <= _FILES


@pytest.fixture
def trial(tmp_path: Path) -> StoreTrial:
    return StoreTrial(tmp_path)


def test_a_killed_run_leaves_whole_transactions(trial: StoreTrial) -> None:
    trial.kill_at_calls(range(0, len(trial.calls), 7))


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
def test_a_disk_that_fails_is_reported(trial: StoreTrial, error: int) -> None:
    trial.fail_at_calls(range(error % 15, len(trial.calls), 15), error)
