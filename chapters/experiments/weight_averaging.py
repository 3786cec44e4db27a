"""Averaged weights against the last ones: where an exponential moving average gains and where it loses."""

from functools import partial

import numpy as np
from tqdm import tqdm

from fitlib.data import digits
from fitlib.fitting import batches, step
from fitlib.networks import Network
from fitlib.optimizers import adam, gradient_descent

from .records import mean_and_error, store

BATCH, STEPS, SPLITS, SEEDS = 32, 420, range(5), range(20)
MEMORIES = [0.95, 0.98, 0.99]  # of the average: about 20, 50 and 100 of the 420 steps
RULES = {"SGD": (gradient_descent, [0.1, 0.2, 0.4, 0.8]), "Adam": (adam, [0.001, 0.002, 0.005, 0.01, 0.02])}
MEASURES = ["accuracy", "negative_log_likelihood"]


def train(name, rates, split, seeds=SEEDS):
    """The measures on the test set, `(2, 1 + memories, rates, seeds)`: of the last weights, then averaged."""
    x, y, x_test, y_test = digits(split)
    network, rule, seeds = Network(x, y), RULES[name][0], np.asarray(seeds)
    phi = np.repeat(network.start(seeds)[:, None], len(rates), axis=1)
    averages, state, alpha = [phi] * len(MEMORIES), [], np.reshape(rates, (-1, 1))
    for t, rows in enumerate(batches(len(y), BATCH, STEPS, seeds), start=1):
        phi, *state = step(rule, t, phi, partial(network.gradient, rows=rows), state, {"alpha": alpha})
        averages = [gamma * old + (1 - gamma) * phi for gamma, old in zip(MEMORIES, averages, strict=True)]
    test = network.on(x_test, y_test)
    return np.array([[getattr(test, measure)(point) for point in [phi, *averages]] for measure in MEASURES])


def main():
    results = {}
    for name, (_, rates) in RULES.items():
        values = np.stack([train(name, rates, s) for s in tqdm(SPLITS, desc=name, leave=False)], axis=-2)
        results[name] = {"rates": rates}
        for measure, (last, *averaged) in zip(MEASURES, values, strict=True):
            gain = np.array(averaged) - last
            over_runs = mean_and_error(gain.reshape(*gain.shape[:2], -1))
            over_splits = mean_and_error(gain.mean(axis=-1))
            results[name][measure] = {
                "last": last.mean(axis=(-2, -1)),
                "gain": over_runs[0],
                "error": np.maximum(over_runs[1], over_splits[1]),
                "last_per_seed": last,
            }
    store(
        "weight_averaging",
        batch=BATCH,
        steps=STEPS,
        splits=SPLITS,
        seeds=SEEDS,
        memories=MEMORIES,
        results=results,
    )


if __name__ == "__main__":
    main()
