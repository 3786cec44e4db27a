"""The limit 2/λmax along the warmup of the six cases of `warmup_rates`, each at the largest rate that trains there."""

import numpy as np

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network, sharpness
from fitlib.schedules import constant, warmup

from .records import load, store
from .warmup_rates import BATCH, CASES, WARMUPS

STEPS, SEEDS = 10, range(3)  # of warmup
LOOKS = np.array([0, 5, 10, 20, 40])


def follow(case, alpha, seeds=SEEDS, looks=LOOKS):
    """2/λmax at the looks of a run with ten steps of warmup to `alpha`, `(looks, seeds)`."""
    rule, hidden, gain, _ = CASES[case]
    network, seeds = Network(*digits()[:2], hidden=hidden), np.asarray(seeds)
    rate = warmup(constant(alpha), STEPS)
    options = {"batch": BATCH, "seed": seeds, "keep": 5, "alpha": rate}
    run = fit(rule, network, network.start(seeds, gain), int(looks[-1]), **options)
    return np.array([2 / sharpness(network, run.path[step // 5]) for step in looks])


def main():
    results, known = {}, load("warmup_rates")["results"]
    for case in CASES:
        alpha = known[case]["largest_rate_that_trains"][WARMUPS.index(STEPS)]
        results[case] = {"alpha": alpha, "limit": follow(case, alpha).T}
    store("warmup_curvature", warmup=STEPS, seeds=SEEDS, looks=LOOKS, results=results)


if __name__ == "__main__":
    main()
