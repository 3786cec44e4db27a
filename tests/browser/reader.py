"""A reader of a chapter who runs its cells: `Reader(browser, address, chapter)`."""

from time import monotonic


class Reader:
    """A chapter in a page of its own, with what the browser said and asked for meanwhile."""

    def __init__(self, browser, site, chapter, **settings):
        self.said, self.asked = [], []
        settings = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **settings}
        self.context = browser.new_context(**settings)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.note(message.text))
        self.page.on("pageerror", lambda error: self.said.append(error.message))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.address = f"{site}chapters/{chapter}.html"
        self.page.goto(self.address)
        self.until("!document.querySelector('.fm-figure > script')")

    def until(self, expression, seconds=30):
        """Until a JavaScript expression is true. (Playwright's own way needs `eval`, which the policy forbids.)"""
        end = monotonic() + seconds
        while not self.page.evaluate(expression):
            assert monotonic() < end, f"not within {seconds} s: {expression}"
            self.page.wait_for_timeout(50)

    def note(self, text):
        if not text.startswith("[PST]"):  # the theme
            self.said.append(text)

    def cell(self, text):
        """The place of the cell that contains `text`, or whose place it is."""
        if isinstance(text, int):
            return text
        texts = self.page.evaluate(
            "python.cells.map((cell) => cell.querySelector('.cell_input pre')?.textContent ?? '')"
        )
        return next(i for i, found in enumerate(texts) if text in found)

    def node(self, text):
        return self.page.locator(".bd-article div.cell").nth(self.cell(text))

    def shown(self, text):
        """The cell, unfolded and in view."""
        node = self.node(text)
        if not node.locator(".py-row").is_visible():
            node.locator("summary").first.click()
        node.locator(".py-row").scroll_into_view_if_needed()
        return node

    def press(self, text, name):
        self.shown(text).locator(f".py-row .py-button:text-is('{name}')").click()

    def edit(self, text, change):
        """Open the editor of a cell and replace its text: by `change(text)`, or by `change`."""
        self.press(text, "Edit")
        area = self.page.locator(".py-text")
        area.fill(change(area.input_value()) if callable(change) else change)

    def wait(self, seconds=120):
        """Until nothing runs."""
        self.until("window.python.idle?.()", seconds)

    def run(self, text, change=None, seconds=120):
        """Run a cell, perhaps with another text, and wait; its output as text."""
        place = self.cell(text)
        if change is not None:
            self.edit(place, change)
        self.press(place, "Run")
        self.wait(seconds)
        return self.output(place)

    def output(self, text):
        found = self.node(text).locator(".cell_output")
        return found.inner_text().strip() if found.count() else ""

    def status(self, text):
        return self.node(text).locator(".py-status").inner_text()

    def reload(self):
        self.page.reload()
        self.until("!document.querySelector('.fm-figure > script')")
