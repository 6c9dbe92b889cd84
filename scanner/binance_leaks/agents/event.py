"""Read one event of an agent's hook: bounded, from standard input, and take out the texts and files it is about.

What a text replaces (`old_string` beside `new_string`, the removed lines of a patch) is left out: it is in the file
already, and an agent that takes a value out of a file must not be stopped. The hook's clean path imports this.
"""

from __future__ import annotations

import json
import os

from binance_leaks.agents.contracts import AGENTS, CALL, PROMPT, READ, RESULT, Agent, Event, sender_of, unnamed_event

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import TypeGuard

LARGEST = 16 << 20
"""Bytes of the largest event that is read: ten times the longest output that an agent keeps."""
DEEPEST = 100
"""Levels of JSON in an event, those in texts that are JSON among them."""
_MOST_TEXTS = 200_000
_METADATA = frozenset(
    {
        "session_id", "sessionId", "conversation_id", "generation_id", "parent_conversation_id", "prompt_id", "turn_id",
        "tool_use_id", "toolCallId", "tool_call_id", "runId", "sessionKey", "agent_id", "subagent_id", "timestamp",
        "transcript_path", "agent_transcript_path", "cwd", "workspace_roots", "user_email", "model", "model_id",
        "subagent_model", "model_params", "hook_event_name", "permission_mode", "cursor_version", "tool_name",
        "toolName", "scratchpad_dir",
    }
)  # fmt: skip
"""Fields about the session: identifiers of 64 digits among them, which no user wrote."""
_INPUTS = frozenset({"tool_input", "toolArgs", "params", "command", "permission_suggestions"})
"""What a tool was given. It was scanned before the tool ran, and is left out of the event after it."""
_ARGUMENTS = ("tool_input", "toolArgs", "params")
_RESULTS = ("tool_response", "tool_output", "toolResult", "tool_result", "result_json", "message", "output")
_ENCODED = frozenset({"tool_input", "toolArgs", "tool_output", "result_json"})
"""Fields whose text is JSON."""
_PATHS = (
    "file_path", "filePath", "path", "absolute_path", "notebook_path", "target_file", "file_paths", "paths", "include",
)  # fmt: skip
_WRITTEN = frozenset({"content", "new_string", "new_str", "newText", "new_source", "file_text", "edits"})
"""Arguments that end in a file."""
_REPLACED = (("old_string", "new_string"), ("old_str", "new_str"), ("oldText", "newText"), ("old_line", "new_line"))
_PATCH = "*** Begin Patch"
_PATCH_TOOL = "apply_patch"
_EDITED = "edit"
_EDITORS = frozenset(
    {
        _PATCH_TOOL, _EDITED, "edit_file", "multiedit", "notebookedit", "replace", "search_replace", "str_replace",
        "str_replace_editor", "strreplace",
    }
)  # fmt: skip
"""Tools of the agents that change a file, in small letters. No other tool's arguments are in part what a file has."""
_AFTER_EDITS = frozenset({"afterFileEdit", "afterTabFileEdit"})
"""Events of Cursor that hold an edit."""
_CONTENT = "content"
_CURSOR_RESULT, _CURSOR_MCP = "cursor-result", "MCP:"
"""Cursor replaces the results of MCP tools only."""


class UnreadableEventError(Exception):
    """An event that cannot be scanned; the message has nothing of it."""

    def __init__(self, message: str, agent: Agent | None = None) -> None:
        super().__init__(message)
        self.agent = agent
        """The agent, None where that is not known either."""


class Text:
    """One text of an event, the key that it has, and where in the event it is: `tool_input.command`."""

    __slots__ = ("key", "place", "text")

    def __init__(self, place: str, key: str, text: str) -> None:
        self.place = place
        self.key = key
        self.text = text

    @property
    def is_markup(self) -> bool:
        """Whether it begins as a page or an office document does."""
        return self.text.lstrip().startswith("<")

    @property
    def data(self) -> bytes:
        """Its bytes."""
        return self.text.encode("utf-8", "surrogatepass")


class AgentEvent:
    """An event: whose it is, what it is about, and what to scan."""

    __slots__ = (
        "agent", "contract", "fields", "files", "folder", "kind", "markup", "name", "result", "target", "texts", "tool",
    )  # fmt: skip

    def __init__(self, agent: Agent, name: str, fields: Mapping[str, object]) -> None:
        self.agent = agent
        self.name = name
        self.fields = fields
        self.contract: Event | None = agent.events.get(name)
        """None for an event in which nothing is to be scanned."""
        self.tool = _text_of(fields, "tool_name", "toolName")
        self.folder = _folder(fields)
        self.kind = self._kind()
        self.result = next((_decoded(name, fields[name]) for name in _RESULTS if name in fields), None)
        """What the tool gave back."""
        self.texts: list[Text] = []
        named = list(_named_paths(fields)) if self.kind == READ or (self.kind == CALL and _writes(fields)) else []
        self.target = self._resolve(named[0]) if named else ""
        """The file that a tool writes or reads, empty where there is none."""
        self.files = self._files(named)
        """Files that are about to be read and that the event only names."""
        for field, value in fields.items() if self.contract is not None else ():
            if field not in _METADATA and not (self.kind == RESULT and field in _INPUTS):
                _collect(_decoded(field, value), field, field, self.texts, 0, self._editor_of(field))
        self.markup = [text for text in self.texts if text.is_markup]
        """Texts that are contents of their own, as their beginning says what they are."""
        self.texts = [text for text in self.texts if not text.is_markup]

    @property
    def only_names_file(self) -> bool:
        """Whether it names a file to be read, and does not hold its content."""
        return self.kind == READ and _CONTENT not in self.fields

    @property
    def can_be_withheld(self) -> bool:
        """Whether the answer can keep what it holds from the agent."""
        if self.contract is None or not self.contract.can_withhold:
            return False
        return self.contract.form != _CURSOR_RESULT or self.tool.startswith(_CURSOR_MCP)

    def document(self) -> bytes:
        """Return the texts as one content: each begins a line, behind the name of its field."""
        parts = [_rendered(text) for text in self.texts]
        return "".join(parts).encode("utf-8", "surrogatepass")

    def contents(self) -> list[bytes]:
        """Return everything that is to be scanned, files left out."""
        return [self.document(), *(text.data for text in self.markup)]

    def first_lines(self) -> list[int]:
        """Return the number of the first line of each text in the document."""
        lines = [1]
        for text in self.texts:
            lines.append(lines[-1] + _rendered(text).count("\n"))
        return lines[:-1]

    def _kind(self) -> str:
        if self.contract is None:
            return ""
        if self.contract.kind == CALL and self._only_reads():
            return READ
        return self.contract.kind

    def _only_reads(self) -> bool:
        name = self.tool.rpartition("__")[2].rpartition(":")[2].lower()
        return self.tool in self.agent.reads or name.startswith(("read_file", "read_text_file", "read_multiple_files"))

    def _editor_of(self, field: str) -> str:
        """The tool whose edit a field is, in small letters; empty where it is none, and no part of it is left out."""
        if self.kind == RESULT:
            return _EDITED if self.name in _AFTER_EDITS and field == "edits" else ""
        tool = self.tool.lower()
        return tool if self.kind == CALL and field in _ARGUMENTS and tool in _EDITORS else ""

    def _files(self, named: Iterable[str]) -> list[str]:
        if self.kind not in (READ, PROMPT):
            return []
        names = [*(named if self.only_names_file else ()), *_attached(self.fields)]
        prompt = _text_of(self.fields, "prompt") if self.kind == PROMPT else ""
        if not names and "@" not in prompt:
            return []
        from binance_leaks.agents.files import FoundFiles, TooManyFilesError  # start-up: few events name a file

        found = FoundFiles(self._resolve)
        try:
            for name in names:
                found.add(name)
            found.add_mentions(prompt)
        except TooManyFilesError as error:
            raise _UnclearError(str(error)) from None
        return list(found.paths)

    def _resolve(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.folder, os.path.expanduser(path)))  # noqa: PTH111, PTH118


def read_event(data: bytes, named: str | None = None) -> AgentEvent:
    """Read an event, of the agent with that name, or of the one that sends such events.

    Raises UnreadableEventError for what is too large, no JSON, or of no known agent.
    """
    agent = AGENTS[named] if named else None
    if len(data) > LARGEST:
        raise UnreadableEventError(f"the event is larger than {LARGEST >> 20} MiB", agent)
    try:
        fields = _parse(data.decode("utf-8-sig"))
    except RecursionError:
        raise UnreadableEventError("the event is nested too deep", agent) from None
    except ValueError as error:  # of UTF-8, of JSON, of a number with thousands of digits
        why = str(error) if isinstance(error, _UnclearError) else "the event is not JSON"
        raise UnreadableEventError(why, agent) from None
    if not isinstance(fields, dict):
        raise UnreadableEventError("the event is not an object of JSON", agent)
    name = _text_of(fields, "hook_event_name") or unnamed_event(fields)
    agent = sender_of(name, fields, agent)
    if agent is None or not name:
        raise UnreadableEventError("no known agent sends such an event", agent)
    try:
        return AgentEvent(agent, name, fields)
    except _TooDeepError:
        raise UnreadableEventError("the event is nested too deep, or has too many values", agent) from None
    except ValueError as error:
        raise UnreadableEventError(
            str(error) if isinstance(error, _UnclearError) else "a path is invalid", agent
        ) from None


class _UnclearError(ValueError):
    """An event that is not scanned, for a reason that its message gives."""


class _TooDeepError(Exception):
    pass


def _parse(text: str) -> object:
    return json.loads(text, object_pairs_hook=_object, parse_constant=_nothing, parse_float=_finite)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _UnclearError("the event has a key twice")
    return made


def _nothing(_: str) -> None:
    """`NaN` and `Infinity`, which JSON does not have."""


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if abs(number) <= 1e300 else None


def _text_of(fields: Mapping[str, object], *names: str) -> str:
    return next((value for name in names if isinstance(value := fields.get(name), str)), "")


def _folder(fields: Mapping[str, object]) -> str:
    """The folder that the agent works in."""
    roots = fields.get("workspace_roots")
    first = roots[0] if isinstance(roots, list) and roots and isinstance(roots[0], str) else ""
    folder = _text_of(fields, "cwd") or first
    return folder if folder and os.path.isdir(folder) else os.getcwd()  # noqa: PTH109, PTH112


def _decoded(field: str, value: object) -> object:
    """The value of a field, parsed where it is text that is JSON."""
    if field not in _ENCODED or not isinstance(value, str):
        return value
    try:
        return _parse(value)
    except _UnclearError:
        raise
    except RecursionError:
        raise _TooDeepError from None
    except ValueError:
        return value


def _collect(value: object, place: str, key: str, texts: list[Text], depth: int, editor: str) -> None:
    """Add every text in a value, but what an editor replaces. What is no text is added as one: keys may be values."""
    if depth > DEEPEST or len(texts) > _MOST_TEXTS:
        raise _TooDeepError
    if isinstance(value, str):
        texts.append(Text(place, key, _without_removed_lines(value, editor)))
    elif isinstance(value, dict):
        texts.append(Text(place, key, ""))
        replaced = {old for old, new in _REPLACED if new in value} if editor else ()
        for name, inner in value.items():
            if name not in replaced:
                _collect(inner, f"{place}.{name}", name, texts, depth + 1, editor)
    elif isinstance(value, list):
        if all(_is_word(item) for item in value):
            texts.append(Text(place, key, " ".join(map(str, value))))  # as a command line
            return
        for at, inner in enumerate(value):
            _collect(inner, f"{place}[{at}]", key, texts, depth + 1, editor)
    else:
        texts.append(Text(place, key, str(value)))


def _is_word(item: object) -> bool:
    return "\n" not in item if isinstance(item, str) else not isinstance(item, (dict, list))


def _without_removed_lines(text: str, tool: str) -> str:
    """A patch without what it removes; only in the tool that applies one, whose grammar does not let a value hide."""
    if tool != _PATCH_TOOL or _PATCH not in text:
        return text
    return "\n".join("" if line.startswith("-") else line for line in text.split("\n"))


def _rendered(text: Text) -> str:
    """A text as lines of the document."""
    key = text.key.replace("\n", " ")
    return f"{key}:\n{text.text}\n" if "\n" in text.text else f"{key}: {text.text}\n"


def _arguments(fields: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """The event itself and the arguments of its tool."""
    for holder in (fields, *(_decoded(name, fields[name]) for name in _ARGUMENTS if name in fields)):
        if isinstance(holder, dict):
            yield holder


def _writes(fields: Mapping[str, object]) -> bool:
    return any(not _WRITTEN.isdisjoint(holder) for holder in _arguments(fields))


def _named_paths(fields: Mapping[str, object]) -> Iterator[str]:
    """The paths that an event or the arguments of its tool name."""
    for holder in _arguments(fields):
        for name in _PATHS:
            value = holder.get(name)
            yield from (item for item in (value if isinstance(value, list) else [value]) if _is_path(item))


def _attached(fields: Mapping[str, object]) -> Iterator[str]:
    attachments = fields.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else ():
        if isinstance(attachment, dict):
            yield from (path for name in _PATHS if _is_path(path := attachment.get(name)))


def _is_path(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value) and "\0" not in value
