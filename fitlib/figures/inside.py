"""`Inside`: the numbers within a rule, step by step, on a sequence of gradients."""

import inspect
import sys

import numpy as np

from fitlib import plots
from fitlib.figures.base import Checked, Figure, is_number, round_to, slider
from fitlib.figures.controls import Controls, choice
from fitlib.figures.descent import SPARE
from fitlib.symbolic import Function, Rule, signature

MARKS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303"}
GREEK = {"phi": "φ", "alpha": "α", "beta": "β", "gamma": "γ"}

SEQUENCES = {
    "constant": lambda t: 1 + 0 * t,
    "alternating": lambda t: np.where(t - 2 * np.floor(t / 2) == 1, 1.0, -1.0),
    "one spike": lambda t: np.where(t == 5, 1.0, 0.0),
    "noisy": [0.98, 1.39, 1.56, 0.43, 1.92, 0.35, 1.1, 0.77, 0.29, -0.15, 0.64, 1.91, 0.37, 0.6, 0.46, -0.26, -0.19, 1.83,
              0.69, 0.03, 0.8, -0.46, 0.83, 1.19, -0.29, 1.32, 0.04, 0.97, 1.15, 0.22],
    "rare": lambda t: np.where(t - 8 * np.floor(t / 8) == 1, 1.0, 0.0),
}  # fmt: skip


class Inside(Figure):
    """What a rule of one parameter computes from a sequence of gradients: its states, what is named on the way, the step.

    - `rules`: a function, a list of them, or a dict label -> function; `(function, {...})` fixes hyperparameters and
      options of this rule alone.
    - `gradients`: label -> a function of `t` (and hyperparameters), or a list of numbers that is repeated; the reader
      chooses one. Five common ones where it is not given. `begin` names the first.
    - `steps`, and `step`, the one that is looked at. Hyperparameters by name: a number, a `slider` or a `choice`; `alpha`
      is 1 where it is not given, and the step is shown in units of it.

    Every name that the rule's body gives to a value is drawn: `m` and `m_hat` in one plot, and so on. Every slider is a
    trait; `step`, `gradients` (the index of the sequence) and `hidden` (labels) are traits too. `values()` are the
    numbers in Python. What cannot be drawn is refused with one sentence (`ValueError`, `TraceError`).
    """

    kind = "inside"

    def __init__(self, rules, *, steps=30, step=None, gradients=None, begin=None, caption="", alt=None, **hyper):
        if isinstance(steps, bool) or not isinstance(steps, int) or not 2 <= steps <= 500:
            raise ValueError(f"steps is a whole number from 2 to 500; got {steps!r}")
        self._steps, self._colors, self._controls = steps, [], Controls({"alpha": 1, **hyper})
        rules = rules if isinstance(rules, (dict, list, tuple)) else [rules]
        pairs = list(rules.items()) if isinstance(rules, dict) else [(None, rule) for rule in rules]
        self._rules = [self._rule(label, rule) for label, rule in pairs]
        labels = [rule["label"] for rule in self._rules]
        if not labels or len(set(labels)) < len(labels):
            raise ValueError(f"rules need labels that differ, at least one; got {', '.join(labels) or 'none'}")
        gradients = SEQUENCES if gradients is None else gradients
        if not isinstance(gradients, dict) or not gradients:
            raise ValueError(f"gradients is a dict label -> function of t or numbers; got {gradients!r:.60}")
        self._sequences = [self._sequence(label, given) for label, given in gradients.items()]
        self._controls.known.add("alpha")
        self._controls.refuse_unused("rule or sequence of gradients")
        if begin is not None and begin not in gradients:
            raise ValueError(f"begin is one of {', '.join(gradients)}; got {begin!r}")
        moving = {
            "step": slider(1, steps, steps if step is None else step, step=1).trait(),
            "hidden": Checked(lambda hidden: _known(hidden, labels), []),
        }
        controls = list(self._controls.specs)
        if len(gradients) > 1:
            options = choice({label: i for i, label in enumerate(gradients)}, begin, "gradients")
            moving["gradients"] = options.trait()
            controls.insert(0, options.spec("gradients", "gradients"))
        names = list(dict.fromkeys(name for rule in self._rules for name in rule["names"]))
        code = ", ".join(f"{{ initial: {rule['initial']}, step: {rule['traced'].javascript()} }}" for rule in self._rules)
        sequences = ", ".join(s["traced"].javascript() if "traced" in s else "null" for s in self._sequences)
        alpha = self._controls.given["alpha"]
        spec = {
            "code": f"export const rules = [{code}];\nexport const sequences = [{sequences}];\n",
            "steps": steps,
            "rules": [{key: rule[key] for key in ("label", "color", "hyper", "names", "slots")} for rule in self._rules],
            "sequences": [{key: s[key] for key in ("label", "refs", "numbers") if key in s} for s in self._sequences],
            "plots": _plots(names),
            "labels": {name: _label(name) for name in names},
            "alpha": alpha if is_number(alpha) else "alpha",
            "sliders": controls,
        }
        alt = alt or f"The gradients, {', '.join(map(_label, names))} and the step of {' and '.join(labels)} over {steps} steps."
        super().__init__(spec, {**moving, **self._controls.traits}, caption=caption, alt=alt)

    def _rule(self, label, rule):
        function, own = rule if isinstance(rule, tuple) else (rule, {})
        if not callable(function) or not isinstance(own, dict):
            raise ValueError(f"a rule is a function, or (function, {{...}}); got {rule!r:.60}")
        names = _named(function, own)
        traced = Rule(_watched(function, names), n=1, **own)
        named = label or plots.LABELS.get(traced.name, traced.name.replace("_", " "))
        color = plots.COLORS.get(traced.name) if named == plots.LABELS.get(traced.name) else None
        spare = SPARE[len(self._colors) % len(SPARE)]
        self._colors.append(color or spare)
        initial = "[" + ", ".join(f'"{v}"' if isinstance(v, str) else repr(v) for v in traced.initial) + "]"
        hyper = self._controls.references(named, traced.hyper)
        drawn = [name for name in traced.states if name != "g"]  # the gradient has a plot of its own
        return {"label": named, "color": color or spare, "hyper": hyper, "names": drawn,
                "slots": [1 + traced.states.index(name) for name in drawn],
                "states": traced.states, "traced": traced, "initial": initial, "function": _watched(function, names), "own": own}  # fmt: skip

    def _sequence(self, label, given):
        if callable(given):
            traced = Function(given)
            if len(traced.arguments) != 1 or traced.shape:
                raise ValueError(f"the gradients {label} are one number for one t; got a function of {', '.join(traced.arguments)}")
            return {"label": label, "traced": traced, "refs": self._controls.references(label, traced.parameters)}
        numbers = np.asarray(given, float)
        if numbers.ndim != 1 or not numbers.size or not np.isfinite(numbers).all():
            raise ValueError(f"the gradients {label} are a function of t or a list of finite numbers; got {given!r:.60}")
        return {"label": label, "numbers": round_to(np.resize(numbers, self._steps))}

    # --- the same in Python

    def _read(self, references):
        return [getattr(self, r) if isinstance(r, str) else r for r in references]

    def sequence(self):
        """The gradients of steps 1 to `steps`, shape `(steps,)`."""
        s = self._sequences[getattr(self, "gradients", 0)]
        if "numbers" in s:
            return np.array(s["numbers"])
        t = np.arange(1.0, self._steps + 1)
        return np.broadcast_to(s["traced"](t, **dict(zip(s["traced"].parameters, self._read(s["refs"]), strict=True))), t.shape)

    def values(self):
        """For every rule that is shown, label -> {name -> values after steps 1 to `steps`}; "step" is in units of alpha."""
        g, found = self.sequence(), {}
        for rule in self._rules:
            if rule["label"] in self.hidden:
                continue
            hyper = dict(zip(rule["traced"].hyper, self._read(rule["hyper"]), strict=True)) | rule["own"]
            initial = signature(rule["function"])[0]
            state = [np.zeros(1), *(np.zeros(1) + (0.0 if initial[s] == "phi" else initial[s]) for s in rule["states"])]
            rows, steps = [], []
            for t in range(1, self._steps + 1):
                before = state[0]
                state = list(rule["function"](t, state[0], lambda phi, t=t: g[t - 1] + 0 * phi, *state[1:], **hyper))
                rows.append([part.item() for part in state[1:]])
                steps.append((before - state[0]).item() / self._read([self._spec["alpha"]])[0])
            columns = dict(zip(rule["states"], np.array(rows).T, strict=True))
            found[rule["label"]] = {**{n: columns[n] for n in rule["names"]}, "step": np.array(steps)}
        return found

    def draw(self, figure):
        values, t = self.values(), np.arange(1, self._steps + 1)
        shown = [("gradient", []), *((p["title"], p["names"]) for p in self._spec["plots"]), ("step, in units of α", ["step"])]
        axes = figure.subplots(-(-len(shown) // 2), 2, sharex=True, squeeze=False).ravel()
        axes[0].bar(t, self.sequence(), color="#76828f")
        for (title, names), ax in zip(shown, axes, strict=False):
            ax.set_title(title, loc="left", fontsize=10)
            ax.axhline(0, color="#d5dce4", linewidth=0.8)
            for rule in self._rules:
                for i, name in enumerate(n for n in names if n in values.get(rule["label"], {})):
                    style = ":" if i == 0 and len(names) > 1 else "-"
                    label = rule["label"] if name == "step" else None
                    ax.plot(t, values[rule["label"]][name], style, color=rule["color"], linewidth=1.6, label=label)
        figure.legend(loc="outside upper left", ncols=4, frameon=False)


def _call(function, *arguments, **hyper):
    """What `function` returns, and the values of all names of its body."""
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
    states = [0.5 * np.ones(1) for _ in list(positional)[3:]]
    hyper = {name: 0.5 if default is None else default for name, default in keywords.items()} | own
    _, seen = _call(function, 1, np.ones(1), lambda phi: np.ones(1), *states, **hyper)
    values = {name: value for name, value in seen.items() if name not in positional and name not in keywords}
    return [name for name, value in values.items() if np.size(value) == 1 and not callable(value) and not isinstance(value, str)]


def _watched(function, names):
    """The rule with the named values behind its states, so that one trace shows them all."""

    def watched(*arguments, **hyper):
        given = arguments[: len(arguments) - len(names)]
        result, seen = _call(function, *given, **hyper)
        return *result, *(seen[name] for name in names)

    kind, own = inspect.Parameter, inspect.signature(function).parameters.values()
    extra = [kind(name, kind.POSITIONAL_OR_KEYWORD, default=0.0) for name in names]
    watched.__name__ = function.__name__
    watched.__signature__ = inspect.Signature(
        [p for p in own if p.kind is not p.KEYWORD_ONLY] + extra + [p for p in own if p.kind is p.KEYWORD_ONLY]
    )
    return watched


def _label(name):
    """`m_hat` -> m̂, `v_max` -> v max."""
    head, _, tail = name.partition("_")
    head = GREEK.get(head, head)
    return head + MARKS[tail] if tail in MARKS else f"{head} {tail.replace('_', ' ')}".strip()


def _plots(names):
    """Names of one letter belong together: the state first, what is made of it behind."""
    heads = list(dict.fromkeys(name.partition("_")[0] for name in names))
    groups = [[name for name in names if name.partition("_")[0] == head] for head in heads]
    title = lambda group: ", ".join([_label(group[0]) + " (dashed)" * (len(group) > 1), *map(_label, group[1:])])
    return [{"title": title(group), "names": group} for group in groups]


def _known(hidden, labels):
    unknown = [label for label in hidden if label not in labels]
    if unknown:
        raise ValueError(f"hidden holds labels of rules ({', '.join(labels)}); got {', '.join(map(str, unknown))}")
    return list(hidden)
