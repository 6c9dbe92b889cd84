"""The detector on the corpus of shapes: every credential found, in its role, with its other half, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest
from binance_leaks.detect.engine import detect
from binance_leaks.model import Role

from tests.corpus import SHAPES, Case, fill, load, placeholders, values
from tests.corpus.judge import judge
from tests.corpus.record import RECORD, changes, recorded

CASES = load()
SEEDS = (1, 2)
RENEW = "If that is right, write the record anew and read its diff: python -m tests.corpus --record"
LEAST_POSITIVE = 1000
LEAST_NEGATIVE = 170


def _id(case: Case) -> str:
    return f"{case.family}/{case.id}"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case", CASES, ids=_id)
def test_case(case: Case, seed: int) -> None:
    filled = fill(case, seed)
    found = detect(filled.data, path=case.filename)
    assert judge(filled, found) == []
    if changed := changes(filled, found):
        pytest.fail("\n".join(("judged otherwise than recorded:", *changed, RENEW)), pytrace=False)


def test_record_has_the_cases_of_the_corpus() -> None:
    assert list(recorded()) == [case.id for case in CASES]


def test_ids_are_unique() -> None:
    assert len({case.id for case in CASES}) == len(CASES)


def test_corpus_is_large() -> None:
    positive = sum(bool(case.expect) for case in CASES)
    assert positive >= LEAST_POSITIVE
    assert len(CASES) - positive >= LEAST_NEGATIVE


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_entry_speaks_of_its_own_placeholders(case: Case) -> None:
    roles = {each.name: placeholders.role_of(each.base) for line in case.template for each in placeholders.parts(line)}
    expected = {each.value for each in case.expect}
    assert expected | case.tolerated <= roles.keys()
    assert {name for pair in case.pairs for name in pair} <= expected
    assert case.environments.keys() <= expected
    assert len({key for key, _ in case.pairs}) == len(case.pairs)
    assert all(roles[key] is Role.API_KEY and roles[secret] is not Role.API_KEY for key, secret in case.pairs)


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_entry_is_filled_anew_with_each_seed(case: Case) -> None:
    first, second = (fill(case, seed) for seed in SEEDS)
    text = first.data.decode(case.encoding)
    assert first.digests.keys() == second.digests.keys()
    assert len(set(first.digests.values())) == len(first.digests)
    assert not [name for name in first.digests if f"{{{name}}}" in text.replace(f"${{{name}}}", "")]


@pytest.mark.parametrize("path", [*sorted(SHAPES.glob("*.json")), RECORD], ids=lambda path: str(path.name))
def test_no_credential_is_in_the_corpus_itself(path: Path) -> None:
    assert re.search(r"[A-Za-z0-9+/]{40}", path.read_text(encoding="utf-8")) is None


@pytest.mark.parametrize("seed", range(50))
def test_generated_values_have_their_shapes(seed: int) -> None:
    rng = Random(seed)
    assert re.fullmatch(r"[A-Za-z0-9]{64}", values.hmac_value(rng))
    assert re.fullmatch(r"[0-9a-f]{64}", values.hex_value(rng))
    assert re.fullmatch(r"[0-9a-z]{64}", values.pay_value(rng))
    assert re.fullmatch(r"MC4CAQAwBQYDK2VwBCIEI[A-Za-z0-9+/]{43}", values.ed25519_pem_body(rng))
    assert re.fullmatch(r"[A-Za-z]+[0-9][A-Za-z]*", values.camel_identifier(rng))
