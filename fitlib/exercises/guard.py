"""Running an answer: on copies, silently, and within limits; whatever goes wrong becomes one sentence.

A trace function (`sys.settrace`) counts the instructions of the reader's Python and looks at the clock, and
stops the answer when either is used up. That needs no threads and no signals, and works alike on every system,
in a notebook and in the browser. Where a debugger traces already it keeps its place, and there are no limits.
Two things are not stopped: one call of compiled code that does not return (`time.sleep(1e9)`, which the
kernel's interrupt ends, and `sum(range(10**12))`, which it does not), and a loop around a bare `except:`.
"""

import inspect
import io
import sys
import sysconfig
import traceback
from contextlib import redirect_stderr, redirect_stdout
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy as np

# Instructions of the reader's code in one check, some 0.3 s; right answers need fewer than 10,000. Seconds are
# for loops around slow calls: instructions are the same on every machine, seconds are not, and come second.
BUDGET, SECONDS = 1_000_000, 10
LONGEST = 100_000  # items that are taken from an iterator

# Code of others: Python's library, what is installed beside NumPy, fitlib. It is not counted, so that an
# answer may import what it likes, and its lines are not shown as the reader's.
FOREIGN = ("<frozen", str(Path(np.__file__).parents[1]), str(Path(__file__).parents[1]))
FOREIGN += tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))

# What other books and libraries call the hyperparameters.
SYNONYMS = {
    "alpha": {"lr", "learning_rate", "eta", "step_size", "stepsize", "base_lr", "a"},
    "beta": {"beta1", "beta_1", "b1", "momentum", "mu"},
    "gamma": {"beta2", "beta_2", "b2", "rho", "decay_rate"},
    "eps": {"epsilon", "e", "eps_hat"},
    "decay": {"weight_decay", "wd", "lambda_", "lam", "l2"},
}


def _bare(): ...


def _described():
    """..."""


EMPTY = {_bare.__code__.co_code, _described.__code__.co_code}  # a body of dots, or one that returns a constant


class Fault(Exception):
    """What keeps an answer from being compared, in one sentence."""


class Unanswered(Exception):
    """The answer still holds the dots of the exercise."""


class Endless(BaseException):
    """A limit is used up; no `Exception`, so that an `except Exception` in the answer lets it pass."""


class Lines(io.TextIOBase):
    """Takes what is printed and keeps nothing but the number of lines."""

    lines = 0

    def write(self, text):
        self.lines += text.count("\n")
        return len(text)


def kind(item):
    """What an object is, in words."""
    names = {"str": "text", "int": "a number", "float": "a number", "ndarray": "an array"}
    name = type(item).__name__
    return names.get(name, "a function" if callable(item) else f"an object of type {name}")


class Guard:
    """An answer that is called like the reference; whatever goes wrong in it becomes a `Fault`."""

    def __init__(self, reference, answer):
        if not callable(answer):
            raise Fault(f"check takes your function by its name, without parentheses; it got {kind(answer)}.")
        code = getattr(answer, "__code__", None)
        if code and code.co_name != "<lambda>" and code.co_code in EMPTY and code.co_consts[-1] is None:
            raise Unanswered
        self.answer, self.printed, self.reading = answer, Lines(), ""
        self.known = {}
        self.left, self.until = BUDGET, perf_counter() + SECONDS
        self.arguments = list(inspect.signature(reference).parameters)
        try:
            self.signature = inspect.signature(answer)
        except (TypeError, ValueError):  # some compiled functions have none
            self.signature = None

    def __call__(self, *args, **hyper):
        return self.run(self.answer, args, self.named(args, hyper))

    def named(self, args, hyper):
        """The hyperparameters under the answer's own names: equal names, then synonyms, the others in order."""
        if not self.signature:
            return hyper
        key = len(args), *hyper
        if key not in self.known:
            self.known[key] = self.match(args, hyper)
        return {self.known[key][name]: item for name, item in hyper.items()}

    def match(self, args, hyper):
        """The answer's own name of each hyperparameter."""
        ordered, free = len(args), []
        for parameter in self.signature.parameters.values():
            if parameter.kind is parameter.VAR_POSITIONAL:
                ordered = 0
            elif parameter.kind is parameter.VAR_KEYWORD:
                free.extend(name for name in hyper if name not in free)
            elif parameter.kind is not parameter.KEYWORD_ONLY and ordered:
                ordered -= 1
            else:
                free.append(parameter.name)
        own = {name: name for name in hyper if name in free}
        for name in hyper:
            known = [other for other in free if other.lower() in SYNONYMS.get(name, ())]
            if name not in own and len(known) == 1:
                own[name] = known[0]
        others = [name for name in free if name not in own.values()]
        unclear = [name for name in hyper if name not in own]
        own |= dict(zip(unclear, others)) if others else {name: name for name in unclear}
        renamed = ", ".join(f"{name} as {own[name]}" for name in unclear if own.get(name, name) != name)
        self.reading = f" (Your arguments were read in order: {renamed}.)" if ", " in renamed else ""
        named = {own.get(name, name): item for name, item in hyper.items()}
        try:
            self.signature.bind(*args, **named)
        except TypeError as error:
            wanted = ", ".join([*self.arguments[: len(args)], *(f"{name}=…" for name in hyper)])
            raise Fault(f"your function takes {self.signature}; it is called with ({wanted}): {error}.") from None
        return {name: own.get(name, name) for name in hyper}

    def run(self, function, args, named):
        """Call a function of the reader on copies; a function in its result is guarded as well."""
        given, debugger, tracer = [*args, *named.values()], sys.gettrace(), self.count
        items = [item.copy() if isinstance(item, np.ndarray) else item for item in given]
        try:
            with redirect_stdout(self.printed), redirect_stderr(self.printed):
                try:
                    sys._getframe().f_trace_opcodes = True  # Python 3.12 looks here when tracing begins
                    sys.settrace(debugger or tracer)
                    result = function(*items[: len(args)], **dict(zip(named, items[len(args) :])))
                    if hasattr(result, "__next__"):
                        result = list(islice(result, LONGEST + 1))
                    traced = sys.gettrace()
                finally:
                    sys.settrace(debugger)
        except KeyboardInterrupt:
            raise
        except Endless as limit:
            raise Fault(f"your function takes too long: it was stopped after {limit}.") from None
        except BaseException as error:
            if isinstance(error, TypeError) and "ellipsis" in str(error):
                raise Unanswered from None
            raise Fault(theirs(error) + where(self.arguments, args)) from None
        if traced != (debugger or tracer):
            raise Fault("your function changes sys.settrace, by which the checker stops loops that never end.")
        if type(result) is list and len(result) > LONGEST:
            raise Fault(f"your function returns an iterator that does not end within {LONGEST:,} items.")
        for name, before, after in zip([*self.arguments[: len(args)], *named], given, items, strict=True):
            if isinstance(before, np.ndarray) and not np.array_equal(before, after, equal_nan=True):
                text = f"your function changes its argument {name} in place, and the caller still needs it"
                if np.allclose(before, after, rtol=1e-9, equal_nan=True):
                    text += " (it is put back only up to rounding)"
                raise Fault(f"{text}. Work on a copy, or give the new value a name of its own.")
        return (lambda *args: self.run(result, args, {})) if callable(result) else result

    def count(self, frame, event, arg):
        """The trace function: one instruction less, and a look at the clock."""
        if frame.f_code.co_filename.startswith(FOREIGN):
            return None
        frame.f_trace_opcodes = True  # `while True: pass` has no lines that follow each other
        self.left -= 1
        if self.left < 0:
            raise Endless(f"{BUDGET:,} instructions. Is there a loop that never ends?")
        if perf_counter() > self.until:
            raise Endless(f"{SECONDS} seconds. Is a slow call repeated in a loop?")
        return self.count


def theirs(error):
    """An exception of the reader's code in one sentence: its message, and the line of theirs it came from."""
    try:
        text = f"your code raised {type(error).__name__}: {error}".splitlines()[0][:300].rstrip(": ")
    except Exception:  # its own words may fail
        text = f"your code raised {type(error).__name__}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(FOREIGN)]
    if not own:
        return text + "."
    return f"{text}, in line {own[-1].lineno}" + (f": {own[-1].line}" if own[-1].line else ".")


def where(names, args):
    """The shape of `phi` where it has runs, for code that goes through components one by one."""
    phi = dict(zip(names, args)).get("phi")
    if np.ndim(phi) < 2:
        return ""
    return f" (It was called with phi of shape {phi.shape}: {len(phi)} parameters, the further axes are runs.)"
