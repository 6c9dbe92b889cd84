"""Add and remove `allow` entries in a configuration file, with its comments, order and style kept.

What comes out is parsed again before it is returned: it has the entries, and every other setting as before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array
from tomlkit.items import Table as TomlTable

from binance_leaks.config import Config, parse_config, read_toml
from binance_leaks.errors import ConfigError
from binance_leaks.lazy_dataclasses import replace

_NAME = "binance-leaks"
_BOM = b"\xef\xbb\xbf"


def allowed_everywhere(config: Config) -> frozenset[str]:
    """Return the digests that a configuration allows at every path."""
    return frozenset(digest for entry in config.allow if entry.path is None for digest in entry.sha256)


def format_entry(file: Path, digests: Sequence[str], reason: str | None) -> str:
    """Return an entry as it is written into a file that has none."""
    return with_entries(b"", file, [digests], reason).decode()


def with_entries(data: bytes, file: Path, added: Sequence[Sequence[str]], reason: str | None) -> bytes:
    """Return a configuration with an entry for each of these groups of digests.

    Raises ConfigError for a file that cannot be edited so.
    """
    before = parse_config(data, file)
    document = _parse(data, file)
    with _editing(file):
        table = _our_table(document, file, create=True)
        for digests in added:
            _append(table, _entry(digests, reason))
        text = tomlkit.dumps(document)
    for digests in added:
        text = _with_gap_behind(text, digests[-1])
    after = _checked(data, _encode(text, data), file)
    if after[1].allow[: len(before.allow)] != before.allow or not {
        digest for digests in added for digest in digests
    } <= allowed_everywhere(after[1]):
        raise _not_editable(file)
    return after[0]


def without_entries(data: bytes, file: Path, dropped: Sequence[int]) -> bytes:
    """Return a configuration without the entries at these indexes.

    Raises ConfigError for a file that cannot be edited so.
    """
    before = parse_config(data, file)
    document = _parse(data, file)
    kept = tuple(entry for index, entry in enumerate(before.allow) if index not in dropped)
    with _editing(file):
        table = _our_table(document, file, create=False)
        if not kept:
            del table["allow"]
        else:
            for index in sorted(dropped, reverse=True):
                del table["allow"][index]
        text = tomlkit.dumps(document)
    after = _checked(data, _encode(text, data), file)
    if after[1].allow != kept:
        raise _not_editable(file)
    return after[0]


@contextmanager
def _editing(file: Path) -> Iterator[None]:
    """Refuse a file whose layout the library cannot change: it raises many errors."""
    try:
        yield
    except (TOMLKitError, AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise _not_editable(file) from None


def _parse(data: bytes, file: Path) -> tomlkit.TOMLDocument:
    text = data.decode("utf-8-sig").replace("\r\n", "\n")
    try:
        return tomlkit.parse(text if text.endswith("\n") or not text else f"{text}\n")
    except TOMLKitError:
        raise _not_editable(file) from None


def _with_gap_behind(text: str, digest: str) -> str:
    """The text with an empty line between the entry that ends with a digest and the table behind it, if any."""
    at = text.index(digest)
    header, gap = text.find("\n[", at), text.find("\n\n", at)
    if header < 0 or 0 <= gap < header:
        return text
    return f"{text[:header]}\n{text[header:]}"


def _encode(text: str, old: bytes) -> bytes:
    """The text with the mark of UTF-8 and the line ends that the file has."""
    data = text.encode()
    if b"\r\n" in old:
        data = data.replace(b"\n", b"\r\n")
    return _BOM + data if old.startswith(_BOM) else data


def _our_table(document: Any, file: Path, *, create: bool) -> Any:  # tomlkit's items are dicts of its own
    tool = document.get("tool")
    if tool is not None and _NAME in tool:
        return tool[_NAME]
    if file.name != "pyproject.toml":
        return document
    if not create:
        raise _not_editable(file)
    if tool is None:
        document["tool"] = tool = tomlkit.table(is_super_table=True)
    tool[_NAME] = tomlkit.table(is_super_table=True)
    return tool[_NAME]


def _append(table: Any, entry: TomlTable) -> None:
    held = table.get("allow")
    if isinstance(held, Array) and len(held):
        inline = tomlkit.inline_table()
        for name, value in entry.items():
            inline[name] = [*value] if isinstance(value, Array) else value
        held.append(inline)
    elif isinstance(held, AoT):
        held.append(entry)
    else:
        if held is not None:
            del table["allow"]
        entries = tomlkit.aot()
        entries.append(entry)
        table["allow"] = entries


def _entry(digests: Sequence[str], reason: str | None) -> TomlTable:
    entry = tomlkit.table()
    if len(digests) == 1:
        entry["sha256"] = digests[0]
    else:
        listed = tomlkit.array()
        listed.extend(digests)
        entry["sha256"] = listed.multiline(True)
    if reason:
        entry["reason"] = reason
    return entry


def _checked(old: bytes, new: bytes, file: Path) -> tuple[bytes, Config]:
    """The new text with its settings, of which only those of `allow` may differ from the old ones."""
    try:
        before, after = parse_config(old, file), parse_config(new, file)
        same = replace(after, allow=before.allow) == before and _others(old) == _others(new)
    except (ConfigError, ValueError):
        same = False
    if not same:
        raise _not_editable(file)
    return new, after


def _others(data: bytes) -> Mapping[str, object]:
    """Everything in a file but our table."""
    whole = dict(read_toml(data.decode("utf-8-sig")))
    tool = whole.pop("tool", None)
    if isinstance(tool, dict) and (rest := {name: value for name, value in tool.items() if name != _NAME}):
        whole["tool"] = rest
    whole.pop("allow", None)
    return whole


def _not_editable(file: Path) -> ConfigError:
    return ConfigError(
        f"configuration {file} is written in a way that a program cannot change safely", hint="Change it by hand."
    )
