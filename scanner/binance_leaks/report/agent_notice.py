"""Describe what an event of an agent's hook holds: for the user, and for the agent.

The agent gets no command that allows a value: text from elsewhere can make it run one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MappingProxyType

from binance_leaks.agents.answers import Notice
from binance_leaks.agents.contracts import CALL, PROMPT, READ, RESULT
from binance_leaks.agents.event import AgentEvent
from binance_leaks.findings import Finding, Result
from binance_leaks.model import Location
from binance_leaks.report.names import join_masks, title
from binance_leaks.report.sanitize import Quoted, Redactor

_MOST = 5
_PARTS = MappingProxyType(
    {
        PROMPT: "this prompt",
        CALL: "this tool call",
        READ: "this file from being read",
        RESULT: "the output of this tool",
    }
)
_USE_VARIABLE = (
    "Leave the value out: put it into an environment variable or a secret manager, and refer to it by name, as "
    "BINANCE_API_SECRET."
)
_FOR_AGENT = (
    "Do not repeat the value, write it or send it, and do not get it in another way. Refer to it by the name of an "
    "environment variable, and read that in the program. Only the user can allow it: ask."
)
_HAS_RUN = "The tool has run: what it wrote or sent is not undone. If a log has the value, revoke the key."
_REACHED = "The hook cannot hold it back here: the value has reached the agent and its model. Revoke the key."


def describe_found(event: AgentEvent, result: Result, locate: Callable[[Location], tuple[str, int]]) -> Notice:
    """Describe findings; `locate` returns the field or file of a location, and the line in it."""
    quoted = Quoted(Redactor.of(result))
    held = event.can_be_withheld or event.kind != RESULT
    verb = ("withheld" if event.kind == RESULT else "stopped") if held else "found Binance credentials in"
    head = f"binance-leaks {verb} {_PARTS[event.kind]}"
    found = list(_lines(result.findings, quoted, locate))
    opening = [f"{head}, because of Binance credentials:" if held else f"{head}:", *found]
    fate = [] if event.kind != RESULT else [_HAS_RUN if held else _REACHED]
    digests = " ".join(dict.fromkeys(value.sha256 for finding in result.findings[:_MOST] for value in finding.values))
    allow = f"If this is a false alarm, allow it yourself: binance-leaks allow {digests} --reason 'why'"
    return Notice(
        for_user="\n".join([*opening, *fate, _USE_VARIABLE, allow]), for_agent="\n".join([*opening, *fate, _FOR_AGENT])
    )


def describe_unread(event: AgentEvent | None, why: str, *, stopped: bool) -> Notice:
    """Describe why an event could not be scanned, and what happens to it."""
    part = _PARTS.get(event.kind, "this event") if event is not None else "this event"
    shown = Quoted(Redactor(MappingProxyType({}))).note(why)
    if event is not None and event.kind == READ:
        part = "this file"
    outcome = (
        "The event is stopped because it may contain a credential. To let such events pass: --fail-open."
        if stopped
        else "The event passes. To stop such events: --fail-closed."
    )
    text = f"binance-leaks could not scan {part}: {shown}.\n{outcome}"
    return Notice(for_user=text, for_agent=text)


def _lines(
    findings: tuple[Finding, ...], quoted: Quoted, locate: Callable[[Location], tuple[str, int]]
) -> Iterator[str]:
    for finding in findings[:_MOST]:
        lines: dict[str, list[int]] = {}
        for name, line in dict.fromkeys(map(locate, finding.locations)):
            lines.setdefault(name, []).append(line)
        shown = [f"{quoted.path(name)}, {_numbered(lines[name])}" for name in list(lines)[:_MOST]]
        more = f" and {len(lines) - _MOST} more" if len(lines) > _MOST else ""
        yield f"  {title(finding)}: {join_masks(finding)} ({'; '.join(shown)}{more})"
    if len(findings) > _MOST:
        yield f"  and {len(findings) - _MOST} more"


def _numbered(lines: list[int]) -> str:
    first = ", ".join(map(str, lines[:_MOST]))
    return f"line {first}" if len(lines) == 1 else f"lines {first}{' and more' if len(lines) > _MOST else ''}"
