"""`Curves`: functions of one variable with sliders, live."""

import itertools
from dataclasses import dataclass, field

import numpy as np

from fitlib import plots
from fitlib.figures.base import Checked, Figure, is_number, round_to, slider
from fitlib.figures.controls import Controls
from fitlib.figures.descent import SPARE
from fitlib.symbolic import Function

KINDS = ("x", "y", "limit", "point")  # of marks


@dataclass(frozen=True)
class panel:
    """One plot of `Curves`: `curves` (label -> function), the name of its axis, its range `y`, and what else it shows."""

    curves: dict
    ylabel: str = ""
    y: tuple | None = None
    log_y: bool = False
    data: dict = field(default_factory=dict)
    lines: dict = field(default_factory=dict)
    marks: tuple = ()


class Curves(Figure):
    """Plain functions `f(x, *, a, b)`, traced and drawn over `x = (lo, hi)`, with a slider for every parameter wanted.

    - `curves`: label -> function of one positional argument; its keyword-only arguments are parameters. A schedule is
      `schedule(cosine)` (`fitlib.symbolic`), or `cosine(0.1, 100)`. A list of `panel(...)` draws several plots over
      one `x`; a label that occurs twice is one entry of the legend.
    - parameters by name: a number, a `slider` or a `choice`, shared by all functions that have them.
    - `data` (points) and `lines` (recorded values): label -> `(xs, ys)`.
    - `marks`: `(label, kind, value)`. Kind "x" and "y" are lines, "point" a target at `(x, y)`, "limit" a line `y`
      whose passing is told in words; the value may be a function of parameters alone.
    - `probe`: an x that the reader moves and that every curve is read at (True: in the middle; None: no probe).
    - `whole`: x counts whole steps. `log_x`, `log_y`: logarithmic axes. `y`: a fixed range. `colors`: label -> color.

    Every slider is a trait of its name; `probe` and `hidden` (labels) are traits too. `values(x)` are the curves in
    Python. What cannot be drawn is refused with one sentence (`ValueError`, `TraceError`).
    """

    kind = "curves"

    def __init__(
        self, curves, *, x, xlabel="x", ylabel="", y=None, log_x=False, log_y=False, whole=False, data=None, lines=None,
        marks=(), probe=True, colors=None, caption="", alt=None, **parameters,
    ):  # fmt: skip
        lo, hi = _range("x", x, log_x)
        if whole and not (float(lo).is_integer() and float(hi).is_integer()):
            raise ValueError(f"whole steps need whole ends of x; got {x}")
        single = panel(curves, ylabel, y, log_y, data or {}, lines or {}, marks) if isinstance(curves, dict) else None
        panels = [single] if single else list(curves)
        if not panels or not all(isinstance(p, panel) for p in panels):
            raise ValueError(f"curves is a dict label -> function, or a list of panel(...); got {curves!r:.60}")
        if not single and (ylabel, y, log_y, data, lines, marks) != ("", None, False, None, None, ()):
            raise ValueError("with a list of panels, ylabel, y, log_y, data, lines and marks belong to each panel(...)")
        self._controls = Controls(parameters)
        self._functions, self._references, self._code = [], [], []
        self._x, self._log_x, self._whole = (lo, hi), log_x, whole
        labels = list(dict.fromkeys(label for p in panels for part in (p.curves, p.lines, p.data) for label in part))
        if not labels:
            raise ValueError("nothing to draw: give at least one curve, line or set of points")
        self._colors = _colors(labels, panels, colors or {})
        self._panels = [self._panel(p, labels) for p in panels]
        self._controls.refuse_unused("curve or mark")
        moving = {"hidden": Checked(lambda hidden: _known(hidden, labels), [])}
        where = self._probe(probe)
        if where:
            moving["probe"] = where.trait()
        spec = {
            "code": f"export const functions = [{', '.join(self._code)}];\n",
            "x": [float(lo), float(hi)],
            "xlabel": xlabel,
            "logX": log_x,
            "whole": whole,
            "probe": where and where.spec("probe", xlabel),
            "items": [{"label": label, "color": self._colors[label]} for label in labels],
            "panels": self._panels,
            "sliders": self._controls.specs,
        }
        self.size = (7.6, 1.2 + 2.3 * len(panels))
        alt = alt or f"{', '.join(labels)} against {xlabel}, from {lo:g} to {hi:g}."
        super().__init__(spec, {**moving, **self._controls.traits}, caption=caption, alt=alt)

    def _trace(self, function, arguments, what):
        """The place of a function in the generated code, and what it takes of the controls."""
        if not callable(function):
            raise ValueError(f"{what} is a function; got {function!r:.60}")
        traced = Function(function)
        if len(traced.arguments) != arguments:
            names = ", ".join(traced.arguments) or "none"
            raise ValueError(f"{what} takes {arguments} positional arguments, parameters behind *; it takes {names}")
        self._functions.append(traced)
        self._references.append(self._controls.references(what, traced.parameters))
        self._code.append(traced.javascript())
        return {"call": len(self._functions) - 1, "refs": self._references[-1]}

    def _panel(self, p, labels):
        curves = []
        for label, function in p.curves.items():
            traced = self._trace(function, 1, f"the curve {label}")
            if self._functions[-1].shape:
                raise ValueError(f"the curve {label} has {len(self._functions[-1].exprs)} values at one x; a curve has one")
            curves.append({"item": labels.index(label), **traced})
        names = " and ".join(p.curves) if len(p.curves) < 3 else f"{len(p.curves)} curves"
        return {
            "ylabel": p.ylabel,
            "name": p.ylabel or names or "data",
            "y": p.y and list(map(float, _range("y", p.y, p.log_y))),
            "log": p.log_y,
            "curves": curves,
            "marks": [self._mark(mark) for mark in p.marks],
            "data": [{"item": labels.index(label), **_columns(label, columns)} for label, columns in p.data.items()],
            "lines": [{"item": labels.index(label), **_columns(label, columns)} for label, columns in p.lines.items()],
        }

    def _mark(self, mark):
        if not (isinstance(mark, tuple) and len(mark) == 3 and mark[1] in KINDS):
            raise ValueError(f"a mark is (label, kind, value), its kind one of {', '.join(KINDS)}; got {mark!r:.60}")
        label, kind, value = mark
        numbers = 2 if kind == "point" else 1
        if callable(value):
            traced = self._trace(value, 0, f"the mark {label}")
            if len(self._functions[-1].exprs) != numbers:
                raise ValueError(f"the mark {label} needs {numbers} numbers; its function gives {len(self._functions[-1].exprs)}")
            return {"label": label, "kind": kind, **traced}
        if np.size(value) != numbers or not all(map(is_number, np.ravel(value).tolist())):
            raise ValueError(f"the mark {label} needs {numbers} finite numbers, or a function; got {value!r:.60}")
        return {"label": label, "kind": kind, "value": round_to(value)}

    def _probe(self, probe):
        if probe is None or probe is False:
            return None
        lo, hi = self._x
        middle = (lo * hi) ** 0.5 if self._log_x else (lo + hi) / 2
        if self._whole:
            return slider(int(lo), int(hi), round(middle) if probe is True else probe, step=1)
        return slider(lo, hi, float(f"{middle:.3g}") if probe is True else probe, log=self._log_x)

    # --- the same in Python

    def _value(self, call, *at):
        """A function of the figure at the present state."""
        settings = [getattr(self, ref) if isinstance(ref, str) else ref for ref in self._references[call]]
        traced = self._functions[call]
        return traced(*at, **dict(zip(traced.parameters, settings, strict=True)))

    def values(self, x):
        """The curves at `x` with the present settings: label -> values; a list of these where there are panels."""
        items = self._spec["items"]
        x = np.asarray(x, float)
        all_values = [
            {items[c["item"]]["label"]: np.broadcast_to(self._value(c["call"], x), x.shape) for c in p["curves"]}
            for p in self._panels
        ]
        return all_values[0] if len(all_values) == 1 else all_values

    def draw(self, figure):
        lo, hi = self._x
        x = np.geomspace(lo, hi, 401) if self._log_x else np.linspace(lo, hi, 401)
        x = np.arange(lo, hi + 1) if self._whole else x
        values = self.values(x)
        axes = figure.subplots(len(self._panels), 1, sharex=True, squeeze=False)[:, 0]
        for p, curves, ax in zip(self._panels, values if len(axes) > 1 else [values], axes, strict=True):
            self._draw(p, x, curves, ax)
        axes[-1].set(xlabel=self._spec["xlabel"], xscale="log" if self._log_x else "linear")
        if len(self._colors) > 1:
            entries = {label: line for ax in axes for line, label in zip(*ax.get_legend_handles_labels(), strict=True)}
            figure.legend(entries.values(), entries, loc="outside upper left", ncols=4, frameon=False)

    def _draw(self, p, x, curves, ax):
        named = [item["label"] for item in self._spec["items"]]
        style = {"marker": ".", "linewidth": 0.8} if self._whole and len(x) <= 100 else {"linewidth": 1.8}
        for label, ys in curves.items():
            if label not in self.hidden:
                ax.plot(x, ys, color=self._colors[label], label=label, **style)
        for kind, look in {"lines": "--", "data": "."}.items():
            for item in p[kind]:
                label = named[item["item"]]
                ax.plot(item["xs"], item["ys"], look, color=self._colors[label], label=label)
        for mark in p["marks"]:
            value = mark["value"] if "value" in mark else self._value(mark["call"])
            if mark["kind"] == "point":
                ax.plot(*value, "o", color="black", markerfacecolor="none", markersize=10)
            else:
                (ax.axvline if mark["kind"] == "x" else ax.axhline)(value, color="black", linestyle="--", linewidth=1)
            place = {"x": (value, 1), "point": value}.get(mark["kind"], (1, value))
            coordinates = {"x": ("data", "axes fraction"), "point": "data"}.get(mark["kind"], ("axes fraction", "data"))
            side = {"xytext": (5, -11), "ha": "left"} if mark["kind"] in ("x", "point") else {"xytext": (-4, 4), "ha": "right"}
            ax.annotate(mark["label"], place, xycoords=coordinates, textcoords="offset points", fontsize=9, **side)
        if self._spec["probe"]:
            ax.axvline(self.probe, color="#76828f", linestyle=":", linewidth=1)
        ax.set(xlim=self._x, ylim=p["y"], yscale="log" if p["log"] else "linear")
        ax.set_title(p["ylabel"], loc="left", fontsize=10)


def _range(name, ends, log):
    ends = tuple(ends) if np.ndim(ends) == 1 else (ends,)
    if len(ends) != 2 or not all(map(is_number, ends)) or not ends[0] < ends[1]:
        raise ValueError(f"{name} is (lo, hi), two numbers with lo below hi; got {ends!r:.60}")
    if log and ends[0] <= 0:
        raise ValueError(f"a logarithmic {name} begins above 0; got {ends[0]}")
    return ends


def _columns(label, columns):
    columns = np.asarray(columns, float)
    if columns.ndim != 2 or len(columns) != 2 or not columns.size or not np.isfinite(columns).all():
        raise ValueError(f"{label} is (xs, ys), two lists of finite numbers of one length; got shape {columns.shape}")
    return dict(zip(("xs", "ys"), round_to(columns), strict=True))


def _colors(labels, panels, given):
    unknown = [label for label in given if label not in labels]
    if unknown:
        raise ValueError(f"colors names {', '.join(unknown)}, which is not drawn; drawn are: {', '.join(labels)}")
    functions = {label: getattr(f, "__name__", "") for p in panels for label, f in p.curves.items()}
    rules = {text: plots.COLORS[name] for name, text in plots.LABELS.items()}
    known = {label: given.get(label) or rules.get(label) or plots.COLORS.get(functions.get(label)) for label in labels}
    spare = itertools.cycle(SPARE)
    return {label: color or next(spare) for label, color in known.items()}


def _known(hidden, labels):
    unknown = [label for label in hidden if label not in labels]
    if unknown:
        raise ValueError(f"hidden holds labels of curves ({', '.join(labels)}); got {', '.join(map(str, unknown))}")
    return list(hidden)
