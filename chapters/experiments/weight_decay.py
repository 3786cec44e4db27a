"""Decay or penalty: AdamW and Adam with an L2 penalty on 200 digits, rate and strength tuned for both.

Rate and strength are chosen by the likelihood of validation data, the training pictures that are left over;
the choice is judged on test data. Splits are independent, starts are not: the mean of a split counts once.
"""

import numpy as np

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network
from fitlib.optimizers import adam, adamw

from .records import store

POINTS, BATCH, STEPS, SPLITS, SEEDS = 200, 20, 1500, range(8), range(3)
RATES = np.array([0.00075, 0.0015, 0.003, 0.006, 0.012])
DECAYS = {
    "AdamW": np.array([0, 0.0125, 0.025, 0.05, 0.1, 0.2, 0.4]),
    "L2": np.array([0, 0.000125, 0.00025, 0.0005, 0.001, 0.002, 0.004]),
}


def adam_l2(t, phi, grad, m=0.0, v=0.0, *, alpha, decay=0.01):
    """Adam on the loss plus decay/2 · |φ|²."""
    return adam(t, phi, lambda phi: grad(phi) + decay * phi, m, v, alpha=alpha)


RULES = {"AdamW": adamw, "L2": adam_l2}


def train(name, split, rates=RATES, decays=None, seeds=SEEDS):
    """Negative log-likelihood of validation and test data after the last step, `(2, rates, decays, seeds)`."""
    x, y, x_test, y_test = digits(split)
    net, seeds = Network(x[:POINTS], y[:POINTS], hidden=(32,)), np.asarray(seeds)
    decays = DECAYS[name] if decays is None else np.asarray(decays)
    begin = np.broadcast_to(net.start(seeds)[:, None, None], (net.n, len(rates), len(decays), len(seeds)))
    hyper = {"alpha": np.reshape(rates, (-1, 1, 1)), "decay": decays[:, None]}
    run = fit(RULES[name], net, begin, STEPS, batch=BATCH, seed=seeds, keep=None, **hyper)
    judges = (x[POINTS:], y[POINTS:]), (x_test, y_test)
    return np.array([net.on(*data).negative_log_likelihood(run.phi) for data in judges])


def main():
    results = {name: np.stack([train(name, split) for split in SPLITS], axis=-2) for name in RULES}
    store(
        "weight_decay",
        points=POINTS,
        batch=BATCH,
        steps=STEPS,
        rates=RATES,
        decays=DECAYS,
        axes="validation and test, rates, decays, splits, seeds",
        likelihoods={name: np.nan_to_num(values, nan=np.inf) for name, values in results.items()},
    )


if __name__ == "__main__":
    main()
