"""Dataclasses whose methods are made when they are needed.

The standard library compiles six functions for each frozen class. Python before 3.13 takes a millisecond for that, and
a scan that finds something imports eighty classes: it was a third of its time. Here `__init__` is compiled with the
first instance, and the classes share the other methods.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, NoReturn, TypeVar

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, frozen: bool = False, kw_only: bool = False, slots: bool = False) -> Callable[[type[T]], type[T]]:
        """Return a decorator, as that of the standard library with these options.

        >>> @dataclass(frozen=True, kw_only=True, slots=True)
        ... class Point:
        ...     x: int
        ...     y: int = 0
        >>> Point(x=1)
        Point(x=1, y=0)
        """

        def decorate(cls: type[T]) -> type[T]:
            cls.__doc__ = cls.__doc__ or cls.__name__  # else the standard library writes one, which takes long
            made = dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=kw_only, slots=slots)(cls)
            return _with_methods(made, frozen=frozen)

        return decorate


T = TypeVar("T")
_ABSENT = object()


def _with_methods(cls: type[T], *, frozen: bool) -> type[T]:
    """Give a class the methods that it does not define itself."""
    fields: Sequence[dataclasses.Field[object]] = dataclasses.fields(cls)  # type: ignore[arg-type]
    key = _key([field.name for field in fields if field.compare])

    def first_init(self: T, *arguments: object, **by_name: object) -> None:
        init = cls.__init__ = _compile_init(fields, frozen=frozen)  # type: ignore[method-assign]
        init(self, *arguments, **by_name)

    def equals(self: T, other: object) -> bool:
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    def hash_of(self: T) -> int:
        return hash(key(self))

    methods: dict[str, object] = {"__init__": first_init, "__repr__": _describe, "__eq__": equals}
    if frozen:
        methods |= {"__hash__": hash_of, "__setattr__": _refuse, "__delattr__": _refuse}
        methods |= {"__getstate__": _get_state, "__setstate__": _set_state}
    else:
        methods["__hash__"] = None
    for name, method in methods.items():
        if name not in vars(cls):
            setattr(cls, name, method)
    return cls


def _key(names: Sequence[str]) -> Callable[[object], object]:
    return attrgetter(*names) if names else lambda _: ()


def _compile_init(fields: Sequence[dataclasses.Field[object]], *, frozen: bool) -> Callable[..., None]:
    """Compile `__init__`, which takes the fields and fills in what they are by default."""
    known: dict[str, object] = {"_set": object.__setattr__, "_ABSENT": _ABSENT}
    positional, by_name = ["self"], list[str]()
    body: list[str] = []
    for field in fields:
        parameter = value = name = field.name
        if field.default is not dataclasses.MISSING:
            parameter, known[f"_default_{name}"] = f"{name}=_default_{name}", field.default
        elif field.default_factory is not dataclasses.MISSING:
            parameter, known[f"_make_{name}"] = f"{name}=_ABSENT", field.default_factory
            value = f"_make_{name}() if {name} is _ABSENT else {name}"
        (by_name if field.kw_only else positional).append(parameter)
        body.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    parameters = [*positional, *(["*", *by_name] if by_name else [])]
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(body or ["pass"]), known)  # noqa: S102 - names of ours
    init: Callable[..., None] = known["__init__"]  # type: ignore[assignment]
    return init


def _describe(self: object) -> str:
    fields: Sequence[dataclasses.Field[object]] = dataclasses.fields(self)  # type: ignore[arg-type]
    shown = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields if field.repr)
    return f"{type(self).__qualname__}({shown})"


def _refuse(_: object, name: str, *__: object) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _get_state(self: object) -> Mapping[str, object]:
    return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]


def _set_state(self: object, state: Mapping[str, object]) -> None:
    for name, value in state.items():
        object.__setattr__(self, name, value)
