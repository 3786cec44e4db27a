"""Lion and the plain sign beside Adam and momentum, on the digits network of the book.

Each rule has its rate (an octave apart), its memories and its schedule (constant, or linear to zero) chosen by the
likelihood of validation data, a quarter of the training pictures, over all splits and the tuning seeds. It is judged
by the test data, on other seeds.
"""

from itertools import product

import numpy as np
from tqdm import tqdm

from fitlib import optimizers
from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network
from fitlib.sweeps import best

from .records import mean_and_error, paired, store

BATCH, STEPS, SPLITS, SEEDS, TUNING_SEEDS = 32, 248, range(5), range(6), range(100, 101)
SCHEDULES = {"constant": 0, "linear": 1}
LIONS = [(0.9, 0.99), (0.95, 0.98), (0.9, 0.9), (0.8, 0.9), (0.8, 0.8), (0.6, 0.6), (0.3, 0.3)]
ADAMS = [(0.9, 0.999), (0.9, 0.99), (0.95, 0.95), (0.8, 0.9), (0.6, 0.8), (0.3, 0.6)]
RULES = {  # octaves of the rate, and memories
    "momentum": (range(-4, 4), [{"beta": b} for b in (0.5, 0.8, 0.9, 0.95)]),
    "sign_descent": (range(-12, -3), [{}]),
    "lion": (range(-12, -3), [{"beta": b, "gamma": c} for b, c in LIONS]),
    "adam": (range(-10, -1), [{"beta": b, "gamma": c} for b, c in ADAMS]),
}


def train(rule, rates, memory, falls, split, seeds):
    """Likelihood of the validation data and of the test data, and test accuracy, each `(rates, seeds)`."""
    x, y, x_test, y_test = digits(split)
    kept, seeds = len(x) * 3 // 4, np.asarray(seeds)
    network = Network(x[:kept], y[:kept])
    rates = 2.0 ** np.reshape(rates, (-1, 1))
    options = {"batch": BATCH, "seed": seeds, "keep": None, **memory}
    run = fit(
        getattr(optimizers, rule), network, network.start(seeds), STEPS,
        alpha=lambda t: rates * (1 - falls * (t - 1) / STEPS), **options,
    )  # fmt: skip
    validation, test = network.on(x[kept:], y[kept:]), network.on(x_test, y_test)
    likelihoods = [part.negative_log_likelihood(run.phi) for part in (validation, test)]
    return np.array([*likelihoods, test.accuracy(run.phi)])


def on_digits(rule):
    """The best setting by the validation data, and what other seeds reach with it on the test data."""
    octaves, memories = RULES[rule]
    choices = list(product(memories, SCHEDULES.values()))
    tuning = np.array(
        [
            np.mean([train(rule, octaves, *choice, split, TUNING_SEEDS)[0] for split in SPLITS], axis=(0, 2))
            for choice in choices
        ]
    )
    found = best(tuning, ends=("choice",), choice=range(len(choices)), octave=octaves)
    memory, falls = choices[found.index[0]]
    judged = [train(rule, [octaves[found.index[1]]], memory, falls, split, SEEDS)[1:, 0] for split in SPLITS]
    likelihood, accuracy = np.stack(judged, axis=1)
    return {
        "octave": octaves[found.index[1]],
        "memory": memory,
        "schedule": list(SCHEDULES)[falls],
        "validation": tuning,
        "likelihood": likelihood,
        "accuracy": accuracy,
    }


def main():
    results = {rule: on_digits(rule) for rule in tqdm(RULES, leave=False)}
    for one in results.values():
        for kind in ("likelihood", "accuracy"):
            one[f"mean_{kind}"] = mean_and_error(np.ravel(one[kind]))
            one[f"{kind}_minus_adam"] = paired(one[kind] - results["adam"][kind])
    settings = {
        "batch": BATCH,
        "steps": STEPS,
        "splits": SPLITS,
        "seeds": SEEDS,
        "tuning_seeds": TUNING_SEEDS,
    }
    store("signs_on_digits", **settings, results=results)


if __name__ == "__main__":
    main()
