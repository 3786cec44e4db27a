"""Every edit of every reference, run through the checker: `python -m tests.answers.mutants [exercise ...]`.

A survivor is the same function, or a hole in the problems. What survives is printed.
"""

import ast
import contextlib
import sys
import warnings

import numpy as np

from fitlib.exercises import diagnose, grammar, place
from fitlib.exercises.core import EXERCISES, same
from fitlib.exercises.guard import Fault, Guard, Unanswered


def mutants(exercise):
    """The edits of a reference with the functions they give."""
    tree, _ = place.source(exercise.reference)
    tree, names = diagnose.with_old(tree), place.scope(exercise.reference)
    sorts = diagnose.sorts_of(tree, names, diagnose.plainly, exercise.calls[-1]) if exercise.calls else {}
    for edit in grammar.edits(tree, sorts):
        try:
            yield edit, tree, place.build(grammar.apply(tree, edit), names)
        except (SyntaxError, ValueError, TypeError):
            continue


def changes(exercise, tree, edit):
    """Whether the edited part ever gets another value; a part that is not evaluated does not."""
    if len(edit.old) != 1 or not isinstance(edit.old[0], ast.expr):
        return True
    old, new = edit.old[0], edit.new[0]
    empty = ast.arguments([], [], None, [], [], None, [])
    both = ast.Call(ast.Name("__both", ast.Load()), [ast.Lambda(empty, old), ast.Lambda(empty, new)], [])
    seen = []

    def compare(first, second):
        value = first()
        with contextlib.suppress(Exception):
            other = second()
            seen.append(np.shape(value) == np.shape(other) and np.array_equal(value, other, equal_nan=True))
            return value
        seen.append(False)
        return value

    tree = grammar.apply(tree, grammar.Edit(edit.kind, (old,), (both,), ""))
    function = place.build(tree, {**place.scope(exercise.reference), "__both": compare})
    list(exercise.outcomes(function))
    return not all(seen)


def survives(exercise, function, expected):
    """Whether the checker would let a function pass."""
    try:
        guard = Guard(exercise.reference, function)
        return all(same(got, right) for got, right in zip(exercise.outcomes(guard), expected, strict=True))
    except (Fault, Unanswered):
        return False


def survivors(exercise):
    """The edits that pass, as text, and the number of all."""
    expected, found, count = list(exercise.outcomes(exercise.reference)), [], 0
    for edit, tree, function in mutants(exercise):
        count += 1
        if survives(exercise, function, expected) and changes(exercise, tree, edit):
            texts = [f"{ast.unparse(old)} -> {ast.unparse(new)}" for old, new in zip(edit.old, edit.new)]
            found.append(f"{edit.kind}: {'; '.join(texts)}")
    return found, count


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    total = passed = 0
    with np.errstate(all="ignore"):
        for name in sys.argv[1:] or EXERCISES:
            found, count = survivors(EXERCISES[name])
            total, passed = total + count, passed + len(found)
            print(f"{name}: {len(found)} of {count}")
            for text in found:
                print("   ", text)
    print(f"{passed} of {total} pass")
