"""Show which small changes of the package no cheap test notices.

Each mutant is one change of one module: a comparison, a boolean or arithmetic operator, a number, a member of an
enumeration, a condition, a returned value, the end of a loop, the bound of a slice (`changes.py`). The tests in
`TESTS` that run a changed line must notice it (`runs.py`). Everything runs in a copy of the working tree.

What survives and may is in `explained.tsv`: module, line of source, change and reason. Survivors are printed in
its form.

    python benchmarks/mutants [--module NAME[:LINE]] [--sample N] [--seed N] [--minutes N]

    python benchmarks/mutants --module verify --sample 100 --seed 2
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import sqrt
from pathlib import Path

from timing import markdown

from mutants.changes import Mutant, mutants_of
from mutants.coverage import CoverageCache
from mutants.runs import NO_TEST, SURVIVED, TIMED_OUT, Copy, run_all

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "scanner/binance_leaks"
EXPLAINED = Path(__file__).with_name("explained.tsv")
CACHE = ROOT / ".mutants_cache"
"""Which tests run which lines: `coverage.py`."""
_VERIFY = ("verify/test_verifier.py", "verify/test_verdict_table.py", "verify/test_budget.py")
_BASELINE = (
    "baseline", "e2e/test_baseline.py", "e2e/test_baseline_bad_input.py", "e2e/test_baseline_detect_secrets.py",
    "e2e/test_baseline_merge.py",
)  # fmt: skip
_DETECT = tuple(
    f"detect/test_{name}.py"
    for name in (
        "allow", "binaries", "candidates", "corpus", "credentials", "disagreement", "encoded_texts",
        "environment_evidence", "evasions", "interrupted_text", "laws", "literal_chains", "names_shown",
        "notebook_cells", "outline", "pairing_across_files", "path_values", "picture_text", "private_keys", "published",
        "rules", "sieve", "signatures", "vocabulary", "word_search",
    )
)  # fmt: skip
_EXPORTS = ("e2e/test_exports.py", "detect/test_corpus.py")
_FILES = ("e2e/test_scan.py", "e2e/test_half_allowed.py", "e2e/test_path_values.py", "test_library.py")
_HISTORY = (
    "e2e/test_history.py", "e2e/test_history_forms.py", "e2e/test_history_oracle.py", "e2e/test_history_damage.py",
)  # fmt: skip
_RANGE = (
    "e2e/test_range.py", "e2e/test_range_oracle.py", "e2e/test_range_evasions.py", "e2e/test_introduced.py",
    "e2e/test_push.py", "test_judged_versions.py",
)  # fmt: skip
_STAGED = ("e2e/test_staged.py", "e2e/test_introduced.py", "e2e/test_message.py")
TESTS: Mapping[str, Sequence[str]] = {
    "detect": _DETECT,
    "detect/csv_messages": _EXPORTS,
    "detect/json_messages": _EXPORTS,
    "detect/markup_messages": _EXPORTS,
    "detect/message_parts": _EXPORTS,
    "detect/messages": _EXPORTS,
    "verify": _VERIFY,
    "verify/cache": ("verify/test_cache.py",),
    "verify/http_types": ("verify/test_transport.py",),
    "verify/notes": ("verify/test_notes.py", "verify/test_verdict_table.py"),
    "verify/rate_limit": ("verify/test_budget.py", "verify/test_verifier.py"),
    "verify/request": ("verify/test_verifier.py", "verify/test_budget.py", "verify/test_answers.py"),
    "verify/responses": ("verify/test_answers.py", "verify/test_verdict_table.py", "verify/test_verifier.py"),
    "verify/signing": ("verify/test_signing.py",),
    "verify/transport": ("verify/test_transport.py",),
    "verify/verifier": (*_VERIFY, "verify/test_cache.py"),
    "risk": ("test_risk.py", "test_risk_verified.py", "report/test_verdicts.py", "verify/test_verdict_table.py"),
    "baseline": _BASELINE,
    "pipeline": (*_FILES, *_HISTORY, *_RANGE, *_STAGED),
    "pipeline/agent_source": ("agents",),
    "pipeline/apply_verification": ("verify/test_apply_verification.py", "e2e/test_verify_switch.py"),
    "pipeline/attribution": _HISTORY,
    "pipeline/baseline_update": _BASELINE,
    "pipeline/commit_range": (*_RANGE, "e2e/test_receive.py", "cli/test_time_limit.py"),
    "pipeline/files": (*_FILES, "e2e/test_bad_input.py"),
    "pipeline/history": (*_HISTORY, "e2e/test_history_narrowing.py"),
    "pipeline/history_scan": _HISTORY,
    "pipeline/history_worker": _HISTORY,
    "pipeline/introduced": (*_RANGE, *_STAGED),
    "pipeline/judged_versions": ("test_judged_versions.py", "e2e/test_range.py"),
    "pipeline/lifeline": ("test_lifeline.py",),
    "pipeline/machine": ("machine",),
    "pipeline/object_detection": _HISTORY,
    "pipeline/provenance": _HISTORY,
    "pipeline/range_tracker": (*_RANGE, "e2e/test_environments_far_off.py"),
    "pipeline/staged": _STAGED,
    "pipeline/state": ("e2e/test_history_again.py",),
    "pipeline/triage": (
        "test_triage.py",
        *_FILES,
        *_BASELINE,
        *_STAGED,
        "e2e/test_verify_switch.py",
        "detect/test_published.py",
    ),
    "pipeline/user_keys": ("e2e/test_verify.py",),
}
"""The tests that must notice the mutants of a module, or else of its package; in `tests/`."""
LEFT_OUT = (
    r"needs_each|sieve_suspects|a_thousand_credentials|more_lost_files_than",
    r"corpus.py::(?!test_every_case\[.*-1\])",
    r"test_laws.py::test_(prefilter_lets_through|indenting|ids_hold|moving|no_bytes|no_damage)",
)
"""Tests that take long, with generated input or another seed, or that ask nothing of the package: expressions."""
VERDICTS = ("killed", "timed out", "explained", "survived")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a mutant, one of `VERDICTS`, and what noticed it or why it may survive."""

    mutant: Mutant
    verdict: str
    by: str


def main() -> int:
    """Run the mutants and print what was noticed."""
    parser = argparse.ArgumentParser(description="Show which small changes of the package no cheap test notices.")
    parser.add_argument(
        "--module", action="append", metavar="NAME[:LINE]", help="or package; repeatable (default: all)"
    )
    parser.add_argument("--sample", type=int, metavar="N", help="run N mutants, chosen at random (default: all)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the choice (default: %(default)s)")
    parser.add_argument("--minutes", type=float, metavar="N", help="stop after N minutes")
    options = parser.parse_args()
    names = sorted(file.relative_to(PACKAGE).with_suffix("").as_posix() for file in PACKAGE.glob("**/*.py"))
    modules = [name for name in names if name in TESTS or name.partition("/")[0] in TESTS]
    mutants: list[Mutant] = []
    for wanted in options.module or ["detect", "verify", "risk", "baseline", "pipeline"]:
        name, _, line = wanted.partition(":")
        chosen = [module for module in modules if module == name or module.startswith(f"{name}/")]
        if not chosen:
            parser.error(f"no module {name}")
        found = (mutant for module in chosen for mutant in mutants_of(module, PACKAGE / f"{module}.py"))
        mutants += [mutant for mutant in found if not line or mutant.line == int(line)]
    shuffled = random.Random(options.seed).sample(mutants, len(mutants))
    sample = list(islice((mutant for mutant in shuffled if mutant.is_python()), options.sample))
    deadline = None if options.minutes is None else time.monotonic() + options.minutes * 60
    with tempfile.TemporaryDirectory() as folder:
        packages = {mutant.module.partition("/")[0] for mutant in sample}
        recorded = [module for module in modules if module.partition("/")[0] in packages]
        copy = Copy.make(ROOT, Path(folder), recorded)
        outcomes = list(
            judged(
                copy, sample, CoverageCache(CACHE, copy.project, [copy.file(module) for module in recorded]), deadline
            )
        )
    print(f"{len(outcomes)} of {len(mutants)} mutants, seed {options.seed}\n")
    print(table(outcomes))
    if stale := stale_explanations(mutants) if not options.module else []:
        print("\nexplained, and no mutants any more:", *map("\t".join, stale), sep="\n")
    for verdict in ("survived", "timed out"):
        print(f"\n{verdict}:")
        for each in sorted(outcomes, key=lambda each: (each.mutant.module, each.mutant.line)):
            if each.verdict == verdict:
                print(f"{each.mutant.line:5} " + "\t".join(key_of(each.mutant)) + (f"\t({each.by})" if each.by else ""))
    return 0


def judged(copy: Copy, mutants: Sequence[Mutant], cache: CoverageCache, deadline: float | None) -> Iterator[Outcome]:
    """Run the mutants until the deadline."""
    reasons = explained()
    for done, (mutant, by) in enumerate(run_all(copy, mutants, files_of, re.compile("|".join(LEFT_OUT)), cache), 1):
        verdict = {TIMED_OUT: "timed out", SURVIVED: "survived", NO_TEST: "survived"}.get(by, "killed")
        if verdict == "survived" and key_of(mutant) in reasons:
            verdict, by = "explained", reasons[key_of(mutant)]
        place = f"{mutant.module}:{mutant.line}"
        print(f"{done}/{len(mutants)} {place} {mutant.kind} {verdict} {by}", file=sys.stderr, flush=True)
        yield Outcome(mutant=mutant, verdict=verdict, by=by)
        if deadline is not None and time.monotonic() > deadline:
            return


def files_of(module: str) -> list[str]:
    """The files and folders of the tests that must notice the mutants of a module."""
    return [f"tests/{each}" for each in TESTS.get(module) or TESTS[module.partition("/")[0]]]


def key_of(mutant: Mutant) -> tuple[str, str, str]:
    """What identifies a mutant when line numbers change."""
    return mutant.module, mutant.source, mutant.change


def explained() -> Mapping[tuple[str, str, str], str]:
    """Read why some mutants may survive."""
    rows = (line.split("\t") for line in EXPLAINED.read_text("utf-8").splitlines())
    return {(module, source, change): reason for module, source, change, reason in rows}


def table(outcomes: Sequence[Outcome]) -> str:
    """The outcomes by module and package, with the rate of those killed or explained and its 95 % interval."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each in outcomes:
        package = each.mutant.module.partition("/")[0]
        for name in {f"`{each.mutant.module}`", f"all of `{package}`"}:
            counts[name][each.verdict] += 1
    rows = []
    for name, verdicts in sorted(counts.items(), key=lambda item: (item[0].startswith("all"), item[0])):
        low, high = wilson(verdicts.total() - verdicts["survived"], verdicts.total())
        rate = 1 - verdicts["survived"] / verdicts.total()
        figures = [str(verdicts.total()), *(str(verdicts[each]) for each in VERDICTS)]
        rows.append([name, *figures, f"{rate:.0%} ({low:.0%} to {high:.0%})"])
    return markdown(["module", "mutants", *VERDICTS, "noticed or explained"], rows)


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a proportion, after Wilson."""
    z = 1.96
    middle = successes + z * z / 2
    half = z * sqrt(successes * (trials - successes) / trials + z * z / 4)
    return (middle - half) / (trials + z * z), (middle + half) / (trials + z * z)


def stale_explanations(mutants: Sequence[Mutant]) -> list[tuple[str, str, str]]:
    """What is explained and is no mutant any more."""
    return sorted(explained().keys() - {key_of(mutant) for mutant in mutants})
