"""`Inside`: the numbers within a rule, step by step, on a sequence of gradients."""

import inspect
import sys

import numpy as np

from fitlib import plots
from fitlib.figures.base import SYMBOLS, Figure, is_number, round_to, slider
from fitlib.figures.controls import Controls, choice, hidden, rule_code
from fitlib.figures.descent import SPARE
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
        self, rules, *, steps=30, step=None, gradients=None, begin=None, caption="", alt=None, **hyper
    ):
        if isinstance(steps, bool) or not isinstance(steps, int) or not 2 <= steps <= 500:
            raise ValueError(f"steps is a whole number from 2 to 500; got {steps!r}")
        gradients = SEQUENCES if gradients is None else gradients
        if not isinstance(gradients, dict) or not gradients:
            raise ValueError(f"gradients is a dict label -> function of t or numbers; got {gradients!r:.60}")
        if begin is not None and begin not in gradients:
            raise ValueError(f"begin is one of {', '.join(gradients)}; got {begin!r}")
        self._steps, self._controls = steps, Controls({"alpha": 1, **hyper})
        self._rules = self._line_up(rules)
        self._sequences = [self._sequence(label, given) for label, given in gradients.items()]
        self._controls.known.add("alpha")
        self._controls.refuse_unused("rule or sequence of gradients")
        labels = [rule["label"] for rule in self._rules]
        own = {
            "step": slider(1, steps, steps if step is None else step, step=1).trait(),
            "hidden": hidden(labels),
        }
        sliders = self._controls.specs
        if len(gradients) > 1:
            options = choice({label: i for i, label in enumerate(gradients)}, begin)
            own["gradients"] = options.trait()
            sliders = [options.spec("gradients", "gradients"), *sliders]
        names = list(dict.fromkeys(name for rule in self._rules for name in rule["names"]))
        rule_codes = ", ".join(rule_code(rule["traced"]) for rule in self._rules)
        sequences = ", ".join(s["traced"].javascript() if "traced" in s else "null" for s in self._sequences)
        alpha = self._controls.given["alpha"]
        spec = {
            "code": f"export const rules = [{rule_codes}];\nexport const sequences = [{sequences}];\n",
            "steps": steps,
            "rules": [_pick(rule, "label", "color", "hyper", "names", "slots") for rule in self._rules],
            "sequences": [_pick(s, "refs", "numbers") for s in self._sequences],
            "plots": _plots(names),
            "labels": {name: _label(name) for name in names},
            "alpha": alpha if is_number(alpha) else "alpha",
            "sliders": sliders,
        }
        self.size = (7.6, 0.8 + 1.7 * (len(spec["plots"]) + 3) // 2)
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
        """For every rule that is on, label -> {name -> values after steps 1 to `steps`}; "step" over alpha."""
        shown = [rule for rule in self._rules if rule["label"] not in self.hidden]
        return {rule["label"]: self._follow(rule) for rule in shown}

    def _follow(self, rule):
        hyper = dict(zip(rule["traced"].hyper, self._read(rule["hyper"]), strict=True)) | rule["own"]
        state = np.array([0.0 if isinstance(v, str) else v for v in rule["traced"].initial])[:, None]
        rows = [state]
        for t, g in enumerate(self.sequence(), 1):
            state = rule["function"](t, state[0], lambda phi, g=g: g + 0 * phi, *state[1:], **hyper)
            rows.append(np.array([np.broadcast_to(part, 1) for part in state]))
        table = np.array(rows)[:, :, 0].T
        step = -np.diff(table[0]) / self._read([self._spec["alpha"]])[0]
        return {name: table[i, 1:] for name, i in zip(rule["names"], rule["slots"], strict=True)} | {
            "step": step
        }

    def draw(self, figure):
        """The state of now, with Matplotlib."""
        values, t, spec = self.values(), np.arange(1, self._steps + 1), self._spec
        shown = [
            {"title": "gradient g", "names": []},
            *spec["plots"],
            {"title": "step, in units of α", "names": ["step"]},
        ]
        axes = figure.subplots(-(-len(shown) // 2), 2, sharex=True, squeeze=False).ravel()
        axes[0].bar(t, self.sequence(), color="#76828f")
        for plot, ax in zip(shown, axes, strict=False):
            ax.set_title(plot["title"], loc="left", fontsize=10)
            ax.axhline(0, color="#d5dce4", linewidth=0.8)
            for rule in self._rules:
                found = values.get(rule["label"], {})
                for name in [name for name in plot["names"] if name in found]:
                    look = "--" if len(plot["names"]) > 1 and name == plot["names"][0] else "-"
                    label = rule["label"] if name == "step" else None
                    ax.plot(t, found[name], look, color=rule["color"], linewidth=1.6, label=label)
        for ax in axes[len(shown) :]:
            ax.set_axis_off()
        figure.legend(loc="outside upper left", ncols=4, frameon=False)


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
