"""Test-time adaptation by entropy: a scale and a shift for every pixel, fitted to pictures without labels.

The network stays as it is (Wang et al. 2021 change its normalization layers instead, after giving them the
statistics of the test pictures; ours has none). Beside it stands a control that optimizes nothing: every pixel is
shifted so that its mean over the test pictures is that of the training pictures.
"""

from functools import partial

import numpy as np

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network
from fitlib.optimizers import adam
from fitlib.schedules import cosine

from .records import mean_and_error, store

BATCH, STEPS, SEEDS = 32, 1260, 20
RATES, TIMES = [0.001, 0.003, 0.01], [10, 30, 100]


def brighter(x, by=0.3):
    return np.minimum(x + by, 1)


def moved(x):
    """The pictures, one pixel further to the right; what leaves is lost and zeros come in."""
    pictures = np.roll(x.reshape(-1, 8, 8), 1, axis=2)
    pictures[:, :, 0] = 0
    return pictures.reshape(x.shape)


CHANGES = {
    "none": lambda x: x,
    "brighter by 0.3": brighter,
    "brighter by 0.5": partial(brighter, by=0.5),
    "brighter by 0.8, unclipped": lambda x: x + 0.8,  # a shift per pixel undoes it exactly
    "moved by one pixel": moved,
    "half moved": lambda x: (x + moved(x)) / 2,
}
BATCHES = [450, 32]  # test pictures whose means are matched together


def entropy(z, y):
    """The entropy of softmax(z), and its derivative with respect to `z`; `y` is not used."""
    z = z - z.max(axis=-1, keepdims=True)
    log_share = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    share = np.exp(log_share)
    value = -(share * log_share).sum(axis=-1)
    return value, -share * (log_share + value[..., None])


class Adapted:
    """The mean entropy of a trained network on new pictures, as a loss of a scale and a shift for each pixel.

    `psi` `(2 · inputs, *runs)` holds the scales, then the shifts; the network reads scale · x + shift.
    """

    def __init__(self, network, phi):
        self.network = network.on(network.x, network.y)
        self.network.error = entropy
        out, inputs = network.shapes[0]
        self.cuts = [out * inputs, out * (inputs + 1)]
        weights, self.biases, self.rest = np.split(phi, self.cuts)
        self.weights = weights.reshape(out, inputs, *phi.shape[1:])
        self.n, self.points = 2 * inputs, network.points

    def absorbed(self, psi):
        """The parameters of a network that does on x what the trained one does on scale · x + shift."""
        scale, shift = np.split(psi, 2)
        weights = (self.weights * scale).reshape(self.cuts[0], *psi.shape[1:])
        return np.concatenate([weights, self.biases + (self.weights * shift).sum(axis=1), self.rest])

    def __call__(self, psi, rows=None):
        return self.network(self.absorbed(psi), rows)

    def gradient(self, psi, rows=None):
        weights, biases, _ = np.split(self.network.gradient(self.absorbed(psi), rows), self.cuts)
        scale = (weights.reshape(self.weights.shape) * self.weights).sum(axis=0)
        return np.concatenate([scale, (biases[:, None] * self.weights).sum(axis=0)])


def trained(seeds=range(SEEDS)):
    """The book's network after training, `(n, seeds)`, with the test set as its data."""
    x, y, x_test, y_test = digits()
    network, seeds = Network(x, y), np.asarray(seeds)
    alpha = cosine(0.005, STEPS)
    options = {"batch": BATCH, "seed": seeds, "keep": None}
    return network.on(x_test, y_test), fit(
        adam, network, network.start(seeds), STEPS, alpha=alpha, **options
    ).phi


def matched(x, size, mean):
    """The pictures with the mean of every pixel, over batches of `size`, set to `mean`."""
    parts = [x[i : i + size] for i in range(0, len(x), size)]
    return np.concatenate([part - part.mean(axis=0) + mean for part in parts])


def match(test, phi, change):
    """Accuracy with matched means `(batches, seeds)`; no gradient, no labels."""
    mean = digits()[0].mean(axis=0)
    changed = CHANGES[change](test.x)
    return np.array([test.on(matched(changed, size, mean), test.y).accuracy(phi) for size in BATCHES])


def adapt(test, phi, change):
    """Accuracy before `(seeds,)` and after `(rates, times, seeds)` on changed pictures; so with entropy."""
    test = test.on(CHANGES[change](test.x), test.y)
    loss = Adapted(test, phi)
    start = np.repeat([1.0, 0.0], loss.n // 2)
    start = np.broadcast_to(start[:, None], (loss.n, phi.shape[1]))
    accuracy, entropies = [], []
    for rate in RATES:
        run = fit(adam, loss, start, max(TIMES), alpha=rate)
        accuracy.append([test.accuracy(loss.absorbed(run.path[time])) for time in TIMES])
        entropies.append([run.losses[time] for time in TIMES])
    return test.accuracy(phi), np.array(accuracy), run.losses[0], np.array(entropies)


def main():
    test, phi = trained()
    results = {}
    for change in CHANGES:
        before, after, entropy_before, entropy_after = adapt(test, phi, change)
        results[change] = {
            "accuracy_before": mean_and_error(before),
            "accuracy_after": mean_and_error(after)[0],
            "gain": mean_and_error(after - before)[0],
            "error": mean_and_error(after - before)[1],
            "seeds_that_gain": (after > before).sum(axis=-1),
            "entropy_before": entropy_before.mean(),
            "entropy_after": entropy_after.mean(axis=-1),
            "matched": mean_and_error(match(test, phi, change)).T,
            "before_per_seed": before,
            "after_per_seed": after,
        }
    store("test_time_adaptation", seeds=SEEDS, rates=RATES, steps=TIMES, batches=BATCHES, results=results)


if __name__ == "__main__":
    main()
