"""`Rounds`: the singular values of gradient, memory and step are those of the rule itself; the refusals."""

import json

import numpy as np
import pytest
import traitlets

from fitlib.figures import Rounds, slider
from fitlib.matrices import orthogonal, quintic
from fitlib.symbolic import TraceError


def average(m, g, *, beta):
    return beta * m + (1 - beta) * g


def careful(s):
    return (15 * s - 10 * s**3 + 3 * s**5) / 8


def rounds(shape=(4, 6), steps=5, **changes):
    gradients = np.random.default_rng(0).normal(size=(steps, *shape)) * np.logspace(0, -2, shape[1])
    return Rounds({"Muon's": quintic, "careful": careful}, average, gradients, **changes), gradients


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 5)])
@pytest.mark.parametrize(("count", "beta", "step"), [(0, 0.9, 1), (5, 0.95, 5), (2, 0.0, 3)])
def test_the_values_are_those_of_the_step_that_the_rule_takes(shape, count, beta, step):
    figure, gradients = rounds(shape)
    figure.rounds, figure.beta, figure.step = count, beta, step
    m = np.zeros(shape)
    for g in gradients[:step]:
        m = average(m, g, beta=beta)
    ahead = average(m, g, beta=beta)
    found, whole = figure.values(), np.linalg.svd(ahead)[1]
    np.testing.assert_allclose(found["memory"], whole / np.linalg.norm(whole), atol=1e-5)
    np.testing.assert_allclose(found["gradient"], np.linalg.svd(g)[1] / np.linalg.norm(g), atol=1e-5)
    stepped = np.linalg.svd(orthogonal(ahead, count))[1]
    np.testing.assert_allclose(np.sort(found["step"])[::-1], stepped, atol=1e-4)


def test_the_other_polynomial_ends_at_one():
    figure, _ = rounds(rounds=slider(0, 30, 30, step=1))
    assert np.abs(figure.values()["step"] - 1).max() > 0.05
    figure.polynomial = 1
    np.testing.assert_allclose(figure.values()["step"], 1, atol=1e-9)


def test_traits_are_refused_out_of_their_range_and_the_spec_is_plain():
    figure, _ = rounds()
    assert figure.state() == {"rounds": 5, "beta": 0.95, "step": 5, "polynomial": 0}
    for name, value in {"rounds": -1, "beta": 2.0, "step": 0, "polynomial": 2}.items():
        with pytest.raises(traitlets.TraitError):
            setattr(figure, name, value)
    json.dumps(figure._spec, allow_nan=False)
    assert figure.html() == rounds()[0].html()


def test_what_cannot_be_drawn_is_refused():
    _, given = rounds()
    for wrong in (given[0], np.zeros((2, 3, 4)), np.full((2, 3, 4), np.nan)):
        with pytest.raises(ValueError, match="gradients are finite matrices"):
            Rounds({"Muon's": quintic}, average, wrong)
    with pytest.raises(TraceError, match="makes one number of one number"):
        Rounds({"two": average}, average, given)
    with pytest.raises(TraceError, match=r"memory takes \(m, g, \*, beta\)"):
        Rounds({"Muon's": quintic}, quintic, given)
