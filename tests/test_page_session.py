"""A chapter's cells in a session, as a page runs them."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from fitlib.page import widgets
from fitlib.page.needs import imports
from fitlib.page.session import PRINTED, Session

ROOT = Path(__file__).parent.parent


class Page:
    """A session with the events of the last run by kind."""

    def __init__(self, *cells, **options):
        self.session, self.texts = Session(cells, **options), {}

    def run(self, index, act="run"):
        self.events = []
        self.outcome = getattr(self.session, act)(index, self.texts, self.events.append)
        json.dumps(self.events, allow_nan=False)
        return self

    def all(self, kind):
        return [event for event in self.events if event["kind"] == kind]

    @property
    def text(self):
        return "".join(event["text"] for event in self.all("stream"))

    @property
    def error(self):
        (event,) = self.all("error")
        return event


def test_a_cell_runs_with_what_it_needs_and_once():
    page = Page("log = []", "log.append('b'); b = 1", "c = 2\nprint('never seen')", "print(b, c, log)")
    assert page.run(3).text == "1 2 ['b']\n"
    assert [(e["done"], e["of"]) for e in page.all("progress")] == [(n, 4) for n in (1, 2, 3, 4)]
    assert page.run(3).text == "1 2 ['b']\n" and not page.all("progress")


def test_it_runs_again_what_was_edited_and_what_read_it():
    page = Page("a = 1", "b = a + 1", "c = 5", "print(a, b, c)")
    page.run(3)
    page.texts = {0: "a = 10"}
    assert page.run(3).text == "10 11 5\n" and page.all("progress")[-1]["of"] == 2
    page.texts = {"0": "a = 1"}  # keys as JSON has them
    assert page.run(3).text == "1 2 5\n"


def test_a_cell_that_changes_its_own_name_gives_the_same_twice():
    page = Page("x = [0]", "x.append(1)\nprint(x)", "print(x)")
    assert [page.run(i).text for i in (1, 1, 2, 1)] == ["[0, 1]\n"] * 4


def test_cells_in_any_order_give_what_the_order_of_the_page_gives():
    page = Page("k = 1", "print(k)", "k = 2", "print(k)", "for k in range(9): pass", "print(k)")
    assert [page.run(i).text for i in (5, 1, 3, 1, 5)] == ["8\n", "1\n", "2\n", "1\n", "8\n"]


def test_edits_that_depend_on_each_other_in_the_wrong_order():
    page = Page("a = 1", "b = 2", "print(a, b)")
    page.texts = {0: "a = b + 1", 1: "b = a + 1"}
    assert page.run(2).outcome == "error"
    assert page.error | {"kind": 0} == {
        "kind": 0,
        "cell": 2,
        "index": 0,
        "name": "NameError",
        "message": "name 'b' is not defined. A cell below makes it, but a cell runs with what stands above it alone.",
        "line": 1,
        "text": "a = b + 1",
    }
    page.run(1)
    assert page.error["index"] == 0  # also where a cell below has run already
    page.texts = {}
    assert page.run(2).text == "1 2\n"


def test_a_deleted_import():
    page = Page("import math", "def half(x):\n    return math.sqrt(x) / 2", "half(4)")
    assert page.run(2).all("data")[0]["data"] == {"text/plain": "1.0"}
    page.texts = {0: ""}
    page.run(2)
    assert (page.error["index"], page.error["line"]) == (1, 2) and "math" in page.error["message"]


@pytest.mark.parametrize(
    "text, told",
    [
        ("x = 1\nx.y", ("AttributeError", "'int' object has no attribute 'y'", 2, "x.y")),
        ("1 / 0", ("ZeroDivisionError", "division by zero", 1, "1 / 0")),
        ("{}['a']", ("KeyError", "'a'", 1, "{}['a']")),
        ("raise SystemExit", ("SystemExit", "", 1, "raise SystemExit")),
        ("a = 1\nb = (2", ("SyntaxError", "'(' was never closed", 2, "b = (2")),
        ("return 3", ("SyntaxError", "'return' outside function", 1, "return 3")),
        (
            "input('name')",
            ("RuntimeError", "input() has nobody to ask here; write the value into the cell", 1),
        ),
        (
            "import nonsense_x",
            ("ModuleNotFoundError", "No module named 'nonsense_x'", 1, "import nonsense_x"),
        ),
        ("import numpy as np\nnp.empty(10**15)", ("MemoryError", None, 2, "np.empty(10**15)")),
        ("f = lambda: f()\nf()", ("RecursionError", None, 1, "f = lambda: f()")),
    ],
)
def test_errors_say_what_and_where_in_the_cell(text, told):
    error = Page(text).run(0).error
    assert error["cell"] == error["index"] == 0
    for key, value in zip(("name", "message", "line", "text"), told):
        assert value is None or error[key] == value


def test_an_error_in_a_needed_cell_names_that_cell():
    page = Page("a = 1 +", "b = 1 / 0", "print(a)", "print(b)")
    page.texts = {}
    page.session.cells[0] = "a = 1"
    page.texts = {0: "a = 1 +"}
    assert page.run(3).error["index"] == 1 and page.error["name"] == "ZeroDivisionError"
    assert page.run(2).error["index"] == 0 and page.error["name"] == "SyntaxError"


def test_what_cannot_be_traced_is_told_in_one_sentence():
    page = Page(
        "from fitlib.losses import Loss",
        "def f(phi):\n    return phi[0] if phi[1] > 0 else phi[1]",
        "Loss(f)((1.0, 2.0))",
    )
    error = page.run(2).error
    assert error["name"] is None and error["message"].startswith("a decision on") and error["index"] == 1


def test_results_are_what_jupyter_shows():
    class_text = "class A:\n    def _repr_html_(self): return '<b>'\n    def _repr_latex_(self): return '$'\n"
    page = Page(class_text + "A()", "print(1)\n2\n3", "4;", "5 # ;", "None", "display(6, 7)", "'a'")
    assert list(page.run(0).events[0]["data"])[:2] == ["text/html", "text/latex"]
    assert page.run(1).text == "1\n" and page.all("data")[0]["data"] == {"text/plain": "3"}
    assert page.run(2).events == [] and page.run(4).events == []
    assert page.run(3).all("data")[0]["data"] == {"text/plain": "5"}
    assert [e["data"]["text/plain"] for e in page.run(5).all("data")] == ["6", "7"]
    assert page.run(6).all("data")[0]["data"] == {"text/plain": "'a'"}


def test_a_million_lines_come_in_pieces_and_are_cut():
    page = Page("for i in range(10**6): print(i)").run(0)
    assert PRINTED < len(page.text) < PRINTED + 100 and "characters are shown" in page.text[-100:]
    assert len(page.events) < 200


def test_pictures_are_shown_and_closed():
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    page = Page(
        "import matplotlib.pyplot as plt",
        "figure, ax = plt.subplots()",
        "line = ax.plot([1, 2])",
        "plt.figure()\nfigure",
    )
    for index, pictures in ((1, 1), (2, 0), (3, 2)):
        data = [event["data"]["image/png"] for event in page.run(index).all("data")]
        assert len(data) == pictures and all(picture.startswith("iVBOR") for picture in data)
        assert plt.get_fignums() == []


def test_the_source_of_a_cell_is_found():
    page = Page("import inspect", "x = 0\ndef f():\n    return 1", "print(inspect.getsource(f))")
    assert page.run(2).text == "def f():\n    return 1\n"
    page.texts = {1: "def f():\n    return 2"}
    assert page.run(2).text == "def f():\n    return 2\n"


def test_stale_are_the_cells_whose_needs_were_edited():
    page = Page("a = 1", "b = 2", "print(a)", "print(b)")
    assert page.session.stale({}) == [] and page.session.stale({0: "a = 3"}) == [0, 2]
    page.texts = {0: "a = 3"}
    page.run(2)
    assert page.session.stale(page.texts) == [0] and page.session.stale({}) == [2]
    other = Session(page.session.cells)
    other.shown |= page.session.shown
    assert other.stale(page.texts) == [0]


def test_followers_are_the_figures_that_use_what_a_cell_binds():
    path = ROOT / "chapters" / "adam.ipynb"
    cells = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    session = Session(cells)
    ridge = next(i for i, text in enumerate(cells) if text.startswith("def ridge("))
    rule = next(i for i, text in enumerate(cells) if text.startswith("def adam("))
    assert [cells[i].split("(")[0] for i in session.followers(ridge, {})] == ["Descent"]
    assert {cells[i].split("(")[0] for i in session.followers(rule, {})} == {"Descent", "Inside"}
    assert len(session.followers(rule, {})) >= 3 and session.followers(len(cells) - 1, {}) == []


def test_all_run_in_order_and_end_at_an_error():
    page = Page("a = 1\nprint(a)", "print(a + 1)", "1 / 0", "print(3)")
    assert page.run([0, 1], "run_all").text == "1\n2\n" and page.outcome is None
    progress = [event for event in page.all("progress") if event["cell"] is None]
    assert [(event["done"], event["of"]) for event in progress] == [(1, 2), (2, 2)]
    assert page.run([0, 2, 3], "run_all").outcome == "error" and page.text == "1\n"


def test_a_missing_module_is_asked_for_once(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    page = Page("print(1)", "import tqdm", "print(tqdm.__name__)", loadable={"tqdm"})
    assert page.run([0, 2], "run_all").outcome == "tqdm" and not page.all("error")
    monkeypatch.delitem(sys.modules, "tqdm")
    assert page.run([0, 2], "run_all").outcome is None and page.text == "tqdm\n"
    assert Page("import nothing_there", loadable={"tqdm"}).run(0).outcome == "error"


def test_packages_of_a_cell():
    session = Session(
        [
            "import math, numpy as np",
            "import matplotlib.pyplot as plt",
            "from fitlib.exercises import check",
            "from fitlib.figures import Descent",
            "np.pi",
            "plt.plot()",
            "check('adam', 3)",
            "Descent()",
        ],
        imports(ROOT / "fitlib"),
    )
    found = [set(session.packages(index, {})) - {"anywidget"} for index in range(4, 8)]
    assert found == [{"numpy"}, {"matplotlib"}, {"numpy"}, {"numpy", "sympy", "traitlets"}]
    assert session.packages(4, {0: "import scipy as np"}) == ["scipy"]


@pytest.fixture
def controls(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", widgets)


def test_interact_offers_controls_and_follows_them(controls):
    page = Page(
        "from ipywidgets import Dropdown, FloatLogSlider, fixed, interact",
        "factor = 2",
        "def f(a, n=3, on=True, which='b', unit='m'):\n    print(factor * a, n, on, which, unit)",
        "rate = FloatLogSlider(0.1, min=-2, max=0, description='rate')\n"
        "interact(f, a=rate, n=(0, 5), which=Dropdown(options=['a', 'b'], value='b'), unit=fixed('m'))",
    ).run(3)
    (event,) = page.all("controls")
    assert event["controls"] == [
        {
            "name": "a",
            "label": "rate",
            "kind": "range",
            "value": -1.0,
            "lo": -2.0,
            "hi": 0.0,
            "step": 0.1,
            "base": 10.0,
        },
        {"name": "n", "label": "n", "kind": "range", "value": 3, "lo": 0, "hi": 5, "step": 1, "base": None},
        {"name": "on", "label": "on", "kind": "check", "value": True},
        {"name": "which", "label": "which", "kind": "choice", "value": 1, "options": ["a", "b"]},
    ]
    assert page.text == "0.2 3 True b m\n" and not page.all("data")
    session, events = page.session, []
    page.texts = {1: "factor = 5"}
    Page.run(page, 1)  # another run changes what the function reads
    session.set(event["id"], {"a": 0, "on": False, "which": 0, "n": 9}, events.append)
    (stream,) = [e for e in events if e["kind"] == "stream"]
    assert stream["text"] == "2.0 5 False a m\n" and stream["id"] == event["id"] and stream["cell"] == 3
    page.texts = {0: "import nonsense_x"}
    assert session.set(event["id"], {"n": 1}, events.append) is None  # made from the texts of its own run


@pytest.mark.parametrize(
    "given, kind, rest",
    [
        ((0.0, 1.0), "range", {"lo": 0.0, "hi": 1.0, "step": 0.1, "value": 0.5}),
        ((2, 7), "range", {"lo": 2, "hi": 7, "step": 1, "value": 4}),
        ((0, 1, 0.25), "range", {"lo": 0.0, "hi": 1.0, "step": 0.25, "value": 0.0}),
        (4, "range", {"lo": -4, "hi": 12, "value": 4}),
        (False, "check", {"value": False}),
        (["x", "y"], "choice", {"options": ["x", "y"], "value": 0}),
        ({"x": 1, "y": 2}, "choice", {"options": ["x", "y"], "value": 0}),
    ],
)
def test_abbreviations_mean_what_they_mean_in_ipywidgets(given, kind, rest):
    import ipywidgets

    spec = widgets.Interaction(lambda a: None, {"a": given}).specs()[0]
    theirs = ipywidgets.interactive(lambda a: None, a=given).children[0]
    assert spec["kind"] == kind and rest.items() <= spec.items()
    if kind == "range":
        assert [theirs.min, theirs.max, theirs.step, theirs.value] == [
            spec[k] for k in ("lo", "hi", "step", "value")
        ]
    else:
        assert theirs.value == (
            list(given.values())[0] if isinstance(given, dict) else given if kind == "check" else "x"
        )


LIGHT = """
import json, sys
from fitlib.page.session import Session, prepare
before = {"numpy", "sympy", "matplotlib", "IPython.core", "traitlets", "tqdm"} & sys.modules.keys()
prepare()
events, session = [], Session(json.loads(sys.argv[1]))
session.run(int(sys.argv[2]), {}, events.append)
after = {"sympy", "matplotlib", "IPython.core", "traitlets", "tqdm", "markdown_it", "comm"} & sys.modules.keys()
print(json.dumps([sorted(before), sorted(after), [event["kind"] for event in events if event["kind"] != "progress"]]))
"""


@pytest.mark.parametrize(
    "begin, loaded, kind", [("def my_adam(", [], "data"), ("Descent(", ["sympy", "traitlets"], "figure")]
)
def test_an_exercise_loads_numpy_alone_and_a_figure_no_pictures(begin, loaded, kind):
    path = ROOT / "chapters" / "adam.ipynb"
    cells = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    index = next(i for i, text in enumerate(cells) if text.startswith(begin))
    command = [sys.executable, "-c", LIGHT, json.dumps(cells), str(index)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT / "chapters", check=True)
    assert json.loads(done.stdout) == [[], loaded, [kind]]


def test_the_checker_finds_the_line_of_an_answer():
    answer = "x = 1\ndef f(t, phi, grad, *, alpha):\n    return phi - nothing\n\ncheck('gradient_descent', f)"
    page = Page("from fitlib.exercises import check", answer).run(1)
    text = page.all("data")[0]["data"]["text/plain"]
    assert "NameError" in text and "in line 3: return phi - nothing" in " ".join(text.split())
