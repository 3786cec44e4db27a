"""Schedules: a hyperparameter as a function of the step, made by a function.

`cosine(0.1, 200)` is a function of `t`; its value at `t` is what step `t` uses.

- `t` counts from 1, so `t - 1` steps are done when step `t` begins: the value at `t` is that of
  `torch.optim.lr_scheduler` at `last_epoch = t - 1`.
- `alpha` is the first or the largest value. It need not be a learning rate: any hyperparameter of a rule
  may be a schedule.
- Arguments may be arrays over runs; `t` may be an array of steps where its shape broadcasts against them.
- Nothing is decided on the value of an argument, so that schedules can be traced to the browser.

Two are not functions of `t` alone: `plateau` needs the losses, and `table` is a list of numbers.
"""

import numpy as np


def constant(alpha):
    """`alpha` in every step, without end."""
    return lambda t: alpha + 0 * t  # 0 * t gives it the shape of t


def step(alpha, every, factor=0.1):
    """`alpha` in steps 1 to `every`, then times `factor` after each further `every` steps, without end."""
    return lambda t: alpha * factor ** np.floor((t - 1) / every)


def multi_step(alpha, milestones, factor=0.1):
    """`alpha`, times `factor` after each of the `milestones`, which are numbers of steps done.

    The step after a milestone is the first with the new value; after the last milestone it stays.
    """

    def rate(t):
        value = alpha + 0 * t
        for done in milestones:
            value = value * np.where(t > done, factor, 1)
        return value

    return rate


def exponential(alpha, factor):
    """`alpha` in step 1, times `factor` after every step, without end; a `factor` above 1 tests a range."""
    return lambda t: alpha * factor ** (t - 1.0)


def linear(alpha, steps, end=0.0):
    """A straight line from `alpha` in step 1 to `end` in step `steps + 1`, where it stays."""
    return lambda t: alpha + (end - alpha) * np.minimum((t - 1) / steps, 1)


def polynomial(alpha, steps, power=1.0, end=0.0):
    """A power of the steps left: from `alpha` in step 1 to `end` in step `steps + 1`, where it stays."""
    return lambda t: end + (alpha - end) * (1 - np.minimum((t - 1) / steps, 1)) ** power


def half_wave(start, end, share):
    """Half a cosine wave: `start` where `share` is 0, `end` where it is 1."""
    return end + (start - end) * (1 + np.cos(np.pi * share)) / 2


def cosine(alpha, steps, end=0.0):
    """Half a cosine wave from `alpha` in step 1 to `end` in step `steps + 1` (Loshchilov and Hutter 2017).

    It stays there; PyTorch's rises again.
    """
    return lambda t: half_wave(alpha, end, np.minimum((t - 1) / steps, 1))


def cosine_restarts(alpha, steps, t_mult=1, end=0.0):
    """Half a cosine wave, begun anew where it would reach `end`, without end (Loshchilov and Hutter 2017).

    The first wave takes steps 1 to `steps`, each further one `t_mult` times as many; the first step of a wave
    uses `alpha`. `steps` and `t_mult` are whole numbers.
    """

    def rate(t):
        done = t - 1
        growth = np.where(t_mult > 1, t_mult, 2)
        # Waves begin on whole numbers, where the logarithm may round to either side: look half a step later.
        waves = np.floor(np.log(1 + (done + 0.5) * (growth - 1) / steps) / np.log(growth))
        length = steps * growth**waves
        growing = (done - (length - steps) / (growth - 1)) / length
        return half_wave(alpha, end, np.where(t_mult > 1, growing, np.mod(done, steps) / steps))

    return rate


def inverse_square_root(alpha, steps=1):
    """A line up to `alpha` in step `steps`, then `alpha` by the root of `t / steps`, without end.

    The schedule of the Transformer (Vaswani et al. 2017), with its warmup; with `steps=1`, `alpha` by √t.
    """
    return lambda t: alpha * np.minimum(t / steps, np.sqrt(steps / t))


def warmup_stable_decay(alpha, steps, up=0.0, down=0.1, end=0.0):
    """A line up over the share `up` of the steps, `alpha`, and a line down over the last share `down`.

    The line up is that of `warmup`; the line down leaves `alpha` after step `steps * (1 - down) + 1` and is at
    `end` in step `steps + 1`, where it stays (the cooldown of Hägele et al. 2024). `0 < down <= 1 - up`.
    """

    def rate(t):
        rise = np.minimum(t / np.maximum(up * steps, 1), 1)
        left = np.minimum(np.maximum(steps + 1 - t, 0) / (down * steps), 1)
        return rise * (end + (alpha - end) * left)

    return rate


def up_and_down(t, start, peak, end, steps, pct_start):
    """Half a wave from `start` to `peak`, in step `pct_start * steps`; another to `end`, in step `steps`."""
    done = np.minimum(t, steps) - 1
    top = pct_start * steps - 1
    up = half_wave(start, peak, done / np.maximum(top, 1))
    down = half_wave(peak, end, (done - top) / (steps - 1 - top))
    return np.where(done <= top, up, down)


def one_cycle(alpha, steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    """Half a wave up to `alpha` in step `pct_start * steps`, and one down until step `steps`, as in fastai.

    The cycle of Smith (2018) has straight lines, equally long up and down, and a short tail after them.
    The rate begins at `alpha / div_factor` in step 1, ends `final_div_factor` below that in step `steps`, and stays
    there (PyTorch's refuses to go on). `0 <= pct_start < 1`. The momentum: `one_cycle_momentum`.
    """
    start = alpha / div_factor
    return lambda t: up_and_down(t, start, alpha, start / final_div_factor, steps, pct_start)


def one_cycle_momentum(steps, pct_start=0.3, beta_max=0.95, beta_min=0.85):
    """The momentum of `one_cycle`: lowest where the rate is highest, `beta_max` in steps 1 and `steps`."""
    return lambda t: up_and_down(t, beta_max, beta_min, beta_max, steps, pct_start)


def cyclic(alpha, steps, base):
    """A line from `base` in step 1 to `alpha` in step `steps + 1` and one back, without end (Smith 2017)."""
    return lambda t: base + (alpha - base) * (1 - np.abs(1 - np.mod((t - 1) / steps, 2)))


WARMUPS = {
    "linear": lambda t, steps, start: np.minimum(t / steps, 1),
    "LinearLR": lambda t, steps, start: start + (1 - start) * np.minimum((t - 1) / steps, 1),
    "constant": lambda t, steps, start: np.where(t <= steps, start, 1),
    "exponential": lambda t, steps, start: 1 - np.exp(-t / steps),
}


def warmup(schedule, steps, kind="linear", start=1 / 3):
    """`schedule`, which waits at its first value for `steps` steps, times a factor that grows to 1.

    Step `steps + 1` is the first of `schedule`. The factor, by `kind`:

    - "linear": `t / steps`, 1 in step `steps` (He et al. 2019; from `1 / steps`, not from 0);
    - "LinearLR": a line from `start` in step 1 to 1 in step `steps + 1`, as PyTorch's;
    - "constant": `start` in steps 1 to `steps`, then 1, as PyTorch's `ConstantLR`;
    - "exponential": `1 - exp(-t / steps)`: 0.63 in step `steps`, never quite 1 (Ma and Yarats 2021).

    No warmup where `steps` is 0. Raises `ValueError` for another kind.
    """
    if kind not in WARMUPS:
        raise ValueError(f"kind is one of {', '.join(WARMUPS)}; got {kind!r}")
    factor = WARMUPS[kind]
    return lambda t: (
        np.where(steps > 0, factor(t, np.maximum(steps, 1), start), 1) * schedule(np.maximum(t - steps, 1))
    )


def plateau(loss, alpha, best=np.inf, bad=0, *, factor=0.1, patience=10, threshold=1e-4, end=0.0):
    """`alpha` times `factor` after more than `patience` losses in a row that are not better than the best.

    Not a function of `t`: called with each new loss (of the training data, or others) it returns the value
    for the next step and what it remembers, in the form of a rule:

        phi, *state = rule(t, phi, grad, *state, alpha=alpha)
        alpha, *seen = plateau(loss(phi), alpha, *seen)

    A loss is better where it is below `best * (1 - threshold)`, so losses are positive. `alpha` never falls
    below `end`. Everything broadcasts over runs. PyTorch's `ReduceLROnPlateau` (with `cooldown=0, eps=0`).
    """
    better = loss < best * (1 - threshold)
    bad = np.where(better, 0, bad + 1)
    alpha = np.where(bad > patience, np.maximum(alpha * factor, end), alpha)
    return alpha, np.where(better, loss, best), np.where(bad > patience, 0, bad)


def table(values):
    """The numbers `values`, one per step: `values[t - 1]` in step `t`, the last one afterwards.

    `values` has shape `(steps,)` or `(steps, *runs)`; a schedule drawn by hand. It is data and is not traced.
    """
    values = np.asarray(values, float)
    return lambda t: values[np.minimum(t, len(values)) - 1]
