"""What is said of a wrong answer: what is right, where it goes wrong, a property that it lacks, a question.

Never the operator, number or name that belongs there. Facts are statements, places "with another value here all
would be right", kinds questions.
"""

from fitlib.exercises.grammar import KINDS
from fitlib.exercises.results import close

MORE = "Check again for more."


def listed(items):
    """a, b and c."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def other_form(got, expected):
    """A sentence where a result is of another kind or shape than expected."""
    label, x, y = next((label, x, y) for (label, x), (_, y) in zip(got, expected) if not close(x, y))
    if y.dtype.kind == "U" and x.dtype.kind == "U" and str(x).strip().lower() == str(y).lower():
        return f"{label} is {str(x)!r}; words are compared letter by letter: expected is {str(y)!r}."
    if x.dtype.kind == "U" != y.dtype.kind:
        return f"{label} is text; expected {'is True or False' if y.dtype.kind == 'b' else 'are numbers'}."
    if y.dtype.kind == "U" != x.dtype.kind:
        return f"{label} is {'True or False' if x.dtype.kind == 'b' else 'a number'}; expected is a word."
    if x.shape != y.shape:
        return f"{label} has shape {x.shape}; expected is {y.shape}."
    return ""


def untrue(got, expected):
    """A sentence where what differs is whether something is so."""
    label, x, y = next((label, x, y) for (label, x), (_, y) in zip(got, expected) if not close(x, y))
    if y.dtype.kind != "b" or label == "the result":
        return ""
    return f"{label}, which should not be." if x else f"it is not so that {label}, and should be."


def where(places, mended):
    """The places, quoted; `mended` are the outputs that another value would make right, where not all are."""
    texts = []
    for one in places[:3]:
        whole = one.text == one.code
        texts.append(f"line {one.line}" if whole else f"`{one.text}` in line {one.line}, `{one.code}`")
    if not texts:
        return ""
    if not places[0].proper:
        return f"It is decided in {listed(texts)}."
    value = "another value" if len(texts) == 1 else "other values"
    return f"Look at {' and at '.join(texts)}: with {value} there {listed(mended or ['everything'])} would be right."


def question(one):
    """What to ask of a place: what its line is for."""
    target = one.code.split(" = ")[0] if " = " in one.code else ""
    return f"What is `{target}` meant to be?" if target.isidentifier() else "What is that part meant to be?"


def sentences(finding, level):
    """What is told at a level, and whether anything was found for it."""
    parts = []
    if finding.right and finding.wrong:
        verb = "is" if len(finding.right) == 1 else "are"
        parts.append(f"{listed(finding.right)} {verb} right, {listed(finding.wrong)} wrong.".capitalize())
    parts += finding.facts
    if finding.places:
        parts.append(where(finding.places, finding.mended))
    found = bool(finding.facts or finding.places)
    if level == 1:
        if finding.places and finding.places[0].proper:
            parts.append(question(finding.places[0]))
        return (" ".join(["differs from the reference.", *parts, MORE]) if found else ALONE), found
    if finding.kinds:
        parts += [KINDS[kind] for kind in finding.kinds]
        found = True
    if level == 2 and found:
        return " ".join(["differs from the reference.", *parts, MORE]), True
    return " ".join(["differs from the reference.", *parts]), bool(parts) and level < 3


ALONE = "differs from the reference."
