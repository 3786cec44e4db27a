"""Controls of figures whose functions are traced: choices, and what each function takes of what is given."""

from dataclasses import dataclass

import traitlets

from fitlib.figures.base import NAMES, Checked, is_number, slider

LABELS = {**NAMES, "phi_0": "φ₀", "phi_1": "φ₁"}


@dataclass(frozen=True)
class choice:
    """A list of named numbers, one of which holds: `choice({"linear": 1, "square root": 0.5}, "linear")`.

    `value` is the name it begins with, else the first. Raises `ValueError` with one sentence.
    """

    options: dict
    value: str | None = None
    label: str | None = None

    def __post_init__(self):
        named = isinstance(self.options, dict) and len(self.options) > 1
        if not named or not all(map(is_number, self.options.values())):
            raise ValueError(
                f"a choice takes two or more named numbers, {{name: number}}; got {self.options!r:.60}"
            )
        if len(set(self.options.values())) < len(self.options):
            raise ValueError(f"the numbers of a choice differ; got {list(self.options.values())}")
        if self.value is None:
            object.__setattr__(self, "value", next(iter(self.options)))
        if self.value not in self.options:
            known = ", ".join(self.options)
            raise ValueError(f"a choice begins with one of its names, {known}; got {self.value!r}")

    def trait(self):
        """The synchronized trait that holds the number."""
        numbers = list(self.options.values())
        return traitlets.Enum(numbers, self.options[self.value]).tag(sync=True)

    def spec(self, name, label):
        """What the front end needs to show it."""
        return {"name": name, "label": self.label or label, "options": list(map(list, self.options.items()))}


class Controls:
    """The numbers, sliders and choices given by name: their traits, specs, and who takes what."""

    def __init__(self, given):
        for name, value in given.items():
            if not (is_number(value) or isinstance(value, (slider, choice))):
                raise ValueError(f"{name} is a number, a slider or a choice; got {value!r:.60}")
        self.given, self.known = given, set()
        moving = {name: value for name, value in given.items() if not is_number(value)}
        self.traits = {name: value.trait() for name, value in moving.items()}
        self.specs = [
            value.spec(name, LABELS.get(name, name.replace("_", " "))) for name, value in moving.items()
        ]

    def references(self, what, parameters):
        """For every parameter (name -> default) of a function: a number, or the name of a control."""
        self.known |= set(parameters)
        values = {name: self.given.get(name, default) for name, default in parameters.items()}
        missing = [name for name, value in values.items() if value is None]
        if missing:
            raise ValueError(f"{what} needs {', '.join(missing)}; give a number, a slider or a choice")
        return [name if name in self.traits else values[name] for name in parameters]

    def refuse_unused(self, what):
        """Raise where something was given that no function takes."""
        unknown = [name for name in self.given if name not in self.known]
        if unknown:
            known = ", ".join(sorted(self.known)) or "nothing"
            raise ValueError(f"no {what} takes {', '.join(unknown)}; they take: {known}")

    def state(self, **own):
        """The traits of a figure: its own and those of the controls."""
        taken = sorted(set(own) & set(self.given))
        if taken:
            raise ValueError(f"{', '.join(taken)} is something else in this figure; rename the parameter")
        return {**own, **self.traits}


def hidden(labels):
    """The trait that holds the labels of what is switched off."""

    def check(chosen):
        unknown = [label for label in chosen if label not in labels]
        if unknown:
            known = ", ".join(labels)
            raise ValueError(f"hidden holds labels out of {known}; got {', '.join(map(str, unknown))}")
        return list(chosen)

    return Checked(check, [])


def rule_code(rule):
    """JavaScript of a traced rule: `{ initial, step }`."""
    initial = ", ".join(f'"{v}"' if isinstance(v, str) else repr(v) for v in rule.initial)
    return f"{{ initial: [{initial}], step: {rule.javascript()} }}"
