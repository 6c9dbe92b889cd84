"""Our dataclasses behave as those of the standard library, and cost less to import."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import binance_leaks
import pytest
from binance_leaks import lazy_dataclasses
from binance_leaks.lazy_dataclasses import KW_ONLY, dataclass, field, replace


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """With every sort of default."""

    path: str
    line: int = 1
    tags: list[str] = field(default_factory=list)
    secret: str = field(default="", repr=False)
    note: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Template:
    """By position, but for what is behind the mark."""

    text: str
    _: KW_ONLY
    path: str = ""


@dataclass(kw_only=True, slots=True)
class Tally:
    """Not frozen."""

    files: int = 0
    names: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wider(Place):
    """Inherits fields, and has its own description."""

    width: int

    def __repr__(self) -> str:
        return "wider"


@dataclass(frozen=True, kw_only=True, slots=True)
class Empty:
    """Without fields."""


def _standard(cls: type[Any], *, frozen: bool = True) -> Callable[..., Any]:
    """The dataclass of the standard library with the same fields."""
    specification = [(each.name, object, _copy(each)) for each in fields(cls)]
    return dataclasses.make_dataclass(cls.__name__, specification, frozen=frozen, slots=True)


def _copy(each: dataclasses.Field[Any]) -> Any:
    known = {
        name: getattr(each, name)
        for name in ("default", "default_factory", "repr", "compare", "kw_only")
        if getattr(each, name) is not dataclasses.MISSING
    }
    return dataclasses.field(**known)


@pytest.mark.parametrize(
    ("cls", "frozen", "arguments", "by_name"),
    [
        (Place, True, (), {"path": "a"}),
        (Place, True, (), {"path": "a", "line": 2, "tags": ["x"], "secret": "s", "note": "n"}),
        (Template, True, ("text",), {}),
        (Template, True, ("text",), {"path": "p"}),
        (Tally, False, (), {"files": 3}),
        (Empty, True, (), {}),
    ],
)
def test_fields_description_and_equality_are_those_of_the_standard_library(
    cls: type[Any], frozen: bool, arguments: tuple[object, ...], by_name: dict[str, object]
) -> None:
    standard = _standard(cls, frozen=frozen)
    ours, theirs = cls(*arguments, **by_name), standard(*arguments, **by_name)
    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs)
    assert repr(ours) == repr(theirs)
    assert ours == cls(*arguments, **by_name)
    assert ours != theirs
    assert (cls.__hash__ is None) == (standard.__hash__ is None)


@pytest.mark.parametrize("arguments", [("a",), ("a", 2)])
def test_wrong_arguments_are_refused(arguments: tuple[object, ...]) -> None:
    with pytest.raises(TypeError):
        Place(*arguments)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Place()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Place(path="a", other=1)  # type: ignore[call-arg]


def test_each_instance_has_its_own_default() -> None:
    assert Place(path="a").tags is not Place(path="a").tags


def test_frozen_ones_can_neither_be_changed_nor_lose_a_field() -> None:
    place = Place(path="a")
    with pytest.raises(FrozenInstanceError):
        place.path = "b"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del place.path
    tally = Tally()
    tally.files = 4
    assert tally.files == 4


def test_what_is_not_compared_changes_neither_equality_nor_hash() -> None:
    one, other = Template("a", path="p"), Template("a", path="q")
    assert one != other
    assert len({one, Template("a", path="p")}) == 1
    assert Place(path="a", note="n") == Place(path="a")
    assert Empty() == Empty()
    assert hash(Empty()) == hash(Empty())


def test_a_class_that_inherits_has_all_fields_and_keeps_its_own_methods() -> None:
    wider = Wider(path="a", width=3)
    assert repr(wider) == "wider"
    assert (wider.path, wider.line, wider.width) == ("a", 1, 3)
    assert wider != Place(path="a")
    assert repr(Place(path="a")).startswith("Place(path='a'")


def test_copies_are_equal() -> None:
    place = Place(path="a", line=3, tags=["x"], secret="s")
    for twin in (copy.copy(place), copy.deepcopy(place), pickle.loads(pickle.dumps(place)), replace(place)):  # noqa: S301
        assert twin == place
        assert twin.secret == "s"
    assert replace(place, line=4).line == 4


def test_a_default_that_instances_would_share_is_refused() -> None:
    with pytest.raises(ValueError, match="default_factory"):

        @dataclass(frozen=True)
        class Shared:
            names: list[str] = []  # noqa: RUF012 - what is refused


def test_a_field_of_the_standard_library_is_refused() -> None:
    with pytest.raises(ValueError, match="standard library"):

        @dataclass(frozen=True)
        class Described:
            names: list[str] = dataclasses.field(default_factory=list)


@pytest.mark.parametrize("count", [1, 50])
def test_the_first_instances_are_as_the_later_ones(count: int) -> None:
    @dataclass(frozen=True, kw_only=True, slots=True)
    class Late:
        """New, so that its first instance is made here."""

        name: str
        tags: list[str] = field(default_factory=list)

    made = [Late(name=str(number)) for number in range(count)]
    assert [late.name for late in made] == [str(number) for number in range(count)]
    assert len({id(late.tags) for late in made}) == count
    for wrong in ({}, {"name": "a", "other": 1}):
        with pytest.raises(TypeError, match=r"name|other"):
            Late(**wrong)  # type: ignore[arg-type]
    assert Late(name="a", tags=["x"]) == replace(made[0], name="a", tags=["x"])


def test_nothing_is_compiled_for_a_few_instances(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a method is compiled")

    monkeypatch.setattr(lazy_dataclasses, "_compile_init", refuse)

    @dataclass(frozen=True, kw_only=True, slots=True)
    class Late:
        """Made while nothing can be compiled."""

        name: str

    assert Late(name="a").name == "a"


def test_the_standard_library_changes_instances_too() -> None:
    assert dataclasses.replace(Place(path="a", line=3), line=4) == Place(path="a", line=4)
    assert dataclasses.is_dataclass(Wider)
    assert [each.name for each in fields(Wider)][-1] == "width"

    @dataclasses.dataclass(frozen=True)
    class Standard(Place):
        height: int = 0

    assert Standard(path="a", height=2).path == "a"


def test_no_module_imports_those_of_the_standard_library() -> None:
    folder = Path(binance_leaks.__file__).parent
    importing = [
        file.name
        for file in folder.rglob("*.py")
        for line in file.read_text("utf-8").splitlines()
        if line.strip().startswith(("import dataclasses", "from dataclasses"))
    ]
    assert set(importing) == {"lazy_dataclasses.py"}
