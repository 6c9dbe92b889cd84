"""The answer to an event, in the form of its agent's contract: JSON on standard output, or exit status 2.

An event that may go on gets the answer that decides nothing, so that the agent's own permissions still count. Forms are
exact: Codex CLI rejects an answer with a field that it does not know, and then lets the prompt pass.
"""

from __future__ import annotations

import json
import re
from types import MappingProxyType

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from binance_leaks.agents.event import AgentEvent

    Form: TypeAlias = Callable[["AgentEvent", "Notice"], Mapping[str, object]]

BLOCKED = 2
"""The exit status by which every agent stops what it was about to do, if nothing better is known of the event."""
_WITHHELD = "[withheld by binance-leaks]"
_SCHEMA_WORD = re.compile(r"_?[a-z]+(?:[_/-][a-z]+|[A-Z][a-z]{2,}|Id|ID|Ms|URL)*(?:8|64|256)?")
_LENGTHS_KEPT, _LONGEST_KEY = range(4, 16), 32
"""Texts and keys that are kept in an output with a value: `text`, `tool_result`, `image/png`, `structuredContent`."""


class Notice:
    """What is wrong: for the user, and for the agent, which gets no advice on how to allow a value."""

    __slots__ = ("for_agent", "for_user")

    def __init__(self, for_user: str, for_agent: str) -> None:
        self.for_user = for_user
        self.for_agent = for_agent


class Answer:
    """What the process writes and returns."""

    __slots__ = ("errors", "output", "status")

    def __init__(self, output: str = "", errors: str = "", status: int = 0) -> None:
        self.output = output
        self.errors = errors
        self.status = status


def let_pass(event: AgentEvent | None) -> Answer:
    """Decide nothing. Cursor wants a word for that from hooks that may block."""
    form = event.contract.form if event is not None and event.contract is not None else ""
    return Answer(output=_PASSES.get(form, ""))


def warn(event: AgentEvent | None, notice: Notice) -> Answer:
    """Let the event pass, and show the user what is wrong."""
    passed = let_pass(event)
    if event is not None and event.agent.name in _SHOW_MESSAGES:
        passed = Answer(output=_json({"systemMessage": notice.for_user}))
    return Answer(output=passed.output, errors=f"{notice.for_user}\n")


def stop(event: AgentEvent | None, notice: Notice) -> Answer:
    """Keep the value from the agent, or warn where the contract has no way to."""
    if event is None or event.contract is None:
        return Answer(errors=f"{notice.for_user}\n", status=BLOCKED)
    return Answer(output=_json(_STOPS[event.contract.form](event, notice)), errors=f"{notice.for_user}\n")


def withhold(value: object, *, listed: bool = False) -> object:
    """Return a value of the same shape, with only the words of its schema and numbers outside of lists.

    Pieces of a credential of any length are withheld: short texts, items of lists, codes of characters, keys.
    """
    if isinstance(value, str):
        return value if (len(value) in _LENGTHS_KEPT and _SCHEMA_WORD.fullmatch(value)) or not value else _WITHHELD
    if isinstance(value, dict):
        return {
            (name if len(name) < _LONGEST_KEY and _SCHEMA_WORD.fullmatch(name) else _WITHHELD): withhold(
                inner, listed=listed
            )
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_WITHHELD if isinstance(inner, str) else withhold(inner, listed=True) for inner in value]
    return type(value)() if listed and type(value) in (int, float) else value


def _json(answer: Mapping[str, object]) -> str:
    return f"{json.dumps(answer)}\n"


def _claude_prompt(event: AgentEvent, notice: Notice) -> Mapping[str, object]:
    own = {"hookEventName": event.name, "suppressOriginalPrompt": True}
    return {"decision": "block", "reason": notice.for_user, "hookSpecificOutput": own}


def _denied_call(event: AgentEvent, notice: Notice) -> Mapping[str, object]:
    """Also the form of Codex CLI."""
    own = {
        "hookEventName": event.name,
        "permissionDecision": "deny",
        "permissionDecisionReason": notice.for_agent,
    }
    return {"hookSpecificOutput": own, "systemMessage": notice.for_user}


def _claude_result(event: AgentEvent, notice: Notice) -> Mapping[str, object]:
    own = {
        "hookEventName": event.name,
        "updatedToolOutput": withhold(event.result),
        "additionalContext": notice.for_agent,
    }
    return {"hookSpecificOutput": own, "systemMessage": notice.for_user}


def _claude_failure(event: AgentEvent, notice: Notice) -> Mapping[str, object]:
    own = {"hookEventName": event.name, "additionalContext": notice.for_agent}
    return {"hookSpecificOutput": own, "systemMessage": notice.for_user}


def _codex_prompt(_: AgentEvent, notice: Notice) -> Mapping[str, object]:
    return {"decision": "block", "reason": notice.for_user}


def _codex_result(_: AgentEvent, notice: Notice) -> Mapping[str, object]:
    return {"decision": "block", "reason": notice.for_agent, "systemMessage": notice.for_user}


def _cursor_prompt(_: AgentEvent, notice: Notice) -> Mapping[str, object]:
    return {"continue": False, "user_message": notice.for_user}


def _cursor_call(_: AgentEvent, notice: Notice) -> Mapping[str, object]:
    return {"permission": "deny", "user_message": notice.for_user, "agent_message": notice.for_agent}


def _cursor_read(_: AgentEvent, notice: Notice) -> Mapping[str, object]:
    return {"permission": "deny", "user_message": notice.for_user}


def _cursor_tab_read(_: AgentEvent, __: Notice) -> Mapping[str, object]:
    return {"permission": "deny"}


def _cursor_result(event: AgentEvent, notice: Notice) -> Mapping[str, object]:
    if not event.can_be_withheld:
        return {"additional_context": notice.for_agent}
    result = event.result if isinstance(event.result, dict) else {"output": _WITHHELD}
    return {"updated_mcp_tool_output": withhold(result), "additional_context": notice.for_agent}


def _cursor_notice(_: AgentEvent, __: Notice) -> Mapping[str, object]:
    return {}


def _copilot_prompt(_: AgentEvent, notice: Notice) -> Mapping[str, object]:
    return {"handled": True, "responseContent": notice.for_user}


def _copilot_call(_: AgentEvent, notice: Notice) -> Mapping[str, object]:
    return {"permissionDecision": "deny", "permissionDecisionReason": notice.for_agent}


def _copilot_compatible_call(event: AgentEvent, notice: Notice) -> Mapping[str, object]:
    return {**_copilot_call(event, notice), **_denied_call(event, notice)}


def _copilot_result(_: AgentEvent, notice: Notice) -> Mapping[str, object]:
    return {"additionalContext": notice.for_agent}


def _gemini(event: AgentEvent, notice: Notice) -> Mapping[str, object]:
    is_prompt = "prompt" in event.fields
    return {
        "decision": "deny",
        "reason": notice.for_user if is_prompt else notice.for_agent,
        **({} if is_prompt else {"systemMessage": notice.for_user}),
    }


def _openclaw_prompt(_: AgentEvent, notice: Notice) -> Mapping[str, object]:
    return {"outcome": "block", "reason": "binance-leaks found a credential", "message": notice.for_user}


def _openclaw_call(_: AgentEvent, notice: Notice) -> Mapping[str, object]:
    return {"block": True, "blockReason": notice.for_agent}


def _openclaw_result(event: AgentEvent, _: Notice) -> Mapping[str, object]:
    return {"message": withhold(event.result)}


_SHOW_MESSAGES = frozenset({"claude-code", "codex", "gemini"})
"""Agents that show `systemMessage` of any answer to the user."""
_ALLOW = '{"permission": "allow"}\n'
_PASSES: Mapping[str, str] = MappingProxyType(
    {
        "cursor-prompt": '{"continue": true}\n',
        "cursor-call": _ALLOW,
        "cursor-read": _ALLOW,
        "cursor-tab-read": _ALLOW,
        "cursor-result": "{}\n",
        "cursor-notice": "{}\n",
        "openclaw-prompt": '{"outcome": "pass"}\n',
        "openclaw-call": "{}\n",
        "openclaw-result": "{}\n",
    }
)
_STOPS: Mapping[str, Form] = MappingProxyType(
    {
        "claude-prompt": _claude_prompt,
        "claude-call": _denied_call,
        "claude-result": _claude_result,
        "claude-failure": _claude_failure,
        "codex-prompt": _codex_prompt,
        "codex-call": _denied_call,
        "codex-result": _codex_result,
        "cursor-prompt": _cursor_prompt,
        "cursor-call": _cursor_call,
        "cursor-read": _cursor_read,
        "cursor-tab-read": _cursor_tab_read,
        "cursor-result": _cursor_result,
        "cursor-notice": _cursor_notice,
        "copilot-prompt": _copilot_prompt,
        "copilot-call": _copilot_call,
        "copilot-compatible-call": _copilot_compatible_call,
        "copilot-result": _copilot_result,
        "gemini": _gemini,
        "openclaw-prompt": _openclaw_prompt,
        "openclaw-call": _openclaw_call,
        "openclaw-result": _openclaw_result,
    }
)
