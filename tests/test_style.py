"""The style of the code, as `make lint` says it."""

import subprocess
import sys
from pathlib import Path


def test_ruff_finds_nothing():
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--output-format",
        "concise",
        Path(__file__).parent.parent,
    ]
    assert subprocess.run(command, capture_output=True, text=True).stdout.strip() == "All checks passed!"
