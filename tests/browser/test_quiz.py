"""`Quiz` in the browser: what is said to every answer, by hand and keyboard, with and without MathJax."""

import pytest

from fitlib.figures import Quiz

NUMBERS = {
    "0.25": 0.25, " .5 ": 0.5, "1e-3": 0.001, "0,5": 0.5, "−4": -4, "1/4": 0.25, "-2/3": -2 / 3, "10^2": 100,
    "2.5e-1": 0.25, "2×10^-3": 0.002, "2·10⁻³": 0.002, "10⁻²": 0.01, "40 %": 0.4, "12.5 steps": 12.5,
    "1,234.5": 1234.5, "1,000,000": 1e6, "0,125": 0.125, "1 000": 1000,
}  # fmt: skip
NOT = ["", "a", "1/0", "1/2/3", "1.2.3", "--1", "1e", "Infinity", "NaN", "1.234,5", "2 apples", "0x10"]


@pytest.mark.parametrize("written, value", NUMBERS.items())
def test_a_number_is_read_as_it_is_written(inner, written, value):
    assert inner("quiz", "numberFrom", "f(given, 'steps')", written) == {
        "value": pytest.approx(value, rel=1e-12)
    }


@pytest.mark.parametrize("written", NOT)
def test_what_is_no_number_is_told(inner, written):
    assert "not a number yet" in inner("quiz", "numberFrom", "f(given)", written)["problem"]


def test_a_comma_with_two_readings_is_asked_about(inner):
    assert "Write 1000, or 1.000" in inner("quiz", "numberFrom", "f(given)", "1,000")["problem"]


def test_a_percentage_as_unit_is_not_divided(inner):
    assert inner("quiz", "numberFrom", "f(given, '%')", "40 %") == {"value": 40}


def choosing():
    options = {
        "It *converges*.": "The factor is $1-\\alpha\\lambda = -1$.",
        "It bounces.": "As far on the other side.",
        "It diverges.": "That needs a factor below −1.",
    }
    return Quiz("What happens at $\\alpha = 2/\\lambda$?", options, right="It bounces.")


def numeric():
    feedback = {0.2: "Two over the curvature.", 0.1: "That is half of it."}
    return Quiz(
        "Which rate is the limit?", answer=0.2, tolerance=0.005, feedback=feedback, otherwise="Look again."
    )


def test_every_option_has_its_answer_and_one_may_try_again(stage):
    page = stage(choosing()).page
    first, second, third = page.locator(".fm-option").all()
    verdicts, heard = page.locator(".fm-verdict"), page.locator("[aria-live]")
    assert [v.is_visible() for v in verdicts.all()] == [False] * 3
    first.click()
    assert verdicts.nth(0).inner_text() == "Not right. The factor is 1−αλ = −1."
    assert heard.text_content() == "Not right. The factor is 1−αλ = −1."
    assert page.get_by_role("button", name="It converges. (not right)").count() == 1
    second.focus()
    page.keyboard.press("Enter")
    assert verdicts.nth(1).inner_text() == "Right. As far on the other side."
    assert heard.text_content().startswith("Right.")
    assert (verdicts.nth(0).is_visible(), verdicts.nth(2).is_visible()) == (True, False)
    glyphs = [
        option.evaluate("(node) => getComputedStyle(node, '::before').content")
        for option in (first, second, third)
    ]
    assert glyphs == ['"✗"', '"✓"', '"○"']


@pytest.mark.parametrize(
    "written, said",
    {
        "0,2": "Right. Two over the curvature.",
        "1/5": "Right. Two over the curvature.",
        "0.2049": "Right. Two over the curvature.",
        "0.206": "Not right. Look again.",
        "0.1": "Not right. That is half of it.",
        "0.104": "Not right. That is half of it.",
        "": "That is not a number yet. Write it like 0.25, 1/4 or 2.5e-1.",
    }.items(),
)
def test_a_number_is_judged(stage, written, said):
    page = stage(numeric()).page
    page.get_by_role("textbox", name="your answer").fill(written)
    page.keyboard.press("Enter")
    assert page.locator(".fm-verdict").inner_text().strip() == said
    assert page.locator("[aria-live]").text_content().strip() == said


def test_the_question_names_the_group(stage):
    page = stage(choosing(), numeric()).page
    assert page.get_by_role("group", name="What happens at α = 2/λ?").count() == 1
    assert page.get_by_role("group", name="Which rate is the limit?").get_by_role("textbox").count() == 1


def test_mathjax_sets_the_formulas_of_question_options_and_feedback(stage):
    scripts = "<script>window.MathJax = { startup: { promise: Promise.resolve() }, seen: [],"
    scripts += " typesetPromise: (nodes) => { MathJax.seen.push(nodes[0].textContent); } };</script>"
    page = stage(choosing(), scripts=scripts).page
    page.locator(".fm-option").first.click()
    page.wait_for_function("MathJax.seen.length === 2")
    question, feedback = page.evaluate("MathJax.seen")
    assert "\\(\\alpha = 2/\\lambda\\)" in question and "\\(1-\\alpha\\lambda = -1\\)" in feedback


def test_it_fits_and_is_accessible(stage, look):
    shown = stage(choosing(), numeric(), **look)
    shown.check(look["width"])
    for option in shown.page.locator(".fm-option").all():
        option.click()
    shown.page.get_by_role("textbox").fill("3")
    shown.page.keyboard.press("Enter")
    shown.check(look["width"])


def test_without_a_script_it_can_be_read(stage):
    page = stage(choosing(), numeric(), java_script_enabled=False).page
    text = page.inner_text("main")
    assert "It bounces." in text and "half of it" not in text  # the answers are folded
    assert page.locator("details").count() == 2
