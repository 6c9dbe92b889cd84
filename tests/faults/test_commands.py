"""The laws of faults, for every command that writes."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.binance.server import serving
from tests.faults.commands import COMMANDS, WritingCommand, exchange
from tests.faults.injection import NEEDS
from tests.faults.trial import YEARS, Trial

pytestmark = pytest.mark.skipif(bool(NEEDS), reason=NEEDS)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of the played exchange."""
    with serving(exchange()[0]) as address:
        yield address


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_file_is_the_old_or_the_new(command: WritingCommand, url: str, tmp_path: Path) -> None:
    """`python -m tests.faults` tries more: every error of each call, more random kills and reads."""
    trial = Trial.of(command, tmp_path, url)
    calls = range(len(trial.plain.calls))
    trial.kill_at_calls(calls)
    trial.kill_at_times(Random(command.name), 1)
    trial.fail_at_calls(calls, errors=1)
    trial.change_nothing()
    reads = range(len(trial.reads()))
    trial.fail_reads(Random(command.name).sample(reads, min(2, len(reads))))
    trial.close_streams([(0, 1, 2)])
    trial.fail_outputs(errors=[errno.ENOSPC])
    trial.jump_clock([-YEARS])


def test_folders_of_objects_that_cannot_be_listed_are_reported(tmp_path: Path) -> None:
    (history,) = (command for command in COMMANDS if command.name == "history --state")
    trial = Trial.of(history, tmp_path, "")
    last = {call.path: number for number, call in enumerate(trial.reads()) if call.name == "list"}
    blobs = {blob[:2] for blob in trial.blobs()}
    trial.fail_reads(number for path, number in last.items() if path.rpartition("/objects/")[2] in blobs)
