"""The table: `python -m benchmarks`. Times are of this machine in this run; the ratios are what is compared."""

import os
import sys

import numpy as np
from tqdm import tqdm

from benchmarks import browser, kernel, page, peers
from benchmarks.setting import SIZES, START, STEPS
from fitlib.gabor import loss

RUNS = 4096
HEAD = ["", "ours", "theirs", "theirs / ours", "aim", "met"]
NOTE = """A slider move is its handler and the frame until it is painted; the wait for the screen's next frame is
left out. The kernel route ends where the picture is sent: what a browser needs to show it is left out. What a Run
loads comes from this machine, and is counted as it is compressed on its way."""


def row(name, ours, peer, theirs, least, most=np.inf):
    """A line of the table, from seconds (`theirs` None: not installed); the aims: least ratio, most seconds."""
    aim = f"≥ {least}×" + (f", ≤ {most * 1e3:g} ms" if most < np.inf else "")
    if theirs is None:
        return [name, duration(ours), f"{peer} is not installed", "", aim, "not measured"]
    met = theirs / ours >= least and ours <= most
    return [
        name,
        duration(ours),
        f"{peer} {duration(theirs)}",
        f"{theirs / ours:.3g}×",
        aim,
        "yes" if met else "NO",
    ]


def duration(seconds):
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"


def moves(rules, steps, most):
    """Two rows: a slider move at the median and at the 95th percentile."""
    ours, theirs = browser.moves(rules, steps), kernel.moves(rules, steps)
    for part, share, limit in (("median", 50, np.inf), ("95th percentile", 95, most)):
        name = f"slider move, {rules} rules × {steps} steps, {part}"
        yield row(name, np.percentile(ours, share), "kernel", np.percentile(theirs, share), 10, limit)


def limit(name, text, value, most, unit):
    """A line of the table with an aim of its own: at most so many."""
    return [name, text, "", "", f"≤ {most:g} {unit}", "yes" if value <= most else "NO"]


def in_page(rounds=3):
    """Rows on Python in the page: medians of alternating rounds, each in a browser that has loaded nothing yet."""
    page.ready()
    measured = [(*page.exercise(), *page.figure(), page.shipped()) for _ in range(rounds)]
    exercise, again, figure, edited, shipped = np.median(measured, axis=0)
    yield row(
        "first Run of an exercise, to its report", exercise, "Pyodide and NumPy as shipped", shipped, 1.25, 4
    )
    yield limit("the same exercise again", duration(again), again, 0.2, "s")
    yield limit("first Run of a live figure", duration(figure), figure, 8, "s")
    yield limit("its rule edited, to the new figure", duration(edited), edited, 0.5, "s")
    yield limit("what the exercise loads", f"{page.megabytes():.1f} MB", page.megabytes(), 12, "MB")
    yield limit("what reading a page loads more", f"{page.offered():.1f} kB", page.offered(), 5, "kB")


def race(name, ours, peer, make, start, rounds, least):
    """A row: the medians of alternating rounds, after one that is not counted; both must end at the same points."""
    try:
        theirs = make(start)
    except ImportError:
        ours()
        return row(name, np.median([ours()[0] for _ in range(rounds)]), peer, None, least)
    if np.median(np.abs(np.subtract(ours()[1], theirs()[1]))) > 1e-9:
        raise RuntimeError(f"{name}: the two sides end at different points")
    ours, theirs = np.median([(ours()[0], theirs()[0]) for _ in range(rounds)], axis=0)
    return row(name, ours, peer, theirs, least)


def rows():
    """All comparisons, one after the other."""
    yield from in_page()
    for size, most in zip(SIZES, (0.016, 0.033)):
        yield from moves(*size, most)
    one, many = f"one descent, Adam, {STEPS:,} steps", f"{RUNS:,} descents, Adam, {STEPS:,} steps"
    with browser.descent() as in_browser:
        yield race(f"{one}, browser", in_browser, "PyTorch", peers.pytorch, START, 15, 20)
    yield race(f"{one}, fit", peers.book(START), "PyTorch", peers.pytorch, START, 15, 20)
    low, high = np.array(loss.box).T[..., None]
    starts = np.random.default_rng(0).uniform(low, high, (loss.n, RUNS))
    yield race(f"{many}, fit", peers.book(starts), "Optax", peers.optax, starts, 3, 1)


def main():
    load = os.getloadavg()[0]
    lines = [HEAD, *tqdm(rows(), total=2 * len(SIZES) + 9, unit="row", leave=False)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    for line in lines:
        print("  ".join(map(str.ljust, line, widths)).rstrip())
    print(
        f"\n{NOTE}\nLoad average {load:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores."
    )


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(str(error))
