"""End worker processes with the process that started them, however that ends.

A process that is killed tells nobody, and its workers would wait for tasks for ever. What every system does is to close
its end of a pipe.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from multiprocessing.context import BaseContext
from typing import NoReturn

if sys.platform == "win32":
    from multiprocessing.context import SpawnContext as _Context
else:
    from multiprocessing.context import ForkContext as _Context

WorkerContext = _Context
"""How workers are started: forked where the system can, so that what they are given costs nothing to share."""


class Lifeline:
    """A pipe whose one end closes with the process that made it.

    It is passed to workers when they are started, forked or spawned.
    """

    def __init__(self, context: BaseContext) -> None:
        self._reader, self._writer = context.Pipe(duplex=False)

    def close(self) -> None:
        """End the workers that still follow it."""
        self._writer.close()
        self._reader.close()

    def follow(self) -> None:
        """End this process, a worker, once the other end is closed. It does not end in the middle of a call into C."""
        self._writer.close()
        threading.Thread(target=self._wait, name="lifeline", daemon=True).start()

    def _wait(self) -> NoReturn:
        with suppress(EOFError, OSError):
            self._reader.recv_bytes()
        os._exit(1)
