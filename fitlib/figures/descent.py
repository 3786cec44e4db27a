"""`Descent`: rules on a loss over two parameters, live."""

import re
from dataclasses import dataclass

import numpy as np

from fitlib import plots
from fitlib.figures.base import NAMES, SYMBOLS, Checked, Figure, is_number, round_to, slider
from fitlib.figures.controls import hidden, rule_code
from fitlib.fitting import fit
from fitlib.losses import Loss, newton
from fitlib.symbolic import Function, Rule, schedule, signature

SPARE = ["#3b4cc0", "#b2560d", "#00827f", "#9c2f74", "#5b6b1f", "#6d4fa0"]  # of rules that are not the book's


@dataclass(frozen=True)
class scheduled:
    """A hyperparameter that changes: a factory of `fitlib.schedules` with its arguments, numbers or sliders.

    In `alpha=scheduled(cosine, alpha=slider(0.1, 10, 2, log=True), steps=slider(10, 200, 100))` the traits
    are `alpha`, the argument with the name of the hyperparameter, and `alpha_steps`. `knots`, argument -> step:
    sliders that are the rate at that step, which the reader can then draw in the plot of the rate. Raises
    `ValueError` with one sentence for an argument that the factory does not have or that it needs.
    """

    factory: object
    arguments: dict
    knots: dict

    def __init__(self, factory, *, knots=None, **arguments):
        positional, keywords = signature(factory)
        known = {**positional, **keywords}
        unknown = [name for name in arguments if name not in known]
        missing = [name for name, value in {**known, **arguments}.items() if value is None]
        if unknown or missing:
            what = f"has no argument {', '.join(unknown)}" if unknown else f"needs {', '.join(missing)}"
            raise ValueError(f"the schedule {factory.__name__} {what}; its arguments: {', '.join(known)}")
        still = [name for name in knots or {} if not isinstance(arguments.get(name), slider)]
        if still:
            raise ValueError(
                f"knots are sliders with their steps, {{name: step}}; no slider: {', '.join(still)}"
            )
        object.__setattr__(self, "factory", factory)
        object.__setattr__(self, "knots", knots or {})
        object.__setattr__(self, "arguments", {**known, **arguments})


class Settings:
    """The sliders of a figure, and what stands for a value in its spec: a *reference*.

    A number is itself, a slider is the name of its trait, `[factor, reference]` a multiple, and
    `{"schedule": i, "settings": [references]}` a function of the step.
    """

    def __init__(self):
        self.traits, self.sliders, self.schedules, self.knots = {}, [], [], []

    def reference(self, name, value, label=None, rule=None):
        """The reference for `value`; `rule` is the label of the rule it belongs to alone."""
        if isinstance(value, scheduled):
            return self._schedule(name, value, rule)
        if isinstance(value, slider):
            trait = f"{_identifier(rule)}_{name}" if rule else name
            if trait not in self.traits:
                label = label or NAMES.get(name, name.replace("_", " "))
                self.traits[trait] = value.trait()
                self.sliders.append(value.spec(trait, f"{label} of {rule}" if rule else label))
            return trait
        if not is_number(value):
            raise ValueError(f"{name} is a number, a slider or a schedule; got {value!r:.60}")
        return value

    def _schedule(self, name, value, rule):
        moving = {k: v for k, v in value.arguments.items() if isinstance(v, slider) or is_number(v)}
        fixed = {k: v for k, v in value.arguments.items() if k not in moving}
        traced = Function(schedule(value.factory), **fixed)
        self.schedules.append((value.factory, fixed, traced))
        number = len(self.schedules) - 1
        references = [
            self.reference(name, moving[k], rule=rule)
            if k == name
            else self.reference(f"{name}_{k}", moving[k], f"{k} of {SYMBOLS.get(name, name)}", rule)
            for k in traced.parameters
        ]
        self.knots += [
            [trait, value.knots[k]] for k, trait in zip(traced.parameters, references) if k in value.knots
        ]
        return {"schedule": number, "settings": references}

    def resolve(self, reference, state):
        """The value of a reference in a state (trait -> value): a number, or a function of the step."""
        if isinstance(reference, str):
            return state[reference]
        if isinstance(reference, list):
            factor, inner = reference[0], self.resolve(reference[1], state)
            return (lambda t: factor * inner(t)) if callable(inner) else factor * inner
        if isinstance(reference, dict):
            factory, fixed, traced = self.schedules[reference["schedule"]]
            values = [self.resolve(inner, state) for inner in reference["settings"]]
            return factory(**fixed, **dict(zip(traced.parameters, values)))
        return reference


class Racer:
    """A rule in a figure: its label and color, the traced step, and a reference for every hyperparameter."""

    def __init__(self, settings, label, rule, shared, rates, colors):
        self.function, own = rule if isinstance(rule, tuple) else (rule, {})
        if not callable(self.function) or not isinstance(own, dict):
            raise ValueError(f"a rule is a function, or (function, {{name: value}}); got {rule!r:.60}")
        self.fixed = {name: value for name, value in own.items() if isinstance(value, (bool, str))}
        self.traced = Rule(self.function, **self.fixed)
        known = plots.LABELS.get(self.traced.name)
        self.label = label or known or self.traced.name.replace("_", " ")
        self.color = plots.COLORS[self.traced.name] if known and self.label == known else next(colors)
        unknown = [name for name in own if name not in self.traced.hyper and name not in self.fixed]
        if unknown:
            hyper = ", ".join(self.traced.hyper)
            raise ValueError(f"{self.label} has no hyperparameter {', '.join(unknown)}; it has: {hyper}")
        self.hyper = {}
        for name, default in self.traced.hyper.items():
            value = own.get(name, shared.get(name, default))
            if value is None:
                raise ValueError(f"{self.label} needs {name}: a number or a slider")
            mine = name in own and isinstance(value, (slider, scheduled))
            self.hyper[name] = settings.reference(name, value, rule=self.label if mine else None)
        self.note = ""
        self.names = {self.label, self.traced.name}
        for name in self.names & set(rates):
            self._scale(rates[name])

    def _scale(self, factor):
        if not is_number(factor) or factor <= 0 or "alpha" not in self.hyper:
            raise ValueError(
                f"rates holds factors above 0 for rules with alpha; got {factor!r} for {self.label}"
            )
        alpha = self.hyper["alpha"]
        self.hyper["alpha"] = factor * alpha if is_number(alpha) else [factor, alpha]
        self.note = f"α × {factor:g}"

    def spec(self):
        names = list(self.hyper)
        return {
            "label": self.label,
            "color": self.color,
            "note": self.note,
            "hyper": list(self.hyper.values()),
            "alpha": names.index("alpha") if "alpha" in names else -1,
            "evaluations": self.traced.evaluations,
        }


class Descent(Figure):
    """Rules that go down a loss of two parameters: a map with the paths, the loss by step, the fitted curve.

    - `loss`: a `Loss` or a plain function of `phi`, drawn in its `box` or in the `box` given here.
    - `rules`: functions, or a dict label -> function. `(function, {name: value})` in place of a function
      gives a rule hyperparameters of its own; a bool or a str there fixes an option. `rates`: a factor on
      `alpha` for a rule, by its label or name.
    - `start`, `steps`, and `step`, the step that is looked at (the last).
    - Hyperparameters by name, shared by the rules that have them, and parameters of the loss: a number or a
      `slider`; a hyperparameter may be `scheduled`.
    - `batch`: data points per step; `seed`: a number, a slider, or True for a dial from 0 to 99; `replace`:
      with replacement. `surface="batch"` draws the loss of the batch that comes next.
    - `model`: `model(x, phi)` is drawn over the data, whose points can be moved.
    - `marks`: critical points, `(label, point)` or `point` or an array `(k, 2)`, found again where the data
      or the loss's parameters move them. `points`: other places `(label, point)`.
    - `stability`: mark the largest stable rate at the first minimum of `marks`, for rules that have one.
    - `target`: `(loss, gradient evaluations)`. `show_rate`: the rate by step. `labels` of the two parameters.

    Every slider is a trait of its name, and so are `start`, `step`, `data` and `hidden` (labels of rules).
    Raises `ValueError` or `TraceError` with one sentence for what cannot be drawn.
    """

    kind = "descent"

    def __init__(
        self,
        loss,
        rules,
        *,
        start,
        steps=100,
        step=None,
        model=None,
        batch=None,
        seed=0,
        replace=False,
        rates=None,
        show_rate=False,
        surface="data",
        marks=(),
        points=(),
        stability=False,
        target=None,
        labels=("φ₀", "φ₁"),
        box=None,
        caption="",
        alt=None,
        **hyper,
    ):
        loss = loss if isinstance(loss, Loss) else Loss(loss)
        _refuse(loss, model, surface, target, labels)
        self._box, self._steps = _box(box or loss.box), _whole("steps", steps, 1, 2000)
        self._settings, self._replace = Settings(), bool(replace and batch is not None)
        self._racers = self._line_up(loss, rules, hyper, rates or {})
        self._parameters, self._loss = self._ground(loss, hyper)
        self._batch, self._seed = self._draws(loss, batch, seed)
        self._model = Function(model, **{list(signature(model)[0])[1]: 2}) if model else None
        known = [self._critical(mark) for mark in marks] + [self._place(mark) for mark in points]
        minimum = next((i for i, mark in enumerate(known) if mark["kind"] == "minimum"), None)
        if stability and minimum is None:
            raise ValueError("stability is marked at a minimum; give one in marks")
        if self._settings.knots and not show_rate:
            raise ValueError("knots are drawn in the plot of the rate; give show_rate=True")
        step = self._steps if step is None else _whole("step", step, 0, self._steps)
        names = [racer.label for racer in self._racers]
        state = {
            "start": Checked(self._inside, start),
            "step": slider(0, self._steps, step, step=1).trait(),
            "hidden": hidden(names),
            "data": Checked(self._columns, [column.tolist() for column in loss.data]),
        }
        spec = {
            "code": self._code(),
            "rules": [racer.spec() for racer in self._racers],
            "sliders": self._settings.sliders,
            "parameters": self._parameters,
            "steps": self._steps,
            "box": self._box,
            "labels": list(labels),
            "axis": next(iter(signature(model)[0])) if model else "",
            "points": loss.points,
            "batch": self._batch,
            "seed": self._seed,
            "replace": self._replace,
            "surface": surface,
            "marks": known,
            "limit": minimum if stability else None,
            "target": target and [float(target[0]), int(target[1])],
            "log": loss.minimum is not None,
            "minimum": loss.minimum or 0,
            "rate": show_rate,
            "knots": self._settings.knots,
        }
        alt = (
            alt
            or f"Paths of {', '.join(names)} over the loss {loss.name} from {_pair(start)}, and their losses."
        )
        super().__init__(spec, {**state, **self._settings.traits}, caption=caption, alt=alt)

    # --- from arguments to plain data

    def _line_up(self, loss, rules, hyper, rates):
        single = callable(rules) or (
            isinstance(rules, tuple) and len(rules) == 2 and isinstance(rules[1], dict)
        )
        pairs = (
            rules.items()
            if isinstance(rules, dict)
            else [(None, rule) for rule in ([rules] if single else rules)]
        )
        colors = iter(SPARE * len(pairs))
        racers = [Racer(self._settings, label, rule, hyper, rates, colors) for label, rule in pairs]
        names = [racer.label for racer in racers]
        if not racers or len(set(names)) < len(names):
            raise ValueError(f"rules need one or more labels that differ; got {', '.join(names) or 'none'}")
        known = sorted({name for racer in racers for name in racer.hyper} | set(loss.parameters))
        unknown = [name for name in hyper if name not in known]
        if unknown:
            raise ValueError(
                f"no rule and no loss here has {', '.join(unknown)}; they have: {', '.join(known)}"
            )
        strangers = set(rates) - set().union(*(racer.names for racer in racers))
        if strangers:
            raise ValueError(f"rates names {', '.join(sorted(strangers))}; the rules are {', '.join(names)}")
        return racers

    def _ground(self, loss, hyper):
        """References for the loss's parameters, and the loss at their values now."""
        references = [
            self._settings.reference(name, hyper.get(name, v)) for name, v in loss.parameters.items()
        ]
        if any(isinstance(reference, dict) for reference in references):
            raise ValueError("a parameter of the loss is a number or a slider, not a schedule")
        now = {name: trait.default_value for name, trait in self._settings.traits.items()}
        values = [self._settings.resolve(reference, now) for reference in references]
        return references, loss.at(**dict(zip(loss.parameters, values)))

    def _draws(self, loss, batch, seed):
        """References for the size of a batch and for the seed."""
        if batch is None:
            return loss.points, 0
        if not loss.points:
            raise ValueError(f"{loss.name} has no data to draw batches from; leave batch out")
        for size in (batch.lo, batch.hi, batch.step) if isinstance(batch, slider) else (batch,):
            _whole("batch", size, 1, loss.points)
        seed = slider(0, 99, 0, step=1) if seed is True else seed
        size = self._settings.reference("batch", batch, f"batch, of {loss.points}")
        return size, self._settings.reference("seed", seed)

    def _inside(self, point):
        point = _two("start", point)
        if not all(lo <= v <= hi for v, (lo, hi) in zip(point, self._box)):
            raise ValueError(f"start lies in the box {self._box}; got {_pair(point)}")
        return point

    def _columns(self, columns):
        """Data points as they are drawn: lists of numbers with six digits."""
        if not self._loss.data:
            return []
        columns, expected = np.array(columns, float), (len(self._loss.data), self._loss.points)
        if columns.shape != expected or not np.isfinite(columns).all():
            raise ValueError(f"data is {expected[0]} lists of {expected[1]} finite numbers")
        return round_to(columns.tolist())

    def _critical(self, mark):
        label, point = _mark("marks", mark)
        spans = np.ptp(self._box, axis=1)
        at = newton(self._loss, np.array(point)[:, None], 0.02 * spans)[:, 0]
        if not (np.abs(at - point) < 0.05 * spans).all():
            raise ValueError(
                f"{_pair(point)} in marks is not near a critical point; other places belong in points"
            )
        negative = int((np.linalg.eigvalsh(self._loss.hessian(at)) < 0).sum())
        return {"label": label, "at": round_to(at), "kind": ["minimum", "saddle", "maximum"][negative]}

    def _place(self, mark):
        label, point = _mark("points", mark)
        return {"label": label, "at": point, "kind": "point"}

    def _code(self):
        """The module of generated code: the loss, the rules, the schedules and the model."""
        parts = [
            f"export const {kind} = {self._loss.javascript(kind)};"
            for kind in ("value", "gradient", "hessian")
        ]
        parts.append(
            f"export const rules = [{', '.join(rule_code(racer.traced) for racer in self._racers)}];"
        )
        schedules = ", ".join(traced.javascript() for *_, traced in self._settings.schedules)
        parts.append(f"export const schedules = [{schedules}];")
        parts.append(f"export const model = {self._model.javascript() if self._model else 'null'};\n")
        return "\n".join(parts)

    # --- the same in Python

    def loss(self):
        """The loss with the data and parameters of now."""
        loss, state = self._loss.on(*self.data) if self.data else self._loss, self.state()
        values = [self._settings.resolve(reference, state) for reference in self._parameters]
        return loss.at(**dict(zip(loss.parameters, values)))

    def runs(self):
        """The runs that are shown, computed in Python: label -> `Run`."""
        loss, state = self.loss(), self.state()
        size, seed = (self._settings.resolve(reference, state) for reference in (self._batch, self._seed))
        runs = {}
        for racer in self._racers:
            if racer.label not in self.hidden:
                values = {name: self._settings.resolve(value, state) for name, value in racer.hyper.items()}
                draws = {"batch": size or None, "seed": seed, "replace": self._replace}
                settings = {**draws, **racer.fixed, **values}
                runs[racer.label] = fit(racer.function, loss, self.start, self._steps, **settings)
        return runs

    def draw(self, figure):
        loss, runs, spec, step = self.loss(), self.runs(), self._spec, self.step
        colors = {racer.label: racer.color for racer in self._racers}
        side = ["model"] * bool(self._model) + ["loss"] + ["rate"] * spec["rate"]
        axes = figure.subplot_mosaic([["map", name] for name in side], width_ratios=[1.35, 1])
        plots.landscape(
            loss, self._box, axes["map"], marks=[(mark["label"], mark["at"]) for mark in spec["marks"]]
        )
        axes["map"].set(xlabel=spec["labels"][0], ylabel=spec["labels"][1])
        for label, run in runs.items():
            plots.path(run.path[: step + 1], axes["map"], colors[label], label)
            plots.loss_curve(run.losses - spec["minimum"], axes["loss"], colors[label], log=spec["log"])
            if spec["rate"]:
                plots.loss_curve([np.nan, *run.rates], axes["rate"], colors[label]).set_title(
                    "learning rate α", loc="left"
                )
            if self._model and np.isfinite(run.path[step]).all():
                plots.model_curve(self._model, self.data[0], run.path[step], axes["model"], colors[label])
        if self._model:
            plots.data_points(*self.data, axes["model"]).set_title(f"model at step {step}", loc="left")
        axes["loss"].set_title(f"loss{' above its minimum' * bool(spec['minimum'])}", loc="left")
        axes["map"].plot(*self.start, "o", color="black", markerfacecolor="white")
        figure.legend(loc="outside upper left", ncols=4, frameon=False)


# --- what is refused, in one sentence each


def _identifier(label):
    return re.sub(r"\W+", "_", label.lower()).strip("_")


def _pair(point):
    return f"({', '.join(f'{float(v):g}' for v in point)})"


def _whole(name, value, lo, hi):
    if not is_number(value) or value != int(value) or not lo <= value <= hi:
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
    box = [_two("a side of the box", side) for side in box]
    if len(box) != 2 or not all(lo < hi for lo, hi in box):
        raise ValueError(f"box is ((lo, hi), (lo, hi)) with lo below hi; got {box}")
    return box


def _mark(name, mark):
    labelled = len(mark) == 2 and isinstance(mark[0], str)
    return (mark[0], _two(name, mark[1])) if labelled else (None, _two(name, mark))


def _refuse(loss, model, surface, target, labels):
    if loss.n != 2:
        raise ValueError(f"Descent draws a loss of two parameters; {loss.name} has {loss.n}")
    if model is not None and len(loss.data) != 2:
        raise ValueError(f"a model is drawn over data x, y; {loss.name} has {len(loss.data)} columns of data")
    if surface not in ("data", "batch"):
        raise ValueError(f'surface is "data" or "batch"; got {surface!r}')
    if len(labels) != 2:
        raise ValueError(f"labels names the two parameters; got {labels!r}")
    if target is not None:
        if np.ndim(target) != 1 or len(target) != 2 or not is_number(target[0]):
            raise ValueError(f"target is (loss, gradient evaluations); got {target!r}")
        _whole("the number of evaluations in target", target[1], 1, 10**6)
