"""Every target holds the laws for some inputs, and a target that breaks one is noticed."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from random import Random

import pytest

from tests.fuzz import runs
from tests.fuzz.__main__ import main
from tests.fuzz.broken import BROKEN
from tests.fuzz.laws import Laws, Target
from tests.fuzz.planted import Planted
from tests.fuzz.runs import run
from tests.fuzz.targets import TARGETS
from tests.fuzz.worker import Inputs, prepare

INPUTS = 40
SEED = 7


@pytest.fixture
def planted() -> Planted:
    return Planted.of(SEED)


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_the_laws_hold(target: Target, planted: Planted) -> None:
    with prepare(target):
        inputs = Inputs(target, planted, Random(SEED))
        laws = Laws(target, planted)
        seeds = inputs.pool[:INPUTS]
        for data in [*seeds, *islice(inputs, len(inputs.pool), len(inputs.pool) + INPUTS)]:
            violation, _ = laws.check(data)
            assert violation is None, f"{violation}\n{data!r}"


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_law_is_noticed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, law = BROKEN[name]
    if name == "a wait":
        monkeypatch.setattr(runs, "STALLED_SECONDS", 2.0)
    (tally,) = run([target], seed=SEED, processes=1, seconds=20, most=4, hang=0.5 if law == "hang" else 20)
    assert {found.violation.law for found in tally.found} == {law}
    assert tally.inputs
    found = tally.found[0]
    assert f"--seed {SEED} --input" in found.save(tmp_path)
    assert (tmp_path / f"{found.name}.input").read_bytes() == found.data
    if law not in ("death", "hang", "memory"):
        violation, _ = Laws(target, Planted.of(SEED)).check(found.data)
        assert violation is not None


def test_without_atheris_it_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert main(["--atheris", "--target", "lfs"]) == 2
    assert "pip install atheris" in capsys.readouterr().err


def test_the_program_counts_and_repeats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--target", "lfs", "--seed", "1"]
    assert main([*words, "--minutes", "0.02", "--processes", "1", "--findings", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line] == ["target", "lfs", "all", "seed"]
    assert int(lines[2].split()[1].replace(",", "")) > 100
    (tmp_path / "one").write_bytes(b"x")
    assert main([*words, "--input", str(tmp_path / "one")]) == 0
    assert capsys.readouterr().out == "lfs: nothing is wrong\n"
