"""`Rounds` in the browser: the numbers of Python, controls that need no pointer, the link, and a phone."""

import numpy as np
import pytest

from tests.test_rounds import rounds

SAID = "text => document.querySelector('.fm-outcome').textContent.includes(text)"


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (8, 8), (1, 3)])
@pytest.mark.parametrize(
    "state",
    [{}, {"rounds": 0, "beta": 0.0, "step": 1}, {"rounds": 9, "polynomial": 1}, {"rounds": 1, "beta": 0.5, "step": 3}],
    ids=["begins", "nothing", "careful", "one"],
)  # fmt: skip
def test_the_numbers_are_those_of_python(inner, shape, state):
    figure, _ = rounds(shape)
    for name, value in state.items():
        setattr(figure, name, value)
    body = """Object.fromEntries(Object.entries(
      f(given.spec, await load(given.spec.code), (name) => given.state[name])).map(([k, v]) => [k, [...v]]))"""
    found = inner("rounds", "evaluate", body, {"spec": figure._spec, "state": figure.state()})
    assert list(found) == ["gradient", "memory", "step"]
    for name, expected in figure.values().items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-9, atol=1e-12, err_msg=name)


def test_small_singular_values_keep_their_digits(inner):
    turns = [np.linalg.qr(np.random.default_rng(seed).normal(size=(6, 6)))[0] for seed in (1, 2)]
    exact = np.logspace(0, -10, 6)
    matrix = turns[0] * exact @ turns[1]
    body = "[...f(given, [6, 6])]"
    found = np.array(inner("rounds", "singularValues", body, matrix.ravel().tolist()))
    np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-15)


def test_the_words_follow_keys_and_choice_and_reset_puts_all_back(stage):
    figure, _ = rounds()
    shown = stage(figure)
    first = shown.outcome()
    assert first.startswith("Step 5, singular values of the gradient from") and "After 5 rounds" in first
    shown.control("rounds").press("ArrowLeft")
    assert "After 4 rounds" in shown.outcome()
    shown.control("step").press("Home")
    assert shown.outcome().startswith("Step 1,")
    shown.control("polynomial", "combobox").select_option("careful")
    head, *rows = shown.table()
    assert head == ["number", "gradient", "memory", "step"] and len(rows) == 4
    shown.page.get_by_role("button", name="reset").click()
    assert shown.outcome() == first


def test_play_runs_through_the_rounds(stage):
    figure, _ = rounds()
    page = stage(figure).page
    page.get_by_role("button", name="play").click()
    page.wait_for_function(SAID, arg="After 9 rounds", timeout=15_000)


def test_the_link_brings_the_state_back_and_nonsense_does_not(stage):
    figure, _ = rounds()
    page = stage(figure).page
    page.evaluate("location.hash = '#figure=1&rounds=2&step=3'")
    page.wait_for_function(SAID, arg="After 2 rounds")
    page.evaluate("location.hash = '#figure=1&rounds=200&step=x'")
    page.wait_for_function(SAID, arg="After 5 rounds")


def test_it_fits_and_is_accessible(stage, look):
    figure, _ = rounds(caption="What do five rounds do?")
    shown = stage(figure, **look)
    shown.check(look["width"])
