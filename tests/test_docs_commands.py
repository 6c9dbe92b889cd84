"""Every command that README.md and the documents show, run as it is in a repository such as readers have.

What cannot be run here is listed with the reason, and is still read by the parser.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest
from binance_leaks.cli.arguments.fleet import with_action
from binance_leaks.cli.parser import build

from tests.container_images import Layer, configuration, docker_archive
from tests.e2e import Pair, run
from tests.exports import Sent, slack, telegram_json
from tests.parser_spec import described
from tests.repositories import Repository

TOP = Path(__file__).resolve().parents[1]
DOCUMENTS = (*sorted(TOP.glob("docs/*.md")), TOP / "README.md", TOP / "CONTRIBUTING.md")
_BLOCK = re.compile(r"^ *```(sh|console)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_TOML = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_QUERY = re.compile(r"^```sql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FLEET = (TOP / "docs/fleet.md").read_text("utf-8")
_INLINE = re.compile(r"`(binance-leaks [^`\n]+)`")
_VALUE = re.compile(rb"(?<![A-Za-z0-9])(?![0-9a-f]{64})[A-Za-z0-9]{64}(?![A-Za-z0-9])")

_PASSED_ON = ("detect-secrets-hook", "detect-secrets-audit")  # detect-secrets reads their arguments

NOT_RUN: Mapping[str, str] = MappingProxyType(
    {
        r"pip install": "installs from the network; the first line of Develop is run by .ci/run",
        r"history https://": "a remote host",
        r"(^|\| |^\w+=\S+ )binance-leaks verify\b": "asks Binance; tests of verification do so on loopback",
        r"--verify(-\w+)?( |$)": "asks Binance, too",
        r"^(gh|glab) |\baz repos\b|\bcurl\b": "asks a forge, with a login; tests of lists read what they answer",
        r"allow 3f9c12ab": "the id of a finding elsewhere",
        r"--scheduler": "needs a cluster; tests of one start it",
        r"^docker ": "needs a daemon; tests/test_container.py has the Dockerfile, and an image as docker saves it",
        r"--image ": "needs a daemon; tests/e2e/test_images.py plays the program",
        r"-m venv /opt/": "makes an environment for all users of a machine",
        r"^binance-leaks receive": "is given the refs of a push by git; tests of receive push to it",
        r"^exec /opt/": "the whole of a server's hook; tests of receive install one",
        r"^dask ": "is a program of its own that goes on and on",
        r"^sqlite3 ": "is not on every machine; its backup is SQLite's own, and queries are run below",
        r"^source <|\| source": "for another shell's start-up; tests/cli/test_completion.py loads the scripts",
        r"binance-leaks agent-hook": "waits for an event of an agent; tests of agents send them",
        r"baseline audit$|detect-secrets-audit": "asks a person; tests of baselines answer it",
        r"^\.ci/run$": "runs all tests, this one too",
        r"^python -m pytest|^ruff|^mypy|UPDATE_GOLDEN": "the checks of this project itself",
        r"^python benchmarks/": "takes long, and changes this project's own source",
        r"^python -m tests\.(fuzz|faults)": "takes its time; tests of it call it for a moment",
        r"^python -m tests\.reference|^python -m tests\.corpus": "of this project's own source; other tests run it",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A command in a document."""

    document: str
    text: str

    @property
    def reason(self) -> str | None:
        """Why it is not run."""
        return next((why for pattern, why in NOT_RUN.items() if re.search(pattern, self.text)), None)

    @property
    def ours(self) -> list[list[str]]:
        """The words of each call of our program in it."""
        lexer = shlex.shlex(self.text, posix=True, punctuation_chars="|&;<>()")
        lexer.whitespace_split = True
        calls: list[list[str]] = []
        words: list[str] | None = None
        for word in lexer:
            if word == "binance-leaks" and words is None:
                words = []
                calls.append(words)
            elif word[0] in "|&;<>()":
                words = None
            elif words is not None:
                words.append(word)
        return calls


def shown() -> list[Shown]:
    """The commands of all documents, a comment behind them left out."""
    found = {}
    for document in DOCUMENTS:
        for language, block in _BLOCK.findall(document.read_text("utf-8")):
            lines = block.replace("\\\n", " ").splitlines()
            if language == "console":
                lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
            for line in lines:
                text = re.sub(r"(^|\s+)# .*$", "", line).strip()
                if text:
                    found[text] = Shown(document=document.name, text=re.sub(r"\s+", " ", text))
    return list(found.values())


RUN = [each for each in shown() if each.reason is None]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with a remote: a pair in an older commit, another in a file of today, a change that is staged."""
    folder = tmp_path_factory.mktemp("documents")
    origin = Repository.create(folder / "origin")
    origin.commit({"old.py": Pair.fresh().python, "src/main.py": "import os\n"}, message="First version of the bot")
    origin.commit({"old.py": "import os\n"}, message="Read keys from the environment")
    clone = Repository(folder / "bot")
    origin.git("clone", "--quiet", str(origin.folder), str(clone.folder))
    clone.commit({"src/bot.py": Pair.fresh().python, "bot.py": "import os\n", "config.py": "import os\n"})
    (clone.folder / ".git/COMMIT_EDITMSG").write_text("a message\n", "utf-8")
    clone.write("report.json", run("scan", "--format", "json", cwd=clone.folder).out)
    clone.write("message.txt", "a message\n")
    clone.write("docs/README.md", "# A bot\n")
    assert run("baseline", "create", cwd=clone.folder).status == 0
    clone.stage("src/main.py", "import sys\n")
    clone.write("repositories.txt", ".\n../origin\n")
    clone.write("fleet.toml", next(block for block in _TOML.findall(_FLEET) if "# fleet.toml" in block))
    for _ in range(2):
        assert run("fleet", "repositories.txt", "--store", "fleet.db", cwd=clone.folder).status == 1
    Repository.create(folder / "home/src/bot").commit({"bot.py": Pair.fresh().python})
    (folder / "home/.openclaw").mkdir()
    (folder / "home/.openclaw/TOOLS.md").write_text(Pair.fresh().python, "utf-8")
    pair = Pair.fresh()
    chat = [Sent(author="Alice", minute=1, text=f"binance api key: {pair.key}, secret: {pair.secret}")]
    (folder / "home/Downloads/TelegramExport").mkdir(parents=True)
    (folder / "home/Downloads/TelegramExport/result.json").write_bytes(telegram_json(chat))
    (clone.folder / "slack-export.zip").write_bytes(slack(chat))
    layers = [Layer(command="COPY . /app", files={"app/.env": pair.dotenv.encode()})]
    (clone.folder / "image.tar").write_bytes(docker_archive(layers, configuration(layers)))
    return folder


@pytest.fixture
def bot(template: Path, tmp_path: Path) -> Path:
    """A copy of that clone, with our program in the PATH."""
    shutil.copytree(template, tmp_path / "world", symlinks=True)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "binance-leaks").write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m binance_leaks "$@"\n', "utf-8"
    )
    (programs / "binance-leaks").chmod(0o755)
    folder = tmp_path / "world/bot"
    run("scan", "src", cwd=folder)  # what `allow --last` is about: no archive, in which there is no place for a comment
    subprocess.run(["git", "remote", "set-url", "origin", str(tmp_path / "world/origin")], cwd=folder, check=True)
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="the documents show a shell of POSIX")
@pytest.mark.parametrize("command", RUN, ids=lambda command: f"{command.document}: {command.text}")
def test_commands_run(command: Shown, bot: Path) -> None:
    if "baseline create" in command.text:
        (bot / ".secrets.baseline").unlink()
    path = os.pathsep.join([str(bot.parents[1] / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", f"set -euo pipefail; {command.text}"],
        cwd=bot,
        env={
            **os.environ,
            "PATH": path,
            "PYTHONPATH": str(TOP),
            "BASE": "origin/main",
            "HEAD": "main",
            "HOME": str(bot.parent / "home"),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr.decode()
    assert not re.search(rb"^bash: |Traceback", done.stderr, re.MULTILINE), done.stderr.decode()
    assert not _VALUE.search(done.stdout + done.stderr)


@pytest.mark.parametrize("query", _QUERY.findall(_FLEET))
def test_queries_give_rows(query: str, template: Path) -> None:
    with closing(sqlite3.connect(template / "bot/fleet.db")) as store:
        assert store.execute(query).fetchall()


def test_every_view_is_reported(template: Path) -> None:
    with closing(sqlite3.connect(template / "bot/fleet.db")) as store:
        views = {name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'view'")}
    assert views == set(re.findall(r"^\| `(\w+)` \| each ", _FLEET, re.MULTILINE))


def test_most_are_run_and_no_reason_is_idle() -> None:
    assert len(RUN) > 25
    for pattern in NOT_RUN:
        assert any(re.search(pattern, each.text) for each in shown()), f"nothing is left out by {pattern}"


@pytest.mark.parametrize(
    "command",
    [each for each in shown() if each.reason is not None and each.ours],
    ids=lambda command: f"{command.document}: {command.text}",
)
def test_what_is_not_run_is_understood(command: Shown) -> None:
    names = {one.words[1] for one in described(build()).commands}
    for words in command.ours:
        assert words[0] in names
        if words[0] not in _PASSED_ON:
            build().parse_args(with_action(words))


def test_commands_and_options_in_sentences_exist() -> None:
    known = {one.words[1:]: one for one in described(build()).all()}
    looked_at = 0
    for document in DOCUMENTS:
        for text in _INLINE.findall(document.read_text("utf-8")):
            words = text.split()[1:]
            at = next(words[:count] for count in (2, 1, 0) if tuple(words[:count]) in known)
            assert at or words[0].startswith("-"), f"{document.name}: {text}"
            if at and at[0] not in _PASSED_ON:
                names = {name for option in known[tuple(at)].options for name in option.names}
                options = {word.partition("=")[0] for word in words if word.startswith("-") and word != "--"}
                assert options <= names, f"{document.name}: {text}"
            looked_at += 1
    assert looked_at > 10
