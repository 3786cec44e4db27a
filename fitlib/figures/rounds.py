"""`Rounds`: one step of Muon from inside: what each round makes of the singular values of a memory, live."""

import numpy as np
import traitlets

from fitlib import plots
from fitlib.figures.base import Figure, round_to, slider
from fitlib.symbolic import Function, TraceError

COLORS = {"gradient": "#76828f", "memory": plots.COLORS["gradient_descent"], "step": plots.COLORS["momentum"]}
LEAST = 1e-4  # the smallest singular value that is drawn, as a share of the matrix


class Rounds(Figure):
    """Singular values of gradient, memory and step, and the curve that rounds of a polynomial make of them.

    - `polynomials`: label -> function of one number, what a round makes of a singular value; its parameters
      have defaults. `memory(m, g, *, beta)` is the memory after a gradient.
    - `gradients`: matrices `(steps, rows, columns)`, one after the other. The memory starts at 0; what goes
      through the rounds is the memory looked ahead, `memory(m, g)` once more, over its length.
    - `beta` and `rounds`: sliders; `step`: the step it begins at.

    Traits: `polynomial` (the place of a label), `beta`, `rounds`, `step`. `values()` are the numbers in Python.
    Raises `ValueError` or `TraceError` with one sentence.
    """

    kind = "rounds"

    def __init__(self, polynomials, memory, gradients, *, beta=None, rounds=None, step=None, caption="", alt=None):
        gradients = np.asarray(gradients, float)
        if gradients.ndim != 3 or not np.isfinite(gradients).all() or not gradients.any(axis=(1, 2)).all():
            raise ValueError("gradients are finite matrices (steps, rows, columns), none of them 0")
        gradients = gradients.swapaxes(1, 2) if gradients.shape[1] > gradients.shape[2] else gradients
        self._gradients = np.array(round_to(gradients))
        self._polynomials = {label: Function(f) for label, f in polynomials.items()}
        self._memory = Function(memory)
        for label, f in self._polynomials.items():
            if len(f.arguments) != 1 or f.shape:
                raise TraceError(f"{label} makes one number of one number")
        if len(self._memory.arguments) != 2 or list(self._memory.parameters) != ["beta"]:
            raise TraceError("memory takes (m, g, *, beta) and gives one number")
        steps = len(gradients)
        self._sliders = {
            "rounds": rounds or slider(0, 9, 5, step=1, label="rounds"),
            "beta": beta or slider(0, 0.99, 0.95, label="momentum β"),
            "step": slider(1, steps, steps if step is None else step, step=1, label="step"),
        }
        options = [[label, i] for i, label in enumerate(self._polynomials)]
        functions = ", ".join(f"[{f.javascript()}, {list(f.parameters.values())}]" for f in self._polynomials.values())
        spec = {
            "code": f"export const polynomials = [{functions}];\nexport const memory = {self._memory.javascript()};\n",
            "gradients": round_to(self._gradients.reshape(steps, -1)),
            "shape": list(self._gradients.shape[1:]),
            "colors": COLORS,
            "least": LEAST,
            "choice": {"name": "polynomial", "label": "polynomial", "options": options},
            "sliders": [one.spec(name, one.label or name) for name, one in self._sliders.items()],
        }  # fmt: skip
        traits = {name: one.trait() for name, one in self._sliders.items()}
        traits["polynomial"] = traitlets.Enum(list(range(len(options))), 0).tag(sync=True)
        alt = alt or "Singular values of gradient, memory and step, and the curve that leads from memory to step."
        super().__init__(spec, traits, caption=caption, alt=alt)

    def curve(self, s):
        """What the rounds of now make of singular values `s`."""
        f = list(self._polynomials.values())[self.polynomial]
        for _ in range(self.rounds):
            s = f(s)
        return s

    def values(self):
        """Singular values, falling: of the gradient and of the memory, as shares of their length, and of the step.

        Those of the step stand below the memory's that they come from.
        """
        m = np.zeros(self._gradients.shape[1:])
        for g in self._gradients[: self.step]:
            m = self._memory(m, g, beta=self.beta)
        shares = [np.linalg.svd(a / np.linalg.norm(a))[1] for a in (g, self._memory(m, g, beta=self.beta))]
        return {"gradient": shares[0], "memory": shares[1], "step": np.abs(self.curve(shares[1]))}

    def draw(self, figure):
        values, (left, right) = self.values(), figure.subplots(1, 2)
        s = np.geomspace(LEAST, 1, 401)
        left.plot(s, self.curve(s), color="#76828f")
        left.plot(values["memory"], values["step"], "o", color=COLORS["step"], markersize=4)
        left.axhline(1, color="black", linestyle="--", linewidth=1)
        left.set(xscale="log", xlabel="singular value of the memory", ylim=(0, 1.35), xlim=(LEAST, 1))
        left.set_title(f"after {self.rounds} rounds", loc="left", fontsize=10)
        number = np.arange(1, len(values["step"]) + 1)
        for name, ys in values.items():
            right.plot(number, np.maximum(ys, LEAST), ".-", color=COLORS[name], label=name, linewidth=1)
        right.set(yscale="log", ylim=(LEAST, 2), xlabel="number")
        right.set_title("singular values", loc="left", fontsize=10)
        right.legend(frameon=False)
