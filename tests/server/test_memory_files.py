"""Memory files that a host passes over the Unix socket: used in place, and only if nobody can cut them off."""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import socket
import tempfile
from pathlib import Path

import numpy as np
import pytest

from f2hdr_backend.server import memory_files
from f2hdr_backend.server.buffers import Buffer
from f2hdr_backend.server.memory_files import MemoryFile, MemoryFiles
from f2hdr_backend.server.requests import FrameRequest, read_request
from f2hdr_backend.shot.errors import DocumentError, UnreadableFrame, UnwritableFrame
from tests.server.running import LONG_S, Served
from tests.server.test_buffers import LIES, layout

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs memory files")
SHOT = {"plate": "live", "exposures": {"cycle": [0, 3], "start": 1}, "engine": {"method": "merge"}}
NAMES = ["memory:0", "memory:1", "memory:2"]


def memory_file(content: bytes, *, sealed: bool = True) -> int:
    descriptor = os.memfd_create("test", os.MFD_ALLOW_SEALING)
    os.write(descriptor, content)
    if sealed:
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
    return descriptor


def frame_file(frame: int, pixels: np.ndarray, stamp: int = 1) -> int:
    height, width, channels = pixels.shape
    return memory_file(layout(width, height, channels, frame=frame, stamp=stamp) + pixels.tobytes())


def pixels_of(value: float, channels: int = 3) -> np.ndarray:
    return np.full((3, 4, channels), value, "<f4")


@pytest.mark.parametrize("channels", [3, 4])
def test_pixels_are_those_of_the_host_at_any_time(channels: int) -> None:
    """They are not stored: a change is visible without a new stamp."""
    files, descriptor = MemoryFiles(), frame_file(7, pixels_of(1, channels))
    found = files.opened([descriptor])[0].frame()
    assert found.frame == 7 and (found.pixels == 1).all() and found.pixels.shape == (3, 4, 3)
    os.pwrite(descriptor, pixels_of(2, channels).tobytes(), 64)
    assert (files.opened([descriptor])[0].frame().pixels == 2).all()
    os.close(descriptor)


def test_a_file_stays_mapped_and_another_one_with_its_descriptor_is_another_file() -> None:
    files, descriptor = MemoryFiles(), frame_file(1, pixels_of(1))
    first = files.opened([descriptor])[0]
    assert files.opened([descriptor])[0] is first
    other = frame_file(2, pixels_of(2))
    os.dup2(other, descriptor)
    second = files.opened([descriptor])[0]
    assert second is not first and second.frame().frame == 2
    assert first.frame().frame == 1
    for number in (descriptor, other):
        os.close(number)


def test_unused_files_are_unmapped(monkeypatch: pytest.MonkeyPatch) -> None:
    files, descriptor = MemoryFiles(), frame_file(1, pixels_of(1))
    first = files.opened([descriptor])[0]
    files.drop_unused()
    assert files.opened([descriptor])[0] is first
    monkeypatch.setattr(memory_files, "UNUSED_S", -1.0)
    files.drop_unused()
    assert files.opened([descriptor])[0] is not first
    assert (first.frame().pixels == 1).all(), "it is still in use"
    os.close(descriptor)


def test_at_most_so_many_files_stay_mapped() -> None:
    files, descriptors = MemoryFiles(most=2), [frame_file(number, pixels_of(number)) for number in range(3)]
    opened = files.opened(descriptors)
    assert [file.frame().frame for file in opened] == [0, 1, 2]
    assert files.opened(descriptors[1:]) == opened[1:]
    assert files.opened(descriptors[:1])[0] is not opened[0]
    for descriptor in descriptors:
        os.close(descriptor)


def test_files_that_can_be_cut_off_are_refused(tmp_path: Path) -> None:
    content = layout(channels=3) + pixels_of(1).tobytes()
    (tmp_path / "file").write_bytes(content)
    reading, writing = os.pipe()
    descriptors = [memory_file(content, sealed=False), os.open(tmp_path / "file", os.O_RDWR), reading, writing]
    with tempfile.TemporaryFile(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as other:
        other.write(content)
        other.flush()
        for descriptor in (*descriptors, other.fileno()):
            with pytest.raises(UnreadableFrame, match="sealed"):
                MemoryFile(descriptor, "memory:0")
    for descriptor in descriptors:
        os.close(descriptor)


@pytest.mark.parametrize("header", [*LIES.values(), b"", b"F2HDRPIX"], ids=[*LIES, "empty", "only its magic"])
def test_an_invalid_header_is_refused(header: bytes) -> None:
    descriptor = memory_file(header + bytes(64 if header in LIES.values() else 0))
    with pytest.raises(UnreadableFrame):
        MemoryFile(descriptor, "memory:0").frame()
    os.close(descriptor)


def test_a_result_is_written_in_place() -> None:
    descriptor = frame_file(5, pixels_of(0))
    MemoryFile(descriptor, "memory:3").write(Buffer(8, pixels_of(3)))
    content = os.pread(descriptor, 1000, 0)
    assert content == layout(channels=3, frame=8) + pixels_of(3).tobytes()
    for other in (np.zeros((4, 3, 3), np.float32), np.zeros((2, 4, 3), np.float32)):
        with pytest.raises(UnwritableFrame):
            MemoryFile(descriptor, "memory:3").write(Buffer(8, other))
    assert os.pread(descriptor, 1000, 0) == content
    os.close(descriptor)


def test_a_request_uses_one_kind_of_file() -> None:
    def asked(buffers: list[str], output: str) -> FrameRequest:
        return read_request(FrameRequest, json.dumps({"shot": SHOT, "buffers": buffers, "output": output}).encode())

    assert asked(NAMES, "memory:3").is_in_memory
    assert not asked(["/a", "/b", "/c"], "/d").is_in_memory
    for buffers, output in ((NAMES, "/d"), (["/a", "/b", "memory:0"], "/d"), (["/a", "/b", "/c"], "memory:3")):
        with pytest.raises(DocumentError):
            asked(buffers, output)


def ask(server: Served, files: list[int], names: list[str], output: str, parts: int = 1) -> tuple[int, dict]:
    """Send a request with open files over the Unix socket; return status and answer."""
    body = json.dumps({"shot": SHOT, "buffers": names, "output": output}).encode()
    head = f"POST /v1/frames HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.facts['token']}\r\n"
    message = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(LONG_S)
        connection.connect(server.facts["socket"])
        for part in range(parts):
            start, end = part * len(message) // parts, (part + 1) * len(message) // parts
            socket.send_fds(connection, [message[start:end]], files)
        answer = b""
        while received := connection.recv(65536):
            answer += received
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(content)


def open_memory_files(pid: int) -> int:
    """The number of descriptors and mappings of memory files in a process."""
    folder = f"/proc/{pid}/fd"
    return sum("memfd:test" in os.readlink(f"{folder}/{name}") for name in os.listdir(folder))


def test_a_server_computes_a_frame_in_memory_files(server: Served, tmp_path: Path) -> None:
    """With the pixels of the same frame in buffer files."""
    if "socket" not in server.facts:
        pytest.skip("the path of the runtime folder is too long for a Unix socket")
    ramp = np.linspace(0.05, 0.9, 64 * 48, dtype=np.float32).reshape(48, 64, 1) * np.ones(3, np.float32)
    files = [frame_file(number, ramp / (1, 8)[number % 2]) for number in (1, 2, 3)]
    files.append(frame_file(0, np.zeros_like(ramp)))
    for name, file in zip("abc", files, strict=False):
        (tmp_path / name).write_bytes(os.pread(file, 64 + ramp.nbytes, 0))
    body = {"shot": SHOT, "buffers": [str(tmp_path / name) for name in "abc"], "output": str(tmp_path / "d")}
    assert server.ask("POST", "/v1/frames", body)[0] == 200
    for parts in (1, 3):  # files that come again with later parts of a message are closed
        os.pwrite(files[3], layout(64, 48, 3, frame=2, stamp=5) + bytes(ramp.nbytes), 0)
        status, answer = ask(server, files, NAMES, "memory:3", parts)
        assert status == 200, answer
        with mmap.mmap(files[3], 0) as result:
            assert result[:] == (tmp_path / "d").read_bytes()
            assert result[:64] == layout(64, 48, 3, frame=2)
    if os.path.isdir(f"/proc/{server.facts['pid']}/fd"):
        assert open_memory_files(server.facts["pid"]) <= 4, "one for each mapping"
    status, answer = ask(server, files[:2], NAMES, "memory:3")
    assert status == 400 and "memory:2" in answer["message"]
    status, answer = ask(server, [], NAMES, "memory:3")
    assert status == 400
    unsealed = memory_file(layout(64, 48, 3) + ramp.tobytes(), sealed=False)
    status, answer = ask(server, [unsealed, *files[1:]], NAMES, "memory:3")
    assert status == 422 and "memory:0" in answer["message"]
    for descriptor in (*files, unsealed):
        os.close(descriptor)
    status, _ = server.ask("GET", "/v1/info")
    assert status == 200
