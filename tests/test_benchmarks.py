"""The benchmarks stand on the present book: what they import and draw is there. Nothing is timed."""

import subprocess
import sys
from pathlib import Path


def test_the_benchmarks_find_what_they_compare():
    code = "from benchmarks.__main__ import SIZES, browser\nfor size in SIZES: browser.figure(*size)"
    root = Path(__file__).parents[1]  # in a process of its own: they set the environment to one thread
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
