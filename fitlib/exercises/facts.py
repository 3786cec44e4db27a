"""Facts about a wrong answer that need no search: each is a sentence that was checked on every problem."""

import numpy as np

from fitlib.exercises.guard import Endless, Fault
from fitlib.exercises.results import close, outputs


def facts(exercise, guard, calls, got, wrong, names):
    """The facts that hold, the most telling first, and whether one of them would be "explained" by dozens of edits."""
    found = []
    for fact in (not_finite, degenerate, ineffective, uphill, proportion, average, scaling, pattern):
        text = fact(exercise, guard, calls, got, wrong, names)
        if text:
            found.append(text)
            if fact in (not_finite, degenerate):
                return found[:2], fact is degenerate
    return found[:2], False


def not_finite(exercise, guard, calls, got, wrong, names):
    for j in wrong:
        pairs = [(c, g[j]) for c, g in zip(calls, got) if g[j].dtype.kind == "f"]
        bad = [c for c, g in pairs if not np.all(np.isfinite(g)) and np.all(np.isfinite(c.expected[j]))]
        if bad:
            steps = sorted({c.args[0] for c in bad}) if exercise.outputs else []
            when = f" in step {steps[0]}" if len(steps) == 1 else "" if len(bad) == len(calls) else " in some problems"
            return f"{names[j].capitalize()} is not a finite number{when}. What is divided by zero, or grows?"
    return ""


def degenerate(exercise, guard, calls, got, wrong, names):
    """Zero, constant, equal to an argument, all outputs equal."""
    for j in wrong:
        values = [g[j] for g in got]
        if values[0].dtype.kind not in "iufb" or any(v.shape != c.expected[j].shape for v, c in zip(values, calls)):
            continue
        if all(not np.any(v) for v in values):
            return f"{names[j].capitalize()} is always zero."
        if len(values) > 3 and all(v.size and np.all(v == values[0].flat[0]) for v in values):
            return f"{names[j].capitalize()} is the same in all problems, whatever the arguments are."
        for i, name in enumerate(exercise.arguments):
            args = [c.args[i] if i < len(c.args) else None for c in calls]
            if all(isinstance(a, (float, int, np.ndarray)) and close(np.asarray(a), v) for a, v in zip(args, values)):
                return f"{names[j].capitalize()} is {name} as it came: nothing happens to it."
    if len(names) > 1 and all(close(g[0], other) for g in got for other in g[1:]):
        return "All the values you return are equal."
    return ""


def run(function, call, args, hyper):
    result = function(*args, **hyper)
    return outputs(result(*call.inner) if call.inner is not None else result, call.count)


def changed(call, i, change):
    """The arguments with the one at `i` changed: positions first, then names."""
    args, hyper = list(call.args), dict(call.hyper)
    if isinstance(i, int):
        args[i] = change(args[i])
    else:
        hyper[i] = change(hyper[i])
    return args, hyper


def arguments(exercise, call):
    """Positions and names of arguments that are real numbers, with what they are called."""
    for i, value in enumerate(call.args):
        if isinstance(value, (float, np.ndarray)) and np.asarray(value).dtype.kind == "f":
            yield i, exercise.arguments[i]
    for name, value in call.hyper.items():
        if isinstance(value, (float, np.ndarray)):
            yield name, name


def response(function, calls, i, change, j):
    """An output before and after an argument is changed."""
    pairs = []
    for call in calls:
        try:
            after = run(function, call, *changed(call, i, change))[j]
            before = run(function, call, call.args, call.hyper)[j]
        except (Fault, Endless, ValueError, TypeError, IndexError, np.linalg.LinAlgError):
            return None
        if after.shape != before.shape or after.dtype.kind not in "iuf":
            return None
        pairs.append((before, after))
    return pairs


def ineffective(exercise, guard, calls, got, wrong, names):
    """An argument of the answer without any effect, be it made larger, or smaller and negative."""
    changes = (lambda x: x * 1.37 + 0.11), (lambda x: -0.3 * x)

    def responses(function, i, calls):
        return [response(function, calls, i, change, j) for j in range(len(names)) for change in changes]

    for i, name in arguments(exercise, calls[0]):
        for some in (calls[:4], calls):
            mine, theirs = responses(guard, i, some), responses(exercise.reference, i, some)
            if any(pairs is None for pairs in mine + theirs):
                break
            still = all(np.array_equal(a, b) for pairs in mine for a, b in pairs)
            moves = any(not close(a, b) for pairs in theirs for a, b in pairs)
            if not (still and moves):
                break
        else:
            return f"{name} has no effect on what you return."
    return ""


def uphill(exercise, guard, calls, got, wrong, names):
    """A rule whose first step goes along the gradient."""
    if not exercise.outputs:
        return ""
    along = []
    for call, values in zip(calls, got):
        if call.args[0] == 1:
            phi, g = call.args[1], call.args[2](call.args[1])
            right, step = call.expected[0] - phi, values[0] - phi
            along.append(np.all(right * g <= 0) and np.all(step * g > 0))
    return "The first step goes up the slope." if along and all(along) else ""


def proportion(exercise, guard, calls, got, wrong, names):
    """An output that is off by one factor or one amount everywhere."""
    for j in wrong:
        pairs = [(g[j], c.expected[j]) for c, g in zip(calls, got) if g[j].shape == c.expected[j].shape]
        if len(pairs) < len(calls) or any(x.dtype.kind not in "iuf" for pair in pairs for x in pair):
            continue
        x, y = (np.concatenate([pair[i].ravel() for pair in pairs]).astype(float) for i in (0, 1))
        some = np.abs(y) > 1e-3
        if x.size < 4 or not np.all(np.isfinite([x, y])) or np.sum(some) < 4:
            continue
        ratio, apart = x[some] / y[some], x - y
        if np.allclose(ratio, ratio[0], rtol=1e-4) and np.allclose(x, ratio[0] * y, atol=1e-4):
            if abs(ratio[0] + 1) < 1e-4:
                return f"{names[j].capitalize()} has the right size everywhere, and the opposite sign."
            size = "large" if abs(ratio[0]) > 1 else "small"
            return f"{names[j].capitalize()} is too {size} by the same factor everywhere."
        if np.allclose(apart, apart[0], atol=1e-4 * (1 + np.abs(y).max())) and abs(apart[0]) > 1e-3:
            return f"{names[j].capitalize()} is off by the same amount everywhere."
    return ""


def average(exercise, guard, calls, got, wrong, names):
    """A state that is an average of equal numbers is that number."""
    if not exercise.outputs or len(names) < 2:
        return ""
    for j in [j for j in wrong if j > 0]:
        position = 2 + j
        results = []
        for function in (exercise.reference, guard):
            good = []
            for call in calls[:3]:
                for power in (1, 2):
                    args = list(call.args)
                    level = np.full_like(np.asarray(args[1], float), 0.7)
                    args[position] = level**power
                    args[2] = lambda phi, level=level: level + 0 * phi
                    try:
                        new = run(function, call, args, call.hyper)[j]
                    except (Fault, Endless, TypeError, ValueError):
                        return ""
                    if new.shape != level.shape:
                        return ""
                    good.append((power, np.allclose(new, level**power, rtol=1e-4)))
            results.append({power for power in (1, 2) if all(ok for p, ok in good if p == power)})
        fits = results[0] - results[1]
        if fits:
            thing = "gradient" if 1 in fits else "squared gradient"
            state = names[j].split()[-1]
            return (
                f"An average of equal numbers is that number; when the old {state} and the {thing} are equal, "
                f"your new {state} differs from them."
            )
    return ""


POWERS = {1: "doubles", 2: "grows fourfold", 0: "stays", -1: "is halved", -2: "falls to a quarter"}
SHOULD = {1: "double", 2: "grow fourfold", 0: "stay", -1: "be halved", -2: "fall to a quarter"}


def exponent(pairs):
    """The power with which an output follows a factor of two; nan if it follows none, None if it is 0."""
    ratios = []
    for before, after in pairs:
        fine = np.abs(before) > 1e-9
        ratios.append(np.log2(np.abs(after[fine] / before[fine])))
    ratios = np.concatenate(ratios)
    if not ratios.size:
        return None
    power = np.round(ratios[0] * 2) / 2
    return float(power) if np.allclose(ratios, power, atol=1e-4) else np.nan


def scaling(exercise, guard, calls, got, wrong, names):
    """What twice an argument does to an output; a reference that stays must also stay with half of it."""
    def follows(function, i, j, calls, factor):
        pairs = response(function, calls, i, lambda x: factor * x, j)
        return None if pairs is None else exponent(pairs)

    for j in wrong:
        for i, name in arguments(exercise, calls[0]):
            for some in (calls[:4], calls):
                want, have = (follows(function, i, j, some, 2) for function in (exercise.reference, guard))
                told = want in SHOULD and have not in (want, None)
                if not told or want == 0 and follows(exercise.reference, i, j, some, 0.5) != 0:
                    break
            else:
                text = POWERS.get(have, "does not")
                return f"If {name} is doubled, {names[j]} should {SHOULD[want]}; yours {text}."
    return ""


def pattern(exercise, guard, calls, got, wrong, names):
    """In which calls it is right: the first step, one entry, one run."""
    right = [all(close(g[j], c.expected[j]) for j in wrong) for c, g in zip(calls, got)]
    if not any(right):
        return ""
    if exercise.outputs:
        first = {ok for c, ok in zip(calls, right) if c.args[0] == 1}
        later = {ok for c, ok in zip(calls, right) if c.args[0] > 1}
        if first == {True} and later == {False}:
            return "It is right in step 1 and wrong in every later one."
        if first == {False} and later == {True}:
            return "It is wrong in step 1 and right in every later one."
        flat = {ok for c, ok in zip(calls, right) if np.ndim(c.args[1]) == 1}
        runs = {ok for c, ok in zip(calls, right) if np.ndim(c.args[1]) > 1}
        if flat == {True} and runs == {False}:
            return "It is right for one run and wrong for several at once: phi has the shape (n, *runs)."
        return ""
    if calls[0].inner is not None and len(calls[0].inner) == 1:
        return steps(exercise, calls, right)
    if calls[0].expected[0].dtype.kind == "U":
        missed = sorted({str(c.expected[0]) for c, ok in zip(calls, right) if not ok})
        if len(missed) == 1:
            return f"It is wrong only where {missed[0]!r} is right."
    single = {ok for c, ok in zip(calls, right) if longest(c) == 1}
    several = {ok for c, ok in zip(calls, right) if longest(c) > 1}
    if single == {True} and several == {False}:
        return "It is right where there is one number and wrong where there are several."
    return ""


def longest(call):
    return max((len(a) for a in call.args if isinstance(a, np.ndarray) and a.ndim), default=0)


def steps(exercise, calls, right):
    """In which steps a schedule is right."""
    length = exercise.arguments.index("steps") if "steps" in exercise.arguments else None
    times = [(c.inner[0], ok, c.args[length] if length is not None else None) for c, ok in zip(calls, right)]
    first = {ok for t, ok, _ in times if t == 1}
    later = {ok for t, ok, _ in times if t > 1}
    if first == {True} and later == {False}:
        return "It is right in step 1 and wrong in every later one."
    if first == {False} and later == {True}:
        return "It is wrong in step 1 alone."
    if length is None:
        return ""
    during = {ok for t, ok, n in times if t <= n}
    after = {ok for t, ok, n in times if t > n}
    if during == {True} and False in after:
        return "It is right in the first `steps` steps, and wrong afterwards."
    if False in during and after == {True}:
        return "It is right after `steps` steps, and wrong before."
    return ""
