"""The gradient noise scale tr Σ / |G|² along training: exact, from all data, for SGD and Adam."""

import numpy as np

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network
from fitlib.optimizers import adam, gradient_descent

from .records import mean_and_error, store

BATCH, EPOCHS, SEEDS, EVERY = 32, 8, 8, 14  # three looks per epoch of 42 steps
RULES = {"SGD": (gradient_descent, 0.25), "Adam": (adam, 0.004)}


def follow(name, seeds=range(SEEDS), epochs=EPOCHS, progress=False):
    """Steps `(kept,)`, noise scale and training loss `(kept, seeds)`."""
    network, (rule, alpha), seeds = Network(*digits()[:2]), RULES[name], np.asarray(seeds)
    options = {"batch": BATCH, "seed": seeds, "keep": EVERY, "progress": progress}
    run = fit(rule, network, network.start(seeds), epochs * 42, alpha=alpha, **options)
    return run.steps, np.array([network.noise_scale(phi) for phi in run.path]), run.losses


def main():
    results = {}
    for name, (_, alpha) in RULES.items():
        steps, scale, losses = follow(name, progress=True)
        logarithm = mean_and_error(np.log(scale))
        results[name] = {
            "alpha": alpha,
            "steps": steps,
            "noise_scale": np.exp(logarithm[0]),
            "relative_error": logarithm[1],
            "mean_loss": losses.mean(axis=-1),
            "per_seed": scale.T,
        }
    store("noise_scale", batch=BATCH, epochs=EPOCHS, seeds=SEEDS, results=results)


if __name__ == "__main__":
    main()
