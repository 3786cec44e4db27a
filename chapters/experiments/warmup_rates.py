"""The largest rate that trains, with and without warmup: SGD and Adam, shallow and deep networks.

A run trains if after eight epochs in batches of 32 it reads nine in ten of its own training digits (guessing:
one in ten). All rates and seeds of a case and a length of warmup are one
call of `fit`.
"""

import numpy as np

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network
from fitlib.optimizers import adam, gradient_descent
from fitlib.schedules import constant, warmup

from .records import mean_and_error, store

STEPS, BATCH, TRAINS = 336, 32, 0.9
WARMUPS = [0, 10, 100, 300]
OCTAVES = 0.5  # from one rate to the next


def octaves(low, high):
    return 2.0 ** np.arange(low, high + OCTAVES, OCTAVES)


DEEP = (64, 64, 64, 64)
# name: (rule, widths of the hidden layers, gain of the start, rates)
CASES = {
    "SGD, shallow": (gradient_descent, (64,), 2**0.5, octaves(-3, 1.5)),
    "SGD, deep": (gradient_descent, DEEP, 2**0.5, octaves(-5, 0)),
    "SGD, deep, twice the start": (gradient_descent, DEEP, 2 * 2**0.5, octaves(-6.5, -0.5)),
    "Adam, shallow": (adam, (64,), 2**0.5, octaves(-6, -1)),
    "Adam, deep": (adam, DEEP, 2**0.5, octaves(-8, -2.5)),
    "Adam, deep, twice the start": (adam, DEEP, 2 * 2**0.5, octaves(-8, -2.5)),
}


def train(case, rates, warmups=WARMUPS, seeds=range(10), progress=False):
    """Training accuracy and training loss at the end, each `(rates, warmups, seeds)`."""
    rule, hidden, gain, _ = CASES[case]
    network, seeds = Network(*digits()[:2], hidden=hidden), np.asarray(seeds)
    start, options = (
        network.start(seeds, gain),
        {"batch": BATCH, "seed": seeds, "keep": None, "progress": progress},
    )
    schedules = [warmup(constant(np.reshape(rates, (-1, 1))), m) for m in warmups]
    runs = [fit(rule, network, start, STEPS, alpha=alpha, **options) for alpha in schedules]
    accuracy, losses = [network.accuracy(run.phi) for run in runs], [run.losses[-1] for run in runs]
    return np.stack(accuracy, axis=1), np.stack(losses, axis=1)


def top(trains):
    """How far up the grid of rates a seed trains, in octaves above its lowest rate; below it where none does."""
    from_above = trains[::-1].argmax(axis=0)
    return OCTAVES * np.where(trains.any(axis=0), len(trains) - 1 - from_above, -1)


def summary(rates, accuracy, losses):
    """Per length of warmup: the largest rate at which all seeds train (0: none), and what is gained or lost.

    Both are paired over seeds, in octaves (doublings of the rate), with standard errors: how much further up a
    seed trains than without warmup, and how many rates below its top it no longer trains at (too slow for them).
    """
    trains = accuracy >= TRAINS
    highest, width = top(trains), OCTAVES * (trains.sum(axis=0) - 1)
    gaps = highest - width
    return {
        "largest_rate_that_trains": [rates[all_do].max(initial=0.0) for all_do in trains.all(axis=-1).T],
        "octaves_gained": mean_and_error(highest - highest[0]).T,
        "octaves_lost_below": mean_and_error(gaps - gaps[0]).T,
        "share_that_trains": trains.mean(axis=-1).T,
        "mean_loss": losses.mean(axis=-1).T,
    }


def main():
    results = {}
    for case, (_, hidden, gain, rates) in CASES.items():
        accuracy, losses = train(case, rates, seeds=range(20 if len(hidden) == 1 else 10), progress=True)
        results[case] = {
            "hidden": hidden,
            "gain": gain,
            "rates": rates,
            "seeds": accuracy.shape[-1],
            **summary(rates, accuracy, losses),
            "accuracy": accuracy,
        }
    store("warmup_rates", steps=STEPS, batch=BATCH, trains=TRAINS, warmups=WARMUPS, results=results)


if __name__ == "__main__":
    main()
