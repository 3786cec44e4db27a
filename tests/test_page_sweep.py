"""The quick cells of every chapter in a page's session, last to first, give what the notebook has stored."""

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SAMPLE = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
from page_sweep import sweep
found = list(sweep(sys.argv[1], sample=True))
print(len(found), *(f"{{index}}: {{text}}" for index, _, _, wrong in found for text in wrong), sep="\\n")
"""


@pytest.mark.parametrize("name", sorted(path.stem for path in (TESTS.parent / "chapters").glob("*.ipynb")))
def test_quick_cells_give_what_is_stored(name):
    command = [sys.executable, "-c", SAMPLE, name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    count, *wrong = done.stdout.splitlines()
    assert wrong == [] and int(count) >= 3
