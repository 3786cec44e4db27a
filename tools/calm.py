"""Keep checks out of the way of who reads: a cell that only checks is folded behind "✓ checked" on the site.

A Sphinx extension. A notebook keeps its cells as they are; when it is read for the site, a cell that asserts and
shows nothing gets the tag and the words of a fold. The name of a fold is what it says.
"""

import ast
import json


def only_checks(cell):
    """Whether a code cell asserts something and shows nothing, or is hidden with what it prints."""
    hidden = "hide-cell" in cell["metadata"].get("tags", [])
    if cell["cell_type"] != "code" or (cell["outputs"] and not hidden):
        return False
    return any(isinstance(statement, ast.Assert) for statement in ast.parse("".join(cell["source"])).body)


def fold(app, docname, content):
    """Fold the cells that only check, in the text of a notebook that is read."""
    if not app.env.doc2path(docname).endswith(".ipynb"):
        return
    notebook = json.loads(content[0])
    for cell in filter(only_checks, notebook["cells"]):
        metadata = cell["metadata"]
        tags = metadata.get("tags", [])
        if "hide-cell" not in tags:
            metadata["tags"] = [*tags, *{"hide-input"}.difference(tags)]
        metadata.setdefault("mystnb", {}).update(code_prompt_show="✓ checked", code_prompt_hide="✓ checked")
    content[0] = json.dumps(notebook)


def name(app, page, template, context, doctree):
    """A fold is called by its visible words."""
    if "body" in context:
        context["body"] = context["body"].replace('<summary aria-label="Toggle hidden content">', "<summary>")


def setup(app):
    app.connect("source-read", fold)
    app.connect("html-page-context", name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
