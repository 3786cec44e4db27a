"""Values of other libraries, written to the files beside this script.

    python -m venv reference
    reference/bin/pip install -r tests/reference/requirements.txt
    reference/bin/python tests/reference/make.py

Everything is computed in float64. The files:

- `settings.json`: the libraries' versions; per rule of `fitlib.optimizers` the settings tried (loss, its
  parameters, start, hyperparameters in the book's names); per schedule how it was called.
- `pytorch.npz`, `optax.npz`, `keras.npz`: per rule an array `(settings, 51, 2)` in the order of
  `settings.json`: the start and the 50 points after it. A name such as `rmsprop.inside` is the rule under
  another convention.
- `schedules.npz`: the rates, or momenta, of `torch.optim.lr_scheduler` by case, beginning with step 1.
- `defaults.json`: what the arguments are called in the libraries, with the defaults that their signatures
  state (null where there is none); the table in README.md is made from it.
- `network.npz`: a network 5-4-3 in PyTorch. `inputs` (7, 5), `labels` (7,), `weights1` (4, 5), `biases1`
  (4,), `weights2` (3, 4), `biases2` (3,), `decay` (), `phi` (39,): all parameters in PyTorch's order
  (weights1 row by row, biases1, weights2, biases2). For activation `tanh` and `relu` and for error
  `cross_entropy`, `squared_error` (mean over points and outputs) and `half_squared_error` (half the sum over
  outputs, mean over points; targets one-hot): `loss_tanh_cross_entropy` () and
  `gradient_tanh_cross_entropy` (39,), both with decay/2 |phi|² (biases included, as `weight_decay` in
  torch.optim).
- `matrices.npz`: Muon on a linear layer of three shapes, 30 steps. For `4x6`, `6x4`, `5x5` (rows, columns):
  `x.4x6` (12, columns), `y.4x6` (12, rows), the start `start.4x6`, and by case `pytorch.original.4x6`
  (31, rows, columns): `torch.optim.Muon` with its iteration in double (see `in_double`), `pytorch.bfloat16.4x6`
  as it is; `optax.plain.4x6` and so on: `optax.contrib.muon`. `optax.network` (31, 39): the network of
  `network.npz`, tanh and half the squared error, matrices by Muon and biases by Adam.
  `orthogonal` (20, 16, 12): matrices, and what torch's iteration makes of them, `orthogonal.double`,
  `orthogonal.bfloat16`.
"""

import functools
import inspect
import itertools
import json
import os
import re
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax
import torch
from torch.optim import lr_scheduler

jax.config.update("jax_enable_x64", True)
keras.config.set_floatx("float64")
torch.set_default_dtype(torch.float64)

HERE = Path(__file__).parent
STEPS = 50
FALLING = 0.95  # the factor per step of the cases *.falling

# --- problems and settings ---------------------------------------------------------------------------


def quadratic(phi, exp, kappa):
    return (phi[0] ** 2 + kappa * phi[1] ** 2) / 2


def rosenbrock(phi, exp, b):
    return (1 - phi[0]) ** 2 + b * (phi[1] - phi[0] ** 2) ** 2


def dupont(phi, exp):
    right = exp(-((phi[0] - 1) ** 2 + phi[1] ** 2) / 0.2)
    left = exp(-((phi[0] + 1) ** 2 + phi[1] ** 2) / 0.2)
    return phi[0] ** 2 + phi[1] ** 2 - 2 * right - 3 * left


# loss: its function, its parameters, starts, and a rate for the rules whose steps grow with the gradient
PROBLEMS = {
    "quadratic": (quadratic, {"kappa": 100.0}, [(-3.0, 2.0), (0.4, -2.5), (2.0, 0.05)], 0.02),
    "rosenbrock": (rosenbrock, {"b": 100.0}, [(-1.2, 1.0), (0.3, 0.8), (1.4, 1.2)], 0.001),
    "dupont": (dupont, {}, [(1.5, 0.4), (0.2, -1.2), (-0.4, 0.8)], 0.05),
}

MOMENTA = [(0.1, 0.0), (1.0, 0.3), (0.7, 0.5), (2.0, 0.8), (3.0, 0.9), (5.0, 0.95), (10.0, 0.99)]
ADAMS = [
    (0.01, 0.9, 0.999, 1e-8),
    (0.1, 0.9, 0.999, 1e-8),
    (0.05, 0.0, 0.99, 1e-6),
    (0.1, 0.7, 0.95, 1e-4),
    (0.1, 0.9, 0.99, 1e-2),
    (0.2, 0.95, 0.999, 1.0),
    (0.02, 0.99, 0.9999, 1e-12),
]
DECAYS = (0.01, 0.0, 0.1, 0.5, 0.004, 1.0, 0.0001)

# rule: hyperparameters in the book's names; "scaled" rates are multiplied by the problem's own
HYPER = {
    "gradient_descent": [{"scaled": a} for a in (0.05, 0.1, 0.2, 0.4, 0.7, 0.95, 1.01)],
    "momentum": [{"scaled": a, "beta": b} for a, b in MOMENTA],
    "nesterov": [{"scaled": a, "beta": b} for a, b in MOMENTA],
    "adagrad": [
        {"alpha": a, "eps": e}
        for a, e in [
            (0.01, 1e-10), (0.1, 1e-10), (0.5, 1e-10), (1.0, 1e-8), (0.3, 1e-4), (0.2, 1e-2), (0.5, 1.0),
        ]
    ],
    "rmsprop": [
        {"alpha": a, "gamma": c, "eps": e}
        for a, c, e in [
            (0.01, 0.99, 1e-8), (0.003, 0.9, 1e-8), (0.03, 0.5, 1e-2), (0.05, 0.999, 1e-4), (0.02, 0.95, 1.0),
            (0.001, 0.99, 1e-12), (0.1, 0.98, 0.1),
        ]
    ],
    "adadelta": [
        {"alpha": a, "gamma": c, "eps": e}
        for a, c, e in [
            (1.0, 0.9, 1e-6), (1.0, 0.95, 1e-7), (1.0, 0.9, 1e-3), (0.3, 0.99, 1e-2), (0.5, 0.8, 1e-6),
            (0.001, 0.95, 1e-7), (2.0, 0.9, 1e-4),
        ]
    ],
    "adam": [{"alpha": a, "beta": b, "gamma": c, "eps": e} for a, b, c, e in ADAMS],
    "adamw": [
        {"alpha": a, "beta": b, "gamma": c, "eps": e, "decay": d}
        for (a, b, c, e), d in zip(ADAMS, DECAYS, strict=True)
    ],
    "amsgrad": [{"alpha": a, "beta": b, "gamma": c, "eps": e} for a, b, c, e in ADAMS],
    "clipped_gradient_descent": [
        {"scaled": a, "limit": c}
        for a, c in [(0.1, 0.5), (0.3, 1.0), (0.5, 2.0), (0.9, 5.0), (0.5, 20.0), (0.8, 100.0), (0.2, 1000.0)]
    ],
    "sign_descent": [{"alpha": a} for a in (0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.3)],
    "lion": [
        {"alpha": a, "beta": b, "gamma": c, "decay": d}
        for a, b, c, d in [
            (0.01, 0.9, 0.99, 0.0), (0.05, 0.9, 0.99, 0.1), (0.02, 0.2, 0.9, 0.001), (0.1, 0.5, 0.95, 0.5),
            (0.003, 0.95, 0.98, 1.0), (0.03, 0.9, 0.9, 0.01), (0.2, 0.99, 0.999, 0.0),
        ]
    ],
}  # fmt: skip


def settings():
    """rule -> list of {loss, parameters, start, hyper}."""
    made = {rule: [] for rule in HYPER}
    for (rule, choices), (loss, (_, parameters, starts, scale)) in itertools.product(
        HYPER.items(), PROBLEMS.items()
    ):
        for i, choice in enumerate(choices):
            hyper = dict(choice)
            if "scaled" in hyper:
                hyper = {"alpha": scale * hyper.pop("scaled"), **hyper}
            start = starts[i % len(starts)]
            made[rule].append({"loss": loss, "parameters": parameters, "start": start, "hyper": hyper})
    return made


# --- the rules as the libraries call them --------------------------------------------------------------
# Each is a function of hyperparameters in the book's names. A rate of alpha * (1 - beta) turns the book's
# average of gradients into the libraries' sum.

PYTORCH = {
    "gradient_descent": lambda p, alpha: torch.optim.SGD(p, lr=alpha),
    "momentum": lambda p, alpha, beta: torch.optim.SGD(p, lr=alpha * (1 - beta), momentum=beta),
    "momentum.falling": lambda p, alpha, beta: torch.optim.SGD(p, lr=alpha * (1 - beta), momentum=beta),
    "momentum.dampened": lambda p, alpha, beta: torch.optim.SGD(p, lr=alpha, momentum=beta, dampening=beta),
    "nesterov": lambda p, alpha, beta: torch.optim.SGD(
        p, lr=alpha * (1 - beta), momentum=beta, nesterov=beta > 0
    ),
    "adagrad": lambda p, alpha, eps: torch.optim.Adagrad(p, lr=alpha, eps=eps),
    "rmsprop": lambda p, alpha, gamma, eps: torch.optim.RMSprop(p, lr=alpha, alpha=gamma, eps=eps),
    "adadelta": lambda p, alpha, gamma, eps: torch.optim.Adadelta(p, lr=alpha, rho=gamma, eps=eps),
    "adam": lambda p, alpha, beta, gamma, eps: torch.optim.Adam(p, lr=alpha, betas=(beta, gamma), eps=eps),
    "adamw": lambda p, alpha, beta, gamma, eps, decay: torch.optim.AdamW(
        p, lr=alpha, betas=(beta, gamma), eps=eps, weight_decay=decay
    ),
    "amsgrad": lambda p, alpha, beta, gamma, eps: torch.optim.Adam(
        p, lr=alpha, betas=(beta, gamma), eps=eps, amsgrad=True
    ),
    "clipped_gradient_descent": lambda p, alpha, limit: torch.optim.SGD(p, lr=alpha),
}

OPTAX = {
    "gradient_descent": lambda alpha: optax.sgd(alpha),
    "momentum": lambda alpha, beta: optax.sgd(alpha * (1 - beta), momentum=beta),
    "momentum.falling": lambda alpha, beta: optax.sgd(  # optax.exponential_decay computes in float32
        lambda count: alpha * (1 - beta) * FALLING**count, momentum=beta
    ),
    "nesterov": lambda alpha, beta: optax.sgd(alpha * (1 - beta), momentum=beta, nesterov=True),
    "adagrad.inside": lambda alpha, eps: optax.adagrad(alpha, eps=eps),
    "rmsprop": lambda alpha, gamma, eps: optax.rmsprop(alpha, decay=gamma, eps=eps, eps_in_sqrt=False),
    "rmsprop.inside": lambda alpha, gamma, eps: optax.rmsprop(alpha, decay=gamma, eps=eps),
    "adadelta": lambda alpha, gamma, eps: optax.adadelta(alpha, rho=gamma, eps=eps),
    "adam": lambda alpha, beta, gamma, eps: optax.adam(alpha, b1=beta, b2=gamma, eps=eps),
    "adamw": lambda alpha, beta, gamma, eps, decay: optax.adamw(
        alpha, b1=beta, b2=gamma, eps=eps, weight_decay=decay
    ),
    "amsgrad.corrected": lambda alpha, beta, gamma, eps: optax.amsgrad(alpha, b1=beta, b2=gamma, eps=eps),
    "clipped_gradient_descent": lambda alpha, limit: optax.chain(
        optax.clip_by_global_norm(limit), optax.sgd(alpha)
    ),
    "sign_descent": lambda alpha: optax.sign_sgd(alpha),
    "lion": lambda alpha, beta, gamma, decay: optax.lion(alpha, b1=beta, b2=gamma, weight_decay=decay),
}

KERAS = {
    "gradient_descent": lambda alpha: keras.optimizers.SGD(alpha),
    "momentum": lambda alpha, beta: keras.optimizers.SGD(alpha * (1 - beta), momentum=beta),
    "momentum.falling": lambda alpha, beta: keras.optimizers.SGD(
        keras.optimizers.schedules.ExponentialDecay(alpha * (1 - beta), 1, FALLING), momentum=beta
    ),
    "nesterov": lambda alpha, beta: keras.optimizers.SGD(alpha * (1 - beta), momentum=beta, nesterov=True),
    "adagrad.inside": lambda alpha, eps: keras.optimizers.Adagrad(alpha, epsilon=eps),
    "rmsprop.inside": lambda alpha, gamma, eps: keras.optimizers.RMSprop(alpha, rho=gamma, epsilon=eps),
    "adadelta": lambda alpha, gamma, eps: keras.optimizers.Adadelta(alpha, rho=gamma, epsilon=eps),
    "adam.hat": lambda alpha, beta, gamma, eps: keras.optimizers.Adam(
        alpha, beta_1=beta, beta_2=gamma, epsilon=eps
    ),
    "adamw.hat": lambda alpha, beta, gamma, eps, decay: keras.optimizers.AdamW(
        alpha, beta_1=beta, beta_2=gamma, epsilon=eps, weight_decay=decay
    ),
    "amsgrad.hat": lambda alpha, beta, gamma, eps: keras.optimizers.Adam(
        alpha, beta_1=beta, beta_2=gamma, epsilon=eps, amsgrad=True
    ),
    "clipped_gradient_descent": lambda alpha, limit: keras.optimizers.SGD(alpha, global_clipnorm=limit),
    "lion": lambda alpha, beta, gamma, decay: keras.optimizers.Lion(
        alpha, beta_1=beta, beta_2=gamma, weight_decay=decay
    ),
}


def pytorch_path(case, loss, parameters, start, hyper):
    phi = torch.tensor(start, requires_grad=True)
    optimizer = PYTORCH[case]([phi], **hyper)
    falling = case.endswith(".falling") and lr_scheduler.ExponentialLR(optimizer, FALLING)
    path = [start]
    for _ in range(STEPS):
        optimizer.zero_grad()
        PROBLEMS[loss][0](phi, torch.exp, **parameters).backward()
        if "limit" in hyper:
            torch.nn.utils.clip_grad_norm_([phi], hyper["limit"])
        optimizer.step()
        if falling:
            falling.step()
        path.append(phi.detach().numpy().copy())
    return path


@functools.cache
def gradient(loss):
    function, parameters, *_ = PROBLEMS[loss]
    return jax.jit(jax.grad(lambda phi: function(phi, jnp.exp, **parameters)))


def optax_path(case, loss, parameters, start, hyper):
    optimizer, phi, grad = OPTAX[case](**hyper), jnp.array(start), gradient(loss)
    state, path = optimizer.init(phi), [start]
    for _ in range(STEPS):
        updates, state = optimizer.update(grad(phi), state, phi)
        phi = optax.apply_updates(phi, updates)
        path.append(np.array(phi))
    return path


def keras_path(case, loss, parameters, start, hyper):
    optimizer, phi, grad = KERAS[case](**hyper), keras.Variable(np.array(start)), gradient(loss)
    path = [start]
    for _ in range(STEPS):
        optimizer.apply([grad(phi.value)], [phi])
        path.append(np.array(phi.value))
    return path


def write_paths(made):
    for name, cases, path in (
        ("pytorch", PYTORCH, pytorch_path),
        ("optax", OPTAX, optax_path),
        ("keras", KERAS, keras_path),
    ):
        arrays = {case: np.array([path(case, **one) for one in made[case.split(".")[0]]]) for case in cases}
        assert all(np.isfinite(array).all() and array.dtype == np.float64 for array in arrays.values())
        np.savez_compressed(HERE / f"{name}.npz", **arrays)


# --- schedules ---------------------------------------------------------------------------------------

# case: the scheduler's class and arguments (SequentialLR: its parts and milestones), and how many steps
SCHEDULES = {
    "StepLR": ("StepLR", {"step_size": 7, "gamma": 0.3}, 60),
    "MultiStepLR": ("MultiStepLR", {"milestones": [5, 20, 21], "gamma": 0.5}, 60),
    "ConstantLR": ("ConstantLR", {"factor": 0.25, "total_iters": 6}, 30),
    "LinearLR": ("LinearLR", {"start_factor": 0.2, "total_iters": 5}, 30),
    "LinearLR default": ("LinearLR", {}, 30),
    "LinearLR falling": ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 20}, 60),
    "ExponentialLR": ("ExponentialLR", {"gamma": 0.93}, 120),
    "PolynomialLR": ("PolynomialLR", {"total_iters": 25, "power": 2.0}, 60),
    "PolynomialLR root": ("PolynomialLR", {"total_iters": 25, "power": 0.5}, 60),
    "CosineAnnealingLR": ("CosineAnnealingLR", {"T_max": 20, "eta_min": 0.01}, 90),
    "CosineAnnealingLR to 0": ("CosineAnnealingLR", {"T_max": 30}, 90),
    "CosineAnnealingWarmRestarts": ("CosineAnnealingWarmRestarts", {"T_0": 8, "eta_min": 0.01}, 60),
    "CosineAnnealingWarmRestarts 2": ("CosineAnnealingWarmRestarts", {"T_0": 5, "T_mult": 2}, 200),
    "CosineAnnealingWarmRestarts 3": (
        "CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 3, "eta_min": 0.02}, 200,
    ),
    "OneCycleLR": ("OneCycleLR", {"max_lr": 0.1, "total_steps": 50}, 51),
    "OneCycleLR other": (
        "OneCycleLR",
        {"max_lr": 0.1, "total_steps": 33, "pct_start": 0.45, "div_factor": 10.0, "final_div_factor": 100.0},
        34,
    ),
    "CyclicLR": ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 6}, 60),
    "warmup and cosine": (
        "SequentialLR",
        [("LinearLR", {"start_factor": 0.2, "total_iters": 5}), ("CosineAnnealingLR", {"T_max": 20}), [5]],
        26,
    ),
    "constant warmup and steps": (
        "SequentialLR",
        [("ConstantLR", {"factor": 0.2, "total_iters": 5}), ("StepLR", {"step_size": 10}), [5]],
        60,
    ),
}  # fmt: skip

PLATEAUS = {
    "ReduceLROnPlateau": {"patience": 2, "factor": 0.5, "eps": 0.0},
    "ReduceLROnPlateau threshold": {
        "patience": 0,
        "factor": 0.3,
        "threshold": 0.05,
        "min_lr": 1e-4,
        "eps": 0.0,
    },
    "ReduceLROnPlateau default": {},
}


def optimizer_at(lr):
    return torch.optim.SGD([torch.zeros(1)], lr=lr, momentum=0.9)


def write_schedules():
    arrays = {}
    for case, (name, arguments, steps) in SCHEDULES.items():
        optimizer = optimizer_at(0.1)
        if name == "SequentialLR":
            *parts, milestones = arguments
            parts = [getattr(lr_scheduler, part)(optimizer, **given) for part, given in parts]
            scheduler = lr_scheduler.SequentialLR(optimizer, parts, milestones)
        else:
            scheduler = getattr(lr_scheduler, name)(optimizer, **arguments)
        rates, momenta = [], []
        for _ in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            momenta.append(optimizer.param_groups[0]["momentum"])
            optimizer.step()
            if len(rates) < steps:
                scheduler.step()
        arrays[case] = np.array(rates)
        if len(set(momenta)) > 1:
            arrays[f"{case} momentum"] = np.array(momenta)
    rng = np.random.default_rng(3)
    for case, arguments in PLATEAUS.items():
        optimizer = optimizer_at(0.1)
        scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, **arguments)
        losses, rates = np.exp(-np.arange(80) / 20) + rng.uniform(0, 0.3, 80), []
        for loss in losses:
            scheduler.step(loss)
            rates.append(optimizer.param_groups[0]["lr"])
        arrays[case], arrays[f"{case} losses"] = np.array(rates), losses
    np.savez_compressed(HERE / "schedules.npz", **arrays)


# --- names and defaults ------------------------------------------------------------------------------

SGD = {
    "PyTorch": (torch.optim.SGD, {"alpha": "lr"}),
    "Optax": (optax.sgd, {"alpha": "learning_rate"}),
    "Keras": (keras.optimizers.SGD, {"alpha": "learning_rate"}),
}
MOMENTUM = {
    "PyTorch": (
        torch.optim.SGD,
        {"alpha (1 - beta)": "lr", "beta": "momentum", "dampening": "dampening", "nesterov": "nesterov"},
    ),
    "Optax": (optax.sgd, {"alpha (1 - beta)": "learning_rate", "beta": "momentum", "nesterov": "nesterov"}),
    "Keras": (
        keras.optimizers.SGD,
        {"alpha (1 - beta)": "learning_rate", "beta": "momentum", "nesterov": "nesterov"},
    ),
}  # fmt: skip
ADAM = {
    "PyTorch": {"alpha": "lr", "beta": "betas[0]", "gamma": "betas[1]", "eps": "eps"},
    "Optax": {"alpha": "learning_rate", "beta": "b1", "gamma": "b2", "eps": "eps"},
    "Keras": {"alpha": "learning_rate", "beta": "beta_1", "gamma": "beta_2", "eps": "epsilon"},
}
NAMES = {
    "gradient_descent": SGD,
    "momentum": MOMENTUM,
    "nesterov": MOMENTUM,
    "adagrad": {
        "PyTorch": (
            torch.optim.Adagrad,
            {"alpha": "lr", "eps": "eps", "first v": "initial_accumulator_value"},
        ),
        "Optax": (
            optax.adagrad,
            {"alpha": "learning_rate", "eps": "eps", "first v": "initial_accumulator_value"},
        ),
        "Keras": (
            keras.optimizers.Adagrad,
            {"alpha": "learning_rate", "eps": "epsilon", "first v": "initial_accumulator_value"},
        ),
    },
    "rmsprop": {
        "PyTorch": (torch.optim.RMSprop, {"alpha": "lr", "gamma": "alpha", "eps": "eps"}),
        "Optax": (
            optax.rmsprop,
            {"alpha": "learning_rate", "gamma": "decay", "eps": "eps", "eps inside the root": "eps_in_sqrt"},
        ),
        "Keras": (keras.optimizers.RMSprop, {"alpha": "learning_rate", "gamma": "rho", "eps": "epsilon"}),
    },
    "adadelta": {
        "PyTorch": (torch.optim.Adadelta, {"alpha": "lr", "gamma": "rho", "eps": "eps"}),
        "Optax": (optax.adadelta, {"alpha": "learning_rate", "gamma": "rho", "eps": "eps"}),
        "Keras": (keras.optimizers.Adadelta, {"alpha": "learning_rate", "gamma": "rho", "eps": "epsilon"}),
    },
    "adam": {
        "PyTorch": (torch.optim.Adam, ADAM["PyTorch"]),
        "Optax": (optax.adam, ADAM["Optax"]),
        "Keras": (keras.optimizers.Adam, ADAM["Keras"]),
    },
    "adamw": {
        "PyTorch": (torch.optim.AdamW, {**ADAM["PyTorch"], "decay": "weight_decay"}),
        "Optax": (optax.adamw, {**ADAM["Optax"], "decay": "weight_decay"}),
        "Keras": (keras.optimizers.AdamW, {**ADAM["Keras"], "decay": "weight_decay"}),
    },
    "amsgrad": {
        "PyTorch": (torch.optim.Adam, {**ADAM["PyTorch"], "amsgrad": "amsgrad"}),
        "Optax": (optax.amsgrad, ADAM["Optax"]),
        "Keras": (keras.optimizers.Adam, {**ADAM["Keras"], "amsgrad": "amsgrad"}),
    },
    "clipped_gradient_descent": {
        "PyTorch": (torch.nn.utils.clip_grad_norm_, {"limit": "max_norm"}),
        "Optax": (optax.clip_by_global_norm, {"limit": "max_norm"}),
        "Keras": (keras.optimizers.SGD, {"limit": "global_clipnorm"}),
    },
    "sign_descent": {"Optax": (optax.sign_sgd, {"alpha": "learning_rate"})},
    "lion": {
        "Optax": (
            optax.lion, {"alpha": "learning_rate", "beta": "b1", "gamma": "b2", "decay": "weight_decay"},
        ),
        "Keras": (
            keras.optimizers.Lion,
            {"alpha": "learning_rate", "beta": "beta_1", "gamma": "beta_2", "decay": "weight_decay"},
        ),
    },
    "muon": {
        "PyTorch": (
            torch.optim.Muon,
            {"alpha": "lr", "beta": "momentum", "decay": "weight_decay", "rounds": "ns_steps",
             "nesterov": "nesterov", "scale": "adjust_lr_fn"},
        ),
        "Optax": (
            optax.contrib.muon,
            {"alpha": "learning_rate", "beta": "beta", "decay": "weight_decay", "rounds": "ns_steps",
             "nesterov": "nesterov", "scale": "consistent_rms"},
        ),
        "Keras": (
            keras.optimizers.Muon,
            {"alpha": "learning_rate", "beta": "momentum", "decay": "weight_decay", "rounds": "ns_steps",
             "nesterov": "nesterov", "scale": "rms_rate"},
        ),
    },
}
HOME = {
    "PyTorch": {"torch.optim": torch.optim, "torch.nn.utils": torch.nn.utils},
    "Optax": {"optax": optax, "optax.contrib": optax.contrib},
    "Keras": {"keras.optimizers": keras.optimizers},
}


def default(function, name):
    """The default of an argument such as `eps` or `betas[0]`; None where it has none."""
    name, index = re.fullmatch(r"(\w+)(?:\[(\d)\])?", name).groups()
    value = inspect.signature(function).parameters[name].default
    value = None if value is inspect.Parameter.empty else value
    return value[int(index)] if index else value


def called(library, function):
    """Where a user finds the function."""
    (place,) = [
        name for name, home in HOME[library].items() if getattr(home, function.__name__, None) is function
    ]
    return f"{place}.{function.__name__}"


def write_defaults():
    made = {
        rule: {
            library: {
                "call": called(library, function),
                "arguments": {ours: {"name": theirs, "default": default(function, theirs)}
                              for ours, theirs in names.items()},
            }
            for library, (function, names) in libraries.items()
        }
        for rule, libraries in NAMES.items()
    }  # fmt: skip
    (HERE / "defaults.json").write_text(json.dumps(made, indent=1) + "\n")
    readme = HERE / "README.md"
    before, _, after = re.split(
        r"(?<=<!-- made by make.py -->\n)(.*)(?=<!-- end -->)", readme.read_text(), flags=re.S
    )
    readme.write_text(before + "\n".join(table(made)) + "\n" + after)


def table(made):
    """The lines of the table of names and defaults: a rule's first line says what is called."""
    yield "| | here | " + " | ".join(HOME) + " |"
    yield "|---" * (2 + len(HOME)) + "|"
    for rule, libraries in made.items():
        calls = [f"`{libraries[name]['call']}`" if name in libraries else "" for name in HOME]
        yield f"| **`{rule}`** | | " + " | ".join(calls) + " |"
        for ours in dict.fromkeys(ours for one in libraries.values() for ours in one["arguments"]):
            cells = [libraries.get(name, {"arguments": {}})["arguments"].get(ours) for name in HOME]
            yield f"| | {ours} | " + " | ".join(map(cell, cells)) + " |"


def cell(argument):
    if argument is None:
        return ""
    return f"`{argument['name']}`" + ("" if argument["default"] is None else f" = {argument['default']}")


# --- a network ---------------------------------------------------------------------------------------


def write_network():
    rng = np.random.default_rng(7)
    values = {"inputs": rng.normal(size=(7, 5)), "labels": rng.integers(0, 3, 7), "decay": np.array(0.03)}
    layers = torch.nn.Linear(5, 4), torch.nn.Linear(4, 3)
    parameters = [p for layer in layers for p in layer.parameters()]
    for name, p in zip(("weights1", "biases1", "weights2", "biases2"), parameters, strict=True):
        p.data = torch.tensor(rng.normal(size=p.shape))
        values[name] = p.detach().numpy()
    values["phi"] = torch.nn.utils.parameters_to_vector(parameters).detach().numpy()
    x, labels = torch.tensor(values["inputs"]), torch.tensor(values["labels"])
    targets = torch.nn.functional.one_hot(labels, 3).double()
    errors = {
        "cross_entropy": lambda z: torch.nn.functional.cross_entropy(z, labels),
        "squared_error": lambda z: torch.nn.functional.mse_loss(z, targets),
        "half_squared_error": lambda z: (
            torch.nn.functional.mse_loss(z, targets, reduction="sum") / (2 * len(z))
        ),
    }
    for (activation, f), (error, of) in itertools.product(
        {"tanh": torch.tanh, "relu": torch.relu}.items(), errors.items()
    ):
        loss = of(layers[1](f(layers[0](x)))) + values["decay"].item() / 2 * sum(
            (p**2).sum() for p in parameters
        )
        gradient = torch.nn.utils.parameters_to_vector(torch.autograd.grad(loss, parameters))
        values[f"loss_{activation}_{error}"] = loss.detach().numpy()
        values[f"gradient_{activation}_{error}"] = gradient.numpy()
    np.savez_compressed(HERE / "network.npz", **values)


# --- matrices ----------------------------------------------------------------------------------------

SHAPES = [(4, 6), (6, 4), (5, 5)]
MUON = torch.optim._muon
MUONS = {
    "original": {"lr": 0.05, "weight_decay": 0.1},
    "rms": {"lr": 0.05, "weight_decay": 0.0, "momentum": 0.8, "adjust_lr_fn": "match_rms_adamw"},
    "bfloat16": {"lr": 0.05, "weight_decay": 0.1},
}
OPTAX_MUONS = {
    "plain": {"learning_rate": 0.05, "eps": 0.0, "nesterov": False, "beta": 0.9},
    "nesterov": {"learning_rate": 0.05, "eps": 0.0, "weight_decay": 0.1},
    "rms": {"learning_rate": 0.05, "eps": 0.0, "consistent_rms": 0.2},
}


def in_double(grad, coefficients, steps, eps):
    """`torch.optim._muon._zeropower_via_newtonschulz`, line by line, without its conversion to bfloat16."""
    a, b, c = coefficients
    x = grad.T if grad.size(0) > grad.size(1) else grad
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if grad.size(0) > grad.size(1) else x


def write_matrices():
    rng, values = np.random.default_rng(11), {}
    iterations = {"double": in_double, "bfloat16": MUON._zeropower_via_newtonschulz}
    for rows, columns in SHAPES:
        shape = f"{rows}x{columns}"
        x, y = rng.normal(size=(12, columns)) @ rng.normal(size=(columns, columns)), rng.normal(size=(12, rows))
        start = rng.normal(size=(rows, columns))
        values |= {f"x.{shape}": x, f"y.{shape}": y, f"start.{shape}": start}
        for case, given in MUONS.items():
            MUON._zeropower_via_newtonschulz = iterations["bfloat16" if case == "bfloat16" else "double"]
            w, path = torch.nn.Parameter(torch.tensor(start)), [start]
            optimizer = torch.optim.Muon([w], **given)
            for _ in range(30):
                optimizer.zero_grad()
                (((torch.tensor(x) @ w.T - torch.tensor(y)) ** 2).sum() / 24).backward()
                optimizer.step()
                path.append(w.detach().numpy().copy())
            values[f"pytorch.{case}.{shape}"] = np.array(path)
        for case, given in OPTAX_MUONS.items():  # its layers are (in, out)
            path = muon_path({"w": start.T}, lambda p, x=x, y=y: ((x @ p["w"] - y) ** 2).sum() / 24, given)
            values[f"optax.{case}.{shape}"] = np.array([p["w"].T for p in path])
    stored = np.load(HERE / "network.npz")
    names = ["weights1", "biases1", "weights2", "biases2"]
    targets = np.eye(3)[stored["labels"]]

    def loss(p):
        hidden = jnp.tanh(stored["inputs"] @ p["weights1"] + p["biases1"])
        return ((hidden @ p["weights2"] + p["biases2"] - targets) ** 2).sum() / 14

    given = {"learning_rate": 0.05, "eps": 0.0, "nesterov": False, "adam_learning_rate": 0.02}
    path = muon_path({name: stored[name].T for name in names}, loss, given)
    values["optax.network"] = np.array([np.concatenate([p[name].T.ravel() for name in names]) for p in path])
    values["orthogonal"] = rng.normal(size=(20, 16, 12)) * np.logspace(0, -3, 12)
    for name, iteration in iterations.items():
        made = [iteration(torch.tensor(g), (3.4445, -4.7750, 2.0315), 5, 1e-7) for g in values["orthogonal"]]
        values[f"orthogonal.{name}"] = np.array([one.double().numpy() for one in made])
    np.savez_compressed(HERE / "matrices.npz", **values)


def muon_path(start, loss, given):
    """The start and the 30 points after it of `optax.contrib.muon`."""
    optimizer, p = optax.contrib.muon(**given), {name: jnp.asarray(value) for name, value in start.items()}
    state, path = optimizer.init(p), [start]
    for _ in range(30):
        updates, state = optimizer.update(jax.grad(loss)(p), state, p)
        p = optax.apply_updates(p, updates)
        path.append({name: np.asarray(value) for name, value in p.items()})
    return path


if __name__ == "__main__":
    made = settings()
    modules = {"torch": torch, "optax": optax, "jax": jax, "keras": keras, "numpy": np}
    record = {
        "versions": {name: module.__version__.split("+")[0] for name, module in modules.items()},
        "falling": FALLING,
        "settings": made,
        "schedules": {case: [name, arguments] for case, (name, arguments, _) in SCHEDULES.items()} | PLATEAUS,
    }
    lines = json.dumps(record).replace('{"loss"', '\n{"loss"').replace('"schedules"', '\n"schedules"')
    (HERE / "settings.json").write_text(lines + "\n")
    write_paths(made)
    write_schedules()
    write_defaults()
    write_network()
    write_matrices()
