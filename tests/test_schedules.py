"""Schedules: first and last step, past the end, arrays, the traced twin. PyTorch's: test_reference.py."""

import numpy as np
import pytest

from fitlib import schedules as s
from fitlib.fitting import fit
from fitlib.losses import quadratic
from fitlib.optimizers import gradient_descent, momentum
from fitlib.symbolic import Function, TraceError, schedule

# What each docstring says: (schedule, {step: value}); 400 is far past every end.
STATED = {
    "constant": (s.constant(0.1), {1: 0.1, 400: 0.1}),
    "step": (s.step(0.1, 10), {1: 0.1, 10: 0.1, 11: 0.01, 20: 0.01, 21: 0.001, 400: 0.1**40}),
    "multi_step": (s.multi_step(0.1, (3, 7)), {1: 0.1, 3: 0.1, 4: 0.01, 7: 0.01, 8: 0.001, 400: 0.001}),
    "exponential": (s.exponential(0.1, 0.5), {1: 0.1, 2: 0.05, 4: 0.0125, 400: 0.1 * 0.5**399}),
    "range test": (s.exponential(1e-4, 10 ** (1 / 20)), {1: 1e-4, 21: 1e-3, 61: 0.1}),
    "linear": (s.linear(0.1, 10, 0.02), {1: 0.1, 6: 0.06, 10: 0.028, 11: 0.02, 400: 0.02}),
    "polynomial": (s.polynomial(0.1, 10, 2, 0.02), {1: 0.1, 6: 0.04, 10: 0.0208, 11: 0.02, 400: 0.02}),
    "cosine": (s.cosine(0.1, 10, 0.02), {1: 0.1, 6: 0.06, 11: 0.02, 400: 0.02}),
    "cosine_restarts": (s.cosine_restarts(0.1, 10), {1: 0.1, 6: 0.05, 11: 0.1, 16: 0.05, 21: 0.1, 391: 0.1}),
    "cosine_restarts x 2": (
        s.cosine_restarts(0.1, 10, 2, 0.02),
        {1: 0.1, 6: 0.06, 11: 0.1, 21: 0.06, 31: 0.1, 51: 0.06, 71: 0.1, 151: 0.1, 311: 0.1},
    ),
    "inverse_square_root": (
        s.inverse_square_root(0.1, 25),
        {1: 0.004, 5: 0.02, 25: 0.1, 100: 0.05, 400: 0.025},
    ),
    "inverse_square_root, no rise": (s.inverse_square_root(0.1), {1: 0.1, 4: 0.05, 100: 0.01, 400: 0.005}),
    "warmup_stable_decay": (
        s.warmup_stable_decay(0.1, 100, up=0.04, down=0.2, end=0.02),
        {1: 0.025, 4: 0.1, 5: 0.1, 81: 0.1, 82: 0.096, 91: 0.06, 100: 0.024, 101: 0.02, 400: 0.02},
    ),
    "warmup_stable_decay, no rise": (
        s.warmup_stable_decay(0.1, 100),
        {1: 0.1, 91: 0.1, 92: 0.09, 100: 0.01, 101: 0},
    ),
    "one_cycle": (s.one_cycle(0.1, 50), {1: 0.004, 8: 0.052, 15: 0.1, 50: 4e-7, 51: 4e-7, 400: 4e-7}),
    "one_cycle, no rise": (
        s.one_cycle(0.1, 49, pct_start=0.0),
        {48: 0.1 * np.sin(np.pi / 98) ** 2 + 4e-7 * np.cos(np.pi / 98) ** 2, 49: 4e-7},
    ),
    "one_cycle_momentum": (
        s.one_cycle_momentum(50),
        {1: 0.95, 8: 0.9, 15: 0.85, 50: 0.95, 51: 0.95, 400: 0.95},
    ),
    "cyclic": (s.cyclic(0.1, 10, 0.02), {1: 0.02, 6: 0.06, 11: 0.1, 16: 0.06, 21: 0.02, 31: 0.1, 391: 0.1}),
    "table": (s.table([0.3, 0.2, 0.1]), {1: 0.3, 2: 0.2, 3: 0.1, 4: 0.1, 400: 0.1}),
    "warmup": (s.warmup(s.cosine(0.1, 10), 5), {1: 0.02, 2: 0.04, 5: 0.1, 6: 0.1, 11: 0.05, 16: 0, 400: 0}),
    "warmup LinearLR": (
        s.warmup(s.constant(0.1), 5, "LinearLR", start=1 / 5),
        {1: 0.02, 2: 0.036, 3: 0.052, 4: 0.068, 5: 0.084, 6: 0.1, 400: 0.1},
    ),
    "warmup constant": (
        s.warmup(s.linear(0.1, 10), 5, "constant", start=0.2),
        {1: 0.02, 5: 0.02, 6: 0.1, 11: 0.05, 16: 0},
    ),
    "warmup exponential": (
        s.warmup(s.constant(0.1), 5, "exponential"),
        {5: 0.1 * (1 - np.exp(-1)), 15: 0.1 * (1 - np.exp(-3)), 400: 0.1},
    ),
    "no warmup": (s.warmup(s.cosine(0.1, 10), 0, "LinearLR"), {1: 0.1, 6: 0.05, 11: 0}),
    "no warmup, exponential": (s.warmup(s.cosine(0.1, 10), 0, "exponential"), {1: 0.1, 6: 0.05, 11: 0}),
}


@pytest.mark.parametrize("name", STATED)
def test_steps_that_the_docstrings_state(name):
    rate, stated = STATED[name]
    for t, value in stated.items():
        assert rate(t) == pytest.approx(value, rel=1e-12, abs=1e-15), f"step {t}"


@pytest.mark.parametrize("name", STATED)
def test_an_array_of_steps_equals_one_step_at_a_time(name):
    rate, _ = STATED[name]
    t = np.arange(1, 101)
    assert rate(t) == pytest.approx(np.array([rate(int(i)) for i in t]), rel=1e-13)


TRACED = {
    "constant": (s.constant, {"alpha": 0.1}),
    "step": (s.step, {"alpha": 0.1, "every": 7, "factor": 0.3}),
    "exponential": (s.exponential, {"alpha": 0.1, "factor": 0.97}),
    "linear": (s.linear, {"alpha": 0.1, "steps": 30, "end": 0.02}),
    "polynomial": (s.polynomial, {"alpha": 0.1, "steps": 30, "power": 1.7, "end": 0.02}),
    "cosine": (s.cosine, {"alpha": 0.1, "steps": 30, "end": 0.02}),
    "cosine_restarts": (s.cosine_restarts, {"alpha": 0.1, "steps": 5, "t_mult": 3, "end": 0.02}),
    "inverse_square_root": (s.inverse_square_root, {"alpha": 0.1, "steps": 9}),
    "warmup_stable_decay": (
        s.warmup_stable_decay,
        {"alpha": 0.1, "steps": 40, "up": 0.1, "down": 0.3, "end": 0.02},
    ),
    "one_cycle": (s.one_cycle, {"alpha": 0.1, "steps": 40, "pct_start": 0.25}),
    "one_cycle_momentum": (s.one_cycle_momentum, {"steps": 40}),
    "cyclic": (s.cyclic, {"alpha": 0.1, "steps": 8, "base": 0.02}),
}


@pytest.mark.parametrize("name", TRACED)
def test_the_traced_schedule_has_the_same_values(name):
    factory, arguments = TRACED[name]
    traced, t = Function(schedule(factory)), np.arange(1, 101)
    assert set(traced.parameters) >= set(arguments)
    expected = factory(**arguments)(t)
    assert np.broadcast_to(traced(t, **arguments), 100) == pytest.approx(expected, rel=1e-13, abs=1e-15)
    assert "=>" in traced.javascript()


@pytest.mark.parametrize("kind", s.WARMUPS)
@pytest.mark.parametrize("after", [s.cosine, s.cosine_restarts, s.polynomial])
def test_a_warmup_traces_with_what_follows(kind, after):
    def warmed(alpha, steps, m):
        return s.warmup(after(alpha, steps), m, kind)

    traced, t = Function(schedule(warmed)), np.arange(1, 101)
    for m in (0, 1, 12):
        expected = warmed(0.1, 20, m)(t)
        assert traced(t, alpha=0.1, steps=20, m=m) == pytest.approx(expected, rel=1e-13, abs=1e-15)


def test_milestones_are_fixed_when_traced_and_a_table_is_refused():
    t = np.arange(1, 20)
    traced = Function(schedule(s.multi_step), milestones=(4, 9))
    assert traced(t, alpha=0.1) == pytest.approx(s.multi_step(0.1, (4, 9))(t), rel=1e-13)
    with pytest.raises(TraceError, match="cannot count or index|cannot be traced"):
        Function(s.table([0.1, 0.2]))


@pytest.mark.parametrize("name", TRACED)
def test_arguments_may_be_arrays_over_runs(name):
    factory, arguments = TRACED[name]
    many = {k: np.array([v, v * 2, v * 3]) if k in ("alpha", "steps", "end", "t_mult") else v
            for k, v in arguments.items()}  # fmt: skip
    for t in (1, 2, 7, 33, 80):
        together = np.broadcast_to(factory(**many)(t), 3)
        for i in range(3):
            alone = factory(**{k: v[i] if np.ndim(v) else v for k, v in many.items()})(t)
            assert together[i] == pytest.approx(alone, rel=1e-15)
    table = s.table([[0.1, 0.2], [0.3, 0.4]])
    assert np.array_equal(table(1), [0.1, 0.2]) and np.array_equal(table(5), [0.3, 0.4])


@pytest.mark.parametrize("t_mult", [2, 3, 5, 10])
@pytest.mark.parametrize("steps", [1, 3, 10, 125, 243])
def test_restarts_come_at_the_right_step_although_logarithms_round(steps, t_mult):
    starts = [steps * sum(t_mult**j for j in range(i)) for i in range(12)]
    starts = np.array([done for done in starts if done < 10**7])
    rate = s.cosine_restarts(1.0, steps, t_mult)
    assert rate(starts + 1) == pytest.approx(1, abs=1e-12)
    ends = starts[2:]  # the last step of a wave of length n is at sin²(π/2n)
    lengths = steps * t_mult ** np.arange(1, len(ends) + 1)
    assert rate(ends) == pytest.approx(np.sin(np.pi / 2 / lengths) ** 2, abs=1e-12)


def test_a_cooldown_is_the_end_of_a_line_and_a_warmup_that_of_warmup():
    t, m = np.arange(1, 200), 8
    end = s.warmup_stable_decay(0.1, 100, down=0.25)(t)[75:]
    assert end == pytest.approx(s.linear(0.1, 25)(t)[: len(end)], rel=1e-13)
    begin = s.warmup_stable_decay(0.1, 100, up=m / 100)(t)[:m]
    assert begin == pytest.approx(s.warmup(s.constant(0.1), m)(t)[:m], rel=1e-13)


def test_the_published_formulas():
    t, m, d_model = np.arange(1, 5001), 4000, 512
    vaswani = d_model**-0.5 * np.minimum(t**-0.5, t * m**-1.5)
    assert s.inverse_square_root(d_model**-0.5 * m**-0.5, m)(t) == pytest.approx(vaswani, rel=1e-13)
    k, eta, steps = np.arange(40), 0.4, 40  # He et al. count finished batches, the warmup apart
    he = np.concatenate([np.arange(1, 6) * eta / 5, (1 + np.cos(k * np.pi / steps)) * eta / 2])
    assert s.warmup(s.cosine(eta, steps), 5)(np.arange(1, 46)) == pytest.approx(he, rel=1e-13)


def test_any_hyperparameter_may_follow_a_schedule():
    rates, betas = s.one_cycle(0.05, 30), s.one_cycle_momentum(30)
    run = fit(momentum, quadratic, (2.0, 1.0), 30, alpha=rates, beta=betas)
    phi, m = np.array([2.0, 1.0]), 0.0
    for t in range(1, 31):
        phi, m = momentum(t, phi, quadratic.gradient, m, alpha=rates(t), beta=betas(t))
    assert np.array_equal(run.phi, phi)
    assert run.rates == pytest.approx(rates(np.arange(1, 31)), rel=1e-13)
    runs = fit(gradient_descent, quadratic, (2.0, 1.0), 30, alpha=s.cosine(np.array([0.01, 0.1]), 30))
    for i, alpha in enumerate((0.01, 0.1)):
        alone = fit(gradient_descent, quadratic, (2.0, 1.0), 30, alpha=s.cosine(alpha, 30))
        assert runs.path[..., i] == pytest.approx(alone.path, rel=1e-12)


def test_an_unknown_warmup_is_refused():
    with pytest.raises(
        ValueError, match="kind is one of linear, LinearLR, constant, exponential; got 'cosine'"
    ):
        s.warmup(s.constant(0.1), 5, "cosine")


def follow(losses, alpha, **settings):
    """The rates after each loss."""
    alpha, seen, rates = np.asarray(alpha), (), []
    for loss in losses:
        alpha, *seen = s.plateau(loss, alpha, *seen, **settings)
        rates.append(alpha)
    return np.array(rates)


def test_plateau_waits_longer_than_its_patience():
    rates = follow([5, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3], 1.0, factor=0.5, patience=2)
    assert rates.tolist() == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]
    assert follow([1.0] * 9, 1.0, factor=0.1, patience=0, end=0.05).tolist() == [1, 0.1] + [0.05] * 7
    improving = 0.999 ** np.arange(30)
    assert (follow(improving, 1.0, patience=0, threshold=1e-4) == 1).all()
    assert (follow(improving, 1.0, patience=0, threshold=1e-2) < 1).any()
    assert follow([np.nan] * 3, 1.0, patience=1, factor=0.5).tolist() == [1, 0.5, 0.5]


def test_plateau_keeps_runs_apart():
    losses = np.random.default_rng(1).uniform(1, 2, (40, 5))
    alpha = np.linspace(0.1, 0.5, 5)
    together = follow(losses, alpha, patience=3, factor=0.3)
    for i in range(5):
        assert np.array_equal(together[:, i], follow(losses[:, i], alpha[i], patience=3, factor=0.3))


def test_plateau_in_its_loop_ends_the_bounce():
    """The loop of the docstring: beyond the stability limit 2/10 until the loss has risen three times."""
    phi, alpha, seen, losses = np.array([1.0, 1.0]), 0.21, (), []
    for t in range(1, 101):
        phi = gradient_descent(t, phi, quadratic.gradient, alpha=alpha)
        losses.append(quadratic(phi))
        alpha, *seen = s.plateau(losses[-1], alpha, *seen, factor=0.5, patience=2)
    assert losses[1] < losses[2] < losses[3] and losses[4] < losses[3] / 100
    assert losses[-1] < 1e-6
