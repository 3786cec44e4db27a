"""`Inside` in the browser: the numbers of Python, scrubber, switches, the start that moves, the link."""

import numpy as np
import pytest

from fitlib import optimizers
from fitlib.figures import Inside, slider


def adam(**changes):
    rules = [optimizers.adam, optimizers.amsgrad]
    return Inside(rules, **{"beta": slider(0, 0.99, 0.9), "gamma": slider(0.9, 0.999, 0.99), **changes})


def others():
    return Inside(
        [optimizers.adagrad, optimizers.adadelta, optimizers.nesterov], begin="noisy", steps=50, alpha=0.3
    )


def loss(**changes):
    rules = [optimizers.gradient_descent, optimizers.nesterov]
    settings = {
        "x": (-4, 4),
        "start": -3,
        "alpha": slider(0.01, 3, 0.5),
        "kappa": slider(0.5, 2, 1),
        "steps": 15,
    }
    return Inside(rules, loss=lambda x, *, kappa: kappa * x**2 / 2, **{**settings, **changes})


@pytest.mark.parametrize("figure", [adam, others, loss], ids=lambda f: f.__name__)
@pytest.mark.parametrize("sequence", [0, 1, 3])
def test_the_numbers_are_those_of_python(inner, figure, sequence):
    figure = figure()
    if "gradients" in figure.state():
        figure.gradients = sequence
    body = """f(given.spec, await load(given.spec.code), (name) => given.state[name])
      .rules.map(({ label, values, path }) =>
        [label, { ...Object.fromEntries(Object.entries(values).map(([k, v]) => [k, [...v]])), phi: path }])"""
    found = dict(inner("inside", "evaluate", body, {"spec": figure._spec, "state": figure.state()}))
    expected = figure.values()
    assert list(found) == list(expected)
    for label, values in expected.items():
        assert set(values) == set(found[label])
        for name, numbers in values.items():
            np.testing.assert_allclose(
                found[label][name], numbers, rtol=1e-9, atol=1e-12, err_msg=f"{label} {name}"
            )


def test_the_words_follow_scrubber_choice_and_slider(stage):
    shown = stage(adam(step=1))
    assert shown.outcome().startswith(
        "Step 1. Adam: gradient 1, m = 0.1, v = 0.01, m̂ = 1, v̂ = 1, step 1 α. AMSGrad:"
    )
    shown.page.locator(".fm-timeline input").press("ArrowRight")
    assert shown.outcome().startswith("Step 2. Adam: gradient 1, m = 0.19, v = 0.0199,")
    shown.control("gradients", "combobox").select_option("alternating")
    assert shown.outcome().startswith("Step 2. Adam: gradient −1, m = −0.01,")
    shown.control("momentum β").press("Home")
    assert shown.outcome().startswith("Step 2. Adam: gradient −1, m = −1,")


def test_a_rule_is_switched_off(stage):
    shown = stage(adam())
    before = shown.page.locator(".fm-inside .fm-beads").count()
    shown.page.get_by_role("button", name="AMSGrad").click()
    assert "AMSGrad" not in shown.outcome()
    assert 0 < shown.page.locator(".fm-inside .fm-beads").count() < before


def test_play_begins_at_the_first_step(stage):
    shown = stage(adam(steps=5), reduced_motion="reduce")
    shown.page.get_by_role("button", name="play").click()
    shown.page.wait_for_function("document.querySelector('.fm-outcome').textContent.startsWith('Step 1.')")
    shown.page.wait_for_function(
        "document.querySelector('.fm-outcome').textContent.startsWith('Step 5.')", timeout=15_000
    )


def test_the_start_is_dragged_on_the_loss(stage):
    shown = stage(loss(step=1))
    assert shown.outcome().startswith(
        "Step 1. Gradient descent: φ goes from −3 to −1.5, loss 1.13; gradient −3,"
    )
    box = shown.page.locator(".fm-across .fm-border").bounding_box()
    x, y, w, h = box["x"], box["y"], box["width"], box["height"]
    shown.page.mouse.move(x + w * 0.2, y + h / 2)
    shown.page.mouse.down()
    shown.page.mouse.move(x + w * 0.75, y + h / 2, steps=3)
    shown.page.mouse.up()
    assert shown.outcome().startswith("Step 1. Gradient descent: φ goes from 2 to 1, loss 0.5;")
    shown.control("start").press("ArrowRight")
    assert "φ goes from 2.05 to" in shown.outcome()


def test_what_diverges_is_told_and_draws_nothing_broken(stage):
    shown = stage(loss(alpha=slider(0.01, 50, 50), steps=300, step=300))
    assert "Gradient descent has diverged." in shown.outcome()
    assert shown.page.locator("path[d*='NaN'], circle[cy='NaN'], path[d*='Infinity']").count() == 0


def test_a_click_in_a_plot_looks_at_that_step(stage):
    shown = stage(adam(steps=20))
    box = shown.page.locator(".fm-border").nth(2).bounding_box()
    shown.page.mouse.click(box["x"] + box["width"] * 0.27, box["y"] + 20)
    shown.page.mouse.move(0, 0)
    assert shown.outcome().startswith("Step 6.")


def test_the_link_keeps_the_state(stage):
    shown = stage(adam())
    shown.control("gradients", "combobox").select_option("rare")
    shown.page.locator(".fm-timeline input").press("ArrowLeft")
    shown.page.get_by_role("button", name="Adam", exact=True).click()
    shown.settle()
    shown.page.get_by_role("button", name="link").click()
    address = shown.page.evaluate("location.hash")
    assert address == "#figure=1&gradients=3&beta=0.9&gamma=0.99&step=29&hidden=0"
    assert stage(adam(), address=address).outcome() == shown.outcome()


def test_the_numbers_are_a_table(stage):
    head, *rows = stage(adam(steps=3)).table()
    assert head[:4] == ["t", "Adam: gradient", "Adam: m", "Adam: v"] and [row[0] for row in rows] == [
        "1",
        "2",
        "3",
    ]
    assert rows[1][2] == "0.19"


@pytest.mark.parametrize("figure", [adam, others, loss], ids=lambda f: f.__name__)
def test_it_fits_and_is_accessible(stage, look, figure):
    stage(figure(), **look).check(look["width"])
