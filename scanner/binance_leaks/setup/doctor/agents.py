"""Check the hooks of coding agents: are all events there, and is a generated key pair stopped?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from types import MappingProxyType

from binance_leaks.agents.contracts import AGENTS
from binance_leaks.errors import UsageError
from binance_leaks.setup.agent_hooks import HOOK_FILES, Installed, Place, command_of, installed, plain_words
from binance_leaks.setup.agent_plugin import plugin_script
from binance_leaks.setup.doctor.check import Check, State
from binance_leaks.setup.doctor.trial import generate_pair, names_key, run_with_input
from binance_leaks.sources.plumbing import find_program

TIME_LIMIT = 60.0
"""Seconds after which the command of a hook is ended; agents wait half of that."""
_PROMPTS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "claude-code": {"hook_event_name": "UserPromptSubmit", "transcript_path": "", "permission_mode": "default"},
        "cursor": {"hook_event_name": "beforeSubmitPrompt", "conversation_id": "doctor", "cursor_version": "0"},
        "codex": {"hook_event_name": "UserPromptSubmit", "turn_id": "doctor"},
        "copilot": {"sessionId": "doctor", "timestamp": 0},
        "gemini": {"hook_event_name": "BeforeAgent"},
        "openclaw": {"hook_event_name": "before_agent_run"},
    }
)
"""An event of each agent that a prompt is missing in."""


def check_agents(top: Path, *, may_run: bool) -> Iterator[Check]:
    """Yield checks of each agent whose settings, in the project or of the user, have our hook."""
    for agent in AGENTS:
        for place, option in ((Place.of_project(agent, top), ""), (Place.of_user(agent), " --user")):
            yield from _check(agent, place, option, top, may_run=may_run)


def _check(agent: str, place: Place, option: str, top: Path, *, may_run: bool) -> Iterator[Check]:
    try:
        found = _installed(agent, place)
    except UsageError as error:  # its settings are no file, or a link that leads elsewhere
        yield Check(name=agent, state=State.UNKNOWN, found=str(error), remedy=error.hint)
        return
    if found is None:
        return
    where = f"in {place.tree.top / found.path}"
    again = f"binance-leaks init --agent {agent}{option}"
    if found.is_off:
        remedy = "Remove the setting that turns hooks off."
        yield Check(name=agent, state=State.FAILURE, found=f"{where}: hooks are turned off", remedy=remedy)
    elif found.missing:
        lacking = f"{where}, without {', '.join(found.missing)}"
        yield Check(name=agent, state=State.WARNING, found=lacking, remedy=again)
    elif "--fail-open" in plain_words(found.command):
        open_ = f"{where}: with --fail-open, what could not be scanned passes"
        yield Check(name=agent, state=State.WARNING, found=open_, remedy=f"The command should be: {command_of(agent)}")
    else:
        yield Check(name=agent, state=State.OK, found=where)
    name = f"{agent}, tried"
    if may_run:
        yield _check_by_trial(name, agent, found, top)
    else:
        yield Check(
            name=name, state=State.UNKNOWN, found="not tried, because of --no-run", remedy="binance-leaks doctor"
        )


def _installed(agent: str, place: Place) -> Installed | None:
    if agent in HOOK_FILES:
        return installed(agent, place)
    path = plugin_script(place.tree, place.folder)
    if path is None:
        return None
    return Installed(agent=agent, path=path, command=command_of(agent), missing=(), is_off=False)


def _check_by_trial(name: str, agent: str, hook: Installed, top: Path) -> Check:
    """Send a prompt with a pair to the command as the agent would start it, and one without."""
    words = plain_words(hook.command)
    if not words or PurePath(words[0]).name != words[0]:  # a project may name a program of its own by its path
        found = f"not tried, as it is started in another way: {hook.command}"
        return Check(name=name, state=State.UNKNOWN, found=found, remedy=f"The command should be: {command_of(agent)}")
    program = find_program(words[0].removesuffix(".exe"))
    if program is None:
        remedy = "Install binance-leaks for every shell, as `pipx install .` in a clone of it does."
        found = f"{hook.command}: the program is not in the PATH, so that every event passes"
        return Check(name=name, state=State.FAILURE, found=found, remedy=remedy)
    key, pair = generate_pair()
    answers = [
        run_with_input([program, *words[1:]], top, _event(agent, prompt, top), limit=TIME_LIMIT)
        for prompt in (pair, "a prompt of binance-leaks doctor")
    ]
    if None in answers:
        remedy = f"Run it to see why: echo '{{}}' | {hook.command}"
        return Check(
            name=name, state=State.UNKNOWN, found=f"did not end within {TIME_LIMIT:.0f} seconds", remedy=remedy
        )
    stopped, passed = (answer for answer in answers if answer is not None)
    if not names_key(stopped[1], key):
        found = f"a generated key pair passed, with status {stopped[0]}"
        return Check(name=name, state=State.FAILURE, found=found, remedy=f"The command should be: {command_of(agent)}")
    if passed[0] != 0:
        found = f"stops every prompt, with status {passed[0]}"
        return Check(name=name, state=State.FAILURE, found=found, remedy=f"The command should be: {command_of(agent)}")
    return Check(name=name, state=State.OK, found="stopped a generated key pair")


def _event(agent: str, prompt: str, top: Path) -> str:
    return json.dumps({**_PROMPTS[agent], "cwd": str(top), "prompt": prompt})
