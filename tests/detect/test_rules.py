"""The rules: every example is found by its rule, no counter-example is, and no finding comes from an unknown rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from binance_leaks.detect import rules
from binance_leaks.detect.engine import detect
from binance_leaks.detect.rules import RULES, Example, Rule
from binance_leaks.model import Confidence, Credential, Occurrence, Role

from tests.corpus import Case, Filled, fill, load, placeholders

SEEDS = (1, 2, 3)
FEWEST_EXAMPLES = 4
PRIVATE_KEY_RULES = frozenset({rules.PRIVATE_KEY_PEM, rules.PRIVATE_KEY_BASE64, rules.ED25519_SEED})


def _filled(example: Example, seed: int) -> Filled:
    case = Case(
        id=example.text,
        family="rules",
        filename=example.path,
        template=tuple(example.text.split("\n")),
        expect=(),
        pairs=(),
        environments={},
        floor=example.confidence,
    )
    return fill(case, seed)


def _credentials_in(example: Example) -> dict[str, Role]:
    """The names of the placeholders that stand for credentials, with their roles."""
    named = {each.name: placeholders.role_of(each.base) for each in placeholders.parts(example.text)}
    return {name: role for name, role in named.items() if role is not None}


def _occurrences(found: tuple[Credential, ...], digest: str) -> Iterator[tuple[Credential, Occurrence]]:
    for credential in found:
        for occurrence in credential.occurrences:
            if occurrence.value.sha256 == digest:
                yield credential, occurrence


def _rule_of(rule: Rule, role: Role) -> str:
    """The rule that finds a value of this role: an API key beside a private key is found by that of API keys."""
    return rules.HMAC if rule.id in PRIVATE_KEY_RULES and role is not Role.PRIVATE_KEY else rule.id


each_rule = pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])


@each_rule
def test_examples_are_found_by_their_rule(rule: Rule) -> None:
    for example, seed in product(rule.examples, SEEDS):
        filled = _filled(example, seed)
        found = detect(filled.data, path=example.path)
        roles = _credentials_in(example)
        assert rule.id in {_rule_of(rule, role) for role in roles.values()}, example
        for name, role in roles.items():
            seen = list(_occurrences(found, filled.digests[name]))
            assert {occurrence.rule for _, occurrence in seen} == {_rule_of(rule, role)}, (name, example)
            confidences = {credential.confidence for credential, _ in seen}
            assert max(confidences) >= example.confidence, (name, example)
            if example.confidence is Confidence.LOW:
                assert confidences == {Confidence.LOW}, (name, example)


@each_rule
def test_counter_examples_are_left(rule: Rule) -> None:
    found_in = [
        example
        for example, seed in product(rule.counter_examples, SEEDS)
        for credential in detect(_filled(example, seed).data, path=example.path)
        if credential.confidence >= Confidence.MEDIUM
        and rule.id in {occurrence.rule for occurrence in credential.occurrences}
    ]
    assert found_in == []


@each_rule
def test_rule_is_described(rule: Rule) -> None:
    assert len(rule.examples) >= FEWEST_EXAMPLES
    assert len(rule.counter_examples) >= FEWEST_EXAMPLES
    assert len({*rule.examples, *rule.counter_examples}) == len(rule.examples) + len(rule.counter_examples)
    assert len(rule.title) <= 60
    assert not rule.title.endswith(".")
    assert 2 <= len(re.findall(r"\.(?:\s|$)", rule.description)) <= 5
    assert "  " not in rule.description


def test_ids_are_unique_and_lead_to_their_rules() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rules.rule(each.id) is each for each in RULES)
    with pytest.raises(KeyError):
        rules.rule("none")
    assert {each.id for each in RULES} >= rules.STRICT | rules.OF_ONE_ACCOUNT


def test_the_corpus_is_found_by_these_rules_and_needs_each() -> None:
    found = {
        occurrence.rule
        for case in load()
        for credential in detect(fill(case, SEEDS[0]).data, path=case.filename)
        for occurrence in credential.occurrences
    }
    assert found == {rule.id for rule in RULES}


def test_no_value_is_in_the_rules() -> None:
    assert re.search(r"[A-Za-z0-9+/]{40}", Path(rules.__file__).read_text(encoding="utf-8")) is None
