"""`Answer` in the browser: write first, compare, check; kept in this browser and nowhere else."""

import json

import pytest

from fitlib.figures import Answer

KEY = "fitting-models.answer.why"
KEPT = f"JSON.parse(localStorage.getItem('{KEY}'))"


def answer():
    return Answer(
        "Why change $\\alpha$?", "Because of **curvature**.", ["Curvature", "Noise", "When not"], name="why"
    )


def written(stage, **settings):
    shown = stage(answer(), **settings)
    shown.page.get_by_role("textbox").fill("Because the curvature rises while we train.")
    shown.settle(400)
    return shown


def test_the_reader_is_asked_to_write_first(stage):
    page = stage(answer()).page
    open_it, model = page.get_by_role("button", name="compare with a model answer"), page.locator(".fm-model")
    open_it.click()
    assert not model.is_visible() and "Write your own answer first" in page.inner_text(".fm-hint")
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    open_it.click()
    assert model.is_visible()


def test_the_model_answer_opens_and_closes(stage):
    page = written(stage).page
    button = page.locator(".fm-answer button").first
    assert (button.inner_text(), button.get_attribute("aria-expanded")) == (
        "compare with a model answer",
        "false",
    )
    button.focus()
    page.keyboard.press("Enter")
    assert (button.inner_text(), button.get_attribute("aria-expanded")) == ("hide the model answer", "true")
    assert page.locator(".fm-model strong").nth(1).inner_text() == "curvature"
    assert page.evaluate("document.activeElement.textContent") == "A model answer"
    button.click()
    assert not page.locator(".fm-model").is_visible()


def test_what_was_written_and_checked_is_kept_and_erased(stage):
    shown = written(stage)
    page = shown.page
    page.get_by_role("button", name="compare").click()
    page.get_by_role("checkbox", name="Noise").check()
    assert page.inner_text(".fm-counted") == "My answer says 1 of 3 of these."
    text = "Because the curvature rises while we train."
    assert page.evaluate(KEPT) == {"text": text, "checked": [1], "open": True}
    page.reload()
    page.wait_for_selector(".fm")
    assert page.get_by_role("textbox").input_value() == text
    assert [box.is_checked() for box in page.get_by_role("checkbox").all()] == [False, True, False]
    assert page.inner_text(".fm-hint").startswith("7 words.")
    page.get_by_role("button", name="erase").click()
    shown.settle(400)
    assert page.evaluate(KEPT) == {"text": "", "checked": [], "open": False}
    assert page.get_by_role("textbox").input_value() == "" and not page.locator(".fm-model").is_visible()


@pytest.mark.parametrize(
    "kept", ["not json", "[]", "null", json.dumps({"text": 3, "checked": "a", "open": "yes"})]
)
def test_strange_memories_are_forgotten(stage, kept):
    scripts = f"<script>localStorage.setItem({json.dumps(KEY)}, {json.dumps(kept)});</script>"
    page = stage(answer(), scripts=scripts).page
    assert page.get_by_role("textbox").input_value() == "" and not page.locator(".fm-model").is_visible()


def test_it_works_where_nothing_can_be_kept(stage):
    scripts = """<script>
      const get = () => { throw new DOMException("no", "SecurityError"); };
      Object.defineProperty(window, "localStorage", { get });
    </script>"""
    page = written(stage, scripts=scripts).page
    page.get_by_role("button", name="compare").click()
    page.get_by_role("checkbox", name="Curvature").check()
    assert page.inner_text(".fm-counted") == "My answer says 1 of 3 of these."


def test_it_fits_and_is_accessible(stage, look):
    shown = written(stage, **look)
    shown.check(look["width"])
    shown.page.get_by_role("button", name="compare").click()
    shown.check(look["width"])
