"""Which rule finds the best minimum of the Gabor loss: 400 starts, twelve draws of the data, 300 gradients.

A run has found it if descent at a calm rate leads from its last point to that minimum: so a run counts that bounces or
trembles in the right valley. (A second count, by the level of the last loss alone, is stored beside.) The starts form
a grid. The best setting of a rule is chosen on its white squares and counted on the black ones, and the other way
round, so that no start is judged by a setting that was chosen for it.

The second part counts what helps instead, on fifty other draws: more starts, a scan, the bump before the wave.
"""

import numpy as np

from fitlib import gabor
from fitlib.fitting import fit
from fitlib.losses import Loss, critical_points, stability_limit
from fitlib.optimizers import adam, gradient_descent, momentum, nesterov, rmsprop

from .records import store

DRAWS, STEPS, SIDE, CALM = range(12), 300, 20, 100
OTHER_DRAWS = range(100, 150)
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


def centers(side):
    """The centers of side x side cells of the box, `(2, side**2)`."""
    across = [lo + (hi - lo) * (np.arange(side) + 0.5) / side for lo, hi in gabor.loss.box]
    return np.stack(np.meshgrid(*across)).reshape(2, -1)


class Problem:
    """The loss on a draw of the data, its best minimum in the box, and a rate at which descent settles there."""

    def __init__(self, draw):
        self.loss = gabor.loss.on(*gabor.draw(draw))
        points, values, index = critical_points(self.loss, grid=36, steps=40)
        self.best, self.level = points[:, 0], values[index == 0][:2].mean()
        self.calm = min(4.0, 0.8 * float(stability_limit(self.loss, self.best)))

    def descend(self, phi, steps):
        return fit(gradient_descent, self.loss, phi, steps, keep=None, alpha=self.calm).phi

    def near(self, phi):
        """Which points lie at the best minimum, `(*runs,)`."""
        away = (phi.T - self.best).T
        return np.nan_to_num(np.hypot(*away), nan=np.inf) < 0.5

    def found(self, rule, start, alpha, **options):
        """Which runs find the best minimum: by the place that calm descent leads to, and by the loss alone."""
        run = fit(rule, self.loss, start, STEPS, keep=None, alpha=alpha, **options)
        phi = np.where(np.isfinite(run.phi).all(axis=0), run.phi, 1e6)
        return self.near(self.descend(phi, CALM)), np.nan_to_num(run.losses[-1], nan=np.inf) < self.level


def tuned(results):
    """The share found, `results` `(settings, starts)`, at a setting chosen on the other half of the starts."""
    white = np.indices((SIDE, SIDE)).sum(axis=0).ravel() % 2 == 0
    halves = [(white, ~white), (~white, white)]
    return np.mean(
        [results[results[:, choose].mean(axis=1).argmax(), count].mean() for choose, count in halves]
    )


def record(name, rates, runs):
    """What is stored of a rule: its settings, the share at each, and the share at the chosen one, on every draw."""
    places, levels = zip(*runs)
    print(f"{name}: {np.mean([tuned(place) for place in places]):.3f}", flush=True)
    return {
        "rates": rates,
        "share": [place.mean(axis=1) for place in places],
        "tuned": [tuned(place) for place in places],
        "tuned by level": [tuned(level) for level in levels],
    }


def jumps(problems, signs):
    """Descent after one jump of each length against the signs, at half of the rates: `[(place, level) per draw]`."""
    rates = RULES["gradient descent"][1][1::2]
    for problem, sign in zip(problems, signs):
        starts = centers(SIDE)[:, None] - JUMPS[:, None, None, None] * sign[:, None]  # (jump, 2, 1, start)
        both = problem.found(gradient_descent, np.moveaxis(starts, 1, 0), rates[:, None])
        yield [part.reshape(len(JUMPS) * len(rates), -1) for part in both]


def envelope(phi, x, y):
    """The squared error of the bump's square, halved: what is left of the model's square when the wave is averaged."""
    u = phi[0] + 0.06 * phi[1] * x
    return (y**2 - np.exp(-(u**2) / 16) / 2) ** 2


def remedies(draw):
    """Which remedies find the best minimum on a draw; of two of them the share of a hundred random starts."""
    problem, rng = Problem(draw), np.random.default_rng(draw)
    low, high = np.array(gabor.loss.box).T
    random = rng.uniform(low[:, None], high[:, None], (2, 100))
    row = np.stack([np.linspace(low[0], high[0], 11), np.full(11, (low[1] + high[1]) / 2)])
    ends = problem.descend(random, 500), problem.descend(row, 500)
    lowest = [end[:, problem.loss(end).argmin()] for end in (ends[0][:, :14], ends[1])]
    scanned = centers(15)
    lowest.append(problem.descend(scanned[:, problem.loss(scanned).argmin()], 500))
    bump = fit(gradient_descent, Loss(envelope, problem.loss.data), random, 200, keep=None, alpha=10.0).phi
    after = problem.descend(bump, 500)
    return [problem.near(ends[0]).mean(), *map(problem.near, lowest), problem.near(after).mean()]


def main():
    problems = [Problem(draw) for draw in DRAWS]
    results = {}
    for name, (rule, rates, options) in RULES.items():
        options = {"seed": np.arange(SIDE**2), **options} if "batch" in options else options
        runs = [problem.found(rule, centers(SIDE)[:, None], rates[:, None], **options) for problem in problems]
        results[name] = record(name, rates, runs)
    slopes = [np.sign(problem.loss.gradient(centers(SIDE))) for problem in problems]
    coins = [np.random.default_rng(draw).choice([-1, 1], (2, SIDE**2)) for draw in DRAWS]
    for name, signs in (("descent after a jump downhill", slopes), ("descent after a jump at random", coins)):
        results[name] = record(name, JUMPS, list(jumps(problems, signs)))
    names = ["one start", "fourteen starts", "eleven in a row", "a scan", "the bump first"]
    helped = dict(zip(names, np.transpose([remedies(draw) for draw in OTHER_DRAWS]).astype(float)))
    print({name: round(float(np.mean(share)), 3) for name, share in helped.items()})
    plain = [problem.near(problem.descend(centers(SIDE), STEPS)).mean() for problem in problems]
    store("gabor_basins", draws=DRAWS, steps=STEPS, starts=SIDE**2, plain=plain, rules=results, remedies=helped)


if __name__ == "__main__":
    main()
