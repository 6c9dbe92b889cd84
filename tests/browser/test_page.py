"""The page at work: quiet, its policy holds, filters, sorting, long lists, links, without a script."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from binance_leaks.findings import Finding
from binance_leaks.model import Environment, Exposure, RiskLevel
from binance_leaks.report import View, format_named
from binance_leaks.report.html.card import LINKED
from binance_leaks.report.sanitize import Quoted, Redactor
from playwright.sync_api import Browser, expect

from tests.browser import results
from tests.browser.conftest import Opened, Opens
from tests.browser.test_accessibility import RESULTS


def shown(opened: Opened) -> list[str]:
    """The masks of the keys of the cards that are shown."""
    cards = opened.page.locator("#cards .card:visible .masks > span:first-child .mask")
    return cards.all_text_contents()


def masks(findings: list[Finding]) -> list[str]:
    return [finding.values[0].masked.removeprefix("private key, ") for finding in findings]


def choose(opened: Opened, name: str, value: str) -> None:
    opened.page.locator(f"#{name}").select_option(value)


def status(opened: Opened) -> str:
    return opened.page.get_by_role("status").inner_text()


@pytest.mark.parametrize("name", RESULTS)
def test_it_opens_without_a_word_or_request(opens: Opens, name: str) -> None:
    opened = opens(RESULTS[name]())
    for details in opened.page.locator("details:visible").all():
        details.evaluate("(one) => one.open = true")
    assert opened.printed == []
    assert [url for url in opened.asked if not url.endswith("/report.html")] == []


class _Server(SimpleHTTPRequestHandler):
    """Remembers what was asked for."""

    asked: list[str]

    def __init__(self, *words: Any, asked: list[str], directory: str) -> None:
        self.asked = asked
        super().__init__(*words, directory=directory)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    handler = partial(_Server, asked=asked, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_from_a_server_it_asks_for_itself_alone(
    chromium: Browser, served: tuple[str, list[str]], tmp_path: Path
) -> None:
    """Not even for an icon."""
    url, asked = served
    (tmp_path / "report.html").write_text(format_named("html").render(results.hostile(), View()), "utf-8")
    context = chromium.new_context()
    opened = Opened(page=context.new_page())
    opened.listen()
    opened.page.goto(f"{url}/report.html", wait_until="networkidle")
    context.close()
    assert (asked, opened.printed) == (["/report.html"], [])


def test_hostile_text_is_text(opens: Opens) -> None:
    result = results.hostile()
    quoted = Quoted(Redactor.of(result))
    page = opens(result).page
    assert page.title().startswith("<img src=x")
    strange = "img, iframe, object, embed, form, base, svg svg, style ~ style, script ~ script, link:not([rel=icon])"
    assert page.locator(strange).count() == 0
    handlers = "[...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames())"
    assert not [name for name in page.evaluate(handlers) if name.startswith("on") or name in ("style", "srcdoc")]
    assert {one.get_attribute("href") or "" for one in page.locator("a:not([href^='#'])").all()} <= LINKED
    wheres = [one.text_content() for one in page.locator("#cards .where bdi").all()]
    assert wheres == [quoted.path(f"{text}/a.py") for text in results.HOSTILE]


def test_hostile_text_paints_over_nothing(opens: Opens) -> None:
    """Cards clip what is in them, and direction marks do not reach beyond a name."""
    opened = opens(results.hostile())
    style = opened.page.evaluate("getComputedStyle(document.querySelector('.card')).contentVisibility")
    assert style == "auto"
    isolated = (
        "[...document.querySelectorAll('bdi, code')].every((one) => getComputedStyle(one).unicodeBidi == 'isolate')"
    )
    assert opened.page.evaluate(isolated)


@pytest.mark.parametrize(
    ("tried", "directive"),
    [
        ("const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s)", ""),
        ("document.body.setAttribute('style', 'color: red')", "style-src-attr"),
        ("const i = new Image(); i.src = 'http://127.0.0.1:9/i.png'; document.body.append(i)", "img-src"),
        ("fetch('http://127.0.0.1:9/').catch(() => 0)", "connect-src"),
        (
            "const f = document.createElement('iframe'); f.src = 'http://127.0.0.1:9/'; document.body.append(f)",
            "frame-src",
        ),
        (
            "const b = document.createElement('base'); b.href = 'http://127.0.0.1:9/'; document.head.append(b)",
            "base-uri",
        ),
        (
            "const f = document.createElement('form'); f.action = '//x/'; document.body.append(f); f.submit()",
            "form-action",
        ),
        ("document.body.setAttribute('onclick', 'window.ran = 1'); document.body.click()", ""),
    ],
)
def test_the_policy_holds(opens: Opens, tried: str, directive: str) -> None:
    opened = opens(results.dozen())
    reported = opened.page.evaluate(
        "(tried) => new Promise((done) => {"
        "  document.addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective));"
        f"  try {{ {tried} }} catch (error) {{ done(error.name) }}"
        "})"
    )
    assert reported == directive or (directive == "" and reported in ("require-trusted-types-for", "TypeError"))
    assert opened.page.evaluate("window.ran") is None
    assert not [url for url in opened.asked if not url.startswith(("file:", "http://127.0.0.1:9/"))]


def test_filters_by_risk_exposure_and_environment(opens: Opens) -> None:
    result = results.dozen()
    opened = opens(result)
    assert status(opened) == "All 12 shown"
    assert shown(opened) == masks(list(result.findings))
    opened.page.get_by_label("critical 2").check()
    opened.page.get_by_label("high 2").check()
    grave = [one for one in result.findings if one.risk.level >= RiskLevel.HIGH]
    assert (shown(opened), status(opened)) == (masks(grave), "4 of 12 match")
    opened.page.get_by_role("button", name="Reset").click()
    for exposure in Exposure:
        if any(place.exposure is exposure for one in result.findings for place in one.locations):
            choose(opened, "exposure", exposure.value)
            there = [one for one in result.findings if any(place.exposure is exposure for place in one.locations)]
            assert shown(opened) == masks(there)
    choose(opened, "exposure", "history")
    choose(opened, "environment", Environment.TESTNET.value)
    assert (shown(opened), status(opened)) == ([], "0 of 12 match")
    assert opened.visible("#none") == ["No credential matches these filters."]
    opened.page.get_by_role("button", name="Reset").click()
    assert (shown(opened), status(opened)) == (masks(list(result.findings)), "All 12 shown")


def test_finds_paths_and_authors(opens: Opens) -> None:
    result = results.dozen()
    path, mask = result.findings[5].locations[0].path, result.findings[3].values[0].masked
    opened = opens(result)
    find = opened.page.get_by_role("searchbox", name="Find")
    for within, text, held in (
        ("path", path.upper(), path),
        ("path", "ann example", None),
        ("author", "ANN exam", "Ann Example"),
        ("author", "דנה", "דנה"),
        ("author", "settings", None),
        ("all", path, path),
        ("all", "password", None),
        ("all", f"{mask} mainnet", mask),
    ):
        find.fill("nothing that is there" if held is not None else "")
        none, all_of_them = "0 of 12 match", "All 12 shown"
        expect(opened.page.get_by_role("status")).to_have_text(none if held is not None else all_of_them)
        choose(opened, "within", within)
        find.fill(text)
        if held is None:
            expect(opened.page.get_by_role("status")).to_have_text(none)
        else:
            expect(opened.page.get_by_role("status")).not_to_have_text(none)
        texts = opened.page.locator("#cards .card").all_text_contents()
        assert bool(texts) == (held is not None), (within, text)
        assert all(held in one for one in texts if held is not None)


@pytest.mark.parametrize("key", ["exposure", "environment", "path", "author", "newest", "oldest", "risk"])
def test_sorts(opens: Opens, key: str) -> None:
    opened = opens(results.many(60))
    choose(opened, "sort", key)
    read = {
        "exposure": "(one) => one.dataset.exposures.split(' ')[0]",
        "environment": "(one) => one.dataset.environment",
        "path": "(one) => one.querySelector('.where bdi').textContent",
        "author": "(one) => one.querySelector('.author').textContent",
        "newest": "(one) => one.dataset.day",
        "oldest": "(one) => one.dataset.day",
        "risk": "(one) => Number(one.dataset.n)",
    }[key]
    found = opened.page.evaluate(f"[...document.querySelectorAll('#cards .card')].map({read})")
    assert len(found) == 60
    assert len(set(found)) > 2
    if key == "exposure":
        found = [-Exposure(one).rank for one in found]
    if key == "path":
        compare = "(all) => [...all].sort(new Intl.Collator('en', {numeric: true}).compare)"
        assert found == opened.page.evaluate(compare, found)
    else:
        assert found == sorted(found, reverse=key == "newest")


def test_a_long_list_comes_a_page_at_a_time(opens: Opens) -> None:
    result = results.many(450)
    opened = opens(result)
    page = opened.page
    assert page.locator(".card").count() == 200
    # By key: cards that are drawn as they come into view move the button.
    page.get_by_role("button", name="Show 200 more, 250 are left").press("Enter")
    assert page.locator(".card").count() == 400
    assert page.evaluate("document.activeElement.closest('.card').dataset.n") == "201"
    page.get_by_role("button", name="Show 50 more, 50 are left").press("Enter")
    assert page.locator(".card").count() == 450
    assert opened.visible("#credentials .more") == []
    choose(opened, "sort", "path")
    assert page.locator(".card").count() == 200
    assert opened.printed == []


def test_a_link_opens_its_card_wherever_it_is(opens: Opens) -> None:
    result = results.many(450)
    last = result.findings[-1].id
    opened = opens(result, fragment=f"#c-{last}")
    card = opened.page.locator(f"#c-{last}")
    assert card.locator(".body").is_visible()
    opened.page.get_by_role("searchbox", name="Find").fill("nothing that is there")
    expect(opened.page.get_by_role("status")).to_have_text("0 of 450 match")
    first = result.findings[0].id
    opened.page.locator(f"h1 a[href='#c-{first}']").click()
    opened.page.wait_for_selector(f"#c-{first} .body", state="visible")
    assert status(opened) == "All 450 shown"


def test_suppressed_ones_are_behind_a_switch(opens: Opens) -> None:
    opened = opens(results.dozen())
    assert opened.visible("#suppressed") == []
    opened.page.get_by_role("switch", name="Show 2 suppressed").check()
    assert len(opened.visible("#suppressed .card")) == 2
    hidden = opens(results.dozen(), show_suppressed=False)
    assert hidden.page.locator("#suppressed").count() == 0
    assert "2 suppressed, --show-suppressed lists them." in hidden.page.locator("#scan").inner_text()


def test_all_cards_open_and_close(opens: Opens) -> None:
    opened = opens(results.dozen())
    assert len(opened.visible("#cards .body")) == 3
    opened.page.get_by_role("button", name="Open all").click()
    assert len(opened.visible("#cards .body")) == 12
    opened.page.get_by_role("button", name="Close all").click()
    assert opened.visible("#cards .body") == []


def test_without_its_script_it_is_a_page_to_read(opens: Opens) -> None:
    opened = opens(results.many(250), script=False)
    page = opened.page
    assert opened.visible(".controls, .more, #none") == []
    assert page.locator(".card:visible").count() == 250
    last = page.locator(".card").last
    last.locator("summary").first.click()
    assert last.locator(".body").is_visible()
    task = last.locator(".tasks input").first
    task.check()
    assert task.is_checked()
    assert len(opens(results.dozen(), script=False).visible("#suppressed .card")) == 2


def test_ticks_are_kept_for_this_report(opens: Opens) -> None:
    opened = opens(results.dozen())
    page = opened.page
    step = page.locator("#first .tasks input").nth(1)
    step.check()
    page.locator("#cards .card").nth(1).locator(".tasks input").nth(2).check()
    page.reload()
    boxes = "[...document.querySelectorAll('.tasks input')].filter((box) => box.checked).length"
    assert page.evaluate(boxes) == 2
    assert step.is_checked()
    assert page.evaluate("Object.keys(localStorage).length") == 1
    step.uncheck()
    page.locator("#cards .card").nth(1).locator(".tasks input").nth(2).uncheck()
    assert page.evaluate("Object.keys(localStorage).length") == 0
    page.evaluate("localStorage.setItem('binance-leaks:' + document.body.dataset.report, '[1, \":9\", \"x\"]')")
    page.reload()
    assert page.evaluate(boxes) == 0
    assert opened.printed == []


def test_a_browser_that_keeps_nothing_still_ticks(chromium: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(format_named("html").render(results.dozen(), View()), "utf-8")
    opened = Opened(page=chromium.new_page())
    opened.listen()
    refuse = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused') } })"
    opened.page.add_init_script(refuse)
    opened.page.goto(file.as_uri())
    step = opened.page.locator("#first .tasks input").first
    step.check()
    assert step.is_checked()
    assert opened.printed == []
    opened.page.close()


def test_commands_are_copied(opens: Opens) -> None:
    opened = opens(results.dozen())
    page = opened.page
    page.locator("#first .rest summary").click()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    command = page.locator("#first .command").last
    command.get_by_role("button", name="Copy").click()
    expect(command.get_by_role("button")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == command.locator("pre").text_content()
    assert opens(results.dozen(), script=False).visible(".copy") == []
