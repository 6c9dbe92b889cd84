"""Values and whole configuration files in base64: what they hold is found where the base64 is, and no piece of it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from itertools import product
from random import Random
from types import MappingProxyType

import pytest
from binance_leaks.detect.engine import detect

from tests.corpus import values

COLUMNS = (60, 64, 72, 76)
"""Where programs fold base64: Ruby, OpenSSL and PEM, some mail programs, MIME and coreutils."""


def _in_yaml(key: str, secret: str) -> str:
    return f"binance:\n  key: |\n    {key}\n  secret: |\n    {secret}\n".replace("\v", "\n    ")


def _in_shell(key: str, secret: str) -> str:
    head = "openssl base64 -d <<END"
    return f"BINANCE_KEY=$({head}\n{key}\nEND\n)\nBINANCE_SECRET=$({head}\n{secret}\nEND\n)\n".replace("\v", "\n")


def _in_toml(key: str, secret: str) -> str:
    return f'[binance]\nkey = """\n{key}\n"""\nsecret = """\n{secret}\n"""\n'.replace("\v", "\n")


FOLDED: Mapping[str, Callable[[str, str], str]] = MappingProxyType(
    {
        "a block of YAML": _in_yaml,
        "the same with CRLF": lambda key, secret: _in_yaml(key, secret).replace("\n", "\r\n"),
        "a folded scalar of YAML": lambda key, secret: _in_yaml(key, secret).replace("|", ">-"),
        "heredocs": _in_shell,
        "strings of TOML": _in_toml,
    }
)
"""Texts of a key and a secret in base64 that is folded at each vertical tab."""
CONTENTS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {"a value": str, "a value with a line feed": "{}\n".format, "a value with CRLF": "{}\r\n".format}
)


def folded(text: str, columns: int) -> str:
    """The base64 of a text with a vertical tab where it is folded."""
    encoded = b64encode(text.encode()).decode()
    return "\v".join(encoded[at : at + columns] for at in range(0, len(encoded), columns))


def found_in(text: str, path: str = "settings.txt") -> list[set[str]]:
    """The digests of the values of each credential that is found."""
    return [{value.sha256 for value in credential.values} for credential in detect(text.encode(), path=path)]


def digests(*found: str) -> set[str]:
    """The digests of some values."""
    return {sha256(value.encode()).hexdigest() for value in found}


@pytest.fixture
def pair() -> tuple[str, str]:
    """A key and its secret."""
    rng = Random(1)
    return values.hmac_value(rng), values.hmac_value(rng)


@pytest.fixture
def encoded(pair: tuple[str, str]) -> str:
    """The base64 of a file with a pair on its second and third line."""
    return b64encode("# account\nBINANCE_API_KEY={}\nBINANCE_API_SECRET={}\n".format(*pair).encode()).decode()


def test_a_file_in_base64(encoded: str) -> None:
    (found,) = detect(f"kind: Secret\ndata:\n  env: {encoded}\n".encode(), path="secret.yaml")
    assert len(found.values) == 2
    assert {(each.location.line, each.location.column) for each in found.occurrences} == {(3, 8)}


def test_base64_in_base64_is_not_followed(encoded: str) -> None:
    twice = b64encode(f"# binance\nenv: {encoded}\n".encode()).decode()
    assert detect(f"data:\n  env: {twice}\n".encode(), path="secret.yaml") == ()


@pytest.mark.parametrize("form", FOLDED)
def test_folded_values_are_one_pair(form: str, pair: tuple[str, str]) -> None:
    others = []
    for columns, (content, write) in product(COLUMNS, CONTENTS.items()):
        key, secret = (folded(write(value), columns) for value in pair)
        if found_in(FOLDED[form](key, secret)) != [digests(*pair)]:
            others.append((content, columns))
    assert others == []


@pytest.mark.parametrize("columns", COLUMNS)
def test_one_half_may_be_plain(columns: int, pair: tuple[str, str]) -> None:
    key, secret = pair
    assert found_in(_in_yaml(key, folded(secret, columns))) == [digests(*pair)]
    assert found_in(_in_yaml(folded(key, columns), secret)) == [digests(*pair)]


@pytest.mark.parametrize("columns", COLUMNS)
def test_both_may_be_in_one_folded_text(columns: int, pair: tuple[str, str]) -> None:
    lines = folded(":".join(pair), columns).replace("\v", "\n    ")
    assert found_in(f"binance:\n  auth: |\n    {lines}\n") == [digests(*pair)]


@pytest.mark.parametrize("columns", (*COLUMNS, 128))
def test_lines_of_an_encoded_text_are_no_values(columns: int) -> None:
    """Not even 128 characters, which would be two values with nothing between them."""
    text = folded(
        "Nothing is in this text that anybody may not read, as it speaks of a bot and of those who use it.", columns
    )
    assert found_in(_in_yaml(text, text)) == []


def test_a_folded_value_alone(pair: tuple[str, str]) -> None:
    lines = folded(pair[1], 64).replace("\v", "\n")
    assert found_in(f"{lines}\n", "binance_secret.b64") == [digests(pair[1])]
