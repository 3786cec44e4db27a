"""The mistakes people make, as single edits of a function's syntax tree.

An answer that equals the edited reference is explained by the edit; an edit that makes the answer right explains
it as well, read backwards. The idea is that of Singh, Gulwani and Solar-Lezama (*Automated feedback generation for
introductory programming assignments*, PLDI 2013): a reference and an error model, a set of local corrections;
simple ones corrected 65 % of the wrong programs of beginners there.
"""

import ast
import re
from typing import NamedTuple

# The kinds, in the order in which they are thought of, with the question that each asks.
KINDS = {
    "left out": "Is something left out there: a factor, a term, an operation?",
    "extra": "Is there something too much: a factor, a term, an operation that does not belong there?",
    "weights": "How are the weights shared out: which part does the old value get, which the new one?",
    "old and new": "Which value is meant: the one from before this step, or the one just computed?",
    "name": "Is it the right quantity, or another one that looks alike?",
    "exchanged": "Are two things exchanged: two names, two sides of a difference or of a quotient?",
    "function": "Is it the right function? One of the same family does something else.",
    "power": "Is a root or a square missing or too much?",
    "number": "Is there a wrong number, such as a factor of two?",
    "sign": "Look at the signs: which one is turned round?",
    "place": "What do the parentheses hold: does something belong inside or outside?",
    "count": "Where does the counting start and end? Something may be off by one.",
    "operator": "Is it the right operation between the two?",
    "condition": "Look at the condition: its border, or its direction.",
    "order": "Look at the order of your lines: what is computed from what?",
    "handed on": "What is handed on to the next step? Compare it with what belongs there.",
    "start": "With which value does it start?",
}
BACKWARDS = {"left out": "extra", "extra": "left out"}
FAMILIES = [
    "mean sum median max min prod",
    "var std",
    "sqrt square abs log exp",
    "sin cos tan",
    "maximum minimum",
    "floor ceil round rint",
    "all any",
    "log log10 log2 log1p",
    "argmax argmin",
    "eigvalsh diag trace det norm",
    "ones zeros",
    "cumsum cumprod",
]
MOST = 900  # edits of one function


class Edit(NamedTuple):
    """A kind, what is changed (node -> new node, by the old one's id), and the line it is in."""

    kind: str
    old: tuple
    new: tuple
    pattern: str

    @property
    def line(self):
        return self.old[0].lineno


def put(tree, new):
    """`tree` with nodes replaced, those of `new` by the old ones' ids; what does not change is shared."""
    if id(tree) in new:
        return new[id(tree)]
    fields, changed = {}, False
    for name in tree._fields:
        value = getattr(tree, name, None)
        if isinstance(value, ast.AST):
            other = put(value, new)
        elif isinstance(value, list):
            other = [put(item, new) if isinstance(item, ast.AST) else item for item in value]
            other = [part for item in other for part in (item if isinstance(item, list) else [item])]
            other = value if len(other) == len(value) and all(map(lambda a, b: a is b, other, value)) else other
        else:
            other = value
        changed |= other is not value
        fields[name] = other
    if not changed:
        return tree
    return ast.copy_location(type(tree)(**fields), tree)


def apply(tree, edit):
    """The tree with an edit made."""
    for old, new in zip(edit.old, edit.new):
        ast.fix_missing_locations(ast.copy_location(new, old) if not hasattr(new, "lineno") else new)
    return put(tree, {id(old): new for old, new in zip(edit.old, edit.new)})


def number(value):
    return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))


def binary(left, op, right):
    return ast.BinOp(left, op, right)


def call(name, *args):
    return ast.Call(ast.Attribute(ast.Name("np", ast.Load()), name, ast.Load()), list(args), [])


def is_number(node, value=None):
    return (
        isinstance(node, ast.Constant)
        and type(node.value) in (int, float)
        and (value is None or node.value == value)
    )


def rest_of_one(node):
    """The `x` of `1 - x`, or None."""
    fits = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and is_number(node.left, 1)
    return node.right if fits else None


def same(a, b):
    return ast.dump(a) == ast.dump(b)


def edits(tree, sorts):
    """The edits of a function: `sorts` tells of each name what it is at run time, so that like stands for like."""
    body = tree.body if isinstance(tree.body, list) else [tree.body]
    body = [line for line in body if line.lineno and not isinstance(line, ast.Raise)]
    every = [*names(tree, body, sorts), *expressions(body, sorts), *lines(tree, body)]
    every = every[:MOST]
    known, unique = set(), []
    for edit in every:
        key = tuple((id(old), ast.dump(new)) for old, new in zip(edit.old, edit.new))
        if key not in known:
            known.add(key)
            unique.append(edit)
    return unique + everywhere(unique)


def everywhere(singles):
    """The same edit at every place where it can be made counts as one."""
    groups, together = {}, []
    for edit in singles:
        if len(edit.old) == 1 and edit.pattern:
            groups.setdefault((edit.kind, edit.pattern), []).append(edit)
    for (kind, _), group in groups.items():
        nodes = [{id(n) for n in ast.walk(edit.old[0])} for edit in group]
        apart = all(not (a & b) for i, a in enumerate(nodes) for b in nodes[:i])
        if 2 <= len(group) <= 3 and apart:
            old, new = (sum((getattr(edit, side) for edit in group), ()) for side in ("old", "new"))
            together.append(Edit(kind, old, new, ""))
    return together


def one(kind, old, new, alike=frozenset()):
    """An edit of one node; its pattern has the names in `alike` blotted out."""
    text = f"{ast.unparse(old)} -> {ast.unparse(new)}" if alike else ""
    return Edit(kind, (old,), (new,), re.sub(r"\b\w+\b", lambda word: "#" if word[0] in alike else word[0], text))


# --- names -----------------------------------------------------------------------------------------


def names(tree, body, sorts):
    """Another name of the same sort; two names exchanged, everywhere or in a line; weights; old and new."""
    alike = {name for name, sort in sorts.items() if sort == ()}
    loads = [n for n in ast.walk(ast.Module(body, [])) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    loads = [n for n in loads if n.id in sorts]
    passed = set()
    for item in [n for n in ast.walk(tree) if isinstance(n, ast.Return) and isinstance(n.value, ast.Tuple)]:
        passed |= {id(element) for element in item.value.elts[1:]}
    for node in loads:
        for other, sort in sorts.items():
            if other == node.id or sort != sorts[node.id]:
                continue
            kind = "name"
            if id(node) in passed:
                kind = "handed on"
            elif other.strip("_") == node.id.strip("_") or other.startswith("old_" + node.id):
                kind = "old and new"
            yield one(kind, node, ast.Name(other, ast.Load()), alike)
    groups = [(None, loads)]
    for line in body:
        inside = {id(n) for n in ast.walk(line)}
        groups.append((line, [n for n in loads if id(n) in inside]))
    for _, group in groups:
        present = sorted({n.id for n in group})
        for i, a in enumerate(present):
            for b in present[:i]:
                if sorts[a] == sorts[b] and not callable(sorts[a]):
                    nodes = tuple(n for n in group if n.id in (a, b))
                    new = tuple(ast.Name(b if n.id == a else a, ast.Load()) for n in nodes)
                    yield Edit("exchanged", nodes, new, "")
    yield from weights(body, loads, alike)


def weights(body, loads, alike):
    """`x` for `1 - x` and the reverse; both exchanged within a statement."""
    rests = [n for n in ast.walk(ast.Module(body, [])) if rest_of_one(n) is not None]
    inner = {id(n) for rest in rests for n in ast.walk(rest)}
    for rest in rests:
        yield one("weights", rest, rest_of_one(rest), alike)
        yield one("sign", rest, binary(rest.left, ast.Add(), rest.right), alike)
    for node in loads:
        if node.id in alike and id(node) not in inner:
            yield one("weights", node, binary(ast.Constant(1), ast.Sub(), node), alike)
    for line in body:
        inside = [n for n in ast.walk(line)]
        for rest in (n for n in inside if rest_of_one(n) is not None):
            x = rest_of_one(rest)
            plain = [n for n in inside if same(n, x) and id(n) not in inner] if isinstance(x, ast.Name) else []
            for node in plain:
                yield Edit("weights", (rest, node), (x, binary(ast.Constant(1), ast.Sub(), node)), "")


# --- expressions -----------------------------------------------------------------------------------


def expressions(body, sorts):
    """Edits of operations, numbers, calls, comparisons."""
    alike = {name for name, sort in sorts.items() if sort == ()}
    for line in body:
        holders = {id(child): node for node in ast.walk(line) for child in ast.iter_child_nodes(node)}
        counted = [n for n in ast.walk(line) if isinstance(n, (ast.Call, ast.Raise)) and is_count(n)]
        skip = {id(n) for call in counted for n in ast.walk(call) if n is not call}
        for node in ast.walk(line):
            for kind, new in changed(node) if id(node) not in skip else ():
                yield one(role(node, holders.get(id(node)), kind), node, new, alike)


def is_count(node):
    """`len(...)`, whose argument's values play no part, and what is raised."""
    return isinstance(node, ast.Raise) or getattr(node.func, "id", "") == "len"


def role(node, holder, kind):
    """What kind another number is, by where it stands."""
    if not is_number(node) or kind not in ("count", "number"):
        return kind
    if isinstance(holder, ast.BinOp):
        roles = {ast.Pow: "power", ast.Mult: "number", ast.Div: "number"}
        return roles.get(type(holder.op), "count" if isinstance(node.value, int) else "number")
    return "condition" if isinstance(holder, ast.Compare) else kind


def changed(node):
    """What a node can be mistaken for: `(kind, new node)`."""
    if isinstance(node, ast.BinOp):
        yield from operations(node)
        yield from moved(node)
    elif isinstance(node, ast.Call):
        yield from calls(node)
    elif is_number(node):
        yield from numbers(node)
    elif isinstance(node, ast.Compare):
        yield from comparisons(node)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "condition", ast.BoolOp(other, node.values)
        for i in range(len(node.values)):
            rest = node.values[:i] + node.values[i + 1 :]
            yield "left out", ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]
    elif isinstance(node, ast.UnaryOp):
        yield "sign" if isinstance(node.op, ast.USub) else "condition", node.operand
    elif isinstance(node, ast.IfExp):
        yield "left out", node.body
        yield "left out", node.orelse
        yield "exchanged", ast.IfExp(node.test, node.orelse, node.body)
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield "left out", node.value
        if is_number(node.slice):
            i = node.slice.value
            for other in {0: (1, -1), 1: (0, 2), -1: (0,)}.get(i, (i - 1, i + 1)):
                yield "count", ast.Subscript(node.value, number(other), ast.Load())
    elif isinstance(node, ast.Attribute) and node.attr in ("T", "size", "shape"):
        yield "left out", node.value
    elif isinstance(node, (ast.Tuple, ast.List)) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        for i in range(1, len(node.elts)):
            elts = list(node.elts)
            elts[0], elts[i] = elts[i], elts[0]
            yield "exchanged", type(node)(elts, ast.Load())
    if isinstance(node, (ast.Name, ast.Subscript)) and isinstance(node.ctx, ast.Load) or isinstance(node, ast.Call):
        yield "power", binary(node, ast.Pow(), ast.Constant(2))
        yield "power", call("sqrt", node)
        yield "function", call("abs", node)
        yield "sign", ast.UnaryOp(ast.USub(), node)
        yield "number", binary(ast.Constant(2), ast.Mult(), node)
        yield "number", binary(node, ast.Div(), ast.Constant(2))
        yield "count", binary(node, ast.Add(), ast.Constant(1))
        yield "count", binary(node, ast.Sub(), ast.Constant(1))


def operations(node):
    """A side left out, another operator, the sides exchanged."""
    a, op, b = node.left, node.op, node.right
    if rest_of_one(node) is None:
        yield "left out", a
    if isinstance(op, ast.Sub):
        yield "left out", ast.UnaryOp(ast.USub(), b)
        yield "sign", binary(a, ast.Add(), b)
        yield "exchanged", binary(b, op, a)
        yield "operator", binary(a, ast.Mult(), b)
        yield "operator", binary(a, ast.Div(), b)
    elif isinstance(op, ast.Add):
        yield "left out", b
        yield "sign", binary(a, ast.Sub(), b)
        yield "sign", binary(b, ast.Sub(), a)
        yield "operator", binary(a, ast.Mult(), b)
    elif isinstance(op, ast.Mult):
        yield "left out", b
        yield "operator", binary(a, ast.Div(), b)
        yield "operator", binary(b, ast.Div(), a)
        yield "operator", binary(a, ast.Add(), b)
        yield "operator", binary(a, ast.Pow(), b)
    elif isinstance(op, (ast.Div, ast.FloorDiv)):
        if not is_number(a, 1):
            yield "left out", binary(ast.Constant(1), ast.Div(), b)
        yield "operator", binary(a, ast.Mult(), b)
        yield "operator", binary(a, ast.Sub(), b)
        yield "exchanged", binary(b, op, a)
    elif isinstance(op, ast.Pow):
        yield "operator", binary(a, ast.Mult(), b)
        yield "exchanged", binary(b, op, a)
        if is_number(b, 2):
            yield "function", call("abs", a)
            yield "power", binary(a, ast.Pow(), ast.Constant(4))
        else:
            yield "left out", b
    elif isinstance(op, ast.MatMult):
        yield "left out", b
        yield "operator", binary(a, ast.Mult(), b)
        if not same(a, b):
            yield "exchanged", binary(b, op, a)


def moved(node):
    """Parentheses elsewhere, and a call that holds more or less."""
    a, op, b = node.left, node.op, node.right
    if isinstance(a, ast.BinOp) and not free(a.op, op):
        yield "place", binary(a.left, a.op, binary(a.right, op, b))
    if isinstance(b, ast.BinOp) and not free(op, b.op):
        yield "place", binary(binary(a, op, b.left), b.op, b.right)
    for f, rest, first in [(a, b, True), (b, a, False)]:
        if isinstance(f, ast.Call) and len(f.args) >= 1 and not (is_number(rest) and isinstance(op, ast.Mult)):
            inner = binary(f.args[0], op, rest) if first else binary(rest, op, f.args[0])
            yield "place", ast.Call(f.func, [inner, *f.args[1:]], f.keywords)


def free(first, second):
    """Whether parentheses make no difference in `a first b second c`."""
    if isinstance(first, ast.Mult):
        return isinstance(second, (ast.Mult, ast.Div))
    if isinstance(first, ast.Add):
        return isinstance(second, (ast.Add, ast.Sub))
    return isinstance(first, ast.MatMult) and isinstance(second, ast.MatMult)


def calls(node):
    """Another function of the family, none at all, other arguments, an operation moved out of the call."""
    func, args = node.func, node.args
    method = isinstance(func, ast.Attribute) and not root_is_module(func)
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    if method and not args:
        yield "left out", func.value
    elif args and name not in ("range", "enumerate", "zip", "len"):
        yield "left out", args[0]
    for family in FAMILIES:
        if name in family.split():
            for other in family.split():
                if other != name and isinstance(func, ast.Attribute) and not (method and other in ("median", "abs")):
                    base = func.value
                    if name in ("eigvalsh", "det", "norm") or other in ("eigvalsh", "det", "norm"):
                        base = ast.Name("np", ast.Load())
                        if other in ("eigvalsh", "det", "norm"):
                            base = ast.Attribute(base, "linalg", ast.Load())
                    yield "function", ast.Call(ast.Attribute(base, other, ast.Load()), args, node.keywords)
    for i, keyword in enumerate(node.keywords):
        rest = node.keywords[:i] + node.keywords[i + 1 :]
        yield "left out", ast.Call(func, args, rest)
        if is_number(keyword.value) and keyword.value.value in (0, 1):
            flipped = ast.keyword(keyword.arg, ast.Constant(1 - keyword.value.value))
            yield "count", ast.Call(func, args, [*rest, flipped])
    if name == "solve":
        yield "operator", binary(args[0], ast.MatMult(), args[1])
    if len(args) == 2 and name not in ("range", "enumerate", "max", "min", "maximum", "minimum", "outer"):
        yield "exchanged", ast.Call(func, args[::-1], node.keywords)
    if args and isinstance(args[0], ast.BinOp) and name not in ("range", "enumerate", "grad", "loss"):
        inner = args[0]
        yield "place", binary(ast.Call(func, [inner.left, *args[1:]], node.keywords), inner.op, inner.right)
        yield "place", binary(inner.left, inner.op, ast.Call(func, [inner.right, *args[1:]], node.keywords))
    if name == "enumerate":
        start = args[1].value if len(args) == 2 and is_number(args[1]) else 0
        yield "count", ast.Call(func, [args[0], ast.Constant(1 - start if start in (0, 1) else 0)], [])
    if name == "range":
        for i, arg in enumerate(args):
            for op in (ast.Add(), ast.Sub()):
                more = binary(arg, op, ast.Constant(1))
                yield "count", ast.Call(func, [*args[:i], more, *args[i + 1 :]], [])


def root_is_module(node):
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in ("np", "numpy", "math")


def numbers(node):
    """One more or less, twice or half, the other sign, a root of an exponent."""
    value = node.value
    yield "count", number(value + 1)
    yield "count", number(value - 1)
    if value:
        yield "number", number(2 * value)
        yield "number", number(value / 2)
    if value not in (0, 1):
        yield "sign", number(-value)
    if value == 1:
        yield "number", number(0.5)
    if value == 0.5:
        yield "number", number(1)
    if value == 2:
        yield "power", number(0.5)
    if value == 0:
        yield "sign", number(-1)


def comparisons(node):
    """The border in or out; the other direction; one of two left out."""
    border = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq}
    turned = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.NotEq: ast.Eq}
    for table in (border, turned):
        for i, op in enumerate(node.ops):
            if type(op) in table:
                ops = [*node.ops[:i], table[type(op)](), *node.ops[i + 1 :]]
                yield "condition", ast.Compare(node.left, ops, node.comparators)
    if len(node.ops) == 2:
        first, second = node.comparators
        yield "left out", ast.Compare(node.left, node.ops[:1], [first])
        yield "left out", ast.Compare(first, node.ops[1:], [second])


# --- lines -----------------------------------------------------------------------------------------


def stored(line):
    return {n.id for n in ast.walk(line) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def loaded(line):
    """The names that a line uses; of `m += 1` as well `m`."""
    extra = stored(line) if isinstance(line, ast.AugAssign) else set()
    return extra | {n.id for n in ast.walk(line) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def lines(tree, body):
    """Two neighboring lines exchanged, a line left out, another start of a loop, a branch left out."""
    blocks = [n.body for n in ast.walk(tree) if isinstance(getattr(n, "body", None), list)]
    for block in blocks:
        plain = [n for n in block if isinstance(n, (ast.Assign, ast.AugAssign, ast.Expr)) and n.lineno]
        for a, b in zip(block, block[1:]):
            if a in plain and b in plain and stored(a) & loaded(b) | stored(b) & loaded(a):
                yield Edit("order", (a, b), (b, a), "")
        for line in plain:
            if not isinstance(line, ast.Expr) and len(block) > 1:
                yield Edit("left out", (line,), (ast.Pass(),), "")
        for i, line in enumerate(block):
            after = block[i + 1 :]
            loop = next((n for n in after if isinstance(n, ast.For)), None)
            if isinstance(line, ast.Assign) and is_number(line.value, 0) and loop:
                over = loop.iter.args[0] if isinstance(loop.iter, ast.Call) and loop.iter.args else loop.iter
                first = ast.Subscript(over, ast.Constant(0), ast.Load())
                yield Edit("start", (line.value,), (first,), "")
            if isinstance(line, ast.If):
                yield Edit("condition", (line.test,), (ast.UnaryOp(ast.Not(), line.test),), "")
                if not line.orelse and after:
                    yield Edit("left out", (line,), (ast.Pass(),), "")
