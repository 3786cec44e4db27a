"""All rules side by side in three valleys and on the Gabor loss, each with the same budget for its rate.

The settings are chosen on one half of the starts and judged on the other. In a valley a rule is judged by the
step from which its loss *stays* below a level, until the end of the run; beside it stands the first step below
the level. On the Gabor loss it is the share of starts that find the best minimum. A second sweep of the valleys
tunes one more hyperparameter with the rate.
"""

import numpy as np
from tqdm import tqdm

from fitlib import gabor, losses, optimizers
from fitlib.fitting import fit
from fitlib.sweeps import best

from .records import mean_and_error, store

NAMES = """gradient_descent clipped_gradient_descent momentum nesterov adagrad rmsprop adadelta
adam amsgrad""".split()  # AdamW's decay draws towards zero, where two of these minima happen to lie
RULES = {name: getattr(optimizers, name) for name in NAMES}
RATES = 2.0 ** np.arange(-14, 14)
STEPS, STARTS, LEVEL = 1000, 400, 1e-4
VALLEYS = {
    "quadratic": losses.quadratic.at(kappa=100),
    "rotated valley": losses.rotated_valley.at(kappa=100),
    "rosenbrock": losses.rosenbrock,
}
SECOND = {
    "momentum": ("beta", [0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995]),
    "nesterov": ("beta", [0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995]),
    "rmsprop": ("gamma", [0.5, 0.9, 0.99, 0.999]),
    "adam": ("gamma", [0.5, 0.9, 0.99, 0.999, 0.9999]),
    "amsgrad": ("gamma", [0.5, 0.9, 0.99, 0.999, 0.9999]),
}


def starts(loss):
    """`STARTS` points drawn evenly from the box of `loss`, `(2, STARTS)`."""
    low, high = np.array(loss.box).T
    return np.random.default_rng(0).uniform(low, high, (STARTS, 2)).T


def steps_needed(rule, loss, **hyper):
    """The step from which the loss stays below `LEVEL` and the first one below it, `(2, rates, starts)`; inf: never."""
    run = fit(rule, loss, starts(loss)[:, None], STEPS, alpha=RATES[:, None], **hyper)
    below = run.losses < LEVEL
    stays = len(below) - below[::-1].argmin(axis=0)
    first = np.where(below.any(axis=0), below.argmax(axis=0), np.inf)
    return np.stack([np.where(below.all(axis=0), 0, np.where(below[-1], stays, np.inf)), first])


def judged(steps, chosen):
    """The median over starts with an interval that holds two thirds of its bootstrap, and the share that arrives."""
    resampled = np.random.default_rng(1).choice(steps, (1000, len(steps)))
    interval = np.quantile(np.median(resampled, axis=1), [1 / 6, 5 / 6], method="nearest")
    return {
        **chosen,
        "median_steps": np.median(steps),
        "interval": interval,
        "share_that_arrives": np.isfinite(steps).mean(),
    }


def in_a_valley(rule, loss, criterion, name="gamma", values=(None,)):
    """What the other half of the starts needs at the best setting of one half; `criterion`: 0 stays, 1 first.

    Best is the lowest mean, where a start that does not arrive counts `STEPS`; `at_the_edge` names the settings whose
    best value is the last one tried.
    """
    hypers = [{} if value is None else {name: value} for value in values]
    steps = np.array([steps_needed(rule, loss, **hyper)[criterion] for hyper in hypers])
    tuning, others = np.split(steps, 2, axis=2)
    means = np.minimum(tuning, STEPS).mean(axis=2)
    axes = {"rate": RATES} if values == (None,) else {name: values, "rate": RATES}
    found = best(means[0] if len(axes) == 1 else means, ends=axes, **axes)
    index = found.index if len(axes) == 2 else (0, *found.index)
    chosen = {**found.settings, "at_the_edge": found.edges}
    octaves = (np.median(others[index[0]], axis=1) < np.inf).sum()
    return {**judged(others[index], chosen), "octaves_that_arrive": octaves}


def on_gabor(rule):
    """The best rate on half of the starts, and the share of the others that finds the best minimum."""
    _, values, index = losses.critical_points(gabor.loss)
    level = values[index == 0][:2].mean()
    run = fit(rule, gabor.loss, starts(gabor.loss)[:, None], 300, keep=None, alpha=RATES[:21, None])
    tuning, others = np.split(run.losses[-1] < level, 2, axis=1)
    chosen = tuning.mean(axis=1).argmax()
    share, error = mean_and_error(others[chosen])
    near = others.mean(axis=1) > share - 2 * error
    return {"rate": RATES[chosen], "share": share, "error": error, "octaves_within_two_errors": near.sum()}


def main():
    results = {"first": {}, "stays": {}, "tuned": {}, "gabor": {}}
    for name, rule in tqdm(RULES.items(), leave=False):
        results["gabor"][name] = on_gabor(rule)
        for valley, loss in VALLEYS.items():
            for criterion, kind in enumerate(["stays", "first"]):
                results[kind].setdefault(valley, {})[name] = in_a_valley(rule, loss, criterion)
            if name in SECOND:
                results["tuned"].setdefault(valley, {})[name] = in_a_valley(rule, loss, 0, *SECOND[name])
    store("rules_compared", rates=RATES, steps=STEPS, starts=STARTS, level=LEVEL, second=SECOND, results=results)


if __name__ == "__main__":
    main()
