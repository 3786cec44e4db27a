"""The checker: an answer against the reference on random problems; then what is wrong with it, level by level.

`check` compares the results on every problem. Where they differ it says, in this order: that the answer is a
convention which is right in itself (`mistakes.md`); what is right, where the answer goes wrong and which property
its results lack (`diagnose`); asked again, what kind of mistake it could be; at last the smallest case.
"""

import difflib
import html
import inspect
import re
import textwrap
import warnings
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from fitlib.exercises import diagnose, place, spelled, words
from fitlib.exercises.guard import Fault, Guard, Unanswered, kind
from fitlib.exercises.results import array, close, same

__all__ = ["Fault", "array", "check", "draw", "exercise", "kind", "same", "show", "shown", "symmetric"]

EXERCISES = {}
TOLD = {}  # exercise -> the outcomes of the last wrong answer and the level that was told


class Report:
    """What `check` returns: true where the answer is right; shown as a sentence and the case that differs.

    `level` is 1 for the place, 2 for the kind of mistake, 3 for the smallest case, and 0 for all else; `more` is
    the report of the next level.
    """

    def __init__(self, name, mark, text, case=(), level=0, finding=None, again=None):
        self.name, self.mark, self.text, self.case = name, mark, text, list(case)
        self.level, self.finding, self.again = level, finding, again

    def __bool__(self):
        return self.mark == "✓"

    @property
    def more(self):
        return self.again() if self.again else self

    def __repr__(self):
        lines = textwrap.wrap(f"{self.mark} {self.name}: {self.text}", 100, break_long_words=False)
        return "\n".join(lines + ["    " + line for line in self.case])

    def _repr_html_(self):
        text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(self.text))
        case = f"<pre>{html.escape(chr(10).join(self.case))}</pre>" if self.case else ""
        return f"<div><p><strong>{self.mark} {self.name}</strong>: {text}</p>{case}</div>"


@cache
def catalogue():
    """The forms in `mistakes.md`: exercise -> list of `(edits, text)`; edits are pairs `(old, new)`."""
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
    - `outputs` names what the function returns, where that is several things.
    """

    def __init__(self, reference, problems, play, outputs=()):
        self.reference, self.draw, self.play = reference, problems, play
        self.name, self.outputs = reference.__name__, list(outputs)
        self.arguments = list(inspect.signature(reference).parameters)

    @cached_property
    def forms(self):
        """The reference, after the form in which `spelled.py` may have it."""
        second = getattr(spelled, self.name, None)
        return [second, self.reference] if second else [self.reference]

    @cached_property
    def source(self):
        return textwrap.dedent(inspect.getsource(self.reference))

    @cached_property
    def problems(self):
        return list(self.draw(np.random.default_rng(0)))

    @cached_property
    def calls(self):
        return diagnose.calls(self)

    @cached_property
    def probes(self):
        """The forms of the reference as probes, for the values that occur in them."""
        return [place.Probe(place.source(form)[0], place.scope(form)) for form in self.forms]

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

    def known(self, got):
        """What to tell where a form in `mistakes.md` gives the outcomes `got` everywhere; else nothing."""
        for edits, text in catalogue().get(self.name, []):
            function = self.edited(edits)
            if all(map(same, got, self.outcomes(function))):
                return text
        return ""


def exercise(reference, problems, play=None, outputs=()):
    """Register an exercise under the name of its reference."""
    EXERCISES[reference.__name__] = Exercise(reference, problems, play or value, outputs)


def find(name, answer):
    """The exercise of this name; a `ValueError` that says what is meant where there is none."""
    if callable(name) and isinstance(answer, str):
        raise ValueError(f"the name comes first: check({answer!r}, {getattr(name, '__name__', 'your_function')})")
    if not isinstance(name, str) or name not in EXERCISES:
        near = " or ".join(map(repr, difflib.get_close_matches(str(name), EXERCISES, 3, 0.6)))
        text = f"did you mean {near}?" if near else f"there are {', '.join(EXERCISES)}."
        raise ValueError(f"there is no exercise {name!r:.60}; {text}")
    return EXERCISES[name]


def check(name, answer, more=False):
    """Compare the function `answer` with the reference of the exercise `name`, and say what is wrong with it.

    Returns a `Report`, true where the answer is right. Checked again, an answer that is still wrong in the same
    way is told more; `more=True` asks for that at once. Raises `ValueError` where no exercise has this name.
    """
    this = find(name, answer)
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
        printed = guard.printed.lines
        tail = f" It printed {printed} lines, which are not shown." if printed else ""
        if wrong is None:
            return Report(name, "✓", f"right on all {len(got)} problems.{tail}")
        report = differs(this, guard, got, expected, wrong, more)
        report.text += guard.reading + tail
        return report


def differs(this, guard, got, expected, wrong, more):
    """The report on an answer whose results differ, at the level that its turn is."""
    name, text = this.name, words.other_form(got[wrong], expected[wrong])
    case = smallest(this.problems[wrong], got[wrong], expected[wrong])
    if text:
        return Report(name, "✗", f"{text} The smallest case:", case)
    try:
        again = Guard(this.reference, guard.answer)
        twice = list(this.play(again, this.problems[wrong]))
    except (Fault, Unanswered):
        twice = got[wrong]
    if not same(twice, got[wrong]):
        text = "two calls with the same arguments gave two results. Does it draw numbers, or remember a call?"
        return Report(name, "✗", f"{text} The smallest case:", case)
    if known := this.known(got):
        return Report(name, "✗", f"on all {len(got)} problems your answer equals another form. {known}", level=2)
    if text := words.untrue(got[wrong], expected[wrong]):
        return Report(name, "✗", f"{text} The smallest case:", case)
    before, level = TOLD.get(name, (None, 0))
    equal = before is not None and all(map(same, got, before))
    level = min(3, max(1 + bool(more), level + 1 if equal else 1))
    TOLD[name] = got, level
    return leveled(this, guard, got, level, case)


def leveled(this, guard, got, level, case):
    """The report of a level; where nothing was found, the smallest case is told at once."""
    finding = diagnose.study(this, guard, level)
    text, found = words.sentences(finding, level)
    if level == 1 and not found:
        level, finding = 2, diagnose.study(this, guard, 2)
        text, found = words.sentences(finding, 2)
    level = level if found else 3
    again = (lambda: repeat(this, guard, got, level + 1, case)) if level < 3 else None
    shown = case if level == 3 else []
    return Report(this.name, "✗", text + (" The smallest case:" if shown else ""), shown, level, finding, again)


def repeat(this, guard, got, level, case):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        TOLD[this.name] = got, level
        return leveled(this, Guard(this.reference, guard.answer), got, level, case)


def smallest(problem, got, expected):
    """The first difference on a problem, line by line."""
    label, x, y = next((label, x, y) for (label, x), (_, y) in zip(got, expected) if not close(x, y))
    given = [f"{name} = {show(item)}" for name, item in problem.items()]
    return [*given, f"expected: {label} = {show(y)}", f"got:      {label} = {show(x)}"]


def value(function, problem):
    """The play of a plain function: one call, one result."""
    yield "the result", array(function(*problem.values()))


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
