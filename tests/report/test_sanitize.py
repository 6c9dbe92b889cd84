"""What strangers wrote is shown without effect and without values."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from string import ascii_lowercase, ascii_uppercase, digits

import pytest
from binance_leaks.errors import ScanError
from binance_leaks.findings import Result
from binance_leaks.model import Role, Value
from binance_leaks.report.sanitize import Redactor, encodable, printable, without_values

from . import examples
from .value_forms import FORMS, is_readable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("bot/settings.py", "bot/settings.py"),
        ("with space/配置.py", "with space/配置.py"),
        ("e\u0301", "e\u0301"),
        ("\x1b[31m", r"\x1b[31m"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x9b\x7f\x00", r"\x9b\x7f\x00"),
        ("\u202ex\u2066", r"\u202ex\u2066"),
        ("\udce9\udcff", r"\xe9\xff"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("::error file=x::forged", r"\x3a:error file=x::forged"),
        ("a ::ADD-MASK::b", r"a \x3a:ADD-MASK::b"),
        ("x##vso[task.complete]", r"x\x23#vso[task.complete]"),
        ("###[error]", r"#\x23#[error]"),
        ("##teamcity[x]", r"\x23#teamcity[x]"),
        ("std::string ## [x] a::b", "std::string ## [x] a::b"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


def test_encodable_touches_only_what_cannot_be_encoded() -> None:
    assert encodable("a\n\x1b配\udcff") == "a\n\x1b配\\xff"


def knowing(value: Value) -> Result:
    finding = replace(examples.files_result().findings[0], values=(value,))
    return replace(examples.clean_result(), findings=(finding,))


@pytest.mark.parametrize("alphabet", [digits + "abcdef", digits + ascii_lowercase, digits + ascii_uppercase])
@pytest.mark.parametrize("around", ["{}", "n{}", "{}x", "abc{}def", "a/{}/b"])
def test_a_known_value_is_masked_whatever_its_alphabet(alphabet: str, around: str) -> None:
    raw = examples.Maker(5).raw(alphabet)
    value = Value.of(Role.API_KEY, raw)
    redactor = Redactor.of(knowing(value))
    text = around.format(raw.decode())
    assert redactor.path(text) == around.format(value.masked)
    assert redactor.prose(text) == around.format(value.masked)


def test_two_values_in_one_run_are_masked() -> None:
    maker = examples.Maker(6)
    first, second = maker.raw(), maker.raw()
    values = tuple(Value.of(Role.API_KEY, raw) for raw in (first, second))
    finding = replace(examples.files_result().findings[0], values=values)
    redactor = Redactor.of(replace(examples.clean_result(), findings=(finding,)))
    assert redactor.path((first + second).decode()) == values[0].masked + values[1].masked


def test_digests_and_names_are_left_alone() -> None:
    redactor = Redactor.of(examples.clean_result())
    for text in (
        f"blobs/{examples.Maker().raw(digits + 'abcdef').decode()}",
        "src/test/java/org/example/ThisIsTheVeryLongNameOfATestOfSomethingThatWasWrittenByHandIn2019Test.java",
        "a" * 64,
    ):
        assert redactor.path(text) == text


def test_prose_shows_no_encoded_value() -> None:
    redactor = Redactor.of(examples.clean_result())
    encoded = b64encode(examples.Maker().raw()).decode()
    assert redactor.prose(f"secret: {encoded}!") == f"secret: {encoded[:4]}…!"
    assert redactor.prose(f"Revert {'1a2b' * 10}") == f"Revert {'1a2b' * 10}"


TEXTS = ("{}", "src/app/{}.py", 'Add BINANCE_API_SECRET="{}" to the bot of Ann (see #12)', "origin/fix-{}")


@pytest.mark.parametrize("form", FORMS)
def test_a_value_in_any_form_is_masked(form: str) -> None:
    """An unknown one, and a known one of few characters, in paths, prose, errors and what is printed later."""
    maker = examples.Maker(11)
    value, known = maker.raw().decode(), maker.raw(digits + "abcdef").decode()
    redactor = Redactor.of(knowing(Value.of(Role.API_KEY, known.encode())))
    for around in TEXTS:
        held = around.format(FORMS[form](value))
        assert is_readable(value, held)
        shown = (
            redactor.path(held),
            redactor.prose(held),
            str(ScanError(held)),
            ScanError("", hint=held).hint,
            without_values(printable(held)),
        )
        assert [text for text in shown if is_readable(value, text)] == []
        held = around.format(FORMS[form](known))
        assert [text for text in (redactor.path(held), redactor.prose(held)) if is_readable(known, text)] == []


def test_only_the_pieces_are_masked() -> None:
    first, second = (examples.Maker(13).raw().decode()[at : at + 32] for at in (0, 32))
    mask = f"{first[:4]}…"
    redactor = Redactor.of(examples.clean_result())
    assert redactor.path(f"src/binance/Client_{first}_{second}.py") == f"src/binance/Client_{mask}.py"
    assert redactor.prose(f'Set SECRET = "{first}" + "{second}" in the bot') == f'Set SECRET = "{mask}" in the bot'


def test_ordinary_text_is_readable() -> None:
    redactor = Redactor.of(examples.clean_result())
    digest = "3f1a" * 10
    for text in (
        "src/components/dashboard/very_long_file_name_with_many_words_and_2_numbers/IndexOfThings.test.tsx",
        "3F2504E0-4F89-11D3-9A0C-0305E82C3301/550e8400-e29b-41d4-a716-446655440000/readme.md",
        f"This reverts commit {digest}, reversing changes made to {digest.upper()}.",
        "https://github.com/Ann/Grid-Bot/blob/main/docs/2024-03-05T17:20:31Z-Release-v1.2.3.md#L10-L20",
        "Merge pull request #1234 from Ann/FEATURE-567_Fix-API-v3 (BINANCE_API_KEY, BINANCE_API_SECRET, BOT2)",
        "org.apache.commons.Base64InputStreamTest$Utf8Inner1.class: XMLHttpRequest2 of HTML5, IPv6 and SHA256",
        "配置/Müller_Straße/файл-2024.txt " * 4,
        r"C:\Users\Ann\AppData\Local\Programs\Python\Python311\Lib\site-packages\numpy\core\test.py",
    ):
        assert redactor.path(text) == text
        assert redactor.prose(text) == text


def test_a_run_of_megabytes_costs_no_time() -> None:
    assert Redactor.of(examples.clean_result()).path("a" * 5_000_000) == "aaaa…"
