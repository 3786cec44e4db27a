"""`Quiz` and the text of figures: the spec, the refusals, what shows without a script."""

import html
import re

import pytest

from fitlib.figures import Quiz
from fitlib.figures.words import line, page, plain, readable

OPTIONS = {"It bounces.": "The factor is $-1$.", "It stops.": "That needs a factor of 0."}


def choosing(**changes):
    return Quiz(**{"question": "What now?", "options": OPTIONS, "right": "It bounces.", **changes})


def numeric(**changes):
    feedback = {0.1: "That is $1/\\lambda$.", 0.2: "Two over the curvature."}
    return Quiz(**{"question": "Which rate?", "answer": 0.2, "feedback": feedback, **changes})


@pytest.mark.parametrize(
    "tex, text",
    {
        r"\alpha < 2/\lambda_{\max}": "α &lt; 2/λ<sub>max</sub>",
        r"\frac{1}{1-\beta^t}": "1/(1−β<sup>t</sup>)",
        r"\frac{\sqrt{\kappa}-1}{\sqrt{\kappa}+1}": "(√κ−1)/(√κ+1)",
        r"\hat{m}_t, \hat v": "m̂<sub>t</sub>, v̂",
        r"\left(1 - \beta\right) m_{t-1}": "(1 − β) m<sub>t−1</sub>",
        r"\lVert g \rVert \le 10^{-3}": "‖g ‖ ≤ 10<sup>−3</sup>",
        r"\alpha\,g \cdot \Delta\phi": "αg · Δφ",
        r"\unknown{x}": "unknownx",
    }.items(),
)
def test_mathematics_reads_without_mathjax(tex, text):
    assert readable(tex) == text


def test_markdown_becomes_html_without_raw_html():
    assert line("a *b* `c` <b>d</b>") == "a <em>b</em> <code>c</code> &lt;b&gt;d&lt;/b&gt;"
    assert line("$a_1 * b_2 * c$").count("<em>") == 0
    assert line("costs 5 $ or 6 $ a step") == "costs 5 $ or 6 $ a step"
    assert page("a\n\n- b\n- c") == "<p>a</p>\n<ul>\n<li>b</li>\n<li>c</li>\n</ul>"
    assert plain("the rate $\\alpha$ of `adam`") == "the rate α of adam"
    assert html.unescape(re.search('data-tex="([^"]*)"', line('$a<b$ "c"'))[1]) == "a<b"


def test_without_a_script_question_options_and_answers_are_text():
    text = choosing().html()
    for part in ("What now?", "<li>It bounces.</li>", "<details>", "It stops.: not right. That needs"):
        assert part in text
    assert "<img" not in text
    text = numeric(unit="per step").html()
    assert "0.2 per step: right. Two over" in text and "0.1 per step: not right." in text


def test_a_tolerance_is_a_hundredth_of_the_answer():
    assert numeric()._spec["tolerance"] == pytest.approx(0.002)
    assert Quiz("?", answer=0)._spec["tolerance"] == 0.01
    assert numeric(tolerance=0.05)._spec["tolerance"] == 0.05


def test_the_answer_among_the_feedback_says_why():
    spec = numeric()._spec
    assert spec["why"] == "Two over the curvature." and [f["value"] for f in spec["feedback"]] == [0.1]


REFUSED = {
    "no question": (choosing, dict(question=" "), "the question is a text"),
    "neither": (choosing, dict(options=None, right=None), "options and which one is right, or a number"),
    "both": (choosing, dict(answer=1), "options and which one is right, or a number"),
    "one option": (choosing, dict(options={"a": "b"}), "at least two options"),
    "a list": (choosing, dict(options=["a", "b"]), "dict option -> feedback"),
    "no right one": (choosing, dict(right="Else"), "right is one of the options"),
    "silent": (choosing, dict(options={"It bounces.": "", "b": "c"}), "feedback of It bounces. is a text"),
    "tolerance": (choosing, dict(tolerance=1), "belong to a number"),
    "right and number": (numeric, dict(right=0.2), "with a number give answer= alone"),
    "text": (numeric, dict(answer="0.2"), "finite numbers"),
    "key": (numeric, dict(feedback={"a": "b"}), "finite numbers"),
    "negative": (numeric, dict(tolerance=-1), "0 or above"),
    "too near": (numeric, dict(tolerance=0.2), "nearer than the tolerance"),
    "otherwise": (numeric, dict(otherwise=""), "otherwise is a text"),
}


@pytest.mark.parametrize("make, changes, message", REFUSED.values(), ids=REFUSED)
def test_bad_input_is_refused_with_one_sentence(make, changes, message):
    with pytest.raises(ValueError, match=message):
        make(**changes)
