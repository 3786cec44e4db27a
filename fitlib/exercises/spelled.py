"""References in a second form: one line per equation, and a name for each quantity that a learner would name.

The checker edits both forms and looks in both for values. A form is found by the name of its reference, whose
results it has (tested).
"""

import numpy as np


def mean_squared_error(f, y):
    residual = f - y
    squares = residual**2
    return np.sum(squares) / len(squares)


def line_gradient(phi, x, y):
    f = phi[0] + phi[1] * x
    residual = f - y
    first = 2 * np.sum(residual) / len(x)
    second = 2 * np.sum(residual * x) / len(x)
    return np.array([first, second])


def numerical_gradient(loss, phi, h):
    gradient = np.zeros(len(phi))
    for i in range(len(phi)):
        e = np.zeros(len(phi))
        e[i] = h
        up = loss(phi + e)
        down = loss(phi - e)
        gradient[i] = (up - down) / (2 * h)
    return gradient


def gabor(x, phi):
    u = phi[0] + 0.06 * phi[1] * x
    wave = np.sin(u)
    bump = np.exp(-(u**2) / 32)
    return wave * bump


def gabor_gradient(phi, x, y):
    u = phi[0] + 0.06 * phi[1] * x
    wave = np.sin(u)
    bump = np.exp(-(u**2) / 32)
    residual = wave * bump - y
    wave_slope = np.cos(u) * bump
    bump_slope = wave * bump * (-u / 16)
    slope = wave_slope + bump_slope
    first = 2 * np.mean(residual * slope)
    second = 2 * np.mean(residual * slope * 0.06 * x)
    return np.array([first, second])


def classify(hessian):
    eigenvalues = np.linalg.eigvalsh(hessian)
    tiny = 1e-5 * np.abs(eigenvalues).max()
    smallest = eigenvalues.min()
    largest = eigenvalues.max()
    if smallest > tiny:
        return "minimum"
    if largest < -tiny:
        return "maximum"
    if smallest < -tiny and largest > tiny:
        return "saddle"
    return "undecided"


def escape_steps(delta, alpha, curvature):
    growth = 1 - alpha * curvature
    distance = np.log(1 / delta)
    return np.ceil(distance / np.log(growth))


def nesterov(t, phi, grad, m=0.0, *, alpha, beta=0.9):
    ahead = phi - alpha * beta * m
    g = grad(ahead)
    m = beta * m + (1 - beta) * g
    step = alpha * m
    return phi - step, m


def adadelta(t, phi, grad, v=0.0, u=0.0, *, alpha=1.0, gamma=0.9, eps=1e-6):
    g = grad(phi)
    v = gamma * v + (1 - gamma) * g**2
    above = np.sqrt(u + eps)
    below = np.sqrt(v + eps)
    d = above / below * g
    u = gamma * u + (1 - gamma) * d**2
    return phi - d, v, u


def clip(g, limit):
    length = np.sqrt(np.sum(g**2, axis=0))
    factor = np.where(length > limit, limit / length, 1.0)
    return g * factor


def batch_gradient(gradients, rows):
    total = gradients[:, rows].sum(axis=1)
    return total / len(rows)


def best_momentum(smallest, largest):
    slow, fast = np.sqrt(smallest), np.sqrt(largest)
    rate = (fast - slow) / (fast + slow)
    beta = rate**2
    alpha = 1 / (slow * fast)
    return alpha, beta


def paired_difference(a, b):
    d = a - b
    n = len(d)
    mean = np.sum(d) / n
    variance = np.sum((d - mean) ** 2) / (n - 1)
    return mean, np.sqrt(variance) / np.sqrt(n)


def steps_to_level(losses, level):
    step = 0
    for i in range(len(losses)):
        if not losses[i] <= level:
            step = i + 1
    return step


def noise_floor(alpha, curvature, variance, b):
    noise = alpha * variance / b
    room = 2 - alpha * curvature
    return noise / room / 2


def noise_scale(gradients):
    mean = gradients.mean(axis=0)
    noise = np.sum(np.mean((gradients - mean) ** 2, axis=0))
    signal = np.sum(mean**2)
    return noise / signal


def ema(points, decay):
    average = 0.0
    for i in range(len(points)):
        average = decay * average + (1 - decay) * points[i]
    correction = 1 - decay ** len(points)
    return average / correction


def radam_factor(t, gamma):
    longest = 2 / (1 - gamma) - 1
    length = longest - 2 * t * gamma**t / (1 - gamma**t)
    if length <= 4:
        return 0.0
    above = (length - 4) * (length - 2) * longest
    below = (longest - 4) * (longest - 2) * length
    return np.sqrt(above / below)


def robbins_monro(p):
    infinite = p <= 1
    finite = 2 * p > 1
    return infinite and finite


def cosine(alpha, steps, end=0.0):
    def rate(t):
        share = min((t - 1) / steps, 1)
        wave = (1 + np.cos(np.pi * share)) / 2
        return end + (alpha - end) * wave

    return rate


def step(alpha, every, factor=0.1):
    def rate(t):
        stairs = (t - 1) // every
        return alpha * factor**stairs

    return rate


def warmup(schedule, steps):
    def rate(t):
        share = min(t / steps, 1)
        later = max(t - steps, 1)
        return share * schedule(later)

    return rate
