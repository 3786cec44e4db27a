"""All rules on the digits network: the rate alone, the rate with one more hyperparameter, the rate with a cosine.

Every choice is made by the test likelihood on one half of the pictures that were held out, with seeds of its own, and
judged on the other half with other seeds. The training loss on the seeds for tuning is stored for every rate.
"""

import numpy as np
from tqdm import tqdm

from fitlib import optimizers
from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network
from fitlib.schedules import cosine
from fitlib.sweeps import best

from .records import mean_and_error, store
from .rules_compared import NAMES

EXPONENTS = range(-14, 7)
RATES = 2.0 ** np.array(EXPONENTS)
BATCH, EPOCHS, EPOCH, SPLITS, SEEDS, TUNING_SEEDS = 32, 8, 42, range(5), range(20), range(100, 103)
STEPS = EPOCHS * EPOCH
SECOND = {
    "momentum": ("beta", [0.7, 0.8, 0.95, 0.97]),
    "nesterov": ("beta", [0.7, 0.8, 0.95, 0.97]),
    "adam": ("gamma", [0.9, 0.99]),
}  # beside the usual value, which the sweep of the rate alone has
USUAL = {"beta": 0.9, "gamma": 0.999}


def train(rule, rates, split, seeds, falling=False, **hyper):
    """Training loss, NLL on either half of the held out pictures, accuracy on the second, each `(rates, seeds)`."""
    x, y, x_test, y_test = digits(split)
    network, seeds, rates = Network(x, y), np.asarray(seeds), np.reshape(rates, (-1, 1))
    alpha = cosine(rates, STEPS) if falling else rates
    options = {"batch": BATCH, "seed": seeds, "keep": None, "alpha": alpha, **hyper}
    run = fit(getattr(optimizers, rule), network, network.start(seeds), STEPS, **options)
    halves = [network.on(x_test[i::2], y_test[i::2]) for i in range(2)]
    likelihoods = [half.negative_log_likelihood(run.phi) for half in halves]
    return np.array([run.losses[-1], *likelihoods, halves[1].accuracy(run.phi)])


def tune(rule, rates, **options):
    """Mean training loss and mean NLL on the first half over splits and the seeds for tuning, `(2, rates)`."""
    runs = [train(rule, rates, split, TUNING_SEEDS, **options)[:2] for split in SPLITS]
    return np.where(np.isfinite(runs), runs, np.inf).mean(axis=(0, 3))


def near(rate, octaves=3):
    """The rates up to so many octaves from a rate."""
    return RATES[np.abs(np.log2(RATES / rate)) < octaves + 0.5]


def judge(rule, settings, **options):
    """What the other seeds reach on the other half: training loss, NLL, accuracy, each `(splits, seeds)`."""
    hyper = {**settings}
    rate = hyper.pop("rate")
    runs = [train(rule, [rate], split, SEEDS, **hyper, **options)[:, 0] for split in SPLITS]
    loss, _, likelihood, accuracy = np.stack(runs, axis=1)
    return {"settings": settings, "loss": loss, "likelihood": likelihood, "accuracy": accuracy}


def main():
    results = {"constant": {}, "second": {}, "cosine": {}}
    tuning = {}
    for rule in tqdm([*NAMES, "adamw"], leave=False):
        loss, likelihood = tuning[rule] = tune(rule, RATES)
        constant = best(likelihood, rate=RATES).settings
        results["constant"][rule] = judge(rule, constant)
        rates = near(constant["rate"])
        falling = best(tune(rule, rates, falling=True)[1], rate=rates).settings
        results["cosine"][rule] = judge(rule, falling, falling=True)
        if rule in SECOND:
            name, values = SECOND[rule]
            values = sorted([*values, USUAL[name]])
            table = [tune(rule, rates, **{name: value})[1] for value in values]
            found = best(table, ends=[name] if name == "gamma" else [], **{name: values}, rate=rates)
            results["second"][rule] = judge(rule, found.settings)
    for kind in results.values():
        for result in kind.values():
            for measure in ("loss", "likelihood", "accuracy"):
                result[f"mean_{measure}"] = mean_and_error(np.mean(result[measure], axis=1))
    settings = {"batch": BATCH, "epochs": EPOCHS, "splits": SPLITS, "seeds": SEEDS, "tuning_seeds": TUNING_SEEDS}
    kept = {rule: {"loss": loss, "likelihood": nll} for rule, (loss, nll) in tuning.items()}
    store("rules_on_digits", exponents=EXPONENTS, **settings, second=SECOND, tuning=kept, results=results)


if __name__ == "__main__":
    main()
