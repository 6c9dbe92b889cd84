"""`machine` on prepared home folders: what is found, what is read, and what is never opened."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from shutil import which

import pytest
from binance_leaks.config import Config
from binance_leaks.findings import Result, SourceKind
from binance_leaks.lazy_dataclasses import replace
from binance_leaks.machine.account import Account
from binance_leaks.machine.known_locations import System
from binance_leaks.machine.plan import Plan
from binance_leaks.machine.search import SearchSettings, make_plan
from binance_leaks.model import Readers
from binance_leaks.pipeline.machine import LARGEST, MachineSource, readers_of
from binance_leaks.pipeline.run_scan import TriageSettings, run_scan

from tests.binance.accounts import WITHDRAW, hmac_account
from tests.binance.exchange import Exchange
from tests.binance.server import serving
from tests.e2e import Outcome, Pair, digests, run
from tests.machine.home import DATABASES, LINUX, MACOS, UNREAD, WINDOWS, Write, make_database, make_home
from tests.repositories import Repository

OPENED: list[list[str]] = []
"""Files that are opened while a test listens; an audit hook stays for ever."""


def _listen(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and OPENED and isinstance(arguments[0], (str, bytes)):
        OPENED[-1].append(os.fsdecode(arguments[0]))


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """Give the list of the files that this process opens."""
    if not getattr(_listen, "installed", False):
        sys.addaudithook(_listen)
        _listen.installed = True  # type: ignore[attr-defined]
    OPENED.append([])
    try:
        yield OPENED[-1]
    finally:
        OPENED.pop()


def plan_of(home: Path, *, system: System = System.LINUX, **settings: object) -> Plan:
    account = Account(system=system, home=home.as_posix(), environment={})
    return make_plan(SearchSettings(account=account, **{"roots": [home.as_posix()], **settings}))  # type: ignore[arg-type]


def scan(home: Path, plan: Plan, *, ends: float | None = None) -> Result:
    source = MachineSource(
        plan=plan, anchor=home.as_posix(), target="home", ends=time.monotonic() + 60 if ends is None else ends
    )
    return run_scan(source, TriageSettings(config=Config())).result


def found(result: Result) -> set[str]:
    return {value.sha256 for finding in result.findings for value in finding.values}


def planned(plan: Plan) -> set[str]:
    return {file.entry.path for file in plan.files}


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A home folder, with the pairs by path."""

    home: Path
    pairs: Mapping[str, Pair]
    unread: Mapping[str, Pair]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    home = tmp_path_factory.mktemp("prepared") / "me"
    pairs = make_home(home, LINUX)
    pairs.update({name: make_database(home / name) for name in DATABASES})
    return Prepared(home=home, pairs=pairs, unread=make_home(home, UNREAD))


def test_every_place_is_found_and_nothing_else_is_opened(prepared: Prepared) -> None:
    """With a repository whose stash, amended commit and forgotten file hold pairs, and whose history does too."""
    assert len(prepared.pairs) >= 40
    home = prepared.home
    with opened_files() as before_scan:
        plan = plan_of(home)
    assert not [file for file in before_scan if file.startswith(str(home))]
    with opened_files() as opened:
        result = scan(home, plan)
    missing = [name for name, pair in prepared.pairs.items() if not pair.digests <= found(result)]
    assert not missing
    assert not [name for name, pair in prepared.unread.items() if pair.digests & found(result)]
    below = {file for file in opened if file.startswith(str(home))}
    assert below <= planned(plan)
    assert len(below) == len(prepared.pairs)
    assert result.complete


def test_of_a_repository_only_what_git_keeps_is_opened(tmp_path: Path) -> None:
    """Not even a README, to see what the repository is about."""
    stashed = Pair.fresh()
    repository = Repository.create(tmp_path / "binance-bot")
    repository.commit({"main.py": "import os\n", "README.md": "A bot for Binance\n", "requirements.txt": "ccxt\n"})
    repository.write("main.py", stashed.call)
    repository.git("stash")
    plan = plan_of(tmp_path)
    with opened_files() as opened:
        result = scan(tmp_path, plan)
    assert found(result) == stashed.digests
    git_folder = f"{repository.folder}/.git/"
    assert not [file for file in opened if file.startswith(str(tmp_path)) and not file.startswith(git_folder)]


@pytest.mark.parametrize(
    ("folder", "beside", "evidence"),
    [
        ("work", "", ()),
        ("work", "see Binance", ("“.env.local” beside it mentions Binance",)),
        ("repository", "", ()),
        ("binance-bot", "", ("the repository's name mentions Binance",)),
    ],
)
def test_evidence_is_beside_a_file_or_in_the_name_of_its_repository(
    folder: str, beside: str, evidence: tuple[str, ...], tmp_path: Path
) -> None:
    """Not in the name of the home folder."""
    home, pair = tmp_path / "binance", Pair.fresh()
    text = f"API_KEY={pair.key}\nAPI_SECRET={pair.secret}\n"
    if folder == "work":
        (home / folder).mkdir(parents=True)
        (home / folder / ".env").write_text(text, "utf-8")
        (home / folder / ".env.local").write_text(f"# {beside}\n", "utf-8")
    else:
        repository = Repository.create(home / folder)
        repository.commit({".env": "", ".env.local": f"# {beside}\n"})
        repository.write(".env", text)
        repository.git("stash")
    named = ("named “API_KEY”", "named “API_SECRET”")
    assert [finding.evidence for finding in scan(home, plan_of(home)).findings] == [(*named, *evidence)]


@pytest.mark.parametrize(("system", "places"), [(System.MACOS, MACOS), (System.WINDOWS, WINDOWS)])
def test_places_of_other_systems(system: System, places: dict[str, Write], tmp_path: Path) -> None:
    pairs = make_home(tmp_path, places)
    result = scan(tmp_path, plan_of(tmp_path, system=system))
    assert not [name for name, pair in pairs.items() if not pair.digests <= found(result)]


def test_what_is_asked_for_is_read(prepared: Prepared) -> None:
    plan = plan_of(prepared.home, include=frozenset({"clipboard", "notes", "caches", "trash"}))
    kept = {"work/three/secret.py", "Documents/diary.txt"}
    assert {str(prepared.home / name) for name in UNREAD if name not in kept} <= planned(plan)
    assert not {str(prepared.home / name) for name in kept} & planned(plan)


def test_what_is_left_out_is_named(prepared: Prepared) -> None:
    why = {skipped.what: skipped.why for skipped in plan_of(prepared.home).skipped}
    assert "--include caches" in why["1 folder named node_modules"]
    assert "--include trash" in why["1 folder named Trash"]
    assert "compresses" in why[str(prepared.home / ".cache/JetBrains/PyCharm2026.1/LocalHistory/changes.storageData")]


def test_parts_of_files_that_are_not_read_are_named(tmp_path: Path) -> None:
    """A large database is read as bytes, and still gives its values; a file beyond the limit is not read, and lost."""
    name = DATABASES[0]
    pair = make_database(tmp_path / name, filler=9 << 20)
    plan = plan_of(tmp_path)
    result = scan(tmp_path, plan)
    assert found(result) == pair.digests
    assert [("plain bytes" in skipped.why, skipped.lost) for skipped in result.skipped] == [(True, False)]
    huge = replace(plan, files=[replace(file, size=LARGEST + 1) for file in plan.files], skipped=())
    assert [(skipped.what, skipped.lost) for skipped in scan(tmp_path, huge).skipped] == [(str(tmp_path / name), True)]


def test_an_interrupt_while_git_walks_keeps_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = make_home(tmp_path, {".env": LINUX["work/three/.env"]})
    Repository.create(tmp_path / "bot").commit({"main.py": "import os\n"})

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("binance_leaks.pipeline.history.find_leftovers", interrupt)
    result = scan(tmp_path, plan_of(tmp_path))
    assert found(result) == pairs[".env"].digests
    assert result.interrupted
    assert not result.complete


class TestTheSearch:
    """Links, special files, depth, time and variables of the environment."""

    def test_links(self, tmp_path: Path) -> None:
        home, outside = tmp_path / "home", tmp_path / "outside"
        pairs = make_home(
            home, {"dotfiles/zshrc": LINUX[".bashrc"], "dotfiles/codex/history.jsonl": LINUX[".claude.json"]}
        )
        make_home(outside, {"bashrc": LINUX[".bashrc"], "claude/history.jsonl": LINUX[".claude.json"]})
        (home / ".zshrc").symlink_to("dotfiles/zshrc")
        (home / ".codex").symlink_to("dotfiles/codex")
        (home / ".bashrc").symlink_to(outside / "bashrc")
        (home / ".claude").symlink_to(outside / "claude")
        (home / "loop").symlink_to(home)
        (home / "src").symlink_to(outside)
        plan = plan_of(home)
        assert planned(plan) == {str(home / name) for name in pairs}
        links = [skipped.what for skipped in plan.skipped if "link out of" in skipped.why]
        assert links == [str(home / ".claude"), str(home / ".bashrc"), str(home / "src")]

    @pytest.mark.skipif(sys.platform == "win32", reason="has no named pipes in folders")
    def test_what_is_no_file_is_not_opened(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / ".env")
        os.mkfifo(tmp_path / ".bash_history")
        plan = plan_of(tmp_path)
        assert not plan.files
        assert {skipped.why for skipped in plan.skipped} == {"a named pipe, not a file"}
        assert scan(tmp_path, plan).complete

    @pytest.mark.skipif(sys.platform == "win32", reason="has no named pipes in folders")
    def test_a_pipe_that_took_the_place_of_a_file(self, tmp_path: Path) -> None:
        make_home(tmp_path, {".env": LINUX[".bashrc"]})
        plan = plan_of(tmp_path)
        (tmp_path / ".env").unlink()
        os.mkfifo(tmp_path / ".env")
        assert [skipped.why for skipped in scan(tmp_path, plan).skipped] == ["no longer a file"]

    def test_depth(self, tmp_path: Path) -> None:
        make_home(tmp_path, {"a/b/.env": LINUX[".bashrc"], "a/b/c/.env": LINUX[".bashrc"]})
        plan = plan_of(tmp_path, depth=2)
        assert planned(plan) == {str(tmp_path / "a/b/.env")}
        assert [(skipped.what, skipped.lost) for skipped in plan.skipped] == [("1 folder", False)]

    def test_without_time_the_scan_is_incomplete(self, prepared: Prepared) -> None:
        plan = plan_of(prepared.home, seconds=-1)
        assert any(skipped.lost and "time limit" in skipped.why for skipped in plan.skipped)

    def test_variables_move_places(self, tmp_path: Path) -> None:
        home, moved = tmp_path / "home", tmp_path / "data"
        home.mkdir()
        pairs = make_home(
            moved, {"codex/history.jsonl": LINUX[".claude.json"], "config/Code/User/mcp.json": LINUX[".claude.json"]}
        )
        environment = {"CODEX_HOME": f"{moved.as_posix()}/codex/", "XDG_CONFIG_HOME": (moved / "config").as_posix()}
        account = Account(system=System.LINUX, home=home.as_posix(), environment=environment)
        plan = make_plan(SearchSettings(account=account, roots=[home.as_posix()]))
        assert planned(plan) == {str(moved / name) for name in pairs}

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser can read everything")
    def test_a_folder_that_cannot_be_listed_is_lost(self, tmp_path: Path) -> None:
        (tmp_path / "closed").mkdir(mode=0)
        assert [skipped.lost for skipped in plan_of(tmp_path).skipped] == [True]


@pytest.mark.skipif(sys.platform == "win32", reason="permission bits say nothing there")
class TestPermissions:
    """Who can read a file, by it and by the folders above."""

    @pytest.mark.parametrize(
        ("folder", "file", "readers"),
        [
            (0o755, 0o600, Readers.OWNER),
            (0o755, 0o640, Readers.GROUP),
            (0o755, 0o644, Readers.EVERYONE),
            (0o750, 0o644, Readers.GROUP),
            (0o700, 0o644, Readers.OWNER),
        ],
    )
    def test_of_a_file(self, folder: int, file: int, readers: Readers, tmp_path: Path) -> None:
        (tmp_path / "home").mkdir()
        (tmp_path / "home").chmod(folder)
        (tmp_path / "home/.env").touch(mode=file)
        (tmp_path / "home/.env").chmod(file)
        assert readers_of(f"{tmp_path}/home/.env", f"{tmp_path}/home") is readers

    def test_are_reported(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o755)
        make_home(tmp_path, {".env": LINUX["work/three/.env"], ".netrc": LINUX[".netrc"]})
        (tmp_path / ".env").chmod(0o644)
        (tmp_path / ".netrc").chmod(0o600)
        result = scan(tmp_path, plan_of(tmp_path))
        assert {
            place.path.rpartition("/")[2]: place.readers for each in result.findings for place in each.locations
        } == {
            ".env": Readers.EVERYONE,
            ".netrc": Readers.OWNER,
        }
        reasons = {finding.locations[0].path[-4:]: finding.risk.reasons[-1] for finding in result.findings}
        assert "Every user of this machine" in reasons[".env"]
        assert "user" not in reasons["etrc"]


class TestTheCommand:
    """The program itself."""

    @pytest.fixture
    def machine(self, tmp_path: Path) -> Callable[..., Outcome]:
        (tmp_path / "me").mkdir()

        def call(*words: str | Path) -> Outcome:
            home = str(tmp_path / "me")
            moved = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"), "")
            return run("machine", *words, cwd=tmp_path, env={"HOME": home, "USERPROFILE": home, **moved})

        return call

    def test_stashes_and_unreachable_objects_only(self, machine: Callable[..., Outcome], tmp_path: Path) -> None:
        pushed, stashed, older, amended, added = (Pair.fresh() for _ in range(5))
        repository = Repository.create(tmp_path / "me/bot")
        repository.commit({"main.py": "import os\n", "old.py": pushed.python})
        for pair in (older, stashed):
            repository.write("main.py", pair.python)
            repository.git("stash")
        repository.commit({"new.py": amended.python})
        repository.stage("new.py", "import sys\n")
        repository.git("commit", "--quiet", "--amend", "-m", "again")
        repository.stage("added.py", added.python)
        repository.git("rm", "--quiet", "-f", "added.py")
        outcome = machine("--format", "json")
        assert outcome.status == 1
        wanted = stashed.digests | older.digests | amended.digests | added.digests
        assert digests(outcome.report["findings"]) == wanted
        paths = {place["path"] for each in outcome.report["findings"] for place in each["locations"]}
        assert all(path.startswith(f"{tmp_path}/me/bot/") for path in paths)
        text = machine().out
        assert "git stash list" in text
        assert "git gc --prune=now" in text
        assert machine("--no-repositories").status == 0

    def test_a_dry_run_names_every_file_and_reads_none(self, machine: Callable[..., Outcome], tmp_path: Path) -> None:
        make_home(tmp_path / "me", {".env": LINUX["work/three/.env"], "a/.claude/settings.json": LINUX[".claude.json"]})
        Repository.create(tmp_path / "me/bot")
        outcome = machine("--dry-run")
        assert outcome.status == 0
        lines = outcome.out.splitlines()
        assert re.match(r"Would read 2 files \(\d+ bytes\) and 1 repository of", lines[0])
        assert f"  {tmp_path}/me/.env" in lines
        assert f"  {tmp_path}/me/a/.claude/settings.json" in lines
        assert f"  {tmp_path}/me/bot/.git" in lines

    def test_the_plan_is_shown_before_the_report(self, machine: Callable[..., Outcome], tmp_path: Path) -> None:
        make_home(tmp_path / "me", {".env": LINUX["work/three/.env"]})
        outcome = machine()
        assert outcome.status == 1
        assert "reads 1 file" in outcome.err
        assert "environment: Environment file, 1 file" in outcome.err
        assert "False alarm? binance-leaks allow" in outcome.out
        assert "--config ~/.binance-leaks.toml" in outcome.out
        assert not machine("--quiet").err

    def test_advice_is_that_of_the_place(self, machine: Callable[..., Outcome], tmp_path: Path) -> None:
        make_home(tmp_path / "me", {".bash_history": LINUX[".bash_history"], "a b/.ipynb_checkpoints/c.ipynb": LINUX[
            "work/three/.ipynb_checkpoints/a-checkpoint.ipynb"]})  # fmt: skip
        (tmp_path / "me/.bash_history").chmod(0o604)
        text = machine().out
        assert f"perl -ni -e 'print unless $. == 2' {tmp_path}/me/.bash_history" in text
        assert "history -c; history -r" in text
        assert f"rm '{tmp_path}/me/a b/.ipynb_checkpoints/c.ipynb'" in text
        assert f"chmod 600 {tmp_path}/me/.bash_history" in text
        assert "readable by every user of this machine" in text
        (tmp_path / "me/node_modules").mkdir()
        assert "1 left out or read in part." in machine().out

    def test_a_stored_report_gives_the_same_text(self, machine: Callable[..., Outcome], tmp_path: Path) -> None:
        make_home(tmp_path / "me", {".env": LINUX["work/three/.env"], ".zsh_history": LINUX[".zsh_history"]})
        (tmp_path / "me/.env").chmod(0o644)
        text = machine("--format", "text", "--format", f"json:{tmp_path}/report.json").out
        again = run("report", tmp_path / "report.json", cwd=tmp_path)
        assert again.status == 1
        assert again.out.partition("False alarm?")[0] == text.partition("False alarm?")[0]

    def test_configuration_baseline_and_exclusion(self, machine: Callable[..., Outcome], tmp_path: Path) -> None:
        home = tmp_path / "me"
        pairs = make_home(home, {"a/.env": LINUX["work/three/.env"], "b/.env": LINUX["work/three/.env"]})
        assert digests(machine("--exclude", "b/", "--format", "json").report["findings"]) == pairs["a/.env"].digests
        (home / "a/.binance-leaks.toml").write_text("exclude = ['*']\n", "utf-8")
        assert machine().status == 1, "a configuration below does not count"
        (home / ".binance-leaks.toml").write_text(
            "exclude = ['b/']\n[[allow]]\npath = 'a/'\nreason = 'known'\n", "utf-8"
        )
        assert machine().status == 0
        assert f"Configuration: {home}/.binance-leaks.toml" in machine("--dry-run").out

    def test_an_interrupted_search_of_objects_is_incomplete(
        self, machine: Callable[..., Outcome], tmp_path: Path
    ) -> None:
        repository = Repository.create(tmp_path / "me/bot")
        repository.commit({"main.py": "import os\n"})
        plan = plan_of(tmp_path / "me")
        late = scan(tmp_path / "me", plan, ends=0)
        assert [(skipped.what, skipped.lost) for skipped in late.skipped] == [
            (f"the repository {tmp_path}/me/bot", True)
        ]
        (repository.folder / ".git/HEAD").write_text("nonsense\n", "utf-8")
        outcome = machine("--format", "json")
        assert outcome.status == 3
        assert not outcome.report["scan"]["complete"]
        assert machine("--allow-incomplete").status == 0

    @pytest.mark.skipif(os.name == "nt", reason="a script of sh is in place of git")
    def test_the_time_limit_ends_a_long_walk(self, tmp_path: Path) -> None:
        """What the files hold is reported, and git does not run on. The limit ends when git walks, not before it."""
        home, programs, started = tmp_path / "me", tmp_path / "bin", tmp_path / "pid"
        pairs = make_home(home, {".env": LINUX["work/three/.env"]})
        repository = Repository.create(home / "bot")
        repository.commit({"main.py": "import os\n"})
        programs.mkdir()
        walk = f"echo $$ > {started}; sleep 1; kill -ALRM $PPID; exec sleep 90"
        script = f'#!/bin/sh\ncase " $* " in *" rev-list "*) {walk};; esac\nexec {which("git")} "$@"\n'
        (programs / "git").write_text(script)
        (programs / "git").chmod(0o755)
        environment = {"HOME": str(home), "XDG_CONFIG_HOME": "", "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
        options = ("--time-limit", "60s", "--format", "json")
        outcome = run("machine", *options, cwd=tmp_path, env=environment, timeout=50)
        assert outcome.status == 3
        assert digests(outcome.report["findings"]) == pairs[".env"].digests
        assert outcome.report["scan"]["skipped"] == [
            {"what": "the rest of the scan", "why": "the time limit of 60 seconds was reached"}
        ]
        with pytest.raises(ProcessLookupError):
            os.kill(int(started.read_text("ascii")), 0)
        assert run("history", "--reachable", *options, cwd=home / "bot", env=environment, timeout=50).status == 3

    def test_a_folder_called_git_is_no_repository(self, machine: Callable[..., Outcome], tmp_path: Path) -> None:
        (tmp_path / "me/bot/.git").mkdir(parents=True)
        assert machine().status == 0

    def test_what_is_found_is_verified_on_request(self, machine: Callable[..., Outcome], tmp_path: Path) -> None:
        rng, exchange = SystemRandom(), Exchange()
        in_file, in_stash = (hmac_account(rng, permissions=WITHDRAW) for _ in range(2))
        for account in (in_file, in_stash):
            exchange.add(account)
        pairs = [Pair(key=account.key, secret=account.secret.decode()) for account in (in_file, in_stash)]
        repository = Repository.create(tmp_path / "me/bot")
        repository.commit({"main.py": "import os\n"})
        repository.write("main.py", pairs[1].python)
        repository.git("stash")
        (tmp_path / "me/.bash_history").write_text(LINUX[".bash_history"](pairs[0]), "utf-8")
        assert machine("--quiet").status == 1
        assert not exchange.asked
        with serving(exchange) as url:
            outcome = machine("--verify", "--verify-loopback", url, "--format", "json")
        levels = [finding["risk"]["level"] for finding in outcome.report["findings"]]
        assert levels == ["critical", "critical"]

    def test_what_cannot_be_searched(self, machine: Callable[..., Outcome], tmp_path: Path) -> None:
        assert machine("nowhere").status == 2
        assert machine("").status == 2
        assert machine("--depth", "0").status == 2
        assert run("machine", cwd=tmp_path, env={"HOME": str(tmp_path / "none")}).status == 2

    def test_roots_replace_the_home_folder_in_the_search(self, machine: Callable[..., Outcome], tmp_path: Path) -> None:
        pairs = make_home(tmp_path / "me", {"a/.env": LINUX["work/three/.env"], ".netrc": LINUX[".netrc"]})
        others = make_home(tmp_path / "srv", {"bot/.env": LINUX["work/three/.env"]})
        report = machine("srv", "--format", "json").report
        assert digests(report["findings"]) == pairs[".netrc"].digests | others["bot/.env"].digests
        assert report["scan"]["source"] == SourceKind.MACHINE.value
