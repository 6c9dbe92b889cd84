"""Runs the program with what Windows has of the standard library, on a system of POSIX.

What Windows lacks is read from the types of the standard library that mypy ships. Modules of the package get an `os`,
a `signal` and so on without it, cannot import `fcntl` or `resource`, and see `sys.platform` as `win32`. No compiled
module is there. Files that are read-only, or that this process has open, cannot be removed or replaced, and asking
whether a process runs fails, as Windows would end it. Paths stay those of this system.

`python -m tests.systems.windows WORD…` runs a command so, `python -m tests.systems.windows` imports every module.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import os
import pathlib
import pkgutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace

from tests.systems.start_methods import use_pools

LIKE_WINDOWS = (
    "os",
    "signal",
    "socket",
    "select",
    "time",
    "mmap",
    "multiprocessing.connection",
    "multiprocessing.context",
)
"""Modules that lack something on Windows, as the package is given them."""
_PACKAGE = "binance_leaks"


@cache
def names_of(module: str, platform: str) -> frozenset[str]:
    """The public names of a module of the standard library on a system, by its types; none where it is not there."""
    found = find_spec("mypy")
    assert found is not None
    assert found.origin is not None
    stubs = Path(found.origin).parent / "typeshed" / "stdlib"
    for file in (
        stubs.joinpath(*module.split(".")).with_suffix(".pyi"),
        stubs.joinpath(*module.split("."), "__init__.pyi"),
    ):
        if file.is_file():
            tree = ast.parse(file.read_text("utf-8"))
            found_names = _names(tree.body, SimpleNamespace(platform=platform, version_info=sys.version_info))
            return frozenset(name for name in found_names if not name.startswith("_"))
    return frozenset()


def _names(body: Sequence[ast.stmt], system: SimpleNamespace) -> Iterator[str]:
    for statement in body:
        match statement:
            case ast.If(test=test, body=then, orelse=other) if "sys." in ast.unparse(test):
                holds = eval(ast.unparse(test), {"sys": system})  # noqa: S307 - of the types that mypy ships
                yield from _names(then if holds else other, system)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name
            case ast.ImportFrom(module=str(module), names=names) if module.startswith("_") and module != "_typeshed":
                yield from (each.asname or each.name for each in names)


@cache
def is_missing(module: str) -> bool:
    """Whether Windows does not have a module of the standard library."""
    return module in sys.stdlib_module_names and bool(names_of(module, "linux")) and not names_of(module, "win32")


class _LikeWindows(ModuleType):
    """A module without what Windows lacks."""

    def __init__(self, real: ModuleType, replaced: Mapping[str, object] | None = None) -> None:
        super().__init__(real.__name__)
        self.__dict__["_real"] = real
        self.__dict__["_lacking"] = names_of(real.__name__, "linux") - names_of(real.__name__, "win32")
        self.__dict__.update(replaced or {})

    def __getattr__(self, name: str) -> object:
        if name in self.__dict__["_lacking"]:
            raise AttributeError(f"Windows has no {self.__name__}.{name}")
        return getattr(self.__dict__["_real"], name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.__dict__["_real"], name, value)


class _Windows(MetaPathFinder):
    """Loads the modules of the package with what Windows has."""

    def __init__(self) -> None:
        self.modules = {name: _LikeWindows(importlib.import_module(name)) for name in LIKE_WINDOWS}
        self.modules["os"] = _LikeWindows(
            os, {"name": "nt", "kill": _kill, "fsdecode": _fsdecode, "fsencode": _fsencode}
        )
        self.modules["sys"] = _LikeWindows(sys, {"platform": "win32"})
        connection = importlib.import_module("multiprocessing.connection")
        pipes = {"PipeConnection": connection.__dict__["Connection"], "Connection": type("Connection", (), {})}
        self.modules[connection.__name__] = _LikeWindows(connection, pipes)

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Find a module of the package."""
        if name.split(".")[0] != _PACKAGE:
            return None
        if name == f"{_PACKAGE}._native":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        found = PathFinder.find_spec(name, path, target)
        if found is not None and isinstance(found.loader, SourceFileLoader):
            found.loader = _LoaderLikeWindows(found.loader, self.load)
        return found

    def load(self, name: str, *rest: object) -> ModuleType:
        """Import as `__import__` does."""
        if is_missing(name.split(".")[0]):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        real: ModuleType = builtins.__import__(name, *rest)  # type: ignore[arg-type]
        of_it = len(rest) > 2 and rest[2]
        return self.modules.get(name, real) if of_it else self.modules.get(name.split(".")[0], real)


class _LoaderLikeWindows(Loader):
    def __init__(self, real: SourceFileLoader, load: Callable[..., ModuleType]) -> None:
        self._real = real
        self._load = load

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._load}
        self._real.exec_module(module)

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


def _kill(process: int, number: int) -> None:
    raise AssertionError(f"Windows would end the process {process} by the signal {number}")


def _fsdecode(name: str | bytes) -> str:
    return name if isinstance(name, str) else name.decode("utf-8", "surrogatepass")


def _fsencode(name: str | bytes) -> bytes:
    return name if isinstance(name, bytes) else name.encode("utf-8", "surrogatepass")


def _refuse_kept_files() -> None:
    """Let no file be removed or replaced that is read-only, or that this process has open or mapped."""

    def guarded(real: Callable[..., None], places: int) -> Callable[..., None]:
        def guard(*paths: str | bytes, dir_fd: int | None = None, src_dir_fd: int | None = None) -> None:
            within = dir_fd if dir_fd is not None else src_dir_fd
            for path in paths[:places]:
                if _is_kept(path, within):
                    raise PermissionError(13, "Access is denied", path)
            real(*paths) if within is None else real(*paths, dir_fd=within)

        return guard

    for name, places in (("remove", 1), ("unlink", 1), ("rename", 2), ("replace", 2)):
        guard = guarded(getattr(os, name), places)
        setattr(os, name, guard)
        if (accessor := getattr(pathlib, "_NormalAccessor", None)) is not None:  # pathlib of Python 3.10
            setattr(accessor, name, staticmethod(guard))


def _is_kept(path: str | bytes, within: int | None) -> bool:
    """Whether a file is there that is read-only or open."""
    try:
        status = os.stat(path, dir_fd=within, follow_symlinks=False)
    except OSError:
        return False
    if stat.S_ISREG(status.st_mode) and not status.st_mode & stat.S_IWRITE:
        return True
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            opened = os.fstat(int(descriptor.name))
        except OSError:  # that of the listing
            continue
        if (opened.st_dev, opened.st_ino) == (status.st_dev, status.st_ino):
            return True
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as stream:  # noqa: PTH123
        return any(line.split()[4] == str(status.st_ino) for line in stream)


def install() -> None:
    """Let the package be imported as on Windows from now on."""
    for name in ("shutil", "subprocess", "tempfile", "multiprocessing.pool", "concurrent.futures.process", "sqlite3"):
        importlib.import_module(name)  # with what this system has
    _refuse_kept_files()
    sys.meta_path.insert(0, _Windows())


def main(words: Sequence[str]) -> int:
    """Run a command, or import every module where there is none."""
    install()
    if words:
        use_pools()
        status: int = importlib.import_module(f"{_PACKAGE}.cli").main(list(words))
        return status
    package = importlib.import_module(_PACKAGE)
    for module in pkgutil.walk_packages(package.__path__, f"{_PACKAGE}."):
        if not module.name.endswith(("._native", ".__main__", ".fleet.cluster")):
            importlib.import_module(module.name)
            sys.stdout.write(f"{module.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
