"""`Tape` in the browser: the numbers of Python, step by step, with controls that need no pointer, and on a phone."""

import re

import numpy as np
import pytest

from fitlib.figures import Tape, slider
from tests.test_tape import gabor_loss

INPUTS = {"phi0": slider(-10, 10, -2), "phi1": slider(2.5, 22.5, 9), "x": slider(-15, 15, 3), "y": 0.2}
OTHER = "text => document.querySelector('.fm-outcome').textContent !== text"
DONE = "document.querySelector('.fm-outcome').textContent.includes('Done')"
DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")


def tape(**given):
    return Tape(gabor_loss, **{**INPUTS, **given})


def number(text):
    """A number as the figure writes it: −2.31×10⁻⁵."""
    if not text or text.endswith("…"):
        return None
    mantissa, _, power = text.translate(DIGITS).partition("×10")
    return float(mantissa) * 10.0 ** int(power or 0)


def table(page):
    """The figure's table: name -> (value, derivative), None where there is none yet."""
    page.locator("summary").click()
    page.wait_for_selector(".fm-numbers table")
    rows = page.eval_on_selector_all(
        ".fm-numbers tbody tr", "rows => rows.map(row => [...row.children].map(cell => cell.textContent))"
    )
    return {name.split(" = ")[0]: (number(value), number(slope)) for name, value, slope in rows}


@pytest.mark.parametrize("step", [0, 1, 5, 6, 7, 10, 12])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_numbers_are_those_of_python(stage, step, seed):
    phi0, phi1, x = np.random.default_rng(seed).uniform((-10, 2.5, -15), (10, 22.5, 15)).round(2)
    figure = tape(step=step, phi0=slider(-10, 10, phi0), phi1=slider(2.5, 22.5, phi1), x=slider(-15, 15, x))
    expected = list(figure.values(step).values())
    for (_, got), pair in zip(table(stage(figure).page).items(), expected, strict=True):
        for here, there in zip(got, pair, strict=True):
            assert (here is None) == np.isnan(there)
            digits = 3 if abs(there) < 1e-3 else 6  # what the figure writes
            assert here is None or here == pytest.approx(there, rel=0.6 * 10 ** (1 - digits), abs=0)


def test_keys_move_step_and_sliders_and_the_words_follow(stage):
    page, outcome = stage(tape(step=0)).page, ".fm-outcome"
    said = [page.inner_text(outcome)]
    scrubber = page.locator(".fm-timeline input")
    for _ in range(12):
        scrubber.press("ArrowRight")
        page.wait_for_function(OTHER, arg=said[-1])
        said.append(page.inner_text(outcome))
    assert [line.startswith("Forward") for line in said] == [False] + [True] * 6 + [False] * 6
    assert "so far" in said[10] and "added" in said[11] and "Done" in said[12]
    page.locator(".fm-controls input").first.press("ArrowRight")
    page.wait_for_function(OTHER, arg=said[-1])
    page.get_by_role("button", name="reset").click()
    page.wait_for_function("text => document.querySelector('.fm-outcome').textContent === text", arg=said[0])


def test_play_runs_to_the_end(stage):
    page = stage(tape(step=0)).page
    page.get_by_role("button", name="play").click()
    page.wait_for_function(DONE, timeout=15_000)


def test_the_link_brings_the_state_back(stage):
    page = stage(tape()).page
    page.evaluate("location.hash = '#figure=1&phi0=2.5&step=3'")
    page.wait_for_function("document.querySelector('.fm-outcome').textContent.startsWith('Forward, line 3')")
    assert number(page.locator(".fm-controls .fm-value").first.inner_text()) == 2.5
    page.evaluate("location.hash = '#figure=1&phi0=200&step=x'")
    page.wait_for_function(DONE)
    assert number(page.locator(".fm-controls .fm-value").first.inner_text()) == -2


@pytest.mark.parametrize("width", [1000, 360])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_and_is_accessible(stage, width, theme):
    shown = stage(tape(), width=width, theme=theme)
    shown.check(width)
    overlaps = shown.page.evaluate(
        """() => {
            const rects = [...document.querySelectorAll(".fm-graph rect")];
            const boxes = rects.map(rect => rect.getBoundingClientRect());
            const beside = (a, b) => a.right <= b.left || b.right <= a.left;
            const above = (a, b) => a.bottom <= b.top || b.bottom <= a.top;
            const apart = (a, b) => beside(a, b) || above(a, b);
            return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b => !apart(a, b))).length;
        }"""
    )
    assert overlaps == 0


def test_texts_stay_inside_their_boxes(stage):
    for width in (1000, 760, 360):
        page = stage(tape(), width=width).page
        outside = page.evaluate(
            """() => [...document.querySelectorAll(".fm-graph g")].flatMap(group => {
                const box = group.querySelector("rect").getBoundingClientRect();
                const out = ({ left, right }) => left < box.left - 0.5 || right > box.right + 0.5;
                const texts = [...group.querySelectorAll("text")].filter(text => text.textContent);
                return texts.filter(text => out(text.getBoundingClientRect()));
            }).map(text => text.textContent)"""
        )
        assert outside == []


def test_without_script_there_is_a_picture(browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_content(tape(caption="Where does the derivative of u come from?").html())
    assert page.locator("img").evaluate("image => image.naturalWidth") > 300
    assert re.search(r"6 lines of gabor_loss", page.locator("img").get_attribute("alt"))
    context.close()
