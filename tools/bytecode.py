"""Python packages as bytecode: what runs inside Pyodide while the book is built (tools/pyodide.py).

Plain Python without an import of the book's, so that its text can be given to another Python.
"""

import io
import re
import zipfile
from importlib._bootstrap_external import _code_to_hash_pyc

UNUSED = re.compile(
    r"/(tests?|sample_data|benchmarks)/|\.(pyi|a|h|c|pxd|pyx|typed)$|-nspkg\.pth$"
    r"|^/sympy/(categories|crypto|diffgeom|holonomic|liealgebras|parsing/(autolev|c|fortran|latex)|physics|stats|vector)/"
)
EPOCH = (1980, 1, 1, 0, 0, 0)


def compiled(archive, how):
    """A zip archive (bytes) of Python files as one of their bytecode, not compressed, without what nobody imports.

    `how` is "beside" where the sources stay, as Python itself does it; "alone", the bytecode in their place; or "bare",
    the same without docstrings and assertions.
    """
    result = io.BytesIO()
    given = zipfile.ZipFile(io.BytesIO(archive))
    with zipfile.ZipFile(result, "w", zipfile.ZIP_STORED) as out:
        for name in given.namelist():
            content = given.read(name)
            if name.endswith("/") or (how != "beside" and UNUSED.search(f"/{name}")):
                continue
            if name.endswith(".py"):
                code = compile(content, name, "exec", dont_inherit=True, optimize=2 if how == "bare" else 0)
                folder, _, stem = name[:-3].rpartition("/")
                beside = f"{folder}/__pycache__/{stem}.cpython-312.pyc".lstrip("/")
                code = bytes(_code_to_hash_pyc(code, bytes(8), False))
                target = beside if how == "beside" else f"{name}c"
                out.writestr(zipfile.ZipInfo(target, EPOCH), code)
                if how != "beside":
                    continue
            out.writestr(zipfile.ZipInfo(name, EPOCH), content)
    return result.getvalue()
