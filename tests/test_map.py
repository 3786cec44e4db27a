"""`Map`: its three sources, the numbers in Python, the refusals."""

import base64
import json

import numpy as np
import pytest

from fitlib import gabor
from fitlib.figures import Map, choice, slider
from fitlib.fitting import fit
from fitlib.losses import quadratic
from fitlib.optimizers import gradient_descent, momentum

AXES = {"over": ("alpha", "beta"), "alpha": slider(0.01, 2, 0.3), "beta": slider(0, 0.99, 0.5)}


def product(alpha, beta, *, gamma=1.0):
    return gamma * alpha * beta


def runs(**changes):
    settings = {"start": (1, 1), "steps": 80, "kappa": slider(1, 100, 10, log=True), **AXES}
    return Map(momentum, quadratic, **{**settings, **changes})


def cells(**changes):
    values = np.array([[0, 0, 1], [2, 1, 1]])
    axes = {"over": ("a", "b"), "a": slider(0, 3, 0.5, step=0.1), "b": slider(0, 2, 1.5, step=0.1)}
    return Map(values, **{**axes, "categories": ["low", "middle", "high"], **changes})


def test_a_function_is_read_by_name():
    figure = Map(product, **AXES, gamma=choice({"one": 1, "two": 2}, "two"))
    x, y, z = figure.grid(5, 4)
    np.testing.assert_allclose(z, 2 * x * y[:, None])
    figure.gamma = 1
    np.testing.assert_allclose(figure.values([0.5], [0.5]), [0.25])
    turned = Map(product, **{**AXES, "over": ("beta", "alpha")})
    np.testing.assert_allclose(turned.values(0.25, 2.0), 0.5)


def test_the_last_loss_of_a_run():
    figure = runs()
    expected = fit(momentum, quadratic, (1, 1), 80, alpha=[0.1, 0.4], beta=0.5, keep=None).losses[-1]
    np.testing.assert_allclose(figure.values([0.1, 0.4], [0.5, 0.5]), expected)


@pytest.mark.parametrize("alpha, beta", [(0.1, 0.0), (0.15, 0.3), (0.4, 0.6), (0.02, 0.9), (0.2, 0.5)])
def test_the_rate_is_the_spectral_radius(alpha, beta):
    radius = 0
    for curvature in (1, 10):
        step = [[1 + beta - alpha * (1 - beta) * curvature, -beta], [1, 0]]
        radius = max(radius, *np.abs(np.linalg.eigvals(step)))
    (measured,) = runs(steps=400, measure="rate").values([alpha], [beta])
    assert measured == pytest.approx(radius, rel=3e-3)


def test_the_start_may_be_what_the_map_is_over():
    axes = {"over": ("phi_0", "phi_1"), "phi_0": slider(-4, 4, 1), "phi_1": slider(-3, 3, 1)}
    figure = Map(gradient_descent, quadratic, steps=10, alpha=0.05, **axes)
    expected = fit(gradient_descent, quadratic, [[2.0, -1], [1, 3]], 10, alpha=0.05).losses[-1]
    np.testing.assert_allclose(figure.values([2.0, -1], [1, 3]), expected)
    assert figure._spec["ways"] and figure._spec["x"]["label"] == "φ₀"


def test_a_rule_with_its_own_problem_shows_the_value():
    def online(t, phi, grad, *, up, down):
        return np.clip(phi + np.where(t - 2 * np.floor(t / 2) == 1, up, -down), -1, 1)

    axes = {"over": ("up", "down"), "up": slider(0, 1, 0.5), "down": slider(0, 1, 0.1)}
    figure = Map(online, lambda phi: phi[0], start=(0.0,), steps=40, **axes)
    np.testing.assert_allclose(figure.values([0.5, 0.1], [0.1, 0.5]), [0.9, -1])
    assert figure._spec["tracked"] == "value" and not figure._spec["logValue"]


def test_data_go_with_the_loss():
    axes = {"over": ("phi_0", "phi_1"), "phi_0": slider(-10, 10, 1), "phi_1": slider(2.5, 22.5, 9)}
    figure = Map(gradient_descent, gabor.loss, steps=20, alpha=1, **axes)
    assert figure._spec["points"] == 30 and len(figure._spec["columns"][0]) == 30


def test_a_grid_is_packed_and_read_by_cell():
    figure = cells()
    assert list(base64.b64decode(figure._spec["cells"])) == [0, 0, 1, 2, 1, 1]
    np.testing.assert_array_equal(figure.values([0.1, 2.9, 0.5], [0.1, 0.9, 1.9]), [0, 1, 2])
    shares = {part["label"]: part["share"] for part in figure._spec["categories"]}
    assert shares == {"low": 0.333, "middle": 0.5, "high": 0.167}


def test_a_grid_of_numbers_keeps_a_255th_of_its_range():
    values = np.random.default_rng(0).normal(size=(20, 30))
    axes = {"over": ("a", "b"), "a": slider(0, 1, 0.5), "b": slider(0, 1, 0.5)}
    figure = Map(values, **axes)
    centers = np.meshgrid((np.arange(30) + 0.5) / 30, (np.arange(20) + 0.5) / 20)
    error = np.abs(figure.values(*centers) - values).max()
    assert 0 < error < 0.51 * np.ptp(values) / 255
    assert len(figure._spec["cells"]) == 800


def test_boundaries_and_marks_are_traced():
    figure = runs(
        boundaries={"stable": lambda alpha, *, kappa: (alpha * kappa - 2) / (alpha * kappa + 2)},
        marks=[("best", lambda *, kappa: np.stack([2 / kappa, 0.5 + 0 * kappa])), ("here", (1, 0.5))],
    )
    assert figure._spec["boundaries"][0]["refs"] == ["kappa"]
    assert [mark.get("value") for mark in figure._spec["marks"]] == [None, [1, 0.5]]
    assert json.dumps(figure._spec, allow_nan=False)


def test_the_picture_shows_every_source():
    drawn = [
        runs(range=(0, 1), measure="rate", marks=[("best", lambda *, kappa: np.stack([2 / kappa, 0.5]))],
             boundaries={"half": lambda alpha: alpha / 2}),
        Map(product, **AXES, log=True, range=(1e-3, 1)),
        cells(),
    ]  # fmt: skip
    pictures = [figure.picture() for figure in drawn]
    assert all(picture.startswith(b"\x89PNG") for picture in pictures) and len(set(pictures)) == 3


def test_a_map_is_the_boundary_of_convergence_of_momentum():
    figure = runs(measure="rate", steps=400, range=(0, 1), levels=[1])
    with np.errstate(all="ignore"):
        x, y, z = figure.grid(30, 25)
    stable = 10 * x * (1 - y[:, None]) < 2 * (1 + y[:, None])  # 0 < αλ < 2 + 2β in the summed convention
    margin = np.abs(10 * x * (1 - y[:, None]) - 2 * (1 + y[:, None])) > 0.3
    assert ((z < 1) == stable)[margin].all() and margin.mean() > 0.9


REFUSED = {
    "over one": (runs, dict(over=("alpha",)), "over names two quantities"),
    "over a number": (runs, dict(alpha=0.3), "given as sliders"),
    "range": (runs, dict(range=(1, 0)), "range is .lo, hi."),
    "no start": (runs, dict(start=None), "a run has start"),
    "start": (runs, dict(start=("a", 1)), "start is a list of finite numbers"),
    "start length": (runs, dict(start=(1, 1, 1)), "quadratic has 2 parameters; start has 3"),
    "steps": (runs, dict(steps=3), "from 4 to 5000"),
    "steps float": (runs, dict(steps=10.0), "from 4 to 5000"),
    "measure": (runs, dict(measure="best"), '"last" or "rate"'),
    "unknown": (runs, dict(decay=1), "no function, rule or loss takes decay"),
    "mark": (runs, dict(marks=[("a", 1)]), "the mark a is a place"),
    "mark function": (
        runs,
        dict(marks=[("a", lambda *, kappa: kappa)]),
        "gives x and y from parameters alone",
    ),
    "boundary": (runs, dict(boundaries={"a": lambda *, kappa: kappa}), "gives one number from the first"),
    "steps of a grid": (cells, dict(steps=10), "belong to a rule and its loss"),
    "few categories": (cells, dict(categories=["a", "b"]), "categories names the numbers"),
    "many categories": (cells, dict(categories=list("abcdefghi")), "two to 8 of them|two to 8"),
    "categories of a run": (runs, dict(categories=["a", "b"]), "of a grid"),
}


@pytest.mark.parametrize("make, changes, message", REFUSED.values(), ids=REFUSED)
def test_bad_input_is_refused_with_one_sentence(make, changes, message):
    with pytest.raises(ValueError, match=message):
        make(**changes)


@pytest.mark.parametrize("values", [np.zeros(3), np.full((2, 2), np.nan), np.zeros((1, 5))])
def test_a_grid_has_rows_and_columns_of_numbers(values):
    with pytest.raises(ValueError, match="a grid is an array"):
        cells_of = {"over": ("a", "b"), "a": slider(0, 1, 0.5), "b": slider(0, 1, 0.5)}
        Map(values, **cells_of)
