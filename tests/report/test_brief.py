"""The words for sizes, times and counts, and the line for a clean scan."""

from __future__ import annotations

from dataclasses import replace

import pytest
from binance_leaks.findings import ScanStats, SourceKind
from binance_leaks.quantities import human_size, human_time, plural
from binance_leaks.report import View
from binance_leaks.report.summary import clean_line, describe_clean, describe_scope

from . import examples


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (9949, "9.9 kB"),
        (9951, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (56_100_000, "56 MB"),
        (8_100_000_000, "8.1 GB"),
        (2_500_000_000_000, "2.5 TB"),
    ],
)
def test_human_size(count: int, shown: str) -> None:
    assert human_size(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0.01 s"),
        (0.0412, "0.04 s"),
        (0.8123, "0.8 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (125, "2 min 5 s"),
        (3600, "1 h 0 min"),
        (7384, "2 h 3 min"),
    ],
)
def test_human_time(seconds: float, shown: str) -> None:
    assert human_time(seconds) == shown


def test_plural() -> None:
    assert [plural(count, "file") for count in (0, 1, 1234)] == ["0 files", "1 file", "1,234 files"]


def test_a_clean_scan_is_one_line() -> None:
    assert clean_line(examples.clean_result(), View()) == (
        "No Binance credentials found in 1,234 files (56 MB, 0.8 s).\n"
    )
    assert clean_line(examples.clean_result(source=SourceKind.STAGED), View()) == (
        "No Binance credentials found in 1,234 staged files (56 MB, 0.8 s).\n"
    )


def test_a_clean_scan_counts_what_is_suppressed() -> None:
    result = replace(examples.files_result(), findings=(), skipped=())
    line = clean_line(result, View())
    assert line is not None
    assert line.endswith(". 2 suppressed, --show-suppressed lists them.\n")
    assert clean_line(result, View(show_suppressed=True)) is None


def test_more_than_a_line_is_needed() -> None:
    clean = examples.clean_result()
    assert clean_line(examples.files_result(), View()) is None
    assert clean_line(replace(clean, interrupted=True), View()) is None
    assert clean_line(replace(clean, skipped=examples.files_result().skipped[:1]), View()) is None


def test_a_scan_of_nothing_does_not_pass_for_a_clean_one() -> None:
    nothing = replace(examples.clean_result(), stats=ScanStats(files=0, bytes=0, seconds=0.01))
    assert describe_clean(nothing) == "Nothing to scan."
    assert describe_clean(replace(nothing, source=SourceKind.STAGED)) == "Nothing to scan: no staged files."
    assert describe_clean(replace(nothing, interrupted=True)).startswith(
        "No Binance credentials found in what was read"
    )


def test_stats_that_are_missing_are_left_out() -> None:
    clean = examples.clean_result()
    assert describe_clean(replace(clean, stats=ScanStats())) == "No Binance credentials found."
    assert describe_clean(replace(clean, stats=ScanStats(seconds=2))) == "No Binance credentials found in 2.0 s."
    assert describe_scope(replace(clean, stats=ScanStats())) == ""
    assert describe_scope(replace(clean, stats=ScanStats(commits=1, objects=2))) == "Scanned 1 commit and 2 objects."


def test_a_history_counts_its_objects_alone() -> None:
    stats = ScanStats(objects=120_345, blobs=60_000, commits=31_000, bytes=2_100_000_000, seconds=1.2)
    result = replace(examples.clean_result(source=SourceKind.HISTORY), stats=stats)
    assert clean_line(result, View()) == "No Binance credentials found in 120,345 objects (2.1 GB, 1.2 s).\n"
    assert describe_scope(result) == "Scanned 120,345 objects (2.1 GB, 1.2 s)."
    nothing = replace(result, stats=ScanStats(objects=0, blobs=0, commits=0, bytes=0, seconds=0.1))
    assert describe_clean(nothing) == "Nothing to scan: no objects."


def test_a_fleet_counts_its_repositories() -> None:
    stats = ScanStats(repositories=212, objects=9, bytes=2_100_000_000, seconds=75.2)
    clean = replace(examples.clean_result(source=SourceKind.FLEET), stats=stats)
    assert clean_line(clean, View()) == "No Binance credentials in 212 repositories (2.1 GB, 1 min 15 s).\n"
    assert describe_clean(replace(clean, stats=ScanStats(repositories=1))) == "No Binance credentials in 1 repository."
    assert describe_clean(replace(clean, stats=ScanStats(repositories=0))) == "Nothing to scan: no repositories."
    again = replace(clean, stats=ScanStats(repositories=2, repositories_unchanged=1, new=0, gone=3))
    assert clean_line(again, View()) == (
        "No Binance credentials in 2 repositories. 1 repository unchanged. Since the previous run: 3 gone.\n"
    )
    lost = replace(
        clean, stats=ScanStats(repositories=212, repositories_failed=2), skipped=examples.fleet_result().skipped
    )
    assert describe_clean(lost) == "No Binance credentials found in what was read: 210 of 212 repositories."
    assert describe_scope(examples.fleet_result()) == (
        "Scanned 210 of 212 repositories (21 GB, 1 min 15 s). 5 repositories unchanged. "
        "Since the previous run: 1 new, 2 still there, 1 gone."
    )
