"""A chapter's cells, run one at a time with what they need, in the reader's browser or in a test.

Everything that happens goes to `emit`, a function of one plain dict (JSON can hold it) that has "kind" and "cell":

- `{"kind": "progress", "cell", "done", "of"}`: so many of the statements that the cell needs have run.
- `{"kind": "stream", "cell", "name", "text"}`: what was printed, in pieces; `name` is "stdout" or "stderr". A "\\r" in
  it goes back to the beginning of its line.
- `{"kind": "data", "cell", "data"}`: a result or a picture: MIME type -> text (PNG as base64), the richest first.
  Alternative text of a picture is the page's.
- `{"kind": "figure", "cell", "figure", "spec"}`: a live figure: its kind, such as "descent", and its spec.
- `{"kind": "controls", "cell", "id", "controls"}`: those of an `interact`; what its function gives follows, each with
  the same "id", and again after `set`: then it replaces what came before. A control is a dict: `name`, `label`,
  `value`, `kind`: "range" with `lo`, `hi`, `step`, `base` (None; else the value meant is `base ** value`),
  "choice" with `options` (texts; `value` is the index), or "check" (`value` is a bool).
- `{"kind": "error", "cell", "index", "name", "message", "line", "text"}`: an exception. `name` is its type, None where
  the message is a sentence of its own; `index` is the cell it arose in (another than "cell" if an earlier one that it
  needs failed), `line` (from 1) and `text` the innermost line there, None where no cell is to blame.
"""

import ast
import base64
import builtins
import io
import linecache
import os
import sys
import time
import traceback
import types
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from fitlib.page import widgets
from fitlib.page.needs import Chapter, due, imported, reached

PRINTED = 100_000  # characters of what a cell prints, and of one result, that are shown
METHODS = {
    "text/html": "_repr_html_",
    "text/latex": "_repr_latex_",
    "image/svg+xml": "_repr_svg_",
    "image/png": "_repr_png_",
}
HERE = ("fitlib", "experiments")  # packages that come with the page


class Session:
    """The code cells of a chapter and a namespace in which they run.

    `cells` are the published texts in order; `texts` is everywhere the reader's edits, index -> text. `modules` is the
    table of `fitlib.page.needs.imports`, which `packages` reads; `loadable` are modules that `run` may ask for.
    Neither NumPy nor anything else outside the standard library is imported before a cell does.
    """

    def __init__(self, cells, modules=None, loadable=()):
        self.cells, self.modules, self.loadable = list(cells), modules or {}, set(loadable)
        self.shown = {}  # index -> what the output of its last run came from; plain data, for another session
        self._scope = {"__name__": "__main__", "__builtins__": {**vars(builtins), **BUILTINS}}
        self._state = {}  # name -> key of the statement that left it as it is
        self._files = {}  # name of a compiled text -> index of its cell
        self._interactions = {}
        self._waiting = {}  # cells that are run one after another -> how many have run before a module was missing
        self._chapters = {}

    def packages(self, index, texts):
        """Top-level modules outside the standard library and fitlib that cell `index` imports, sorted."""
        nodes = [s.node for s in self._chapter(texts).behind(index) if s.node]
        names = {name.split(".")[0] for name in reached(imported(walk(nodes)), self.modules)}
        return sorted(names - sys.stdlib_module_names - {"fitlib", "ipywidgets"})

    def run(self, index, texts, emit):
        """Run what cell `index` needs and has not run as it now stands, then the cell.

        Returns None when done, "error" after an error was emitted, or the name of a loadable module that is
        missing: load it and call `run` again; what was emitted for the cell is void then.
        """
        chapter = self._chapter(texts)
        output, own = Output(index, emit), chapter.cells[index]
        self._interactions = {id: one for id, one in self._interactions.items() if one[0].cell != index}
        missing = self._carry_out(chapter, due(own, self._state), own, output)
        if missing in (None, "error"):
            self.shown[index] = chapter.key(index)
        return missing

    def run_all(self, indices, texts, emit):
        """Run cells one after another, with progress whose "cell" is None; ends at an error. Returns as `run`.

        Called again after a missing module was loaded, it goes on where it was.
        """
        done = self._waiting.pop(tuple(indices), 0)
        for index in indices[done:]:
            outcome = self.run(index, texts, emit)
            if outcome == "error":
                return outcome
            if outcome:
                self._waiting[tuple(indices)] = done
                return outcome
            done += 1
            emit({"kind": "progress", "cell": None, "done": done, "of": len(indices)})
        return None

    def set(self, id, values, emit):
        """Move controls, name -> value, of the `interact` with this id; emits what its function gives now."""
        statement, chapter, interaction = self._interactions[id]
        output = Output(statement.cell, emit, id)
        for name, value in values.items():
            interaction.controls[name].read(value)
        needed = due([statement], self._state)[:-1]
        return self._carry_out(chapter, needed, [], output, lambda: output.show(interaction()))

    def stale(self, texts):
        """Cells whose output, published or of the last run, came from other texts than these; indices."""
        now, published = self._chapter(texts), self._chapter({})
        return [i for i in range(len(self.cells)) if now.key(i) != self.shown.get(i, published.key(i))]

    def followers(self, index, texts):
        """Cells below that make a live figure from something that cell `index` binds, however far; indices."""
        chapter, own = self._chapter(texts), set(self._chapter(texts).cells[index])
        return [
            i
            for i in range(index + 1, len(self.cells))
            if any(makes_figure(s) for s in chapter.cells[i]) and own & set(chapter.behind(i))
        ]

    # --- running

    def _chapter(self, texts):
        edits = {int(index): text for index, text in texts.items()}
        now = tuple(edits.get(i, text) for i, text in enumerate(self.cells))
        if now not in self._chapters:
            published = tuple(self.cells)
            kept = {published: self._chapters[published]} if published in self._chapters else {}
            self._chapters = {**kept, now: Chapter(now, self.cells)}
        return self._chapters[now]

    def _carry_out(self, chapter, todo, own, output, afterwards=lambda: None):
        """Run statements, silently but for those of `own`; "error", the name of a missing module, or None."""
        statement, needed = None, len(todo) - len(own)
        widgets.CREATED.clear()
        with output.capture():
            try:
                for done, statement in enumerate(todo):
                    output.silent = done < needed
                    if done == needed:
                        output.close()
                    self._execute(statement, chapter, statement is (own or [None])[-1], output)
                    if output.silent:
                        output.emit("progress", done=done + 1, of=needed)
                    self._connect(statement, chapter, output)
                output.silent = False
                afterwards()
                output.pictures()
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                top = (error.name or "").split(".")[0] if isinstance(error, ModuleNotFoundError) else None
                if top in self.loadable:
                    self.loadable.discard(top)  # asked for once
                    output.close()
                    return top
                output.pictures()  # what it drew before
                output.silent = False
                output.emit("error", **self._told(error, statement, chapter, output.cell))
                return "error"
        return None

    def _execute(self, statement, chapter, last, output):
        if statement.error:
            raise statement.error
        for name, source in statement.inputs.items():
            if source is None and not name.startswith("__"):  # bound by a cell below, or by what failed
                self._scope.pop(name, None)
                self._state.pop(name, None)
        for name in statement.touched:
            self._state.pop(name, None)  # unknown until it has run
        text, node = chapter.texts[statement.cell], statement.node
        file = self._file(statement.cell, text)
        if last and isinstance(node, ast.Expr) and not silenced(text, node):
            value = eval(compile(ast.Expression(node.value), file, "eval"), self._scope)
            if not any(value is made.function for made in widgets.CREATED):
                output.show(value)
        else:
            exec(compile(ast.Module([node], []), file, "exec"), self._scope)
        self._state.update(dict.fromkeys(statement.touched, statement.key))

    def _file(self, index, text):
        """The name under which the text of a cell is compiled, known to `inspect.getsource`."""
        name = f"<cell {index} {hash(text):x}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        self._files[name] = index
        return name

    def _connect(self, statement, chapter, output):
        """Show the controls that a statement made, and what their functions give."""
        made, widgets.CREATED[:] = list(widgets.CREATED), []
        if output.silent:
            return
        for interaction in made:
            number = sum(one[0].cell == statement.cell for one in self._interactions.values())
            id = f"{statement.cell}.{number}"
            self._interactions[id] = statement, chapter, interaction
            output.emit("controls", id=id, controls=interaction.specs())
            output.id = id
            output.show(interaction())
            output.pictures()
            output.id = None

    def _told(self, error, statement, chapter, cell):
        """An exception in words, and the line of a cell that it comes from."""
        report = traceback.TracebackException.from_exception(error, lookup_lines=False)
        said = list(report.format_exception_only())
        own = [frame for frame in report.stack if frame.filename in self._files]
        index, line = (self._files[own[-1].filename], own[-1].lineno) if own else (cell, None)
        if isinstance(error, SyntaxError) and (statement.error is error or error.filename in self._files):
            index, line = self._files.get(error.filename, statement.cell), error.lineno
            message = error.msg
        else:
            message = "".join(said).strip().partition(": ")[2]
        if isinstance(error, NameError) and any(
            error.name in s.touched and s.cell > index for s in chapter.statements
        ):
            message += ". A cell below makes it, but a cell runs with what stands above it alone."
        lines = chapter.texts[index].splitlines()
        ours = type(error).__module__.startswith("fitlib")
        return {
            "index": index,
            "name": None if ours else type(error).__name__.lstrip("_"),
            "message": message[:2000],
            "line": line,
            "text": lines[line - 1].strip() if line and line <= len(lines) else None,
        }


class Output:
    """Where a cell's output goes: what is printed, shown and drawn, as events; nothing while it is `silent`."""

    current = None

    def __init__(self, cell, emit, id=None):
        self.cell, self.id, self.silent, self._emit = cell, id, True, emit
        self.left = PRINTED
        self.streams = {name: Stream(self, name) for name in ("stdout", "stderr")}

    def emit(self, kind, **rest):
        for stream in self.streams.values():
            stream.flush()
        self._emit({"kind": kind, "cell": self.cell, **({"id": self.id} if self.id else {}), **rest})

    @contextmanager
    def capture(self):
        before, Output.current = Output.current, self
        try:
            with redirect_stdout(self.streams["stdout"]), redirect_stderr(self.streams["stderr"]):
                yield
        finally:
            Output.current = before
            if self.left < 0:
                self.left = PRINTED
                self.streams["stderr"].write(f"\n… {PRINTED:,} characters are shown of what was printed.\n")
            for stream in self.streams.values():
                stream.flush()

    def show(self, value):
        """Emit a value as Jupyter would display it."""
        if value is None or self.silent:
            return
        base = sys.modules.get("fitlib.figures.base")
        if base and isinstance(value, base.Figure):
            self.emit("figure", figure=value.kind, spec=value.now())
        elif not any(value is figure for figure in drawn()):  # those are shown when the cell ends
            self.emit("data", data=bundle(value))

    def pictures(self):
        """Emit Matplotlib's open figures and close them."""
        if not self.silent:
            for figure in drawn():
                self.emit("data", data={"image/png": png(figure), "text/plain": repr(figure)})
        self.close()

    @staticmethod
    def close():
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")


class Stream(io.TextIOBase):
    """Takes what is printed and emits it in pieces, up to a limit."""

    encoding = "utf-8"

    def __init__(self, output, name):
        self.output, self.name, self.pieces, self.size, self.last = output, name, [], 0, 0.0

    def writable(self):
        return True

    def write(self, text):
        if not self.output.silent and self.output.left >= 0:
            self.pieces.append(text[: self.output.left])
            self.size += len(text)
            self.output.left -= len(text)
            if self.size > 8192 or time.monotonic() - self.last > 0.1:
                self.flush()
        return len(text)

    def flush(self):
        text, self.pieces, self.size, self.last = "".join(self.pieces), [], 0, time.monotonic()
        if text:
            self.output.emit("stream", name=self.name, text=text)


def bundle(value):
    """What a value shows itself as: MIME type -> text, the richest first."""
    data = {}
    if hasattr(type(value), "_repr_mimebundle_"):
        found = value._repr_mimebundle_()
        data = dict(found[0] if isinstance(found, tuple) else found or {})
    elif hasattr(type(value), "savefig") and "matplotlib.figure" in sys.modules:
        data["image/png"] = png(value)
    else:
        for kind, method in METHODS.items():
            found = getattr(value, method)() if hasattr(type(value), method) else None
            if found is not None:
                data[kind] = base64.b64encode(found).decode() if isinstance(found, bytes) else found
    data.setdefault("text/plain", repr(value)[:PRINTED])
    return {kind: text for kind, text in data.items() if isinstance(text, str)}


def drawn():
    """Matplotlib's open figures."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return [pyplot.figure(number) for number in pyplot.get_fignums()] if pyplot else []


def png(figure):
    """A picture of a Matplotlib figure, as base64."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight")
    return base64.b64encode(buffer.getvalue()).decode()


def silenced(text, node):
    """Whether a semicolon ends the last expression of a cell: then its value is not shown."""
    lines = text.encode().splitlines()[node.end_lineno - 1 :]
    rest = b"\n".join([lines[0][node.end_col_offset :], *lines[1:]])
    return rest.lstrip().startswith(b";")


def makes_figure(statement):
    """Whether a statement calls a kind of live figure."""
    kinds = {
        name
        for name, source in statement.inputs.items()
        if source and name[0].isupper() and source.text.startswith("from fitlib.figures import ")
    }
    return bool(kinds & statement.names.reads)


def walk(nodes):
    """All nodes under the nodes."""
    return (inner for node in nodes for inner in ast.walk(node))


def display(*values):
    """Show values in the output of the cell that runs."""
    for value in values:
        Output.current.show(value)


def refuse(prompt=""):
    raise RuntimeError("input() has nobody to ask here; write the value into the cell")


BUILTINS = {"display": display, "input": refuse}


def prepare():
    """Make this interpreter a page's: Matplotlib draws to memory, `interact` and `display` are the page's own."""
    os.environ["MPLBACKEND"] = "agg"
    shell, shown = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    shell.get_ipython, shell.version_info, shell.display = (
        lambda: None,
        (9,),
        shown,
    )  # Matplotlib asks for them
    shown.display = display
    sys.modules |= {"ipywidgets": widgets, "anywidget": None, "IPython": shell, "IPython.display": shown}
    warnings.filterwarnings(
        "ignore", "FigureCanvasAgg is non-interactive"
    )  # plt.show(): the cell shows it anyway
    warnings.showwarning = lambda message, category, *place: sys.stderr.write(
        f"{category.__name__}: {message}\n"
    )
