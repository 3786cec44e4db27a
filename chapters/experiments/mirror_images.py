"""A falling rate and a growing batch as mirror images: the same loss against epochs (Smith et al. 2018)."""

import numpy as np

from fitlib.data import digits
from fitlib.fitting import fit
from fitlib.networks import Network
from fitlib.optimizers import gradient_descent

from .records import mean_and_error, store

STAGE, SEEDS, NOISE, DECAY = 10, 20, 0.2, 1e-3  # epochs of a stage; share of wrong labels; weight decay
# name: (rate, batch) of each stage
PLANS = {
    "neither": [(0.2, 8), (0.2, 8), (0.2, 8)],
    "rate falls": [(0.2, 8), (0.05, 8), (0.0125, 8)],
    "batch grows": [(0.2, 8), (0.2, 32), (0.2, 128)],
}


def follow(plan, seeds=range(SEEDS), progress=False):
    """Training loss after each epoch `(epochs + 1, seeds)`, test likelihood `(seeds,)` and steps taken."""
    x, y, x_test, y_test = digits(noise=NOISE)
    network, seeds, steps = Network(x, y, decay=DECAY), np.asarray(seeds), 0
    phi = network.start(seeds)
    losses = [network(phi)[None]]
    for stage, (alpha, batch) in enumerate(PLANS[plan]):
        epoch = len(y) // batch
        options = {"batch": batch, "seed": seeds + 1000 * stage, "keep": epoch, "progress": progress}
        run = fit(gradient_descent, network, phi, STAGE * epoch, alpha=alpha, **options)
        phi, steps = run.phi, steps + STAGE * epoch
        losses.append(run.losses[1:])
    return np.concatenate(losses), network.on(x_test, y_test).negative_log_likelihood(phi), steps


def main():
    runs = {plan: follow(plan, progress=True) for plan in PLANS}
    losses = {plan: run[0] for plan, run in runs.items()}
    store(
        "mirror_images",
        epochs_per_stage=STAGE,
        seeds=SEEDS,
        label_noise=NOISE,
        weight_decay=DECAY,
        plans=PLANS,
        steps={plan: run[2] for plan, run in runs.items()},
        curves={plan: mean_and_error(values).T for plan, values in losses.items()},
        batch_minus_rate=mean_and_error(losses["batch grows"] - losses["rate falls"]).T,
        neither_minus_rate=mean_and_error(losses["neither"] - losses["rate falls"]).T,
        test_likelihood={plan: mean_and_error(run[1]) for plan, run in runs.items()},
        final_per_seed={plan: values[-1] for plan, values in losses.items()},
    )


if __name__ == "__main__":
    main()
