"""Find a headless Chromium for the browser tests, or install one: `python -m tools.browser`."""

import os
import subprocess
import sys
from shutil import which

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOW = (
    "No Chromium was found for the browser tests: "
    "install it (on Debian, apt install chromium), or set CHROMIUM to its path."
)


def find():
    """The path of a Chromium: the environment variable CHROMIUM, else the first that PATH has, else None."""
    return next((path for path in map(which, [os.environ.get("CHROMIUM", ""), *NAMES]) if path), None)


def install():
    """Install Debian's Chromium where that is possible: as root, with apt."""
    if which("apt-get") and os.geteuid() == 0:
        print("Installing Chromium ...", flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["apt-get", "update"], **quiet)
        subprocess.run(["apt-get", "install", "--yes", "--no-install-recommends", "chromium"], **quiet)


def main():
    """Have a Chromium; where there is none, say how to get one, and stop in continuous integration."""
    if not find():
        install()
    if not find():
        print(HOW, flush=True)
        sys.exit(os.environ.get("CI") == "true")


if __name__ == "__main__":
    main()
