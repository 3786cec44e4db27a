"""Where a constant rate ends: the noise floor of softmax regression, and what a falling rate makes of it.

Softmax regression on digits with weight decay has one minimum, found here by L-BFGS, so the excess over its
loss is known. To measure the floor, runs start at the minimum: what they gain in loss is noise alone.
"""

import numpy as np
from scipy.optimize import minimize

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network
from fitlib.optimizers import gradient_descent
from fitlib.schedules import constant, cosine, linear, warmup_stable_decay

from .records import mean_and_error, store

DECAY, BATCH, EPOCHS, SEEDS = 0.01, 16, 60, 10
FALLING_SEEDS = 20  # the rate is chosen on the first half, and judged on the second
STEPS = 1347 // BATCH  # of an epoch
RATES = 2.0 ** np.arange(-6, 0.1)
FALLING = {
    "constant": lambda alpha, steps: constant(alpha),
    "linear": linear,
    "cosine": cosine,
    "cooldown, 20 %": lambda alpha, steps: warmup_stable_decay(alpha, steps, down=0.2),
}


def problem():
    """The network, its minimum `(n,)` and the loss there."""
    network = Network(*digits()[:2], hidden=(), decay=DECAY)
    options = {"maxiter": 5000, "ftol": 1e-16, "gtol": 1e-10, "maxcor": 50}
    best = minimize(network, np.zeros(network.n), jac=network.gradient, method="L-BFGS-B", options=options)
    return network, best.x, best.fun


def floors(rates=RATES, seeds=range(SEEDS), epochs=EPOCHS, progress=False):
    """Mean excess over the second half of the time, `(rates, seeds)`, by how batches are drawn."""
    network, phi, least = problem()
    options = {"batch": BATCH, "seed": np.asarray(seeds), "keep": STEPS // 2, "progress": progress}
    alpha, steps = np.reshape(rates, (-1, 1)), epochs * (STEPS // 2) * 2
    independent = fit(gradient_descent, network, phi, steps, replace=True, alpha=alpha, **options)
    shuffled = fit(gradient_descent, network, phi, steps, alpha=alpha, **options)
    late = slice(epochs, None)
    return {
        "independent": (independent.losses[late] - least).mean(axis=0),
        "epoch ends": (shuffled.losses[late][::2] - least).mean(axis=0),
        "mid-epoch": (shuffled.losses[late][1::2] - least).mean(axis=0),
    }


def falling(name, rates=RATES, seeds=range(FALLING_SEEDS), epochs=EPOCHS, progress=False):
    """Excess after `epochs` from zero, batches independent, `(rates, seeds)`; `name` is one of FALLING."""
    network, _, least = problem()
    steps, seeds = epochs * STEPS, np.asarray(seeds)
    alpha = FALLING[name](np.reshape(rates, (-1, 1)), steps)
    options = {"batch": BATCH, "seed": seeds, "replace": True, "keep": None, "progress": progress}
    return (
        fit(gradient_descent, network, np.zeros(network.n), steps, alpha=alpha, **options).losses[-1] - least
    )


def main():
    network, phi, least = problem()
    gradient = (network.gradient(phi) - DECAY * phi) ** 2
    spread = network.noise_scale(phi) * gradient.sum()
    excess = floors(progress=True)
    ends = {name: falling(name, progress=True) for name in FALLING}
    store(
        "noise_floor",
        decay=DECAY,
        batch=BATCH,
        epochs=EPOCHS,
        seeds=SEEDS,
        rates=RATES,
        least_loss=least,
        trace_of_covariance=spread,
        theory=RATES * spread / (4 * BATCH),
        excess={name: mean_and_error(values).T for name, values in excess.items()},
        local_slopes={name: np.diff(np.log2(values.mean(axis=-1))) for name, values in excess.items()},
        excess_per_seed=excess,
        falling_per_seed=ends,
    )


if __name__ == "__main__":
    main()
