"""The tracer: numbers equal NumPy's, what cannot be traced is refused with one sentence, text is deterministic."""

import math
import subprocess
import sys

import numpy as np
import pytest

from fitlib import optimizers
from fitlib.symbolic import Function, Rule, TraceError, schedule

RULES = [
    f
    for f in vars(optimizers).values()
    if callable(f) and getattr(f, "__module__", "") == optimizers.__name__
]
RULES = [f for f in RULES if f.__code__.co_varnames[:3] == ("t", "phi", "grad")]


def test_the_table_of_rules_is_not_empty():
    assert {"gradient_descent", "momentum", "nesterov", "adam"} <= {rule.__name__ for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda f: f.__name__)
def test_every_rule_traces_and_remembers_what_its_signature_says(rule):
    traced = Rule(rule)
    code = rule.__code__
    assert traced.states == list(code.co_varnames[3 : code.co_argcount])
    assert traced.evaluations == 1
    assert len(traced.initial) == 2 * (1 + len(traced.states))
    assert traced.javascript().count("$grad($g)") == 1


def test_two_gradients_a_step_are_counted():
    def heun(t, phi, grad, *, alpha):
        first = grad(phi)
        return phi - alpha / 2 * (first + grad(phi - alpha * first))

    assert Rule(heun).evaluations == 2


def test_a_state_may_be_one_number_per_run_or_start_at_phi():
    def novograd(t, phi, grad, v=0.0, *, alpha):
        g = grad(phi)
        v = 0.9 * v + 0.1 * np.sum(g**2, axis=0)
        return phi - alpha * g / np.sqrt(v), v

    def averaged(t, phi, grad, mean="phi", *, alpha):
        phi = phi - alpha * grad(phi)
        return phi, 0.9 * mean + 0.1 * phi

    assert Rule(novograd).initial == ["0", "1", 0.0]
    assert Rule(averaged).initial == ["0", "1", "0", "1"]


def test_options_are_fixed_while_tracing():
    def rule(t, phi, grad, *, alpha, sign=True, k=2):
        for _ in range(k):
            phi = phi - alpha * grad(phi) if sign else phi
        return phi

    assert list(Rule(rule, k=3).hyper) == ["alpha"]
    assert Rule(rule, k=3).evaluations == 3
    assert Rule(rule, k=3, sign=False).evaluations == 0


def values(x, *, a=0.1):
    """Every printer's corner: floats in full, roots, powers, choices, remainders, limits."""
    third = 1 / 3
    return (
        third * x + 0.1 * 3,
        x**2.0 + x**3 + (x + 1) ** 4 + x**-1 + (x + 2) ** -0.5,
        np.sqrt(x) + np.exp(-x) * np.log(x + 1) + np.tanh(x) - np.arctan(x),
        np.where(x <= a, x, np.where(x > 2, a, -x)),
        np.maximum(x, a) + np.minimum(x, np.minimum(2.0, a)) + np.clip(x, 0.2, 0.7),
        np.mod(x, 0.25) + np.floor(x) + np.ceil(x) + np.sign(x - 1) + np.abs(x - 1),
        np.where((x > 0.1) & (x < 1) | (x > 3), 1.0, 0.0),
        np.cos(np.pi * x) + 1e-12 + 123456789.123456789 * a,
    )


def test_numpy_and_the_traced_function_agree():
    x = np.linspace(0.01, 4, 57)
    np.testing.assert_allclose(Function(values)(x, a=0.3), np.stack(values(x, a=0.3)), rtol=4e-15, atol=1e-15)


def test_floats_are_printed_in_full():
    assert repr(1 / 3) in Function(values).javascript()
    assert Function(lambda x: x / 3 + 0.1)(1.0) == 1 / 3 + 0.1


def test_sine_and_cosine_of_one_angle_are_those_of_numpy():
    """Also at the ends of a half turn, where the tangent of the half angle is largest, and far from zero."""
    turns = np.pi / 4 * np.arange(-40, 41)
    x = np.concatenate([turns, np.nextafter(turns, np.inf), np.linspace(-50, 50, 9999), [0.0, 1e-300, 1e9]])

    def wave(x, *, a=1.5):
        return [np.sin(a * x), np.cos(a * x), np.sin(x), np.cos(x)]

    expected = [np.sin(1.5 * x), np.cos(1.5 * x), np.sin(x), np.cos(x)]
    np.testing.assert_allclose(Function(wave)(x), expected, rtol=0, atol=5e-16)
    with np.errstate(invalid="ignore"):
        assert np.isnan(Function(wave)(np.inf)).all()


def test_derivatives_of_choices_have_no_delta():
    def hinge(phi):
        return np.maximum(phi[0], 0) * np.abs(phi[1]) + np.minimum(phi[0], phi[1])

    traced = Function(hinge, phi=2)
    assert "Delta" not in str(traced.hessian("phi").exprs) + str(traced.gradient("phi").exprs)


def test_vectors_and_matrices_are_what_they_are():
    matrix = np.array([[2.0, 1.0], [0.0, 3.0]])

    def f(phi):
        return np.linalg.norm(matrix @ phi) + np.sum(phi**2) + np.stack([phi[1], phi[0]])[0]

    phi = np.array([0.3, -1.2])
    assert Function(f, phi=2)(phi) == pytest.approx(f(phi), rel=1e-15)


def test_a_schedule_factory_is_one_function():
    def cosine(alpha, steps=100):
        return lambda t: alpha * (1 + np.cos(np.pi * t / steps)) / 2

    traced = Function(schedule(cosine))
    assert traced.parameters == {"alpha": None, "steps": 100}
    assert traced(25.0, alpha=2.0, steps=50.0) == pytest.approx(1.0)


def _rule(body):
    scope = {"np": np, "math": math}
    exec(f"def rule(t, phi, grad, m=0.0, *, alpha, beta=0.9, k=2):\n    g = grad(phi)\n    {body}\n", scope)
    return scope["rule"]


REFUSED = {
    "if beta == 0: return phi, m": "decision",
    "if t == 1: return phi, m": "decision",
    "return phi - max(alpha, beta) * g, m": "decision",
    "return phi - math.sqrt(t) * g, m": "no value",
    "return phi - float(alpha) * g, m": "no value",
    "phi -= alpha * g; return phi, m": "in place",
    "return np.multiply(phi, g, out=phi), m": "out",
    "g[0] = 0; return phi - g, m": "part",
    "return phi - g[g > 0], m": "selection",
    "return phi - np.cbrt(g), m": "cbrt",
    "return phi - np.median(g), m": "median",
    "return phi - np.add.reduce(g), m": "reduce",
    "return phi - np.asarray(g), m": "asarray",
    "return phi - g.mean(), m": "mean",
    "return phi * len(range(k)), m": "count",
    "return phi - alpha * g": "states",
    "return phi - alpha * g, m, m": "states",
    "return phi[0], m": "shape",
    "return phi - grad(g[0]), m": "shape",
    "return phi, np.stack([g] * 2) if np.ndim(m) < 2 else np.stack([m] * 2)": "shape",
}


@pytest.mark.parametrize("body, word", REFUSED.items(), ids=REFUSED)
def test_what_cannot_be_traced_is_refused_with_one_sentence(body, word):
    with pytest.raises(TraceError) as caught:
        Rule(_rule(body))
    assert word in str(caught.value) and "\n" not in str(caught.value)


def test_wrong_calls_are_refused():
    with pytest.raises(TraceError, match="no argument psi"):
        Function(lambda phi: phi, psi=2)
    with pytest.raises(TraceError, match="no hyperparameter rho"):
        Rule(optimizers.momentum, rho=0.9)
    with pytest.raises(TraceError, match="must begin with"):
        Rule(lambda phi, grad: phi)
    with pytest.raises(TraceError, match="share a name"):
        Function(lambda phi, *, phi_0: phi[0] * phi_0, phi=2)


def test_a_reserved_word_is_a_good_name():
    traced = Function(eval("lambda x, *, new=2.0, exp=1.0: np.exp(x * new) + exp", {"np": np}))
    assert "new$" in traced.javascript()
    assert traced(1.0) == pytest.approx(np.exp(2) + 1)


def test_text_is_the_same_in_every_process():
    code = (
        "from fitlib import gabor, losses, optimizers; from fitlib.symbolic import Rule; "
        "print([f(k) for f in (gabor.loss.javascript, losses.dupont.javascript) for k in ('gradient', 'hessian')], "
        "Rule(optimizers.amsgrad).javascript())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        )
        for seed in ("0", "1")
    ]
    assert runs[0].stdout == runs[1].stdout and len(runs[0].stdout) > 1000
