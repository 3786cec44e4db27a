"""Python in the page, on the built site under a strict policy: run, edit, be told, stop."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.browser.reader import Reader
from tests.browser.setting import WCAG

SCRATCH = 'check("adam"'  # a cell that nothing else needs
RIGHT = """def my_adam(t, phi, grad, m, v, *, alpha, beta, gamma, eps):
    g = grad(phi)
    m = beta * m + (1 - beta) * g
    v = gamma * v + (1 - gamma) * g**2
    return phi - alpha * (m / (1 - beta**t)) / (np.sqrt(v / (1 - gamma**t)) + eps), m, v

check("adam", my_adam)"""


@pytest.fixture(scope="module")
def adam(browser, strict_site):
    """The chapter on Adam, whose Python stands between the tests."""
    reader = Reader(browser, strict_site, "adam")
    yield reader
    reader.context.close()


@pytest.fixture
def fresh(browser, strict_site):
    """Opens a chapter for a reader who has never been there."""
    opened = []

    def open_chapter(chapter="adam", **settings):
        opened.append(Reader(browser, strict_site, chapter, **settings))
        return opened[-1]

    yield open_chapter
    for reader in opened:
        reader.context.close()


def test_a_reader_who_only_reads_loads_the_offer_alone(fresh):
    reader = fresh()
    reader.page.wait_for_load_state("networkidle")
    assert sorted(url.split("/")[-1].split("?")[0] for url in reader.asked if "/python/" in url) == [
        "offer.js",
        "page.css",
    ]


def test_an_exercise_is_answered_on_its_page(fresh):
    """It says what it loads; the report stands at the cell; success and the answer outlive the page."""
    reader = fresh()
    place = reader.cell('check("adam"')
    reader.edit(place, RIGHT.replace("(1 - gamma**t)", "(1 - gamma)"))
    reader.page.keyboard.press("Control+Enter")
    reader.page.wait_for_selector(".py-status progress")
    assert "MB from 127.0.0.1" in reader.status(place)
    reader.wait()
    assert reader.output(place).startswith("✗ adam")
    assert "✗ adam" in reader.page.locator(".py-said").text_content()
    reader.page.locator(".py-text").fill(RIGHT)
    reader.page.keyboard.press("Shift+Enter")
    reader.wait()
    assert reader.output(place).startswith("✓ adam")
    assert reader.status(place) == "solved"
    reader.reload()
    reader.wait()
    assert reader.status(place) == "solved"
    assert RIGHT in reader.node(place).locator("pre").first.inner_text()
    reader.press(place, "Reset")
    assert RIGHT not in reader.node(place).locator("pre").first.inner_text()
    assert reader.said == []


# --- figures follow


def outcome(reader, place):
    return reader.node(place).locator(".fm-outcome").inner_text()


def test_an_edited_rule_remakes_the_figures_that_use_it(adam):
    """They keep what the reader set; what cannot be traced is said at the figure; reset brings all back."""
    figure = adam.cell("Descent(")
    rate = adam.node(figure).get_by_role("slider", name="learning rate α")
    initial = outcome(adam, figure)
    rate.press("End")
    while (before := outcome(adam, figure)) == initial:  # until it is drawn
        adam.page.wait_for_timeout(50)
    adam.run("def adam(", lambda text: text.replace("g**2", "g**4"))
    assert outcome(adam, figure) != before
    assert rate.get_attribute("aria-valuetext") == "1"
    assert adam.node("show(adam)").locator(".py-stale").inner_text().startswith("What it uses has changed.")
    adam.press("show(adam)", "Update")
    adam.wait()
    assert adam.node(adam.cell("show(adam)")).locator(".py-stale").count() == 0
    changed = outcome(adam, figure)
    adam.run("def adam(", lambda text: text.replace("np.sqrt(v_hat)", "np.fft.fft(v_hat)"))
    assert "np.fft cannot be traced" in adam.node(figure).locator(".py-note").inner_text()
    assert outcome(adam, figure) == changed
    adam.press("def adam(", "Reset")
    adam.wait()
    assert outcome(adam, figure) == before
    assert adam.node(figure).locator(".py-note").count() == 0
    adam.press("show(adam)", "Reset")
    adam.wait()
    assert adam.page.locator(".py-stale").count() == 0
    assert adam.said == []


def test_an_error_names_the_readers_line(adam):
    place = adam.cell(SCRATCH)
    text = adam.run(place, "x = 1\ny = x / 0")
    assert text == "Line 2:\ny = x / 0\n\nZeroDivisionError: division by zero"
    assert adam.run(place, "def f(:\n    pass").startswith("Line 1:\ndef f(:\n\nSyntaxError")
    assert "numpy_that_is_not" in adam.run(place, "import numpy_that_is_not")
    assert "input()" in adam.run(place, "name = input('who? ')")
    assert "too big" in adam.run(place, "import numpy as np\nnp.ones((10**5, 10**4))")
    assert adam.run(place, "print('still here')") == "still here"
    adam.press(place, "Reset")


def test_a_million_lines_are_cut(adam):
    place = adam.cell(SCRATCH)
    text = adam.run(place, "for i in range(10**6):\n    print(i)")
    assert text.startswith("0\n1\n2\n") and len(text) < 200_000
    adam.press(place, "Reset")


def test_stop_ends_a_loop_and_the_next_run_works(adam):
    place = adam.cell(SCRATCH)
    adam.edit(place, "while True: pass")
    adam.press(place, "Run")
    adam.page.wait_for_timeout(1500)
    adam.press(place, "Stop")
    adam.wait(1)
    assert adam.status(place) == "Stopped."
    assert adam.run(place, "print(1 + 1)") == "2"
    adam.press(place, "Reset")


def test_two_edits_in_the_wrong_order(adam):
    """A cell runs with the texts of now, whichever was edited first."""
    above, below = adam.cell(SCRATCH), adam.cell('check("adamw"')
    adam.edit(below, "print(my_number + 1)")
    adam.page.keyboard.press("Control+Enter")
    adam.wait()
    assert "NameError" in adam.output(below)
    adam.edit(above, "my_number = 41")
    assert adam.run(below) == "42"
    adam.edit(above, "my_number = 1")
    assert adam.run(below) == "2"
    for place in (above, below):
        adam.press(place, "Reset")
    adam.wait()


def test_interact_redraws_on_a_change(adam):
    place = adam.cell("interact(")
    adam.run(place)
    picture = adam.node(place).locator("img")
    before = picture.get_attribute("src")
    adam.node(place).get_by_role("slider", name="kappa").press("End")
    adam.wait()
    assert picture.get_attribute("src") != before
    assert picture.count() == 1
    assert adam.said == []


def test_all_above_runs_in_order(adam):
    place = adam.cell("show(adam)")
    adam.shown(place).hover()
    adam.press(place, "Run all above")
    adam.wait()
    assert adam.status(place) == "All have run."


# --- the editor


def test_the_editor_by_keyboard(fresh):
    reader = fresh()
    reader.edit("show(adam)", "for i in range(2):")
    keys = reader.page.keyboard
    keys.press("End")
    keys.press("Enter")
    keys.type("print(i)")
    keys.press("Enter")
    keys.press("Tab")
    keys.press("Shift+Tab")
    keys.press("Control+Enter")
    area = reader.page.locator(".py-text")
    assert area.input_value() == "for i in range(2):\n    print(i)\n    "
    reader.wait()
    keys.press("Escape")
    assert area.count() == 0
    focused = reader.page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused == f"Edit cell {reader.cell('for i in range(2)') + 1}"


@pytest.mark.parametrize("theme, width", [("light", 1280), ("dark", 360)])
def test_cells_are_accessible_and_fit(fresh, theme, width):
    reader = fresh(viewport={"width": width, "height": 800}, color_scheme=theme)
    reader.run("show(adam)", "print('a long line ' * 30)\n1 / 0")
    reader.run(SCRATCH, "import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    reader.run("interact(")
    reader.edit('check("adamw"', lambda text: text + "\n# a long line" * 9)
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= width
    reader.page.evaluate(AXE_SCRIPT)
    options = {"runOnly": WCAG, "resultTypes": ["violations"], "preload": False}
    found = reader.page.evaluate("(options) => axe.run(options)", options)["violations"]
    assert [(fault["id"], [node["html"][:200] for node in fault["nodes"]]) for fault in found] == []


def test_the_colors_of_an_edit_are_those_of_the_page(fresh):
    """The tokenizer gives the classes of the published text to the words of all cells."""
    reader = fresh()
    reader.edit("def adam(", lambda text: text + " ")
    colors = """(place) => [...python.cells[place].querySelectorAll('.cell_input pre span')]
        .map((span) => [span.textContent.trim(), getComputedStyle(span).color]).filter(([word]) => word)"""
    edited = reader.page.evaluate(colors, reader.cell("def adam("))
    reader.press("def adam(", "Reset")
    published = reader.page.evaluate(colors, reader.cell("def adam("))
    assert dict(map(tuple, edited)) == {word: color for word, color in published if word in dict(edited)}


# --- where it cannot work


def refuse(reader, pattern, **answer):
    """Answer requests for a file with something else, or not at all."""
    act = (lambda route: route.fulfill(**answer)) if answer else (lambda route: route.abort())
    reader.context.route(pattern, act)


@pytest.mark.parametrize(
    "pattern, answer, sentence",
    [
        ("**/numpy*", {}, "could not be reached"),
        ("**/numpy*", {"status": 404}, "has no file"),
        ("**/pyodide.js", {"body": "evil()"}, "is not the file that this book was made with"),
        ("**/python.json", {}, "The site could not be reached"),
        ("**/worker.js", {}, "could not be started"),
    ],
)
def test_what_is_missing_is_said(fresh, pattern, answer, sentence):
    reader = fresh()
    stored = reader.output("show(adam)")
    refuse(reader, pattern, **answer)
    reader.run("show(adam)")
    assert sentence in reader.status("show(adam)")
    assert reader.output("show(adam)") == stored
    reader.context.unroute(pattern)
    reader.run("show(adam)")
    assert reader.status("show(adam)") == ""
