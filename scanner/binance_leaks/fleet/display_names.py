"""What the repositories of a fleet are called: each by one printable line that is no other's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from binance_leaks.report.sanitize import printable, without_values

_LOGIN = re.compile(r"(?<=://)[^/\s]*@|[^\s/@:]*:[^\s/@]*@")
_LONGEST = 200
_DIGITS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """What a repository may be called: by the names `given` by people, best by a short one; by its path as somebody
    `wrote` it, best by the first; by its `address`, a path or a URL in one spelling. `key` is its identity.
    """

    key: str
    address: str = field(repr=False)
    given: tuple[str, ...] = ()
    wrote: tuple[str, ...] = ()


def inert(text: str) -> str:
    """A label, path or URL on one line, without a login or anything that looks like a value, and not too long."""
    shown = " ".join(printable(without_values(_LOGIN.sub("", text))).split())
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def labels_of(repositories: Sequence[Named]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """For each key the label of its repository and its other names, whatever order they come in.

    A URL that nobody named is called by host and path; by its path alone where all are of one host. Where two would be
    called the same, both get what tells them apart.
    """
    alone = len({_host(named.address) for named in repositories if "://" in named.address}) <= 1
    names = {named.key: _names(named, alone=alone) for named in repositories}
    chosen = _told_apart({key: labels[0] for key, labels in names.items()})
    return {key: (chosen[key], tuple(sorted({*labels[1:]} - {labels[0]}))) for key, labels in names.items()}


def _names(named: Named, *, alone: bool) -> list[str]:
    given = sorted({inert(label) for label in named.given}, key=lambda label: (len(label), label))
    wrote = dict.fromkeys(map(inert, named.wrote))
    names = [label for label in (*given, *wrote) if label]
    return names or [_of_address(named.address, alone=alone) or _digest(named.key)]


def _of_address(address: str, *, alone: bool) -> str:
    _, scheme, rest = address.partition("://")
    if not scheme:
        return inert(address)
    host, _, path = rest.partition("/")
    return inert(path if alone else f"{host.rpartition('@')[2]}/{path}")


def _host(address: str) -> str:
    return address.partition("://")[2].partition("/")[0].rpartition("@")[2]


def _told_apart(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels by key. Behind those that several have stands how it is reached, else the key, else a digest of it."""
    chosen = dict(labels)
    for behind in (_scheme, _place, _digest):
        _tell_apart(chosen, behind)
    taken: set[str] = set()
    for key in sorted(chosen):  # somebody may have thought of all these
        while chosen[key] in taken:
            chosen[key] += "'"
        taken.add(chosen[key])
    return chosen


def _tell_apart(chosen: dict[str, str], behind: Callable[[str], str]) -> None:
    """Puts something behind the labels that several have, where that makes each of them one of its own."""
    sharing: dict[str, list[str]] = {}
    for key, label in chosen.items():
        sharing.setdefault(label, []).append(key)
    longer = {key: f"{label} ({behind(key)})" for label, keys in sharing.items() if len(keys) > 1 for key in keys}
    counted = Counter((*sharing, *longer.values()))
    for keys in sharing.values():
        if len(keys) > 1 and all(counted[longer[key]] == 1 for key in keys):
            chosen.update({key: longer[key] for key in keys})


def _scheme(key: str) -> str:
    return key.partition("://")[0] if "://" in key else "local"


def _place(key: str) -> str:
    return inert(key.removesuffix("/.git"))


def _digest(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGITS]
