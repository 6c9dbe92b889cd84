"""Expressions that are compiled late: each can be compiled, and does what `re` has it do."""

from __future__ import annotations

import copy
import importlib
import pickle
import pkgutil
import re
from collections.abc import Iterator

import binance_leaks
import pytest
from binance_leaks.lazy_patterns import LazyPattern, UsedPattern, lazy_pattern


def _patterns() -> Iterator[tuple[str, UsedPattern]]:
    for module in pkgutil.walk_packages(binance_leaks.__path__, "binance_leaks."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, UsedPattern):
                yield f"{module.name}.{name}", value


def test_every_expression_can_be_compiled() -> None:
    found = dict(_patterns())
    assert len(found) > 100
    for name, pattern in found.items():
        assert hasattr(pattern, "search"), name  # raises where it cannot be


def test_it_is_compiled_with_its_first_use_only(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    compile_now = re.compile
    monkeypatch.setattr(re, "compile", lambda *arguments: compiled.append(1) or compile_now(*arguments))  # type: ignore[func-returns-value]
    pattern = lazy_pattern(r"(?P<digits>[0-9]+)", re.ASCII)
    assert not compiled
    assert pattern.findall("1 and 23") == ["1", "23"]
    assert pattern.sub("x", "a1") == "ax"
    assert pattern.groupindex["digits"] == 1
    assert len(compiled) == 1


def test_an_expression_is_refused_as_by_re() -> None:
    pattern = lazy_pattern("(")
    with pytest.raises(re.error):
        pattern.search("a")


def test_one_that_was_not_used_can_be_copied() -> None:
    for twin in (copy.copy(lazy_pattern("a+")), pickle.loads(pickle.dumps(lazy_pattern("a+")))):  # noqa: S301
        assert isinstance(twin, LazyPattern)
        assert twin.search("baa") is not None  # type: ignore[operator]
