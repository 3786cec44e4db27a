"""Schedules on the digits network, each with its own best rate, paired over seeds and splits.

Two problems: the plain one, ten epochs, where noise dies in the end; and one with a floor: a fifth of the
labels redrawn, weight decay, thirty epochs. Rates are chosen by the training loss, on other seeds; stored is also
the test likelihood at every rate. Last, what a cooldown is worth as runs on the plain digits become longer.
"""

import numpy as np
from tqdm import tqdm

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network
from fitlib.optimizers import adam, gradient_descent
from fitlib.schedules import (
    constant,
    cosine,
    cosine_restarts,
    exponential,
    inverse_square_root,
    linear,
    multi_step,
    one_cycle,
    polynomial,
    warmup,
    warmup_stable_decay,
)
from fitlib.sweeps import best

from .records import paired, store

BATCH, EPOCH = 32, 42
SPLITS, SEEDS, TUNING_SEEDS = range(5), range(20), range(100, 103)
# epochs of the runs that become longer; their rates for SGD, and seeds per split
LENGTHS, LONG_RATES, LONG_SEEDS = (5, 10, 20, 40), (0.5, 1.0), range(8)
# name: the schedule of so many steps whose largest value is alpha
SCHEDULES = {
    "constant": lambda alpha, steps: constant(alpha),
    "step": lambda alpha, steps: multi_step(alpha, [steps // 2, 3 * steps // 4]),
    "exponential": lambda alpha, steps: exponential(alpha, 0.01 ** (1 / steps)),
    "linear": linear,
    "polynomial": lambda alpha, steps: polynomial(alpha, steps, power=2),
    "cosine": cosine,
    "warmup, cosine": lambda alpha, steps: warmup(cosine(alpha, steps - steps // 20), steps // 20),
    "restarts": lambda alpha, steps: cosine_restarts(alpha, steps // 2),
    "inverse root": lambda alpha, steps: inverse_square_root(alpha, steps // 10),
    "one cycle": one_cycle,
    "cooldown, 10 %": lambda alpha, steps: warmup_stable_decay(alpha, steps, down=0.1),
    "cooldown, 20 %": lambda alpha, steps: warmup_stable_decay(alpha, steps, down=0.2),
    "warmup, cooldown": lambda alpha, steps: warmup_stable_decay(alpha, steps, up=0.05, down=0.2),
}
RULES = {
    "SGD": (gradient_descent, 2.0 ** np.arange(-1.5, 1.6, 0.5)),
    "Adam": (adam, 2.0 ** np.arange(-8, -2.9)),
}
# name: (share of labels redrawn, weight decay, epochs, schedules)
PROBLEMS = {
    "plain": (0.0, 0.0, 10, list(SCHEDULES)),
    "with a floor": (0.2, 1e-3, 30, ["constant", "step", "linear", "cosine", "cooldown, 20 %"]),
}


def train(problem, rule, schedule, rates, split=0, seeds=SEEDS, epochs=None):
    """Training loss, test likelihood and test accuracy at the end, each `(rates, seeds)`."""
    noise, decay, usual, _ = PROBLEMS[problem]
    x, y, x_test, y_test = digits(split, noise=noise)
    network, seeds = Network(x, y, decay=decay), np.asarray(seeds)
    steps = (epochs or usual) * EPOCH
    alpha = SCHEDULES[schedule](np.reshape(rates, (-1, 1)), steps)
    options = {"batch": BATCH, "seed": seeds, "keep": None}
    run = fit(RULES[rule][0], network, network.start(seeds), steps, alpha=alpha, **options)
    test = network.on(x_test, y_test)
    return run.losses[-1], test.negative_log_likelihood(run.phi), test.accuracy(run.phi)


def over_splits(problem, rule, schedule, rates, seeds, epochs=None):
    """What `train` gives, each `(rates, splits, seeds)`."""
    runs = [train(problem, rule, schedule, rates, split, seeds, epochs) for split in SPLITS]
    return [np.stack(part, axis=1) for part in zip(*runs, strict=True)]


def compare(problem, rule):
    """For each schedule its best rate, its results there, and its differences from the constant rate."""
    rates, results = RULES[rule][1], {}
    for schedule in tqdm(PROBLEMS[problem][3], desc=f"{problem}, {rule}", leave=False):
        tuned = [part.mean(axis=-1) for part in over_splits(problem, rule, schedule, rates, TUNING_SEEDS)]
        chosen = best(tuned[0].mean(axis=-1), rate=rates)
        values = over_splits(problem, rule, schedule, [chosen["rate"]], SEEDS)
        loss, likelihood, accuracy = (part[0] for part in values)
        results[schedule] = {
            "rate": chosen["rate"],
            "loss": loss,
            "likelihood": likelihood,
            "accuracy": accuracy,
            "tuning": tuned[0].mean(axis=-1),
            "tuning_likelihood": tuned[1],
        }
    for result in results.values():
        differences = {
            f"{kind}_minus_constant": paired(result[kind] - results["constant"][kind])
            for kind in ("loss", "likelihood", "accuracy")
        }
        result.update(differences)
    return results


def cooldowns():
    """Training losses of SGD on the plain digits, `(epochs, rates, splits, seeds)`, without and with a cooldown."""
    return {
        name: [over_splits("plain", "SGD", name, LONG_RATES, LONG_SEEDS, epochs)[0] for epochs in LENGTHS]
        for name in ("constant", "cooldown, 10 %")
    }


def main():
    results = {problem: {rule: compare(problem, rule) for rule in RULES} for problem in PROBLEMS}
    settings = {"batch": BATCH, "splits": SPLITS, "seeds": SEEDS, "tuning_seeds": TUNING_SEEDS}
    rates = {rule: rates for rule, (_, rates) in RULES.items()}
    problems = {
        name: {"redrawn_labels": noise, "weight_decay": decay, "epochs": epochs}
        for name, (noise, decay, epochs, _) in PROBLEMS.items()
    }
    longer = {"epochs": LENGTHS, "rates": LONG_RATES, "losses": cooldowns()}
    found = {"tuning_rates": rates, "results": results, "longer": longer}
    store("schedules_on_digits", **settings, problems=problems, **found)


if __name__ == "__main__":
    main()
