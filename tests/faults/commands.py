"""The commands that write: how a folder for each is made, its command line, and which files it writes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from random import Random
from types import MappingProxyType

from tests import e2e
from tests.binance.accounts import hmac_account
from tests.binance.exchange import Exchange
from tests.e2e import Pair
from tests.repositories import Repository

RECORD = "home/.local/state/binance-leaks/last-scan/*.json"
"""What `allow` remembers of the last scan. It is no reason to fail a scan that it cannot be written."""
DRAFT = ".binance-leaks-*.tmp"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder in which a command runs: a project, files of results, a home, and temporary files."""

    root: Path

    @property
    def project(self) -> Repository:
        """The repository in which the command is started."""
        return Repository(self.root / "project")

    @property
    def env(self) -> dict[str, str]:
        """The environment that keeps everything in this folder."""
        home = self.root / "home"
        folders = {"CONFIG": ".config", "CACHE": ".cache", "STATE": ".local/state"}
        return {
            **{f"XDG_{name}_HOME": os.fspath(home / folder) for name, folder in folders.items()},
            "HOME": os.fspath(home),
            "TMPDIR": os.fspath(self.root / "tmp"),
        }

    def run(self, *words: str, status: int = 0) -> None:
        """Run the program as a part of the preparation."""
        outcome = e2e.run(*words, cwd=self.project.folder, env=self.env)
        assert outcome.status == status, outcome.out + outcome.err

    def files(self) -> dict[str, bytes]:
        """All files, but those of git, by their paths, with their content."""
        found: dict[str, bytes] = {}
        for folder, folders, names in os.walk(self.root):
            if ".git" in folders:
                folders.remove(".git")
            for name in names:
                path = Path(folder, name)
                found[path.relative_to(self.root).as_posix()] = path.read_bytes()
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class WritingCommand:
    """A command that writes files."""

    name: str
    words: Sequence[str]
    """The command line; `{url}` is the address of a played exchange."""
    prepare: Callable[[Place], None]
    """Makes what the folder holds before: `old`."""
    writes: Sequence[str]
    """Patterns of the files that it writes, without what it only remembers."""
    status: int = 0
    """Its exit status without a fault."""
    writes_values: bool = False
    """Whether values are what it writes, or are in the files that it changes."""
    asks: bool = False
    """Whether it asks another machine, whose clock does not jump."""
    refuses: bool = False
    """Whether it writes over nothing: where its file is there, its exit status is 2."""
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def is_written(self, name: str) -> bool:
        """Whether a file is one that the command must write."""
        return any(fnmatch(name, pattern) for pattern in self.writes)


def is_record(name: str) -> bool:
    """Whether a file is what is remembered for `allow`."""
    return fnmatch(name, RECORD)


def is_draft(name: str) -> bool:
    """Whether a file is a draft of another one, which is removed by the next run."""
    return fnmatch(name.rpartition("/")[2], DRAFT)


def make(root: Path, command: WritingCommand) -> None:
    """Make the folder of a command as it is before the command."""
    place = Place(root)
    Repository.create(root / "project")
    for name in ("home/.local/state/binance-leaks", "out", "tmp"):
        (root / name).mkdir(parents=True)
    command.prepare(place)


@cache
def exchange() -> tuple[Exchange, Pair]:
    """A played exchange, and a pair of keys that it knows."""
    played = Exchange()
    account = hmac_account(Random())
    played.add(account)
    return played, Pair(key=account.key, secret=account.secret.decode())


def _leak(place: Place) -> None:
    """A history with two credentials; the files hold one of them."""
    place.project.commit({"old.py": Pair.fresh().python, "bot.py": Pair.fresh().python})
    place.project.git("rm", "--quiet", "old.py")
    place.project.commit()


def _reports(place: Place) -> None:
    _leak(place)
    (place.root / "out/report.json").write_text("the report of yesterday\n")


def _state(place: Place) -> None:
    """The state of an earlier scan, and a commit since."""
    _leak(place)
    place.run("history", "--jobs", "1", "--state", "../out/state", status=1)
    place.project.commit({"new.py": Pair.fresh().python})


def _baseline(place: Place) -> None:
    _leak(place)
    place.run("baseline", "create", "--jobs", "1")
    place.project.commit({"new.py": Pair.fresh().python})


def _scanned(place: Place) -> None:
    """Two files with findings that a scan has remembered."""
    place.project.commit({"bot.py": Pair.fresh().python, "sub/app.py": Pair.fresh().python})
    place.run("scan", "--jobs", "1", status=1)


def _allowed(place: Place) -> None:
    """A configuration with an entry that matches something, and one that matches nothing any more."""
    gone = Pair.fresh()
    place.project.write("bot.py", gone.python)
    place.project.write(".binance-leaks.toml", "# ours\nconfidence = 'low'\n")
    place.run("scan", "--jobs", "1", status=1)
    place.run("allow", "--last")
    place.project.write("bot.py", Pair.fresh().python)
    place.run("scan", "--jobs", "1", status=1)
    place.run("allow", "--last")


def _known_key(place: Place) -> None:
    """A file with a key that the exchange knows, and a cache without entries."""
    place.project.write(".env", exchange()[1].dotenv)
    cache_file = place.root / "out/verified.json"
    cache_file.write_text('{"schema": "binance-leaks-verified/2", "entries": {}}')
    cache_file.chmod(0o600)


def _settings(place: Place) -> None:
    """Files of the project that the commands add to."""
    place.project.write(".pre-commit-config.yaml", "repos: []  # ours\n")
    place.project.write(".cursor/hooks.json", '{\n  // ours\n  "version": 1\n}\n')
    place.project.commit()


_IN_CI = MappingProxyType({"CI": "1"})
"""Nothing is remembered for `allow`, as one command shows enough of that."""
_REPO = ("--repo", "https://git.example/binance-leaks", "--rev", "v1.2.0")
COMMANDS = (
    WritingCommand(
        name="scan --output",
        words=("scan", "--jobs", "1", "--format", "json", "--output", "../out/report.json"),
        prepare=_reports,
        writes=("out/report.json",),
        status=1,
    ),
    WritingCommand(
        name="staged, two reports",
        words=("staged", "--format", "markdown:../out/report.md", "--format", "csv:../out/report.csv"),
        prepare=lambda place: place.project.stage("bot.py", Pair.fresh().python),
        writes=("out/report.md", "out/report.csv"),
        env=_IN_CI,
        status=1,
    ),
    WritingCommand(
        name="history --state",
        words=("history", "--jobs", "1", "--state", "../out/state"),
        prepare=_state,
        writes=("out/state",),
        env=_IN_CI,
        status=1,
    ),
    WritingCommand(
        name="history --write-replacements",
        words=("history", "--jobs", "1", "--write-replacements", "../out/values"),
        prepare=_leak,
        writes=("out/values",),
        env=_IN_CI,
        writes_values=True,
        status=1,
        refuses=True,
    ),
    WritingCommand(
        name="baseline create",
        words=("baseline", "create", "--jobs", "1"),
        prepare=_leak,
        writes=("project/.secrets.baseline",),
        refuses=True,
    ),
    WritingCommand(
        name="baseline update",
        words=("baseline", "update", "--jobs", "1"),
        prepare=_baseline,
        writes=("project/.secrets.baseline",),
    ),
    WritingCommand(
        name="allow",
        words=("allow", "--last"),
        prepare=_scanned,
        writes=("project/.binance-leaks.toml",),
    ),
    WritingCommand(
        name="allow --inline",
        words=("allow", "--last", "--inline"),
        prepare=_scanned,
        writes=("project/bot.py", "project/sub/app.py"),
        writes_values=True,
    ),
    WritingCommand(
        name="allow --prune",
        words=("allow", "--prune"),
        prepare=_allowed,
        writes=("project/.binance-leaks.toml",),
    ),
    WritingCommand(
        name="init --ci",
        words=("init", "--ci", "github", *_REPO, "--yes"),
        prepare=_settings,
        writes=("project/.pre-commit-config.yaml", "project/.github/workflows/*.yml"),
    ),
    WritingCommand(
        name="init --agent",
        words=("init", "--agent", "cursor", "--yes"),
        prepare=_settings,
        writes=("project/.cursor/hooks.json",),
    ),
    WritingCommand(
        name="init --agent --user",
        words=("init", "--agent", "claude-code", "--user", "--yes"),
        prepare=_settings,
        writes=("home/.claude/settings.json",),
    ),
    WritingCommand(
        name="verify --verify-cache",
        words=("verify", "--env-file", ".env", "--verify-loopback", "{url}", "--verify-cache", "../out/verified.json"),
        prepare=_known_key,
        writes=("out/verified.json",),
        asks=True,
    ),
)
