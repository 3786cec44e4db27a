"""A sweep decides only where its optimum lies inside the grid and beats no treatment."""

import numpy as np
import pytest

from fitlib.sweeps import Undecided, best

ALPHA, BETA = [0.1, 0.2, 0.4, 0.8], [0.0, 0.5, 0.9]


def bowl(alpha, beta):
    """Losses over the grid with their minimum at these two settings."""
    return (np.log2(ALPHA)[:, None] - np.log2(alpha)) ** 2 + (np.array(BETA) - beta) ** 2 + 1


def test_an_optimum_inside_is_returned_with_its_place():
    found = best(bowl(0.2, 0.5), alpha=ALPHA, beta=BETA)
    assert (found.loss, found.index, found["alpha"], found["beta"], found.edges) == (1, (1, 1), 0.2, 0.5, ())
    assert repr(found) == "1 at alpha = 0.2 (2 of 4), beta = 0.5 (2 of 3)"


EDGES = [(0.1, 0.5, "alpha"), (0.8, 0.5, "alpha"), (0.2, 0.0, "beta"), (0.2, 0.9, "beta")]


@pytest.mark.parametrize("alpha, beta, name", EDGES)
def test_an_optimum_at_an_edge_is_refused(alpha, beta, name):
    with pytest.raises(Undecided, match=f"the best {name}, .* lies at the edge of its grid"):
        best(bowl(alpha, beta), alpha=ALPHA, beta=BETA)


def test_an_axis_that_was_not_swept_is_an_edge():
    with pytest.raises(Undecided, match="the best alpha"):
        best([1.0], alpha=[0.1])


def test_a_natural_end_is_told():
    assert best(bowl(0.2, 0.0), alpha=ALPHA, beta=BETA, ends=["beta"]).edges == ("beta",)


def test_a_treatment_must_beat_none():
    losses = bowl(0.2, 0.5)
    assert best(losses, alpha=ALPHA, beta=BETA, untreated=1.1).loss == 1
    with pytest.raises(Undecided, match="not below 1, that without the treatment"):
        best(losses, alpha=ALPHA, beta=BETA, untreated=1.0)


def test_what_is_not_finite_never_wins():
    losses = bowl(0.2, 0.5)
    losses[0, 0], losses[3, 2] = -np.inf, np.nan
    assert best(losses, alpha=ALPHA, beta=BETA)["alpha"] == 0.2
    with pytest.raises(Undecided, match="no setting"):
        best(np.full((4, 3), np.nan), alpha=ALPHA, beta=BETA)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"shape \(3,\); the grid alpha has \(4,\)"):
        best([1, 2, 3], alpha=ALPHA)
    with pytest.raises(ValueError, match="no axis of the grid: gamma"):
        best([3, 1, 2, 4], alpha=ALPHA, ends=["gamma"])
