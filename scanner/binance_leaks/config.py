"""The configuration in `pyproject.toml` or `.binance-leaks.toml`."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import merge
from pathlib import Path

from binance_leaks.errors import ConfigError
from binance_leaks.lazy_dataclasses import dataclass, field, replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Confidence, Environment, RiskLevel, container_of
from binance_leaks.path_patterns import MOST_PATTERNS, Globs, compile_patterns
from binance_leaks.reading import LARGEST_CONFIGURATION, read_file
from binance_leaks.sources.path_roots import PathRoots, relative_path, resolve_inside

FILE_NAMES = (".binance-leaks.toml", "pyproject.toml")
_TABLE = "binance-leaks"
_NEVER = "none"
_DIGEST = lazy_pattern(r"[0-9a-f]{64}")
_MOST_SQUARES, _MOST_NESTED = 100_000_000, 20_000_000
"""What tomllib takes a few seconds for: its time grows with the square of the parts of a name such as `a.b.c`, and with
the parts of a header for each name below it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Allow:
    """Allowed values: by their digests, by their path, or by both."""

    sha256: tuple[str, ...]
    """Digests of values; none means every value at the path."""
    path: str | None
    reason: str


class AllowList:
    """Entries in a form in which the one for a value is found fast."""

    def __init__(self, entries: Sequence[Allow]) -> None:
        self._entries = entries
        self._globs = {each: Globs([each]) for each in {entry.path for entry in entries if entry.path is not None}}
        self._of_any: list[int] = []
        self._by_digest: dict[str, list[int]] = {}
        for index, entry in enumerate(entries):
            for digest in entry.sha256:
                self._by_digest.setdefault(digest, []).append(index)
            if not entry.sha256:
                self._of_any.append(index)

    def matching(self, sha256: str, path: str) -> Iterator[int]:
        """Yield the indexes of the entries that allow a value with this digest at this path, in their order.

        The path is relative to the folder of the configuration.
        """
        container = container_of(path)
        for index in merge(self._by_digest.get(sha256, ()), self._of_any):
            glob = self._entries[index].path
            if glob is None or self._globs[glob].match(container):
                yield index


@dataclass(frozen=True, kw_only=True, slots=True)
class FailOn:
    """The lowest risk that fails the gate; with None nothing fails.

    A level for an environment replaces the default there, so that testnet keys can only warn.
    """

    default: RiskLevel | None = RiskLevel.INFO
    environments: Mapping[Environment, RiskLevel | None] = field(default_factory=dict)

    @classmethod
    def named(cls, name: str) -> FailOn:
        """Parse one level for all environments: its name, or `none`."""
        return cls(default=_level(name))

    def fails(self, environment: Environment, level: RiskLevel) -> bool:
        """Whether a finding of this risk in this environment fails."""
        least = self.environments.get(environment, self.default)
        return least is not None and level >= least


def _level(name: str) -> RiskLevel | None:
    return None if name == _NEVER else RiskLevel(name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """The settings of a project, before those of the command line.

    `file` is where they were read, `folder` the folder without links that patterns and the baseline's name count from:
    that of the file, its links followed, unless given.
    """

    exclude: tuple[str, ...] = ()
    confidence: Confidence = Confidence.MEDIUM
    fail_on: FailOn = FailOn()
    allow: tuple[Allow, ...] = ()
    baseline: str | None = None
    file: str | None = None
    folder: str | None = None

    @property
    def _base(self) -> str | None:
        if self.folder is not None or self.file is None:
            return self.folder
        return os.path.dirname(os.path.realpath(self.file))  # noqa: PTH120 - as in relative

    @property
    def named_baseline(self) -> Path | None:
        """The configured baseline, relative to the configuration's folder, wherever that leads."""
        base = self._base
        return None if self.baseline is None or base is None else Path(base) / self.baseline

    @property
    def baseline_file(self) -> Path | None:
        """The configured baseline. Raises ConfigError where it leads out of the work tree of the configuration.

        Without a work tree, out of the configuration's folder. The author of a repository chose the name.
        """
        file = self.named_baseline
        if file is None:
            return None
        folder = os.path.dirname(str(self.file)) or os.curdir  # noqa: PTH120 - where the file is named, if it is a link
        try:
            real = resolve_inside(PathRoots().top(folder) or folder, str(file))
        except OSError as error:
            raise ConfigError(f"baseline {file} cannot be found: {error.strerror}") from None
        if real is None:
            raise outside_baseline(str(self.baseline), str(self.file))
        return file

    def exclusion(self, more: Sequence[str] = (), *, anchor: str = ".") -> Callable[[str], bool]:
        """Return a function that tests whether a path from `anchor` is excluded.

        It is excluded by the configured patterns or by `more`.
        """
        patterns = Globs([*self.exclude, *more])
        return lambda path: bool(patterns) and patterns.match(self.relative(path, anchor))

    def relative(self, path: str, anchor: str) -> str:
        """Convert a path from the folder `anchor` to the form that patterns match.

        That is relative to the folder of the configuration, or to `anchor` where no file was read.
        """
        base = self._base
        if base is None:
            return path
        # Paths of findings are text: they may name members of archives.
        return relative_path(os.path.join(os.path.realpath(anchor), path), base)  # noqa: PTH118


def outside_baseline(name: str, configuration: str) -> ConfigError:
    """The error for a configured baseline that is not in the work tree of its configuration."""
    return ConfigError(
        f"configuration {configuration}: baseline {name} leads out of the work tree",
        hint="If you mean that file, give it with --baseline.",
    )


def find_config(folder: Path) -> Path | None:
    """Find the configuration for a folder: there or in the nearest parent.

    The search ends at the top of the repository.
    """
    folder = folder.resolve()
    for place in (folder, *folder.parents):
        for name in FILE_NAMES:
            candidate = place / name
            if candidate.is_file() and (name != "pyproject.toml" or file_mentions_us(candidate)):
                return candidate
        if (place / ".git").exists():
            return None
    return None


def load_config(file: Path) -> Config:
    """Load the configuration in a file.

    Raises ConfigError naming the file and what is wrong in it.
    """
    try:
        data = read_file(file, LARGEST_CONFIGURATION)
    except OSError as error:
        raise ConfigError(f"configuration {file} cannot be read: {error.strerror}") from None
    return parse_config(data, file)


def parse_config(data: bytes, file: Path, folder: Path | None = None) -> Config:
    """Parse the content of a configuration file.

    Its folder is given where the file is not the one on disk, whose links are followed otherwise.

    Raises ConfigError naming the file and what is wrong in it.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"configuration {file} is not UTF-8") from None
    try:
        whole = read_toml(text)
    except ValueError as error:
        raise ConfigError(f"configuration {file} is not TOML: {error}") from None
    config = _Reader(str(file)).config(_our_table(whole, file))
    return replace(config, folder=str(folder)) if folder else config


def read_toml(text: str) -> Mapping[str, object]:
    """Raise ValueError for what is not TOML, or nested so deep that no configuration is."""
    lines = text.split("\n")
    dots = [line.count(".") for line in lines]
    deepest = max((count for count, line in zip(dots, lines, strict=True) if line.lstrip()[:1] == "["), default=0)
    if sum(count * count for count in dots) > _MOST_SQUARES or deepest * len(lines) > _MOST_NESTED:
        raise ValueError("it has too many dots in a line")
    if sys.version_info >= (3, 11):
        import tomllib  # start-up: only where there is a configuration
    else:
        import tomli as tomllib  # as above
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _our_table(whole: Mapping[str, object], file: Path) -> Mapping[str, object]:
    """`[tool.binance-leaks]`; in our own file the table may also be the whole of it."""
    tool = whole.get("tool")
    ours = tool.get(_TABLE) if isinstance(tool, dict) else None
    if ours is None:
        ours = {} if file.name == "pyproject.toml" else whole
    if not isinstance(ours, dict):
        raise ConfigError(f"configuration {file}: tool.{_TABLE} must be a table")
    return ours


def mentions_us(data: bytes) -> bool:
    """Whether a `pyproject.toml` may have a table of ours."""
    return f"tool.{_TABLE}".encode() in data


def file_mentions_us(file: Path) -> bool:
    """Whether a `pyproject.toml` may have a table of ours: also one that is too large, so that this is reported."""
    try:
        return mentions_us(read_file(file, LARGEST_CONFIGURATION))
    except OSError as error:
        return error.errno == errno.EFBIG


class _Reader:
    """A reader of the table of one file; its errors name the file."""

    def __init__(self, file: str) -> None:
        self._file = file

    def config(self, table: Mapping[str, object]) -> Config:
        self._known(table, ("exclude", "confidence", "fail-on", "allow", "baseline"), "")
        return Config(
            exclude=self._patterns(table.get("exclude", [])),
            confidence=Confidence(self._choice("confidence", table.get("confidence", "medium"), Confidence)),
            fail_on=self._fail_on(table.get("fail-on", RiskLevel.INFO.value)),
            allow=self._allow_list(table.get("allow", [])),
            baseline=self._file_name("baseline", table.get("baseline")),
            file=self._file,
        )

    def _fail_on(self, value: object) -> FailOn:
        """A level, or a table with a level for each environment and a `default`."""
        if not isinstance(value, dict) or not value:
            return FailOn(default=self._least("fail-on", value))
        names = [environment.value for environment in Environment]
        self._known(value, ("default", *names), "fail-on.")
        levels = {name: self._least(f"fail-on.{name}", level) for name, level in value.items()}
        return FailOn(
            default=levels.pop("default", RiskLevel.INFO),
            environments={Environment(name): level for name, level in levels.items()},
        )

    def _least(self, name: str, value: object) -> RiskLevel | None:
        names = [_NEVER, *(level.value for level in RiskLevel)]
        if not isinstance(value, str) or value not in names:
            raise self._error(f"{name} must be one of {', '.join(names)}")
        return _level(str(value))

    def _allow_list(self, value: object) -> tuple[Allow, ...]:
        entries = tuple(self._allow(entry) for entry in self._list("allow", value))
        paths = {entry.path for entry in entries if entry.path is not None}
        if len(paths) > MOST_PATTERNS:
            raise self._error(f"allow has more than {MOST_PATTERNS:,} paths", "Allow values by their digests.")
        try:
            compile_patterns(tuple(paths))
        except ValueError as error:
            raise self._error(f"not a pattern: {error}") from None
        return entries

    def _allow(self, entry: object) -> Allow:
        if not isinstance(entry, dict):
            raise self._error('allow must be tables with "sha256" or "path", and "reason"')
        self._known(entry, ("sha256", "path", "reason"), "allow.")
        path, reason = (self._text(f"allow.{name}", entry.get(name)) for name in ("path", "reason"))
        digests = self._digests(entry["sha256"]) if "sha256" in entry else ()
        if not digests and path is None:
            raise self._error('an allow entry needs "sha256" or "path"')
        return Allow(sha256=digests, path=path, reason=reason or "allowed by the configuration")

    def _digests(self, value: object) -> tuple[str, ...]:
        """A digest, or a list of at least one."""
        digests = tuple(value) if isinstance(value, list) else (value,)
        if not digests or not all(isinstance(each, str) and _DIGEST.fullmatch(each.lower()) for each in digests):
            raise self._error(
                "allow.sha256 must be the 64 hexadecimal digits that the report shows with -v, or a list of them, "
                "not the value"
            )
        return tuple(each.lower() for each in digests)

    def _patterns(self, patterns: object) -> tuple[str, ...]:
        listed = tuple(self._text("exclude", pattern) or "" for pattern in self._list("exclude", patterns))
        if len(listed) > MOST_PATTERNS:
            raise self._error(f"exclude has more than {MOST_PATTERNS:,} patterns", "Exclude folders in place of files.")
        try:
            compile_patterns(listed)
        except ValueError as error:
            raise self._error(f"not a pattern: {error}") from None
        return listed

    def _list(self, name: str, value: object) -> list[object]:
        if not isinstance(value, list):
            raise self._error(f"{name} must be a list")
        return value

    def _text(self, name: str, value: object) -> str | None:
        if value is not None and not isinstance(value, str):
            raise self._error(f"{name} must be text")
        return value

    def _file_name(self, name: str, value: object) -> str | None:
        text = self._text(name, value)
        if text is not None and (not text or "\0" in text):
            raise self._error(f"{name} must be the name of a file")
        return text

    def _choice(self, name: str, value: object, choices: type[Confidence]) -> str:
        names = [choice.value for choice in choices]
        if value not in names:
            raise self._error(f"{name} must be one of {', '.join(names)}")
        return str(value)

    def _known(self, table: Mapping[str, object], names: Sequence[str], prefix: str) -> None:
        for name in table:
            if name not in names:
                from difflib import get_close_matches  # start-up: only for errors

                near = get_close_matches(name, names, n=1)
                raise self._error(
                    f"unknown setting {prefix}{name}",
                    f"Did you mean {prefix}{near[0]}?" if near else f"Known: {', '.join(names)}",
                )

    def _error(self, message: str, hint: str = "") -> ConfigError:
        return ConfigError(f"configuration {self._file}: {message}", hint=hint)
