"""Every cell of every chapter, each in a session that is new: `python tests/page_sweep.py [chapter ...]`.

Prints a line for each cell whose output is not the stored one, or that leaves other values behind than a run of the
chapter from its top, and for each that takes more than five seconds with what it needs.
"""

import hashlib
import json
import os
import re
import sys
import time
import types
from pathlib import Path

import nbformat
import numpy as np
from threadpoolctl import threadpool_limits

from fitlib.page.session import Output, Session, prepare

CHAPTERS = Path(__file__).parent.parent / "chapters"
NOT_STORED = {"exercise", "nbval-ignore-output", "remove-output"}  # tags
EXCEPTIONS = {}  # (chapter, index of the cell) -> why it differs


def code_cells(name):
    return [cell for cell in nbformat.read(CHAPTERS / f"{name}.ipynb", 4).cells if cell.cell_type == "code"]


def digest(value, depth=0, seen=()):
    """A text that is equal for equal values."""
    if depth > 8 or id(value) in seen:
        return "…"
    seen = (*seen, id(value))

    def inner(part):
        return digest(part, depth + 1, seen)

    if isinstance(value, np.ndarray) and value.dtype != object:
        return f"{value.shape}{hashlib.sha1(np.ascontiguousarray(value).tobytes()).hexdigest()[:10]}"
    if isinstance(value, np.random.Generator):
        return str(value.bit_generator.state)
    if isinstance(value, dict):
        return str([(inner(key), inner(part)) for key, part in value.items()])
    if isinstance(value, (list, tuple)):
        return str([inner(part) for part in value])
    if isinstance(value, types.FunctionType):
        cells = [inner(cell.cell_contents) for cell in value.__closure__ or ()]
        return f"{value.__name__}{value.__code__.co_code.hex()}{value.__code__.co_names}{cells}"
    if isinstance(value, types.ModuleType | type) or value is None or isinstance(value, (str, int, float)):
        return repr(value)
    if type(value).__module__.startswith(("fitlib", "__main__")) and hasattr(value, "_spec"):
        return json.dumps(value.now())
    if type(value).__module__.startswith(("fitlib", "__main__", "experiments")) and hasattr(
        value, "__dict__"
    ):
        return type(value).__name__ + inner({k: v for k, v in vars(value).items() if k != "_compiled"})
    return type(value).__name__ + re.sub(r"0x[0-9a-f]+", "", repr(value))


def outputs(events):
    """What a cell gave, as the notebook stores it: printed text, then results by type."""
    found = []
    for event in events:
        if event["kind"] == "stream" and found and found[-1][0] == event["name"]:
            found[-1] = event["name"], found[-1][1] + event["text"]
        elif event["kind"] == "stream":
            found.append((event["name"], event["text"]))
        elif event["kind"] == "figure":
            found.append(("figure", event["spec"]))
        elif event["kind"] == "data":
            data = event["data"]
            found.append(("picture", None) if "image/png" in data else ("data", data))
        elif event["kind"] != "progress":
            found.append((event["kind"], event.get("message")))
    return found


def stored(cell):
    """The same of a notebook's cell."""
    found = []
    for output in cell.outputs:
        if output.output_type == "stream":
            found.append((output.name, output.text))
        elif output.output_type == "error":
            found.append(("error", output.evalue))
        elif "fm-figure" in output.data.get("text/html", ""):
            text = re.search(r"<script[^>]*>(.*?)</script>", output.data["text/html"], re.S)[1]
            found.append(("figure", json.loads(text)))
        elif "image/png" in output.data:
            found.append(("picture", None))
        else:
            found.append(("data", {k: v for k, v in output.data.items() if k.startswith("text/")}))
    return found


def values(scope, statements):
    """Digests of the names that a cell leaves, as they are now."""
    names = set().union(*(s.touched for s in statements))
    return {name: digest(scope[name]) for name in sorted(names) if name in scope}


def from_top(texts):
    """What each cell leaves behind when all are run in order, without a look at what they need."""
    session = Session(texts)
    chapter = session._chapter({})
    for index, text in enumerate(texts):
        with Output(index, lambda event: None).capture():
            exec(compile(text, session._file(index, text), "exec"), session._scope)
            Output.close()
        yield values(session._scope, chapter.cells[index])


def sweep(name, sample=False):
    """Per cell: its index, seconds, statements it needed, and what differs (empty where nothing does).

    Each cell in a session of its own, against the stored outputs and the values of a run from the top; or, as a sample,
    those that `quick` picks, from the last to the first in one session, against the stored outputs.
    """
    cells = code_cells(name)
    texts = [cell.source for cell in cells]
    os.chdir(CHAPTERS)
    sys.path.insert(0, str(CHAPTERS))
    prepare()
    session = Session(texts)
    expected = None if sample else list(from_top(texts))
    for index in quick(session)[::-1] if sample else range(len(cells)):
        one, events, start = session if sample else Session(texts), [], time.process_time()
        one.run(index, {}, events.append)
        seconds, wrong, chapter = time.process_time() - start, [], one._chapter({})
        got, wanted = outputs(events), stored(cells[index])
        if got != wanted and not NOT_STORED & set(cells[index].metadata.get("tags", [])):
            wrong.append(f"output {str(got)[:300]} instead of {str(wanted)[:300]}")
        if expected:
            now = values(one._scope, chapter.cells[index])
            wrong += [f"value of {n}" for n in expected[index] if now.get(n) != expected[index][n]]
        yield index, seconds, len(chapter.behind(index)), wrong


def quick(session):
    """The cells that need no loop, no fit, no digits and no picture."""
    chapter = session._chapter({})
    slow = {
        s for s in chapter.statements if re.search(r"\b(for|while|fit|digits|subplots|interact)\b", s.text)
    }
    return [index for index in range(len(chapter.cells)) if not slow & set(chapter.behind(index))]


def main(*names):
    found = 0
    for name in names or sorted(path.stem for path in CHAPTERS.glob("*.ipynb")):
        begin, total = time.process_time(), 0
        for index, seconds, needed, wrong in sweep(name):
            total += seconds
            wrong = [] if (name, index) in EXCEPTIONS else wrong
            found += bool(wrong)
            if wrong or seconds > 5:
                print(f"{name} {index}: {seconds:.1f} s, {needed} statements", *wrong, sep="\n    ")
        print(f"{name}: {total:.1f} s, from the top {time.process_time() - begin - total:.1f} s", flush=True)
    return found


if __name__ == "__main__":
    with threadpool_limits(1):
        sys.exit(main(*sys.argv[1:]))
