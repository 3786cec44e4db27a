"""Where momentum begins to help: a network on 512 digits, batches from 4 to all, 200 steps each.

Plain descent and momentum with five β, each over a grid of rates. Rate and β are chosen by the training loss on
some seeds and judged on others; a pair of runs shares its start and its batches.
"""

import numpy as np

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network
from fitlib.optimizers import momentum

from .records import store

POINTS, STEPS, SIZES, SEEDS = 512, 200, (4, 16, 64, 256, 512), range(8)
RATES, BETAS = 2.0 ** np.arange(-4, 6), (0.0, 0.5, 0.8, 0.9, 0.95, 0.98)


def train(size, rates=RATES, betas=BETAS, seeds=SEEDS):
    """Training loss after the last step, `(rates, betas, seeds)`."""
    x, y = (half[:POINTS] for half in digits()[:2])
    net, seeds = Network(x, y, hidden=(32,)), np.asarray(seeds)
    shape = (net.n, len(rates), len(betas), len(seeds))
    begin = np.broadcast_to(net.start(seeds)[:, None, None], shape)
    hyper = {"alpha": np.reshape(rates, (-1, 1, 1)), "beta": np.reshape(betas, (-1, 1))}
    return fit(momentum, net, begin, STEPS, batch=size, seed=seeds, keep=None, **hyper).losses[-1]


def main():
    losses = {str(size): train(size) for size in SIZES}
    losses = {size: np.nan_to_num(values, nan=np.inf) for size, values in losses.items()}
    store("momentum_and_batch", points=POINTS, steps=STEPS, rates=RATES, betas=BETAS, losses=losses)


if __name__ == "__main__":
    main()
