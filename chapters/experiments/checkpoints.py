"""Two measurements at a checkpoint: what a short cooldown takes off the loss, and what ten more epochs bring.

SGD with a constant rate on the digits, plain and with a floor (a fifth of the labels redrawn, weight decay). At
each checkpoint half an epoch is run three ways: on at the same rate, with the rate falling to zero, and as the
average of the points of the first. Then ten more epochs, at the same rate or a quarter of it, each with such a
cooldown at its end.
"""

import numpy as np

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network
from fitlib.optimizers import gradient_descent
from fitlib.schedules import linear

from .records import store

BATCH, EPOCH, HALF, MORE, SEEDS = 32, 42, 21, 10, 20
CHECKPOINTS = (5, 10, 20, 30)
# name: (share of labels redrawn, weight decay, rate)
CASES = {
    "plain, 0.125": (0.0, 0.0, 0.125),
    "plain, 0.5": (0.0, 0.0, 0.5),
    "plain, 1.0": (0.0, 0.0, 1.0),
    "with a floor, 0.5": (0.2, 1e-3, 0.5),
}


def measure(case, seeds=range(SEEDS), checkpoints=CHECKPOINTS):
    """The training losses by name, and the noise of a batch over the gradient, both squared: `(checkpoints, seeds)`."""
    noise, decay, alpha = CASES[case]
    network, seeds = Network(*digits(noise=noise)[:2], decay=decay), np.asarray(seeds)

    def go(phi, steps, rate, draw, keep=None):
        return fit(
            gradient_descent, network, phi, steps, batch=BATCH, seed=seeds + draw, alpha=rate, keep=keep
        )

    found, phi, done = [], network.start(seeds), 0
    for epoch in checkpoints:
        phi, done = go(phi, (epoch - done) * EPOCH, alpha, 1000 * epoch).phi, epoch
        on = go(phi, HALF, alpha, 100, keep=1)
        values = {
            "on": on.losses[-1],
            "cooled": go(phi, HALF, linear(alpha, HALF), 100).losses[-1],
            "averaged": network(on.path[1:].mean(axis=0)),
            "noise over gradient": network.noise_scale(phi) / BATCH,
        }
        for name, rate in {"same rate": alpha, "quarter": alpha / 4}.items():
            later = go(phi, MORE * EPOCH, rate, 300).phi
            values[f"{name}, cooled"] = go(later, HALF, linear(rate, HALF), 400).losses[-1]
        found.append(values)
    return {name: np.array([values[name] for values in found]) for name in found[0]}


def main():
    results = {case: measure(case) for case in CASES}
    store("checkpoints", batch=BATCH, checkpoints=CHECKPOINTS, more=MORE, seeds=SEEDS, results=results)


if __name__ == "__main__":
    main()
