"""`Inside`: the numbers within a rule, step by step, on a sequence of gradients."""

import inspect
import sys

import numpy as np

from fitlib import plots
from fitlib.figures.base import SYMBOLS, Figure, is_number, round_to, slider
from fitlib.figures.controls import Controls, choice, hidden, rule_code
from fitlib.figures.descent import SPARE
from fitlib.losses import Loss
from fitlib.symbolic import Function, Rule, signature

ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303"}

SEQUENCES = {
    "constant": lambda t: 1 + 0 * t,
    "alternating": lambda t: np.where(t - 2 * np.floor(t / 2) == 1, 1.0, -1.0),
    "one spike": lambda t: np.where(t == 5, 1.0, 0.0),
    "rare": lambda t: np.where(t - 8 * np.floor(t / 8) == 1, 1.0, 0.0),
    "noisy": np.random.default_rng(1).normal(0.5, 0.7, 60).round(2).tolist(),
}


class Inside(Figure):
    """What a rule of one parameter computes from a sequence of gradients: states, named values, the step.

    - `rules`: a function, a list of them, or a dict label -> function; `(function, {...})` fixes
      hyperparameters and options of this rule alone.
    - `loss`: a plain function `loss(phi, *, parameters)` of one number, drawn over `x = (lo, hi)`; the rules
      go down from `start`, a number or a `slider`, which the reader moves. Or, without a loss:
    - `gradients`: label -> function of `t` (its parameters by keyword), or a list of numbers, which is
      repeated; the reader chooses one. `SEQUENCES` where it is not given. `begin` names the first.
    - `steps`, and `step`, the one that is looked at. Hyperparameters by name: a number, a `slider` or a
      `choice`. `alpha` is 1 where it is not given; the step is shown in units of it.

    Every name that a rule's body gives to a value is drawn, `m` and `m_hat` in one plot. Every slider is a
    trait; `step`, `gradients` (the index of the sequence) and `hidden` (labels) are traits too. `values()`
    are the numbers in Python. What cannot be drawn is refused with one sentence (`ValueError`,
    `TraceError`).
    """

    kind = "inside"

    def __init__(
        self,
        rules,
        *,
        loss=None,
        x=None,
        start=None,
        steps=30,
        step=None,
        gradients=None,
        begin=None,
        caption="",
        alt=None,
        **hyper,
    ):
        if isinstance(steps, bool) or not isinstance(steps, int) or not 2 <= steps <= 500:
            raise ValueError(f"steps is a whole number from 2 to 500; got {steps!r}")
        if (loss is None) != (x is None) or (loss is not None and (gradients, begin) != (None, None)):
            raise ValueError("give a loss with x=(lo, hi), or gradients and which of them begin")
        gradients = ({} if loss else SEQUENCES) if gradients is None else gradients
        if not isinstance(gradients, dict) or not (gradients or loss):
            raise ValueError(f"gradients is a dict label -> function of t or numbers; got {gradients!r:.60}")
        if begin is not None and begin not in gradients:
            raise ValueError(f"begin is one of {', '.join(gradients)}; got {begin!r}")
        self._steps, self._controls = steps, Controls({"alpha": 1, **hyper})
        self._rules = self._line_up(rules)
        self._sequences = [self._sequence(label, given) for label, given in gradients.items()]
        self._controls.known.add("alpha")
        ground = self._ground(loss, x, start) if loss else {"code": "", "parameters": []}
        self._controls.refuse_unused("rule, loss or sequence of gradients")
        labels = [rule["label"] for rule in self._rules]
        own = {
            "step": slider(1, steps, steps if step is None else step, step=1).trait(),
            "hidden": hidden(labels),
        }
        sliders = self._controls.specs
        if loss:
            own["start"] = self._begin.trait()
            sliders = [ground["start"], *sliders]
        if len(gradients) > 1:
            options = choice({label: i for i, label in enumerate(gradients)}, begin)
            own["gradients"] = options.trait()
            sliders = [options.spec("gradients", "gradients"), *sliders]
        names = list(dict.fromkeys(name for rule in self._rules for name in rule["names"]))
        rule_codes = ", ".join(rule_code(rule["traced"]) for rule in self._rules)
        sequences = ", ".join(s["traced"].javascript() if "traced" in s else "null" for s in self._sequences)
        alpha = self._controls.given["alpha"]
        spec = {
            **ground,
            "code": f"export const rules = [{rule_codes}];\nexport const sequences = [{sequences}];\n"
            + ground["code"],
            "loss": bool(loss),
            "steps": steps,
            "rules": [_pick(rule, "label", "color", "hyper", "names", "slots") for rule in self._rules],
            "sequences": [_pick(s, "refs", "numbers") for s in self._sequences],
            "plots": _plots(names),
            "labels": {name: _label(name) for name in names},
            "alpha": alpha if is_number(alpha) else "alpha",
            "sliders": sliders,
        }
        self.size = (7.6, 0.8 + 1.7 * (len(spec["plots"]) + 3 + 2 * bool(loss)) // 2)
        shown = ", ".join(["The gradients", *map(_label, names)])
        alt = alt or f"{shown} and the step of {' and '.join(labels)} over {steps} steps."
        super().__init__(spec, self._controls.state(**own), caption=caption, alt=alt)

    # --- from arguments to plain data

    def _line_up(self, rules):
        rules = rules if isinstance(rules, (dict, list)) else [rules]
        pairs = rules.items() if isinstance(rules, dict) else [(None, rule) for rule in rules]
        spare = iter(SPARE * (len(pairs) or 1))
        found = [self._rule(label, rule, spare) for label, rule in pairs]
        labels = [rule["label"] for rule in found]
        if not labels or len(set(labels)) < len(labels):
            raise ValueError(
                f"rules need labels that differ, at least one; got {', '.join(labels) or 'none'}"
            )
        return found

    def _rule(self, label, rule, spare):
        function, own = rule if isinstance(rule, tuple) and len(rule) == 2 else (rule, {})
        if not callable(function) or not isinstance(own, dict):
            raise ValueError(f"a rule is a function, or (function, {{...}}); got {rule!r:.60}")
        Rule(function, n=1, **own)  # refuses what is no rule, in its own words
        watched = _watched(function, _named(function, own))
        traced = Rule(watched, n=1, **own)
        usual = plots.LABELS.get(traced.name)
        label = label or usual or traced.name.replace("_", " ")
        names = [name for name in traced.states if name != "g"]  # the gradient has a plot of its own
        return {
            "label": label,
            "color": plots.COLORS[traced.name] if label == usual else next(spare),
            "hyper": self._controls.references(label, traced.hyper),
            "names": names,
            "slots": [1 + traced.states.index(name) for name in names],
            "traced": traced,
            "function": watched,
            "own": own,
        }

    def _sequence(self, label, given):
        if callable(given):
            traced = Function(given)
            if len(traced.arguments) != 1 or traced.shape:
                raise ValueError(f"the gradients {label} are a function of t alone that gives one number")
            return {"traced": traced, "refs": self._controls.references(label, traced.parameters)}
        numbers = np.asarray(given, float)
        if numbers.ndim != 1 or not numbers.size or not np.isfinite(numbers).all():
            raise ValueError(
                f"the gradients {label} are a function of t or finite numbers; got {given!r:.60}"
            )
        return {"numbers": round_to(np.resize(numbers, self._steps))}

    def _ground(self, loss, x, start):
        """The loss as code, its parameters, where it is drawn, and the slider of the start."""
        if np.size(x) != 2 or not all(map(is_number, x)) or not x[0] < x[1]:
            raise ValueError(f"x is (lo, hi), two numbers with lo below hi; got {x!r:.60}")
        lo, hi = map(float, x)
        self._loss = Loss(_of_vector(loss), n=1)
        self._begin = start if isinstance(start, slider) else slider(lo, hi, lo if start is None else start)
        parameters = self._controls.references(self._loss.name, self._loss.parameters)
        kinds = {"loss": "value", "gradient": "gradient"}
        code = [f"export const {name} = {self._loss.javascript(kind)};\n" for name, kind in kinds.items()]
        begin = self._begin.spec("start", "start")
        return {"code": "".join(code), "parameters": parameters, "x": [lo, hi], "start": begin}

    # --- the same in Python

    def _read(self, references):
        state = self.state()
        return [state.get(reference, reference) for reference in references]

    def sequence(self):
        """The gradients of steps 1 to `steps`, shape `(steps,)`."""
        chosen = self._sequences[self.state().get("gradients", 0)]
        if "numbers" in chosen:
            return np.array(chosen["numbers"])
        t, traced = np.arange(1.0, self._steps + 1), chosen["traced"]
        settings = dict(zip(traced.parameters, self._read(chosen["refs"]), strict=True))
        return np.broadcast_to(traced(t, **settings), t.shape)

    def values(self):
        """For every rule that is on, label -> {name -> values after steps 1 to `steps`}.

        Beside the named values: "gradient", "step" (in units of alpha) and "phi", which begins at the start.
        """
        shown = [rule for rule in self._rules if rule["label"] not in self.hidden]
        return {rule["label"]: self._follow(rule) for rule in shown}

    def _gradient(self):
        """The gradient as a function of `t` and `phi`."""
        if not self._spec["loss"]:
            sequence = self.sequence()
            return lambda t, phi: sequence[t - 1] + 0 * phi
        settings = self._read(self._spec["parameters"])
        parameters = dict(zip(self._loss.parameters, settings, strict=True))
        return lambda t, phi: self._loss.gradient(phi, **parameters)

    def _follow(self, rule):
        hyper = dict(zip(rule["traced"].hyper, self._read(rule["hyper"]), strict=True)) | rule["own"]
        start = self.start if self._spec["loss"] else 0.0
        state = np.array([start if isinstance(v, str) else v for v in rule["traced"].initial])[:, None]
        gradient, slopes, rows = self._gradient(), [], [state]
        for t in range(1, self._steps + 1):

            def grad(phi, t=t):
                slopes[t - 1 :] = [gradient(t, phi).item()]
                return slopes[-1] + 0 * phi

            state = rule["function"](t, state[0], grad, *state[1:], **hyper)
            rows.append(np.array([np.broadcast_to(part, 1) for part in state]))
        table = np.array(rows)[:, :, 0].T
        named = {name: table[i, 1:] for name, i in zip(rule["names"], rule["slots"], strict=True)}
        step = -np.diff(table[0]) / self._read([self._spec["alpha"]])[0]
        return {"phi": table[0], "gradient": np.array(slopes), **named, "step": step}

    def draw(self, figure):
        """The state of now, with Matplotlib."""
        values, t, spec = self.values(), np.arange(1, self._steps + 1), self._spec
        shown = {"gradient g": ["gradient"], **{p["title"]: p["names"] for p in spec["plots"]}}
        shown["step, in units of α"] = ["step"]
        rows = -(-len(shown) // 2)
        top, bottom = figure.subfigures(2, 1, height_ratios=[1, rows]) if spec["loss"] else (None, figure)
        if top:
            self._draw_loss(top.subplots(), values)
        axes = bottom.subplots(rows, 2, sharex=True, squeeze=False).ravel()
        for (title, names), ax in zip(shown.items(), axes, strict=False):
            ax.set_title(title, loc="left", fontsize=10)
            ax.axhline(0, color="#d5dce4", linewidth=0.8)
            for rule in self._rules:
                found = values.get(rule["label"], {})
                for name in [name for name in names if name in found]:
                    look = "--" if len(names) > 1 and name == names[0] else "-"
                    label = rule["label"] if name == "step" else None
                    ax.plot(t, found[name], look, color=rule["color"], linewidth=1.6, label=label)
        for ax in axes[len(shown) :]:
            ax.set_axis_off()
        bottom.legend(loc="outside upper left", ncols=4, frameon=False)

    def _draw_loss(self, ax, values):
        settings = self._read(self._spec["parameters"])
        loss = self._loss.at(**dict(zip(self._loss.parameters, settings, strict=True)))
        x = np.linspace(*self._spec["x"], 401)
        ax.plot(x, loss(x[None]), color="#76828f")
        limits = ax.get_ylim()
        for rule in self._rules:
            if rule["label"] in values:
                phi = values[rule["label"]]["phi"][: self.step + 1]
                ax.plot(phi, loss(phi[None]), ".-", color=rule["color"], linewidth=0.8)
        ax.set(xlim=self._spec["x"], ylim=limits)
        ax.set_title("loss", loc="left", fontsize=10)


def _of_vector(function):
    """A function of one number as a function of a vector of one."""

    def of_vector(phi, **parameters):
        return function(phi[0], **parameters)

    of_vector.__name__, of_vector.__signature__ = function.__name__, inspect.signature(function)
    return of_vector


def _pick(whole, *keys):
    return {key: whole[key] for key in keys if key in whole}


def _call(function, *arguments, **hyper):
    """What `function` returns, as a tuple, and the values of all names of its body."""
    seen, before = {}, sys.getprofile()

    def profile(frame, event, value):
        if event == "return" and frame.f_code is function.__code__:
            seen.update(frame.f_locals)

    sys.setprofile(profile)
    try:
        result = function(*arguments, **hyper)
    finally:
        sys.setprofile(before)
    return result if isinstance(result, tuple) else (result,), seen


def _named(function, own):
    """The names that the body of a rule gives to values, apart from its arguments."""
    positional, keywords = signature(function)
    states = [np.ones(1) / 2 for _ in list(positional)[3:]]
    hyper = {name: 0.5 if default is None else default for name, default in keywords.items()} | own
    _, seen = _call(function, 1, np.ones(1), lambda phi: np.ones(1), *states, **hyper)
    new = {name: value for name, value in seen.items() if name not in positional and name not in keywords}
    return [name for name, value in new.items() if np.shape(value) in ((), (1,)) and not callable(value)]


def _watched(function, names):
    """The rule with its named values behind its states, so that one trace shows them all."""

    def watched(*arguments, **hyper):
        result, seen = _call(function, *arguments[: len(arguments) - len(names)], **hyper)
        return *result, *(seen[name] for name in names)

    kind, own = inspect.Parameter, inspect.signature(function).parameters.values()
    extra = [kind(name, kind.POSITIONAL_OR_KEYWORD, default=0.0) for name in names]
    front = [p for p in own if p.kind is not p.KEYWORD_ONLY]
    watched.__signature__ = inspect.Signature(front + extra + [p for p in own if p.kind is p.KEYWORD_ONLY])
    watched.__name__ = function.__name__
    return watched


def _label(name):
    """`m_hat` -> m̂, `v_max` -> v max."""
    head, _, tail = name.partition("_")
    head = SYMBOLS.get(head, head)
    return head + ACCENTS[tail] if tail in ACCENTS else f"{head} {tail.replace('_', ' ')}".strip()


def _plots(names):
    """Names of one letter belong together: the state first, then what is made of it."""
    heads = dict.fromkeys(name.partition("_")[0] for name in names)
    groups = [[name for name in names if name.partition("_")[0] == head] for head in heads]
    return [{"title": _heading([_label(name) for name in group]), "names": group} for group in groups]


def _heading(labels):
    return ", ".join([labels[0] + " (dashed)" * (len(labels) > 1), *labels[1:]])
