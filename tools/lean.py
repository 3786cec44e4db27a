"""Keep the built site lean: mathematics from the site itself, and no file that no page asks for.

A Sphinx extension. MathJax comes from the package sphinx-mathjax-offline: of its 24 MB the site gets the 2 MB
that pages ask for, and its menu (0.1 MB gzipped on every page) is left out. The theme's icon fonts go too:
book.css draws the icons.
"""

import importlib
from pathlib import Path
from shutil import copy2, rmtree

MATHJAX = Path(importlib.import_module("sphinx-mathjax-offline").__file__).parent / "static" / "mathjax"
WANTED = [
    "startup.js",
    "core.js",
    "input/tex.js",
    "input/tex/extensions/*.js",
    "output/chtml.js",
    "output/chtml/fonts/**/*.*",
    "a11y/assistive-mml.js",
]


def trim(app, error):
    """After a build of pages that succeeded, copy what MathJax needs; remove what no page asks for."""
    if error or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    for source in (file for pattern in WANTED for file in MATHJAX.glob(pattern)):
        target = static / "mathjax" / source.relative_to(MATHJAX)
        target.parent.mkdir(parents=True, exist_ok=True)
        copy2(source, target)
    rmtree(static / "vendor", ignore_errors=True)
    for unused in [*static.rglob("*.map"), *static.glob("*-macros.html")]:
        unused.unlink()


def setup(app):
    app.config.mathjax_path = "mathjax/startup.js"
    app.connect("build-finished", trim)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
