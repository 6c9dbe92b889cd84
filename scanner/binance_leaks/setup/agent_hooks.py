"""Add our hook to the settings of a coding agent, of a project or of the user, and leave everything else as it is.

Where each agent has its settings, and what an entry looks like, is from the documents that `agents.contracts` names.
"""

from __future__ import annotations

import codecs
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path, PurePath
from types import MappingProxyType

from binance_leaks.config import read_toml
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.setup.agent_plugin import plan_plugin
from binance_leaks.setup.json_edit import UnreadableJsonError, add_item, add_member, inserted, parse, rendered
from binance_leaks.setup.plan import Keep, Plan, Refuse, WorkTree, Write
from binance_leaks.setup.pre_commit import PROGRAMS

_SECONDS = 30
_HOOKS = "hooks"
COMMAND = "agent-hook"
_PYTHONS = frozenset({"python", "python3", "py"})
_OF_SHELLS = frozenset("|&;<>()$`\n")
_EVERY_TOOL = (None, "", "*", ".*")
"""Matchers of entries that count for every tool."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HookFile:
    """The settings file of an agent."""

    folder: str
    """The agent's folder: in a project, and in the home folder unless `variable` names another."""
    name: str
    """The file in it."""
    events: Sequence[str]
    """The events that our hook is for."""
    entry: Callable[[str, str], Mapping[str, object]]
    """Makes the entry of an event with a command."""
    version: bool = False
    """Whether a new file begins with `"version": 1`."""
    variable: str = ""
    user_folder: str = ""
    """The folder below the home folder, where it is another than in a project."""
    off: tuple[str, object] | None = None
    """A setting by which the agent runs no hooks."""
    note: str = ""
    """What else the user has to do."""


def command_of(agent: str) -> str:
    """Return the command of the hook."""
    return f"binance-leaks {COMMAND} --agent {agent}"


def _grouped(event: str, command: str) -> Mapping[str, object]:
    matcher = {"matcher": "*"} if "Tool" in event else {}
    return {**matcher, _HOOKS: [{"type": "command", "command": command, "timeout": _SECONDS}]}


def _gemini_entry(event: str, command: str) -> Mapping[str, object]:
    handler = {"name": "binance-leaks", "type": "command", "command": command, "timeout": _SECONDS * 1000}
    return {**({"matcher": "*"} if "Tool" in event else {}), _HOOKS: [handler]}


def _cursor_entry(event: str, command: str) -> Mapping[str, object]:
    closed = {} if event == "postToolUse" else {"failClosed": True}
    return {"command": command, "timeout": _SECONDS, **closed}


def _copilot_entry(_: str, command: str) -> Mapping[str, object]:
    return {"type": "command", "bash": command, "powershell": command, "timeoutSec": _SECONDS}


_CODEX_EVENTS = ("UserPromptSubmit", "PreToolUse", "PostToolUse")
_CODEX_JSON = "hooks.json"
HOOK_FILES: Mapping[str, HookFile] = MappingProxyType(
    {
        "claude-code": HookFile(
            folder=".claude",
            name="settings.json",
            events=("UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolUseFailure"),
            entry=_grouped,
            variable="CLAUDE_CONFIG_DIR",
            off=("disableAllHooks", True),
        ),
        "cursor": HookFile(
            folder=".cursor",
            name="hooks.json",
            events=("beforeSubmitPrompt", "preToolUse", "beforeReadFile", "beforeTabFileRead", "postToolUse"),
            entry=_cursor_entry,
            version=True,
            note="Cursor runs hooks of a project only where the workspace is trusted.",
        ),
        "codex": HookFile(
            folder=".codex",
            name="config.toml",
            events=_CODEX_EVENTS,
            entry=_grouped,
            variable="CODEX_HOME",
            note="Codex runs it once you have trusted it: /hooks.",
        ),
        "copilot": HookFile(
            folder=".github/hooks",
            name="binance-leaks.json",
            events=("userPromptSubmitted", "preToolUse", "postToolUse", "postToolUseFailure"),
            entry=_copilot_entry,
            version=True,
            variable="COPILOT_HOME",
            user_folder=".copilot/hooks",
            off=("disableAllHooks", True),
            note="Copilot CLI runs hooks of a project only where the folder is trusted.",
        ),
        "gemini": HookFile(
            folder=".gemini",
            name="settings.json",
            events=("BeforeAgent", "BeforeTool", "AfterTool"),
            entry=_gemini_entry,
            note="Gemini CLI warns once about new hooks of a project.",
        ),
    }
)
"""The settings of all agents whose hooks are commands; that of OpenClaw is a plugin."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where the settings of an agent are: paths are below `tree`."""

    tree: WorkTree
    folder: str

    @classmethod
    def of_project(cls, agent: str, top: Path) -> Place:
        """The settings in a project."""
        folder = HOOK_FILES[agent].folder if agent in HOOK_FILES else ".openclaw"
        return cls(tree=WorkTree(top), folder=f"{folder}/")

    @classmethod
    def of_user(cls, agent: str) -> Place:
        """The settings of the user, in every project."""
        file = HOOK_FILES.get(agent)
        given = os.environ.get(file.variable, "") if file is not None and file.variable else ""
        if file is not None and given:
            inner = PurePath(file.user_folder).name
            return cls(tree=WorkTree(Path(given)), folder=f"{inner}/" if inner else "")
        folder = (file.user_folder or file.folder) if file is not None else ".openclaw"
        return cls(tree=WorkTree(Path.home()), folder=f"{folder}/")


def plan_agent(agent: str, place: Place) -> list[Plan]:
    """Plan the settings of an agent."""
    if agent not in HOOK_FILES:
        return plan_plugin(place.tree, place.folder)
    file = HOOK_FILES[agent]
    path = _path(agent, place)
    old = place.tree.read(path)
    plan = _plan_toml if path.endswith(".toml") else _plan_json
    return [plan(agent, file, path, old)]


def _path(agent: str, place: Place) -> str:
    """The file to add to: of Codex its `hooks.json` if there is one, as it wants one form for each folder."""
    if agent == "codex" and place.tree.read(place.folder + _CODEX_JSON) is not None:
        return place.folder + _CODEX_JSON
    return place.folder + HOOK_FILES[agent].name


def _new_document(agent: str, file: HookFile, events: Sequence[str]) -> dict[str, object]:
    entries = {event: [file.entry(event, command_of(agent))] for event in events}
    return {**({"version": 1} if file.version else {}), _HOOKS: entries}


def _plan_json(agent: str, file: HookFile, path: str, old: bytes | None) -> Plan:
    notes = (file.note,) if file.note else ()
    whole = f"{rendered(_new_document(agent, file, file.events))}\n"
    if old is None or not old.strip():
        return Write(path=path, old=old, new=whole.encode(), notes=notes)
    mark = codecs.BOM_UTF8 if old.startswith(codecs.BOM_UTF8) else b""
    try:
        text = old[len(mark) :].decode("utf-8")
        value = parse(text).value
        missing = [event for event in file.events if not has_hook(value, event)]
        if not missing:
            return Keep(path=path, notes=notes)
        for event in missing:
            text = _with_entry(text, event, file.entry(event, command_of(agent)))
        if parse(text).value != _amended(value, agent, file, missing):
            raise UnreadableJsonError("its layout is unusual")
    except UnicodeDecodeError:
        return Refuse(path=path, why="it is not UTF-8", by_hand=whole)
    except UnreadableJsonError as error:
        return Refuse(path=path, why=str(error), by_hand=whole)
    return Write(path=path, old=old, new=mark + text.encode(), notes=notes)


def _with_entry(text: str, event: str, entry: Mapping[str, object]) -> str:
    """Add one entry. Raises UnreadableJsonError where what is there has another form."""
    root = parse(text)
    if not isinstance(root.value, dict):
        raise UnreadableJsonError("it is no object")
    if _HOOKS not in root.members:
        return _with_entry(inserted(text, add_member(text, root, _HOOKS, {})), event, entry)
    hooks = root.members[_HOOKS]
    if not isinstance(hooks.value, dict):
        raise UnreadableJsonError(f"its {_HOOKS} are no object")
    listed = hooks.members.get(event)
    if listed is None:
        return inserted(text, add_member(text, hooks, event, [entry]))
    if not isinstance(listed.value, list):
        raise UnreadableJsonError(f"its {event} is no list")
    return inserted(text, add_item(text, listed, entry))


def _amended(value: object, agent: str, file: HookFile, missing: Sequence[str]) -> object:
    """What the file must read as."""
    root = dict(value) if isinstance(value, dict) else {}
    hooks = root.get(_HOOKS, {})
    amended = dict(hooks) if isinstance(hooks, dict) else {}
    for event in missing:
        amended[event] = [*amended.get(event, []), file.entry(event, command_of(agent))]
    return {**root, _HOOKS: amended}


def _plan_toml(agent: str, file: HookFile, path: str, old: bytes | None) -> Plan:
    """Add tables at the end, so that nothing else moves."""
    whole = _toml(agent, file.events)
    notes = (file.note,) if file.note else ()
    try:
        text = (old or b"").decode("utf-8")
        value = read_toml(text)
    except ValueError:
        return Refuse(path=path, why="it is not TOML", by_hand=whole)
    missing = [event for event in file.events if not has_hook(value, event)]
    if not missing:
        return Keep(path=path, notes=notes)
    apart = "\n" if text.endswith("\n") or not text else "\n\n"
    new = f"{text}{apart if text else ''}{_toml(agent, missing)}"
    new = new.replace("\r\n", "\n").replace("\n", "\r\n") if "\r\n" in text else new
    try:
        reads = read_toml(new) == _amended(value, agent, file, missing)
    except ValueError:
        reads = False
    if not reads:
        return Refuse(path=path, why="its hooks are written in another way", by_hand=whole)
    return Write(path=path, old=old, new=new.encode(), notes=notes)


def _toml(agent: str, events: Sequence[str]) -> str:
    tables = []
    for event in events:
        matcher = 'matcher = "*"\n' if "Tool" in event else ""
        tables.append(
            f"[[hooks.{event}]]\n{matcher}\n[[hooks.{event}.hooks]]\n"
            f'type = "command"\ncommand = "{command_of(agent)}"\ntimeout = {_SECONDS}\n'
        )
    return "\n".join(tables)


def has_hook(settings: object, event: str) -> bool:
    """Whether settings run this program, and nothing else, whenever there is an event: for every tool."""
    return any(
        plain_words(command)
        for entry in _entries(settings, event)
        if entry.get("matcher") in _EVERY_TOOL
        for command in _commands_of(entry)
    )


def commands_for(settings: object, event: str) -> Iterator[str]:
    """Yield the commands of settings that may run our hook for an event, however it is started."""
    for entry in _entries(settings, event):
        yield from _commands_of(entry)


def plain_words(command: str) -> list[str]:
    """Return the words of a command that starts this program and nothing else; none for another.

    A project may bring any command. Without `-I`, Python would import a package of that name from the folder that it is
    started in; behind `||` or in front of `;` our answer may be lost.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return []
    start = words[: words.index(COMMAND)] if COMMAND in words else []
    is_program = len(start) == 1 and PurePath(start[0]).name in PROGRAMS
    is_module = start[1:] == ["-I", "-m", "binance_leaks"] and start[0] in _PYTHONS
    return words if (is_program or is_module) and _OF_SHELLS.isdisjoint(command) else []


def _entries(settings: object, event: str) -> Iterator[Mapping[str, object]]:
    hooks = settings.get(_HOOKS) if isinstance(settings, dict) else None
    listed = hooks.get(event) if isinstance(hooks, dict) else None
    yield from (entry for entry in (listed if isinstance(listed, list) else ()) if isinstance(entry, dict))


def _commands_of(entry: Mapping[str, object]) -> Iterator[str]:
    inner = entry.get(_HOOKS)
    for handler in (entry, *(inner if isinstance(inner, list) else ())):
        yield from _commands(handler)


def _commands(handler: object) -> Iterator[str]:
    for name in ("command", "bash", "powershell"):
        command = handler.get(name) if isinstance(handler, dict) else None
        if isinstance(command, str) and _is_ours(command):
            yield command


def _is_ours(command: str) -> bool:
    words = [word.strip("\"'") for word in command.split()]
    return any(
        PurePath(program).name in {*PROGRAMS, "binance_leaks"} and word == COMMAND for program, word in pairwise(words)
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """Our hook in the settings of an agent: which of its events are missing, and by which command it is run."""

    agent: str
    path: str
    command: str
    missing: tuple[str, ...]
    is_off: bool
    """Whether the settings keep the agent from running any hook."""


def installed(agent: str, place: Place) -> Installed | None:
    """Return our hook in the settings of an agent, None where there is none. Raises UsageError for an odd file."""
    file = HOOK_FILES[agent]
    names = (_CODEX_JSON, file.name) if agent == "codex" else (file.name,)
    for path in (place.folder + name for name in names):
        settings = _settings(place.tree.read(path), path)
        commands = [command for event in file.events for command in commands_for(settings, event)]
        if commands:
            missing = tuple(event for event in file.events if not has_hook(settings, event))
            return Installed(
                agent=agent,
                path=path,
                command=next(filter(plain_words, commands), commands[0]),
                missing=missing,
                is_off=_is_off(agent, settings),
            )
    return None


def _settings(data: bytes | None, path: str) -> object:
    text = (data or b"").decode("utf-8-sig", "replace")
    try:
        return read_toml(text) if path.endswith(".toml") else parse(text).value if text.strip() else {}
    except ValueError:
        return {}


def _is_off(agent: str, settings: object) -> bool:
    if not isinstance(settings, dict):
        return False
    features = settings.get("features")
    if agent == "codex" and isinstance(features, dict):
        return features.get(_HOOKS, features.get("codex_hooks")) is False
    off = HOOK_FILES[agent].off
    return off is not None and settings.get(off[0]) == off[1]
