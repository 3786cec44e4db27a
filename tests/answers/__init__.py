"""Wrong answers with the wrong line marked, and how the checker fares on them: `python -m tests.answers`.

`learners_*.md` were written as learners would, before the checker's grammar; `public_*.md` are anew what is met
in public code. The sets in `KEPT` were not looked at, nor run, while the checker was made.
"""

import linecache
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

HERE = Path(__file__).parent
KEPT = ("learners_b", "learners_d", "public_b")


class Answer(NamedTuple):
    """A wrong answer: exercise, kind, the mistake in words, the function, the marked lines and how many there are."""

    exercise: str
    kind: str
    mistake: str
    function: object
    marked: set
    statements: int


def function(text, name="answer"):
    """The function that a text defines, with its source at hand as in a notebook."""
    file = f"<answer {abs(hash(text))}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    scope = {"np": np}
    exec(compile(text, file, "exec"), scope)
    return scope[name]


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
