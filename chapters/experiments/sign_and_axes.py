"""Signs against gradients on bowls of twenty parameters: upright and turned, without noise and with four kinds of it.

Every rule has its rate (an octave apart), its memories and its schedule (constant, or linear to zero) chosen on one
half of the starts, by the mean of log10 of the last loss, and is judged on the other half. Starts and noise are the
same for all rules, and are turned with the bowl: to a rule that cannot see the axes, turned is upright.
"""

from itertools import product

import numpy as np
from tqdm import tqdm

from fitlib import optimizers
from fitlib.sweeps import best

from .records import mean_and_error, store

PARAMETERS, KAPPA, STEPS, STARTS, DRAWS = 20, 100, 100, 12, 8
CURVATURES = np.geomspace(1, KAPPA, PARAMETERS)
RATES, SCHEDULES = 2.0 ** np.arange(-12, 4), {"constant": 0, "linear": 1}
MEMORIES = np.array([0, 0.3, 0.5, 0.7, 0.9, 0.95])
SQUARES = np.array([0, 0.5, 0.9, 0.97, 0.99, 1 - 1e-9])  # the last forgets nothing
LIMITS = np.array([0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 1e9])  # the last clips nothing
NOISE = {  # its deviation in a direction of curvature h, and how one number is drawn
    "none": (lambda h: 0 * h, "standard_normal"),
    "even": (lambda h: h**0, "standard_normal"),
    "in units": (np.sqrt, "standard_normal"),
    "heavy tails": (lambda h: h**0, "standard_t"),
}
RULES = {  # what is tuned beside rate and schedule; the ends of these axes are natural ones
    "gradient_descent": {},
    "clipped_gradient_descent": {"limit": LIMITS},
    "momentum": {"beta": MEMORIES},
    "sign_descent": {},
    "lion": {"beta": MEMORIES, "gamma": MEMORIES},
    "adam": {"beta": MEMORIES, "gamma": SQUARES},
}


def problem(draw, noise, turned):
    """Of one draw: axes `(n, n)`, starts `(n, STARTS)` and noise `(STEPS, n, STARTS)`, along the curvatures."""
    rng = np.random.default_rng(draw)
    axes = np.linalg.qr(rng.normal(size=(PARAMETERS, PARAMETERS)))[0]
    starts = rng.normal(size=(PARAMETERS, STARTS))
    deviation, kind = NOISE[noise]
    shape = (STEPS, PARAMETERS, STARTS)
    drawn = rng.standard_t(1.5, shape) if kind == "standard_t" else rng.standard_normal(shape)
    return axes if turned else np.eye(PARAMETERS), starts, deviation(CURVATURES)[:, None] * drawn


def settings(rule, chosen=None):
    """The grid of a rule, name -> values, and the same as one setting after the other, `(settings, 1)` each."""
    grid = {"alpha": RATES, "schedule": np.array(list(SCHEDULES.values())), **RULES[rule]}
    rows = np.array(list(product(*grid.values())) if chosen is None else [list(chosen.values())])
    return grid, {name: rows[:, [i]] for i, name in enumerate(grid)}


def last_losses(rule, draw, noise, turned, chosen=None):
    """The loss after the last step, `(settings, STARTS)`; with `chosen`, name -> value, of that setting alone."""
    axes, starts, errors = problem(draw, noise, turned)
    hessian, step = axes @ np.diag(CURVATURES) @ axes.T, getattr(optimizers, rule)
    _, hyper = settings(rule, chosen)
    alpha, falls = hyper.pop("alpha"), hyper.pop("schedule")
    phi, state = np.repeat((axes @ starts)[:, None], len(alpha), axis=1), []
    with np.errstate(all="ignore"):
        for t in range(1, STEPS + 1):
            error, rate = (axes @ errors[t - 1])[:, None], alpha * (1 - falls * (t - 1) / STEPS)
            result = step(
                t, phi, lambda p, e=error: np.tensordot(hessian, p, 1) + e, *state, alpha=rate, **hyper
            )
            phi, *state = result if isinstance(result, tuple) else (result,)
        return (phi * np.tensordot(hessian, phi, 1)).sum(axis=0) / 2


def compare(rule, noise, turned):
    """The best setting by the first half of the starts, and log10 of the loss of the others with it, `(DRAWS,)`."""
    losses = np.array([np.log10(last_losses(rule, draw, noise, turned)) for draw in range(DRAWS)])
    grid, half = settings(rule)[0], STARTS // 2
    tuning = losses[..., :half].mean(axis=(0, 2)).reshape([len(values) for values in grid.values()])
    found = best(tuning, ends=("schedule", *RULES[rule]), **grid)
    place = np.ravel_multi_index(found.index, tuning.shape)
    return {"chosen": found.settings, "log10_loss": losses[:, place, half:].mean(axis=-1)}


def main():
    results = {}
    cases = [(noise, turned) for noise in NOISE for turned in (False, True)]
    for (noise, turned), rule in tqdm(list(product(cases, RULES)), leave=False):
        case = f"{noise}, {'turned' if turned else 'upright'}"
        results.setdefault(case, {})[rule] = compare(rule, noise, turned)
    for case in results.values():
        for one in case.values():
            one["minus_descent"] = mean_and_error(one["log10_loss"] - case["gradient_descent"]["log10_loss"])
            one["mean"] = mean_and_error(one["log10_loss"])
    store("sign_and_axes", rates=RATES, steps=STEPS, kappa=KAPPA, draws=DRAWS, starts=STARTS, results=results)


if __name__ == "__main__":
    main()
