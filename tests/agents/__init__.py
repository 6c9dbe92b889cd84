"""Plays events of agents' hooks."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any, cast

import pytest
from binance_leaks.cli import main

from tests.e2e import Pair


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """The answer to an event."""

    status: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """What is on standard output, as JSON; empty where there is nothing."""
        return cast("dict[str, Any]", json.loads(self.out)) if self.out else {}

    @property
    def own(self) -> dict[str, Any]:
        """The part of the answer that is for the event."""
        return cast("dict[str, Any]", self.answer.get("hookSpecificOutput", {}))


def play(event: object, *words: str) -> Played:
    """Send an event to the hook in this process: JSON, or what is to be sent as it is."""
    data = event if isinstance(event, bytes) else json.dumps(event).encode()
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        status = main(["agent-hook", *words])
    return Played(status=status, out=out.getvalue(), err=err.getvalue())


def filled(event: object, pair: Pair) -> Any:
    """An event with the values of a pair in place of {KEY} and {SECRET}, in texts that are JSON too."""
    text = json.dumps(event).replace("{KEY}", pair.key).replace("{SECRET}", pair.secret)
    return json.loads(text)


def assert_shows_nothing(played: Played, pair: Pair) -> None:
    """No value, and no half of one, is in an answer."""
    shown = played.out + played.err
    for value in (pair.key, pair.secret):
        assert value not in shown
        assert value[8:40] not in shown


def with_field(event: Mapping[str, object], **fields: object) -> dict[str, object]:
    """An event with other fields."""
    return {**event, **fields}
