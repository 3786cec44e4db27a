"""Training curves of the digits network under every schedule, to lay over each other: means over seeds."""

import numpy as np
from tqdm import tqdm

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network
from fitlib.optimizers import adam, gradient_descent

from .records import mean_and_error, store
from .schedules_on_digits import BATCH, EPOCH, SCHEDULES

EPOCHS, SEEDS = 10, 20
RULES = {"SGD": (gradient_descent, [0.25, 0.5, 1.0]), "Adam": (adam, [0.004, 0.01, 0.03])}


def follow(rule, schedule, seeds=range(SEEDS)):
    """Training losses `(kept, rates, seeds)`, one every half epoch and the start."""
    (step, rates), network, seeds = RULES[rule], Network(*digits()[:2]), np.asarray(seeds)
    alpha = SCHEDULES[schedule](np.reshape(rates, (-1, 1)), EPOCHS * EPOCH)
    options = {"batch": BATCH, "seed": seeds, "keep": EPOCH // 2}
    return fit(step, network, network.start(seeds), EPOCHS * EPOCH, alpha=alpha, **options).losses


def main():
    results = {rule: {} for rule in RULES}
    for rule in RULES:
        for schedule in tqdm(SCHEDULES, desc=rule, leave=False):
            mean, error = mean_and_error(follow(rule, schedule))
            results[rule][schedule] = {"mean": mean.T, "error_at_the_end": error[-1]}
    rates = {rule: rates for rule, (_, rates) in RULES.items()}
    steps = np.arange(0, EPOCHS * EPOCH + 1, EPOCH // 2)
    store("training_curves", batch=BATCH, seeds=SEEDS, steps=steps, rates=rates, results=results)


if __name__ == "__main__":
    main()
