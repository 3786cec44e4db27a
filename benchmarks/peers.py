"""Adam on the Gabor loss by the book's `fit`, PyTorch and Optax: functions that return seconds and the last points."""

from time import perf_counter, process_time

import numpy as np

from benchmarks.setting import ADAM, STEPS
from fitlib.fitting import fit
from fitlib.gabor import loss
from fitlib.optimizers import adam

ALPHA, BETA, GAMMA, EPS = ADAM.values()


def timed(run):
    """`run` with its seconds before its result. Raises `RuntimeError` where it used more than one thread."""

    def call():
        begun, cpu = perf_counter(), process_time()
        result = run()
        seconds, cpu = perf_counter() - begun, process_time() - cpu
        if cpu > 1.2 * seconds + 0.02:
            raise RuntimeError(f"{run.__qualname__} used {cpu / seconds:.1f} threads; one is compared")
        return seconds, np.asarray(result)

    return call


def book(start):
    """The book's `fit`, from `(2, *runs)` starts."""
    return timed(lambda: fit(adam, loss, start, STEPS, keep=None, **ADAM).phi)


def gabor_loss(phi, x, y, library):
    """The Gabor loss in the words of another library."""
    u = phi[0] + 0.06 * phi[1] * x
    return ((library.sin(u) * library.exp(-(u**2) / 32) - y) ** 2).mean()


def pytorch(start):
    """Eager PyTorch, from one start. Raises `ImportError` where it is not installed."""
    import torch

    x, y = map(torch.tensor, loss.data)

    def run():
        phi = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.Adam([phi], lr=ALPHA, betas=(BETA, GAMMA), eps=EPS)
        for _ in range(STEPS):
            optimizer.zero_grad()
            gabor_loss(phi, x, y, torch).backward()
            optimizer.step()
        return phi.detach()

    return timed(run)


def optax(starts):
    """Optax from `(2, runs)` starts, jitted and vmapped. Raises `ImportError` where it is not installed."""
    import jax
    import optax

    jax.config.update("jax_enable_x64", True)
    x, y, starts = map(jax.numpy.asarray, (*loss.data, starts))
    optimizer = optax.adam(ALPHA, b1=BETA, b2=GAMMA, eps=EPS)
    gradient = jax.grad(lambda phi: gabor_loss(phi, x, y, jax.numpy))

    def step(_, carried):
        phi, state = carried
        updates, state = optimizer.update(gradient(phi), state)
        return optax.apply_updates(phi, updates), state

    def descend(phi):
        return jax.lax.fori_loop(0, STEPS, step, (phi, optimizer.init(phi)))[0]

    all_runs = jax.jit(jax.vmap(descend, in_axes=1, out_axes=1))
    all_runs(starts).block_until_ready()  # compiled once, not timed
    return timed(lambda: all_runs(starts).block_until_ready())
