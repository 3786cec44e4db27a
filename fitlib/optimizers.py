"""The rules of the book: one step of each, one line per equation.

A rule is a function `phi, *state = rule(t, phi, grad, *state, **hyper)`:

- `t` counts steps from 1;
- `phi` has shape `(n, *runs)`: parameters first, runs behind;
- `grad` is a function from a point to the gradient there, same shape;
- states are the arguments with a default; they start at that default, or at the
  starting point where the default is `"phi"`;
- hyperparameters are keyword-only and broadcast against `runs`.

Nothing is changed in place. `fitlib.fitting.fit` folds a rule over many steps.
"""

import numpy as np


def gradient_descent(t, phi, grad, *, alpha):
    """One step against the gradient (Cauchy 1847); on batches, it is SGD."""
    return phi - alpha * grad(phi)


def momentum(t, phi, grad, m=0.0, *, alpha, beta=0.9):
    """One step along an average of past gradients (Polyak 1964)."""
    m = beta * m + (1 - beta) * grad(phi)
    return phi - alpha * m, m


def nesterov(t, phi, grad, m=0.0, *, alpha, beta=0.9):
    """One step of momentum, its gradient taken ahead (Nesterov 1983)."""
    m = beta * m + (1 - beta) * grad(phi - alpha * beta * m)
    return phi - alpha * m, m


def adagrad(t, phi, grad, v=0.0, *, alpha, eps=1e-10):
    """One step over the root of all squares so far (Duchi et al. 2011)."""
    g = grad(phi)
    v = v + g**2
    return phi - alpha * g / (np.sqrt(v) + eps), v


def rmsprop(t, phi, grad, v=0.0, *, alpha, gamma=0.99, eps=1e-8):
    """One step over the root of recent squares (Tieleman and Hinton 2012)."""
    g = grad(phi)
    v = gamma * v + (1 - gamma) * g**2
    return phi - alpha * g / (np.sqrt(v) + eps), v


def adadelta(t, phi, grad, v=0.0, u=0.0, *, alpha=1.0, gamma=0.9, eps=1e-6):
    """One step in the units of phi, with no rate to choose (Zeiler 2012)."""
    g = grad(phi)
    v = gamma * v + (1 - gamma) * g**2
    d = np.sqrt(u + eps) / np.sqrt(v + eps) * g
    u = gamma * u + (1 - gamma) * d**2
    return phi - alpha * d, v, u


def adam(t, phi, grad, m=0.0, v=0.0, *, alpha, beta=0.9, gamma=0.999, eps=1e-8):
    """One step on m over the root of v, corrected (Kingma and Ba 2015)."""
    g = grad(phi)
    m = beta * m + (1 - beta) * g
    v = gamma * v + (1 - gamma) * g**2
    m_hat = m / (1 - beta**t)
    v_hat = v / (1 - gamma**t)
    return phi - alpha * m_hat / (np.sqrt(v_hat) + eps), m, v


def adamw(t, phi, grad, m=0.0, v=0.0, *, alpha, beta=0.9, gamma=0.999, eps=1e-8, decay=0.01):
    """One step of Adam and a decay of its own (Loshchilov and Hutter 2019)."""
    g = grad(phi)
    m = beta * m + (1 - beta) * g
    v = gamma * v + (1 - gamma) * g**2
    m_hat = m / (1 - beta**t)
    v_hat = v / (1 - gamma**t)
    return phi - alpha * decay * phi - alpha * m_hat / (np.sqrt(v_hat) + eps), m, v


def amsgrad(t, phi, grad, m=0.0, v=0.0, v_max=0.0, *, alpha, beta=0.9, gamma=0.999, eps=1e-8):
    """One step of Adam over the largest v so far (as in PyTorch and Keras)."""
    g = grad(phi)
    m = beta * m + (1 - beta) * g
    v = gamma * v + (1 - gamma) * g**2
    v_max = np.maximum(v_max, v)
    m_hat = m / (1 - beta**t)
    v_hat = v_max / (1 - gamma**t)
    return phi - alpha * m_hat / (np.sqrt(v_hat) + eps), m, v, v_max


def amsgrad_corrected(t, phi, grad, m=0.0, v=0.0, v_max=0.0, *, alpha, beta=0.9, gamma=0.999, eps=1e-8):
    """One step of Adam over the largest corrected v so far (as in Optax)."""
    g = grad(phi)
    m = beta * m + (1 - beta) * g
    v = gamma * v + (1 - gamma) * g**2
    m_hat = m / (1 - beta**t)
    v_hat = v / (1 - gamma**t)
    v_max = np.maximum(v_max, v_hat)
    return phi - alpha * m_hat / (np.sqrt(v_max) + eps), m, v, v_max


def sign_descent(t, phi, grad, *, alpha):
    """One step of length alpha in every parameter, against the gradient's sign (Bernstein et al. 2018)."""
    return phi - alpha * np.sign(grad(phi))


def lion(t, phi, grad, m=0.0, *, alpha, beta=0.9, gamma=0.99, decay=0.0):
    """One step along the sign of an average, and a decay of its own (Chen et al. 2023)."""
    g = grad(phi)
    d = np.sign(beta * m + (1 - beta) * g)
    m = gamma * m + (1 - gamma) * g
    return phi - alpha * decay * phi - alpha * d, m


def clip(g, limit):
    """The gradient `g`, of length `limit` at most (Pascanu et al. 2013)."""
    return g * limit / np.maximum(np.linalg.norm(g, axis=0), limit)


def clipped_gradient_descent(t, phi, grad, *, alpha, limit=1.0):
    """One step against the clipped gradient, `alpha * limit` at most."""
    return phi - alpha * clip(grad(phi), limit)
