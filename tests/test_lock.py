"""The lock files: what the action, the image and releases install is pinned by hash."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).resolve().parents[1]
LOCK, RELEASE_LOCK = TOP / "requirements.lock", TOP / ".ci/release.lock"
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def locked(file: Path) -> Iterator[tuple[Requirement, list[str]]]:
    """Yield each requirement of a lock file with its hashes."""
    lines = re.sub(r"^#.*\n", "", file.read_text("utf-8"), flags=re.MULTILINE)
    for line in lines.replace("\\\n", " ").splitlines():
        requirement, *hashes = line.split(" --hash=")
        yield Requirement(requirement.strip()), [f"--hash={each.strip()}" for each in hashes]


def wanted() -> list[Requirement]:
    """What the program needs, its extras in the lock, and what builds it."""
    project = tomli.loads((TOP / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"]
    named = [
        *project["project"]["dependencies"],
        *extras["verify"],
        *extras["zstd"],
        *project["build-system"]["requires"],
    ]
    return [Requirement(each) for each in named]


@pytest.mark.parametrize("file", [LOCK, RELEASE_LOCK], ids=lambda file: file.name)
def test_every_line_is_one_version_with_hashes(file: Path) -> None:
    requirements = list(locked(file))
    assert len(requirements) > 20
    for requirement, hashes in requirements:
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement
        assert requirement.url is None
        assert hashes, requirement
        assert all(_HASH.fullmatch(each) for each in hashes), requirement
    assert "://" not in file.read_text("utf-8")  # a lock names no host


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_the_lock_satisfies_the_dependencies(python: str) -> None:
    implementations = [("CPython", "cpython"), ("PyPy", "pypy")]
    pinned = [pin for pin, _ in locked(LOCK)]
    for platform, (implementation, name) in itertools.product(["linux", "darwin", "win32"], implementations):
        environment = {
            "python_version": python,
            "python_full_version": f"{python}.0",
            "sys_platform": platform,
            "platform_python_implementation": implementation,
            "implementation_name": name,
        }
        pins = {
            canonicalize_name(pin.name): pin.specifier
            for pin in pinned
            if pin.marker is None or pin.marker.evaluate(environment)
        }
        for need in wanted():
            if need.marker is not None and not need.marker.evaluate(environment):
                continue
            (pin,) = pins[canonicalize_name(need.name)]
            assert need.specifier.contains(pin.version), f"{need}: run .ci/lock"
