"""`--time-limit`: end a scan as an interrupt does, report what was found until then, and exit with 3.

The reading of a source ends at the limit. What was found is then judged and reported, for which there is as much time
again; where that is not enough, the command ends without a report.
"""

from __future__ import annotations

import _thread
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

from binance_leaks.errors import TimeLimitError
from binance_leaks.quantities import plural

_LEAST_FOR_REPORT = 10.0


class TimeLimit:
    """The limit of one command."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        self.is_over = False
        self._ends_work = True

    @contextmanager
    def running(self) -> Iterator[TimeLimit]:
        """Raise TimeLimitError in the main thread when the time is over."""
        with self._clock():
            try:
                yield self
            except KeyboardInterrupt:
                if self.is_over:
                    raise self._error() from None
                raise

    def keep_what_was_read(self) -> None:
        """From now on the limit only ends what takes as much time again."""
        self._ends_work = False

    @contextmanager
    def ending_work(self) -> Iterator[None]:
        """End what runs in this block at the limit."""
        self._ends_work = True
        try:
            yield
        finally:
            self._ends_work = False

    def describe(self) -> str:
        """What is not complete, and why."""
        return f"the time limit of {plural(self.seconds, 'second')} was reached"

    @contextmanager
    def _clock(self) -> Iterator[None]:
        if sys.platform == "win32":  # it has no alarms: interrupt the main thread, at its next step

            def interrupt() -> None:
                self.is_over = True
                _thread.interrupt_main()

            timer = Timer(self.seconds, interrupt)
            timer.daemon = True
            timer.start()
            try:
                yield
            finally:
                timer.cancel()
        else:
            before = signal.signal(signal.SIGALRM, lambda *_: self._expire())
            signal.setitimer(signal.ITIMER_REAL, self.seconds, max(self.seconds, _LEAST_FOR_REPORT))
            try:
                yield
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)

    def _expire(self) -> None:
        first, self.is_over = not self.is_over, True
        if self._ends_work or not first:
            raise self._error()

    def _error(self) -> TimeLimitError:
        return TimeLimitError(f"the scan was not finished within {plural(self.seconds, 'second')}")
