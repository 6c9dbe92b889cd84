"""Holds the layers: who imports whom, what is imported late and why, and what a clean commit never pays for."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.repositories import Repository

TOP = Path(__file__).resolve().parents[1]
PACKAGE = TOP / "scanner/binance_leaks"
LAYERS: Mapping[str, int] = MappingProxyType(
    {
        "binance_leaks": 0,
        "binance_leaks.masking": 0,
        "binance_leaks.scattered_values": 0,
        "binance_leaks.model": 0,
        "binance_leaks.environments": 0,
        "binance_leaks.findings": 0,
        "binance_leaks.errors": 0,
        "binance_leaks.exit_status": 0,
        "binance_leaks.native": 0,
        "binance_leaks.lazy_dataclasses": 0,
        "binance_leaks.lazy_patterns": 0,
        "binance_leaks.verification": 0,
        "binance_leaks.quantities": 0,
        "binance_leaks.ref_order": 0,
        "binance_leaks.detect": 1,
        "binance_leaks.sources": 2,
        "binance_leaks.verify": 2,
        "binance_leaks.isolation": 2,
        "binance_leaks.writing": 2,
        "binance_leaks.temporary_folders": 2,
        "binance_leaks.reading": 2,
        "binance_leaks.path_bytes": 2,
        "binance_leaks.path_patterns": 2,
        "binance_leaks.risk": 3,
        "binance_leaks.audit": 3,
        "binance_leaks.config": 3,
        "binance_leaks.baseline": 3,
        "binance_leaks.replacements": 3,
        "binance_leaks.setup": 3,
        "binance_leaks.agents": 3,
        "binance_leaks.machine": 3,
        "binance_leaks.report": 4,
        "binance_leaks.pipeline": 5,
        "binance_leaks.fleet": 6,
        "binance_leaks.api": 7,
        "binance_leaks.cli": 7,
        "binance_leaks.plugin": 7,
        "binance_leaks.plugin_verification": 7,
        "binance_leaks.__main__": 7,
    }
)
LIBRARY = ("binance_leaks", "binance_leaks.api")
"""The package is at the bottom, as everybody asks it for the version, and is the front of the library, which it imports
when somebody asks for that."""
STRANGERS = ("binance_leaks.sources", "binance_leaks.verify", "binance_leaks.report")
NETWORK = frozenset(
    {
        "socket", "ssl", "http", "urllib", "ftplib", "smtplib", "imaplib", "poplib", "asyncio", "xmlrpc", "h2", "h11",
        "socketserver", "requests", "httpx", "httpcore", "aiohttp", "urllib3", "websockets", "pycurl",
    }
)  # fmt: skip
NOT_ON_THE_CLEAN_PATH = frozenset(
    {
        "git", "detect_secrets", "rich", "dataclasses", "argparse", "subprocess", "re", "enum", "json", "pathlib",
        "typing", "logging", "multiprocessing", "concurrent", "pathspec", "tomllib", "tempfile", "zipfile", "tarfile",
        "hashlib", "inspect", "socket", "asyncio", "shutil", "jinja2",
        "binance_leaks.model", "binance_leaks.findings", "binance_leaks.config", "binance_leaks.cli.parser",
        "binance_leaks.detect.engine", "binance_leaks.sources.git", "binance_leaks.sources.archives",
        "binance_leaks.report.text",
    }
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """One import: by whom, of what, where, and whether it is of types only or inside a function."""

    by: str
    of: str
    line: int
    late: bool
    types_only: bool
    function: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Module:
    """A module of the package, read. `ours` are the names of all of them."""

    name: str
    path: Path
    tree: ast.Module
    ours: Set[str]

    @property
    def layered(self) -> str:
        """The entry of the layer table that it belongs to."""
        first, _, rest = self.name.partition(".")
        return f"{first}.{rest.split('.')[0]}" if rest else first

    def imports(self) -> Iterator[Import]:
        """Every import in it."""
        yield from _imports(self, self.tree.body, function=None, types_only=False)


def _imports(module: Module, body: list[ast.stmt], *, function: str | None, types_only: bool) -> Iterator[Import]:
    for statement in body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            for name in _targets(module, statement):
                yield Import(
                    by=module.name,
                    of=name,
                    line=statement.lineno,
                    late=function is not None,
                    types_only=types_only,
                    function=function,
                )
        inner = statement.name if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) else function
        guarded = types_only or (isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test))
        for block in _blocks(statement):
            yield from _imports(module, block, function=inner, types_only=guarded)


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for _, field in ast.iter_fields(statement):
        if isinstance(field, list) and field and isinstance(field[0], ast.stmt):
            yield field
        for part in field if isinstance(field, list) else ():
            if isinstance(part, (ast.ExceptHandler, ast.match_case)):
                yield part.body


def _targets(module: Module, statement: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(statement, ast.Import):
        yield from (alias.name for alias in statement.names)
        return
    assert statement.level == 0, f"{module.name}:{statement.lineno}: a relative import"
    origin = statement.module or ""
    for alias in statement.names:
        whole = f"{origin}.{alias.name}"
        yield whole if whole in module.ours else origin


def _paths() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _modules() -> list[Module]:
    paths = _paths()
    trees = {name: ast.parse(path.read_text("utf-8"), str(path)) for name, path in paths.items()}
    return [Module(name=name, path=path, tree=trees[name], ours=paths.keys()) for name, path in paths.items()]


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    return _modules()


@pytest.fixture(scope="module")
def inner(modules: list[Module]) -> list[tuple[Module, Module, Import]]:
    """The imports between our own modules."""
    by_name = {module.name: module for module in modules}
    found = []
    for module in modules:
        ours = (one for one in module.imports() if one.of.split(".")[0] == "binance_leaks")
        found += [(module, by_name[one.of], one) for one in ours]
    return found


def test_every_module_has_a_layer(modules: list[Module]) -> None:
    assert {module.layered for module in modules} <= LAYERS.keys()
    assert len(modules) > 20


def test_the_document_has_every_layer() -> None:
    rows = re.findall(r"^\| (\d) \| (.+?) \|", (TOP / "docs/architecture.md").read_text("utf-8"), re.MULTILINE)
    documented = {
        (name.removesuffix(".py").rstrip("/"), int(layer)) for layer, names in rows for name in names.split("`")[1::2]
    }
    layers = {(name.removeprefix("binance_leaks."), layer) for name, layer in LAYERS.items()}
    assert documented == layers - {("binance_leaks", 0), ("__main__", 7)}


def test_layers_import_downwards(inner: list[tuple[Module, Module, Import]]) -> None:
    wrong = [
        f"{one.by}:{one.line} imports {one.of}"
        for module, other, one in inner
        if module.layered != other.layered and LAYERS[other.layered] > LAYERS[module.layered]
        if (module.name, other.name) != LIBRARY or not (one.late or one.types_only)
    ]
    assert not wrong


def test_neighbours_of_one_layer_keep_apart(inner: list[tuple[Module, Module, Import]]) -> None:
    wrong = [
        f"{one.by}:{one.line} imports {one.of}"
        for module, other, one in inner
        if module.layered != other.layered and {module.layered, other.layered} <= set(STRANGERS)
    ]
    assert not wrong


def test_verify_knows_the_words_only(inner: list[tuple[Module, Module, Import]]) -> None:
    assert not [
        one for module, other, one in inner
        if module.layered == "binance_leaks.verify" != other.layered and LAYERS[other.layered] > 0
        and other.layered not in ("binance_leaks.reading", "binance_leaks.writing")
    ]  # fmt: skip


def test_reports_know_the_words_and_the_judgement_only(inner: list[tuple[Module, Module, Import]]) -> None:
    wrong = [
        f"{one.by}:{one.line} imports {one.of}"
        for module, other, one in inner
        if module.layered == "binance_leaks.report"
        and other.layered != "binance_leaks.report"
        and LAYERS[other.layered] not in (0, 3)
    ]
    assert not wrong


def test_no_cycles(inner: list[tuple[Module, Module, Import]]) -> None:
    graph: dict[str, set[str]] = {}
    for module, other, one in inner:
        # `import scanner.x` runs scanner/binance_leaks/__init__.py too, which imports nothing.
        if not one.late and not one.types_only and module.name != other.name:
            graph.setdefault(module.name, set()).add(other.name)
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"a cycle: {' → '.join((*above[above.index(name) :], name))}"
        if name not in done:
            for below in sorted(graph.get(name, ())):
                visit(below, (*above, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_the_network_is_for_verification_only(modules: list[Module]) -> None:
    wrong = [
        f"{one.by}:{one.line} imports {one.of}"
        for module in modules
        for one in module.imports()
        if one.of.split(".")[0] in NETWORK and module.layered != "binance_leaks.verify"
    ]
    assert not wrong


def test_one_module_opens_connections(modules: list[Module]) -> None:
    """The rest of verification takes the transport as an argument, and of the network's modules only `urllib.parse`."""
    connecting = {
        one.by
        for module in modules
        for one in module.imports()
        if one.of.split(".")[0] in NETWORK | {"certifi"} and one.of != "urllib.parse"
    }
    assert connecting == {"binance_leaks.verify.transport"}


def test_nobody_brings_a_transport_along(inner: list[tuple[Module, Module, Import]]) -> None:
    """Not even the verifier imports the module that connects: the caller chooses it."""
    importing = {module.name for module, other, _ in inner if other.name == "binance_leaks.verify.transport"}
    assert not {name for name in importing if not name.startswith(("binance_leaks.cli", "binance_leaks.plugin"))}


def test_detection_is_pure(modules: list[Module]) -> None:
    """No clock, no randomness, no files, no processes below `binance_leaks.detect` and in the words."""
    impure = {
        "os",
        "io",
        "time",
        "datetime",
        "random",
        "secrets",
        "pathlib",
        "subprocess",
        "sys",
        "tempfile",
        "shutil",
        "git",
    }
    wrong = [
        f"{one.by}:{one.line} imports {one.of}"
        for module in modules
        if LAYERS[module.layered] <= 1
        for one in module.imports()
        if one.of.split(".")[0] in impure
    ]
    assert not wrong


def test_git_is_spoken_to_in_one_place(modules: list[Module]) -> None:
    """One module starts git; besides, `clone` has GitPython start it, and `codec` takes one function of dulwich.

    GitPython parses no repository: its settings may be hostile. `sources.git_watch` and `sources.git_objects` read
    from what `sources.git` has started, `sources.transport` starts the shell that ends a git which outlives this
    process, `fleet.process_pool` and `sources.pictures.reader` start this Python and nothing else,
    `sources.saved_images` the user's own docker or podman, `setup.doctor.trial` the hooks of the user's own repository,
    and the hook's fast path has no time for the module that starts processes.
    """
    importing: dict[str, set[str]] = {"subprocess": set(), "git": set(), "dulwich": set()}
    for one in chain.from_iterable(module.imports() for module in modules):
        importing.get(one.of.split(".")[0], set()).add(one.by.removeprefix("binance_leaks."))
    assert importing == {
        "subprocess": {
            "sources.git",
            "sources.git_objects",
            "sources.git_watch",
            "sources.pictures.reader",
            "sources.saved_images",
            "sources.transport",
            "fleet.process_pool",
            "setup.doctor.trial",
        },
        "git": {"sources.clone"},
        "dulwich": {"sources.objects.codec"},
    }
    starting = {
        module.name.removeprefix("binance_leaks.")
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node).startswith(("os.posix_spawn", "os.spawn", "os.exec", "os.popen", "os.system"))
    }
    assert starting == {"sources.fast_path"}


def test_one_module_knows_how_members_of_archives_are_written(modules: list[Module]) -> None:
    knowing = {
        module.name
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and node.value == "!/"
    }
    assert knowing == {"binance_leaks.model"}


def test_dask_is_spoken_to_in_two_places(modules: list[Module]) -> None:
    """Dask is an extra: what runs here and what runs on its workers import it, when a scheduler is named."""
    users = {
        one.by for module in modules for one in module.imports() if one.of.split(".")[0] in ("dask", "distributed")
    }
    assert users == {"binance_leaks.fleet.cluster"}
    importing = [one for module in modules for one in module.imports() if one.of == "binance_leaks.fleet.cluster"]
    assert [(one.by, one.late) for one in importing] == [("binance_leaks.cli.fleet.scan", True)]


def test_nothing_at_the_top_of_a_module_changes(modules: list[Module]) -> None:
    """No list or set, whose changes would be shared, is bound to a name of a module."""
    wrong = []
    for module in modules:
        for statement in module.tree.body:
            bound = statement.value if isinstance(statement, (ast.Assign, ast.AnnAssign)) else None
            if isinstance(bound, (ast.List, ast.Set)) and not ast.unparse(statement).startswith("__all__"):
                wrong.append(f"{module.name}:{statement.lineno}")
    assert not wrong


def test_imports_inside_functions_give_their_reason(modules: list[Module]) -> None:
    wrong = [
        f"{one.by}:{one.line} imports {one.of}"
        for module in modules
        for one in module.imports()
        if one.late and not _has_reason(module, one)
    ]
    assert not wrong


def _has_reason(module: Module, late: Import) -> bool:
    """A comment on its line, the one before or over a group of functions, or the docstring of its function."""
    comments = _comments(module.path)
    if comments.keys() & {late.line, late.line - 1}:
        return True
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.FunctionDef) or not node.lineno <= late.line <= (node.end_lineno or 0):
            continue
        if "import" in (ast.get_docstring(node) or "").lower():
            return True
    lines = module.path.read_text("utf-8").splitlines()
    over = [text for line, text in comments.items() if line < late.line and lines[line - 1].startswith("#")]
    return any("import" in text for text in over)


def _comments(path: Path) -> dict[int, str]:
    with path.open("rb") as stream:
        tokens = list(tokenize.tokenize(stream.readline))
    found = {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
    return {line: text for line, text in found.items() if not text.startswith(("# noqa", "# fmt", "# type:", "# ruff"))}


def test_every_module_reports_what_it_does(modules: list[Module]) -> None:
    wrong = []
    for module in modules:
        first = module.path.read_text("utf-8").split("\n", 1)[0]
        if not first.startswith(('"""', 'r"""')) or not ast.get_docstring(module.tree):
            wrong.append(module.name)
    assert not wrong


def test_modules_and_functions_stay_short(modules: list[Module]) -> None:
    """Most modules stay under 400 lines, functions under 40; none is far above."""
    lengths = {module.name: len(module.path.read_text("utf-8").splitlines()) for module in modules}
    assert {name for name, length in lengths.items() if length > 450} == set()
    assert sum(length > 400 for length in lengths.values()) <= len(lengths) // 10
    functions = chain.from_iterable(
        (
            (module.name, node)
            for node in ast.walk(module.tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        )
        for module in modules
    )
    long = {f"{name}.{node.name}" for name, node in functions if (node.end_lineno or 0) - node.lineno >= 60}
    assert long == set()


def test_values_are_revealed_in_few_places(modules: list[Module]) -> None:
    wrong = [
        f"{module.name}:{node.lineno}"
        for module in modules
        if module.layered
        not in ("binance_leaks.model", "binance_leaks.verify", "binance_leaks.plugin", "binance_leaks.replacements")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr == "reveal"
    ]
    assert not wrong


@pytest.mark.parametrize("named", [[], ["a.py", "notes"]])
def test_a_clean_commit_imports_next_to_nothing(repository: Repository, named: list[str]) -> None:
    repository.commit({"a.py": "import os\n"})
    repository.stage("a.py", "import os\nimport sys\n")
    repository.write("notes", "words\n")
    program = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "from binance_leaks.cli import main\n"
        f"status = main(['staged', *{named!r}])\n"
        "sys.stdout.write('\\n'.join([str(status), *sorted(set(sys.modules) - before)]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=repository.folder, capture_output=True, text=True, timeout=60, check=True
    )
    reported, status, *imported = done.stdout.splitlines()
    assert reported == f"No Binance credentials in {len(named) or 1} {'files' if named else 'file'} to be committed."
    assert status == "0"
    names = {name for module in imported for name in _with_parents(module)}
    assert not names & NOT_ON_THE_CLEAN_PATH
    assert len(set(imported) - {"io"}) <= 16, imported  # up to 3.13, Python imports io at its own start


def test_an_event_of_an_agent_that_passes_imports_little() -> None:
    """JSON costs 7 ms with what it imports; a dataclass, an argument or a detector would cost more than the rest."""
    event = '{"hook_event_name": "UserPromptSubmit", "prompt": "Fix the bot for Binance", "cwd": "/"}'
    program = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "from binance_leaks.cli import main\n"
        "status = main(['agent-hook', '--agent', 'claude-code', '--fail-closed'])\n"
        "sys.stdout.write('\\n'.join([str(status), *sorted(set(sys.modules) - before)]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=event, capture_output=True, text=True, timeout=60, check=True
    )
    status, *imported = done.stdout.splitlines()
    assert status == "0"
    names = {name for module in imported for name in _with_parents(module)}
    assert not names & (NOT_ON_THE_CLEAN_PATH - {"json", "re", "enum"})
    assert len([name for name in imported if name.startswith("binance_leaks")]) <= 16, imported


def _with_parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        yield ".".join(parts[:count])
