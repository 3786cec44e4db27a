"""`Curves` in the browser: the numbers of Python, the probe by hand and keyboard, words, marks, the link."""

import re

import numpy as np
import pytest

from fitlib.figures import Curves, choice, panel, slider
from fitlib.schedules import constant, cosine, one_cycle, warmup
from fitlib.symbolic import schedule


def weight(age, *, beta):
    return (1 - beta) * beta**age


def scaled(b, *, power, base):
    return base * (b / 32) ** power


def weights(**changes):
    settings = {"x": (0, 40), "whole": True, "xlabel": "age", "beta": slider(0, 0.99, 0.9), "probe": 4}
    return Curves({"weight": weight, "none": lambda age: 0 * age}, **{**settings, **changes})


def rates(**changes):
    settings = {
        "x": (1, 1000),
        "log_x": True,
        "log_y": True,
        "xlabel": "batch",
        "power": choice({"linear": 1, "square root": 0.5}),
        "base": slider(0.001, 1, 0.1, log=True),
        "probe": 64.0,
        "marks": [
            ("limit", "limit", 0.5),
            ("known", "point", lambda *, base: np.stack([32 + 0 * base, base])),
            ("half of it", "x", 16),
        ],
        "data": {"measured": ([2, 16, 128], [0.01, 0.06, 0.2])},
    }
    return Curves({"rate": scaled}, **{**settings, **changes})


def schedules():
    curves = {
        "cosine": schedule(cosine),
        "constant": constant(0.2),
        "warm": lambda t, *, alpha, steps: warmup(cosine(alpha, steps), 10)(t),
    }
    effect = panel(
        {"cosine": lambda t, *, steps: t / steps},
        ylabel="share",
        marks=(("end", "x", lambda *, steps: steps),),
    )
    settings = {
        "x": (1, 120),
        "whole": True,
        "xlabel": "step",
        "alpha": 0.3,
        "steps": slider(20, 120, 100, step=1),
    }
    return Curves([panel(curves, ylabel="rate", log_y=False), effect], **settings)


@pytest.mark.parametrize("figure", [weights, rates, schedules], ids=lambda f: f.__name__)
def test_the_curves_are_those_of_python(inner, figure):
    figure = figure()
    body = """f(given.spec, await load(given.spec.code), (name) => given.state[name])
      .map(({ curves }) => curves.map(({ label, xs, ys }) => [label, [...xs], [...ys]]))"""
    panels = inner("curves", "evaluate", body, {"spec": figure._spec, "state": figure.state()})
    assert len(panels) == len(figure._panels)
    for number, curves in enumerate(panels):
        for label, xs, ys in curves:
            values = figure.values(xs)
            expected = (values if isinstance(values, dict) else values[number])[label]
            assert len(xs) >= 41
            np.testing.assert_allclose(ys, expected, rtol=1e-12, atol=1e-15)


def test_one_cycle_is_drawn_as_it_is_computed(inner):
    figure = Curves({"one cycle": schedule(one_cycle)}, x=(1, 100), whole=True, alpha=1.0, steps=100)
    body = "[...f(given, await load(given.code), (name) => (name === 'hidden' ? [] : 0))[0].curves[0].ys]"
    np.testing.assert_allclose(
        inner("curves", "evaluate", body, figure._spec),
        figure.values(np.arange(1, 101))["one cycle"],
        rtol=1e-12,
    )


def test_the_words_follow_probe_and_slider(stage):
    shown = stage(weights())
    assert shown.outcome() == "At age = 4: weight 0.0656; none 0."
    shown.page.locator(".fm-timeline input").press("ArrowRight")
    assert shown.outcome() == "At age = 5: weight 0.059; none 0."
    shown.control("momentum β").press("Home")
    assert shown.outcome() == "At age = 5: weight 0; none 0."


def test_the_probe_is_dragged_in_the_panel(stage):
    shown = stage(weights())
    box = shown.page.locator(".fm-border").bounding_box()
    y = box["y"] + box["height"] / 2
    shown.page.mouse.move(box["x"] + 10, y)
    shown.page.mouse.down()
    shown.page.mouse.move(box["x"] + box["width"] * 0.5, y, steps=4)
    shown.page.mouse.up()
    assert shown.outcome().startswith("At age = 20:")
    shown.page.mouse.move(box["x"] + box["width"], y)
    assert shown.outcome().startswith("At age = 20:")


def test_a_limit_and_traced_marks_are_told(stage):
    shown = stage(rates())
    assert shown.outcome() == "At batch = 64: rate 0.2. Known = (32, 0.1)."
    shown.page.locator(".fm-timeline input").press("End")
    assert shown.outcome() == "At batch = 1000: rate 3.13. Above the limit, 0.5: rate. Known = (32, 0.1)."
    shown.control("power", "combobox").select_option("square root")
    assert shown.outcome().startswith("At batch = 1000: rate 0.559. Above the limit")
    names = shown.page.locator(".fm-name").all_text_contents()
    assert names == ["limit", "known", "half of it"]


def test_the_legend_takes_a_curve_away_and_gives_it_back(stage):
    shown = stage(weights())
    lines = shown.page.locator(".fm-inside .fm-future")
    assert lines.count() == 2
    chip = shown.page.get_by_role("button", name="none")
    chip.click()
    assert shown.outcome() == "At age = 4: weight 0.0656." and lines.count() == 1
    assert chip.get_attribute("aria-pressed") == "false"
    chip.click()
    assert shown.outcome().endswith("none 0.")


def test_the_numbers_are_in_tables(stage):
    shown = stage(schedules())
    (head, *rows), second = shown.table(), shown.table(1)
    assert head == ["step", "cosine", "constant", "warm"] and second[0] == ["step", "cosine"]
    assert rows[0][0] == "1" and float(rows[0][1]) == pytest.approx(0.3)
    assert ["60"] == [row[0] for row in rows if row[0] == "60"]  # the probe is among the rows once


def test_recorded_lines_are_read_where_they_are_nearest(stage):
    lines = {"recorded": ([0, 10, 30], [1.0, 5.0, 2.0])}
    shown = stage(Curves({}, x=(0, 30), lines=lines, probe=12.0))
    assert shown.outcome() == "At x = 12: recorded 5."


def test_the_link_keeps_the_state(stage):
    shown = stage(rates())
    shown.control("power", "combobox").select_option("square root")
    shown.page.get_by_role("button", name="measured").click()
    shown.settle()
    shown.page.get_by_role("button", name="link").click()
    address = shown.page.evaluate("location.hash")
    assert re.fullmatch(r"#figure=1&power=0.5&base=0.1&probe=64&hidden=1", address)
    again = stage(rates(), address=address)
    assert (
        again.control("power", "combobox").evaluate("(node) => node.selectedOptions[0].text") == "square root"
    )
    assert again.page.get_by_role("button", name="measured").get_attribute("aria-pressed") == "false"
    strange = stage(rates(), address="#figure=1&power=3&base=1e9&hidden=7")
    assert strange.outcome() == shown_at_first(stage)
    again.page.get_by_role("button", name="reset").click()
    assert again.outcome() == strange.outcome()


def shown_at_first(stage):
    return stage(rates()).outcome()


@pytest.mark.parametrize("figure", [weights, rates, schedules], ids=lambda f: f.__name__)
def test_it_fits_and_is_accessible(stage, look, figure):
    stage(figure(), **look).check(look["width"])


def test_the_axis_rests_while_the_curve_moves_a_little(inner):
    first, second = (inner("curves", "rangeOf", "f(given)", [0.0, v]) for v in (0.97, 0.99))
    assert first == second
    assert inner("curves", "rangeOf", "f(given)", [3.0, 3.0]) != [3.0, 3.0]
    assert inner("curves", "rangeOf", "f(given, true)", [0.0, 1e-3, 10.0])[0] > 0


@pytest.mark.parametrize("scale", ["ticks", "logTicks"])
@pytest.mark.parametrize("lo, hi", [(0.04, 1.95), (0.0209, 0.0214), (0.021, 0.06), (0.9, 1.1), (1e-5, 1e3)])
def test_an_axis_has_two_round_numbers_or_more(inner, scale, lo, hi):
    for count in (2, 3, 8):
        shown = inner("curves", scale, "f(...given)", [lo, hi, count])
        assert 2 <= len(shown) <= 2 * count + 3 and shown == sorted(shown)
        assert lo * 0.999 <= shown[0] and shown[-1] <= hi * 1.001
        assert all(float(f"{v:.3g}") == v for v in shown)
