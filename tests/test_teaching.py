"""The page for instructors: every address leads to a figure and a state it can have, and its numbers hold."""

import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs

import nbformat
import numpy as np
import pytest

from fitlib import gabor
from fitlib.exercises import check
from fitlib.fitting import fit
from fitlib.losses import quadratic
from fitlib.optimizers import gradient_descent, momentum

CHAPTERS = Path(__file__).parent.parent / "chapters"
PAGE = (CHAPTERS / "teaching.md").read_text(encoding="utf-8")
ADDRESSES = sorted(set(re.findall(r'<a href="(\w+)\.html#(.+?)">', unescape(PAGE))))


def figures(chapter):
    """The specs of the live figures of a chapter, in order."""
    outputs = [
        out
        for cell in nbformat.read(CHAPTERS / f"{chapter}.ipynb", 4).cells
        for out in cell.get("outputs", [])
    ]
    html = "".join(out.get("data", {}).get("text/html", "") for out in outputs)
    found = re.findall(r'class="fm-figure"[^>]*><script type="application/json">(.*?)</script>', html, re.S)
    return [json.loads(spec) for spec in found]


def controls(spec):
    return {control["name"]: control for control in [*spec.get("sliders", []), *spec.get("controls", [])]}


@pytest.mark.parametrize("chapter, address", ADDRESSES)
def test_an_address_is_a_state_that_its_figure_can_have(chapter, address):
    given = {name: value for name, (value,) in parse_qs(address, strict_parsing=True).items()}
    spec = figures(chapter)[int(given.pop("figure")) - 1]
    for name, value in given.items():
        numbers, control = np.array(value.split(","), float), controls(spec).get(name)
        if name == "start":
            assert all(lo <= v <= hi for v, (lo, hi) in zip(numbers, spec["box"], strict=True))
        elif name == "step":
            assert 0 <= numbers[0] <= spec["steps"]
        elif control.get("options"):
            assert numbers[0] in [option for _, option in control["options"]]
        else:
            assert control["lo"] <= numbers[0] <= control["hi"]


def test_there_are_addresses():
    assert len(ADDRESSES) > 20


def test_question_one():
    rates = np.array([0.19, 0.2, 0.21])
    losses = fit(gradient_descent, quadratic.at(kappa=10), (-3.4, 1.6), 60, alpha=rates).losses[-1]
    assert (
        losses[0] == pytest.approx(0.00004, rel=0.05) and losses[1] == pytest.approx(12.8) and losses[2] > 1e6
    )


def test_question_two():
    run = fit(gradient_descent, gabor.loss, (1.5, 9.0), 200, alpha=np.array([6.0, 8.0]))
    assert np.allclose(run.path[-3], run.path[-1], atol=1e-6)
    assert np.allclose(run.path[-2, :, 0], run.path[-1, :, 0], atol=1e-6)
    assert np.linalg.norm(run.path[-2, :, 1] - run.path[-1, :, 1]) > 1
    assert run.losses[-1, 0] == pytest.approx(0.021, abs=5e-4)
    assert np.allclose(run.losses[-2:, 1], 0.06, atol=4e-3)


def test_the_target_of_the_third_figure():
    settings = dict(alpha=np.array([0.04, 0.14]), beta=np.array([0.9, 0.57]))
    losses = fit(momentum, quadratic.at(kappa=50), (-3.4, 1.6), 60, **settings).losses[-1]
    assert losses[0] == pytest.approx(0.087, abs=5e-4) and losses[1] < 1e-6


def test_two_neighbors_end_in_two_fits():
    run = fit(gradient_descent, gabor.loss, np.array([[2.6, 3.2], [14.0, 14.0]]), 80, alpha=5.0)
    assert abs(run.phi[0, 0] - run.phi[0, 1]) > 5


def test_the_checker_says_what_the_page_quotes():
    said = " ".join(
        str(check("gradient_descent", lambda t, phi, grad, *, alpha: phi + alpha * grad(phi))).split()
    )
    (quoted,) = re.findall(r'it says: "([^"]+)"', PAGE)
    assert quoted in said
