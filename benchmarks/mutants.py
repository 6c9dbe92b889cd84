"""Shows which changes of the detector the corpus and its cheap tests do not notice.

Each mutant is one small change of one module of `detect/`: a comparison, a boolean or arithmetic operator, a number, a
condition, a value that is returned, the end of a loop, the bound of a slice. It runs in a fork that imports the package
with this module changed, and judges the corpus until the first judgement that is not the recorded one; the cases that
noticed other mutants of the module come first. What passes the corpus must pass the filters, some texts in other
encodings, and the tests in `TESTS`. Expressions and words are strings, and not changed. The forks read the other
modules from the working tree, which must not change meanwhile.

What survives and may is in `mutants-explained.tsv`: module, line of source, change and reason. Survivors are printed in
its form.

    PYTHONPATH=. python benchmarks/mutants.py [--module NAME[:LINE]] [--sample N] [--seed N] [--minutes N]
"""

from __future__ import annotations

import argparse
import ast
import copy
import functools
import gc
import importlib
import io
import json
import os
import random
import re
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from itertools import chain
from pathlib import Path
from types import CodeType, ModuleType

import binance_leaks
import pytest
from binance_leaks.model import Credential
from timing import markdown

from tests.corpus import Filled, fill, load
from tests.corpus.record import changes, recorded

PACKAGE = "binance_leaks.detect"
FOLDER = Path(binance_leaks.__file__).with_name("detect")
ROOT = Path(__file__).resolve().parent.parent
TESTS = (
    "allow", "binaries", "candidates", "credentials", "disagreement", "encoded_texts", "environment_evidence",
    "evasions", "interrupted_text", "literal_chains", "names_shown", "pairing_across_files", "path_values",
    "private_keys", "published", "rules", "signatures",
)  # fmt: skip
TESTS_OF: Mapping[str, Sequence[str]] = {"prefilter": ["sieve"], "sieve": ["sieve"], "vocabulary": ["vocabulary"]}
"""What the mutants of a module must also pass, which takes longer."""
NOT_RUN_TESTS = ("needs_each", "sieve_suspects")
EXPLAINED = Path(__file__).with_name("mutants-explained.tsv")
SECONDS_A_CASE = 3
SECONDS_OF_TESTS = 60
MEMORY = 3 << 30
# Lines that are not changed, and why. So are, for the same reasons, the numbers and
# comparisons of limits below, and `return False`, which is as good as none.
LEFT_ALONE: Mapping[str, str] = {
    r"_?(LONGEST|MOST|REACH|LARGEST|SHORTEST)\w* = |_\w*(REACH|LINES|ABOVE) = ": "a round limit; one more is as good",
    r"_(BLOCK|NEAR|FAR|WINDOW|NEIGHBOURS|SAME_STEM|AROUND_PIECE|SMALL_FILE|LONG|LONG_LINE|LEAD) = ": "likewise",
    r"\s+cost \+= ": "weights of what separates two values",
    r"_(SAMPLE|STEP|PROBE|SOME|FEW|WORTH|SCHEMA|SHORT) = |REMEMBERED = ": "how much is looked at or kept at a time",
    r"(LIMIT|LOOK|DIGEST|VALUE|_WORK_PER_BYTE|_CELL_WORK) = ": "steps of work, which test_growth.py counts",
}
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
"""Numbers from here on are limits where they bound a slice or are compared with more or less: one more is as good."""
ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
NOT_RUN = frozenset({"annotation", "returns", "decorator_list"})


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One change of one module; `replacement` goes into `field` of `parent`, at `index` if that is a list.

    `function` is the line at which the innermost function around it begins.
    """

    module: str
    line: int
    source: str
    function: int | None
    kind: str
    change: str
    tree: ast.Module
    parent: ast.AST
    field: str
    index: int | None
    replacement: ast.AST

    def code(self) -> CodeType:
        """Compile the module with the change, which stays in the tree: this is the fork's own copy."""
        if self.index is None:
            setattr(self.parent, self.field, self.replacement)
        else:
            getattr(self.parent, self.field)[self.index] = self.replacement
        return compile(ast.fix_missing_locations(self.tree), str(FOLDER / f"{self.module}.py"), "exec")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a mutant: `killed`, `timed out`, `explained` or `survived`, and what noticed it or why it may."""

    mutant: Mutant
    verdict: str
    by: str


def main() -> int:
    """Run the mutants and print what was noticed."""
    parser = argparse.ArgumentParser(description="Shows which changes of the detector no cheap test notices.")
    parser.add_argument("--module", action="append", metavar="NAME[:LINE]", help="repeatable (default: all)")
    parser.add_argument("--sample", type=int, metavar="N", help="run N mutants, chosen at random (default: all)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the choice (default: %(default)s)")
    parser.add_argument("--minutes", type=float, metavar="N", help="start no mutant after N minutes")
    options = parser.parse_args()
    wanted = [name.partition(":") for name in options.module or sorted(path.stem for path in FOLDER.glob("*.py"))]
    mutants = [
        mutant for name, _, line in wanted for mutant in mutants_of(name) if not line or mutant.line == int(line)
    ]
    random.Random(options.seed).shuffle(mutants)
    chosen = mutants[: options.sample]
    deadline = None if options.minutes is None else time.monotonic() + options.minutes * 60
    outcomes = list(run_all(chosen, deadline))
    print(f"{len(outcomes)} of {len(mutants)} mutants, seed {options.seed}\n")
    print(table(outcomes))
    stale = [] if options.module else sorted(explained().keys() - {key_of(mutant) for mutant in mutants})
    if stale:
        print("\nexplained, and no mutants any more:", *map("\t".join, stale), sep="\n")
    for kind in ("survived", "timed out"):
        print(f"\n{kind}:")
        for each in sorted(outcomes, key=lambda each: (each.mutant.module, each.mutant.line)):
            if each.verdict == kind:
                print(f"{each.mutant.line:5} " + "\t".join(key_of(each.mutant)))
    return 0


def key_of(mutant: Mutant) -> tuple[str, str, str]:
    """What identifies a mutant when line numbers change."""
    return mutant.module, mutant.source, mutant.change


def explained() -> Mapping[tuple[str, str, str], str]:
    """Read why some mutants may survive."""
    rows = (line.split("\t") for line in EXPLAINED.read_text("utf-8").splitlines())
    return {(module, source, change): reason for module, source, change, reason in rows}


def table(outcomes: Sequence[Outcome]) -> str:
    """The outcomes by module."""
    verdicts = ("killed", "timed out", "explained", "survived")
    by_module: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each in outcomes:
        by_module[each.mutant.module][each.verdict] += 1
        by_module["all"][each.verdict] += 1
    rows = [
        [f"`{name}`" if name != "all" else name, str(counts.total()), *(str(counts[each]) for each in verdicts)]
        for name, counts in sorted(by_module.items(), key=lambda item: (item[0] == "all", item[0]))
    ]
    return markdown(["module", "mutants", *verdicts], rows)


def mutants_of(module: str) -> Iterator[Mutant]:
    """All mutants of a module of `detect/`."""
    source = (FOLDER / f"{module}.py").read_text("utf-8")
    tree = ast.parse(source)
    alone = re.compile("|".join(LEFT_ALONE))
    lines = source.splitlines()
    left_alone = {number for number, line in enumerate(lines, 1) if alone.match(line)}
    limits = {line.split(" = ")[0] for line in lines if alone.match(line)}
    for function, parent, field, index, node, bounds in places(tree, None):
        line = getattr(node, "lineno", 0)
        if line in left_alone or is_assertion(parent):
            continue
        for kind, replacement in alternatives(parent, field, node):
            if kind == "comparison" and is_comparison_with_limit(node, limits):
                continue
            if (bounds and is_bound(node)) or (kind == "slice" and is_call_of(node, "max", "min")):
                continue
            yield Mutant(
                module=module,
                line=line,
                source=lines[line - 1].strip() if line else "",
                function=function,
                kind=kind,
                change=f"{short(node)}  →  {short(replacement)}",
                tree=tree,
                parent=parent,
                field=field,
                index=index,
                replacement=replacement,
            )


def short(node: ast.AST) -> str:
    """The text of a node, in one line that is not long."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:60]} … {text[-27:]}"


def places(
    parent: ast.AST, function: int | None, bounds: bool = False
) -> Iterator[tuple[int | None, ast.AST, str, int | None, ast.AST, bool]]:
    """Every node that runs, with the function around it, its place in its parent, and whether it is part of a bound."""
    if isinstance(parent, ast.JoinedStr):
        return
    if isinstance(parent, ast.FunctionDef):
        function = min([parent.lineno, *(each.lineno for each in parent.decorator_list)])
    bounds = (
        bounds
        or isinstance(parent, ast.Slice)
        or is_call_of(parent, "max", "min")
        or (isinstance(parent, ast.Compare) and isinstance(parent.ops[0], ORDER))
    )
    for field, value in ast.iter_fields(parent):
        if field in NOT_RUN:
            continue
        for index, node in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(node, ast.AST):
                yield function, parent, field, index, node, bounds
                yield from places(node, function, bounds)


def is_call_of(node: ast.AST, *names: str) -> bool:
    """Whether a node calls one of some functions."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def is_bound(node: ast.AST) -> bool:
    """Whether a part of a bound is a number of characters or lines to read."""
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and node.value >= LIMIT


def is_comparison_with_limit(node: ast.AST, limits: Container[str]) -> bool:
    """Whether a node asks if something is more or less than a limit."""
    return (
        isinstance(node, ast.Compare)
        and isinstance(node.ops[0], ORDER)
        and any(
            (isinstance(each, ast.Constant) and isinstance(each.value, (int, float)) and each.value >= LIMIT)
            or (isinstance(each, ast.Name) and each.id in limits)
            for each in ast.walk(node)
        )
    )


def alternatives(parent: ast.AST, field: str, node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The changes of one node, and of which kind each is."""
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


def run_all(mutants: Sequence[Mutant], deadline: float | None) -> Iterator[Outcome]:
    """Run each mutant in a fork of this process, in which nothing of `detect/` is loaded."""
    cases = [fill(case, 1) for case in load()]
    # What is imported here fills the cache of `re`, from which the forks take their expressions.
    importlib.import_module("tests.detect.test_laws")
    recorded()
    forget()
    gc.freeze()
    if (fault := in_fork(lambda: noticed(cases))) != ("survived", "-"):
        raise SystemExit(f"fails without a change: {fault}")
    callers = cases_by_function(cases)
    reasons = explained()
    killers: defaultdict[str, list[int]] = defaultdict(list)
    everything = set(range(len(cases)))
    shuffled = random.Random(1).sample(sorted(everything), len(cases))
    for done, mutant in enumerate(mutants):
        if deadline is not None and time.monotonic() > deadline:
            return
        place = f"{mutant.module}:{mutant.function}"
        reached = everything if mutant.function is None else set(callers.get(place, ()))
        order = [at for at in dict.fromkeys(chain(killers[mutant.module], shuffled)) if at in reached]
        verdict, by = in_fork(partial(judged, mutant, [cases[at] for at in order]))
        if verdict == "survived" and key_of(mutant) in reasons:
            verdict, by = "explained", reasons[key_of(mutant)]
        at = next((at for at in order if cases[at].case.id == by), None)
        if at is not None:
            killers[mutant.module] = [at, *(other for other in killers[mutant.module] if other != at)]
        print(f"{done + 1}/{len(mutants)} {mutant.module}:{mutant.line} {mutant.kind} {verdict} {by}", file=sys.stderr)
        yield Outcome(mutant=mutant, verdict=verdict, by=by)


def cases_by_function(cases: Sequence[Filled]) -> Mapping[str, Sequence[int]]:
    """Which cases call each function, by its module and first line."""
    read: dict[str, list[int]] = json.loads(in_fork(partial(_traced, cases))[1])
    return read


def _traced(cases: Sequence[Filled]) -> str:
    """Detect in all cases with every call noted and nothing remembered; return `cases_by_function` as JSON."""
    functools.lru_cache = lambda *_, **__: lambda function: function  # type: ignore[assignment]
    engine, prefilter = (importlib.import_module(f"{PACKAGE}.{name}") for name in ("engine", "prefilter"))
    called: set[CodeType] = set()
    found: defaultdict[str, list[int]] = defaultdict(list)
    for at, each in enumerate(cases):
        called.clear()
        sys.settrace(lambda frame, *_: called.add(frame.f_code))
        engine.detect(each.data, path=each.case.filename)
        prefilter.may_hold(each.data)
        sys.settrace(None)
        for code in called:
            if Path(code.co_filename).parent == FOLDER:
                found[f"{Path(code.co_filename).stem}:{code.co_firstlineno}"].append(at)
    return json.dumps(found)


def in_fork(run: Callable[[], str]) -> tuple[str, str]:
    """Run in a fork; return the verdict and what noticed the mutant."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        try:
            os.write(writing, run().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        by = stream.read().decode()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return ("timed out" if os.WTERMSIG(status) == signal.SIGVTALRM else "killed"), "a signal"
    return ("survived" if by == "-" else "killed"), by


def judged(mutant: Mutant, cases: Sequence[Filled]) -> str:
    """What notices the mutant, or `-`."""
    sys.meta_path.insert(0, _Finder(f"{PACKAGE}.{mutant.module}", mutant.code()))
    allow_seconds(SECONDS_A_CASE)
    try:
        return noticed(cases, (*TESTS, *TESTS_OF.get(mutant.module, ())))
    except Exception as error:
        return type(error).__name__


def allow_seconds(seconds: int) -> None:
    """End this process when it has used as much processor time from now on."""
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)


def noticed(cases: Sequence[Filled], tests: Sequence[str] = TESTS) -> str:
    """Return the name of the first case or test that fails, or `-`."""
    engine, prefilter = (importlib.import_module(f"{PACKAGE}.{name}") for name in ("engine", "prefilter"))
    for each in cases:
        allow_seconds(SECONDS_A_CASE)
        try:
            found: tuple[Credential, ...] = engine.detect(each.data, path=each.case.filename)
            if changes(each, found) or (found and not prefilter.may_hold(each.data)):
                return each.case.id
        except Exception:
            return each.case.id
    allow_seconds(SECONDS_OF_TESTS)
    laws = importlib.import_module("tests.detect.test_laws")
    return of_forms(laws) or of_tests(tests) or "-"


def of_forms(laws: ModuleType) -> str:
    """Return the first of some texts that is not read alike in another encoding, each in one."""
    forms = list(laws.FORMS.items())
    for number, case in enumerate(laws.PLAIN[::12]):
        name, encode = forms[number % len(forms)]
        text = fill(case, 1).data.decode().replace("\r\n", "\n")
        data = encode(text)
        if laws._ids(data, case) != laws._ids(text.encode(), case):
            return f"{case.id} in {name}"
    return ""


class _FirstFailure:
    """Remembers the first test that fails."""

    name = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.name:
            self.name = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.name:
            self.name = report.nodeid


def of_tests(tests: Sequence[str]) -> str:
    """Return the first of these tests that fails."""
    first = _FirstFailure()
    files = [str(ROOT / "tests" / "detect" / f"test_{name}.py") for name in tests]
    arguments = [
        "-x",
        "-q",
        "--assert=plain",
        "-p",
        "no:cacheprovider",
        "-o",
        "addopts=",
        "-k",
        " and ".join(f"not {name}" for name in NOT_RUN_TESTS),
        "--rootdir",
        str(ROOT),
    ]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        status = pytest.main([*arguments, *files], plugins=[first])
    return first.name or ("" if status == pytest.ExitCode.OK else f"pytest: {status}")


def forget() -> None:
    """Unload the detector and all that may hold parts of it."""
    kept = {"binance_leaks", "binance_leaks.model", "binance_leaks.environments", "binance_leaks.masking"}
    for name in list(sys.modules):
        ours = name.startswith("binance_leaks") and name not in kept
        if ours or (name.startswith("tests.") and not name.startswith("tests.corpus")):
            del sys.modules[name]


class _Finder(MetaPathFinder):
    """Finds one module with other code than its file has."""

    def __init__(self, name: str, code: CodeType) -> None:
        self._name = name
        self._code = code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(fullname, spec.origin, self._code)
        return spec


class _Loader(SourceFileLoader):
    """Loads a module with given code."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002  # the loader has one module only
        return self._code


if __name__ == "__main__":
    raise SystemExit(main())
