"""`Quiz`: a question with options, or with a number as its answer, and feedback for what the reader gives."""

import itertools

from fitlib.figures.base import Figure, is_number
from fitlib.figures.words import line, plain, said


class Quiz(Figure):
    """A question that says what is wrong with an answer. Texts are lines of Markdown with `$...$`.

    - `Quiz("question", {"option": "feedback", ...}, right="option")`: one of the options is right.
    - `Quiz("question", answer=0.2, tolerance=0.01, unit="", feedback={0.1: "..."}, otherwise="...")`: a
      number, right within `tolerance` (1 % of the answer where it is not given). `feedback` names numbers:
      typical mistakes, and the answer itself for a word on why it is right; `otherwise` is said to others.

    Without JavaScript the question, its options and the answers (folded) are text. Nothing is kept or sent.
    Raises `ValueError` with one sentence.
    """

    kind = "quiz"

    def __init__(
        self,
        question,
        options=None,
        *,
        right=None,
        answer=None,
        tolerance=None,
        unit="",
        feedback=None,
        otherwise="Have another look.",
    ):
        said("the question", question)
        if (options is None) == (answer is None):
            raise ValueError("a quiz has options and which one is right, or a number as its answer")
        if answer is None:
            if (tolerance, unit, feedback) != (None, "", None):
                raise ValueError(
                    "tolerance, unit and feedback belong to a number; feedback of options stands beside them"
                )
            spec = {"options": _options(options, right)}
        else:
            if right is not None:
                raise ValueError("right names an option; with a number give answer= alone")
            spec = _numeric(answer, tolerance, said("otherwise", otherwise), feedback or {})
            spec["unit"] = unit
        super().__init__({"question": line(question), **spec}, {}, caption="", alt=plain(question))

    def fallback(self):
        """The question, what can be chosen, and the answers, as HTML that needs no script."""
        spec = self._spec
        options = "".join(f"<li>{option['text']}</li>" for option in spec.get("options", ()))
        if "options" in spec:
            answers = [(one["text"], one["right"], one["feedback"]) for one in spec["options"]]
        else:
            named = [(spec["answer"], True, spec["why"])]
            named += [(known["value"], False, known["text"]) for known in spec["feedback"]]
            answers = [(f"{value:g} {spec['unit']}".strip(), right, text) for value, right, text in named]
        said = "".join(
            f"<li>{name}: {'right' if ok else 'not right'}. {text}</li>" for name, ok, text in answers
        )
        return (
            f"<p>{spec['question']}</p>{options and f'<ul>{options}</ul>'}"
            f"<details><summary>Answer</summary><ul>{said}</ul></details>"
        )


def _options(options, right):
    if not isinstance(options, dict) or len(options) < 2:
        raise ValueError(
            f"options is a dict option -> feedback with at least two options; got {options!r:.60}"
        )
    if right not in options:
        raise ValueError(f"right is one of the options ({', '.join(map(str, options))}); got {right!r}")
    return [
        {
            "text": line(said("an option", option)),
            "feedback": line(said(f"the feedback of {option}", text)),
            "right": option == right,
        }
        for option, text in options.items()
    ]


def _numeric(answer, tolerance, otherwise, feedback):
    if not is_number(answer) or not all(map(is_number, feedback)):
        raise ValueError(
            f"answer and the keys of feedback are finite numbers; got {answer!r}, {list(feedback)!r:.60}"
        )
    tolerance = tolerance if tolerance is not None else 0.01 * abs(answer) or 0.01
    if not is_number(tolerance) or tolerance < 0:
        raise ValueError(f"tolerance is a number, 0 or above; got {tolerance!r}")
    for a, b in itertools.combinations({float(answer), *map(float, feedback)}, 2):
        if abs(a - b) <= (tolerance if float(answer) in (a, b) else 0):
            raise ValueError(
                f"{a:g} and {b:g} are nearer than the tolerance, {tolerance:g}, and cannot be told apart"
            )
    wrong = {value: text for value, text in feedback.items() if value != answer}
    return {
        "answer": float(answer),
        "tolerance": float(tolerance),
        "why": line(feedback.get(answer, "")),
        "feedback": [
            {"value": float(value), "text": line(said(f"the feedback of {value}", text))}
            for value, text in wrong.items()
        ],
        "otherwise": line(otherwise),
    }
