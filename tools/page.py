"""Python in the page, as part of the site: the scripts, what Python needs, and the cells of every chapter.

A Sphinx extension. The value `page_pyodide` names Pyodide's version and address; with the environment variable PYODIDE
the site gets Pyodide's files itself. Where Pyodide's Python can run while the book is built, all that the page loads is
bytecode (tools/pyodide.py), which more than halves the time to the first result; else it is source.
"""

import gzip
import importlib.util
import io
import json
import os
import re
import sys
import zipfile
from functools import cache
from pathlib import Path
from shutil import copy2

import nbformat

from fitlib.page.needs import Chapter, imports
from fitlib.page.session import Session
from tools import pyodide

ROOT = Path(__file__).parent.parent
HERE = ROOT / "fitlib" / "page"
DATA = ["tests/reference/network.npz", "tests/reference/schedules.npz"]  # that cells read
BOOK = {"fitlib": ["fitlib"], "experiments": ["chapters/experiments", *DATA]}
PURE = {  # what else travels with the site, as installed: archive -> modules
    "sympy": ["sympy", "mpmath"],
    "markdown": ["markdown_it", "mdurl", "mdit_py_plugins"],
    "tqdm": ["tqdm"],
}
UNUSED = re.compile(r"__pycache__|/(tests|benchmarks|sandbox)/|/page/(?!\w+\.py$)")
FILES = re.compile("experiments/|tests/reference/")
SITE = "/lib/python3.12/site-packages"
PLACES = {"openblas": "/usr/lib", "experiments": "/"}
PLACES |= dict.fromkeys(PURE)  # read from the archive
EPOCH = (1980, 1, 1, 0, 0, 0)


def archive(paths, root):
    """A zip archive (bytes) of files and of those in folders, under their names below `root`."""
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w") as out:
        for path in paths:
            for file in [root / path, *sorted((root / path).rglob("*"))]:
                name = file.relative_to(root).as_posix()
                if file.is_file() and (name == path or not UNUSED.search(f"/{name}")):
                    out.writestr(zipfile.ZipInfo(name, EPOCH), file.read_bytes())
    return result.getvalue()


def installed(module):
    """The folder of an installed package."""
    return Path(importlib.util.find_spec(module).origin).parent


def joined(names):
    """Official wheels as one archive."""
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as out:
        for name in names:
            with zipfile.ZipFile(pyodide.folder() / name) as wheel:
                for member in wheel.infolist():
                    content = wheel.read(member)
                    if (
                        member.filename == "matplotlib/fontlist.json"
                    ):  # of a later Matplotlib: it would be made anew
                        content = content.replace(b'"_version": 390', b'"_version": 330')
                    out.writestr(member, content)
    return result.getvalue()


def files(address):
    """What the page loads: `(manifest, contents)`; contents are the files that the site itself holds, name -> bytes.

    The manifest has `files`, name -> its `url`, digest, size, size on its way (`sent`) and the folder it is unpacked
    `into`; `core`, what Python itself needs; `packages`, module -> files that it needs; and a `lock` for Pyodide. What
    the site holds is packed: a zip archive as one gzip stream, which the browser itself undoes.
    """
    known = json.loads(pyodide.PINNED.read_text())
    official, needs = known["files"], dict(known["packages"])
    archives = {f"{name}.zip": (archive(paths, ROOT), "beside") for name, paths in BOOK.items()}
    for name, modules in PURE.items():
        archives[f"{name}.zip"] = (archive(modules, installed(modules[0]).parent), "bare")
    if pyodide.can_compile():
        archives["python_stdlib.zip"] = ((pyodide.folder() / "python_stdlib.zip").read_bytes(), "bare")
        for name in ("numpy", "matplotlib", "traitlets"):
            archives[f"{name}.zip"] = (joined(needs[name]), "alone")
            needs[name] = [f"{name}.zip"]
        contents = pyodide.compile_all(archives)
    else:
        told = "Python in the page is built as source, and starts more slowly: CONTRIBUTING.md says how to mend that."
        print(told, file=sys.stderr)
        contents = {name: content for name, (content, _) in archives.items()}
    contents = {name: gzip.compress(content, mtime=0) for name, content in contents.items()}
    needs |= {name: [f"{name}.zip"] for name in BOOK}
    needs |= {module: [f"{name}.zip"] for name, modules in PURE.items() for module in modules}
    needs["scipy"] = [*needs["numpy"], *needs["scipy"]]
    needs["sklearn"] = [*needs["scipy"], *needs["sklearn"]]
    needs["matplotlib"] = [*needs["numpy"], *needs["matplotlib"]]
    needs["PIL"] = needs["matplotlib"]
    table = {}
    for name in [*pyodide.CORE, *dict.fromkeys(name for names in needs.values() for name in names)]:
        if name in contents:
            size = len(contents[name])
            table[name] = {
                "url": f"{name}.pack",
                "digest": pyodide.sri(contents[name]),
                "size": size,
                "sent": size,
            }
        else:
            table[name] = {"url": address + name, **official[name]}
        if name not in pyodide.CORE:
            table[name]["into"] = PLACES.get(re.split(r"[-.]", name)[0], SITE)
    lock = {"info": known["info"], "packages": {}}
    return {"lock": lock, "core": pyodide.CORE, "packages": needs, "files": table}, contents


def write(app, config):
    """Write all but the chapters beside the doctrees, from where Sphinx copies it."""
    folder = Path(app.doctreedir) / "page" / "python"
    folder.mkdir(parents=True, exist_ok=True)
    chosen, version = config.page_pyodide, json.loads(pyodide.PINNED.read_text())["info"]["version"]
    if chosen["version"] != version:
        sys.exit(f"_config.yml names Pyodide {chosen['version']}; fitlib/page/pyodide.json is of {version}.")
    address = chosen["address"].format(**chosen)
    if os.environ.get("PYODIDE"):
        address = "pyodide/"
        (folder / address).mkdir(exist_ok=True)
        for name in pyodide.pinned():
            copy2(pyodide.folder() / name, folder / address / name)
    manifest, contents = files(address)
    for name, content in contents.items():
        (folder / f"{name}.pack").write_bytes(content)
    (folder / "python.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name in ("offer.js", "page.js", "page.css", "worker.js"):
        copy2(HERE / name, folder / name)
    config.html_static_path.append(str(folder.parent))


@cache
def imported():
    """What the modules of the book import."""
    return imports(ROOT / "fitlib") | imports(ROOT / "chapters" / "experiments")


def chapter(notebook, notes):
    """The cells of a notebook: texts, which the page shows, what each needs, and the notes on them (id -> text)."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    session = Session([cell.source for cell in cells], imported())
    shown = [i for i, cell in enumerate(cells) if "remove-cell" not in cell.metadata.get("tags", [])]
    behind = Chapter(session.cells, session.cells).behind
    reads = [
        ["experiments"] if any(FILES.search(s.text) for s in behind(i)) else [] for i in range(len(cells))
    ]
    return {
        "cells": session.cells,
        "shown": shown,
        "notes": {i: notes[cell.id] for i, cell in enumerate(cells) if cell.id in notes},
        "packages": [sorted({*session.packages(i, {}), *reads[i]}) for i in range(len(cells))],
    }


def add(app, page, template, context, doctree):
    """On a page of a chapter: the script that offers Python, and the chapter's cells in a file of their own."""
    source = Path(app.srcdir) / f"{page}.ipynb"
    if 'class="cell_input' not in context.get("body", "") or not source.exists():
        return
    folder = Path(app.outdir) / "_static" / "python" / "chapters"
    folder.mkdir(parents=True, exist_ok=True)
    notes = json.loads((HERE / "limits.json").read_text()).get(source.stem, {})
    cells = chapter(nbformat.read(source, as_version=4), notes)
    (folder / f"{source.stem}.json").write_text(json.dumps(cells, ensure_ascii=False), encoding="utf-8")
    app.add_js_file("python/offer.js", loading_method="defer", **{"data-chapter": source.stem})
    app.add_css_file("python/page.css")


def setup(app):
    app.add_config_value("page_pyodide", {}, "html")
    app.connect("config-inited", write)
    app.connect("html-page-context", add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
