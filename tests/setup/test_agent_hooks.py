"""`init --agent` and `doctor`: settings keep what they had, a second run adds nothing, and a pair is really stopped."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from binance_leaks.agents.contracts import AGENTS
from binance_leaks.config import read_toml
from binance_leaks.setup.agent_hooks import HOOK_FILES, command_of, commands_for
from binance_leaks.setup.json_edit import parse

from tests.e2e import Outcome, Pair, run
from tests.repositories import Repository

TOOLS = Path(sys.executable).parent
FILES = {
    "claude-code": ".claude/settings.json",
    "cursor": ".cursor/hooks.json",
    "codex": ".codex/config.toml",
    "copilot": ".github/hooks/binance-leaks.json",
    "gemini": ".gemini/settings.json",
    "openclaw": ".openclaw/extensions/binance-leaks/index.js",
}
USER_FILES = {**FILES, "copilot": ".copilot/hooks/binance-leaks.json"}
HOST = "export const definePluginEntry = (entry) => entry;\n"
PLAY = """
const { default: entry } = await import(process.argv[1]);
const hooks = {};
entry.register({ on: (name, handler) => { hooks[name] = handler; } });
const [name, event] = JSON.parse(process.argv[2]);
console.log(JSON.stringify((await hooks[name](event, { workspaceDir: process.cwd() })) ?? null));
"""


def init(repository: Repository, *words: str, home: Path | None = None) -> Outcome:
    env = {"HOME": str(home), "USERPROFILE": str(home)} if home is not None else {}
    return run("init", *words, cwd=repository.folder, env=env)


def settings_of(path: Path) -> object:
    text = path.read_text("utf-8")
    return read_toml(text) if path.suffix == ".toml" else parse(text).value


@pytest.mark.parametrize("agent", AGENTS)
def test_a_new_file_and_a_second_run(agent: str, repository: Repository) -> None:
    assert init(repository, "--agent", agent, "--dry-run").status == 0
    assert not repository.path(FILES[agent]).exists()
    first = init(repository, "--agent", agent)
    assert f"Wrote {FILES[agent]}." in first.out
    before = repository.path(FILES[agent]).read_bytes()
    again = init(repository, "--agent", agent)
    assert "Nothing to do." in again.out
    assert repository.path(FILES[agent]).read_bytes() == before
    if agent in HOOK_FILES:
        for event in HOOK_FILES[agent].events:
            assert event in AGENTS[agent].events
            assert set(commands_for(settings_of(repository.path(FILES[agent])), event)) == {command_of(agent)}


@pytest.mark.parametrize("agent", AGENTS)
def test_settings_of_the_user(agent: str, repository: Repository, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    outcome = init(repository, "--agent", agent, "--user", home=home)
    assert outcome.status == 0
    assert str(home) in outcome.out
    assert (home / USER_FILES[agent]).is_file()
    assert not repository.path(FILES[agent]).exists()


@pytest.mark.parametrize(
    ("agent", "variable", "file"),
    [
        ("claude-code", "CLAUDE_CONFIG_DIR", "settings.json"),
        ("codex", "CODEX_HOME", "config.toml"),
        ("copilot", "COPILOT_HOME", "hooks/binance-leaks.json"),
    ],
)
def test_a_folder_that_a_variable_names(
    agent: str, variable: str, file: str, repository: Repository, tmp_path: Path
) -> None:
    place = tmp_path / "elsewhere"
    outcome = run("init", "--agent", agent, "--user", cwd=repository.folder, env={variable: str(place)})
    assert outcome.status == 0, outcome.err
    assert (place / file).is_file()


def test_what_is_there_is_kept(repository: Repository) -> None:
    own = (
        '{\n\t// mine\n\t"model": "x",\n\t"hooks": {\n\t\t"PreToolUse": [\n'
        '\t\t\t{"matcher": "Bash", "hooks": [{"type": "command", "command": "./own.sh"}]} // stays\n\t\t]\n\t}\n}\n'
    )
    file = repository.write(FILES["claude-code"], own)
    outcome = init(repository, "--agent", "claude-code")
    assert "// stays" in outcome.out
    new = file.read_text()
    value = parse(new).value
    assert isinstance(value, dict)
    assert value["model"] == "x"
    assert [list(commands_for({"hooks": {"e": [entry]}}, "e")) for entry in value["hooks"]["PreToolUse"]] == [
        [],
        [command_of("claude-code")],
    ]
    assert "./own.sh" in new
    assert "} // stays" in new.replace("}, //", "} //")


def test_what_a_user_changed_is_kept(repository: Repository) -> None:
    command = "binance-leaks agent-hook --agent gemini --fail-open"
    entry = {"hooks": [{"type": "command", "command": command}]}
    file = repository.write(FILES["gemini"], json.dumps({"hooks": {"BeforeTool": [entry]}}))
    assert init(repository, "--agent", "gemini").status == 0
    settings = settings_of(file)
    assert list(commands_for(settings, "BeforeTool")) == [command]
    assert list(commands_for(settings, "BeforeAgent")) == [command_of("gemini")]


def test_codex_has_one_form(repository: Repository) -> None:
    repository.write(".codex/hooks.json", '{"hooks": {}}')
    assert "Wrote .codex/hooks.json." in init(repository, "--agent", "codex").out
    assert not repository.path(FILES["codex"]).exists()


def test_comments_of_toml_are_kept(repository: Repository) -> None:
    own = '# mine\r\nmodel = "x"  # this\r\n\r\n[[hooks.PreToolUse]]\r\nmatcher = "Bash"\r\nhooks = []'
    file = repository.write(FILES["codex"], own)
    init(repository, "--agent", "codex")
    assert file.read_bytes().startswith(own.encode())
    settings = settings_of(file)
    assert isinstance(settings, dict)
    assert [entry["matcher"] for entry in settings["hooks"]["PreToolUse"]] == ["Bash", "*"]


@pytest.mark.parametrize(
    ("agent", "content"),
    [
        ("claude-code", "{"),
        ("claude-code", "[]"),
        ("claude-code", '{"hooks": []}'),
        ("claude-code", '{"hooks": {"PreToolUse": {}}}'),
        ("cursor", '{"hooks": 1, "hooks": {}}'),
        ("codex", "hooks = 3\n"),
        ("codex", "hooks = { PreToolUse = [] }\n"),
        ("codex", "["),
        ("gemini", b"\xff\xfe"),
        ("openclaw", "// another plugin\n"),
    ],
)
def test_an_odd_file_is_left_alone(agent: str, content: str | bytes, repository: Repository) -> None:
    file = repository.write(FILES[agent], content)
    before = file.read_bytes()
    outcome = init(repository, "--agent", agent)
    assert outcome.status == 2
    assert "left alone" in outcome.err
    assert file.read_bytes() == before


def test_options_that_do_not_go_together(repository: Repository, tmp_path: Path) -> None:
    for words in (("--user",), ("--agent", "codex", "--ci", "github"), ("--agent", "codex", "--from-index")):
        assert init(repository, *words).status == 2
    folder = tmp_path / "plain"
    folder.mkdir()
    assert "--user" in run("init", "--agent", "codex", cwd=folder).err


class TestDoctor:
    """What `doctor` finds out about the hooks of agents."""

    def checks(
        self, repository: Repository, *words: str, tools: bool = True, first: str = ""
    ) -> dict[str, tuple[str, str]]:
        path = os.pathsep.join([*([first] if first else []), *([str(TOOLS)] if tools else []), "/usr/bin", "/bin"])
        report = json.loads(run("doctor", "--json", *words, cwd=repository.folder, env={"PATH": path}).out)
        return {check["name"]: (check["state"], f"{check['found']} {check['remedy']}") for check in report["checks"]}

    @pytest.mark.parametrize("agent", AGENTS)
    def test_a_pair_is_put_through(self, agent: str, repository: Repository) -> None:
        assert agent not in self.checks(repository)
        init(repository, "--agent", agent)
        checks = self.checks(repository)
        assert checks[agent][0] == "ok"
        assert checks[f"{agent}, tried"] == ("ok", "stopped a generated key pair ")

    def test_what_is_wrong(self, repository: Repository) -> None:
        init(repository, "--agent", "claude-code", "--agent", "codex", "--agent", "cursor")
        assert self.checks(repository, "--no-run")["cursor, tried"][0] == "unknown"
        assert "not in the PATH" in self.checks(repository, tools=False)["cursor, tried"][1]
        file = repository.path(FILES["claude-code"])
        settings = json.loads(file.read_text())
        del settings["hooks"]["PostToolUse"]
        file.write_text(json.dumps({**settings}))
        repository.write(FILES["codex"], f"[features]\nhooks = false\n\n{repository.path(FILES['codex']).read_text()}")
        cursor = repository.path(FILES["cursor"])
        cursor.write_text(cursor.read_text().replace("--agent cursor", "--agent cursor --fail-open --agent nobody"))
        checks = self.checks(repository)
        assert checks["claude-code"][0] == "warning"
        assert "binance-leaks init --agent claude-code" in checks["claude-code"][1]
        assert checks["codex"][0] == "failure"
        assert checks["cursor, tried"][0] == "failure"

    def test_a_program_of_the_project_is_not_started(self, repository: Repository) -> None:
        mark = repository.path("started")
        repository.script("evil", f"touch '{mark}'")
        for command in (
            "./evil binance-leaks agent-hook",
            "python3 evil -m binance_leaks agent-hook",
            "evil; binance-leaks agent-hook",
        ):
            self.set_command(repository, command)
            assert self.checks(repository)["cursor, tried"][0] == "unknown"
        assert not mark.exists()

    @pytest.mark.parametrize(
        ("matcher", "command"),
        [
            ("Glob", "binance-leaks agent-hook"),
            ("*", "echo binance-leaks agent-hook"),
            ("*", "binance-leaks agent-hook || true"),
            ("*", "false && binance-leaks agent-hook"),
        ],
    )
    def test_a_hook_that_may_not_count_is_not_ours(self, matcher: str, command: str, repository: Repository) -> None:
        init(repository, "--agent", "claude-code")
        file = repository.path(FILES["claude-code"])
        settings = json.loads(file.read_text())
        for event in settings["hooks"]:
            settings["hooks"][event] = [{"matcher": matcher, "hooks": [{"type": "command", "command": command}]}]
        file.write_text(json.dumps(settings))
        state, found = self.checks(repository)["claude-code"]
        assert state == "warning"
        assert "without" in found
        assert init(repository, "--agent", "claude-code").status == 0
        assert self.checks(repository)["claude-code"][0] == "ok"
        assert self.checks(repository)["claude-code, tried"] == ("ok", "stopped a generated key pair ")

    def test_an_open_hook_is_a_warning(self, repository: Repository) -> None:
        init(repository, "--agent", "cursor")
        file = repository.path(FILES["cursor"])
        file.write_text(file.read_text().replace("--agent cursor", "--agent cursor --fail-open"))
        state, found = self.checks(repository)["cursor"]
        assert state == "warning"
        assert "--fail-open" in found

    def test_a_package_of_the_project_is_not_imported(self, repository: Repository) -> None:
        mark = repository.path("started")
        for name in ("__init__.py", "__main__.py"):
            repository.write(f"binance_leaks/{name}", f"open({str(mark)!r}, 'w').close()\n")
        self.set_command(repository, "python3 -m binance_leaks agent-hook --agent cursor")
        assert self.checks(repository)["cursor, tried"][0] == "unknown"
        self.set_command(repository, "python3 -I -m binance_leaks agent-hook --agent cursor")
        assert self.checks(repository)["cursor, tried"] == ("ok", "stopped a generated key pair ")
        assert not mark.exists()

    @pytest.mark.parametrize("first", [".", "bin", ""])
    def test_a_relative_folder_in_the_path_does_not_count(self, first: str, repository: Repository) -> None:
        mark = repository.path("started")
        for name in ("binance-leaks", "bin/binance-leaks"):
            repository.script(name, f"touch '{mark}'")
        init(repository, "--agent", "cursor")
        path = first or f"{os.pathsep}."
        assert self.checks(repository, first=path)["cursor, tried"] == ("ok", "stopped a generated key pair ")
        assert "not in the PATH" in self.checks(repository, first=path, tools=False)["cursor, tried"][1]
        assert not mark.exists()

    def set_command(self, repository: Repository, command: str) -> None:
        entry = [{"command": command}]
        repository.write(FILES["cursor"], json.dumps({"version": 1, "hooks": {"beforeSubmitPrompt": entry}}))


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
class TestPlugin:
    """The plugin of OpenClaw, in a program that calls its hooks as OpenClaw's documents describe."""

    @pytest.fixture
    def plugin(self, repository: Repository) -> Repository:
        init(repository, "--agent", "openclaw")
        folder = ".openclaw/extensions/binance-leaks/node_modules/openclaw"
        repository.write(f"{folder}/entry.mjs", HOST)
        exports = {"./plugin-sdk/plugin-entry": "./entry.mjs"}
        repository.write(f"{folder}/package.json", json.dumps({"name": "openclaw", "exports": exports}))
        return repository

    def call(self, plugin: Repository, hook: str, event: object, *, tools: bool = True) -> object:
        done = subprocess.run(
            ["node", "--input-type=module", "-e", PLAY, str(plugin.path(FILES["openclaw"])), json.dumps([hook, event])],
            cwd=plugin.folder, capture_output=True, text=True, timeout=60, check=True,
            env={**os.environ, "PATH": os.pathsep.join([*([str(TOOLS)] if tools else []), "/usr/bin", "/bin"])},
        )  # fmt: skip
        return json.loads(done.stdout)

    def test_it_passes_hooks_on(self, plugin: Repository) -> None:
        pair = Pair.fresh()
        command = {"toolName": "exec", "params": {"command": pair.dotenv}}
        stopped = self.call(plugin, "before_tool_call", command)
        assert isinstance(stopped, dict)
        assert stopped["block"] is True
        assert pair.key not in json.dumps(stopped)
        assert self.call(plugin, "before_tool_call", {"toolName": "exec", "params": {"command": "ls"}}) is None
        prompt = self.call(plugin, "before_agent_run", {"prompt": pair.dotenv, "messages": []})
        assert isinstance(prompt, dict)
        assert prompt["outcome"] == "block"
        assert self.call(plugin, "before_agent_run", {"prompt": "hello"}) == {"outcome": "pass"}
        message = {"role": "toolResult", "content": [{"type": "text", "text": pair.dotenv}]}
        kept = self.call(plugin, "tool_result_persist", {"toolName": "exec", "message": message})
        assert kept == {
            "message": {"role": "toolResult", "content": [{"type": "text", "text": "[withheld by binance-leaks]"}]}
        }

    def test_without_the_program_it_stops(self, plugin: Repository) -> None:
        stopped = self.call(plugin, "before_tool_call", {"toolName": "exec", "params": {}}, tools=False)
        assert isinstance(stopped, dict)
        assert "could not be run" in stopped["blockReason"]
