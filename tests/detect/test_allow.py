"""The comments that allow a value, in the forms that the README shows."""

from __future__ import annotations

from random import Random

import pytest
from binance_leaks.detect.engine import detect

from tests.corpus.values import hmac_value

SAME_LINE = ("# binance-leaks: allow", "// binance-leaks: allow (revoked)", "# pragma: allowlist secret")
LINE_ABOVE = (
    "# binance-leaks: allow next line",
    "# binance-leaks: allow-next-line",
    "# pragma: allowlist nextline secret",
)


def allows(text: str) -> list[str | None]:
    """What allows each occurrence of a text."""
    return [
        occurrence.location.allowed for credential in detect(text.encode()) for occurrence in credential.occurrences
    ]


@pytest.mark.parametrize("comment", SAME_LINE)
def test_on_the_line(comment: str) -> None:
    assert all(allows(f'BINANCE_API_KEY = "{hmac_value(Random(1))}"  {comment}\n'))


@pytest.mark.parametrize("comment", LINE_ABOVE)
def test_on_the_line_above(comment: str) -> None:
    first, second = (f'BINANCE_API_KEY_{n} = "{hmac_value(Random(n))}"\n' for n in (1, 2))
    found = allows(f"{comment}\n{first}{second}")
    assert len(found) == 2
    assert sorted(map(bool, found)) == [False, True]


def test_not_from_the_far_end_of_a_long_line() -> None:
    mark = 'a="binance-leaks: allow";'
    assert allows(f'{mark}{"x();" * 400}BINANCE_SECRET="{hmac_value(Random(3))}"') == [None]


def test_not_by_other_words() -> None:
    assert allows(f'BINANCE_API_KEY = "{hmac_value(Random(4))}"  # allow\n') == [None]
