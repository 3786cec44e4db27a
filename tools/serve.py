"""Build the book if needed and serve it on the loopback address: `python -m tools.serve 8000`."""

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from tools.book import SITE, build


class Handler(SimpleHTTPRequestHandler):
    """Files of the site, never from a stale cache, without a line of log for each."""

    def end_headers(self):
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *args):
        pass


def server(port=0, directory=SITE):
    """A server of `directory` at the loopback address, not yet running; port 0 takes any that is free."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(directory)))


def open_port(text):
    """A server at the port that `text` names; where that is not possible, stop with one sentence."""
    try:
        return server(int(text))
    except (ValueError, OverflowError):
        sys.exit(f"PORT is {text}; it is a number between 1 and 65535, for example: make read PORT=8001")
    except OSError:
        sys.exit(f"Port {text} is not free: choose another one, for example: make read PORT={int(text) + 1}")


def main(port):
    with open_port(port) as book:
        build()
        print(f"The book is at http://127.0.0.1:{port}/ (stop with Ctrl-C).", flush=True)
        try:
            book.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main(*sys.argv[1:])
