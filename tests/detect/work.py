"""Count what the detector does, so that its growth can be compared without a clock.

Lines of Python that it runs, and characters that it reads: slices and searches of the text of a document, of what is
derived from it, and by the expressions of its modules. A search without a match counts all that it may have read.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any, cast

import binance_leaks.detect
import pytest
from binance_leaks.detect.document import Document
from binance_leaks.lazy_patterns import UsedPattern

FOLDER = str(Path(binance_leaks.detect.__file__).parent)


@dataclass(kw_only=True, slots=True)
class Work:
    """What was done."""

    lines: int = 0
    characters: int = 0


def count_work(run: Callable[[], object]) -> Work:
    """Return what a call does in the modules of the detector."""
    work = Work()

    def trace_line(_frame: FrameType, _event: str, _argument: object) -> Any:
        work.lines += 1
        return trace_line

    def trace_call(frame: FrameType, _event: str, _argument: object) -> Any:
        return trace_line if frame.f_code.co_filename.startswith(FOLDER) else None

    with _read_by(work):
        before = sys.gettrace()
        sys.settrace(trace_call)
        try:
            run()
        finally:
            sys.settrace(before)
    return work


@contextmanager
def _read_by(work: Work) -> Iterator[None]:
    """Have what documents and expressions read counted."""
    text, binary = _counting(str, work), _counting(bytes, work)
    make = Document.__init__

    def make_counting(document: Document, *, text: str, **fields: Any) -> None:
        make(document, text=texts(text), **fields)

    def texts(value: Any) -> Any:
        return text(value) if isinstance(value, str) else binary(value) if isinstance(value, bytes) else value

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Document, "__init__", make_counting)
        for derived in vars(Document).values():
            if isinstance(derived, cached_property):
                patch.setattr(derived, "func", lambda document, derive=derived.func: texts(derive(document)))
        for info in pkgutil.iter_modules([FOLDER], "binance_leaks.detect."):
            module = importlib.import_module(info.name)
            for name, value in list(vars(module).items()):
                if isinstance(value, (re.Pattern, UsedPattern)):
                    patch.setattr(module, name, _Expression(cast("re.Pattern[Any]", value), work))
        yield


def _counting(kind: Any, work: Work) -> Any:
    """A kind of text that counts what is read of it."""

    def counted(name: str, length: Callable[[Any, Any, tuple[Any, ...]], int]) -> Any:
        method = getattr(kind, name)

        def call(self: Any, *arguments: Any) -> Any:
            result = method(self, *arguments)
            work.characters += length(self, result, arguments)
            return result

        return call

    def all_of_it(self: Any, _result: Any, _arguments: tuple[Any, ...]) -> int:
        return len(self)

    def up_to_it(self: Any, result: int, arguments: tuple[Any, ...]) -> int:
        start, end = _span(self, arguments)
        return (end if result < 0 else result) - start

    def down_to_it(self: Any, result: int, arguments: tuple[Any, ...]) -> int:
        start, end = _span(self, arguments)
        return end - max(result, start)

    def of_the_slice(_self: Any, result: Any, _arguments: tuple[Any, ...]) -> int:
        return len(result) if isinstance(result, kind) else 1

    whole = {"split", "splitlines", "strip", "lstrip", "rstrip", "lower", "upper", "translate", "replace", "partition",
             "rpartition", "encode", "decode", "__contains__", "__iter__", "__add__", "count", "isascii"}  # fmt: skip
    methods = {
        **{name: counted(name, all_of_it) for name in whole if hasattr(kind, name)},
        **{name: counted(name, up_to_it) for name in ("find", "index")},
        **{name: counted(name, down_to_it) for name in ("rfind", "rindex")},
        "__getitem__": counted("__getitem__", of_the_slice),
    }
    return type(kind.__name__, (kind,), methods)


def _span(text: Any, arguments: tuple[Any, ...]) -> tuple[int, int]:
    """What `find` searches."""
    start, end, _ = slice(*(*arguments[1:3], None, None)[:2]).indices(len(text))
    return start, max(start, end)


class _Expression:
    """A compiled expression that counts what it reads."""

    def __init__(self, pattern: re.Pattern[Any], work: Work) -> None:
        self._pattern = pattern
        self._work = work

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pattern, name)

    def search(self, text: Any, start: int = 0, end: int = sys.maxsize) -> Any:
        found = self._pattern.search(text, start, end)
        self._work.characters += (found.end() if found else min(end, len(text))) - start
        return found

    def match(self, text: Any, start: int = 0, end: int = sys.maxsize) -> Any:
        found = self._pattern.match(text, start, end)
        self._work.characters += found.end() - start if found else 1
        return found

    def finditer(self, text: Any, start: int = 0, end: int = sys.maxsize) -> Any:
        done = start
        for found in self._pattern.finditer(text, start, end):
            self._work.characters += found.end() - done
            done = found.end()
            yield found
        self._work.characters += min(end, len(text)) - done

    def findall(self, text: Any, start: int = 0, end: int = sys.maxsize) -> Any:
        self._work.characters += min(end, len(text)) - start
        return self._pattern.findall(text, start, end)

    def sub(self, replacement: Any, text: Any, **options: Any) -> Any:
        self._work.characters += len(text)
        return self._pattern.sub(replacement, text, **options)

    def split(self, text: Any, **options: Any) -> Any:
        self._work.characters += len(text)
        return self._pattern.split(text, **options)
