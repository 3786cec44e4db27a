"""`best` picks a setting from a sweep, and refuses where the sweep cannot say which is best."""

from dataclasses import dataclass

import numpy as np


class Undecided(ValueError):
    """A sweep whose best setting lies at the edge of its grid, or is no better than no treatment at all."""


@dataclass(frozen=True)
class Best:
    """The best setting of a sweep: its `loss`, its `index` in the table of losses, and `settings`, name -> value.

    `edges` names the axes at whose natural end it lies.
    """

    loss: float
    index: tuple
    settings: dict
    edges: tuple
    sizes: tuple

    def __getitem__(self, name):
        return self.settings[name]

    def __repr__(self):
        places = zip(self.settings.items(), self.index, self.sizes)
        return f"{self.loss:.3g} at " + ", ".join(
            f"{name} = {value:.4g} ({i + 1} of {n})" for (name, value), i, n in places
        )


def best(losses, *, untreated=None, ends=(), **grid):
    """The setting with the smallest loss of a sweep over a grid.

    `losses` has one axis for each keyword of `grid`, in their order (average over seeds before); what is not
    finite counts as infinitely large. An axis named in `ends` ends where its quantity does (β at 0): there the
    edge of the grid may be best, and `Best.edges` says so. `untreated` is the loss without what is tuned.

    Raises `Undecided` where the best value lies at the first or last entry of any other axis, so that a wider grid
    could hold a better one, or where it does not beat `untreated`; `ValueError` where the shapes disagree.
    """
    losses = np.asarray(losses, float)
    grid = {name: np.asarray(values, float) for name, values in grid.items()}
    sizes = tuple(len(values) for values in grid.values())
    if losses.shape != sizes:
        raise ValueError(f"the losses have shape {losses.shape}; the grid {', '.join(grid)} has {sizes}")
    unknown = set(ends) - set(grid)
    if unknown:
        raise ValueError(f"ends names no axis of the grid: {', '.join(sorted(unknown))}")
    losses = np.where(np.isfinite(losses), losses, np.inf)
    index = tuple(int(i) for i in np.unravel_index(losses.argmin(), sizes))
    found = {name: float(values[i]) for (name, values), i in zip(grid.items(), index)}
    at = [name for name, i, n in zip(grid, index, sizes) if i in (0, n - 1)]
    open_edges = [name for name in at if name not in ends]
    if not np.isfinite(losses[index]):
        raise Undecided("no setting of the sweep has a finite loss")
    if open_edges:
        name = open_edges[0]
        text = f"the best {name}, {found[name]:.4g}, lies at the edge of its grid"
        raise Undecided(f"{text} [{grid[name].min():.4g}, {grid[name].max():.4g}]: widen it")
    if untreated is not None and not losses[index] < untreated:
        raise Undecided(f"the best loss, {losses[index]:.4g}, is not below {untreated:.4g}, that without the treatment")
    return Best(float(losses[index]), index, found, tuple(at), sizes)
