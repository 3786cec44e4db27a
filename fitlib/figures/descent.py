"""`Descent`: rules on a loss over two parameters, live."""

import re
from dataclasses import dataclass

import numpy as np

from fitlib import plots
from fitlib.figures.base import NAMES, SYMBOLS, Checked, Figure, is_number, round_to, slider
from fitlib.fitting import fit
from fitlib.losses import Loss
from fitlib.symbolic import Function, Rule, schedule, signature

SPARE = ["#3b4cc0", "#b2560d", "#00827f", "#9c2f74", "#5b6b1f", "#6d4fa0"]  # colors of rules that are not the book's
OWN = ("start", "step", "data", "hidden", "batch", "seed")  # traits that are not hyperparameters


@dataclass(frozen=True)
class scheduled:
    """A hyperparameter that changes: a factory of `fitlib.schedules` with its arguments, numbers or sliders.

    `alpha=scheduled(cosine, alpha=slider(0.1, 10, 2, log=True), steps=100)`; the traits are named `alpha` where
    the argument has the hyperparameter's name, else `alpha_steps` and so on.
    """

    factory: object
    arguments: dict

    def __init__(self, factory, **arguments):
        positional, keywords = signature(factory)
        defaults = {**positional, **keywords}
        unknown = sorted(set(arguments) - set(defaults))
        missing = [name for name, value in {**defaults, **arguments}.items() if value is None]
        if unknown or missing:
            what = f"has no argument {', '.join(unknown)}" if unknown else f"needs {', '.join(missing)}"
            raise ValueError(f"the schedule {factory.__name__} {what}; its arguments: {', '.join(defaults)}")
        object.__setattr__(self, "factory", factory)
        object.__setattr__(self, "arguments", {**defaults, **arguments})


class Descent(Figure):
    """Rules that go down a loss of two parameters: the map with the paths, the loss against the step, the fit.

    - `loss`: a `Loss` (or a plain function of `phi`) drawn in its `box`, or in the `box` given here.
    - `rules`: functions, or a dict label -> function. `(function, {...})` in place of a function gives this rule
      its own hyperparameters; a bool or a str there fixes an option.
    - `start`, `steps`, and `step`, the step that is looked at (the last).
    - hyperparameters by name, shared by the rules that have them, and parameters of the loss: a number, a `slider`
      or, for hyperparameters, a `scheduled` one. `rates`: a factor on `alpha` for a rule (by label or name).
    - `batch`: data points per step, a number or a slider; `seed` the same (True: a dial from 0 to 99); `replace`.
      `surface="batch"` draws the loss of the batch that the next step uses.
    - `model`: `model(x, phi)` is drawn over the data, whose points can be moved.
    - `marks`: critical points, `(label, point)` or `point`, or an array `(k, 2)`; each is found again where data or
      the loss's parameters move it. `points`: other places, `(label, point)`.
    - `stability`: mark the largest stable rate at the first minimum of `marks`, for rules that have one.
    - `target`: `(loss, evaluations)`. `show_rate`: the rate against the step. `labels` of the two parameters.

    Every slider is a trait of its name; `start`, `step`, `data`, `hidden` (labels) are traits too. `runs()` are the
    runs in Python. What cannot be drawn is refused with one sentence (`ValueError`, `TraceError`).
    """

    kind = "descent"

    def __init__(
        self, loss, rules, *, start, steps=100, step=None, model=None, batch=None, seed=0, replace=False, rates=None,
        show_rate=False, surface="data", marks=(), points=(), stability=False, target=None, labels=("φ₀", "φ₁"),
        box=None, caption="", alt=None, **hyper,
    ):  # fmt: skip
        loss = loss if isinstance(loss, Loss) else Loss(loss)
        self._sliders, self._sliding, self._schedules = [], {}, []
        self._box = _box(box or loss.box)
        _whole("steps", steps, 1, 2000)
        step = _whole("step", steps if step is None else step, 0, steps)
        _refuse(loss, model, surface, target, labels)
        self._rules = self._make_rules(loss, rules, hyper, rates or {})
        parameters = [self._value(name, hyper.get(name, value)) for name, value in loss.parameters.items()]
        if batch is not None and not loss.points:
            raise ValueError(f"{loss.name} has no data to draw batches from; leave batch out")
        seed = slider(0, 99, 0, step=1) if seed is True else seed
        size = batch.hi if isinstance(batch, slider) else batch or 1
        if batch is not None:
            _whole("batch", size, 1, loss.points)
        values = dict(zip(loss.parameters, map(self._default, parameters), strict=True))
        self._loss, self._parameters = loss.at(**values), parameters
        self._batch = loss.points if batch is None else self._value("batch", batch, f"batch, of {loss.points}")
        self._seed, self._replace = self._value("seed", seed) if batch is not None else 0, replace
        self._model = Function(model, **{list(signature(model)[0])[1]: 2}) if model else None
        marks = [self._critical(mark) for mark in marks] + [self._point(mark) for mark in points]
        minimum = next((i for i, mark in enumerate(marks) if mark["kind"] == "minimum"), None)
        if stability and minimum is None:
            raise ValueError("stability is marked for a minimum; give one in marks")
        self._steps = steps
        labels_of_rules = [rule["label"] for rule in self._rules]
        moving = {
            "start": Checked(self._inside, list(start)),
            "step": slider(0, steps, step, step=1).trait(),
            "hidden": Checked(lambda hidden: _labels(hidden, labels_of_rules), []),
            "data": Checked(self._columns, [column.tolist() for column in loss.data]),
        }
        spec = {
            "code": self._code(),
            "box": [list(map(float, side)) for side in self._box],
            "labels": list(labels),
            "axes": list(signature(model)[0])[0] if model else "",
            "rules": [{key: rule[key] for key in ("label", "color", "note", "hyper", "alpha", "evaluations")} for rule in self._rules],
            "parameters": parameters,
            "points": loss.points,
            "batch": self._batch,
            "seed": self._seed,
            "replace": replace,
            "surface": surface,
            "steps": steps,
            "sliders": self._sliders,
            "marks": marks,
            "limit": minimum if stability else None,
            "target": None if target is None else [float(target[0]), target[1]],
            "log": loss.minimum is not None,
            "minimum": loss.minimum or 0,
            "rate": show_rate,
            "movable": model is not None,
        }
        names = ", ".join(labels_of_rules)
        alt = alt or f"The paths of {names} over the loss {loss.name}, from {_pair(start)}, and their loss after every step."
        super().__init__(spec, {**moving, **self._sliding}, caption=caption, alt=alt)

    # --- from arguments to plain data

    def _value(self, name, value, label=None, rule=None):
        """What the spec holds for a number, a slider (a new trait) or a schedule."""
        trait = f"{_identifier(rule)}_{name}" if rule else name
        if isinstance(value, slider):
            if trait not in self._sliding:
                self._sliding[trait] = value.trait()
                label = label or NAMES.get(name, name.replace("_", " "))
                self._sliders.append(value.spec(trait, f"{label} of {rule}" if rule else label))
            return trait
        if isinstance(value, scheduled):
            numbers = {k: v for k, v in value.arguments.items() if isinstance(v, slider) or is_number(v)}
            fixed = {k: v for k, v in value.arguments.items() if k not in numbers}
            traced = Function(schedule(value.factory), **fixed)
            self._schedules.append((value.factory, fixed, traced))
            symbol = SYMBOLS.get(name, name)
            settings = [
                self._value(*((name, numbers[k]) if k == name else (f"{name}_{k}", numbers[k], f"{k} of {symbol}")), rule=rule)
                for k in traced.parameters
            ]
            return {"schedule": len(self._schedules) - 1, "settings": settings}
        if not is_number(value):
            raise ValueError(f"{name} is a number, a slider or a schedule; got {value!r:.60}")
        return value

    def _default(self, reference):
        return self._sliding[reference].default_value if isinstance(reference, str) else reference

    def _make_rules(self, loss, rules, hyper, rates):
        rules = rules if isinstance(rules, dict) else {None: rules} if callable(rules) else list(rules)
        pairs = list(rules.items()) if isinstance(rules, dict) else [(None, rule) for rule in rules]
        made, used, spare = [], set(loss.parameters), iter(SPARE * len(pairs))
        for label, rule in pairs:
            function, own = rule if isinstance(rule, tuple) else (rule, {})
            if not callable(function) or not isinstance(own, dict):
                raise ValueError(f"a rule is a function, or (function, {{...}}); got {rule!r:.60}")
            fixed = {name: value for name, value in own.items() if isinstance(value, (bool, str))}
            traced = Rule(function, **fixed)
            unknown = sorted(set(own) - set(traced.hyper) - set(fixed))
            if unknown:
                raise ValueError(f"{traced.name} has no hyperparameter {', '.join(unknown)}; it has: {', '.join(traced.hyper)}")
            label = label or plots.LABELS.get(traced.name, traced.name.replace("_", " "))
            references = []
            for name, default in traced.hyper.items():
                shared = name not in own and name in hyper
                value = own.get(name, hyper.get(name, default))
                used |= {name} if shared else set()
                if value is None:
                    raise ValueError(f"{label} needs {name}; give it as {name}=a number or a slider")
                reference = self._value(name, value, rule=None if shared or not isinstance(value, (slider, scheduled)) else label)
                factor = rates.get(label, rates.get(traced.name, 1))
                scaled = name == "alpha" and factor != 1
                if scaled and not (is_number(factor) and factor > 0):
                    raise ValueError(f"rates holds factors above 0; got {factor!r} for {label}")
                references.append(([factor, reference] if not is_number(reference) else factor * reference) if scaled else reference)
            made.append({
                "label": label, "color": plots.COLORS.get(traced.name) if label == plots.LABELS.get(traced.name) else next(spare),
                "note": f"α × {rates.get(label, rates.get(traced.name)):g}" if {label, traced.name} & set(rates) else "",
                "hyper": references, "alpha": list(traced.hyper).index("alpha") if "alpha" in traced.hyper else -1,
                "evaluations": traced.evaluations, "function": function, "fixed": fixed, "traced": traced,
            })  # fmt: skip
        names = [rule["label"] for rule in made]
        if not made or len(set(names)) < len(names):
            raise ValueError(f"rules need labels that differ, at least one; got {', '.join(names) or 'none'}")
        unknown = sorted(set(hyper) - used)
        if unknown:
            raise ValueError(f"no rule and not the loss has {', '.join(unknown)}; they have: {', '.join(_known(made, loss))}")
        strangers = sorted(set(rates) - set(names) - {rule["traced"].name for rule in made})
        if strangers:
            raise ValueError(f"rates names {', '.join(strangers)}, which is not among the rules: {', '.join(names)}")
        return made

    def _inside(self, point):
        point = _two("start", point)
        for v, (lo, hi) in zip(point, self._box, strict=True):
            if not lo <= v <= hi:
                raise ValueError(f"start lies in the box {self._box}; got {_pair(point)}")
        return point

    def _columns(self, columns):
        shape = [self._loss.points] * len(self._loss.data)
        columns = np.asarray(columns, float)
        if list(map(len, columns)) != shape or not np.isfinite(columns).all():
            raise ValueError(f"data is {len(shape)} lists of {self._loss.points} finite numbers")
        return [[round(v, 4) for v in column] for column in columns.tolist()]

    def _critical(self, mark):
        label, point = _mark("marks", mark)
        at = np.array(point)
        spans = np.ptp(self._box, axis=1)
        for _ in range(50):  # Newton's method, in short steps
            move = np.linalg.solve(self._loss.hessian(at), self._loss.gradient(at))
            at = at - move * min(1, 0.02 / max(np.max(np.abs(move) / spans), 1e-300))
        if not np.abs((at - point) / spans).max() < 0.05:
            raise ValueError(f"{_pair(point)} in marks is not near a critical point; another place belongs in points")
        negative = int((np.linalg.eigvalsh(self._loss.hessian(at)) < 0).sum())
        return {"label": label, "at": round_to(at), "kind": ["minimum", "saddle", "maximum"][negative]}

    def _point(self, mark):
        label, point = _mark("points", mark)
        return {"label": label, "at": round_to(point), "kind": "point"}

    def _code(self):
        """The module of the generated code: the loss, the rules, the schedules and the model."""
        loss = [f"export const {kind} = {self._loss.javascript(kind)};" for kind in ("value", "gradient", "hessian")]
        rules = ",\n".join(
            f"{{ initial: {_json(rule['traced'].initial)}, step: {rule['traced'].javascript()} }}" for rule in self._rules
        )
        schedules = ",\n".join(traced.javascript() for *_, traced in self._schedules)
        model = self._model.javascript() if self._model else "null"
        return "\n".join([*loss, f"export const rules = [{rules}];", f"export const schedules = [{schedules}];",
                          f"export const model = {model};\n"])  # fmt: skip

    # --- the same in Python

    def runs(self):
        """The runs of the rules that are shown at the present state, computed in Python: label -> `Run`."""
        loss = self.loss()
        batch = self._resolve(self._batch) or None
        settings = {"batch": batch, "seed": self._resolve(self._seed), "replace": self._replace}
        runs = {}
        for rule in self._rules:
            if rule["label"] not in self.hidden:
                hyper = dict(zip(rule["traced"].hyper, map(self._resolve, rule["hyper"]), strict=True))
                runs[rule["label"]] = fit(
                    rule["function"], loss, self.start, self._steps, **settings, **hyper, **rule["fixed"]
                )
        return runs

    def loss(self):
        """The loss with the present data and parameters."""
        loss = self._loss.on(*self.data) if self.data else self._loss
        return loss.at(**dict(zip(loss.parameters, map(self._resolve, self._parameters), strict=True)))

    def _resolve(self, reference):
        if isinstance(reference, str):
            return getattr(self, reference)
        if isinstance(reference, list):
            factor, inner = reference[0], self._resolve(reference[1])
            return (lambda t: factor * inner(t)) if callable(inner) else factor * inner
        if isinstance(reference, dict):
            factory, fixed, traced = self._schedules[reference["schedule"]]
            return factory(**fixed, **dict(zip(traced.parameters, map(self._resolve, reference["settings"]), strict=True)))
        return reference

    def draw(self, figure):
        loss, runs, spec, step = self.loss(), self.runs(), self._spec, self.step
        colors = {rule["label"]: rule["color"] for rule in self._rules}
        side = 1 + (self._model is not None) + spec["rate"]
        axes = figure.subplot_mosaic([["map", i] for i in range(side)], width_ratios=[1.35, 1])
        plots.landscape(loss, self._box, axes["map"], marks=[(m["label"], m["at"]) for m in spec["marks"]])
        axes["map"].set(xlabel=spec["labels"][0], ylabel=spec["labels"][1])
        panels = iter(range(side))
        if self._model:
            x, y = self.data
            curves = {label: run.path[step] for label, run in runs.items() if np.isfinite(run.path[step]).all()}
            ax = plots.model_over_data(self._model, x, y, curves, axes[next(panels)], colors)
            ax.set_title(f"model and data at step {step}", loc="left")
        levels = axes[next(panels)]
        for label, run in runs.items():
            plots.path(run.path[: step + 1], axes["map"], color=colors[label], label=label)
            plots.loss_curve(run.losses - spec["minimum"], levels, color=colors[label], log=spec["log"])
            if spec["rate"]:
                plots.loss_curve(np.r_[np.nan, run.rates], axes[side - 1], color=colors[label])
        levels.set_title(f"loss{' above its minimum' * bool(spec['minimum'])} against step", loc="left")
        axes["map"].plot(*self.start, "o", color="black", markerfacecolor="white")
        figure.legend(loc="outside upper left", ncols=4, frameon=False)


def _json(initial):
    return "[" + ", ".join(f'"{v}"' if isinstance(v, str) else repr(v) for v in initial) + "]"


def _identifier(label):
    return re.sub(r"\W+", "_", label.lower()).strip("_")


def _pair(point):
    return f"({', '.join(f'{float(v):g}' for v in point)})"


def _known(rules, loss):
    return sorted({name for rule in rules for name in rule["traced"].hyper} | set(loss.parameters))


def _whole(name, value, lo, hi):
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not lo <= value <= hi:
        raise ValueError(f"{name} is a whole number from {lo} to {hi}; got {value!r}")
    return int(value)


def _two(name, point):
    point = list(point) if np.ndim(point) == 1 else [point]
    if len(point) != 2 or not all(map(is_number, point)):
        raise ValueError(f"{name} is two finite numbers; got {point!r:.60}")
    return [float(v) for v in point]


def _box(box):
    if box is None:
        raise ValueError("this loss has no box to draw; give box=((lo, hi), (lo, hi))")
    box = tuple(tuple(_two("a side of the box", side)) for side in box)
    if len(box) != 2 or not all(lo < hi for lo, hi in box):
        raise ValueError(f"box is ((lo, hi), (lo, hi)) with lo below hi; got {box}")
    return box


def _mark(name, mark):
    labelled = len(mark) == 2 and isinstance(mark[0], str)
    return (mark[0], _two(name, mark[1])) if labelled else (None, _two(name, mark))


def _labels(hidden, labels):
    unknown = [label for label in hidden if label not in labels]
    if unknown:
        raise ValueError(f"hidden holds labels of rules ({', '.join(labels)}); got {', '.join(map(str, unknown))}")
    return list(hidden)


def _refuse(loss, model, surface, target, labels):
    if loss.n != 2:
        raise ValueError(f"Descent draws a loss of two parameters; {loss.name} has {loss.n}")
    if model is not None and len(loss.data) != 2:
        raise ValueError(f"a model is drawn over data x, y; {loss.name} has {len(loss.data)} columns of data")
    if surface not in ("data", "batch"):
        raise ValueError(f'surface is "data" or "batch"; got {surface!r}')
    if target is not None and not (len(target) == 2 and is_number(target[0]) and _whole("target's evaluations", target[1], 1, 10**6)):
        raise ValueError(f"target is (loss, gradient evaluations); got {target!r}")
    if len(labels) != 2:
        raise ValueError(f"labels names the two parameters; got {labels!r}")
