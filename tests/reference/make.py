"""Values of other libraries, written to the files beside this script.

    python -m venv reference
    reference/bin/pip install -r tests/reference/requirements.txt
    reference/bin/python tests/reference/make.py

Everything is computed in float64. The files:

- `settings.json`: per rule of `fitlib.optimizers` the settings tried (loss, its parameters, start, hyperparameters
  in the book's names), and the libraries' versions.
- `pytorch.npz`, `optax.npz`, `keras.npz`: an array `(settings, 51, 2)` per rule, in the order of `settings.json`:
  the start and 50 points after it. A name such as `rmsprop.inside` is the same rule under another convention.
- `schedules.npz`: the rates (or momenta) of `torch.optim.lr_scheduler` by case, the first is that of step 1;
  `settings.json` says how each was called.
- `defaults.json`: what the arguments are called in the libraries, with their defaults as the signatures say.
- `network.npz`: a network 5-4-3 in PyTorch. `inputs` (7, 5), `labels` (7,), `weights1` (4, 5), `biases1` (4,),
  `weights2` (3, 4), `biases2` (3,), `decay` (), `phi` (39,): all parameters in PyTorch's order (weights1 row by row,
  biases1, weights2, biases2); and for activation `tanh` and `relu`, error `cross_entropy` and `squared_error`
  (mean over points and outputs, targets one-hot): `loss_tanh_cross_entropy` () and
  `gradient_tanh_cross_entropy` (39,), both with decay/2 |phi|² (biases included, as `weight_decay` in torch.optim).
"""

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import inspect
import itertools
import json
from pathlib import Path

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


def network():
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
    }
    for (activation, f), (error, of) in itertools.product(
        {"tanh": torch.tanh, "relu": torch.relu}.items(), errors.items()
    ):
        loss = of(layers[1](f(layers[0](x)))) + 0.03 / 2 * sum((p**2).sum() for p in parameters)
        gradient = torch.nn.utils.parameters_to_vector(torch.autograd.grad(loss, parameters))
        values[f"loss_{activation}_{error}"] = loss.detach().numpy()
        values[f"gradient_{activation}_{error}"] = gradient.numpy()
    np.savez_compressed(HERE / "network.npz", **values)


if __name__ == "__main__":
    network()
