"""A loss: value, gradient and Hessian from one plain function, for any number of runs; the book's landscapes."""

import math

import numpy as np

BLOCK = 8_000  # runs x points evaluated at a time, so that all temporaries stay in the processor's cache


class Loss:
    """The mean of a function over data, or the function alone where there is no data.

    `function(phi, *data, **parameters)` gives the loss of one data point; it is traced with `phi` of shape
    `(n,)` and differentiated by SymPy.

    - `data`: arrays of one length; `box`: the part of the plane that is drawn; `minimum`: the lowest value
      where it is known (0 for most; a log axis is drawn above it).
    - Called with `phi` of shape `(n, *runs)` it gives the loss of every run, shape `(*runs,)`.
    - `rows`, integers `(b,)` or `(*runs, b)`, choose data points (a batch).
    - Parameters of the loss are keywords and broadcast against `runs`.

    Raises `ValueError` with one sentence for a wrong shape, unknown parameter or row that does not exist.
    """

    def __init__(self, function, data=(), *, n=2, box=None, minimum=0.0, name=None, parameters=None):
        self.function, self.n, self.box, self.minimum = function, n, box, minimum
        self.name = name or function.__name__
        self.data = tuple(np.asarray(column, float) for column in data)
        self._given = dict(parameters or {})
        self._compiled = {}
        if len({len(column) for column in self.data}) > 1:
            lengths = ", ".join(str(len(column)) for column in self.data)
            raise ValueError(f"the columns of the data of {self.name} have different lengths: {lengths}")
        if not all(np.isfinite(column).all() for column in self.data):
            raise ValueError(
                f"the data of {self.name} hold values that are not finite; leave those points out"
            )

    points = property(lambda self: len(self.data[0]) if self.data else 0)

    @property
    def parameters(self):
        """The loss's own parameters: name -> value."""
        return {**self._traced("value").parameters, **self._given}

    def at(self, **parameters):
        """The same loss with other values of its own parameters."""
        self._check(parameters)
        return self._copy(self.data, {**self._given, **parameters})

    def on(self, *data):
        """The same loss on other data."""
        return self._copy(data, self._given)

    def _copy(self, data, given):
        settings = {"n": self.n, "box": self.box, "minimum": self.minimum, "name": self.name}
        other = Loss(self.function, data, parameters=given, **settings)
        other._compiled = self._compiled
        return other

    def __getstate__(self):
        return {**self.__dict__, "_compiled": {}}  # compiled functions do not travel to other processes

    def __call__(self, phi, rows=None, **parameters):
        """The loss: `(n, *runs)` -> `(*runs,)`."""
        return self._evaluate("value", phi, rows, parameters)

    def gradient(self, phi, rows=None, **parameters):
        """The gradient: `(n, *runs)` -> `(n, *runs)`."""
        return self._evaluate("gradient", phi, rows, parameters)

    def hessian(self, phi, rows=None, **parameters):
        """The Hessian: `(n, *runs)` -> `(n, n, *runs)`."""
        return self._evaluate("hessian", phi, rows, parameters)

    def javascript(self, kind):
        """Text of `($phi, $p, $d, $rows, $g) => ...`: the mean over the data points `$rows` of `$d`.

        "value" returns the value; "gradient" writes the gradient to `$g` and returns the value;
        "hessian" writes the second derivatives to `$g`, row by row.
        """
        from fitlib.symbolic import constants, statements

        wanted = self._traced(kind)
        phi, *columns = wanted.arguments
        exprs = wanted.exprs + self._traced("value").exprs * (kind == "gradient")
        text = "($phi, $p, $d, $rows, $g) => {\n" + constants(wanted.arguments[phi].ravel(), "$phi")
        text += constants(wanted.parameters, "$p")
        names = [f"$out{i}" for i in range(len(exprs))]
        if columns:
            text += "".join(f"  let {name} = 0;\n" for name in names)
            text += constants([f"$column{i}" for i in range(len(columns))], "$d")
            text += "  for (let $k = 0; $k < $rows.length; $k++) {\n    const $row = $rows[$k];\n"
            text += "".join(f"    const {name} = $column{i}[$row];\n" for i, name in enumerate(columns))
            text += statements(exprs, [f"{name} += " for name in names], "    ") + "  }\n"
            names = [f"{name}/$rows.length" for name in names]
        else:
            text += statements(exprs, [f"const {name} = " for name in names])
        returned = [] if kind == "hessian" else [names.pop()]
        text += "".join(f"  $g[{i}] = {name};\n" for i, name in enumerate(names))
        return text + "".join(f"  return {name};\n" for name in returned) + "}"

    def _traced(self, kind):
        from fitlib.symbolic import Function, TraceError, signature  # and SymPy: only once a loss is called

        if kind not in self._compiled:
            phi = next(iter(signature(self.function)[0]))
            if kind == "value":
                traced = Function(self.function, **{phi: self.n})
                if traced.shape != () or len(traced.exprs) != 1:
                    raise TraceError(
                        f"{self.name} returns shape {traced.shape} for one point; a loss is one number"
                    )
            else:
                traced = getattr(self._traced("value"), kind)(phi)
            self._compiled[kind] = traced
        return self._compiled[kind]

    def _check(self, parameters):
        unknown = set(parameters) - set(self.parameters)
        if unknown:
            known = ", ".join(self.parameters) or "none"
            raise ValueError(f"{self.name} has no parameter {', '.join(sorted(unknown))}; it has: {known}")

    def _columns(self, rows):
        if rows is None or not self.data:
            return list(self.data)
        rows = np.asarray(rows)
        if (
            not np.issubdtype(rows.dtype, np.integer)
            or rows.size == 0
            or rows.min() < 0
            or rows.max() >= self.points
        ):
            raise ValueError(
                f"rows are integers from 0 to {self.points - 1}, the data points; got {rows}"[:200]
            )
        return [column[rows] for column in self.data]

    def _evaluate(self, kind, phi, rows, parameters):
        self._check(parameters)
        traced, phi = self._traced(kind), np.asarray(phi, float)
        if phi.ndim == 0 or len(phi) != self.n:
            raise ValueError(f"{self.name} takes phi of shape ({self.n}, *runs); it got shape {phi.shape}")
        last = (None,) if self.data else ()  # data last: a new axis behind the runs
        values = [np.asarray(value, float) for value in {**self.parameters, **parameters}.values()]
        inputs = (
            [part[..., *last] for part in phi] + self._columns(rows) + [value[..., *last] for value in values]
        )
        shape = np.broadcast_shapes(*(part.shape for part in inputs))
        runs, points = (shape[:-1], shape[-1:]) if self.data else (shape, ())
        step = max(1, BLOCK // math.prod(points))
        if math.prod(runs) <= step:
            return self._mean(traced, inputs, runs, points).reshape(traced.shape + runs)
        flat = [_flatten(part, runs, points) for part in inputs]
        blocks = range(0, math.prod(runs), step)
        parts = [[part[i : i + step] if part.ndim > len(points) else part for part in flat] for i in blocks]
        sizes = [min(step, math.prod(runs) - i) for i in blocks]
        out = [self._mean(traced, part, (size,), points) for part, size in zip(parts, sizes, strict=True)]
        return np.concatenate(out, axis=-1).reshape(traced.shape + runs)

    @staticmethod
    def _mean(traced, inputs, runs, points):
        out, shape = np.empty((len(traced.exprs), *runs)), runs + points
        with np.errstate(all="ignore"):  # a diverged run is inf or nan, and is flagged by fit
            for i, part in enumerate(traced.numpy(*inputs)):
                whole = part if np.shape(part) == shape else np.broadcast_to(part, shape)
                out[i] = np.add.reduce(whole, axis=-1) / points[0] if points else whole
        return out


def _flatten(part, runs, points):
    """The runs of an input as one axis; what does not vary over runs stays as it is."""
    own = part.shape[: part.ndim - len(points)]
    if math.prod(own) == 1:
        return part.reshape(part.shape[part.ndim - len(points) :])
    return np.broadcast_to(part, runs + part.shape[len(own) :]).reshape(-1, *part.shape[len(own) :])


def newton(loss, phi, longest, steps=60):
    """The points `phi` `(n, k)`, moved to where the gradient vanishes by Newton's method.

    No step is longer than `longest` `(n,)`; a point that the method does not bring to rest is left on its way.
    """
    phi, moving = np.array(phi, float), np.arange(phi.shape[1])
    for _ in range(steps):
        at = phi[:, moving]
        hessian = np.moveaxis(loss.hessian(at), -1, 0)
        move = np.linalg.solve(hessian + 1e-12 * np.eye(loss.n), loss.gradient(at).T[..., None])[..., 0]
        move *= np.minimum(1, (longest / np.maximum(np.abs(move), 1e-300)).min(axis=1, keepdims=True))
        phi[:, moving] = at - move.T
        moving = moving[(np.abs(move) > 1e-9 * longest).any(axis=1)]  # the error is squared in each step
    return phi


def critical_points(loss, grid=60, steps=60):
    """All points in the loss's box where the gradient vanishes, found by Newton's method from a grid of starts.

    Returns `points` `(2, k)`, `values` `(k,)` in rising order and `index` `(k,)`, the number of negative
    eigenvalues of the Hessian: 0 a minimum, 1 a saddle, 2 a maximum. Raises `ValueError` for a loss without a box.
    """
    if loss.box is None:
        raise ValueError(
            f"{loss.name} has no box to search; give it one: Loss(..., box=((lo, hi), (lo, hi)))"
        )
    low, high = np.array(loss.box).T
    phi = np.stack(np.meshgrid(*np.linspace(low, high, grid).T)).reshape(loss.n, -1)
    phi = newton(loss, phi, (high - low) / grid, steps)
    slope = np.abs(loss.gradient(phi)).max(axis=0)
    inside = ((phi.T >= low) & (phi.T <= high)).all(axis=1) & (slope < 1e-10 * (1 + np.abs(loss(phi))))
    found = np.empty((0, loss.n))
    for point in phi.T[inside]:
        if (np.abs((found - point) / (high - low)).max(axis=1) > 1e-6).all():
            found = np.vstack([found, point])
    phi = found.T
    phi = phi[:, np.argsort(loss(phi), kind="stable")]
    index = (np.linalg.eigvalsh(np.moveaxis(loss.hessian(phi), -1, 0)) < 0).sum(axis=1)
    return phi, loss(phi), index


def stability_limit(loss, phi):
    """The largest rate at which gradient descent holds the minimum `phi`: 2 over the largest curvature there."""
    return 2 / np.linalg.eigvalsh(np.moveaxis(loss.hessian(phi), (0, 1), (-2, -1))).max(axis=-1)


def landscape(box, minimum=0.0):
    """Decorator: a function `(phi, *, parameters)` of two parameters becomes a `Loss` drawn in `box`."""
    return lambda function: Loss(function, box=box, minimum=minimum)


@landscape(box=((-4, 4), (-3, 3)))
def quadratic(phi, *, kappa=10.0):
    """A bowl with curvatures 1 and kappa, its condition number."""
    return (phi[0] ** 2 + kappa * phi[1] ** 2) / 2


@landscape(box=((-4, 4), (-3, 3)))
def rotated_valley(phi, *, kappa=25.0, angle=0.5):
    """The same bowl turned by `angle` (radians): no parameter goes along a direction of curvature."""
    along = np.cos(angle) * phi[0] + np.sin(angle) * phi[1]
    across = np.cos(angle) * phi[1] - np.sin(angle) * phi[0]
    return (along**2 + kappa * across**2) / 2


@landscape(box=((-2, 2), (-2, 2)), minimum=-0.25)
def saddle(phi):
    """A saddle at the origin between two minima at (0, -1) and (0, 1)."""
    return phi[0] ** 2 / 2 - phi[1] ** 2 / 2 + phi[1] ** 4 / 4


@landscape(box=((-2, 2), (-1, 3)))
def rosenbrock(phi, *, b=100.0):
    """A bent valley with its minimum at (1, 1) (Rosenbrock 1960)."""
    return (1 - phi[0]) ** 2 + b * (phi[1] - phi[0] ** 2) ** 2


@landscape(box=((-2, 2), (-2, 2)), minimum=-2.063090251766)
def dupont(phi):
    """A bowl with two wells, the deeper one on the left (Dupont 2018)."""
    right = np.exp(-((phi[0] - 1) ** 2 + phi[1] ** 2) / 0.2)
    left = np.exp(-((phi[0] + 1) ** 2 + phi[1] ** 2) / 0.2)
    return phi[0] ** 2 + phi[1] ** 2 - 2 * right - 3 * left


def straight_line(x, phi):
    """The line with intercept `phi[0]` and slope `phi[1]`."""
    return phi[0] + phi[1] * x


class squared_error:
    """The loss of one data point under `model(x, phi)`: the squared residual."""

    def __init__(self, model):
        self.model, self.__name__ = model, f"squared error of {model.__name__}"

    def __call__(self, phi, x, y):
        return (self.model(x, phi) - y) ** 2


def _line_data():
    """Twelve points on a line with intercept 0.8 and slope 0.5, with normal noise of 0.2."""
    rng = np.random.default_rng(1)
    x = np.sort(rng.uniform(0, 2, 12)).round(2)
    return x, (0.8 + 0.5 * x + rng.normal(0, 0.2, 12)).round(2)


line = Loss(squared_error(straight_line), _line_data(), box=((-1, 2.5), (-1.5, 2.5)), name="line")
