"""`Map`: a number over two quantities, with a probe that shows what happens there."""

import base64

import numpy as np

from fitlib.figures.base import Figure, is_number, round_to, slider
from fitlib.figures.controls import Controls
from fitlib.fitting import fit
from fitlib.losses import Loss
from fitlib.symbolic import Function, Rule

PARTS = 8  # colors of named parts in the stylesheet
COLORS = ["#4a6b8a", "#8aa5be", "#c9d8e4", "#f2f4f3"]  # from low to high, for the picture
PART_COLORS = ["#2f6690", "#d98b3a", "#5f9e6e", "#b86a92", "#8d8d8d", "#c9b458", "#6f63a8", "#a5573f"]
BEYOND = "#e3cdbb"


class Map(Figure):
    """A number as a color over two quantities `over = (name, name)`, both given as sliders; the probe is their value.

    The number comes from one of three sources:
    - `Map(f, over=("a", "b"), a=slider(...), b=slider(...), ...)`: a plain function of named quantities, traced;
    - `Map(rule, loss, start=(1, 1), steps=100, ...)`: a run of the rule for every point, computed in the browser. The
      quantities are hyperparameters of the rule, parameters of the loss, or `phi_0`, `phi_1`, the start (then `start`
      is left out). `measure`: "last", the loss after the last step, or "rate", the factor per step by which the
      distance to the minimum (the root of the loss, whose minimum is 0) shrinks, measured between the highest losses of
      the second quarter and of the last. A second panel shows the loss at the probe. `loss` may be a plain function of phi; a rule that never asks for the gradient
      (an online problem) shows that function's value;
    - `Map(array, over=..., categories=["a", "b"])`: values `(rows, columns)` at the centers of cells, the first row at
      the low end; whole numbers name parts where `categories` are given.

    `title` says what the number is. `range`: the ends of the color scale; what is above, or not finite, is `beyond`.
    `log`: a logarithmic scale. `levels`: values where a line is drawn. `boundaries`: label -> function of the first
    quantity (and parameters) that gives the second. `marks`: `(label, (x, y))` or a function of parameters.
    Other quantities are numbers, sliders or choices. Every slider is a trait. `grid(columns, rows)` are the values in
    Python. What cannot be drawn is refused with one sentence (`ValueError`, `TraceError`).
    """

    kind = "map"

    def __init__(
        self, source, loss=None, *, over, start=None, steps=None, measure="last", title="value", range=None, log=False,
        beyond=None, levels=(), boundaries=None, marks=(), categories=None, caption="", alt=None, **quantities,
    ):  # fmt: skip
        over = tuple(over)
        if len(over) != 2 or not all(isinstance(quantities.get(name), slider) for name in over):
            raise ValueError(f"over names two quantities that are given as sliders; got {over!r:.60}")
        if range is not None and not (np.size(range) == 2 and all(map(is_number, range)) and range[0] < range[1]):
            raise ValueError(f"range is (lo, hi), two numbers with lo below hi; got {range!r:.60}")
        self._controls, self._over, self._functions = Controls(quantities), over, []
        self._source = "run" if loss is not None else "function" if callable(source) else "grid"
        if self._source != "run" and (start, steps, measure) != (None, None, "last"):
            raise ValueError("start, steps and measure belong to a rule and its loss")
        prepare = {"run": self._run, "function": self._function, "grid": self._grid}[self._source]
        given = (source, loss, start, steps, measure) if loss is not None else (source,)
        spec = {"steps": 0, "points": 0, "ways": False, "logValue": False, "tracked": "", **prepare(*given)}
        spec["categories"] = _categories(categories, spec.get("values"))
        code = spec.pop("code", "")
        spec.pop("values", None)
        drawn = [{"label": label, **self._trace(f, 1, label)} for label, f in (boundaries or {}).items()]
        placed = [self._mark(mark) for mark in marks]
        self._controls.known |= set(over) if self._source == "grid" else set()
        self._controls.refuse_unused("function, rule or loss")
        axes = [next(s for s in self._controls.specs if s["name"] == name) for name in over]
        functions = ", ".join(traced.javascript() for traced in self._functions)
        self._range, self._log, self._title, self._levels = range, log, title, list(levels)
        super().__init__(
            {
                **spec,
                "code": f"{code}\nexport const functions = [{functions}];\n",
                "source": self._source,
                "title": title,
                "range": range and round_to(range),
                "log": log,
                "beyond": beyond if beyond is not None else "diverges" if self._source == "run" else "",
                "levels": round_to(levels),
                "boundaries": drawn,
                "marks": placed,
                "x": axes[0],
                "y": axes[1],
                "sliders": self._controls.specs,
            },
            self._controls.traits,
            caption=caption,
            alt=alt or f"{title} as a color over {axes[0]['label']} and {axes[1]['label']}.",
        )

    # --- the three sources

    def _function(self, function):
        traced = self._traced = Function(function)
        if traced.shape:
            raise ValueError(f"{traced.name} gives {len(traced.exprs)} values; a map has one number at a place")
        arguments = self._controls.references(traced.name, dict.fromkeys(traced.arguments))
        parameters = self._controls.references(traced.name, traced.parameters)
        return {"code": f"export const value = {traced.javascript()};", "arguments": arguments, "parameters": parameters}

    def _run(self, rule, loss, start, steps, measure):
        moved = [name for name in self._over if name.startswith("phi_")]
        if (start is None) == (not moved):
            raise ValueError("a run needs start=(...), or over=('phi_0', 'phi_1') with sliders for both")
        self._start = list(start) if start is not None else ["phi_0", "phi_1"]
        if not all(is_number(v) or v in self._over for v in self._start):
            raise ValueError(f"start is a list of finite numbers; got {start!r:.60}")
        self._controls.known |= set(moved)
        self._loss = loss if isinstance(loss, Loss) else Loss(loss, n=len(self._start))
        if self._loss.n != len(self._start):
            raise ValueError(f"{self._loss.name} has {self._loss.n} parameters; start has {len(self._start)}")
        if isinstance(steps, bool) or not isinstance(steps, int) or not 4 <= steps <= 5000:
            raise ValueError(f"steps is a whole number from 4 to 5000; got {steps!r}")
        if measure not in ("last", "rate"):
            raise ValueError(f'measure is "last" or "rate"; got {measure!r}')
        self._rule, self._steps, self._measure = rule, steps, measure
        traced = Rule(rule, n=self._loss.n)
        self._hyper = dict(zip(traced.hyper, self._controls.references(traced.name, traced.hyper), strict=True))
        parameters = self._controls.references(self._loss.name, self._loss.parameters)
        self._parameters = dict(zip(self._loss.parameters, parameters, strict=True))
        initial = ", ".join(f'"{v}"' if isinstance(v, str) else repr(v) for v in traced.initial)
        never = "(g) => { g.fill(NaN); }"
        gradient = self._loss.javascript("gradient") if traced.evaluations else never
        return {
            "code": f"export const loss = {self._loss.javascript('value')};\nexport const gradient = {gradient};\n"
            f"export const rule = {{ initial: [{initial}], step: {traced.javascript()} }};",
            "hyper": list(self._hyper.values()), "parameters": parameters, "start": self._start, "steps": steps,
            "measure": measure, "points": self._loss.points, "columns": [round_to(c) for c in self._loss.data],
            "ways": self._over == ("phi_0", "phi_1"), "logValue": bool(traced.evaluations),
            "tracked": "loss (log scale)" if traced.evaluations else "value",
        }  # fmt: skip

    def _grid(self, values):
        values = np.asarray(values, float)
        if values.ndim != 2 or min(values.shape) < 2 or not np.isfinite(values).all():
            raise ValueError(f"a grid is an array (rows, columns) of finite numbers; got shape {values.shape}")
        low, step = float(values.min()), (float(np.ptp(values)) or 1.0) / 255
        if values.max() - low <= 255 and (values == np.round(values)).all():
            step = 1.0
        low, step = round_to(low), round_to(step)
        packed = np.clip(np.round((values - low) / step), 0, 255).astype(np.uint8)
        self._cells = low + step * packed
        return {"cells": base64.b64encode(packed.tobytes()).decode(), "unpack": [low, step], "shape": list(values.shape), "values": values}

    def _trace(self, function, arguments, label):
        traced = Function(function)
        if len(traced.arguments) != arguments or len(traced.exprs) != 2 - arguments:
            what = "one number from the first quantity" if arguments else "two numbers, x and y, from parameters alone"
            raise ValueError(f"{label} needs a function that gives {what}")
        self._functions.append(traced)
        return {"call": len(self._functions) - 1, "refs": self._controls.references(label, traced.parameters)}

    def _mark(self, mark):
        label, place = mark
        if callable(place):
            return {"label": label, **self._trace(place, 0, label)}
        if np.size(place) != 2 or not all(map(is_number, np.ravel(place).tolist())):
            raise ValueError(f"the mark {label} needs a place (x, y), or a function; got {place!r:.60}")
        return {"label": label, "value": round_to(place)}

    # --- the same in Python

    def _read(self, references, x, y):
        here = {self._over[0]: x, self._over[1]: y}
        return [here[r] if r in here else getattr(self, r) if isinstance(r, str) else r for r in references]

    def values(self, x, y):
        """The numbers at arrays `x`, `y` of one shape, with the present settings."""
        if self._source == "function":
            spec, traced = self._spec, self._traced
            parameters = dict(zip(traced.parameters, self._read(spec["parameters"], x, y), strict=True))
            return np.broadcast_to(traced(*self._read(spec["arguments"], x, y), **parameters), np.shape(x))
        if self._source == "grid":
            rows, columns = (self._cell(v, name, n) for v, name, n in zip((y, x), self._over[::-1], self._cells.shape, strict=True))
            return self._cells[rows, columns]
        shape, (x, y) = np.shape(x), (np.ravel(x), np.ravel(y))
        start = np.stack([np.broadcast_to(v, x.shape) for v in self._read(self._start, x, y)])
        parameters = dict(zip(self._parameters, self._read(self._parameters.values(), x, y), strict=True))
        hyper = dict(zip(self._hyper, self._read(self._hyper.values(), x, y), strict=True))
        run = fit(self._rule, self._loss.at(**parameters), start, self._steps, keep=1, **hyper)
        if self._measure == "last":
            return run.losses[-1].reshape(shape)
        quarter, end = self._steps // 4, self._steps + 1
        before, after = (run.losses[i : i + quarter].max(axis=0) for i in (end - 3 * quarter, end - quarter))
        return ((after / before) ** (1 / (4 * quarter))).reshape(shape)

    def _cell(self, v, name, n):
        given = self._controls.given[name]
        share = np.log(v / given.lo) / np.log(given.hi / given.lo) if given.log else (v - given.lo) / (given.hi - given.lo)
        return np.clip(np.floor(np.asarray(share) * n).astype(int), 0, n - 1)

    def grid(self, columns, rows):
        """The numbers on a grid over both axes, ends included: `x (columns,)`, `y (rows,)`, values `(rows, columns)`."""
        x, y = (self._axis(name, n) for name, n in zip(self._over, (columns, rows), strict=True))
        return x, y, self.values(*np.meshgrid(x, y))

    def _axis(self, name, n):
        given = self._controls.given[name]
        return (np.geomspace if given.log else np.linspace)(given.lo, given.hi, n)

    def draw(self, figure):
        from matplotlib.colors import LinearSegmentedColormap, ListedColormap, LogNorm, Normalize

        spec, ax = self._spec, figure.subplots()
        parts, (lo, hi) = spec["categories"], self._range or (None, None)
        x, y, z = self.grid(61, 51)
        if parts:
            colors, norm = ListedColormap(PART_COLORS[: len(parts)]), Normalize(-0.5, len(parts) - 0.5)
        else:
            colors, norm = LinearSegmentedColormap.from_list("map", COLORS), (LogNorm if self._log else Normalize)(lo, hi)
            colors.set_over(BEYOND if hi is not None else COLORS[-1])
            colors.set_bad(BEYOND)
        drawn = ax.pcolormesh(x, y, np.where(np.isfinite(z), z, np.nan), cmap=colors, norm=norm, shading="nearest")
        bar = figure.colorbar(drawn, ax=ax, label=self._title)
        if parts:
            bar.set_ticks(np.arange(len(parts)), labels=[part["label"] for part in parts])
        if self._levels:
            ax.contour(x, y, z, levels=self._levels, colors="black", linewidths=1)
        for boundary in spec["boundaries"]:
            traced = self._functions[boundary["call"]]
            values = self._read(boundary["refs"], x, None)
            ax.plot(x, np.broadcast_to(traced(x, **dict(zip(traced.parameters, values, strict=True))), x.shape), "k--",
                    label=boundary["label"])  # fmt: skip
        for mark in spec["marks"]:
            place = mark.get("value")
            if place is None:
                traced = self._functions[mark["call"]]
                place = traced(**dict(zip(traced.parameters, self._read(mark["refs"], None, None), strict=True)))
            ax.plot(*place, "o", color="black", markerfacecolor="none", markersize=10)
            ax.annotate(mark["label"], place, xytext=(8, -3), textcoords="offset points", fontsize=9)
        ax.plot(*(getattr(self, name) for name in self._over), "P", color="black", markeredgecolor="white", markersize=9)
        ax.set(xlabel=spec["x"]["label"], ylabel=spec["y"]["label"], xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
        ax.set(xscale="log" if spec["x"].get("log") else "linear", yscale="log" if spec["y"].get("log") else "linear")
        if spec["boundaries"]:
            ax.legend(loc="upper right", fontsize=8)


def _categories(categories, values):
    if categories is None:
        return None
    whole = values is not None and (values == np.round(values)).all() and values.min() >= 0
    if not whole or values.max() >= len(categories) or not 2 <= len(categories) <= PARTS:
        raise ValueError(f"categories names the numbers 0, 1 ... of a grid, two to {PARTS} of them; got {categories!r:.80}")
    shares = [round_to((values == i).mean(), 3) for i in range(len(categories))]
    return [{"label": label, "share": share} for label, share in zip(categories, shares, strict=True)]
