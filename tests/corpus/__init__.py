"""Shapes in which people write, and do not write, Binance credentials: templates, and what must be found in each.

The shapes stand in `shapes/*.json`, one file a family, each a list of entries:

- `id`, unique; `filename`, the path under which the text is found (a path is evidence too);
- `template`, the lines of the text with placeholders for values (`tests.corpus.placeholders` reports them); a newline
  ends each line, also the last one unless `open_end` is true;
- `expect`, what a careful reviewer would report: roles with the names of placeholders; empty for a look-alike;
- `pairs`, which key belongs to which secret; a key may stand in one only;
- `environment`, where the text leaves no doubt: one for all values, or one for each named value; else null;
- `confidence`: `default` if something in the text or its path speaks for Binance, else `low`;
- `tolerated`, names of values on which reviewers would differ: reported or not, both are right;
- `encoding` (`utf-8` unless given; any that Python knows), `crlf`, `note`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from binance_leaks.model import Confidence, Environment, Role

from tests.corpus import placeholders
from tests.corpus.placeholders import Material

SHAPES = Path(__file__).with_name("shapes")
_FIELDS = {"id", "filename", "template", "expect", "pairs", "environment", "confidence"}
_OPTIONAL = {"tolerated", "encoding", "crlf", "open_end", "note"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """A value that must be found, by the name of its placeholder, and its role."""

    role: Role
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One entry of the corpus. `floor` is the least confidence at which its values must be reported."""

    id: str
    family: str
    filename: str
    template: tuple[str, ...]
    expect: tuple[Expected, ...]
    pairs: tuple[tuple[str, str], ...]
    environments: Mapping[str, Environment]
    floor: Confidence
    tolerated: frozenset[str] = frozenset()
    encoding: str = "utf-8"
    crlf: bool = False
    open_end: bool = False
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Filled:
    """A case with values: the bytes to scan, and the digest of each value by the name of its placeholder."""

    case: Case
    data: bytes
    digests: Mapping[str, str]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"not a string: {value!r}")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"not a list: {value!r}")
    return tuple(_text(item) for item in value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"not true or false: {value!r}")
    return value


def _items(value: object) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise ValueError(f"not a list: {value!r}")
    return tuple(value)


def _fields(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"not an object: {value!r}")
    return {_text(name): item for name, item in value.items()}


def _expected(value: object) -> Expected:
    entry = _fields(value)
    return Expected(role=Role(_text(entry["role"])), value=_text(entry["value"]))


def _pair(value: object) -> tuple[str, str]:
    key, secret = _texts(value)
    return key, secret


def _environments(value: object, expect: tuple[Expected, ...]) -> Mapping[str, Environment]:
    if value is None:
        return {}
    if isinstance(value, str):
        return {expected.value: Environment(value) for expected in expect}
    return {name: Environment(_text(item)) for name, item in _fields(value).items()}


def _case(family: str, value: object) -> Case:
    entry = _fields(value)
    if missing := _FIELDS - entry.keys():
        raise ValueError(f"{entry.get('id')}: missing {sorted(missing)}")
    if unknown := entry.keys() - _FIELDS - _OPTIONAL:
        raise ValueError(f"{entry['id']}: unknown {sorted(unknown)}")
    expect = tuple(map(_expected, _items(entry["expect"])))
    floor = {"default": Confidence.MEDIUM, "low": Confidence.LOW}[_text(entry["confidence"])]
    return Case(
        id=_text(entry["id"]),
        family=family,
        filename=_text(entry["filename"]),
        template=_texts(entry["template"]),
        expect=expect,
        pairs=tuple(map(_pair, _items(entry["pairs"]))),
        environments=_environments(entry["environment"], expect),
        floor=floor,
        tolerated=frozenset(_texts(entry.get("tolerated", []))),
        encoding=_text(entry.get("encoding", "utf-8")),
        crlf=_flag(entry.get("crlf", False)),
        open_end=_flag(entry.get("open_end", False)),
        note=_text(entry.get("note", "")),
    )


def load() -> tuple[Case, ...]:
    """All cases, in the order of the files' names; ValueError for an entry that is not as described above."""
    cases: list[Case] = []
    for path in sorted(SHAPES.glob("*.json")):
        content: object = json.loads(path.read_text(encoding="utf-8"))
        cases.extend(_case(path.stem, item) for item in _items(content))
    return tuple(cases)


def _materials(case: Case, rng: Random) -> Mapping[str, Material]:
    materials: dict[str, Material] = {}
    for line in case.template:
        for placeholder in placeholders.parts(line):
            if placeholder.name not in materials:
                materials[placeholder.name] = placeholders.make(placeholder.base, rng)
    return materials


def fill(case: Case, seed: int) -> Filled:
    """The case with fresh values; the same case and seed give the same ones (but for RSA and encrypted keys)."""
    materials = _materials(case, Random(f"{case.id}/{seed}"))
    lines = [text for line in case.template for text in placeholders.fill_line(line, materials)]
    text = "\n".join(lines) + ("" if case.open_end else "\n")
    if case.crlf:
        text = text.replace("\n", "\r\n")
    return Filled(
        case=case,
        data=text.encode(case.encoding),
        digests={name: material.digest for name, material in materials.items()},
    )
