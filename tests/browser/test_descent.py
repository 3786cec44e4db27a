"""`Descent` in the browser: it draws, answers to hand and keyboard, speaks, and leaves nothing behind.

Every page here is a file opened from disk, so that what holds for the site holds offline as well.
"""

import re

import nbformat
import numpy as np
import pytest

from fitlib import gabor, losses
from fitlib.figures import Descent, scheduled, slider
from fitlib.figures.base import HERE, module
from fitlib.figures.site import host
from fitlib.fitting import batches
from fitlib.losses import stability_limit
from fitlib.optimizers import adam, gradient_descent, momentum, nesterov
from fitlib.schedules import cosine
from tests.browser.conftest import Stage


def on_gabor(**changes):
    settings = {
        "start": (-2.0, 12.0),
        "steps": 60,
        "alpha": slider(0.1, 20, 2, log=True),
        "beta": slider(0, 0.99, 0.9),
        "batch": slider(1, 30, 30, step=1),
        "seed": True,
        "rates": {"adam": 0.1},
        "model": gabor.gabor,
        "marks": [("best minimum", (0.09, 16.5))],
        "stability": True,
        "caption": "Which rule is first?",
    }
    return Descent(gabor.loss, [gradient_descent, momentum, adam], **{**settings, **changes})


def on_quadratic(rules=gradient_descent, **changes):
    settings = {
        "start": (-3, 2),
        "steps": 30,
        "alpha": slider(0.01, 1, 0.1),
        "kappa": slider(1, 100, 10, log=True),
    }
    return Descent(losses.quadratic, rules, **{**settings, "marks": [("minimum", (0, 0))], **changes})


@pytest.fixture
def opened(stage):
    """Opens figures on a page of their own."""
    return lambda *figures, **settings: stage(*figures, **settings).page


def frames(page, ms=0):
    Stage(page).settle(ms)


def outcome(page):
    return Stage(page).outcome()


def control(page, label):
    return Stage(page).control(label)


def value(page, label):
    row = page.locator(
        ".fm-slider", has=page.locator(".fm-label", has_text=re.compile(f"^{re.escape(label)}$"))
    )
    return row.first.locator(".fm-value").inner_text()


def drawn(page, name):
    """The `d` of every path of a class."""
    return page.locator(f"path.fm-{name}").evaluate_all(
        "(nodes) => nodes.map((node) => node.getAttribute('d'))"
    )


def surface(page):
    """The picture of the map, once it is fine."""
    frames(page, 250)
    return page.locator(".fm-canvas").first.evaluate("(canvas) => canvas.toDataURL()")


def area(page, name):
    """The rectangle inside the axes of a panel."""
    return page.get_by_role("group", name=name).locator(".fm-border").bounding_box()


def at(page, name, x, y):
    """Where a share of a panel (from its lower left corner) is on the page."""
    box = area(page, name)
    return box["x"] + x * box["width"], box["y"] + (1 - y) * box["height"]


def number(text):
    digits = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")
    mantissa, _, exponent = text.translate(digits).partition("×10")
    return float(mantissa) * 10.0 ** int(exponent or 0)


MAP = "loss over φ₀ and φ₁"


def test_it_draws_the_map_the_paths_the_fit_and_the_losses(opened):
    page = opened(on_gabor())
    shades = page.locator(".fm-canvas").evaluate(
        """(canvas) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return new Set(data).size;
        }"""
    )
    assert shades > 80
    assert drawn(page, "contours")[0].count("L") > 1000
    for name, expected in {"done": 9, "future": 6, "halo": 3, "beads": 3}.items():  # over map, fit and losses
        paths = drawn(page, name)
        assert len(paths) == expected and all(path.startswith("M") for path in paths), name
    assert page.locator(".fm-xlabel").all_text_contents() == ["φ₀", "x", "step"]
    assert page.locator(".fm-title").all_inner_texts() == ["φ₁", "model at step 60", "loss (log scale)"]
    assert page.locator(".fm-chip").all_inner_texts() == ["gradient descent", "momentum", "Adam\nα × 0.1"]
    labels = ["step", "learning rate α", "momentum β", "batch, of 30", "seed of the batches"]
    assert page.locator(".fm-label").all_inner_texts() == labels
    assert page.locator(".fm-caption").inner_text() == "Which rule is first?"


def test_the_numbers_are_those_of_python(opened):
    figure = on_gabor(batch=5, seed=3)
    page = opened(figure)
    page.get_by_text("The numbers behind the figure").click()
    page.wait_for_selector(".fm table")
    rows = [row.split("\t") for row in page.locator("table").first.locator("tr").all_inner_texts()]
    assert rows[0] == ["step", "gradient descent", "momentum", "Adam"]
    assert [row[0] for row in rows[1:]] == ["0", "1", "2", "5", "10", "20", "50", "60"]
    for label, run in figure.runs().items():
        for row in rows[1:]:
            loss, x, y = map(number, re.split(r" at \(|, |\)", row[rows[0].index(label)])[:3])
            step = int(row[0])
            np.testing.assert_allclose(
                [loss, x, y], [run.losses[step], *run.path[step]], rtol=6e-3, atol=1e-9
            )
    label, run = min(figure.runs().items(), key=lambda item: item[1].losses[-1])
    said, name = re.match(r"After 60 steps the loss is (\S+) for ([\w ]+),", outcome(page)).groups()
    assert name == label and abs(number(said) / run.losses[-1] - 1) < 6e-3


def test_a_slider_moves_the_paths_and_not_the_surface(opened):
    page = opened(on_gabor())
    before, map_before = drawn(page, "done"), surface(page)
    control(page, "learning rate α").focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    frames(page)
    shown = value(page, "learning rate α")
    assert shown == control(page, "learning rate α").get_attribute("aria-valuetext") == "2.74"
    assert all(a != b for a, b in zip(before, drawn(page, "done"), strict=True))
    assert surface(page) == map_before
    page.keyboard.press("End")
    assert value(page, "learning rate α") == "20"
    page.keyboard.press("Home")
    assert value(page, "learning rate α") == "0.1"


def test_a_parameter_of_the_loss_redraws_the_surface(opened):
    page = opened(on_quadratic())
    before = surface(page), drawn(page, "contours")
    control(page, "condition number κ").fill("150")
    after = surface(page), drawn(page, "contours")
    assert before[0] != after[0] and before[1] != after[1]


def test_the_start_is_dragged_clicked_and_moved_by_keys(opened):
    page = opened(on_gabor())
    start = page.get_by_role("slider", name="start")
    assert start.get_attribute("aria-valuetext").startswith("φ₀ −2, φ₁ 12, loss 0.")
    before = drawn(page, "done")
    page.mouse.move(*at(page, MAP, 0.4, 0.475))
    page.mouse.down()
    page.mouse.move(*at(page, MAP, 0.5, 0.5), steps=3)
    page.mouse.move(*at(page, MAP, 0.75, 0.25), steps=3)
    page.mouse.up()
    frames(page)
    assert start.get_attribute("aria-valuetext").startswith("φ₀ 5, φ₁ 7.5, ")
    assert drawn(page, "done") != before
    page.mouse.move(*at(page, MAP, 0.2, 0.2))  # let go: it stays
    page.mouse.click(*at(page, MAP, 0.25, 0.75))
    frames(page)
    assert start.get_attribute("aria-valuetext").startswith("φ₀ −5, φ₁ 17.5, ")
    page.keyboard.press("ArrowRight")  # the click has put the focus on it
    page.keyboard.press("Shift+ArrowUp")
    frames(page)
    assert start.get_attribute("aria-valuetext").startswith("φ₀ −4.6, φ₁ 17.5, ")  # 17.54 to three digits
    for _ in range(60):
        page.keyboard.press("ArrowDown")
    frames(page)
    assert start.get_attribute("aria-valuetext").startswith("φ₀ −4.6, φ₁ 2.5, ")


def test_a_touch_moves_the_start_and_a_swipe_scrolls(opened):
    page = opened(on_gabor(), width=360, has_touch=True)
    page.touchscreen.tap(*at(page, MAP, 0.75, 0.25))
    frames(page)
    text = page.get_by_role("slider", name="start").get_attribute("aria-valuetext")
    assert re.match(r"φ₀ (4\.9|5|5\.1)\d?, φ₁ 7\.\d+, ", text), text
    actions = "(node) => getComputedStyle(node).touchAction"
    assert page.get_by_role("group", name=MAP).evaluate(actions) == "pan-y"
    assert page.get_by_role("slider", name="start").evaluate(actions) == "none"


def test_the_pointer_shows_loss_and_gradient(opened):
    page = opened(on_quadratic())
    readout = page.locator(".fm-map .fm-readout")
    assert readout.inner_text() == "drag the start; darker is lower"
    page.mouse.move(*at(page, MAP, 0.75, 0.75))
    text = readout.inner_text()
    loss, x, y = map(number, re.fullmatch(r"loss (\S+), gradient \((\S+), (\S+)\)", text).groups())
    np.testing.assert_allclose([loss, x, y], [losses.quadratic((2, 1.5)), 2, 15], rtol=0.03)
    assert drawn(page, "arrow")[0].startswith("M")
    page.mouse.move(5, 5)
    assert readout.inner_text() == "drag the start; darker is lower" and drawn(page, "arrow") == [""]


def test_the_scrubber_and_the_loss_panel_choose_a_step(opened):
    page = opened(on_gabor())
    whole, heads = (
        drawn(page, "done"),
        page.locator(".fm-dot").evaluate_all("(dots) => dots.map((dot) => dot.getAttribute('cx'))"),
    )
    control(page, "step").fill("20")
    assert outcome(page).startswith("After 20 steps ")
    assert value(page, "step") == "20 of 60"
    assert page.locator(".fm-title").nth(1).inner_text() == "model at step 20"
    assert all(len(part) < len(all_) for part, all_ in zip(drawn(page, "halo"), whole, strict=False))
    assert heads != page.locator(".fm-dot").evaluate_all(
        "(dots) => dots.map((dot) => dot.getAttribute('cx'))"
    )
    page.mouse.click(*at(page, "loss against step", 0.75, 0.5))
    assert outcome(page).startswith("After 45 steps ")
    control(page, "step").fill("0")
    assert outcome(page).startswith("At the start ")
    control(page, "step").fill("1")
    assert outcome(page).startswith("After 1 step ")


def test_play_runs_to_the_end_and_pauses(opened):
    page = opened(on_gabor(step=50))
    page.get_by_role("button", name="play").click()
    page.wait_for_function("document.querySelector('.fm-value').textContent === '60 of 60'")
    page.get_by_role("button", name="play").click()  # once more from the start
    page.get_by_role("button", name="pause").click()
    assert page.get_by_role("button", name="play").is_visible()
    step = int(value(page, "step").split()[0])
    assert step < 60
    page.wait_for_timeout(300)
    assert int(value(page, "step").split()[0]) == step
    page.get_by_role("button", name="play").click()
    control(page, "step").fill("30")  # a hand on the scrubber ends it
    page.wait_for_timeout(300)
    assert value(page, "step") == "30 of 60"


def test_less_motion_where_it_is_asked_for(opened):
    page = opened(on_gabor(step=0), reduced_motion="reduce")
    page.evaluate(
        """() => {
          window.steps = new Set();
          const value = document.querySelector(".fm-value");
          const look = () => window.steps.add(value.textContent);
          new MutationObserver(look).observe(value, { childList: true });
        }"""
    )
    page.get_by_role("button", name="play").click()
    page.wait_for_function("document.querySelector('.fm-value').textContent === '60 of 60'", timeout=10_000)
    assert page.evaluate("window.steps.size") <= 6


def test_the_legend_switches_rules(opened):
    page = opened(on_gabor())
    chip = page.get_by_role("button", name="momentum")
    assert chip.get_attribute("aria-pressed") == "true"
    chip.click()
    assert "momentum" not in outcome(page)
    assert chip.get_attribute("aria-pressed") == "false"
    assert [bool(path) for path in drawn(page, "halo")] == [True, False, True]
    page.get_by_role("button", name="Adam").click()
    page.get_by_role("button", name="gradient descent").press("Enter")
    assert outcome(page) == "No rule is switched on."
    assert not any(drawn(page, "done"))
    chip.press(" ")
    assert re.match(r"After 60 steps the loss is \S+ for momentum\.", outcome(page))


def test_data_points_are_moved_and_surface_and_fit_answer(opened):
    page = opened(on_gabor())
    dots = page.locator(".fm-point")
    before = surface(page), drawn(page, "done")
    box = dots.nth(12).bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    page.mouse.down()
    page.mouse.move(box["x"] + 3, box["y"] - 40, steps=4)
    page.mouse.up()
    moved = dots.nth(12).bounding_box()
    assert abs(moved["y"] - box["y"] + 43) < 4 and abs(moved["x"] - box["x"]) < 2
    assert surface(page) != before[0] and drawn(page, "done") != before[1]
    handle = page.get_by_role("slider", name=re.compile("^data point 13 of 30"))
    handle.press("PageUp")
    handle = page.get_by_role("slider", name=re.compile("^data point 14 of 30"))
    handle.press("ArrowUp")
    frames(page)
    assert dots.nth(13).bounding_box()["y"] < page.locator(".fm-point").nth(13).bounding_box()["y"] + 1
    text = handle.get_attribute("aria-valuetext")
    assert number(text.split("y ")[1]) > gabor.y[13]


def test_batches_are_those_of_python(opened):
    page = opened(on_gabor(batch=slider(1, 30, 4, step=1), step=7))
    control(page, "seed of the batches").fill("5")
    frames(page)
    inside = page.locator(".fm-point").evaluate_all(
        "(dots) => dots.flatMap((dot, i) => (dot.classList.contains('fm-out') ? [] : [i]))"
    )
    assert inside == sorted(batches(30, 4, 8, seed=5)[7])  # the batch of step 8 comes next
    before = drawn(page, "done")
    control(page, "seed of the batches").fill("6")
    frames(page)
    assert drawn(page, "done") != before
    assert control(page, "seed of the batches").is_enabled()
    control(page, "batch, of 30").press("End")
    frames(page)
    assert control(page, "seed of the batches").is_disabled()


def test_every_batch_has_its_own_surface(opened):
    page = opened(on_gabor(batch=3, surface="batch", step=10))
    assert page.locator(".fm-map .fm-readout").inner_text() == "batch of step 11; darker is lower"
    before = surface(page)
    control(page, "step").fill("11")
    assert surface(page) != before


def test_critical_points_are_drawn_and_follow_the_data(opened):
    points, _, index = losses.critical_points(gabor.loss)
    page = opened(on_gabor(marks=points.T, points=[("truth", (0, 16.6))], stability=False))
    kinds = ["minimum", "saddle", "maximum"]
    for i, kind in enumerate(kinds):
        assert page.locator(f".fm-glyph.fm-{kind}").count() == (index == i).sum()
    assert page.locator(".fm-glyph.fm-point").count() == 1
    assert page.locator(".fm-name").all_text_contents().count("truth") == 1
    place = page.locator(".fm-glyph.fm-minimum").first
    before = place.get_attribute("transform")
    page.get_by_role("slider", name=re.compile("^data point 1 of 30")).focus()
    for _ in range(10):
        page.keyboard.press("PageUp")
    for _ in range(12):
        page.keyboard.press("ArrowUp")
    frames(page, 250)
    assert place.get_attribute("transform") != before
    page.get_by_role("button", name="reset").click()
    frames(page, 250)
    assert place.get_attribute("transform") == before


@pytest.mark.parametrize(
    "rule, factor",  # on the limit of gradient descent, for beta = 0.9, from the eigenvalues of the step
    [(gradient_descent, 1), (momentum, 1.9 / 0.1), (nesterov, 1.9 / (2.8 * 0.1)), (adam, None)],
)
def test_the_stability_limit_is_marked_where_there_is_one(opened, rule, factor):
    page = opened(on_quadratic(rule, stability=True, alpha=slider(0.01, 100, 0.1, log=True)))
    marks = page.locator(".fm-mark")
    if factor is None:
        assert marks.count() == 0
        return
    limit = factor * stability_limit(losses.quadratic, np.zeros(2))
    assert abs(number(marks.inner_text().removeprefix("limit ")) / limit - 1) < 0.01
    control(page, "condition number κ").press("End")  # ten times the curvature
    frames(page)
    assert abs(number(marks.inner_text().removeprefix("limit ")) * 10 / limit - 1) < 0.01
    control(page, "learning rate α").press("End")
    assert "above its stability limit" in outcome(page)


def test_the_limit_of_a_scaled_rate_stands_where_that_rule_passes_it(opened):
    page = opened(on_quadratic(stability=True, rates={"gradient_descent": 0.5}))
    assert page.locator(".fm-mark").all_inner_texts() == ["limit 0.4"]


def test_the_target_is_reached_or_not(opened):
    page = opened(on_quadratic(target=(1e-2, 20)))
    assert outcome(page).endswith("Target: loss 0.01 within 20 gradient evaluations, not reached.")
    assert page.locator(".fm-name").all_text_contents().count("target") == 1
    control(page, "condition number κ").press("Home")
    control(page, "learning rate α").fill("39")  # 0.4
    run = on_quadratic(alpha=0.4, kappa=1).runs()["gradient descent"]
    reached = int(np.argmax(run.losses <= 1e-2))
    assert outcome(page).endswith(
        f"Target: loss 0.01 within 20 gradient evaluations, reached by gradient descent after {reached}."
    )


def test_what_diverges_is_said_and_drawn_without_nan(opened):
    figure = Descent(
        losses.rosenbrock,
        [gradient_descent, adam],
        start=(-1.5, 2),
        steps=40,
        alpha=slider(1e-4, 1, 0.5, log=True),
    )
    page = opened(figure)
    step = int(np.argmin(np.isfinite(figure.runs()["gradient descent"].losses)))
    assert f"Gradient descent diverged: the numbers stop being finite in step {step}." in outcome(page)
    attributes = page.locator(".fm *").evaluate_all(
        "(nodes) => nodes.flatMap((n) => [...n.attributes].map((a) => a.value))"
    )
    assert not any(re.search(r"NaN|Infinity|undefined", text) for text in attributes)


def test_a_schedule_is_drawn_and_slides(opened):
    alpha = scheduled(cosine, alpha=slider(0.1, 1, 0.5), steps=slider(10, 30, 30, step=1))
    page = opened(on_quadratic(alpha=alpha, show_rate=True, kappa=1))
    assert page.locator(".fm-label").all_inner_texts() == ["step", "learning rate α", "steps of α"]
    panel = page.get_by_role("group", name="learning rate against step").locator(".fm-inside")
    path = drawn(page, "done")[-1]
    ys = [float(pair.split()[1]) for pair in re.split("[ML]", path)[1:]]
    share = 1 - np.array(ys) / float(panel.get_attribute("height"))
    np.testing.assert_allclose(share * 1.08 * 0.5, cosine(0.5, 30)(np.arange(1, 31)), atol=4e-3)
    control(page, "steps of α").press("Home")
    frames(page)
    assert drawn(page, "done")[-1] != path


def test_losses_are_told_above_a_minimum_that_is_not_zero(opened):
    figure = Descent(losses.dupont, gradient_descent, start=(1.5, 1), steps=40, alpha=0.02, target=(-1.9, 30))
    words = outcome(opened(figure))
    told = re.match(r"After 40 steps the loss above its minimum is (\S+) for gradient descent", words)[1]
    above = figure.runs()["gradient descent"].losses[-1] - losses.dupont.minimum
    assert abs(number(told) / above - 1) < 6e-3
    target = re.search(r"Target: loss above its minimum (\S+) within 30", words)[1]
    assert abs(number(target) / (-1.9 - losses.dupont.minimum) - 1) < 6e-3


def test_a_hand_draws_the_rate(opened):
    """The knot nearest to the hand follows it, as its slider does; a finger draws only from a knot."""

    def line(alpha, steps, end):
        return lambda t: alpha + (end - alpha) * (t - 1) / (steps - 1)

    rate = scheduled(
        line, knots={"alpha": 1, "end": 30}, steps=30, alpha=slider(0, 1, 0.5), end=slider(0, 1, 0.1)
    )
    page = opened(on_quadratic(alpha=rate, show_rate=True, kappa=1), has_touch=True)
    panel, before = "learning rate against step", drawn(page, "done")
    assert "drag to draw" in page.locator(".fm-title").last.inner_text()
    page.mouse.move(*at(page, panel, 0.1, 0.8))
    page.mouse.down()
    page.mouse.move(*at(page, panel, 0.9, 0.3), steps=6)
    page.mouse.up()
    frames(page)
    first, last = (float(value(page, name)) for name in ("learning rate α", "end of α"))
    assert 0.5 < first < 0.75 and abs(last - 0.3) < 0.02  # the first knot was left halfway
    assert all(a != b for a, b in zip(before, drawn(page, "done"), strict=True))
    ring = page.get_by_role("group", name=panel).locator(".fm-ring").last.bounding_box()
    assert abs(ring["y"] + ring["height"] / 2 - at(page, panel, 0, last)[1]) < 1
    page.touchscreen.tap(*at(page, panel, 0.5, 0.9))
    assert float(value(page, "learning rate α")) == first


def test_the_link_holds_the_state_and_ignores_what_is_not_in_range(opened):
    page = opened(on_quadratic(), on_gabor())
    second = page.locator(".fm").nth(1)
    second.get_by_role("slider", name="learning rate α").fill("150")
    second.get_by_role("slider", name="batch, of 30").fill("4")
    second.get_by_role("slider", name="step").fill("33")
    second.get_by_role("button", name="momentum").click()
    second.get_by_role("button", name="Adam").click()
    point = second.get_by_role("slider", name=re.compile("^data point"))
    point.press("ArrowUp")
    second.get_by_role("slider", name="start").press("ArrowLeft")
    frames(page)
    second.get_by_role("button", name="link").click()
    address = page.evaluate("location.hash")
    assert address.startswith("#figure=2&") and "alpha=5.3" in address
    said, places = second.locator(".fm-outcome").inner_text(), drawn(page, "done")
    again = opened(on_quadratic(), on_gabor(), address=address)
    frames(again)
    assert again.locator(".fm").nth(1).locator(".fm-outcome").inner_text() == said
    assert drawn(again, "done") == places
    again.locator(".fm").nth(1).get_by_role("button", name="reset").click()
    frames(again)
    assert again.locator(".fm").nth(1).locator(".fm-value").all_inner_texts() == [
        "60 of 60",
        "2",
        "0.9",
        "30",
        "0",
    ]


WRONG = [
    "#figure=2&alpha=5",
    "#figure=1&alpha=21",
    "#figure=1&alpha=-1",
    "#figure=1&alpha=NaN",
    "#figure=1&alpha=Infinity",
    "#figure=1&alpha=0x5",
    "#figure=1&alpha=5%20",
    "#figure=1&alpha=",
    "#figure=1&alpha=1,2",
    "#figure=1&step=1.5",
    "#figure=1&step=61",
    "#figure=1&batch=2.5",
    "#figure=1&start=1",
    "#figure=1&start=11,5",
    "#figure=1&start=a,b",
    "#figure=1&hidden=9",
    "#figure=1&hidden=momentum",
    "#figure=1&data=0,1",
    "#figure=1&data=30,0,0",
    "#figure=1&data=0,0,99",
    "#figure=1&constructor=1&__proto__=2&_spec=3",
    "#figure=<script>alert(1)</script>",
    "#%E0%A4%A",
]


def test_a_wrong_address_is_the_figure_at_rest(opened):
    page = opened(on_gabor())
    file = page.url
    for address in WRONG:
        page.goto("about:blank")
        page.goto(file + address)
        page.wait_for_selector(".fm")
        assert page.locator(".fm-value").all_inner_texts() == ["60 of 60", "2", "0.9", "30", "0"], address
        start = page.get_by_role("slider", name="start").get_attribute("aria-valuetext")
        assert start.startswith("φ₀ −2, φ₁ 12, "), address
        assert page.locator("[aria-pressed=true]").count() == 3, address


def test_an_address_typed_later_moves_the_figure(opened):
    page = opened(on_gabor())
    page.evaluate("location.hash = '#figure=1&alpha=5&start=3,4'")
    frames(page)
    assert value(page, "learning rate α") == "5"
    page.evaluate("location.hash = '#figure=1&step=3'")
    frames(page)
    assert (value(page, "learning rate α"), value(page, "step")) == ("2", "3 of 60")


def test_the_outcome_is_announced_once_the_hand_rests(opened):
    page = opened(on_gabor())
    said = page.locator("[aria-live=polite]")
    page.evaluate(
        """() => {
          window.announced = 0;
          const said = document.querySelector(".fm-said");
          new MutationObserver(() => window.announced++).observe(said, { childList: true });
        }"""
    )
    control(page, "learning rate α").focus()
    for _ in range(15):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(20)
    assert page.evaluate("window.announced") == 0
    page.wait_for_timeout(900)
    assert page.evaluate("window.announced") == 1
    assert said.text_content() == page.locator(".fm-outcome").text_content()


def test_without_a_script_the_picture_and_the_caption_show(opened):
    page = opened(on_gabor(alt="Three paths"), picture=True, java_script_enabled=False)
    picture = page.get_by_role("img", name="Three paths")
    assert picture.is_visible() and picture.bounding_box()["width"] > 500
    assert page.get_by_text("Which rule is first?").is_visible()


def test_a_figure_that_cannot_be_drawn_keeps_its_picture(browser, tmp_path):
    broken, sound = on_gabor(alt="Three paths").html(), on_quadratic().html()
    broken = broken.replace("export const value", "export const nothing")
    style = (HERE / "figures.css").read_text(encoding="utf-8")
    page, errors = browser.new_page(), []
    page.on("console", lambda message: errors.append(message.type))
    page.set_content(f"<style>{style}</style>{broken}{sound}<script>{host()}</script>")
    page.wait_for_selector(".fm")
    assert page.get_by_role("img", name="Three paths").is_visible()
    assert page.locator(".fm").count() == 1 and errors == ["error"]
    page.close()


def test_print_shows_the_figure_without_its_controls(opened):
    page = opened(on_gabor())
    page.emulate_media(media="print")
    assert page.locator(".fm-map").is_visible() and page.locator(".fm-outcome").is_visible()
    assert not page.locator(".fm-controls").is_visible() and not page.locator(".fm-tools").is_visible()
    assert len(page.pdf()) > 10_000


def test_a_converted_notebook_shows_the_picture(browser):
    nbconvert = pytest.importorskip("nbconvert")
    bundle, _ = on_gabor(alt="Three paths")._repr_mimebundle_()
    output = nbformat.v4.new_output("execute_result", bundle, execution_count=1)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("figure", outputs=[output])])
    text, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    page = browser.new_page()
    page.route("**/*", lambda route: route.abort())
    page.set_content(text)
    picture = page.get_by_role("img", name="Three paths")
    assert picture.is_visible() and picture.evaluate("(image) => image.naturalWidth") == 760
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [780, 360])
def test_it_is_accessible_and_fits(opened, theme, width):
    page = opened(
        on_gabor(target=(0.03, 60), show_rate=True),
        on_quadratic([gradient_descent, nesterov]),
        theme=theme,
        width=width,
    )
    Stage(page).check(width)
    for summary in page.get_by_text("The numbers behind the figure").all():
        summary.click()
    page.get_by_role("button", name="momentum").click()
    frames(page, 300)
    Stage(page).check(width)
    small = page.locator(".fm button, .fm input, .fm summary, .fm-hit").evaluate_all(
        """(nodes) => nodes.filter((node) => node.getBoundingClientRect().height < 23.9)
          .map((node) => node.outerHTML)"""
    )
    assert small == []


def test_the_map_follows_the_theme(opened):
    page = opened(on_quadratic())
    light = surface(page)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert surface(page) != light
    assert page.locator(".fm").evaluate("(root) => getComputedStyle(root).colorScheme") == "dark"


def test_one_unit_across_is_one_unit_up(opened):
    page = opened(on_quadratic())
    box = area(page, MAP)
    assert abs(box["width"] / box["height"] - 8 / 6) < 0.02


AFM = """async ([text, spec]) => {
  const values = { ...spec.state, _spec: spec }, handlers = new Map();
  const of = (event) => handlers.get(event) ?? [];
  window.saved = 0;
  window.model = {
    get: (name) => values[name],
    set: (name, value) => { values[name] = value; of(`change:${name}`).forEach((call) => call()); },
    save_changes: () => { window.saved += 1; },
    on: (event, call) => handlers.set(event, [...of(event), call]),
    off: (event, call) => handlers.set(event, of(event).filter((other) => other !== call)),
  };
  window.left = () => [...handlers.values()].flat().length;
  window.open = 0;
  const counted = (prototype, name, change) => {
    const original = prototype[name];
    prototype[name] = function (...rest) { window.open += change; return original.apply(this, rest); };
  };
  counted(EventTarget.prototype, "addEventListener", 1);
  counted(EventTarget.prototype, "removeEventListener", -1);
  for (const name of ["ResizeObserver", "MutationObserver"]) {
    const Original = window[name];
    window[name] = class extends Original {
      constructor(...rest) { super(...rest); window.open += 1; }
      disconnect() { window.open -= 1; super.disconnect(); }
    };
  }
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const { default: widget } = await import(url), el = document.createElement("main");
  document.body.replaceChildren(el);
  window.end = await widget.render({ model: window.model, el });
}"""


def in_a_notebook(page, figure):
    """Render a figure with a model such as anywidget's, and count what it starts."""
    page.evaluate(AFM, [module(figure.kind), {**figure._spec, "state": figure.state()}])


def test_in_a_notebook_traits_move_the_figure_and_the_figure_the_traits(opened):
    figure = on_gabor()
    page = opened(on_quadratic())
    in_a_notebook(page, figure)
    assert page.get_by_role("button", name="link").count() == 0  # a notebook has no address of its own
    page.evaluate("model.set('alpha', 5); model.set('start', [3, 4]); model.set('step', 12)")
    assert outcome(page).startswith("After 12 steps ")
    assert value(page, "learning rate α") == "5"
    assert page.evaluate("window.saved") == 0
    control(page, "momentum β").press("ArrowLeft")
    assert page.evaluate("[model.get('beta'), window.saved]") == [0.89, 1]
    page.evaluate("model.set('alpha', 1 / 3)")
    assert value(page, "learning rate α") == "0.333333"


def test_what_a_figure_starts_ends_with_it(opened):
    figure = on_gabor()
    page = opened(on_quadratic())
    in_a_notebook(page, figure)
    assert page.evaluate("window.open") > 20 and page.evaluate("window.left()") > 8
    page.get_by_role("button", name="play").click()
    page.evaluate("window.end()")
    assert page.evaluate("[window.open, window.left()]") == [0, 0]
    step = page.evaluate("model.get('step')")
    page.wait_for_timeout(300)
    assert page.evaluate("model.get('step')") == step
