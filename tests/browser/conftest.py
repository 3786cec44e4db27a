"""The built site on a loopback port, and one headless Chromium for all tests of a process."""

import os
from threading import Thread

import pytest
from playwright.sync_api import sync_playwright

from tools import browser as chromium
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
def browser():
    """A headless Chromium. Where there is none the tests are skipped, in continuous integration they fail."""
    path = chromium.find()
    if path is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(chromium.HOW)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)
        yield browser
        browser.close()
