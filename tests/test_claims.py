"""What is concluded stands on a cell: every number of the page of claims and of each summary comes out of its chapter.

A number is found where the code or an output of the chapter has one that rounds to it (a percentage also as a
share). So a verdict cannot go on saying what its chapter no longer computes.
"""

import re
from functools import cache
from pathlib import Path

import nbformat
import pytest

CHAPTERS = Path(__file__).parent.parent / "chapters"
PAGE = (CHAPTERS / "claims.md").read_text(encoding="utf-8")
VERDICTS = {"Held", "In part", "Not here"}
ROWS = [
    (claim.strip(), finding.strip())
    for claim, finding in re.findall(r"(?m)^\| (.+?) \| (\*\*.+?) \|$", PAGE)
]
NUMBER = re.compile(r"(?<![\w.^_{₀-₉])(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?![\w₀-₉]|\.\d)")
SUPERSCRIPT = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def numbers(text):
    """The numbers of a text with so many digits that they say something: (value, decimals, text)."""
    text = re.sub(r"\]\([^)]*\)|\(\d{4}\)|`[^`]*`", " ", text)
    text = re.sub(r"·\s?10\^?\{?([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|-?\d+)\}?", r"e\1", text.replace("\\cdot", "·"))
    for whole, part in NUMBER.findall(text):
        value, decimals = float(whole.replace(",", "") + part), max(len(part) - 1, 0)
        if decimals or value > 20:
            yield value, decimals, whole + part


@cache
def computed(chapter):
    """All numbers in the code and the outputs of a chapter, as floats."""
    cells = [cell for cell in nbformat.read(CHAPTERS / f"{chapter}.ipynb", 4).cells if cell.cell_type == "code"]
    texts = [re.sub(r'"data:image[^"]*"', "", cell.source) for cell in cells]
    for output in (output for cell in cells for output in cell.outputs):
        data = output.get("data", {})
        if "fm-figure" not in data.get("text/html", ""):
            texts += [output.get("text", ""), data.get("text/plain", "")]
    text = "\n".join(texts).replace("−", "-").replace("_", "")
    return sorted({abs(float(number)) for number in re.findall(r"\d+\.?\d*(?:e[-+]?\d+)?", text)})


def found(value, decimals, chapter):
    """Whether the chapter computes a number that rounds to `value`, itself or as a share of a hundred."""
    scales = (1, 0.01, 100)
    room = 0.5 * 10.0**-decimals * (1 + 1e-9)
    return any(abs(x * scale - value) <= room for x in computed(chapter) for scale in scales)


def summary(chapter):
    """The text under the heading *Summary* of a chapter."""
    cells = nbformat.read(CHAPTERS / f"{chapter}.ipynb", 4).cells
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    part = re.search(r"(?ms)^## Summary\n(.*?)(?=^## |\Z)", text)
    return part[1] if part else ""


@pytest.mark.parametrize("claim, finding", ROWS, ids=[claim[:50] for claim, _ in ROWS])
def test_a_finding_is_what_its_chapter_computes(claim, finding):
    verdict = re.match(r"\*\*(.+?)\.\*\* ", finding)
    chapters = re.findall(r"\]\((\w+)\.ipynb#[\w-]+\)", finding)
    assert verdict and verdict[1] in VERDICTS and chapters
    missing = [
        text
        for value, decimals, text in numbers(finding)
        if not any(found(value, decimals, chapter) for chapter in chapters)
    ]
    assert missing == []


@pytest.mark.parametrize("chapter", sorted(path.stem for path in CHAPTERS.glob("*.ipynb")))
def test_a_summary_is_what_its_chapter_computes(chapter):
    missing = [text for value, decimals, text in numbers(summary(chapter)) if not found(value, decimals, chapter)]
    assert missing == []


def test_every_row_of_the_page_is_read():
    assert len(ROWS) == len(re.findall(r"(?m)^\| .*\*\*", PAGE)) > 50


def test_numbers_are_found_in_prose():
    text = "At α = 0.125 it takes 1,300 steps, 3.0·10⁻⁴ ± 2, in 96 % ([here](adam.ipynb#x-12)) (2014), `0.9`, v₁₂."
    assert [number for *_, number in numbers(text)] == ["0.125", "1,300", "96"]
