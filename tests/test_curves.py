"""`Curves`, its panels and choices: the spec, the traits, the values, the refusals."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import traitlets

from fitlib import plots
from fitlib.figures import Curves, choice, panel, slider
from fitlib.figures.descent import SPARE
from fitlib.schedules import cosine
from fitlib.symbolic import TraceError, schedule


def line(x, *, slope):
    return slope * x


def adam(t):
    return 1 - 0.9**t


def lines(**changes):
    return Curves({"line": line}, **{"x": (0, 2), "slope": slider(0, 5, 2), **changes})


def test_a_slider_is_a_trait_that_the_values_follow():
    figure = lines()
    np.testing.assert_array_equal(figure.values([0.0, 1.0, 2.0])["line"], [0, 2, 4])
    figure.slope = 3.0
    np.testing.assert_array_equal(figure.values([1.0])["line"], [3])
    assert figure.trait_metadata("slope", "sync")
    with pytest.raises(traitlets.TraitError):
        figure.slope = 7


def test_a_choice_holds_one_of_its_numbers():
    figure = Curves({"power": lambda x, *, p: x**p}, x=(0, 2), p=choice({"square": 2, "root": 0.5}, "root"))
    assert figure.p == 0.5 and figure.state()["p"] == 0.5
    figure.p = 2
    np.testing.assert_array_equal(figure.values([3.0])["power"], [9])
    with pytest.raises(traitlets.TraitError):
        figure.p = 3


def test_panels_share_sliders_and_the_colors_of_their_labels():
    figure = Curves([panel({"line": line}), panel({"line": lambda x: x**2, "adam": adam})], x=(0, 2), slope=2)
    first, second = figure.values([2.0])
    assert (first["line"], second["line"], list(second)) == (4, 4, ["line", "adam"])
    colors = {item["label"]: item["color"] for item in figure._spec["items"]}
    assert colors == {"line": SPARE[0], "adam": plots.COLORS["adam"]}


def test_a_label_or_a_function_of_a_rule_has_the_rules_color():
    figure = Curves({"Adam": lambda t: 0 * t, "mine": lambda t: t}, x=(0, 1), colors={"mine": "#123456"})
    assert [item["color"] for item in figure._spec["items"]] == [plots.COLORS["adam"], "#123456"]


def test_marks_may_be_functions_of_parameters():
    marks = [("twice", "y", lambda *, slope: 2 * slope), ("there", "point", (1, 2)), ("here", "x", 1)]
    traced, there, here = lines(marks=marks)._spec["panels"][0]["marks"]
    assert traced["refs"] == ["slope"] and there["value"] == [1, 2] and here["value"] == 1


def test_a_schedule_is_a_curve():
    figure = Curves(
        {"cosine": schedule(cosine)}, x=(1, 100), whole=True, alpha=0.1, steps=slider(10, 200, 100, step=1)
    )
    np.testing.assert_allclose(figure.values([1.0, 51.0])["cosine"], [0.1, 0.05])
    figure.steps = 50
    np.testing.assert_allclose(figure.values([51.0])["cosine"], [0], atol=1e-16)


def test_the_probe_begins_in_the_middle_of_its_axis():
    assert lines().probe == 1
    assert lines(x=(0.01, 100), log_x=True).probe == pytest.approx(1)
    assert lines(probe=0.5).probe == 0.5
    assert lines(x=(0, 9), whole=True, probe=None)._spec["probe"] is None
    assert "probe" not in lines(probe=False).state()


def test_everything_in_the_spec_is_rounded_and_finite():
    figure = lines(data={"seen": ([0, 1 / 3], [np.pi, 1.0])}, lines={"kept": ([0, 1], [1 / 7, 2])})
    (drawn,) = figure._spec["panels"]
    assert drawn["data"][0]["ys"] == [3.14159, 1] and drawn["lines"][0]["ys"] == [0.142857, 2]
    assert json.dumps(figure._spec, allow_nan=False)


def test_the_html_is_the_same_in_every_process():
    code = (
        "from fitlib.figures import Curves, slider\n"
        "from fitlib.figures.base import Figure\n"
        "Figure.picture = lambda figure: b''\n"
        "import hashlib\n"
        "curves = {'a': lambda x, *, k, h: k * x + h, 'b': lambda x: x**2}\n"
        "f = Curves(curves, x=(0, 1), k=slider(0, 1, 0.5), h=1)\n"
        "print(hashlib.sha256(f.html().encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(found) == 1


def test_the_picture_shows_curves_points_and_marks():
    marks = [("m", "y", 1.0), ("p", "point", (1, 1)), ("v", "x", lambda *, slope: slope / 2)]
    figure = lines(data={"seen": ([0, 1], [1, 2])}, marks=marks, log_y=True, y=(0.1, 10))
    assert figure.picture().startswith(b"\x89PNG")
    assert len(set(lines(slope=s).picture() for s in (1, 2))) == 2
    two = Curves(
        [panel({"line": line}), panel({"line": line}, lines={"kept": ([0, 1], [0, 1])})], x=(0, 2), slope=2
    )
    assert two.picture() != figure.picture()


def test_hidden_holds_labels():
    figure = lines()
    figure.hidden = ["line"]
    with pytest.raises(traitlets.TraitError, match="out of line; got other"):
        figure.hidden = ["other"]


REFUSED = {
    "no range": (dict(x=(2, 0)), "x is .lo, hi."),
    "no numbers": (dict(x=("a", 1)), "x is .lo, hi."),
    "log from 0": (dict(log_x=True), "logarithmic x begins above 0"),
    "log y": (dict(log_y=True, y=(0, 1)), "logarithmic y begins above 0"),
    "whole": (dict(x=(0, 1.5), whole=True), "whole steps need whole ends"),
    "unknown": (dict(shift=1), "no curve or mark takes shift; they take: slope"),
    "missing": (dict(slope=None), "slope is a number, a slider or a choice"),
    "text": (dict(slope="steep"), "slope is a number, a slider or a choice; got 'steep'"),
    "mark": (dict(marks=[("a", "z", 1)]), "the kind one of x, y, limit, point"),
    "mark value": (dict(marks=[("a", "point", 1)]), "2 finite numbers"),
    "mark nan": (dict(marks=[("a", "x", np.nan)]), "1 finite number"),
    "mark function": (dict(marks=[("a", "x", lambda *, slope: np.stack([slope, slope]))]), "1 finite number"),
    "mark of x": (dict(marks=[("a", "x", lambda x: x)]), "takes 0 positional arguments"),
    "data lengths": (dict(data={"a": ([1, 2], [1])}), "two lists of one length"),
    "data nan": (dict(data={"a": ([1, 2], [1, np.nan])}), "not finite"),
    "colors": (dict(colors={"other": "#fff"}), "colors names other"),
    "probe": (dict(probe=7), "lo <= value <= hi"),
}


@pytest.mark.parametrize("changes, message", REFUSED.values(), ids=REFUSED)
def test_bad_input_is_refused_with_one_sentence(changes, message):
    with pytest.raises(ValueError, match=message) as error:
        lines(**changes)
    assert "\n" not in str(error.value)


OTHERS = {
    "not curves": (lambda: Curves(3, x=(0, 1)), "curves is a dict"),
    "nothing": (lambda: Curves({}, x=(0, 1)), "nothing to draw"),
    "no panel": (lambda: Curves([{}], x=(0, 1)), "curves is a dict label -> function or a list of panel"),
    "beside panels": (lambda: Curves([panel({"a": adam})], x=(0, 1), ylabel="y"), "belong to each panel"),
    "two arguments": (lambda: Curves({"a": lambda x, b: x}, x=(0, 1)), "takes 1 positional argument"),
    "two values": (lambda: Curves({"a": lambda x: (x, x)}, x=(0, 1)), "one value at one x"),
    "needs": (lambda: Curves({"a": line}, x=(0, 1)), "the curve a needs slope"),
    "no function": (lambda: Curves({"a": 3}, x=(0, 1)), "the curve a is a function"),
    "taken": (lambda: Curves({"a": lambda x, *, probe: x * probe}, x=(0, 1), probe=None), "needs probe"),
    "hidden": (
        lambda: Curves({"a": lambda x, *, hidden: x * hidden}, x=(0, 1), hidden=1),
        "rename the parameter",
    ),
    "one option": (lambda: choice({"a": 1}), "two or more named numbers"),
    "same numbers": (lambda: choice({"a": 1, "b": 1.0}), "differ"),
    "no such option": (lambda: choice({"a": 1, "b": 2}, "c"), "begins with one of its names, a, b"),
}


@pytest.mark.parametrize("make, message", OTHERS.values(), ids=OTHERS)
def test_what_cannot_be_drawn_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_cannot_be_traced_says_what_to_write():
    with pytest.raises(TraceError, match="np.where"):
        Curves({"a": lambda x: x if x > 0 else 0}, x=(-1, 1))
