"""Runs the program with its workers started by another method.

`python -m tests.systems.start_methods CONTEXT WORD…`, where CONTEXT is a class of `multiprocessing.context`: they are
spawned, as on Windows, or forked by a server, as Python 3.14 does where nothing else is asked for.
"""

from __future__ import annotations

import importlib
import multiprocessing.context
import sys


def use_pools() -> None:
    """Let a scan of two files use several processes, as one of many does."""
    vars(importlib.import_module("binance_leaks.pipeline.files"))["_SERIAL_SECONDS"] = -1.0
    vars(importlib.import_module("binance_leaks.pipeline.history_scan"))["_SMALL"] = 0


def main(method: str, *words: str) -> int:
    """Run a command and say on standard error that workers were started."""
    context: type = getattr(multiprocessing.context, method)

    class Reporting(context):  # type: ignore[misc]  # one of several
        def Pipe(self, duplex: bool = True) -> object:  # noqa: N802 - its name
            sys.stderr.write("started\n")
            return super().Pipe(duplex)

    vars(importlib.import_module("binance_leaks.pipeline.lifeline"))["WorkerContext"] = Reporting
    use_pools()
    status: int = importlib.import_module("binance_leaks.cli").main(list(words))
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
