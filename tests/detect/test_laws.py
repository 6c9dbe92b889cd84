"""Laws of the detector: the prefilter loses nothing, form and place do not matter, no input makes it raise."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from random import Random
from types import MappingProxyType

import pytest
from binance_leaks.detect import first_test, prefilter
from binance_leaks.detect.engine import detect
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.corpus import Case, fill, load
from tests.corpus.values import hmac_value

CASES = tuple(load())
# Texts that can be written anew in any encoding; a NUL would make a binary of some of the forms and a text of others.
PLAIN = tuple(case for case in CASES if case.expect and case.encoding == "utf-8" and "\0" not in "".join(case.template))
FIRST_COLUMN_MATTERS = frozenset(
    {
        "pk-diff-added",  # the sign of a diff
        "sql-copy-stdin",  # a tab makes a column
        "http-multipart",  # its headers are as long as a heading may be, indentation counted
    }
)
INDENTED = tuple(case for case in PLAIN if case.id not in FIRST_COLUMN_MATTERS)
# No deeper: a line is a heading for the one below it only if it is short, its indentation counted.
INDENTS = tuple([" " * width for width in range(1, 13)] + ["\t" * depth for depth in range(1, 4)])
FORMS: Mapping[str, Callable[[str], bytes]] = MappingProxyType(
    {
        "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
        "UTF-8 with BOM": lambda text: codecs.BOM_UTF8 + text.encode(),
        "UTF-16 LE with BOM": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        "UTF-16 BE with BOM": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        "UTF-16 LE": lambda text: text.encode("utf-16-le"),
        "UTF-16 BE": lambda text: text.encode("utf-16-be"),
        "UTF-32 LE with BOM": lambda text: codecs.BOM_UTF32_LE + text.encode("utf-32-le"),
        "UTF-32 LE": lambda text: text.encode("utf-32-le"),
        "UTF-32 BE": lambda text: text.encode("utf-32-be"),
        "UTF-16 LE with BOM and CRLF": lambda text: (
            codecs.BOM_UTF16_LE + text.replace("\n", "\r\n").encode("utf-16-le")
        ),
    }
)

TELLING_FAMILIES = frozenset({"private_keys", "split", "encodings", "compiled"})
"""Families whose shapes depend on the bytes around and on the encoding."""

law = settings(max_examples=150)
seeds = st.integers(min_value=0, max_value=999)
surroundings = st.one_of(
    st.binary(max_size=80),
    st.text(max_size=40).map(str.encode),
    st.text(alphabet="aZ0 \n\t\"'`=+/\\-_,;:#()[]{}\0", max_size=80).map(str.encode),
)


def share(cases: Sequence[Case], number: int, shares: int) -> list[Case]:
    """One of so many shares of the cases, together with all those of the telling families."""
    return [case for at, case in enumerate(cases) if case.family in TELLING_FAMILIES or at % shares == number % shares]


def _text(case: Case, seed: int) -> str:
    return fill(case, seed).data.decode().replace("\r\n", "\n")


def _ids(data: bytes, case: Case) -> frozenset[str]:
    return frozenset(credential.id for credential in detect(data, path=case.filename))


@law
@given(case=st.sampled_from(CASES), seed=seeds, before=surroundings, after=surroundings)
def test_prefilter_lets_through_what_the_detector_finds(case: Case, seed: int, before: bytes, after: bytes) -> None:
    data = before + fill(case, seed).data + after
    if detect(data, path=case.filename):
        assert first_test.may_hold(data)


@pytest.mark.parametrize("form", FORMS)
def test_prefilter_lets_every_form_through(form: str) -> None:
    texts = ((case, FORMS[form](_text(case, 1))) for case in PLAIN)
    assert [case.id for case, data in texts if not first_test.may_hold(data)] == []


@pytest.mark.parametrize("at", [0, (64 << 10) - 100, 150_000])
def test_large_content_is_hit_where_the_prefilter_hits_a_value(at: int) -> None:
    filler = b"nothing to be found here\n" * 7_000
    missed, seen = [], 0
    for case in PLAIN[::18]:
        text = _text(case, 1).encode()
        data = filler[:at] + text + filler[at:]
        within = range(at, at + len(text))
        if detect(text, path=case.filename) and any(hit in within for hit in prefilter.hits(data)):
            seen += 1
            missed += [] if any(hit in within for hit in first_test.hits(data)) else [case.id]
    assert missed == []
    assert seen > 5


@cache
def _plain_texts() -> dict[str, tuple[str, frozenset[str]]]:
    """Each text with its ids, by the id of the case."""
    texts = {case.id: (case, _text(case, 1)) for case in PLAIN}
    return {name: (text, _ids(text.encode(), case)) for name, (case, text) in texts.items()}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_text_gives_the_same_ids(form: str) -> None:
    """Each shape in three or four of the forms."""
    some = share(PLAIN, [*FORMS].index(form), 3)
    others = []
    for case in some:
        text, ids = _plain_texts()[case.id]
        if _ids(FORMS[form](text), case) != ids:
            others.append(case.id)
    assert others == []


@law
@given(
    case=st.sampled_from(INDENTED),
    seed=seeds,
    indent=st.sampled_from(INDENTS),
)
def test_indenting_every_line_gives_the_same_ids(case: Case, seed: int, indent: str) -> None:
    text = _text(case, seed)
    indented = re.sub(r"(?m)^(?=[^\n])", indent, text)
    assert _ids(indented.encode(), case) == _ids(text.encode(), case)


@law
@given(
    case=st.sampled_from(CASES),
    seed=seeds,
    folder=st.text(alphabet="abc/._- é", max_size=20),
    line=st.integers(1, 10**6),
    column=st.integers(1, 10**4),
)
def test_ids_hold_no_path_and_no_place(case: Case, seed: int, folder: str, line: int, column: int) -> None:
    data = fill(case, seed).data
    here = detect(data, path=case.filename)
    there = detect(data, path=f"{folder}/elsewhere", evidence_path=case.filename, first_line=line, first_column=column)
    assert {credential.id for credential in there} == {credential.id for credential in here}
    assert all(re.fullmatch(r"[0-9a-f]{32}", credential.id) for credential in here)
    places = {occurrence.location.path for credential in there for occurrence in credential.occurrences}
    assert places <= {f"{folder}/elsewhere"}


@law
@given(case=st.sampled_from(PLAIN), seed=seeds, lines=st.integers(1, 60))
def test_moving_a_text_down_gives_the_same_ids(case: Case, seed: int, lines: int) -> None:
    text = _text(case, seed)
    assert _ids(("\n" * lines + text).encode(), case) == _ids(text.encode(), case)


@law
@given(data=st.binary(max_size=600))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    assert detect(data, path="data.bin") == detect(data, path="data.bin")


@law
@given(
    case=st.sampled_from(CASES),
    seed=seeds,
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=12),
    end=st.floats(0, 1),
)
def test_no_damage_makes_it_raise(case: Case, seed: int, flips: list[tuple[float, int]], end: float) -> None:
    data = bytearray(fill(case, seed).data)
    for place, change in flips:
        data[int(place * len(data))] ^= change
    for damaged in (bytes(data), bytes(data[: int(end * len(data))])):
        if detect(damaged, path=case.filename):
            assert first_test.may_hold(damaged)


_LINES = "# settings of the bot\r\nMODE=live\r\n"
BEGINNINGS: Mapping[str, bytes] = MappingProxyType(
    {
        "a mark of UTF-16": codecs.BOM_UTF16_LE,
        "a mark of UTF-16 BE": codecs.BOM_UTF16_BE,
        "a mark of UTF-32": codecs.BOM_UTF32_LE,
        "a mark of UTF-8": codecs.BOM_UTF8,
        "UTF-16 with its mark": codecs.BOM_UTF16_LE + _LINES.encode("utf-16-le"),
        "UTF-16 BE with its mark": codecs.BOM_UTF16_BE + _LINES.encode("utf-16-be"),
        "UTF-16 with its mark and a line feed": codecs.BOM_UTF16_LE + _LINES.encode("utf-16-le") + b"\n",
        "UTF-32 with its mark": codecs.BOM_UTF32_LE + _LINES.encode("utf-32-le"),
        "much UTF-16": (_LINES * 200).encode("utf-16-le"),
        "much UTF-16 BE": (_LINES * 200).encode("utf-16-be"),
        "much UTF-32": (_LINES * 200).encode("utf-32-le"),
        "much UTF-32 BE": (_LINES * 200).encode("utf-32-be"),
        "UTF-8 with its mark": codecs.BOM_UTF8 + _LINES.encode(),
        "ASCII": _LINES.encode(),
        "much ASCII": (_LINES * 200).encode(),
    }
)
GOING_ON = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32-le")


@pytest.mark.parametrize("encoding", GOING_ON)
@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_a_text_that_goes_on_in_another_encoding_loses_nothing(beginning: str, encoding: str) -> None:
    """As where one program writes a file and another appends to it."""
    pairs = [case for case in PLAIN if case.family == "config" and _plain_texts()[case.id][0].isascii()][::9]
    assert pairs
    lost = []
    for case in pairs:
        text, ids = _plain_texts()[case.id]
        data = BEGINNINGS[beginning] + text.encode(encoding)
        if not _ids(data, case) >= ids or not first_test.may_hold(data):
            lost.append(case.id)
    assert lost == []


@pytest.mark.parametrize("letter", ["\u0e01", "\u0438", "\u0915", "\u4e01"])
@pytest.mark.parametrize("behind", ["\U0001f511", "\uff0c", "\u8041"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
def test_letters_of_another_script_hide_nothing_below_them(letter: str, behind: str, encoding: str) -> None:
    rng = Random(5)
    text = f"# {letter * 30}{behind}\r\nbinance.Client('{hmac_value(rng)}', '{hmac_value(rng)}')\r\n" + "x = 1\r\n" * 40
    assert [len(each.values) for each in detect(text.encode(encoding), path="a.py")] == [2]
