"""`Ruler`: the unit ball of a norm, a gradient that is dragged, the step it gives, and where such steps lead."""

import numpy as np

from fitlib import plots
from fitlib.figures.base import Checked, Figure, is_number, round_to
from fitlib.figures.controls import Controls, rule_code
from fitlib.fitting import fit
from fitlib.losses import Loss
from fitlib.symbolic import Function, Rule

REACH = 1.6  # of the ball's panel, from the middle to each side


class Ruler(Figure):
    """A norm by its unit ball, the steepest step for a gradient, and the path of such steps on a loss.

    - `direction`: a plain function of a gradient `g` `(2,)` and of parameters by keyword, traced: the point of
      the unit ball that lies farthest against `g`. The ball is drawn by it, through all directions of `g`.
    - `rule`: one step on `loss`, a `Loss` over two parameters with a box, from `start`, `steps` times.
    - `pull`: the gradient at first, two numbers; the reader drags it.
    - `norm`: the name of a slider from 0 to 1 that is shown as p = 1 / (1 - value).

    Parameters of all three by name: a number, a `slider` or a `choice`. Every slider is a trait, and so is
    `pull`. `step()`, `ball()` and `run()` are the numbers in Python. What cannot be drawn is refused with one
    sentence (`ValueError`, `TraceError`).
    """

    kind = "ruler"
    size = (7.6, 3.8)

    def __init__(
        self,
        direction,
        rule,
        loss,
        *,
        start,
        steps,
        pull=(0.8, 0.5),
        norm=None,
        caption="",
        alt=None,
        **given,
    ):
        if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= 2000:
            raise ValueError(f"steps is a whole number from 1 to 2000; got {steps!r}")
        if not isinstance(loss, Loss) or loss.n != 2 or loss.box is None or loss.data:
            raise ValueError("loss is a Loss over two parameters, with a box and without data")
        self._direction, self._traced = Function(direction, g=2), Rule(rule)
        if self._direction.shape != (2,) or list(self._direction.arguments) != ["g"]:
            raise ValueError(f"{self._direction.name} takes a gradient g and returns two numbers")
        self._rule, self._loss, self._start, self._steps = rule, loss, _pair("start", start), steps
        self._controls = controls = Controls(given)
        references = {
            "ball": controls.references(self._direction.name, self._direction.parameters),
            "hyper": controls.references(self._traced.name, self._traced.hyper),
            "parameters": controls.references(loss.name, loss.parameters),
        }
        controls.refuse_unused("direction, rule or loss")
        if norm is not None and norm not in controls.traits:
            raise ValueError(f"norm names a slider; got {norm!r:.60}")
        spec = {
            **references,
            "code": f"export const direction = {self._direction.javascript()};\n"
            f"export const rule = {rule_code(self._traced)};\n"
            f"export const loss = {loss.javascript('value')};\n"
            f"export const gradient = {loss.javascript('gradient')};\n",
            "reach": REACH,
            "norm": norm,
            "box": round_to(loss.box),
            "start": self._start,
            "steps": steps,
            "sliders": controls.specs,
        }
        own = {"pull": Checked(lambda value: _pair("pull", value, REACH), pull)}
        alt = alt or f"A unit ball, a gradient and the step it gives; {steps} such steps on {loss.name}."
        super().__init__(spec, controls.state(**own), caption=caption, alt=alt)

    def _named(self, key, names):
        state = self.state()
        return {name: state.get(ref, ref) for name, ref in zip(names, self._spec[key], strict=True)}

    def step(self, g=None):
        """The steepest step of the unit ball for gradients `g` `(2, ...)`, or for the one that is shown."""
        g = np.asarray(self.pull if g is None else g, float)
        return self._direction(g, **self._named("ball", self._direction.parameters))

    def ball(self, points=720):
        """The edge of the unit ball `(2, points + 1)`: the steps for gradients of all directions."""
        angle = (
            2 * np.pi * (np.arange(points + 1) + 0.5) / points
        )  # half a part aside: no gradient along an axis
        return self.step(np.stack([np.cos(angle), np.sin(angle)]))

    def run(self):
        """The run of the rule on the loss, with the settings of now."""
        loss = self._loss.at(**self._named("parameters", self._loss.parameters))
        return fit(self._rule, loss, self._start, self._steps, **self._named("hyper", self._traced.hyper))

    def draw(self, figure):
        left, right = figure.subplots(1, 2)
        (gx, gy), (dx, dy), run = self.pull, self.step(), self.run()
        left.plot(*self.ball(), color="#76828f")
        for (x, y), color, name in (((gx, gy), "#1b2430", "gradient"), ((dx, dy), "#0b61b8", "step")):
            left.annotate(
                "", (x, y), (0, 0), arrowprops={"arrowstyle": "->", "color": color, "linewidth": 1.8}
            )
            left.annotate(name, (x, y), xytext=(5, 5), textcoords="offset points", color=color)
        left.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal")
        loss = self._loss.at(**self._named("parameters", self._loss.parameters))
        plots.landscape(loss, self._loss.box, right)
        plots.path(run.path, right, color="#0b61b8")


def _pair(name, value, reach=np.inf):
    """Two finite numbers of size `reach` at most, as a list."""
    pair = value if isinstance(value, (list, tuple, np.ndarray)) else []
    if len(pair) != 2 or not all(is_number(v) and abs(v) <= reach for v in pair):
        limit = "" if np.isinf(reach) else f" from {-reach} to {reach}"
        raise ValueError(f"{name} is a pair of finite numbers{limit}; got {value!r:.60}")
    return [float(v) for v in pair]
