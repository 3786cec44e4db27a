"""From a plain Python function on NumPy arrays to its derivatives, NumPy code and JavaScript.

A function is called once with `Traced` arrays of SymPy symbols; what comes back is mathematics.
Everything after that (derivatives, shared terms, printing) is SymPy's work.
"""

import inspect
from functools import cached_property

import numpy as np
import sympy as sp
from sympy.core.parameters import distribute
from sympy.printing.jscode import JavascriptCodePrinter
from sympy.printing.numpy import NumPyPrinter

from fitlib.fitting import signature

exactly = distribute(False)  # SymPy would turn 2*(a + b) into 2*a + 2*b: slower, and cancels near minima


class TraceError(TypeError):
    """A function that cannot be traced; the message says what to write instead."""


# --- the tracer ------------------------------------------------------------------------------------


def number(value):
    """The SymPy number of a Python or NumPy number; a half-integer stays exact, so `x**0.5` is a root."""
    if isinstance(value, sp.Basic):
        return value
    if isinstance(value, (bool, np.bool_)):
        return sp.true if value else sp.false
    if isinstance(value, (int, np.integer)):
        return sp.Integer(int(value))
    value = float(value)
    named = {np.pi: sp.pi, np.e: sp.E, np.inf: sp.oo, -np.inf: -sp.oo}
    if value in named:
        return named[value]
    return sp.Rational(int(2 * value), 2) if float(2 * value).is_integer() else sp.Float(value)


def _where(condition, a, b):
    return sp.Piecewise((a, condition), (b, True))


UFUNCS = {
    np.add: lambda a, b: a + b, np.subtract: lambda a, b: a - b, np.multiply: lambda a, b: a * b,
    np.true_divide: lambda a, b: a / b, np.power: lambda a, b: a**b, np.float_power: lambda a, b: a**b,
    np.negative: lambda a: -a, np.positive: lambda a: a, np.square: lambda a: a**2, np.reciprocal: lambda a: 1 / a,
    np.remainder: sp.Mod, np.sqrt: sp.sqrt, np.exp: sp.exp, np.log: sp.log, np.sin: sp.sin, np.cos: sp.cos,
    np.tan: sp.tan, np.tanh: sp.tanh, np.sinh: sp.sinh, np.cosh: sp.cosh, np.arctan: sp.atan,
    np.absolute: sp.Abs, np.fabs: sp.Abs, np.sign: sp.sign, np.floor: sp.floor, np.ceil: sp.ceiling,
    np.maximum: sp.Max, np.minimum: sp.Min, np.fmax: sp.Max, np.fmin: sp.Min,
    np.less: sp.Lt, np.less_equal: sp.Le, np.greater: sp.Gt, np.greater_equal: sp.Ge, np.equal: sp.Eq,
    np.not_equal: sp.Ne, np.logical_and: sp.And, np.logical_or: sp.Or, np.logical_not: sp.Not,
    np.bitwise_and: sp.And, np.bitwise_or: sp.Or, np.invert: sp.Not,
}  # fmt: skip

STRUCTURE = {  # rearranging and adding up is done by NumPy itself, on object arrays
    np.sum, np.mean, np.prod, np.cumsum, np.dot, np.outer, np.stack, np.concatenate, np.reshape, np.transpose,
    np.moveaxis, np.expand_dims, np.squeeze, np.broadcast_to, np.roll, np.flip, np.diff, np.trace, np.diagonal,
    np.hstack, np.vstack, np.atleast_1d, np.ravel,
}  # fmt: skip


def as_expressions(value):
    """An object array of SymPy expressions from a `Traced` array, a number, or an array of numbers."""
    if isinstance(value, Traced):
        return value.exprs
    return np.frompyfunc(number, 1, 1)(np.asarray(value))


def _unwrap(value):
    if isinstance(value, (list, tuple)):
        return type(value)(_unwrap(item) for item in value)
    return value.exprs if isinstance(value, Traced) else value


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of SymPy expressions that NumPy's functions accept."""

    __slots__ = ("exprs",)

    def __init__(self, exprs):
        self.exprs = np.array(exprs, dtype=object)

    shape = property(lambda self: self.exprs.shape)
    ndim = property(lambda self: self.exprs.ndim)
    size = property(lambda self: self.exprs.size)
    T = property(lambda self: type(self)(self.exprs.T))

    def __len__(self):
        return len(self.exprs)

    def __iter__(self):
        return (type(self)(item) for item in self.exprs)

    def __getitem__(self, index):
        if isinstance(index, Traced):
            raise TraceError("a selection such as g[g > 0] cannot be traced; write np.where(condition, a, b)")
        return type(self)(self.exprs[index])

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if kwargs:
            raise TraceError(
                f"np.{ufunc.__name__} with {', '.join(kwargs)}= (or an operation in place such as x -= y) cannot be "
                "traced; write a new name = an expression"
            )
        if method != "__call__":
            raise TraceError(
                f"np.{ufunc.__name__}.{method} cannot be traced; write np.sum, np.prod or a new line"
            )
        if ufunc is np.matmul:
            return type(self)(np.dot(*map(as_expressions, inputs)))
        if ufunc not in UFUNCS:
            raise TraceError(
                f"np.{ufunc.__name__} cannot be traced; write it with np.sqrt, np.exp, np.where ..."
            )
        return type(self)(self.apply(UFUNCS[ufunc], *inputs))

    @staticmethod
    def apply(function, *inputs):
        """`function` of SymPy expressions, elementwise with broadcasting."""
        return np.frompyfunc(function, len(inputs), 1)(*map(as_expressions, inputs))

    def __array_function__(self, function, types, args, kwargs):
        if function in (np.shape, np.ndim, np.size):
            return function(self.exprs, *args[1:])
        if function in STRUCTURE:
            return type(self)(function(*_unwrap(args), **_unwrap(kwargs)))
        if function is np.where and len(args) == 3:
            return type(self)(self.apply(_where, *args))
        if function is np.clip:
            return np.minimum(np.maximum(args[0], args[1]), args[2])
        if function is np.linalg.norm:
            return np.sqrt(np.sum(args[0] ** 2, *args[2:], **kwargs))
        if function in (np.zeros_like, np.ones_like, np.full_like):
            fill = args[1] if function is np.full_like else float(function is np.ones_like)
            return type(self)(np.broadcast_to(as_expressions(fill), np.shape(args[0])))
        raise TraceError(
            f"np.{function.__name__} cannot be traced; write it with np.sum, np.mean, np.where ..."
        )

    def __bool__(self):
        raise TraceError(
            f"a decision on {self._text()} cannot be traced; write np.where(condition, a, b), np.maximum or np.minimum"
        )

    def __float__(self):
        raise TraceError(
            f"{self._text()} has no value while tracing; write NumPy's function (np.sqrt, not math.sqrt)"
        )

    __int__ = __float__

    def __index__(self):
        raise TraceError(
            f"{self._text()} has no value while tracing, so it cannot count or index; fix it: name=3"
        )

    def __array__(self, dtype=None, copy=None):
        raise TraceError(
            "np.asarray and np.array of a traced value cannot be traced; leave them out, or write np.stack"
        )

    def __setitem__(self, index, value):
        raise TraceError(
            "an assignment to a part, such as g[0] = 0, cannot be traced; write np.where or np.stack"
        )

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        raise TraceError(f"the method .{name} cannot be traced; write the function, np.{name}(...)")

    def _text(self):
        return str(self.exprs if self.ndim else self.exprs.item())


def symbols(name, shape=()):
    """Real SymPy symbols `name` or `name_0, name_1 ...` in an object array of this shape."""
    exprs = np.empty(shape, dtype=object)
    for index in np.ndindex(exprs.shape):
        exprs[index] = sp.Symbol("_".join([name, *map(str, index)]), real=True)
    return exprs


# --- printing --------------------------------------------------------------------------------------


class Exact:
    """What both printers say in the same way: floats in full, small powers as products, roots as roots."""

    def _print_Float(self, e):
        return repr(float(e))

    def _print_Pow(self, e, **kwargs):
        if e.exp.is_number and e.exp.is_negative:
            return f"1/{self.parenthesize(sp.Pow(e.base, -e.exp), 50)}"
        if e.base.is_Symbol and e.exp in (2, 3, 4):
            return "(" + "*".join([self._print(e.base)] * int(e.exp)) + ")"
        if e.exp == sp.S.Half:
            return self._print_sqrt(self._print(e.base))
        return super()._print_Pow(e, **kwargs)

    def _nested(self, name, args):
        text = self._print(args[0])
        for arg in args[1:]:
            text = f"{name}({text}, {self._print(arg)})"
        return text


class JavaScript(Exact, JavascriptCodePrinter):
    RESERVED = set(
        "arguments await break case catch class const continue debugger default delete do else enum eval export "
        "extends false finally for function if implements import in instanceof interface let new null package private "
        "protected public return static super switch this throw true try typeof var void while with yield Math".split()
    )

    def _print_Symbol(self, e):
        return e.name + "$" * (e.name in self.RESERVED)

    def _print_sqrt(self, text):
        return f"Math.sqrt({text})"

    def _print_Piecewise(self, e):
        *cases, (last, _) = e.args
        return (
            "("
            + "".join(f"{self._print(c)} ? {self._print(v)} : " for v, c in cases)
            + self._print(last)
            + ")"
        )

    def _print_Mod(self, e):
        a, b = (self.parenthesize(arg, 50) for arg in e.args)
        return f"({a} - {b}*Math.floor({a}/{b}))"

    def _print_Infinity(self, e):
        return "Infinity"

    def _print_NegativeInfinity(self, e):
        return "(-Infinity)"


class NumPy(Exact, NumPyPrinter):
    def _print_sqrt(self, text):
        return f"numpy.sqrt({text})"

    def _print_Piecewise(self, e):
        *cases, (last, _) = e.args
        text = self._print(last)
        for value, condition in reversed(cases):
            text = f"numpy.where({self._print(condition)}, {self._print(value)}, {text})"
        return text

    def _print_Max(self, e):
        return self._nested("numpy.maximum", e.args)

    def _print_Min(self, e):
        return self._nested("numpy.minimum", e.args)

    def _print_And(self, e):
        return self._nested("numpy.logical_and", e.args)

    def _print_Or(self, e):
        return self._nested("numpy.logical_or", e.args)


@exactly
def shared(exprs, prefix):
    """Common subexpressions named `prefix0, prefix1 ...`, and what is left of `exprs`."""
    return sp.cse(list(exprs), symbols=sp.numbered_symbols(prefix, real=True), order="canonical")


def half_angles(exprs):
    """Where sine and cosine of one angle occur, both by the tangent of its half: NumPy has it several times faster."""
    exprs, swaps = sp.Tuple(*exprs), {}
    sines, cosines = ({f.args[0] for f in exprs.atoms(kind)} for kind in (sp.sin, sp.cos))
    for angle in sines & cosines:
        t = sp.tan(angle / 2)
        swaps |= {sp.sin(angle): 2 * t / (1 + t**2), sp.cos(angle): (1 - t**2) / (1 + t**2)}
    return list(exprs.xreplace(swaps))


@exactly
def numpy_function(args, exprs):
    """A NumPy function of these symbols that returns the list of the values of `exprs`."""
    exprs = half_angles(exprs)
    printer = NumPy({"fully_qualified_modules": True, "inline": True, "allow_unknown_functions": False})
    return sp.lambdify(args, exprs, modules="numpy", printer=printer, cse=lambda e: shared(e, "cse_"))


@exactly
def statements(exprs, targets, indent="  "):
    """JavaScript lines that compute `exprs` with shared terms and give them to `targets` (such as `$g[0] = `)."""
    printer = JavaScript()
    terms, rest = shared(exprs, "$")
    lines = [f"const {name} = {printer.doprint(expr)};" for name, expr in terms]
    lines += [f"{target}{printer.doprint(expr)};" for target, expr in zip(targets, rest, strict=True)]
    return "".join(f"{indent}{line}\n" for line in lines)


def constants(names, source, indent="  "):
    """JavaScript lines that unpack an array into constants of these names."""
    printer = JavaScript()
    names = [printer.doprint(sp.Symbol(str(name))) for name in names]
    return "".join(f"{indent}const {name} = {source}[{i}];\n" for i, name in enumerate(names))


# --- traced functions ------------------------------------------------------------------------------


def split(keywords, fixed):
    """Keyword arguments that stay variables, and those fixed while tracing (given, or bool and str options)."""
    options = {name: value for name, value in keywords.items() if isinstance(value, (bool, str))} | fixed
    return {name: value for name, value in keywords.items() if name not in options}, options


class Expressions:
    """Expressions of named symbols: `arguments` (name -> symbols), `parameters` (name -> default), `exprs`."""

    def __init__(self, arguments, parameters, exprs, shape=()):
        self.arguments, self.parameters, self.shape = arguments, parameters, shape
        self.exprs = list(exprs)
        self.symbols = [s for array in arguments.values() for s in array.ravel()]
        self.symbols += [symbols(name).item() for name in parameters]
        names = [s.name for s in self.symbols]
        if len(set(names)) < len(names):
            raise TraceError(f"two arguments share a name: {', '.join(sorted(names))}; rename one")

    @cached_property
    def numpy(self):
        """NumPy function of all symbols in order (arguments component by component, then parameters)."""
        return numpy_function(self.symbols, self.exprs)

    @exactly
    def gradient(self, name):
        """The derivatives of the only expression by every component of argument `name`."""
        (value,) = (e.rewrite([sp.Max, sp.Min, sp.Abs], sp.Piecewise) for e in self.exprs)
        by = self.arguments[name].ravel()
        return Expressions(self.arguments, self.parameters, [sp.diff(value, s) for s in by], by.shape)

    @exactly
    def hessian(self, name):
        """The second derivatives by argument `name`, row by row."""
        by, rows = self.arguments[name].ravel(), self.gradient(name).exprs
        return Expressions(
            self.arguments, self.parameters, [sp.diff(e, s) for e in rows for s in by], by.shape * 2
        )


class Function(Expressions):
    """A plain Python function, traced: `Function(gabor, phi=2)`.

    Positional arguments are numbers, or arrays where a shape is given by name; keyword-only arguments are
    parameters, fixed where a value is given by name. Raises `TraceError` with one sentence.
    """

    @exactly
    def __init__(self, function, **options):
        positional, keywords = signature(function)
        unknown = set(options) - set(positional) - set(keywords)
        if unknown:
            raise TraceError(f"{function.__name__} has no argument {', '.join(sorted(unknown))}")
        parameters, fixed = split(keywords, {k: v for k, v in options.items() if k in keywords})
        arguments = {name: symbols(name, options.get(name, ())) for name in positional}
        result = function(
            *map(Traced, arguments.values()), **{k: Traced(symbols(k)) for k in parameters}, **fixed
        )
        exprs = [as_expressions(r) for r in (result if isinstance(result, (tuple, list)) else [result])]
        shape = exprs[0].shape if len(exprs) == 1 else (sum(e.size for e in exprs),)
        super().__init__(arguments, parameters, [e for array in exprs for e in array.ravel()], shape)
        self.name = function.__name__

    def __call__(self, *args, **parameters):
        """The values with NumPy, component by component: shape `self.shape` followed by the broadcast shape."""
        values = {**self.parameters, **parameters}
        flat = [
            part
            for value, array in zip(args, self.arguments.values(), strict=True)
            for part in (value if array.shape else [value])
        ]
        out = np.broadcast_arrays(*self.numpy(*flat, *(values[name] for name in self.parameters)))
        return np.stack(out) if self.shape else out[0]

    def javascript(self):
        """Text of `(arguments..., $p) => number`, or an array where there are several values."""
        names = [f"${name}" if array.shape else name for name, array in self.arguments.items()]
        text = f"({', '.join([*names, '$p'])}) => {{\n"
        for name, array in self.arguments.items():
            text += constants(array.ravel(), f"${name}") if array.shape else ""
        text += constants(self.parameters, "$p")
        targets = [f"const $out{i} = " for i in range(len(self.exprs))]
        out = ", ".join(f"$out{i}" for i in range(len(self.exprs)))
        return text + statements(self.exprs, targets) + f"  return {f'[{out}]' if self.shape else out};\n}}"


def schedule(factory):
    """A factory such as `cosine(alpha, steps)` as one function `f(t, *, alpha, steps)` for `Function`."""
    positional, keywords = signature(factory)

    def traced(t, **arguments):
        return factory(**arguments)(t)

    traced.__name__ = factory.__name__
    kind = inspect.Parameter
    traced.__signature__ = inspect.Signature(
        [kind("t", kind.POSITIONAL_OR_KEYWORD)]
        + [
            kind(name, kind.KEYWORD_ONLY, default=kind.empty if default is None else default)
            for name, default in {**positional, **keywords}.items()
        ]
    )
    return traced


class Rule:
    """One step of a rule, traced for `n` parameters.

    `hyper` (name -> default, None where required), `states` (names), `evaluations` (gradients a step),
    `initial` (the state array at the start: a number, or the index of a parameter as text).
    """

    def __init__(self, function, n=2, **fixed):
        positional, keywords = signature(function)
        self.name, self.n = function.__name__, n
        self.hyper, self.fixed = split(keywords, fixed)
        if set(fixed) - set(keywords):
            raise TraceError(
                f"{self.name} has no hyperparameter {', '.join(sorted(set(fixed) - set(keywords)))}"
            )
        if list(positional)[:3] != ["t", "phi", "grad"]:
            raise TraceError(
                f"{self.name} must begin with (t, phi, grad); it begins with {', '.join(positional)}"
            )
        self.states = list(positional)[3:]
        shapes = [(n,) if positional[s] == "phi" else () for s in self.states]
        for _ in range(3):  # a state is a number until the rule returns it as a vector
            self._trace(function, shapes)
            returned = [array.shape for array in self.outputs[1:]]
            if returned == shapes:
                break
            shapes = returned
        else:
            raise TraceError(f"the states of {self.name} change their shape from step to step: {shapes}")
        self.initial = [str(i) for i in range(n)]
        for state, shape in zip(self.states, shapes, strict=True):
            start = positional[state]
            self.initial += [str(i) for i in range(n)] if start == "phi" else [start] * int(np.prod(shape))

    evaluations = property(lambda self: len(self.points))

    @exactly
    def _trace(self, function, shapes):
        self.slots = [symbols("phi", self.n), *map(symbols, self.states, shapes)]
        self.points, self.answers = [], []

        def grad(phi):
            if np.shape(phi) != (self.n,):
                raise TraceError(
                    f"{self.name} asks for the gradient at shape {np.shape(phi)}, not at a point"
                )
            self.points.append(as_expressions(phi))
            self.answers.append(symbols(f"grad{len(self.points)}", self.n))
            return Traced(self.answers[-1])

        hyper = {name: Traced(symbols(name)) for name in self.hyper}
        phi, *states = map(Traced, self.slots)
        result = function(Traced(symbols("t")), phi, grad, *states, **hyper, **self.fixed)
        self.outputs = [
            as_expressions(r) for r in (result if isinstance(result, (tuple, list)) else [result])
        ]
        if len(self.outputs) != len(self.slots):
            raise TraceError(
                f"{self.name} remembers {len(self.states)} states ({', '.join(self.states) or 'none'}) "
                f"but returns {len(self.outputs) - 1}; return phi and every state"
            )
        if self.outputs[0].shape != (self.n,):
            raise TraceError(
                f"{self.name} returns phi of shape {self.outputs[0].shape} for {self.n} parameters"
            )

    def javascript(self):
        """Text of `($t, $s, $h, $grad, $g) => {...}`: one step, the state array `$s` changed in place."""
        slots = [s for array in self.slots for s in array.ravel()]
        text = (
            "($t, $s, $h, $grad, $g) => {\n  const t = $t;\n"
            + constants(slots, "$s")
            + constants(self.hyper, "$h")
        )
        for point, answer in zip(self.points, self.answers, strict=True):
            block = statements(point, [f"$g[{i}] = " for i in range(self.n)], "    ")
            text += f"  {{\n{block}    $grad($g);\n  }}\n" + constants(answer, "$g")
        outputs = [e for array in self.outputs for e in array.ravel()]
        return text + statements(outputs, [f"$s[{i}] = " for i in range(len(outputs))]) + "}"
