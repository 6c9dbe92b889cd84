"""Places in the order that helps a reader, and which repositories of a fleet hold what."""

from __future__ import annotations

from dataclasses import replace

from binance_leaks.findings import Finding, Mark, ScanStats
from binance_leaks.model import Exposure, Location, RiskLevel, Role
from binance_leaks.report.locations import (
    LEVELS_BY_SEVERITY,
    RepositoryLocations,
    describe_repositories,
    describe_rest,
    describe_spread,
    locations_by_repository,
    sort_by_use,
    total_by_repository,
)

from . import examples


def place(
    repository: str | None, line: int, exposure: Exposure = Exposure.HISTORY, *, pushed: bool = False
) -> Location:
    return replace(examples.at("a.py", line, exposure=exposure, pushed=pushed), repository=repository)


def found(*places: Location, level: RiskLevel = RiskLevel.HIGH, mark: Mark | None = None) -> Finding:
    made = examples.Maker().finding(Role.API_KEY, locations=places, level=level)
    return replace(made, mark=mark)


def test_a_repository_comes_first_where_it_is_seen_most() -> None:
    finding = found(
        place("e", 1, Exposure.UNREACHABLE),
        place("d", 2),
        place("c", 3),
        place("c", 4),
        place("b", 5, pushed=True),
        place("a", 6),
        place("a", 7, Exposure.PRESENT),
    )
    assert [holder.repository for holder in locations_by_repository(finding)] == ["a", "b", "c", "d", "e"]
    assert locations_by_repository(finding)[0] == RepositoryLocations(
        repository="a", locations=(finding.locations[6], finding.locations[5])
    )
    assert locations_by_repository(found(place(None, 1))) == []


def test_the_first_places_tell_of_most_repositories() -> None:
    finding = found(place("b", 1), place("b", 2), place("a", 3, Exposure.PRESENT), place("a", 4, Exposure.PRESENT))
    assert [one.line for one in sort_by_use(finding)] == [3, 1, 4, 2]


def test_without_repositories_places_keep_their_order_of_use() -> None:
    finding = found(place(None, 1), place(None, 2, Exposure.PRESENT), place(None, 3))
    assert [one.line for one in sort_by_use(finding)] == [2, 1, 3]


def test_what_is_not_shown_is_reported() -> None:
    finding = found(place("a", 1), place("a", 2), place("b", 3), place("c", 4))
    assert describe_rest(finding, finding.locations) == []
    assert describe_rest(finding, finding.locations[:3]) == ["1 more location in 1 more repository"]
    assert describe_rest(finding, finding.locations[:1]) == ["3 more locations in 2 more repositories"]
    assert describe_rest(replace(finding, unlisted=1), finding.locations) == ["1 more location in the store"]
    lone = found(place(None, 1), place(None, 2), place(None, 3))
    assert describe_rest(replace(lone, unlisted=4950), lone.locations[:1]) == [
        "2 more locations",
        "4,950 more locations in the store",
    ]


def test_totals_have_the_repository_with_the_most_severe_first() -> None:
    findings = [
        found(place("calm", 1), place("calm", 2), level=RiskLevel.LOW),
        found(place("calm", 3), level=RiskLevel.LOW),
        found(place("grave", 4), place("calm", 5), level=RiskLevel.HIGH),
        found(place("worst", 6), level=RiskLevel.CRITICAL),
        found(place("worst", 7), place("past", 8), level=RiskLevel.CRITICAL, mark=Mark.GONE),
    ]
    reported = [(total.repository, total.credentials, total.gone) for total in total_by_repository(findings)]
    assert reported == [("worst", 1, 1), ("calm", 3, 0), ("grave", 1, 0), ("past", 0, 1)]
    assert total_by_repository(findings)[1].levels == tuple(
        {"high": 1, "low": 2}.get(level.value, 0) for level in LEVELS_BY_SEVERITY
    )


def test_what_is_gone_is_in_no_repository() -> None:
    result = examples.fleet_result()
    assert describe_repositories(result) == "in 10 of 212 repositories"
    assert describe_spread(result) == "In 10 of 212 repositories; 2 could not be scanned."
    gone = replace(result, findings=(result.findings[2],))
    assert describe_repositories(gone) == ""
    assert describe_spread(gone) == "2 could not be scanned."
    assert describe_repositories(replace(result, stats=ScanStats())) == "in 10 repositories"
    assert describe_spread(examples.history_result()) == ""
