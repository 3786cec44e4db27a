"""Where an answer goes wrong: the smallest part of it which, given a value of the reference, makes all right.

Every part of the reader's source is wrapped so that its value can be seen and replaced. Then values that occur
in the reference, for the same arguments, are put in the place of a part, one after the other. If all outputs of
all calls become right, another value there is enough. That is evidence for the place and not proof. A whole
output can always be replaced: it is no place, and comes last.
"""

import ast
import inspect
import textwrap
from contextlib import redirect_stderr, redirect_stdout
from functools import cached_property
from typing import NamedTuple

import numpy as np

from fitlib.exercises.guard import Endless, Lines
from fitlib.exercises.results import close, outputs

LIMIT = 20_000  # parts that are evaluated in one call; a loop that never ends has more
FAILED = (Exception, Endless, SystemExit)
TRIALS = 6_000  # values that are put into parts in one search


class Part(NamedTuple):
    """A part of a function's source."""

    node: ast.AST
    size: int
    line: int  # counted from the function's first
    whole: bool  # a whole output


def source(function):
    """The syntax tree of a function (`FunctionDef` or `Lambda`) and its lines; None where there is no source."""
    try:
        text = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(text)
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    name = getattr(function, "__name__", "")
    wanted = ast.Lambda if name == "<lambda>" else ast.FunctionDef
    found = [n for n in ast.walk(tree) if isinstance(n, wanted) and getattr(n, "name", name) == name]
    if len(found) != 1 and wanted is ast.Lambda or not found or getattr(function, "__wrapped__", None):
        return None
    return found[0], text.splitlines()


def scope(function):
    """The names that the code of a function sees."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or ())
    return {**function.__globals__, **{name: cell.cell_contents for name, cell in cells}}


def build(tree, names):
    """The function that a syntax tree is."""
    names = dict(names)
    if isinstance(tree, ast.Lambda):
        return eval(compile(ast.Expression(tree), "<checked>", "eval"), names)
    exec(compile(ast.Module([tree], []), "<checked>", "exec"), names)
    return names[tree.name]


def returned(tree):
    """The expressions a function returns, output by output, by their ids; names are followed to their lines."""
    exits = [tree.body] if isinstance(tree, ast.Lambda) else []
    exits += [n.value for n in ast.walk(tree) if isinstance(n, ast.Return) and n.value]
    exits += [n.body for n in ast.walk(tree) if isinstance(n, ast.Lambda) and n is not tree]
    whole = set()
    for node in exits:
        call = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("array") and node.args
        inner = node.args[0] if call else node
        for item in [node, inner, *(inner.elts if isinstance(inner, (ast.Tuple, ast.List)) else [])]:
            whole.add(id(item))
            if isinstance(item, ast.Name):
                whole |= {id(n.value) for n in ast.walk(tree) if assigns(n, item.id)}
    return whole


def assigns(node, name):
    """Whether a statement gives `name` a new value."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return isinstance(node, (ast.Assign, ast.AugAssign, ast.NamedExpr)) and any(
        isinstance(target, ast.Name) and target.id == name for target in targets
    )


class Wrap(ast.NodeTransformer):
    """Wraps every part in a call of the probe."""

    def __init__(self, tree):
        self.parts, self.first, self.whole = [], getattr(tree, "lineno", 1), returned(tree)

    def visit(self, node):
        if isinstance(node, (ast.JoinedStr, ast.arguments, ast.Slice, ast.Starred, ast.Tuple, ast.List)):
            return self.generic_visit(node) if not isinstance(node, (ast.JoinedStr, ast.arguments)) else node
        if not isinstance(node, ast.expr) or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return self.generic_visit(node)
        if isinstance(node, ast.Lambda):
            return self.generic_visit(node)
        size = sum(isinstance(n, ast.expr) for n in ast.walk(node))
        new = self.call(node) if isinstance(node, ast.Call) else node
        new = self.generic_visit(new) if not isinstance(node, (ast.Call, ast.Name, ast.Constant)) else new
        self.parts.append(Part(node, size, node.lineno - self.first + 1, id(node) in self.whole))
        wrapped = ast.Call(ast.Name("__part", ast.Load()), [ast.Constant(len(self.parts) - 1), new], [])
        return ast.fix_missing_locations(ast.copy_location(wrapped, node))

    def call(self, node):
        """A call with its arguments wrapped, and its function only where that is `x.mean` of an `x`."""
        args, keywords = list(map(self.visit, node.args)), node.keywords
        func = node.func
        root = func
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(func, ast.Attribute) and not (isinstance(root, ast.Name) and root.id in ("np", "math")):
            func = ast.Attribute(self.visit(func.value), func.attr, ast.Load())
        return ast.copy_location(ast.Call(func, args, keywords), node)

    def visit_all(self, tree):
        if isinstance(tree, ast.Lambda):
            return ast.copy_location(ast.Lambda(tree.args, self.visit(tree.body)), tree)
        new = ast.FunctionDef(
            tree.name, tree.args, [], [], None, type_params=[], lineno=tree.lineno, col_offset=0
        )
        new.body = list(map(self.visit, tree.body))
        return ast.fix_missing_locations(new)


class Probe:
    """A function whose parts can be seen and replaced: `probe(call, {part: values})` gives its outputs."""

    def __init__(self, tree, names, rename=lambda args, hyper: hyper):
        # The tree itself stays as it is: what is wrapped is a copy.
        copy = ast.parse(ast.unparse(tree)).body[0]
        copy = copy.value if isinstance(tree, ast.Lambda) else copy
        originals = [n for n in ast.walk(tree) if isinstance(n, ast.expr)]
        twins = dict(zip([id(n) for n in ast.walk(copy) if isinstance(n, ast.expr)], originals))
        wrap = Wrap(copy)
        wrapped = wrap.visit_all(copy)
        first = getattr(tree, "lineno", 1)
        self.tree, self.names, self.rename = tree, names, rename
        self.seen, self.put, self.left = {}, {}, 0
        self.parts = [
            p._replace(node=twins[id(p.node)], line=twins[id(p.node)].lineno - first + 1) for p in wrap.parts
        ]
        self.function = build(wrapped, {**names, "__part": self.part})

    @cached_property
    def named(self):
        """The parts that are given a name, and the calls of functions that were passed in."""
        given = {id(n.value) for n in ast.walk(self.tree) if isinstance(n, ast.Assign)}
        return {
            k
            for k, part in enumerate(self.parts)
            if id(part.node) in given
            or isinstance(part.node, ast.Call)
            and isinstance(part.node.func, ast.Name)
            and part.node.func.id not in self.names
        }

    def part(self, k, value):
        self.left -= 1
        if self.left < 0:
            raise Endless
        passes = self.seen.get(k)
        if passes is None:
            passes = self.seen[k] = []
        passes.append(value)
        if k not in self.put:
            return value
        values = self.put[k]
        value = values[min(len(passes), len(values)) - 1]
        return value.copy() if isinstance(value, np.ndarray) else value

    def __call__(self, call, put=None):
        self.seen, self.put, self.left = {}, put or {}, LIMIT
        args = [item.copy() if isinstance(item, np.ndarray) else item for item in call.args]
        result = self.function(*args, **self.rename(call.args, call.hyper))
        return outputs(result(*call.inner) if call.inner is not None else result, call.count)


def sort_of(value):
    """What can be put in the place of what."""
    if isinstance(value, (bool, np.bool_)):
        return "truth"
    if isinstance(value, (int, float, np.number)):
        return ()
    if isinstance(value, np.ndarray):
        return value.shape if value.dtype.kind in "iuf" else f"{value.dtype.kind}{value.shape}"
    return type(value)


class Place(NamedTuple):
    """A part, and what its value is (passes by call) and could be."""

    part: Part
    quantity: tuple  # (form, part of the reference)
    yours: list
    right: list


def search(probe, references, calls, wrong, fixed, fine):
    """The parts that make the outputs `wrong` right, the best first: `(part index, quantity)`.

    `references` are probes of the reference's forms; `fixed` are replacements made before: part -> quantity; the
    lines in `fine` come last.
    """
    first, trials, found = calls[0], TRIALS, []
    values = quantities(references, first)
    try:
        probe(first, {k: values[q] for k, q in fixed.items()})
    except FAILED:
        return []
    seen = {k: list(passes) for k, passes in probe.seen.items()}
    order = sorted(
        seen, key=lambda k: (probe.parts[k].whole, probe.parts[k].line in fine, probe.parts[k].size, k)
    )
    distinct = {}
    for q, passes in values.items():
        sort = sort_of(passes[0])
        key = repr([id(v) if isinstance(sort, type) else np.asarray(v).tolist() for v in passes])
        distinct.setdefault((key, sort), q)
    for k in order:
        sort = sort_of(seen[k][0])
        for (_, other), q in distinct.items():
            if other != sort and not (sort == () and isinstance(other, tuple)):
                continue
            if len(values[q]) not in (1, len(seen[k])):
                continue
            trials -= 1
            if trials < 0:
                return found
            if makes_right(probe, first, {**fixed, k: q}, values, wrong) and all(
                makes_right(probe, call, {**fixed, k: q}, quantities(references, call), wrong)
                for call in calls[1:]
            ):
                found.append((k, q))
    return found


def sound(probe, others, calls):
    """The lines that give a variable a value which has a name in the other functions, too: they are taken as right."""
    rights = {id(n.value): n.lineno for n in ast.walk(probe.tree) if isinstance(n, ast.Assign)}
    lines = {k: part.line for k, part in enumerate(probe.parts) if id(part.node) in rights}
    named = {(form, k) for form, other in enumerate(others) for k in other.named}
    for call in calls[:3]:
        try:
            values = quantities(others, call)
            right = [q for key in values if key in named for q in values[key]]
            right = [np.asarray(q) for q in right if isinstance(sort_of(q), tuple)]
            probe(call)
        except FAILED:
            return set()
        for k in list(lines):
            mine = [np.asarray(v) for v in probe.seen.get(k, [None]) if isinstance(sort_of(v), tuple)]
            if not mine or not all(any(close(v, q) for q in right) for v in mine):
                del lines[k]
    return set(lines.values())


def makes_right(probe, call, put, values, wrong):
    try:
        got = probe(call, {k: values[q] for k, q in put.items()})
        return len(got) == len(call.expected) and all(close(got[j], call.expected[j]) for j in wrong)
    except FAILED:
        return False


def quantities(references, call):
    """Every value in the reference for this call: (form, part) -> its value in each pass."""
    key = tuple(map(id, references))
    if key not in call.cache:
        values = {}
        for form, reference in enumerate(references):
            reference(call)
            values |= {(form, k): passes for k, passes in reference.seen.items()}
        call.cache[key] = values
    return call.cache[key]


def find(probe, references, calls, wrong):
    """One place for all outputs; else one for each wrong output, states first, then `phi` given right states.

    Returns the places, those that are more than a whole output alone where there are such, and the outputs that
    are right with other values there.
    """
    count = calls[0].count
    with redirect_stdout(Lines()), redirect_stderr(Lines()):
        fine = sound(probe, references, calls)
        best = choose(probe, search(probe, references, calls, range(count), {}, fine), fine)
        if best and not probe.parts[best[0]].whole or len(wrong) == 1:
            return pack(probe, references, calls, dict([best] if best else []), wrong)
        fixed, done = {}, [j for j in range(count) if j not in wrong]
        for j in [*[j for j in wrong if j > 0], *[j for j in wrong if j == 0]]:
            js = [*done, j]
            if all(makes_right(probe, call, fixed, quantities(references, call), js) for call in calls):
                done.append(j)
            elif one := choose(probe, search(probe, references, calls, js, fixed, fine), fine):
                fixed[one[0]] = one[1]
                done.append(j)
        proper = {k: q for k, q in fixed.items() if not probe.parts[k].whole}
        places, mended = pack(probe, references, calls, proper, wrong)
        return (places, mended) if mended else pack(probe, references, calls, fixed, wrong)


def choose(probe, found, fine):
    """The best of what was found: a part that uses a variable gives way to what defines the variable."""
    nodes = [probe.parts[k].node for k, _ in found]
    inside = {id(n) for node in nodes for n in ast.walk(node)}
    origins = {}
    for n in ast.walk(probe.tree):
        if line_of(probe, n) in fine:
            continue
        if isinstance(n, (ast.Assign, ast.AugAssign)) and any(id(m) in inside for m in ast.walk(n.value)):
            if any(within(node, n.value) for node in nodes):
                for target in ast.walk(n):
                    if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store):
                        origins[target.id] = n
    for k, q in found:
        node = probe.parts[k].node
        used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & origins.keys()
        if not any(origins[name].lineno < node.lineno for name in used):
            return k, q
    return found[0] if found else None


def line_of(probe, node):
    """The line of a node, counted from the function's first."""
    return getattr(node, "lineno", 0) - getattr(probe.tree, "lineno", 1) + 1


def within(node, other):
    return any(n is node for n in ast.walk(other))


def pack(probe, references, calls, fixed, wrong):
    """Places with the values they have and could have in each call, and the outputs that these make right."""
    places = []
    mended = [
        j
        for j in wrong
        if fixed and all(makes_right(probe, call, fixed, quantities(references, call), [j]) for call in calls)
    ]
    for k, q in fixed.items():
        yours, right = [], []
        others = {part: value for part, value in fixed.items() if part != k}
        for call in calls:
            values = quantities(references, call)
            try:
                probe(call, {part: values[other] for part, other in others.items()})
            except FAILED:
                break
            yours.append(probe.seen.get(k, [])[-1:])
            right.append(values[q][-1:])
        places.append(Place(probe.parts[k], q, yours, right))
    return places, mended


def compared(probe, references, calls, found):
    """A kind of mistake, by the values that the reader's part and the reference's are made of."""
    kinds = {contents(probe, references, call, found) for call in calls[:3]}
    return kinds.pop() if len(kinds) == 1 else ""


def contents(probe, references, call, found):
    """`compared` for one call: does one hold the value of the other, or do both hold factors or terms alike?"""
    form, k = found.quantity
    other = references[form]
    try:
        probe(call), other(call)
    except FAILED:
        return ""
    mine, theirs = ({id(f.parts[i].node): v[-1] for i, v in f.seen.items()} for f in (probe, other))
    a, b = found.part.node, other.parts[k].node
    if id(a) not in mine or id(b) not in theirs:
        return ""
    if any(equal(mine[id(a)], theirs[id(n)]) for n in holds(other.tree, b) if id(n) in theirs and n is not b):
        return "left out"
    if any(equal(theirs[id(b)], mine[id(n)]) for n in ast.walk(a) if id(n) in mine and n is not a):
        return "extra"
    for ops in [(ast.Mult, ast.Div), (ast.Add, ast.Sub)]:
        x, y = chain(a, ops, mine), chain(b, ops, theirs)
        more = [v for v in x if not any(same_item(v, w) for w in y)]
        less = [w for w in y if not any(same_item(v, w) for v in x)]
        if len(more) < len(x) and (more or less):
            flipped = [v for v in more if any(equal(v[1], w[1]) for w in less)]
            return "operator" if flipped else "left out" if not more else "extra" if not less else "name"
    return ""


def equal(x, y):
    """Equal numbers of equal shape."""
    return isinstance(sort_of(x), tuple) and sort_of(x) == sort_of(y) and close(np.asarray(x), np.asarray(y))


def same_item(v, w):
    return v[0] == w[0] and equal(v[1], w[1])


def holds(tree, node, depth=0):
    """The parts of an expression, and those of the lines that define its variables."""
    for n in ast.walk(node):
        yield n
        if isinstance(n, ast.Name) and depth < 4:
            lines = [line for line in ast.walk(tree) if assigns(line, n.id) and line.lineno < n.lineno]
            if lines:
                yield from holds(tree, lines[-1].value, depth + 1)


def chain(node, ops, values):
    """The factors of a product, or the terms of a sum, with whether they divide or are subtracted."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ops):
        turned = isinstance(node.op, ops[1])
        return chain(node.left, ops, values) + [(t != turned, v) for t, v in chain(node.right, ops, values)]
    return [(False, values[id(node)])] if id(node) in values else []


def first_bad(probe, calls):
    """The first part whose value is not finite though the values it is made of are; or None."""
    with redirect_stdout(Lines()), redirect_stderr(Lines()):
        for call in calls:
            try:
                probe(call)
            except FAILED:
                return None
            for k in sorted(probe.seen):
                if any(isinstance(sort_of(v), tuple) and not np.all(np.isfinite(v)) for v in probe.seen[k]):
                    return probe.parts[k]
    return None
