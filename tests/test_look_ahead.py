"""The chapter on Nesterov: a sample of its stored runs is computed again, and an exercise without a checker."""

import numpy as np
import pytest

from chapters.experiments import look_ahead
from chapters.experiments.records import load
from fitlib.fitting import fit
from fitlib.losses import quadratic
from fitlib.optimizers import nesterov


@pytest.mark.parametrize("name", look_ahead.RULES)
@pytest.mark.parametrize("split", [0, 4])
def test_a_sample_of_the_runs_is_as_stored(name, split):
    stored = load("look_ahead")["results"]
    runs = slice(split * len(look_ahead.SEEDS), split * len(look_ahead.SEEDS) + 2)  # the first two seeds
    again = look_ahead.train(look_ahead.RULES[name], 0.9, split, seeds=[0, 1], rates=look_ahead.RATES[:2])
    for kind, values in zip(["training_loss", "test_likelihood"], again, strict=True):
        kept = np.array(stored[f"{kind}, beta 0.9"]["per_run"][name])[:2, runs]
        assert np.allclose(values, kept, rtol=1e-3)


def test_the_limit_that_the_exercise_asks_for():
    """`SGD(nesterov=True)` on a bowl of curvature 1 is stable up to lr = 2 (1 + beta) / (1 + 2 beta)."""
    beta = np.array([0, 0.5, 0.9, 0.98])
    rates = np.array([[0.99], [1.01]]) * 2 * (1 + beta) / (1 + 2 * beta) / (1 - beta)
    bowl, start = quadratic.at(kappa=1), (1.0, 1.0)
    run = fit(nesterov, bowl, start, 20_000, keep=None, alpha=rates, beta=beta)
    below, above = np.nan_to_num(np.abs(run.phi[0]), nan=np.inf) < 1
    assert below.all() and not above.any()
