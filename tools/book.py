"""Build the book, when something it is made from has changed: `python -m tools.book`."""

import hashlib
import subprocess
import sys
from pathlib import Path
from shutil import rmtree
from time import perf_counter

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


def digest(root=ROOT):
    """A digest of the name and content of every file that the site is made from."""
    files = (file for name in MADE_FROM for file in [root / name, *sorted((root / name).rglob("*"))])
    summary = hashlib.sha256()
    for file in files:
        if file.is_file() and file.suffix != ".pyc" and ".ipynb_checkpoints" not in file.parts:
            summary.update(
                str(file.relative_to(root)).encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest()
            )
    return summary.hexdigest()


def build(root=ROOT):
    """Build the whole site unless it is up to date; warnings are errors, and then stop with one sentence.

    It is built anew every time: that takes seconds, and leaves no page of a chapter that is gone and no
    warning unseen.
    """
    stamp = root / "_build" / "digest"
    now = digest(root)
    if stamp.exists() and stamp.read_text() == now:
        return
    print("Building the book ...", flush=True)
    begin = perf_counter()
    rmtree(root / "_build", ignore_errors=True)
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    command += ["build", str(root), "-W", "-n", "--keep-going", "--quiet"]
    run = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True)
    if run.returncode:
        sys.exit("The book could not be built: mend what is named above and run make again.")
    stamp.write_text(now)
    pages = len(list((root / "chapters").glob("*.ipynb"))) + len(list((root / "chapters").glob("*.md")))
    print(f"Built {pages} pages in {perf_counter() - begin:.0f} s.", flush=True)


if __name__ == "__main__":
    build()
