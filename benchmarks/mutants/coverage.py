"""Know which tests run which lines, and keep that on disk for each file of tests.

What is kept is used while the recorded modules, the file of tests and all that tests share are the same.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mutants.changes import Mutant


@dataclass(frozen=True, kw_only=True)
class FileCoverage:
    """What the tests of a file run without a change, and how many seconds each takes."""

    seconds: Mapping[str, float]
    failing: Sequence[str]
    lines: Mapping[str, Sequence[str]]
    """The lines that a test runs, each as `MODULE:LINE`."""


@dataclass(kw_only=True)
class Coverage:
    """What each test runs without a change, and how many seconds it takes."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    failing: Sequence[str] = ()
    tests: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The tests that run a line, by `MODULE:LINE`."""
    early: Sequence[str] = ()
    """The lines that run before any test does."""
    killers: dict[str, list[str]] = field(default_factory=dict)
    """The tests that noticed mutants of a module, the last one first."""

    @classmethod
    def of_files(cls, files: Iterable[FileCoverage], early: Iterable[str]) -> Coverage:
        """Put together what is known of files of tests."""
        seconds: dict[str, float] = {}
        failing: list[str] = []
        tests: defaultdict[str, list[str]] = defaultdict(list)
        for file in files:
            seconds |= file.seconds
            failing += file.failing
            for test, lines in file.lines.items():
                for line in lines:
                    tests[line].append(test)
        return cls(seconds=seconds, failing=failing, tests=tests, early=sorted(early))

    def tests_of(self, mutant: Mutant, files: Sequence[str]) -> list[str]:
        """The tests in these files or folders that may notice a mutant, in the order to run them."""
        found = {test for line in mutant.lines or () for test in self.tests.get(f"{mutant.module}:{line}", ())}
        by_file: defaultdict[str, list[str]] = defaultdict(list)
        for test in self.seconds:
            if (mutant.lines is None or test in found) and is_in(test, files):
                by_file[file_of(test)].append(test)
        means = {name: sum(self.seconds[each] for each in tests) / len(tests) for name, tests in by_file.items()}
        tests = [test for name in sorted(by_file, key=means.__getitem__) for test in by_file[name]]
        known = set(tests)
        return list(dict.fromkeys([*(each for each in self.killers.get(mutant.module, ()) if each in known), *tests]))

    def note(self, mutant: Mutant, by: str) -> None:
        """Remember which test noticed a mutant."""
        if "::" in by:
            others = [each for each in self.killers.get(mutant.module, ()) if each != by]
            self.killers[mutant.module] = [by, *others]

    def is_early(self, mutant: Mutant) -> bool:
        """Whether changed code runs before any test does."""
        early = set(self.early)
        return mutant.function is None or any(f"{mutant.module}:{line}" in early for line in mutant.lines or ())


class CoverageCache:
    """What was measured of files of tests, in a folder."""

    def __init__(self, folder: Path, project: Path, modules: Sequence[Path]) -> None:
        self._folder = folder
        self._project = project
        names = sorted(str(file.relative_to(project)) for file in modules)
        self._prefix = hashlib.sha256("\n".join(names).encode()).hexdigest()[:8]
        digest = hashlib.sha256(f"{sys.version}\n{self._prefix}".encode())
        for file in (*modules, *_shared_by_tests(project)):
            digest.update(f"\n{file.relative_to(project)}\n".encode() + hashlib.sha256(file.read_bytes()).digest())
        self._common = digest.hexdigest()

    def load(self, file: str, tests: Sequence[str]) -> FileCoverage | None:
        """What is known of these tests of a file, if anything."""
        try:
            kept = json.loads(self._place(file).read_bytes())
        except (OSError, ValueError):
            return None
        return FileCoverage(**kept["coverage"]) if kept["key"] == self._key(file, tests) else None

    def store(self, file: str, coverage: FileCoverage) -> None:
        """Keep what was measured of a file, unless some of its tests failed, which others may repeat."""
        if not coverage.failing:
            self._folder.mkdir(exist_ok=True)
            kept = {"key": self._key(file, [*coverage.seconds]), "coverage": asdict(coverage)}
            self._place(file).write_text(json.dumps(kept), "utf-8")

    def _place(self, file: str) -> Path:
        return self._folder / f"{self._prefix}-{file.replace('/', '-')}.json"

    def _key(self, file: str, tests: Sequence[str]) -> str:
        content = hashlib.sha256((self._project / file).read_bytes()).hexdigest()
        return hashlib.sha256("\n".join([self._common, content, *sorted(tests)]).encode()).hexdigest()


def _shared_by_tests(project: Path) -> Iterator[Path]:
    """What is in `tests/` and no file of tests, and how lines are recorded."""
    for file in sorted((project / "tests").glob("**/*")):
        if file.is_file() and "__pycache__" not in file.parts and not file.match("test_*.py"):
            yield file
    for name in ("coverage", "lines", "programs", "runs"):
        yield project / "benchmarks/mutants" / f"{name}.py"


def file_of(test: str) -> str:
    """The file of a test."""
    return test.partition("::")[0]


def is_in(test: str, files: Sequence[str]) -> bool:
    """Whether a test is in one of these files or folders."""
    return test.startswith(tuple(each if each.endswith(".py") else f"{each}/" for each in files))
