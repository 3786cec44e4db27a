"""Rules for matrices on a linear layer 12 → 8, against momentum and Adam: the same steps, the same number of settings.

The layer is fitted to another one (its weights normal) by least squares over 512 points. What varies are the
inputs: "turned", correlated in directions that are no axes, their spread over these from 1 down to 0.03;
"upright", the same along the axes; "round", as wide in all directions. "turned, batches" and "round, batches"
see 16 points a step, with noise of deviation 0.3 in the targets. Every rule tries 216 settings on eight layers
(AdaGrad, which has a rate alone, 33 and 29); the best is judged on sixteen others. The rate falls to zero in a
line over 60 steps. What is compared is the decimal logarithm of the loss above its minimum. "Muon, UVᵀ" is a
control: the singular values exactly at 1.
"""

import numpy as np

from fitlib.fitting import fit
from fitlib.matrices import back, by_layer, front, full_adagrad, muon, shampoo, soap
from fitlib.optimizers import adagrad, adam, momentum
from fitlib.schedules import linear

from .records import mean_and_error, store

ROWS, COLUMNS, POINTS, STEPS, BATCH, NOISE, SPREAD = 8, 12, 512, 60, 16, 0.3, 0.03
TUNING, JUDGED = range(100, 108), range(16)
CASES = ["turned", "upright", "round", "turned, batches", "round, batches"]
SHAPES = [(ROWS, COLUMNS)]


class Layers:
    """Half the mean squared error of linear layers, each run (the last axis) fitted to points of its own."""

    n, points = ROWS * COLUMNS, POINTS

    def __init__(self, case, seeds):
        drawn = [self._draw(case, np.random.default_rng(seed)) for seed in seeds]
        self.x, self.y = (np.stack(part, axis=-1) for part in zip(*drawn))
        best = [np.linalg.lstsq(x, y)[0].T for x, y in drawn]
        self.least = self._loss(np.stack(best, axis=-1).reshape(self.n, -1)) if "batches" in case else 0.0

    def _draw(self, case, rng):
        scale = np.ones(COLUMNS) if "round" in case else np.geomspace(1, SPREAD, COLUMNS)
        turn = np.eye(COLUMNS) if case == "upright" else np.linalg.qr(rng.normal(size=(COLUMNS, COLUMNS)))[0]
        x = rng.normal(size=(POINTS, COLUMNS)) * rng.permutation(scale) @ turn
        noise = NOISE if "batches" in case else 0.0
        return x, x @ rng.normal(size=(COLUMNS, ROWS)) + noise * rng.normal(size=(POINTS, ROWS))

    def _loss(self, phi):
        w = phi.reshape(ROWS, COLUMNS, *phi.shape[1:])
        return ((np.einsum("ic...,rc...->ir...", self.x, w) - self.y) ** 2).mean(axis=0).sum(axis=0) / 2

    def __call__(self, phi):
        """The loss above its minimum."""
        runs = [self._loss(part) for part in phi.reshape(self.n, -1, phi.shape[-1]).swapaxes(0, 1)]
        return (np.array(runs) - self.least).reshape(phi.shape[1:])

    def gradient(self, phi, rows=None):
        x, y = (self.x, self.y) if rows is None else (self.x[rows], self.y[rows])
        w = phi.reshape(ROWS, COLUMNS, *phi.shape[1:])
        square, mixed = np.einsum("ic...,id...->cd...", x, x), np.einsum("ir...,ic...->rc...", y, x)
        back = np.einsum("rc...k,cdk->rd...k", w, square)
        mixed = mixed.reshape(ROWS, COLUMNS, *[1] * (phi.ndim - 2), mixed.shape[-1])
        return ((back - mixed) / len(x)).reshape(phi.shape)


def exact_muon(t, phi, grad, m=0.0, *, alpha, beta=0.95):
    """Muon with all singular values at 1."""
    g = grad(phi)
    m = beta * m + (1 - beta) * g
    u, _, vt = np.linalg.svd(front(beta * m + (1 - beta) * g), full_matrices=False)
    return phi - alpha * back(u @ vt), m


def octaves(low, high, each=1):
    return 2.0 ** np.linspace(low, high, (high - low) * each + 1)


MOMENTA, SOME = [0, 0.5, 0.7, 0.8, 0.9, 0.95], [0, 0.5, 0.8, 0.95]
MEMORIES = [0.5, 0.8, 0.9, 0.99, 0.999]
# name: (rule, its grid)
RULES = {
    "momentum": (momentum, {"alpha": octaves(-4, 8, 3)[:36], "beta": MOMENTA}),
    "AdaGrad": (adagrad, {"alpha": octaves(-4, 4, 4)}),
    "full AdaGrad": (full_adagrad, {"alpha": octaves(-2, 5, 4)}),
    "Adam": (adam, {"alpha": octaves(-5, 3), "beta": SOME, "gamma": [*MEMORIES, 0.9999]}),
    "Muon": (by_layer(SHAPES, muon, momentum), {"alpha": octaves(-7, 2, 4)[:36], "beta": MOMENTA}),
    "Muon, UVᵀ": (by_layer(SHAPES, exact_muon, momentum), {"alpha": octaves(-7, 2, 4)[:36], "beta": MOMENTA}),
    "Shampoo": (
        by_layer(SHAPES, shampoo, momentum),
        {"alpha": octaves(-2, 14)[::2], "beta": SOME, "gamma": [*MEMORIES, 1.0]},
    ),
    "SOAP": (by_layer(SHAPES, soap, momentum), {"alpha": octaves(-3, 5), "beta": SOME, "gamma": [*MEMORIES, 0.9999]}),
}
FIXED = {"shampoo_by_layer": {"eps": 1e-8, "rest_alpha": 0}, "soap_by_layer": {"rest_alpha": 0},
         "muon_by_layer": {"rest_alpha": 0}, "exact_muon_by_layer": {"rest_alpha": 0}}  # fmt: skip


def train(name, case, settings, seeds):
    """The loss above its minimum at the end, `(*settings, seeds)`."""
    rule, _ = RULES[name]
    hyper = {key: np.asarray(value, float)[..., None] for key, value in settings.items()}
    hyper = {**hyper, "alpha": linear(hyper["alpha"], STEPS), **FIXED.get(rule.__name__, {})}
    layers, start = Layers(case, seeds), np.zeros((ROWS * COLUMNS, len(seeds)))
    batch = {"batch": BATCH} if "batches" in case else {}
    return fit(rule, layers, start, STEPS, keep=None, **batch, **hyper).losses[-1]


def compared(name, case):
    """The tuned mean of the logarithm over the grid, what was chosen, and the logarithms of the layers judged."""
    _, grid = RULES[name]
    settings = dict(zip(grid, np.meshgrid(*grid.values(), indexing="ij")))
    tuning = np.log10(train(name, case, settings, TUNING)).mean(axis=-1)
    index = np.unravel_index(np.nanargmin(tuning), tuning.shape)
    chosen = {key: values[i] for (key, values), i in zip(grid.items(), index)}
    return {"grid": grid, "tuning": tuning, "chosen": chosen, "log10": np.log10(train(name, case, chosen, JUDGED))}


def main():
    results = {case: {name: compared(name, case) for name in RULES} for case in CASES}
    for rules in results.values():
        for one in rules.values():
            one["minus_momentum"] = mean_and_error(one["log10"] - rules["momentum"]["log10"])
    store("matrix_layer", steps=STEPS, results=results)


if __name__ == "__main__":
    main()
