"""Holds that the work of every regular expression of the package grows linearly, and how that is known."""

from __future__ import annotations

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import pytest
from binance_leaks.lazy_patterns import UsedPattern

from tests.expressions import Use, growth

PACKAGE = Path(__file__).resolve().parents[1] / "scanner/binance_leaks"
USES: Mapping[str, Use] = MappingProxyType(
    {
        **dict.fromkeys(("search", "finditer", "findall", "sub", "subn", "split", "compile", "template"), Use.SEARCH),
        "match": Use.MATCH,
        "fullmatch": Use.FULLMATCH,
    }
)
EXCEPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "binance_leaks.detect.base64_blocks._LINE": "is matched with lines of at most 400 characters",
        "binance_leaks.detect.private_keys._BARE": "reads at most 3,400 characters for a beginning of 17 or more",
    }
)
"""Expressions that may grow, and why that is harmless."""
GIVEN: Mapping[str, Any] = MappingProxyType(
    {
        "id_size": 20,
        "shortest": 16,
        "by_start": {b"start"},
        "word": b"word",
        "regex": re.compile(r"^x[^/]*$"),  # tests/test_path_patterns.py has those with many stars
    }
)
"""Values of the variables that expressions in functions are made of."""
MADE_ON_IMPORT = frozenset({"hint.pattern", "'|'.join(filter(None, expressions))", "self._source"})
"""What functions compile that are called when their module is imported. Its globals are checked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Expression:
    """An expression of the package, by what name it is known there, and how it is applied."""

    name: str
    pattern: str | bytes
    flags: int
    uses: frozenset[Use]


@cache
def modules() -> Mapping[str, tuple[ModuleType, Sequence[ast.AST]]]:
    """All modules of the package but the one that runs the command, and the nodes of their syntax."""
    names = (
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name != "__main__.py"
    )
    imported = {name: importlib.import_module(name) for name in names}
    return {name: (module, nodes(Path(str(module.__file__)).read_text())) for name, module in imported.items()}


def nodes(source: str) -> Sequence[ast.AST]:
    """All nodes of the syntax of a module."""
    return list(ast.walk(ast.parse(source)))


def expressions() -> Iterator[Expression]:
    """Yield every expression in the globals of a module, and every one that a function gives to `re`."""
    for name, (module, syntax) in modules().items():
        yield from in_globals(name, vars(module))
        yield from in_calls(module, syntax)


def in_globals(module: str, names: Mapping[str, Any]) -> Iterator[Expression]:
    """Yield the compiled expressions in the globals of a module, in their containers, attributes and methods."""
    seen: set[int] = set()
    waiting = [(name, name, value) for name, value in names.items() if not isinstance(value, ModuleType)]
    while waiting:
        path, name, value = waiting.pop()
        value = attrgetter("search")(value) if isinstance(value, UsedPattern) else value
        owner = getattr(value, "__self__", None)
        found = owner if isinstance(owner, re.Pattern) else value
        if isinstance(found, re.Pattern):
            uses = uses_of(module, name)
            yield Expression(name=f"{module}.{path}", pattern=found.pattern, flags=found.flags, uses=uses)
        elif id(value) not in seen:
            seen.add(id(value))
            waiting += ((f"{path}.{key}", key, inner) for key, inner in attributes(value))
            waiting += ((f"{path}[]", name, inner) for inner in items(value))


def attributes(value: object) -> Iterator[tuple[str, object]]:
    """Yield the attributes of a class of the package, or of an object of one."""
    kind = value if isinstance(value, type) else type(value)
    if kind.__module__.startswith("binance_leaks"):
        for name in {*getattr(value, "__dict__", ()), *getattr(kind, "__slots__", ())}:
            yield name, getattr(value, name, None)


def items(value: object) -> Iterable[object]:
    """The members of a container."""
    if isinstance(value, Mapping):
        return chain(value.keys(), value.values())
    return value if isinstance(value, (list, tuple, set, frozenset)) else ()


def in_calls(module: ModuleType, syntax: Iterable[ast.AST]) -> Iterator[Expression]:
    """Yield the expressions that functions give to `re`. Raises NameError if one is made of what is not known."""
    bodies = (node.body for node in syntax if isinstance(node, (ast.Module, ast.ClassDef)))
    statements = (line for line in chain.from_iterable(bodies) if isinstance(line, (ast.Assign, ast.AnnAssign)))
    in_a_global = set(chain.from_iterable(map(ast.walk, statements)))
    for call in syntax:
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)) or call in in_a_global:
            continue
        if ast.unparse(call.func.value) != "re" or call.func.attr not in USES:
            continue
        text = ast.unparse(call.args[0])
        if call.func.attr == "compile" and text in MADE_ON_IMPORT:
            continue
        pattern = eval(text, {**vars(module), **GIVEN})  # noqa: S307 - of the package's own source
        flags = (ast.unparse(flag) for flag in call.args[1:])
        yield Expression(
            name=f"{module.__name__}:{call.lineno}",
            pattern=pattern,
            flags=sum(int(eval(flag)) for flag in flags if re.fullmatch(r"re\.[A-Z]+(?: \| re\.[A-Z]+)*", flag)),  # noqa: S307
            uses=frozenset({USES[call.func.attr]}),
        )


def uses_of(module: str, name: str) -> frozenset[Use]:
    """How the expression of a name is applied. One that is handed on may be searched."""
    where = (module,) if name.startswith("_") else modules()
    return frozenset(chain.from_iterable(uses_in(other)[name] for other in where)) or frozenset({Use.SEARCH})


@cache
def uses_in(module: str) -> defaultdict[str, set[Use]]:
    """How a module applies what it knows by a name. One that is matched from an offset is as one that is searched."""
    found: defaultdict[str, set[Use]] = defaultdict(set)
    syntax = modules()[module][1]
    applied: dict[ast.AST, Use] = {}
    for node in syntax:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in USES:
            use = USES[node.func.attr]
            applied[node.func.value] = Use.SEARCH if use is Use.MATCH and len(node.args) > 1 else use
    for node in syntax:
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
            name = node.id if isinstance(node, ast.Name) else node.attr
            found[name].add(applied.get(node, Use.SEARCH))
    return found


EXPONENTIAL = (
    (r"(?:a+)+b", "match"),
    (r"(?:a*)*b", "match"),
    (r"(?:a|a)*b", "match"),
    (r"(?:a|aa)+$", "match"),
    (r"(?:a{3}|a{5})*b", "match"),
    (r"(?:a{1,9}b?)*:", "match"),
    (r"(?:a{1,9}b?){1,9}:", "match"),
    (r"(?:\w+\s?)*:", "match"),
    (r"(?:[^\W\d]|[a-z])*;", "match"),
    (r"(?i:(?:a|Aa)*)b", "match"),
    (r"(?:\s*,\s*)*x|(?:,|,)*y", "match"),
    (rb"(?:\x00|\x00\x00)*\x01", "match"),
    (r"^(?:(?:ab)*|(?:abab))*c", "match"),
    (r"(?=(?:a+)+b)a", "match"),
    (r"(?:a+)+", "fullmatch"),
)
POLYNOMIAL = (
    (r"\s*\s*x", "match"),
    (r"a*[ab]*c", "match"),
    (r"a*(?:,)?[ab]*c", "match"),
    (r"a*(?:b|c?)a*d", "match"),
    (r".*=.*;", "match"),
    (r"(a*)\1b", "match"),
    (r"(\w)\w*?\1", "search"),
    (r"\d+\d{1,600}$", "match"),
    (r"[a-z]*[a-z]*", "fullmatch"),
    (r"(?P<name>\w+?)\w*?!", "match"),
    (r"[A-Za-z0-9]+_", "search"),
    (r"\s+$", "search"),
    (r"\s*\Z", "search"),
    (r".*x", "search"),
    (r"<[^>]*>", "search"),
    (r"'.*?'x", "search"),
    (r"\\+n", "search"),
    (r"(?:ab|cd)*x", "search"),
    (r"a(?:[ab]*x)?", "search"),
    (r"(?<![a-z])[a-zA]+_", "search"),
    (r"(?<=a)[a-z]+_", "search"),
    (r"(?=[a-z]*\d)[a-z0-9]{4}", "search"),
    (r"[a-z]+(?=:)", "search"),
    (r"[a-z]{800,}:", "search"),
    (r"[a-z]{1,8000}:", "search"),
    (r"(?m)^\s*x", "search"),
    (r"(?i)(?<![a-z])K+\u212a+;", "search"),
    (rb"[^\n]*-----\n", "search"),
    (rb"BEGIN.*?END", "search"),
)
LINEAR = (
    (r"a*b+a*c", "match"),
    (r"\s*(?:,\s*)?x", "match"),
    (r"(?:a|b)*c", "match"),
    (r"(?:ab|ac)*d", "match"),
    (r"(?:[^\"]|\"\")+\"", "match"),
    (r"(?:\w+\s)*:", "match"),
    (r"(?:'[^']*'|[^'])*;", "match"),
    (r".*;", "match"),
    (r"[^=]*=[^;]*;", "match"),
    (r"[a-z]*[a-z]*", "search"),
    (r"[A-Za-z0-9]+", "search"),
    (r"[A-Za-z0-9]{64,}", "search"),
    (r"\w+\b", "search"),
    (r"[a-z]+(?![a-z])", "search"),
    (r"[a-z]+(?:-[a-z]+)*", "search"),
    (r"(?<![A-Za-z0-9])[A-Za-z0-9]+_", "search"),
    (r"(?i)(?<![a-z])[A-Z]+_", "search"),
    (r"(?<!\\)\\+n", "search"),
    (r"\b\w+:", "search"),
    (r"\s{1,80}$", "search"),
    (r"^\s*x", "search"),
    (r"\A.*x", "search"),
    (r"(?m)^[ \t]*x", "search"),
    (r"<[^<>]*>", "search"),
    (r"(?<=\")\s*x", "search"),
    (r"(?<![a-z])(?=[a-z]*\d)[a-z0-9]{4}", "search"),
    (r"(?:[A-Z](?![a-z]))+|[A-Z]?[a-z]+", "search"),
    (r"[a-z]{60,}(?:\s[a-z]{60,76})*", "search"),
    (r"(?s)/\*.*?(?:\*/|\Z)", "search"),
    (rb"(?m)^x [^\n]*\n(?: [^\n]*\n)*", "search"),
)


@pytest.mark.parametrize(("pattern", "use"), EXPONENTIAL)
def test_exponential(pattern: str | bytes, use: str) -> None:
    found = growth(pattern, 0, Use(use))
    assert found is not None
    assert found.kind == "exponential"


@pytest.mark.parametrize(("pattern", "use"), POLYNOMIAL)
def test_polynomial(pattern: str | bytes, use: str) -> None:
    found = growth(pattern, 0, Use(use))
    assert found is not None
    assert found.kind == "polynomial"


@pytest.mark.parametrize(("pattern", "use"), LINEAR)
def test_linear(pattern: str | bytes, use: str) -> None:
    assert growth(pattern, 0, Use(use)) is None


def test_growth_shows_the_text() -> None:
    assert str(growth(r"x(?:a|aa)*c", 0, Use.MATCH)) == "exponential over 'aa' repeated"


def test_every_expression_is_linear() -> None:
    """A failure says what to repeat in a text to see the work grow: exclude it before the repetition, or bound that."""
    uses: defaultdict[tuple[str | bytes, int], set[Use]] = defaultdict(set)
    names: dict[tuple[str | bytes, int], set[str]] = defaultdict(set)
    for expression in expressions():
        uses[expression.pattern, expression.flags] |= expression.uses
        names[expression.pattern, expression.flags].add(expression.name)
    assert len(names) > 200
    found = {key: next(filter(None, (growth(*key, use) for use in Use if use in uses[key])), None) for key in names}
    growing = {name: (key[0], str(found[key])) for key in names if found[key] for name in names[key]}
    assert {name: why for name, why in growing.items() if name not in EXCEPTIONS} == {}
    assert set(EXCEPTIONS) == set(growing), "an exception that is not needed"


def test_expressions_are_found_wherever_they_are() -> None:
    module = ModuleType("binance_leaks.example")
    source = """
import re
plain, _PART = re.compile("1"), "x*"
table = {"a": [re.compile("2"), (re.compile(b"3"),)]}
find = re.compile("4").search
class Kept:
    __module__ = "binance_leaks.example"
    pattern = re.compile("5")
    def __init__(self): self.own = re.compile("6")
kept = Kept()
def replace(text):
    return re.sub(f"7{_PART}", "", re.split(rb"8" + b"9", text, re.ASCII))
"""
    exec(compile(source, "example", "exec"), vars(module))  # noqa: S102 - of the lines above
    found = [*in_globals("binance_leaks.cli", vars(module)), *in_calls(module, nodes(source))]
    assert {expression.pattern for expression in found} == {"1", "2", b"3", "4", "5", "6", "7x*", b"89"}
