"""Results for users of the library: masked wherever a repository wrote."""

from __future__ import annotations

from binance_leaks.report.sanitize import redacted

from . import examples


def test_no_value_is_in_a_result_that_is_handed_on() -> None:
    value = examples.Maker(99).raw().decode()
    for made in examples.HOSTILE_RESULTS:
        assert value[4:] in repr(made(value))
        assert value[4:] not in repr(redacted(made(value)))


def test_names_of_repositories_stay_otherwise() -> None:
    result = examples.fleet_result()
    assert [one.repositories for one in redacted(result).findings] == [one.repositories for one in result.findings]
