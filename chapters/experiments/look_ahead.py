"""What the look-ahead gains: momentum and Nesterov on the digits network, each at its own best rate.

Every pair of runs shares its split of the data, its start and its batches, so that differences are paired.
"""

import numpy as np

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network
from fitlib.optimizers import momentum, nesterov

from .records import mean_and_error, store

BATCH, EPOCHS, SPLITS, SEEDS = 32, 5, range(5), range(4)
RATES, BETAS = 2.0 ** np.arange(-2, 3.1, 0.5), (0.5, 0.9, 0.98)
RULES = {"momentum": momentum, "Nesterov": nesterov}


def train(rule, beta, split, seeds=SEEDS, rates=RATES):
    """Training loss and test likelihood after the last epoch, `(2, rates, seeds)`."""
    x, y, x_test, y_test = digits(split)
    network, seeds = Network(x, y), np.asarray(seeds)
    steps = EPOCHS * (len(y) // BATCH)
    hyper = {"alpha": np.reshape(rates, (-1, 1)), "beta": beta}
    run = fit(rule, network, network.start(seeds), steps, batch=BATCH, seed=seeds, keep=None, **hyper)
    return np.array([run.losses[-1], network.on(x_test, y_test).negative_log_likelihood(run.phi)])


def main():
    results = {}
    for beta in BETAS:
        table = {}
        for name, rule in RULES.items():
            table[name] = np.concatenate([train(rule, beta, split) for split in SPLITS], axis=-1)
        for k, kind in enumerate(("training_loss", "test_likelihood")):
            pairs = {name: np.nan_to_num(values[k], nan=np.inf) for name, values in table.items()}
            best = {name: values[values.mean(axis=-1).argmin()] for name, values in pairs.items()}
            results[f"{kind}, beta {beta}"] = {
                "per_run": pairs,
                "mean": {name: values.mean(axis=-1) for name, values in pairs.items()},
                "best_rate": {name: RATES[values.mean(axis=-1).argmin()] for name, values in pairs.items()},
                "best": {name: mean_and_error(values) for name, values in best.items()},
                "difference_at_best": mean_and_error(best["Nesterov"] - best["momentum"]),
                "difference_at_equal_rates": mean_and_error(pairs["Nesterov"] - pairs["momentum"]).T,
            }
    store(
        "look_ahead",
        batch=BATCH,
        epochs=EPOCHS,
        splits=len(SPLITS),
        seeds=len(SEEDS),
        rates=RATES,
        results=results,
    )


if __name__ == "__main__":
    main()
