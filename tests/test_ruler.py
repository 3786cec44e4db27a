"""`Ruler`: the ball, the step and the path in Python, and what it refuses."""

import json

import numpy as np
import pytest

from fitlib.figures import Ruler, choice, slider
from fitlib.fitting import fit
from fitlib.losses import Loss, line, rotated_valley
from fitlib.optimizers import gradient_descent, sign_descent


def against(g, *, u=0.5, stretch=1.0):
    """The p-norm's steepest step, 1/p = 1 - u, with the second parameter measured in other units."""
    f = np.stack([g[0], g[1] / stretch])
    a = np.abs(f) / np.maximum(np.sum(np.abs(f), axis=0), 1e-300)
    size = np.sum(a ** (1 / u), axis=0) ** u
    d = -np.sign(f) * (a / size) ** (1 / u - 1)
    return np.stack([d[0], d[1] / stretch])


def steepest_descent(t, phi, grad, *, alpha, power=1.0, u=0.5, stretch=1.0):
    g = grad(phi)
    d = against(g, u=u, stretch=stretch)
    return phi + alpha * (-np.sum(g * d, axis=0)) ** power * d


def ruler(**changes):
    settings = {
        "start": (-3.2, 1.8),
        "steps": 30,
        "pull": (0.9, 0.5),
        "norm": "u",
        "u": slider(0.02, 1, 0.5, step=0.01, label="norm p"),
        "stretch": slider(0.2, 5, 1, log=True),
        "alpha": slider(0.005, 2, 0.05, log=True),
        "power": choice({"times the dual norm": 1, "fixed": 0}),
        "angle": slider(0, 1.5, 0.5),
        "kappa": 20,
    }
    return Ruler(against, steepest_descent, rotated_valley, **{**settings, **changes})


def test_the_step_and_the_ball_of_known_norms():
    figure = ruler()
    np.testing.assert_allclose(figure.step(), -np.array([0.9, 0.5]) / np.hypot(0.9, 0.5))
    np.testing.assert_allclose(np.hypot(*figure.ball()), 1)
    figure.u = 1.0
    np.testing.assert_allclose(figure.step(), [-1, -1])
    np.testing.assert_allclose(np.abs(figure.ball()), 1)
    figure.u = 0.02
    np.testing.assert_allclose(figure.step(), [-1, 0], atol=1e-12)
    figure.u, figure.stretch = 0.5, 2.0
    x, y = figure.ball()
    np.testing.assert_allclose(x**2 + (2 * y) ** 2, 1)


@pytest.mark.parametrize("u", [0.02, 0.3, 0.5, 0.8, 1.0])
def test_no_point_of_the_ball_falls_faster(u):
    figure = ruler(u=slider(0.02, 1, u))
    for g in np.random.default_rng(0).normal(size=(20, 2)):
        assert (g @ figure.ball()).min() >= g @ figure.step(g) - 1e-9


def test_the_path_is_that_of_the_rule():
    figure = ruler()
    loss = rotated_valley.at(kappa=20, angle=0.5)
    expected = fit(gradient_descent, loss, (-3.2, 1.8), 30, alpha=0.05)
    np.testing.assert_allclose(figure.run().path, expected.path, atol=1e-12)
    figure.u, figure.power = 1.0, 0
    expected = fit(sign_descent, loss, (-3.2, 1.8), 30, alpha=0.05)
    np.testing.assert_allclose(figure.run().path, expected.path, atol=1e-12)


def test_state_and_html():
    figure = ruler()
    assert figure.state() == {
        "pull": [0.9, 0.5], "u": 0.5, "stretch": 1, "alpha": 0.05, "power": 1, "angle": 0.5,
    }  # fmt: skip
    assert figure.html() == ruler().html()
    spec = json.loads(figure.html().split('<script type="application/json">')[1].split("</script>")[0])
    assert spec["hyper"] == ["alpha", "power", "u", "stretch"] and spec["ball"] == ["u", "stretch"]
    assert spec["parameters"] == [20, "angle"]
    with pytest.raises(Exception, match="pull is a pair of finite numbers from -1.6 to 1.6"):
        figure.pull = [2.0, 0.0]


def sideways(g, h):
    return g + h


REFUSED = {
    "steps": ({"steps": 0}, "steps is a whole number from 1 to 2000; got 0"),
    "start": ({"start": (1, "x")}, "start is a pair of finite numbers; got (1, 'x')"),
    "pull": ({"pull": (3, 0)}, "pull is a pair of finite numbers from -1.6 to 1.6; got (3, 0)"),
    "norm": ({"norm": "kappa"}, "norm names a slider; got 'kappa'"),
    "unknown": ({"gamma": 1}, "no direction, rule or loss takes gamma"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_drawn_is_refused_with_one_sentence(case):
    changes, text = REFUSED[case]
    with pytest.raises(ValueError) as caught:
        ruler(**changes)
    assert text in str(caught.value) and "\n" not in str(caught.value)


def test_other_losses_and_directions_are_refused():
    for loss in (
        line,
        Loss(lambda phi: phi[0] ** 2),
        Loss(lambda phi: phi[0] ** 2, n=1, box=((0, 1), (0, 1))),
    ):
        with pytest.raises(ValueError, match="loss is a Loss over two parameters"):
            Ruler(against, steepest_descent, loss, start=(1, 1), steps=3, alpha=1)
    with pytest.raises(ValueError, match="sideways takes a gradient g and returns two numbers"):
        Ruler(sideways, steepest_descent, rotated_valley, start=(1, 1), steps=3, alpha=1)
