"""Paths in the form of Windows: the same location with `/`, and nothing outside of what was named.

Functions that take paths as text get the `os` of Windows; the law is `PureWindowsPath`.
"""

from __future__ import annotations

import io
import ntpath
import os
import stat
import zipfile
from pathlib import Path, PureWindowsPath
from types import ModuleType, SimpleNamespace
from typing import cast

import pytest
from binance_leaks.baseline import known
from binance_leaks.fleet import units
from binance_leaks.machine.account import Account
from binance_leaks.machine.known_locations import System, known_locations, location_at
from binance_leaks.pipeline import agent_source
from binance_leaks.pipeline.agent_source import AgentEventSource
from binance_leaks.report.locations import is_absolute, path_uri
from binance_leaks.sources import path_roots
from binance_leaks.sources.path_roots import PathRoot, relative_path
from hypothesis import given
from hypothesis import strategies as st

from tests.e2e import Pair, run

ROOTS = ("C:\\", "c:/", "D:\\", "\\\\host\\share\\", "//host/share/")
NAMES = st.sampled_from(
    ("a", "B", ".env", "x y", "con", "NUL.txt", "aux.py", "ends.", "ends ", "file:stream", "..x", "é", "\udcff", "~1")
)
INNER = st.builds(
    lambda names, separators: "".join(map("".join, zip(names, separators, strict=False))).rstrip("\\/"),
    st.lists(NAMES, min_size=1, max_size=4),
    st.lists(st.sampled_from("\\/"), min_size=4, max_size=4),
)
ABSOLUTE = st.builds("{}{}".format, st.sampled_from(ROOTS), INNER)
FOLDERS = st.one_of(INNER, ABSOLUTE, st.sampled_from((*ROOTS, "C:", "C:x", ".", "..", "..\\..", "\\x", "/x")))


class WindowsOs(ModuleType):
    """`os` with the paths of Windows."""

    sep, altsep, pathsep, path, name = "\\", "/", ";", ntpath, "nt"

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)


@pytest.fixture(scope="module", autouse=True)
def windows() -> object:
    """Give the paths of Windows to the modules that are tried here."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (path_roots, known, agent_source, units):
            patch.setattr(module, "os", WindowsOs("os"))
        yield


@given(FOLDERS, NAMES)
def test_what_is_below_a_folder_is_opened_and_shown_as_one_path(folder: str, name: str) -> None:
    root = PathRoot(path=folder, kind=stat.S_IFDIR)
    opened, shown = root.below("\\") + name, root.below("/") + name
    assert PureWindowsPath(opened) == PureWindowsPath(folder) / name
    assert "\\" not in shown
    assert PureWindowsPath(shown) == PureWindowsPath(opened)


@given(ABSOLUTE, ABSOLUTE)
def test_a_relative_path_leads_to_the_same_file(path: str, start: str) -> None:
    relative = relative_path(path, start)
    assert "\\" not in relative
    assert ntpath.normcase(ntpath.normpath(ntpath.join(start, relative))) == ntpath.normcase(ntpath.normpath(path))
    same_drive = ntpath.normcase(ntpath.splitdrive(path)[0]) == ntpath.normcase(ntpath.splitdrive(start)[0])
    assert ntpath.isabs(relative) == (not same_drive)


@given(ABSOLUTE)
def test_a_path_is_a_uri_of_a_file(path: str) -> None:
    shown = path.replace("\\", "/")
    assert is_absolute(shown)
    assert path_uri(shown).startswith(("file:///", "file://host/share"))
    assert (
        ":" not in path_uri(shown).removeprefix("file:///C:").removeprefix("file:///c:").removeprefix("file:///D:")[5:]
    )


@given(INNER)
def test_a_baseline_knows_a_path_from_either_system(path: str) -> None:
    assert known.stored(path) == known.stored(path.replace("\\", "/")) == path.replace("\\", "/")


@given(
    st.sampled_from(("C:\\project", "c:/project/", "\\\\host\\share\\project")), INNER, st.sampled_from(("", "!/m/x"))
)
def test_a_baseline_finds_the_path_from_its_root(root: str, inner: str, member: str) -> None:
    path = known.path_from(root, ntpath.join(root, inner) + member, "C:\\elsewhere")
    assert path == ntpath.normpath(inner).replace("\\", "/") + member


@pytest.mark.parametrize("folder", ["C:\\Users\\me\\bot", "C:/Users/me/bot", "C:\\Users\\me\\bot\\"])
@pytest.mark.parametrize("inner", ["binance\\keys.py", "binance/keys.py"])
def test_names_of_an_agents_file_are_evidence(folder: str, inner: str) -> None:
    def evidence(target: str) -> str:
        source = SimpleNamespace(event=SimpleNamespace(folder=folder, target=target))
        return AgentEventSource._evidence_path(cast("AgentEventSource", source))

    assert evidence(ntpath.normpath(ntpath.join(folder, inner))) == "binance/keys.py"
    assert evidence("D:\\other\\binance.py") == "binance.py"
    assert evidence("") == ""


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("file:///C:/work/bot", "C:\\work\\bot"),
        ("file://localhost/c:/a%20b", "c:\\a b"),
        ("C:\\work\\bot", "C:\\work\\bot"),
        ("\\\\host\\share\\bot", "\\\\host\\share\\bot"),
    ],
)
def test_a_file_url_with_a_drive_is_a_path(address: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Windows(ModuleType):
        platform = "win32"

    monkeypatch.setattr(units, "sys", Windows("sys"))
    assert units._path(address) == path


@given(st.sampled_from(("C:\\Users\\me", "C:/Users/me", "\\\\host\\profiles\\me")))
def test_locations_of_a_machine_are_found_again(home: str) -> None:
    """From their pattern in a home folder of Windows, and from variables with backslashes."""
    variables = {"APPDATA": f"{home}\\AppData\\Roaming", "LOCALAPPDATA": f"{home}\\AppData\\Local\\"}
    moved = Account(system=System.WINDOWS, home=home.replace("\\", "/"), environment=variables)
    plain = Account(system=System.WINDOWS, home=home.replace("\\", "/"), environment={})
    for location in known_locations():
        if moved.has(location) and not location.is_anywhere:
            assert moved.patterns(location) == plain.patterns(location)
            for pattern in moved.patterns(location):
                assert "\\" not in pattern
                assert location_at(pattern.replace("**", "x").replace("*", "x")) is not None


@pytest.mark.parametrize(
    "member",
    [
        "..\\..\\out.env",
        "C:\\out.env",
        "\\\\host\\share\\x.env",
        "/out.env",
        "../out.env",
        "C:x.env",
        "CON",
        "a:s",
        "x. ",
    ],
)
def test_a_member_of_an_archive_stays_in_it(member: str, tmp_path: Path) -> None:
    """It is read, located in the archive, and written nowhere."""
    pair, packed = Pair.fresh(), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo(member), pair.dotenv)
    folder = tmp_path / "in" / "ner"
    folder.mkdir(parents=True)
    (folder / "a.zip").write_bytes(packed.getvalue())
    [found] = run("scan", "--format", "json", ".", cwd=folder).report["findings"]
    assert {place["path"] for place in found["locations"]} == {f"a.zip!/{member}"}
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "in",
        "in/ner",
        "in/ner/a.zip",
    ]
