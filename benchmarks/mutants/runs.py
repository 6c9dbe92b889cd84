"""Run tests on mutants in forks, from a copy of the project in which the mutant's file is changed.

A session is a fork that has imported the package and collected the tests. It records once which test runs which lines.
Then it forks for each mutant, puts the changed function in the place of the one that is there, and runs the tests that
run a changed line until one fails, those first that noticed other mutants of the module. What those tests start sees
the change too: programs are forks of `programs`, and a new Python imports the changed file. What runs while
modules are imported and tests are collected is changed in a fork that imports and collects anew.
"""

from __future__ import annotations

import json
import os
import re
import resource
import select
import shutil
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import HealthCheck, settings

from mutants.changes import Mutant
from mutants.coverage import Coverage, CoverageCache, FileCoverage, file_of
from mutants.lines import STARTING, LineRecorder
from mutants.programs import Programs, change_function, import_package

NOT_COPIED = shutil.ignore_patterns(".git", ".*_cache", ".hypothesis", "build", "dist", "*.egg-info")
MEMORY = 8 << 30
SECONDS = 20
"""Of processor time that each test may use beyond ten times what it took without a change."""
SECONDS_TO_WAIT = 60
"""Likewise when it waits."""
SECONDS_TO_END = 5
"""That a fork has to end its own forks when it is ended."""
TIMED_OUT, SIGNAL, NO_TEST, SURVIVED = "timed out", "a signal", "no test runs it", ""
_DONE = "."
_SITE = """import sys
from pathlib import Path
if Path({lines!r}, "on").exists():
    sys.path.append({benchmarks!r})
    from mutants.lines import LineRecorder
    LineRecorder(Path({lines!r})).start()
"""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A copy of the project in a folder."""

    folder: Path

    @property
    def project(self) -> Path:
        """The top of the copy."""
        return self.folder / "project"

    @property
    def lines(self) -> Path:
        """What the recorder writes."""
        return self.folder / "lines"

    @classmethod
    def make(cls, root: Path, folder: Path, modules: Iterable[str]) -> Copy:
        """Copy the working tree, with what Python compiled of it, to mutate these modules."""
        made = cls(folder=folder)
        shutil.copytree(root, made.project, ignore=NOT_COPIED, symlinks=True)
        made.lines.mkdir()
        (made.lines / "files").write_text("\n".join(str(made.file(module)) for module in modules), "utf-8")
        site = _SITE.format(lines=str(made.lines), benchmarks=str(Path(__file__).parents[1]))
        (made.project / "scanner/sitecustomize.py").write_text(site, "utf-8")
        return made

    def enter(self) -> None:
        """Make this process, which has imported nothing of the project, and its children import it from the copy."""
        os.chdir(self.project)
        path = [str(self.project / "scanner"), str(self.project)]
        sys.path[:0] = path
        os.environ |= {"PYTHONPATH": os.pathsep.join(path), "PYTHONDONTWRITEBYTECODE": "1"}
        sys.dont_write_bytecode = True
        output = os.open(self.folder / "output", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)

    def file(self, module: str) -> Path:
        """The file of a module of the package."""
        return self.project / "scanner/binance_leaks" / f"{module}.py"

    @contextmanager
    def changed(self, mutant: Mutant) -> Iterator[None]:
        """Change the file of a mutant meanwhile."""
        file = self.file(mutant.module)
        before, times = file.read_bytes(), file.stat()
        file.write_text(mutant.text(), "utf-8")
        try:
            yield
        finally:
            file.write_bytes(before)
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def run_all(
    copy: Copy,
    mutants: Sequence[Mutant],
    files_of: Callable[[str], Sequence[str]],
    leave_out: re.Pattern[str],
    cache: CoverageCache,
) -> Iterator[tuple[Mutant, str]]:
    """Yield for each mutant what noticed it: a test, `TIMED_OUT`, `SIGNAL`; or `NO_TEST` or `SURVIVED`."""
    coverage = Coverage()
    files = sorted({file for mutant in mutants for file in files_of(mutant.module)})
    swapped = [mutant for mutant in mutants if mutant.function is not None]
    session = _Session(copy, swapped, files_of, leave_out, cache)
    anew = [mutant for mutant in mutants if mutant.function is None]
    for line in in_fork(lambda report: session.run(files, report)):
        kind, _, rest = line.partition(" ")
        if kind == "coverage":
            coverage = Coverage(**json.loads(rest))
            for each in coverage.failing:
                print(f"left out, as it fails without a change: {each}", file=sys.stderr)
            continue
        if kind != "mutant":
            raise SystemExit(f"the session ended: {line}; see {copy.folder / 'output'}")
        number, _, by = rest.partition(" ")
        mutant = swapped[int(number)]
        coverage.note(mutant, by)
        if by == SURVIVED and coverage.is_early(mutant):
            anew.append(mutant)
        else:
            yield mutant, by
    for mutant in anew:
        tests = coverage.tests_of(mutant, files_of(mutant.module))
        by = NO_TEST
        if tests:
            with copy.changed(mutant):
                by = _verdict(in_fork(_Anew(copy, tests, coverage).run, _seconds_of(tests, coverage)))
        coverage.note(mutant, by)
        yield mutant, by


def in_fork(run: Callable[[Callable[[str], None]], None], seconds: float | None = None) -> Iterator[str]:
    """Run in a fork, which is a group of processes that ends with it; yield the lines that it reports.

    The last one is `TIMED_OUT` or `SIGNAL` if it did not end by itself. Meanwhile SIGTERM ends what runs in forks, too.
    """
    reading, writing = os.pipe()
    usual = signal.signal(signal.SIGTERM, _end)
    child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.close(reading)
            os.setpgid(0, 0)
            with os.fdopen(writing, "w", encoding="utf-8") as stream:
                run(lambda line: print(line, file=stream, flush=True))
                print(_DONE, file=stream, flush=True)
        except BaseException as error:
            sys.stderr.write(f"{error!r}\n")
        finally:
            os._exit(1)
    os.close(writing)
    with suppress(OSError):
        os.setpgid(child, child)
    last = ""
    try:
        with os.fdopen(reading, "rb", buffering=0) as stream:
            for last in _lines(stream.fileno(), seconds):
                if last != _DONE:
                    yield last
    finally:
        status = _end_group(child)
        signal.signal(signal.SIGTERM, usual)
    if last not in (_DONE, TIMED_OUT):
        is_late = os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGVTALRM, signal.SIGALRM)
        yield TIMED_OUT if is_late else SIGNAL


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _end_group(child: int) -> int:
    """End a child and its group, in order if it ends soon, and return its status."""
    deadline = time.monotonic() + SECONDS_TO_END
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGTERM)
    ended, status = os.waitpid(child, os.WNOHANG)
    while not ended and time.monotonic() < deadline:
        time.sleep(0.01)
        ended, status = os.waitpid(child, os.WNOHANG)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    return status if ended else os.waitpid(child, 0)[1]


def _lines(reading: int, seconds: float | None) -> Iterator[str]:
    deadline = None if seconds is None else time.monotonic() + seconds
    parts: list[bytes] = []
    while True:
        if not select.select([reading], [], [], None if deadline is None else max(0, deadline - time.monotonic()))[0]:
            yield TIMED_OUT
            return
        part = os.read(reading, 1 << 20)
        parts.append(part)
        lines: list[bytes] = []
        if b"\n" in part:  # the coverage is one line of many megabytes
            *lines, rest = b"".join(parts).split(b"\n")
            parts = [rest]
        for line in lines:
            yield line.decode()
        if not part or (lines and lines[-1] == _DONE.encode()):
            return


def _verdict(lines: Iterator[str]) -> str:
    return next((line.removeprefix("failed ") for line in lines if line != "passed"), SURVIVED)


def _seconds_of(tests: Sequence[str], coverage: Coverage) -> float:
    return SECONDS_TO_WAIT + 10 * sum(coverage.seconds[each] for each in tests)


def _pytest(files: Sequence[str], copy: Copy, plugin: object) -> None:
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    settings.register_profile("mutants", deadline=None, derandomize=True, suppress_health_check=slow)
    settings.load_profile("mutants")  # tests that fail only as the machine is slow would notice everything
    words = ["--assert=plain", "-p", "no:cacheprovider", "-o", "addopts=", "-q", "--rootdir", str(copy.project)]
    pytest.main([*words, "--basetemp", str(copy.folder / "temporary"), *files], plugins=[plugin])


class _Runner:
    """Runs collected tests one by one in this process."""

    def __init__(self) -> None:
        self._failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failed |= report.failed

    def passes(self, item: pytest.Item, following: pytest.Item | None) -> bool:
        """Run one test."""
        self._failed = False
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        return not self._failed

    def run_until_failure(
        self, items: Sequence[pytest.Item], seconds: Mapping[str, float], report: Callable[[str], None]
    ) -> None:
        """Run tests and report the first that fails, or that all pass."""
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        for item, following in zip(items, [*items[1:], None], strict=True):
            usual = 10 * seconds[item.nodeid]
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS + usual)
            signal.setitimer(signal.ITIMER_REAL, SECONDS_TO_WAIT + usual)
            if not self.passes(item, following):
                report(f"failed {item.nodeid}")
                return
        report("passed")


class _Anew(_Runner):
    """Imports and collects anew, and runs these tests until one fails."""

    def __init__(self, copy: Copy, tests: Sequence[str], coverage: Coverage) -> None:
        super().__init__()
        self._copy = copy
        self._tests = tests
        self._coverage = coverage
        self._report: Callable[[str], None] = print

    def run(self, report: Callable[[str], None]) -> None:
        """Report the first test that fails, or that all pass."""
        self._report = report
        self._copy.enter()
        _pytest(sorted({file_of(test) for test in self._tests}), self._copy, self)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._report(f"failed {report.nodeid}::")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        chosen = [items[test] for test in self._tests if test in items]
        self.run_until_failure(chosen, self._coverage.seconds, self._report)
        return True


class _Session(_Runner):
    """Collects tests, records what they run, and runs them on mutants."""

    def __init__(
        self,
        copy: Copy,
        mutants: Sequence[Mutant],
        files_of: Callable[[str], Sequence[str]],
        leave_out: re.Pattern[str],
        cache: CoverageCache,
    ) -> None:
        super().__init__()
        self._copy = copy
        self._mutants = mutants
        self._files_of = files_of
        self._leave_out = leave_out
        self._cache = cache
        self._test = ""
        self._files: dict[str, str] = {}

    def run(self, files: Sequence[str], report: Callable[[str], None]) -> None:
        """Report the coverage and what noticed each mutant."""
        self._report = report
        self._copy.enter()
        self._recorder = LineRecorder(self._copy.lines)
        self._programs = Programs(self._copy.lines)
        self._recorder.begin(STARTING)
        self._recorder.start()
        import_package()
        _pytest(files, self._copy, self)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
    ) -> Iterator[None]:
        """Record what a fixture for several tests runs as run by all tests of the file."""
        shared = self._test and fixturedef.scope != "function"
        if shared:
            file = file_of(request.node.nodeid)
            self._recorder.begin(self._files.setdefault(file, f"file-{len(self._files)}"))
        yield
        if shared:
            self._recorder.begin(self._test)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._recorder.stop()
        if session.testsfailed:
            self._report(f"collected with errors: {session.testsfailed}")
            return True
        items = [item for item in session.items if not self._leave_out.search(item.nodeid)]
        coverage = self._measured(items)
        self._report(f"coverage {json.dumps(vars(coverage))}")
        by_id = {item.nodeid: item for item in items}
        for number, mutant in enumerate(self._mutants):
            tests = coverage.tests_of(mutant, self._files_of(mutant.module))
            by = NO_TEST
            if tests:
                chosen = [by_id[test] for test in tests]
                with self._copy.changed(mutant):
                    by = _verdict(in_fork(_Judgement(self, mutant, chosen, coverage).run, _seconds_of(tests, coverage)))
            coverage.note(mutant, by)
            self._report(f"mutant {number} {by}")
        return True

    def _measured(self, items: Sequence[pytest.Item]) -> Coverage:
        """What all tests run without a change, as it is kept or else by running them."""
        by_file: defaultdict[str, list[pytest.Item]] = defaultdict(list)
        for item in items:
            by_file[file_of(item.nodeid)].append(item)
        known = {file: self._cache.load(file, [each.nodeid for each in tests]) for file, tests in by_file.items()}
        files = {file: each for file, each in known.items() if each is not None}
        for file, each in self._measured_anew([each for name in by_file.keys() - files for each in by_file[name]]):
            self._cache.store(file, each)
            files[file] = each
        return Coverage.of_files([files[file] for file in by_file], self._lines(STARTING))

    def _measured_anew(self, items: Sequence[pytest.Item]) -> Iterator[tuple[str, FileCoverage]]:
        """Run tests once without a change."""
        (self._copy.lines / "on").touch()
        results = [json.loads(line) for line in in_fork(lambda report: self._measure(items, report)) if line[0] == "["]
        (self._copy.lines / "on").unlink()
        shared = {file: self._lines(name) for *_, files in results[-1:] for file, name in files.items()}
        by_file: defaultdict[str, list[tuple[int, float, bool]]] = defaultdict(list)
        for number, taken, passed, _ in results:
            by_file[file_of(items[number].nodeid)].append((number, taken, passed))
        for file, of_file in by_file.items():
            passing = {items[number].nodeid: (str(number), taken) for number, taken, passed in of_file if passed}
            yield (
                file,
                FileCoverage(
                    seconds={test: taken for test, (_, taken) in passing.items()},
                    failing=[items[number].nodeid for number, _, passed in of_file if not passed],
                    lines={
                        test: sorted(self._lines(name) | shared.get(file, set())) for test, (name, _) in passing.items()
                    },
                ),
            )

    def _lines(self, name: str) -> set[str]:
        file = self._copy.lines / f"{name}.lines"
        if not file.exists():
            return set()
        package = f"{self._copy.project / 'scanner/binance_leaks'}/"
        return {
            f"{path.removeprefix(package).removesuffix('.py')}:{line}"
            for path, _, line in (each.rpartition(":") for each in set(file.read_text("utf-8").splitlines()))
        }

    def _measure(self, items: Sequence[pytest.Item], report: Callable[[str], None]) -> None:
        self._programs.serve(None)
        for number, (item, following) in enumerate(zip(items, [*items[1:], None], strict=True)):
            self._test = str(number)
            for name, module in list(sys.modules.items()):
                if name.startswith("tests.") and name != "tests.program_server":
                    for each in vars(module).values():
                        getattr(each, "cache_clear", int)()
            self._recorder.begin(self._test)
            self._recorder.start()
            begun = time.monotonic()
            passed = self.passes(item, following)
            self._recorder.stop()
            report(json.dumps([number, round(time.monotonic() - begun, 3), passed, self._files]))


class _Judgement:
    """The tests of one mutant."""

    def __init__(self, session: _Session, mutant: Mutant, items: Sequence[pytest.Item], coverage: Coverage) -> None:
        self._session = session
        self._mutant = mutant
        self._items = items
        self._coverage = coverage

    def run(self, report: Callable[[str], None]) -> None:
        """Change the function, and report the first test that fails, or that all pass."""
        function = self._mutant.function
        if function is None:
            raise ValueError(self._mutant.change)
        key = (str(self._session._copy.file(self._mutant.module)), function.line, function.name)
        change_function(*key)
        self._session._programs.serve(key)
        self._session.run_until_failure(self._items, self._coverage.seconds, report)
