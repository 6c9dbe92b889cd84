"""The detector on the corpus of shapes: every credential found, in its role, with its other half, and nothing else."""

from __future__ import annotations

import re
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from random import Random

import pytest
from binance_leaks.detect.engine import detect
from binance_leaks.model import Role

from tests.corpus import SHAPES, Case, fill, load, placeholders, values
from tests.corpus.judge import judge
from tests.corpus.record import RECORD, changes, recorded

CASES = load()
FAMILIES = {family: list(cases) for family, cases in groupby(CASES, attrgetter("family"))}
SEEDS = (1, 2)
RENEW = "If that is right, write the record anew and read its diff: python -m tests.corpus --record"
LEAST_POSITIVE = 1000
LEAST_NEGATIVE = 170


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_case(family: str, seed: int) -> None:
    mistakes, changed = [], []
    for case in FAMILIES[family]:
        filled = fill(case, seed)
        found = detect(filled.data, path=case.filename)
        mistakes += [f"{case.id}: {mistake}" for mistake in judge(filled, found)]
        changed += changes(filled, found)
    assert mistakes == []
    if changed:
        pytest.fail("\n".join(("judged otherwise than recorded:", *changed, RENEW)), pytrace=False)


def test_record_has_the_cases_of_the_corpus() -> None:
    assert list(recorded()) == [case.id for case in CASES]


def test_ids_are_unique() -> None:
    assert len({case.id for case in CASES}) == len(CASES)


def test_corpus_is_large() -> None:
    positive = sum(bool(case.expect) for case in CASES)
    assert positive >= LEAST_POSITIVE
    assert len(CASES) - positive >= LEAST_NEGATIVE


@pytest.mark.parametrize("family", FAMILIES)
def test_entries_speak_of_their_own_placeholders(family: str) -> None:
    for case in FAMILIES[family]:
        _check_placeholders(case)


def _check_placeholders(case: Case) -> None:
    roles = {each.name: placeholders.role_of(each.base) for line in case.template for each in placeholders.parts(line)}
    expected = {each.value for each in case.expect}
    assert expected | case.tolerated <= roles.keys(), case.id
    assert {name for pair in case.pairs for name in pair} <= expected, case.id
    assert case.environments.keys() <= expected, case.id
    assert len({key for key, _ in case.pairs}) == len(case.pairs), case.id
    assert all(roles[key] is Role.API_KEY and roles[secret] is not Role.API_KEY for key, secret in case.pairs), case.id


@pytest.mark.parametrize("family", FAMILIES)
def test_entries_are_filled_anew_with_each_seed(family: str) -> None:
    for case in FAMILIES[family]:
        first, second = (fill(case, seed) for seed in SEEDS)
        text = first.data.decode(case.encoding)
        assert first.digests.keys() == second.digests.keys(), case.id
        assert len(set(first.digests.values())) == len(first.digests), case.id
        assert not [name for name in first.digests if f"{{{name}}}" in text.replace(f"${{{name}}}", "")], case.id


@pytest.mark.parametrize("path", [*sorted(SHAPES.glob("*.json")), RECORD], ids=lambda path: str(path.name))
def test_no_credential_is_in_the_corpus_itself(path: Path) -> None:
    assert re.search(r"[A-Za-z0-9+/]{40}", path.read_text(encoding="utf-8")) is None


def test_generated_values_have_their_shapes() -> None:
    for rng in map(Random, range(50)):
        assert re.fullmatch(r"[A-Za-z0-9]{64}", values.hmac_value(rng))
        assert re.fullmatch(r"[0-9a-f]{64}", values.hex_value(rng))
        assert re.fullmatch(r"[0-9a-z]{64}", values.pay_value(rng))
        assert re.fullmatch(r"MC4CAQAwBQYDK2VwBCIEI[A-Za-z0-9+/]{43}", values.ed25519_pem_body(rng))
        assert re.fullmatch(r"[A-Za-z]+[0-9][A-Za-z]*", values.camel_identifier(rng))
