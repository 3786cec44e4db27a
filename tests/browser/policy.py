"""The built site with Pyodide's files from this machine, and a strict policy on every answer."""

import json
from functools import partial
from http.server import ThreadingHTTPServer

from tools import pyodide
from tools.book import SITE
from tools.serve import Handler

POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline' blob: 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'"
)
LOCAL = "/_static/python/pyodide/"


class Strict(Handler):
    """Answers for files of the site and of Pyodide, with the policy."""

    def __init__(self, *given, policy, **rest):
        self.policy = policy
        super().__init__(*given, **rest)

    def end_headers(self):
        self.send_header("Content-Security-Policy", self.policy)
        super().end_headers()

    def translate_path(self, path):
        if path.startswith(LOCAL):
            return str(pyodide.folder() / path.removeprefix(LOCAL))
        return super().translate_path(path)

    def do_GET(self):
        if self.path != "/_static/python/python.json":
            return super().do_GET()
        manifest = json.loads((SITE / self.path[1:]).read_text())
        for name, file in manifest["files"].items():
            if "://" in file["url"]:
                file["url"] = f"pyodide/{name}"
        content = json.dumps(manifest).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def strict(policy=POLICY):
    """A server of the site at the loopback address, not yet running."""
    return ThreadingHTTPServer(("127.0.0.1", 0), partial(Strict, directory=str(SITE), policy=policy))
