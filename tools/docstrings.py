"""Let the API page read docstrings as they are written: text with `code` and *emphasis*, as in Markdown.

A Sphinx extension: autodoc takes docstrings for reStructuredText, where a lone `|`, `*` or `_` has a meaning.
"""

import re


def escape(line):
    """The line of Markdown as reStructuredText: `code` in double backticks, and no other sign special."""
    parts = re.split(r"(`[^`]+`|\*\w[^*]*\w\*)", line)
    parts[0::2] = [re.sub(r"([*|\\]|(?<=\w)_(?!\w))", r"\\\1", text) for text in parts[0::2]]
    parts[1::2] = [f"``{part.strip('` ')}``" if part[0] == "`" else part for part in parts[1::2]]
    return "".join(parts)


def spaced(lines):
    """The lines with an empty one before every item of a list and behind the last."""
    inside = False
    for line in lines:
        item, goes_on = line.startswith("- "), line.startswith(" ") or not line
        if item or (inside and not goes_on):
            yield ""
        inside = item or (inside and goes_on)
        yield line


def rewrite(app, what, name, obj, options, lines):
    lines[:] = map(escape, spaced(list(lines)))


def setup(app):
    app.connect("autodoc-process-docstring", rewrite)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
