"""Sphinx extension: the host script and the stylesheet of the live figures, on the pages that have a figure.

List `fitlib.figures.site` among the extensions. It adds `figures.js` (the host with every source)
and `figures.css` to the site's `_static`.
"""

import json
from pathlib import Path

from fitlib.figures.base import HERE, Figure, source


def host():
    """The host script with the sources it carries: the kit once, and every kind."""
    import fitlib.figures  # noqa: F401  (every kind is a subclass once it is imported)

    sources = {name: source(name) for name in ["kit", *(cls.kind for cls in Figure.__subclasses__())]}
    return f"const SOURCES = {json.dumps(sources, sort_keys=True, ensure_ascii=False)};\n{source('host')}"


def write(app, config):
    """Write both files beside the doctrees, from where Sphinx copies them."""
    folder = Path(app.doctreedir) / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "figures.js").write_text(host(), encoding="utf-8")
    (folder / "figures.css").write_text((HERE / "figures.css").read_text(encoding="utf-8"), encoding="utf-8")
    config.html_static_path.append(str(folder))


def add(app, page, template, context, doctree):
    """Ask for both files on a page that has a figure."""
    if 'class="fm-figure"' in context.get("body", ""):
        app.add_js_file("figures.js", loading_method="defer")
        app.add_css_file("figures.css")


def setup(app):
    app.connect("config-inited", write)
    app.connect("html-page-context", add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
