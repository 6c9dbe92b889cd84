"""What somebody may write near a value so that it is taken for something else."""

from __future__ import annotations

from random import Random

import pytest
from binance_leaks.detect.credentials import merge_credentials
from binance_leaks.detect.engine import detect
from binance_leaks.model import Confidence

from tests.corpus import values


@pytest.mark.parametrize(
    "above",
    [
        "# the format is -----BEGIN PRIVATE KEY-----, see the manual",
        "-----BEGIN PRIVATE KEY-----",
        'HEADER = "-----BEGIN CERTIFICATE-----"',
        "-----BEGIN PGP SIGNATURE-----\n# no end",
    ],
)
def test_a_block_that_has_no_end(above: str) -> None:
    rng = Random(1)
    pair = values.hmac_value(rng), values.hmac_value(rng)
    (found,) = detect(f"{above}\nBINANCE_API_KEY={pair[0]}\nBINANCE_API_SECRET={pair[1]}\n".encode(), path=".env")
    assert len(found.values) == 2


_MENTIONS = (
    'if pem.startswith("{}"):', 'assert "{}" in text', 'const MARK = "{}"', "# {}", "## {}", "Keys begin with `{}`.",
    '- "{}"', '  "marker": "{}",', '  "{}": 1,', "/* {} */", 'MARK = "{}\\n"',
)  # fmt: skip
_BETWEEN = ("", "x()\n", "\n", "x()\n\n", "# see below\n\n\n")


@pytest.mark.parametrize(
    "form", ['client = (\n    "{}", "{}"\n)', '["{}", "{}"]', "{}\n{}", '("{}", "{}")', "`{}` `{}`", "# {}\n# {}\npass"]
)
@pytest.mark.parametrize(
    "marker",
    [
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----",
        "-----END ENCRYPTED PRIVATE KEY-----",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PGP SIGNATURE-----",
        "BEGIN RSA PRIVATE KEY",
    ],
)
def test_a_mention_of_armour_above_hides_no_pair(form: str, marker: str) -> None:
    rng = Random(5)
    pair = form.format(values.hmac_value(rng), values.hmac_value(rng))
    for mention in _MENTIONS:
        for between in _BETWEEN:
            text = f"from binance import Client\n{mention.format(marker)}\n{between}{pair}\n"
            (found,) = detect(text.encode(), path="bot.py")
            assert (len(found.values), found.confidence) == (2, Confidence.HIGH), text


@pytest.mark.parametrize("third", ["USDT", "x1y2", "BTC/USDT", "0123456789abcdef" * 2])
@pytest.mark.parametrize("form", ['("{}", "{}", "{}")', "{}:{}:{}", "{}; {}; {}", '"{}", "{}",\n"{}"\npass'])
def test_what_else_is_in_a_row_of_values_ends_no_body(form: str, third: str) -> None:
    rng = Random(8)
    row = form.format(values.hmac_value(rng), values.hmac_value(rng), third)
    (found,) = detect(f"# binance\n# -----BEGIN PRIVATE KEY-----\n\n{row}\n".encode(), path="bot.py")
    assert len(found.values) == 2


@pytest.mark.parametrize(
    "body",
    [
        'secret = (\n    b"{}\\n"\n    b"{}\\n"\n)',
        '"{}" & _\n"{}" & _\n""',
        "{}\n\n{}\n-----END PRIVATE KEY-----",
        "{}\n\n{}\nAb+/==",
    ],
)
def test_the_body_of_armour_is_no_value(body: str) -> None:
    text = "# binance\n" + body.format("-----BEGIN PRIVATE KEY-----", "MII" + values.hmac_value(Random(6))[3:])
    assert not detect(text.encode(), path="bot.py")


@pytest.mark.parametrize("line", ["# {}", "| {} |", "> {}", "- {}", "+{}", "12:36:01 app: {}"])
@pytest.mark.parametrize("marker", ["-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"])
def test_lines_framed_like_a_marker_are_no_body_where_they_do_not_begin_as_one(marker: str, line: str) -> None:
    rng = Random(7)
    lines = (marker, values.hmac_value(rng), values.hmac_value(rng))
    (found,) = detect(("# binance\n" + "\n".join(map(line.format, lines))).encode(), path="bot.py")
    assert len(found.values) == 2


def test_a_block_in_one_line_is_still_one() -> None:
    rng = Random(2)
    body = "\\n".join(values.hmac_value(rng) for _ in range(6))
    assert not detect(f'binance_key = "-----BEGIN RSA PRIVATE KEY-----\\n{body}"\n'.encode(), path="bot.py")


def test_another_service_in_another_file() -> None:
    """A second place that names another service takes nothing from the first."""
    rng = Random(3)
    pair = values.hmac_value(rng), values.hmac_value(rng)
    first = detect(f'from binance.client import Client\nClient("{pair[0]}", "{pair[1]}")\n'.encode(), path="bot.py")
    second = detect(f"KRAKEN_API_KEY={pair[0]}\nKRAKEN_API_SECRET={pair[1]}\n".encode(), path="other.env")
    (found,) = merge_credentials([*first, *second])
    assert found.confidence is Confidence.HIGH
    assert all(credential.confidence is Confidence.LOW for credential in second)


def test_a_long_body_is_no_trap() -> None:
    """What a pattern could match in very many ways ends all the same."""
    text = "-----BEGIN KEY-----" + "+ \\\n" * 700 + "!\n" + f"BINANCE_API_KEY={values.hmac_value(Random(4))}\n"
    assert len(detect(text.encode(), path="a.env")) == 1
