"""What joins literals is seen by the prefilter without an expression, so that the hook need not import any."""

from __future__ import annotations

import sys
from random import Random

import pytest
from binance_leaks.detect import prefilter
from binance_leaks.detect.literal_chains import find_chains

from tests.corpus import values

JOINS = {
    "plus": '"{}" + "{}"',
    "dots": "'{}' . '{}'",
    "two dots": "'{}' .. '{}'",
    "nothing": '"{}" "{}"',
    "lines": '("{}"\n    "{}")',
    "prefix": 'b"{}" f"{}"',
    "backslash": '"{}" \\\n"{}"',
    "ampersand": '"{}" & _\r\n "{}"',
    "bars": "'{}' || '{}'",
    "diamond": '"{}" <> "{}"',
    "escaped": '\\"{}\\" + \\"{}\\"',
    "added": 'key = "{}"\nkey += "{}"',
    "added with a dot": '$key = "{}";\n$key .= "{}";',
    "appended": 'key.append("{}")\nkey.append("{}")',
    "pushed": 'key.push_str("{}");\nkey.push_str("{}");',
    "joined": '"".join(["{}", "{}"])',
    "joined behind": '["{}", "{}"].join("")',
    "imploded": "implode('', ['{}', '{}'])",
    "a call with nothing": "glue(['{}', '{}'], '')",
}


@pytest.mark.parametrize("join", JOINS)
@pytest.mark.parametrize("cut", [8, 15, 49])
def test_a_chain_is_seen(join: str, cut: int) -> None:
    key = values.hmac_value(Random(cut))
    text = f"# binance\n{JOINS[join].format(key[:cut], key[cut:])}\n"
    assert [value for _, _, value in find_chains(text)] == [key]
    assert list(prefilter.short_pieces(text.encode()))


def test_ordinary_literals_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "binance_leaks.detect.literal_chains", None)
    text = b'from binance import Client\nclient = Client(os.environ["KEY"], {"a": "b", "c": f(x="d")})\n'
    assert not list(prefilter.short_pieces(text))
