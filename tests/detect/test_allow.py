"""The comments that allow a value, in the forms that the README shows."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
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


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_what_ends_a_line_ends_what_a_comment_allows(end: str) -> None:
    first, second, third = (f'BINANCE_API_KEY_{n} = "{hmac_value(Random(n))}"' for n in (1, 2, 3))
    for comment, above in ((SAME_LINE[0], LINE_ABOVE[0]), (SAME_LINE[2], LINE_ABOVE[2])):
        found = allows(end.join([first, f"{second}  {comment}", third, ""]))
        assert list(map(bool, found)) == [False, True, False]
        found = allows(end.join([first, above, second, third, ""]))
        assert list(map(bool, found)) == [False, True, False]
        assert allows(end.join([comment, "x = 1", first, ""])) == [None]


def test_not_from_the_far_end_of_a_long_line() -> None:
    mark = 'a="binance-leaks: allow";'
    assert allows(f'{mark}{"x();" * 400}BINANCE_SECRET="{hmac_value(Random(3))}"') == [None]


def test_not_by_other_words() -> None:
    assert allows(f'BINANCE_API_KEY = "{hmac_value(Random(4))}"  # allow\n') == [None]


def escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


ESCAPED: dict[str, Callable[[str], str]] = {
    "a notebook's cell in one string": lambda text: json.dumps({"cells": [{"source": text}]}),
    "one string in a longer file": lambda text: json.dumps({"cells": [{"source": text}]}, indent=1),
    "JSON in a string of JSON": lambda text: json.dumps({"notebook": json.dumps({"source": text})}),
    "YAML": lambda text: f'a: 1\nscript: "{escaped(text)}"\nb: 2\n',
    "Windows line ends": lambda text: json.dumps({"source": text.replace("\n", "\r\n")}),
    "a string of a program": lambda text: "open('.env', 'w').write(`" + text.replace("\n", "\\n") + "`)\n",
    "Unicode escapes": lambda text: '{"source": "' + escaped(text).replace("\\n", "\\u000a") + '"}',
    "character references": lambda text: '<run script="' + html.escape(text).replace("\n", "&#10;") + '"/>',
}


@pytest.mark.parametrize("form", ESCAPED)
@pytest.mark.parametrize("quote", ["'", '"', ""])
class TestEscapedLines:
    """A comment belongs to its line of the text, also where the lines are escapes in one line of the file."""

    def allowed(self, form: str, text: str) -> list[bool]:
        """Which values are allowed, in their order in the text."""
        found = [
            occurrence
            for credential in detect(ESCAPED[form](text).encode(), path="binance.ipynb")
            for occurrence in credential.occurrences
        ]
        assert len({occurrence.value for occurrence in found}) == text.count("=")
        found.sort(key=lambda occurrence: (occurrence.location.line, occurrence.location.column))
        return [occurrence.location.allowed is not None for occurrence in found]

    def line(self, name: str, quote: str, seed: int) -> str:
        return f"BINANCE_{name} = {quote}{hmac_value(Random(seed))}{quote}"

    def test_on_the_line_alone(self, form: str, quote: str) -> None:
        first, second, third = (self.line(f"API_KEY_{seed}", quote, seed) for seed in (1, 2, 3))
        text = f"# binance\n{first}\n{second}  # binance-leaks: allow\n{third}\n"
        assert self.allowed(form, text) == [False, True, False]

    def test_the_next_line_alone(self, form: str, quote: str) -> None:
        first, second, third = (self.line(f"API_KEY_{seed}", quote, seed) for seed in (1, 2, 3))
        text = f"{first}\n# binance-leaks: allow next line (it's old)\n{second}\n{third}\n"
        assert self.allowed(form, text) == [False, True, False]

    def test_not_the_line_after_the_string(self, form: str, quote: str) -> None:
        first = self.line("API_KEY", quote, 1)
        text = ESCAPED[form](f"# binance-leaks: allow next line\n{first}\n")
        text = text.rstrip("\n") + f'\nBINANCE_API_SECRET = "{hmac_value(Random(2))}"\n'
        assert sorted(map(bool, allows(text))) == [False, True]


OF_THE_WHOLE_LINE = (
    """client = Client("{}", "x\\n")  # binance-leaks: allow\n""",
    """write("BINANCE_API_KEY={}\\nBINANCE=1\\n")  # binance-leaks: allow\n""",
    """write('BINANCE=1\\nBINANCE_API_KEY={}\\n')  # binance-leaks: allow (it's old)\n""",
    """/* binance-leaks: allow */ write("BINANCE=1\\nBINANCE_API_KEY={}")\n""",
    """# binance-leaks: allow next line\nwrite("BINANCE=1\\nBINANCE_API_KEY={}")\n""",
    """{{"source": "print(\\"BINANCE_API_KEY={}\\\\n\\")  # binance-leaks: allow\\nprint(1)"}}\n""",
    """{{"source": [\n "# binance-leaks: allow next line\\n",\n "BINANCE_API_KEY = '{}'\\n"\n]}}\n""",
    """{{"source": [\n "BINANCE_API_KEY = '{}'  # binance-leaks: allow\\n",\n "print(1)\\n"\n]}}\n""",
)


@pytest.mark.parametrize("text", OF_THE_WHOLE_LINE)
def test_a_comment_outside_of_a_string_is_for_its_whole_line(text: str) -> None:
    found = allows(text.format(hmac_value(Random(5))))
    assert found
    assert all(found)
