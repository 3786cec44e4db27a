"""Equations from the source of a function: each line of code gives one line of mathematics, in its order."""

import ast
import inspect
import textwrap

import numpy as np
import sympy as sp

from fitlib.symbolic import Traced, TraceError, as_expressions, number, signature, split

NAMES = {
    "phi": r"\phi", "eps": r"\epsilon", "decay": r"\lambda", "steps": "T", "grad": r"\nabla L", "limit": "c",
    "kappa": r"\kappa", "angle": r"\theta",
}  # fmt: skip


def latex_name(name):
    """LaTeX of a Python name: `m_hat` -> `\\hat{m}`, `v_max` -> `v^{\\max}`, Greek by SymPy, words upright."""
    if name in NAMES:
        return NAMES[name]
    head, _, tail = name.partition("_")
    if tail == "hat":
        return rf"\hat{{{latex_name(head)}}}"
    if tail in ("max", "min"):
        return rf"{latex_name(head)}^{{\{tail}}}"
    greek = sp.latex(sp.Symbol(name))
    if len(name) == 1 or greek.startswith("\\"):
        return greek
    return rf"\text{{{name.replace('_', ' ')}}}"


class Written(Traced):
    """Traced values that keep the form in which they were written."""

    __slots__ = ()

    @staticmethod
    def apply(function, *inputs):
        with sp.evaluate(False):
            return np.frompyfunc(_flat(function), len(inputs), 1)(*map(as_expressions, inputs))

    def __array_function__(self, function, types, args, kwargs):
        if function is np.linalg.norm:
            return named(rf"\lVert {text(args[0])} \rVert")
        return super().__array_function__(function, types, args, kwargs)

    def __getitem__(self, index):  # a component of what is written as one symbol
        return named(f"{text(self)}_{{{index}}}")

    def __iter__(self):
        return (self[i] for i in range(2))


def _flat(function):
    """`function`, with sums of sums and products of products as one, so that no brackets are printed for them."""

    def build(*args):
        expr = function(*args)
        if isinstance(expr, (sp.Add, sp.Mul)):
            kind = type(expr)
            parts = [part for arg in expr.args for part in (arg.args if isinstance(arg, kind) else [arg])]
            return kind(*parts, evaluate=False)
        return expr

    return build


def named(latex):
    """A value that is written as this LaTeX."""
    return Written(sp.Symbol(latex, real=True))


def text(value):
    """LaTeX of a written value, its terms in the order of the code."""
    return (
        sp.latex(value.exprs.item(), order="none") if isinstance(value, Traced) else sp.latex(number(value))
    )


def equations(function, *, left=None, before="t-1", after="t", **options):
    """LaTeX pairs (left side, right side), one for each line of `function`.

    In a rule, `phi`, its states and what is computed from them carry time indices: `before` the step and `after` it.
    `left` is the left side of the last line of any other function. Keyword arguments fix options.
    Raises `TraceError` for a function whose lines are anything but assignments and a return.
    """
    positional, keywords = signature(function)
    variables, fixed = split(keywords, options)
    is_rule = list(positional)[:3] == ["t", "phi", "grad"]
    states = ["phi", *list(positional)[3:]] if is_rule else []

    def symbol(name, index=None):
        return named(latex_name(name) + (f"_{{{index}}}" if index else ""))

    names = {
        name: symbol(name, before if name in states else None) for name in [*positional, *variables]
    } | fixed
    if is_rule:
        names["grad"] = lambda point: named(rf"\nabla L[{text(point)}]")
    pairs = []
    for node in body_of(function):
        values = evaluate(node.value, function, names)
        if isinstance(node, ast.Return):
            targets = states if is_rule else [None]
        else:
            targets = [t.id for t in getattr(node.targets[0], "elts", node.targets)]
        if len(targets) > len(values):  # x, y = phi
            values = list(values[0])
        for target, value in zip(targets, values, strict=True):
            result = symbol(target, after if is_rule else None) if target else None
            if result is None or text(result) != text(value):  # a state returned as it is needs no line
                pairs.append((text(result) if target else left or latex_name(function.__name__), text(value)))
            names[target] = result
    return pairs


def body_of(function):
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    body = definition.body[isinstance(definition.body[0], ast.Expr) :]  # without the docstring
    for node in body:
        if not isinstance(node, (ast.Assign, ast.Return)):
            line = ast.unparse(node).splitlines()[0]
            raise TraceError(f"{function.__name__} has a line that is no equation: {line[:60]}")
    return body


def evaluate(node, function, names):
    """The values of an expression of the source: of each part of a tuple, or of the only one."""
    scope = {**function.__globals__, **inspect.getclosurevars(function).nonlocals, **names}
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return [eval(compile(ast.Expression(part), "<equation>", "eval"), scope) for part in parts]


class show:
    """The equations of a function, displayed in a notebook: `show(momentum)`."""

    def __init__(self, function, **options):
        self.pairs = equations(function, **options)

    def _repr_latex_(self):
        lines = r" \\ ".join(f"{left} &= {right}" for left, right in self.pairs)
        return rf"$$\begin{{aligned}} {lines} \end{{aligned}}$$"

    def __repr__(self):
        return "\n".join(f"{left} = {right}" for left, right in self.pairs)
