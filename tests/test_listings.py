"""What a chapter lists is what runs: a function defined in a cell has the source that the package has.

And the page on notation knows every name of the rules, by the symbol that their equations show.
"""

import ast
import inspect
import re
import textwrap
from pathlib import Path

import nbformat
import pytest

from fitlib import gabor, losses, matrices, optimizers, schedules
from fitlib.equations import latex_name
from fitlib.losses import Loss

ROOT = Path(__file__).parent.parent
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))


def definitions(source):
    """The functions and classes of a text, not those inside others: name -> source, without decorators."""
    nodes = ast.parse(source).body
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name: ast.get_source_segment(source, node) for node in nodes if isinstance(node, kinds)}


def package():
    """The same of the modules that chapters list. (A landscape is a function until its decorator.)"""
    found = {}
    for module in (optimizers, matrices, schedules, gabor, losses):
        found |= definitions(inspect.getsource(module))
    return found


PACKAGE = package()


def differing(source):
    """The names that a cell defines otherwise than the package does."""
    cell = definitions(textwrap.dedent(source))
    return [name for name, text in cell.items() if name in PACKAGE and text != PACKAGE[name]]


def cells(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_listings_are_the_source_that_runs(path):
    assert [name for source in cells(path) for name in differing(source)] == []


def test_the_listed_modules_are_read():
    assert {"momentum", "cosine", "gabor", "straight_line", "quadratic"} <= set(PACKAGE)
    assert PACKAGE["quadratic"] in inspect.getsource(losses.quadratic.function)
    landscapes = {name for name, item in vars(losses).items() if isinstance(item, Loss) and not item.data}
    assert landscapes <= set(PACKAGE)


def test_a_listing_that_differs_is_found():
    same = PACKAGE["momentum"]
    assert differing(f"import numpy as np\n\n{same}") == []
    assert differing(same.replace("(1 - beta)", "(1-beta)")) == ["momentum"]
    assert differing(same.replace("One step along", "A step along")) == ["momentum"]
    assert differing(same.replace("momentum", "my_momentum")) == []


# --- the page on notation ------------------------------------------------------------------------------


def symbols():
    """What the page says: Python name -> symbol, of every row of its tables that has both."""
    rows = re.findall(r"(?m)^\| \$(.+?)\$ \| `(\w+)`", (ROOT / "chapters" / "notation.md").read_text())
    return {name: symbol for symbol, name in rows}


def test_notation_has_every_name_of_the_rules_and_its_symbol_in_the_equations():
    rules = [item for item in vars(optimizers).values() if inspect.isfunction(item)]
    names = {name for rule in rules for name in rule.__code__.co_varnames}
    assert {"phi", "grad", "m_hat", "v_max", "decay"} <= names
    assert {name: latex_name(name) for name in names}.items() <= symbols().items()


def test_notation_has_the_states_the_defaults_and_the_bytes_of_every_rule():
    page = (ROOT / "chapters" / "notation.md").read_text()
    rows = {name: rest for name, rest in re.findall(r"(?m)^\| `(\w+)` \| (.*) \|$", page)}
    rules = [f for module in (optimizers, matrices) for f in vars(module).values() if inspect.isfunction(f)]
    rules = [rule for rule in rules if list(inspect.signature(rule).parameters)[:3] == ["t", "phi", "grad"]]
    assert {"muon", "soap", "sign_descent"} <= {rule.__name__ for rule in rules}
    for rule in rules:
        given = inspect.signature(rule).parameters.values()
        states = [f"`{p.name}`" for p in given if p.kind is p.POSITIONAL_OR_KEYWORD][3:]
        hyper = [
            f"`{p.name}={p.default}`" for p in given if p.kind is p.KEYWORD_ONLY and p.default is not p.empty
        ]
        own = "" if set(states) & {"`V`", "`L`"} else str(4 * len(states))
        assert rows[rule.__name__].split(" | ") == [", ".join(states), ", ".join(hyper), own]
