"""All rules side by side, each with the same budget for its rate: 21 rates, an octave apart.

The rate is chosen on one half of the starts (or seeds) and judged on the other. In a valley
a rule is judged by the steps it takes to a loss of 1e-4, on the Gabor loss by the
share of starts that find the best minimum, on digits by the training loss after eight epochs.
"""

import numpy as np
from tqdm import tqdm

from fitlib import gabor, losses, optimizers
from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network

from .records import mean_and_error, paired, store

NAMES = """gradient_descent clipped_gradient_descent momentum nesterov adagrad rmsprop adadelta
adam adamw amsgrad""".split()
RULES = {name: getattr(optimizers, name) for name in NAMES}
RATES = 2.0 ** np.arange(-14, 7)
STEPS, STARTS, LEVEL = 1000, 400, 1e-4
VALLEYS = {
    "quadratic": losses.quadratic.at(kappa=100),
    "rotated valley": losses.rotated_valley.at(kappa=100),
    "rosenbrock": losses.rosenbrock,
}
BATCH, EPOCHS, EPOCH, SPLITS, SEEDS, TUNING_SEEDS = 32, 8, 42, range(5), range(20), range(100, 102)


def starts(loss):
    """`STARTS` points drawn evenly from the box of `loss`, `(2, STARTS)`."""
    low, high = np.array(loss.box).T
    return np.random.default_rng(0).uniform(low, high, (STARTS, 2)).T


def steps_needed(rule, loss):
    """The first step at which the loss is below `LEVEL`, inf if none is, `(rates, starts)`."""
    run = fit(rule, loss, starts(loss)[:, None], STEPS, alpha=RATES[:, None])
    below = run.losses < LEVEL
    return np.where(below.any(axis=0), below.argmax(axis=0), np.inf)


def in_a_valley(rule, loss):
    """The best rate on half of the starts, and the steps that the others need with it.

    Best is the lowest mean, where a start that does not arrive counts `STEPS`. The median is given with the
    interval that holds two thirds of its bootstrap.
    """
    tuning, judged = np.split(steps_needed(rule, loss), 2, axis=1)
    best = np.minimum(tuning, STEPS).mean(axis=1).argmin()
    resampled = np.random.default_rng(1).choice(judged[best], (1000, STARTS // 2))
    return {
        "rate": RATES[best],
        "median_steps": np.median(judged[best]),
        "interval": np.quantile(np.median(resampled, axis=1), [1 / 6, 5 / 6], method="nearest"),
        "share_that_arrives": np.isfinite(judged[best]).mean(),
        "octaves_that_arrive": (np.median(judged, axis=1) < np.inf).sum(),
    }


def on_gabor(rule):
    """The best rate on half of the starts, and the share of the others that finds the best minimum."""
    _, values, index = losses.critical_points(gabor.loss)
    level = values[index == 0][:2].mean()
    run = fit(rule, gabor.loss, starts(gabor.loss)[:, None], 300, keep=None, alpha=RATES[:, None])
    tuning, judged = np.split(run.losses[-1] < level, 2, axis=1)
    best = tuning.mean(axis=1).argmax()
    share, error = mean_and_error(judged[best])
    near = judged.mean(axis=1) > share - 2 * error
    return {"rate": RATES[best], "share": share, "error": error, "octaves_within_two_errors": near.sum()}


def train(rule, rates, split, seeds):
    """Training loss, test likelihood and test accuracy after eight epochs, each `(rates, seeds)`."""
    x, y, x_test, y_test = digits(split)
    network, seeds = Network(x, y), np.asarray(seeds)
    options = {"batch": BATCH, "seed": seeds, "keep": None, "alpha": np.reshape(rates, (-1, 1))}
    run = fit(RULES[rule], network, network.start(seeds), EPOCHS * EPOCH, **options)
    test = network.on(x_test, y_test)
    return np.array([run.losses[-1], test.negative_log_likelihood(run.phi), test.accuracy(run.phi)])


def on_digits(rule):
    """The best rate by the training loss of some seeds; what other seeds reach with it, `(splits, seeds)`."""
    tuning = np.nanmean([train(rule, RATES, split, TUNING_SEEDS)[0] for split in SPLITS], axis=(0, 2))
    best = RATES[np.nanargmin(tuning)]
    loss, likelihood, accuracy = np.stack(
        [train(rule, [best], split, SEEDS)[:, 0] for split in SPLITS], axis=1
    )
    return {
        "rate": best,
        "loss": loss,
        "likelihood": likelihood,
        "accuracy": accuracy,
        "octaves_within_twice_the_loss": (tuning < 2 * np.nanmin(tuning)).sum(),
        "tuning": tuning,
    }


def main():
    results = {name: {} for name in [*VALLEYS, "gabor", "digits"]}
    for name, rule in tqdm(RULES.items(), leave=False):
        if name != "adamw":  # its decay draws towards zero, where two of these minima happen to lie
            results["gabor"][name] = on_gabor(rule)
            for valley, loss in VALLEYS.items():
                results[valley][name] = in_a_valley(rule, loss)
        results["digits"][name] = on_digits(name)
    for result in results["digits"].values():
        for kind in ("loss", "likelihood", "accuracy"):
            result[f"mean_{kind}"] = mean_and_error(result[kind].ravel())
            result[f"{kind}_minus_adam"] = paired(result[kind] - results["digits"]["adam"][kind])
    settings = {
        "batch": BATCH,
        "epochs": EPOCHS,
        "splits": SPLITS,
        "seeds": SEEDS,
        "tuning_seeds": TUNING_SEEDS,
    }
    store("rules_compared", rates=RATES, steps=STEPS, starts=STARTS, level=LEVEL, **settings, results=results)


if __name__ == "__main__":
    main()
