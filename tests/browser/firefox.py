"""A headless Firefox, spoken to by WebDriver BiDi: `async with page(path, folder) as evaluate`."""

import asyncio
import json
import re
import subprocess
from contextlib import asynccontextmanager
from itertools import count
from shutil import which

from tornado.websocket import websocket_connect


def find():
    """The path of a Firefox, or None."""
    return next((path for path in map(which, ["firefox-esr", "firefox"]) if path), None)


@asynccontextmanager
async def page(path, folder, address, said):
    """A page at `address`; `evaluate(expression, seconds)` gives a value of JSON. What the page logs goes to `said`."""
    command = [path, "--headless", "--profile", str(folder), "--remote-debugging-port", "0", "about:blank"]
    firefox = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        loop = asyncio.get_running_loop()
        while not (
            found := re.search(
                r"BiDi listening on (ws://\S+)", await loop.run_in_executor(None, firefox.stderr.readline)
            )
        ):
            assert firefox.poll() is None, "Firefox ended"
        drain = loop.run_in_executor(None, firefox.stderr.read)
        socket = await websocket_connect(f"{found[1]}/session", max_message_size=2**26)
        numbers = count(1)

        async def ask(method, seconds=60, **params):
            number = next(numbers)
            await socket.write_message(json.dumps({"id": number, "method": method, "params": params}))
            while True:
                answer = json.loads(await asyncio.wait_for(socket.read_message(), seconds))
                if answer.get("method") == "log.entryAdded":
                    said.append(answer["params"]["text"])
                if answer.get("id") == number:
                    assert answer["type"] == "success", answer
                    return answer["result"]

        await ask("session.new", capabilities={})
        await ask("session.subscribe", events=["log.entryAdded"])
        tree = await ask("browsingContext.getTree")
        target = tree["contexts"][0]["context"]
        await ask("browsingContext.navigate", context=target, url=address, wait="complete")

        async def evaluate(expression, seconds=120):
            text = f"(async () => JSON.stringify(await ({expression}) ?? null))()"
            given = {"expression": text, "target": {"context": target}, "awaitPromise": True}
            answer = await ask("script.evaluate", seconds, **given)
            assert answer["type"] == "success", answer.get("exceptionDetails", answer)
            return json.loads(answer["result"]["value"])

        yield evaluate
        socket.close()
        await socket.read_message()  # None: it is closed
    finally:
        firefox.terminate()
        firefox.wait()
        await drain
        firefox.stderr.close()
