"""A chapter's cells, run one at a time with what they need, in the reader's browser or in a test.

Everything that happens goes to `emit`, a function of one plain dict (JSON can hold it) that has "kind" and "cell":

- `{"kind": "progress", "cell", "done", "of"}`: so many of the statements, or of the cells, have run.
- `{"kind": "stream", "cell", "name", "text"}`: what was printed; `name` is "stdout" or "stderr". Comes in pieces.
- `{"kind": "data", "cell", "data"}`: a result or a picture: MIME type -> text (PNG as base64). The richest
  comes first: text/html, text/latex, image/svg+xml, image/png, text/plain. Alternative text of a picture is the page's.
- `{"kind": "figure", "cell", "figure", "spec"}`: a live figure: its kind, such as "descent", and its spec.
- `{"kind": "controls", "cell", "id", "controls"}`: sliders of `interact`; its pictures follow, each with "id", and
  replace those with the same "id" that came before. A control is a dict: `name`, `label`, `kind`, `value` and
    "range": `lo`, `hi`, `step`, `base` (None; else the value meant is `base ** value`);
    "choice": `options` (texts), `value` is the index; "check": `value` is a bool.
- `{"kind": "error", "cell", "index", "name", "message", "line", "text"}`: an exception, in words. `index` is the cell
  it arose in (another than "cell" if an earlier one failed), `line` (from 1; None) and `text` the line there.
"""


class Session:
    """The code cells of a chapter and a namespace in which they run.

    `cells` are the published texts in order, `texts` everywhere the reader's edits, index -> text. Nothing of
    NumPy is imported before the first `run`.
    """

    def __init__(self, cells):
        self.cells, self.shown = list(cells), {}

    def packages(self, index, texts):
        """Top-level modules outside the standard library and fitlib that cell `index` imports, sorted."""

    def run(self, index, texts, emit):
        """Run what cell `index` needs and has not run as it now stands, then the cell.

        Returns None when done, "error" after an error was emitted, or the name of a top-level module that
        turned out to be missing (found while running: a lazy import): load it and call `run` again; what was emitted
        for the cell is void then.
        """

    def run_all(self, indices, texts, emit):
        """Run these cells one after another; ends at an error and returns as `run`. Progress has `"cell": None`."""

    def set(self, id, values, emit):
        """Move controls, name -> value, of the `interact` with this id; emits its new outputs, each with "id"."""

    def stale(self, texts):
        """Cells whose output, published or of the last run, came from other texts than these; indices.

        What the last runs came from is `shown`, index -> fingerprint, plain data that can be given to another session.
        """

    def followers(self, index, texts):
        """Cells that make a live figure from something that cell `index` binds, however far; indices."""
