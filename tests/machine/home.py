"""A home folder with fresh credentials at places of every kind, and in files that nothing reads."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.e2e import Pair

Write = Callable[[Pair], str]


def _env(pair: Pair) -> str:
    return f"# exchange\nBINANCE_API_KEY={pair.key}\nBINANCE_API_SECRET={pair.secret}\n"


def _export(pair: Pair) -> str:
    return f"ls\nexport BINANCE_API_KEY={pair.key} BINANCE_API_SECRET={pair.secret}\n"


def _settings(pair: Pair) -> str:
    server = {"command": "npx", "env": {"BINANCE_API_KEY": pair.key, "BINANCE_API_SECRET": pair.secret}}
    return json.dumps({"mcpServers": {"exchange": server}}, indent=2)


def _prose(pair: Pair) -> str:
    return f"# Notes\n\nThe Binance API key is {pair.key} and the secret is {pair.secret}.\n"


def _transcript(pair: Pair) -> str:
    """A conversation whose tool wrote a file: JSON in a string of JSON, in a line of JSON."""
    written = json.dumps({"path": "config.json", "content": json.dumps({"exchange": "binance", **_named(pair)})})
    return "".join(
        json.dumps(line) + "\n"
        for line in ({"type": "user", "text": "set it up"}, {"type": "tool_use", "input": {"arguments": written}})
    )


def _named(pair: Pair) -> dict[str, str]:
    return {"apiKey": pair.key, "secret": pair.secret}


def _python(pair: Pair) -> str:
    return pair.python


def _notebook(pair: Pair) -> str:
    cell = {"cell_type": "code", "source": pair.python.splitlines(keepends=True), "outputs": [], "metadata": {}}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def _freqtrade(pair: Pair) -> str:
    return json.dumps({"exchange": {"name": "binance", "key": pair.key, "secret": pair.secret}}, indent=1)


def _yaml(pair: Pair) -> str:
    return f"connector: binance\nbinance_api_key: {pair.key}\nbinance_api_secret: {pair.secret}\n"


def _netrc(pair: Pair) -> str:
    return f"machine api.binance.com login {pair.key} password {pair.secret}\n"


def _zsh(pair: Pair) -> str:
    return f": 1700000000:0;export BINANCE_API_KEY={pair.key}\n: 1700000001:0;export BINANCE_SECRET_KEY={pair.secret}\n"


def _fish(pair: Pair) -> str:
    return (
        f"- cmd: set -x BINANCE_API_KEY {pair.key}\n  when: 1700000000\n"
        f"- cmd: set -x BINANCE_API_SECRET {pair.secret}\n  when: 1700000001\n"
    )


def _xml(pair: Pair) -> str:
    return (
        '<component name="RunManager"><configuration name="bot"><envs>\n'
        f'  <env name="BINANCE_API_KEY" value="{pair.key}" />\n'
        f'  <env name="BINANCE_API_SECRET" value="{pair.secret}" />\n</envs></configuration></component>\n'
    )


LINUX: dict[str, Write] = {
    ".claude.json": _settings,
    ".claude/settings.local.json": _settings,
    ".claude/projects/-home-me-bot/0f1e.jsonl": _transcript,
    ".claude/file-history/0f1e/abc@v1": _python,
    ".config/Claude/claude_desktop_config.json": _settings,
    ".codex/config.toml": lambda pair: (
        f'[mcp_servers.x.env]\nBINANCE_API_KEY = "{pair.key}"\nBINANCE_API_SECRET = "{pair.secret}"\n'
    ),
    ".codex/sessions/2026/11/30/rollout-1.jsonl": _transcript,
    ".codex/history.jsonl": lambda pair: json.dumps({"text": _prose(pair)}) + "\n",
    ".gemini/settings.json": _settings,
    ".gemini/tmp/project/chats/session-1.json": _transcript,
    ".cursor/mcp.json": _settings,
    ".openclaw/openclaw.json": _settings,
    ".openclaw/workspace/TOOLS.md": _prose,
    ".openclaw/agents/main/sessions/1.jsonl": _transcript,
    ".copilot/mcp-config.json": _settings,
    ".copilot/session-state/1/events.jsonl": _transcript,
    ".codeium/windsurf/mcp_config.json": _settings,
    ".continue/config.yaml": _yaml,
    ".continue/sessions/1.json": _transcript,
    "work/one/.aider.chat.history.md": _prose,
    "work/one/CLAUDE.md": _prose,
    "work/one/.mcp.json": _settings,
    ".config/Code/User/mcp.json": _settings,
    ".config/Code/User/History/1a2b/xyz.py": _python,
    ".config/VSCodium/Backups/1/file/2": _env,
    "work/two/.vscode/launch.json": lambda pair: json.dumps(
        {"configurations": [{"env": {"BINANCE_API_KEY": pair.key, "BINANCE_API_SECRET": pair.secret}}]}
    ),
    "work/two/.idea/workspace.xml": _xml,
    "work/two/.run/bot.run.xml": _xml,
    ".config/JetBrains/PyCharm2026.1/scratches/scratch.py": _python,
    ".cache/JetBrains/PyCharm2026.1/LocalHistory/changes.storageData": _env,
    ".bash_history": _export,
    ".zsh_history": _zsh,
    ".local/share/fish/fish_history": _fish,
    ".local/share/powershell/PSReadLine/ConsoleHost_history.txt": lambda pair: (
        f"$env:BINANCE_API_KEY='{pair.key}'\n$env:BINANCE_API_SECRET='{pair.secret}'\n"
    ),
    ".python_history": _python,
    ".node_repl_history": lambda pair: f"new Binance().options({{APIKEY: '{pair.key}', APISECRET: '{pair.secret}'}})\n",
    ".psql_history": lambda pair: (
        f"insert into keys (exchange, api_key, api_secret) values ('binance', '{pair.key}', '{pair.secret}');\n"  # noqa: S608
    ),
    ".rediscli_history": lambda pair: f"hset binance api_key {pair.key} api_secret {pair.secret}\n",
    ".viminfo": _env,
    ".netrc": _netrc,
    ".bashrc": _export,
    ".pm2/dump.pm2": lambda pair: json.dumps(
        [{"env": {"BINANCE_API_KEY": pair.key, "BINANCE_API_SECRET": pair.secret}}]
    ),
    ".config/systemd/user/bot.service": lambda pair: (
        f"[Service]\nEnvironment=BINANCE_API_KEY={pair.key}\nEnvironment=BINANCE_API_SECRET={pair.secret}\n"
    ),
    "work/three/.env": _env,
    "work/three/.env.production": _env,
    "work/three/.ipynb_checkpoints/a-checkpoint.ipynb": _notebook,
    "work/freqtrade/user_data/config.json": _freqtrade,
    "work/hummingbot/conf/connectors/binance.yml": _yaml,
    "work/octobot/user/config.json": lambda pair: json.dumps(
        {"exchanges": {"binance": {"api-key": pair.key, "api-secret": pair.secret}}}
    ),
    "work/jesse-bot/config.py": _python,
    "work/gekko/SECRET-api-keys.json": lambda pair: json.dumps({"binance": {"key": pair.key, "secret": pair.secret}}),
    "work/zenbot/conf.js": lambda pair: (
        f"c.binance = {{}}\nc.binance.key = '{pair.key}'\nc.binance.secret = '{pair.secret}'\n"
    ),
    "work/Superalgos/Platform/My-Workspaces/mine.json": lambda pair: json.dumps(
        {"exchange": "binance", "codeName": pair.key, "secret": pair.secret}
    ),
    "work/ccxt/keys.local.json": lambda pair: json.dumps({"binance": _named(pair)}),
    "work/trade/user.cfg": lambda pair: f"[binance_user_config]\napi_key={pair.key}\napi_secret_key={pair.secret}\n",
}
"""Places on Linux, with what is there."""

DATABASES = (
    ".config/Cursor/User/globalStorage/state.vscdb",
    ".ipython/profile_default/history.sqlite",
    ".copilot/session-store.db",
)

MACOS: dict[str, Write] = {
    "Library/Application Support/Claude/claude_desktop_config.json": _settings,
    "Library/Application Support/Code/User/History/1/a.py": _python,
    "Library/Application Support/Cursor/User/settings.json": _settings,
    "Library/Caches/JetBrains/PyCharm2026.1/LocalHistory/changes.storageData": _env,
    "Library/LaunchAgents/bot.plist": lambda pair: (
        "<dict><key>EnvironmentVariables</key><dict>\n"
        f"<key>BINANCE_API_KEY</key><string>{pair.key}</string>\n"
        f"<key>BINANCE_API_SECRET</key><string>{pair.secret}</string>\n</dict></dict>\n"
    ),
    ".zsh_sessions/1.history": _export,
    ".claude/projects/a/b.jsonl": _transcript,
}
WINDOWS: dict[str, Write] = {
    "AppData/Roaming/Claude/claude_desktop_config.json": _settings,
    "AppData/Roaming/Code/User/History/1/a.py": _python,
    "AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt": _export,
    "AppData/Roaming/Notepad++/backup/new 1@2026-11-30": _prose,
    "AppData/Local/JetBrains/PyCharm2026.1/LocalHistory/changes.storageData": _env,
    "_netrc": _netrc,
    ".claude/projects/a/b.jsonl": _transcript,
}

UNREAD: dict[str, Write] = {
    "work/three/secret.py": _python,
    "work/three/node_modules/x/.env": _env,
    "work/three/venv/lib/python3.12/site-packages/x/.env": _env,
    ".local/share/Trash/files/.env": _env,
    ".cache/x/.env": _env,
    ".local/share/klipper/history2.lst": _env,
    "Documents/diary.txt": _prose,
    "Documents/ideas.md": _prose,
}
"""Files that no plan names unless the user asks for them."""


def make_home(home: Path, places: dict[str, Write]) -> dict[str, Pair]:
    """Write a fresh pair to each place, and return the pairs by path."""
    pairs = {}
    for name, write in places.items():
        pairs[name] = pair = Pair.fresh()
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(write(pair), "utf-8")
    return pairs


def make_database(file: Path, *, filler: int = 0) -> Pair:
    """Write a SQLite database with a pair in a conversation, and return the pair. `filler` are bytes beside it."""
    pair = Pair.fresh()
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("create table items (key text, value text)")
        database.execute("insert into items values ('filler', ?)", ("text " * (filler // 5),))
        database.execute("insert into items values ('chat', ?)", (json.dumps({"text": _transcript(pair)}),))
    return pair
