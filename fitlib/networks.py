"""A small fully connected network whose parameters are one vector, for one run or many at once.

`phi` has shape `(n, *runs)`: for each layer its weights, `(out, in)` row by row, then its biases. That is
the order of `torch.nn.utils.parameters_to_vector`. A network with its data is a loss like any other: every
rule of `fitlib.optimizers` trains it.
"""

import copy
from functools import partial

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh

# Runs are evaluated in blocks of about so many numbers per layer: what fits the processor's cache.
BLOCK = 2**17


def cross_entropy(z, y):
    """−log softmax(z) at the class of the one-hot `y`, and its derivative with respect to `z`."""
    z = z - z.max(axis=-1, keepdims=True)
    e = np.exp(z)
    total = e.sum(axis=-1, keepdims=True)
    return np.log(total[..., 0]) - (z * y).sum(axis=-1), e / total - y


def squared_error(z, y):
    """Half the sum over the outputs of (z − y)², and its derivative with respect to `z`."""
    return ((z - y) ** 2).sum(axis=-1) / 2, z - y


ERRORS = {"cross_entropy": cross_entropy, "squared_error": squared_error}

# name: (the function, its derivative written in its own value)
ACTIVATIONS = {
    "relu": (lambda z: np.maximum(z, 0), lambda h: h > 0),
    "tanh": (np.tanh, lambda h: 1 - h**2),
}


class Network:
    """A fully connected classifier and the data it is fitted to: the mean error, as a loss of `phi`.

    `x` has shape `(points, inputs)`; `y` holds a whole number from 0 per point. `hidden` are the widths of
    the hidden layers. `decay` adds decay/2 · |φ|² (biases included, as `weight_decay` in torch.optim) and
    may have a value per run. `rows` are indices of data points, `(b,)` for all runs or `(*runs, b)`.
    """

    def __init__(self, x, y, hidden=(64,), activation="relu", error="cross_entropy", decay=0.0):
        for name, given, known in ("activation", activation, ACTIVATIONS), ("error", error, ERRORS):
            if given not in known:
                raise ValueError(f"{name} is {given!r}; choose one of {', '.join(known)}")
        self.activation, self.slope = ACTIVATIONS[activation]
        self.error, self.decay = ERRORS[error], decay
        widths = (np.shape(x)[-1], *hidden, int(np.max(y)) + 1)
        self.shapes = list(zip(widths[1:], widths[:-1], strict=True))
        self.n = sum(out * (fan_in + 1) for out, fan_in in self.shapes)
        self._hold(x, y)

    def on(self, x, y):
        """The same network on other data, such as the test set."""
        other = copy.copy(self)
        other._hold(x, y)
        return other

    def start(self, seed=0, gain=2**0.5):
        """Normal weights of deviation gain/√fan-in, biases zero, `(n, *seed.shape)` (He et al. 2015)."""
        std = [np.repeat([fan_in**-0.5, 0], [out * fan_in, out]) for out, fan_in in self.shapes]
        draws = [np.random.default_rng(s).standard_normal(self.n) for s in np.ravel(seed)]
        phi = np.reshape(draws, (*np.shape(seed), self.n)) * np.concatenate(std)
        return np.moveaxis(phi, -1, 0) * gain

    def __call__(self, phi, rows=None):
        """The mean error over the data (or `rows`), and the decay; shape `(*runs,)`."""
        error = self._each(lambda x, y, layers: self.error(self._values(x, layers)[-1], y)[0], phi, rows)
        decay = self.decay / 2 * (phi**2).sum(axis=0) if np.any(self.decay) else 0
        return error.mean(axis=-1) + decay

    def gradient(self, phi, rows=None):
        """The gradient of the loss by backpropagation, shape `(n, *runs)`."""
        mean = np.moveaxis(self._each(self._mean_gradient, phi, rows), -1, 0)
        return mean + self.decay * phi if np.any(self.decay) else mean

    def predict(self, phi, x):
        """The outputs (before the softmax) for the inputs `x`, shape `(*runs, len(x), classes)`."""
        other = self.on(x, np.zeros(len(x), int))
        return other._each(lambda x, y, layers: self._values(x, layers)[-1], phi)

    def accuracy(self, phi):
        """The share of the data where the largest output is the label's, shape `(*runs,)`."""
        return (self.predict(phi, self.x).argmax(axis=-1) == self.y).mean(axis=-1)

    def negative_log_likelihood(self, phi):
        """The mean of −log softmax at the labels, without decay, shape `(*runs,)`."""
        return cross_entropy(self.predict(phi, self.x), self.targets)[0].mean(axis=-1)

    def noise_scale(self, phi):
        """tr Σ / |G|²: the spread of single points' gradients over their mean (McCandlish et al. 2018)."""
        mean = (self._each(self._mean_gradient, phi) ** 2).sum(axis=-1)
        return self._each(self._squared_gradients, phi).mean(axis=-1) / mean - 1

    def _hold(self, x, y):
        if np.shape(x) != (len(y), self.shapes[0][1]):
            raise ValueError(f"x is {np.shape(x)}; expected {(len(y), self.shapes[0][1])}, a row per label")
        self.x, self.y, self.points = x, y, len(y)
        self.targets = np.eye(self.shapes[-1][0])[y]

    def _each(self, f, phi, rows=None):
        """`f(x, y, layers)` over blocks of runs, put together: shape `(*runs, ...)`."""
        if len(phi) != self.n:
            raise ValueError(f"phi has {len(phi)} parameters; this network has {self.n}")
        runs = phi.shape[1:]
        flat = np.moveaxis(phi, 0, -1).reshape(-1, self.n)
        own = np.ndim(rows) > 1
        if own:
            rows = np.broadcast_to(rows, (*runs, np.shape(rows)[-1])).reshape(len(flat), -1)
        batch = self.points if rows is None else np.shape(rows)[-1]
        size = max(1, BLOCK // (batch * max(out for out, _ in self.shapes)))
        parts = []
        with np.errstate(all="ignore"):  # a run that diverged is inf or nan, and says so itself
            for i in range(0, len(flat), size):
                here = slice(None) if rows is None else rows[i : i + size] if own else rows
                parts.append(f(self.x[here], self.targets[here], self._layers(flat[i : i + size])))
        return np.concatenate(parts).reshape(*runs, *parts[0].shape[1:])

    def _layers(self, flat):
        """Views of the weights `(runs, out, in)` and biases `(runs, 1, out)` of each layer."""
        layers, end = [], 0
        for out, fan_in in self.shapes:
            start, middle, end = end, end + out * fan_in, end + out * (fan_in + 1)
            layers.append((flat[:, start:middle].reshape(-1, out, fan_in), flat[:, None, middle:end]))
        return layers

    def _values(self, x, layers):
        """The values of all layers, `(runs, b, width)`, from the inputs to the outputs."""
        values = [x]
        for weights, biases in layers:
            z = values[-1] @ weights.swapaxes(-1, -2) + biases
            values.append(self.activation(z))
        return [*values[:-1], z]

    def _deltas(self, x, y, layers):
        """For each layer from the last: its number, the values before it, the derivatives behind it."""
        values = self._values(x, layers)
        delta = self.error(values.pop(), y)[1]
        for k, before in reversed(list(enumerate(values))):
            yield k, before, delta
            if k:
                delta = delta @ layers[k][0] * self.slope(before)

    def _mean_gradient(self, x, y, layers):
        gradient = np.empty((len(layers[0][0]), self.n), layers[0][0].dtype)
        views = self._layers(gradient)
        for k, before, delta in self._deltas(x, y, layers):
            delta = delta / delta.shape[-2]
            np.matmul(delta.swapaxes(-1, -2), before, out=views[k][0])
            np.sum(delta, axis=-2, keepdims=True, out=views[k][1])
        return gradient

    def _squared_gradients(self, x, y, layers):
        # A point's gradient is an outer product in each layer, so its square is a product of squares.
        terms = [((d**2).sum(-1), (h**2).sum(-1) + 1) for _, h, d in self._deltas(x, y, layers)]
        return sum(a * b for a, b in terms)


def hessian_product(loss, phi, v):
    """The Hessian of `loss` at `phi` times `v`, both `(n, *runs)`.

    The change of the gradient over a tiny imaginary step (Squire and Trapp 1998): nothing cancels, so it is
    exact to the last digits, and no kink of a ReLU is crossed.
    """
    tiny = 1e-20
    return loss.gradient(phi + 1j * tiny * v).imag / tiny


def sharpness(loss, phi, tolerance=1e-4):
    """The largest eigenvalue of the Hessian of `loss` at `phi`, shape `(*runs,)`; nan where a run diverged.

    By Lanczos iteration (ARPACK) to the relative `tolerance`, from products of the Hessian with vectors.
    """
    n, *runs = phi.shape
    found = np.full(runs, np.nan)
    first = np.random.default_rng(0).standard_normal(n)
    for run in np.ndindex(*runs):
        point = phi[(slice(None), *run)]
        if np.isfinite(point).all():
            hessian = LinearOperator((n, n), partial(hessian_product, loss, point), dtype=float)
            found[run] = eigsh(hessian, k=1, which="LA", tol=tolerance, v0=first)[0][0]
    return found
