"""`Answer`: a place for the reader's own answer, then a model answer and a list to check it against."""

import re

from fitlib.figures.base import Figure
from fitlib.figures.words import line, page, plain, said


class Answer(Figure):
    """A question that is answered in one's own words before a model answer is opened.

    `model` is Markdown (paragraphs, lists, emphasis, code, `$...$`), `checklist` lines of Markdown, each a
    thing that a good answer says. What the reader writes and checks stays in this browser, under `name`
    (lowercase letters, digits, _), which is used once in the book. Without JavaScript the model answer and
    the list are text, folded. Raises `ValueError` with one sentence.
    """

    kind = "answer"

    def __init__(self, question, model, checklist, *, name):
        if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9_]+", name):
            raise ValueError(f"name is lowercase letters, digits and _; got {name!r:.60}")
        if isinstance(checklist, str) or not list(checklist):
            raise ValueError(f"checklist is a list of lines, at least one; got {checklist!r:.60}")
        spec = {
            "name": name,
            "question": line(said("the question", question)),
            "model": page(said("the model answer", model)),
            "checklist": [line(said("a line of the checklist", item)) for item in checklist],
        }
        super().__init__(spec, {}, caption="", alt=plain(question))

    def fallback(self):
        """The question, and the model answer with the list (folded), as HTML that needs no script."""
        spec = self._spec
        items = "".join(f"<li>{item}</li>" for item in spec["checklist"])
        return (
            f"<p>{spec['question']}</p><p>Write down your own answer first.</p>"
            f"<details><summary>A model answer</summary>{spec['model']}"
            f"<p>Does your answer say this?</p><ul>{items}</ul></details>"
        )
