"""What `scan` finds in a file is found where an agent writes it or a prompt has its text, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from binance_leaks.api import scan_bytes

from tests.agents import play
from tests.corpus import Case, fill, load

EVERY = 25
CASES = [
    case
    for at, case in enumerate(load())
    if case.encoding == "utf-8" and (at % EVERY == 0 or case.family == "interrupted")
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_an_event_is_judged_as_a_file_is(case: Case, tmp_path: Path) -> None:
    filled = fill(case, 1)
    text = filled.data.decode()
    common = {"transcript_path": "/t", "cwd": str(tmp_path)}
    write = {"tool_name": "Write", "tool_input": {"file_path": case.filename, "content": text}}
    written = play({**common, "hook_event_name": "PreToolUse", **write})
    assert bool(written.err) is any(found.fails for found in scan_bytes(filled.data, path=case.filename).findings)
    prompted = play({**common, "hook_event_name": "UserPromptSubmit", "prompt": text})
    assert bool(prompted.err) is any(found.fails for found in scan_bytes(filled.data).findings)
