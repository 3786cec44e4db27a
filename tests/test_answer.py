"""`Answer`: the spec, what shows without a script, the refusals."""

import pytest

from fitlib.figures import Answer

MODEL = "Early, *two* things:\n\n- the curvature $\\lambda$\n- noise <b>raw</b>"


def answer(**changes):
    settings = {
        "question": "Why change $\\alpha$?",
        "model": MODEL,
        "checklist": ["Curvature", "`noise`"],
        "name": "why",
    }
    return Answer(**{**settings, **changes})


def test_the_model_answer_is_markdown():
    spec = answer()._spec
    assert (
        "<em>two</em>" in spec["model"]
        and "<li>the curvature " in spec["model"]
        and "<b>" not in spec["model"]
    )
    assert spec["checklist"] == ["Curvature", "<code>noise</code>"]
    assert spec["alt"] == "Why change α?"


def test_without_a_script_the_model_answer_is_folded_text():
    text = answer().html()
    folded = text[text.index("<details>") :]
    assert "own answer first" in text and "<li>Curvature</li>" in folded and "<em>two</em>" in folded


@pytest.mark.parametrize(
    "changes, message",
    [
        (dict(name="Why?"), "name is lowercase letters"),
        (dict(name=""), "name is lowercase letters"),
        (dict(question=""), "the question is a text"),
        (dict(model=None), "the model answer is a text"),
        (dict(checklist=[]), "checklist is a list of lines"),
        (dict(checklist="Curvature"), "checklist is a list of lines"),
        (dict(checklist=["a", " "]), "a line of the checklist is a text"),
    ],
)
def test_bad_input_is_refused_with_one_sentence(changes, message):
    with pytest.raises(ValueError, match=message):
        answer(**changes)
