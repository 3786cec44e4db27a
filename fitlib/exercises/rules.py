"""Exercises of part 2, *Optimizers*: references and problems. The mistakes are in `mistakes.md`."""

import inspect

import numpy as np

from fitlib import optimizers
from fitlib.exercises.core import Fault, array, draw, exercise, same, show, shown, symmetric

WEIGHT, SIZE = (0.3, 0.9), (0.2, 0.6)
RANGES = {"alpha": SIZE, "beta": WEIGHT, "gamma": WEIGHT, "eps": SIZE, "decay": SIZE}


def rule(reference, leave=()):
    """Register a rule: steps from many starts, one and many runs, with hyperparameters that change or do not.

    The path of `phi` alone is compared, so that what a rule remembers may have another form. Each step is fed
    with what the answer itself returned. The hyperparameters in `leave` stay at their default.
    """
    parameters = inspect.signature(reference).parameters.values()
    states = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][3:]
    names = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in leave]

    def problems(rng):
        alone = [(1, (), 1), (1, (), 2), (1, (), 3), (2, (), 1), (2, (), 3), (1, (), 8)]
        for i, (n, runs, steps) in enumerate([*alone, (2, (3,), 3), (3, (2, 2), 8)] * 3):
            grad = tuple(slope(draw(rng, 0.2, 4, (n, *[1] * len(runs)))) for _ in range(steps))
            hyper = {name: (draw(rng, *RANGES[name]),) * steps for name in names}
            if "alpha" in names:  # one per run; in every other problem it follows a schedule
                first, fall = draw(rng, *RANGES["alpha"], runs), 0.7 if i % 2 else 1.0
                hyper["alpha"] = tuple(first * fall**t for t in range(steps))
            yield {"phi": draw(rng, -2, 2, (n, *runs)), "grad(phi)": grad, **hyper}

    def path(function, problem):
        phi, *changing = problem.values()
        state = [np.zeros_like(phi) for _ in states]
        for t, (grad, *values) in enumerate(zip(*changing, strict=True), 1):
            result = function(t, phi, grad, *state, **dict(zip(names, values, strict=True)))
            new, *state = parts(result, ["phi", *states], phi.shape)
            yield f"phi after step {t}", new
            if new.shape != phi.shape:
                return
            phi = new

    exercise(reference, problems, path, [f"the new {name}" for name in ["phi", *states]])


def slope(height):
    """A gradient, with other heights in every step, as batches have."""
    return shown(lambda phi: height * np.sin(2 * phi), f"{show(height.ravel())} * sin(2 * phi)")


def parts(result, names, shape):
    """What a rule returns, as arrays: `phi` and its states."""
    if len(names) == 1:
        return [array(result[0] if isinstance(result, tuple) and len(result) == 1 else result)]
    sequence = isinstance(result, (list, tuple)) or np.shape(result) == (len(names), *shape)
    if sequence and len(result) == len(names):
        return [array(part, f"your function, for {name},") for part, name in zip(result, names, strict=True)]
    if not isinstance(result, (list, tuple)):
        array(result)
    text = f"your function must return {', '.join(names)}"
    raise Fault(f"{text}: the next step goes on from what the rule remembers.")


# --- what surrounds the rules ----------------------------------------------------------------------


def batch_gradient(gradients, rows):
    """The gradient of the mean loss over the points `rows`, from those of all points, `(n, points)`."""
    return gradients[:, rows].mean(axis=1)


def epoch(points, size, rng):
    """The batches of an epoch: lists of `size` different indices of data points; the remainder is dropped."""
    order = rng.permutation(points)
    return [order[i : i + size] for i in range(0, points - size + 1, size)]


def batch_for_error(variance, points, error):
    """The smallest batch without replacement whose gradient has this root mean squared error, or less."""
    return int(np.ceil(points * variance / ((points - 1) * error**2 + variance)))


def shuffled_shift(alpha, curvatures, centers):
    """The mean distance from the minimum at the ends of shuffled epochs of single points, to first order.

    The loss of a point is `curvature * (phi - center)**2 / 2`.
    """
    minimum = np.sum(curvatures * centers) / np.sum(curvatures)
    return -alpha * np.mean(curvatures**2 * (minimum - centers)) / np.mean(curvatures) / 2


def steps_to_recover(size, gamma):
    """How many steps after one gradient of `size` among gradients of 1 Adam's step is half of alpha again."""
    surplus = (1 - gamma) * (size**2 - 1)
    return 0 if surplus <= 3 else int(np.ceil(np.log(3 / surplus) / np.log(gamma)))


def to_pytorch(alpha, beta):
    """The `lr` and `momentum` of `torch.optim.SGD` that make the steps of `momentum(alpha, beta)`."""
    return alpha * (1 - beta), beta


def next_point(phi, before, gradient, alpha, beta):
    """The next point of `momentum` at constant settings, from the last two points."""
    return phi - alpha * (1 - beta) * gradient + beta * (phi - before)


def best_momentum(smallest, largest):
    """The `alpha` and `beta` with which `momentum` is fastest on a bowl with these extreme curvatures."""
    slow, fast = np.sqrt(smallest), np.sqrt(largest)
    beta = ((fast - slow) / (fast + slow)) ** 2
    return (2 / (fast + slow)) ** 2 / (1 - beta), beta


def nesterov_limit(beta):
    """The largest stable `lr` of PyTorch's `SGD(nesterov=True, momentum=beta)` on a bowl of curvature 1."""
    return 2 * (1 + beta) / (1 + 2 * beta)


def rare_rate(alpha, p, t):
    """AdaGrad's rate of a feature present with probability p, and how many times that of one always present."""
    return alpha / np.sqrt(p * t), 1 / np.sqrt(p)


def restarts(losses):
    """The momentum of every step if it starts again from zero after a rise of the loss, `(len(losses) - 1,)`."""
    betas, k = [], 1
    for before, after in zip(losses, losses[1:]):
        betas.append((k - 1) / (k + 2))
        k = 1 if after > before else k + 1
    return np.array(betas)


def choose_and_judge(tuning, judged):
    """The best setting by the mean of `tuning`, and the mean of what was judged at it."""
    means = np.nan_to_num(tuning.mean(axis=1), nan=np.inf)
    k = means.argmin()
    return k, judged[k].mean()


def diagnose(losses, gradients, steps):
    """What the last ten entries of a run say: lengths of gradient and step against the first of the run."""
    if losses[-1] > 1.1 * losses[-10]:
        return "climbs"
    if losses[-1] < 0.9 * losses[-10]:
        return "falls"
    if np.mean(gradients[-10:]) < gradients[0] / 10:
        return "saddle or minimum"
    return "ended" if np.mean(steps[-10:]) < steps[0] / 10 else "bounce or noise"


def lagged(t, phi, grad, v=0.0, *, alpha, gamma, eps):
    """One step over the root of the mean square *before* this gradient (Zhou et al. 2019)."""
    g = grad(phi)
    phi = phi - alpha * g / (np.sqrt(v) + eps)
    v = gamma * v + (1 - gamma) * g**2
    return phi, v


def memory_in_epochs(gamma, factor):
    """The decay with the same memory in epochs where an epoch has `factor` times as many steps."""
    return gamma ** (1 / factor)


def adadelta_end(curvature, alpha):
    """Step over gradient at AdaDelta's end: its own rate where it settles, that of a bounce where it does not."""
    return np.minimum(alpha, 2 / curvature)


def newton_step(phi, gradient, hessian):
    """The bottom of the bowl that has this gradient `(n,)` and Hessian `(n, n)` at `phi`."""
    return phi - np.linalg.solve(hessian, gradient)


def steepest_step(gradient, matrix):
    """The step of length 1 that falls furthest, where `sqrt(d @ matrix @ d)` is the length of a step `d`."""
    step = np.linalg.solve(matrix, gradient)
    return -step / np.sqrt(gradient @ step)


def score_gradient(scores, shares, target):
    """The gradient of the mean cross-entropy by scores, `(words, words)`: a row for each word, with its share."""
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shares[:, None] * (e / e.sum(axis=1, keepdims=True) - target)


def time_needed(share, words, loss):
    """When gradient flow from equal scores has brought the loss after a word of this share down to `loss`."""
    z = np.log((words - 1) / (np.exp(loss) - 1))
    return (np.exp(z) - 1 + (words - 1) * z) / (words * share)


def gauss_newton_step(jacobian, f, y):
    """The step to the least mean squared residual of the model linearized at predictions `f` for `y`."""
    return -np.linalg.solve(jacobian.T @ jacobian, jacobian.T @ (f - y))


def rescaled_condition(hessian):
    unit = np.sqrt(np.diag(hessian))
    values = np.linalg.eigvalsh(hessian / np.outer(unit, unit))
    return values.max() / values.min()


def spectral_step(gradient, alpha):
    """The change of a matrix, of spectral norm `alpha`, that lowers the loss most to first order."""
    u, _, vt = np.linalg.svd(gradient, full_matrices=False)
    return -alpha * u @ vt


def orthogonal_round(x, a, b, c):
    """A matrix whose singular values are a s + b s³ + c s⁵ of those of `x`, its axes as they are."""
    s = x @ x.T
    return a * x + b * s @ x + c * s @ s @ x


def to_original(alpha, rows, columns):
    """The `lr` of `torch.optim.Muon` that makes the steps of `lr=alpha, adjust_lr_fn="match_rms_adamw"`."""
    return alpha * 0.2 * np.sqrt(max(rows, columns)) / np.sqrt(max(1, rows / columns))


def paired_difference(a, b):
    """The mean difference of results `a` and `b` from the same seeds, `(seeds,)`, and its standard error."""
    d = a - b
    return d.mean(), d.std(ddof=1) / np.sqrt(len(d))


def smooth(losses, beta):
    """A loss curve `(steps,)` as a running average with weight `beta` on the past, corrected as in Adam."""
    curve, average = [], 0.0
    for t, loss in enumerate(losses, 1):
        average = beta * average + (1 - beta) * loss
        curve.append(average / (1 - beta**t))
    return np.array(curve)


def steps_to_level(losses, level):
    """The first step from which losses `(steps + 1,)` stay at `level` or lower; `steps + 1` if none is."""
    above = np.flatnonzero(~(losses <= level))
    return above[-1] + 1 if above.size else 0


def epochs_of(function, problem, seed, number):
    """The batches of epochs that are drawn one after the other."""
    rng = np.random.default_rng(seed)
    return [[array(batch) for batch in function(*problem.values(), rng)] for _ in range(number)]


def many_epochs(function, problem):
    """The play of `epoch`: what can be said of some epochs however they were drawn."""
    points = problem["points"]
    one, two, *more = epochs_of(function, problem, 1, 12)
    (again,) = epochs_of(function, problem, 1, 1)
    rows = np.concatenate([np.zeros(0, int), *map(np.ravel, one)])
    seen = {int(row) for part in [one, two, *more] for batch in part for row in batch.ravel()}
    yield "number of batches in an epoch", array(len(one))
    yield "their sizes", array([batch.size for batch in one])
    yield "some index is no data point", array(not np.isin(rows, range(points)).all())
    yield "a point comes twice in a batch", array(any(np.unique(batch).size < batch.size for batch in one))
    yield "a point comes twice in an epoch", array(np.unique(rows).size < rows.size)
    yield "points come in the order of the data", array(np.array_equal(rows, np.sort(rows)))
    yield "most points follow their neighbor in the data", array(np.mean(np.abs(np.diff(rows)) == 1) > 0.5)
    yield "the second epoch repeats the first", array(same(list(enumerate(one)), list(enumerate(two))))
    yield "some point comes in none of twelve epochs", array(len(seen) < points)
    yield (
        "the same generator gives other batches",
        array(not same(list(enumerate(one)), list(enumerate(again)))),
    )


def gradients_of_points(rng):
    for points, size in [(3, 1), (3, 2), (6, 3), (8, 5), (12, 4)] * 3:
        yield {"gradients": draw(rng, -2, 2, (2, points)), "rows": rng.permutation(points)[:size]}


def epochs(rng):
    for points, size in [(30, 10), (32, 10), (20, 20), (25, 1), (100, 50), (101, 25)]:
        yield {"points": points, "size": size}


def errors(rng):
    for points in [3, 4, 10, 30, 100, 1000] * 3:
        yield {"variance": draw(rng, 0.5, 4), "points": points, "error": draw(rng, 0.1, 1)}


def points_of_a_line(rng):
    for points in [2, 2, 3, 4, 10] * 3:
        yield {
            "alpha": draw(rng, 0.05, 0.5),
            "curvatures": draw(rng, 0.3, 3, points),
            "centers": draw(rng, -2, 2, points),
        }


def spikes(rng):
    for gamma in [0.9, 0.95, 0.99, 0.999]:
        barely = [float(f"{np.sqrt(1 + surplus / (1 - gamma)):.3g}") for surplus in (3.3, 3.36)]
        for size in (2.0, *barely, draw(rng, 5, 50), draw(rng, 50, 500)):
            yield {"size": size, "gamma": gamma}


def settings(rng):
    for _ in range(10):
        yield {"alpha": draw(rng, 0.1, 2), "beta": draw(rng, 0.55, 0.95)}


def two_points(rng):
    for n in [1, 2, 2, 3] * 3:
        points = {name: draw(rng, -2, 2, n) for name in ("phi", "before", "gradient")}
        yield {**points, "alpha": draw(rng, 0.1, 2), "beta": draw(rng, 0.3, 0.9)}


def curvatures(rng):
    for _ in range(10):
        yield {"smallest": draw(rng, 0.2, 1), "largest": draw(rng, 2, 20)}


def memories(rng):
    yield from ({"beta": beta} for beta in [0.0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99])


def decays(rng):
    for _ in range(10):
        yield {"gamma": draw(rng, 0.5, 0.95), "factor": float(rng.choice([0.25, 0.5, 2, 3, 4]))}


def rates_of_ends(rng):
    for n in [1, 2, 2, 3, 4] * 3:
        yield {"curvature": draw(rng, 0.3, 8, n), "alpha": draw(rng, 0.4, 2)}


def bowls(rng):
    for n in [1, 2, 2, 3, 4] * 3:
        hessian = symmetric(rng, draw(rng, 0.5, 4, n))
        yield {"phi": draw(rng, -2, 2, n), "gradient": draw(rng, -2, 2, n), "hessian": hessian}


def rulers(rng):
    for n in [1, 2, 2, 3, 4] * 3:
        yield {"gradient": draw(rng, -2, 2, n), "matrix": symmetric(rng, draw(rng, 0.5, 4, n))}


def languages(rng):
    for n in [2, 2, 3, 4] * 3:
        target = draw(rng, 0.1, 1, (n, n))
        shares, target = draw(rng, 0.2, 1, n), target / target.sum(axis=1, keepdims=True)
        yield {"scores": draw(rng, -2, 2, (n, n)), "shares": shares / shares.sum(), "target": target}


def rare_words(rng):
    for words in [2, 3, 5, 8, 12] * 2:
        share, loss = draw(rng, 0.3, 0.9), draw(rng, 0.3, 0.6) * np.log(words)
        yield {"share": share, "words": words, "loss": loss}


def predictions(rng):
    for points, n in [(2, 1), (3, 1), (4, 2), (5, 2), (8, 3)] * 3:
        f = draw(rng, -2, 2, points)
        yield {"jacobian": draw(rng, -2, 2, (points, n)), "f": f, "y": draw(rng, -2, 2, points)}


def hessians(rng):
    for n in [2, 2, 2, 3, 4] * 3:
        yield {"hessian": symmetric(rng, draw(rng, 0.5, 4, n))}


def matrices(rng):
    for shape in [(2, 2), (2, 3), (3, 2), (3, 3), (3, 4)] * 5:
        yield {"gradient": draw(rng, -2, 2, shape), "alpha": draw(rng, 0.1, 2)}


def rounds(rng):
    for shape in [(2, 2), (2, 3), (3, 2), (3, 3), (3, 4)] * 3:
        a, b, c = (draw(rng, lo, lo + 1) for lo in (1.5, -2.5, 0.5))
        yield {"x": draw(rng, -0.8, 0.8, shape), "a": a, "b": b, "c": c}


def layers(rng):
    for rows, columns in [(4, 4), (4, 9), (9, 4), (64, 16), (16, 64), (100, 25)] * 2:
        yield {"alpha": draw(rng, 0.5, 2), "rows": rows, "columns": columns}


def gradients(rng):
    for shape in [1, 2, 2, 3, (2, 3), (3, 4), (2, 2, 3)] * 3:
        yield {"g": draw(rng, -2, 2, shape), "limit": draw(rng, 0.5, 2)}
    yield {"g": np.zeros(2), "limit": draw(rng, 0.5, 2)}
    yield {"g": np.array([[0.0, 1.5], [0.0, -2.0]]), "limit": draw(rng, 0.5, 2)}


def seeds(rng):
    for n in [3, 4, 5, 8, 20] * 2:
        shared = draw(rng, -2, 2, n)
        yield {"a": (shared + draw(rng, 0, 1, n)).round(2), "b": (shared + draw(rng, -0.5, 0.5, n)).round(2)}


def curves(rng):
    for steps in [1, 2, 3, 5, 10, 20] * 2:
        yield {"losses": draw(rng, 0.5, 3, steps), "beta": draw(rng, 0.6, 0.95)}


def words(rng):
    for _ in range(10):
        yield {"alpha": draw(rng, 0.3, 2), "p": draw(rng, 0.1, 0.9), "t": int(rng.integers(20, 60))}


def waves(rng):
    for steps in [2, 3, 5, 8, 12] * 3:
        yield {"losses": (draw(rng, 1, 2, steps) + 2 * 0.8 ** np.arange(steps)).round(2)}


def sweeps(rng):
    for settings, seeds in [(2, 2), (3, 2), (4, 3), (5, 4)] * 4:
        tuning, judged = draw(rng, 0.5, 2, (settings, seeds)), draw(rng, 0.5, 2, (settings, seeds))
        yield {"tuning": tuning, "judged": judged}
        diverged = tuning.copy()
        diverged[tuning.mean(axis=1).argmin(), 0] = np.nan
        yield {"tuning": diverged, "judged": judged}


def recorded_runs(rng):
    lengths = [(1, 1), (1, 0.096), (0.096, 1), (0.096, 0.096), (0.104, 0.104)]
    for factor in [1.105, 0.895, 1, 1, 1, 1.095, 0.905]:
        for shares in lengths:
            end = np.linspace(1, factor, 10) if factor != 1 else draw(rng, 0.97, 1.03, 10)
            losses = draw(rng, 1, 4) * np.r_[np.linspace(2, 1.1, 15), end]
            gradients, steps = (scattered_end(rng, share) for share in shares)
            yield {"losses": losses.round(3), "gradients": gradients, "steps": steps}


def scattered_end(rng, share):
    """Lengths whose last ten scatter about this share of the first."""
    last = draw(rng, 0.2, 1.8, 10)
    return (draw(rng, 1, 4) * np.r_[1, np.linspace(0.8, 0.5, 13), share * last / last.mean()]).round(3)


def falling_curves(rng):
    for steps in [0, 1, 2, 3, 5, 5, 8, 8] * 2:
        losses = (draw(rng, 0.5, 2, steps + 1) + 2 * 0.8 ** np.arange(steps + 1)).round(2)
        for level in [losses.max(), float(rng.choice(losses)), losses[-1], losses.min() / 2]:
            yield {"losses": losses, "level": level}
        yield {"losses": np.append(losses, np.nan), "level": losses[-1]}
        yield {"losses": np.insert(losses, len(losses) // 2, np.nan), "level": losses.max()}


rule(optimizers.gradient_descent)
rule(optimizers.momentum)
rule(optimizers.nesterov)
rule(optimizers.adam)
rule(optimizers.adamw)
rule(optimizers.adagrad)
rule(optimizers.rmsprop)
rule(optimizers.adadelta, leave=["alpha"])
rule(optimizers.amsgrad)
rule(optimizers.amsgrad_corrected)
rule(lagged)
rule(optimizers.lion)
exercise(optimizers.clip, gradients)
exercise(batch_gradient, gradients_of_points)
exercise(epoch, epochs, many_epochs)
exercise(batch_for_error, errors)
exercise(shuffled_shift, points_of_a_line)
exercise(steps_to_recover, spikes)
exercise(to_pytorch, settings)
exercise(next_point, two_points)
exercise(best_momentum, curvatures)
exercise(nesterov_limit, memories)
exercise(memory_in_epochs, decays)
exercise(adadelta_end, rates_of_ends)
exercise(newton_step, bowls)
exercise(gauss_newton_step, predictions)
exercise(rescaled_condition, hessians)
exercise(spectral_step, matrices)
exercise(orthogonal_round, rounds)
exercise(to_original, layers)
exercise(steepest_step, rulers)
exercise(score_gradient, languages)
exercise(time_needed, rare_words)
exercise(paired_difference, seeds)
exercise(smooth, curves)
exercise(steps_to_level, falling_curves)
exercise(diagnose, recorded_runs)
exercise(choose_and_judge, sweeps)
exercise(restarts, waves)
exercise(rare_rate, words)
