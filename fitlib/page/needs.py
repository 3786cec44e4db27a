"""What a cell needs, from the text of the cells: its statements, the names they read, bind and change.

A statement that binds or changes a name is what later readers of the name need. A function is an exception: the
names of its body are looked up when it is called, so they are needs of whoever reads the function, or a value
made with it. What cannot be decided (`exec`, `import *`) reads and changes everything.
"""

import ast
import hashlib
from dataclasses import dataclass, field
from functools import cache

# Methods that change their object even where their value is used, and functions that change their first argument.
CHANGING = set(
    "add append appendleft clear discard extend fill insert itemset partition pop popitem popleft put remove "
    "resize reverse seed send setdefault setflags shuffle sort update write".split()
)
FILLING = set(
    "copyto delattr fill_diagonal heapify heappop heappush insort next putmask setattr shuffle".split()
)
METHODS_FILLING = FILLING | {"at", "place", "put"}  # np.add.at
# Functions of a module that change it; others, such as plt.show and np.sort, do not.
SETTING = set("filterwarnings rc seed seterr set_printoptions simplefilter update use".split())
# What these return is used up by reading it: whoever reads it changes it.
CONSUMED = set("RandomState count cycle default_rng enumerate filter iter map open reversed zip".split())
ANY = "*"  # stands for every name once a statement binds what cannot be known
UNKNOWN = {"eval", "exec", "get_ipython", "globals", "locals", "vars"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Names(ast.NodeVisitor):
    """What one statement does with the names of the notebook, each a set of names.

    - `reads`: when it runs; `binds`: surely; `may_bind`: in a branch; `changes`: their objects.
    - `later`, `later_changes`: read, bound or changed by its functions when they are called.
    - `called`: objects of which a method is called that changes them, name -> methods.
    - `passed`: function -> names it is given; `fills`: functions that change an argument; `yields`: generators;
      `made`: name -> function whose result it is.
    - `shares`: pairs of names that may hold the same object; `consumed`: bound to what reading uses up.
    - `modules`: bound by import. `unknown`: it does what cannot be decided.
    """

    def __init__(self, node):
        self.reads, self.binds, self.may_bind, self.changes = set(), set(), set(), set()
        self.later, self.later_changes, self.fills, self.yields = set(), set(), set(), set()
        self.called, self.passed, self.made = {}, {}, {}
        self.shares, self.consumed, self.modules, self.unknown = set(), set(), set(), False
        self._scopes, self._deferred = [], []  # names of the scopes around; the functions around
        self.visit(node)
        self.may_bind -= self.binds

    # --- names

    def _local(self, name):
        return any(name in names for _, names in self._scopes)

    def _read(self, name):
        if name in UNKNOWN:
            self.unknown = True
        if not self._local(name):
            if self._deferred:
                self.later.add(name)
            elif name not in self.binds:
                self.reads.add(name)

    def _bind(self, name):
        if self._scopes and self._scopes[-1][0] == "class":
            self._scopes[-1][1].add(name)
        elif not self._local(name):
            (self.later_changes if self._deferred else self.binds).add(name)

    def _change(self, node):
        """The object at the root of `node` is changed."""
        name = root(node)
        if name and self._local(name):
            for function, arguments in self._deferred:
                if name in arguments:
                    self.fills.add(function)
        elif name:
            (self.later_changes if self._deferred else self.changes).add(name)

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load):
            self._read(node.id)
        else:
            if isinstance(node.ctx, ast.Del):
                self._read(node.id)
            self._bind(node.id)

    def visit_Attribute(self, node):
        self._place(node)
        if ast.unparse(node.value) == "np.random" and node.attr.islower() and node.attr != "default_rng":
            self._change(node)  # NumPy's global generator

    def visit_Subscript(self, node):
        self._place(node)

    def _place(self, node):
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            self._change(node)

    # --- bindings

    def visit_Assign(self, node):
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)
            self._share(target, node.value)

    def visit_AnnAssign(self, node):
        self.visit(node.annotation)
        if node.value:
            self.visit(node.value)
            self.visit(node.target)
            self._share(node.target, node.value)

    def visit_AugAssign(self, node):
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self._read(node.target.id)
            self._change(node.target)  # in place for a list or an array
        self.visit(node.target)

    def visit_NamedExpr(self, node):
        self.visit(node.value)
        inner = self._scopes
        while self._scopes and self._scopes[-1][0] == "comprehension":
            self._scopes = self._scopes[:-1]
        self.visit(node.target)
        self._scopes = inner
        self._share(node.target, node.value)

    def visit_For(self, node):
        self.visit(node.iter)
        self.visit(node.target)
        self._share(ast.Tuple([node.target]), node.iter)
        self._all(node.body + node.orelse)

    visit_AsyncFor = visit_For

    def visit_withitem(self, node):
        self.visit(node.context_expr)
        if node.optional_vars:
            self.visit(node.optional_vars)
            self._share(node.optional_vars, node.context_expr)

    def visit_Import(self, node):
        for alias in node.names:
            name = alias.asname or alias.name.split(".")[0]
            self.unknown |= name == "*"
            if isinstance(node, ast.Import) and "." in alias.name and not (alias.asname or self._local(name)):
                self.may_bind.add(name)  # `import a.b` adds to `a`
            else:
                self._bind(name)
            if not self._scopes:
                self.modules.add(name)

    visit_ImportFrom = visit_Import

    def visit_ExceptHandler(self, node):
        if node.name:
            self._bind(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node):
        if node.name:
            self._bind(node.name)
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node):
        if node.rest:
            self._bind(node.rest)
        self.generic_visit(node)

    def _share(self, target, value):
        """Note what the names of `target` may have in common with those of `value`, and with each other."""
        if self._scopes:
            return
        if isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)):
            if len(target.elts) == len(value.elts):
                for pair in zip(target.elts, value.elts):
                    self._share(*pair)
                return
        names = stored(target) or {root(target)}
        self.shares |= {(name, other) for name in names for other in names | held(value)}
        if not isinstance(target, ast.Name):
            return  # the parts of what is consumed are not
        if consumed(value):
            self.consumed |= names
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            self.made |= dict.fromkeys(names, value.func.id)

    # --- branches: what only one of them binds is not surely bound

    def visit_If(self, node):
        self.visit(node.test)
        self._either(node.body, node.orelse)

    def visit_Match(self, node):
        self.visit(node.subject)
        self._either(*([case] for case in node.cases), [])

    def visit_Try(self, node):
        self._either(node.body + node.orelse, *([handler] for handler in node.handlers))
        self._all(node.finalbody)

    visit_TryStar = visit_Try

    def _either(self, *branches):
        before, bound = set(self.binds), []
        for branch in branches:
            self.binds = set(before)
            self._all(branch)
            bound.append(self.binds)
        self.binds = set.intersection(*bound)
        self.may_bind |= set.union(*bound)

    def _all(self, nodes):
        for node in nodes:
            self.visit(node)

    # --- scopes

    def visit_FunctionDef(self, node):
        arguments = node.args
        self._all(getattr(node, "decorator_list", []))
        self._all([*arguments.defaults, *filter(None, arguments.kw_defaults)])
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        named += filter(None, [arguments.vararg, arguments.kwarg])
        self._all([a.annotation for a in named if a.annotation])
        if getattr(node, "returns", None):
            self.visit(node.returns)
        name = getattr(node, "name", None)
        body = node.body if isinstance(node.body, list) else [node.body]
        inner = list(within(body))
        if name:
            self._bind(name)
            if any(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in inner):
                self.yields.add(name)
        names = {a.arg for a in named}
        local = names | bound(inner)
        before = self._scopes, self._deferred
        self._scopes = [scope for scope in self._scopes if scope[0] != "class"] + [("function", local)]
        self._deferred = [*self._deferred, (name, names)]
        self._all(body)
        self._scopes, self._deferred = before

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef

    def visit_ClassDef(self, node):
        self._all([*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)])
        self._scopes.append(("class", set()))
        self._all(node.body)
        self._scopes.pop()
        self._bind(node.name)

    def _comprehension(self, node):
        first, *others = node.generators
        self.visit(first.iter)
        self._scopes.append(("comprehension", set()))
        for generator in node.generators:
            self._scopes[-1][1].update(stored(generator.target))
        self._all([*first.ifs, *others])
        self._all([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        self._scopes.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = _comprehension

    def visit_GeneratorExp(self, node):
        self._comprehension(node)  # used at once, most often
        self._deferred = [*self._deferred, (None, set())]  # or later
        self._comprehension(node)
        self._deferred = self._deferred[:-1]

    def visit_comprehension(self, node):
        self._all([node.iter, *node.ifs])

    # --- calls

    def visit_Expr(self, node):
        if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
            self._call_on(node.value.func)
        self.visit(node.value)

    def _call_on(self, method):
        """A method changes its object."""
        name = root(method)
        if name and not self._deferred and not self._local(name):
            self.called.setdefault(name, set()).add(ast.unparse(method).partition(".")[2])
        else:
            self._change(method)

    def visit_Call(self, node):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
        if isinstance(node.func, ast.Attribute) and name in CHANGING:
            self._call_on(node.func)
        if name in (METHODS_FILLING if isinstance(node.func, ast.Attribute) else FILLING) and node.args:
            self._change(node.args[0])
        if isinstance(node.func, ast.Name) and not self._deferred:
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            self.passed.setdefault(name, set()).update(
                n for n in map(root, given) if n and not self._local(n)
            )
        self.generic_visit(node)


def stored(target):
    """The names that an assignment to `target` binds."""
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def sets(function):
    """Whether a function of a module, such as rcParams.update, changes the module."""
    path = function.split(".")
    return "(" not in function and path[-1] in (CHANGING | SETTING if len(path) > 1 else SETTING)


def root(node):
    """The name that `a.b[c].d(e).f` begins with, or None."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def held(value):
    """The names whose object the value of an expression may be, or contain, or be a part of."""
    if isinstance(value, (ast.Attribute, ast.Subscript, ast.Starred, ast.NamedExpr)):
        return held(value.value)
    if isinstance(value, ast.Call):
        return held(value.func) if isinstance(value.func, ast.Attribute) else set()
    if isinstance(value, ast.Name):
        return {value.id}
    parts = {
        ast.IfExp: lambda v: [v.body, v.orelse],
        ast.BoolOp: lambda v: v.values,
        ast.Dict: lambda v: v.values,
        ast.Tuple: lambda v: v.elts,
        ast.List: lambda v: v.elts,
        ast.Set: lambda v: v.elts,
    }.get(type(value), lambda v: [])
    return set().union(*map(held, parts(value)))


def consumed(value):
    """Whether reading the value of an expression may use it up."""
    if isinstance(value, ast.Call):
        function = value.func
        return (getattr(function, "attr", None) or getattr(function, "id", None)) in CONSUMED
    if isinstance(value, (ast.Tuple, ast.List)):
        return any(map(consumed, value.elts))
    if isinstance(value, (ast.Dict, ast.ListComp, ast.DictComp)):
        values = value.values if isinstance(value, ast.Dict) else [getattr(value, "elt", None) or value.value]
        return any(map(consumed, values))
    return isinstance(value, ast.GeneratorExp)


def within(nodes):
    """The nodes of a scope, without those of the scopes in it."""
    for node in nodes:
        yield node
        if isinstance(node, ast.comprehension):
            yield from within([node.iter, *node.ifs])
        elif not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            yield from within(ast.iter_child_nodes(node))


def bound(nodes):
    """The names that the nodes of a function's scope bind there."""
    names, elsewhere = set(), set()
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name.split(".")[0])
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            names.add(node.rest)
        elif isinstance(node, ast.Global):
            elsewhere.update(node.names)
    return names - elsewhere


# --- cells


@dataclass(eq=False)
class Statement:
    """A statement of a cell: where it stands, its text, and what it does.

    `inputs`: every name that must be as the statement `inputs[name]` left it (None: not bound) when this one runs;
    `touched`: the names it binds or changes; `key`: its text and the keys of its inputs, as one short text.
    """

    cell: int
    place: int
    node: ast.stmt
    text: str
    names: Names
    inputs: dict = field(default_factory=dict)
    touched: set = field(default_factory=set)
    key: str = ""
    error: Exception | None = None


def statements(cell, text):
    """The statements of a cell, imports one by one, without inputs. Raises `SyntaxError`."""
    return [Statement(cell, 0, *found) for found in parsed(text)]


@cache
def parsed(text):
    """The statements of a text: each its node, its own text and its names."""
    found = []
    for node in ast.parse(text).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)) and len(node.names) > 1:
            for alias in node.names:
                one = type(node)(**{**vars(node), "names": [alias]})
                found.append((one, ast.unparse(one), Names(one)))
        else:
            found.append((node, ast.get_source_segment(text, node), Names(node)))
    return found


class Chapter:
    """The statements of all cells, linked: `cells`, a list of statements per cell, or the `SyntaxError` it has.

    A cell that is no Python stands as one statement that binds and changes what its text `instead` would.
    """

    def __init__(self, texts, instead=()):
        self.texts, self.cells, self.statements = texts, [], []
        for index, text in enumerate(texts):
            try:
                found = list(statements(index, text))
            except (SyntaxError, ValueError) as error:
                found = [broken(index, text, instead[index] if instead else "", error)]
            self.cells.append(found)
            self.statements += found
        self._link()

    def _link(self):
        last, later, later_changes, shares = {}, {}, {}, {}
        modules, eaten, fills, yields = set(), set(), set(), set()
        for place, s in enumerate(self.statements):
            s.place, names = place, s.names
            known = last.keys() if names.unknown else set()
            at_once = names.later | names.later_changes if calls_its_functions(s.node) else set()
            read = closure(names.reads | names.changes | set(names.called) | known | at_once, later)
            changed = {n for r in read for n in later_changes.get(r, ())} | (read & eaten)
            changed |= names.later_changes & at_once
            changed |= {n for f in fills & names.passed.keys() for n in names.passed[f]}
            changed = changed - modules | names.changes | known
            changed |= {n for n, how in names.called.items() if n not in modules or any(map(sets, how))}
            pairs = {(a, b) for a, b in names.shares if not {a, b} & (modules | names.modules)}
            changed = closure(changed, joined(shares, pairs))
            s.touched = changed | names.binds | names.may_bind
            s.inputs = {name: last.get(name) for name in read | (s.touched - names.binds)}
            if ANY in last:  # what is bound nowhere comes from there, perhaps
                s.inputs = {name: source for name, source in s.inputs.items() if source} | {ANY: last[ANY]}
            if names.unknown:
                s.touched.add(ANY)
            text = "\0".join([s.text, *(f"{n} {p.key}" for n, p in sorted(s.inputs.items()) if p)])
            s.key = hashlib.sha1(text.encode()).hexdigest()[:12]
            looks = names.later.union(*(later.get(r, ()) for r in names.reads))
            effects = names.later_changes.union(*(later_changes.get(r, ()) for r in names.reads))
            for name in names.binds:
                for other in shares.pop(name, set()) - {name}:
                    shares[other].discard(name)
                for kind in (modules, eaten, fills, yields):
                    kind.discard(name)
            for name in s.touched:
                kept = name not in names.binds
                last[name] = s
                later[name] = looks | (later.get(name, set()) if kept else set())
                later_changes[name] = effects | (later_changes.get(name, set()) if kept else set())
            modules |= names.modules
            fills |= names.fills & s.touched
            yields |= names.yields
            eaten |= names.consumed | {n for n, f in names.made.items() if f in yields}
            shares = joined(shares, pairs)

    def key(self, index):
        """What the output of cell `index` comes from, as one short text."""
        return hashlib.sha1(" ".join(s.key for s in self.cells[index]).encode()).hexdigest()[:12]

    def behind(self, index):
        """All statements that cell `index` needs, and its own, in order."""
        found, todo = set(), list(self.cells[index])
        while todo:
            s = todo.pop()
            if s not in found:
                found.add(s)
                todo += filter(None, s.inputs.values())
        return sorted(found, key=lambda s: s.place)


def calls_its_functions(node):
    """Whether a statement may call the functions that are written in it, and not only define one."""
    return not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or node.decorator_list


def broken(index, text, instead, error):
    """The statement that stands for a cell that is no Python."""
    names = Names(ast.Pass())
    if instead != text:
        for s in statements(index, instead):
            names.binds |= s.names.binds | s.names.may_bind
            names.changes |= s.names.changes
    return Statement(index, 0, None, text, names, error=error)


def joined(shares, pairs):
    """`shares`, name -> names, with these pairs both ways."""
    both = {name: set(others) for name, others in shares.items()}
    for a, b in pairs:
        both.setdefault(a, set()).add(b)
        both.setdefault(b, set()).add(a)
    return both


def closure(names, leads):
    """The names and all that `leads`, name -> names, leads to from them."""
    found, todo = set(), list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += leads.get(name, ())
    return found


def due(own, state):
    """The statements to run, in order, so that `own` find what they read; `state` is name -> key, as things stand."""
    chosen = set(own)
    while True:
        now, missing = dict(state), set()
        for s in sorted(chosen, key=lambda s: s.place):
            for name, source in s.inputs.items():
                if source is None:
                    now.pop(name, None)
                elif now.get(name) != source.key:
                    missing.add(source)
            now.update(dict.fromkeys(s.touched, s.key))
        if missing <= chosen:
            return sorted(chosen, key=lambda s: s.place)
        chosen |= missing


# --- modules


def imports(folder):
    """What the modules of a package import: module -> (when it is imported, when its functions are called), names."""
    table = {}
    for file in sorted(folder.rglob("*.py")):
        module = ".".join(file.relative_to(folder.parent).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(file.read_text(encoding="utf-8"))
        now = imported(within(tree.body))
        table[module] = sorted(now), sorted(imported(ast.walk(tree)) - now)
    return table


def imported(nodes):
    """The modules that import statements among the nodes name, `from a import b` as a.b: b may be a module."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def reached(names, table):
    """All modules that importing `names` imports; of `names` themselves also what their functions import."""
    found = set()

    def follow(name, direct):
        while name not in table and name.rpartition(".")[0] in table:
            name = name.rpartition(".")[0]  # a name in a module
        parent = name.rpartition(".")[0]
        if parent:
            follow(parent, False)
        if (name, direct) not in found:
            found.add((name, direct))
            now, later = table.get(name, ((), ()))
            for other in [*now, *(later if direct else ())]:
                follow(other, False)

    for name in names:
        follow(name, True)
    return {name for name, _ in found}
