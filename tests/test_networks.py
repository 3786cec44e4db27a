from pathlib import Path

import numpy as np
import pytest

from fitlib import networks
from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network, hessian_product, sharpness
from fitlib.optimizers import adam
from fitlib.schedules import cosine

REFERENCE = np.load(Path(__file__).parent / "reference" / "network.npz")
KINDS = [(a, e) for a in networks.ACTIVATIONS for e in networks.ERRORS]
RUNS = [(), (3,), (2, 3)]
# our error, PyTorch's, and how many times ours theirs is: its mean squared error is a mean over outputs, too
PYTORCH = [
    ("cross_entropy", "cross_entropy", 1),
    ("squared_error", "half_squared_error", 1),
    ("squared_error", "squared_error", 2 / 3),
]


def small(hidden=(4, 3), points=9, classes=3, **options):
    """A network of some 30 parameters on random data, and a function that draws points away from kinks."""
    rng = np.random.default_rng(5)
    y = np.arange(points) % classes
    network = Network(rng.normal(size=(points, 2)), y, hidden=hidden, **options)
    return network, lambda runs=(): rng.normal(size=(network.n, *runs))


def singly(f, phi):
    """`f` of one run at a time, put together again."""
    runs = phi.shape[1:]
    return np.reshape([f(phi[(slice(None), *run)]) for run in np.ndindex(runs)], runs)


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("hidden", [(), (4,), (4, 3, 3)])
@pytest.mark.parametrize(("activation", "error"), KINDS)
def test_gradient_is_the_limit_of_differences(activation, error, hidden, decay):
    network, draw = small(hidden, activation=activation, error=error, decay=decay)
    phi, h = draw((2, 2)), 1e-6
    steps = h * np.eye(network.n)[:, :, None, None]
    differences = [(network(phi + step) - network(phi - step)) / (2 * h) for step in steps]
    np.testing.assert_allclose(network.gradient(phi), differences, atol=1e-8)


@pytest.mark.parametrize("activation", networks.ACTIVATIONS)
@pytest.mark.parametrize(("error", "theirs", "factor"), PYTORCH)
def test_pytorch_has_the_same_loss_and_gradient(activation, error, theirs, factor):
    decay, phi = REFERENCE["decay"], REFERENCE["phi"]
    network = Network(REFERENCE["inputs"], REFERENCE["labels"], (4,), activation, error)
    loss = factor * network(phi) + decay / 2 * np.sum(phi**2)
    gradient = factor * network.gradient(phi) + decay * phi
    np.testing.assert_allclose(loss, REFERENCE[f"loss_{activation}_{theirs}"], rtol=1e-14)
    np.testing.assert_allclose(gradient, REFERENCE[f"gradient_{activation}_{theirs}"], atol=1e-14)
    if factor == 1:
        network.decay = decay
        np.testing.assert_allclose(network.gradient(phi), gradient, atol=1e-15)


@pytest.mark.parametrize("rows", [None, "shared", "own"])
@pytest.mark.parametrize("runs", RUNS)
@pytest.mark.parametrize(("activation", "error"), KINDS)
def test_many_runs_are_one_at_a_time(activation, error, runs, rows):
    network, draw = small(activation=activation, error=error, decay=0.1)
    phi = draw(runs)
    if rows:
        rows = np.random.default_rng(1).integers(9, size=(*runs, 4) if rows == "own" else 4)
    every = np.broadcast_to(np.arange(9) if rows is None else rows, (*runs, 9 if rows is None else 4))
    loss, gradient = network(phi, rows), network.gradient(phi, rows)
    assert loss.shape == runs and gradient.shape == phi.shape
    for run in np.ndindex(runs):
        one = phi[(slice(None), *run)]
        np.testing.assert_allclose(loss[run], network(one, every[run]), rtol=1e-12)
        np.testing.assert_allclose(
            gradient[(slice(None), *run)], network.gradient(one, every[run]), atol=1e-13
        )


@pytest.mark.parametrize("runs", RUNS)
@pytest.mark.parametrize("measure", ["accuracy", "negative_log_likelihood", "noise_scale"])
def test_measures_of_many_runs_are_one_at_a_time(measure, runs):
    network, draw = small()
    phi = draw(runs)
    together = getattr(network, measure)(phi)
    assert together.shape == runs
    np.testing.assert_allclose(together, singly(getattr(network, measure), phi), rtol=1e-11)


def test_size_of_a_block_changes_nothing(monkeypatch):
    network, draw = small()
    phi, rows = draw((5, 2)), np.random.default_rng(1).integers(9, size=(5, 2, 4))
    whole = network(phi, rows), network.gradient(phi, rows), network.predict(phi, network.x)
    monkeypatch.setattr(networks, "BLOCK", 3 * 4 * 4)
    blocks = network(phi, rows), network.gradient(phi, rows), network.predict(phi, network.x)
    for a, b in zip(whole, blocks):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_nothing_is_modified():
    network, draw = small()
    phi = draw((2,))
    held = [phi, network.x, network.y, network.targets]
    copies = [a.copy() for a in held]
    (
        network(phi),
        network.gradient(phi, [0, 1]),
        network.accuracy(phi),
        network.noise_scale(phi),
        sharpness(network, phi),
    )
    assert all(np.array_equal(a, b) for a, b in zip(held, copies))


def test_batches_of_an_epoch_average_to_the_full_gradient():
    network, draw = small(decay=0.2)
    phi = draw((3,))
    batches = np.random.default_rng(2).permutation(9).reshape(3, 3)
    np.testing.assert_allclose(
        np.mean([network.gradient(phi, rows) for rows in batches], axis=0), network.gradient(phi), atol=1e-14
    )


def test_without_hidden_layers_it_is_softmax_regression():
    network, draw = small(hidden=())
    phi = draw()
    weights, biases = phi[:6].reshape(3, 2), phi[6:]
    share = np.exp(network.x @ weights.T + biases)
    share /= share.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network(phi), -np.log(share[np.arange(9), network.y]).mean())
    error = (share - network.targets) / 9
    expected = np.concatenate([(error.T @ network.x).ravel(), error.sum(axis=0)])
    np.testing.assert_allclose(network.gradient(phi), expected, atol=1e-15)


def test_zero_weights_know_nothing():
    network, _ = small()
    assert network(np.zeros(network.n)) == pytest.approx(np.log(3), rel=1e-15)


def test_large_outputs_stay_finite():
    network, draw = small(hidden=())
    phi = 1e5 * draw()
    assert np.isfinite(network(phi)) and np.all(np.isfinite(network.gradient(phi)))


def test_a_diverged_run_leaves_the_others_alone():
    network, draw = small()
    phi = draw((3,))
    clean = network.gradient(phi)
    phi[:, 1] = np.nan
    np.testing.assert_array_equal(network.gradient(phi)[:, [0, 2]], clean[:, [0, 2]])
    assert np.isnan(network(phi)[1]) and np.all(np.isnan(network.gradient(phi)[:, 1]))


def test_measures_follow_their_definitions():
    network, draw = small(decay=0.5)
    phi = draw()
    z = network.predict(phi, network.x)
    likelihood = np.exp(z)[np.arange(9), network.y] / np.exp(z).sum(axis=1)
    assert network.accuracy(phi) == np.mean(z.argmax(axis=1) == network.y)
    assert network.negative_log_likelihood(phi) == pytest.approx(-np.log(likelihood).mean())
    assert network(phi) == pytest.approx(network.negative_log_likelihood(phi) + 0.25 * np.sum(phi**2))


def test_decay_may_differ_between_runs():
    phi = small()[1]((2,))
    several = small(decay=np.array([0.0, 0.7]))[0]
    for run, decay in enumerate([0.0, 0.7]):
        one = small(decay=decay)[0]
        assert several(phi)[run] == pytest.approx(one(phi[:, run]), rel=1e-14)
        np.testing.assert_allclose(several.gradient(phi)[:, run], one.gradient(phi[:, run]), atol=1e-15)


@pytest.mark.parametrize(("activation", "error"), KINDS)
def test_noise_scale_is_the_spread_of_single_gradients(activation, error):
    network, draw = small(activation=activation, error=error)
    phi = draw()
    single = np.array([network.gradient(phi, [i]) for i in range(9)])
    spread = np.sum(single.var(axis=0)) / np.sum(single.mean(axis=0) ** 2)
    assert network.noise_scale(phi) == pytest.approx(spread, rel=1e-12)


def test_other_data_leave_the_network_alone():
    network, draw = small()
    phi = draw()
    before = network(phi)
    test = network.on(network.x[:4], network.y[:4])
    assert test.points == 4 and network.points == 9
    assert test(phi) == pytest.approx(network(phi, np.arange(4)), rel=1e-14)
    assert network(phi) == before


def test_start_has_the_deviation_it_states():
    network = Network(*digits()[:2])
    phi = network.start(np.arange(12).reshape(3, 4), gain=0.5)
    assert phi.shape == (4810, 3, 4)
    first, biases = phi[: 64 * 64], phi[64 * 64 : 64 * 65]
    assert np.std(first) == pytest.approx(0.5 / 8, rel=0.01)
    assert np.all(biases == 0) and np.all(phi[-10:] == 0)
    np.testing.assert_array_equal(phi[:, 1, 2], network.start(6, gain=0.5))


@pytest.mark.parametrize("runs", RUNS)
@pytest.mark.parametrize(("activation", "error"), KINDS)
def test_hessian_and_its_largest_eigenvalue(activation, error, runs):
    network, draw = small(activation=activation, error=error, decay=0.1)
    phi, h = draw(runs), 1e-6
    units = np.eye(network.n).reshape(network.n, network.n, *(1 for _ in runs))
    hessian = np.array(
        [(network.gradient(phi + h * v) - network.gradient(phi - h * v)) / (2 * h) for v in units]
    )
    products = [hessian_product(network, phi, v) for v in units]
    np.testing.assert_allclose(products, hessian, atol=1e-7)
    largest = np.linalg.eigvalsh(np.moveaxis(products, (0, 1), (-2, -1)))[..., -1]
    np.testing.assert_allclose(sharpness(network, phi), largest, rtol=1e-6)


def test_sharpness_of_a_quadratic_is_its_curvature():
    class Bowl:
        def gradient(self, phi):
            return np.array([3.0, -7.0, 1.0]) * phi

    phi = np.ones((3, 2))
    phi[0, 1] = np.inf
    np.testing.assert_allclose(sharpness(Bowl(), phi), [3, np.nan], rtol=1e-9)


def test_the_book_s_network_reads_digits():
    """Adam at 0.005 with a cosine to zero, 30 epochs in batches of 32, 20 seeds: 97 % and better."""
    x, y, x_test, y_test = digits()
    network, seeds = Network(x, y), np.arange(20)
    steps = 30 * (len(y) // 32)
    run = fit(
        adam,
        network,
        network.start(seeds),
        steps,
        batch=32,
        seed=seeds,
        keep=None,
        alpha=cosine(0.005, steps),
    )
    accuracy = network.on(x_test, y_test).accuracy(run.phi)
    assert accuracy.mean() >= 0.97
    assert network.accuracy(run.phi).mean() > 0.995


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"activation": "sigmoid"}, "activation is 'sigmoid'; choose one of relu, tanh"),
        ({"error": "hinge"}, "error is 'hinge'; choose one of cross_entropy, squared_error"),
    ],
)
def test_unknown_kinds_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        small(**options)


def test_wrong_shapes_are_refused():
    network, draw = small()
    with pytest.raises(ValueError, match="phi has 5 parameters; this network has 39"):
        network(np.zeros(5))
    with pytest.raises(ValueError, match=r"x is \(4, 2\); expected \(3, 2\), a row per label"):
        network.on(network.x[:4], network.y[:3])
    with pytest.raises(ValueError, match=r"x is \(4, 1\); expected \(4, 2\)"):
        network.predict(draw(), network.x[:4, :1])
