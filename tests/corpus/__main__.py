"""Runs the detector over the whole corpus and prints a table of what it gets wrong.

`python -m tests.corpus [WORD…]` takes only the entries whose family or id holds one of the words; `--show` prints the
text of the failing ones as it was scanned, with every value masked by its placeholder. `--record` writes
`judgements.tsv` anew, from all entries.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from binance_leaks.detect.engine import detect
from binance_leaks.model import Credential

from tests.corpus import Case, Filled, fill, load
from tests.corpus.judge import judge
from tests.corpus.record import RECORD, changes, recorded_anew

SEEDS = (1, 2)


def faults_of(case: Case) -> tuple[str, ...]:
    """What goes wrong with either seed; a crash of the detector is reported as one fault."""
    faults: dict[str, None] = {}
    for seed in SEEDS:
        filled = fill(case, seed)
        try:
            found = detect(filled.data, path=case.filename)
        except Exception as error:
            faults[f"crash: {type(error).__name__}"] = None
            continue
        faults.update(dict.fromkeys([*judge(filled, found), *changes(filled, found)]))
    return tuple(faults)


def _judged() -> Iterator[tuple[Filled, tuple[Credential, ...]]]:
    for case in load():
        filled = fill(case, SEEDS[0])
        yield filled, detect(filled.data, path=case.filename)


def main(arguments: Sequence[str]) -> int:
    """Print the failures, then a score per family; 1 if anything failed."""
    if "--record" in arguments:
        RECORD.write_bytes(recorded_anew(_judged()).encode())
    show = "--show" in arguments
    words = [argument for argument in arguments if not argument.startswith("--")]
    cases = [case for case in load() if not words or any(word in f"{case.family}/{case.id}" for word in words)]
    total, good = Counter(case.family for case in cases), Counter[str]()
    for case in cases:
        faults = faults_of(case)
        good[case.family] += not faults
        if faults:
            sys.stdout.write("\n  ".join((f"{case.family}/{case.id} ({case.filename})", *faults)) + "\n")
            if show:
                sys.stdout.write("".join(f"    | {line}\n" for line in case.template))
    sys.stdout.write("\n")
    for family, count in total.items():
        sys.stdout.write(f"{family:24}{good[family]:4} of {count}\n")
    sys.stdout.write(f"{'all':24}{good.total():4} of {total.total()}\n")
    return int(good.total() < total.total())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
