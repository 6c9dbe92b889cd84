"""The table of locations: every line can be used, is documented, and leads back from a path to its advice."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from binance_leaks.machine.account import Account, system_of
from binance_leaks.machine.known_locations import (
    KnownLocation,
    System,
    Treatment,
    known_locations,
    location_at,
    parse_table,
)
from binance_leaks.report.machine_advice import ADVICE

from tests.machine.home import LINUX, MACOS, WINDOWS
from tests.machine.page import PAGE, page


def test_the_page_has_the_table() -> None:
    text = PAGE.read_text("utf-8")
    assert text == page(text), "run: python -m tests.machine.page"


def test_every_line_can_be_used() -> None:
    wrong = {location.pattern: found for location in known_locations() if (found := list(faults(location)))}
    assert wrong == {}


def faults(location: KnownLocation) -> Iterator[str]:
    """What makes a line of no use."""
    if not re.fullmatch(r"https://\S+", location.source):
        yield "its source is no URL"
    if location.is_anywhere:
        *_, folder, name = location.pattern.split("/")
        if name == "**" or (name == "*" and re.search(r"[*?]", folder)):
            yield "folders whose files are all read are known by name"
        return
    for system in location.systems:
        for pattern in Account(system=system, home="/home/me", environment={}).patterns(location):
            if not pattern.startswith("/home/me/") or "{" in pattern:
                yield f"{pattern} is not in a home folder"
            path = re.sub(r"\*\*$", "x/y", pattern).replace("**", "x").replace("*", "x").replace("?", "x")
            if location_at(path) is None:
                yield f"{path} leads to no line"


def test_every_treatment_has_advice_and_is_used() -> None:
    assert set(ADVICE) == set(Treatment) == {location.treatment for location in known_locations()}
    for advice in ADVICE.values():
        advice.for_file.format(file="FILE", lines="$. == 1")
        assert not advice.text.endswith((".", ":"))


def test_a_path_leads_to_its_place() -> None:
    for path in (*LINUX, *MACOS, *WINDOWS):
        assert location_at(f"/home/me/{path}") is not None, path
        assert location_at(f"C:/Users/Me/{path}") is not None, path


def test_a_line_that_is_wrong_is_refused() -> None:
    with pytest.raises(KeyError):
        list(parse_table("Bot | bot | https://bot.example\n  beos | log | ~/bot"))
    with pytest.raises(ValueError, match="treasure"):
        list(parse_table("Bot | bot | https://bot.example\n  any | treasure | ~/bot"))


def test_systems() -> None:
    assert [system_of(name) for name in ("linux", "darwin", "win32", "freebsd14")] == [
        System.LINUX,
        System.MACOS,
        System.WINDOWS,
        System.LINUX,
    ]


def test_folders_of_windows() -> None:
    [location] = parse_table("Bot | bot | https://bot.example\n  any | log | {config}/bot/*.log")
    environment = {"APPDATA": r"D:\Users\Me\Roaming"}
    account = Account(system=System.WINDOWS, home="C:/Users/Me", environment=environment)
    assert account.patterns(location) == ["D:/Users/Me/Roaming/bot/*.log"]
    relative = Account(system=System.WINDOWS, home="C:/Users/Me", environment={"APPDATA": "Roaming"})
    assert relative.patterns(location) == ["C:/Users/Me/AppData/Roaming/bot/*.log"]
