"""Adding to JSON with comments: every layout still reads as it should, and nothing that was there is lost."""

from __future__ import annotations

import json

import pytest
from binance_leaks.setup.json_edit import UnreadableJsonError, add_item, add_member, inserted, parse
from hypothesis import given, settings
from hypothesis import strategies as st

LAYOUTS = (
    "{}",
    "{ }",
    "{\n}",
    "{\n}\n",
    "{ /* nothing yet */ }",
    "{\n  // nothing yet\n}\n",
    '{"a": 1}',
    '{"a": 1,}',
    '{"a": 1 /* , */ }',
    '{"a": 1, // one\n}',
    '{\n  "a": 1\n}\n',
    '{\n  "a": 1,\n}\n',
    '{\n\t"a": 1, // a comma, and a } here\n\t"b": [1, 2,], /* and\n\there */\n}\n',
    '{\r\n    "a": {"b": "}"},\r\n    "c": "\\"// no comment"\r\n}\r\n',
    '// first\n{\n  "a": 1 // one\n  // last\n}\n// behind',
    '{"a":\n  1\n  ,\n  "b": 2}',
)


@pytest.mark.parametrize("text", LAYOUTS)
def test_a_member_is_added(text: str) -> None:
    root = parse(text)
    new = inserted(text, add_member(text, root, "hooks", {"x": [1]}))
    assert isinstance(root.value, dict)
    assert parse(new).value == {**root.value, "hooks": {"x": [1]}}
    rest = iter(new)
    assert all(char in rest for char in text), new  # what was there is there, in order
    assert ("\r\n" in new) == ("\r\n" in text)
    twice = inserted(new, add_member(new, parse(new), "more", []))
    assert parse(twice).value == {**root.value, "hooks": {"x": [1]}, "more": []}


@pytest.mark.parametrize("text", ["[]", "[ ]", "[1]", "[1,]", "[\n  1, // one\n  2 // two\n]", '["a", ["b"]\n]'])
def test_an_item_is_added(text: str) -> None:
    root = parse(text)
    assert isinstance(root.value, list)
    assert parse(inserted(text, add_item(text, root, {"x": 1}))).value == [*root.value, {"x": 1}]


@pytest.mark.parametrize(
    "text",
    ["", "{", "}", '{"a"}', '{"a": }', '{"a": 1 "b": 2}', '{"a": 1, "a": 2}', "{,}", "[,]", "/* x", "{} {}", "{1: 2}",
     '{"a\n": 1}', "'a'", "[" * 1000, '{"a": .5}'],
)  # fmt: skip
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(UnreadableJsonError):
        parse(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=40)
@given(value=st.dictionaries(st.text(max_size=5).filter(lambda name: name != "new"), VALUES, max_size=4),
       indent=st.sampled_from([None, 1, 4, "\t"]), added=VALUES)  # fmt: skip
def test_any_object_takes_any_member(value: dict[str, object], indent: int | str | None, added: object) -> None:
    text = json.dumps(value, indent=indent)
    assert parse(text).value == value
    assert parse(inserted(text, add_member(text, parse(text), "new", added))).value == {**value, "new": added}
