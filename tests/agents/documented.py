"""The events that agents' documents show, with a key pair where text of a user, a tool or a file is.

Each is for one event of one agent; docs/agents.md names the documents. `{KEY}` and `{SECRET}` stand for a pair.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

COMMAND = "export BINANCE_API_KEY={KEY}\nexport BINANCE_API_SECRET={SECRET}\npython bot.py"
CONTENT = 'BINANCE_API_KEY = "{KEY}"\nBINANCE_API_SECRET = "{SECRET}"\n'
PROMPT = "Why does this fail? BINANCE_API_KEY={KEY} BINANCE_API_SECRET={SECRET} python bot.py"
OUTPUT = "HOME=/root\nBINANCE_API_KEY={KEY}\nBINANCE_API_SECRET={SECRET}\n"
PATCH = (
    '*** Begin Patch\n*** Add File: settings.py\n+BINANCE_KEY = "{KEY}"\n+BINANCE_SECRET = "{SECRET}"\n*** End Patch'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Documented:
    """One documented event."""

    agent: str
    event: str
    what: str
    fields: dict[str, object]
    is_marked: bool = True
    """Whether its agent is found without `--agent`."""

    @property
    def id(self) -> str:
        """What the test is called."""
        return f"{self.agent} {self.event} {self.what}"


def _claude(event: str, what: str, **fields: object) -> Documented:
    common = {
        "session_id": "abc123",
        "transcript_path": "/home/me/.claude/projects/00893aaf-19fa-41d2-8238-13269b9b3ca0.jsonl",
        "cwd": "/home/me/my-project",
        "permission_mode": "default",
        "hook_event_name": event,
    }
    return Documented(agent="claude-code", event=event, what=what, fields={**common, **fields})


def _claude_tool(event: str, tool: str, given: object, **fields: object) -> Documented:
    return _claude(event, tool, tool_name=tool, tool_input=given, tool_use_id="toolu_01ABC123", **fields)


def _codex(event: str, what: str, **fields: object) -> Documented:
    common = {
        "session_id": "thr_123",
        "transcript_path": "/workspace/.codex/rollout.jsonl",
        "cwd": "/workspace",
        "hook_event_name": event,
        "model": "gpt-5.5-codex",
        "turn_id": "turn_1",
        "permission_mode": "default",
    }
    return Documented(agent="codex", event=event, what=what, fields={**common, **fields})


def _cursor(event: str, what: str, **fields: object) -> Documented:
    common = {
        "conversation_id": "conv-456",
        "generation_id": "gen-789",
        "model": "default",
        "hook_event_name": event,
        "cursor_version": "2.4.1",
        "workspace_roots": ["/project"],
        "user_email": None,
        "transcript_path": None,
    }
    return Documented(agent="cursor", event=event, what=what, fields={**common, **fields})


def _copilot(event: str, what: str, **fields: object) -> Documented:
    common = {"sessionId": "s-1", "timestamp": 1704614600000, "cwd": "/path/to/project"}
    return Documented(agent="copilot", event=event, what=what, fields={**common, **fields})


def _copilot_compatible(event: str, **fields: object) -> Documented:
    common = {
        "hook_event_name": event,
        "session_id": "s-1",
        "timestamp": "2026-02-01T10:00:00.000Z",
        "cwd": "/path/to/project",
    }
    return Documented(agent="copilot", event=event, what="compatible with VS Code", fields={**common, **fields})


def _gemini(event: str, what: str, **fields: object) -> Documented:
    common = {
        "session_id": "g-1",
        "transcript_path": "/home/me/.gemini/tmp/chats/session.json",
        "cwd": "/home/me/my-project",
        "hook_event_name": event,
        "timestamp": "2026-02-01T10:00:00.000Z",
    }
    return Documented(agent="gemini", event=event, what=what, fields={**common, **fields})


def _openclaw(event: str, what: str, **fields: object) -> Documented:
    return Documented(
        agent="openclaw", event=event, what=what, fields={"hook_event_name": event, "cwd": "/workspace", **fields}
    )


STOPPED = (
    _claude("UserPromptSubmit", "", prompt=PROMPT),
    _claude(
        "UserPromptExpansion",
        "",
        expansion_type="slash_command",
        command_name="fix",
        command_args=PROMPT,
        prompt=f"/fix {PROMPT}",
    ),
    _claude_tool("PreToolUse", "Bash", {"command": COMMAND, "description": "Run the bot", "timeout": 120000}),
    _claude_tool("PreToolUse", "Write", {"file_path": "/home/me/my-project/settings.py", "content": CONTENT}),
    _claude_tool(
        "PreToolUse",
        "Edit",
        {"file_path": "/home/me/settings.py", "old_string": "pass", "new_string": CONTENT, "replace_all": False},
    ),
    _claude_tool("PreToolUse", "WebFetch", {"url": "https://example.com/api", "prompt": PROMPT}),
    _claude_tool("PreToolUse", "Task", {"prompt": PROMPT, "description": "Fix it", "subagent_type": "Explore"}),
    _claude_tool("PreToolUse", "mcp__binance__connect", {"binance": {"apiKey": "{KEY}", "apiSecret": "{SECRET}"}}),
    _claude_tool(
        "PostToolUse",
        "Bash",
        {"command": "env"},
        tool_response={"stdout": OUTPUT, "stderr": "", "interrupted": False, "isImage": False},
    ),
    _claude_tool(
        "PostToolUse",
        "Read",
        {"file_path": "/home/me/.env"},
        tool_response={"type": "text", "file": {"filePath": "/home/me/.env", "content": OUTPUT, "numLines": 3}},
    ),
    _codex("UserPromptSubmit", "", prompt=PROMPT),
    _codex("PreToolUse", "Bash", tool_name="Bash", tool_use_id="c1", tool_input={"command": COMMAND}),
    _codex("PreToolUse", "apply_patch", tool_name="apply_patch", tool_use_id="c1", tool_input={"command": PATCH}),
    _codex("PreToolUse", "MCP", tool_name="mcp__fs__write", tool_use_id="c1", tool_input={"text": CONTENT}),
    _codex(
        "PostToolUse", "Bash", tool_name="Bash", tool_use_id="c1", tool_input={"command": "env"}, tool_response=OUTPUT
    ),
    _cursor("beforeSubmitPrompt", "", prompt=PROMPT, attachments=[]),
    _cursor(
        "preToolUse",
        "Shell",
        tool_name="Shell",
        tool_input={"command": COMMAND, "working_directory": "/project"},
        tool_use_id="abc123",
        cwd="/project",
        agent_message="Running it",
    ),
    _cursor("beforeShellExecution", "", command=COMMAND, cwd="/project", sandbox=False),
    _cursor(
        "beforeMCPExecution",
        "",
        tool_name="connect",
        tool_input=json.dumps({"binance_api_key": "{KEY}", "binance_api_secret": "{SECRET}"}),
        mcp_server_name="binance",
        command="npx server",
    ),
    _cursor("subagentStart", "", subagent_id="a", subagent_type="generalPurpose", task=PROMPT, tool_call_id="t"),
    _cursor("beforeReadFile", "", file_path="/project/.env", content=OUTPUT, attachments=[]),
    _cursor("beforeTabFileRead", "", file_path="/project/.env", content=OUTPUT),
    _cursor(
        "postToolUse",
        "MCP",
        tool_name="MCP:env",
        tool_input={},
        tool_output=json.dumps({"content": [{"type": "text", "text": OUTPUT}]}),
        tool_use_id="abc123",
        duration=5432,
    ),
    _copilot("userPromptSubmitted", "", prompt=PROMPT),
    _copilot("preToolUse", "bash", toolName="bash", toolArgs=json.dumps({"command": COMMAND, "description": "Run"})),
    _copilot("preToolUse", "create", toolName="create", toolArgs={"path": "settings.py", "file_text": CONTENT}),
    _copilot_compatible("PreToolUse", tool_name="bash", tool_input={"command": COMMAND}),
    _copilot_compatible("UserPromptSubmit", prompt=PROMPT),
    _gemini("BeforeAgent", "", prompt=PROMPT),
    _gemini("BeforeTool", "run_shell_command", tool_name="run_shell_command", tool_input={"command": COMMAND}),
    _gemini(
        "BeforeTool", "write_file", tool_name="write_file", tool_input={"file_path": "settings.py", "content": CONTENT}
    ),
    _gemini(
        "AfterTool",
        "",
        tool_name="run_shell_command",
        tool_input={"command": "env"},
        tool_response={"llmContent": OUTPUT, "returnDisplay": OUTPUT},
    ),
    _openclaw("before_agent_run", "", prompt=PROMPT),
    _openclaw("before_tool_call", "exec", toolName="exec", params={"command": COMMAND}),
    _openclaw(
        "tool_result_persist",
        "",
        toolName="exec",
        message={"role": "toolResult", "content": [{"type": "text", "text": OUTPUT}]},
    ),
)
"""Events whose answer keeps the values from the agent."""

WARNED = (
    _claude_tool("PostToolUseFailure", "Bash", {"command": "env"}, error=f"Exit code 1\n{OUTPUT}", is_interrupt=False),
    _cursor("postToolUse", "Shell", tool_name="Shell", tool_input={}, tool_output=json.dumps({"stdout": OUTPUT})),
    _cursor("postToolUseFailure", "", tool_name="Shell", tool_input={}, error_message=OUTPUT, failure_type="error"),
    _cursor("afterShellExecution", "", command="env", output=OUTPUT, duration=12, sandbox=False),
    _cursor("afterMCPExecution", "", tool_name="env", tool_input="{}", result_json=json.dumps({"text": OUTPUT})),
    _cursor("afterFileEdit", "", file_path="/project/a.py", edits=[{"old_string": "x", "new_string": CONTENT}]),
    _cursor("afterTabFileEdit", "", file_path="/project/a.py", edits=[{"old_string": "x", "new_string": CONTENT}]),
    _copilot(
        "postToolUse",
        "bash",
        toolName="bash",
        toolArgs=json.dumps({"command": "env"}),
        toolResult={"resultType": "success", "textResultForLlm": OUTPUT},
    ),
    _copilot("postToolUseFailure", "bash", toolName="bash", toolArgs="{}", error=OUTPUT),
    _copilot_compatible(
        "PostToolUse",
        tool_name="bash",
        tool_input={},
        tool_result={"result_type": "success", "text_result_for_llm": OUTPUT},
    ),
    _copilot_compatible("PostToolUseFailure", tool_name="bash", tool_input={}, error=OUTPUT),
)
"""Events whose contract lets a hook only warn."""

READS = (
    _claude_tool("PreToolUse", "Read", {"file_path": "{FILE}", "offset": 10, "limit": 50}),
    _claude_tool("PreToolUse", "mcp__fs__read_file", {"path": "{FILE}"}),
    _claude("UserPromptSubmit", "mention", prompt="Look at @{FILE}, please"),
    _codex("PreToolUse", "MCP read", tool_name="mcp__filesystem__read_file", tool_input={"path": "{FILE}"}),
    _cursor("preToolUse", "Read", tool_name="Read", tool_input={"file_path": "{FILE}"}),
    _cursor("beforeSubmitPrompt", "attached", prompt="Fix it", attachments=[{"type": "file", "file_path": "{FILE}"}]),
    _copilot("preToolUse", "view", toolName="view", toolArgs=json.dumps({"path": "{FILE}"})),
    _gemini("BeforeTool", "read_file", tool_name="read_file", tool_input={"file_path": "{FILE}"}),
    _gemini("BeforeTool", "read_many_files", tool_name="read_many_files", tool_input={"include": ["{FILE}"]}),
    _openclaw("before_tool_call", "read", toolName="read", params={"path": "{FILE}"}),
)
"""Events that only name a file, in place of {FILE}."""
