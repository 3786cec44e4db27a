"""Pictures: `(arrays, ax) -> ax`. Nothing here runs a fit, and what takes the colors alone loads no Matplotlib."""

import numpy as np

LABELS = {
    "gradient_descent": "gradient descent",
    "momentum": "momentum",
    "nesterov": "Nesterov",
    "adagrad": "AdaGrad",
    "rmsprop": "RMSProp",
    "adadelta": "AdaDelta",
    "adam": "Adam",
    "adamw": "AdamW",
    "amsgrad": "AMSGrad",
    "sign_descent": "sign descent",
    "lion": "Lion",
    "full_adagrad": "full AdaGrad",
    "shampoo": "Shampoo",
    "soap": "SOAP",
    "muon": "Muon",
}

COLORS = {
    "gradient_descent": "#0072b2",
    "momentum": "#d55e00",
    "nesterov": "#b5478c",
    "adagrad": "#a6761d",
    "rmsprop": "#7f5fc4",
    "adadelta": "#5a7d2a",
    "adam": "#009e73",
    "adamw": "#c0392b",
    "amsgrad": "#4d6680",
    "sign_descent": "#8b1a5c",
    "lion": "#6b4423",
    "full_adagrad": "#c2487a",
    "shampoo": "#0a8aa8",
    "soap": "#8a7a00",
    "muon": "#1f3a93",
}


SHARES = [0, 0.02, 0.08, 0.17, 0.27, 0.37, 0.48, 0.59, 0.7, 0.8, 0.9, 1]  # of the map, below each line of it


def landscape(loss, box, ax, marks=(), points=121):
    """The loss over two parameters as a map, colored by rank, with `marks` `(label or None, point)`."""
    from matplotlib.colors import BoundaryNorm, ListedColormap

    x, y = (np.linspace(lo, hi, points) for lo, hi in box)
    z = loss(np.stack(np.meshgrid(x, y)))
    levels = np.unique(np.quantile(z[np.isfinite(z)], SHARES))
    shades = np.linspace((0.37, 0.5, 0.62), (0.97, 0.97, 0.96), len(levels) - 1)
    norm = BoundaryNorm(levels, len(shades))
    ax.contourf(x, y, z, levels=levels, cmap=ListedColormap(shades), norm=norm, antialiased=False)
    for label, point in marks:
        ax.plot(*point, "v", color="black", markersize=5)
        if label:
            ax.annotate(label, point, xytext=(6, -3), textcoords="offset points", fontsize=8)
    ax.set(xlim=box[0], ylim=box[1])
    return ax


def path(points, ax, color, label=None):
    """A path `(steps, 2)` over a map, with a halo and a dot at its end."""
    from matplotlib.patheffects import Normal, Stroke

    halo = [Stroke(linewidth=4, foreground="white"), Normal()]
    ax.plot(*points.T, color=color, linewidth=1.8, label=label, path_effects=halo)
    ax.plot(*points[-1], "o", color=color, markeredgecolor="white", markersize=7)
    return ax


def loss_curve(losses, ax, color, label=None, log=False):
    """Values `(steps + 1,)` against the step, from 0; on a logarithmic axis if `log` and any is above 0."""
    ax.plot(losses, color=color, label=label, linewidth=1.6)
    ax.set_xlabel("step")
    if log and np.greater(losses, 0).any():
        ax.set_yscale("log")
    return ax


def data_points(x, y, ax):
    """Data points `x`, `y`."""
    ax.plot(x, y, "o", color="#76828f", markersize=3)
    return ax


def model_curve(model, x, phi, ax, color, label=None):
    """`model(x, phi)` over the range of `x`."""
    across = np.linspace(min(x), max(x), 200)
    ax.plot(across, model(across, phi), color=color, label=label, linewidth=1.6)
    return ax
