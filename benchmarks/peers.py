"""Adam on the Gabor loss by the book's `fit`, PyTorch and Optax: functions that return seconds and the last points."""

from time import perf_counter

import numpy as np

from benchmarks.setting import ADAM, STEPS
from fitlib.fitting import fit
from fitlib.gabor import loss
from fitlib.optimizers import adam


def book(start):
    """`fit` on `(2, *runs)` starts."""

    def run():
        begun = perf_counter()
        phi = fit(adam, loss, start, STEPS, keep=None, **ADAM).phi
        return perf_counter() - begun, phi

    return run


def gabor_loss(phi, x, y, library):
    """The Gabor loss in the words of another library."""
    u = phi[0] + 0.06 * phi[1] * x
    return ((library.sin(u) * library.exp(-(u**2) / 32) - y) ** 2).mean()


def pytorch(start):
    """Eager PyTorch, from one start. Raises `ImportError` where it is not installed."""
    import torch

    torch.set_num_threads(1)
    x, y = (torch.tensor(column) for column in loss.data)

    def run():
        phi = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        betas = ADAM["beta"], ADAM["gamma"]
        begun = perf_counter()
        optimizer = torch.optim.Adam([phi], lr=ADAM["alpha"], betas=betas, eps=ADAM["eps"])
        for _ in range(STEPS):
            optimizer.zero_grad()
            gabor_loss(phi, x, y, torch).backward()
            optimizer.step()
        return perf_counter() - begun, phi.detach().numpy()

    return run


def optax(starts):
    """Optax from `(2, runs)` starts, jitted and vmapped. Raises `ImportError` where it is not installed."""
    import jax
    import optax

    jax.config.update("jax_enable_x64", True)
    x, y = (jax.numpy.asarray(column) for column in loss.data)
    optimizer = optax.adam(ADAM["alpha"], b1=ADAM["beta"], b2=ADAM["gamma"], eps=ADAM["eps"])
    gradient = jax.grad(lambda phi: gabor_loss(phi, x, y, jax.numpy))

    def step(_, carried):
        phi, state = carried
        updates, state = optimizer.update(gradient(phi), state)
        return optax.apply_updates(phi, updates), state

    descend = jax.jit(
        jax.vmap(
            lambda phi: jax.lax.fori_loop(0, STEPS, step, (phi, optimizer.init(phi)))[0],
            in_axes=1,
            out_axes=1,
        )
    )
    given = jax.numpy.asarray(np.asarray(starts, float))
    descend(given).block_until_ready()  # compiled, not timed

    def run():
        begun = perf_counter()
        phi = descend(given).block_until_ready()
        return perf_counter() - begun, np.asarray(phi)

    return run
