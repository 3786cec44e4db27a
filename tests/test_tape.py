"""`Tape`: the graph of a function's lines, its values forward and its derivatives backward."""

import json
import math

import numpy as np
import pytest

from fitlib import gabor
from fitlib.figures import Tape, slider
from fitlib.figures.tape import written
from fitlib.symbolic import TraceError


def gabor_loss(phi0, phi1, x, y):
    u = phi0 + 0.06 * phi1 * x
    a = np.sin(u)
    b = np.exp(-(u**2) / 32)
    f = a * b
    r = f - y
    return r**2


def tape(**given):
    inputs = {"phi0": slider(-10, 10, -2), "phi1": slider(2.5, 22.5, 9), "x": slider(-15, 15, 3), "y": 0.2}
    return Tape(gabor_loss, **{**inputs, **given})


@pytest.mark.parametrize("seed", range(20))
def test_values_and_derivatives_are_those_of_the_loss(seed):
    rng = np.random.default_rng(seed)
    phi, x, y = rng.uniform((-10, 2.5), (10, 22.5)), rng.uniform(-15, 15), rng.uniform(-1, 1)
    loss = gabor.loss.on([x], [y])
    numbers = tape(phi0=phi[0], phi1=phi[1], x=x, y=y).values()
    assert numbers["L"] == pytest.approx((float(loss(phi)), 1), rel=1e-12, abs=1e-15)
    assert [numbers["phi0"][1], numbers["phi1"][1]] == pytest.approx(loss.gradient(phi), rel=1e-12, abs=1e-15)
    assert numbers["y"][1] == pytest.approx(-2 * (gabor.gabor(x, phi) - y), rel=1e-12)


def test_every_line_is_a_node_and_every_name_in_it_an_edge():
    nodes = tape()._spec["nodes"]
    names = [node["name"] for node in nodes]
    assert names == ["φ₀", "φ₁", "x", "y", "u", "a", "b", "f", "r", "L"]
    parents = ["".join(names[i] for i in node["parents"]) for node in nodes]
    assert parents == ["", "", "", "", "φ₀φ₁x", "u", "u", "ab", "yf", "r"]
    texts = [node["text"] for node in nodes[4:]]
    assert texts == ["φ₀ + 0.06·φ₁·x", "sin(u)", "exp(−u²/32)", "a·b", "f − y", "r²"]


def test_a_name_used_twice_adds_up():
    def cube_and_square(x):
        square = x * x
        cube = square * x
        return cube + square

    numbers = Tape(cube_and_square, x=3).values()
    assert numbers == {"x": (3, 33), "square": (9, 4), "cube": (27, 1), "L": (36, 1)}


def test_an_input_that_is_not_used_has_derivative_zero():
    def first(x, y):
        return x**2

    assert Tape(first, x=3, y=1).values()["y"] == (1, 0)


def test_a_step_shows_what_is_known_by_then():
    def reached(step):
        return [[not math.isnan(v) for v in pair] for pair in tape().values(step).values()]

    assert reached(0) == [[True, False]] * 4 + [[False, False]] * 6
    assert reached(6) == [[True, False]] * 10
    assert [pair[1] for pair in reached(7)] == [False] * 8 + [True] * 2
    assert reached(12) == [[True, True]] * 10
    partial, whole = (tape().values(step)["u"][1] for step in (10, 11))
    assert partial != whole == tape().values()["u"][1]


def test_traits_are_the_sliders_and_the_step():
    figure = tape(step=3)
    assert figure.state() == {"step": 3, "phi0": -2, "phi1": 9, "x": 3}
    figure.phi0 = 1.5
    assert figure.values()["phi0"][0] == 1.5
    with pytest.raises(Exception, match="step"):
        figure.step = 13


def test_the_figure_as_html_is_the_same_each_time_and_holds_a_picture():
    first, second = tape().html(), tape().html()
    assert first == second
    assert 'data-kind="tape"' in first and 'src="data:image/png;base64,' in first
    spec = json.loads(first.split('<script type="application/json">')[1].split("</script>")[0])
    assert spec["state"] == tape().state() and spec["inputs"] == ["phi0", "phi1", "x", 0.2]


def unpacks(x):
    a, b = x, x
    return a * b


def again(x):
    x = x + 1
    return x


def decides(x):
    a = x if x > 0 else -x
    return a


def twice(x):
    a = 3 * x
    return a * x


def constant(x):
    a = 3
    return a * x


def pair(x):
    return x, x


def checks(x):
    assert x > 0
    return x**2


def inner(x, L):
    return x * L


REFUSED = {
    "unknown argument": (gabor_loss, {"z": 1}, ValueError, "takes no z; it takes: phi0, phi1, x, y"),
    "missing value": (twice, {}, ValueError, "x is a number or a slider; got None"),
    "text": (twice, {"x": "3"}, ValueError, "x is a number or a slider; got '3'"),
    "nan": (twice, {"x": math.nan}, ValueError, "x is a number or a slider; got nan"),
    "step": (twice, {"x": 1, "step": 5}, ValueError, "step is a whole number from 0 to 4; got 5"),
    "step of 1.5": (twice, {"x": 1, "step": 1.5}, ValueError, "step is a whole number from 0 to 4; got 1.5"),
    "two names": (unpacks, {"x": 1}, TraceError, "a line gives one new name"),
    "the same name": (again, {"x": 1}, TraceError, "a line gives one new name"),
    "the name of the result": (inner, {"x": 1, "L": 2}, TraceError, "a line gives one new name"),
    "a decision": (decides, {"x": 1}, TraceError, "write np.where"),
    "two values": (pair, {"x": 1}, TraceError, "a line gives one number"),
    "a constant": (constant, {"x": 1}, TraceError, "a line gives one number made of the names before it"),
    "a check": (checks, {"x": 1}, TraceError, "a line that is no equation"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_drawn_is_refused_with_one_sentence(case):
    function, given, error, text = REFUSED[case]
    with pytest.raises(error) as caught:
        Tape(function, **given)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "source, text",
    {
        "np.exp(-u ** 2 / 32)": "exp(−u²/32)",
        "phi0 + 0.06 * phi1 * x": "φ₀ + 0.06·φ₁·x",
        "alpha * g_1": "α·g₁",
        "x ** 2.5": "x ** 2.5",
        "beta": "β",
        "w10": "w₁₀",
    }.items(),
)
def test_code_is_written_as_mathematics(source, text):
    assert written(source) == text
