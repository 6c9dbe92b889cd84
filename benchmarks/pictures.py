"""Measures what is read from pictures: recall of credentials by sort of picture, false alarms in bait, times.

Draws the pictures first if the folder has none. They are scanned one after the other. Each outcome is written down at
once, so that a long measurement can be stopped and resumed.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import defaultdict
from pathlib import Path

from binance_leaks import Confidence, Config, scan_bytes
from picture_set import INDEX, Drawn, draw, read_index
from timing import markdown

OUTCOMES = "outcomes.jsonl"


def main() -> int:
    """Draw, scan, and print a table."""
    parser = argparse.ArgumentParser(description="Measures what binance-leaks reads from pictures.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the pictures are, or are drawn")
    parser.add_argument("--clear", type=int, default=240, metavar="N", help="screenshots (240)")
    parser.add_argument("--others", type=int, default=120, metavar="N", help="codes, photos, covered values each (120)")
    parser.add_argument("--bait", type=int, default=2000, metavar="N", help="pictures without credentials (2000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the number that decides what is drawn (1)")
    options = parser.parse_args()
    folder: Path = options.folder
    if not (folder / INDEX).exists():
        draw(folder, clear=options.clear, others=options.others, bait=options.bait, number=options.seed)
    os.environ["BINANCE_LEAKS_PICTURES"] = "on"
    outcomes = folder / OUTCOMES
    done = [json.loads(line) for line in outcomes.read_text("utf-8").splitlines()] if outcomes.exists() else []
    known = {each["file"] for each in done}
    with outcomes.open("a", encoding="utf-8") as written:
        for drawn in read_index(folder):
            if drawn.file in known:
                continue
            outcome = _scan(folder, drawn)
            written.write(json.dumps(outcome) + "\n")
            written.flush()
            done.append(outcome)
    print(_table(read_index(folder), {each["file"]: each for each in done}))
    return 0


def _scan(folder: Path, drawn: Drawn) -> dict[str, object]:
    started = time.monotonic()
    result = scan_bytes((folder / drawn.file).read_bytes(), path=drawn.file, config=Config(confidence=Confidence.LOW))
    found = [(finding.kind.value, finding.confidence.value) for finding in result.findings]
    return {
        "file": drawn.file,
        "found": found,
        "skipped": [skipped.why for skipped in result.skipped],
        "seconds": round(time.monotonic() - started, 2),
    }


def _table(index: list[Drawn], outcomes: dict[str, dict[str, object]]) -> str:
    rows: dict[str, list[tuple[Drawn, dict[str, object]]]] = defaultdict(list)
    for drawn in index:
        rows[drawn.sort].append((drawn, outcomes[drawn.file]))
    header = ["sort", "pictures", "as it is", "something", "at low", "not to its end", "median time"]
    return markdown(header, [[sort, *_figures(each)] for sort, each in rows.items()])


def _figures(each: list[tuple[Drawn, dict[str, object]]]) -> list[str]:
    exact = some = low = unread = 0
    for drawn, outcome in each:
        found: list[list[str]] = outcome["found"]  # type: ignore[assignment]
        reported = [kind for kind, confidence in found if confidence != "low"]
        wanted = {"pair": "key-pair", "key": "api-key", "secret": "secret-key"}.get(drawn.shows)
        exact += wanted in reported
        some += bool(reported)
        low += len(found) > len(reported)
        unread += bool(outcome["skipped"])
    times = sorted(float(str(outcome["seconds"])) for _, outcome in each)
    return [str(len(each)), *map(str, (exact, some, low, unread)), f"{times[len(times) // 2]:.2f} s"]


if __name__ == "__main__":
    raise SystemExit(main())
