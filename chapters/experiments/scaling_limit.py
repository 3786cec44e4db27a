"""Where linear scaling of SGD breaks, and the curvature: the digits network with inputs halved, kept and doubled.

Doubling the inputs makes the surface steeper. Measured are 2/λmax, the limit of the rate, along one run at a small
rate, and the final losses along lines of linear scaling.
"""

import numpy as np

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network, sharpness
from fitlib.optimizers import gradient_descent

from .records import store

EPOCHS, SEEDS = 8, range(5)
BATCHES = 2 ** np.arange(3, 9)
LOOKS = np.array([0, 14, 28, 42, 84, 168, 336])  # steps of 32 pictures
# factor of the inputs: the rate of the run whose curvature is followed, at b = 32
CASES = {0.5: 0.125, 1.0: 0.0625, 2.0: 0.03125}
RATES = 2.0 ** np.arange(-7, -0.9)  # at the smallest batch; beyond, the small batch itself is near its limit


def limits(factor, seeds=SEEDS, looks=LOOKS):
    """2/λmax along a run at b = 32, `(looks, seeds)`."""
    x, y, *_ = digits()
    network, seeds = Network(factor * x, y), np.asarray(seeds)
    options = {"batch": 32, "seed": seeds, "keep": 14, "alpha": CASES[factor]}
    run = fit(gradient_descent, network, network.start(seeds), int(looks[-1]), **options)
    return np.array([2 / sharpness(network, run.path[step // 14]) for step in looks])


def lines(factor, seeds=SEEDS, batches=BATCHES):
    """Final training losses along lines of linear scaling, `(batches, rates, seeds)`."""
    x, y, *_ = digits()
    network, seeds = Network(factor * x, y), np.asarray(seeds)
    found = []
    for b in batches:
        options = {"batch": int(b), "seed": seeds, "keep": None, "alpha": (RATES * b / BATCHES[0])[:, None]}
        steps = EPOCHS * (len(y) // b)
        found.append(fit(gradient_descent, network, network.start(seeds), steps, **options).losses[-1])
    return np.array(found)


def breaks(losses):
    """For each line the last rate within a tenth of the loss at the smallest batch, and the next; nan beyond."""
    mean = losses.mean(axis=-1)
    near = np.cumprod(np.abs(mean / mean[0] - 1) < 0.1, axis=0).sum(axis=0)
    rates = RATES * BATCHES[near - 1] / BATCHES[0]
    return rates, np.where(near < len(BATCHES), 2 * rates, np.nan)


def main():
    results = {}
    for factor in CASES:
        losses = lines(factor)
        good, bad = breaks(losses)
        results[factor] = {
            "limit_along_a_run": limits(factor).T,
            "losses": losses,
            "last_good_rate": good,
            "first_bad_rate": bad,
        }
    settings = {"epochs": EPOCHS, "seeds": SEEDS, "batches": BATCHES, "looks": LOOKS, "rates": RATES}
    store("scaling_limit", **settings, run_rates=CASES, results=results)


if __name__ == "__main__":
    main()
