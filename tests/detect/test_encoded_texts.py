"""Values and whole configuration files in base64: what they hold is found where the base64 is, and no piece of it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from itertools import product
from random import Random
from types import MappingProxyType

import pytest
from binance_leaks.detect import first_test, prefilter
from binance_leaks.detect.engine import detect

from tests.corpus import values

COLUMNS = (60, 64, 72, 76, 80)
"""Where programs fold base64: Ruby, OpenSSL and PEM, mail programs, MIME and coreutils, `fold`."""


_YAML = "binance:\n  key: {0}\n    {{}}\n  secret: {0}\n    {{}}\n"


def _as(text: str, joint: str) -> Callable[[str, str], str]:
    """Write values in a text that has places for them, with a joint where they are folded."""
    return lambda key, secret: text.format(*(each.replace("\v", joint) for each in (key, secret)))


_PYTHON = "import binance\nKEY = b64decode({}'{{}}')\nSECRET = b64decode({}'{{}}')\n"
_JAVA = 'Binance.key = of("{}");\nBinance.secret = of("{}");\n'
FOLDED: Mapping[str, Callable[[str, str], str]] = MappingProxyType(
    {
        "a block of YAML": _as(_YAML.format("|"), "\n    "),
        "the same with CRLF": _as(_YAML.format("|").replace("\n", "\r\n"), "\r\n    "),
        "a folded scalar of YAML": _as(_YAML.format(">-"), "\n    "),
        "a comment in YAML": _as(_YAML.format("|").replace("\n", "\n# "), "\n#     "),
        "a patch": _as(_YAML.format("|").replace("\n", "\n+"), "\n+    "),
        "a quoted message": _as(_YAML.format("|").replace("\n", "\n> "), "\n>     "),
        "heredocs": _as("KEY=$(base64 -d <<END\n{}\nEND\n)\nSECRET=$(base64 -d <<END\n{}\nEND\n) # binance\n", "\n"),
        "continued lines": _as("printf %s binance_key= \\\n{}\nprintf %s binance_secret= \\\n{}\n", " \\\n  "),
        "strings of TOML": _as('[binance]\nkey = """\n{}\n"""\nsecret = """\n{}\n"""\n', "\n"),
        "continued strings of TOML": _as('[binance]\nkey = """\\\n{}"""\nsecret = """\\\n{}"""\n', "\\\n  "),
        "armour": _as(
            "binance_key: |\n  -----BEGIN A-----\n  {}\nbinance_secret: |\n  -----BEGIN A-----\n  {}\n", "\n  "
        ),
        "JSON": _as('{{"binance_key": "{}\\n", "binance_secret": "{}\\n"}}\n', "\\n"),
        "JSON in JSON": _as('{{"binance": "{{\\"key\\": \\"{}\\", \\"secret\\": \\"{}\\"}}"}}\n', "\\\\n"),
        "JSON of YAML": _as('{{"a": "binance:\\n  key: |\\n    {}\\n  secret: |\\n    {}\\n"}}\n', "\\n    "),
        "JSON with the line feeds of a Mac": _as('{{"binance_key": "{}", "binance_secret": "{}"}}\n', "\\r"),
        "a URL": _as("https://api.binance.com/?key={}&secret={}\n", "%0A"),
        "XML": _as("<binance><key>{}</key><secret>{}</secret></binance>\n", "&#10;"),
        "literals of Python": _as(_PYTHON.format("", ""), "'\n  '"),
        "bytes of Python": _as(_PYTHON.format("b", "b"), "'\n  b'"),
        "literals with line feeds": _as(_PYTHON.format("", ""), "\\n'\n  '"),
        "literals on one line": _as(_PYTHON.format("", ""), "' '"),
        "Ruby": _as("Binance.key = of('{}')\nBinance.secret = of('{}')\n", "' \\\n  '"),
        "Java": _as(_JAVA, '" +\n    "'),
        "Java with the sign before": _as(_JAVA, '\\n"\n    + "'),
        "JavaScript": _as(_JAVA, '" + "'),
        "PHP": _as(_JAVA, '" .\n "'),
        "Visual Basic": _as(_JAVA, '" & _\n    "'),
        "a notebook": _as(
            """{{"source": ["binance.key = of('{}')\\n", "secret = of('{}')"]}}\n""", """'\\n",\n "    '"""
        ),
        "a program in JSON": _as(
            """{{"a": "binance.key = of(\\"{}\\")\\nsecret = of(\\"{}\\")"}}\n""", """\\" +\\n    \\\""""
        ),
        "a list": _as(_JAVA.replace('("{}")', '(["{}"].join(""))'), '",\n "'),
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


def test_base64_in_base64_is_followed_to_a_depth(encoded: str) -> None:
    for _ in range(2):
        encoded = b64encode(f"env: {encoded}\n".encode()).decode()
        (found,) = detect(f"data:\n  env: {encoded}\n".encode(), path="secret.yaml")
        assert len(found.values) == 2
        assert {(each.location.line, each.location.column) for each in found.occurrences} == {(2, 8)}
    deeper = b64encode(f"env: {encoded}\n".encode()).decode()
    assert detect(f"data:\n  env: {deeper}\n".encode(), path="secret.yaml") == ()


@pytest.mark.parametrize("columns", [86, 88, 96, 100, 120, 128, 200])
def test_a_file_in_base64_is_folded_at_any_width(encoded: str, columns: int) -> None:
    lines = "\n".join(encoded[at : at + columns] for at in range(0, len(encoded), columns))
    (found,) = detect(f"env: |\n{lines}\n".encode(), path="secret.txt")
    assert len(found.values) == 2


@pytest.mark.parametrize("form", ["{}\n{}\n", "- {}\n- {}\n", '"{}",\n"{}"\n'])
@pytest.mark.parametrize(
    "texts",
    [
        ("{}\r\n", "{}\r\n"),
        ("This is a note about the account that my brother has on the exchange, ask him, it's Bob", "{}"),
        ("{}\r\n", "the text below is not a part of the one above"),
    ],
)
def test_lines_that_are_texts_of_their_own_are_no_folded_one(
    form: str, texts: tuple[str, str], pair: tuple[str, str]
) -> None:
    written = [b64encode(text.format(value).encode()).decode() for text, value in zip(texts, pair, strict=True)]
    assert "=" not in written[0]
    held = [value for text, value in zip(texts, pair, strict=True) if "{" in text]
    assert set().union(*found_in("# binance\n" + form.format(*written))) == digests(*held)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16-be", "utf-16"])
def test_base64_of_a_text_with_a_mark_or_in_utf_16(encoding: str, pair: tuple[str, str]) -> None:
    script = "$env:BINANCE_API_KEY='{}'; $env:BINANCE_API_SECRET='{}'".format(*pair)
    encoded = b64encode(script.encode(encoding)).decode()
    assert found_in(f"powershell -EncodedCommand {encoded}\n") == [digests(*pair)]


@pytest.mark.parametrize("form", FOLDED)
def test_folded_values_are_one_pair(form: str, pair: tuple[str, str]) -> None:
    others = []
    for columns, (content, write) in product(COLUMNS, CONTENTS.items()):
        key, secret = (folded(write(value), columns) for value in pair)
        text = FOLDED[form](key, secret)
        if found_in(text) != [digests(*pair)]:
            others.append((content, columns))
        assert first_test.may_hold(text.encode())
        assert prefilter.may_hold(text.encode())
    assert others == []


@pytest.mark.parametrize("columns", COLUMNS)
def test_one_half_may_be_plain(columns: int, pair: tuple[str, str]) -> None:
    key, secret = pair
    assert found_in(FOLDED["a block of YAML"](key, folded(secret, columns))) == [digests(*pair)]
    assert found_in(FOLDED["a block of YAML"](folded(key, columns), secret)) == [digests(*pair)]


@pytest.mark.parametrize("columns", (*COLUMNS, 86, 100, 120, 128))
def test_both_may_be_in_one_folded_text(columns: int, pair: tuple[str, str]) -> None:
    lines = folded(":".join(pair), columns).replace("\v", "\n    ")
    assert found_in(f"binance:\n  auth: |\n    {lines}\n") == [digests(*pair)]


@pytest.mark.parametrize("columns", (*COLUMNS, 128))
def test_lines_of_an_encoded_text_are_no_values(columns: int) -> None:
    """Not even 128 characters, which would be two values with nothing between them."""
    text = folded(
        "Nothing is in this text that anybody may not read, as it speaks of a bot and of those who use it.", columns
    )
    assert found_in(FOLDED["a block of YAML"](text, text)) == []


def test_a_folded_value_alone(pair: tuple[str, str]) -> None:
    lines = folded(pair[1], 64).replace("\v", "\n")
    assert found_in(f"{lines}\n", "binance_secret.b64") == [digests(pair[1])]
