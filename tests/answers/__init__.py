"""Wrong answers with the wrong line marked, and how the checker fares on them: `python -m tests.answers`.

`learners_*.md` were written as learners would, before the checker's grammar; `public_*.md` are anew what is met
in public code; `strangers.md` was written with the tasks alone at hand. The sets in `KEPT` were not looked at, nor
run, while the checker was made.
"""

import linecache
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fitlib.exercises.core import EXERCISES

HERE = Path(__file__).parent
KEPT = ("learners_b", "learners_d", "public_b", "strangers")


class Answer(NamedTuple):
    """A wrong answer: exercise, kind, the mistake in words, the function, the marked lines and how many there are."""

    exercise: str
    kind: str
    mistake: str
    function: object
    marked: set
    statements: int


def function(text, name="answer", scope=None):
    """The function that a text defines, with its source at hand as in a notebook."""
    file = f"<answer {abs(hash(text))}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    scope = scope or {"np": np}
    exec(compile(text, file, "exec"), scope)
    return scope[name]


def known():
    """The mistakes in `known.txt`, made in the source of the reference; their kinds are not marked."""
    found, names = [], []
    for line in (HERE / "known.txt").read_text(encoding="utf-8").splitlines():
        edit = re.fullmatch(r"(- |  )`(.+?)` → (?:`(.+)`|nothing)", line)
        if line.startswith("## "):
            names = line[3:].split(", ")
        elif edit and edit[1] == "- ":
            found.append((names, [(edit[2], edit[3] or "")]))
        elif edit:
            found[-1][1].append((edit[2], edit[3] or ""))
    return [broken(EXERCISES[name], edits) for names, edits in found for name in names]


def broken(exercise, edits):
    """An answer that is the reference with its text edited; the changed lines are marked."""
    text = exercise.source
    for old, new in edits:
        assert text.count(old) == 1, (exercise.name, old)
        text = text.replace(old, new)
    before, after = exercise.source.splitlines(), text.splitlines()
    marked = {i for i, (old, new) in enumerate(zip(before, after), 1) if old != new}
    answer = function(text, exercise.name, dict(exercise.reference.__globals__))
    statements = sum(bool(line.strip()) for line in after) - 1 - text.count('"""') // 2
    return Answer(exercise.name, "", " and ".join(f"{old} -> {new}" for old, new in edits), answer, marked, statements)


def read(stem):
    """The answers in a file: under `## exercise: kind: mistake` a function, its wrong line marked `# here`."""
    found = []
    for part in re.split(r"(?m)^## ", (HERE / f"{stem}.md").read_text(encoding="utf-8"))[1:]:
        head, text = part.split("\n", 1)
        name, kind, mistake = head.split(": ", 2)
        lines = text.rstrip().splitlines()
        marked = {i for i, line in enumerate(lines, 1) if line.endswith("# here")}
        plain = "\n".join(line.removesuffix("  # here") for line in lines) + "\n"
        found.append(Answer(name, kind, mistake, function(plain), marked, len(lines) - 1))
    return found
