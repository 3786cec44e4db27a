"""Averaged weights against the last ones: where an exponential moving average gains and where it loses.

Averages start at zero and are corrected as Adam's are, so that the start of the run is not part of them. At a
constant rate, and with a cosine that ends at zero.
"""

from functools import partial

import numpy as np
from tqdm import tqdm

from fitlib.data import digits
from fitlib.fitting import batches, step
from fitlib.networks import Network
from fitlib.optimizers import adam, gradient_descent
from fitlib.schedules import constant, cosine

from .records import mean_and_error, store

BATCH, STEPS, SPLITS, SEEDS = 32, 420, range(5), range(20)
MEMORIES = [0.95, 0.98, 0.99]  # of the average: about 20, 50 and 100 of the 420 steps
RULES = {"SGD": (gradient_descent, [0.1, 0.2, 0.4, 0.8]), "Adam": (adam, [0.001, 0.002, 0.005, 0.01, 0.02])}
FALLING = {"SGD": [0.25, 1.0], "Adam": [0.01, 0.0625]}  # first rates of the cosine
MEASURES = ["accuracy", "negative_log_likelihood"]


def train(name, rates, split, seeds=SEEDS, schedule=constant):
    """The measures on the test set, `(2, 1 + memories, rates, seeds)`: of the last weights, then averaged."""
    x, y, x_test, y_test = digits(split)
    network, rule, seeds = Network(x, y), RULES[name][0], np.asarray(seeds)
    phi = np.repeat(network.start(seeds)[:, None], len(rates), axis=1)
    averages, state, alpha = [0.0] * len(MEMORIES), [], schedule(np.reshape(rates, (-1, 1)))
    for t, rows in enumerate(batches(len(y), BATCH, STEPS, seeds), start=1):
        phi, *state = step(rule, t, phi, partial(network.gradient, rows=rows), state, {"alpha": alpha(t)})
        averages = [gamma * old + (1 - gamma) * phi for gamma, old in zip(MEMORIES, averages, strict=True)]
    averages = [average / (1 - gamma**STEPS) for gamma, average in zip(MEMORIES, averages, strict=True)]
    test = network.on(x_test, y_test)
    return np.array([[getattr(test, measure)(point) for point in [phi, *averages]] for measure in MEASURES])


def compare(name, rates, schedule=constant):
    """What `train` gives over the splits, as a record: the last weights, and the gain of each average."""
    runs = [train(name, rates, split, schedule=schedule) for split in tqdm(SPLITS, desc=name, leave=False)]
    result = {"rates": rates}
    for measure, (last, *averaged) in zip(MEASURES, np.stack(runs, axis=-2), strict=True):
        gain = np.array(averaged) - last
        over_runs = mean_and_error(gain.reshape(*gain.shape[:2], -1))
        over_splits = mean_and_error(gain.mean(axis=-1))
        result[measure] = {
            "last": last.mean(axis=(-2, -1)),
            "gain": over_runs[0],
            "error": np.maximum(over_runs[1], over_splits[1]),
            "last_per_seed": last,
        }
    return result


def to_zero(alpha):
    return cosine(alpha, STEPS)


def main():
    settings = {"batch": BATCH, "steps": STEPS, "splits": SPLITS, "seeds": SEEDS, "memories": MEMORIES}
    results = {name: compare(name, rates) for name, (_, rates) in RULES.items()}
    falling = {name: compare(name, rates, to_zero) for name, rates in FALLING.items()}
    store("weight_averaging", **settings, results=results, falling=falling)


if __name__ == "__main__":
    main()
