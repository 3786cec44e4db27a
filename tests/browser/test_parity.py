"""JavaScript equals Python: every rule on every landscape, every loss, schedule and batch.

Single steps from the same point and state are compared at 1e-12 of what enters them. A whole path is compared
with its own noise: what eight runs in Python deviate whose gradients are taken at arguments that are off by a
few units in the last place. A rule that bounces amplifies the last bit; a fixed tolerance would be too strict
for it and too loose for the others.
"""

import inspect

import numpy as np
import pytest

from fitlib import gabor, losses, optimizers, schedules
from fitlib.figures.base import module
from fitlib.fitting import batches, fit, random_integers, step
from fitlib.losses import Loss
from fitlib.symbolic import Function, Rule, schedule, signature

LOSSES = {
    loss.name: loss for loss in [*vars(losses).values(), gabor.loss] if isinstance(loss, Loss) and loss.n == 2
}
RULES = {
    name: rule
    for name, rule in vars(optimizers).items()
    if inspect.isfunction(rule) and list(inspect.signature(rule).parameters)[:3] == ["t", "phi", "grad"]
}
VALUES = {  # for every hyperparameter
    "alpha": [0.003, 0.05, 1.0],
    "beta": [0.0, 0.5, 0.9, 0.99],
    "gamma": [0.9, 0.99, 0.999],
    "eps": [1e-8, 1e-3],
    "decay": [0.0, 0.1],
    "limit": [0.5, 5.0],
}
STEPS, RUNS = 80, 24
SETTINGS = {  # for every argument of a schedule
    "alpha": [0.1, 3.0],
    "steps": [40, 7],
    "every": [10, 3],
    "factor": [0.1, 0.97],
    "end": [0.0, 0.01],
    "base": [0.01, 0.5],
    "power": [1.0, 0.5, 2.0],
    "t_mult": [1, 2],
    "pct_start": [0.3, 0.1],
    "div_factor": [25.0],
    "final_div_factor": [1e4],
    "beta_max": [0.95],
    "beta_min": [0.85],
    "milestones": [(10, 25)],
    "start": [1 / 3, 0.1],
    "up": [0.1, 0.25],
    "down": [0.2, 0.5],
}


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture(scope="module")
def kit(page):
    """The module of the figure with its own functions exported, and the code of every rule and loss."""
    kinds = ("value", "gradient", "hessian")
    code = ",\n".join(
        f"{name!r}: {{ {', '.join(f'{kind}: {loss.javascript(kind)}' for kind in kinds)} }}"
        for name, loss in LOSSES.items()
    )
    traced = {name: Rule(rule) for name, rule in RULES.items()}
    rules = ",\n".join(
        f"{name!r}: {{ initial: {rule.initial}, step: {rule.javascript()} }}" for name, rule in traced.items()
    )
    text = f"{module('descent')}\nexport {{ descend, batches, random }};\n"
    text += f"export const losses = {{ {code} }};\nexport const rules = {{ {rules} }};\n"
    page.evaluate(
        """async (text) => {
          const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
          window.kit = await import(url);
          window.on = (name, p, d) => {
            const loss = window.kit.losses[name], columns = d.map((c) => Float64Array.from(c));
            const all = Int32Array.from({ length: d.length ? d[0].length : 0 }, (_, i) => i);
            return {
              value: (phi) => loss.value(phi, p, columns, all),
              gradient: (g, rows) => loss.gradient(g, p, columns, rows ?? all, g),
              hessian: (phi, h) => loss.hessian(phi, p, columns, all, h),
            };
          };
        }""",
        text,
    )
    return page


def points(loss, count, seed):
    low, high = np.array(loss.box).T
    return np.random.default_rng(seed).uniform(low, high, (count, 2)).T


def given(loss):
    """What JavaScript needs of a loss: its name, parameters and data."""
    return [loss.name, [float(v) for v in loss.parameters.values()], [c.tolist() for c in loss.data]]


def terms(loss, phi):
    """The absolute terms of the gradient: what may have cancelled in it."""
    if not loss.points:
        return np.abs(loss.gradient(phi))
    return np.abs(loss.gradient(phi[..., None], rows=np.arange(loss.points)[:, None])).mean(axis=-1)


def table_of(rule, seed=0):
    """Random settings from the table, one per run."""
    rng = np.random.default_rng(seed)
    return {name: rng.choice(VALUES[name], RUNS) for name in Rule(rule).hyper}


def folded(rule, loss, phi, hyper, steps, jitter=None):
    """All points and states of a fold, `[[phi, *state], ...]`; the gradient is taken at `jitter(phi)`."""
    positional = list(signature(rule)[0].values())[3:]
    state = [phi if default == "phi" else np.full_like(phi, default) for default in positional]
    grad = loss.gradient if jitter is None else lambda phi: loss.gradient(jitter(phi))
    slots, kept = [phi, *state], []
    with np.errstate(all="ignore"):
        for t in range(1, steps + 1):
            kept.append(slots)
            slots = step(rule, t, slots[0], grad, slots[1:], hyper)
    return [*kept, slots]


def packed(slots):
    """Points and states as the browser holds them, one row per run."""
    return np.concatenate(slots).T.tolist()


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_losses_gradients_and_hessians(kit, loss):
    phi = points(loss, 200, seed=1)
    got = kit.evaluate(
        """([loss, points]) => {
          const { value, gradient, hessian } = on(...loss);
          return points.map((point) => {
            const g = Float64Array.from(point), h = new Float64Array(4), fused = gradient(g);
            hessian(point, h);
            return [value(point), fused, ...g, ...h];
          });
        }""",
        [given(loss), phi.T.tolist()],
    )
    value, fused, *rest = np.array(got).T
    np.testing.assert_allclose(value, loss(phi), rtol=1e-12, atol=1e-12 * np.abs(loss(phi)).mean())
    np.testing.assert_allclose(fused, value, rtol=1e-12, atol=1e-12 * np.abs(value).mean())
    assert (np.abs(np.array(rest[:2]) - loss.gradient(phi)) <= 1e-12 * (1 + terms(loss, phi))).all()
    hessian = loss.hessian(phi).reshape(4, -1)
    np.testing.assert_allclose(rest[2:], hessian, rtol=1e-12, atol=1e-12 * np.abs(hessian).max())


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_single_steps(kit, rule, loss):
    hyper, starts = table_of(rule), points(loss, RUNS, seed=2)
    kept = folded(rule, loss, starts, hyper, 12)
    got = kit.evaluate(
        """([rule, loss, states, hyper]) => {
          const { gradient } = on(...loss), { step } = kit.rules[rule], g = new Float64Array(2);
          return states.map((runs, i) => runs.map((slots, run) => {
            const s = Float64Array.from(slots);
            step(i + 1, s, hyper[run], gradient, g);
            return Array.from(s, (v) => (Number.isFinite(v) ? v : null));
          }));
        }""",
        [
            rule.__name__,
            given(loss),
            [packed(slots) for slots in kept[:-1]],
            np.array([*hyper.values()]).T.tolist(),
        ],
    )
    compared = 0
    for before, after, found in zip(kept, kept[1:], got, strict=False):
        expected, found = np.concatenate(after), np.array(found, float).T
        sane = (np.abs(np.concatenate([expected, *before])) < 1e50).all(axis=0)  # until a run has diverged
        expected, found, phi = expected[:, sane], found[:, sane], before[0][:, sane]
        entered = terms(loss, phi)
        point = np.abs(phi) + hyper["alpha"][sane] * (1 + entered)
        states = [entered + entered**2] * (len(after) - 1)
        allowed = 1e-12 * (np.concatenate([point, *states]) + np.abs(expected))
        assert (np.abs(found - expected) <= allowed).all(), np.abs(found - expected) / allowed
        compared += sane.sum()
    assert compared > 4 * RUNS


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_whole_paths_agree_up_to_their_own_noise(kit, rule, loss):
    hyper, starts = table_of(rule, seed=3), points(loss, RUNS, seed=4)
    path = np.array([slots[0] for slots in folded(rule, loss, starts, hyper, STEPS)])
    rng = np.random.default_rng(5)
    again = np.broadcast_to(starts[:, None], (2, 8, RUNS))
    jitter = lambda phi: phi * (1 + 2.2e-16 * rng.integers(-2, 3, phi.shape))  # noqa: E731
    others = np.array([slots[0] for slots in folded(rule, loss, again, hyper, STEPS, jitter)])
    got = kit.evaluate(
        """([rule, loss, starts, hyper, steps]) => {
          const { value, gradient } = on(...loss);
          return starts.map((start, i) => {
            const run = kit.descend(kit.rules[rule], hyper[i], start, steps, (g) => gradient(g), value, true);
            const list = (values) => Array.from(values, (v) => (Number.isFinite(v) ? v : null));
            return [list(run.xs), list(run.ys), list(run.losses)];
          });
        }""",
        [rule.__name__, given(loss), starts.T.tolist(), np.array([*hyper.values()]).T.tolist(), STEPS],
    )
    found = np.array(got, float)  # runs, (x, y, loss), steps
    compared = 0
    for run in range(RUNS):
        ends = np.isfinite(path[:, :, run]).all(axis=1) & np.isfinite(loss(path[:, :, run].T))
        ends &= np.isfinite(others[..., run]).all(axis=(1, 2)) & np.isfinite(found[run]).all(axis=0)
        last = len(ends) if ends.all() else int(np.argmin(ends))
        assert last > 0
        size = max(1, np.abs(path[:last, :, run]).max())
        noise = np.abs(others[:last, :, :, run] - path[:last, :, None, run]).max() / size
        difference = np.abs(found[run, :2, :last].T - path[:last, :, run]).max() / size
        assert difference <= 100 * max(noise, 1e-15), (run, difference, noise)
        compared += noise < 1e-9
        there = loss(found[run, :2, :last])
        np.testing.assert_allclose(found[run, 2, :last], there, rtol=1e-11, atol=1e-12 * np.abs(there).max())
    assert compared >= RUNS // 3  # most paths are quiet, so that the comparison says something


def test_batches_and_their_random_numbers(kit):
    cases = [
        (30, size, 50, seed, replace)
        for size in (1, 4, 7, 30)
        for seed in (0, 3, 99)
        for replace in (False, True)
    ]
    got = kit.evaluate("(cases) => cases.map((c) => kit.batches(...c).map((rows) => [...rows]))", cases)
    for case, found in zip(cases, got, strict=True):
        assert found == batches(*case).tolist()
    counters = np.random.default_rng(0).integers(0, 2**31, (500, 3))
    numbers = kit.evaluate("(counters) => counters.map((c) => kit.random(...c))", counters.tolist())
    assert numbers == random_integers(*counters.T).tolist()


@pytest.mark.parametrize("replace", [False, True])
def test_a_path_on_batches(kit, replace):
    loss, starts = gabor.loss, points(gabor.loss, 5, seed=6)
    for seed, start in enumerate(starts.T):
        run = fit(optimizers.momentum, loss, start, 60, batch=4, seed=seed, replace=replace, alpha=0.5)
        got = kit.evaluate(
            """([loss, start, drawing]) => {
              const { value, gradient } = on(...loss), drawn = kit.batches(...drawing);
              const batched = (g, t) => gradient(g, drawn[t - 1]);
              const run = kit.descend(kit.rules.momentum, [0.5, 0.9], start, 60, batched, value, false);
              return [[...run.xs], [...run.ys], [...run.losses]];
            }""",
            [given(loss), start.tolist(), [30, 4, 60, seed, replace]],
        )
        np.testing.assert_allclose(np.array(got[:2]).T, run.path, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(got[2], run.losses, rtol=1e-7)


def factories():
    """Every schedule of the book, traced, with settings from the table; and all kinds of warmup."""
    for name, factory in vars(schedules).items():
        if name.startswith("_") or not inspect.isfunction(factory) or name in ("warmup", "plateau", "table"):
            continue
        arguments = [argument for part in signature(factory) for argument in part]
        if set(arguments) <= set(SETTINGS) and callable(factory(*(SETTINGS[a][0] for a in arguments))):
            yield name, factory
    for kind in schedules.WARMUPS:
        yield (
            f"warmup {kind}",
            lambda alpha, steps, kind=kind: schedules.warmup(schedules.cosine(alpha, 60), steps, kind),
        )


def test_no_schedule_is_forgotten():
    helpers = {"warmup", "plateau", "table", "half_wave", "up_and_down"}
    public = {
        name for name, f in vars(schedules).items() if inspect.isfunction(f) and not name.startswith("_")
    }
    assert public - helpers == {name for name, _ in factories() if not name.startswith("warmup ")}


@pytest.mark.parametrize("name, factory", [*factories()], ids=[name for name, _ in factories()])
def test_schedules(kit, name, factory):
    t = np.arange(1, 101)
    plain = {a: SETTINGS[a] for part in signature(factory) for a in part if a in SETTINGS}
    fixed = {a: values[0] for a, values in plain.items() if isinstance(values[0], tuple)}
    if "kind" in signature(factory)[0]:
        fixed["kind"] = signature(factory)[0]["kind"]
    traced = Function(schedule(factory), **fixed)
    rng = np.random.default_rng(7)
    for _ in range(6):
        settings = {a: rng.choice(plain[a]) for a in traced.parameters}
        expected = factory(**settings, **fixed)(t)
        got = kit.evaluate(
            f"([ts, p]) => ts.map((t) => ({traced.javascript()})(t, p))",
            [t.tolist(), [float(v) for v in settings.values()]],
        )
        np.testing.assert_allclose(
            got, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max(), err_msg=str(settings)
        )
