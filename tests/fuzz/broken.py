"""Targets that break one law each, to show that it is noticed."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from tests.fuzz.laws import MOST_GROWTH, Outcome, Target
from tests.fuzz.planted import Planted

_NOTHING = Outcome(kind="nothing")


def _raise(data: bytes) -> Outcome:
    return _NOTHING if len(data) < 3 else Outcome(kind=str([data][1]))


def _differ(data: bytes) -> Outcome:
    if b" = " in data:
        raise AssertionError("the two differ")
    return _NOTHING


def _die(data: bytes) -> Outcome:
    if data[:1] != b"a":
        os.kill(os.getpid(), signal.SIGSEGV)
    return _NOTHING


def _hang(data: bytes) -> Outcome:
    while data[:1] != b"a":
        pass
    return _NOTHING


def _wait(data: bytes) -> Outcome:
    while data[:1] != b"a":
        time.sleep(1)
    return _NOTHING


def _show(change: Callable[[str], str]) -> Callable[[bytes], Outcome]:
    return lambda data: Outcome(kind="shown", shown=(change(data.decode("latin-1")),))


def _show_in_error(data: bytes) -> Outcome:
    raise LookupError(f"there is no {data!r}")


def _fill(data: bytes) -> Outcome:
    filled = bytearray(MOST_GROWTH + (32 << 20) if data[:1] != b"a" else 1)
    filled[:: resource.getpagesize()] = filled[:: resource.getpagesize()]
    return Outcome(kind=str(len(filled)))


def _fill_too_much(data: bytes) -> Outcome:
    return Outcome(kind=str(len(b"x" * (1 << 40) if data[:1] != b"a" else b"")))


def _seeds(planted: Planted) -> list[bytes]:
    return [b"abc", b"key = " + planted.pair.key.encode() + b"\n"]


BROKEN: Mapping[str, tuple[Target, str]] = MappingProxyType(
    {
        name: (Target(name=name, read=read, seeds=_seeds, documented=(LookupError,) if law == "value" else ()), law)
        for name, read, law in (
            ("an error", _raise, "error"),
            ("two answers", _differ, "error"),
            ("a death", _die, "death"),
            ("a hang", _hang, "hang"),
            ("a wait", _wait, "hang"),
            ("a value", _show(str), "value"),
            ("a value backwards", _show(lambda text: text[::-1]), "value"),
            ("a value in lines", _show(lambda text: "\n ".join(text)), "value"),
            ("a piece of a value", _show(lambda text: text[:64]), "value"),
            ("a value in an error", _show_in_error, "value"),
            ("much memory", _fill, "memory"),
            ("more memory than there is", _fill_too_much, "memory"),
        )
    }
)
"""Each target with the law that it breaks."""
