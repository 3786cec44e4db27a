"""`Map` in the browser: the numbers of Python, the probe by hand and keyboard, the colors, the link."""

import numpy as np
import pytest

from fitlib import gabor
from fitlib.figures import Map, slider
from fitlib.losses import quadratic
from fitlib.optimizers import adam, gradient_descent, momentum


def phases(**changes):
    settings = {
        "start": (1, 1),
        "steps": 80,
        "measure": "rate",
        "over": ("alpha", "beta"),
        "alpha": slider(0.01, 2, 0.3),
        "beta": slider(0, 0.99, 0.5),
        "kappa": slider(1, 100, 10, log=True),
        "range": (0, 1),
        "levels": [1],
        "title": "factor per step",
        "boundaries": {"stable": lambda alpha, *, kappa: (alpha * kappa - 2) / (alpha * kappa + 2)},
        "marks": [("best", lambda *, kappa: np.stack([2 / (1 + kappa), 0.3 + 0 * kappa]))],
    }
    return Map(momentum, quadratic, **{**settings, **changes})


def starts():
    axes = {"over": ("phi_0", "phi_1"), "phi_0": slider(-10, 10, 2), "phi_1": slider(2.5, 22.5, 7)}
    rate = slider(0.1, 10, 2, log=True)
    return Map(gradient_descent, gabor.loss, steps=30, alpha=rate, title="loss", log=True, **axes)


def formula():
    axes = {"over": ("a", "b"), "a": slider(0.1, 10, 1, log=True), "b": slider(-1, 1, 0, step=0.1)}
    return Map(lambda a, *, b, c: a * b + c, title="value", c=2.0, **axes)


def tuned():
    axes = {
        "over": ("alpha", "eps"),
        "alpha": slider(0.01, 1, 0.1, log=True),
        "eps": slider(1e-8, 1, 1e-3, log=True),
    }
    return Map(adam, quadratic, start=(1, 1), steps=50, kappa=10, title="loss", **axes)


def basins():
    values = (np.hypot(*np.meshgrid(np.linspace(-1, 1, 40), np.linspace(-1, 1, 30))) > 0.6).astype(int)
    axes = {"over": ("u", "v"), "u": slider(-1, 1, 0, step=0.1), "v": slider(-1, 1, 0, step=0.1)}
    return Map(values, categories=["inside", "outside"], title="part", **axes)


ALL = [phases, starts, formula, tuned, basins]


@pytest.mark.parametrize("figure", ALL, ids=lambda f: f.__name__)
def test_the_numbers_are_those_of_python(inner, figure):
    figure = figure()
    body = """[...f(given.spec, await load(given.spec.code), (name) => given.state[name])
      .grid(23, 17)].map(String)"""
    found = inner("map", "engine", body, {"spec": figure._spec, "state": figure.state()})
    with np.errstate(all="ignore"):
        *_, expected = figure.grid(23, 17)
    if figure._spec["source"] == "grid":
        assert list(map(float, found)) == expected.ravel().tolist()
    np.testing.assert_allclose(np.array(list(map(float, found))), expected.ravel(), rtol=1e-9)


def test_the_words_follow_the_probe(stage):
    shown = stage(phases())
    assert shown.outcome() == (
        "At learning rate α = 0.3 and momentum β = 0.5: factor per step 0.706. Best: (0.182, 0.3)."
    )
    handle = shown.page.locator(".fm-hit")
    handle.press("ArrowRight")
    assert shown.outcome().startswith("At learning rate α = 0.33 and momentum β = 0.5:")
    handle.press("ArrowUp")
    assert shown.outcome().startswith("At learning rate α = 0.33 and momentum β = 0.52:")
    handle.press("Shift+ArrowDown")
    assert shown.outcome().startswith("At learning rate α = 0.33 and momentum β = 0.51:")
    shown.control("learning rate α").press("End")
    assert "(diverges)" in shown.outcome()
    shown.control("condition number κ").press("Home")
    assert shown.outcome().endswith("Best: (1, 0.3).")


def test_the_probe_is_dragged(stage):
    shown = stage(basins())
    box = shown.page.locator(".fm-map .fm-border").bounding_box()
    x, y, w, h = box["x"], box["y"], box["width"], box["height"]
    assert shown.outcome() == "At u = 0 and v = 0: part inside."
    shown.page.mouse.move(x + w / 2, y + h / 2)
    shown.page.mouse.down()
    shown.page.mouse.move(x + w * 0.95, y + h * 0.1, steps=5)
    shown.page.mouse.up()
    assert shown.outcome() == "At u = 0.9 and v = 0.8: part outside."


def colors(shown, index=0):
    shown.settle(200)
    return (
        shown.page.locator(".fm-canvas")
        .nth(index)
        .evaluate(
            """(canvas) => {
          const copy = document.createElement("canvas");
          [copy.width, copy.height] = [canvas.width, canvas.height];
          const context = copy.getContext("2d", { willReadFrequently: true });
          context.drawImage(canvas, 0, 0);
          const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
          const at = (u, v) => [...data.slice(4 * (v * canvas.width + u), 4 * (v * canvas.width + u) + 3)];
          const [w, h] = [canvas.width - 1, canvas.height - 1];
          return { size: [w + 1, h + 1], corner: at(0, h), middle: at(w >> 1, h >> 1), other: at(w, h) };
        }"""
        )
    )


def test_the_colors_are_those_of_the_key(stage):
    shown = stage(basins())
    found, boxes = colors(shown), shown.page.locator(".fm-box")
    key = [b.evaluate("(node) => getComputedStyle(node).backgroundColor") for b in boxes.all()]
    assert found["size"] == [40, 30]
    assert key == [f"rgb({', '.join(map(str, found[part]))})" for part in ("middle", "corner")]
    inside = basins()._spec["categories"][0]["share"]
    told = shown.page.locator(".fm-part").all_text_contents()
    assert told == [f"inside{100 * inside:.3g} %", f"outside{100 * (1 - inside):.3g} %"]


def test_beyond_the_scale_has_its_own_color_and_the_loss_changes_the_map(stage):
    shown = stage(phases())
    beyond = shown.page.locator(".fm-box").evaluate("(node) => getComputedStyle(node).backgroundColor")
    before = colors(shown)
    assert beyond == f"rgb({', '.join(map(str, before['other']))})"  # α = 2, β = 0 diverges
    assert before["corner"] != before["other"]
    shown.control("condition number κ").press("Home")  # with curvature 1 alone, α = 2 is on the limit
    assert colors(shown)["middle"] != before["middle"]


def test_the_probe_leaves_the_map_as_it_is(stage):
    shown = stage(phases())
    before = colors(shown)
    shown.page.locator(".fm-hit").press("ArrowRight")
    assert colors(shown) == before


def test_a_line_is_drawn_where_the_level_is_passed(stage):
    shown = stage(phases())
    shown.settle(200)
    drawn = shown.page.locator("path.fm-level").get_attribute("d")
    points = np.array([pair.split() for pair in drawn[1:].replace("L", "M").split("M")], float)
    box = shown.page.locator(".fm-map .fm-border").bounding_box()
    alpha = 0.01 + 1.99 * points[:, 0] / box["width"]
    beta = 0.99 * (1 - points[:, 1] / box["height"])
    limit = np.abs(10 * alpha * (1 - beta) - 2 * (1 + beta))  # where momentum stops to converge
    assert len(points) > 60 and np.median(limit) < 0.1


def test_the_path_is_drawn_where_the_axes_are_the_start(stage):
    shown = stage(starts(), phases())
    first, second = (shown.page.locator(".fm-figure").nth(i).locator(".fm-map .fm-way") for i in (0, 1))
    assert first.get_attribute("d").count("L") > 5 and not second.get_attribute("d")


def test_the_link_keeps_the_state(stage):
    shown = stage(phases())
    shown.page.locator(".fm-hit").press("ArrowRight")
    shown.settle()
    shown.page.get_by_role("button", name="link").click()
    address = shown.page.evaluate("location.hash")
    assert address == "#figure=1&alpha=0.33&beta=0.5&kappa=10"
    assert stage(phases(), address=address).outcome() == shown.outcome()


def test_the_numbers_are_a_table(stage):
    head, *rows = stage(formula()).table()
    assert head == ["", "0.1", "0.316", "1", "3.16", "10", "1"] and len(rows) == 6
    assert rows[0] == ["−1", "1.9", "1.68", "1", "−1.16", "−8", "1"]


@pytest.mark.parametrize("figure", [phases, basins, formula], ids=lambda f: f.__name__)
def test_it_fits_and_is_accessible(stage, look, figure):
    stage(figure(), **look).check(look["width"])
