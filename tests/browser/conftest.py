"""The built site on a loopback port, and one headless Chromium for all tests of a process."""

import os
from threading import Thread

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import sync_playwright

from fitlib.figures.base import HERE, Figure, module
from fitlib.figures.site import host
from tests.browser.policy import strict
from tests.browser.setting import PAGE, WCAG
from tools import browser as chromium
from tools import pyodide
from tools.book import SITE
from tools.serve import server


@pytest.fixture(scope="session")
def site():
    """The address of the built site."""
    if not (SITE / "index.html").exists():
        pytest.fail("The book is not built: run make book first.")
    with server() as book:
        Thread(target=book.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{book.server_port}/"
        book.shutdown()


@pytest.fixture(scope="session")
def strict_site():
    """The address of the site under a strict policy, with Pyodide's files from this machine."""
    if pyodide.folder() is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(pyodide.HOW)
    with strict() as book:
        Thread(target=book.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{book.server_port}/"
        book.shutdown()


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium. Where there is none the tests are skipped, in continuous integration they fail."""
    path = chromium.find()
    if path is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(chromium.HOW)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)
        yield browser
        browser.close()


class Stage:
    """Figures on a page of their own, opened from disk: `stage.page`, and what is often asked of it."""

    def __init__(self, page):
        self.page = page

    def settle(self, ms=0):
        """Wait until the figures have drawn what they were told, `ms` milliseconds and two frames."""
        self.page.evaluate(
            """async (ms) => {
              await new Promise((done) => setTimeout(done, ms));
              for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
            }""",
            ms,
        )
        return self.page

    def outcome(self):
        return self.settle().locator(".fm-outcome").first.inner_text()

    def control(self, label, role="slider"):
        return self.page.get_by_role(role, name=label, exact=True).first

    def table(self, index=0):
        """A table of numbers, opened: rows of texts, the head first."""
        if not self.page.locator(".fm-numbers table").count():
            self.page.locator(".fm-numbers summary").first.click()
        self.page.wait_for_selector(".fm-numbers table")
        self.settle(300)
        rows = (
            "(tables, i) => [...tables[i].rows].map((row) => [...row.cells].map((cell) => cell.textContent))"
        )
        return self.page.eval_on_selector_all(".fm-numbers table", rows, index)

    def check(self, width):
        """Nothing is wider than the screen, and axe-core finds nothing against WCAG 2.2 AA."""
        assert self.page.evaluate("document.documentElement.scrollWidth") <= width
        self.page.evaluate(AXE_SCRIPT)
        options = {"runOnly": WCAG, "resultTypes": ["violations"], "preload": False}
        found = self.page.evaluate("(options) => axe.run(options)", options)["violations"]
        assert [(fault["id"], [node["html"][:200] for node in fault["nodes"]]) for fault in found] == []


@pytest.fixture
def stage(browser, tmp_path, monkeypatch):
    """Opens figures; afterwards the browser has said nothing."""
    contexts, said = [], []
    (tmp_path / "figures.js").write_text(host(), encoding="utf-8")
    (tmp_path / "figures.css").write_bytes((HERE / "figures.css").read_bytes())

    def open_page(*figures, theme="light", width=780, address="", scripts="", picture=False, **settings):
        if not picture:  # it takes as long as all the rest
            monkeypatch.setattr(Figure, "picture", lambda figure: b"")
        color, body = (
            {"light": "#fff", "dark": "#10171f"}[theme],
            "".join(figure.html() for figure in figures),
        )
        text = PAGE.format(theme=theme, color=color, figures=body, scripts=scripts)
        (tmp_path / "page.html").write_text(text, encoding="utf-8")
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **settings))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(error.message))
        page.goto(f"{(tmp_path / 'page.html').as_uri()}{address}")
        if settings.get("java_script_enabled", True):
            page.wait_for_function(f"document.querySelectorAll('.fm').length === {len(figures)}")
        return Stage(page)

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture
def inner(browser):
    """`inner(kind, name, body, given)`: an expression of `f`, a function from within a figure kind."""
    page = browser.new_page()

    def call(kind, name, body, argument=None):
        text = f"{module(kind)}\nexport {{ {name} as f, load }};"
        return page.evaluate(
            f"""async ([text, given]) => {{
              const url = URL.createObjectURL(new Blob([text], {{ type: "text/javascript" }}));
              const {{ f, load }} = await import(url);
              return {body};
            }}""",
            [text, argument],
        )

    yield call
    page.close()


@pytest.fixture(params=[("light", 780), ("dark", 360)], ids=lambda p: f"{p[0]}-{p[1]}")
def look(request):
    """Theme and width."""
    return dict(zip(("theme", "width"), request.param, strict=True))
