"""The checker: right answers pass however they are written, known mistakes are named, others are shown."""

import contextlib
import inspect
import itertools
import linecache
import os
import re
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from fitlib import gabor, losses, optimizers, schedules
from fitlib.exercises import check, downhill, rates, rules
from fitlib.exercises import guard as limits
from fitlib.exercises.core import EXERCISES, TOLD, catalogue
from fitlib.exercises.grammar import KINDS
from fitlib.exercises.guard import BUDGET, Guard
from fitlib.exercises.results import FLOOR, TOLERANCE, same
from fitlib.fitting import fit

RULES = [name for name in EXERCISES if hasattr(optimizers, name) and name != "clip"]


@pytest.fixture(autouse=True)
def nothing_told():
    TOLD.clear()


@pytest.fixture(autouse=True)
def no_tracer():
    """A tool that measures coverage would keep its place as a debugger does: loops would not be stopped."""
    before = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(before)


def outcomes(name, function):
    with np.errstate(all="ignore"):
        return list(EXERCISES[name].outcomes(function))


def deviation(got, expected):
    """The largest difference between outcomes, in units of the scale that the tolerance is multiplied by."""
    worst = 0.0
    for (_, x), (_, y) in itertools.chain(*map(zip, got, expected)):
        if x.shape != y.shape or x.dtype.kind == "U":
            worst = max(worst, 0.0 if np.array_equal(x, y) else np.inf)
        else:
            scale = FLOOR + np.abs(y.astype(float)).max(initial=0)
            with np.errstate(invalid="ignore"):  # inf - inf: equal all the same
                apart = np.where(x == y, 0, np.nan_to_num(np.abs(x.astype(float) - y), nan=np.inf, posinf=np.inf))
            worst = max(worst, apart.max(initial=0) / scale)
    return worst


# --- the catalogue ---------------------------------------------------------------------------------


def test_every_mistake_belongs_to_an_exercise_and_says_something():
    assert catalogue().keys() <= EXERCISES.keys()
    for mistakes in catalogue().values():
        texts = [text for _, text in mistakes]
        assert texts and len(set(texts)) == len(texts)
        assert all(re.fullmatch(r"[A-ZΑ-Ωa-zα-ω`].{20,300}[.?]", text) for text in texts), texts


@pytest.mark.parametrize("name", EXERCISES)
def test_the_reference_is_right(name):
    report = check(name, EXERCISES[name].reference)
    assert report and repr(report) == f"✓ {name}: right on all {len(EXERCISES[name].problems)} problems."


@pytest.mark.parametrize("name", catalogue())
def test_each_form_is_named_as_itself(name):
    for edits, text in catalogue()[name]:
        report, count = check(name, EXERCISES[name].edited(edits)), len(EXERCISES[name].problems)
        assert not report and report.text == f"on all {count} problems your answer equals another form. {text}"


@pytest.mark.parametrize("name", catalogue())
def test_each_pair_of_forms_is_told_apart_and_each_is_far_from_right(name):
    right = outcomes(name, EXERCISES[name].reference)
    wrong = [outcomes(name, EXERCISES[name].edited(edits)) for edits, _ in catalogue()[name]]
    assert min(deviation(one, right) for one in wrong) > 100 * TOLERANCE
    for one, other in itertools.combinations(wrong, 2):
        assert not all(map(same, one, other))


@pytest.mark.parametrize("name", [name for name, this in EXERCISES.items() if len(this.forms) > 1])
def test_the_second_form_of_a_reference_is_the_same_function(name):
    assert check(name, EXERCISES[name].forms[0])


# --- right answers in other clothes ----------------------------------------------------------------


def convert(function, inward, outward):
    """`function` with its arguments changed on the way in, and its results on the way out; functions too."""

    def arriving(item):
        return convert(item, outward, inward) if callable(item) else inward(item)

    def leaving(item):
        if isinstance(item, tuple):
            return tuple(map(leaving, item))
        return convert(item, inward, outward) if callable(item) else outward(item)

    return lambda *args, **hyper: leaving(
        function(*map(arriving, args), **{name: arriving(item) for name, item in hyper.items()})
    )


def single(item):
    """The same in single precision."""
    if isinstance(item, list):
        return [single(part) for part in item]
    return np.float32(item) if np.asarray(item).dtype.kind == "f" else item


def plain(item):
    """The same as Python numbers and lists."""
    if isinstance(item, list):
        return [plain(part) for part in item]
    return item.tolist() if hasattr(item, "tolist") else item


@pytest.mark.parametrize("name", EXERCISES)
def test_single_precision_passes_with_room(name):
    answer = convert(EXERCISES[name].reference, single, single)
    assert check(name, answer)
    expected = outcomes(name, EXERCISES[name].reference)
    assert deviation(outcomes(name, answer), expected) < TOLERANCE / 5


@pytest.mark.parametrize("name", EXERCISES)
def test_lists_and_python_numbers_pass(name):
    assert check(name, convert(EXERCISES[name].reference, lambda item: item, plain))


@pytest.mark.parametrize("name", EXERCISES)
def test_a_list_of_results_and_a_callable_object_pass(name):
    class Answer:
        def __call__(self, *args, **hyper):
            result = EXERCISES[name].reference(*args, **hyper)
            return list(result) if isinstance(result, tuple) else result

    assert check(name, Answer())


@pytest.mark.parametrize("name", RULES)
def test_other_names_positional_hyperparameters_and_defaults_pass(name):
    rule = EXERCISES[name].reference
    hyper = [key for key in EXERCISES[name].problems[0] if key not in ("phi", "grad(phi)")]
    parameters = inspect.signature(rule).parameters.values()
    states = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][3:]
    ordered = ["step", "w", "slope", *(f"old_{state}" for state in states)]
    given = ", ".join([*ordered, *(f"{key}=my_{key}" for key in hyper)])
    for star, default in itertools.product([[], ["*"]], ["", "=0.5"]):
        taken = ", ".join([*ordered, *star, *(f"my_{key}{default}" for key in hyper)])
        assert check(name, eval(f"lambda {taken}: rule({given})", {"rule": rule}))


def test_names_that_agree_are_matched_before_the_order():
    def answer(t, phi, grad, m, v, *, eps, gamma, lr, beta):
        return optimizers.adam(t, phi, grad, m, v, alpha=lr, beta=beta, gamma=gamma, eps=eps)

    assert check("adam", answer)


def test_work_on_copies_another_memory_and_output_pass(capsys):
    def in_place(t, phi, grad, m, *, alpha, beta):
        phi, m = phi.copy(), m.copy()
        m *= beta
        m += (1 - beta) * grad(phi)
        phi -= alpha * m
        print("step", t, "\nat", phi)
        return phi, m

    def summed(t, phi, grad, z, *, alpha, beta):
        z = beta * z + grad(phi)
        return phi - alpha * (1 - beta) * z, z

    def stacked(t, phi, grad, m, *, alpha, beta):
        return np.stack(optimizers.momentum(t, phi, grad, m, alpha=alpha, beta=beta))

    report = check("momentum", in_place)
    assert report and re.search(r"It printed \d+ lines, which are not shown\.$", report.text)
    assert capsys.readouterr() == ("", "")
    assert check("momentum", summed) and check("momentum", stacked)


def test_batches_drawn_in_another_way_pass():
    def one_by_one(points, size, rng):
        order = list(range(points))
        rng.shuffle(order)
        while len(order) >= size:
            yield [order.pop() for _ in range(size)]

    assert check("epoch", one_by_one)


def test_a_loop_that_counts_passes():
    def count(delta, alpha, curvature):
        steps = 0
        while delta < 1:
            delta, steps = delta * (1 - alpha * curvature), steps + 1
        return steps

    assert check("escape_steps", count)


# --- wrong answers, and answers that fail ----------------------------------------------------------


def steeper(t, phi, grad, *, alpha):
    return phi - 1.5 * alpha * grad(phi)


def test_the_smallest_case_comes_last():
    report = check("gradient_descent", steeper)
    assert report.level == 1 and not report.case
    report = report.more.more
    assert report.level == 3 and report.more is report and report.text.endswith("The smallest case:")
    phi, a, alpha, expected, got = (float(re.search(r"= \[?(-?[\d.]+)", line)[1]) for line in report.case)
    assert report.case[1] == f"grad(phi) = [{a:g}] * sin(2 * phi)"
    assert [line.split("= ")[0] for line in report.case[3:]] == [
        "expected: phi after step 1 ",
        "got:      phi after step 1 ",
    ]
    assert expected == pytest.approx(phi - alpha * a * np.sin(2 * phi), abs=1e-5)
    assert got == pytest.approx(phi - 1.5 * alpha * a * np.sin(2 * phi), abs=1e-5)


def test_an_equal_answer_is_told_more_and_another_begins_anew():
    assert [check("gradient_descent", steeper).level for _ in range(4)] == [1, 2, 3, 3]
    assert check("gradient_descent", lambda t, phi, grad, alpha: phi - 1.5 * alpha * grad(phi)).level == 3
    assert check("gradient_descent", lambda t, phi, grad, alpha: phi - 1.7 * alpha * grad(phi)).level == 1
    assert check("gradient_descent", lambda t, phi, grad, alpha: phi - 1.9 * alpha * grad(phi), more=True).level == 2


def uncorrected(t, phi, grad, m, v, *, alpha, beta, gamma, eps):
    g = grad(phi)
    m = beta * m + (1 - beta) * g
    v = gamma * v + (1 - gamma) * g**2
    m_hat = m / (1 - beta**t)
    v_hat = v / (1 - gamma * t)
    return phi - alpha * m_hat / (np.sqrt(v_hat) + eps), m, v


def test_what_is_right_and_the_place_are_told_first_then_the_kind():
    report = check("adam", uncorrected)
    assert "The new m and the new v are right, the new phi wrong." in report.text
    assert "`gamma * t` in line 6, `v_hat = v / (1 - gamma * t)`" in report.text
    assert not any(question in report.text for question in KINDS.values())
    assert KINDS["operator"] in report.more.text


def test_two_mistakes_in_two_lines_have_two_places():
    def two(t, phi, grad, m, v, *, alpha, beta, gamma, eps):
        g = grad(phi)
        m = beta * m + beta * g
        v = gamma * v + (1 - gamma) * g
        m_hat = m / (1 - beta**t)
        v_hat = np.abs(v) / (1 - gamma**t)
        return phi - alpha * m_hat / (np.sqrt(v_hat) + eps), m, v

    lines = {place.line for place in check("adam", two).finding.places}
    assert {3, 4} <= lines


def test_a_place_needs_the_source():
    scope = {"np": np}
    exec("def answer(f, y):\n    return np.mean((f - y) ** 3)", scope)
    report = check("mean_squared_error", scope["answer"])
    assert not report and not report.finding.places and report.text


WORDS = {
    "no effect": ("cosine", lambda alpha, steps, end: lambda t: alpha / t, "end has no effect on what you return."),
    "zero": ("clip", lambda g, limit: 0 * g, "The result is always zero."),
    "unchanged": ("momentum", lambda t, phi, grad, m, alpha, beta: (phi, m), "as it came: nothing happens to it"),
    "constant": ("to_pytorch", lambda alpha, beta: (0.1, 0.9), "is the same in all problems, whatever"),
    "not finite": ("ema", lambda points, decay: points[0] / 0.0, "is not a finite number"),
    "a unit": ("noise_floor", lambda alpha, curvature, variance, b: alpha * variance**2 / b, "If variance is doubled"),
    "an average": (
        "momentum",
        lambda t, phi, grad, m, alpha, beta: (phi - alpha * m, beta * m + beta * grad(phi)),
        "An average of equal numbers is that number",
    ),
    "runs": ("clip", lambda g, limit: g * np.minimum(1, limit / np.linalg.norm(g)), "differs from the reference."),
    "a letter": ("classify", lambda hessian: "Minimum", "words are compared letter by letter"),
    "two results": ("clip", lambda g, limit: g * next(COUNTER), "two calls with the same arguments gave two results"),
    "a property of epochs": (
        "epoch",
        lambda points, size, rng: np.arange(points // size * size).reshape(-1, size),
        "points come in the order of the data, which should not be.",
    ),
}
COUNTER = itertools.count(1)


@pytest.mark.parametrize("case", WORDS)
def test_facts_are_told(case):
    name, answer, text = WORDS[case]
    assert text in check(name, answer).text


def same_seed(points, size, rng):
    order = np.random.default_rng().permutation(points)
    return [order[i : i + size] for i in range(0, points - size + 1, size)]


def never_the_last(points, size, rng):
    order = rng.permutation(points // size * size)
    return order.reshape(-1, size)


def blocks(points, size, rng):
    batches = np.arange(points // size * size).reshape(-1, size)
    return rng.permutation(batches)


@pytest.mark.parametrize("answer", [same_seed, never_the_last, blocks])
def test_epochs_that_are_no_shuffling_are_refused(answer):
    assert not check("epoch", answer)


HOLES = {
    "end is ignored": ("cosine", lambda alpha, steps, end: lambda t: schedules.cosine(alpha, steps)(t)),
    "end is added": (
        "cosine",
        lambda alpha, steps, end: lambda t: end + alpha * (1 + np.cos(np.pi * min((t - 1) / steps, 1))) / 2,
    ),
    "nan at zero": (
        "clip",
        lambda g, limit: g / np.linalg.norm(g, axis=0) * np.minimum(np.linalg.norm(g, axis=0), limit),
    ),
    "a threshold": (
        "classify",
        lambda hessian: np.array(["minimum", "saddle", "maximum"])[
            1 - int((np.linalg.eigvalsh(hessian) > 0.4).all()) + int((np.linalg.eigvalsh(hessian) < -0.4).all())
        ],
    ),
}


@pytest.mark.parametrize("case", HOLES)
def test_answers_that_once_passed_do_not(case):
    name, answer = HOLES[case]
    assert not check(name, answer)


def test_the_case_is_the_first_that_differs():
    def forgets_runs(t, phi, grad, *, alpha):
        return phi - alpha * grad(phi) if phi.ndim == 1 else phi

    case = check("gradient_descent", forgets_runs).more.more.case
    first = next(p for p in EXERCISES["gradient_descent"].problems if p["phi"].ndim == 2)
    assert case[0].startswith("phi = [[") and case[0].count(",") == first["phi"].size - 1
    assert ", then " in case[1] and case[-1].startswith("got:      phi after step 1")


def test_unclear_names_of_arguments_are_told():
    def unclear(t, phi, grad, m, *, b, rate):
        return optimizers.momentum(t, phi, grad, m, alpha=rate, beta=b)

    assert "(Your arguments were read in order: alpha as b, beta as rate.)" in check("momentum", unclear).text


def test_synonyms_are_read_in_any_order():
    def adam(t, w, g, m, v, *, beta_2, epsilon, beta_1, learning_rate):
        return optimizers.adam(t, w, g, m, v, alpha=learning_rate, beta=beta_1, gamma=beta_2, eps=epsilon)

    def rmsprop(t, w, g, v, eps, rho, lr):
        return optimizers.rmsprop(t, w, g, v, alpha=lr, gamma=rho, eps=eps)

    assert check("adam", adam) and check("rmsprop", rmsprop)


def forever(*args, **hyper):
    while True:
        pass  # noqa: E701 - one line has no line events


def forever_careful(*args, **hyper):
    while True:
        with contextlib.suppress(Exception):
            int("1")


def forever_in_a_generator(points, size, rng):
    while True:
        yield np.arange(size)


def changes_phi(t, phi, grad, m, *, alpha, beta):
    phi -= alpha * grad(phi)
    return phi, m


def changes_state(t, phi, grad, m, *, alpha, beta):
    m += (1 - beta) * (grad(phi) - m)
    return phi - alpha * m, m


def rule_that_returns(result):
    return lambda t, phi, grad, m, alpha, beta: result(phi, m)


ENDLESS = f"your function takes too long: it was stopped after {BUDGET:,} instructions. Is there a loop"
NONE = "your function returned None; is a return missing?"
FAILING = {
    "forever": ("clip", forever, ENDLESS),
    "forever, with care": ("momentum", forever_careful, ENDLESS),
    "forever, in a generator": ("epoch", forever_in_a_generator, ENDLESS),
    "forever, in what it returns": ("cosine", lambda alpha, steps, end: forever, ENDLESS),
    "changes phi": (
        "momentum",
        changes_phi,
        "your function changes its argument phi in place, and the caller",
    ),
    "changes a state": ("momentum", changes_state, "your function changes its argument m in place, and"),
    "None": ("clip", lambda g, limit: None, NONE),
    "None for a function": ("cosine", lambda alpha, steps, end: None, NONE),
    "no state": (
        "momentum",
        rule_that_returns(lambda phi, m: phi),
        "your function must return phi, m: the next",
    ),
    "three results": (
        "momentum",
        rule_that_returns(lambda phi, m: (phi, m, 1)),
        "your function must return phi, m:",
    ),
    "None for a state": (
        "momentum",
        rule_that_returns(lambda phi, m: (phi, None)),
        "your function, for m, returned N",
    ),
    "shape of phi": ("momentum", rule_that_returns(lambda phi, m: (1.0, m)), "phi after step 1 has shape ()"),
    "shape": ("clip", lambda g, limit: 0.0, "the result has shape (); expected is (1,). The smallest case:"),
    "ragged": (
        "gradient_descent",
        lambda t, phi, grad, alpha: (phi, [phi, 1]),
        "your function returned parts of",
    ),
    "text": (
        "clip",
        lambda g, limit: "short",
        "the result is text; expected are numbers. The smallest case:",
    ),
    "a number for a word": ("classify", lambda hessian: 1, "the result is a number; expected is a word."),
    "a dictionary": (
        "clip",
        lambda g, limit: {},
        "your function returned an object of type dict; expected are",
    ),
    "a function": (
        "clip",
        lambda g, limit: np.sin,
        "your function returned a function; expected are numbers.",
    ),
    "no function": (
        "cosine",
        lambda alpha, steps, end: alpha,
        "your function returned a number; it must return a f",
    ),
    "few arguments": ("clip", lambda g: g, "your function takes (g); it is called with (g, limit): "),
    "not callable": (
        "clip",
        np.ones(2),
        "check takes your function by its name, without parentheses; it got an a",
    ),
    "exit": ("clip", lambda g, limit: sys.exit(), "your code raised SystemExit"),
    "no traceback": ("clip", max, "your code raised ValueError: The truth value of an array"),
}


@pytest.mark.parametrize("case", FAILING)
def test_an_answer_that_fails_gets_one_clear_sentence(case):
    name, answer, text = FAILING[case]
    report = check(name, answer)
    assert not report and report.mark == "✗" and report.text.startswith(text)
    assert sys.gettrace() is None


def test_budget_has_room_for_right_answers():
    for name, this in EXERCISES.items():
        guard = Guard(this.reference, this.edited([]))  # a copy that is not fitlib's code, and is counted
        outcomes(name, guard)
        assert 20 < BUDGET - guard.left < 10_000


def test_only_the_code_of_the_reader_is_counted(monkeypatch):
    def answer(g, limit):
        if g.shape == (2, 2, 3):
            textwrap.wrap("word " * 10_000)  # some million instructions of Python's library, as an import has
        return optimizers.clip(g, limit)

    assert check("clip", answer)
    monkeypatch.setattr(limits, "FOREIGN", ("nothing",))
    assert check("clip", answer).text.startswith(ENDLESS)


def test_a_debugger_keeps_its_place():
    seen = []

    def tracer(frame, event, arg):
        seen.append(frame.f_code.co_name)

    def answer(g, limit):
        return optimizers.clip(g, limit)

    sys.settrace(tracer)
    report = check("clip", answer)
    kept = sys.gettrace()
    sys.settrace(None)
    assert report and kept is tracer and "answer" in seen


def test_an_exception_is_theirs_with_the_line_of_their_cell():
    text = "def half(x):\n    return x / zero\n\ndef answer(g, limit):\n    return half(g)\n"
    linecache.cache["<cell 7>"] = (len(text), None, text.splitlines(keepends=True), "<cell 7>")
    scope = {}
    exec(compile(text, "<cell 7>", "exec"), scope)
    report = check("clip", scope["answer"])
    assert report.text == "your code raised NameError: name 'zero' is not defined, in line 2: return x / zero"


def test_an_exception_below_their_code_points_to_their_line():
    def answer(t, phi, grad, m, *, alpha, beta):
        return phi - alpha * np.linalg.inv(grad(phi)), m

    report = check("momentum", answer)
    assert report.text.startswith("your code raised LinAlgError: ")
    assert report.text.endswith(": return phi - alpha * np.linalg.inv(grad(phi)), m")


def test_an_interrupt_goes_through():
    def answer(g, limit):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check("clip", answer)
    assert sys.gettrace() is None


def test_a_constant_is_an_answer():
    def four_thirds(beta):
        """The limit."""
        return 4 / 3

    assert check("nesterov_limit", four_thirds).mark == check("nesterov_limit", lambda beta: 4 / 3).mark == "✗"


def test_an_exercise_that_was_not_begun_is_open():
    def empty(t, phi, grad, m, *, alpha, beta): ...

    def described(t, phi, grad, m, *, alpha, beta):
        """One step."""

    def half(t, phi, grad, m, *, alpha, beta):
        m = beta * m + ...
        return phi - alpha * m, m

    dots = [lambda t, phi, grad, m, alpha, beta: ..., lambda t, phi, grad, m, alpha, beta: (..., m)]
    for answer in [*dots, empty, described, half]:
        report = check("momentum", answer)
        assert not report
        assert repr(report) == "○ momentum: not answered yet; put your own code where the dots are."


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("momentun", "there is no exercise 'momentun'; did you mean 'momentum'"),
        ("Adam", "there is no exercise 'Adam'; did you mean 'adam'"),
        ("backpropagation", "there is no exercise 'backpropagation'; there are mean_squared_error, "),
        (max, "there is no exercise <built-in function max>; there are mean_squared_error, "),
    ],
)
def test_an_unknown_name_is_refused(name, text):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}"):
        check(name, max)


def test_a_slow_loop_is_stopped_by_the_clock(monkeypatch):
    monkeypatch.setattr(limits, "SECONDS", 0.2)

    def slow(g, limit):
        while True:
            time.sleep(0.01)

    assert "takes too long: it was stopped after 0.2 seconds" in check("clip", slow).text


def test_an_iterator_without_end_and_a_lost_tracer_are_told():
    def untraced(g, limit):
        sys.settrace(None)
        return optimizers.clip(g, limit)

    assert "iterator that does not end" in check("epoch", lambda points, size, rng: itertools.count()).text
    assert "changes sys.settrace" in check("clip", untraced).text


def test_arguments_exchanged_are_told():
    with pytest.raises(ValueError, match="the name comes first"):
        check(optimizers.clip, "clip")


def test_report_shows_itself_as_text_and_html():
    report = check("clip", lambda g, limit: g if g.size < 2 else "<b>")
    assert repr(report).startswith(
        "✗ clip: the result is text; expected are numbers. The smallest case:\n    g = ["
    )
    assert max(map(len, repr(report).splitlines())) <= 100
    page = report._repr_html_()
    assert page.startswith("<div><p><strong>✗ clip</strong>: the result is text")
    assert page.endswith("got:      the result = &lt;b&gt;</pre></div>")
    assert "✓" in check("clip", optimizers.clip)._repr_html_()


def test_reports_are_the_same_in_every_process():
    code = (
        "from fitlib.exercises import check\n"
        "for report in check('epoch', lambda *_: [[0]]), check('gabor', lambda x, phi: x):\n"
        "    print(repr(report), report._repr_html_())"
    )
    command = [sys.executable, "-X", "utf8", "-c", code]
    texts = [subprocess.check_output(command, env={**os.environ, "PYTHONHASHSEED": seed}) for seed in "12"]
    assert texts[0] == texts[1] and texts[0].count("✗".encode()) == 4


# --- the references --------------------------------------------------------------------------------

RNG = np.random.default_rng(3)


def test_gradients_by_hand_are_those_of_the_losses():
    phi = np.array([0.3, 7.0])
    for by_hand, loss in [(downhill.gabor_gradient, gabor.loss), (downhill.line_gradient, losses.line)]:
        np.testing.assert_allclose(by_hand(phi, *loss.data), loss.gradient(phi), rtol=1e-12)
    assert downhill.mean_squared_error(gabor.gabor(gabor.x, phi), gabor.y) == pytest.approx(gabor.loss(phi))
    near = downhill.numerical_gradient(gabor.loss, phi, 1e-5)
    np.testing.assert_allclose(near, gabor.loss.gradient(phi), rtol=1e-7)


def test_forward_and_backward_products_are_derivatives():
    a, b, h = 1.3, -0.7, 1e-6
    value, derivative = downhill.dual_multiply((a, 2.0), (b, 3.0))
    assert value == a * b
    assert derivative == pytest.approx(((a + 2 * h) * (b + 3 * h) - (a - 2 * h) * (b - 3 * h)) / (2 * h))
    assert downhill.backward_multiply(a, a, 1.0, 0.0, 0.0) == (a, a)  # both together: the derivative of a²


def test_rates_of_a_bowl_do_what_they_say():
    bowl = losses.rotated_valley.at(kappa=7.0, angle=0.3)
    hessian, start = bowl.hessian(np.zeros(2)), np.array([1.0, 0.5])
    limit = downhill.stability_limit(hessian)
    assert limit == pytest.approx(losses.stability_limit(bowl, np.zeros(2)))
    end = fit(optimizers.gradient_descent, bowl, start, 2000, alpha=limit * np.array([0.99, 1.01])).losses[-1]
    assert end[0] < 1e-6 and end[1] > 1e6
    best = downhill.best_rate(hessian)
    tried = best * np.array([0.95, 1.0, 1.05])
    assert np.argmin(fit(optimizers.gradient_descent, bowl, start, 60, alpha=tried).losses[-1]) == 1


def test_critical_points_are_classified_as_their_index_says():
    for kind, number, eigenvalues in [
        ("minimum", 0, [1, 2]),
        ("saddle", 1, [-1, 2]),
        ("maximum", 2, [-1, -2]),
    ]:
        assert downhill.classify(np.diag(eigenvalues)) == kind
        assert downhill.index(np.diag(eigenvalues)) == number


def test_escape_takes_as_many_steps_as_counted():
    problem = {"delta": 1e-4, "alpha": 0.1, "curvature": -0.8}
    steps = int(downhill.escape_steps(**problem))
    path = problem["delta"] * (1 + 0.1 * 0.8) ** np.arange(steps + 1)
    assert path[-2] < 1 <= path[-1]


def test_settings_of_pytorch_give_the_same_path():
    bowl, start = losses.quadratic, np.array([1.0, 2.0])
    lr, beta = rules.to_pytorch(0.08, 0.7)
    phi, buffer = start, 0.0
    for _ in range(20):  # torch.optim.SGD with dampening 0
        buffer = beta * buffer + bowl.gradient(phi)
        phi = phi - lr * buffer
    ours = fit(optimizers.momentum, bowl, start, 20, alpha=0.08, beta=0.7).phi
    np.testing.assert_allclose(phi, ours, rtol=1e-12)


def test_best_momentum_has_the_rate_of_theory():
    alpha, beta = rules.best_momentum(1.0, 100.0)
    radius = [
        np.abs(np.linalg.eigvals([[1 - alpha * (1 - beta) * c, -alpha * beta], [(1 - beta) * c, beta]])).max()
        for c in [1.0, 100.0]
    ]
    assert max(radius) == pytest.approx((10 - 1) / (10 + 1), rel=1e-6)


def test_newton_step_ends_at_the_bottom():
    phi = np.array([1.0, -2.0])
    bowl = losses.rotated_valley
    bottom = rules.newton_step(phi, bowl.gradient(phi), bowl.hessian(phi))
    np.testing.assert_allclose(bottom, [0, 0], atol=1e-14)


def test_standard_error_is_the_spread_of_means():
    pairs = RNG.normal(size=(2, 20_000, 8))
    mean, error = rules.paired_difference(pairs[0, 0], pairs[1, 0])
    assert mean == pytest.approx(np.mean(pairs[0, 0] - pairs[1, 0]))
    errors = [rules.paired_difference(a, b)[1] ** 2 for a, b in zip(*pairs)]
    assert np.mean(errors) == pytest.approx(np.var((pairs[0] - pairs[1]).mean(axis=1)), rel=0.05)


def test_noise_floor_is_where_the_variance_stands_still():
    alpha, curvature, variance, b = 0.7, 1.6, 2.0, 4
    v = 0.0
    for _ in range(200):
        v = (1 - alpha * curvature) ** 2 * v + alpha**2 * variance / b
    assert rates.noise_floor(alpha, curvature, variance, b) == pytest.approx(curvature * v / 2)


def test_end_of_schedule_is_the_mean_of_many_runs():
    chosen, curvature, phi, variance = np.array([1.1, 0.6, 0.2]), 0.8, 1.5, 0.7
    runs = np.full(200_000, phi)
    for alpha in chosen:
        runs = runs - alpha * (curvature * runs + np.sqrt(variance) * RNG.normal(size=runs.size))
    losses = curvature * runs**2 / 2
    expected = rates.end_of_schedule(chosen, curvature, phi, variance)
    assert losses.mean() == pytest.approx(expected, abs=4 * losses.std() / np.sqrt(losses.size))


def test_arguments_of_linear_lr_give_the_line():
    start, steps = rates.linear_lr(5)
    t = np.arange(1, 9)
    pytorch = schedules.warmup(schedules.constant(1.0), steps, "LinearLR", start=start)
    np.testing.assert_allclose(pytorch(t), np.minimum(t / 5, 1), rtol=1e-12)


def test_a_path_tells_which_momentum_made_it():
    slope = losses.Loss(lambda phi: 2 * phi[0], n=1)
    path = fit(optimizers.momentum, slope, np.array([1.0]), 3, alpha=0.1, beta=0.9).path[:, 0]
    assert rates.which_momentum(path, 2.0, 0.1) == "averaged"
    assert rates.which_momentum(np.array([1.0, 0.8, 0.42]), 2.0, 0.1) == "summed"


def test_the_limit_read_off_a_path_is_that_of_the_bowl():
    bowl = losses.quadratic.at(kappa=5.0)
    path = fit(optimizers.gradient_descent, bowl, np.array([1.0, 0.0]), 4, alpha=0.3).path[:, 0]
    curvature = np.diag(bowl.hessian(np.zeros(2)))[0]
    assert rates.limit_from_path(path, 0.3) == pytest.approx(2 / curvature)


def test_adams_rate_is_between_the_root_and_the_line():
    assert rates.adam_rate(1.0, 2, 4, 1e9) == pytest.approx(2**0.5)
    assert rates.adam_rate(1.0, 2, 4, 1e-9) == pytest.approx(2.0)
    progress = [b**-0.5 * rates.adam_rate(1.0, 2, b, 21.0) / (b + 21) ** 0.5 for b in (2, 16, 128)]
    np.testing.assert_allclose(progress, progress[0])


def test_a_rule_holds_until_it_is_left_for_the_first_time():
    batches, left = np.array([2, 4, 8, 16]), np.array([1.0, 1.05, np.nan, 1.0])
    assert rates.holds_to(batches, left, 0.1) == 4 and rates.holds_to(batches, left, 0.01) == 2


def test_averages_are_those_of_adam():
    points = RNG.normal(size=(9, 2))
    weights = 0.8 ** np.arange(9)[::-1]
    np.testing.assert_allclose(rates.ema(points, 0.8), weights @ points / weights.sum())
    np.testing.assert_allclose(rules.smooth(points[:, 0], 0.8)[-1], rates.ema(points, 0.8)[0])


def test_robbins_monro_agrees_with_the_sums():
    t = np.arange(1.0, 1e6)
    for p in [0.3, 0.7, 1.5]:  # the last decade adds little to a sum that is finite
        infinite, finite = (np.sum(t**-q) / np.sum(t[:100_000] ** -q) for q in (p, 2 * p))
        assert rates.robbins_monro(p) == (infinite > 1.05 and finite < 1.05)


def test_scaled_rates():
    assert rates.scale_rate(0.1, 32, 128, "linear") == pytest.approx(0.4)
    assert rates.scale_rate(0.1, 32, 128, "square root") == pytest.approx(0.2)
