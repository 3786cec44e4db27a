"""What the checker says of wrong answers that were written apart from it, and of edits of the references."""

import warnings

import numpy as np
import pytest

from fitlib.exercises.core import EXERCISES, TOLD, check
from fitlib.exercises.guard import Fault, Guard
from fitlib.exercises.results import same
from tests.answers import function, known, read
from tests.answers.__main__ import measure
from tests.answers.mutants import SEEN, survivors

# What was reached, in answers: a proper part told, of those that are no known form; on the right line, of the
# functions of three and more statements (a part taken by chance: 23 %); the kind among those asked for.
# The first three sets were at hand while the checker was made, the last three were not: run for the first time
# they gave 74 of 74 caught, a part for 53 of 60, the line for 43 of 48, the kind for 56 of 74; and 3 of 119
# statements misled (since mended). `strangers` came last, to exercises most of which were new: at first 37 of 40
# caught (the three that passed have problems now), one that broke the checker, a part for 28 of 38, the line for
# 14 of 26 (by chance 25 %), the kind for 19; and of 23 facts told beside the places 6 misled (since mended).
REACHED = {
    "learners_a": (37, 32, 37),
    "learners_c": (17, 15, 16),
    "public_a": (8, 6, 10),
    "learners_b": (34, 28, 29),
    "learners_d": (16, 13, 14),
    "public_b": (3, 2, 14),
    "strangers": (27, 13, 19),
}
UNTRUE = [
    ("holds_to", 0, "tolerance has no effect"),
    ("holds_to", 1, "If tolerance is doubled, the result should stay"),
    ("steps_to_level", 1, "level has no effect"),
    ("warmup_stable_decay", 0, "If alpha is doubled, the result should double; yours does not"),
    ("choose_and_judge", 1, "The first part that is not finite"),
]


@pytest.mark.parametrize("stem", REACHED)
def test_wrong_answers_are_caught_placed_and_named(stem):
    rows = measure(read(stem))
    assert rows["caught"] == rows["answers"]
    reached = (rows["part"], rows["line"], rows["kind"])
    assert all(now >= before for now, before in zip(reached, REACHED[stem])), reached


@pytest.mark.parametrize("name,i,text", UNTRUE)
def test_nothing_is_told_that_holds_by_luck_of_the_problems(name, i, text):
    TOLD.clear()
    report = check(name, [one for one in read("strangers") if one.exercise == name][i].function)
    assert not report and text not in " ".join(str(report).split())


def test_an_amount_that_is_infinite_is_not_the_same_everywhere():
    TOLD.clear()
    right = EXERCISES["bowl_steps"].reference
    report = check("bowl_steps", lambda hessian, alpha, factor: min(2 * right(hessian, alpha, factor), 999))
    assert not report and "same amount" not in str(report)


def test_mistakes_of_other_books_are_caught():
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for one in known():
            assert one.marked and not passes(one), one


def passes(one):
    exercise = EXERCISES[one.exercise]
    try:
        got = list(exercise.outcomes(Guard(exercise.reference, one.function)))
    except Fault:
        return False
    return all(map(same, got, exercise.outcomes(exercise.reference)))


@pytest.mark.parametrize("name", SEEN)
def test_an_edit_of_a_reference_that_passes_is_the_same_function(name):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, count = survivors(EXERCISES[name])
    assert count > 20 and found == []


PLAIN = "def answer(t, phi, grad, m, *, alpha, beta):\n    return phi - alpha * grad(phi), m\n"
UNUSED = """def answer(t, phi, grad, m, *, alpha, beta):
    g = grad(phi)
    m = beta * m + (1 - beta) * g
    return phi - alpha * g, m
"""
FRESH = """def answer(t, phi, grad, m, *, alpha, beta):
    m = (1 - beta) * grad(phi)
    return phi - alpha * m, m
"""
STANDS = """def answer(t, phi, grad, v, u, *, gamma, eps):
    return phi - grad(phi), v, u
"""
LATE = """def answer(points, size, rng):
    order = rng.permutation(points)
    return [order[i : i + size] for i in range(1, points - size + 1, size)]
"""
NAN = "def answer(t, phi, grad, m, v, *, alpha, beta, gamma, eps):\n    return phi * np.nan, m, v\n"
WORDS = ["as in PyTorch", "not handed on", "numerator lacks eps", "counts from 0", "uses the new u", "range ends"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("momentum", PLAIN, "The new m is m as it came"),
        ("nesterov", PLAIN, "The new m is m as it came"),
        ("momentum", UNUSED, "The new m is right, the new phi wrong. Look at `g` in line 4"),
        ("momentum", FRESH, "m has no effect on what you return."),
        ("adadelta", STANDS, "as it came: nothing happens to it"),
        ("epoch", LATE, "The smallest case:"),
        ("adam", NAN, "not finite"),
    ],
)
def test_answers_that_were_once_misread(name, text, said):
    TOLD.clear()
    report = check(name, function(text))
    assert not report and said in report.text
    for told in (report, report.more, report.more.more):
        assert not any(word in told.text for word in WORDS)
