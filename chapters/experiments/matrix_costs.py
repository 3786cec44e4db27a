"""The time of a step of each rule on one square matrix, one core, in milliseconds: the least of five runs of ten steps.

Times depend on the machine; what the chapter shows are their ratios.
"""

import time

import numpy as np

from fitlib.matrices import muon, shampoo, soap
from fitlib.optimizers import adam, momentum

from .records import store

WIDTHS, STEPS, REPEATS = (32, 128, 512), 10, 5
RULES = {
    "momentum": (momentum, {}),
    "Adam": (adam, {}),
    "Muon": (muon, {}),
    "SOAP, axes every 10 steps": (soap, {"every": 10}),
    "SOAP, axes every step": (soap, {}),
    "Shampoo": (shampoo, {}),
}


def milliseconds(rule, width, **hyper):
    """Of one step, the gradient not counted."""
    gradients = np.random.default_rng(0).normal(size=(STEPS, width, width))
    found = []
    for _ in range(REPEATS):
        phi, *state = rule(1, gradients[0], lambda _: gradients[0], alpha=0.01, **hyper)
        before = time.perf_counter()
        for t, g in enumerate(gradients, 2):
            phi, *state = rule(t, phi, lambda _, g=g: g, *state, alpha=0.01, **hyper)
        found.append((time.perf_counter() - before) / STEPS)
    return 1000 * min(found)


def main():
    results = {name: [milliseconds(rule, width, **hyper) for width in WIDTHS] for name, (rule, hyper) in RULES.items()}
    store("matrix_costs", widths=WIDTHS, milliseconds=results)


if __name__ == "__main__":
    main()
