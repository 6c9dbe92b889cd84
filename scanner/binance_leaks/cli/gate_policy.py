"""Whose word counts at the gate: the configuration, baseline and comments that are checked out, or those of the base.

A pull request brings its own configuration, and comments that allow what it brings in. Where that must not decide,
`--policy base` takes both files as the base has them, and lets no comment allow a value that is new.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.output import adjusted, baseline_file, configured, known_baseline
from binance_leaks.config import FILE_NAMES, Config, mentions_us, parse_config
from binance_leaks.model import Credential, Location

if TYPE_CHECKING:
    from binance_leaks.baseline.known import Known
    from binance_leaks.sources.git import Git

BASE = "base"


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """What is excluded, allowed and known. `comments` says whether a comment may allow what is new."""

    config: Config
    baseline: Known | None
    comments: bool = True

    def applied(self, credentials: tuple[Credential, ...]) -> tuple[Credential, ...]:
        """The credentials, allowed by no comment where comments do not count."""
        if self.comments:
            return credentials
        return tuple(credential.moved(_without_comment) for credential in credentials)


def policy(options: Options, git: Git, top: str, base: str | None) -> Policy:
    """The policy that the command line asks for. `base` is the commit that counts with `--policy base`, if any.

    Raises ConfigError for files that cannot be read or understood.
    """
    if getattr(options, "policy", None) != BASE:
        config = configured(options, Path(top))
        return Policy(config=config, baseline=known_baseline(options, config, top))
    held = _Held(git, Path(top).resolve(), base)
    config = adjusted(_config(options, held), options)
    return Policy(config=config, baseline=_baseline(options, config, held), comments=False)


class _Held:
    """The files of the work tree as the base has them. What lies outside of it is read where it is."""

    def __init__(self, git: Git, top: Path, base: str | None) -> None:
        self._git = git
        self._base = base
        self.top = top

    def content(self, file: Path, outside: Callable[[Path], bytes]) -> bytes | None:
        """The content of a file, None if the base has no such file."""
        inside = self._inside(file)
        if inside is None:
            return outside(file)
        if self._base is None:
            return None
        from binance_leaks.sources.commits import blobs_at  # start-up: only for this policy

        name = inside.encode("utf-8", "surrogateescape")
        blob = blobs_at(self._git, self._base, [name]).get(name)
        return None if blob is None else self._git.run("cat-file", "blob", blob)

    def _inside(self, file: Path) -> str | None:
        """The path of a file from the top, None if it is outside. Links of the work tree, a change's own, count not."""
        whole = Path(os.path.abspath(file))  # noqa: PTH100 - resolve() would follow links
        for folder in reversed(whole.parents):
            if folder.resolve() == self.top:
                return whole.relative_to(folder).as_posix()
        return None


def _config(options: Options, held: _Held) -> Config:
    if options.config:
        file = Path(options.config)
        content = held.content(file, Path.read_bytes)
        return Config() if content is None else parse_config(content, file)
    for name in FILE_NAMES:
        content = held.content(held.top / name, Path.read_bytes)
        if content is not None and (name != "pyproject.toml" or mentions_us(content)):
            return parse_config(content, held.top / name)
    return Config()


def _baseline(options: Options, config: Config, held: _Held) -> Known | None:
    file = baseline_file(options, config)
    if file is None:
        return None
    from binance_leaks.baseline.file import Baseline, file_content  # start-up: most scans have no baseline

    content = held.content(file, file_content)
    return None if content is None else Baseline.parse(file, content).known(str(held.top))


def _without_comment(place: Location) -> Location:
    return place if place.preexisting else replace(place, allowed=None)
