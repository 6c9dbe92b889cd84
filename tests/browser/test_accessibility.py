"""The page for everybody: a checker finds nothing, the keyboard reaches all, narrow windows and print show all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from binance_leaks.findings import Result

from tests.browser import results
from tests.browser.conftest import Opened, Opens
from tests.report import examples

RESULTS: dict[str, Callable[[], Result]] = {
    "dozen": results.dozen,
    "hostile": results.hostile,
    "files": examples.files_result,
    "gate": examples.gate_result,
    "history": examples.history_result,
    "clean": examples.clean_result,
    "fleet": partial(results.fleet, 6, 18),
    "hostile fleet": results.hostile_fleet,
}


@pytest.mark.parametrize("shown", RESULTS)
def test_a_checker_finds_nothing_wrong(opens: Opens, shown: str) -> None:
    opened = opens(RESULTS[shown]())
    if shown == "dozen":
        opened.page.get_by_role("switch").check()
        opened.page.get_by_label("critical 2").check()
    assert opened.violations() == []


@pytest.mark.parametrize("shown", ["dozen", "gate", "fleet"])
def test_all_can_be_read_in_the_dark(opens: Opens, shown: str) -> None:
    assert opens(RESULTS[shown](), scheme="dark").violations("color-contrast") == []


@pytest.mark.parametrize("shown", ["dozen", "fleet"])
def test_a_checker_finds_nothing_wrong_on_a_phone(opens: Opens, shown: str) -> None:
    assert opens(RESULTS[shown](), width=360).violations() == []


def test_the_checker_would_find_something(opens: Opens) -> None:
    opened = opens(results.dozen())
    opened.page.evaluate("document.documentElement.removeAttribute('lang')")
    opened.page.evaluate("document.getElementById('sort').id = 'without-label'")
    opened.page.evaluate("(([s]) => s.parentElement.before(s))([document.getElementById('without-label')])")
    opened.page.evaluate("for (const one of document.querySelectorAll('.card .path')) one.style.color = '#eee'")
    rules = {one.partition(":")[0] for one in opened.violations()}
    assert rules == {"color-contrast", "html-has-lang", "select-name"}


@pytest.mark.parametrize("shown", ["dozen", "hostile", "history", "fleet", "hostile fleet"])
def test_nothing_is_wider_than_the_window(opens: Opens, shown: str) -> None:
    page = opens(RESULTS[shown]()).page
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    cut = "[...document.querySelectorAll('.card, .panel')].filter((one) => one.scrollWidth > one.clientWidth).length"
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(cut) == 0, width


def test_the_keyboard_reaches_everything(opens: Opens) -> None:
    opened = opens(results.dozen())
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the credentials"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "level"
    page.keyboard.press("Space")
    assert page.get_by_role("status").inner_text() == "2 of 12 match"
    card = page.locator(".card summary").first
    card.focus()
    page.keyboard.press("Enter")
    assert not page.locator(".card .body").first.is_visible()
    page.keyboard.press("Enter")
    task = page.locator(".card .tasks input").first
    task.focus()
    page.keyboard.press("Space")
    assert task.is_checked()
    assert outlined(opened)


def outlined(opened: Opened) -> bool:
    """Whether one sees where the focus is."""
    style = opened.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    return style not in ("none", "")


@pytest.mark.parametrize("script", [True, False])
def test_print_shows_all_cards_and_no_controls(opens: Opens, script: bool) -> None:
    opened = opens(results.dozen(), script=script, show_suppressed=False)
    page = opened.page
    assert page.locator(".card .body:visible").count() == 3
    page.emulate_media(media="print")
    if script:
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
    bodies = page.locator(".card .body").all()
    assert len(bodies) == 12
    for body in bodies:
        box = body.bounding_box()
        assert box is not None
        assert box["height"] > 100
    for selector in (".controls", ".themes", ".skip", ".more"):
        assert not any(one.is_visible() for one in page.locator(selector).all())
    if script:
        page.emulate_media(media="screen")
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator(".card .body:visible").count() == 3


def test_print_takes_what_a_long_list_has_left_out(opens: Opens) -> None:
    opened = opens(results.many(250))
    assert opened.page.locator(".card").count() == 200
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.page.locator(".card > details[open]").count() == 250
    opened.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert opened.page.locator(".card").count() == 200
    assert opened.page.locator(".card > details[open]").count() == 3


def ground(opened: Opened) -> str:
    return str(opened.page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_light_and_dark_follow_the_system_and_the_switch(opens: Opens) -> None:
    light, dark = opens(results.dozen()), opens(results.dozen(), scheme="dark")
    white, black = ground(light), ground(dark)
    assert white != black
    light.page.get_by_label("Dark").check()
    assert ground(light) == black
    dark.page.get_by_label("Light").check()
    assert ground(dark) == white
    dark.page.get_by_label("Auto").check()
    assert ground(dark) == black


def test_without_its_script_it_follows_the_system(opens: Opens) -> None:
    light, dark = (opens(results.dozen(), scheme=scheme, script=False) for scheme in ("light", "dark"))
    assert ground(light) != ground(dark)
    assert light.visible(".themes") == []
