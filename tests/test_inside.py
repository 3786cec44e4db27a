"""`Inside`: the named values of a rule, its sequences of gradients, a loss of one parameter, the refusals."""

import json

import numpy as np
import pytest
import traitlets

from fitlib import optimizers, plots
from fitlib.figures import Inside, slider
from fitlib.figures.inside import SEQUENCES
from fitlib.fitting import fit
from fitlib.losses import Loss
from fitlib.symbolic import TraceError


def uncorrected(t, phi, grad, m=0.0, v=0.0, *, alpha, beta=0.9, gamma=0.999, eps=1e-8):
    g = grad(phi)
    m = beta * m + (1 - beta) * g
    v = gamma * v + (1 - gamma) * g**2
    return phi - alpha * m / (np.sqrt(v) + eps), m, v


def inside(**changes):
    rules = {"Adam": optimizers.adam, "without correction": uncorrected}
    return Inside(**{"rules": rules, "beta": slider(0, 0.99, 0.9), "gamma": 0.999, **changes})


def test_every_name_of_a_rules_body_is_seen():
    figure = Inside([optimizers.adam, optimizers.amsgrad, optimizers.adadelta, optimizers.momentum])
    names = [rule["names"] for rule in figure._spec["rules"]]
    assert names == [
        ["m", "v", "m_hat", "v_hat"],
        ["m", "v", "v_max", "m_hat", "v_hat"],
        ["v", "u", "d"],
        ["m"],
    ]
    plots_of = [plot["names"] for plot in figure._spec["plots"]]
    assert plots_of == [["m", "m_hat"], ["v", "v_hat", "v_max"], ["u"], ["d"]]
    assert figure._spec["labels"]["m_hat"] == "m̂"


def test_adam_on_a_constant_gradient():
    adam, without = inside(steps=30, begin="constant").values().values()
    np.testing.assert_allclose(adam["step"], 1, rtol=1e-6)
    np.testing.assert_allclose([adam["m_hat"], adam["v_hat"]], 1)
    assert without["step"][0] == pytest.approx(3.16, abs=0.01)
    assert without["step"].argmax() + 1 == 12 and without["step"].max() == pytest.approx(6.57, abs=0.01)


@pytest.mark.parametrize("name", ["adagrad", "rmsprop", "adadelta", "amsgrad", "nesterov"])
def test_the_values_are_those_of_the_rule_itself(name):
    rule = getattr(optimizers, name)
    figure = Inside(rule, begin="noisy", steps=40, alpha=0.5)
    path, state = [np.zeros(1)], []
    for t, g in enumerate(figure.sequence(), 1):
        point, *state = rule(t, path[-1], lambda phi, g=g: g + 0 * phi, *state, alpha=0.5)
        path.append(point)
    (found,) = figure.values().values()
    np.testing.assert_allclose(found["phi"], np.concatenate(path), rtol=1e-12)
    np.testing.assert_allclose(found["step"], -np.diff(np.concatenate(path)) / 0.5, rtol=1e-9, atol=1e-15)


def test_a_sequence_may_depend_on_hyperparameters_and_lists_repeat():
    gradients = {"growing": lambda t, *, beta, gamma: (beta / gamma) ** (30 - t), "short": [1, -1, 0.5]}
    figure = inside(gradients=gradients, steps=30)
    np.testing.assert_allclose(figure.sequence()[-2:], [0.9 / 0.999, 1])
    figure.beta = 0.5
    np.testing.assert_allclose(figure.sequence()[-2:], [0.5 / 0.999, 1])
    figure.gradients = 1
    np.testing.assert_allclose(figure.sequence()[:5], [1, -1, 0.5, 1, -1])
    with pytest.raises(traitlets.TraitError):
        figure.gradients = 2


def test_the_longest_step_of_adam():
    """The gradients that grow by beta/gamma lead to 7.27 times alpha (computed as the supremum)."""
    growing = {"growing": lambda t, *, beta, gamma: np.where(t > 300, (beta / gamma) ** (500 - t), 0.0)}
    step = Inside(optimizers.adam, gradients=growing, steps=500, beta=0.9, gamma=0.999, eps=1e-300).values()[
        "Adam"
    ]["step"]
    t = 500
    correction = np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    longest = (1 - 0.9) / np.sqrt((1 - 0.999) * (1 - 0.9**2 / 0.999)) * correction
    assert step[-1] == pytest.approx(longest, rel=1e-6)
    assert longest / correction == pytest.approx(7.27, abs=0.005)


def test_options_of_a_rule_are_fixed():
    def switched(t, phi, grad, m=0.0, *, alpha, beta=0.9, corrected=True):
        m = beta * m + (1 - beta) * grad(phi)
        ahead = m / (1 - beta**t) if corrected else m
        return phi - alpha * ahead, m

    figure = Inside(
        {"with": (switched, {"corrected": True}), "without": (switched, {"corrected": False})},
        begin="constant",
    )
    first = [values["step"][0] for values in figure.values().values()]
    np.testing.assert_allclose(first, [1, 0.1])
    figure.hidden = ["with"]
    assert list(figure.values()) == ["without"]


def test_a_loss_of_one_parameter():
    rules = [optimizers.gradient_descent, optimizers.momentum]
    settings = {"x": (-4, 4), "start": -3, "alpha": 0.5, "kappa": slider(1, 4, 2), "steps": 10}
    figure = Inside(rules, loss=lambda x, *, kappa: kappa * x**2 / 2, **settings)
    quadratic = Loss(lambda phi, *, kappa: kappa * phi[0] ** 2 / 2, n=1).at(kappa=2)
    for name, label in {"gradient_descent": "gradient descent", "momentum": "momentum"}.items():
        expected = fit(getattr(optimizers, name), quadratic, (-3.0,), 10, alpha=0.5).path[:, 0]
        np.testing.assert_allclose(figure.values()[label]["phi"], expected, rtol=1e-12, atol=1e-15)
    figure.start = 1.0
    assert figure.values()["momentum"]["phi"][0] == 1 and figure.values()["momentum"]["gradient"][0] == 2


def test_heavy_ball_is_caught_in_a_three_cycle():
    def bent(x):
        return np.where(
            x < 1, 12.5 * x**2, np.where(x < 2, x**2 / 2 + 24 * x - 12, 12.5 * x**2 - 24 * x + 36)
        )

    figure = Inside(optimizers.momentum, loss=bent, x=(-3, 4), start=3.3, alpha=0.2, beta=4 / 9, steps=60)
    last = figure.values()["momentum"]["phi"][-3:]
    np.testing.assert_allclose(sorted(last), [-1.8024, 0.6465, 2.1159], atol=1e-3)


def test_colors_and_labels_are_those_of_the_book():
    rules = inside()._spec["rules"]
    assert rules[0]["color"] == plots.COLORS["adam"] and rules[1]["color"] != plots.COLORS["adam"]
    assert json.dumps(inside()._spec, allow_nan=False)


def test_the_picture_shows_the_values():
    figure = inside()
    before = figure.picture()
    figure.gradients = 2
    assert figure.picture() != before
    descending = Inside(optimizers.momentum, loss=lambda x: x**2, x=(-1, 1), start=-1, alpha=0.1)
    assert descending.picture().startswith(b"\x89PNG")


def test_the_noisy_sequence_is_stored_with_two_decimals():
    assert all(round(g, 2) == g for g in SEQUENCES["noisy"])


REFUSED = {
    "steps": (dict(steps=1), "steps is a whole number from 2 to 500"),
    "step": (dict(step=31), "lo <= value <= hi"),
    "begin": (dict(begin="loud"), "begin is one of constant, alternating"),
    "gradients": (dict(gradients=[1, 2]), "gradients is a dict"),
    "no gradients": (dict(gradients={}), "gradients is a dict"),
    "empty": (dict(gradients={"a": []}), "finite numbers"),
    "nan": (dict(gradients={"a": [1, np.nan]}), "finite numbers"),
    "two values": (dict(gradients={"a": lambda t: (t, t)}), "one number"),
    "unknown": (dict(decay=1), "no rule, loss or sequence of gradients takes decay"),
    "no rule": (dict(rules=[]), "at least one"),
    "same label": (dict(rules=[optimizers.adam, optimizers.adam]), "labels that differ"),
    "not a rule": (dict(rules=3), "a rule is a function"),
    "loss without x": (dict(loss=lambda x: x**2), "give a loss with x"),
    "x without loss": (dict(x=(0, 1)), "give a loss with x"),
    "loss and gradients": (dict(loss=lambda x: x**2, x=(0, 1), begin="noisy"), "give a loss with x"),
    "x": (dict(loss=lambda x: x**2, x=(1, 0)), "x is .lo, hi."),
    "taken": (
        dict(step=1, gradients={"a": lambda t, *, hidden: t * hidden}, hidden=1),
        "rename the parameter",
    ),
}


@pytest.mark.parametrize("changes, message", REFUSED.values(), ids=REFUSED)
def test_bad_input_is_refused_with_one_sentence(changes, message):
    with pytest.raises(ValueError, match=message):
        inside(**changes)


def test_what_is_no_rule_is_refused_as_rule_says():
    with pytest.raises(TraceError, match="must begin with"):
        Inside(lambda x: x)
