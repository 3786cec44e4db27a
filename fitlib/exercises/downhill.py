"""Exercises of part 1, *Going downhill*: references and problems. The mistakes are in `mistakes.md`."""

import numpy as np

from fitlib.exercises.core import Fault, array, draw, exercise, shown, symmetric
from fitlib.gabor import gabor

SLOPES = ["the slopes of x", "the slopes of W"]
SIZES = [1, 2, 2, 3, 5, 12] * 3


def mean_squared_error(f, y):
    """The mean squared residual between predictions `f` and data `y`, both `(points,)`."""
    return np.mean((f - y) ** 2)


def line_gradient(phi, x, y):
    """The gradient, `(2,)`, of the mean squared error of the line `phi[0] + phi[1] * x`."""
    residual = phi[0] + phi[1] * x - y
    return np.array([2 * np.mean(residual), 2 * np.mean(residual * x)])


def logistic_gradient(phi, x, t):
    """The gradient, `(2,)`, of the mean cross-entropy of the scores `phi[0] + phi[1] * x` for answers `t`, 0 or 1."""
    miss = 1 / (1 + np.exp(-phi[0] - phi[1] * x)) - t
    return np.array([np.mean(miss), np.mean(miss * x)])


def weighted_line(x, y, w):
    """Intercept and slope, `(2,)`, of the line with the least weighted squares."""
    X = np.stack([np.ones(len(x)), x], axis=1)
    return np.linalg.solve(X.T * w @ X, X.T * w @ y)


def numerical_gradient(loss, phi, h):
    """The gradient of `loss` at `phi`, `(n,)`, by central differences with the step `h`."""
    return np.array([(loss(phi + h * e) - loss(phi - h * e)) / (2 * h) for e in np.eye(len(phi))])


def gabor_gradient(phi, x, y):
    """The gradient, `(2,)`, of the mean squared error of the Gabor model, derived by hand."""
    u = phi[0] + 0.06 * phi[1] * x
    slope = (np.cos(u) - u / 16 * np.sin(u)) * np.exp(-(u**2) / 32)
    residual = gabor(x, phi) - y
    return np.array([2 * np.mean(residual * slope), 2 * np.mean(residual * slope * 0.06 * x)])


def dual_multiply(a, b):
    """The product of two dual numbers, pairs of a value and a derivative."""
    return a[0] * b[0], a[0] * b[1] + a[1] * b[0]


def backward_multiply(a, b, slope, slope_a, slope_b):
    """The way back through `a * b`: the slopes collected so far at `a` and `b`, with what `slope` adds."""
    return slope_a + slope * b, slope_b + slope * a


def layer_backward(w, x, delta):
    """The slopes of `x` `(in,)` and `w` `(out, in)` behind `w @ x`, whose own slopes are `delta` `(out,)`."""
    return w.T @ delta, np.outer(delta, x)


def hessian_vector(gradient, phi, v, h):
    """The Hessian at `phi` times `v`, both `(n,)`, by a central difference of the function `gradient`."""
    return (gradient(phi + h * v) - gradient(phi - h * v)) / (2 * h)


def stability_limit(hessian):
    """The rate above which gradient descent on a bowl with this Hessian `(n, n)` diverges."""
    return 2 / np.linalg.eigvalsh(hessian).max()


def best_rate(hessian):
    """The constant rate at which gradient descent on a bowl with this Hessian `(n, n)` is fastest."""
    eigenvalues = np.linalg.eigvalsh(hessian)
    return 2 / (eigenvalues.min() + eigenvalues.max())


def bowl_steps(hessian, alpha, factor):
    """Steps of descent at `alpha` until every start on this bowl is `factor` times as near, at least; inf if never."""
    worst = np.abs(1 - alpha * np.linalg.eigvalsh(hessian)).max()
    return np.ceil(np.log(factor) / np.log(1 / worst)) if worst < 1 else np.inf


def barzilai_borwein(phi, before, g, g_before):
    """The rate that explains the change of the gradient `(n,)` between two points best (Barzilai and Borwein 1988)."""
    s, y = phi - before, g - g_before
    return s @ s / (s @ y)


def classify(hessian):
    """What a critical point with this Hessian `(n, n)` is: "minimum", "maximum", "saddle" or "undecided"."""
    eigenvalues = np.linalg.eigvalsh(hessian)
    eigenvalues = np.where(np.abs(eigenvalues) < 1e-5 * np.abs(eigenvalues).max(), 0, eigenvalues)
    if np.all(eigenvalues > 0):
        return "minimum"
    if eigenvalues.min() < 0 < eigenvalues.max():
        return "saddle"
    return "maximum" if np.all(eigenvalues < 0) else "undecided"


def starts_needed(share, certainty):
    """Independent starts needed to find what one start finds with probability `share`, with this certainty."""
    return np.ceil(np.log(1 - certainty) / np.log(1 - share))


def turns(angles):
    """Whole turns of a direction on a closed walk, from its `angles` `(steps,)`, each between -pi and pi."""
    changes = np.diff(np.append(angles, angles[0]))
    return np.round(np.sum((changes + np.pi) % (2 * np.pi) - np.pi) / (2 * np.pi))


def index(hessian):
    """The number of independent ways down from a critical point with this Hessian `(n, n)`."""
    return np.sum(np.linalg.eigvalsh(hessian) < 0)


def saddle_free_step(hessian, g):
    """The step by the sizes of the eigenvalues of the Hessian `(n, n)` at the gradient `g` (Dauphin et al. 2014)."""
    values, vectors = np.linalg.eigh(hessian)
    return -vectors @ (vectors.T @ g / np.abs(values))


def escape_steps(delta, alpha, curvature):
    """Steps of descent until the distance `delta` across a ridge (`curvature < 0`) has grown to 1."""
    return np.ceil(np.log(1 / delta) / np.log(1 - alpha * curvature))


def predictions(rng):
    for points in SIZES:
        yield {"f": draw(rng, -2, 2, points), "y": draw(rng, -2, 2, points)}


def lines(rng):
    for points in SIZES:
        yield {"phi": draw(rng, -2, 2, 2), "x": draw(rng, -2, 2, points), "y": draw(rng, -2, 2, points)}


def answers(rng):
    for line in lines(rng):
        yield {"phi": line["phi"], "x": line["x"], "t": rng.integers(0, 2, len(line["x"])).astype(float)}


def weighted_points(rng):
    for points in [2, 3, 3, 5, 12] * 3:
        x = np.arange(points) + draw(rng, -0.4, 0.4, points)  # apart from each other
        yield {"x": x.round(2), "y": draw(rng, -2, 2, points), "w": draw(rng, 0.2, 3, points)}


def formulas(rng):
    for n in [1, 1, 2, 2, 3, 4] * 3:
        a = draw(rng, -2, 2)
        text = f"sum(phi**3) + {a} * prod(sin(phi))"
        loss = shown(lambda phi, a=a: np.sum(phi**3) + a * np.prod(np.sin(phi)), text)
        yield {"loss(phi)": loss, "phi": draw(rng, 0.5, 2, n), "h": draw(rng, 0.2, 0.5)}


def waves(rng):
    for points in SIZES:
        phi = np.array([draw(rng, -3, 3), draw(rng, 2.5, 22.5)])
        yield {"x": draw(rng, -15, 15, points), "phi": phi}


def waves_and_data(rng):
    for wave in waves(rng):
        yield {"phi": wave["phi"], "x": wave["x"], "y": draw(rng, -1, 1, len(wave["x"]))}


def duals(rng):
    for _ in range(10):
        yield {"a": draw(rng, -2, 2, 2), "b": draw(rng, -2, 2, 2)}


def products(rng):
    for _ in range(10):
        yield {name: draw(rng, -2, 2) for name in ["a", "b", "slope", "slope_a", "slope_b"]}


def layers(rng):
    for out, fan_in in [(1, 2), (2, 1), (2, 3), (4, 3)] * 3:
        yield {"w": draw(rng, -2, 2, (out, fan_in)), "x": draw(rng, -2, 2, fan_in), "delta": draw(rng, -2, 2, out)}


def slopes_of_a_layer(function, problem):
    """The play of `layer_backward`: two arrays of different shapes."""
    result = function(*problem.values())
    if not isinstance(result, (list, tuple)):
        array(result)
    if not isinstance(result, (list, tuple)) or len(result) != 2:
        raise Fault("your function must return two arrays: the slopes of x and the slopes of W.")
    for name, part in zip(SLOPES, result, strict=True):
        yield name, array(part, f"your function, for {name},")


def bent(rng):
    for n in [1, 2, 2, 3] * 4:
        a = symmetric(rng, draw(rng, -2, 2, n))
        gradient = shown(lambda phi, a=a: a @ phi + phi**3, f"A @ phi + phi**3, with A = {a.tolist()}")
        phi, v = draw(rng, 0.5, 1, n), draw(rng, 0.5, 2, n)
        yield {"gradient(phi)": gradient, "phi": phi, "v": v, "h": draw(rng, 0.3, 0.6)}


def bowls(rng):
    for n in [1, 2, 2, 3, 4] * 3:
        yield {"hessian": symmetric(rng, draw(rng, 0.5, 4, n))}


def bowls_and_rates(rng):
    for n, share in [(1, 0.2), (3, 0.5), (2, 0.95), (3, 1.2)] * 4:
        hessian = symmetric(rng, draw(rng, 0.5, 4, n))
        alpha = float(f"{share * stability_limit(hessian):.3g}")
        worst = np.abs(1 - alpha * np.linalg.eigvalsh(hessian)).max()
        steps = rng.integers(5, 40) - 0.5  # as far from a whole number as can be
        yield {"hessian": hessian, "alpha": alpha, "factor": float(f"{max(worst, 1 / worst) ** steps:.4g}")}


def two_points(rng):
    for hessian in (problem["hessian"] for problem in bowls(rng)):
        phi, before = draw(rng, -2, 2, (2, len(hessian)))
        yield {"phi": phi, "before": before, "g": hessian @ phi, "g_before": hessian @ before}


def critical_points(rng):
    for n in [2, 2, 2, 2, 3, 3] * 4:
        eigenvalues = rng.choice([-4, -1, 1, 4], n) * draw(rng, 0.5, 4, n)
        yield {"hessian": symmetric(rng, eigenvalues)}
    for small in [0.1, 0.3, -0.1, -0.3]:
        yield {"hessian": np.diag([small, 4 * small, 2.0])}
        yield {"hessian": np.diag([small, -2.0])}


def slopes(rng):
    for point in critical_points(rng):
        yield {**point, "g": draw(rng, -2, 2, len(point["hessian"]))}


def flat_points(rng):
    """Critical points, and some with an eigenvalue of exactly 0: alone with positive ones, or beside both signs."""
    yield from critical_points(rng)
    for n, signs in [(2, [1]), (2, [-1]), (3, [1, -1]), (3, [1, 1])] * 2:
        vectors = np.eye(n, dtype=int)[: len(signs)] + rng.integers(1, 4, (len(signs), n))
        yield {"hessian": (vectors.T * signs @ vectors).astype(float)}


def odds(rng):
    for _ in range(30):
        share, starts = draw(rng, 0.03, 0.4), rng.integers(2, 15) - 0.5  # as far from a whole number as can be
        yield {"share": share, "certainty": float(f"{1 - (1 - share) ** starts:.4f}")}


def walks(rng):
    for wanted, steps in [(0, 16), (1, 7), (-1, 7), (2, 5), (-2, 5), (3, 16)] * 3:
        phase = np.linspace(0, 2 * np.pi, steps, endpoint=False)
        angles = wanted * phase + draw(rng, 0, 6) + draw(rng, 0.2, 0.5) * np.sin(phase + draw(rng, 0, 6))
        yield {"angles": ((angles + np.pi) % (2 * np.pi) - np.pi).round(2)}


def ridges(rng):
    for _ in range(20):
        alpha, curvature = draw(rng, 0.05, 0.5), draw(rng, -2, -0.2)
        steps = rng.integers(10, 60) - 0.5  # as far from a whole number as can be
        delta = float(f"{(1 - alpha * curvature) ** -steps:.3g}")
        yield {"delta": delta, "alpha": alpha, "curvature": curvature}


exercise(mean_squared_error, predictions)
exercise(line_gradient, lines)
exercise(logistic_gradient, answers)
exercise(weighted_line, weighted_points)
exercise(numerical_gradient, formulas)
exercise(gabor_gradient, waves_and_data)
exercise(dual_multiply, duals)
exercise(backward_multiply, products)
exercise(layer_backward, layers, slopes_of_a_layer, SLOPES)
exercise(hessian_vector, bent)
exercise(stability_limit, bowls)
exercise(best_rate, bowls)
exercise(bowl_steps, bowls_and_rates)
exercise(barzilai_borwein, two_points)
exercise(gabor, waves)
exercise(classify, flat_points)
exercise(starts_needed, odds)
exercise(turns, walks)
exercise(index, critical_points)
exercise(escape_steps, ridges)
exercise(saddle_free_step, slopes)
