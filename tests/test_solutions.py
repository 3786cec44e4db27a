"""The solutions in the chapters: each is run after the set-up cell of its chapter, and passes its check."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

CHAPTERS = sorted((Path(__file__).parent.parent / "chapters").glob("*.ipynb"))
CHECKED = re.compile(r"check\(\s*[\"'](\w+)[\"']")


def sources(notebook, kind):
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


def solutions(notebook):
    """The blocks of Python in every fold whose summary begins with "Solution"."""
    text = "\n\n".join(sources(notebook, "markdown"))
    folds = re.findall(r"(?s)<details>\s*<summary>(.*?)</summary>(.*?)</details>", text)
    texts = [text for summary, text in folds if summary.strip().startswith("Solution")]
    return [code for text in texts for code in re.findall(r"(?ms)^```python\n(.*?)^```", text)]


def run(code, scope):
    """Run `code`; the value of its last line, as a cell shows it."""
    *lines, last = ast.parse(code).body
    if not isinstance(last, ast.Expr):
        return exec(code, scope)
    exec(compile(ast.Module(lines, []), "<solution>", "exec"), scope)
    return eval(compile(ast.Expression(last.value), "<solution>", "eval"), scope)


def try_solutions(notebook):
    """Run every solution of a chapter; an `AssertionError` in the checker's words where one is not right."""
    scope = {"__name__": "solution"}
    exec(sources(notebook, "code")[0], scope)
    for code in solutions(notebook):
        report = run(code, dict(scope))
        if CHECKED.search(code):
            assert report, repr(report)


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request, monkeypatch):
    monkeypatch.chdir(request.param.parent)  # as a kernel does: files and modules beside the chapter
    monkeypatch.syspath_prepend(request.param.parent)
    return nbformat.read(request.param, as_version=4)


def test_every_solution_is_right(chapter):
    try_solutions(chapter)


def test_every_exercise_has_a_solution(chapter):
    asked = set(CHECKED.findall("\n".join(sources(chapter, "code"))))
    solved = {name for code in solutions(chapter) for name in CHECKED.findall(code.strip().splitlines()[-1])}
    assert asked == solved


def a_chapter(*lines, check='check("mean_squared_error", my_error)'):
    """A chapter with one solution, of these lines."""
    body = "\n".join(["def my_error(f, y):", *lines, "", check])
    text = f"<details><summary>Solution</summary>\n\n```python\n{body}\n```\n\n</details>"
    setup = "import numpy as np\nfrom fitlib.exercises import check"
    return new_notebook(cells=[new_code_cell(setup), new_markdown_cell(text)])


def test_a_right_solution_passes():
    try_solutions(a_chapter("    return np.mean((f - y) ** 2)"))


@pytest.mark.parametrize("line", ["return np.sum((f - y) ** 2)", "return np.mean(f - y)", "..."])
def test_a_wrong_solution_fails_with_the_checkers_words(line):
    with pytest.raises(AssertionError, match="mean_squared_error"):
        try_solutions(a_chapter(f"    {line}"))


def test_a_solution_that_raises_or_asserts_fails():
    with pytest.raises(NameError):
        try_solutions(a_chapter("    return 0", check="my_eror(1, 2)"))
    with pytest.raises(AssertionError):
        try_solutions(a_chapter("    return 0", check="assert my_error(1, 2) == 1"))
