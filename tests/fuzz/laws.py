"""What holds for every input of every target."""

from __future__ import annotations

import resource
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from hypothesis.strategies import SearchStrategy

from tests.fuzz.planted import Planted

MOST_GROWTH = 512 << 20
"""Bytes by which one input may raise the memory of the process."""
HANG_SECONDS = 20.0
"""Of CPU time, for one input."""
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
_EVERY = 64
"""Of so many inputs, one is rendered without being new."""


def _nothing() -> Iterable[str]:
    return ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a target made of an input."""

    kind: str
    """In few words. An input with a kind that is new is kept as one to mutate further."""
    shown: Sequence[str] = ()
    """Texts that somebody may see."""
    rendered: Callable[[], Iterable[str]] = _nothing
    """More of them, which take longer to make and are looked at for some inputs only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A reader: how its inputs are made, what is called, and what may be raised."""

    name: str
    read: Callable[[bytes], Outcome]
    """Raises AssertionError where two implementations differ."""
    seeds: Callable[[Planted], Sequence[bytes]] = lambda _: ()
    """Without seeds and grammar, an input is a seed of random numbers, from which `read` makes more."""
    grammar: Callable[[Planted], SearchStrategy[bytes]] | None = None
    words: tuple[bytes, ...] = ()
    wraps: tuple[Callable[[bytes], bytes], ...] = ()
    """What packs a mutant soundly, so that what is inside is reached."""
    documented: tuple[type[Exception], ...] = ()
    """The errors that the reader documents."""
    pictures: bool = False
    """Whether pictures are read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """What an input broke."""

    law: str
    """`error`, `value` or `memory`; `hang` and `death` are noticed from outside."""
    what: str
    """In one line that is the same for inputs with the same fault."""
    details: str = ""


class Laws:
    """Calls a target, and checks what became of it."""

    def __init__(self, target: Target, planted: Planted, *, thorough: bool = False) -> None:
        self._target = target
        self._planted = planted
        self._thorough = thorough
        self._count = 0
        self._kinds: set[int] = set()
        self._peak = 0

    def check(self, data: bytes) -> tuple[Violation | None, bool]:
        """What is wrong, and whether what became of the input is new."""
        before = self._peak or _peak()
        self._count += 1
        try:
            outcome = self._outcome(data)
            key = hash(outcome.kind)
            is_new = key not in self._kinds
            self._kinds.add(key)
            shown = list(outcome.shown)
            if self._thorough:
                shown += outcome.rendered()
            elif is_new or not self._count % _EVERY:
                shown += islice(outcome.rendered(), 1)
        except MemoryError as error:
            return Violation(law="memory", what=_place(error), details=traceback.format_exc()), True
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return Violation(law="error", what=_place(error), details=traceback.format_exc()), True
        form = next(filter(None, (self._planted.shown_in(text, data) for text in shown)), None)
        if form is not None:
            return Violation(law="value", what=f"shown {form}", details="\n".join(shown)[:20_000]), True
        self._peak = _peak()
        if self._peak - before > MOST_GROWTH:
            return Violation(law="memory", what=f"more by {self._peak - before >> 20} MiB"), True
        return None, is_new

    def _outcome(self, data: bytes) -> Outcome:
        try:
            return self._target.read(data)
        except self._target.documented as error:
            text = str(error)
            return Outcome(kind=f"{type(error).__name__} {shape(text)}", shown=(text, getattr(error, "hint", "")))


def shape(text: str) -> str:
    """A text without what differs from input to input."""
    return "".join("0" if letter.isdigit() else letter for letter in text[:160])


def _place(error: BaseException) -> str:
    """The type of an error, and the innermost lines that it came through."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return f"{type(error).__name__} at " + " < ".join(
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames)
    )


def _peak() -> int:
    """The most memory that this process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _PEAK_UNIT
