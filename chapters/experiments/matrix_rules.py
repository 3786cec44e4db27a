"""Rules for matrices on the digits, against momentum and Adam: the same steps, the same number of settings.

A network 64-32-32-10. On each of six splits a quarter of the training digits is kept for validation. Every
rule tries 72 settings of what matters in it (Adam 96); the setting with the lowest validation likelihood trains six
new seeds, which are judged on the split's test digits. The rate falls to zero in a line. The matrices of the
two hidden layers get the rule, biases and the last layer get Adam, with the β and γ that are best for Adam
alone; "Adam twice" is Adam on both, with two rates, as a control. (SOAP leaves the rest at Adam's best rate.)
"""

import sys

import numpy as np
from sklearn.model_selection import train_test_split

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.matrices import by_layer, muon, soap
from fitlib.networks import Network
from fitlib.optimizers import adam, momentum
from fitlib.schedules import linear

from .records import HERE, load, store

HIDDEN, BATCH, BUDGETS = (32, 32), 32, (93, 186)
SPLITS, TUNING_SEEDS, SEEDS = range(6), (100,), range(6)
SHAPES = [(32, 64), (32,), (32, 32), (32,), (330,)]


def octaves(low, high, each=1):
    return 2.0 ** np.linspace(low, high, (high - low) * each + 1)


REST = {"rest_beta": 0.5, "rest_gamma": 0.9}
# name: (rule, its grid, what stays fixed)
RULES = {
    "momentum": (momentum, {"alpha": octaves(-2, 2, 3)[:12], "beta": [0.3, 0.5, 0.7, 0.8, 0.9, 0.95]}, {}),
    "Adam": (adam, {"alpha": octaves(-6, -3, 2)[:6], "beta": [0, 0.3, 0.5, 0.8], "gamma": [0.5, 0.7, 0.9, 0.99]}, {}),
    "Adam twice": (
        by_layer(SHAPES, adam),
        {"alpha": octaves(-7, -2), "rest_alpha": octaves(-9, -3)[::2], "beta": [0.3, 0.5, 0.8]},
        {**REST, "gamma": 0.9},
    ),
    "Muon": (
        by_layer(SHAPES, muon),
        {"alpha": octaves(-6, -1), "rest_alpha": octaves(-10, -4)[::2], "beta": [0.5, 0.8, 0.95]},
        REST,
    ),
    "SOAP": (
        by_layer(SHAPES, soap),
        {"alpha": octaves(-8, -3), "beta": [0, 0.5, 0.9], "gamma": [0.5, 0.7, 0.9, 0.99]},
        {**REST, "every": 10, "rest_alpha": 2.0**-5},
    ),
}


def network(split):
    """The network on the training part of a split, and the same on its validation and test digits."""
    x, y, x_test, y_test = digits(split)
    x, x_valid, y, y_valid = train_test_split(x, y, test_size=0.25, stratify=y, random_state=split)
    trained = Network(x, y, hidden=HIDDEN)
    return trained, trained.on(x_valid, y_valid), trained.on(x_test, y_test)


def train(name, settings, split, seeds, steps):
    """Runs of one rule, `settings` name -> values that broadcast against the seeds behind: the last points."""
    rule, _, fixed = RULES[name]
    trained, *_ = network(split)
    hyper = {key: np.asarray(value, float)[..., None] for key, value in settings.items()}
    hyper = {key: linear(v, steps) if key.endswith("alpha") else v for key, v in hyper.items()}
    seeds = np.asarray(seeds)
    options = {"batch": BATCH, "seed": seeds, "keep": None}
    return fit(rule, trained, trained.start(seeds), steps, **options, **hyper, **fixed).phi


def tuned(name, steps):
    """The mean validation likelihood of every setting, `(splits, *grid)`."""
    _, grid, _ = RULES[name]
    settings = dict(zip(grid, np.meshgrid(*grid.values(), indexing="ij")))
    return np.stack(
        [network(split)[1].negative_log_likelihood(train(name, settings, split, TUNING_SEEDS, steps)).mean(axis=-1)
         for split in SPLITS]
    )  # fmt: skip


def judged(name, steps, validation):
    """What the best setting of every split reaches on its test digits with new seeds."""
    _, grid, _ = RULES[name]
    results = {"chosen": [], "likelihood": [], "accuracy": []}
    for split, losses in zip(SPLITS, validation):
        losses = np.where(np.isfinite(losses), losses, np.inf)
        index = np.unravel_index(losses.argmin(), losses.shape)
        chosen = {key: values[i] for (key, values), i in zip(grid.items(), index)}
        phi, test = train(name, chosen, split, SEEDS, steps), network(split)[2]
        results["chosen"].append(list(chosen.values()))
        results["likelihood"].append(test.negative_log_likelihood(phi))
        results["accuracy"].append(test.accuracy(phi))
    return results


def main(names):
    """The rules named on the command line (all without a name); the results of the others stay."""
    results = load("matrix_rules")["results"] if (HERE / "matrix_rules.json").exists() else {}
    for name in names or RULES:
        results[name] = {}
        for steps in BUDGETS:
            validation = tuned(name, steps)
            results[name][str(steps)] = {
                "grid": RULES[name][1],
                "validation": np.mean(validation, axis=0),
                **judged(name, steps, validation),
            }
        store("matrix_rules", batch=BATCH, budgets=BUDGETS, splits=SPLITS, seeds=SEEDS, results=results)


if __name__ == "__main__":
    main(sys.argv[1:])
