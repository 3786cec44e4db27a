"""The rules: many runs are one at a time, closed forms, and what each rule becomes in a limit of another."""

import inspect

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from fitlib import losses, optimizers
from fitlib.optimizers import (
    adadelta,
    adagrad,
    adam,
    adamw,
    amsgrad,
    amsgrad_corrected,
    clip,
    clipped_gradient_descent,
    gradient_descent,
    lion,
    momentum,
    nesterov,
    rmsprop,
    sign_descent,
)

HYPER = {
    gradient_descent: {"alpha": 0.002},
    momentum: {"alpha": 0.002, "beta": 0.8},
    nesterov: {"alpha": 0.002, "beta": 0.8},
    adagrad: {"alpha": 0.05, "eps": 1e-6},
    rmsprop: {"alpha": 0.01, "gamma": 0.9, "eps": 1e-3},
    adadelta: {"alpha": 1.0, "gamma": 0.9, "eps": 1e-3},
    adam: {"alpha": 0.02, "beta": 0.8, "gamma": 0.98, "eps": 1e-6},
    adamw: {"alpha": 0.02, "beta": 0.8, "gamma": 0.98, "eps": 1e-6, "decay": 0.1},
    amsgrad: {"alpha": 0.02, "beta": 0.8, "gamma": 0.98, "eps": 1e-6},
    amsgrad_corrected: {"alpha": 0.02, "beta": 0.8, "gamma": 0.98, "eps": 1e-6},
    sign_descent: {"alpha": 0.02},
    lion: {"alpha": 0.02, "beta": 0.8, "gamma": 0.95, "decay": 0.1},
    clipped_gradient_descent: {"alpha": 0.002, "limit": 3.0},
}
PROBLEMS = [losses.quadratic, losses.rotated_valley, losses.saddle, losses.rosenbrock, losses.dupont]
CURVATURES = np.array([1.0, 3.0, 10.0])

each_rule = pytest.mark.parametrize("rule", HYPER, ids=lambda rule: rule.__name__)
each_problem = pytest.mark.parametrize("loss", PROBLEMS, ids=lambda loss: loss.name)


def fold(rule, grad, phi, steps, **hyper):
    """The path `(steps + 1, *phi.shape)`; `grad(phi)` or, for a given sequence, `grad[t - 1]`."""
    state, path = [], [np.asarray(phi, float)]
    for t in range(1, steps + 1):
        at_t = {name: value(t) if callable(value) else value for name, value in hyper.items()}
        result = rule(t, path[-1], grad if callable(grad) else lambda _, g=grad[t - 1]: g, *state, **at_t)
        phi, *state = result if isinstance(result, tuple) else (result,)
        path.append(phi)
    return np.array(path)


def bowl(phi):
    """The gradient of a quadratic of three parameters."""
    return (CURVATURES * phi.T).T


def some(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_the_table_holds_every_rule():
    functions = inspect.getmembers(optimizers, inspect.isfunction)
    assert {f for _, f in functions if "grad" in inspect.signature(f).parameters} == set(HYPER)


# --- shapes --------------------------------------------------------------------------------------------


@each_problem
@each_rule
def test_many_runs_are_one_at_a_time(rule, loss):
    """Rates and limits `(4,)`, the other hyperparameters `(3, 1)`: twelve runs."""
    starts = some(2, 3, 4)
    hyper = {
        name: value
        * (np.linspace(0.2, 1, 4) if name in ("alpha", "limit") else np.array([[0.9], [0.95], [1]]))
        for name, value in HYPER[rule].items()
    }
    together = fold(rule, loss.gradient, starts, 20, **hyper)
    for i, j in np.ndindex(3, 4):
        own = {name: np.broadcast_to(value, (3, 4))[i, j] for name, value in hyper.items()}
        alone = fold(rule, loss.gradient, starts[:, i, j], 20, **own)
        assert_allclose(together[..., i, j], alone, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("shape", [(1,), (3,), (3, 1), (3, 5), (3, 2, 4), (3, 0)])
@each_rule
def test_phi_and_states_keep_the_shape_of_phi(rule, shape):
    phi = some(*shape)
    for _ in range(2):
        result = rule(1, phi, lambda phi: 2 * phi, **HYPER[rule])
        for array in result if isinstance(result, tuple) else (result,):
            assert array.shape == shape and array.dtype == float


@each_rule
def test_nothing_is_modified(rule):
    """Read-only arrays: a rule that worked in place would raise."""
    hyper = {name: np.full((4,), value) for name, value in HYPER[rule].items()}
    phi, state = some(3, 4), []
    for t in range(1, 4):
        for array in (phi, *state, *hyper.values()):
            array.flags.writeable = False
        before = [array.copy() for array in (phi, *state)]
        given = [phi, *state]
        result = rule(t, phi, bowl, *state, **hyper)
        for old, same in zip(before, given, strict=True):
            assert_array_equal(old, same)
        phi, *state = result if isinstance(result, tuple) else (result,)


@each_rule
def test_at_rest_where_the_gradient_is_zero(rule):
    """With the rule's own defaults: no division by zero, no step (but what AdamW shrinks)."""
    path = fold(rule, np.zeros((5, 3, 2)), some(3, 2), 5, alpha=0.1)
    shrunk = (1 - 0.1 * 0.01) ** np.arange(6) if rule is adamw else np.ones(6)
    assert_allclose(path, shrunk[:, None, None] * path[0], rtol=1e-14)


@each_rule
def test_the_order_of_the_parameters_does_not_matter(rule):
    order, phi = [2, 0, 1], some(3, 5)
    turned = fold(rule, lambda phi: bowl(phi[np.argsort(order)])[order], phi[order], 20, **HYPER[rule])
    assert_allclose(turned, fold(rule, bowl, phi, 20, **HYPER[rule])[:, order], rtol=1e-13, atol=1e-15)


# --- closed forms --------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.01, 0.1, 0.19, 0.2, 0.25])
def test_gradient_descent_on_a_quadratic_shrinks_each_direction_by_its_factor(alpha):
    """(1 - alpha lambda)^t: at 0.2 the steepest direction bounces for ever, at 0.25 it diverges."""
    phi, t = some(3), np.arange(41)
    factors = (1 - alpha * CURVATURES) ** t[:, None]
    assert_allclose(fold(gradient_descent, bowl, phi, 40, alpha=alpha), factors * phi, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("ahead", [0, 1], ids=["momentum", "nesterov"])
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.99])
def test_momentum_on_a_quadratic_is_a_power_of_its_step_matrix(ahead, beta):
    alpha, phi = 0.15, some(3)
    path = fold(nesterov if ahead else momentum, bowl, phi, 40, alpha=alpha, beta=beta)
    for i, curvature in enumerate(CURVATURES):
        m_row = np.array([(1 - beta) * curvature, beta - ahead * (1 - beta) * curvature * alpha * beta])
        step = np.array([[1, 0] - alpha * m_row, m_row])
        expected = [(np.linalg.matrix_power(step, t) @ [phi[i], 0])[0] for t in range(41)]
        assert_allclose(path[:, i], expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("g", [1e-6, -0.3, 5.0, 1e6])
def test_steps_under_a_constant_gradient(g):
    """Sums known in closed form, from t = 1."""
    t, grad, beta, gamma, eps = np.arange(1, 51), np.full((50, 1), g), 0.9, 0.99, 1e-8

    def steps(rule, **hyper):
        return -np.diff(fold(rule, grad, [0.0], 50, alpha=0.1, **hyper)[:, 0])

    assert_allclose(steps(gradient_descent), 0.1 * g * np.ones(50), rtol=1e-12)
    assert_allclose(steps(momentum, beta=beta), 0.1 * g * (1 - beta**t), rtol=1e-12)
    assert_allclose(steps(nesterov, beta=beta), 0.1 * g * (1 - beta**t), rtol=1e-12)
    assert_allclose(steps(adagrad, eps=0.0), 0.1 * np.sign(g) / np.sqrt(t), rtol=1e-12)
    assert_allclose(
        steps(rmsprop, gamma=gamma, eps=0.0), 0.1 * np.sign(g) / np.sqrt(1 - gamma**t), rtol=1e-11
    )
    for rule in (adam, amsgrad_corrected, amsgrad):
        assert_allclose(
            steps(rule, beta=beta, gamma=gamma, eps=eps), 0.1 * g / (abs(g) + eps) * t**0, rtol=1e-11
        )
    first = 0.1 * g * np.sqrt(1e-6) / np.sqrt((1 - 0.9) * g**2 + 1e-6)
    assert_allclose(steps(adadelta)[0], first, rtol=1e-11)


def test_adadelta_steps_have_the_units_of_the_parameters():
    """Measured in other units (phi times c, and eps with it), the path is the same."""
    c, phi = 2.0**10, some(3)
    path = fold(adadelta, bowl, phi, 30, eps=1e-6)
    v_eps, u_eps = 1e-6 / c**2, 1e-6 * c**2

    def other_units(t, phi, grad, v=0.0, u=0.0):
        g = grad(phi)
        v = 0.9 * v + 0.1 * g**2
        d = np.sqrt(u + u_eps) / np.sqrt(v + v_eps) * g
        return phi - d, v, 0.9 * u + 0.1 * d**2

    assert_allclose(fold(other_units, lambda phi: bowl(phi / c) / c, c * phi, 30), c * path, rtol=1e-12)


@pytest.mark.parametrize("rule", [adagrad, rmsprop, adam, amsgrad, amsgrad_corrected, sign_descent, lion])
def test_rules_that_normalize_do_not_see_the_scale_of_the_loss(rule):
    """Exactly, for a power of two and eps = 0 where there is one."""
    hyper, phi = HYPER[rule] | ({"eps": 0.0} if "eps" in HYPER[rule] else {}), some(3, 4)
    assert_array_equal(
        fold(rule, bowl, phi, 30, **hyper), fold(rule, lambda phi: 2**20 * bowl(phi), phi, 30, **hyper)
    )


# --- identities ----------------------------------------------------------------------------------------


def same(a, b, grad=None, steps=30, rtol=1e-12, start=None):
    """Both `(rule, hyper)` take the same path on every problem, or under the same given gradients."""
    if grad is not None:
        phi = np.zeros(grad.shape[1:]) if start is None else start
        return assert_allclose(
            fold(a[0], grad, phi, steps, **a[1]), fold(b[0], grad, phi, steps, **b[1]), rtol=rtol, atol=1e-14
        )
    for loss in PROBLEMS:
        phi = some(2, 6, seed=1)
        one, other = (fold(rule, loss.gradient, phi, steps, **hyper) for rule, hyper in (a, b))
        assert_allclose(one, other, rtol=rtol, atol=rtol)


def test_without_memory_momentum_and_nesterov_are_gradient_descent():
    plain = (gradient_descent, {"alpha": 0.002})
    same((momentum, {"alpha": 0.002, "beta": 0.0}), plain)
    same((nesterov, {"alpha": 0.002, "beta": 0.0}), plain)


def test_a_limit_that_no_gradient_reaches_does_not_clip():
    same((clipped_gradient_descent, {"alpha": 0.002, "limit": 1e100}), (gradient_descent, {"alpha": 0.002}))


def test_averaged_momentum_is_summed_momentum_at_a_smaller_rate():
    def summed(t, phi, grad, z=0.0, *, alpha, beta):
        z = beta * z + grad(phi)
        return phi - alpha * z, z

    same((momentum, {"alpha": 0.002, "beta": 0.9}), (summed, {"alpha": 0.002 * (1 - 0.9), "beta": 0.9}))


def test_adamw_without_decay_is_adam():
    same((adamw, HYPER[adamw] | {"decay": 0.0}), (adam, HYPER[adam]), rtol=1e-14)


def test_adamw_shrinks_apart_from_adam():
    """Under given gradients the decay acts on phi alone: the difference of two paths shrinks by 1 - alpha decay."""
    grad, hyper = some(30, 3), HYPER[adamw]
    gap = fold(adamw, grad, np.ones(3), 30, **hyper) - fold(adamw, grad, np.zeros(3), 30, **hyper)
    expected = (1 - hyper["alpha"] * hyper["decay"]) ** np.arange(31)
    assert_allclose(gap, np.tile(expected[:, None], 3), rtol=1e-11)


def test_lion_without_memory_is_sign_descent():
    same((lion, {"alpha": 0.02, "beta": 0.0, "decay": 0.0}), (sign_descent, {"alpha": 0.02}))


def test_lion_with_one_memory_is_the_sign_of_momentum():
    """And its steps are those of a momentum whose step has lost its size."""

    def sign_of_momentum(t, phi, grad, m=0.0, *, alpha, beta):
        m = beta * m + (1 - beta) * grad(phi)
        return phi - alpha * np.sign(m), m

    same(
        (lion, {"alpha": 0.02, "beta": 0.9, "gamma": 0.9}), (sign_of_momentum, {"alpha": 0.02, "beta": 0.9})
    )


def test_adam_without_memory_is_sign_descent():
    """beta = gamma = 0: m over the root of v is g over |g|."""
    same(
        (adam, {"alpha": 0.02, "beta": 0.0, "gamma": 0.0, "eps": 0.0}),
        (sign_descent, {"alpha": 0.02}),
        rtol=1e-11,
    )


def test_l2_inside_adam_is_another_rule():
    """It is rescaled away: AdamW shrinks where Adam with decay in the gradient hardly does."""
    g, decay = 10.0, 0.1
    inside = fold(adam, lambda phi: g + decay * phi, [5.0], 30, alpha=0.02)
    outside = fold(adamw, lambda phi: g + 0 * phi, [5.0], 30, alpha=0.02, decay=decay)
    plain = fold(adam, lambda phi: g + 0 * phi, [5.0], 30, alpha=0.02)
    assert abs(inside - plain).max() < 0.01 * abs(outside - plain).max()


def test_rmsprop_is_adam_without_momentum_and_correction():
    """The correction as a rate and an eps that vary with t."""
    alpha, gamma, eps = 0.01, 0.98, 1e-3

    def root(t):
        return np.sqrt(1 - gamma**t)

    same(
        (rmsprop, {"alpha": lambda t: alpha * root(t), "gamma": gamma, "eps": lambda t: eps * root(t)}),
        (adam, {"alpha": alpha, "beta": 0.0, "gamma": gamma, "eps": eps}),
        rtol=1e-10,
    )


def test_adam_with_a_huge_eps_is_momentum_corrected():
    """A rate in proportion to eps (Choi et al. 2019); with beta = 0 it is gradient descent."""
    eps, a, beta = 1e14, 0.002, 0.9
    same(
        (adam, {"alpha": a * eps, "beta": beta, "gamma": 0.99, "eps": eps}),
        (momentum, {"alpha": lambda t: a / (1 - beta**t), "beta": beta}),
        rtol=1e-9,
    )
    same(
        (adam, {"alpha": a * eps, "beta": 0.0, "gamma": 0.99, "eps": eps}),
        (gradient_descent, {"alpha": a}),
        rtol=1e-9,
    )


def test_adam_that_forgets_nothing_is_adagrad_with_a_growing_rate():
    """beta = 0 and gamma near 1: the corrected v is the mean of the squares, so the rate is alpha √t. Not SGD."""
    same(
        (adam, {"alpha": 0.01, "beta": 0.0, "gamma": 1 - 1e-7, "eps": 0.0}),
        (adagrad, {"alpha": lambda t: 0.01 * np.sqrt(t), "eps": 0.0}),
        grad=some(30, 4),
        rtol=1e-4,
        start=np.full(4, 5.0),
    )


def test_amsgrad_is_adam_while_v_does_not_fall():
    hyper = HYPER[adam]
    growing = np.cumsum(abs(some(30, 4)), axis=0) * np.sign(some(30, 4, seed=2))
    same((amsgrad, hyper), (adam, hyper), grad=growing)
    same((amsgrad_corrected, hyper), (adam, hyper), grad=growing)
    falling = growing[::-1]
    for rule in (amsgrad, amsgrad_corrected):
        gap = fold(rule, falling, np.zeros(4), 30, **hyper) - fold(adam, falling, np.zeros(4), 30, **hyper)
        assert (abs(gap[-1]) > 1e-5).all()


@pytest.mark.parametrize("rule", [amsgrad, amsgrad_corrected])
def test_amsgrad_never_forgets_its_largest_v(rule):
    phi, m, v, v_max, largest = np.zeros(4), 0.0, 0.0, 0.0, 0.0
    for t in range(1, 60):
        g = some(4, seed=t) * 0.9**t
        phi, m, v, v_max = rule(t, phi, lambda _, g=g: g, m, v, v_max, **HYPER[rule])
        largest = np.maximum(largest, v if rule is amsgrad else v / (1 - HYPER[rule]["gamma"] ** t))
        assert_allclose(v_max, largest, rtol=1e-15)


# --- bounds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1e-3, 1.0, np.array([0.5, 2.0, 10.0, 1e3])])
def test_clip_shortens_to_the_limit_and_keeps_the_direction(limit):
    g = some(5, 4) * [1e-9, 0.1, 10, 1e6]
    short, length = clip(g, limit), np.linalg.norm(g, axis=0)
    assert_allclose(np.linalg.norm(short, axis=0), np.minimum(length, limit), rtol=1e-14)
    assert_allclose(short * length, g * np.linalg.norm(short, axis=0), rtol=1e-13)
    assert_array_equal(clip(np.zeros((5, 4)), limit), np.zeros((5, 4)))


def test_a_clipped_step_is_never_longer_than_alpha_times_limit():
    path = fold(
        clipped_gradient_descent, losses.rosenbrock.gradient, 3 * some(2, 50), 40, alpha=0.1, limit=0.5
    )
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).max() <= 0.05 * (1 + 1e-13)


@pytest.mark.parametrize(("beta", "gamma"), [(0.9, 0.999), (0.5, 0.9), (0.0, 0.99), (0.8, 0.7)])
def test_how_long_a_step_of_adam_can_be(beta, gamma):
    """(1 - beta) / √((1 - gamma)(1 - beta²/gamma)) times alpha, reached by gradients (beta/gamma)^age."""
    longest = (1 - beta) / np.sqrt((1 - gamma) * (1 - beta**2 / gamma))
    hyper = {"alpha": 1.0, "beta": beta, "gamma": gamma, "eps": 0.0}
    drawn = some(300, 100) * 10 ** some(300, 100, seed=1)
    steps = np.diff(fold(adam, drawn, np.zeros(100), 300, **hyper), axis=0)
    assert abs(steps).max() <= longest
    zeros = 20_000
    grad = np.concatenate([np.full(zeros, 1e-150), (beta / gamma) ** np.arange(400.0)[::-1]])[:, None]
    last = np.diff(fold(adam, grad, [0.0], len(grad), **hyper)[-2:, 0])
    assert_allclose(abs(last), longest, rtol=1e-5)
