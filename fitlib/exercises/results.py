"""Results of answers as arrays, and when two of them are equal."""

from dataclasses import dataclass, field

import numpy as np

from fitlib.exercises.guard import Fault, Unanswered, kind

# Answers in float32 are off by up to 1e-5 of the largest entry, eight steps of Adam included. Problems are
# drawn with every quantity of order one, so that each known mistake changes some result by 1e-2 of it or more
# (a test holds both). The tolerance lies between. A result that cancels to zero counts as FLOOR.
TOLERANCE, FLOOR = 1e-4, 1e-2


def array(result, name="your function"):
    """A result as an array of numbers or words; a sentence where it is none."""
    for part in result if isinstance(result, (list, tuple)) else [result]:
        if part is Ellipsis:
            raise Unanswered
        if part is None:
            raise Fault(f"{name} returned None; is a return missing?")
    try:
        values = np.array(result)
    except ValueError:
        raise Fault(f"{name} returned parts of different lengths; expected is an array of numbers.") from None
    except Exception as error:  # an object may refuse
        raise Fault(f"{name} returned an object that gives no array ({type(error).__name__}).") from None
    if values.dtype.kind == "O" and isinstance(result, int):
        raise Fault(f"{name} returned a whole number that is too large for an array.")
    if values.dtype.kind == "c":
        raise Fault(f"{name} returned complex numbers; expected are real ones.")
    if values.dtype.kind not in "biufU":
        raise Fault(f"{name} returned {kind(result)}; expected are numbers.")
    return values


def close(x, y):
    """Equal shapes, and equal words or numbers within the tolerance; nan equals nan, inf equals inf."""
    if x.shape != y.shape:
        return False
    kinds = x.dtype.kind + y.dtype.kind
    if "U" in kinds:
        return np.array_equal(x, y)
    if x.dtype != float or y.dtype != float:
        x, y = x.astype(float), y.astype(float)
    if not x.size:
        return True
    size = np.abs(y).max()
    apart = np.abs(x - y).max()
    if size < np.inf and apart == apart:
        return bool(apart <= TOLERANCE * (FLOOR + size))
    scale = FLOOR + np.abs(y[np.isfinite(y)]).max(initial=0)
    return np.allclose(x, y, rtol=0, atol=TOLERANCE * scale, equal_nan=True)


def same(got, expected):
    """Two outcomes agree in every result."""
    return len(got) == len(expected) and all(close(x, y) for (_, x), (_, y) in zip(got, expected))


@dataclass
class Call:
    """A call of the reference and its outputs; `inner` are the arguments of a function that it returned."""

    args: tuple
    hyper: dict
    inner: tuple | None
    count: int
    expected: list = field(default_factory=list)
    cache: dict = field(default_factory=dict)


def outputs(result, count):
    """The `count` outputs in a result, as arrays."""
    if hasattr(result, "__next__"):
        result = list(result)
    if count == 1:
        return [np.asarray(result[0] if isinstance(result, tuple) and len(result) == 1 else result)]
    return [np.asarray(part) for part in result]
