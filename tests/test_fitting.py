"""fit: many runs as one at a time, broadcasting, batches, schedules, divergence, and refusals."""

import numpy as np
import pytest

from fitlib import gabor
from fitlib.fitting import batches, fit, random_integers
from fitlib.losses import quadratic, rosenbrock
from fitlib.optimizers import adam, gradient_descent, momentum, nesterov

START = (2.0, 1.0)


def test_one_step_is_the_rule():
    run = fit(gradient_descent, quadratic, START, 1, alpha=0.05)
    np.testing.assert_allclose(run.phi, [2 - 0.05 * 2, 1 - 0.05 * 10], rtol=1e-15)
    assert run.path.shape == (2, 2) and run.losses.shape == (2,) and list(run.steps) == [0, 1]


def test_descent_on_a_quadratic_has_its_closed_form():
    run = fit(gradient_descent, quadratic, START, 50, alpha=0.15)
    t = np.arange(51)
    np.testing.assert_allclose(run.path, np.stack([2 * 0.85**t, (-0.5) ** t], axis=1), rtol=1e-12)


@pytest.mark.parametrize("rule", [gradient_descent, momentum, nesterov, adam])
def test_many_runs_are_one_at_a_time(rule):
    alpha, start = np.array([[0.01], [0.1]]), np.random.default_rng(0).normal(size=(2, 3))
    many = fit(rule, gabor.loss, start + [[0], [12]], 20, alpha=alpha, batch=5, seed=np.array([3, 4, 5]))
    assert many.path.shape == (21, 2, 2, 3)
    for i in range(2):
        for j in range(3):
            one = fit(rule, gabor.loss, start[:, j] + [0, 12], 20, alpha=alpha[i, 0], batch=5, seed=3 + j)
            np.testing.assert_allclose(many.path[:, :, i, j], one.path, rtol=1e-9)


def test_ten_thousand_runs_in_one_call():
    start = np.stack(np.meshgrid(np.linspace(-10, 10, 100), np.linspace(2.5, 22.5, 100)))
    run = fit(gradient_descent, gabor.loss, start, 3, alpha=1.0, keep=None)
    assert run.phi.shape == (2, 100, 100) and run.path.shape == (2, 2, 100, 100)
    assert np.mean(run.losses[-1] < run.losses[0]) > 0.99


def test_two_runs_of_two_parameters_are_not_one_rate_per_parameter():
    run = fit(gradient_descent, quadratic, START, 1, alpha=np.array([0.1, 0.2]))
    np.testing.assert_allclose(run.phi, [[1.8, 1.6], [0.0, -1.0]], atol=1e-15)


def test_parameters_of_the_loss_spread_over_runs():
    run = fit(gradient_descent, quadratic.at(kappa=np.array([1.0, 2.0, 3.0])), START, 5, alpha=0.1)
    assert run.path.shape == (6, 2, 3)
    np.testing.assert_allclose(run.phi[1], (1 - 0.1 * np.array([1, 2, 3])) ** 5)


def test_what_is_kept():
    every = fit(adam, rosenbrock, (-1.0, 1.0), 23, alpha=0.1)
    some = fit(adam, rosenbrock, (-1.0, 1.0), 23, alpha=0.1, keep=10)
    last = fit(adam, rosenbrock, (-1.0, 1.0), 23, alpha=0.1, keep=None)
    assert list(some.steps) == [0, 10, 20, 23] and list(last.steps) == [0, 23]
    np.testing.assert_array_equal(some.path, every.path[some.steps])
    np.testing.assert_array_equal(last.losses, every.losses[[0, 23]])


def test_any_hyperparameter_may_be_a_schedule():
    halves = fit(momentum, quadratic, START, 4, alpha=lambda t: 0.1 / t, beta=lambda t: 1 - 1 / t)
    phi, m = np.array(START), 0.0
    for t in range(1, 5):
        phi, m = momentum(t, phi, quadratic.gradient, m, alpha=0.1 / t, beta=1 - 1 / t)
    np.testing.assert_array_equal(halves.phi, phi)
    np.testing.assert_array_equal(halves.rates, [0.1, 0.1 / 2, 0.1 / 3, 0.1 / 4])


def test_a_diverged_run_is_flagged_and_leaves_the_others_alone():
    run = fit(gradient_descent, rosenbrock, (-1.0, 1.5), 300, alpha=np.array([1e-3, 1.0]))
    assert list(run.diverged) == [False, True]
    alone = fit(gradient_descent, rosenbrock, (-1.0, 1.5), 300, alpha=1e-3)
    np.testing.assert_array_equal(run.path[:, :, 0], alone.path)


def test_a_state_may_start_at_phi():
    def averaged(t, phi, grad, mean="phi", *, alpha):
        return phi - alpha * grad(phi), 0.5 * mean + 0.5 * phi

    assert np.isfinite(fit(averaged, quadratic, START, 3, alpha=0.1).phi).all()


def test_nothing_is_changed_in_place():
    start, alpha = np.ones((2, 3)), np.full(3, 0.1)
    fit(adam, quadratic, start, 5, alpha=alpha)
    assert (start == 1).all() and (alpha == 0.1).all()


# --- batches ---------------------------------------------------------------------------------------


def test_every_epoch_visits_every_point_once_in_a_new_order():
    rows = batches(30, 5, 60, seed=7)
    epochs = rows.reshape(10, 30)
    assert (np.sort(epochs, axis=1) == np.arange(30)).all()
    assert len({tuple(epoch) for epoch in epochs}) == 10


def test_what_is_left_over_is_skipped():
    rows = batches(30, 7, 8, seed=1)
    assert all(len(set(epoch.ravel())) == 28 for epoch in rows.reshape(2, 4, 7))


def test_seeds_over_runs_are_the_single_seeds():
    for replace in (False, True):
        many = batches(30, 4, 9, seed=np.array([5, 6]), replace=replace)
        assert many.shape == (9, 2, 4)
        for i, seed in enumerate((5, 6)):
            np.testing.assert_array_equal(many[:, i], batches(30, 4, 9, seed=seed, replace=replace))


def test_the_generator_is_even_and_its_counters_do_not_echo():
    drawn = random_integers(np.arange(40)[:, None, None], np.arange(40)[:, None], np.arange(40)) / 2**32
    assert abs(drawn.mean() - 0.5) < 5 / np.sqrt(12 * drawn.size)
    counts = np.histogram(drawn, 64, (0, 1))[0]
    chi2 = ((counts - 1000) ** 2 / 1000).sum()  # 63 degrees of freedom
    assert 63 - 5 * np.sqrt(126) < chi2 < 63 + 5 * np.sqrt(126)
    for axis in range(3):
        pairs = np.corrcoef(drawn.swapaxes(0, axis)[:-1].ravel(), drawn.swapaxes(0, axis)[1:].ravel())[0, 1]
        assert abs(pairs) < 5 / np.sqrt(drawn.size)


def test_drawing_with_replacement_is_even():
    counts = np.bincount(batches(30, 10, 3000, seed=0, replace=True).ravel(), minlength=30)
    assert (np.abs(counts - 1000) < 5 * np.sqrt(1000)).all()


# --- refusals --------------------------------------------------------------------------------------


def call(**changes):
    arguments = {
        "rule": momentum,
        "loss": gabor.loss,
        "start": (0.0, 10.0),
        "steps": 3,
        "alpha": 0.1,
        **changes,
    }
    return fit(
        arguments.pop("rule"),
        arguments.pop("loss"),
        arguments.pop("start"),
        arguments.pop("steps"),
        **arguments,
    )


WRONG = [
    (dict(rule="momentum"), "rule is a function"),
    (dict(rule=lambda phi, grad: phi), "must begin with"),
    (dict(loss=3), "loss is a Loss"),
    (dict(loss=lambda phi: phi), "loss is a Loss"),
    (dict(alfa=1), "no hyperparameter alfa"),
    (dict(rule=gradient_descent, beta=0.9), "no hyperparameter beta"),
    (dict(alpha=-0.1), "alpha must not be negative"),
    (dict(alpha=np.nan), "alpha must be finite"),
    (dict(alpha=np.inf), "alpha must be finite"),
    (dict(alpha="0.1x"), "alpha is a number"),
    (dict(alpha=None), "alpha must be finite"),
    (dict(alpha=[0.1, [0.2]]), "alpha is a number"),
    (dict(alpha=lambda t: -1.0), "must not be negative"),
    (dict(alpha=lambda t: np.nan), "must be finite"),
    (dict(alpha=lambda t: 2.5 - t), "must not be negative"),
    (dict(beta=1.1), "share between 0 and 1"),
    (dict(beta=-0.1), "must not be negative"),
    (dict(rule=adam, gamma=2), "share between 0 and 1"),
    (dict(rule=adam, eps=-1e-8), "eps must not be negative"),
    (dict(start=(1.0,)), "start has shape"),
    (dict(start=3.0), "start has shape"),
    (dict(start=np.zeros((3, 2))), "start has shape"),
    (dict(start=(np.nan, 10)), "start must be finite"),
    (dict(start=(np.inf, 10)), "start must be finite"),
    (dict(start="here"), "start is a number"),
    (dict(steps=-1), "steps is a whole number"),
    (dict(steps=2.5), "steps is a whole number"),
    (dict(steps=True), "steps is a whole number"),
    (dict(steps=None), "steps is a whole number"),
    (dict(batch=0), "batch is a whole number"),
    (dict(batch=31), "batch is at most"),
    (dict(batch=2.0), "batch is a whole number"),
    (dict(loss=quadratic, batch=5), "batch is at most"),
    (dict(keep=0), "keep is a whole number"),
    (dict(batch=5, seed=-1), "seed is an integer"),
    (dict(batch=5, seed=0.5), "seed is an integer"),
    (dict(start=np.ones((2, 3)), alpha=np.ones(4)), "do not broadcast"),
    (dict(start=np.ones((2, 3)), batch=5, seed=np.arange(2)), "do not broadcast"),
]


@pytest.mark.parametrize("changes, words", WRONG, ids=[f"{words}-{i}" for i, (_, words) in enumerate(WRONG)])
def test_bad_input_is_refused_with_one_sentence(changes, words):
    with pytest.raises((TypeError, ValueError)) as caught:
        call(**changes)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_hyperparameter_is_named():
    with pytest.raises(TypeError, match="momentum needs a value for alpha"):
        fit(momentum, quadratic, START, 3)


def test_the_table_of_refusals_has_thirty_kinds():
    assert len(WRONG) >= 30
