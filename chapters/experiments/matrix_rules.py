"""Rules for matrices on the digits, against momentum and Adam: the same steps, the same number of settings.

A network 64-32-32-10. On each of eight splits a quarter of the training digits is kept for validation. Every
rule tries 216 settings of all that matters in it, on two seeds; the setting with the lowest validation
likelihood trains ten new seeds, which are judged on the split's test digits. The rate falls to zero in a
line. The matrices of the two hidden layers get the rule, biases and the last layer get Adam; "Adam twice" is
Adam on both, with two rates, as a control.
"""

import sys
from itertools import product

import numpy as np
from sklearn.model_selection import train_test_split

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.matrices import by_layer, muon, shampoo, soap
from fitlib.networks import Network
from fitlib.optimizers import adam, momentum
from fitlib.schedules import linear

from .records import HERE, load, store

HIDDEN, BATCH, BUDGETS = (32, 32), 32, (93, 186)
SPLITS, TUNING_SEEDS, SEEDS = range(8), (100, 101), range(10)
SHAPES = [(32, 64), (32,), (32, 32), (32,), (330,)]


def octaves(low, high, each=1):
    return 2.0 ** np.linspace(low, high, (high - low) * each + 1)


# name: (rule, its grid, what stays fixed)
RULES = {
    "momentum": (momentum, {"alpha": octaves(-4, 4, 3)[:24], "beta": [0, 0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98]}, {}),
    "Adam": (adam, {"alpha": octaves(-8, -2, 2)[1:10], "beta": [0, 0.5, 0.7, 0.8, 0.9, 0.95],
                    "gamma": [0.9, 0.99, 0.999, 0.9999]}, {}),
    "Adam twice": (by_layer(SHAPES, adam), {"alpha": octaves(-8, -3), "rest_alpha": octaves(-8, -3),
                                            "beta": [0, 0.5, 0.8, 0.9, 0.95, 0.98]}, {}),
    "Muon": (by_layer(SHAPES, muon), {"alpha": octaves(-6, 2), "rest_alpha": octaves(-8, -3),
                                      "beta": [0, 0.5, 0.8, 0.95]}, {}),
    "Shampoo": (by_layer(SHAPES, shampoo), {"alpha": octaves(-3, 5), "rest_alpha": octaves(-8, -1, 1)[::2],
                                            "beta": [0.5, 0.9], "gamma": [0.9, 0.99, 1.0]}, {}),
    "SOAP": (by_layer(SHAPES, soap), {"alpha": octaves(-7, -2), "rest_alpha": octaves(-8, -1, 1)[::2],
                                      "beta": [0, 0.5, 0.9], "gamma": [0.9, 0.99, 0.999]}, {"every": 10}),
}  # fmt: skip
