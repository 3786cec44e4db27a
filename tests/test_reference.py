"""Our rules and schedules against the values of PyTorch, Optax and Keras stored in tests/reference/.

Where a library differs by design, the difference is stated here and the exact relation is checked: by a
variant of the rule, or by a hyperparameter that varies with the step.
"""

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from fitlib import losses, matrices, optimizers, schedules

REFERENCE = Path(__file__).parent / "reference"
RECORD = json.loads((REFERENCE / "settings.json").read_text())
DEFAULTS = json.loads((REFERENCE / "defaults.json").read_text())
STORED = {name: np.load(REFERENCE / f"{name}.npz") for name in ("pytorch", "optax", "keras")}
RATES = np.load(REFERENCE / "schedules.npz")
RERUNS = 8

# --- the rules as the libraries write them, where they differ ------------------------------------------


def momentum_dampened(t, phi, grad, m=0.0, *, alpha, beta):
    """PyTorch with dampening = beta: the book's average, but the first gradient enters whole."""
    g = grad(phi)
    m = np.where(t == 1, g, beta * m + (1 - beta) * g)
    return phi - alpha * m, m


def momentum_velocity(t, phi, grad, m=0.0, *, alpha, beta):
    """Keras: the memory holds steps, not gradients, so a falling rate reaches the past only by and by."""
    m = beta * m - alpha * (1 - beta) * grad(phi)
    return phi + m, m


def nesterov_at_look_ahead(t, phi, grad, m=0.0, *, alpha, beta):
    """All three: phi is where the gradient is taken, and the step leads from there to the next such point."""
    g = grad(phi)
    m = beta * m + (1 - beta) * g
    return phi - alpha * (beta * m + (1 - beta) * g), m


def adagrad_inside(t, phi, grad, v=0.1, *, alpha, eps):
    """Optax and Keras: the sum of squares begins at 0.1, and eps stands inside the root."""
    g = grad(phi)
    v = v + g**2
    return phi - alpha * g / np.sqrt(v + eps), v


def rmsprop_inside(t, phi, grad, v=0.0, *, alpha, gamma, eps):
    """Keras, and Optax by default: eps stands inside the root."""
    g = grad(phi)
    v = gamma * v + (1 - gamma) * g**2
    return phi - alpha * g / np.sqrt(v + eps), v


def clipped_short(t, phi, grad, *, alpha, limit):
    """PyTorch: 1e-6 is added to the length, so that a clipped gradient is a little shorter than the limit."""
    g = grad(phi)
    return phi - alpha * g * np.minimum(1, limit / (np.linalg.norm(g, axis=0) + 1e-6))


def unchanged(hyper):
    return hyper


def falling(hyper):
    """A rate that falls by the same factor in every step."""
    return hyper | {"alpha": schedules.exponential(hyper["alpha"], RECORD["falling"])}


def epsilon_hat(hyper):
    """Keras folds the correction into the rate, so that its eps is ours times the root of 1 - gamma^t."""
    return hyper | {"eps": lambda t: hyper["eps"] / np.sqrt(1 - hyper["gamma"] ** t)}


ALIKE = "gradient_descent momentum adadelta"
PLAIN = {
    "pytorch": f"{ALIKE} momentum.falling adagrad rmsprop adam adamw amsgrad",
    "optax": f"{ALIKE} momentum.falling rmsprop adam adamw clipped_gradient_descent sign_descent lion",
    "keras": f"{ALIKE} clipped_gradient_descent lion",
}
CASES = {
    (library, case): (getattr(optimizers, case.split(".")[0]), falling if "falling" in case else unchanged)
    for library, names in PLAIN.items()
    for case in names.split()
}
DIFFERENT = {
    ("pytorch", "momentum.dampened"): (momentum_dampened, unchanged),
    ("pytorch", "nesterov"): (nesterov_at_look_ahead, unchanged),
    ("pytorch", "clipped_gradient_descent"): (clipped_short, unchanged),
    ("optax", "nesterov"): (nesterov_at_look_ahead, unchanged),
    ("optax", "adagrad.inside"): (adagrad_inside, unchanged),
    ("optax", "rmsprop.inside"): (rmsprop_inside, unchanged),
    ("optax", "amsgrad.corrected"): (optimizers.amsgrad_corrected, unchanged),
    ("keras", "momentum.falling"): (momentum_velocity, falling),
    ("keras", "nesterov"): (nesterov_at_look_ahead, unchanged),
    ("keras", "adagrad.inside"): (adagrad_inside, unchanged),
    ("keras", "rmsprop.inside"): (rmsprop_inside, unchanged),
    ("keras", "adam.hat"): (optimizers.adam, epsilon_hat),
    ("keras", "adamw.hat"): (optimizers.adamw, epsilon_hat),
    ("keras", "amsgrad.hat"): (optimizers.amsgrad, epsilon_hat),
}

# --- paths and their noise -----------------------------------------------------------------------------


def problems(case):
    """For each loss: the indices of its settings, the loss, starts `(2, settings)` and hyperparameters."""
    settings = RECORD["settings"][case.split(".")[0]]
    for name in dict.fromkeys(one["loss"] for one in settings):
        index = [i for i, one in enumerate(settings) if one["loss"] == name]
        chosen = [settings[i] for i in index]
        loss = getattr(losses, name).at(**chosen[0]["parameters"])
        hyper = {key: np.array([one["hyper"][key] for one in chosen]) for key in chosen[0]["hyper"]}
        yield index, loss, np.array([one["start"] for one in chosen]).T, hyper


def follow(rule, loss, start, hyper, steps):
    """The path of the run and of its reruns, `(steps + 1, 2, settings, 1 + RERUNS)`.

    In the reruns the argument of the gradient is moved by up to two units in its last place, at random in
    every step: how far they stray is how far rounding alone can lead this run.
    """
    ulps = np.random.default_rng(0).integers(-2, 3, (steps, *start.shape, 1 + RERUNS))
    ulps[..., 0] = 0
    phi, state = np.repeat(start[..., None], 1 + RERUNS, axis=-1), []
    path = [phi]
    for t in range(1, steps + 1):
        at_t = {name: (value(t) if callable(value) else value)[:, None] for name, value in hyper.items()}
        moved = 1 + 2.2e-16 * ulps[t - 1]
        result = rule(t, phi, lambda point: loss.gradient(point * moved), *state, **at_t)  # noqa: B023
        phi, *state = result if isinstance(result, tuple) else (result,)
        path.append(phi)
    return np.array(path)


def differences(case, stored, rule, adapt):
    """Largest difference from the stored paths up to each step, and the own noise: `(51, settings)` each."""
    found = np.empty((2, len(stored[0]), len(stored)))
    for index, loss, start, hyper in problems(case):
        path = follow(rule, loss, start, adapt(hyper), len(stored[0]) - 1)
        found[0, :, index] = np.abs(path[..., 0] - np.moveaxis(stored[index], 0, -1)).max(axis=1).T
        found[1, :, index] = np.abs(path - path[..., :1]).max(axis=(1, 3)).T
    return np.maximum.accumulate(found, axis=1)


def test_every_stored_path_is_compared():
    assert {(name, case) for name, file in STORED.items() for case in file.files} == {*CASES, *DIFFERENT}
    for library, case in {**CASES, **DIFFERENT}:
        count = len(RECORD["settings"][case.split(".")[0]])
        assert STORED[library][case].shape == (count, 51, 2) and count >= 20


@pytest.mark.parametrize(("library", "case"), [*CASES, *DIFFERENT])
def test_rule_equals_the_library_up_to_the_noise_of_the_path(library, case):
    rule, adapt = {**CASES, **DIFFERENT}[library, case]
    difference, noise = differences(case, STORED[library][case], rule, adapt)
    assert (difference <= 100 * np.maximum(noise, 1e-15)).all()
    assert noise.max() < 1e-7  # a path that rounding can move further would show nothing


@pytest.mark.parametrize(("library", "case"), DIFFERENT)
def test_the_difference_by_design_is_there(library, case):
    """Our own rule, at the same settings, does leave the library's path."""
    rule, adapt = getattr(optimizers, case.split(".")[0]), falling if "falling" in case else unchanged
    difference, noise = differences(case, STORED[library][case], rule, adapt)
    assert (difference > 1e6 * np.maximum(noise, 1e-15)).any(axis=0).mean() > 0.1


def test_nesterov_of_the_libraries_follows_the_look_ahead_points():
    """Their phi is our phi - alpha beta m: where ours takes its next gradient."""
    for name in ("pytorch", "optax", "keras"):
        for index, loss, start, hyper in problems("nesterov"):
            phi, m, seen = start, np.zeros_like(start), [start]
            for t in range(1, 51):
                phi, m = optimizers.nesterov(t, phi, loss.gradient, m, **hyper)
                seen.append(phi - hyper["alpha"] * hyper["beta"] * m)
            theirs = np.moveaxis(STORED[name]["nesterov"][index], 0, -1)
            assert np.abs(np.array(seen) - theirs).max() < 1e-12


# --- schedules -----------------------------------------------------------------------------------------

EQUAL = {
    "StepLR": schedules.step(0.1, 7, 0.3),
    "MultiStepLR": schedules.multi_step(0.1, (5, 20, 21), 0.5),
    "ConstantLR": schedules.warmup(schedules.constant(0.1), 6, "constant", start=0.25),
    "LinearLR": schedules.warmup(schedules.constant(0.1), 5, "LinearLR", start=0.2),
    "LinearLR default": schedules.warmup(schedules.constant(0.1), 5, "LinearLR"),
    "LinearLR falling": schedules.linear(0.1, 20, 0.01),
    "ExponentialLR": schedules.exponential(0.1, 0.93),
    "PolynomialLR": schedules.polynomial(0.1, 25, 2),
    "PolynomialLR root": schedules.polynomial(0.1, 25, 0.5),
    "CosineAnnealingLR": schedules.cosine(0.1, 20, 0.01),
    "CosineAnnealingLR to 0": schedules.cosine(0.1, 30),
    "CosineAnnealingWarmRestarts": schedules.cosine_restarts(0.1, 8, end=0.01),
    "CosineAnnealingWarmRestarts 2": schedules.cosine_restarts(0.1, 5, 2),
    "CosineAnnealingWarmRestarts 3": schedules.cosine_restarts(0.1, 3, 3, 0.02),
    "OneCycleLR": schedules.one_cycle(0.1, 50),
    "OneCycleLR momentum": schedules.one_cycle_momentum(50),
    "OneCycleLR other": schedules.one_cycle(0.1, 33, 0.45, 10.0, 100.0),
    "OneCycleLR other momentum": schedules.one_cycle_momentum(33, 0.45),
    "CyclicLR": schedules.cyclic(0.1, 6, 0.01),
    "CyclicLR momentum": schedules.cyclic(0.8, 6, 0.9),
    "warmup and cosine": schedules.warmup(schedules.cosine(0.1, 20), 5, "LinearLR", start=0.2),
    "constant warmup and steps": schedules.warmup(schedules.step(0.1, 10), 5, "constant", start=0.2),
}
# The last step in which PyTorch's schedule is ours, where it is not equal for ever; the rest is tested below.
ENDS = {"CosineAnnealingLR": 21, "CosineAnnealingLR to 0": 31, "OneCycleLR": 50, "OneCycleLR momentum": 50,
        "OneCycleLR other": 33, "OneCycleLR other momentum": 33}  # fmt: skip


def test_every_stored_schedule_is_compared():
    plateaus = {name for name in RATES.files if name.startswith("ReduceLROnPlateau")}
    assert set(RATES.files) - plateaus == set(EQUAL)


@pytest.mark.parametrize("case", EQUAL)
def test_schedule_equals_pytorch_step_by_step(case):
    theirs = RATES[case][: ENDS.get(case)]
    ours = EQUAL[case](np.arange(1, len(theirs) + 1))
    assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize(
    ("case", "steps", "end"), [("CosineAnnealingLR", 20, 0.01), ("CosineAnnealingLR to 0", 30, 0)]
)
def test_cosine_of_pytorch_rises_again_after_its_end_and_ours_stays(case, steps, end):
    theirs, t = RATES[case], np.arange(1, len(RATES[case]) + 1)
    assert theirs == pytest.approx(schedules.half_wave(0.1, end, (t - 1) / steps), rel=1e-12, abs=1e-13)
    assert theirs[2 * steps] == pytest.approx(0.1)
    assert (EQUAL[case](t[steps:]) == end).all()


@pytest.mark.parametrize("case", [case for case in EQUAL if case.startswith("OneCycleLR")])
def test_one_cycle_of_pytorch_goes_one_step_up_the_wave_again_and_ours_stays(case):
    """It has one value more than total_steps, and raises after that."""
    theirs, last = RATES[case], ENDS[case]
    assert len(theirs) == last + 1
    top = (0.45 if "other" in case else 0.3) * last
    peak, end = (0.85, 0.95) if "momentum" in case else (0.1, theirs[last - 1])
    assert theirs[last] == pytest.approx(
        schedules.half_wave(peak, end, (last + 1 - top) / (last - top)), rel=1e-9
    )
    assert abs(theirs[last] - end) > 1e-5
    assert EQUAL[case](last + 1) == EQUAL[case](last)


@pytest.mark.parametrize(
    "case", [case for case in RECORD["schedules"] if case.startswith("ReduceLROnPlateau")]
)
def test_plateau_equals_pytorch(case):
    arguments = dict(RECORD["schedules"][case])
    arguments.pop("eps", None)
    if "min_lr" in arguments:
        arguments["end"] = arguments.pop("min_lr")
    alpha, seen, ours = 0.1, (), []
    for loss in RATES[f"{case} losses"]:
        alpha, *seen = schedules.plateau(loss, alpha, *seen, **arguments)
        ours.append(alpha)
    assert np.array(ours) == pytest.approx(RATES[case], rel=1e-12)
    assert len(set(RATES[case])) > 1


# --- names and defaults --------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", DEFAULTS)
def test_defaults_of_our_rules_are_those_of_pytorch(rule):
    """A hyperparameter that has a default here has PyTorch's (Optax's where PyTorch has no such rule), but beta
    of momentum (0.9; 0 is plain descent), the limit of clipping (1; PyTorch has none), Lion's and Muon's decay (0)."""
    home = optimizers if hasattr(optimizers, rule) else matrices
    parameters = inspect.signature(getattr(home, rule)).parameters.values()
    ours = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is not p.empty}
    library = next(iter(DEFAULTS[rule].values()))
    theirs = {name: one["default"] for name, one in library["arguments"].items()}
    different = {"momentum": "beta", "nesterov": "beta", "clipped_gradient_descent": "limit"}
    different |= {"lion": "decay", "muon": "decay"}
    own = {different[rule]} if rule in different else set()
    assert own <= set(ours) <= set(theirs)
    assert {name: theirs[name] for name in set(ours) - own} == {name: ours[name] for name in set(ours) - own}


def test_the_table_of_the_readme_holds_the_defaults():
    text = (REFERENCE / "README.md").read_text()
    for rule, libraries in DEFAULTS.items():
        start = text.index(f"| **`{rule}`** |")
        rows = text[start : text.find("| **`", start + 1)].splitlines()
        for name, one in libraries.items():
            column = 3 + ["PyTorch", "Optax", "Keras"].index(name)
            cells = {row.split("|")[2].strip(): row.split("|")[column].strip() for row in rows if "|" in row}
            assert cells[""] == f"`{one['call']}`"
            for ours, argument in one["arguments"].items():
                value = "" if argument["default"] is None else f" = {argument['default']}"
                assert cells[ours] == f"`{argument['name']}`{value}"
    for name, version in RECORD["versions"].items():
        assert f"{name}=={version}" in (REFERENCE / "requirements.txt").read_text()
