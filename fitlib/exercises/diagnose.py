"""What is wrong with an answer: facts that were checked, then places, then kinds of mistakes.

Facts come first, since dozens of edits "explain" a result that is zero or not finite. The place comes from the
reader's own source, the kind from edits: of the reference, until it equals the answer, and of the answer, until it
is right. Two explanations may be equal in their results; so a place is told as evidence, a kind as a question.
"""

import ast
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from fitlib.exercises import grammar, place
from fitlib.exercises.facts import facts, not_finite
from fitlib.exercises.guard import Endless, Fault, Lines
from fitlib.exercises.results import Call, close, outputs

FAILED = (Exception, Endless, SystemExit)


class Told(NamedTuple):
    """A place: its text, its line (from 1), the text of that line, and whether it is less than an output."""

    text: str
    line: int
    code: str
    proper: bool


@dataclass
class Finding:
    """What was found about a wrong answer."""

    right: list = field(default_factory=list)  # names of outputs
    wrong: list = field(default_factory=list)
    facts: list = field(default_factory=list)  # sentences, checked on every problem
    degenerate: bool = False  # a fact that dozens of edits would explain
    places: list = field(default_factory=list)  # of `Told`
    kinds: list = field(default_factory=list)  # names of kinds, the likeliest first
    found: object = None  # the first `Place`
    relation: str = ""
    mended: list = field(default_factory=list)  # outputs that are right with another value there, if not all


def calls(exercise):
    """The calls of the reference in all problems, as `Call`s; none where they draw or return no arrays."""
    found, count = [], number_of_outputs(exercise)

    def note(args, hyper, inner, result):
        found.append(Call(args, hyper, inner, count, outputs(result, count)))
        return result

    def recorder(*args, **hyper):
        result = exercise.reference(*args, **hyper)
        if callable(result):
            return lambda *inner: note(args, hyper, inner, result(*inner))
        return note(args, hyper, None, result)

    for problem in exercise.problems:
        list(exercise.play(recorder, problem))
    if any(isinstance(arg, np.random.Generator) for call in found for arg in call.args):
        return []
    return found


def number_of_outputs(exercise):
    """How many results the reference returns: the entries of a tuple or of an array written as a list."""
    tree = place.source(exercise.reference)[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Return):
            value = node.value
            if isinstance(value, ast.Call) and ast.unparse(value.func) == "np.array" and value.args:
                value = value.args[0]
            if isinstance(value, (ast.Tuple, ast.List)):
                return len(value.elts)
    return 1


def output_names(exercise, count):
    """What the outputs are called."""
    if exercise.outputs:
        return exercise.outputs
    return ["the result"] if count == 1 else [f"the {word} value" for word in ORDINALS[:count]]


ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth"]


def telling(pairs):
    """Calls and results in the order in which they are tried: wrong ones first, without zeros, small ones."""

    def key(pair):
        call, got = pair
        arrays = [np.asarray(arg) for arg in call.args if isinstance(arg, (int, float, np.ndarray))]
        wrong = any(not close(x, y) for x, y in zip(got, call.expected))
        zeros = any(np.any(a == 0) or a.shape == () and a == 1 for a in arrays)
        size = sum(a.size for a in arrays)
        return not wrong, zeros, size == len(arrays), size

    return sorted(pairs, key=key)


def study(exercise, guard, level):
    """A `Finding` about the answer in `guard`; kinds are looked for from level 2 on."""
    finding, every = Finding(), exercise.calls
    if not every:
        return finding
    try:
        pairs = [(call, answered(guard, call)) for call in every]
    except Fault:
        return finding
    pairs = [(call, got) for call, got in pairs if len(got) == call.count]
    if len(pairs) < len(every):
        return finding
    pairs = telling(pairs)
    names = output_names(exercise, pairs[0][0].count)
    wrong = [j for j in range(len(names)) if any(not close(got[j], call.expected[j]) for call, got in pairs)]
    finding.wrong = [names[j] for j in wrong]
    finding.right = [name for name in names if name not in finding.wrong]
    if not wrong:
        return finding
    got_all = [got for _, got in pairs]
    ordered = [call for call, _ in pairs]
    with redirect_stdout(Lines()), redirect_stderr(Lines()):
        finding.facts, finding.degenerate = facts(exercise, guard, ordered, got_all, wrong, names)
        probe = reader(guard)
        if probe:
            seek(finding, probe, exercise, ordered, got_all, wrong)
        if level > 1 or not any(one.proper for one in finding.places):
            explain(finding, probe, exercise, ordered, got_all, wrong)
    return finding


def answered(guard, call):
    """The outputs of an answer in a call."""
    result = guard(*call.args, **call.hyper)
    if call.inner is not None:
        result = result(*call.inner)
    try:
        return outputs(result, call.count)
    except (TypeError, ValueError):
        return []


def reader(guard):
    """A probe of the reader's own source; None where there is none."""
    found = place.source(guard.answer)
    if not found:
        return None
    tree, lines = found
    try:
        probe = place.Probe(tree, place.scope(guard.answer), guard.named)
    except FAILED:
        return None
    probe.lines = lines[getattr(tree, "lineno", 1) - 1 :]
    return probe


def seek(finding, probe, exercise, ordered, got, wrong):
    """Look for places in the reader's source."""
    found, mended = place.find(probe, exercise.probes, ordered, wrong)
    names = output_names(exercise, ordered[0].count)
    finding.mended = [] if len(mended) == len(wrong) else [names[j] for j in mended]
    proper = [p for p in found if not p.part.whole]
    several = len(probe.lines) > 2
    for one in proper or [one for one in found if several and not isinstance(one.part.node, ast.Name)]:
        finding.places.append(told(probe, one.part.node, not one.part.whole))
    finding.found = proper[0] if proper else None
    if proper:
        finding.relation = relation(proper[0], ordered)
    elif not_finite(exercise, None, ordered, got, wrong, names) and (
        bad := place.first_bad(probe, [call for call in ordered if finite(call)])
    ):
        finding.facts = [
            f"The first part that is not finite is `{ast.unparse(bad.node)}`.",
            *finding.facts[1:],
        ]


def finite(call):
    """Whether all that comes in, and all that is expected, is finite numbers."""
    given = [np.asarray(arg) for arg in call.args if isinstance(arg, (int, float, np.ndarray))]
    return all(e.dtype.kind in "iufb" and np.all(np.isfinite(e)) for e in [*given, *call.expected])


def told(probe, node, proper=True):
    """A place as it is told: its text, its line (from 1) and that line's text."""
    line = node.lineno - getattr(probe.tree, "lineno", 1) + 1
    return Told(ast.unparse(node), line, probe.lines[line - 1].strip(), proper)


def relation(found, ordered):
    """How the value that a part has is related to the one it could have, if simply."""
    try:
        pairs = [
            (np.asarray(a[0], float), np.asarray(b[0], float))
            for a, b in zip(found.yours, found.right, strict=True)
            if a and b
        ]
        x, y = (np.concatenate([p[i].ravel() for p in pairs]) for i in (0, 1))
    except (TypeError, ValueError):
        return ""
    if x.shape != y.shape or x.size < 3 or not np.all(np.isfinite(x)) or not np.all(np.isfinite(y)):
        return ""
    if np.allclose(x, -y, rtol=1e-6):
        return "sign"
    with np.errstate(all="ignore"):
        ratio = x / y
        if np.all(np.isfinite(ratio)) and np.allclose(ratio, ratio[0], rtol=1e-6):
            return "number"
        if np.allclose(x - y, (x - y)[0], rtol=1e-6) and abs((x - y)[0]) > 1e-9:
            return "count" if abs(abs((x - y)[0]) - 1) < 1e-9 else "number"
        if np.allclose(x, y**2, rtol=1e-6) or np.allclose(x**2, y, rtol=1e-6):
            return "power"
        if np.allclose(x, 1 / y, rtol=1e-6):
            return "exchanged"
        if np.allclose(x, 1 - y, rtol=1e-6):
            return "weights"
    return ""


# --- kinds -----------------------------------------------------------------------------------------


def plainly(args, hyper):
    """The hyperparameters as they are."""
    return hyper


def with_old(tree):
    """A function with `old_m = m` before its first line, for each argument that gets a new value."""
    if isinstance(tree, ast.Lambda):
        return tree
    arguments = [a.arg for a in [*tree.args.posonlyargs, *tree.args.args]]
    renewed = [name for name in arguments if any(place.assigns(n, name) for n in tree.body)]
    keep = [
        ast.Assign([ast.Name(f"old_{name}", ast.Store())], ast.Name(name, ast.Load()), lineno=0, col_offset=0)
        for name in renewed
    ]
    for line in keep:
        ast.fix_missing_locations(line)
    new = ast.FunctionDef(
        tree.name, tree.args, [*keep, *tree.body], [], None, type_params=[], lineno=tree.lineno, col_offset=0
    )
    return new


def renewed(tree, name):
    """Whether `with_old` keeps the old value of a name."""
    lines = tree.body if isinstance(tree.body, list) else []
    return any(place.assigns(n, f"old_{name}") for n in lines)


def sorts_of(tree, names, rename, call):
    """What each name in a function is in a call: names of like sort may stand for each other."""
    probe = place.Probe(tree, names, rename)
    try:
        probe(call)
    except FAILED:
        return {}
    sorts = {}
    for k, passes in probe.seen.items():
        node = probe.parts[k].node
        if isinstance(node, ast.Name) and node.id not in names:
            sorts[node.id] = place.sort_of(passes[-1])
    return sorts


def outcome(tree, names, rename, loops):
    """A function from calls to outputs for an edited tree."""
    if loops:
        return place.Probe(tree, names, rename)
    function = place.build(tree, names)

    def run(call):
        args = [item.copy() if isinstance(item, np.ndarray) else item for item in call.args]
        result = function(*args, **rename(call.args, call.hyper))
        return outputs(result(*call.inner) if call.inner is not None else result, call.count)

    return run


def equal(run, ordered, targets, js):
    """Whether the outputs `js` are the targets in every call."""
    for call, target in zip(ordered, targets):
        try:
            got = run(call)
            if len(got) != call.count or not all(close(got[j], target[j]) for j in js):
                return False
        except FAILED:
            return False
    return True


def has_loops(tree):
    kinds = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp)
    return any(isinstance(n, kinds) for n in ast.walk(tree))


def matching(tree, names, rename, ordered, targets, js, sorts, fine):
    """The edits of `tree` after which the outputs `js` are the targets; lines in `fine` are edited if need be."""
    every = grammar.edits(tree, sorts)
    first = [edit for edit in every if not {old.lineno for old in edit.old} <= fine]
    found = tried(first, tree, names, rename, ordered, targets, js)
    return found or tried([e for e in every if e not in first], tree, names, rename, ordered, targets, js)


def tried(edits, tree, names, rename, ordered, targets, js):
    """The edits after which the outputs `js` are the targets."""
    loops, found = has_loops(tree), []
    for edit in edits:
        try:
            run = outcome(grammar.apply(tree, edit), names, rename, loops)
        except (SyntaxError, ValueError, TypeError, *FAILED):
            continue
        if equal(run, ordered, targets, js):
            found.append(edit)
    return found


def explained(tree, names, rename, ordered, targets, wrong, fine):
    """Edits that explain all outputs at once; else, output by output, states first, one edit for each.

    Returns groups of edits that have the same results, and whether they explain everything.
    """
    tree = with_old(tree)
    sorts = sorts_of(tree, names, rename, ordered[0])
    sorts |= {f"old_{name}": sorts[name] for name in list(sorts) if renewed(tree, name)}
    count = ordered[0].count
    found = matching(tree, names, rename, ordered, targets, range(count), sorts, fine)
    if found or len(wrong) < 2:
        return ([found], True) if found else ([], False)
    groups, loops, whole = [], has_loops(tree), True
    for j in [*[j for j in wrong if j > 0], *[j for j in wrong if j == 0]]:
        try:
            if equal(outcome(tree, names, rename, loops), ordered, targets, [j]):
                continue
        except FAILED:
            return groups, False
        found = matching(tree, names, rename, ordered, targets, [j], sorts, fine)
        if found:
            groups.append(found)
            tree = grammar.apply(tree, found[0])
        whole = whole and bool(found)
    return groups, whole


def informative(call, values):
    """Whether the outputs are finite wherever they should be."""
    return all(
        y.dtype.kind not in "iuf" or np.all(np.isfinite(np.asarray(x, float)[np.isfinite(y)]))
        for x, y in zip(values, call.expected)
        if x.shape == y.shape and x.dtype.kind in "iufb"
    )


def growth(edit):
    """By how much an edit makes the code longer: a sign that is turned round comes before one that is put in."""
    return sum(len(ast.dump(new)) for new in edit.new) - sum(len(ast.dump(old)) for old in edit.old)


def absolute(probe, lines):
    """Lines of a function as lines of the text it stands in."""
    return {line + getattr(probe.tree, "lineno", 1) - 1 for line in lines}


def explain(finding, probe, exercise, ordered, got, wrong):
    """Look for kinds: by edits of the reference, and of the reader's code."""
    kinds, places = [], []
    known = [(call, values) for call, values in zip(ordered, got) if informative(call, values)]
    enough = 2 * len(known) > len(ordered) and not finding.degenerate
    for function, form in zip(exercise.forms, exercise.probes) if enough else []:
        fine = absolute(form, place.sound(form, [probe], ordered)) if probe else set()
        tree, _ = place.source(function)
        groups, whole = explained(tree, place.scope(function), plainly, *zip(*known), wrong, fine)
        kinds += [[edit.kind for edit in group] for group in groups]
        if whole:
            break
    if probe:
        right = [call.expected for call in ordered]
        fine, first = place.sound(probe, exercise.probes, ordered), getattr(probe.tree, "lineno", 1)
        whole = explained(probe.tree, probe.names, probe.rename, ordered, right, wrong, absolute(probe, fine))
        groups = whole[0] if whole[1] else []
        lines = {one.line for one in finding.places if one.proper}
        for group in groups:
            near = [edit for edit in group if edit.line - first + 1 in lines]
            near = near or [edit for edit in group if edit.line - first + 1 not in fine] or group
            kinds.append([grammar.BACKWARDS.get(edit.kind, edit.kind) for edit in near])
            places.append(min(near, key=growth))
    order = list(grammar.KINDS)
    ranked = [kind for group in kinds for kind in sorted(set(group), key=order.index)[:2]]
    counts = {kind: ranked.count(kind) for kind in ranked}
    finding.kinds = sorted(counts, key=lambda kind: (-counts[kind], order.index(kind)))[:2]
    if not finding.kinds and finding.found:
        kind = finding.relation or place.compared(probe, exercise.probes, ordered, finding.found)
        finding.kinds = [kind] if kind else []
    edited = [told(probe, edit.old[0]) for edit in places if isinstance(edit.old[0], ast.expr)]
    if edited and not any(one.proper for one in finding.places):
        finding.places, finding.mended = edited, []
