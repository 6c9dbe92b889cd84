"""Every event that the agents' documents show is answered as they describe, and no answer shows a value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from binance_leaks.agents.contracts import AGENTS

from tests.agents import Played, assert_shows_nothing, filled, play
from tests.agents.documented import READS, STOPPED, WARNED, Documented
from tests.e2e import Pair

WORDS = {"{KEY}": "$BINANCE_KEY", "{SECRET}": "$BINANCE_SECRET"}
PASSES: dict[str, list[object]] = {
    "cursor": [{"permission": "allow"}, {"continue": True}, {}],
    "openclaw": [{}, {"outcome": "pass"}],
}
CODEX_FIELDS = {"continue", "decision", "hookSpecificOutput", "reason", "stopReason", "suppressOutput", "systemMessage"}
"""All that the schemas of Codex CLI allow: an answer with another field is rejected, and its event passes."""
CODEX_OWN = {"hookEventName", "permissionDecision", "permissionDecisionReason", "updatedInput", "additionalContext"}


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Pair.fresh()


def named(documented: Documented) -> str:
    return documented.id


def is_stopped(documented: Documented, played: Played) -> bool:
    """Whether the answer stops the event, as the document of its agent has it."""
    answer, own = played.answer, played.own
    match documented.agent, documented.event:
        case "claude-code", "UserPromptSubmit" | "UserPromptExpansion":
            return bool(answer["decision"] == "block" and own["suppressOriginalPrompt"] is True)
        case "claude-code" | "codex", "PreToolUse":
            return own["permissionDecision"] == "deny" and bool(own["permissionDecisionReason"].strip())
        case "claude-code", "PostToolUse":
            sent = documented.fields["tool_response"]
            return isinstance(sent, dict) and bool(own["updatedToolOutput"].keys() == sent.keys())
        case "codex", _:
            return bool(answer["decision"] == "block" and answer["reason"].strip())
        case "cursor", "beforeSubmitPrompt":
            return answer["continue"] is False and bool(answer["user_message"])
        case "cursor", "postToolUse":
            return bool(answer["updated_mcp_tool_output"].keys() == {"content"})
        case "cursor", _:
            return bool(answer["permission"] == "deny")
        case "copilot", "userPromptSubmitted" | "UserPromptSubmit":
            return answer["handled"] is True and bool(answer["responseContent"])
        case "copilot", _:
            return answer["permissionDecision"] == "deny" and bool(answer["permissionDecisionReason"])
        case "gemini", _:
            return answer["decision"] == "deny" and bool(answer["reason"])
        case "openclaw", "before_agent_run":
            return answer["outcome"] == "block" and bool(answer["message"])
        case "openclaw", "before_tool_call":
            return answer["block"] is True and bool(answer["blockReason"])
        case "openclaw", _:
            return bool(answer["message"]["role"] == "toolResult")
    raise AssertionError(documented.id)


def test_the_document_of_each_contract_is_cited() -> None:
    text = (Path(__file__).parents[2] / "docs" / "agents.md").read_text("utf-8")
    assert [agent.name for agent in AGENTS.values() if agent.document not in text] == []


@pytest.mark.parametrize("documented", STOPPED, ids=named)
def test_a_pair_is_kept_from_the_agent(documented: Documented, pair: Pair) -> None:
    played = play(filled(documented.fields, pair))
    assert played.status == 0
    assert is_stopped(documented, played)
    assert_shows_nothing(played, pair)
    assert f"{pair.key[:4]}…{pair.key[-4:]}" in played.err


@pytest.mark.parametrize("documented", WARNED, ids=named)
def test_where_nothing_can_be_held_back_it_warns(documented: Documented, pair: Pair) -> None:
    played = play(filled(documented.fields, pair))
    assert played.status == 0
    assert_shows_nothing(played, pair)
    assert "the value has reached the agent" in played.err
    assert "Revoke the key" in played.err
    context = played.own.get("additionalContext") or played.answer.get("additionalContext")
    context = context or played.answer.get("additional_context")
    assert context is None or "Revoke the key" in context
    assert played.answer or documented.agent == "cursor"


@pytest.mark.parametrize("documented", [*STOPPED, *WARNED], ids=named)
def test_without_a_value_it_decides_nothing(documented: Documented) -> None:
    """`allow` would skip the permissions that the agent asks for."""
    text = json.dumps(documented.fields)
    for word, harmless in WORDS.items():
        text = text.replace(word, harmless)
    played = play(json.loads(text))
    assert (played.status, played.err) == (0, "")
    assert played.answer in PASSES.get(documented.agent, [{}])


@pytest.mark.parametrize("documented", READS, ids=named)
def test_a_file_is_looked_at_before_it_is_read(documented: Documented, pair: Pair, tmp_path: Path) -> None:
    file = tmp_path / "keys.env"
    event = json.loads(json.dumps(documented.fields).replace("{FILE}", str(file)))
    assert play(event).answer in PASSES.get(documented.agent, [{}])  # there is no such file
    file.write_text("VERBOSE=1\n")
    assert play(event).err == ""
    file.write_text(f"BINANCE_API_KEY={pair.key}\nBINANCE_API_SECRET={pair.secret}\n")
    played = play(event)
    assert is_stopped(documented, played)
    assert_shows_nothing(played, pair)
    assert "keys.env, lines 1, 2" in played.err


@pytest.mark.parametrize("agent", [agent for agent in AGENTS if agent != "openclaw"])
def test_every_event_of_a_contract_is_played(agent: str) -> None:
    played = {documented.event for documented in (*STOPPED, *WARNED) if documented.agent == agent}
    assert played == AGENTS[agent].events.keys()


@pytest.mark.parametrize("documented", [*STOPPED, *WARNED], ids=named)
def test_the_agent_is_found_by_its_events(documented: Documented, pair: Pair) -> None:
    event = filled(documented.fields, pair)
    assert play(event).out == play(event, "--agent", documented.agent).out


@pytest.mark.parametrize("documented", [each for each in STOPPED if each.agent == "codex"], ids=named)
def test_codex_gets_no_field_that_it_rejects(documented: Documented, pair: Pair) -> None:
    played = play(filled(documented.fields, pair))
    assert played.answer.keys() <= CODEX_FIELDS
    assert played.own.keys() <= CODEX_OWN


def test_the_agent_gets_no_command_that_allows_a_value(pair: Pair) -> None:
    documented = next(each for each in STOPPED if each.event == "PreToolUse" and each.agent == "claude-code")
    played = play(filled(documented.fields, pair))
    assert "binance-leaks allow" not in played.own["permissionDecisionReason"]
    assert "binance-leaks allow" in played.answer["systemMessage"]


@pytest.mark.parametrize("name", ["Stop", "SessionStart", "Notification", "SubagentStop"])
def test_other_events_pass(name: str, pair: Pair) -> None:
    event = {"hook_event_name": name, "cwd": "/", "last_assistant_message": pair.secret}
    played = play(event, "--agent", "claude-code")
    assert (played.status, played.out) == (0, "")
    assert "nothing to scan" in played.err


def test_hooks_that_are_set_up_for_another_agent(pair: Pair) -> None:
    """Copilot CLI runs those of `.claude/settings.json`; the answer is in the form of the agent that sent the event."""
    for documented in STOPPED:
        if documented.agent in ("cursor", "gemini", "openclaw", "copilot"):
            assert is_stopped(documented, play(filled(documented.fields, pair), "--agent", "claude-code"))
