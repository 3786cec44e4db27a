"""The table: `python -m benchmarks`. Times are of this machine in this run; the ratios are what is compared."""

import os
import sys
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from benchmarks import browser, kernel, peers
from benchmarks.setting import SIZES, START, STEPS
from fitlib.gabor import loss

RUNS = 4096
NOTE = """A slider move is its handler and the frame until it is painted; the wait for the screen's next frame is
left out. The kernel route ends where the picture is sent: what a browser needs to show it is left out."""


@dataclass
class Row:
    """One comparison: seconds, the least ratio theirs / ours, and the most seconds where there is such an aim."""

    name: str
    peer: str
    ours: float = np.nan
    theirs: float = np.nan
    least: float = 1.0
    most: float = np.inf
    missing: str = ""

    @property
    def ratio(self):
        return self.theirs / self.ours

    @property
    def met(self):
        return self.ours <= self.most and self.ratio >= self.least

    def cells(self):
        aim = f"≥ {self.least:g}×" + (f", ≤ {self.most * 1e3:g} ms" if np.isfinite(self.most) else "")
        if self.missing:
            return [self.name, duration(self.ours), f"{self.peer}: {self.missing}", "", aim, "not measured"]
        theirs = f"{self.peer} {duration(self.theirs)}"
        return [
            self.name,
            duration(self.ours),
            theirs,
            f"{self.ratio:.3g}×",
            aim,
            "yes" if self.met else "NO",
        ]


def duration(seconds):
    if np.isnan(seconds):
        return "–"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"


def slider_moves(rules, steps, most):
    """Two rows: a slider move at the median and at the 95th percentile."""
    ours, theirs = browser.moves(rules, steps), kernel.moves(rules, steps)
    for part, share, limit in (("median", 50, np.inf), ("95th percentile", 95, most)):
        name = f"slider move, {rules} rules × {steps} steps, {part}"
        times = np.percentile(ours, share), np.percentile(theirs, share)
        yield Row(name, "kernel", *times, least=10, most=limit)


def race(name, peer, ours, make_theirs, rounds, least):
    """A row: the medians of alternating rounds, after one that is not counted; both must end at the same points."""
    try:
        theirs = make_theirs()
    except ImportError:
        ours()
        times = [ours()[0] for _ in range(rounds)]
        return Row(name, peer, np.median(times), least=least, missing="not installed")
    if np.median(np.abs(np.subtract(ours()[1], theirs()[1]))) > 1e-9:
        raise RuntimeError(f"{name}: the two sides end at different points")
    times = np.median([(ours()[0], theirs()[0]) for _ in range(rounds)], axis=0)
    return Row(name, peer, *times, least=least)


def rows():
    """All comparisons, one after the other."""
    for (rules, steps), most in zip(SIZES, (0.016, 0.033)):
        yield from slider_moves(rules, steps, most)
    one = f"one descent with Adam, {STEPS:,} steps"
    with browser.descent() as in_browser:
        yield race(f"{one}, browser", "PyTorch", in_browser, lambda: peers.pytorch(START), 15, 20)
    yield race(f"{one}, fit", "PyTorch", peers.book(START), lambda: peers.pytorch(START), 15, 20)
    low, high = np.array(loss.box).T[..., None]
    starts = np.random.default_rng(0).uniform(low, high, (loss.n, RUNS))
    many = f"{RUNS:,} descents with Adam, {STEPS:,} steps, fit"
    yield race(many, "Optax", peers.book(starts), lambda: peers.optax(starts), 3, 1)


def table(lines):
    """Lines of cells as text, in columns."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def main():
    load, cores = os.getloadavg()[0], os.cpu_count()
    done = list(tqdm(rows(), total=2 * len(SIZES) + 3, unit="row", leave=False))
    print(table([["", "ours", "theirs", "ratio", "aim", "met"], *(row.cells() for row in done)]))
    print(f"\n{NOTE}\nLoad average {load:.1f} before and {os.getloadavg()[0]:.1f} after, on {cores} cores.")


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(str(error))
