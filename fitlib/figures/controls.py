"""Controls of figures whose functions are traced: sliders and choices by name, and what each function takes of them."""

from dataclasses import dataclass

import traitlets

from fitlib.figures.base import NAMES, is_number, slider

LABELS = {**NAMES, "phi_0": "φ₀", "phi_1": "φ₁"}


@dataclass(frozen=True)
class choice:
    """A list of named numbers, one of which holds: `choice({"linear": 1, "square root": 0.5}, "linear")`.

    `value` is the name it begins with, the first where none is given. Raises `ValueError` with one sentence.
    """

    options: dict
    value: str | None = None
    label: str | None = None

    def __post_init__(self):
        if not isinstance(self.options, dict) or len(self.options) < 2 or not all(map(is_number, self.options.values())):
            raise ValueError(f"a choice takes two or more named numbers: {{name: number}}; got {self.options!r:.60}")
        if len(set(self.options.values())) < len(self.options):
            raise ValueError(f"the numbers of a choice differ; got {', '.join(map(str, self.options.values()))}")
        if self.value is None:
            object.__setattr__(self, "value", next(iter(self.options)))
        if self.value not in self.options:
            raise ValueError(f"a choice begins with one of its names, {', '.join(self.options)}; got {self.value!r}")

    def trait(self):
        """The synchronized trait that holds the number."""
        return traitlets.Enum(list(self.options.values()), self.options[self.value]).tag(sync=True)

    def spec(self, name, label):
        return {"name": name, "label": self.label or label, "options": [[text, v] for text, v in self.options.items()]}


class Controls:
    """The values given by name: numbers, sliders and choices. `references` says what a traced function takes of them."""

    def __init__(self, given):
        wrong = [name for name, value in given.items() if not (is_number(value) or isinstance(value, (slider, choice)))]
        if wrong:
            raise ValueError(f"{wrong[0]} is a number, a slider or a choice; got {given[wrong[0]]!r:.60}")
        self.given, self.known = given, set()
        moving = {name: value for name, value in given.items() if not is_number(value)}
        self.traits = {name: value.trait() for name, value in moving.items()}
        self.specs = [value.spec(name, LABELS.get(name, name.replace("_", " "))) for name, value in moving.items()]

    def references(self, name, parameters):
        """For every parameter (name -> default) of the function called `name`: a number, or the name of a control."""
        self.known |= set(parameters)
        values = {parameter: self.given.get(parameter, default) for parameter, default in parameters.items()}
        missing = [parameter for parameter, value in values.items() if value is None]
        if missing:
            raise ValueError(f"{name} needs {', '.join(missing)}; give a number, a slider or a choice")
        return [parameter if parameter in self.traits else values[parameter] for parameter in parameters]

    def refuse_unused(self, what):
        """Raise where something was given that no function takes."""
        unknown = [name for name in self.given if name not in self.known]
        if unknown:
            known = ", ".join(sorted(self.known)) or "nothing"
            raise ValueError(f"no {what} takes {', '.join(unknown)}; they take: {known}")
