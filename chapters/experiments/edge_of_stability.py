"""Sharpness along full-batch descent: it rises to 2/alpha and hovers, or passes it for a while and falls again."""

import numpy as np
from tqdm import tqdm

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network, sharpness
from fitlib.optimizers import gradient_descent
from fitlib.schedules import constant, multi_step

from .records import store

# steps at which the sharpness is computed: densely at first, where cross-entropy has its peak
LOOKS = np.array([0, 4, 8, 12, 16, 24, 32, 48, 64, 100, *range(200, 3000, 200)])
SEEDS = range(3)
# name: (error, centered inputs, rate as a function of the step, steps); all tanh, deviation 0.5/√fan-in
CASES = {
    "squared error, 0.2": ("squared_error", False, constant(0.2), 2000),
    "squared error, 0.1": ("squared_error", False, constant(0.1), 2400),
    "squared error, 0.2 then 0.1": ("squared_error", False, multi_step(0.2, [600], 0.5), 2000),
    "squared error, 0.2, centered": ("squared_error", True, constant(0.2), 2000),
    "squared error, 0.8, centered": ("squared_error", True, constant(0.8), 1200),
    "cross-entropy, 0.2": ("cross_entropy", False, constant(0.2), 1000),
    "cross-entropy, 1.0": ("cross_entropy", False, constant(1.0), 2000),
}


def follow(error, center, alpha, steps, seeds=SEEDS, progress=False):
    """At the looks up to `steps`: the steps, the rate there, sharpness times rate/2 and losses `(looks, seeds)`."""
    network = Network(*digits(center=center)[:2], activation="tanh", error=error)
    start = network.start(np.asarray(seeds), gain=0.5)
    run = fit(gradient_descent, network, start, steps, keep=4, alpha=alpha, progress=progress)
    looks = LOOKS[steps >= LOOKS]
    points = tqdm(run.path[looks // 4], unit="Hessian", leave=False, disable=not progress)
    rates = alpha(looks + 1)
    ratio = np.array([sharpness(network, phi) for phi in points]) * rates[:, None] / 2
    return looks, rates, ratio, run.losses[looks // 4]


def main():
    results = {}
    for case, settings in CASES.items():
        looks, rates, ratio, losses = follow(*settings, progress=True)
        results[case] = {
            "steps": looks,
            "rates": rates,
            "sharpness_times_half_alpha": ratio.T,
            "losses": losses.T,
        }
    store("edge_of_stability", results=results)


if __name__ == "__main__":
    main()
