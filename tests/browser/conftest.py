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
from playwright.sync_api import Browser, Page, sync_playwright

_IN_CI = bool(os.environ.get("CI"))  # read before the guards of all tests take it away
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

Scheme = Literal["light", "dark"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks all tests of this folder."""
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A page with its console messages and requests while it was open."""

    page: Page
    printed: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Hears the console, errors and requests from now on."""
        self.page.on("console", lambda message: self.printed.append(message.text))
        self.page.on("pageerror", lambda error: self.printed.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def violations(self) -> list[str]:
        """What an accessibility checker finds wrong, with everything unfolded and laid out."""
        self.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        width = self.page.evaluate("innerWidth")
        height = self.page.evaluate("document.documentElement.scrollHeight")
        self.page.set_viewport_size({"width": width, "height": min(height * 2, 30_000)})
        self.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
        found = self.page.evaluate("async () => (await axe.run()).violations")
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
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def opens(chromium: Browser, tmp_path: Path) -> Iterator[Opens]:
    """Renders a result and opens it."""
    contexts = []

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
        context = chromium.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 900}, java_script_enabled=script
        )
        contexts.append(context)
        opened = Opened(page=context.new_page())
        opened.listen()
        opened.page.goto(f"{file.as_uri()}{fragment}")
        return opened

    yield open_page
    for context in contexts:
        context.close()
