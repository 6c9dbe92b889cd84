"""Check the program itself: versions, optional parts, and the PATH that hooks search."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from binance_leaks import __version__
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.native import compiled
from binance_leaks.setup.doctor.check import Check, State
from binance_leaks.sources.git import Git
from binance_leaks.sources.plumbing import find_program

_OLDEST_GIT = (2, 31)
"""The first that takes settings from GIT_CONFIG_COUNT."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """An optional package."""

    module: str
    use: str
    install: str
    """What pip installs."""


PARTS = (
    Part(module="deflate", use="inflates objects and archives faster", install="deflate"),
    Part(module="cryptography", use="signs with Ed25519 and RSA: the extra verify", install="cryptography"),
    Part(
        module="compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd",
        use="reads zstd: the extra zstd",
        install="backports.zstd",
    ),
    Part(module="zxingcpp", use="reads codes and metadata of pictures: the extra qr", install="pillow zxing-cpp"),
    Part(
        module="rapidocr",
        use="recognizes text in pictures: the extra images",
        install="rapidocr onnxruntime pillow-heif",
    ),
    Part(module="distributed", use="runs a fleet on several machines: the extra dask", install='"dask[distributed]"'),
)


def describe_python() -> str:
    """Name this Python and its platform."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python} on {platform.system()} {platform.machine()}"


def is_installed(module: str) -> bool:
    """Whether a module can be imported."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def check_program(git: Git) -> Iterator[Check]:
    """Yield the versions of this program, git and detect-secrets, and the optional parts."""
    yield Check(name="binance-leaks", state=State.OK, found=f"{__version__}, {describe_python()}")
    yield check_git(git.run("version").decode())
    yield _check_detect_secrets()
    active = compiled is not None
    yield Check(
        name="compiled module",
        state=State.OK if active else State.NOTE,
        found="active" if active else "not built, or switched off by BINANCE_LEAKS_PURE: scans are slower",
        remedy="" if active else "To build it, install again where there is a C compiler.",
    )
    for part in PARTS:
        there = is_installed(part.module)
        yield Check(
            name=part.module,
            state=State.OK if there else State.NOTE,
            found="there" if there else f"not installed; {part.use}",
            remedy="" if there else f"If you need it: {sys.executable} -m pip install {part.install}",
        )


def check_git(version_line: str) -> Check:
    """Check what `git version` prints."""
    found = version_line.removeprefix("git version ").strip()
    numbers = re.match(r"(\d+)\.(\d+)", found)
    if numbers is None or (int(numbers[1]), int(numbers[2])) >= _OLDEST_GIT:
        return Check(name="git", state=State.OK, found=found)
    oldest = ".".join(map(str, _OLDEST_GIT))
    remedy = f"Install git {oldest} or newer: `ci --fetch` does not work with this one."
    return Check(name="git", state=State.WARNING, found=f"{found}, which is older than {oldest}", remedy=remedy)


def _check_detect_secrets() -> Check:
    try:
        return Check(name="detect-secrets", state=State.OK, found=version("detect-secrets"))
    except PackageNotFoundError:
        return Check(
            name="detect-secrets",
            state=State.WARNING,
            found="not installed",
            remedy="Install binance-leaks again: the installation is damaged.",
        )


def check_path(programs: set[str]) -> Iterator[Check]:
    """Yield whether each of the programs that hooks start by name is found.

    The PATH is that of this shell: an editor that commits may have another.
    """
    for program in sorted(programs):
        place = find_program(program.removesuffix(".exe"))
        if place:
            yield Check(name="PATH", state=State.OK, found=f"{program} is {place}")
        else:
            yield Check(
                name="PATH",
                state=State.FAILURE,
                found=f"a hook starts {program}, which is not in the PATH",
                remedy="Install it for every shell, as `pipx install .` in a clone of binance-leaks does.",
            )
