"""The main loop of a scan process: read tasks from stdin, write outcomes to stdout.

A process of its own, so that a repository that hangs, crashes or fills the memory harms nothing else. It ends when its
parent is gone, and removes its clones.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NoReturn

from binance_leaks.errors import describe_fault
from binance_leaks.fleet.unit_scan import scan_unit, settings_digest
from binance_leaks.fleet.worker_protocol import Message, ReportStep, RepositoryOutcome, Step, Task, failed_outcome
from binance_leaks.temporary_folders import remove_folder

_WATCH = 1.0
_GRACE = 10.0
_SAME = "Install the same version everywhere."
_REPORT = "Report it, with the output of `binance-leaks history` for this repository."
_STEPS = 0.5


def main(folder: str, parent: int) -> NoReturn:
    """Answer tasks until stdin ends.

    `folder` is its own, for clones, and is removed at the end.

    `parent` is the id of the process that started it.
    """
    status = 0
    try:
        channel = _reserve_stdout()
        _end_with_parent(parent, folder)
        for line in sys.stdin.buffer:
            _answer_task(json.loads(line), channel)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # nobody would read what it says
        status = 1
    finally:
        remove_folder(Path(folder))
        os._exit(status)  # not waiting for threads: one of GitPython's would sleep on for minutes


def _answer_task(task: Task, channel: IO[bytes]) -> None:
    def send(message: Message) -> None:
        channel.write(json.dumps(message).encode("ascii") + b"\n")
        channel.flush()

    answered: set[str] = set()
    try:
        for done in _scan(task, _throttled(lambda step: send({"step": step}))):
            answered.add(done["key"])
            send({"done": done})
    except Exception as error:  # a fault of ours, which must not look like a fault of the machine
        for key in (each["key"] for each in task["repositories"] if each["key"] not in answered):
            send({"done": failed_outcome(key, f"internal error: {describe_fault(error)}", _REPORT, again=True)})
    send({"ready": True})


def _scan(task: Task, report_step: ReportStep) -> Iterator[RepositoryOutcome]:
    known = settings_digest(task["config"], tuple(task["exclude"]), reachable=task["reachable"])
    if known == task["settings_digest"]:
        yield from scan_unit(task, report_step)
        return
    for repository in task["repositories"]:
        yield failed_outcome(repository["key"], "this worker has another version of binance-leaks", _SAME, again=True)


def _throttled(report_step: Callable[[Step], None]) -> Callable[[Step], None]:
    """Report a step if it differs from the last one, or after a while."""
    last, at = ("", ""), 0.0

    def answered(step: Step) -> None:
        nonlocal last, at
        now = time.monotonic()
        if (step["label"], step["phase"]) != last or now - at >= _STEPS:
            last, at = (step["label"], step["phase"]), now
            report_step(step)

    return answered


def _reserve_stdout() -> IO[bytes]:
    """Reserve stdout for messages; other output is discarded."""
    channel = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return channel


def _end_with_parent(parent: int, folder: str) -> None:
    """End this process and remove its files on SIGTERM or when its parent is gone."""

    def end(number: int, _: object) -> NoReturn:
        if sys.platform != "win32" and os.getpgrp() == os.getpid():  # git, for which this process would wait
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.killpg(0, signal.SIGTERM)
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)
    if sys.platform == "win32":
        return
    is_ending = False

    def look(number: int, frame: object) -> None:
        nonlocal is_ending
        if os.getppid() == parent:
            return
        if is_ending:  # something holds it up: without it, then
            shutil.rmtree(folder, ignore_errors=True)
            os.killpg(0, signal.SIGKILL)
        is_ending = True
        signal.setitimer(signal.ITIMER_REAL, _GRACE)
        end(number, frame)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, _WATCH, _WATCH)
