"""`fit` folds a rule over steps and batches; `batches` draws the batches, the same ones in the browser."""

import inspect
from dataclasses import dataclass
from functools import partial

import numpy as np

GOLDEN = 0x9E3779B9  # 2**32 over the golden ratio: spreads neighboring counters apart


def _mix(x):
    """Scramble 32-bit integers (Wellons' lowbias32); arrays of uint32, arithmetic modulo 2**32."""
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def random_integers(seed, a, b):
    """Random 32-bit integers that depend on three counters alone; they broadcast. Equal in `kit.js`."""
    golden = np.uint32(GOLDEN)
    seed, a, b = (np.asarray(counter).astype(np.uint32) for counter in (seed, a, b))
    with np.errstate(over="ignore"):
        return _mix(_mix(_mix(seed + golden) + a + golden) + b + golden)


def batches(points, size, steps, seed=0, replace=False):
    """The data points of every batch: integers `(steps, *seed.shape, size)`.

    Without replacement each epoch has `points // size` batches from a new order (what is left over is skipped);
    with replacement every entry is drawn independently. `seed` may be an array, one per run.
    """
    if not 1 <= size <= points:
        raise ValueError(f"a batch holds from 1 to {points} data points; got {size}")
    if steps < 0:
        raise ValueError(f"steps counts from 0 upwards; got {steps}")
    seed = np.asarray(seed)
    if not np.issubdtype(seed.dtype, np.integer) or (seed < 0).any():
        raise ValueError(f"a seed is an integer from 0 upwards; got {seed}")
    t = np.arange(1, steps + 1).reshape(-1, *[1] * seed.ndim, 1)
    if replace:
        drawn = random_integers(seed[..., None], t, np.arange(size))
        return (drawn.astype(np.int64) * points) >> 32
    per_epoch = points // size
    epochs = np.arange(-(-steps // per_epoch)).reshape(-1, *[1] * seed.ndim, 1)
    order = np.argsort(random_integers(seed[..., None], epochs, np.arange(points)), axis=-1, kind="stable")
    parts = order[..., : per_epoch * size].reshape(*order.shape[:-1], per_epoch, size)
    return np.moveaxis(parts, -2, 1).reshape(-1, *seed.shape, size)[:steps]


@dataclass
class Run:
    """What `fit` returns.

    `path` `(kept, n, *runs)`; `losses` `(kept, *runs)` on all data; `steps` `(kept,)`, the step numbers kept, from 0;
    `rates`: what `alpha` was in steps 1, 2 ...; `phi` `(n, *runs)`, the last point; `diverged` `(*runs,)`.
    """

    path: np.ndarray
    losses: np.ndarray
    steps: np.ndarray
    rates: np.ndarray
    diverged: np.ndarray

    @property
    def phi(self):
        return self.path[-1]


def fit(rule, loss, start, steps, *, batch=None, seed=0, replace=False, keep=1, progress=False, **hyper):
    """Fold `rule` over `steps` from `start`: every run of every setting in one call.

    - `start`: `(n,)` or `(n, *runs)`; hyperparameters, `seed` and `start` broadcast against each other.
    - a hyperparameter is a number, an array over runs, or a schedule: a function of `t`.
    - `batch`: data points per step (all by default), drawn by `batches` with `seed` and `replace`.
    - `keep`: 1 keeps every step, k every k-th and the last, None the first and the last.
    - `progress`: show a bar.

    Raises `ValueError` or `TypeError` with one sentence that names the argument, what came and what is expected.
    A run that diverges becomes inf or nan, is flagged in `Run.diverged`, and leaves the others alone.
    """
    (phi, *state), values = _prepare(rule, loss, start, steps, batch, seed, keep, hyper)
    rows = (
        None
        if batch in (None, loss.points) and not replace
        else batches(loss.points, batch, steps, seed, replace)
    )
    kept, path, losses, rates = [0], [phi], [loss(phi)], []
    counter = range(1, steps + 1)
    if progress:
        from tqdm import tqdm

        counter = tqdm(counter, unit="step", leave=False)
    with np.errstate(all="ignore"):  # what overflows is flagged below
        for t in counter:
            at_t = {name: value(t) if callable(value) else value for name, value in values.items()}
            grad = partial(loss.gradient, rows=None if rows is None else rows[t - 1])
            phi, *state = step(rule, t, phi, grad, state, at_t)
            rates.append(at_t.get("alpha", np.nan))
            if t == steps or (keep and t % keep == 0):
                kept.append(t)
                path.append(phi)
                losses.append(loss(phi))
    diverged = ~(np.isfinite(losses[-1]) & np.isfinite(phi).all(axis=0))
    return Run(np.array(path), np.array(losses), np.array(kept), np.array(rates), diverged)


def signature(function):
    """Names of the positional arguments with their defaults, and of the keyword-only ones with theirs."""
    parameters = inspect.signature(function).parameters.values()
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    defaults = {p.name: None if p.default is p.empty else p.default for p in named}
    keywords = [p.name for p in named if p.kind is p.KEYWORD_ONLY]
    return {n: d for n, d in defaults.items() if n not in keywords}, {n: defaults[n] for n in keywords}


def step(rule, t, phi, grad, state, hyper):
    """One step of a rule as a list `[phi, *state]`, whether it returns a tuple or, without state, `phi` alone."""
    result = rule(t, phi, grad, *state, **hyper)
    return list(result) if isinstance(result, (tuple, list)) else [result]


def _prepare(rule, loss, start, steps, batch, seed, keep, hyper):
    """The start with its states, spread over the runs, and the hyperparameters; or a clear refusal."""
    _check_rule(rule, hyper)
    if not callable(loss) or not hasattr(loss, "gradient"):
        raise TypeError(f"loss is a Loss such as fitlib.losses.quadratic; got {loss!r:.60}")
    for name, value, least in (("steps", steps, 0), ("batch", batch, 1), ("keep", keep, 1)):
        if (value is not None or name == "steps") and not _is_count(value, least):
            raise ValueError(f"{name} is a whole number from {least} upwards; got {value!r:.60}")
    if batch is not None and batch > loss.points:
        raise ValueError(f"batch is at most the number of data points, {loss.points}; got {batch}")
    start = _numbers("start", start)
    if start.ndim == 0 or len(start) != loss.n:
        raise ValueError(f"start has shape ({loss.n},) or ({loss.n}, *runs) for this loss; got {start.shape}")
    options = {name for name, default in signature(rule)[1].items() if isinstance(default, (bool, str))}
    values = {name: v if name in options else _hyperparameter(name, v, steps) for name, v in hyper.items()}
    shapes = {name: np.shape(value(1) if callable(value) else value) for name, value in values.items()}
    shapes = {"start": np.shape(loss(start)), "seed": np.shape(seed), **shapes}
    try:
        runs = np.broadcast_shapes(*shapes.values())
    except ValueError:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items() if shape)
        raise ValueError(f"the runs of these arguments do not broadcast: {listed}") from None
    own = start.shape[1:]
    phi = np.broadcast_to(start.reshape(loss.n, *[1] * (len(runs) - len(own)), *own), (loss.n, *runs)).copy()
    defaults = list(signature(rule)[0].values())[3:]
    return [phi, *(phi if default == "phi" else np.full_like(phi, default) for default in defaults)], values


def _check_rule(rule, hyper):
    if not callable(rule):
        raise TypeError(f"rule is a function such as gradient_descent; got {rule!r:.60}")
    positional, keywords = signature(rule)
    name = getattr(rule, "__name__", "rule")
    if list(positional)[:3] != ["t", "phi", "grad"]:
        raise TypeError(f"{name} must begin with (t, phi, grad); it begins with ({', '.join(positional)})")
    if set(hyper) - set(keywords):
        unknown, known = ", ".join(sorted(set(hyper) - set(keywords))), ", ".join(keywords) or "none"
        raise TypeError(f"{name} has no hyperparameter {unknown}; it has: {known}")
    missing = [key for key, default in keywords.items() if default is None and key not in hyper]
    if missing:
        raise TypeError(f"{name} needs a value for {', '.join(missing)}")


def _is_count(value, least):
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= least


def _numbers(name, value):
    """A finite array of floats, or a refusal."""
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError):
        raise TypeError(f"{name} is a number or an array of numbers; got {value!r:.60}") from None
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite; got {value!r:.60}")
    return array


def _hyperparameter(name, value, steps):
    """A hyperparameter in its range: betas and gammas in [0, 1], all others not negative."""
    if callable(value):
        for t in {1, max(steps, 1)}:
            _hyperparameter(f"{name}({t})", value(t), steps)
        return value
    array = _numbers(name, value)
    if (array < 0).any():
        raise ValueError(f"{name} must not be negative; got {array.min():g}")
    if name.startswith(("beta", "gamma")) and (array > 1).any():
        raise ValueError(f"{name} is a share between 0 and 1; got {array.max():g}")
    return array
