"""An end in order: a signal that asks this process to end takes its clones and its processes with it."""

from __future__ import annotations

import signal
from typing import NoReturn


def end_in_order() -> None:
    """Makes such signals raise SystemExit, so that everything is put away on the way out."""

    def end(number: int, _: object) -> NoReturn:
        raise SystemExit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), end)
