"""`interact` and its controls under the names of ipywidgets, for a page that draws them itself.

The real ones bring IPython and a kernel's messages, 2.7 s in the browser before the first slider stands. This
is what the cells of a book use of them: abbreviations such as `(0.0, 1.0)` mean the same.
"""

import inspect
import math

CREATED = []  # what `interact` made since the session last looked


class Control:
    """A value that the reader moves; `spec(name)` is what the page draws."""

    def __init__(self, value=None, *, description="", **rest):
        self.value, self.description = value, description

    def spec(self, name):
        label = self.description or name
        return {"name": name, "label": label, "kind": self.kind, "value": self.shown(), **self.range()}

    def shown(self):
        """The value as the page has it."""
        return self.value

    def read(self, shown):
        """Take a value from the page."""
        self.value = shown

    def range(self):
        return {}


class FloatSlider(Control):
    kind, number, base = "range", float, None

    def __init__(self, value=None, min=0, max=100, step=None, **rest):
        super().__init__(**rest)
        self.min, self.max = self.number(min), self.number(max)
        self.step = self.number(self.usual_step if step is None else step)
        self.value = self.number(self.min if value is None else value)

    usual_step = 0.1

    def read(self, shown):
        self.value = self.number(min(max(shown, self.min), self.max))

    def range(self):
        return {"lo": self.min, "hi": self.max, "step": self.step, "base": self.base}


class IntSlider(FloatSlider):
    number, usual_step = int, 1


class FloatLogSlider(FloatSlider):
    """A slider of the exponent: `min`, `max` and `step` are exponents of `base`."""

    def __init__(self, value=1.0, base=10.0, min=0, max=4, step=0.1, **rest):
        super().__init__(value, min, max, step, **rest)
        self.base = base

    def shown(self):
        return round(math.log(self.value, self.base), 9)

    def read(self, shown):
        super().read(shown)
        self.value = self.base**self.value


class Checkbox(Control):
    kind = "check"

    def __init__(self, value=False, **rest):
        super().__init__(bool(value), **rest)


class Dropdown(Control):
    kind = "choice"

    def __init__(self, options=(), value=None, **rest):
        super().__init__(**rest)
        pairs = options.items() if isinstance(options, dict) else options
        self.options = [pair if isinstance(pair, tuple) else (str(pair), pair) for pair in pairs]
        self.value = self.options[0][1] if value is None else value

    def shown(self):
        return [value for _, value in self.options].index(self.value)

    def read(self, shown):
        self.value = self.options[shown][1]

    def range(self):
        return {"options": [text for text, _ in self.options]}


FloatText = BoundedFloatText = FloatSlider
IntText = BoundedIntText = IntSlider
ToggleButton = Checkbox
Select = RadioButtons = ToggleButtons = Dropdown


class fixed:
    """An argument without a control."""

    def __init__(self, value):
        self.value = value


def control(name, given):
    """The control for an abbreviation: a tuple `(lo, hi[, step])`, a number, a bool, a list or a dict."""
    if isinstance(given, (Control, fixed)):
        return given
    if isinstance(given, bool):
        return Checkbox(given)
    if isinstance(given, (int, float)):
        lo, hi = (-given, 3 * given) if given > 0 else (3 * given, -given) if given < 0 else (0, 1)
        return (IntSlider if isinstance(given, int) else FloatSlider)(given, lo, hi)
    numbers = isinstance(given, tuple) and all(isinstance(part, (int, float)) for part in given)
    if numbers and len(given) in (2, 3):
        whole = all(isinstance(part, int) for part in given)
        lo, hi, *step = given
        middle = lo + (hi - lo) // 2 if isinstance(lo, int) and isinstance(hi, int) else lo + (hi - lo) / 2
        return (IntSlider if whole else FloatSlider)(middle, lo, hi, *step)
    if isinstance(given, (list, tuple, dict)) and given:
        return Dropdown(given)
    raise ValueError(f"{name} is a control, (lo, hi), a number, a bool, or a list; got {given!r:.60}")


class Interaction:
    """A function and the controls of its arguments."""

    def __init__(self, function, given):
        parameters = inspect.signature(function).parameters
        defaults = {n: p.default for n, p in parameters.items() if p.default is not p.empty}
        self.function, self.controls = function, {}
        for name in [*parameters, *(n for n in given if n not in parameters)]:
            if parameters.get(name) and parameters[name].kind in (2, 4):  # *args, **kwargs
                continue
            if name not in given and name not in defaults:
                raise ValueError(f"interact needs a control for {name}")
            self.controls[name] = control(name, given.get(name, defaults.get(name)))
            if name in given and isinstance(given[name], (tuple, list, dict)) and name in defaults:
                self._begin(self.controls[name], defaults[name])

    @staticmethod
    def _begin(control, value):
        """An abbreviation begins at the default of its argument."""
        inside = not hasattr(control, "min") or control.min <= value <= control.max
        if inside and (not hasattr(control, "options") or value in [v for _, v in control.options]):
            control.value = value

    def specs(self):
        return [one.spec(name) for name, one in self.controls.items() if isinstance(one, Control)]

    def __call__(self):
        return self.function(**{name: one.value for name, one in self.controls.items()})


def interact(function=None, **given):
    """Call `function` with what the controls say, again whenever the reader moves one; also a decorator."""
    if function is None:
        return lambda function: interact(function, **given)
    CREATED.append(Interaction(function, given))
    return function
