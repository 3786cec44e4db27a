"""Sharpness along full-batch descent: it rises to 2/alpha and hovers, or rises and falls again."""

import numpy as np
from tqdm import tqdm

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network, sharpness
from fitlib.optimizers import gradient_descent

from .records import store

EVERY = 100
# name: (error, centered inputs, rate, steps, seeds); all tanh, weights of deviation 0.5/√fan-in
CASES = {
    "squared error, 0.2": ("squared_error", False, 0.2, 2000, 5),
    "squared error, 0.1": ("squared_error", False, 0.1, 3000, 5),
    "squared error, 0.2, centered": ("squared_error", True, 0.2, 2000, 3),
    "cross-entropy, 0.2": ("cross_entropy", False, 0.2, 2000, 3),
    "cross-entropy, 1.0": ("cross_entropy", False, 1.0, 2000, 3),
}


def follow(error, center, alpha, steps, seeds, every=EVERY, progress=False):
    """Steps `(kept,)`, sharpness times alpha/2 and training losses `(kept, seeds)`."""
    network = Network(*digits(center=center)[:2], activation="tanh", error=error)
    start = network.start(np.asarray(seeds), gain=0.5)
    run = fit(gradient_descent, network, start, steps, keep=every, alpha=alpha, progress=progress)
    points = tqdm(run.path, unit="Hessian", leave=False, disable=not progress)
    return run.steps, np.array([sharpness(network, phi) for phi in points]) * alpha / 2, run.losses


def main():
    results = {}
    for case, (error, center, alpha, steps, seeds) in CASES.items():
        kept, ratio, losses = follow(error, center, alpha, steps, range(seeds), progress=True)
        results[case] = {
            "alpha": alpha,
            "steps": kept,
            "sharpness_times_half_alpha": ratio.T,
            "losses": losses.T,
        }
    store("edge_of_stability", results=results)


if __name__ == "__main__":
    main()
