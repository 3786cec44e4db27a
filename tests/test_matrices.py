"""Rules for matrices: closed forms, the papers' formulas, many runs at once, and PyTorch's and Optax's Muon."""

import inspect
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import fractional_matrix_power, polar

from fitlib import matrices
from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.losses import quadratic, rotated_valley
from fitlib.matrices import back, by_layer, front, full_adagrad, muon, orthogonal, quintic, shampoo, soap
from fitlib.networks import Network
from fitlib.optimizers import adagrad, adam, momentum
from tests.test_optimizers import fold

STORED = np.load(Path(__file__).parent / "reference" / "matrices.npz")
NETWORK = np.load(Path(__file__).parent / "reference" / "network.npz")
SHAPES = ["4x6", "6x4", "5x5"]
RULES = {
    shampoo: {"beta": 0.5, "gamma": 0.9, "eps": 1e-3},
    soap: {"beta": 0.8, "gamma": 0.9, "eps": 1e-6, "every": 2},
    muon: {"beta": 0.8, "decay": 0.1},
}

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
each_shape = pytest.mark.parametrize("shape", SHAPES)


def gradients(rows, columns, *runs, steps=6):
    return list(np.random.default_rng(rows).normal(size=(steps, rows, columns, *runs)))


# --- many runs -------------------------------------------------------------------------------------


@each_rule
def test_many_runs_are_one_at_a_time(rule):
    alpha = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    given = gradients(4, 3, 2, 3)
    together = fold(rule, given, np.ones((4, 3, 2, 3)), 6, alpha=alpha, **RULES[rule])
    for i, j in np.ndindex(2, 3):
        alone = fold(rule, [g[:, :, i, j] for g in given], np.ones((4, 3)), 6, alpha=alpha[i, j], **RULES[rule])
        assert_allclose(together[..., i, j], alone, rtol=1e-10, atol=1e-13)


@each_rule
def test_a_run_that_diverges_leaves_the_others_alone(rule):
    given = gradients(4, 3, 2)
    broken = [g.copy() for g in given]
    broken[2][..., 1] = np.inf
    with np.errstate(invalid="ignore"):
        path = fold(rule, broken, np.ones((4, 3, 2)), 6, alpha=0.1, **RULES[rule])
    assert not np.isfinite(path[-1][..., 1]).any()
    healthy = fold(rule, given, np.ones((4, 3, 2)), 6, alpha=0.1, **RULES[rule])
    assert_array_equal(path[..., 0], healthy[..., 0])


def test_full_adagrad_takes_many_runs():
    starts = np.random.default_rng(0).normal(size=(2, 5))
    run = fit(full_adagrad, rotated_valley, starts, 8, alpha=0.5)
    alone = fit(full_adagrad, rotated_valley, starts[:, 3], 8, alpha=0.5)
    assert_allclose(run.path[..., 3], alone.path, rtol=1e-9, atol=1e-12)


# --- closed forms ----------------------------------------------------------------------------------


def test_the_first_step_of_full_adagrad_has_length_alpha():
    g = np.array([3.0, -4.0, 12.0])
    assert_allclose(full_adagrad(1, np.zeros(3), lambda _: g, alpha=2.0)[0], -2 * g / 13, rtol=1e-6)


@pytest.mark.parametrize("rule", [shampoo, soap], ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 5)])
def test_the_first_step_of_shampoo_and_soap_is_the_orthogonal_matrix(rule, shape):
    g = np.random.default_rng(1).normal(size=shape)
    phi = rule(1, np.zeros(shape), lambda _: g, alpha=1.0, eps=1e-8)[0]
    assert_allclose(phi, -polar(g)[0], atol=1e-6)


def test_full_adagrad_does_not_see_the_axes_and_is_adagrad_where_they_fit():
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    given = [g[:, 0] for g in gradients(3, 1, steps=5)]
    path = fold(full_adagrad, given, np.zeros(3), 5, alpha=0.3)
    turned = fold(full_adagrad, [turn @ g for g in given], np.zeros(3), 5, alpha=0.3)
    assert_allclose(turned, path @ turn.T, atol=1e-6)
    single = [np.eye(3)[t % 3] * (t + 1) for t in range(5)]
    assert_allclose(fold(full_adagrad, single, np.zeros(3), 5, alpha=0.3),
                    fold(adagrad, single, np.zeros(3), 5, alpha=0.3), atol=1e-8)  # fmt: skip
    apart = fold(adagrad, given, np.zeros(3), 5, alpha=0.3)
    assert np.abs(fold(adagrad, [turn @ g for g in given], np.zeros(3), 5, alpha=0.3) - apart @ turn.T).max() > 0.1


def test_shampoo_is_the_papers_algorithm():
    given, w, left, right = gradients(4, 3), np.ones((4, 3)), 1e-2 * np.eye(4), 1e-2 * np.eye(3)
    path = fold(shampoo, given, w, 6, alpha=0.3, eps=1e-2)
    for g, expected in zip(given, path[1:]):
        left, right = left + g @ g.T, right + g.T @ g
        w = w - 0.3 * fractional_matrix_power(left, -1 / 4) @ g @ fractional_matrix_power(right, -1 / 4)
        assert_allclose(expected, w, rtol=1e-9)


def test_soap_is_the_papers_algorithm():
    """Its axes renewed before the step, so that the first step has some (see the chapter)."""
    given, w, m, v, left, right = gradients(4, 3), np.ones((4, 3)), 0, 0, 0, 0
    path = fold(soap, given, w, 6, alpha=0.3, beta=0.8, gamma=0.9, eps=1e-6, every=2)
    for t, g in enumerate(given, 1):
        left, right = 0.9 * left + 0.1 * g @ g.T, 0.9 * right + 0.1 * g.T @ g
        if t == 1:
            q_left, q_right = (np.linalg.eigh(s)[1][:, ::-1] for s in (left, right))
        elif t % 2:
            q_left, q_right = (np.linalg.qr(s @ q)[0] for s, q in ((left, q_left), (right, q_right)))
        m = 0.8 * m + 0.2 * g
        v = 0.9 * v + 0.1 * (q_left.T @ g @ q_right) ** 2
        n = (q_left.T @ m @ q_right) / (1 - 0.8**t) / (np.sqrt(v / (1 - 0.9**t)) + 1e-6)
        w = w - 0.3 * q_left @ n @ q_right.T
        assert_allclose(path[t], w, rtol=1e-7, atol=1e-9)


def test_soap_is_adam_where_the_axes_fit():
    given = [np.diag([8.0, 4.0, 2.0, 1.0]) * np.random.default_rng(t).uniform(0.8, 1.2) for t in range(6)]
    hyper = {"alpha": 0.1, "beta": 0.8, "gamma": 0.9, "eps": 1e-8}
    start = np.ones((4, 4))
    assert_allclose(fold(soap, given, start, 6, **hyper), fold(adam, given, start, 6, **hyper), atol=1e-7)


def test_soap_needs_the_longest_axes_first(monkeypatch):
    network = Network(*digits()[:2], hidden=(32, 32))
    rule = by_layer([(32, 64), (32,), (32, 32), (32,), (330,)], soap)
    settings = {"batch": 32, "alpha": 0.005, "rest_alpha": 0.005, "keep": None}
    falling = fit(rule, network, network.start([0, 1]), 42, seed=np.arange(2), **settings).losses[-1]
    axes = matrices.axes
    monkeypatch.setattr(matrices, "axes", lambda s, q: axes(s, q)[:, ::-1] if np.ndim(q) == 0 else axes(s, q))
    rising = fit(rule, network, network.start([0, 1]), 42, seed=np.arange(2), **settings).losses[-1]
    assert falling.max() < 1.5 and rising.min() > 10


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 5)])
@pytest.mark.parametrize("rounds", [0, 1, 5, 9])
def test_orthogonal_keeps_the_axes_and_sends_each_singular_value_through_the_quintic(shape, rounds):
    g = np.random.default_rng(3).normal(size=shape)
    u, s, vt = np.linalg.svd(g, full_matrices=False)
    s = s / np.linalg.norm(s)
    for _ in range(rounds):
        s = quintic(s)
    assert_allclose(orthogonal(g, rounds), u * s @ vt, atol=1e-12)


def test_other_coefficients_end_at_one():
    g = np.random.default_rng(3).normal(size=(4, 6))
    assert_allclose(orthogonal(g, 30, (15 / 8, -10 / 8, 3 / 8)), polar(g)[0], atol=1e-12)


def test_no_step_of_spectral_norm_one_falls_faster_than_the_orthogonal_one():
    rng = np.random.default_rng(4)
    g = rng.normal(size=(4, 6))
    best = (g * polar(g)[0]).sum()
    assert best == pytest.approx(np.linalg.svd(g)[1].sum())
    others = rng.normal(size=(4, 6, 200))
    others = others / np.linalg.norm(front(others), 2, axis=(-2, -1))
    assert (g[..., None] * others).sum(axis=(0, 1)).max() < best


# --- Muon in PyTorch and Optax ---------------------------------------------------------------------


def layer(shape):
    """A linear layer's gradient, of half the mean squared error over twelve points."""
    x, y = STORED[f"x.{shape}"], STORED[f"y.{shape}"]
    return lambda w: (w @ x.T - y.T) @ x / 12


def muon_plain(t, phi, grad, m=0.0, *, alpha, beta):
    """Optax with nesterov=False: the memory alone is made orthogonal."""
    m = beta * m + (1 - beta) * grad(phi)
    return phi - alpha * np.sqrt(max(1, phi.shape[0] / phi.shape[1])) * orthogonal(m), m


def muon_corrected(t, phi, grad, m=0.0, *, alpha, beta, decay):
    """Optax by default: memory and gradient are corrected before they are mixed, the memory for one step more."""
    g = grad(phi)
    m = beta * m + (1 - beta) * g
    o = orthogonal(beta * m / (1 - beta ** (t + 1)) + (1 - beta) * g / (1 - beta**t))
    return phi - alpha * decay * phi - alpha * np.sqrt(max(1, phi.shape[0] / phi.shape[1])) * o, m


def as_original(alpha, shape):
    """The rate for the scale "original" that makes the steps of `alpha` under "match_rms_adamw"."""
    return 0.2 * np.sqrt(int(shape[2])) * alpha


@each_shape
@pytest.mark.parametrize(
    ("case", "rule", "hyper"),
    [
        ("pytorch.original", muon, {"alpha": 0.05, "decay": 0.1}),
        ("optax.plain", muon_plain, {"alpha": 0.05, "beta": 0.9}),
        ("optax.nesterov", muon_corrected, {"alpha": 0.05, "beta": 0.95, "decay": 0.1}),
    ],
)
def test_muon_is_that_of_the_libraries(shape, case, rule, hyper):
    path = fold(rule, layer(shape), STORED[f"start.{shape}"], 30, **hyper)
    assert_allclose(path, STORED[f"{case}.{shape}"], rtol=0, atol=1e-12)


@each_shape
def test_the_two_scales_differ_by_a_fifth_of_the_root_of_the_columns(shape):
    path = fold(muon, layer(shape), STORED[f"start.{shape}"], 30, alpha=as_original(0.05, shape), beta=0.8)
    assert_allclose(path, STORED[f"pytorch.rms.{shape}"], rtol=0, atol=1e-12)
    hyper = {"alpha": as_original(0.05, shape), "beta": 0.95, "decay": 0.0}
    path = fold(muon_corrected, layer(shape), STORED[f"start.{shape}"], 30, **hyper)
    assert_allclose(path, STORED[f"optax.rms.{shape}"], rtol=0, atol=1e-12)


def test_bfloat16_moves_the_iteration_by_a_percent():
    double, coarse = STORED["orthogonal.double"], STORED["orthogonal.bfloat16"]
    assert_allclose(front(orthogonal(back(STORED["orthogonal"]))), double, atol=1e-12)
    off = np.linalg.norm(coarse - double, axis=(1, 2)) / np.linalg.norm(double, axis=(1, 2))
    assert 0.003 < off.min() and off.max() < 0.05


def bfloat16(x):
    bits = np.asarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & np.uint32(0xFFFF0000)).view(np.float32)


def test_the_chapters_lines_in_bfloat16_are_pytorchs_iteration():
    for g, expected in zip(STORED["orthogonal"].swapaxes(1, 2), STORED["orthogonal.bfloat16"].swapaxes(1, 2)):
        (a, b, c), x = matrices.QUINTIC, bfloat16(g)
        x = bfloat16(x / bfloat16(np.linalg.norm(x)))
        for _ in range(5):
            s = bfloat16(x @ x.T)
            x = bfloat16(a * x + bfloat16(b * s + c * (s @ s)) @ x)
        assert np.mean(x == expected) > 0.9  # a sum in another order may round the other way
        assert_allclose(x, expected, atol=0.02)


def test_a_network_of_muon_and_adam_is_optaxs():
    network = Network(NETWORK["inputs"], NETWORK["labels"], hidden=(4,), activation="tanh", error="squared_error")
    rule = by_layer([(4, 5), (4,), (3, 4), (3,)], muon_plain)
    run = fit(rule, network, NETWORK["phi"], 30, alpha=0.05, beta=0.95, rest_alpha=0.02, rest_eps=0)
    assert_allclose(run.path, STORED["optax.network"], rtol=0, atol=1e-12)


# --- by layer --------------------------------------------------------------------------------------


def test_every_part_goes_its_own_way():
    given = gradients(3, 2, 4)
    vector = [np.concatenate([g.reshape(6, 4), g[0]]) for g in given]
    rule = by_layer([(3, 2), (2,)], soap, momentum)
    together = fold(rule, vector, np.ones((8, 4)), 6, alpha=0.1, every=2, rest_alpha=0.3, rest_beta=0.5)
    matrix = fold(soap, given, np.ones((3, 2, 4)), 6, alpha=0.1, every=2)
    other = fold(momentum, [g[0] for g in given], np.ones((2, 4)), 6, alpha=0.3, beta=0.5)
    assert_allclose(together[:, :6], matrix.reshape(7, 6, 4), atol=1e-12)
    assert_allclose(together[:, 6:], other, atol=1e-12)


def test_the_hyperparameters_of_both_are_known_and_others_refused():
    rule = by_layer([(1, 2)], muon)
    keywords = [p.name for p in inspect.signature(rule).parameters.values() if p.kind is p.KEYWORD_ONLY]
    assert keywords[:2] == ["alpha", "beta"] and {"rest_alpha", "rest_gamma"} <= set(keywords)
    with pytest.raises(TypeError, match="rest_alpha"):
        fit(rule, quadratic, (1.0, 1.0), 2, alpha=0.1)
    with pytest.raises(ValueError, match="shapes hold 3 parameters; phi has 2"):
        fit(by_layer([(1, 3)], muon), quadratic, (1.0, 1.0), 2, alpha=0.1, rest_alpha=0.1)


def test_every_rule_is_tried():
    rules = {f for f in vars(matrices).values() if inspect.isfunction(f) and list(inspect.signature(f).parameters)[:3] == ["t", "phi", "grad"]}  # noqa: E501
    assert rules - {adam} == {*RULES, full_adagrad}
