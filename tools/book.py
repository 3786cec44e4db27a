"""Build the book, when something it is made from has changed: `python -m tools.book`."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import rmtree
from time import perf_counter

from tools import pyodide

ROOT = Path(__file__).parent.parent
SITE = ROOT / "_build" / "html"
MADE_FROM = [
    "_config.yml",
    "_toc.yml",
    "requirements.txt",
    "references.bib",
    "_static",
    "_templates",
    "chapters",
    "fitlib",
    "tools",
]


def digest(files, root):
    """A digest of the names and contents of `files`."""
    summary = hashlib.sha256()
    for file in files:
        summary.update(
            str(file.relative_to(root)).encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest()
        )
    return summary.hexdigest()


def state(root):
    """What the site is made from: the chapters, and all that shows on every page, the titles included."""
    files = [
        file
        for name in MADE_FROM
        for file in [root / name, *sorted((root / name).rglob("*"))]
        if file.is_file()
    ]
    files = [file for file in files if file.suffix != ".pyc" and ".ipynb_checkpoints" not in file.parts]
    pages = [file for file in files if file.suffix in (".ipynb", ".md") and file.parent.name == "chapters"]
    titles = [(file.name, re.search(r"# [^\n\"\\]+", file.read_text(encoding="utf-8"))) for file in pages]
    frame = [digest([file for file in files if file not in pages], root)]
    frame += [f"{name} {title and title[0]}" for name, title in titles]
    frame += [f"PYODIDE={os.environ.get('PYODIDE')}", f"bytecode: {pyodide.can_compile()}"]
    return {"pages": digest(pages, root), "frame": frame}


def build(root=ROOT):
    """Build the site unless it is up to date; where there are warnings, stop with one sentence.

    An edit within chapters builds their pages anew. Any other change, or a build that failed, builds all: so
    no page is left of a chapter that is gone, no old title in a sidebar, and no warning unseen.
    """
    stamp = root / "_build" / "state.json"
    before = json.loads(stamp.read_text()) if stamp.exists() else {}
    now = state(root)
    if before == now:
        return
    print("Building the book ...", flush=True)
    begin = perf_counter()
    if before.get("frame") != now["frame"]:
        rmtree(root / "_build", ignore_errors=True)
    stamp.unlink(missing_ok=True)
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    command += ["build", str(root), "-W", "-n", "--keep-going", "--quiet"]
    run = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True)
    if run.returncode:
        sys.exit("The book could not be built: mend what is named above and run make again.")
    stamp.write_text(json.dumps(now))
    print(f"Built it in {perf_counter() - begin:.0f} s.", flush=True)


if __name__ == "__main__":
    build()
