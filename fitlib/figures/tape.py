"""`Tape`: a function line by line, its values forward and its derivatives backward, live."""

import ast
import re

import numpy as np

from fitlib.equations import body_of, evaluate
from fitlib.figures.base import Figure, is_number, slider
from fitlib.symbolic import Expressions, Traced, TraceError, constants, signature, statements, symbols

GREEK = {"phi": "φ", "alpha": "α", "beta": "β", "gamma": "γ", "theta": "θ"}
BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
ABOVE = {"2": "²", "3": "³"}


class Tape(Figure):
    """The lines of a function as a graph: every line a node, with its value and the derivative of the result.

    - `function`: a plain function of numbers; each of its lines gives one new name, the last returns one
      value. Every line is traced and differentiated by itself.
    - a number or a `slider` for every argument that has no default, by name. `output` names the result.
    - `step`: 0 shows the inputs, 1 to m the lines forward, m + 1 to 2m the same lines backward (the default).

    Every slider is a trait of its name; `step` is a trait too. `values()` are the numbers in Python. What
    cannot be drawn is refused with one sentence (`ValueError`, `TraceError`).
    """

    kind = "tape"
    size = (7.6, 3.6)

    def __init__(self, function, *, output="L", step=None, caption="", alt=None, **given):
        arguments = {name: value for part in signature(function) for name, value in part.items()}
        unknown = [name for name in given if name not in arguments]
        if unknown:
            named, known = ", ".join(unknown), ", ".join(arguments)
            raise ValueError(f"{function.__name__} takes no {named}; it takes: {known}")
        inputs = {name: given.get(name, value) for name, value in arguments.items()}
        for name, value in inputs.items():
            if not (is_number(value) or isinstance(value, slider)):
                raise ValueError(f"{name} is a number or a slider; got {value!r:.60}")
        self._inputs = inputs
        self._nodes = [{"name": name, "text": "", "parents": []} for name in inputs]
        self._expressions = []
        for line in body_of(function):
            self._add(line, function, output)
        lines = len(self._expressions)
        last = 2 * lines
        if step is not None and not (isinstance(step, int) and 0 <= step <= last):
            raise ValueError(f"step is a whole number from 0 to {last}; got {step!r}")
        scrubber = slider(0, last, last if step is None else step, step=1)
        moving = {name: value for name, value in inputs.items() if isinstance(value, slider)}
        self._layers = self._arrange()
        spec = {
            "code": f"export const run = {self._javascript()};\n",
            "nodes": [
                {**node, "name": written(node["name"]), "place": place, "many": many, "layer": layer}
                for node, (layer, place, many) in zip(self._nodes, self._layers, strict=True)
            ],
            "inputs": [name if name in moving else float(value) for name, value in inputs.items()],
            "lines": lines,
            "sliders": [value.spec(name, written(name)) for name, value in moving.items()],
            "scrubber": scrubber.spec("step", "step"),
        }
        alt = (
            alt or f"The {lines} lines of {function.__name__} as a graph, each with its value and derivative."
        )
        traits = {"step": scrubber.trait(), **{name: value.trait() for name, value in moving.items()}}
        super().__init__(spec, traits, caption=caption, alt=alt)

    def _add(self, line, function, output):
        """One line of the function as a node, traced by the names before it."""
        returned = isinstance(line, ast.Return)
        targets = [output] if returned else [ast.unparse(target) for target in line.targets]
        names = [node["name"] for node in self._nodes]
        if len(targets) > 1 or not targets[0].isidentifier() or targets[0] in names:
            raise TraceError(f"a line gives one new name; not so: {ast.unparse(line)[:60]}")
        values = evaluate(line.value, function, {name: Traced(symbols(name)) for name in names})
        if len(values) > 1 or not isinstance(values[0], Traced) or values[0].shape != ():
            text = ast.unparse(line)[:60]
            raise TraceError(f"a line gives one number made of the names before it; not so: {text}")
        expr = values[0].exprs.item()
        parents = [i for i, name in enumerate(names) if symbols(name).item() in expr.free_symbols]
        traced = Expressions({names[i]: symbols(names[i]) for i in parents}, {}, [expr])
        slopes = [traced.gradient(names[i]).exprs[0] for i in parents]
        self._expressions.append(Expressions(traced.arguments, {}, [expr, *slopes]))
        self._nodes.append({"name": targets[0], "text": written(ast.unparse(line.value)), "parents": parents})

    def _arrange(self):
        """For every node its layer, its place there and how many there are; inputs stand before their use."""
        count, depth = len(self._inputs), []
        for node in self._nodes:
            depth.append(1 + max((depth[i] for i in node["parents"]), default=-1))
        for i in range(count):
            uses = [depth[k] for k, node in enumerate(self._nodes) if i in node["parents"]]
            depth[i] = min(uses, default=1) - 1
        layers = [[i for i in range(len(depth)) if depth[i] == layer] for layer in range(max(depth) + 1)]
        layers = [sorted(layer, key=lambda i: (i < count, i)) for layer in layers]
        return [(depth[i], layers[depth[i]].index(i), len(layers[depth[i]])) for i in range(len(depth))]

    def _javascript(self):
        """Text of `($v, $d) => {...}`: from the inputs in `$v` all values there, and the factors in `$d`."""
        text, count, edge = "($v, $d) => {\n", len(self._inputs), 0
        for i, traced in enumerate(self._expressions, count):
            targets = [f"$v[{i}] = ", *(f"$d[{edge + k}] = " for k in range(len(traced.arguments)))]
            names = constants([node["name"] for node in self._nodes[:i]], "$v", "    ")
            text += f"  {{\n{names}{statements(traced.exprs, targets, '    ')}  }}\n"
            edge += len(traced.arguments)
        return text + "}"

    def values(self, step=None):
        """The numbers at the present inputs: name -> (value, derivative of the result by it).

        What `step` has not reached is nan; without it all is there.
        """
        lines, last = self._spec["lines"], self._nodes[-1]["name"]
        step = 2 * lines if step is None else step
        value = {k: getattr(self, k) if isinstance(v, slider) else v for k, v in self._inputs.items()}
        factors = []
        for node, traced in list(zip(self._nodes[len(value) :], self._expressions, strict=True))[:step]:
            result = [float(v) for v in traced.numpy(*(value[name] for name in traced.arguments))]
            value[node["name"]] = result[0]
            factors.append((node["name"], dict(zip(traced.arguments, result[1:], strict=True))))
        used = {i for node in self._nodes for i in node["parents"]}
        unused = {node["name"]: 0.0 for i, node in enumerate(self._nodes) if i not in used}
        derivative = unused | {last: 1.0} if step > lines else {}
        for name, slopes in factors[::-1][: max(0, step - lines)]:
            for parent, factor in slopes.items():
                derivative[parent] = derivative.get(parent, 0.0) + factor * derivative[name]
        names, nan = [node["name"] for node in self._nodes], float("nan")
        return {name: (value.get(name, nan), derivative.get(name, nan)) for name in names}

    def draw(self, figure):
        ax, numbers = figure.subplots(), self.values(self.step)
        at = [(layer, -(place + 0.5) / many) for layer, place, many in self._layers]
        for i, node in enumerate(self._nodes):
            for parent in node["parents"]:
                ax.plot(*np.transpose([at[parent], at[i]]), color="#b8c2cc", linewidth=1, zorder=0)
            value, derivative = ("" if np.isnan(v) else f"{v:.3g}" for v in numbers[node["name"]])
            result = written(self._nodes[-1]["name"])
            text = f"{written(node['name'])} = {node['text'] or 'input'}\n{value}\n∂{result} {derivative}"
            ax.text(*at[i], text, ha="center", va="center", fontsize=8,
                    bbox={"boxstyle": "round", "facecolor": "white", "edgecolor": "#76828f"})  # fmt: skip
        ax.set(xlim=(-0.5, self._layers[-1][0] + 0.5), ylim=(-1, 0))
        ax.axis("off")


def written(source):
    """Python as mathematics is written: `phi0 + 0.06 * x**2` -> φ₀ + 0.06·x²."""
    text = re.sub(r"\bnp\.", "", source)
    text = re.sub(r"\s*\*\*\s*([23])\b(?!\.)", lambda match: ABOVE[match[1]], text)
    text = re.sub(r"\b([a-zA-Z]+?)_?(\d+)\b", lambda match: match[1] + match[2].translate(BELOW), text)
    text = re.sub("[a-zA-Z]+", lambda match: GREEK.get(match[0], match[0]), text)
    return text.replace(" * ", "·").replace("-", "−").replace(" / ", "/")
