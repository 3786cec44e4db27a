"""`Ruler` in the browser: the numbers of Python, the gradient by pointer and keyboard, the words, the link."""

import numpy as np
import pytest

from tests.test_ruler import ruler

BODY = """(() => {
  const now = f(given.spec, given.code, (name) => given.state[name]);
  const { points, losses } = now.path();
  return [now.step(given.state.pull), now.ball(), points, losses];
})()"""


@pytest.mark.parametrize("u, power", [(0.5, 1), (0.02, 1), (0.8, 0), (1.0, 0), (0.37, 1)])
def test_the_numbers_are_those_of_python(inner, u, power):
    figure = ruler()
    figure.u, figure.power, figure.stretch, figure.pull = u, power, 1.7, [-0.3, 1.1]
    body = f"(async () => {{ given.code = await load(given.spec.code); return {BODY}; }})()"
    step, ball, points, losses = inner(
        "ruler", "engine", body, {"spec": figure._spec, "state": figure.state()}
    )
    np.testing.assert_allclose(step, figure.step(), rtol=1e-12)
    np.testing.assert_allclose(np.transpose(ball), figure.ball(), atol=1e-12)
    run = figure.run()
    np.testing.assert_allclose(points, run.path, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(losses, run.losses, rtol=1e-9, atol=1e-9)


def test_the_gradient_is_dragged_and_moved_by_keys(stage):
    shown = stage(ruler())
    assert shown.outcome().startswith(
        "Against the gradient (0.9, 0.5) the steepest step of length 1 is (−0.87, −0.49)"
    )
    handle = shown.page.locator(".fm-hit")
    handle.press("ArrowRight")
    assert shown.outcome().startswith("Against the gradient (0.94, 0.5)")
    handle.press("Shift+ArrowUp")
    assert shown.outcome().startswith("Against the gradient (0.94, 0.51)")
    box = shown.page.locator(".fm-map .fm-border").bounding_box()
    x, y, w, h = box["x"], box["y"], box["width"], box["height"]
    shown.page.mouse.move(x + w / 4, y + h / 4)
    shown.page.mouse.down()
    shown.page.mouse.move(x + w / 2, y + h * 0.75, steps=4)
    shown.page.mouse.up()
    assert "Against the gradient (0, −0.8) the steepest step of length 1 is (0, 1)" in shown.outcome()


def test_the_words_follow_the_controls(stage):
    shown = stage(ruler(steps=800))
    before = shown.outcome()
    norm = shown.control("norm p")
    norm.press("End")
    assert norm.get_attribute("aria-valuetext") == "∞"
    assert "steepest step of length 1 is (−1, −1): the loss falls by 1.4" in shown.outcome()
    norm.press("Home")
    assert norm.get_attribute("aria-valuetext") == "1.02" and "is (−1, 0): the loss" in shown.outcome()
    shown.control("learning rate α").press("End")
    assert "Such steps diverge on the loss" in shown.outcome()
    shown.page.get_by_role("button", name="reset").click()
    assert shown.outcome() == before


def test_a_finger_puts_the_gradient(stage):
    shown = stage(ruler(), has_touch=True, width=360)
    box = shown.page.locator(".fm-map .fm-border").bounding_box()
    shown.page.touchscreen.tap(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    assert shown.outcome().startswith("Against the gradient (0.8")


def test_the_link_keeps_the_state(stage):
    shown = stage(ruler())
    shown.page.locator(".fm-hit").press("ArrowUp")
    shown.control("norm p").press("End")
    shown.settle()
    shown.page.get_by_role("button", name="link").click()
    address = shown.page.evaluate("location.hash")
    assert address == "#figure=1&pull=0.9,0.54&u=1&stretch=1&alpha=0.05&power=1&angle=0.5"
    assert stage(ruler(), address=address).outcome() == shown.outcome()
    assert stage(ruler(), address="#figure=1&pull=0.9,7&u=2").outcome() == stage(ruler()).outcome()


def test_the_numbers_are_a_table(stage):
    head, *rows = stage(ruler()).table()
    assert head == ["step", "loss", "φ₀", "φ₁"] and [row[0] for row in rows] == [
        str(3 * i) for i in range(11)
    ]


def test_it_fits_and_is_accessible(stage, look):
    stage(ruler(), **look).check(look["width"])
