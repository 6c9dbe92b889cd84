"""Looks into baselines, and runs the real programs of detect-secrets on them."""

from __future__ import annotations

import json
from hashlib import sha1
from pathlib import Path
from typing import TypedDict

from tests.e2e import Outcome, Pair, run
from tests.repositories import Repository

NAME = ".secrets.baseline"
API_KEY, SECRET_KEY, PRIVATE_KEY = "Binance API Key", "Binance Secret Key", "Binance Private Key"


class Entry(TypedDict, total=False):
    """One entry of a baseline."""

    type: str
    filename: str
    hashed_secret: str
    is_verified: bool
    line_number: int
    is_secret: bool


class Content(TypedDict, total=False):
    """What of a baseline is asked here."""

    version: str
    plugins_used: list[dict[str, object]]
    filters_used: list[dict[str, object]]
    results: dict[str, list[Entry]]
    generated_at: str


def content(folder: Path, name: str = NAME) -> Content:
    """A baseline, read."""
    read: Content = json.loads((folder / name).read_text("utf-8"))
    return read


def entries(folder: Path, name: str = NAME) -> set[tuple[str, str, str]]:
    """Path, type and digest of everything in a baseline."""
    results = content(folder, name)["results"]
    return {(path, entry["type"], entry["hashed_secret"]) for path, listed in results.items() for entry in listed}


def of(path: str, pair: Pair) -> set[tuple[str, str, str]]:
    """The entries of a pair at a path."""
    return {(path, API_KEY, sha(pair.key)), (path, SECRET_KEY, sha(pair.secret))}


def sha(text: str) -> str:
    """The digest by which a baseline knows a text."""
    return sha1(text.encode("ascii")).hexdigest()  # noqa: S324


def label(folder: Path, name: str = NAME, **labels: bool) -> None:
    """Labels the entries of some paths; a dot in a path is written `_`."""
    whole = content(folder, name)
    for path, listed in whole["results"].items():
        for entry in listed:
            if path.replace(".", "_") in labels:
                entry["is_secret"] = labels[path.replace(".", "_")]
    (folder / name).write_text(json.dumps(whole, indent=2) + "\n", "utf-8")


def create(folder: Path, *words: str | Path, status: int = 0) -> Outcome:
    """Make a baseline."""
    outcome = run("baseline", "create", *words, cwd=folder)
    assert outcome.status == status, outcome.out + outcome.err
    return outcome


def update(folder: Path, *words: str | Path, status: int = 0) -> Outcome:
    """Updates a baseline."""
    outcome = run("baseline", "update", *words, cwd=folder)
    assert outcome.status == status, outcome.out + outcome.err
    return outcome


def scan(folder: Path, *words: str | Path) -> Outcome:
    """Scans against the usual baseline."""
    return run("scan", "--format", "json", "--show-suppressed", "--baseline", NAME, *words, cwd=folder)


def known_pair(repository: Repository, path: str = "bot.py") -> Pair:
    """A pair that is committed and in the usual baseline, which is committed too."""
    pair = Pair.fresh()
    repository.commit({path: f"import os\n\n{pair.python}"})
    create(repository.folder)
    repository.commit({NAME: repository.path(NAME).read_bytes()})
    return pair
