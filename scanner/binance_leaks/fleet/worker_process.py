"""A process that scans units, one after the other: tasks come in on standard input, what was found goes out.

It is a process of its own so that whatever a repository does to it, hang, crash or fill the memory, ends with it. It
ends by itself when the process that started it is gone, and takes its clones along.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import IO, NoReturn

from binance_leaks.errors import describe_fault
from binance_leaks.fleet.unit_scan import scan_unit, settings_digest
from binance_leaks.fleet.worker_protocol import Message, RepositoryOutcome, Step, Task, Tell, failed_outcome

_WATCH = 1.0
_GRACE = 10.0
_SAME = "Install the same version everywhere."
_REPORT = "Please report it, with what `binance-leaks history` says of this repository."
_STEPS = 0.5


def main(folder: str, parent: int) -> NoReturn:
    """Answers tasks until there are no more. `folder` is its own, for clones, and goes with it.

    `parent` is the number of the process that started it.
    """
    status = 0
    try:
        channel = _own_output()
        _end_with(parent, folder)
        for line in sys.stdin.buffer:
            _answer(json.loads(line), channel)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # nobody would read what it says
        status = 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(status)  # not waiting for threads: one of GitPython's would sleep on for minutes


def _answer(task: Task, channel: IO[bytes]) -> None:
    def send(message: Message) -> None:
        channel.write(json.dumps(message).encode("ascii") + b"\n")
        channel.flush()

    told: set[str] = set()
    try:
        for done in _scanned(task, _now_and_then(lambda step: send({"step": step}))):
            told.add(done["key"])
            send({"done": done})
    except Exception as error:  # a fault of ours, which must not look like a fault of the machine
        for key in (each["key"] for each in task["repositories"] if each["key"] not in told):
            send({"done": failed_outcome(key, f"internal error: {describe_fault(error)}", _REPORT, again=True)})
    send({"ready": True})


def _scanned(task: Task, tell: Tell) -> Iterator[RepositoryOutcome]:
    known = settings_digest(task["config"], tuple(task["exclude"]), reachable=task["reachable"])
    if known == task["settings_digest"]:
        yield from scan_unit(task, tell)
        return
    for repository in task["repositories"]:
        yield failed_outcome(repository["key"], "this worker has another version of binance-leaks", _SAME, again=True)


def _now_and_then(tell: Callable[[Step], None]) -> Callable[[Step], None]:
    """Tells a step if it is another one than the last, or some time has passed."""
    last, at = ("", ""), 0.0

    def told(step: Step) -> None:
        nonlocal last, at
        now = time.monotonic()
        if (step["label"], step["phase"]) != last or now - at >= _STEPS:
            last, at = (step["label"], step["phase"]), now
            tell(step)

    return told


def _own_output() -> IO[bytes]:
    """Standard output for messages alone: whatever else writes there writes to nowhere."""
    channel = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return channel


def _end_with(parent: int, folder: str) -> None:
    """Ends this process, with what it has on disk, when it is asked to or the one that started it is gone."""

    def end(number: int, _: object) -> NoReturn:
        if hasattr(os, "killpg") and os.getpgrp() == os.getpid():  # git, for which this process would wait
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.killpg(0, signal.SIGTERM)
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)
    if not hasattr(signal, "setitimer"):
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
