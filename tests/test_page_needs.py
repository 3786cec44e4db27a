"""What a cell needs, held to a table of small chapters, and to Python's own view of scopes."""

import ast
import symtable
from pathlib import Path

import nbformat
import pytest

from fitlib.page.needs import Chapter, due, imports, reached, statements

ROOT = Path(__file__).parent.parent
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))

# Cells with a bar between them, the last of which is run ("¶" stands for a line end);
# and the statements before it that it needs, by their numbers from 0 over all cells.
TABLE = {
    "a name": ("x = 1 | y = 2 | x + 1", [0]),
    "names through names": ("x = 1 | y = x | z = 3 | y", [0, 1]),
    "single imports": ("from math import sin, cos, tan | cos(0)", [1]),
    "an import as": ("import math as m, json | m.pi", [0]),
    "a dotted import adds to its package": ("import os.path | import os.abc | os.path", [0, 1]),
    "bound twice": ("x = 1 | x = 2 | x", [1]),
    "bound twice, read between": ("x = 1 | y = x | x = 2 | y", [0, 1]),
    "bound again below": ("x = 1 | x", [0]),
    "bound again in the cell itself": ("k = 1 | k = 2; print(k)", []),
    "augmented": ("x = 1 | x += 1 | x", [0, 1]),
    "augmented, then bound": ("x = 1 | x += 1 | x = 3 | x", [2]),
    "annotated": ("x: int = 1 | y: int | x", [0]),
    "unpacked": ("a, (b, *c) = f() | c", [0]),
    "a part assigned": ("x = [1] | x[0] = 2 | x", [0, 1]),
    "a part of a part assigned": ("x = f() | x.a[0].b = 2 | x", [0, 1]),
    "an attribute": ("x = f() | x.a = 2 | x", [0, 1]),
    "a part deleted": ("x = {} | del x['a'] | x", [0, 1]),
    "a name deleted": ("x = 1 | del x | x", [0, 1]),
    "the key is read, not changed": ("x = {} | k = 1 | x[k] = 2 | k", [1]),
    "a method that changes": ("found = [] | found.append(1) | found", [0, 1]),
    "a method for its effect": ("ax = f() | ax.plot([1]) | ax", [0, 1]),
    "a method for its value": ("x = f() | y = x.mean() | x", [0]),
    "a changing method for its value": ("x = [1] | y = x.pop() | x", [0, 1]),
    "changes in a loop": ("x = [] | for i in range(3): x.append(i) | x", [0, 1]),
    "changes in a comprehension": ("x = [] | [x.append(i) for i in range(3)] | x", [0, 1]),
    "a function of a module named like a method": ("import numpy as np | a = np.sort([1]) | np", [0]),
    "a path of a module": ("import sys | sys.path.append(1) | sys", [0, 1]),
    "a value of a module": ("import numpy as np | a = np.ones(2) | a[0] = 3 | np", [0]),
    "a module in the statement": (
        "import numpy as np | for i in (1,):¶    a = np.ones(2)¶    a[0] = i | np",
        [0],
    ),
    "a module's function for its effect": ("import matplotlib.pyplot as plt | plt.show() | plt", [0]),
    "settings of a module": ("import numpy as np | np.set_printoptions(precision=3) | np", [0, 1]),
    "settings of a part of a module": ("import matplotlib as m | m.rcParams.update({}) | m", [0, 1]),
    "NumPy's global generator": (
        "import numpy as np | np.random.seed(0) | a = np.random.rand() | np",
        [0, 1, 2],
    ),
    "a function that fills its argument": (
        "import numpy as np | x = f() | np.fill_diagonal(x, 1) | x",
        [0, 1, 2],
    ),
    "a generator": ("rng = default_rng(0) | a = rng.normal() | rng.normal()", [0, 1]),
    "a generator as an argument": ("rng = default_rng(0) | a = f(rng) | rng", [0, 1]),
    "numbers of a generator": ("x = default_rng(0).normal() | y = x | x", [0]),
    "an iterator": ("rows = zip(a, b) | first = list(rows) | rows", [0, 1]),
    "a generator function": ("def g():¶    yield 1 | it = g() | a = list(it) | it", [0, 1, 2]),
    "another name for it": ("x = [1] | y = x | y[0] = 2 | x", [0, 1, 2]),
    "a part of it": ("x = f() | row = x[0] | row[1] = 2 | x", [0, 1, 2]),
    "made together": ("figure, ax = f() | ax.plot() | figure", [0, 1]),
    "no longer another name": ("x = [1] | y = x | y = [2] | y[0] = 2 | x", [0]),
    "the rows of a loop": ("x = [[1]] | for row in x: row[0] = 2 | x", [0, 1]),
    "a function": ("def f(): return 1 | f()", [0]),
    "a function's globals": ("a = 1 | def f(): return a | f()", [0, 1]),
    "a function before its globals": ("def f(): return a | a = 1 | f()", [0, 1]),
    "a global bound again before the call": ("a = 1 | def f(): return a | a = 2 | f()", [1, 2]),
    "a global of a value made with it": (
        "def f(): return a | a = 1 | loss = L(f) | a = 2 | loss",
        [0, 1, 2, 3],
    ),
    "a function's own names": ("a = 1 | def f(a): b = a; return b | f(2)", [1]),
    "a global after a comprehension of its name": (
        "a = 1 | def f(): c = [a for a in (1,)]; return a | f()",
        [0, 1],
    ),
    "defaults": ("a = 1 | def f(x=a): return x | f()", [0, 1]),
    "defaults are read once": ("a = 1 | def f(x=a): return x | a = 2 | f()", [0, 1]),
    "keyword defaults and annotations": ("a = 1; T = int | def f(*, x: T = a): return x | f()", [0, 1, 2]),
    "decorators": ("def twice(f): return f | @twice¶def g(): return 1 | g()", [0, 1]),
    "lambdas": ("a = 1 | f = lambda x: a * x | f(2)", [0, 1]),
    "a lambda that is called at once": ("a = 1 | b = list(map(lambda x: x + a, [1])) | b", [0, 1]),
    "a lambda that changes at once": ("a = [] | b = list(map(lambda x: a.append(x), [1])) | a", [0, 1]),
    "a lambda before its globals": ("f = lambda: a | a = 1 | f()", [0, 1]),
    "a function that its decorator calls": ("def d(f): f() | a = 1 | @d¶def g(): return a | g", [0, 1, 2]),
    "a function in a loop, called there": (
        "a = 1 | for i in (1,):¶    def f(): return a¶    b = f() | b",
        [0, 1],
    ),
    "closures": (
        "a = 1 | def f():¶    b = a¶    def g(): return b + c¶    return g | c = 1 | f()()",
        [0, 1, 2],
    ),
    "recursion": ("def f(n): return n and f(n - 1) | f(3)", [0]),
    "a function that calls another": ("def f(): return g() | def g(): return a | a = 1 | f()", [0, 1, 2]),
    "a function with global": ("n = 0 | def up():¶    global n¶    n = n + 1 | up() | n", [0, 1, 2]),
    "a function that changes a global": ("x = [] | def f(v): x.append(v) | y = f(1) | x", [0, 1, 2]),
    "a function that changes its argument": ("def f(v): v[0] = 1 | x = [0] | f(x) | x", [0, 1, 2]),
    "a function that does not": ("def f(v): return v[0] | x = [0] | y = f(x) | x", [1]),
    "a class": ("class A:¶    b = 1¶    c = b | A()", [0]),
    "a class body reads": ("b = 1 | class A:¶    c = b | A()", [0, 1]),
    "methods look past their class": ("b = 1 | class A:¶    b = 2¶    def m(self): return b | A()", [0, 1]),
    "base classes": ("class A: pass | class B(A): pass | B()", [0, 1]),
    "a method added": ("class A: pass | def f(a): return 1 | A.f = f | A()", [0, 1, 2]),
    "comprehensions": ("i = 5; x = [1] | [i for i in x]", [1]),
    "the condition of a comprehension": ("a = 1; x = [1] | [i for i in x if i > a]", [0, 1]),
    "nested comprehensions": ("x = [[1]] | {j: i for i in x for j in i}", [0]),
    "a name of a loop": ("for k in range(3): y = k | k", [0]),
    "a loop binds its name": ("k = 1 | for k in range(3): print(k)", []),
    "a sum in a loop": ("s = 0 | for i in range(3): s = s + i | s", [0, 1]),
    "with": ("with open('f') as file: text = file.read() | text", [0]),
    "except": ("try: x = 1¶except E as error: x = 2 | x", [0]),
    "a try that may not bind": ("x = 0 | try: x = f()¶except E: pass | x", [0, 1]),
    "a walrus": ("if (n := 10) > 5: pass | n", [0]),
    "a walrus in a comprehension": ("x = [1] | any((last := i) for i in x) | last", [0, 1]),
    "bound in one branch": ("x = 1 | if x: x = 2 | x", [0, 1]),
    "bound in both branches": ("x = 1; c = 1 | if c: x = 2¶else: x = 3 | x", [1, 2]),
    "a match": ("p = (1, 2) | match p:¶    case (a, b): s = a | s", [0, 1]),
    "what is printed changes nothing": ("x = 1 | print(x) | assert x | x", [0]),
    "exec is not decided": ("x = 1 | y = 2 | exec('x = 3') | x", [0, 1, 2]),
    "a star is not decided": ("from math import * | y = 2 | pi", [0]),
}


@pytest.mark.parametrize("case", TABLE)
def test_needs(case):
    text, expected = TABLE[case]
    chapter = Chapter([cell.replace("¶", "\n") for cell in text.split(" | ")])
    own = chapter.cells[-1]
    assert [s.place for s in chapter.behind(len(chapter.cells) - 1) if s not in own] == expected


def test_scopes_are_those_of_python():
    """Names that the functions of a cell look up outside are what `symtable` calls their globals."""
    compared = 0
    for path in CHAPTERS:
        for cell in nbformat.read(path, 4).cells:
            for s in statements(0, cell.source) if cell.cell_type == "code" else ():
                if not isinstance(s.node, (ast.FunctionDef, ast.ClassDef)):
                    continue
                table, found = symtable.symtable(s.text, "cell", "exec"), set()
                todo = list(table.get_children())
                while todo:
                    scope = todo.pop()
                    todo += scope.get_children()
                    if scope.get_type() == "function":
                        found |= {one.get_name() for one in scope.get_symbols() if one.is_global()}
                assert s.names.later | s.names.later_changes == found, s.text
                compared += 1
    assert compared > 250


def test_what_stands_as_it_should_does_not_run_again():
    chapter = Chapter(["a = 1", "b = a", "a = 2", "c = a + b"])
    a, b, again, c = chapter.statements
    assert due([c], {}) == [a, b, again, c]
    assert due([c], {"a": again.key, "b": b.key}) == [c]
    assert due([b], {"a": again.key, "b": b.key}) == [a, b]
    assert due([c], {"a": a.key, "b": b.key}) == [again, c]
    f, a, c = (chapter := Chapter(["f = lambda: a", "a = 1", "f()"])).statements
    assert due([c], {"a": a.key}) == chapter.statements  # the first is defined where there is no `a`


def test_a_key_changes_with_the_text_of_what_is_needed():
    cells = ["a = 1", "b = 2", "print(a)", "x = [1]", "x.append(a)", "x"]
    keys = [Chapter(cells).key(i) for i in range(6)]
    for edited, changed in ((0, {0, 2, 4, 5}), (1, {1}), (4, {4, 5}), (5, {5})):
        texts = [text + "  # edited" if i == edited else text for i, text in enumerate(cells)]
        texts[edited] = cells[edited].replace("1", "3").replace("2", "3") if edited < 2 else texts[edited]
        texts[edited] = "x.append(2)" if edited == 4 else "x * 2" if edited == 5 else texts[edited]
        now = Chapter(texts)
        assert {i for i in range(6) if now.key(i) != keys[i]} == changed


def test_a_cell_that_is_no_python_still_binds_what_it_did():
    chapter = Chapter(["a = ", "b = 1", "a + b"], instead=["a = 1", "b = 1", "a + b"])
    assert [s.place for s in chapter.behind(2)] == [0, 1, 2]
    assert isinstance(chapter.statements[0].error, SyntaxError)


def test_what_modules_import():
    table = imports(ROOT / "fitlib")

    def packages(*names):
        return {name.split(".")[0] for name in reached(names, table)} & {
            "numpy",
            "sympy",
            "matplotlib",
            "tqdm",
        }

    assert packages("fitlib.exercises.check") == {"numpy"}
    assert packages("fitlib.figures.Descent") == {"numpy", "sympy"}
    assert packages("fitlib.losses.quadratic") == {"numpy", "sympy"}  # once it is called
    assert packages("fitlib.plots") == {"numpy", "matplotlib"}
