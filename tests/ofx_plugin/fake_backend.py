"""A backend that answers immediately, late, incorrectly or never, to simulate failures."""

from __future__ import annotations

import json
import os
import socket
import struct
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
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
    """Answers every frame with twice the reference's pixels; ``requests`` records the requests.

    With ``in_memory`` it listens on a Unix socket, so that the effect passes memory files.
    """

    def __init__(self, runtime: Path, version: str = f2hdr_backend.__version__, *, in_memory: bool = False) -> None:
        self.version = version
        self.in_memory = in_memory
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

            def setup(self) -> None:
                self.passed: list[int] = []
                if in_memory:  # looking at the first byte also gives the files that come with it
                    _, ancillary, _, _ = self.request.recvmsg(1, socket.CMSG_LEN(32), socket.MSG_PEEK)
                    self.passed = [number for _, _, some in ancillary for (number,) in struct.iter_unpack("i", some)]
                super().setup()

            def finish(self) -> None:
                super().finish()
                for descriptor in self.passed:
                    os.close(descriptor)

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
                fake.write(body, self.passed)
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
            address_family = socket.AF_UNIX if in_memory else socket.AF_INET
            daemon_threads = True

            def server_bind(self) -> None:
                super(HTTPServer, self).server_bind()  # without the name of the machine

            def handle_error(self, *words: object) -> None:
                pass

        self._file = runtime / "f2hdr" / "server.json"
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = tempfile.TemporaryDirectory()  # paths of sockets are short
        address: Any = f"{self._folder.name}/s" if in_memory else ("127.0.0.1", 0)
        self._server = Server(address, Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.announce()

    def announce(self, **changes: Any) -> None:
        """Write the connection file."""
        address: Any = self._server.server_address
        facts = {
            **({"socket": address} if self.in_memory else {"address": f"http://127.0.0.1:{address[1]}"}),
            "token": "secret", "version": self.version, "pid": os.getpid(), **changes,
        }  # fmt: skip
        self._file.write_text(json.dumps(facts))
        self._file.chmod(0o600)

    def write(self, body: dict[str, Any], passed: list[int]) -> None:
        """Write the requested result."""
        paths = [*body["buffers"], body["output"]]
        if self.in_memory:
            files = [passed[int(name.removeprefix("memory:"))] for name in paths]
            paths = [f"/proc/self/fd/{file}" for file in files]
        buffers = [read_buffer(path) for path in paths[:3]]
        window = [(frame, pixels) for frame, _, pixels in buffers]
        self.windows.append(window)
        self.stamps.append([stamp for _, stamp, _ in buffers])
        frame, pixels = window[1]
        if self.breaks_result == "missing":
            return
        height, width = pixels.shape[:2]
        header = HEADER.pack(b"F2HDRPIX", 1, width, height, 3, width * 12, frame + (self.breaks_result == "frame"), 0)
        content = header + (pixels * np.float32(2)).tobytes()
        if self.in_memory:
            os.pwrite(files[3], content[:32] if self.breaks_result == "short" else content, 0)
        else:
            Path(paths[3]).write_bytes(content[:-4] if self.breaks_result == "short" else content)

    def stop(self) -> None:
        """Stop listening; the connection file stays."""
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()
