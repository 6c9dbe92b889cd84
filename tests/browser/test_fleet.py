"""The page of a fleet at work: totals, filters by repository and by what became of a credential, hostile names."""

from __future__ import annotations

import re

import pytest
from binance_leaks.findings import Finding, Mark, Result
from binance_leaks.model import RiskLevel
from binance_leaks.report.locations import total_by_repository
from binance_leaks.report.sanitize import Quoted, Redactor
from playwright.sync_api import expect

from tests.browser import results
from tests.browser.conftest import Opened, Opens
from tests.browser.test_page import choose, masks, shown, status
from tests.report import examples


def holding(result: Result, *names: str) -> list[str]:
    """The masks of the credentials that any of these repositories holds."""
    return masks([one for one in result.findings if {*names} & {*one.repositories}])


def repository(opened: Opened, text: str, reported: str) -> None:
    """Types into the filter and waits for its answer."""
    opened.page.get_by_label("Repository", exact=True).fill(text)
    expect(opened.page.get_by_role("status")).to_have_text(reported)


def names_of(result: Result) -> list[str]:
    return sorted({name for one in result.findings for name in one.repositories})


def test_totals_are_at_the_top(opens: Opens) -> None:
    page = opens(examples.fleet_result()).page
    assert page.locator("h1").inner_text().startswith("3 findings in 10 of 212 repositories: ")
    assert page.locator(".totals").inner_text() == (
        "2 repositories could not be scanned. Since the previous run: 1 new, 2 still there, 1 gone."
    )
    assert "team/huge timed out after 3 attempts" in page.locator("#scan").inner_text()


def test_the_table_counts_credentials_by_repository(opens: Opens) -> None:
    result = results.fleet(60, 40)
    opened = opens(result)
    rows = opened.page.locator(".repositories tbody tr")
    assert len(opened.visible(".repositories tbody tr")) == 15
    found = [re.split(r"\s+", row.inner_text().strip()) for row in rows.all() if row.is_visible()]
    opened.page.locator(".repositories summary").click()
    assert len(opened.visible(".repositories tbody tr")) == 40
    for total, (name, *cells) in zip(total_by_repository(result.findings), found, strict=False):
        assert name == total.repository
        assert list(map(int, cells)) == [*total.levels, total.credentials, total.gone]
    assert opened.visible(".repositories thead tr")[0].split() == [
        "Repository",
        *(level.value for level in sorted(RiskLevel, reverse=True)),
        "all",
        "gone",
    ]


def test_a_row_filters_the_cards(opens: Opens) -> None:
    result = results.fleet(60, 40)
    opened = opens(result)
    name = total_by_repository(result.findings)[4].repository
    choose(opened, "environment", "pay")
    opened.page.get_by_role("button", name=name, exact=True).click()
    assert shown(opened) == holding(result, name)
    assert opened.page.get_by_label("Repository", exact=True).input_value() == name
    assert opened.page.evaluate("document.activeElement.id") == "credentials"
    opened.page.get_by_role("button", name="Reset").click()
    assert status(opened) == "All 60 shown"
    assert opened.printed == []


def test_typing_filters_by_the_whole_name_or_a_part_of_it(opens: Opens) -> None:
    result = results.fleet(60, 40)
    opened = opens(result)
    names = names_of(result)
    short = next(name for name in names if any(other != name and other.startswith(name) for other in names))
    assert opened.page.locator("#repositories option").count() == len(names)
    whole, part = holding(result, short), holding(result, *(name for name in names if name.startswith("team-3/")))
    repository(opened, f" {short.upper()} ", f"{len(whole)} of 60 match")
    assert shown(opened) == whole
    repository(opened, "team-3/", f"{len(part)} of 60 match")
    assert shown(opened) == part
    repository(opened, "no such repository", "0 of 60 match")


@pytest.mark.parametrize("mark", list(Mark))
def test_filters_by_what_became_of_it(opens: Opens, mark: Mark) -> None:
    result = results.fleet(20, 5)
    opened = opens(result)
    opened.page.get_by_label("Since the previous run").select_option(mark.value)
    wanted = [one for one in result.findings if one.mark is mark]
    assert shown(opened) == masks(wanted)
    chips = {"new": "NEW", "still-there": "still there", "gone": "gone"}
    reported = opened.page.locator(f"#cards .chip.{mark.value}").all_text_contents()
    assert reported == [chips[mark.value]] * len(wanted)


def test_finds_and_sorts_by_repositories(opens: Opens) -> None:
    result = results.fleet(60, 200)
    opened = opens(result)
    last = result.findings[0].repositories[-1]  # beyond those that the card lists
    opened.page.get_by_role("searchbox", name="Find").fill(last.upper())
    expect(opened.page.get_by_role("status")).to_have_text(f"{len(holding(result, last))} of 60 match")
    choose(opened, "within", "path")
    assert status(opened) == "0 of 60 match"
    choose(opened, "within", "repository")
    assert shown(opened) == holding(result, last)
    opened.page.get_by_role("button", name="Reset").click()
    choose(opened, "sort", "repositories")
    by_number = sorted(result.findings, key=lambda one: -len(one.repositories))
    assert shown(opened) == masks(by_number)


def card(opened: Opened, finding: Finding) -> str:
    """The text of a card, unfolded."""
    opened.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    found = opened.page.locator(f"#c-{finding.id}")
    found.evaluate("(one) => { one.style.contentVisibility = 'visible'; }")  # else there is no text off the screen
    return found.inner_text()


def test_a_card_names_repositories_at_first_sight_and_places_by_them(opens: Opens) -> None:
    result = examples.fleet_result()
    opened = opens(result)
    held = opened.page.locator("#cards .held").first
    assert (held.text_content() or "").startswith("9 repositories")
    assert held.locator("bdi").all_text_contents() == ["team/bot", "forks/user-0", "forks/user-1"]
    assert held.locator(".meta").last.text_content() == "and 6 more"
    text = card(opened, result.findings[0])
    where = text.partition("LOCATIONS")[2]
    assert re.findall(r"^(?:team|forks)/[a-z0-9-]+$", where, re.MULTILINE) == [
        "team/bot",
        *(f"forks/user-{n}" for n in range(7)),
        "team/api",
    ]
    assert "and 4,950 more locations in the store" in where
    assert "by Jane Doe in team/bot, forks/user-0, forks/user-1 and 6 more repositories" in text
    assert "In team/bot: a remote has it." in opened.page.locator(".panel.first").inner_text()


def test_hostile_names_of_repositories_are_text(opens: Opens) -> None:
    result = results.hostile_fleet()
    quoted = Quoted(Redactor.of(result))
    opened = opens(result)
    page = opened.page
    strange = "img, iframe, object, embed, form, base, svg svg, style ~ style, script ~ script, link:not([rel=icon])"
    assert page.locator(strange).count() == 0
    handlers = "[...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames())"
    assert not [name for name in page.evaluate(handlers) if name.startswith("on") or name in ("style", "srcdoc")]
    wanted = {quoted.path(text).strip() for text in results.HOSTILE}
    assert {one.text_content() for one in page.locator("th[data-repository] bdi").all()} == wanted
    for number in range(len(results.HOSTILE)):
        page.locator(f"th[data-repository='{number}'] button").evaluate("(one) => one.click()")
        assert len(shown(opened)) == 1, number
    assert opened.printed == []
    assert [url for url in opened.asked if not url.endswith("/report.html")] == []


def test_without_its_script_names_are_no_buttons(opens: Opens) -> None:
    opened = opens(results.fleet(30, 20), script=False)
    assert opened.page.locator("th[data-repository]").count() == 20
    assert opened.page.locator(".repositories button").count() == 0
    assert len(opened.visible("#cards .held")) == 30
    opened.page.locator(".repositories summary").click()
    assert len(opened.visible(".repositories tbody tr")) == 20


def test_pages_of_other_sources_have_no_repositories(opens: Opens) -> None:
    opened = opens(results.dozen())
    assert opened.page.locator(".repositories, .held, .totals, #repository, #mark, #repositories").count() == 0
    options = opened.page.locator("#sort option, #within option").all_text_contents()
    assert not [name for name in options if "repositor" in name]
    choose(opened, "sort", "path")
    assert opened.printed == []


def test_many_repositories_are_no_load(opens: Opens) -> None:
    """2,000 names in the list, as many rows, and a card that all of them hold."""
    result = results.fleet(40, 2000)
    opened = opens(result)
    assert opened.page.locator("#repositories option").count() == 2000
    first = result.findings[0]
    assert opened.page.locator(f"#c-{first.id} .holders > li").count() == 100
    assert "1,900 more repositories" in card(opened, first)
    name = first.repositories[-1]
    repository(opened, name, f"{len(holding(result, name))} of 40 match")
