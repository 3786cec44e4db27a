"""What the page loads: every file has its digest, bytecode does what its source does, and a wrong file is named."""

import gzip
import importlib
import io
import json
import sys
import zipfile

import nbformat
import pytest
import yaml

from tools import bytecode, page, pyodide


def zipped(**files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as out:
        for name, text in files.items():
            out.writestr(name.replace("__", "/", 1) + ".py", text)
    return content.getvalue()


MODULE = '"""What it says."""\n\n\ndef double(x):\n    """Twice."""\n    assert x\n    return 2 * x\n'


@pytest.mark.parametrize("how, docstring", [("alone", "Twice."), ("bare", None)])
def test_bytecode_takes_the_place_of_its_source(tmp_path, monkeypatch, how, docstring):
    (tmp_path / "some.zip").write_bytes(
        bytecode.compiled(zipped(some_module=MODULE, tests__of_it="1 /"), how)
    )
    assert zipfile.ZipFile(tmp_path / "some.zip").namelist() == ["some_module.pyc"]
    monkeypatch.syspath_prepend(tmp_path / "some.zip")
    monkeypatch.delitem(sys.modules, "some_module", raising=False)
    module = importlib.import_module("some_module")
    assert module.double(2) == 4 and module.double.__doc__ == docstring


def test_bytecode_beside_its_source():
    names = zipfile.ZipFile(
        io.BytesIO(bytecode.compiled(zipped(package__module=MODULE), "beside"))
    ).namelist()
    assert names == ["package/__pycache__/module.cpython-312.pyc", "package/module.py"]


@pytest.fixture
def source(monkeypatch):
    """A machine where no bytecode can be made."""
    monkeypatch.setattr(pyodide, "can_compile", lambda: False)
    return page.files("https://somewhere/")


def test_every_file_has_an_address_a_digest_and_a_size(source):
    manifest, contents = source
    official = pyodide.pinned()
    assert {name for names in manifest["packages"].values() for name in names} <= manifest["files"].keys()
    for name, file in manifest["files"].items():
        if name in contents:
            assert file["url"] == f"{name}.pack" and file["digest"] == pyodide.sri(contents[name])
        else:
            assert file["url"] == f"https://somewhere/{name}" and file["digest"] == official[name]["digest"]
    assert {"numpy", "sympy", "fitlib", "experiments"} <= manifest["packages"].keys()


def test_the_site_carries_no_part_of_fitlib_that_runs_elsewhere(source):
    names = zipfile.ZipFile(io.BytesIO(gzip.decompress(source[1]["fitlib.zip"]))).namelist()
    data = zipfile.ZipFile(io.BytesIO(gzip.decompress(source[1]["experiments.zip"]))).namelist()
    assert "tests/reference/network.npz" in data and "chapters/experiments/records.py" in data
    assert "fitlib/page/session.py" in names and "fitlib/page/page.js" not in names


def test_the_configuration_names_the_release_whose_digests_are_pinned():
    chosen = yaml.safe_load((page.ROOT / "_config.yml").read_text())["sphinx"]["config"]["page_pyodide"]
    assert chosen["version"] == json.loads(pyodide.PINNED.read_text())["info"]["version"]
    assert "{version}" in chosen["address"]


def test_a_folder_with_a_wrong_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("PYODIDE", str(tmp_path))
    for name in pyodide.pinned():
        (tmp_path / name).write_bytes(b"something else")
    pyodide.folder.cache_clear()
    with pytest.raises(SystemExit, match="PYODIDE is .*pyodide.asm.wasm"):
        pyodide.folder()
    pyodide.folder.cache_clear()


def test_the_notes_are_on_cells_that_there_are():
    for stem, notes in json.loads((page.HERE / "limits.json").read_text()).items():
        cells = nbformat.read(page.ROOT / "chapters" / f"{stem}.ipynb", as_version=4).cells
        assert notes.keys() <= {cell.id for cell in cells}
