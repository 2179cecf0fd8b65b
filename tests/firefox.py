"""Firefox, driven by WebDriver BiDi over a socket of our own: no package and no geckodriver."""

import base64
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TIMEOUT = 60  # seconds


def find_firefox() -> str | None:
    return shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox:
    """One tab. `events` holds what the page has logged."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self._stream = self._socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET /session HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self._socket.sendall(request.encode())
        assert b" 101 " in self._stream.readline()
        while self._stream.readline() != b"\r\n":
            pass
        self._last_id = 0
        self.events: list[str] = []
        self.send("session.new", capabilities={})
        self.send("session.subscribe", events=["log.entryAdded"])
        self._tab = self.send("browsingContext.getTree")["contexts"][0]["context"]

    def close(self) -> None:
        self._stream.close()
        self._socket.close()

    def send(self, method: str, **parameters: object) -> Any:
        """Return the result of a command."""
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": parameters}
        self._write(json.dumps(message).encode())
        while True:
            answer = json.loads(self._read())
            if answer.get("id") == self._last_id:
                assert answer["type"] == "success", answer
                return answer["result"]
            if answer.get("method") == "log.entryAdded":
                self.events.append(str(answer["params"]["text"]))

    def open(self, url: str, width: int = 1280, height: int = 720) -> None:
        viewport = {"width": width, "height": height}
        self.send("browsingContext.setViewport", context=self._tab, viewport=viewport)
        self.send("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """Return what an expression, or its promise, resolves to, through JSON."""
        result = self.send(
            "script.evaluate",
            expression=f"Promise.resolve({expression}).then(JSON.stringify)",
            target={"context": self._tab},
            awaitPromise=True,
        )
        assert result["type"] == "success", result
        text = result["result"].get("value")
        return None if text is None else json.loads(text)

    def wait_for(self, condition: str) -> None:
        """Wait, frame by frame, until an expression is true."""
        self.evaluate(
            "new Promise((done, fail) => { const end = performance.now() + 10000;"
            f" const look = () => ({condition}) ? done(true) : performance.now() > end"
            f" ? fail(new Error({json.dumps(condition)})) : requestAnimationFrame(look);"
            " look(); })"
        )

    def drag(self, places: list[tuple[float, float]]) -> None:
        """Press the mouse at the first place, move it over the others, and release it."""
        moves = [{"type": "pointerMove", "x": round(x), "y": round(y)} for x, y in places]
        down, up = ({"type": f"pointer{name}", "button": 0} for name in ("Down", "Up"))
        source = {"type": "pointer", "id": "mouse", "actions": [moves[0], down, *moves[1:], up]}
        self.send("input.performActions", context=self._tab, actions=[source])

    def go(self, steps: int) -> None:
        self.send("browsingContext.traverseHistory", context=self._tab, delta=steps)

    def print(self) -> bytes:
        """Return the page as a PDF."""
        return base64.b64decode(self.send("browsingContext.print", context=self._tab)["data"])

    def _write(self, payload: bytes) -> None:
        mask = os.urandom(4)
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self._socket.sendall(b"\x81" + length + mask + masked)

    def _read(self) -> bytes:
        """Return the next message; the server sends each in one or more frames."""
        parts = []
        is_last = False
        while not is_last:
            first, second = self._stream.read(2)
            size = second & 127
            if size > 125:
                size = int.from_bytes(self._stream.read(2 if size == 126 else 8), "big")
            payload = self._stream.read(size)
            if first & 15 < 3:  # text, binary or a continuation; no ping
                parts.append(payload)
                is_last = bool(first & 128)
        return b"".join(parts)


@contextmanager
def launch(path: str, folder: Path) -> Iterator[Firefox]:
    """Start the Firefox at `path` with a new profile in `folder`, and end it after the block."""
    profile = folder / "profile"
    profile.mkdir()
    (profile / "user.js").write_text('user_pref("ui.prefersReducedMotion", 1);\n')
    command = [path, "--headless", "--no-remote", "--profile", str(profile)]
    with subprocess.Popen(
        [*command, "--remote-debugging-port", "0"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "HOME": str(folder)},
    ) as process:
        try:
            assert process.stderr is not None
            lines = iter(process.stderr.readline, "")
            port = next(m[1] for line in lines if (m := re.search(r"ws://[^:]+:(\d+)", line)))
            firefox = Firefox(int(port))
            try:
                yield firefox
            finally:
                firefox.close()
        finally:
            process.terminate()
            process.stderr.read()
