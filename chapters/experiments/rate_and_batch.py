"""Rates and batch sizes: eight epochs of the digits network at every pair of them, for SGD and Adam.

Batch sizes double, rates grow by √2: so linear and square-root scaling are lines through one table, and
no run is made twice.
"""

import numpy as np

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network
from fitlib.optimizers import adam, gradient_descent

from .records import mean_and_error, store

EPOCHS, SEEDS = 8, 5
TRAINS = 1.0  # a run trains if it ends with a training loss below this; it begins near 2.5
BATCHES = 2 ** np.arange(1, 9)
RULES = {
    "SGD": (gradient_descent, 2.0 ** np.arange(-9, 1.1, 0.5)),
    "Adam": (adam, 2.0 ** np.arange(-13, -2.9, 0.5)),
}
SCALINGS = {"linear": 2, "square root": 1}  # entries of the list of rates per doubling of the batch
FITTED = (BATCHES >= 4) & (BATCHES <= 64)


def train(name, batch, rates, seeds=range(SEEDS), progress=False, **hyper):
    """Training loss after each epoch `(epochs + 1, rates, seeds)` and test likelihood `(rates, seeds)`."""
    x, y, x_test, y_test = digits()
    network, rule, seeds = Network(x, y), RULES[name][0], np.asarray(seeds)
    steps = len(y) // batch
    run = fit(
        rule,
        network,
        network.start(seeds),
        EPOCHS * steps,
        batch=int(batch),
        seed=seeds,
        keep=steps,
        progress=progress,
        alpha=np.reshape(rates, (-1, 1)),
        **hyper,
    )
    return run.losses, network.on(x_test, y_test).negative_log_likelihood(run.phi)


def best_rate(rates, losses):
    """The rate at the lowest loss, by a parabola through the best rate and its neighbors; `(seeds,)`."""
    log_rate, log_loss = np.log(rates), np.log(np.nan_to_num(losses, nan=np.inf))
    best = np.clip(log_loss.argmin(axis=0), 1, len(rates) - 2)
    low, here, high = (np.take_along_axis(log_loss, best[None] + k, axis=0)[0] for k in (-1, 0, 1))
    shift = np.clip((low - high) / (2 * (low - 2 * here + high)), -1, 1)
    return np.exp(log_rate[best] + shift * (log_rate[1] - log_rate[0]))


def scaled(losses, first, per_doubling):
    """Final losses `(batches, seeds)` along a scaling that begins with rate `first` at the smallest batch."""
    rates = first + per_doubling * np.arange(len(BATCHES))
    inside = rates < losses.shape[1]
    return np.where(inside[:, None], losses[np.arange(len(BATCHES)), np.where(inside, rates, 0)], np.nan)


def holds_to(losses):
    """The largest batch up to which the mean loss stays within a tenth of that at the smallest batch."""
    mean = losses.mean(axis=-1)
    near = np.abs(mean / mean[0] - 1) < 0.1
    return BATCHES[np.cumprod(near).sum() - 1]


def summary(rates, losses, likelihood):
    """Best rates with the exponent of their growth, largest rates that train, and both scalings."""
    final = losses[:, -1]
    result = {
        "largest_rate_that_trains": [rates[np.flatnonzero(row.max(axis=-1) < TRAINS)[-1]] for row in final]
    }
    for kind, table in {"training_loss": final, "test_likelihood": likelihood}.items():
        best = np.array([best_rate(rates, row) for row in table])
        slopes = np.polyfit(np.log(BATCHES[FITTED]), np.log(best[FITTED]), 1)[0]
        result[kind] = {
            "best_rate": np.exp(np.log(best).mean(axis=-1)),
            "exponent_4_to_64": mean_and_error(slopes),
            "exponent_64_to_256": mean_and_error(np.log2(best[-1] / best[-3]) / 2),
        }
    for scaling, per_doubling in SCALINGS.items():
        lines = [scaled(final, first, per_doubling) for first in range(0, len(rates), 2)]
        result[scaling] = {
            "rate_at_batch_2": rates[::2],
            "final_loss": [line.mean(axis=-1) for line in lines],
            "standard_error": [mean_and_error(line)[1] for line in lines],
            "within_a_tenth_up_to": [holds_to(line) for line in lines],
        }
    return result


def with_betas(rates, seeds=range(SEEDS), progress=False):
    """Final losses `(batches, rates, seeds)` of Adam where its memory, counted in data points, is kept.

    The square-root rule of Malladi et al. (2022): with κ = batch/32 the rate grows by √κ, 1 − beta and
    1 − gamma by κ, and eps falls by √κ.
    """
    losses = []
    for batch in BATCHES:
        k = batch / 32
        hyper = {"beta": max(1 - 0.1 * k, 0.0), "gamma": 1 - 0.001 * k, "eps": 1e-8 / k**0.5}
        losses.append(train("Adam", batch, k**0.5 * rates, seeds, progress, **hyper)[0][-1])
    return np.array(losses)


def main():
    results = {}
    for name, (_, rates) in RULES.items():
        runs = [train(name, batch, rates, progress=True) for batch in BATCHES]
        losses, likelihood = (np.array(part) for part in zip(*runs, strict=True))
        results[name] = {
            "rates": rates,
            **summary(rates, losses, likelihood),
            "curves": losses.mean(axis=-1),
            "losses": losses[:, -1],
            "likelihoods": likelihood,
        }
    rates = 2.0 ** np.arange(-11, -4)
    losses = with_betas(rates, progress=True)
    results["Adam, betas scaled too"] = {
        "rate_at_batch_32": rates,
        "final_loss": losses.mean(axis=-1).T,
        "standard_error": mean_and_error(losses)[1].T,
    }
    store("rate_and_batch", epochs=EPOCHS, seeds=SEEDS, batches=BATCHES, trains=TRAINS, results=results)


if __name__ == "__main__":
    main()
