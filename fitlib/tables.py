"""Results as tables: `table` shows columns with their heads, as HTML on a page and as text elsewhere."""

import html

import numpy as np


class Table:
    """What `table` returns: heads and the texts of the cells, row by row. The first column names the rows."""

    def __init__(self, heads, rows, caption=""):
        self.heads, self.rows, self.caption = heads, rows, caption

    def __repr__(self):
        widths = [max(map(len, column)) for column in zip(self.heads, *self.rows)]
        lines = [
            "  ".join([first.ljust(widths[0]), *(text.rjust(w) for text, w in zip(rest, widths[1:]))]).rstrip()
            for first, *rest in [self.heads, *self.rows]
        ]
        return "\n".join([self.caption, *lines] if self.caption else lines)

    def _repr_html_(self):
        def row(texts, first, other):
            name, *rest = map(html.escape, texts)
            return f"<tr>{first.format(name)}{''.join(other.format(text) for text in rest)}</tr>"

        head = row(self.heads, *['<th scope="col">{}</th>'] * 2)
        body = "".join(row(texts, '<th scope="row">{}</th>', "<td>{}</td>") for texts in self.rows)
        caption = f"<caption>{html.escape(self.caption)}</caption>" if self.caption else ""
        return f'<div class="fm-table"><table>{caption}<thead>{head}</thead><tbody>{body}</tbody></table></div>'


def table(columns, formats=None, caption=""):
    """A table from `columns`, head -> values of equal number; units belong into the heads.

    Numbers are shown by the format of their head in `formats` (`".2f"`, or a function that returns text), else with
    three significant digits, so that they are the same on every machine; texts stay as they are.
    Raises `ValueError` where a head is empty or the columns differ in length.
    """
    formats = formats or {}
    if not columns or not all(head.strip() for head in columns):
        raise ValueError("every column of a table has a head that is not empty")
    if len({len(values) for values in columns.values()}) > 1:
        sizes = {head: len(values) for head, values in columns.items()}
        raise ValueError(f"the columns of a table have the same length; got {sizes}")
    unknown = set(formats) - set(columns)
    if unknown:
        raise ValueError(f"formats names no column: {', '.join(sorted(unknown))}")
    texts = [[_text(value, formats.get(head, ".3g")) for value in values] for head, values in columns.items()]
    return Table(list(columns), list(zip(*texts)), caption)


def _text(value, form):
    """The text of a cell; a minus is a minus sign, as in the text."""
    if isinstance(value, str):
        return value
    if callable(form):
        return form(value)
    whole = isinstance(value, (int, np.integer)) and form == ".3g"
    return str(value) if whole or isinstance(value, bool) else format(value, form).replace("-", "−")


def plus_minus(mean, error, signed=False):
    """`mean ± error` as text, both to the second significant digit of the error: `0.120 ± 0.016`."""
    if not (np.isfinite(mean) and np.isfinite(error) and error > 0):
        return f"{mean:.3g} ± {error:.1g}".replace("-", "−")
    digits = max(0, 1 - int(np.floor(np.log10(float(f"{error:.1e}")))))
    return f"{mean:{'+' if signed else ''}.{digits}f} ± {error:.{digits}f}".replace("-", "−")
