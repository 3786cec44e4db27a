"""Every edit of every reference, run through the checker: `python -m tests.answers.mutants [exercise ...]`.

A survivor is the same function, for a reason in `REASONS`, or a hole in the problems: the latter are printed.
"""

import ast
import contextlib
import re
import sys
import warnings

import numpy as np

from fitlib.exercises import diagnose, grammar, place
from fitlib.exercises.core import EXERCISES, same
from fitlib.exercises.guard import Fault, Guard, Unanswered

# Why an edited reference is the same function, for every exercise in whose name and edit the patterns are found.
REASONS = [
    (r"", r"^(sign|function): (g|d|u|unit|mean|gradients?|gradients.mean.axis=0.) -> ", "it is squared, or even"),
    (r"gabor", r"^function: phi -> ", "φ₁ is positive, and np.abs does nothing to it"),
    (r"gabor_gradient|dual_mult|escape|amsgrad|best_mom|squared_err", r"^exchanged: ", "a product, maximum or square"),
    (r"bowl_steps", r"^(exchanged|place|power)", "sizes below 1 stay below 1, whatever their sign"),
    (r"barzilai|spectral_step|orthogonal_round", r"^(place|exchanged): ", "products of matrices associate"),
    (r"rescaled_condition|spectral_step|index", r"^(number|sign|function): ", "the scale cancels, or plays no part"),
    (r"cosine", r"^sign: np.minimum", "the cosine is even"),
    (r"step$", r"^count: 1 -> 0.5", "t is a whole number"),
    (r"warmup$", r"steps|start|kind|: [01] -> |t -> ", "other kinds of warmup, and none at all, are not asked for"),
    (r"noise_scale|paired", r"^(count|sign): ", "the spread does not depend on the middle"),
    (r"paired", r"^name: d -> ", "only its length is used"),
    (r"best_momentum", r"^sign: 2 -> -2", "it is squared"),
    (r"map_code|steps_to_level", r"^(power|sign|number|count|function): (a|above) -> ", "only its shape is used"),
    (r"adadelta$", r"alpha", "its rate is 1 here"),
    (r"epoch", r"^function: rng.permutation", "no index is negative"),
    (r"numerical_gradient", r"^function: h -> ", "the central difference is even in h"),
    (r"turns", r": (np.append|np.round|np.sum|changes|.*0.* -> .*-1)", "what is left out is less than half a turn"),
    (r"which_momentum", r"^(exchanged|power)", "a product; what is below 1 stays below"),
    (r"steps_to_recover", r"^sign: size -> ", "it is squared"),
]
# The exercises whose survivors all have a reason; a test holds it.
SEEN = """
mean_squared_error line_gradient numerical_gradient gabor_gradient dual_multiply backward_multiply
stability_limit best_rate bowl_steps barzilai_borwein gabor index escape_steps cosine step warmup radam_factor
robbins_monro noise_floor scale_rate growing_batches noise_scale ema map_code gradient_descent momentum
nesterov adam adamw adagrad rmsprop adadelta amsgrad amsgrad_corrected clip batch_gradient epoch to_pytorch
best_momentum nesterov_limit newton_step rescaled_condition spectral_step orthogonal_round paired_difference
smooth steps_to_level turns which_momentum steps_to_recover diagnose
""".split()


def reason(name, text):
    """Why an edit gives the same function, or nothing."""
    found = (why for where, what, why in REASONS if re.search(where, name) and re.search(what, text))
    return next(found, "")


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
    """The edits that pass without a reason, as text, and the number of all edits."""
    expected, found, count = list(exercise.outcomes(exercise.reference)), [], 0
    for edit, tree, function in mutants(exercise):
        count += 1
        if survives(exercise, function, expected) and changes(exercise, tree, edit):
            texts = [f"{ast.unparse(old)} -> {ast.unparse(new)}" for old, new in zip(edit.old, edit.new)]
            text = f"{edit.kind}: {'; '.join(texts)}"
            if not reason(exercise.name, text):
                found.append(text)
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
