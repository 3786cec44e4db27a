"""`Map`: a number over two quantities, with a probe that shows what happens there."""

import base64

import numpy as np

from fitlib.figures.base import Figure, is_number, round_to, slider
from fitlib.figures.controls import Controls, rule_code
from fitlib.fitting import fit
from fitlib.losses import Loss
from fitlib.symbolic import Function, Rule

PARTS = ["#2f6690", "#e0a458", "#7fb58c", "#c98fae", "#b9bec4", "#e3d27a", "#9b92cc", "#c58672"]
SHADES = ["#5f7f9e", "#8aa5be", "#b5c7d6", "#dbe4ea", "#f7f8f6"]  # from low to high
BEYOND = "#ecd8c8"


class Map(Figure):
    """A number as a color over two quantities `over = (name, name)`, given as sliders; they place the probe.

    The number comes from one of three sources:

    - `Map(f, over=("a", "b"), a=slider(...), b=slider(...))`: a plain function of named quantities, traced.
    - `Map(rule, loss, start=(1, 1), steps=100, ...)`: a run for every place, computed in the browser. The
      quantities are hyperparameters, parameters of the loss, or `phi_0` and `phi_1`, the start (then leave
      out `start`). `measure` "last" is the loss after the last step; "rate" is the factor per step on the
      distance to the minimum, the root of a loss whose minimum is 0, from the highest loss of the second
      quarter of the steps to that of the last. A second plot shows the loss at the probe. `loss` may be a
      plain function of phi; for a rule that asks for no gradient (an online problem) it is what is shown.
    - `Map(array, over=..., categories=["a", "b"])`: values `(rows, columns)` at the centers of cells, the
      lowest row first; whole numbers name parts where there are `categories`.

    `title` says what the number is. `range`: the ends of the scale; what is above or not finite is `beyond`.
    `log`: a logarithmic scale. `levels`: values where a line is drawn. `boundaries`: label -> function of
    the first quantity (and of others by name) that gives the second. `marks`: `(label, (x, y))`, or a
    function of parameters in place of `(x, y)`. Other quantities are numbers, sliders or choices.

    Every slider is a trait. `values(x, y)` and `grid(columns, rows)` are the numbers in Python. What cannot
    be drawn is refused with one sentence (`ValueError`, `TraceError`).
    """

    kind = "map"

    def __init__(
        self,
        source,
        loss=None,
        *,
        over,
        start=None,
        steps=None,
        measure="last",
        title="value",
        range=None,
        log=False,
        beyond=None,
        levels=(),
        boundaries=None,
        marks=(),
        categories=None,
        caption="",
        alt=None,
        **quantities,
    ):
        self._over, self._controls, self._traced = tuple(over), Controls(quantities), []
        if len(self._over) != 2 or not all(isinstance(quantities.get(name), slider) for name in self._over):
            raise ValueError(f"over names two quantities that are given as sliders; got {over!r:.60}")
        if range is not None and not (
            np.size(range) == 2 and all(map(is_number, range)) and range[0] < range[1]
        ):
            raise ValueError(f"range is (lo, hi), two numbers with lo below hi; got {range!r:.60}")
        self._source = "run" if loss is not None else "function" if callable(source) else "grid"
        if self._source == "run":
            prepared = self._prepare_run(source, loss, start, steps, measure)
        elif (start, steps, measure) != (None, None, "last"):
            raise ValueError("start, steps and measure belong to a rule and its loss")
        else:
            prepared = self._prepare_function(source) if callable(source) else self._prepare_grid(source)
        if categories is not None:
            prepared["categories"] = self._parts(categories)
        edges = [{"label": label, **self._trace(f, 1, label)} for label, f in (boundaries or {}).items()]
        places = [self._mark(mark) for mark in marks]
        self._controls.refuse_unused("function, rule or loss")
        x, y = (next(s for s in self._controls.specs if s["name"] == name) for name in self._over)
        functions = ", ".join(traced.javascript() for traced in self._traced)
        spec = {
            **{
                "steps": 0,
                "points": 0,
                "parameters": [],
                "categories": None,
                "ways": False,
                "logValue": False,
            },
            **prepared,
            "code": f"{prepared.get('code', '')}\nexport const functions = [{functions}];\n",
            "source": self._source,
            "title": title,
            "range": range and round_to(range),
            "log": log,
            "beyond": ("diverges" if self._source == "run" else "") if beyond is None else beyond,
            "levels": round_to(levels),
            "boundaries": edges,
            "marks": places,
            "x": x,
            "y": y,
            "sliders": self._controls.specs,
        }
        alt = alt or f"{title} as a color over {x['label']} and {y['label']}."
        super().__init__(spec, self._controls.state(), caption=caption, alt=alt)

    # --- from arguments to plain data

    def _prepare_function(self, function):
        traced = self._function = Function(function)
        if traced.shape:
            raise ValueError(
                f"{traced.name} gives {len(traced.exprs)} values; a map has one number at a place"
            )
        arguments = self._controls.references(traced.name, dict.fromkeys(traced.arguments))
        parameters = self._controls.references(traced.name, traced.parameters)
        code = f"export const value = {traced.javascript()};"
        return {"code": code, "arguments": arguments, "parameters": parameters}

    def _prepare_run(self, rule, loss, start, steps, measure):
        given = self._controls.given
        if (start is None) != {"phi_0", "phi_1"}.issubset(given):
            raise ValueError("a run has start=(...), or phi_0= and phi_1= in its place")
        start = ["phi_0", "phi_1"] if start is None else list(start)
        if not all(is_number(v) or v in given for v in start):
            raise ValueError(f"start is a list of finite numbers; got {start!r:.60}")
        if isinstance(steps, bool) or not isinstance(steps, int) or not 4 <= steps <= 5000:
            raise ValueError(f"steps is a whole number from 4 to 5000; got {steps!r}")
        if measure not in ("last", "rate"):
            raise ValueError(f'measure is "last" or "rate"; got {measure!r}')
        loss = loss if isinstance(loss, Loss) else Loss(loss, n=len(start))
        if loss.n != len(start):
            raise ValueError(f"{loss.name} has {loss.n} parameters; start has {len(start)}")
        traced = Rule(rule, n=loss.n)
        start = self._controls.references("start", {f"phi_{i}": v for i, v in enumerate(start)})
        hyper = self._controls.references(traced.name, traced.hyper)
        parameters = self._controls.references(loss.name, loss.parameters)
        self._run = {
            "rule": rule,
            "loss": loss,
            "steps": steps,
            "measure": measure,
            "names": list(traced.hyper),
        }
        descends = traced.evaluations > 0
        gradient = loss.javascript("gradient") if descends else "() => {}"
        code = [
            f"export const loss = {loss.javascript('value')};",
            f"export const gradient = {gradient};",
            f"export const rule = {rule_code(traced)};",
        ]
        return {
            "code": "\n".join(code),
            "hyper": hyper,
            "parameters": parameters,
            "start": start,
            "steps": steps,
            "measure": measure,
            "points": loss.points,
            "columns": [round_to(column) for column in loss.data],
            "ways": self._over == ("phi_0", "phi_1"),
            "logValue": descends,
            "tracked": "loss (log scale)" if descends else "value",
        }

    def _prepare_grid(self, values):
        values = np.asarray(values, float)
        if values.ndim != 2 or min(values.shape) < 2 or not np.isfinite(values).all():
            raise ValueError(
                f"a grid is an array (rows, columns) of finite numbers; got shape {values.shape}"
            )
        low, high = values.min(), values.max()
        whole = high - low <= 255 and (values == np.round(values)).all()
        low, step = round_to([low, 1 if whole else (high - low) / 255])
        packed = np.clip(np.round((values - low) / step), 0, 255).astype(np.uint8)
        self._cells = low + step * packed
        self._controls.known |= set(self._over)
        cells = base64.b64encode(packed.tobytes()).decode()
        return {"cells": cells, "unpack": [low, step], "shape": list(values.shape)}

    def _parts(self, labels):
        numbers = set(np.unique(self._cells)) if self._source == "grid" else {None}
        if not 2 <= len(labels) <= len(PARTS) or not numbers <= set(range(len(labels))):
            most = len(PARTS)
            raise ValueError(
                f"categories names the numbers 0, 1 ... of a grid, two to {most}; got {labels!r:.80}"
            )
        shares = [round_to((self._cells == i).mean(), 3) for i in range(len(labels))]
        return [{"label": label, "share": share} for label, share in zip(labels, shares, strict=True)]

    def _trace(self, function, arguments, label):
        traced = Function(function)
        if len(traced.arguments) != arguments or len(traced.exprs) != 2 - arguments:
            wanted = "one number from the first quantity" if arguments else "x and y from parameters alone"
            raise ValueError(f"the function of {label} gives {wanted}")
        self._traced.append(traced)
        references = self._controls.references(label, traced.parameters)
        return {"call": len(self._traced) - 1, "refs": references}

    def _mark(self, mark):
        label, place = mark
        if callable(place):
            return {"label": label, **self._trace(place, 0, label)}
        if np.size(place) != 2 or not all(map(is_number, np.ravel(place).tolist())):
            raise ValueError(f"the mark {label} is a place (x, y), or a function; got {place!r:.60}")
        return {"label": label, "value": round_to(place)}

    # --- the same in Python

    def _read(self, references, x=None, y=None):
        here = {**self.state(), self._over[0]: x, self._over[1]: y}
        return [here[ref] if isinstance(ref, str) else ref for ref in references]

    def values(self, x, y):
        """The numbers at arrays `x`, `y` of one shape, with the settings of now."""
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        return np.broadcast_to(
            getattr(self, f"_values_of_{self._source}")(x.ravel(), y.ravel()), x.size
        ).reshape(x.shape)

    def _values_of_function(self, x, y):
        parameters = dict(
            zip(self._function.parameters, self._read(self._spec["parameters"], x, y), strict=True)
        )
        return self._function(*self._read(self._spec["arguments"], x, y), **parameters)

    def _values_of_run(self, x, y):
        spec, run = self._spec, self._run
        start = np.stack([np.broadcast_to(v, x.shape) for v in self._read(spec["start"], x, y)])
        loss = run["loss"]
        loss = loss.at(**dict(zip(loss.parameters, self._read(spec["parameters"], x, y), strict=True)))
        hyper = dict(zip(run["names"], self._read(spec["hyper"], x, y), strict=True))
        losses = fit(run["rule"], loss, start, run["steps"], **hyper).losses
        if run["measure"] == "last":
            return losses[-1]
        quarter = run["steps"] // 4
        before, after = losses[-3 * quarter :][:quarter].max(axis=0), losses[-quarter:].max(axis=0)
        return (after / before) ** (1 / (4 * quarter))

    def _values_of_grid(self, x, y):
        rows, columns = (
            np.clip(np.floor(self._share(name, v) * n).astype(int), 0, n - 1)
            for name, v, n in zip(self._over[::-1], (y, x), self._cells.shape, strict=True)
        )
        return self._cells[rows, columns]

    def _share(self, name, v):
        """Where values lie on an axis, from 0 to 1."""
        axis = self._controls.given[name]
        return (
            np.log(v / axis.lo) / np.log(axis.hi / axis.lo)
            if axis.log
            else (v - axis.lo) / (axis.hi - axis.lo)
        )

    def grid(self, columns, rows):
        """`x (columns,)`, `y (rows,)` over both axes, ends included, and the numbers `(rows, columns)`."""
        axes = [self._controls.given[name] for name in self._over]
        x, y = (
            (np.geomspace if axis.log else np.linspace)(axis.lo, axis.hi, n)
            for axis, n in zip(axes, (columns, rows), strict=True)
        )
        return x, y, self.values(*np.meshgrid(x, y))

    def draw(self, figure):
        """The state of now, with Matplotlib."""
        from matplotlib.colors import LinearSegmentedColormap, ListedColormap, LogNorm, Normalize

        spec, ax, (x, y, z) = self._spec, figure.subplots(), self.grid(61, 51)
        if spec["categories"]:
            labels = [part["label"] for part in spec["categories"]]
            colors, norm = ListedColormap(PARTS[: len(labels)]), Normalize(-0.5, len(labels) - 0.5)
        else:
            colors = LinearSegmentedColormap.from_list("map", SHADES).with_extremes(bad=BEYOND)
            if spec["range"]:
                z = np.where(z > spec["range"][1], np.nan, z)
            norm = (LogNorm if spec["log"] else Normalize)(
                *(spec["range"] or np.nanquantile(z[np.isfinite(z)], (0, 0.98)))
            )
        drawn = ax.pcolormesh(
            x, y, np.where(np.isfinite(z), z, np.nan), cmap=colors, norm=norm, shading="nearest"
        )
        bar = figure.colorbar(drawn, ax=ax, label=spec["title"])
        if spec["categories"]:
            bar.set_ticks(range(len(labels)), labels=labels)
        for edge in spec["boundaries"]:
            traced, settings = self._traced[edge["call"]], self._read(edge["refs"], x)
            bound = traced(x, **dict(zip(traced.parameters, settings, strict=True)))
            ax.plot(x, np.broadcast_to(bound, x.shape), "k--", label=edge["label"])
            ax.legend(loc="upper right", fontsize=8)
        for mark in spec["marks"]:
            place = mark.get("value")
            if place is None:
                traced = self._traced[mark["call"]]
                place = traced(**dict(zip(traced.parameters, self._read(mark["refs"]), strict=True)))
            ax.plot(*place, "o", color="black", markerfacecolor="none", markersize=10)
            ax.annotate(mark["label"], place, xytext=(8, -3), textcoords="offset points", fontsize=9)
        probe = [getattr(self, name) for name in self._over]
        ax.plot(*probe, "o", color="#0b61b8", markeredgecolor="white", markersize=9)
        ax.set(xlabel=spec["x"]["label"], ylabel=spec["y"]["label"], xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
        ax.set(**{f"{axis}scale": "log" for axis in "xy" if spec[axis].get("log")})
