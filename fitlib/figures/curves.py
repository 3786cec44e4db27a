"""`Curves`: functions of one variable with sliders, live."""

import itertools
from dataclasses import dataclass, field

import numpy as np

from fitlib import plots
from fitlib.figures.base import Figure, is_number, round_to, slider
from fitlib.figures.controls import Controls, hidden
from fitlib.figures.descent import SPARE
from fitlib.symbolic import Function

KINDS = ("x", "y", "limit", "point")  # of marks


@dataclass(frozen=True)
class panel:
    """One plot of `Curves`: `curves` (label -> function), its axis, and what else it shows."""

    curves: dict
    ylabel: str = ""
    y: tuple | None = None
    log_y: bool = False
    data: dict = field(default_factory=dict)
    lines: dict = field(default_factory=dict)
    marks: tuple = ()


class Curves(Figure):
    """Plain functions `f(x, *, a, b)`, traced and drawn over `x = (lo, hi)`, with sliders for `a` and `b`.

    - `curves`: label -> function of one positional argument; its keyword-only arguments are parameters. A
      schedule is `schedule(cosine)` (`fitlib.symbolic`), or `cosine(0.1, 100)`. A list of `panel(...)` draws
      several plots over one `x`; a label that occurs twice is one entry of the legend.
    - parameters by name, shared by all functions that have them: a number, a `slider` or a `choice`.
    - `data` (points) and `lines` (recorded values): label -> `(xs, ys)`.
    - `marks`: `(label, kind, value)`. Kinds "x" and "y" are lines, "point" is a target at `(x, y)`, "limit"
      is a line `y` whose passing is told in words. The value may be a function of parameters alone.
    - `probe`: an x that the reader moves, where every curve is read (True: the middle; None: no probe).
    - `whole`: x counts whole steps. `log_x`, `log_y`: logarithmic axes. `y`: a fixed range. `colors`:
      label -> color; a rule's own color goes without saying.

    Every slider is a trait of its name; `probe` and `hidden` (labels) are traits too. `values(x)` are the
    curves in Python. What cannot be drawn is refused with one sentence (`ValueError`, `TraceError`).
    """

    kind = "curves"

    def __init__(
        self,
        curves,
        *,
        x,
        xlabel="x",
        ylabel="",
        y=None,
        log_x=False,
        log_y=False,
        whole=False,
        data=None,
        lines=None,
        marks=(),
        probe=True,
        colors=None,
        caption="",
        alt=None,
        **parameters,
    ):
        self._x, self._log_x, self._whole = _range("x", x, log_x), log_x, whole
        if whole and not all(float(end).is_integer() for end in self._x):
            raise ValueError(f"whole steps need whole ends of x; got {x}")
        panels = list(curves) if isinstance(curves, (list, tuple)) else [panel(curves)]
        if isinstance(curves, dict):
            panels = [panel(curves, ylabel, y, log_y, data or {}, lines or {}, marks)]
        elif (ylabel, y, log_y, data, lines, marks) != ("", None, False, None, None, ()):
            raise ValueError("ylabel, y, log_y, data, lines and marks belong to each panel(...) of a list")
        if not panels or not all(isinstance(p, panel) and isinstance(p.curves, dict) for p in panels):
            raise ValueError(
                f"curves is a dict label -> function or a list of panel(...); got {curves!r:.60}"
            )
        parts = [part for p in panels for part in (p.curves, p.lines, p.data)]
        self._labels = list(dict.fromkeys(label for part in parts for label in part))
        if not self._labels:
            raise ValueError("nothing to draw: give at least one curve, line or set of points")
        self._controls, self._traced = Controls(parameters), []
        self._colors = _colors(self._labels, panels, colors or {})
        self._panels = [self._panel(p) for p in panels]
        self._controls.refuse_unused("curve or mark")
        where = self._probe(probe)
        own = {"hidden": hidden(self._labels)} | ({"probe": where.trait()} if where else {})
        spec = {
            "code": f"export const functions = [{', '.join(f.javascript() for f in self._traced)}];\n",
            "x": [float(end) for end in self._x],
            "xlabel": xlabel,
            "logX": log_x,
            "whole": whole,
            "probe": where and where.spec("probe", xlabel),
            "items": [{"label": label, "color": self._colors[label]} for label in self._labels],
            "panels": self._panels,
            "sliders": self._controls.specs,
        }
        self.size = (7.6, 1.2 + 2.3 * len(panels))
        alt = alt or f"{', '.join(self._labels)} against {xlabel}, from {self._x[0]:g} to {self._x[1]:g}."
        super().__init__(spec, self._controls.state(**own), caption=caption, alt=alt)

    # --- from arguments to plain data

    def _trace(self, function, arguments, what):
        """The place of a function in the generated code, and what it takes of the controls."""
        if not callable(function):
            raise ValueError(f"{what} is a function; got {function!r:.60}")
        traced = Function(function)
        if len(traced.arguments) != arguments:
            raise ValueError(
                f"{what} takes {arguments} positional argument{'s' * (arguments != 1)}, its parameters "
                f"stand behind *; it takes {', '.join(traced.arguments) or 'none'}"
            )
        self._traced.append(traced)
        references = self._controls.references(what, traced.parameters)
        return {"call": len(self._traced) - 1, "refs": references}

    def _panel(self, p):
        curves = []
        for label, function in p.curves.items():
            curves.append(
                {"item": self._labels.index(label), **self._trace(function, 1, f"the curve {label}")}
            )
            if self._traced[-1].shape:
                raise ValueError(f"the curve {label} has one value at one x, not several")
        recorded = {
            kind: [{"item": self._labels.index(label), **_columns(label, xy)} for label, xy in part.items()]
            for kind, part in {"data": p.data, "lines": p.lines}.items()
        }
        return {
            "ylabel": p.ylabel,
            "name": p.ylabel or " and ".join([*p.curves, *p.lines, *p.data]),
            "y": p.y and [float(end) for end in _range("y", p.y, p.log_y)],
            "log": p.log_y,
            "curves": curves,
            "marks": [self._mark(mark) for mark in p.marks],
            **recorded,
        }

    def _mark(self, mark):
        if not (isinstance(mark, tuple) and len(mark) == 3 and mark[1] in KINDS):
            known = ", ".join(KINDS)
            raise ValueError(f"a mark is (label, kind, value), the kind one of {known}; got {mark!r:.60}")
        label, kind, value = mark
        wanted = 2 if kind == "point" else 1
        if callable(value):
            traced = self._trace(value, 0, f"the mark {label}")
            got = len(self._traced[-1].exprs)
        else:
            traced, got = None, np.size(value) * all(map(is_number, np.ravel(value).tolist()))
        if got != wanted:
            raise ValueError(
                f"the mark {label} is {wanted} finite number{'s' * (wanted > 1)}; got {value!r:.60}"
            )
        return {"label": label, "kind": kind, **(traced or {"value": round_to(value)})}

    def _probe(self, probe):
        if probe is None or probe is False:
            return None
        lo, hi = self._x
        middle = float(f"{(lo * hi) ** 0.5 if self._log_x else (lo + hi) / 2:.3g}")
        if self._whole:
            return slider(int(lo), int(hi), round(middle) if probe is True else probe, step=1)
        return slider(lo, hi, middle if probe is True else probe, log=self._log_x)

    # --- the same in Python

    def _value(self, traced, *at):
        """A function of the figure with the settings of now."""
        function, state = self._traced[traced["call"]], self.state()
        settings = [state.get(ref, ref) for ref in traced["refs"]]
        return function(*at, **dict(zip(function.parameters, settings, strict=True)))

    def values(self, x):
        """The curves at `x` as they are now: label -> values; a list of these where there are panels."""
        x = np.asarray(x, float)
        found = [
            {self._labels[c["item"]]: np.broadcast_to(self._value(c, x), x.shape) for c in p["curves"]}
            for p in self._panels
        ]
        return found[0] if len(found) == 1 else found

    def draw(self, figure):
        """The state of now, with Matplotlib."""
        lo, hi = self._x
        x = np.geomspace(lo, hi, 401) if self._log_x else np.linspace(lo, hi, 401)
        x = np.arange(lo, hi + 1) if self._whole else x
        axes = figure.subplots(len(self._panels), 1, sharex=True, squeeze=False)[:, 0]
        values = self.values(x) if len(axes) > 1 else [self.values(x)]
        for p, curves, ax in zip(self._panels, values, axes, strict=True):
            self._draw(p, x, curves, ax)
        axes[-1].set(xlabel=self._spec["xlabel"], xscale="log" if self._log_x else "linear")
        if len(self._labels) > 1:
            handles = [ax.get_legend_handles_labels() for ax in axes]
            entries = {label: line for pair in handles for line, label in zip(*pair, strict=True)}
            figure.legend(entries.values(), entries, loc="outside upper left", ncols=4, frameon=False)

    def _draw(self, p, x, curves, ax):
        style = {"marker": ".", "linewidth": 0.8} if self._whole and len(x) <= 100 else {"linewidth": 1.8}
        shown = [(label, x, ys, "-", style) for label, ys in curves.items()]
        for kind, look in {"lines": "--", "data": "."}.items():
            shown += [(self._labels[r["item"]], r["xs"], r["ys"], look, {}) for r in p[kind]]
        for label, xs, ys, look, more in shown:
            if label not in self.hidden:
                ax.plot(xs, ys, look, color=self._colors[label], label=label, **more)
        for mark in p["marks"]:
            _draw_mark(
                mark["label"], mark["kind"], mark["value"] if "value" in mark else self._value(mark), ax
            )
        if self._spec["probe"]:
            ax.axvline(self.probe, color="#76828f", linestyle=":", linewidth=1)
        ax.set(xlim=self._x, ylim=p["y"], yscale="log" if p["log"] else "linear")
        ax.set_title(p["ylabel"], loc="left", fontsize=10)


def _draw_mark(label, kind, value, ax):
    if kind == "point":
        ax.plot(*value, "o", color="black", markerfacecolor="none", markersize=10)
        ax.annotate(label, value, xytext=(8, -3), textcoords="offset points", fontsize=9)
    elif kind == "x":
        ax.axvline(value, color="black", linestyle="--", linewidth=1)
        ax.text(value, 0.98, f" {label}", transform=ax.get_xaxis_transform(), va="top", fontsize=9)
    else:
        ax.axhline(value, color="black", linestyle="--", linewidth=1)
        ax.text(0.99, value, label, transform=ax.get_yaxis_transform(), ha="right", va="bottom", fontsize=9)


def _range(name, ends, log):
    ends = tuple(ends) if np.ndim(ends) == 1 else (ends,)
    if len(ends) != 2 or not all(map(is_number, ends)) or not ends[0] < ends[1]:
        raise ValueError(f"{name} is (lo, hi), two numbers with lo below hi; got {ends!r:.60}")
    if log and ends[0] <= 0:
        raise ValueError(f"a logarithmic {name} begins above 0; got {ends[0]}")
    return ends


def _columns(label, columns):
    columns = [np.asarray(column, float) for column in columns]
    shapes = {column.shape for column in columns}
    if len(columns) != 2 or len(shapes) != 1 or columns[0].ndim != 1 or not columns[0].size:
        raise ValueError(f"{label} is (xs, ys), two lists of one length; got shapes {sorted(shapes)}")
    if not np.isfinite(columns).all():
        raise ValueError(f"{label} holds values that are not finite; leave those points out")
    return dict(zip(("xs", "ys"), round_to(columns), strict=True))


def _colors(labels, panels, given):
    unknown = [label for label in given if label not in labels]
    if unknown:
        raise ValueError(f"colors names {', '.join(unknown)}; drawn are: {', '.join(labels)}")
    names = {label: getattr(f, "__name__", "") for p in panels for label, f in p.curves.items()}
    rules = {text: plots.COLORS[name] for name, text in plots.LABELS.items()}
    known = {
        label: given.get(label) or rules.get(label) or plots.COLORS.get(names.get(label)) for label in labels
    }
    spare = itertools.cycle(SPARE)
    return {label: color or next(spare) for label, color in known.items()}
