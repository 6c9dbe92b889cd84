"""Files of reports: whole or not at all, asked before the scan, and GitHub's step summary."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PureWindowsPath

import pytest
from binance_leaks.cli.output import append_summary, refuse_unwritable, wanted_formats, write_file
from binance_leaks.cli.settings import OutputSettings
from binance_leaks.errors import ScanError, UsageError

_MIB = 1024 * 1024


def output(*formats: str) -> OutputSettings:
    return OutputSettings(format=formats)


def test_a_new_file_has_the_mode_of_the_umask(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    before = os.umask(0o027)
    try:
        write_file(file, "…\n")
    finally:
        os.umask(before)
    assert file.read_bytes() == "…\n".encode()
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [file]


def test_an_old_file_keeps_its_mode_and_a_link_its_target(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old and much longer\n")
    real.chmod(0o604)
    link.symlink_to(real)
    write_file(link, "new\n")
    assert link.is_symlink()
    assert real.read_text() == "new\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o604


def test_a_long_name_can_be_written(tmp_path: Path) -> None:
    file = tmp_path / f"{'a' * 250}.json"
    refuse_unwritable([file])
    write_file(file, "x\n")
    assert file.read_text() == "x\n"


def test_what_is_no_plain_file_is_written_in_place() -> None:
    refuse_unwritable([Path(os.devnull)])
    write_file(Path(os.devnull), "x\n")
    assert not Path(os.devnull).is_file()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
def test_a_pipe_is_written_if_somebody_reads_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ScanError, match="nothing reads this pipe"):
        write_file(pipe, "x\n")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_file(pipe, "x\n")
    assert os.read(reader, 10) == b"x\n"
    os.close(reader)


def test_asking_touches_nothing(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text("old\n")
    wanted_formats(output(f"json:{old}", f"sarif:{new}", "text"))
    assert old.read_text() == "old\n"
    assert not new.exists()


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("missing/report.json", "there is no folder"),
        (".", "it is a folder"),
        ("file/report.json", "there is no folder"),
        ("x" * 300, "too long"),
    ],
)
def test_what_cannot_be_written_is_reported_before_the_scan(tmp_path: Path, place: str, why: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ScanError, match=why) as caught:
        wanted_formats(output(f"json:{tmp_path / place}"))
    assert caught.value.exit_status == 3


def test_two_formats_do_not_share_a_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("report")
    with pytest.raises(UsageError, match="one file"):
        wanted_formats(output(f"json:{tmp_path / 'report'}", f"sarif:{tmp_path / 'link'}"))


def test_a_drive_letter_belongs_to_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("binance_leaks.cli.output.refuse_unwritable", lambda _: None)
    ((report, file),) = wanted_formats(output(r"json:C:\reports\a:b.json"))
    assert report.name == "json"
    assert PureWindowsPath(str(file)) == PureWindowsPath(r"C:\reports\a:b.json")


def test_a_summary_is_appended(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    for text in ("# one\n", "# two\n"):
        append_summary(file, text)
    assert file.read_text() == "# one\n# two\n"


@pytest.mark.parametrize("already", [0, 1000, _MIB - 300])
def test_a_summary_is_no_larger_than_github_takes(tmp_path: Path, already: int) -> None:
    file = tmp_path / "summary"
    file.write_bytes(b"x" * already)
    append_summary(file, "one line of many\n" * 100_000)
    data = file.read_bytes()
    assert _MIB - 200 < len(data) <= _MIB
    assert data.endswith(b"Another report has the rest.\n")
    assert b"many\n\n**This summary was cut**" in data or b"many\n\n\n**This" in data


def test_a_full_summary_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_bytes(b"x" * _MIB)
    append_summary(file, "# more\n")
    assert file.stat().st_size == _MIB


def test_a_summary_that_cannot_be_written_reports_so(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match=r"step summary .* cannot be written"):
        append_summary(tmp_path / "missing" / "summary", "x")
