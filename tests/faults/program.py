"""The program as `injection.run` starts it: in a fork of this process, with a fault that its environment describes."""

from __future__ import annotations

import ctypes
import json
import os
import pkgutil
import signal
import sys
from collections.abc import Callable

from tests.faults.injection import VARIABLE
from tests.program_server import serve

_STREAMS = ("stdin", "stdout", "stderr")
_LOG = 100
"""A descriptor that no stream and no file of the program gets."""


def _arm() -> Callable[[], int]:
    """Take the fault out of the environment, and let the library that is preloaded know it; return what runs."""
    fault = json.loads(os.environ.pop(VARIABLE))
    os.environ.pop("LD_PRELOAD", None)
    entry: Callable[[], int] = pkgutil.resolve_name(fault["entry"])
    library = ctypes.CDLL(None)
    log = os.open(fault["log"], os.O_WRONLY | os.O_APPEND)
    os.dup2(log, _LOG, inheritable=False)
    os.close(log)
    for number in fault["closed"]:
        os.close(number)
        setattr(sys, _STREAMS[number], None)
    if fault["alarm"]:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, fault["alarm"])
    if fault["clock"]:
        library.set_clock(ctypes.c_long(fault["clock"]), ctypes.c_long(fault["jump"]))
    numbers = (fault["first"], fault["last"])
    library.arm(
        fault["groups"], fault["effect"], fault["error"], *map(ctypes.c_long, numbers), _LOG, os.fsencode(fault["root"])
    )
    return entry


if __name__ == "__main__":
    serve()
    raise SystemExit(_arm()())
