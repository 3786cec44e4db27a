"""Exercises of *The learning rate* and *The three questions*. The mistakes are in `mistakes.md`."""

import numpy as np

from fitlib import schedules
from fitlib.exercises.core import Fault, array, draw, exercise, kind, shown


def linear_lr(m):
    """The arguments `start_factor, total_iters` with which PyTorch's `LinearLR` is the share `t / m`, for `m >= 2`."""
    return 1 / m, m - 1


def robbins_monro(p):
    """Whether the rates `1 / t**p` have an infinite sum, and their squares a finite one."""
    return 0.5 < p <= 1


def noise_floor(alpha, curvature, variance, b):
    """The mean loss at which descent with noise ends on `curvature * phi**2 / 2`.

    The gradient of one point has the variance `variance`; batches are `b` independent points.
    """
    return alpha * variance / (2 * b * (2 - alpha * curvature))


def end_of_schedule(rates, curvature, phi, variance):
    """The mean loss at which descent with noise ends on `curvature * phi**2 / 2`, after a step with each rate.

    It starts at `phi`; the gradient of every step has the `variance`, and steps are independent.
    """
    spread = 0.0
    for alpha in rates:
        phi = (1 - alpha * curvature) * phi
        spread = (1 - alpha * curvature) ** 2 * spread + alpha**2 * variance
    return curvature * (phi**2 + spread) / 2


def scale_rate(alpha, b, new_b, rule):
    """The rate for batches of `new_b`, where `alpha` is good for `b`, by a "linear" or "square root" rule."""
    ratio = new_b / b
    return alpha * (ratio if rule == "linear" else np.sqrt(ratio))


def adam_rate(alpha, b, new_b, noise_scale):
    """Adam's rate for batches of `new_b` that keeps the progress of an epoch, where `alpha` is good for `b`."""
    return alpha * np.sqrt(new_b * (new_b + noise_scale) / (b * (b + noise_scale)))


def holds_to(batches, losses, tolerance):
    """The largest batch up to which all losses stay within `tolerance`, a share, of the first; nan is far away."""
    near = np.abs(losses / losses[0] - 1) <= tolerance
    return batches[np.cumprod(near).sum() - 1]


def limit_from_path(path, alpha):
    """The stability limit 2/λ of a bowl in one dimension, from a path of descent on it with the rate `alpha`."""
    ratio = (path[2] - path[1]) / (path[1] - path[0])
    return 2 * alpha / (1 - ratio)


def growing_batches(rates, b):
    """The batches, one per stage, that at the first rate have the α/b of the falling `rates` at `b`."""
    return b * rates[0] / rates


def noise_scale(gradients):
    """tr Σ / |G|² from the gradients `(points, n)` of all data points (McCandlish et al. 2018)."""
    mean = gradients.mean(axis=0)
    return gradients.var(axis=0).sum() / np.sum(mean**2)


def ema(points, decay):
    """An average of a path `(steps, n)`: a point weighs `decay` times the next, and weights add up to 1."""
    average = 0.0
    for phi in points:
        average = decay * average + (1 - decay) * phi
    return average / (1 - decay ** len(points))


def which_momentum(path, gradient, alpha):
    """Whether a run with the constant `gradient` and the rate `alpha` has "averaged" or "summed" momentum."""
    first = (path[0] - path[1]) / (alpha * gradient)
    return "summed" if first > 0.99 else "averaged"


def match_means(pictures, mean):
    """The `pictures` `(n, pixels)`, shifted so that the mean of every pixel is that of `mean` `(pixels,)`."""
    return pictures - pictures.mean(axis=0) + mean


def map_code(decoder, picture, seen, strength):
    """The code `z` with the least (‖picture − decoder z‖² over the pixels `seen` + strength ‖z‖²) / 2."""
    a = decoder[seen]
    return np.linalg.solve(a.T @ a + strength * np.eye(a.shape[1]), a.T @ picture[seen])


def radam_factor(t, gamma):
    """RAdam's factor on the rate of step t; 0 while the variance is infinite (Liu et al. 2020)."""
    longest = 2 / (1 - gamma) - 1
    length = longest - 2 * t * gamma**t / (1 - gamma**t)
    if length <= 4:
        return 0.0
    most = (longest - 4) * (longest - 2) / longest
    return np.sqrt((length - 4) * (length - 2) / length / most)


def rates(function, problem):
    """The play of a schedule: what the function it makes says for every step, and for some after the last."""
    rate = function(*problem.values())
    if not callable(rate):
        array(rate)
        raise Fault(f"your function returned {kind(rate)}; it must return a function of t, such as a lambda.")
    last = 3 * problem["steps" if "steps" in problem else "every"] + 2
    yield f"the rates in steps 1 to {last}", array([rate(t) for t in range(1, last + 1)])


def lengths(rng):
    for steps in [2, 3, 4, 5, 10, 20]:
        yield {"alpha": draw(rng, 0.5, 2), "steps": steps, "end": draw(rng, 0.05, 0.4)}


def stairs(rng):
    for every in [1, 2, 3, 4, 5, 10]:
        yield {"alpha": draw(rng, 0.5, 2), "every": every, "factor": draw(rng, 0.3, 0.8)}


def plateaus(rng):
    for up, down, steps in [(0, 0.5, 4), (0, 0.2, 10), (0.25, 0.5, 8), (0.2, 0.4, 10), (0.1, 0.25, 20)]:
        yield {"alpha": draw(rng, 0.5, 2), "steps": steps, "up": up, "down": down}


def warmups(rng):
    for steps in [2, 3, 4, 5, 10]:
        alpha, factor = draw(rng, 0.5, 2), draw(rng, 0.7, 0.95)
        schedule = shown(schedules.exponential(alpha, factor), f"{alpha} * {factor} ** (t - 1)")
        yield {"schedule(t)": schedule, "steps": steps}


def warmup_lengths(rng):
    yield from ({"m": m} for m in [2, 3, 4, 5, 8, 10, 20, 50, 100])


def memories(rng):
    for t in [1, 3, 4, 5, 6, 7, 8, 10, 15, 20]:
        yield {"t": t, "gamma": draw(rng, 0.8, 0.95)}
    for t in [2, 4, 5, 5, 6, 8]:
        yield {"t": t, "gamma": draw(rng, 0.68, 0.75)}


def powers(rng):
    yield from ({"p": p} for p in [0.0, 0.25, 0.5, 0.51, 0.75, 0.99, 1.0, 1.01, 1.5, 2.0])


def valleys(rng):
    for _ in range(12):
        curvature = draw(rng, 0.5, 2)
        alpha, variance = round(draw(rng, 0.2, 1.6) / curvature, 2), draw(rng, 0.5, 2)
        yield {"alpha": alpha, "curvature": curvature, "variance": variance, "b": int(rng.integers(2, 20))}


def falling(rng):
    for steps in [1, 1, 2, 2, 3, 4, 6, 10] * 2:
        curvature, phi, variance = draw(rng, 0.5, 2), draw(rng, 1, 2), draw(rng, 0.5, 2)
        rates = np.round(np.sort(draw(rng, 0.1, 1.4, steps))[::-1] / curvature, 2)
        yield {"rates": rates, "curvature": curvature, "phi": phi, "variance": variance}


def batch_sizes(rng):
    for rule in ["linear", "square root"] * 8:
        b, new_b = (2 ** rng.choice(9, 2, replace=False)).tolist()
        yield {"alpha": draw(rng, 0.05, 1), "b": b, "new_b": new_b, "rule": rule}


def noisy_batches(rng):
    for factor in [1, 2, 4, 8, 8, 32] * 3:
        b = int(2 ** rng.integers(1, 6))
        yield {"alpha": draw(rng, 0.1, 1), "b": b, "new_b": b * factor, "noise_scale": draw(rng, 5, 60)}


def lines_of_losses(rng):
    """Losses along a line of scaling: they leave at some batch, and may come back or diverge."""
    for n, leaves in [(2, 1), (3, 3), (4, 2), (5, 1), (6, 4), (7, 5), (8, 3), (8, 8)] * 2:
        losses = draw(rng, 0.5, 2) * (1 + rng.uniform(-0.08, 0.08, n))
        losses[0] = np.round(losses[0], 2)
        losses[1:leaves] = losses[0] * (1 + rng.uniform(-0.08, 0.08, max(leaves - 1, 0)))
        losses[leaves:] = losses[0] * rng.choice([0.6, 0.85, 1.02, 1.3, np.nan], n - leaves)
        losses[leaves : leaves + 1] = losses[0] * rng.choice([0.8, 1.2, np.nan])
        yield {"batches": 2 ** np.arange(1, n + 1), "losses": losses.round(3), "tolerance": 0.1}


def short_paths(rng):
    for steps in [2, 2, 3, 4, 5, 8] * 2:
        alpha, product, bottom = draw(rng, 0.1, 1), draw(rng, 0.2, 1.9), draw(rng, -1, 1)
        path = bottom + draw(rng, 1, 2) * (1 - product) ** np.arange(steps + 1)
        yield {"path": path, "alpha": alpha}


def steady_paths(rng):
    for convention, sign in [("summed", 1), ("averaged", 1), ("summed", -1), ("averaged", -1)] * 3:
        gradient, alpha, beta = sign * draw(rng, 0.5, 2), draw(rng, 0.1, 1), draw(rng, 0.3, 0.9)
        steps = alpha * gradient * (1 - beta ** np.arange(1, 6))
        steps = steps / (1 - beta) if convention == "summed" else steps
        yield {"path": draw(rng, -1, 1) - np.append(0, np.cumsum(steps)), "gradient": gradient, "alpha": alpha}


def changed_pictures(rng):
    for n, pixels in [(2, 1), (2, 2), (3, 2), (2, 3), (4, 4), (5, 3)] * 2:
        yield {"pictures": draw(rng, -1, 2, (n, pixels)), "mean": draw(rng, -2, 2, pixels)}


def half_seen(rng):
    for pixels, codes in [(4, 1), (4, 2), (6, 2), (8, 3), (10, 4)] * 3:
        seen = np.arange(pixels) < pixels // 2 + 1
        decoder, picture = draw(rng, -2, 2, (pixels, codes)), draw(rng, -2, 2, pixels)
        yield {"decoder": decoder, "picture": picture, "seen": seen, "strength": draw(rng, 0.5, 2)}


def stages(rng):
    for n in [2, 3, 4, 5, 6] * 3:
        falls = 2.0 ** -np.cumsum([0, *rng.integers(1, 3, n - 1)])
        yield {"rates": draw(rng, 0.5, 2) * falls, "b": int(rng.integers(2, 9))}


def point_gradients(rng):
    for points, n in [(2, 1), (2, 2), (3, 2), (4, 3), (5, 2), (8, 3)] * 2:
        yield {"gradients": draw(rng, -0.5, 2, (points, n))}


def paths(rng):
    for steps, n in [(1, 1), (2, 1), (3, 1), (2, 2), (5, 2), (10, 3)] * 2:
        yield {"points": draw(rng, -2, 2, (steps, n)), "decay": draw(rng, 0.6, 0.95)}


exercise(schedules.cosine, lengths, rates)
exercise(schedules.step, stairs, rates)
exercise(schedules.warmup_stable_decay, plateaus, rates)
exercise(schedules.warmup, warmups, rates)
exercise(linear_lr, warmup_lengths)
exercise(radam_factor, memories)
exercise(robbins_monro, powers)
exercise(noise_floor, valleys)
exercise(end_of_schedule, falling)
exercise(scale_rate, batch_sizes)
exercise(adam_rate, noisy_batches)
exercise(holds_to, lines_of_losses)
exercise(limit_from_path, short_paths)
exercise(growing_batches, stages)
exercise(noise_scale, point_gradients)
exercise(ema, paths)
exercise(which_momentum, steady_paths)
exercise(match_means, changed_pictures)
exercise(map_code, half_seen)
