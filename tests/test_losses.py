"""Losses: values, gradients and Hessians for any number of runs; critical points; refusals."""

import pickle

import numpy as np
import pytest

from fitlib import gabor, losses
from fitlib.losses import Loss, critical_points, squared_error, stability_limit, straight_line
from fitlib.symbolic import TraceError

LOSSES = {loss.name: loss for loss in [*vars(losses).values(), gabor.loss] if isinstance(loss, Loss)}
SHAPES = [(2,), (2, 7), (2, 3, 4), (2, 3000)]


def points(shape, loss, seed=0):
    (a, b), (c, d) = loss.box
    low, high = np.array([a, c]), np.array([b, d])
    unit = np.random.default_rng(seed).uniform(size=shape)
    return (low + (high - low) * unit.T).T


def test_the_landscapes_of_the_book_are_there():
    assert {"quadratic", "rotated_valley", "saddle", "rosenbrock", "dupont", "line", "gabor"} <= set(LOSSES)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_many_runs_are_one_at_a_time(loss, shape):
    phi = points(shape, loss)
    value, gradient, hessian = loss(phi), loss.gradient(phi), loss.hessian(phi)
    assert value.shape == shape[1:] and gradient.shape == shape and hessian.shape == (2, *shape)
    index = tuple(size // 2 for size in shape[1:])
    np.testing.assert_allclose(value[index], loss(phi[:, *index]), rtol=1e-14)
    np.testing.assert_allclose(gradient[:, *index], loss.gradient(phi[:, *index]), rtol=1e-12)
    np.testing.assert_allclose(hessian[..., *index], loss.hessian(phi[:, *index]), rtol=1e-12)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_derivatives_agree_with_differences(loss):
    phi, h = points((2, 50), loss), 1e-6
    for i in range(2):
        move = h * np.eye(2)[:, i, None]
        slope = (loss(phi + move) - loss(phi - move)) / (2 * h)
        scale = np.abs(loss.gradient(phi)).max() + np.abs(loss(phi)).max()
        np.testing.assert_allclose(loss.gradient(phi)[i], slope, atol=1e-8 * scale)
        bend = (loss.gradient(phi + move) - loss.gradient(phi - move)) / (2 * h)
        np.testing.assert_allclose(
            loss.hessian(phi)[i], bend, atol=1e-7 * (1 + np.abs(loss.hessian(phi)).max())
        )


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_the_stated_minimum_is_the_lowest_value(loss):
    grid = np.stack(np.meshgrid(*(np.linspace(*side, 201) for side in loss.box)))
    assert (loss(grid) >= loss.minimum - 1e-9).all()


def test_the_gabor_loss_is_the_mean_of_squared_residuals():
    phi = np.array([0.3, 12.0])
    assert gabor.loss(phi) == pytest.approx(np.mean((gabor.gabor(gabor.x, phi) - gabor.y) ** 2), rel=1e-14)


def test_rows_choose_a_batch_for_all_runs_or_for_each():
    phi = points((2, 4), gabor.loss)
    rows = np.array([[0, 3], [5, 5], [29, 1], [2, 7]])
    each = gabor.loss.gradient(phi, rows)
    for run in range(4):
        np.testing.assert_allclose(each[:, run], gabor.loss.gradient(phi[:, run], rows[run]), rtol=1e-13)
    np.testing.assert_allclose(gabor.loss(phi, np.arange(30)), gabor.loss(phi), rtol=1e-14)


def test_parameters_of_a_loss_broadcast_against_runs():
    phi, kappa = points((2, 5), losses.quadratic), np.arange(1.0, 6.0)
    np.testing.assert_allclose(losses.quadratic(phi, kappa=kappa), (phi[0] ** 2 + kappa * phi[1] ** 2) / 2)
    np.testing.assert_allclose(losses.quadratic.at(kappa=kappa)(phi), losses.quadratic(phi, kappa=kappa))
    assert losses.quadratic.parameters == {"kappa": 10.0}


def test_known_points():
    assert losses.rosenbrock((1.0, 1.0)) == 0
    np.testing.assert_allclose(stability_limit(losses.quadratic, (0.0, 0.0)), 0.2)
    phi, values, index = critical_points(losses.saddle)
    np.testing.assert_allclose(phi.T[index == 1], [[0, 0]], atol=1e-10)
    np.testing.assert_allclose(sorted(phi[1][index == 0]), [-1, 1])
    np.testing.assert_allclose(values[index == 0], losses.saddle.minimum)
    assert critical_points(losses.dupont)[1][0] == pytest.approx(losses.dupont.minimum, abs=1e-11)


def test_the_critical_points_of_the_gabor_loss():
    phi, values, index = critical_points(gabor.loss)
    assert [int((index == k).sum()) for k in range(3)] == [8, 15, 9]
    np.testing.assert_allclose(phi[:, 0], [0.089, 16.487], atol=5e-4)
    assert values[0] == pytest.approx(0.0210, abs=5e-5)
    assert np.abs(gabor.loss.gradient(phi)).max() < 1e-10
    finer = critical_points(gabor.loss, grid=90)
    assert phi.shape == finer[0].shape  # the grid does not decide how many there are


def test_the_line_has_one_minimum_which_least_squares_finds():
    x, y = losses.line.data
    slope, intercept = np.polyfit(x, y, 1)
    phi, values, index = critical_points(losses.line)
    np.testing.assert_allclose(phi[:, 0], [intercept, slope], rtol=1e-9)
    assert phi.shape == (2, 1) and index[0] == 0


def test_a_loss_travels_to_another_process():
    assert pickle.loads(pickle.dumps(gabor.loss))((0.5, 9.5)) == gabor.loss((0.5, 9.5))


WRONG = {
    "shape": lambda: gabor.loss(np.zeros(3)),
    "no parameter": lambda: losses.quadratic((1, 1), kapa=2),
    "has: none": lambda: losses.saddle.at(kappa=2),
    "rows": lambda: gabor.loss((0, 10), rows=[30]),
    "integers": lambda: gabor.loss((0, 10), rows=[0.5]),
    "lengths": lambda: Loss(squared_error(straight_line), ([1, 2], [1, 2, 3])),
    "finite": lambda: Loss(squared_error(straight_line), ([1, 2], [1, np.nan])),
    "one number": lambda: Loss(lambda phi: phi)((1, 1)),
    "box": lambda: critical_points(Loss(lambda phi: phi[0] ** 2 + phi[1] ** 2)),
    "decision": lambda: Loss(lambda phi: phi[0] if phi[1] > 0 else phi[1])((1, 1)),
}


@pytest.mark.parametrize("word", WRONG)
def test_wrong_calls_are_refused_with_one_sentence(word):
    with pytest.raises((ValueError, TraceError)) as caught:
        WRONG[word]()
    assert word in str(caught.value) and "\n" not in str(caught.value)
