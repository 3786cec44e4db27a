"""What every live figure shares: a widget, its spec, its picture, and sliders that are traits.

A figure is an anywidget. Python prepares its spec (traced code, ranges, labels), JavaScript computes and
draws. Each slider is a synchronized trait of its own. Beside the widget a figure shows itself as HTML: the
spec as JSON with a picture of the present state, which `host.js` turns into the live figure on a page
without a kernel.
"""

import base64
import html
import io
import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import traitlets

try:
    from anywidget import AnyWidget
except ModuleNotFoundError:  # in the page: no kernel, so nothing to synchronize with
    AnyWidget = traitlets.HasTraits

HERE = Path(__file__).parent

SYMBOLS = {"alpha": "α", "beta": "β", "gamma": "γ", "eps": "ε", "kappa": "κ"}
NAMES = {
    "alpha": "learning rate α",
    "beta": "momentum β",
    "gamma": "memory of squares γ",
    "eps": "ε",
    "decay": "weight decay",
    "kappa": "condition number κ",
    "angle": "angle (radians)",
    "seed": "seed of the batches",
}


@cache
def source(name):
    """The text of a JavaScript file of this folder."""
    return (HERE / f"{name}.js").read_text(encoding="utf-8")


def module(kind):
    """The front-end module of a figure kind: the kit and its own source as one text."""
    return f"{source('kit')}\n{source(kind)}"


@dataclass(frozen=True)
class slider:
    """A range from `lo` to `hi` that begins at `value`, in steps of `step`, or logarithmic.

    `step` is found where it is not given: a round number, about a hundredth of the range. Where `lo`,
    `value` and `step` are whole the trait is an integer. Raises `ValueError` with one sentence.
    """

    lo: float
    hi: float
    value: float
    log: bool = False
    step: float | None = None
    label: str | None = None

    def __post_init__(self):
        numbers = [self.lo, self.hi, self.value]
        if not all(is_number(v) for v in numbers):
            raise ValueError(f"a slider takes finite numbers lo, hi, value; got {numbers}")
        if not self.lo < self.hi or not self.lo <= self.value <= self.hi:
            raise ValueError(f"a slider needs lo <= value <= hi and lo < hi; got {numbers}")
        if self.log and self.lo <= 0:
            raise ValueError(f"a logarithmic slider needs lo above 0; got {self.lo}")
        if self.step is not None and not (is_number(self.step) and self.step > 0):
            raise ValueError(f"the step of a slider is a number above 0; got {self.step!r}")
        if self.step is None and not self.log:
            power = 10.0 ** math.floor(math.log10((self.hi - self.lo) / 100))
            fitting = max(m for m in (1, 2, 5, 10) if m * power <= (self.hi - self.lo) / 99 * (1 + 1e-9))
            object.__setattr__(self, "step", float(f"{fitting * power:.6g}"))

    @property
    def whole(self):
        return not self.log and all(float(v).is_integer() for v in (self.lo, self.value, self.step))

    def trait(self):
        """The synchronized trait that holds the value."""
        kind = traitlets.Int if self.whole else Number
        return kind(self.value, min=self.lo, max=self.hi).tag(sync=True)

    def spec(self, name, label):
        shape = {"log": True} if self.log else {"step": self.step}
        return {
            "name": name,
            "label": self.label or label,
            "lo": self.lo,
            "hi": self.hi,
            "whole": self.whole,
            **shape,
        }


class Number(traitlets.Float):
    """A finite float."""

    def validate(self, obj, value):
        value = super().validate(obj, value)
        if not math.isfinite(value):
            raise traitlets.TraitError(f"{self.name} is a finite number; got {value}")
        return value


class Checked(traitlets.List):
    """A list that `check(value)` accepts: it returns what is kept or raises `ValueError`."""

    def __init__(self, check, default):
        super().__init__(default_value=check(default))
        self.check = check
        self.tag(sync=True)

    def validate(self, obj, value):
        try:
            return super().validate(obj, self.check(value))
        except (ValueError, TypeError) as error:
            raise traitlets.TraitError(str(error)) from None


def is_number(value):
    """Whether a value is a finite real number, and not a bool."""
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    return real and math.isfinite(value)


def round_to(value, digits=6):
    """A number, or lists of them, to so many significant digits: the last bits differ between machines."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return [round_to(v, digits) for v in value]
    return float(f"{float(value):.{digits}g}")


class Figure(AnyWidget):
    """A live figure. A kind has `kind`, the stem of its module, and draws its picture: `draw(figure)`.

    `spec` is plain data; `traits`, name -> trait, is the state, synchronized with the browser; `alt` says
    what is to be seen, `caption` asks a question. Raises `ValueError` where a trait would hide something a
    widget has.
    """

    kind = None
    size = (7.6, 4.1)  # of the picture, inches
    _css = (HERE / "figures.css").read_text(encoding="utf-8")
    _spec = traitlets.Dict().tag(sync=True)

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if "kind" in cls.__dict__:  # not where traits are added to an instance, which also makes a class
            cls._esm = module(cls.kind)

    def __init__(self, spec, traits, *, caption, alt):
        taken = [name for name in traits if hasattr(type(self), name)]
        if taken:
            raise ValueError(
                f"a widget already has something called {', '.join(taken)}; rename the hyperparameter"
            )
        self._state = list(traits)
        self.add_traits(**traits)
        super().__init__()
        self._spec = {**spec, "caption": caption, "alt": alt, "state": self.state()}

    def state(self):
        """The state as a dict: the value of every slider, and what else the reader can move."""
        return {name: getattr(self, name) for name in self._state}

    def now(self):
        """The spec at the present state: all that a page needs to draw the figure."""
        return {**self._spec, "state": self.state()}

    def picture(self):
        """The present state as the bytes of a PNG file, in few colors so that it is small."""
        from matplotlib.figure import Figure as Canvas
        from PIL import Image

        canvas = Canvas(figsize=self.size, dpi=100, layout="constrained")
        self.draw(canvas)
        large, small = io.BytesIO(), io.BytesIO()
        canvas.savefig(large, format="png", metadata={"Software": None})
        few = Image.open(large).convert("RGB").quantize(96, dither=Image.Dither.NONE)
        few.save(small, format="png", optimize=True)
        return small.getvalue()

    def fallback(self):
        """What shows where no script runs, as HTML: the picture and the caption."""
        picture = base64.b64encode(self.picture()).decode()
        alt, caption = html.escape(self._spec["alt"]), html.escape(self._spec["caption"])
        return f'<img alt="{alt}" src="data:image/png;base64,{picture}"><p>{caption}</p>'

    def html(self):
        """The figure as HTML: its spec at the present state, and what shows where no script runs."""
        spec = json.dumps(self.now(), allow_nan=False, ensure_ascii=False)
        spec = spec.replace("<", "\\u003c")  # no end of the script before its end
        return (
            f'<div class="fm-figure" data-kind="{self.kind}">'
            f'<script type="application/json">{spec}</script>{self.fallback()}</div>'
        )

    def __repr__(self):
        return f"{type(self).__name__}({self._spec['alt']})"

    def _repr_mimebundle_(self, **options):
        bundle, metadata = super()._repr_mimebundle_(**options)
        return {**bundle, "text/html": self.html()}, metadata
