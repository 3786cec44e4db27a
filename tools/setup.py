"""Make the virtual environment .venv and install into it: `python tools/setup.py requirements.txt`.

Make runs this with the Python that is there, so it needs nothing but the standard library
and looks for Python 3.11 itself.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
ENVIRONMENT = ROOT / ".venv"
OLDEST = (3, 11)


def suitable():
    """The path of a Python that is new enough, or None."""
    if sys.version_info >= OLDEST:
        return sys.executable
    newer = [f"python3.{minor}" for minor in range(OLDEST[1], OLDEST[1] + 5)]
    return next((found for found in map(shutil.which, newer) if found and works(found)), None)


def works(python):
    """True where the program `python` runs."""
    try:
        return subprocess.run([str(python), "-c", ""], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def explain(output):
    """One sentence on why pip failed, from what it printed."""
    if re.search(
        "NewConnection|NameResolution|ConnectTimeout|ReadTimeout|ProxyError|from versions: none", output
    ):
        return "The packages could not be downloaded: connect to the network and run make again."
    if "No space left" in output:
        return "The disk is full: make room for about 1 GB and run make again."
    errors = re.findall("(?m)^ERROR: (.*)$", output) or ["no reason was given"]
    return f"pip could not install the packages ({errors[-1]}): all it said is in .venv/pip.log."


def create(python):
    """Make the environment; where it cannot be made, stop with one sentence."""
    print(f"Making .venv with {python} ...", flush=True)
    command = [python, "-m", "venv", "--clear", str(ENVIRONMENT)]
    made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        reason = "its package python3-venv is missing" if "ensurepip" in made.stdout else made.stdout.strip()
        sys.exit(f"Python could not make a virtual environment: {reason}; mend that and run make again.")


def install(requirements):
    """Install what the requirements file lists; where that fails, stop with one sentence."""
    print(f"Installing {requirements} (the first time takes a minute or two) ...", flush=True)
    pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "--no-compile", "--no-input"]
    pip += ["--disable-pip-version-check", "--progress-bar", "off", "-r", requirements]
    run = subprocess.Popen(pip, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = "".join(show(line) for line in run.stdout)
    show("")
    (ENVIRONMENT / "pip.log").write_text(output)
    if run.wait():
        sys.exit(explain(output))


def show(line):
    """Show the line, in a terminal, in place of the one before; return it."""
    if sys.stdout.isatty():
        print(f"\r\033[K{line.strip()[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)
    return line


def main(requirements):
    python = suitable()
    if not python:
        here = "{}.{}".format(*sys.version_info)
        sys.exit(f"Python 3.11 or newer is needed, and this is {here}: install it and run make again.")
    if not works(ENVIRONMENT / "bin" / "python"):
        create(python)
    install(requirements)


if __name__ == "__main__":
    main(*sys.argv[1:])
