"""A real Chromium. Where none is found, tests that need one are skipped, but fail in CI: there it has to be."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Literal

import pytest
from binance_leaks.findings import Result
from binance_leaks.report import View, format_named
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, expect, sync_playwright

_IN_CI = bool(os.environ.get("CI"))  # read before the guards of all tests take it away
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

_PATIENCE = 120_000
"""Milliseconds that a page may take for a step on a loaded machine; none that passes waits for it."""

Scheme = Literal["light", "dark"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks all tests of this folder."""
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass(kw_only=True)
class Opened:
    """A page with its console messages and requests while it was open."""

    page: Page
    printed: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Record the console, errors and requests from now on."""
        self.page.on("console", self._print)
        self.page.on("pageerror", self._fail)
        self.page.on("request", self._ask)

    def blank(self) -> None:
        """Leave the page for another test: nothing recorded, loaded or stored."""
        self.page.remove_listener("console", self._print)
        self.page.remove_listener("pageerror", self._fail)
        self.page.remove_listener("request", self._ask)
        self.page.evaluate("localStorage.clear()")
        self.page.goto("about:blank")

    def _print(self, message: ConsoleMessage) -> None:
        self.printed.append(message.text)

    def _fail(self, error: Error) -> None:
        self.printed.append(str(error))

    def _ask(self, request: Request) -> None:
        self.asked.append(request.url)

    def violations(self, *rules: str) -> list[str]:
        """What an accessibility checker finds wrong by these rules, or by all, with everything unfolded and drawn."""
        self.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        self.page.evaluate(
            "for (const one of document.querySelectorAll('.card')) one.style.contentVisibility = 'visible'"
        )
        self.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
        options: dict[str, object] = {"resultTypes": ["violations"]}  # what is right need not be described
        if rules:
            options["runOnly"] = rules
        found = self.page.evaluate("async (options) => (await axe.run(document, options)).violations", options)
        return [f"{one['id']}: {node['html']}: {node['failureSummary']}" for one in found for node in one["nodes"]]

    def visible(self, selector: str) -> list[str]:
        """The texts of the elements that are shown, in their order."""
        return [one.inner_text() for one in self.page.locator(selector).all() if one.is_visible()]


Opens = Callable[..., Opened]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser, one for all tests of a process."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        reported = "no Chromium was found: apt-get install chromium, or set CHROMIUM to its path"
        if _IN_CI:
            pytest.fail(reported)
        pytest.skip(reported)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS), timeout=_PATIENCE)
        expect.set_options(timeout=_PATIENCE)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def blank_pages() -> dict[bool, list[Page]]:
    """Pages to use again, by whether they run scripts: a new one takes most of the time of a test."""
    return {True: [], False: []}


@pytest.fixture
def opens(chromium: Browser, blank_pages: dict[bool, list[Page]], tmp_path: Path) -> Iterator[Opens]:
    """Renders a result and opens it."""
    used: list[tuple[bool, Opened]] = []

    def open_page(
        result: Result,
        *,
        scheme: Scheme = "light",
        width: int = 1280,
        script: bool = True,
        fragment: str = "",
        show_suppressed: bool = True,
    ) -> Opened:
        file = tmp_path / "report.html"
        file.write_text(format_named("html").render(result, View(show_suppressed=show_suppressed)), "utf-8")
        page = blank_pages[script].pop() if blank_pages[script] else _new_page(chromium, script=script)
        page.set_viewport_size({"width": width, "height": 900})
        # A smooth scroll moves what is clicked away under the pointer.
        page.emulate_media(media="screen", color_scheme=scheme, reduced_motion="reduce")
        opened = Opened(page=page)
        opened.listen()
        used.append((script, opened))
        page.goto(f"{file.as_uri()}{fragment}")
        return opened

    yield open_page
    for script, opened in used:
        opened.blank()
        blank_pages[script].append(opened.page)


def _new_page(chromium: Browser, *, script: bool) -> Page:
    context = chromium.new_context(java_script_enabled=script)
    context.set_default_timeout(_PATIENCE)
    return context.new_page()
