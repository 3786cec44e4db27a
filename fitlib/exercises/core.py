"""The checker: an answer against the reference on random problems, then against the known mistakes.

An answer runs on copies of a problem's arrays, silently, and within a budget of instructions of Python: a
trace function (`sys.settrace`) counts them and stops the answer when the budget is used up. That needs no
threads, no signals and no clock, and works alike on every system, in a notebook and in the browser. Where a
debugger traces already it keeps its place, and there is no budget. Two things are not stopped but left to the
kernel's interrupt: one call of compiled code that never returns (`time.sleep(1e9)`), and a loop around a bare
`except:`.
"""

import difflib
import html
import inspect
import io
import re
import sys
import sysconfig
import textwrap
import traceback
import warnings
from contextlib import redirect_stderr, redirect_stdout
from functools import cache, cached_property
from itertools import combinations
from pathlib import Path

import numpy as np

# Answers in float32 are off by up to 1e-5 of the largest entry, eight steps of Adam included. Problems are
# drawn with every quantity of order one, so that each known mistake changes some result by 1e-2 of it or more
# (a test holds both). The tolerance lies between. A result that cancels to zero counts as FLOOR.
TOLERANCE, FLOOR = 1e-4, 1e-2
# Instructions of the reader's code in one check, some 0.3 s. Right answers need fewer than 10,000.
BUDGET = 1_000_000

# Code of others: Python's library, what is installed beside NumPy, fitlib. It is not counted, so that an
# answer may import what it likes, and its lines are not shown as the reader's.
FOREIGN = ("<frozen", str(Path(np.__file__).parents[1]), str(Path(__file__).parents[1]))
FOREIGN += tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))

EXERCISES = {}


class Fault(Exception):
    """What keeps an answer from being compared, in one sentence."""


class Unanswered(Exception):
    """The answer still holds the dots of the exercise."""


class Endless(BaseException):
    """The budget is used up; no `Exception`, so that an `except Exception` in the answer lets it pass."""


class Report:
    """What `check` returns: true where the answer is right; shown as a sentence and the case that differs."""

    def __init__(self, name, mark, text, case=()):
        self.name, self.mark, self.text, self.case = name, mark, text, list(case)

    def __bool__(self):
        return self.mark == "✓"

    def __repr__(self):
        lines = textwrap.wrap(f"{self.mark} {self.name}: {self.text}", 100, break_long_words=False)
        return "\n".join(lines + ["    " + line for line in self.case])

    def _repr_html_(self):
        case = f"<pre>{html.escape(chr(10).join(self.case))}</pre>" if self.case else ""
        return f"<div><p><strong>{self.mark} {self.name}</strong>: {html.escape(self.text)}</p>{case}</div>"


@cache
def catalogue():
    """The mistakes in `mistakes.md`: exercise -> list of `(edits, text)`; edits are pairs `(old, new)`."""
    known, names = {}, []
    for line in Path(__file__).with_name("mistakes.md").read_text(encoding="utf-8").splitlines():
        edit = re.fullmatch(r"(- |  )`(.+?)` → (?:`(.+)`|nothing)", line)
        if line.startswith("## "):
            names = line[3:].split(", ")
        elif edit and edit[1] == "- ":
            mistake = ([], [])
            for name in names:
                known.setdefault(name, []).append(mistake)
        if edit:
            mistake[0].append((edit[2], edit[3] or ""))
        elif line.startswith("  "):
            mistake[1].append(line.strip())
    return {name: [(edits, " ".join(text)) for edits, text in mistakes] for name, mistakes in known.items()}


class Exercise:
    """A reference and the problems an answer is compared with it on.

    - `problems(rng)` yields dicts from argument to value, the smallest problem first.
    - `play(function, problem)` yields `(label, array)`: what is compared.
    """

    def __init__(self, reference, problems, play):
        self.reference, self.draw, self.play = reference, problems, play
        self.name = reference.__name__

    @cached_property
    def source(self):
        return textwrap.dedent(inspect.getsource(self.reference))

    @cached_property
    def problems(self):
        return list(self.draw(np.random.default_rng(0)))

    def outcomes(self, function):
        """What `function` gives on each problem: lists of `(label, array)`."""
        return (list(self.play(function, problem)) for problem in self.problems)

    def edited(self, edits):
        """The reference with its text edited, or None where an edit has not exactly one place."""
        source = self.source
        for old, new in edits:
            if source.count(old) != 1:
                return None
            source = source.replace(old, new)
        scope = dict(self.reference.__globals__)
        exec(source, scope)
        return scope[self.name]

    def diagnose(self, got):
        """What to tell of the one or two mistakes that give the outcomes `got` everywhere; else nothing."""
        single = [(edits, [text]) for edits, text in catalogue().get(self.name, [])]
        double = [(a + c, b + d) for (a, b), (c, d) in combinations(single, 2)]
        for edits, texts in single + double:
            try:
                function = self.edited(edits)
                if function and all(map(same, got, self.outcomes(function))):
                    return texts
            except Exception:  # two mistakes together need not make sense
                continue
        return []


def exercise(reference, problems, play=None):
    """Register an exercise under the name of its reference."""
    EXERCISES[reference.__name__] = Exercise(reference, problems, play or value)


def check(name, answer):
    """Compare the function `answer` with the reference of the exercise `name`, and say what is wrong with it.

    Returns a `Report`, true where the answer is right. Raises `ValueError` where no exercise has this name.
    """
    if name not in EXERCISES:
        near = " or ".join(map(repr, difflib.get_close_matches(str(name), EXERCISES, 3, 0.5)))
        text = f"did you mean {near}?" if near else f"there are {', '.join(EXERCISES)}."
        raise ValueError(f"there is no exercise {name!r:.60}; {text}")
    this = EXERCISES[name]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            guard = Guard(this.reference, answer)
            got = list(this.outcomes(guard))
        except Fault as fault:
            return Report(name, "✗", str(fault))
        except Unanswered:
            return Report(name, "○", "not answered yet; put your own code where the dots are.")
        expected = list(this.outcomes(this.reference))
        wrong = next((i for i, pair in enumerate(zip(got, expected, strict=True)) if not same(*pair)), None)
        known = [] if wrong is None else this.diagnose(got)
    printed = f" It printed {guard.printed.lines} lines, which are not shown." if guard.printed.lines else ""
    if wrong is None:
        return Report(name, "✓", f"right on all {len(got)} problems.{printed}")
    if known:
        label = "a known mistake" if len(known) == 1 else "two known mistakes at once"
        text = f"on all {len(got)} problems your answer equals {label}. {' And: '.join(known)}"
        return Report(name, "✗", text + printed)
    text, case = difference(this.problems[wrong], got[wrong], expected[wrong])
    return Report(name, "✗", f"{text}{guard.reading}{printed} The smallest case:", case)


# --- running an answer -----------------------------------------------------------------------------


class Lines(io.TextIOBase):
    """Takes what is printed and keeps nothing but the number of lines."""

    lines = 0

    def write(self, text):
        self.lines += text.count("\n")
        return len(text)


class Guard:
    """An answer that is called like the reference; whatever goes wrong in it becomes a `Fault`."""

    def __init__(self, reference, answer):
        if not callable(answer):
            raise Fault(f"check takes your function by its name, without parentheses; it got {kind(answer)}.")
        self.answer, self.printed, self.left, self.reading = answer, Lines(), BUDGET, ""
        self.arguments = list(inspect.signature(reference).parameters)
        try:
            self.signature = inspect.signature(answer)
        except (TypeError, ValueError):  # some compiled functions have none
            self.signature = None

    def __call__(self, *args, **hyper):
        return self.run(self.answer, args, self.named(args, hyper) if self.signature else hyper)

    def named(self, args, hyper):
        """The hyperparameters under the answer's own names: an equal name first, the others in order."""
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
        others = [name for name in free if name not in hyper]
        own = {name: name if name in free or not others else others.pop(0) for name in hyper}
        renamed = ", ".join(f"{name} as {other}" for name, other in own.items() if name != other)
        self.reading = f" (Your arguments were read in order: {renamed}.)" if ", " in renamed else ""
        try:
            self.signature.bind(*args, **{own[name]: item for name, item in hyper.items()})
        except TypeError:
            wanted = ", ".join([*self.arguments[: len(args)], *hyper])
            raise Fault(f"your function takes {self.signature}; here it is called with ({wanted}).") from None
        return {own[name]: item for name, item in hyper.items()}

    def run(self, function, args, named):
        """Call a function of the reader on copies; a function in its result is guarded as well."""
        given, debugger = [*args, *named.values()], sys.gettrace()
        items = [item.copy() if isinstance(item, np.ndarray) else item for item in given]
        try:
            with redirect_stdout(self.printed), redirect_stderr(self.printed):
                try:
                    sys._getframe().f_trace_opcodes = True  # Python 3.12 looks here when tracing begins
                    sys.settrace(debugger or self.count)
                    result = function(*items[: len(args)], **dict(zip(named, items[len(args) :])))
                    result = list(result) if inspect.isgenerator(result) else result
                finally:
                    sys.settrace(debugger)
        except KeyboardInterrupt:
            raise
        except Endless:
            text = f"your function does not return: it was stopped after {BUDGET:,} instructions"
            raise Fault(f"{text}. Is there a loop that never ends?") from None
        except BaseException as error:
            raise Fault(theirs(error)) from None
        for name, before, after in zip([*self.arguments[: len(args)], *named], given, items, strict=True):
            if isinstance(before, np.ndarray) and not np.array_equal(before, after, equal_nan=True):
                text = f"your function changes its argument {name} in place, and the caller still needs it"
                raise Fault(f"{text}. Work on a copy, or give the new value a name of its own.")
        return (lambda *args: self.run(result, args, {})) if callable(result) else result

    def count(self, frame, event, arg):
        """The trace function: one instruction less; none is left when a loop never ends."""
        if frame.f_code.co_filename.startswith(FOREIGN):
            return None
        frame.f_trace_opcodes = True  # `while True: pass` has no lines that follow each other
        self.left -= 1
        if self.left < 0:
            raise Endless
        return self.count


def theirs(error):
    """An exception of the reader's code in one sentence: its message, and the line of theirs it came from."""
    text = f"your code raised {type(error).__name__}: {error}".splitlines()[0][:300].rstrip(": ")
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(FOREIGN)]
    if not own:
        return text + "."
    return f"{text}, in line {own[-1].lineno}" + (f": {own[-1].line}" if own[-1].line else ".")


# --- results ---------------------------------------------------------------------------------------


def kind(item):
    """What an object is, in words."""
    names = {"str": "text", "int": "a number", "float": "a number", "ndarray": "an array"}
    name = type(item).__name__
    return names.get(name, "a function" if callable(item) else f"an object of type {name}")


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
    if values.dtype.kind not in "biufU":
        raise Fault(f"{name} returned {kind(result)}; expected are numbers.")
    return values


def value(function, problem):
    """The play of a plain function: one call, one result."""
    yield "the result", array(function(*problem.values()))


def close(x, y):
    """Equal shapes, and equal words or numbers within the tolerance; nan equals nan, inf equals inf."""
    if x.shape != y.shape or "U" in x.dtype.kind + y.dtype.kind:
        return np.array_equal(x, y)
    scale = FLOOR + np.abs(y[np.isfinite(y)]).max(initial=0)
    return np.allclose(x.astype(float), y.astype(float), rtol=0, atol=TOLERANCE * scale, equal_nan=True)


def same(got, expected):
    """Two outcomes agree in every result."""
    return len(got) == len(expected) and all(close(x, y) for (_, x), (_, y) in zip(got, expected))


def difference(problem, got, expected):
    """What differs first on a problem: a sentence, and the case line by line."""
    label, x, y = next((label, x, y) for (label, x), (_, y) in zip(got, expected) if not close(x, y))
    text = "differs from the reference, and equals no mistake known here."
    if x.dtype.kind == "U" != y.dtype.kind:
        text = f"{label} is text; expected are numbers."
    elif y.dtype.kind == "U" != x.dtype.kind:
        text = f"{label} is a number; expected is a word."
    elif x.shape != y.shape:
        text = f"{label} has shape {x.shape}; expected is {y.shape}."
    given = [f"{name} = {show(item)}" for name, item in problem.items()]
    return text, [*given, f"expected: {label} = {show(y)}", f"got:      {label} = {show(x)}"]


# --- problems --------------------------------------------------------------------------------------


def shown(function, text):
    """A function that a problem holds, with the text that shows it."""

    def read(argument):
        return function(np.asarray(argument))

    read.text = text
    return read


def show(item):
    """A value in few digits; the values of several steps one after the other."""
    if isinstance(item, tuple):
        texts = list(map(show, item))
        return texts[0] if len(set(texts)) == 1 else ", then ".join(texts)
    if np.asarray(item).dtype.kind not in "iuf":
        return getattr(item, "text", str(item))
    digits = {"float_kind": lambda number: f"{number + 0.0:.6g}"}
    return " ".join(np.array2string(np.asarray(item), separator=", ", formatter=digits).split())


def draw(rng, low, high, shape=()):
    """Random numbers with two decimals, easy to read."""
    return rng.uniform(low, high, shape).round(2) if shape != () else round(float(rng.uniform(low, high)), 2)


def symmetric(rng, eigenvalues):
    """A random symmetric matrix with about these eigenvalues."""
    vectors = np.linalg.qr(rng.normal(size=(len(eigenvalues), len(eigenvalues))))[0]
    matrix = vectors * eigenvalues @ vectors.T
    return ((matrix + matrix.T) / 2).round(2)
