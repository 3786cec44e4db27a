"""Every target in a live figure can be reached with its own sliders: a setting that does it, tried in Python."""

import ast
import sys
from pathlib import Path

import matplotlib
import nbformat
import pytest

from fitlib.figures import Descent

CHAPTERS = Path(__file__).parent.parent / "chapters"
SOLUTIONS = {
    "comparing": [{}],
    "gradient_descent": [{"alpha": 0.18}],
    "momentum": [{"momentum_alpha": 0.14, "momentum_beta": 0.57}],
    "preconditioning": [{"stretch": 0.2, "alpha": 1.0}],
    "saddle_points": [{}, {}],
}


def figures_with_a_target(chapter):
    """The chapter's figures that set a target, made by running its cells up to the last of them."""
    cells = [c.source for c in nbformat.read(CHAPTERS / f"{chapter}.ipynb", 4).cells if c.cell_type == "code"]
    cells = [
        c for c in cells if "interact(" not in c and not c.startswith("show(")
    ]  # show reads a source file
    last = max(i for i, cell in enumerate(cells) if "target=(" in cell)
    scope, found = {}, []
    for cell in cells[: last + 1]:
        *body, end = ast.parse(cell).body
        value = None
        if isinstance(end, ast.Expr):
            exec(compile(ast.Module(body, []), "<chapter>", "exec"), scope)
            value = eval(compile(ast.Expression(end.value), "<chapter>", "eval"), scope)
        else:
            exec(compile(ast.parse(cell), "<chapter>", "exec"), scope)
        if "target=(" in cell:
            assert isinstance(value, Descent)
            found.append(value)
    return found


def test_every_chapter_with_a_target_is_in_the_table():
    named = {path.stem for path in CHAPTERS.glob("*.ipynb") if "target=(" in path.read_text()}
    assert named == set(SOLUTIONS)


@pytest.mark.parametrize("chapter", SOLUTIONS)
def test_a_setting_reaches_the_target(chapter, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(CHAPTERS), *sys.path])
    matplotlib.use("Agg")
    figures = figures_with_a_target(chapter)
    assert len(figures) == len(SOLUTIONS[chapter])
    for figure, settings in zip(figures, SOLUTIONS[chapter], strict=True):
        for name, value in settings.items():
            setattr(figure, name, value)
        level, evaluations = figure._spec["target"]
        rules = figure._spec["rules"]
        reached = [
            run.losses[: evaluations // rule["evaluations"] + 1].min() <= level
            for rule, run in zip(rules, figure.runs().values(), strict=True)
        ]
        assert any(reached), (chapter, settings)
