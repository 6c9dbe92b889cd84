"""Events that cannot be scanned, projects that would switch the guard off, and values in unusual fields."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from binance_leaks.agents import event as events
from binance_leaks.cli import agent_hook, agent_scan

from tests.agents import Played, assert_shows_nothing, filled, play
from tests.agents.documented import COMMAND, CONTENT, PROMPT
from tests.e2e import Pair, digest
from tests.repositories import Repository

CLAUDE = {"session_id": "a", "transcript_path": "/t.jsonl", "permission_mode": "default"}


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Pair.fresh()


def prompt(text: str, folder: Path) -> dict[str, object]:
    return {**CLAUDE, "cwd": str(folder), "hook_event_name": "UserPromptSubmit", "prompt": text}


def call(tool: str, given: object, folder: Path) -> dict[str, object]:
    return {**CLAUDE, "cwd": str(folder), "hook_event_name": "PreToolUse", "tool_name": tool, "tool_input": given}


def is_stopped(played: Played) -> bool:
    return played.answer.get("decision") == "block" or played.own.get("permissionDecision") == "deny"


def test_a_closed_input_stops_the_event(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert agent_hook.answer_event(["--agent", "claude-code"]) == 2
    assert "standard input is closed" in capsys.readouterr().err


class TestUnreadable:
    """What cannot be scanned is stopped by default, and named."""

    @pytest.mark.parametrize(
        ("sent", "why"),
        [
            (b"", "is not JSON"),
            (b"not json", "is not JSON"),
            (b"\xff\xfe{}", "is not JSON"),
            (b"[]", "is not an object"),
            (b"null", "is not an object"),
            (b'{"prompt": 1', "is not JSON"),
            (b'{"hook_event_name": "UserPromptSubmit", "prompt": "a", "prompt": "b"}', "has a key twice"),
            (b'{"x": ' + b"[" * 100_000, "is nested too deep"),
            (b'{"hook_event_name": "PreToolUse", "tool_input": ' + b"[" * 150 + b"]" * 150 + b"}", "nested too deep"),
            (b'{"x": ' + b"9" * 10_000 + b"}", "is not JSON"),
            (b'{"hook_event_name": "Strange"}', "no known agent"),
            (b"{}", "no known agent"),
            (b'{"hook_event_name": "UserPromptSubmit", "prompt": {"a": {"b": {"b": 1, "b": 2}}}}', "a key twice"),
        ],
    )
    def test_it_is_stopped_and_says_why(self, sent: bytes, why: str) -> None:
        played = play(sent)
        assert (played.status, played.out) == (2, "")
        assert why in played.err
        assert play(sent, "--fail-closed").status == 2
        passed = play(sent, "--fail-open")
        assert (passed.status, passed.out) == (0, "")
        assert why in passed.err

    def test_what_is_larger_than_the_limit(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(events, "LARGEST", 1000)
        assert "larger than" in play(prompt("x" * 2000, tmp_path)).err

    def test_many_values(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(events, "_MOST_TEXTS", 1000)
        assert "too many values" in play(call("x", [{}] * 2000, tmp_path)).err
        assert play(call("x", [1.5] * 100_000, tmp_path)).err == ""

    def test_an_event_without_a_name(self, tmp_path: Path, pair: Pair) -> None:
        assert play({"x": pair.secret, "cwd": str(tmp_path)}, "--agent", "claude-code").status == 2

    def test_numbers_that_json_does_not_have(self, tmp_path: Path, pair: Pair) -> None:
        data = json.dumps(filled(call("Bash", {"command": COMMAND, "n": 1}, tmp_path), pair))
        for number in ("NaN", "-Infinity", "1e999"):
            assert is_stopped(play(data.replace('"n": 1', f'"n": {number}').encode()))

    def test_a_fault_of_ours_stops(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pair: Pair) -> None:
        def fail(*_: object, **__: object) -> None:
            raise RuntimeError(pair.secret)

        monkeypatch.setattr(agent_scan, "run_scan", fail)
        played = play(filled(prompt(PROMPT, tmp_path), pair))
        assert is_stopped(played)
        assert "internal error, RuntimeError" in played.err
        assert_shows_nothing(played, pair)

    @pytest.mark.skipif(sys.platform == "win32", reason="there is no alarm")
    def test_what_takes_too_long_is_stopped(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pair: Pair) -> None:
        monkeypatch.setattr(agent_hook, "TIME_LIMIT", 0.05)
        monkeypatch.setattr(agent_scan, "run_scan", lambda *_: time.sleep(5))
        played = play(filled(prompt(PROMPT, tmp_path), pair))
        assert is_stopped(played)
        assert "longer than" in played.err

    def test_an_alarm_while_an_answer_is_made_stops(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pair: Pair
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise events.UnreadableEventError("it took longer than 15 seconds")

        monkeypatch.setattr(agent_hook, "write_unread", fail)
        monkeypatch.setattr(agent_hook, "read_event", fail)
        assert play(filled(prompt(PROMPT, tmp_path), pair)).status == 2

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
    def test_an_answer_that_cannot_be_written_stops(self, tmp_path: Path, pair: Pair) -> None:
        event = json.dumps(filled(prompt(PROMPT, tmp_path), pair)).encode()
        command = [sys.executable, "-m", "binance_leaks", "agent-hook"]
        with Path("/dev/full").open("wb") as full:
            assert subprocess.run(command, input=event, stdout=full, timeout=60, check=False).returncode == 2
            assert subprocess.run(command, input=b"{", stdout=full, timeout=60, check=False).returncode == 2

    def test_options_in_other_spellings(self, tmp_path: Path, pair: Pair) -> None:
        for words in (("--agent=claude-code",), ("--fail-cl",), ("--agent", "claude-code", "--fail-open")):
            assert is_stopped(play(filled(prompt(PROMPT, tmp_path), pair), *words))

    def test_an_unknown_option_stops(self, tmp_path: Path) -> None:
        assert play(prompt("hello", tmp_path), "--agent", "nobody").status == 2
        assert play(prompt("hello", tmp_path), "--fail-opne").status == 2


class TestFiles:
    """Files that are about to be read."""

    def read(self, path: Path, *words: str) -> Played:
        return play(call("Read", {"file_path": str(path)}, path.parent), *words)

    @pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes with names")
    def test_a_pipe_is_not_waited_for_and_passes_with_a_word(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        played = self.read(pipe)
        assert "not a regular file" in played.answer["systemMessage"]
        assert not is_stopped(played)
        assert is_stopped(self.read(pipe, "--fail-closed"))

    def test_a_closed_file_passes_with_a_word(self, tmp_path: Path) -> None:
        if not hasattr(os, "geteuid") or os.geteuid() == 0:
            pytest.skip("root reads everything")
        file = tmp_path / "closed"
        file.write_text("x")
        file.chmod(0)
        assert "could not scan" in self.read(file).err

    @pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
    def test_a_link_without_an_end_passes_with_a_word(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to("link")
        played = self.read(tmp_path / "link")
        assert "could not scan" in played.err
        assert not is_stopped(played)

    def test_a_fault_of_ours_stops_a_file_too(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        def fail(*_: object, **__: object) -> None:
            raise RuntimeError

        (tmp_path / "a.zip").write_bytes(b"PK\3\4")
        monkeypatch.setattr(agent_scan, "run_scan", fail)
        played = self.read(tmp_path / "a.zip")
        assert is_stopped(played)
        assert "internal error, RuntimeError" in played.err
        assert not is_stopped(self.read(tmp_path / "a.zip", "--fail-open"))

    @pytest.mark.skipif(sys.platform == "win32", reason="there is no alarm")
    def test_a_file_that_takes_too_long_is_stopped(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "a.zip").write_bytes(b"PK\3\4")
        monkeypatch.setattr(agent_hook, "TIME_LIMIT", 0.05)
        monkeypatch.setattr(agent_scan, "run_scan", lambda *_: time.sleep(5))
        assert is_stopped(played := self.read(tmp_path / "a.zip"))
        assert "longer than" in played.err

    def test_a_file_that_is_only_searched_in_part_is_stopped(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pair: Pair
    ) -> None:
        (tmp_path / "a.py").write_text(filled(CONTENT, pair))
        monkeypatch.setattr("binance_leaks.detect.work.LIMIT", 0)
        assert is_stopped(played := self.read(tmp_path / "a.py"))
        assert "only its beginning was searched" in played.err

    def test_a_picture_is_not_read(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pair: Pair) -> None:
        for package in ("PIL.Image", "numpy", "zxingcpp"):
            pytest.importorskip(package)
        from tests.sources.test_pictures import code

        (tmp_path / "shot.png").write_bytes(code(pair.dotenv))
        monkeypatch.delenv("BINANCE_LEAKS_PICTURES")
        played = self.read(tmp_path / "shot.png")
        assert played.err == ""
        assert not is_stopped(played)
        monkeypatch.setenv("BINANCE_LEAKS_PICTURES", "auto")
        played = self.read(tmp_path / "shot.png")
        assert is_stopped(played)
        assert_shows_nothing(played, pair)

    @pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
    def test_a_link_is_followed_as_the_agent_does(self, tmp_path: Path, pair: Pair) -> None:
        (tmp_path / "real").write_text(filled(CONTENT, pair))
        (tmp_path / "link").symlink_to("real")
        assert is_stopped(self.read(tmp_path / "link"))

    def test_a_large_file_is_not_read(self, tmp_path: Path) -> None:
        file = tmp_path / "large"
        with file.open("wb") as stream:
            stream.truncate(65 << 20)
        assert "larger than 64 MiB" in self.read(file).err

    def test_an_archive_is_opened(self, tmp_path: Path, pair: Pair) -> None:
        import zipfile

        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("keys.env", filled(CONTENT, pair))
        assert is_stopped(self.read(tmp_path / "a.zip"))

    def test_more_files_than_are_scanned(self, tmp_path: Path) -> None:
        for number in range(60):
            (tmp_path / f"f{number}").touch()
        played = play(prompt(" ".join(f"@f{number}" for number in range(60)), tmp_path))
        assert "names more than 50 files" in played.err
        assert played.status == 2
        assert play(prompt(" ".join(f"@nothing{number}" for number in range(9_000)), tmp_path)).err == ""

    @pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes with names")
    def test_a_prompt_that_names_a_pipe_passes_with_a_word(self, tmp_path: Path, pair: Pair) -> None:
        os.mkfifo(tmp_path / "pipe")
        assert not is_stopped(played := play(prompt("Look at @pipe", tmp_path)))
        assert "not a regular file" in played.answer["systemMessage"]
        assert is_stopped(play(prompt(filled(f"{PROMPT} @pipe", pair), tmp_path)))

    @pytest.mark.parametrize("path", ["", "\0", "a\0b", "~nobody/x", "/" * 5000, "x" * 5000])
    def test_paths_that_are_none(self, path: str, tmp_path: Path) -> None:
        assert play(call("Read", {"file_path": path}, tmp_path)).status in (0, 2)

    def test_files_of_a_prompt(self, tmp_path: Path, pair: Pair) -> None:
        (tmp_path / "keys.py").write_text(filled(CONTENT, pair))
        played = play(prompt("Look at @keys.py, @nothing and @me.", tmp_path))
        assert is_stopped(played)
        assert "keys.py" in played.err


class TestProjects:
    """A project's own settings count only where they name single values."""

    SWITCHES_OFF = 'exclude = ["**"]\nconfidence = "high"\nfail-on = "none"\n\n[[allow]]\npath = "**"\nreason = "no"\n'

    def test_patterns_thresholds_and_paths_do_not_count(self, repository: Repository, pair: Pair) -> None:
        repository.write(".binance-leaks.toml", self.SWITCHES_OFF)
        file = repository.write("keys.py", filled(CONTENT, pair))
        assert is_stopped(play(call("Read", {"file_path": str(file)}, repository.folder)))
        assert is_stopped(play(filled(prompt(PROMPT, repository.folder), pair)))

    def test_a_broken_configuration_stops_nothing_and_allows_nothing(self, repository: Repository, pair: Pair) -> None:
        repository.write(".binance-leaks.toml", "allow = 3\n")
        played = play(filled(prompt(PROMPT, repository.folder), pair))
        assert is_stopped(played)
        assert "the project's configuration is ignored" in played.err

    def test_values_allowed_by_digest_pass(self, repository: Repository, pair: Pair) -> None:
        digests = json.dumps([digest(pair.key), digest(pair.secret)])
        repository.write(".binance-leaks.toml", f'[[allow]]\nsha256 = {digests}\nreason = "made for tests"\n')
        played = play(filled(prompt(PROMPT, repository.folder), pair))
        assert (played.out, played.err) == ("", "")
        assert is_stopped(play(filled(prompt(PROMPT, repository.folder), Pair.fresh())))

    def test_a_comment_allows_nothing(self, tmp_path: Path, pair: Pair) -> None:
        text = filled(CONTENT.replace("\n", "  # binance-leaks: allow\n"), pair)
        assert is_stopped(play(call("Write", {"file_path": "a.py", "content": text}, tmp_path)))
        (tmp_path / "a.py").write_text(text)
        assert is_stopped(play(call("Read", {"file_path": "a.py"}, tmp_path)))

    def test_the_users_own_configuration_counts_as_a_whole(self, tmp_path: Path, pair: Pair) -> None:
        own = tmp_path / "own.toml"
        own.write_text('fail-on = "none"\n')
        played = play(filled(prompt(PROMPT, tmp_path), pair), "--config", str(own))
        assert (played.status, played.out) == (0, "")
        own.write_text("fail-on = 3\n")
        assert play(filled(prompt(PROMPT, tmp_path), pair), "--config", str(own)).status == 2


class TestTexts:
    """What of an event is scanned."""

    def test_taking_a_value_out_of_a_file_is_not_stopped(self, tmp_path: Path, pair: Pair) -> None:
        old = filled(CONTENT, pair)
        edit = {"file_path": "a.py", "old_string": old, "new_string": "import os\n"}
        assert not is_stopped(play(call("Edit", edit, tmp_path)))
        assert not is_stopped(play(call("MultiEdit", {"file_path": "a.py", "edits": [edit]}, tmp_path)))
        removed = "".join(f"-{line}\n" for line in old.splitlines())
        patch = f"*** Begin Patch\n*** Update File: a.py\n{removed}+import os\n*** End Patch"
        event = {**call("apply_patch", {"command": patch}, tmp_path), "turn_id": "t"}
        assert not is_stopped(play(event))

    def test_an_old_text_alone_hides_nothing(self, tmp_path: Path, pair: Pair) -> None:
        assert is_stopped(play(call("Bash", {"old_string": filled(COMMAND, pair)}, tmp_path)))
        removed = filled("*** Begin Patch\n-BINANCE_API_KEY={KEY}\n-BINANCE_API_SECRET={SECRET}\n", pair)
        assert is_stopped(play(call("Bash", {"command": f"cat > .env <<EOF\n{removed}EOF"}, tmp_path)))

    @pytest.mark.parametrize("tool", ["mcp__web__post", "Write", "Bash", "mcp__files__edit"])
    def test_only_editors_replace(self, tmp_path: Path, pair: Pair, tool: str) -> None:
        arguments = {"old_string": filled(CONTENT, pair), "new_string": ""}
        assert is_stopped(play(call(tool, arguments, tmp_path)))
        assert is_stopped(play(call(tool, {"rows": [arguments]}, tmp_path)))

    @pytest.mark.parametrize("tool", ["Edit", "apply_patch", "mcp__db__read"])
    def test_a_result_replaces_nothing(self, tmp_path: Path, pair: Pair, tool: str) -> None:
        rows = {"rows": [{"old_line": filled(CONTENT, pair), "new_line": ""}]}
        event = {**call(tool, {}, tmp_path), "hook_event_name": "PostToolUse", "tool_response": rows}
        assert "updatedToolOutput" in play(event).out

    @pytest.mark.parametrize(
        "mention",
        [
            "@.env", "@./.env", "(see @.env)", "@.env.", "@.env, please", "@.env#L1-2", "read:@.env", '@"my keys.env"',
            "@my\\ keys.env", "`@.env`", "@{.env}", "@sub/.env", "\n@.env\n", "@@.env", "@<.env>",
            "**@.env**", "@.env。", "@.env、", "@.env）", "“@.env”", "@“.env”", "@.env’s", "@.env…", "@.env—x",
            "@.env*", "@.env|", "@.env:12", "@.env:1-3", "@.env,x", "@.env,@x", "@.env;x", "@.env(x)", "@[.env]",
            "@.env是什么", "@.env\u200b", "@\u200b.env", "@.env/", "@.env=x", "@**.env**", "@file:.env",
            "@file://.env", "@'my keys.env'", "@“my keys.env”",
            "@keys\\(1\\).env", "@keys(1).env,", "@密钥.env。", "@sub/[id].env:3",
            "@./sub/.env", "@sub/./../.env", "@no/../.env", "@no/no/../../sub/.env,", "@.env/x/..", "@sub//.env",
        ],
    )  # fmt: skip
    def test_what_a_prompt_mentions_is_read(self, tmp_path: Path, pair: Pair, mention: str) -> None:
        (tmp_path / "sub").mkdir()
        for name in (".env", "my keys.env", "sub/.env", "keys(1).env", "密钥.env", "sub/[id].env"):
            (tmp_path / name).write_text(filled(CONTENT, pair))
        assert is_stopped(play(prompt(f"What is in {mention}", tmp_path)))

    @pytest.mark.parametrize(
        "mention", ["@.env.example", "@.env-old", "@.env_2", "@envs/.env.example", "@.envrc", "me@.e"]
    )
    def test_what_only_begins_like_a_file_is_another(self, tmp_path: Path, pair: Pair, mention: str) -> None:
        (tmp_path / ".env").write_text(filled(CONTENT, pair))
        (tmp_path / ".env.example").write_text("BINANCE_API_KEY=\n")
        assert not is_stopped(play(prompt(f"What is in {mention}", tmp_path)))

    @pytest.mark.parametrize(
        "text",
        [
            "@" * 60_000,
            "".join(f"@{number},{'.' * 120}" for number in range(6_000)),
            "".join(f"@../{number}{'../' * 300} " for number in range(1_000)),
        ],
        ids=["marks", "distinct", "folders"],
    )
    def test_mentions_that_are_looked_up_have_a_limit(self, tmp_path: Path, text: str) -> None:
        played = play(prompt(text, tmp_path))
        assert played.status == 2
        assert "it names more than can be looked up" in played.err

    @pytest.mark.parametrize(
        "text",
        [
            "@" * 5_000,
            "@,." * 5_000,
            "@x(" * 5_000,
            "".join(
                f"@media(max-width:{n}px){{.a{n}>b,.c:hover{{background:url(../x{n}.png)}}}}" for n in range(1_500)
            ),
            "".join(f"{{'@type':'Person','@id':'https://x.example/{n}'}}," for n in range(2_000)),
        ],
        ids=["marks", "signs", "calls", "style sheet", "JSON-LD"],
    )
    def test_only_files_that_exist_are_named(self, tmp_path: Path, pair: Pair, text: str) -> None:
        (tmp_path / ".env").write_text(filled(CONTENT, pair))
        assert play(prompt(text, tmp_path)).err == ""
        assert is_stopped(play(prompt(f"{text}@.env", tmp_path)))

    def test_mentions_of_nothing_pass(self, tmp_path: Path) -> None:
        text = "@property\n" * 5_000 + "".join(f"mail{number}@example{number}.com " for number in range(5_000))
        assert not is_stopped(play(prompt(text, tmp_path)))

    @pytest.mark.parametrize(
        "given",
        [
            {"key": "BINANCE_API_KEY={KEY}", "other": {"deep": ["BINANCE_API_SECRET={SECRET}"]}},
            {"env": {"BINANCE_API_KEY": "{KEY}", "BINANCE_API_SECRET": "{SECRET}"}},
            {
                "env": [
                    {"name": "BINANCE_API_KEY", "value": "{KEY}"},
                    {"name": "BINANCE_API_SECRET", "value": "{SECRET}"},
                ]
            },
            {"args": ["--binance-api-key", "{KEY}", "--binance-api-secret", "{SECRET}"]},
            {"config": '{"binance": {"apiKey": "{KEY}", "apiSecret": "{SECRET}"}}'},
        ],
    )
    def test_halves_in_different_fields_are_a_pair(self, given: object, tmp_path: Path, pair: Pair) -> None:
        text = json.dumps(given).replace("{KEY}", pair.key).replace("{SECRET}", pair.secret)
        played = play(call("mcp__x__y", json.loads(text), tmp_path))
        assert "Binance key pair" in played.err
        assert_shows_nothing(played, pair)

    def test_a_value_as_a_key_of_an_object(self, tmp_path: Path, pair: Pair) -> None:
        given = {f"BINANCE_API_SECRET={pair.secret}": {"a": 1}}
        played = play(call("mcp__x__y", given, tmp_path))
        assert is_stopped(played)
        assert_shows_nothing(played, pair)

    def test_pieces_of_a_value_are_withheld(self, tmp_path: Path, pair: Pair) -> None:
        halves = [pair.secret[:32], pair.secret[32:]]
        result = {"type": "text", "lines": [filled(CONTENT, pair), *halves], pair.key[:32]: 1, "n": 1.5}
        event = {**call("x", {}, tmp_path), "hook_event_name": "PostToolUse", "tool_response": result}
        withheld = play(event).own["updatedToolOutput"]
        assert (withheld["type"], withheld["n"], len(withheld["lines"])) == ("text", 1.5, 3)
        assert not any(half in json.dumps(withheld) for half in (*halves, pair.key[:32]))

    @pytest.mark.parametrize("size", range(1, 17))
    @pytest.mark.parametrize("shape", ["list", "lists", "objects", "values", "keys", "codes", "objects of codes"])
    def test_little_of_a_value_is_kept_in_any_pieces(self, tmp_path: Path, pair: Pair, size: int, shape: str) -> None:
        """Words of a schema are kept, and a piece may look like one."""
        pieces = [pair.secret[at : at + size] for at in range(0, len(pair.secret), size)]
        codes = [int.from_bytes(piece.encode(), "big") for piece in pieces]
        result = {
            "list": pieces,
            "lists": [[piece] for piece in pieces],
            "objects": [{"text": piece} for piece in pieces],
            "values": {
                "abcdefghijklmnopqrstuvwxyz"[: at + 1] + "x" * (at // 26): piece for at, piece in enumerate(pieces)
            },
            "keys": dict.fromkeys(pieces, True),
            "codes": codes,
            "objects of codes": [{"code": code} for code in codes],
        }[shape]
        event = {**call("x", {}, tmp_path), "hook_event_name": "PostToolUse"}
        event["tool_response"] = {"text": filled(CONTENT, pair), "pieces": result}
        withheld = json.dumps(play(event).own["updatedToolOutput"])
        kept = [f'"{piece}"' in withheld or f" {code}" in withheld for piece, code in zip(pieces, codes, strict=True)]
        assert sum(kept) * size <= 48, withheld

    def test_the_words_of_a_schema_are_kept(self, tmp_path: Path, pair: Pair) -> None:
        kept = {
            "type": "image/png",
            "isImage": False,
            "numLines": 3,
            "toolCallId": "",
            "structuredContent": {"base64": None},
        }
        event = {**call("x", {}, tmp_path), "hook_event_name": "PostToolUse"}
        event["tool_response"] = {**kept, "content": [{"type": "text", "text": filled(CONTENT, pair)}]}
        assert play(event).own["updatedToolOutput"] == {
            **kept,
            "content": [{"type": "text", "text": "[withheld by binance-leaks]"}],
        }

    def test_escapes_hide_nothing(self, tmp_path: Path, pair: Pair) -> None:
        data = json.dumps(prompt("{P}", tmp_path))
        escaped = "".join(f"\\u{ord(char):04x}" for char in filled(PROMPT, pair))
        assert is_stopped(play(data.replace("{P}", escaped).encode()))

    def test_hostile_names_are_inert(self, tmp_path: Path, pair: Pair) -> None:
        given = {"file_path": f"\x1b[31m\n::error::/{pair.secret}.py", "content": filled(CONTENT, pair)}
        played = play(call("Write", given, tmp_path))
        assert_shows_nothing(played, pair)
        assert "\x1b" not in played.err
        assert "\n::error" not in played.err

    def test_a_field_that_no_document_has_is_scanned(self, tmp_path: Path, pair: Pair) -> None:
        event = {**call("Bash", {"command": "ls"}, tmp_path), "new_field": {"x": filled(COMMAND, pair)}}
        assert is_stopped(play(event))
