"""Why Adam? A softmax model of words that are as rare as words are, and attempts against the explanation.

Word k of `words` appears with a share proportional to 1/k^tail. After it comes its own follower with probability
0.9, else a word drawn by the shares; a model scores all words, given the present one. Everything is exact (full
batches) unless a case says otherwise, and the loss is told above its minimum. Every rule has its rate (an octave
apart), its memories and its schedule (constant, or linear to zero) chosen for every case.
"""

from functools import cache
from itertools import product

import numpy as np
from tqdm import tqdm

from fitlib import optimizers
from fitlib.data import digits
from fitlib.networks import Network, cross_entropy
from fitlib.sweeps import best

from .records import mean_and_error, store

SURE = 0.9  # the probability of a word's own follower
SCHEDULES = {"constant": 0, "linear": 1}
RULES = {  # octaves of the rate, and memories; the ends of the memories' axes are natural or bad on both sides
    "gradient_descent": (range(-2, 16), {}),
    "momentum": (range(-2, 16), {"beta": [0, 0.5, 0.8, 0.9, 0.95]}),
    "sign_descent": (range(-12, 4), {}),
    "adam": (range(-12, 5), {"beta": [0, 0.5, 0.9], "gamma": [0, 0.9, 0.99, 1 - 1e-9]}),
}
CASES = {  # what differs from 63 words with tail 1, one score for every pair of words, 100 steps, no noise
    "words": {},
    "balanced": {"tail": 0},
    "tail 0.5": {"tail": 0.5},
    "tail 1.5": {"tail": 1.5},
    "31 words": {"words": 31},
    "25 steps": {"steps": 25},
    "400 steps": {"steps": 400},
    "weighted": {"weighted": True},
    "batches of 4096": {"batch": 4096},
    "batches of 256": {"batch": 256},
    "16 features": {"features": 16},
}


class Words:
    """The model and its loss. `features`: None for one score per pair of words, else words are dense vectors.

    `weighted` divides every word's part of the training gradient by its share; the loss stays as it is.
    """

    def __init__(self, words=63, tail=1, features=None, weighted=False, draw=0):
        share = np.arange(1.0, words + 1) ** -tail
        self.share, self.words = share / share.sum(), words
        self.target = SURE * np.eye(words) + (1 - SURE) * self.share
        self.weight = np.full(words, 1 / words) if weighted else self.share
        rng = np.random.default_rng(draw)
        size = None if features is None else (words, features)
        self.inputs = np.eye(words) if size is None else rng.normal(size=size) / np.sqrt(features)
        self.table, self.n = size is None, self.inputs.shape[1] * words
        self.least = 0.0
        if not self.table:
            self.least = self._lowest()

    def scores(self, phi):
        """`(runs, words, words)`: the scores of all words, given each; `phi` is `(n, runs)`."""
        weights = np.moveaxis(phi.reshape(-1, self.words, phi.shape[-1]), -1, 0)
        return weights if self.table else self.inputs @ weights

    def by_word(self, phi):
        """The loss above the entropy, `(runs, words)`, given each word."""
        z = self.scores(phi)
        return cross_entropy(z, self.target)[0] + (self.target * np.log(self.target)).sum(axis=1)

    def __call__(self, phi):
        """The loss above its minimum, `(runs,)`."""
        return self.by_word(phi) @ self.share - self.least

    def gradient(self, phi, counts=None):
        """The gradient, `(n, runs)`; `counts` `(words, words)` are pairs that a batch has seen."""
        z = self.scores(phi)
        if counts is None:
            slope = self.weight[:, None] * cross_entropy(z, self.target)[1]
        else:
            total = counts.sum(axis=1, keepdims=True)
            slope = (cross_entropy(z, self.target)[1] + self.target) * total - counts
            slope = slope / counts.sum()
        slope = slope if self.table else self.inputs.T @ slope
        return np.moveaxis(slope, 0, -1).reshape(self.n, -1)

    def batch(self, size, rng):
        """How often each pair of words is seen in `size` draws."""
        pairs = (self.share[:, None] * self.target).ravel()
        return rng.multinomial(size, pairs / pairs.sum()).reshape(self.target.shape)

    def _lowest(self):
        """The lowest loss that dense words allow, by L-BFGS."""
        from scipy.optimize import minimize

        both = lambda w: (self(w[:, None])[0], self.gradient(w[:, None])[:, 0])  # noqa: E731
        options = {"maxiter": 3000, "maxfun": 6000, "ftol": 1e-15, "gtol": 1e-9, "maxcor": 50}
        return minimize(both, np.zeros(self.n), jac=True, method="L-BFGS-B", options=options).fun


@cache
def model_of(case, draw):
    """The model of a case, made once."""
    options = {name: value for name, value in CASES[case].items() if name not in ("steps", "batch")}
    return Words(**options, draw=draw)


def settings(rule):
    """The grid of a rule, name -> values, and one setting after the other, name -> `(settings,)`."""
    octaves, memories = RULES[rule]
    grid = {"octave": list(octaves), "schedule": list(SCHEDULES.values()), **memories}
    rows = np.array(list(product(*grid.values())), float).T
    return grid, dict(zip(grid, rows, strict=True))


def descend(rule, gradient, start, steps, chosen):
    """The last points `(n, settings)`; `gradient(phi, t)`."""
    hyper = {name: np.atleast_1d(value) for name, value in chosen.items()}
    alpha, falls, step = 2.0 ** hyper.pop("octave"), hyper.pop("schedule"), getattr(optimizers, rule)
    if rule == "adam":
        hyper["eps"] = 1e-12  # gradients of rare words are small
    phi, state = np.repeat(start[:, None], len(alpha), axis=1), []
    with np.errstate(all="ignore"):
        for t in range(1, steps + 1):
            grad = lambda p, t=t: gradient(p, t)  # noqa: E731
            result = step(t, phi, grad, *state, alpha=alpha * (1 - falls * (t - 1) / steps), **hyper)
            phi, *state = result if isinstance(result, tuple) else (result,)
    return phi


def train(rule, case, chosen, draw=0):
    """The model of a case, and the last points of the rule with the settings `chosen`."""
    steps, size = CASES[case].get("steps", 100), CASES[case].get("batch")
    model, rng = model_of(case, draw), np.random.default_rng(draw)
    drawn = [model.batch(size, rng) for _ in range(steps)] if size else [None] * steps
    start = np.zeros(model.n)
    return model, descend(rule, lambda phi, t: model.gradient(phi, drawn[t - 1]), start, steps, chosen)


def chance(case):
    """How many draws a case has: those of features or batches; else nothing is drawn."""
    return 4 if {"features", "batch"} & set(CASES[case]) else 1


def compare(rule, case):
    """The best setting, and the loss with it, also given each word; batches are drawn anew for these."""
    grid, every = settings(rule)
    draws = range(chance(case))
    tuning = np.mean([_losses(*train(rule, case, every, draw)) for draw in draws], axis=0)
    shape = [len(values) for values in grid.values()]
    found = best(tuning.reshape(shape), ends=("schedule", *RULES[rule][1]), **grid)
    judged = [train(rule, case, found.settings, draw + 10 * ("batch" in CASES[case])) for draw in draws]
    by_octave = [octave_means(model, model.by_word(phi)[0]) for model, phi in judged]
    losses = [model(phi)[0] for model, phi in judged]
    mean = mean_and_error(losses) if len(losses) > 1 else [losses[0], 0.0]
    return {"chosen": found.settings, "loss": mean, "by_octave": np.mean(by_octave, axis=0)}


def _losses(model, phi):
    return np.array([model(phi[:, [i]])[0] for i in range(phi.shape[1])])


def octave_means(model, losses):
    """Means over the words 1, 2 to 3, 4 to 7 ..., weighted by their shares."""
    starts = 2 ** np.arange(int(np.log2(model.words + 1))) - 1
    return np.add.reduceat(model.share * losses, starts) / np.add.reduceat(model.share, starts)


# --- pictures ------------------------------------------------------------------------------------------

PICTURES = {"softmax": (), "network": (32,)}  # hidden layers
PICTURE_RULES = {
    "momentum": (range(-3, 8), {"beta": [0, 0.5, 0.8, 0.9, 0.95]}),
    "adam": (range(-9, 1), {"beta": [0.5, 0.9], "gamma": [0.9, 0.99]}),
}


def pictures(hidden, rare, draw, points=200, decay=1e-3):
    """Digits: all classes equally often, or with shares as 1/k in an order drawn anew; a network on them."""
    rng, (x, y, *_) = np.random.default_rng(draw), digits(draw)
    shares = (1 / np.arange(1.0, 11)) if rare else np.ones(10)
    counts = np.round(points * shares / shares.sum()).astype(int)
    rows = [rng.choice(np.flatnonzero(y == k), n) for k, n in zip(rng.permutation(10), counts, strict=True)]
    rows = np.concatenate(rows)
    network = Network(x[rows], y[rows], hidden=hidden, decay=decay)
    return network, network.start(draw) * bool(hidden)


def on_pictures(model, rare, draws=range(3), steps=100):
    """The training loss of every rule, everything tuned: its best setting and `(draws,)` losses."""
    ends = {}
    for rule, (octaves, memories) in PICTURE_RULES.items():
        grid = {"octave": list(octaves), "schedule": list(SCHEDULES.values()), **memories}
        rows = dict(zip(grid, np.array(list(product(*grid.values())), float).T, strict=True))
        losses = []
        for draw in draws:
            network, start = pictures(PICTURES[model], rare, draw)
            losses.append(network(descend(rule, lambda p, t, f=network: f.gradient(p), start, steps, rows)))
        shape = [len(values) for values in grid.values()]
        found = best(np.mean(losses, axis=0).reshape(shape), ends=("schedule", *memories), **grid)
        ends[rule] = {
            "chosen": found.settings,
            "loss": np.array(losses)[:, np.ravel_multi_index(found.index, shape)],
        }
    return ends


def main():
    results = {case: {} for case in CASES}
    for case, rule in tqdm(list(product(CASES, RULES)), leave=False):
        results[case][rule] = compare(rule, case)
    shown = {}
    for model, rare in tqdm(list(product(PICTURES, (False, True))), leave=False):
        shown[f"{model}, {'rare classes' if rare else 'balanced'}"] = on_pictures(model, rare)
    store("rare_words", sure=SURE, results=results, pictures=shown)


if __name__ == "__main__":
    main()
