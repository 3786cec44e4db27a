"""The layers of fitlib: the engine computes, plots draw, exercises check, figures connect, the page runs."""

import ast
import importlib.util
import re
import sys
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "fitlib"
FILES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted(PACKAGE.rglob("*.py"))
}
LAYERS = ["plots", "exercises", "figures", "page"]  # all else is the engine, below them
ONLY = {
    "sympy": {"fitlib.symbolic", "fitlib.equations"},
    "anywidget": {"fitlib.figures"},
    "ipywidgets": {"fitlib.figures"},
    "traitlets": {"fitlib.figures"},
    "matplotlib": {"fitlib.plots", "fitlib.figures"},
    "sklearn": {"fitlib.data"},
}


def imports(module):
    """The modules that `module` imports, wherever in its file: those of fitlib in full, others by package."""
    found = set()
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parent = "." * node.level + (node.module or "")
            parent = importlib.util.resolve_name(parent, module) if node.level else parent
            parts = {f"{parent}.{alias.name}" for alias in node.names} & FILES.keys()
            found |= parts or {parent}
    return {name if name.split(".")[0] == "fitlib" else name.split(".")[0] for name in found}


def layer(module):
    """The height of `module`: 0 for the engine."""
    part = module.split(".")[1] if "." in module else ""
    return LAYERS.index(part) + 1 if part in LAYERS else 0


def test_every_file_is_looked_at():
    assert {"fitlib.optimizers", "fitlib.symbolic", "fitlib.plots", "fitlib.figures"} <= FILES.keys()
    assert "fitlib.symbolic" in imports("fitlib.equations") and "numpy" in imports("fitlib.optimizers")


@pytest.mark.parametrize("module", FILES)
def test_no_import_goes_back(module):
    assert {name for name in imports(module) & FILES.keys() if layer(name) > layer(module)} == set()


def test_no_import_goes_round():
    TopologicalSorter({module: imports(module) & FILES.keys() for module in FILES}).prepare()


def test_the_rules_import_numpy_only():
    assert imports("fitlib.optimizers") == {"numpy"}


@pytest.mark.parametrize("package", ONLY)
def test_a_package_is_imported_in_its_place_only(package):
    users = {module for module in FILES if package in imports(module)}
    strays = {user for user in users if not any(f"{user}.".startswith(f"{home}.") for home in ONLY[package])}
    assert strays == set()


def test_every_public_module_is_in_the_api_page():
    shown = re.findall(r"automodule:: (\S+)", (ROOT / "chapters" / "api.md").read_text())
    assert sorted(shown) == [module for module in FILES if module.count(".") == 1 and "._" not in module]


def test_what_is_imported_is_pinned():
    """By the requirements of the book for fitlib and tools; the tests have their own."""
    pinned = set(re.findall(r"(?m)^([\w-]+)==", (ROOT / "requirements.txt").read_text()))
    used = set().union(*map(imports, FILES)) - FILES.keys() - sys.stdlib_module_names
    names = packages_distributions()
    assert {name for name in used if not pinned & {found.lower() for found in names[name]}} == set()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_commands_of_the_documents_exist(page):
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text()))
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", (ROOT / page).read_text(), re.M))
    assert named and named <= targets


def test_every_command_is_in_the_help():
    """And does in one or two lines what longer code in tools/ does."""
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.search(r"\.PHONY: (.*)", makefile)[1].split())
    recipes = {name: recipe for name, recipe in re.findall(r"(?m)^([a-z]+):.*## .*\n((?:\t.*\n)+)", makefile)}
    assert recipes.keys() == phony
    assert {name for name, recipe in recipes.items() if recipe.count("\n") > 2} == set()
