"""The contracts of agents' hooks, as data: events, what they hold, and the form in which each is answered.

Each is from the document of the agent that `document` names; docs/agents.md lists what could not be checked against the
real program. The hook's clean path imports this, so there are no dataclasses here.
"""

from __future__ import annotations

from types import MappingProxyType

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Mapping

PROMPT, CALL, READ, RESULT = "prompt", "tool call", "file", "tool result"
"""What an event is about. A tool call that only reads a file is a `READ`."""


class Event:
    """One event of an agent."""

    __slots__ = ("can_withhold", "form", "kind")

    def __init__(self, kind: str, form: str, *, can_withhold: bool = True) -> None:
        self.kind = kind
        self.form = form
        """The name of its form in `answers`."""
        self.can_withhold = can_withhold
        """Whether the answer keeps the value from the agent; else it can only warn."""


class Agent:
    """One agent: the events that its hooks are called for, and how its events are recognized."""

    __slots__ = ("document", "events", "marks", "name", "reads", "title")

    def __init__(
        self,
        name: str,
        title: str,
        events: Mapping[str, Event],
        *,
        reads: frozenset[str],
        document: str,
        marks: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.title = title
        self.events = events
        self.reads = reads
        """Tools that read a file whose path is an argument."""
        self.document = document
        """Where the contract is described."""
        self.marks = marks
        """Fields that only its events have, of those agents that share names of events."""


_CLAUDE = Agent(
    "claude-code",
    "Claude Code",
    {
        "UserPromptSubmit": Event(PROMPT, "claude-prompt"),
        "UserPromptExpansion": Event(PROMPT, "claude-prompt"),
        "PreToolUse": Event(CALL, "claude-call"),
        "PostToolUse": Event(RESULT, "claude-result"),
        "PostToolUseFailure": Event(RESULT, "claude-failure", can_withhold=False),
    },
    reads=frozenset({"Read", "NotebookRead"}),
    document="https://code.claude.com/docs/en/hooks",
)
_CODEX = Agent(
    "codex",
    "Codex CLI",
    {
        "UserPromptSubmit": Event(PROMPT, "codex-prompt"),
        "PreToolUse": Event(CALL, "codex-call"),
        "PostToolUse": Event(RESULT, "codex-result"),
    },
    reads=frozenset({"read_file", "view_image"}),
    document="https://learn.chatgpt.com/docs/hooks",
    marks=("turn_id",),
)
_CURSOR = Agent(
    "cursor",
    "Cursor",
    {
        "beforeSubmitPrompt": Event(PROMPT, "cursor-prompt"),
        "preToolUse": Event(CALL, "cursor-call"),
        "beforeShellExecution": Event(CALL, "cursor-call"),
        "beforeMCPExecution": Event(CALL, "cursor-call"),
        "subagentStart": Event(CALL, "cursor-read"),
        "beforeReadFile": Event(READ, "cursor-read"),
        "beforeTabFileRead": Event(READ, "cursor-tab-read"),
        "postToolUse": Event(RESULT, "cursor-result"),
        "postToolUseFailure": Event(RESULT, "cursor-notice", can_withhold=False),
        "afterShellExecution": Event(RESULT, "cursor-notice", can_withhold=False),
        "afterMCPExecution": Event(RESULT, "cursor-notice", can_withhold=False),
        "afterFileEdit": Event(RESULT, "cursor-notice", can_withhold=False),
        "afterTabFileEdit": Event(RESULT, "cursor-notice", can_withhold=False),
    },
    reads=frozenset({"Read", "TabRead"}),
    document="https://cursor.com/docs/hooks",
    marks=("cursor_version", "conversation_id"),
)
_COPILOT_EVENTS = {
    "userPromptSubmitted": Event(PROMPT, "copilot-prompt"),
    "preToolUse": Event(CALL, "copilot-call"),
    "postToolUse": Event(RESULT, "copilot-result", can_withhold=False),
    "postToolUseFailure": Event(RESULT, "copilot-result", can_withhold=False),
}
_COPILOT = Agent(
    "copilot",
    "Copilot CLI",
    {
        **_COPILOT_EVENTS,
        "UserPromptSubmit": _COPILOT_EVENTS["userPromptSubmitted"],
        "PreToolUse": Event(CALL, "copilot-compatible-call"),
        "PostToolUse": _COPILOT_EVENTS["postToolUse"],
        "PostToolUseFailure": _COPILOT_EVENTS["postToolUseFailure"],
    },
    reads=frozenset({"view", "read", "Read"}),
    document="https://docs.github.com/en/copilot/reference/hooks-reference",
    marks=("toolName", "toolArgs", "sessionId"),
)
_GEMINI = Agent(
    "gemini",
    "Gemini CLI",
    {
        "BeforeAgent": Event(PROMPT, "gemini"),
        "BeforeTool": Event(CALL, "gemini"),
        "AfterTool": Event(RESULT, "gemini"),
    },
    reads=frozenset({"read_file", "read_many_files"}),
    document="https://github.com/google-gemini/gemini-cli/blob/main/docs/hooks/reference.md",
)
_OPENCLAW = Agent(
    "openclaw",
    "OpenClaw",
    {
        "before_agent_run": Event(PROMPT, "openclaw-prompt"),
        "before_tool_call": Event(CALL, "openclaw-call"),
        "tool_result_persist": Event(RESULT, "openclaw-result"),
    },
    reads=frozenset({"read"}),
    document="https://docs.openclaw.ai/plugins/hooks",
)

AGENTS: Mapping[str, Agent] = MappingProxyType(
    {agent.name: agent for agent in (_CLAUDE, _CURSOR, _CODEX, _COPILOT, _GEMINI, _OPENCLAW)}
)
"""Every agent, by the name that `--agent` takes."""


def sender_of(event: str, fields: Mapping[str, object], named: Agent | None) -> Agent | None:
    """Return the agent that sends an event, where its hook is set up for `named`; None if no contract has the event.

    Agents run hooks of others: Copilot CLI those of `.claude/settings.json`.
    """
    found = agent_of(event, fields)
    if named is None or event not in named.events or (named is _CLAUDE and found is _COPILOT):
        return found or named
    return named


def agent_of(event: str, fields: Mapping[str, object]) -> Agent | None:
    """Return the agent that sends an event with this name and these fields, None if no contract has it."""
    known = [agent for agent in AGENTS.values() if event in agent.events]
    marked = [agent for agent in known if any(mark in fields for mark in agent.marks)]
    if marked:
        return marked[0]
    if "timestamp" in fields and "transcript_path" not in fields and _COPILOT in known:
        return _COPILOT  # the form that is compatible with VS Code
    return next((agent for agent in known if not agent.marks), None)


def unnamed_event(fields: Mapping[str, object]) -> str:
    """Return the event that an event without a name is, by its fields: only Copilot CLI sends such.

    Returns an empty text for none of them.
    """
    if "toolName" in fields:
        if "toolResult" in fields:
            return "postToolUse"
        return "postToolUseFailure" if "error" in fields else "preToolUse"
    return "userPromptSubmitted" if "prompt" in fields else ""
