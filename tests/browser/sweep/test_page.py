"""Every cell of every chapter, run in the page: one browser, one Python per chapter.

Each cell shows what is stored; each figure acts as the stored one does and follows an edit of its rule; each
exercise is told about when it is blank, wrong and solved; each `interact` is drawn anew by each of its controls.
"""

import html
import json
import re

import nbformat
import pytest

from fitlib.exercises.core import TOLD
from fitlib.page.session import Session
from tests.browser.reader import Reader
from tests.test_solutions import CHAPTERS, CHECKED, solutions, sources

SLOW = json.loads(
    (CHAPTERS[0].parents[1] / "fitlib" / "page" / "limits.json").read_text()
)  # chapter -> id of a cell -> why
ELSEWHERE = {  # what shows depends on the last bits: (chapter, id of the cell) -> why
    ("sgd", "cell-29-shake"): "counts of bouncing paths",
}
MISTAKES = [
    (" - ", " + "),
    (" + ", " - "),
    (" * ", " / "),
    ("**2", "**3"),
    ("2 * ", ""),
    ("1 - ", "1 + "),
    (" / ", " * "),
    ("np.sqrt(", "("),
    ("max", "min"),
    ("mean", "sum"),
    ("< ", "> "),
    ("> ", "< "),
    (".T", ""),
    ("1", "2"),
]
STATE = """(place) => [...python.cells[place].querySelectorAll('.fm')].map((figure) => {
  const details = figure.querySelector('.fm-numbers');
  if (details) details.open = true;
  const texts = (selector) => [...figure.querySelectorAll(selector)].map((node) => node.textContent);
  return ['.fm-outcome', '.fm-caption', '.fm-label', '.fm-value', '.fm-chip', '.fm-title', 'td, th'].map(texts);
})"""
SHOWN = """(place) => [...(python.cells[place].querySelector('.cell_output')?.children ?? [])].map((node) =>
  node.matches('img') ? 'picture' : node.querySelector('.fm-figure') ? 'figure'
    : node.querySelector('mjx-container') ? 'equation' : (node.querySelector('pre') ?? node).textContent.trim())"""
RUN = """([place, seconds]) => Promise.race([python.run(place).then(() => true),
  new Promise((done) => setTimeout(done, 1000 * seconds, false))])"""


class Sweep(Reader):
    """A reader who tries everything in a chapter and notes what is not as it should be."""

    def __init__(self, *given):
        super().__init__(*given)
        self.faults = []
        self.page.evaluate("python.load()")

    def expect(self, place, what, truth, *more):
        if not truth:
            self.faults.append((place, what, *more))

    def figures(self, place):
        """What the figures of a cell show, numbers and words."""
        if not self.page.evaluate(STATE, place):
            return []
        self.page.wait_for_timeout(350)  # until its tables are filled
        return self.page.evaluate(STATE, place)

    def act(self, place, seconds=60):
        """Run a cell; whether it ended in time."""
        ended = self.page.evaluate(RUN, [place, seconds])
        if not ended:
            self.page.evaluate(RUN, [place, 1])  # Run is Stop now
        self.wait()
        return ended


def close(got, stored):
    """Texts are equal, numbers in them to three digits."""
    number = re.compile(r"[−-]?\d+(?:[.,]\d+)*")
    texts = [number.split(str(one)) for one in (got, stored)]
    values = [
        [float(n.replace(",", "").replace("−", "-")) for n in number.findall(str(one))]
        for one in (got, stored)
    ]
    return texts[0] == texts[1] and all(abs(a - b) <= 2e-3 * max(1e-9, abs(b)) for a, b in zip(*values))


def cells_show_what_is_stored(chapter, cells):
    for place, cell in enumerate(cells):
        if {"exercise", "remove-output"} & set(cell.metadata.get("tags", [])) or (
            chapter.stem,
            cell.id,
        ) in SLOW:
            continue
        shown, figures = chapter.page.evaluate(SHOWN, place), chapter.figures(place)
        if not chapter.act(place):
            chapter.faults.append((place, cell.id, "takes more than a minute"))
            continue
        if (chapter.stem, cell.id) in ELSEWHERE:
            continue
        now = chapter.page.evaluate(SHOWN, place)
        chapter.expect(place, "shows something else", now == shown, shown, now)
        if figures:
            again = chapter.figures(place)
            chapter.expect(place, "acts otherwise", close(again, figures), figures, again)


def report(session, index, text):
    """What a cell with this text says, run here in the same way."""
    told = []
    session.run(
        index, {index: text}, lambda event: told.append(event) if event["kind"] in ("data", "error") else None
    )
    return words(told[-1]["data"]["text/html"]) if told and told[-1]["kind"] == "data" else ""


def words(markup):
    """The words of HTML or text, without spaces: pages break lines as they like."""
    return re.sub(r"\s", "", html.unescape(re.sub(r"<[^>]*>", "", markup)))


def wrong(session, index, code):
    """Three wrong versions of a solution."""
    found = []
    body, _, call = code.rpartition("\n")
    for old, new in MISTAKES:
        for at in [match.start() for match in re.finditer(re.escape(old), body)][:2]:
            text = f"{body[:at]}{new}{body[at + len(old) :]}\n{call}"
            said = report(session, index, text)
            if said.startswith("✗") and "seconds" not in said:
                found.append(text)
                break
        if len(found) == 3:
            break
    return found


def exercises_are_told_about(chapter, cells, notebook):
    texts = sources(notebook, "code")
    session = Session(texts)
    solved = [code.strip() for code in solutions(notebook) if CHECKED.search(code)]
    solved = {CHECKED.findall(code.splitlines()[-1])[0]: code for code in solved}
    for place, cell in enumerate(cells):
        name = (CHECKED.findall(cell.source) or [None])[-1]
        if name is None:
            continue
        index = texts.index(cell.source)
        known = wrong(session, index, solved[name])
        chapter.expect(place, "has no wrong answers", known)
        TOLD.clear()  # as it is in the page: an answer that equals the last one is told more
        for text in [cell.source, *known, solved[name]]:
            said, told = report(session, index, text), words(chapter.run(place, text))
            chapter.expect(place, "is told otherwise", told == said, text, told, said)
        chapter.expect(place, "is not solved", chapter.output(place).startswith("✓"), chapter.output(place))
        chapter.press(place, "Reset")
        chapter.wait()


def rules_lead_their_figures(chapter, cells, notebook):
    texts = sources(notebook, "code")
    session = Session(texts)
    for place, cell in enumerate(cells):
        text = re.sub(r"return (\(?)phi\b", r"return \1 0.97 * phi", cell.source)
        followers = session.followers(texts.index(cell.source), {}) if text != cell.source else []
        if "check(" in text or not followers:
            continue
        following = [i for i in range(len(cells)) if chapter.page.evaluate(STATE, i)]
        before = {i: chapter.figures(i) for i in following}
        chapter.run(place, text)
        after = {i: chapter.figures(i) for i in following}
        changed = [i for i in following if after[i] != before[i]]
        chapter.expect(place, "changes no figure", changed, cell.source[:60])
        notes = chapter.page.locator(".py-note").all_inner_texts()
        chapter.expect(place, "is not traced", not notes, notes)
        chapter.press(place, "Reset")
        chapter.wait()
        now = {i: chapter.figures(i) for i in changed}
        chapter.expect(place, "is not as before", all(close(now[i], before[i]) for i in changed))


def controls_redraw(chapter, cells):
    for place, cell in enumerate(cells):
        if "interact(" not in cell.source:
            continue
        chapter.act(place)
        place_of = chapter.node(place)
        inputs = place_of.locator(".py-controls :is(input, select)")
        chapter.expect(place, "has no controls", inputs.count(), chapter.output(place))
        for i in range(inputs.count()):
            before = place_of.locator(".py-interact").inner_html()
            kind = inputs.nth(i).get_attribute("type")
            if kind == "range":
                inputs.nth(i).press(
                    "Home" if inputs.nth(i).input_value() != inputs.nth(i).get_attribute("min") else "End"
                )
            elif kind == "checkbox":
                inputs.nth(i).press(" ")
            else:
                inputs.nth(i).select_option(index=1)
            chapter.wait()
            chapter.expect(
                place,
                f"control {i + 1} changes nothing",
                place_of.locator(".py-interact").inner_html() != before,
            )
        chapter.expect(place, "fails", not place_of.locator(".py-error").count(), chapter.output(place))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_in_the_page(browser, strict_site, path, monkeypatch):
    monkeypatch.chdir(path.parent)
    monkeypatch.syspath_prepend(path.parent)
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    cells = [cell for cell in cells if "remove-cell" not in cell.metadata.get("tags", [])]
    chapter = Sweep(browser, strict_site, path.stem)
    chapter.stem = path.stem
    chapter.expect(None, "has other cells", chapter.page.evaluate("python.cells.length") == len(cells))
    cells_show_what_is_stored(chapter, cells)
    exercises_are_told_about(chapter, cells, notebook)
    rules_lead_their_figures(chapter, cells, notebook)
    controls_redraw(chapter, cells)
    chapter.context.close()
    assert not chapter.faults, "\n".join(str(fault)[:1500] for fault in chapter.faults)
    assert chapter.said == []
