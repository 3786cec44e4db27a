"""Descent and what all figures share: the spec, the traits, the refusals, the HTML and the picture."""

import io
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
import traitlets
from PIL import Image

from fitlib import gabor, losses, plots
from fitlib.figures import Descent, scheduled, slider
from fitlib.figures.base import Figure, module
from fitlib.figures.descent import SPARE
from fitlib.figures.site import host
from fitlib.fitting import fit
from fitlib.losses import Loss
from fitlib.optimizers import adam, adamw, clipped_gradient_descent, gradient_descent, momentum
from fitlib.schedules import cosine, multi_step
from fitlib.symbolic import TraceError

START = (-2.2, 9.2)
BEST = ("best minimum", (0.09, 16.5))


def full(**changes):
    """A figure with everything that the book uses."""
    settings = {
        "start": START,
        "steps": 60,
        "alpha": slider(0.1, 20, 2, log=True),
        "beta": slider(0, 0.99, 0.9),
        "batch": slider(1, 30, 30, step=1),
        "seed": True,
        "rates": {"adam": 0.3},
        "model": gabor.gabor,
        "marks": [BEST],
        "stability": True,
        "target": (0.03, 60),
        "caption": "Which rule is first?",
    }
    return Descent(gabor.loss, [gradient_descent, momentum, adam], **{**settings, **changes})


def plain(**changes):
    settings = {"start": (1, 1), "steps": 10, "alpha": 0.1, **changes}
    return Descent(
        settings.pop("loss", losses.quadratic), settings.pop("rules", gradient_descent), **settings
    )


class Parsed(HTMLParser):
    """The elements, attributes and script text of a piece of HTML."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.script, self.text, self.inside = [], "", "", False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag == "script"

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.script += data
        else:
            self.text += data


def test_every_slider_is_a_synchronized_trait():
    figure = full()
    assert figure.state() == {
        "start": [-2.2, 9.2],
        "step": 60,
        "hidden": [],
        "data": [gabor.x.tolist(), gabor.y.tolist()],
        "alpha": 2,
        "beta": 0.9,
        "batch": 30,
        "seed": 0,
    }
    assert set(figure.state()) <= set(figure.keys)  # synchronized with the browser
    seen = []
    figure.observe(lambda change: seen.append(change.new), "alpha")
    figure.alpha = 5
    assert seen == [5.0]
    assert isinstance(figure.batch, int)


@pytest.mark.parametrize(
    "name, value, says",
    [
        ("alpha", 30, "greater than"),
        ("alpha", 0.05, "less than"),
        ("alpha", float("nan"), "finite"),
        ("alpha", "2", "float"),
        ("batch", 2.5, "int"),
        ("batch", 0, "less than"),
        ("step", 61, "greater than"),
        ("start", [1], "two finite numbers"),
        ("start", [1, float("inf")], "two finite numbers"),
        ("start", [11, 5], "lies in the box"),
        ("start", 3, "two finite numbers"),
        ("hidden", ["Adagrad"], "labels out of gradient descent, momentum, Adam; got Adagrad"),
        ("data", [[1, 2], [3, 4]], "2 lists of 30 finite numbers"),
        ("data", "none", "could not convert"),
    ],
)
def test_a_trait_refuses_what_is_not_in_range(name, value, says):
    figure = full()
    before = figure.state()
    with pytest.raises(traitlets.TraitError, match=says):
        setattr(figure, name, value)
    assert figure.state() == before


def one_number(phi):
    return phi[0] ** 2


def three(phi):
    return phi[0] ** 2 + phi[1] ** 2 + phi[2] ** 2


def decides(t, phi, grad, *, alpha):
    return phi - alpha * grad(phi) if alpha > 1 else phi


def hides(t, phi, grad, *, layout):
    return phi - layout * grad(phi)


@pytest.mark.parametrize(
    "changes, says",
    [
        ({"alpha": None}, "gradient descent needs alpha"),
        ({"alpha": "fast"}, "alpha is a number, a slider or a schedule; got 'fast'"),
        ({"alpha": float("nan")}, "alpha is a number"),
        ({"alpha": True}, "alpha is a number"),
        ({"gamma": 0.9}, "no rule and no loss here has gamma; they have: alpha, kappa"),
        ({"kappa": scheduled(cosine, alpha=1, steps=5)}, "a parameter of the loss is a number or a slider"),
        ({"start": (1, 2, 3)}, "start is two finite numbers"),
        ({"start": 1}, "start is two finite numbers"),
        ({"start": (100, 0)}, "start lies in the box"),
        ({"start": (float("nan"), 0)}, "start is two finite numbers"),
        ({"steps": 0}, "steps is a whole number from 1 to 2000; got 0"),
        ({"steps": 2.5}, "steps is a whole number"),
        ({"step": 11}, "step is a whole number from 0 to 10"),
        ({"rules": []}, "rules need one or more labels"),
        ({"rules": [adam, adam]}, "labels that differ; got Adam, Adam"),
        ({"rules": ["adam"]}, "a rule is a function"),
        (
            {"rules": [(adam, {"speed": 1})]},
            "Adam has no hyperparameter speed; it has: alpha, beta, gamma, eps",
        ),
        ({"rates": {"adam": 2}}, "rates names adam; the rules are gradient descent"),
        ({"rates": {"gradient_descent": 0}}, "rates holds factors above 0"),
        ({"rules": hides, "alpha": None, "layout": slider(0, 1, 0.5)}, "no rule and no loss"),
        ({"loss": Loss(three, n=3, box=((0, 1), (0, 1)))}, "a loss of two parameters; three has 3"),
        ({"loss": one_number}, "this loss has no box to draw"),
        ({"loss": one_number, "box": ((0, 0), (0, 1))}, "lo below hi"),
        ({"batch": 3}, "quadratic has no data to draw batches from"),
        ({"loss": losses.line, "batch": 13}, "batch is a whole number from 1 to 12; got 13"),
        (
            {"loss": losses.line, "batch": slider(0, 12, 3, step=1)},
            "batch is a whole number from 1 to 12; got 0",
        ),
        ({"loss": losses.line, "batch": slider(1, 12, 3, step=0.5)}, "batch is a whole number"),
        ({"model": gabor.gabor}, "a model is drawn over data x, y"),
        ({"surface": "steep"}, 'surface is "data" or "batch"'),
        ({"labels": ("x",)}, "labels names the two parameters"),
        ({"target": 0.1}, "target is"),
        ({"target": (0.1, 0)}, "the number of evaluations in target is a whole number from 1"),
        ({"stability": True}, "stability is marked at a minimum"),
        ({"marks": [(2, 2)]}, "is not near a critical point"),
        ({"marks": [("top", (2, float("nan")))]}, "marks is two finite numbers"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_sentence(changes, says):
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        plain(**changes)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


def test_a_name_that_a_widget_has_is_refused():
    with pytest.raises(ValueError, match="a widget already has something called layout"):
        Descent(losses.quadratic, hides, start=(1, 1), layout=slider(0, 1, 0.5))


def test_what_cannot_be_traced_is_refused_when_the_figure_is_made():
    with pytest.raises(TraceError, match="np.where"):
        plain(rules=decides)


@pytest.mark.parametrize(
    "arguments, says",
    [
        ((1, 1, 1), "lo < hi"),
        ((0, 1, 2), "lo <= value <= hi"),
        ((0, 1, float("nan")), "finite numbers"),
        (("a", 1, 1), "finite numbers"),
        ((0, 1, 0.5, True), "lo above 0"),
        ((0, 1, 0.5, False, -1), "step of a slider"),
    ],
)
def test_a_slider_refuses(arguments, says):
    with pytest.raises(ValueError, match=says):
        slider(*arguments)


@pytest.mark.parametrize(
    "lo, hi, step", [(0, 0.99, 0.01), (0, 1, 0.01), (1, 30, 0.2), (-5, 5, 0.1), (0, 1e-3, 1e-5)]
)
def test_a_slider_finds_a_round_step(lo, hi, step):
    assert slider(lo, hi, lo).step == step


def test_rules_of_the_reader_are_followed_and_colored():
    def mine(t, phi, grad, *, alpha):
        return phi - alpha * grad(phi)

    def edited(t, phi, grad, *, alpha):
        return phi - 2 * alpha * grad(phi)

    before, after = plain(rules={"mine": mine, "Adam": adam}), plain(rules={"mine": edited, "Adam": adam})
    assert before._spec["code"] != after._spec["code"]
    labels = [(rule["label"], rule["color"]) for rule in before._spec["rules"]]
    assert labels == [("mine", SPARE[0]), ("Adam", plots.COLORS["adam"])]
    many = plain(rules={f"rule {i}": mine for i in range(9)})._spec["rules"]
    assert len({rule["color"] for rule in many}) == len(SPARE)


@pytest.mark.parametrize("color", [*SPARE, *plots.COLORS.values()])
def test_colors_stand_out_on_white(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    assert 1.05 / (np.dot([0.2126, 0.7152, 0.0722], linear) + 0.05) >= 3


def test_own_hyperparameters_of_a_rule():
    rules = {
        "Adam": (adam, {"alpha": slider(0.01, 1, 0.3), "gamma": 0.99}),
        "clipped": clipped_gradient_descent,
    }
    figure = plain(rules=rules, limit=2.0)
    assert figure.adam_alpha == 0.3 and not figure.has_trait("alpha")
    assert [rule["hyper"] for rule in figure._spec["rules"]] == [["adam_alpha", 0.9, 0.99, 1e-8], [0.1, 2.0]]
    assert figure._spec["sliders"][0]["label"] == "learning rate α of Adam"


def test_a_rate_is_scaled_for_one_rule():
    figure = full()
    assert [rule["hyper"][0] for rule in figure._spec["rules"]] == ["alpha", "alpha", [0.3, "alpha"]]
    assert figure._spec["rules"][2]["note"] == "α × 0.3"
    assert plain(rates={"gradient descent": 0.5})._spec["rules"][0]["hyper"] == [0.05]


def test_schedules():
    alpha = scheduled(cosine, alpha=slider(0.1, 10, 2), steps=slider(10, 200, 40, step=1), end=0.1)
    figure = full(alpha=alpha, show_rate=True)
    assert (figure.alpha, figure.alpha_steps) == (2, 40)
    reference = {"schedule": 0, "settings": ["alpha", "alpha_steps", 0.1]}
    assert figure._spec["rules"][0]["hyper"] == [reference]
    np.testing.assert_allclose(figure.runs()["gradient descent"].rates, cosine(2, 40, 0.1)(np.arange(1, 61)))
    np.testing.assert_allclose(figure.runs()["Adam"].rates, 0.3 * cosine(2, 40, 0.1)(np.arange(1, 61)))
    steps = plain(alpha=scheduled(multi_step, alpha=0.2, milestones=(3, 6)))
    assert steps.runs()["gradient descent"].rates.round(6).tolist() == [0.2] * 3 + [0.02] * 3 + [0.002] * 4


@pytest.mark.parametrize(
    "arguments, says",
    [({"alpha": 1}, "cosine needs steps"), ({"alpha": 1, "steps": 2, "tempo": 1}, "no argument tempo")],
)
def test_a_schedule_refuses(arguments, says):
    with pytest.raises(ValueError, match=says):
        scheduled(cosine, **arguments)


def test_knots_are_sliders():
    rate = scheduled(
        cosine, knots={"alpha": 1, "end": 30}, alpha=slider(0, 1, 0.5), end=slider(0, 1, 0), steps=30
    )
    figure = plain(alpha=rate, show_rate=True)
    assert figure._spec["knots"] == [["alpha", 1], ["alpha_end", 30]]
    with pytest.raises(ValueError, match="give show_rate=True"):
        plain(alpha=rate)
    with pytest.raises(ValueError, match="no slider: end"):
        scheduled(cosine, knots={"end": 30}, alpha=1, steps=30, end=0.1)


def test_the_runs_in_python_are_those_of_fit():
    figure = full(batch=slider(1, 30, 5, step=1), seed=slider(0, 9, 4, step=1))
    figure.alpha, figure.start, figure.hidden = 3.0, [1.0, 12.0], ["momentum"]
    runs = figure.runs()
    assert list(runs) == ["gradient descent", "Adam"]
    expected = fit(adam, gabor.loss, (1, 12), 60, batch=5, seed=4, alpha=0.3 * 3, beta=0.9)
    np.testing.assert_allclose(runs["Adam"].path, expected.path, rtol=1e-11)


def test_the_loss_follows_its_parameters_and_data():
    figure = plain(kappa=slider(1, 100, 10, log=True))
    figure.kappa = 50
    assert figure.loss()((1, 1)) == losses.quadratic((1, 1), kappa=50)
    moved = full()
    data = [list(column) for column in moved.data]
    data[1][3] = 0.75
    moved.data = data
    assert moved.loss().data[1][3] == 0.75 and moved._loss.data[1][3] == gabor.y[3]


def test_marks_are_found_again_and_named():
    figure = full(points=[("truth", (0, 16.6))], marks=[BEST, *losses.critical_points(gabor.loss)[0].T[:4]])
    kinds = [mark["kind"] for mark in figure._spec["marks"]]
    index = losses.critical_points(gabor.loss)[2][:4]
    assert kinds == ["minimum", *(["minimum", "saddle", "maximum"][i] for i in index), "point"]
    gradient = gabor.loss.gradient(figure._spec["marks"][0]["at"])
    assert np.abs(gradient).max() < 1e-5
    assert figure._spec["limit"] == 0


def numbers(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [n for item in value for n in numbers(item)]
    return [value] if isinstance(value, float) else []


def test_computed_numbers_are_rounded():
    spec = full()._spec
    assert all(float(f"{n:.6g}") == n for n in numbers(spec["marks"]))
    assert all(round(n, 4) == n for n in numbers(spec["state"]))


def test_the_page_holds_spec_and_picture():
    figure = full(caption='Is 1 < 2 & "so"? </script><b>', alt='A "map" <here>')
    figure.alpha = 7.0
    page = Parsed(figure.html())
    assert [tag for tag, _ in page.tags] == ["div", "script", "img", "p"]
    assert page.tags[0][1] == {"class": "fm-figure", "data-kind": "descent"}
    assert page.text == figure._spec["caption"]
    assert page.tags[2][1]["alt"] == 'A "map" <here>'
    assert "<" not in page.script

    def refuse(name):
        raise AssertionError(name)

    spec = json.loads(page.script, parse_constant=refuse)
    assert spec == {**figure._spec, "state": figure.state()} and spec["state"]["alpha"] == 7
    assert figure._spec["state"]["alpha"] == 2  # what reset goes back to in a notebook
    assert len(figure.html()) < 42_000


def test_the_picture_shows_the_present_state():
    figure = full()
    before = figure.picture()
    picture = Image.open(io.BytesIO(before))
    assert picture.size == (760, 410)
    colors = {color for _, color in picture.convert("RGB").getcolors(10_000)}
    for rule in figure._spec["rules"]:
        wanted = [int(rule["color"][i : i + 2], 16) for i in (1, 3, 5)]
        assert min(np.abs(np.subtract(color, wanted)).max() for color in colors) < 24, rule["label"]
    assert figure.picture() == before
    figure.alpha = 10
    assert figure.picture() != before


@pytest.mark.parametrize(
    "changes",
    [{}, {"show_rate": True}, {"loss": losses.dupont, "kappa": None}],
    ids=["as it is", "with a rate", "without log"],
)
def test_pictures_of_other_layouts(changes):
    kappa = changes.pop("kappa", 10)
    figure = plain(**changes, **({"kappa": kappa} if kappa else {}))
    assert figure.picture().startswith(b"\x89PNG")


def test_diverged_runs_have_a_picture():
    assert plain(loss=losses.rosenbrock, start=(1.5, 1.5), alpha=1.0, steps=30).picture()
    assert plain(loss=losses.rosenbrock, alpha=1.0, steps=30).picture()  # starts at the end: no loss to draw


def test_a_notebook_gets_the_widget_and_the_page():
    figure = full()
    bundle, _ = figure._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == figure.html()
    assert bundle["text/plain"] == repr(figure) and " at 0x" not in repr(figure)


MAKE = """
from tests.test_figures import full
figure = full()
print(figure.html(), repr(figure))
"""


def test_the_page_is_the_same_in_every_process():
    pages = set()
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        made = subprocess.run(
            [sys.executable, "-c", MAKE], env=environment, capture_output=True, text=True, check=True
        )
        pages.add(made.stdout)
    assert pages == {f"{full().html()} {full()!r}\n"}


def test_options_are_fixed_when_the_figure_is_made():
    def corrected(t, phi, grad, m=0.0, *, alpha, beta=0.9, correct=True):
        m = beta * m + (1 - beta) * grad(phi)
        return phi - alpha * (m / (1 - beta**t) if correct else m), m

    figure = plain(rules={"yes": corrected, "no": (corrected, {"correct": False})})
    yes, no = (run.path[1] for run in figure.runs().values())
    np.testing.assert_allclose((1, 1) - yes, 10 * ((1, 1) - no))


def test_the_host_carries_every_kind_and_calls_nobody():
    text = host()
    sources, end = json.JSONDecoder().raw_decode(text.removeprefix("const SOURCES = "))
    assert set(sources) == {"kit", *(kind.kind for kind in Figure.__subclasses__())}
    assert f"{sources['kit']}\n{sources['descent']}" == module("descent")
    assert text[len("const SOURCES = ") + end :].startswith(";\n")
    addresses = set(re.findall(r"https?://[\w./-]+", text))
    assert addresses == {"http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"}
    assert not re.search(r"\beval\(|new Function", text)


def test_the_site_gives_the_host_to_pages_with_a_figure(tmp_path):
    book, site = tmp_path / "book", tmp_path / "site"
    book.mkdir()
    (book / "conf.py").write_text('extensions = ["fitlib.figures.site"]\nhtml_theme = "basic"\n')
    (book / "index.rst").write_text("Plain\n=====\n\n.. toctree::\n\n   live\n")
    (book / "live.rst").write_text(f"Live\n====\n\n.. raw:: html\n\n   {plain().html()}\n")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "-d",
        str(tmp_path / "doctrees"),
        str(book),
        str(site),
    ]
    subprocess.run(command, check=True)
    assert (site / "_static" / "figures.js").read_text() == host()
    assert (site / "_static" / "figures.css").exists()
    wanted = [r'<script defer="defer" src="_static/figures\.js', r'href="_static/figures\.css']
    assert all(re.search(link, (site / "live.html").read_text()) for link in wanted)
    assert "figures." not in (site / "index.html").read_text()


def test_adamw_and_its_decay_have_a_slider():
    assert plain(rules=adamw, decay=slider(0, 1, 0.1)).decay == 0.1
