"""Make small changes to the modules of the package: a comparison, an operator, a number, a condition, a returned value.

Expressions and words are strings, and not changed, nor are formatted strings.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

LEFT_ALONE: Mapping[str, str] = {
    r"_?(LONGEST|MOST|MAX|REACH|LARGEST|SHORTEST|NEAR|FAR)\w* = |_\w*(REACH|LINES|ABOVE|BYTES) = ": "a round limit",
    r"if TYPE_CHECKING:": "imports for annotations",
}
"""Lines that are not changed, and why: of a limit, one more is as good. Nor are comparisons with one, and slices."""
LEFT_ALONE_IN_DETECT: Mapping[str, str] = {
    r"_(BLOCK|WINDOW|NEIGHBOURS|SAME_STEM|AROUND_PIECE|SMALL_FILE|LONG|LONG_LINE|LEAD) = ": "a round limit, too",
    r"\s+cost \+= ": "weights of what separates two values",
    r"_(SAMPLE|STEP|PROBE|SOME|FEW|WORTH|SCHEMA|SHORT) = |(REMEMBERED|_BLOCK, _OVERLAP) = ": "how much is looked at",
    r"(LIMIT|LOOK|DIGEST|VALUE|_WORK_PER_BYTE|_CELL_WORK) = ": "steps of work, which test_growth.py counts",
}
"""Nor are numbers there, where they are limits: in other packages they decide."""
COMPARISONS: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
OPERATORS: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
LIMIT = 8
"""Numbers of `detect/` from here on are limits where they bound a slice or are compared with more or less."""
ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
NOT_RUN = frozenset({"annotation", "returns", "decorator_list"})


@dataclass(frozen=True, kw_only=True)
class Function:
    """The outermost function around a mutant."""

    name: str
    line: int
    """Where its first decorator is, as code objects have it."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One change of one module, whose name is its path in the package, as `verify/plan`."""

    module: str
    line: int
    source: str
    """The line without its indentation."""
    kind: str
    change: str
    function: Function | None
    """`None` if the changed code runs when the module is imported."""
    lines: frozenset[int] | None
    """The lines of which a test runs one if it can notice the change; `None` if it need not run any."""
    file: Path
    node: ast.expr | ast.stmt
    replacement: ast.AST

    def text(self) -> str:
        """Return the changed module, with all other lines where they were."""
        first, last = self.node.lineno, self.node.end_lineno or self.node.lineno
        lines = self.file.read_bytes().splitlines(keepends=True)
        before = b"".join(lines[: first - 1]) + lines[first - 1][: self.node.col_offset]
        after = lines[last - 1][self.node.end_col_offset :] + b"".join(lines[last:])
        new, ends = ast.unparse(self.replacement), "\n" * (last - first)
        between = f"({new}{ends})" if isinstance(self.node, ast.expr) else new + ends
        return (before + between.encode() + after).decode()

    def is_python(self) -> bool:
        """Whether it can be compiled: some patterns may not hold an expression."""
        try:
            compile(self.text(), self.file, "exec")
        except SyntaxError:
            return False
        return True


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A node that runs."""

    node: ast.AST
    parent: ast.AST
    field: str
    function: Function | None
    statement: ast.stmt
    is_bound: bool
    """Whether it is part of the bound of a slice or of a comparison."""


def mutants_of(module: str, file: Path) -> Iterator[Mutant]:
    """All mutants of a module."""
    text = file.read_text("utf-8")
    tree = ast.parse(text)
    lines = text.splitlines()
    has_limits = module.startswith("detect/")
    alone = re.compile("|".join([*LEFT_ALONE, *(LEFT_ALONE_IN_DETECT if has_limits else ())]))
    left_alone = {number for number, line in enumerate(lines, 1) if alone.match(line)}
    imported = (each.name for node in tree.body if isinstance(node, ast.ImportFrom) for each in node.names)
    limits = {line.split(" = ")[0] for line in (*lines, *map("{} = ".format, imported)) if alone.match(line)}
    members = members_in(tree)
    for place in (place for each in tree.body for place in places(each, tree, "body", None, each, is_bound=False)):
        node = place.node
        if not isinstance(node, (ast.expr, ast.stmt)) or node.lineno in left_alone or is_assertion(place.parent):
            continue
        for kind, replacement in alternatives(place.parent, place.field, node, members):
            if kind == "comparison" and is_comparison_with_limit(node, limits, numbers=has_limits):
                continue
            if has_limits and place.is_bound and is_limit(node):
                continue
            if kind == "slice" and (is_call_of(node, "max", "min") or is_named(node, limits)):
                continue
            yield Mutant(
                module=module,
                line=node.lineno,
                source=lines[node.lineno - 1].strip(),
                kind=kind,
                change=f"{short(node)}  →  {short(replacement)}",
                function=place.function,
                lines=lines_of(place, tree),
                file=file,
                node=node,
                replacement=replacement,
            )


def members_in(tree: ast.AST) -> Mapping[tuple[str, str], str]:
    """For each member of an enumeration that a module names, the next one of the same that it names."""
    named = sorted({(each.value.id, each.attr) for each in ast.walk(tree) if is_member(each)})
    by_type: dict[str, list[str]] = {}
    for name, member in named:
        by_type.setdefault(name, []).append(member)
    return {
        (name, member): members[(at + 1) % len(members)]
        for name, members in by_type.items()
        for at, member in enumerate(members)
        if len(members) > 1
    }


def is_member(node: ast.AST) -> TypeGuard[_Member]:
    """Whether a node is written as a member of an enumeration."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id.lstrip("_")[:1].isupper()
        and not node.value.id.isupper()
        and node.attr.isupper()
    )


class _Member(ast.Attribute):
    value: ast.Name


def lines_of(place: _Place, tree: ast.Module) -> frozenset[int] | None:
    """The lines that a test runs if it can notice a change at this place."""
    statement = place.statement
    if place.function is None:
        return users_of(statement, tree)
    body = getattr(statement, "body", None)
    first, last = statement.lineno, statement.end_lineno or 0
    if body:
        last = max(first, body[0].lineno - 1)
    elif isinstance(statement, ast.Match) and isinstance(place.node, ast.expr):
        first, last = place.node.lineno, place.node.end_lineno or 0
    return frozenset(range(first, last + 1))


def users_of(statement: ast.stmt, tree: ast.Module) -> frozenset[int] | None:
    """The lines that use what a statement of the module or of a class defines; `None` if others may."""
    around = next(each for each in tree.body if each.lineno <= statement.lineno <= (each.end_lineno or 0))
    if isinstance(around, (ast.Assign, ast.AnnAssign)):
        targets = around.targets if isinstance(around, ast.Assign) else [around.target]
        names = {name for target in targets for name in names_in(target)}
        if not all(name.startswith("_") for name in names):
            return None
        users = [each for each in tree.body if names & names_in(each)]
    elif isinstance(around, ast.FunctionDef) or (isinstance(around, ast.ClassDef) and not around.decorator_list):
        users = [around]
    else:
        return None  # as of a dataclass, whose methods are in no file
    return frozenset(line for each in users for line in range(each.lineno, (each.end_lineno or 0) + 1))


def names_in(node: ast.AST) -> set[str]:
    """All names in a piece of code."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def short(node: ast.AST) -> str:
    """The text of a node, in one line that is not long."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:60]} … {text[-27:]}"


def places(
    node: ast.AST, parent: ast.AST, field: str, function: Function | None, statement: ast.stmt, *, is_bound: bool
) -> Iterator[_Place]:
    """This node and every one below it that runs."""
    if isinstance(node, ast.JoinedStr):
        return
    if isinstance(node, ast.stmt):
        statement = node
    yield _Place(node=node, parent=parent, field=field, function=function, statement=statement, is_bound=is_bound)
    inside = function
    if isinstance(node, ast.FunctionDef):
        line = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        inside = function or Function(name=node.name, line=line)
    bounds = (
        is_bound
        or isinstance(node, ast.Slice)
        or is_call_of(node, "max", "min")
        or (isinstance(node, ast.Compare) and isinstance(node.ops[0], ORDER))
    )
    for name, value in ast.iter_fields(node):
        if name in NOT_RUN:
            continue
        for each in value if isinstance(value, list) else (value,):
            if isinstance(each, ast.AST):
                around = function if name == "args" and isinstance(node, ast.FunctionDef) else inside
                yield from places(each, node, name, around, statement, is_bound=bounds)


def is_call_of(node: ast.AST, *names: str) -> bool:
    """Whether a node calls one of some functions."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def is_limit(node: ast.AST) -> bool:
    """Whether a part of a bound is a number of characters or lines to read."""
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and node.value >= LIMIT


def is_named(node: ast.AST, names: Container[str]) -> bool:
    """Whether a node is one of these names."""
    return isinstance(node, ast.Name) and node.id in names


def is_comparison_with_limit(node: ast.AST, limits: Container[str], *, numbers: bool) -> bool:
    """Whether a node asks if something is more or less than one of these limits, or than a large number."""
    return (
        isinstance(node, ast.Compare)
        and isinstance(node.ops[0], ORDER)
        and any(is_named(each, limits) or (numbers and is_limit(each)) for each in ast.walk(node))
    )


def alternatives(
    parent: ast.AST, field: str, node: ast.AST, members: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, ast.AST]]:
    """The changes of one node, and of which kind each is."""
    if is_member(node) and (other := members.get((node.value.id, node.attr))):
        yield "member", ast.Attribute(value=node.value, attr=other, ctx=ast.Load())
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            changed = copy.copy(node)
            changed.ops = [*node.ops[:at], COMPARISONS[type(operator)](), *node.ops[at + 1 :]]
            yield "comparison", changed
    elif isinstance(node, ast.BoolOp):
        yield "boolean", ast.BoolOp(op=ast.Or() if isinstance(node.op, ast.And) else ast.And(), values=node.values)
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield "arithmetic", ast.BinOp(left=node.left, op=OPERATORS[type(node.op)](), right=node.right)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "condition", node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "constant", ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield "constant", ast.Constant(node.value + 1)
    elif isinstance(node, ast.Return) and node.value is not None and not is_false(node.value):
        yield "return", ast.Return(ast.Constant(None))
    elif isinstance(node, (ast.Continue, ast.Break)):
        yield "loop", ast.Break() if isinstance(node, ast.Continue) else ast.Continue()
    if is_condition(parent, field) and isinstance(node, ast.expr) and not isinstance(node, (ast.Compare, ast.UnaryOp)):
        yield "condition", ast.UnaryOp(op=ast.Not(), operand=node)
    if isinstance(parent, ast.Slice) and isinstance(node, ast.expr) and not isinstance(node, ast.Constant):
        yield "slice", ast.BinOp(left=node, op=ast.Add(), right=ast.Constant(1))


def is_false(node: ast.expr) -> bool:
    """Whether this is a literal None or False."""
    return isinstance(node, ast.Constant) and node.value in (None, False)


def is_assertion(parent: ast.AST) -> bool:
    """Whether a field of a node only asserts what always holds: `strict=True`, `assert`."""
    return (isinstance(parent, ast.keyword) and parent.arg == "strict") or isinstance(parent, ast.Assert)


def is_condition(parent: ast.AST, field: str) -> bool:
    """Whether a field of a node decides what runs."""
    return field == "test" or (isinstance(parent, ast.comprehension) and field == "ifs")
