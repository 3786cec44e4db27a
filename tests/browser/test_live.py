"""Every figure of every page is drawn, and answers to slider, key, hand or choice."""

import pytest

from tools.book import SITE

PAGES = sorted(
    file.relative_to(SITE).as_posix()
    for file in SITE.glob("chapters/*.html")
    if 'class="fm-figure"' in file.read_text()
)


def picture(figure):
    """What the figure shows: all its elements and the state of its inputs."""
    return figure.evaluate(
        """async (node) => {
          for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
          const inputs = [...node.querySelectorAll("input, textarea, select")];
          return node.innerHTML + inputs.map((input) => input.value + input.checked);
        }"""
    )


def act(page, figure):
    """Do to the figure what its kind offers, by keyboard and pointer; yields the name of each act."""
    sliders, chips = figure.locator("input[type=range]"), figure.locator(".fm-chip")
    for i in range(sliders.count()):
        if sliders.nth(i).is_disabled():  # such as the seed while every batch holds all data
            continue
        sliders.nth(i).press("Home" if sliders.nth(i).input_value() != "0" else "End")
        yield f"slider {i}"
    if chips.count():
        chips.first.press("Enter")
        yield "legend"
        chips.first.press("Enter")
    handle = figure.locator(".fm-hit").first
    if figure.get_attribute("data-kind") == "descent":
        handle.press("ArrowUp")
        yield "key"
        handle.scroll_into_view_if_needed()
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + (15 if x < 640 else -15), y + 12, steps=3)
        page.mouse.up()
        yield "drag"
    if figure.get_attribute("data-kind") == "quiz":
        if figure.locator(".fm-option").count():
            figure.locator(".fm-option").first.click()
        else:
            figure.locator("input").first.fill("123")
            figure.locator("input").first.press("Enter")
        yield "answer"
    if figure.get_attribute("data-kind") == "answer":
        figure.locator("textarea").fill("what I think")
        yield "text"


@pytest.mark.parametrize("name", PAGES)
def test_every_figure_is_drawn_and_answers(browser, site, name):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(site + name)
    figures = page.locator(".fm-figure")
    assert figures.count() > 0
    for i in range(figures.count()):
        figure = figures.nth(i)
        figure.scroll_into_view_if_needed()
        figure.locator(".fm").first.wait_for()
        before, acts = picture(figure), 0
        for what in act(page, figure):
            after = picture(figure)
            assert after != before, f"figure {i + 1} does not answer to its {what}"
            before, acts = after, acts + 1
        assert acts, f"figure {i + 1} offers nothing to do"
    assert errors == []
    page.close()
