"""Every row of the table of environments is complete, and everything that names environments follows it."""

from __future__ import annotations

import os
import re
from importlib.resources import files
from pathlib import Path

import pytest
from binance_leaks.detect.candidates import Shape
from binance_leaks.detect.environment_evidence import NAMED, found_in
from binance_leaks.environments import HOSTS, Environment, most_prudent, probes_for

SCHEMAS = ("binance-leaks-1.schema.json", "binance-leaks-audit-1.schema.json")
NAMES = [environment.value for environment in Environment]
HEX_KEY = b"0123456789abcdef" * 4
every = pytest.mark.parametrize("environment", Environment)


@every
def test_a_row_is_complete(environment: Environment) -> None:
    """A member without a row fails here."""
    facts = environment.facts
    assert facts.title
    assert facts.stakes.endswith(".")
    assert bool(facts.unverifiable) != bool(probes_for(environment, b"Key"))
    assert all(probe.environment is environment for probe in facts.probes)
    assert facts.alphabet in {None, *(shape.value for shape in Shape)}
    assert facts.key_page.startswith("https://")
    assert facts.unverifiable not in {each.facts.unverifiable for each in Environment if each is not environment} - {""}


@every
def test_something_names_it(environment: Environment) -> None:
    facts = environment.facts
    assert (environment is Environment.UNKNOWN) == (facts.stated is None)
    for probe in facts.probes:
        assert environment in {hint for *_, hint in found_in(probe.host, NAMED)}, probe.host


def test_titles_and_hosts_are_not_shared() -> None:
    assert len({environment.facts.title for environment in Environment}) == len(Environment)
    assert len(HOSTS) == sum(len(environment.facts.probes) for environment in Environment)


def test_play_money_is_never_preferred_to_real_money() -> None:
    known = [environment for environment in Environment if environment is not Environment.UNKNOWN]
    assert known == sorted(known, key=lambda environment: environment.facts.play_money)
    assert most_prudent([Environment.TESTNET, Environment.US, Environment.UNKNOWN]) is Environment.US


def test_hex_keys_go_to_hex_systems_alone() -> None:
    for environment in (Environment.UNKNOWN, Environment.FUTURES_TESTNET):
        systems = {probe.environment for probe in probes_for(environment, HEX_KEY)}
        assert systems == {Environment.FUTURES_TESTNET, Environment.DEMO}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_list_all(name: str) -> None:
    """`UPDATE_GOLDEN=1` writes them."""
    path = Path(str(files("binance_leaks.report") / name))
    text = path.read_text(encoding="utf-8")
    listed = ", ".join(f'"{each}"' for each in NAMES)
    renewed, count = re.subn(r'"enum": \["mainnet", [^\]]*\]', f'"enum": [{listed}]', text)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(renewed, encoding="utf-8")
    assert count == 1
    assert renewed == text or os.environ.get("UPDATE_GOLDEN")
