"""Python in the page: from the first press of Run to what it shows, beside Pyodide with NumPy as it is shipped."""

import base64
import gzip
import json
from contextlib import contextmanager
from threading import Thread

from benchmarks.browser import page as chromium_page
from tests.browser.policy import LOCAL, strict
from tools import pyodide
from tools.book import SITE, build

PLACE = """const code = (cell) => cell.querySelector('.cell_input pre')?.textContent ?? '';
  const place = python.cells.findIndex((cell) => code(cell).includes(text));"""
PRESS = f"""async ([text, done]) => {{
  {PLACE}
  const begun = performance.now(), find = () => python.cells[place].querySelector(done);
  const old = find();
  await python.load();
  await python.run(place);
  while (!find() || find() === old) await new Promise(requestAnimationFrame);
  return (performance.now() - begun) / 1000;
}}"""
EDIT = f"""([text, old, fresh]) => {{
  {PLACE}
  python.edit(place);
  const area = python.cells[place].querySelector('.py-text');
  area.value = area.value.replace(old, fresh);
  area.dispatchEvent(new Event('input'));
}}"""
FOLLOW = f"""async ([text]) => {{
  {PLACE}
  const figure = python.cells[python.cells.findIndex((cell) => code(cell).includes('Descent('))];
  const begun = performance.now(), old = figure.querySelector('.fm');
  python.run(place);
  while (!figure.querySelector('.fm') || figure.querySelector('.fm') === old) await new Promise(requestAnimationFrame);
  return (performance.now() - begun) / 1000;
}}"""
SHIPPED = """async ([address, lock]) => {
  const text = `self.onmessage = async () => {
    importScripts("${address}pyodide.js");
    const lockFileURL = URL.createObjectURL(new Blob([${JSON.stringify(lock)}]));
    const python = await loadPyodide({ indexURL: "${address}", lockFileURL });
    await python.loadPackage("numpy", { messageCallback() {} });
    python.runPython("import numpy; numpy.random.default_rng(0).normal()");
    postMessage("done");
  };`;
  const worker = new Worker(URL.createObjectURL(new Blob([text])));
  const begun = performance.now();
  await new Promise((done) => { worker.onmessage = done; worker.postMessage(""); });
  worker.terminate();
  return (performance.now() - begun) / 1000;
}"""


@contextmanager
def chapter(name):
    """A page of a chapter in a browser that has loaded nothing yet."""
    with strict() as site, chromium_page() as live:
        Thread(target=site.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{site.server_port}/"
        live.goto(f"{address}chapters/{name}.html")
        yield live, address
        site.shutdown()


def exercise():
    """Seconds from the first press of Run on Adam's first exercise to its report, and again."""
    with chapter("adam") as (live, _):
        asked = ['check("adam"', ".cell_output .text_html"]
        return live.evaluate(PRESS, asked), live.evaluate(PRESS, asked)


def figure():
    """Seconds from the first press of Run on a figure until it stands, and from an edit of its rule."""
    with chapter("adam") as (live, _):
        first = live.evaluate(PRESS, ["Descent(", ".fm-figure.py-made .fm"])
        live.evaluate(EDIT, ["def adam(", "g**2", "g**4"])
        return first, live.evaluate(FOLLOW, ["def adam("])


def shipped():
    """Seconds until Pyodide stands and NumPy is imported, as shipped."""
    name = next(name for name in pyodide.pinned() if name.startswith("numpy"))
    known = json.loads(pyodide.PINNED.read_text())
    digest = base64.b64decode(known["files"][name]["digest"].removeprefix("sha256-")).hex()
    entry = {"name": "numpy", "version": name.split("-")[1], "file_name": name, "install_dir": "site"}
    entry |= {"sha256": digest, "package_type": "package", "imports": ["numpy"], "depends": []}
    lock = {"info": known["info"], "packages": {"numpy": {**entry, "unvendored_tests": False}}}
    with strict(policy="") as site, chromium_page() as live:
        Thread(target=site.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{site.server_port}"
        live.goto(f"{address}/chapters/intro.html")
        seconds = live.evaluate(SHIPPED, [f"{address}{LOCAL}", json.dumps(lock)])
        site.shutdown()
        return seconds


def ready():
    """Build the site where needed. Raises `RuntimeError` where Pyodide's files are missing."""
    if pyodide.folder() is None:
        raise RuntimeError(pyodide.HOW)
    build()


def megabytes():
    """What the first exercise loads, compressed on its way."""
    manifest = json.loads((SITE / "_static" / "python" / "python.json").read_text())
    needed = {*manifest["core"], *manifest["packages"]["fitlib"], *manifest["packages"]["numpy"]}
    return sum(manifest["files"][name]["sent"] for name in needed) / 1e6


def offered():
    """What a page that is only read loads more, in kB, compressed."""
    files = [SITE / "_static" / "python" / name for name in ("offer.js", "page.css")]
    return sum(len(gzip.compress(file.read_bytes())) for file in files) / 1e3
