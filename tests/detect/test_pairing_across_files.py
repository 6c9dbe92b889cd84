"""Halves of one credential in two files: paired where there is one best partner, else not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

import pytest
from binance_leaks.detect.engine import detect
from binance_leaks.detect.pairing import same_world
from binance_leaks.detect.pairing_across_files import pair_across_files
from binance_leaks.model import Confidence, Credential, Environment

from tests.corpus import values

_KEY = 'import binance\napi_key = "{key}"\n'
_SECRET = 'import binance\napi_secret = "{secret}"\n'
_UNKNOWN_KEY = 'api_key = "{key}"\n'
_UNKNOWN_SECRET = 'api_secret = "{secret}"\n'
_PRIVATE_KEY = "-----BEGIN PRIVATE KEY-----\n{private}\n-----END PRIVATE KEY-----\n"


def _paired(files: Mapping[str, str]) -> tuple[tuple[Credential, ...], set[frozenset[str]]]:
    """What is found in some files, and the paths of each pair."""
    rng = Random("across")
    names = ("key", "secret", "key2", "secret2")
    filled = {name: values.hmac_value(rng) for name in names}
    filled["encrypted"] = values.encrypted_pem(rng)
    filled |= {"private": values.ed25519_pem_body(rng), "hexadecimal": values.hex_value(rng)}
    found = [
        credential for path, text in files.items() for credential in detect(text.format(**filled).encode(), path=path)
    ]
    assert all(len(credential.values) == 1 for credential in found)
    paired = pair_across_files(found)
    return paired, {frozenset(_paths(credential)) for credential in paired if len(credential.values) == 2}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Environment.MAINNET, Environment.MAINNET, True),
        (Environment.MAINNET, Environment.US, True),
        (Environment.TESTNET, Environment.FUTURES_TESTNET, True),
        (Environment.MAINNET, Environment.TESTNET, False),
        (Environment.UNKNOWN, Environment.TESTNET, True),
        (Environment.MAINNET, Environment.UNKNOWN, True),
    ],
)
def test_no_pair_is_of_real_and_of_play_money(one: Environment, other: Environment, expected: bool) -> None:
    assert same_world(one, other) is expected


def _paths(credential: Credential) -> Iterator[str]:
    return (occurrence.location.path for occurrence in credential.occurrences)


@pytest.mark.parametrize(
    ("files", "is_pair"),
    [
        pytest.param({"a/key.py": _KEY, "a/secret.py": _SECRET}, True, id="side by side"),
        pytest.param({"a/b/c/d/key.py": _KEY, "a/e/f/g/secret.py": _SECRET}, True, id="six folders between"),
        pytest.param({"a/b/c/d/key.py": _KEY, "a/e/f/g/h/secret.py": _SECRET}, False, id="seven folders between"),
        pytest.param({"a/key.py": _UNKNOWN_KEY, "a/secret.py": _UNKNOWN_SECRET}, True, id="nothing of Binance"),
        pytest.param({"key.py": _UNKNOWN_KEY, "a/secret.py": _UNKNOWN_SECRET}, False, id="nothing of Binance, apart"),
        pytest.param({"key.py": _KEY, "a/secret.py": _UNKNOWN_SECRET}, False, id="Binance in one, apart"),
        pytest.param({"a.env": "BINANCE_KEY_1={key}", "b.env": "BINANCE_SECRET_1={secret}"}, True, id="one account"),
        pytest.param({"a.env": "BINANCE_KEY_1={key}", "b.env": "BINANCE_SECRET_2={secret}"}, False, id="two accounts"),
        pytest.param({"a.env": "BINANCE_KEY={key}", "b.env": "BINANCE_SECRET_2={secret}"}, True, id="one is numbered"),
        pytest.param(
            {"a.env": "BINANCE_TESTNET_KEY={key}", "b.env": "BINANCE_US_SECRET={secret}"},
            False,
            id="play and real money",
        ),
        pytest.param({"a.env": "BINANCE_KEY={key}", "b.env": "KRAKEN_SECRET={secret}"}, False, id="another exchange's"),
        pytest.param({"key.py": _KEY, "ed.pem": "Binance\n" + _PRIVATE_KEY}, True, id="a private key"),
        pytest.param({"key.py": _KEY, "ed.pem": _PRIVATE_KEY}, False, id="a private key of whatever"),
        pytest.param({"key.py": _KEY, "ed.pem": "Binance\n{encrypted}"}, False, id="an encrypted private key"),
        pytest.param(
            {"a.env": "BINANCE_TESTNET_KEY={hexadecimal}", "b.env": "BINANCE_TESTNET_SECRET={secret}"},
            False,
            id="shapes",
        ),
        pytest.param({"a.txt": "binance\n{key}\n", "secret.py": _SECRET}, False, id="one has no name"),
    ],
)
def test_two_halves(files: Mapping[str, str], is_pair: bool) -> None:
    paired, pairs = _paired(files)
    assert pairs == ({frozenset(files)} if is_pair else set())
    assert len(paired) == (1 if is_pair else 2)


def test_names_of_one_account_count_before_folders() -> None:
    files = {
        "a/keys.env": "BINANCE_MAIN_KEY={key}",
        "a/one.env": "BINANCE_SECRET={secret}",
        "b/two.env": "BINANCE_MAIN_SECRET={secret2}",
    }
    paired, pairs = _paired(files)
    assert pairs == {frozenset({"a/keys.env", "b/two.env"})}
    assert len(paired) == 2


def test_the_nearest_folder_counts() -> None:
    files = {"a/b/key.py": _KEY, "a/b/secret.py": _SECRET, "a/secret.py": 'import binance\napi_secret = "{secret2}"\n'}
    assert _paired(files)[1] == {frozenset({"a/b/key.py", "a/b/secret.py"})}


@pytest.mark.parametrize("other", ["key2", "secret2"])
def test_two_that_are_as_good_are_not_paired(other: str) -> None:
    name = "api_key" if other == "key2" else "api_secret"
    files = {"key.py": _KEY, "secret.py": _SECRET, "other.py": f'import binance\n{name} = "{{{other}}}"\n'}
    paired, pairs = _paired(files)
    assert pairs == set()
    assert len(paired) == 3


def test_a_pair_has_what_both_files_say() -> None:
    (pair,), _ = _paired({"a.env": "API_KEY={key}", "b.py": _SECRET})
    assert pair.confidence is Confidence.HIGH
    assert pair.environment is Environment.MAINNET
    assert pair.evidence == ("named “API_KEY”", "named “api_secret”", "“binance” nearby")


def test_each_occurrence_may_be_the_near_one() -> None:
    files = {"a/b/c/d/e/f/g/key.py": _KEY, "x/key.py": _KEY, "x/secret.py": _SECRET}
    (pair,), _ = _paired(files)
    assert set(_paths(pair)) == set(files)
