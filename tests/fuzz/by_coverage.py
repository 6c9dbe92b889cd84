"""Lets atheris choose the inputs of a target by the code that they reach; each target in a process of its own.

atheris is no dependency of the project: `python -m pip install atheris` where it is wanted.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

_MOST_MEGABYTES = 4096
_HANG_SECONDS = 20
_MUTANTS = 4
"""Of so many inputs, all but one are changed by our mutator, which knows the format."""


def fuzz_by_coverage(names: Sequence[str], *, seed: int, seconds: float, findings: Path) -> int:
    """Give each target its share of the time; 1 where something is wrong."""
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write("error: atheris is not installed: python -m pip install atheris\n")
        return 2
    findings.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in names:
        sys.stdout.write(f"{name}, seed {seed}\n")
        sys.stdout.flush()
        share = max(1, round(seconds / len(names)))
        words = [sys.executable, "-m", "tests.fuzz.by_coverage", name, str(seed), str(share), str(findings)]
        if subprocess.run(words, check=False).returncode:
            failed.append(name)
            sys.stdout.write(
                f"repeat it: python -m tests.fuzz --target '{name}' --seed {seed} --input {findings}/crash-…\n"
            )
    return 1 if failed else 0


def main() -> None:
    """Fuzz the target of the command line: its name, the seed, seconds, the folder for findings."""
    import atheris  # no dependency: see above

    name, seed, seconds, findings = sys.argv[1:]
    with atheris.instrument_imports(include=["binance_leaks"]):
        from tests.fuzz.targets import TARGETS  # what it imports is to be instrumented
    from tests.fuzz.laws import Laws
    from tests.fuzz.mutation import LARGEST, Mutator
    from tests.fuzz.planted import Planted
    from tests.fuzz.worker import prepare

    target, planted, rng = TARGETS[name], Planted.of(int(seed)), Random(int(seed))
    laws, pool = Laws(target, planted), list(target.seeds(planted))
    mutator = Mutator(rng, target.words, pool)

    def try_input(data: bytes) -> None:
        violation, _ = laws.check(data)
        if violation is not None:
            raise AssertionError(f"{violation.law}: {violation.what}\n{violation.details}")

    def mutate(data: bytes, most: int, _: int) -> bytes:
        mutated = mutator.mutated(data) if rng.randrange(_MUTANTS) else atheris.Mutate(data, most)
        return bytes(mutated[:most])

    with tempfile.TemporaryDirectory() as corpus, prepare(target):
        for number, sample in enumerate(pool):
            (Path(corpus) / str(number)).write_bytes(sample[:LARGEST])
        options = [
            sys.argv[0], f"-max_total_time={seconds}", f"-timeout={_HANG_SECONDS}", f"-rss_limit_mb={_MOST_MEGABYTES}",
            f"-seed={seed}", f"-max_len={LARGEST}", f"-artifact_prefix={findings}/", "-print_final_stats=1", corpus,
        ]  # fmt: skip
        atheris.Setup(options, try_input, custom_mutator=mutate)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
