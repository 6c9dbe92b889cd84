"""Dataclasses whose methods are made when they are needed.

The standard library compiles six functions for each frozen class, which takes Python before 3.13 a millisecond, and to
import it takes five; a scan that finds something imports ninety classes, and has one or two instances of most. Here
`__init__` is compiled when a class has many instances, the classes share the other methods, and the standard library is
imported when something asks for the fields as it knows them.
"""

from __future__ import annotations

from operator import attrgetter

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from dataclasses import KW_ONLY as KW_ONLY
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
    from typing import NoReturn, TypeVar

    T = TypeVar("T")
else:

    class KW_ONLY:  # noqa: N801 - as in the standard library
        """The annotation behind which fields are given by name."""

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
            fields, own = _collect_fields(cls, kw_only=kw_only)
            made = _with_slots(cls, own) if slots else cls
            return _with_methods(made, fields, frozen=frozen)

        return decorate

    def field(
        *,
        default: object = ...,
        default_factory: Callable[[], object] | None = None,
        repr: bool = True,
        compare: bool = True,
    ) -> Field:
        """Describe a field, as `field` of the standard library with these options."""
        return Field(default=default, factory=default_factory, repr=repr, compare=compare)

    def replace(instance: T, **changes: object) -> T:
        """Return a copy with other values in some fields.

        >>> @dataclass(frozen=True, kw_only=True, slots=True)
        ... class Point:
        ...     x: int
        ...     y: int = 0
        >>> replace(Point(x=1), y=2)
        Point(x=1, y=2)
        """
        for each in instance.__fields__:
            if each.name not in changes:
                changes[each.name] = getattr(instance, each.name)
        return instance.__class__(**changes)


_FEW = 20
"""Instances before `__init__` is compiled, which takes as long as to make sixty without."""


class Field:
    """A field of a class; `default` is `...` where there is none."""

    __slots__ = ("annotation", "compare", "default", "factory", "kw_only", "name", "repr")

    def __init__(
        self,
        *,
        default: object,
        factory: Callable[[], object] | None = None,
        repr: bool = True,
        compare: bool = True,
    ) -> None:
        self.name = self.annotation = ""
        self.kw_only = False
        self.default = default
        self.factory = factory
        self.repr = repr
        self.compare = compare

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is ... and self.factory is None

    def make_default(self) -> object:
        """Return the default of a new instance."""
        return self.default if self.factory is None else self.factory()


def field_names(instance: object) -> list[str]:
    """Return the names of the fields of an instance or a class, in their order."""
    return [each.name for each in instance.__fields__]  # type: ignore[attr-defined]


def _collect_fields(cls: type[T], *, kw_only: bool) -> tuple[Sequence[Field], Sequence[str]]:
    """The fields of a class with those that it inherits, and the names of its own; their defaults leave the class.

    Raises ValueError for a default that instances would share and could change, or a field of the standard library.
    """
    known: dict[str, Field] = {}
    for base in reversed(cls.__mro__[1:]):
        known |= {each.name: each for each in vars(base).get("__fields__", ())}
    own: list[str] = []
    for name, annotation in cls.__annotations__.items():
        if annotation.rpartition(".")[2] == "KW_ONLY":
            kw_only = True
            continue
        given = vars(cls).get(name, ...)
        each = given if isinstance(given, Field) else Field(default=given)
        if given.__class__.__module__ == "dataclasses":
            raise ValueError(f"{name} is described by a field of the standard library")
        if each.default.__class__.__hash__ is None:
            raise ValueError(f"the default of {name} can be changed: use default_factory")
        each.name, each.annotation, each.kw_only = name, annotation, kw_only
        known[name] = each
        own.append(name)
        if given is not ... and each.default is ...:
            delattr(cls, name)
        elif each.default is not ...:
            setattr(cls, name, each.default)
    return tuple(known.values()), own


def _with_slots(cls: type[T], own: Sequence[str]) -> type[T]:
    """Return the class again, with slots: they cannot be added to one that exists."""
    inherited = {name for base in cls.__mro__[1:] for name in vars(base).get("__slots__", ())}
    slots = tuple(name for name in own if name not in inherited)
    left_out = {*own, "__dict__", "__weakref__"}
    members = {name: value for name, value in vars(cls).items() if name not in left_out}
    make: Callable[..., type[T]] = type(cls)
    made = make(cls.__name__, cls.__bases__, {**members, "__slots__": slots})
    made.__qualname__ = cls.__qualname__
    return made


def _with_methods(cls: type[T], fields: Sequence[Field], *, frozen: bool) -> type[T]:
    """Give a class its fields, and the methods that it does not define itself."""
    key = _key([each.name for each in fields if each.compare])

    def equals(self: T, other: object) -> bool:
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    def hash_of(self: T) -> int:
        return hash(key(self))

    methods: dict[str, object] = {"__init__": _first_init(cls, fields, frozen=frozen)}
    methods |= {"__repr__": _describe, "__eq__": equals}
    if frozen:
        methods |= {"__hash__": hash_of, "__setattr__": _refuse, "__delattr__": _refuse}
        methods |= {"__getstate__": _get_state, "__setstate__": _set_state}
    else:
        methods["__hash__"] = None
    methods["__match_args__"] = tuple(each.name for each in fields if not each.kw_only)
    for name, method in methods.items():
        if name not in vars(cls):
            setattr(cls, name, method)
    cls.__fields__ = fields  # type: ignore[attr-defined]
    cls.__replace__ = replace  # type: ignore[attr-defined]
    cls.__dataclass_fields__ = _OfStandardLibrary("__dataclass_fields__", cls, frozen=frozen)  # type: ignore[attr-defined]
    cls.__dataclass_params__ = _OfStandardLibrary("__dataclass_params__", cls, frozen=frozen)  # type: ignore[attr-defined]
    return cls


class _OfStandardLibrary:
    """An attribute by which the standard library knows a dataclass, made when something asks for it."""

    def __init__(self, name: str, cls: type[object], *, frozen: bool) -> None:
        self._name = name
        self._cls = cls
        self._frozen = frozen

    def __get__(self, instance: object, owner: type[object]) -> object:
        """Return the attribute, and leave it in the class in place of this object."""
        import dataclasses  # start-up: see the module

        fields = []
        for each in self._cls.__fields__:  # type: ignore[attr-defined]
            given = {} if each.default is ... else {"default": each.default}
            if each.factory is not None:
                given = {"default_factory": each.factory}
            made = dataclasses.field(repr=each.repr, compare=each.compare, kw_only=each.kw_only, **given)
            fields.append((each.name, each.annotation, made))
        standard = dataclasses.make_dataclass(self._cls.__name__, fields, frozen=self._frozen)
        attribute: object = getattr(standard, self._name)
        setattr(self._cls, self._name, attribute)
        return attribute


def _key(names: Sequence[str]) -> Callable[[object], object]:
    return attrgetter(*names) if names else lambda _: ()


def _first_init(cls: type[T], fields: Sequence[Field], *, frozen: bool) -> Callable[..., None]:
    """An `__init__` that puts a compiled one in its place after a few instances, or for what it does not take."""
    names = {each.name for each in fields}
    required = {each.name for each in fields if each.required}
    count = 0

    def init(self: T, *arguments: object, **by_name: object) -> None:
        nonlocal count
        count += 1
        if arguments or count > _FEW or not required <= by_name.keys() <= names:
            compiled = cls.__init__ = _compile_init(fields, frozen=frozen)  # type: ignore[method-assign]
            compiled(self, *arguments, **by_name)
            return
        for each in fields:
            name = each.name
            object.__setattr__(self, name, by_name[name] if name in by_name else each.make_default())

    return init


def _compile_init(fields: Sequence[Field], *, frozen: bool) -> Callable[..., None]:
    """Compile `__init__`, which takes the fields and fills in what they are by default."""
    known: dict[str, object] = {"_set": object.__setattr__, "_ABSENT": object()}
    positional, by_name = ["self"], list[str]()
    body: list[str] = []
    for each in fields:
        parameter = value = name = each.name
        if each.factory is not None:
            parameter, known[f"_make_{name}"] = f"{name}=_ABSENT", each.factory
            value = f"_make_{name}() if {name} is _ABSENT else {name}"
        elif not each.required:
            parameter, known[f"_default_{name}"] = f"{name}=_default_{name}", each.default
        (by_name if each.kw_only else positional).append(parameter)
        body.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    parameters = [*positional, *(["*", *by_name] if by_name else [])]
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(body or ["pass"]), known)  # noqa: S102 - names of ours
    init: Callable[..., None] = known["__init__"]  # type: ignore[assignment]
    return init


def _describe(self: object) -> str:
    fields: Sequence[Field] = self.__fields__  # type: ignore[attr-defined]
    shown = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in fields if each.repr)
    return f"{type(self).__qualname__}({shown})"


def _refuse(_: object, name: str, *__: object) -> NoReturn:
    from dataclasses import FrozenInstanceError  # start-up: see the module

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _get_state(self: object) -> Mapping[str, object]:
    return {name: getattr(self, name) for name in field_names(self)}


def _set_state(self: object, state: Mapping[str, object]) -> None:
    for name, value in state.items():
        object.__setattr__(self, name, value)
