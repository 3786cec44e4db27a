"""The browser's side: a slider of the live figure, and the descent that its JavaScript computes."""

from contextlib import contextmanager

from playwright.sync_api import sync_playwright

from benchmarks.setting import ADAM, HIGH, LOW, RULES, START, STEPS
from fitlib import gabor
from fitlib.figures import Descent, slider
from fitlib.figures.base import HERE, module
from fitlib.figures.site import host
from fitlib.optimizers import adam
from fitlib.symbolic import Rule
from tools import browser as chromium

# Own request first: it is the first to run in the frame, and its message is delivered after the frame is painted.
MOVES = """async () => {
  const labels = [...document.querySelectorAll(".fm-slider")];
  const input = labels.find((node) => node.textContent.startsWith("learning rate")).querySelector("input");
  const drawn = () => document.querySelector(".fm-map .fm-done").getAttribute("d"), times = [];
  for (let i = 0, before = drawn(); i <= Number(input.max); i++) {
    const { port1, port2 } = new MessageChannel();
    let frame;
    const painted = new Promise((done) => { port1.onmessage = () => done(performance.now()); });
    requestAnimationFrame(() => { frame = performance.now(); port2.postMessage(0); });
    input.value = i;
    const begun = performance.now();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    const handled = performance.now();
    times.push((handled - begun + (await painted) - frame) / 1000);
    if (before === (before = drawn())) throw new Error(`nothing was drawn at position ${i}`);
  }
  return times;
}"""
DESCENT = """async ([text, start, steps, hyper, data]) => {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const { descend, rule, value, gradient } = await import(url);
  const columns = data.map((column) => Float64Array.from(column));
  const all = Int32Array.from(columns[0], (_, i) => i);
  window.descent = () => {
    const begun = performance.now();
    const run = descend(rule, hyper, start, steps, (g) => gradient(g, [], columns, all, g),
      (phi) => value(phi, [], columns, all), true);
    return [(performance.now() - begun) / 1000, [run.xs[steps], run.ys[steps]]];
  };
}"""


@contextmanager
def page():
    """A page of headless Chromium. Raises `RuntimeError` where there is no Chromium."""
    path = chromium.find()
    if path is None:
        raise RuntimeError(chromium.HOW)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)
        yield browser.new_page()
        browser.close()


def figure(rules, steps):
    """The live figure with this many rules and steps."""
    alpha = slider(LOW, HIGH, 2, log=True)
    return Descent(gabor.loss, RULES[:rules], start=START, steps=steps, alpha=alpha, model=gabor.gabor)


def moves(rules, steps):
    """Seconds of work for each position of the slider: its handler, and the frame until it is painted."""
    with page() as live:
        style = (HERE / "figures.css").read_text(encoding="utf-8")
        body = f"<main style='width: 760px'>{figure(rules, steps).html()}</main>"
        live.set_content(f"<!doctype html><style>{style}</style>{body}<script>{host()}</script>")
        live.wait_for_selector(".fm")
        return live.evaluate(MOVES)


@contextmanager
def descent():
    """A function that runs one descent with Adam in a page: seconds and the last point."""
    rule, loss = Rule(adam), gabor.loss
    text = f"""{module("descent")}
export {{ descend }};
export const rule = {{ initial: {rule.initial}, step: {rule.javascript()} }};
export const value = {loss.javascript("value")};
export const gradient = {loss.javascript("gradient")};"""
    with page() as live:
        hyper = [ADAM[name] for name in rule.hyper]
        live.evaluate(DESCENT, [text, START, STEPS, hyper, [column.tolist() for column in loss.data]])
        yield lambda: live.evaluate("descent()")
