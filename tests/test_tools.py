"""What the Makefile runs: plain sentences when something is missing, and no work that is not needed."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tools import book, browser, docstrings, notebooks, serve, setup

ROOT = Path(__file__).parent.parent
OFFLINE = """Looking in indexes
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...)'
ERROR: Could not find a version that satisfies the requirement numpy==2.4.6 (from versions: none)
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A tree with a file of each kind that the book is made from, and its builds: True where begun empty."""
    for name in book.MADE_FROM:
        file = sample(tmp_path, name)
        file.parent.mkdir(exist_ok=True)
        file.write_text("# Title\n\nText.")
    builds = []

    def run(command, **rest):
        builds.append(not (tmp_path / "_build").exists())
        (tmp_path / "_build").mkdir(exist_ok=True)
        return subprocess.CompletedProcess(command, returncode=int((tmp_path / "chapters/broken").exists()))

    monkeypatch.setattr(book.subprocess, "run", run)
    return tmp_path, builds


def sample(root, name):
    return root / name if "." in name else root / name / "file.md"


def test_the_book_is_built_only_when_something_changed(project):
    root, builds = project
    book.build(root)
    book.build(root)
    assert builds == [True]
    sample(root, "chapters").write_text("# Title\n\nAnother text.")
    book.build(root)
    book.build(root)
    assert builds == [True, False]


@pytest.mark.parametrize("name", book.MADE_FROM)
def test_what_shows_on_every_page_builds_all_anew(project, name):
    root, builds = project
    book.build(root)
    sample(root, name).write_text("# Another title\n\nText.")
    book.build(root)
    assert builds == [True, True]


def test_a_chapter_that_is_gone_builds_all_anew(project):
    root, builds = project
    book.build(root)
    sample(root, "chapters").rename(root / "chapters" / "other.md")
    book.build(root)
    assert builds == [True, True]


def test_a_build_that_failed_is_tried_again_from_the_start(project):
    root, builds = project
    book.build(root)
    (root / "chapters" / "broken").touch()
    for _ in range(2):
        with pytest.raises(SystemExit, match="could not be built: mend what is named above"):
            book.build(root)
    (root / "chapters" / "broken").unlink()
    book.build(root)
    assert builds == [True, True, True, True]


def test_every_source_of_the_book_is_there():
    assert [name for name in book.MADE_FROM if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (OFFLINE, "connect to the network"),
        ("OSError: [Errno 28] No space left on device", "make room"),
        ("ERROR: broken wheel\nERROR: it is odd\n", r"\(it is odd\): all it said is in .venv/pip.log"),
    ],
)
def test_pip_that_fails_is_explained_in_a_sentence(output, sentence):
    assert re.search(sentence, setup.explain(output))
    assert "\n" not in setup.explain(output)


def test_an_old_python_is_refused(monkeypatch):
    monkeypatch.setattr(setup.sys, "version_info", (3, 10))
    monkeypatch.setattr(setup.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="Python 3.11 or newer is needed, and this is 3.10: install it"):
        setup.main("requirements.txt")


def test_an_old_python_finds_a_newer_one(monkeypatch):
    monkeypatch.setattr(setup.sys, "version_info", (3, 10))
    monkeypatch.setattr(setup.shutil, "which", {"python3.12": sys.executable}.get)
    assert setup.suitable() == sys.executable


def test_a_port_in_use_is_explained():
    with serve.server() as other:
        port = other.server_port
        with pytest.raises(SystemExit, match=f"Port {port} is not free: .* make read PORT={port + 1}"):
            serve.open_port(str(port))


@pytest.mark.parametrize("text", ["eighty", "70000", "-1"])
def test_a_port_that_is_none_is_refused(text):
    with pytest.raises(SystemExit, match=f"PORT is {text}; it is a number between 1 and 65535"):
        serve.open_port(text)


def test_the_book_is_served_on_the_loopback_address_only():
    with serve.server() as book:
        assert book.server_address[0] == "127.0.0.1"


def test_chromium_is_found_by_the_environment_or_the_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    assert browser.find() is None
    for program in (tmp_path / "google-chrome", tmp_path / "own"):
        program.touch(mode=0o755)
    assert browser.find() == str(tmp_path / "google-chrome")
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "own"))
    assert browser.find() == str(tmp_path / "own")


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("false", 0)])
def test_a_missing_chromium_is_said_and_fails_in_continuous_integration(ci, code, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", ci)
    monkeypatch.delenv("CHROMIUM", raising=False)
    with pytest.raises(SystemExit) as stop:
        browser.main()
    assert int(stop.value.code) == code
    assert capsys.readouterr().out == browser.HOW + "\n"


def test_a_notebook_is_stored_the_same_however_it_was_edited(tmp_path):
    path = tmp_path / "chapter.ipynb"
    code = "import ipywidgets\nprint('one', flush=True)\nprint('two')\nipywidgets.IntSlider(3)"
    cell = nbformat.v4.new_code_cell(code, metadata={"tags": ["kept"]})
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"vscode": {"version": 1}})
    nbformat.write(notebook, path)
    cells, stored = [], []
    for _ in range(2):
        notebooks.execute(path, lambda: cells.append(1))
        stored.append(path.read_text())
    assert len(cells) == 2
    assert stored[0] == stored[1]
    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata == notebooks.METADATA
    assert notebook.cells[0].metadata == {"tags": ["kept"]}
    assert notebook.cells[0].outputs[0].text == "one\ntwo\n"
    assert notebooks.VIEW not in notebook.cells[0].outputs[1].data


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("the norm |g|, as `a|b`", r"the norm \|g\|, as ``a|b``"),
        ("*all* of a * b", r"*all* of a \* b"),
        ("to `$g[0] = `, x_ and v_max", r"to ``$g[0] =``, x\_ and v_max"),
    ],
)
def test_docstrings_are_read_as_markdown(line, expected):
    assert docstrings.escape(line) == expected


def test_a_list_in_a_docstring_needs_no_empty_lines():
    lines = ["One of:", "- this,", "  longer;", "- that.", "Then more."]
    assert list(docstrings.spaced(lines)) == [
        "One of:",
        "",
        "- this,",
        "  longer;",
        "",
        "- that.",
        "",
        "Then more.",
    ]
