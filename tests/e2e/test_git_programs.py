"""Every setting of git that names a program is inert in every command, and PATH leads into no scanned folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from binance_leaks.cli.parser import build
from binance_leaks.sources import plumbing

from tests.e2e import Pair, run
from tests.repositories import Repository

PROGRAMS = (
    "core.alternateRefsCommand", "core.askPass", "core.editor", "core.fsmonitor", "core.gitProxy", "core.hooksPath",
    "core.pager", "core.sshCommand", "credential.helper", "credential.https://host.invalid.helper",
    "diff.x.command", "diff.x.textconv", "diff.external", "difftool.x.cmd", "difftool.x.path", "filter.x.clean",
    "filter.x.process", "filter.x.smudge", "gpg.program", "gpg.ssh.program", "gpg.ssh.defaultKeyCommand",
    "guitool.x.cmd", "help.browser", "hook.x.command", "instaweb.browser", "interactive.diffFilter", "man.x.cmd",
    "man.x.path", "merge.x.driver", "mergetool.x.cmd", "mergetool.x.path", "pager.log", "pager.diff",
    "remote.origin.receivepack", "remote.origin.uploadpack", "remote.other.vcs", "remote.other.uploadpack",
    "sendemail.ccCmd", "sendemail.headerCmd", "sendemail.tocmd", "sequence.editor", "submodule.x.update",
    "trailer.x.command", "trailer.x.cmd", "uploadpack.packObjectsHook", "web.browser", "browser.x.cmd",
    "browser.x.path", "alias.log", "alias.log.command", "alias.diff", "alias.fetch", "alias.cat-file", "alias.rev-list",
    "alias.ls-files",
)  # fmt: skip
"""One of each sort, by git's documentation."""
NO_GIT = {"completion", "detect-secrets-audit", "detect-secrets-hook", "help", "plugin-path", "report"}
NAMED_SO = re.compile(
    r"(?i)(command|cmd|program|helper|editor|pager|\.textconv|driver|askpass|external|browser|uploadpack)$"
)
NOT_PROGRAMS = {"gitcvs.dbDriver", "advice.waitingForEditor", "color.pager"}
COMMANDS = (
    ("scan", "."), ("scan", "--all-files", "."), ("staged",), ("staged", "--format", "json"), ("range", "HEAD~1..HEAD"),
    ("range", "HEAD~1..HEAD", "--policy", "base"), ("ci", "--base", "HEAD~1"), ("ci", "--fetch", "--base", "main~9"),
    ("push", "origin", "/nowhere"), ("history",), ("history", "--reachable"), ("baseline", "create"),
    ("message", "a.py"), ("fleet", "scan", "."), ("history", "--submodules"), ("baseline", "update"),
    ("allow", "--last", "--dry-run"), ("allow", "--last", "--inline", "--dry-run"), ("allow", "--prune", "--dry-run"),
    ("doctor",), ("init", "--dry-run"), ("machine", "--time-limit", "20s"), ("agent-hook",),
    ("receive", "refs/heads/main", "HEAD~1", "HEAD"), ("verify", "--scan", ".", "--verify-loopback", "http://127.0.0.1:9"),
)  # fmt: skip


def test_the_list_has_what_git_documents() -> None:
    listed = subprocess.run(["git", "help", "--config"], capture_output=True, text=True, check=True).stdout.split()
    known = set(map(_sort, PROGRAMS))
    documented = {name for name in listed if NAMED_SO.search(name)} - NOT_PROGRAMS
    assert len(documented) > 20
    assert {name for name in documented if _sort(name) not in known} == set()


def test_every_command_that_starts_git_is_tried() -> None:
    tried = {words[0] for words in COMMANDS}
    assert set(build().commands()) - tried == NO_GIT


def _sort(name: str) -> str:
    """A setting without the name of a driver, tool or remote in it."""
    return re.sub(r"\.[^.]+\.", ".*.", name).lower()


@pytest.fixture
def hostile(tmp_path: Path) -> tuple[Repository, Path]:
    """A shallow clone whose settings all leave a mark where they are used, and the folder of the marks."""
    upstream = Repository.create(tmp_path / "upstream")
    for number in range(4):
        upstream.commit({"a.py": f"x = {number}\n", "b.env": Pair.fresh().python})
    marks = tmp_path / "marks"
    marks.mkdir()
    repository = Repository(tmp_path / "clone")
    upstream.git("clone", "--quiet", "--depth", "2", f"file://{upstream.folder}", str(repository.folder))
    repository.stage("new.py", Pair.fresh().python)
    for number, name in enumerate(PROGRAMS):
        script = repository.script(f".git/evil/{number}", f'touch "{marks}/{name.replace("/", "_")}"', "cat", "exit 1")
        with Path(repository.folder, ".git/config").open("a") as stream:
            section, _, key = name.rpartition(".")
            first, _, rest = section.partition(".")
            stream.write(f'[{first}{f" {chr(34)}{rest}{chr(34)}" if rest else ""}]\n\t{key} = "{script}"\n')
    repository.path(".git/info").mkdir(exist_ok=True)
    repository.write(".git/info/attributes", "* diff=x filter=x merge=x\n")
    return repository, marks


@pytest.mark.skipif(os.name != "posix", reason="needs scripts")
def test_no_setting_runs_a_program(hostile: tuple[Repository, Path]) -> None:
    repository, marks = hostile
    home = {"HOME": str(repository.folder.parent)}  # which `machine` searches
    event = json.dumps({"hook_event_name": "PreToolUse", "tool_name": "Read", "cwd": str(repository.folder)})
    for words in COMMANDS:
        run(*words, cwd=repository.folder, env=home, stdin=event.encode(), timeout=60)
        assert [mark.name for mark in marks.iterdir()] == [], words


@pytest.mark.skipif(os.name != "posix", reason="needs scripts")
def test_no_alias_runs_as_a_protocol_of_a_git_that_fetches_lazily(tmp_path: Path) -> None:
    """Versions of git that know no GIT_NO_LAZY_FETCH are held by the protocols that they may use."""
    real = plumbing.find_program("git")
    scripts = Repository(tmp_path / "scripts")
    scripts.script(
        "git", f'echo "$GIT_ALLOW_PROTOCOL" >> "{tmp_path}/allowed"', f'unset GIT_NO_LAZY_FETCH; exec {real} "$@"'
    )
    repository = Repository.create(tmp_path / "clone")
    repository.commit({"a.py": Pair.fresh().python})
    repository.stage("new.py", Pair.fresh().python)
    for path in ("a.py", "new.py"):
        repository.loose(repository.blob(path)).unlink()
    settings = "[extensions]\n\tpartialClone = none\n[core]\n\trepositoryFormatVersion = 1\n"
    for name in ("none", "", "false", "file", "ssh", "https", "ext"):
        settings += f'[remote "r{name}"]\n\tpromisor = true\n\turl = {name}::x\n'
        settings += f'[alias]\n\tremote-{name} = "!touch {tmp_path}/ran-{name}"\n'
        settings += f'[alias "remote-{name}"]\n\tcommand = "!touch {tmp_path}/ran-{name}"\n'
    with repository.path(".git/config").open("a") as stream:
        stream.write(settings)
    env = {"PATH": f"{scripts.folder}:{os.environ['PATH']}"}
    for words in (("history",), ("staged",), ("staged", "--format", "json"), ("fleet", "scan", ".")):
        assert run(*words, cwd=repository.folder, env=env, timeout=60).status == 3
    assert not list(tmp_path.glob("ran-*"))
    allowed = set((tmp_path / "allowed").read_text().split())
    assert len(allowed) > 1, "it can be known beforehand"


HELPERS = ("ssh", "file", "http", "ext", "")
REMOTES = (
    *(f'[remote "origin"]\n\tvcs = {name}\n' for name in ("ssh", "file")),
    *(f'[remote "origin"]\n\turl = {name}::x\n' for name in HELPERS),
    '[remote "origin"]\n\turl = near\n[url "ssh::"]\n\tinsteadOf = near\n',
    '[remote "--upload-pack=touch MARK;"]\n\turl = UPSTREAM\n',
    '[remote "origin"]\n\tfetch = HEAD\n',  # its address is in an old file
)
"""Settings of a remote that name a program together with others."""


@pytest.mark.skipif(os.name != "posix", reason="needs scripts")
def test_no_combination_of_settings_runs_a_program(tmp_path: Path) -> None:
    upstream = Repository.create(tmp_path / "upstream")
    for number in range(4):
        upstream.commit({"a.py": f"x = {number}\n"})
    clone, mark = Repository(tmp_path / "clone"), tmp_path / "mark"
    upstream.git("clone", "--quiet", "--depth", "2", f"file://{upstream.folder}", str(clone.folder))
    clone.git("config", "--remove-section", "remote.origin")
    settings = clone.path(".git/config")
    settings.write_text(
        settings.read_text()
        + "".join(f'[alias]\n\tremote-{name} = "!touch {mark}"\n' for name in HELPERS)
        + "".join(f'[protocol "{name}"]\n\tallow = always\n' for name in HELPERS)
    )
    clone.write(".git/remotes/origin", "URL: ssh::x\n")
    clone.write(".git/branches/origin", "ssh::x\n")
    before = settings.read_text()
    ended = set()
    for each in REMOTES:
        settings.write_text(before + each.replace("MARK", str(mark)).replace("UPSTREAM", f"file://{upstream.folder}"))
        ended.add(run("ci", "--fetch", "--base", upstream.git("rev-parse", "HEAD~3"), cwd=clone.folder).status)
        assert not mark.exists(), each
    assert ended == {0, 3}


@pytest.mark.skipif(os.name != "posix", reason="needs scripts")
@pytest.mark.parametrize("path", [".", "", "bin", "./bin"])
def test_no_program_of_the_scanned_folder_is_run(tmp_path: Path, path: str) -> None:
    repository = Repository.create(tmp_path / "project")
    repository.commit({"a.py": "x = 1\n"})
    repository.commit({"a.py": "x = 2\n"})
    for folder in (".", "bin"):
        for name in ("git", "ssh", "docker", "podman", "pre-commit", "binance-leaks", "claude"):
            repository.script(f"{folder}/{name}", f'touch "{tmp_path}/ran"', "exit 1")
    env = {"PATH": f"{path}:{os.environ['PATH']}"}
    for words in (
        ("range", "HEAD~1..HEAD"),
        ("staged",),
        ("history",),
        ("scan", "."),
        ("history", f"file://{tmp_path}/project"),
    ):
        assert run(*words, cwd=repository.folder, env=env, timeout=60).status == 0
    for more in (("scan", "--image", "debian"), ("doctor",), ("init", "--dry-run")):
        run(*more, cwd=repository.folder, env=env, timeout=60)
    assert not (tmp_path / "ran").exists()


def test_the_path_of_children_has_no_relative_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join(("", ".", "bin", os.environ["PATH"])))
    folders = plumbing.environment(inherit=False)["PATH"].split(os.pathsep)
    assert all(map(os.path.isabs, folders))
    assert Path(plumbing.find_program("git") or "").is_absolute()
