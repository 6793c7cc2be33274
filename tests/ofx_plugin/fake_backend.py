"""A backend that answers immediately, late, incorrectly or never, to simulate failures."""

from __future__ import annotations

import json
import os
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

import f2hdr_backend

HEADER = struct.Struct("<8sIIIIQqQ16x")


def read_buffer(path: str) -> tuple[int, int, np.ndarray]:
    """Return the frame number, the stamp and the pixels of a buffer, by the documentation."""
    content = Path(path).read_bytes()
    magic, version, width, height, channels, row_bytes, frame, stamp = HEADER.unpack(content[:64])
    assert (magic, version, row_bytes) == (b"F2HDRPIX", 1, width * channels * 4)
    return frame, stamp, np.frombuffer(content[64:], "<f4").reshape(height, width, channels)


class FakeBackend:
    """Answers every frame with twice the reference's pixels; ``requests`` records the requests."""

    def __init__(self, runtime: Path, version: str = f2hdr_backend.__version__) -> None:
        self.version = version
        self.delay_s = 0.0
        self.info_delay_s = 0.0
        self.answer: tuple[int, bytes] | None = None
        """The answer instead: status and body."""
        self.drops = False
        """Whether it closes the connection without an answer."""
        self.breaks_result: str = ""
        """``missing``, ``short`` or ``frame``: the defect of the result's file."""
        self.requests: list[dict[str, Any]] = []
        self.windows: list[list[tuple[int, np.ndarray]]] = []
        """Frame numbers and pixels of the windows, in the order of the requests."""
        self.stamps: list[list[int]] = []
        """The stamps of these frames."""
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *words: object) -> None:
                pass

            def do_GET(self) -> None:
                time.sleep(fake.info_delay_s)
                self._send(200, json.dumps({"version": fake.version}).encode())

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                fake.requests.append(body)
                if fake.drops:
                    self.connection.close()
                    return
                end = time.monotonic() + fake.delay_s
                while time.monotonic() < end:
                    time.sleep(0.005)
                if fake.answer:
                    self._send(*fake.answer)
                    return
                fake.write(body)
                self._send(200, json.dumps({"frame": 1, "computing_s": 0.5}).encode())

            def _send(self, status: int, content: bytes) -> None:
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    pass  # the client has disconnected

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *words: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self._file = runtime / "f2hdr" / "server.json"
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.announce()

    def announce(self, **changes: Any) -> None:
        """Write the connection file."""
        facts = {
            "address": f"http://127.0.0.1:{self._server.server_address[1]}", "token": "secret",
            "version": self.version, "pid": os.getpid(), **changes,
        }  # fmt: skip
        self._file.write_text(json.dumps(facts))
        self._file.chmod(0o600)

    def write(self, body: dict[str, Any]) -> None:
        """Write the requested result."""
        buffers = [read_buffer(path) for path in body["buffers"]]
        window = [(frame, pixels) for frame, _, pixels in buffers]
        self.windows.append(window)
        self.stamps.append([stamp for _, stamp, _ in buffers])
        frame, pixels = window[1]
        if self.breaks_result == "missing":
            return
        height, width = pixels.shape[:2]
        header = HEADER.pack(b"F2HDRPIX", 1, width, height, 3, width * 12, frame + (self.breaks_result == "frame"), 0)
        content = header + (pixels * np.float32(2)).tobytes()
        Path(body["output"]).write_bytes(content[:-4] if self.breaks_result == "short" else content)

    def stop(self) -> None:
        """Stop listening; the connection file stays."""
        self._server.shutdown()
        self._server.server_close()
