"""What every chapter keeps to: run in order, short cells, plain Markdown, words for pictures, live links."""

import re
from pathlib import Path
from statistics import median

import nbformat
import pytest
import yaml

from tools.bibliography import entries, surnames
from tools.notebooks import METADATA, VIEW

ROOT = Path(__file__).parent.parent
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
PAGES = sorted([*CHAPTERS, *(ROOT / "chapters").glob("*.md"), *ROOT.glob("*.md")])
HIDDEN = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
SOURCES = dict(entries())

every_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
every_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)


def cells(path, kind):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def tags(cell):
    return set(cell.metadata.get("tags", []))


def markdown(path):
    return "\n\n".join(cell.source for cell in cells(path, "markdown"))


def prose(path):
    """The Markdown of a chapter or page without its code: blocks and `inline`."""
    text = markdown(path) if path.suffix == ".ipynb" else path.read_text()
    return re.sub(r"(?ms)^\s*```.*?^\s*```|`[^`\n]+`", "", text)


def links(path):
    """The pairs (text, target) of the links and pictures of a page, in Markdown and in HTML."""
    return re.findall(r"\[([^\]]+)\]\(([^)\s]+)\)", prose(path)) + [
        (text, target) for target, text in re.findall(r'<a [^>]*href="([^"]+)"[^>]*>(.*?)</a>', prose(path))
    ]


def files(table):
    """The files that a table of contents lists, in order."""
    if isinstance(table, dict):
        own = [value for key, value in table.items() if key in ("root", "file")]
        return own + [file for value in table.values() if isinstance(value, list) for file in files(value)]
    return [file for entry in table for file in files(entry)]


@every_chapter
def test_it_was_run_from_top_to_bottom(path):
    code = cells(path, "code")
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert [cell.source for cell in code if not cell.source.strip()] == []


@every_chapter
def test_it_ran_without_errors_or_warnings(path):
    outputs = [output for cell in cells(path, "code") for output in cell.outputs]
    assert [out for out in outputs if out.output_type == "error" or out.get("name") == "stderr"] == []


@every_chapter
def test_nothing_is_stored_that_differs_from_run_to_run(path):
    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata == METADATA
    assert [cell.id for cell in notebook.cells if VIEW in str(cell.get("outputs"))] == []
    assert [cell.id for cell in notebook.cells if "execution" in cell.metadata] == []


@every_chapter
def test_cells_are_short(path):
    """One idea per cell: none above 15 lines, and those that are shown have 5 or fewer in the middle."""
    lengths = [(len(cell.source.splitlines()), cell.source) for cell in cells(path, "code")]
    assert [source for length, source in lengths if length > 15] == []
    shown = [len(cell.source.splitlines()) for cell in cells(path, "code") if not tags(cell) & HIDDEN]
    assert median(shown or [0]) <= 5


@every_chapter
def test_the_set_up_is_one_hidden_cell(path):
    """The first code cell; imports that name what they use, no star."""
    code = cells(path, "code")
    assert not code or tags(code[0]) & HIDDEN
    assert [cell.source for cell in code if re.search(r"(?m)^\s*from \S+ import \*", cell.source)] == []


@every_chapter
def test_an_interact_cell_is_dead_neither_on_the_site_nor_in_nbval(path):
    for cell in cells(path, "code"):
        if re.search(r"\binteract(ive|ive_output)?\(", cell.source):
            assert {"remove-output", "nbval-ignore-output"} <= tags(cell), cell.source


@every_chapter
def test_an_exercise_shows_no_diagnosis_before_it_is_run(path):
    for cell in cells(path, "code"):
        if re.search(r"(?m)^check\(", cell.source):
            assert {"exercise", "nbval-ignore-output"} <= tags(cell) and not cell.outputs, cell.source


def exercises():
    """The cells with a `check` of all chapters: pairs (name, source)."""
    found = []
    for path in CHAPTERS:
        for cell in cells(path, "code"):
            found += [
                (name, cell.source) for name in re.findall(r"(?m)^\s*check\([\"'](\w+)[\"']", cell.source)
            ]
    return found


def test_no_exercise_comes_twice():
    names = [name for name, _ in exercises()]
    assert sorted(names) == sorted(set(names))


def test_an_attempt_stands_in_the_cell_of_its_check():
    for name, source in exercises():
        assert re.search(rf"(?ms)^def (\w+)\(.*^check\(\"{name}\", \1\)", source), source


def test_two_thirds_of_the_exercises_start_empty():
    empty = [name for name, source in exercises() if re.search(r"(?m)^    return \.\.\.$", source)]
    assert len(empty) >= len(exercises()) * 2 / 3


@every_chapter
def test_only_interact_and_exercises_escape_nbval(path):
    for cell in cells(path, "code"):
        if tags(cell) & {"nbval-ignore-output", "nbval-skip"}:
            assert "interact" in cell.source or "exercise" in tags(cell), cell.source


@every_chapter
def test_markdown_is_plain(path):
    """What Jupyter, VS Code, Colab and GitHub render: no directive, role, label or colon fence of MyST."""
    signs = [r"^\s*(?:```+|~~~+)\s*\{.*", r"^:::.*", r"\{[a-z:-]+\}`[^`]*`", r"^\([\w-]+\)=\s*$"]
    assert re.findall(f"(?m){'|'.join(signs)}", markdown(path)) == []


@every_chapter
def test_it_has_one_title(path):
    titles = re.findall(r"(?m)^# .+", prose(path))
    assert len(titles) == 1
    assert cells(path, "markdown")[0].source.startswith(titles[0])


@every_chapter
def test_pictures_have_alternative_text(path):
    """Of a plot it stands in the metadata of its cell: {"mystnb": {"image": {"alt": "..."}}}."""
    html = [prose(path)]
    for cell in cells(path, "code"):
        for output in cell.outputs:
            data = output.get("data", {})
            html += [data.get("text/html", "")]
            if "image/png" in data and "text/html" not in data and "remove-output" not in tags(cell):
                assert len(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")) > 20, cell.source
    assert re.findall(r"!\[\s*\]\([^)]*\)", prose(path)) == []
    for picture in re.findall(r"<img\b[^>]*>", "".join(html)):
        assert re.search(r'\balt="[^"]{20,}"', picture), picture[:200]


@every_chapter
def test_the_minutes_it_names_are_measured(path):
    """200 words a minute (folded hints are part of an exercise), 2 minutes for a figure, 4 for an exercise."""
    words = len(re.sub(r"(?s)<details>.*?</details>", "", prose(path)).split())
    stored = str([cell.outputs for cell in cells(path, "code")])
    figures = len(re.findall(r'class="fm-figure" data-kind="(?!quiz)', stored))
    minutes = words / 200 + 2 * figures + 4 * sum("exercise" in tags(cell) for cell in cells(path, "code"))
    (named,) = re.findall(r"(?m)^About (\d+) minutes\b", cells(path, "markdown")[0].source)
    assert abs(int(named) - minutes) <= minutes / 4, f"about {minutes:.0f} minutes"


@every_chapter
def test_it_is_listed_in_the_table_of_contents(path):
    assert files(yaml.safe_load((ROOT / "_toc.yml").read_text())).count(f"chapters/{path.stem}") == 1


@every_page
def test_relative_links_lead_to_a_file(path):
    """As they stand, so that they work in Jupyter and on GitHub too: with the ending of the file."""
    for text, target in links(path):
        file, _, place = target.partition("#")
        if place.startswith("figure="):  # a state of a live figure, which only the built page can show
            file = re.sub(r"\.html$", ".ipynb", file)
        if file and not re.match(r"[a-z]+:", file):
            assert (path.parent / file).is_file(), f"[{text}]({target})"


def places(path):
    """What a link into a page can name: its headings, as MyST and GitHub write them."""
    text = re.sub(r"[*`$]|(?<=\])\([^)]*\)", "", prose(path))
    headings = re.findall(r"(?m)^#{1,3} (.+?)\s*$", text)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_relative_links_lead_to_a_heading(path):
    for text, target in links(path):
        file, _, place = target.partition("#")
        page = path.parent / file if file else path
        if place and page.suffix in (".ipynb", ".md") and page.name != "bibliography.md":
            assert place in places(page), f"[{text}]({target})"


@every_page
def test_citations_name_their_source(path):
    """The key is in references.bib, and the text has the first author and the year that stand there."""
    for text, target in links(path):
        if target.startswith("bibliography.md#"):
            entry = SOURCES[target.partition("#")[2]]
            assert surnames(entry)[0] in text and entry.fields["year"] in text, f"[{text}]({target})"


def test_the_table_of_contents_lists_only_what_exists():
    for file in files(yaml.safe_load((ROOT / "_toc.yml").read_text())):
        assert any((ROOT / f"{file}{ending}").is_file() for ending in (".ipynb", ".md")), file
