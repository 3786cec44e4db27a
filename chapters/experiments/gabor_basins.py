"""Which rule finds the best minimum of the Gabor loss: 400 starts, twelve draws of the data, 300 gradients.

A run has found it if its last loss is below the middle between the two lowest minima. The starts form a
grid. The best rate of a rule is chosen on its white squares and counted on the black ones, and the other
way round, so that no start is judged by a rate that was chosen for it.
"""

import numpy as np

from fitlib import gabor
from fitlib.fitting import fit
from fitlib.losses import critical_points, stability_limit
from fitlib.optimizers import adam, gradient_descent, momentum, nesterov, rmsprop

from .records import store

DRAWS, STEPS, SIDE = range(12), 300, 20
THIRDS = 2.0 ** (np.arange(16) / 3)  # sixteen rates for every rule, a third of an octave apart
# name: (rule, rates, what else it needs)
RULES = {
    "gradient descent": (gradient_descent, 0.5 * THIRDS, {}),
    "momentum": (momentum, 4 * THIRDS, {}),
    "Nesterov": (nesterov, 4 * THIRDS, {}),
    "SGD, batches of 5": (gradient_descent, 0.25 * THIRDS, {"batch": 5}),
    "Adam": (adam, 0.1 * THIRDS, {}),
    "RMSProp": (rmsprop, 0.04 * THIRDS, {}),
    "RMSProp, corrected": (adam, 0.04 * THIRDS, {"beta": 0.0, "gamma": 0.99}),
}
JUMPS = np.arange(6)


def starts():
    """The centers of 20 x 20 cells of the box, `(2, 400)`."""
    centers = [lo + (hi - lo) * (np.arange(SIDE) + 0.5) / SIDE for lo, hi in gabor.loss.box]
    return np.stack(np.meshgrid(*centers)).reshape(2, -1)


def problem(draw):
    """The loss on a draw of the data, its best minimum, and the loss below which a run has found it."""
    loss = gabor.loss.on(*gabor.draw(draw))
    points, values, index = critical_points(loss, grid=36, steps=40)
    return loss, points[:, 0], values[index == 0][:2].mean()


def found(rule, draw, start, alpha, **options):
    """Which runs find the best minimum, `(*runs,)`; `start` `(2, *runs)`, `alpha` broadcasts."""
    loss, _, level = problem(draw)
    run = fit(rule, loss, start, STEPS, keep=None, alpha=alpha, **options)
    return np.nan_to_num(run.losses[-1], nan=np.inf) < level


def tuned(results):
    """The share found, `results` `(rates, starts)`, at a rate chosen on the other half of the starts."""
    white = np.indices((SIDE, SIDE)).sum(axis=0).ravel() % 2 == 0
    halves = [(white, ~white), (~white, white)]
    return np.mean(
        [results[results[:, choose].mean(axis=1).argmax(), count].mean() for choose, count in halves]
    )


def after_a_jump(draw, jump, signs):
    """The share that descent finds when every start first moves by `-jump * signs`."""
    loss, best, _ = problem(draw)
    calm = min(4.0, 0.8 * stability_limit(loss, best))
    return found(gradient_descent, draw, starts() - jump * signs, calm).mean()


def main():
    results = {}
    for name, (rule, rates, options) in RULES.items():
        options = {"seed": np.arange(SIDE**2), **options} if "batch" in options else options
        runs = [found(rule, draw, starts()[:, None], rates[:, None], **options) for draw in DRAWS]
        results[name] = {
            "rates": rates,
            "share": [run.mean(axis=1) for run in runs],
            "tuned": [tuned(run) for run in runs],
        }
        print(f"{name}: {np.mean(results[name]['tuned']):.3f}", flush=True)
    downhill, random = [], []
    for draw in DRAWS:
        slope = np.sign(problem(draw)[0].gradient(starts()))
        coins = np.random.default_rng(draw).choice([-1, 1], (2, SIDE**2))
        downhill.append([after_a_jump(draw, jump, slope) for jump in JUMPS])
        random.append([after_a_jump(draw, jump, coins) for jump in JUMPS])
    jumps = {"lengths": JUMPS, "downhill": downhill, "random": random}
    store("gabor_basins", draws=DRAWS, steps=STEPS, starts=SIDE**2, rules=results, jumps=jumps)


if __name__ == "__main__":
    main()
