"""A thousand random events of all agents: stopped exactly where there is a value, and none shows one."""

from __future__ import annotations

import json
import string
from pathlib import Path
from random import Random

from tests.agents import assert_shows_nothing, filled, play
from tests.agents.documented import STOPPED, WARNED
from tests.e2e import Pair

COUNT = 1_000
HOLDING = 0.1
WORDS = ("refactor", "binance", "the", "order", "api", "key", "def", "return", "import", "fix", "α", "\n", "🔑", "{}")


def harmless(random: Random) -> str:
    """Text as agents send it: words, code, identifiers, digests, sometimes thousands of them."""
    lines = []
    for _ in range(random.choice((1, 5, 50, 500))):
        words = random.choices(WORDS, k=random.randint(1, 12))
        if random.random() < 0.1:
            words.append("".join(random.choices(string.hexdigits.lower(), k=random.choice((7, 40)))))
        lines.append(" ".join(words))
    return "\n".join(lines)


def test_a_thousand_random_events(tmp_path: Path) -> None:
    random = Random(18)
    for _ in range(COUNT):
        documented = random.choice([*STOPPED, *WARNED])
        pair = Pair.fresh()
        holds = random.random() < HOLDING
        event = {**documented.fields, "extra": harmless(random), "cwd": str(tmp_path)}
        if holds:
            event = filled(event, pair)
        else:
            text = json.dumps(event).replace("{KEY}", "$KEY").replace("{SECRET}", "$SECRET")
            event = json.loads(text)
        played = play(event, *random.choice(((), ("--agent", documented.agent), ("--fail-closed",))))
        assert bool(played.err) is holds, (documented.id, played.err)
        assert played.status == 0
        assert_shows_nothing(played, pair)
