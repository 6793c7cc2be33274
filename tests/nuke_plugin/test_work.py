"""A bake that is canceled, resumed, or whose backend is killed, absent or of another version; and the messages."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import nuke
import numpy as np
import pytest
from nuke import fake
from nuke.session import session
from nuke_comp import Comp, at_work
from nuke_footage import FIRST, LAST, scene

from f2hdr_backend.client.jobs import info
from f2hdr_backend.client.launch import connect
from f2hdr_backend.client.runtime import read_connection_file

SLOW = {"engine_method": "f2hdr", "exposure_mode": "ratio", "short_parity": "even", "cuts": "none"}
"""The network instead of the merge: seconds for six frames."""


def begin(comp: Comp, until: str) -> Any:
    """Press Bake and wait until the progress bar shows text that matches ``until``; returns the bar."""
    comp.set(**SLOW)
    fake.press(comp.node, "bake")
    fake.pump(lambda: any(re.search(until, text) for task in session.tasks for text in task.said), timeout=120)
    return session.tasks[-1]


def jobs() -> dict[str, int]:
    """The number of the backend's jobs in each state."""
    counted: dict[str, int] = info(connect(start=False))["jobs"]
    return counted


def test_cancel_stops_backend_and_bake_and_the_next_bake_continues(window: Comp) -> None:
    window.set(engine_method="f2hdr", engine_weights="standard")  # slow enough to be canceled at work
    task = begin(window, "rendering main")
    fake.pump(window.results, timeout=60)  # not the progress bar: it may be late, and jump over a frame
    before = jobs()["canceled"]
    task.cancelled = True
    window.wait(timeout=10)
    fake.pump(lambda: jobs()["canceled"] == before + 1, timeout=60)
    done = window.results()
    assert 1 <= len(done) < 6
    assert session.messages == []
    assert window.state().startswith(("Baked 1001", "Not baked."))  # a frame just written may not be counted yet
    assert not [path for path in window.folder().rglob("*") if path.name.startswith(".")]
    times = {path: path.stat().st_mtime_ns for path in done}
    window.bake()
    assert window.state() == f"Baked {FIRST}-{LAST}."
    assert {path: path.stat().st_mtime_ns for path in done} == times
    assert len(window.results()) == 6


def test_a_bake_is_canceled_while_plates_are_written(window: Comp) -> None:
    task = begin(window, "writing plate 2/")
    task.cancelled = True
    window.wait(timeout=10)
    plates = {path: path.stat().st_mtime_ns for path in window.plates()}
    assert 2 <= len(plates) < 6
    assert window.state() == "Not baked."
    window.bake(engine_method="merge")
    assert window.state().startswith("Baked")
    assert {path: path.stat().st_mtime_ns for path in plates} == plates


def test_a_bake_is_canceled_in_the_progress_bar_of_nuke(window: Comp) -> None:
    session.cancel_execute = True
    window.bake()
    assert session.messages == []
    assert window.state() == "Not baked."


def test_the_main_thread_uses_no_network_and_starts_no_process(window: Comp, monkeypatch: pytest.MonkeyPatch) -> None:
    on_main: list[str] = []

    def watch(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() == session.main:
                on_main.append(name)
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, watched)

    watch(http.client.HTTPConnection, "request")
    watch(subprocess.Popen, "__init__")
    window.bake()
    window.press("detect")
    window.press("check")
    assert window.state().startswith("Baked")
    assert on_main == []


def test_a_second_bake_of_the_same_node_is_refused(window: Comp) -> None:
    begin(window, "writing plate 0/")
    fake.press(window.node, "bake")
    assert "already baking" in window.messages()
    window.wait()
    assert window.state().startswith("Baked")


def test_a_node_deleted_during_its_bake_ends_the_bake(window: Comp) -> None:
    begin(window, "writing plate 1/")
    nuke.delete(window.node)
    window.wait(timeout=60)
    assert "F2HDR1 was deleted" in window.messages()


def test_an_input_changed_during_a_bake_is_noticed(window: Comp) -> None:
    begin(window, "writing plate 1/")
    window.grade["white"].setValue(0.5)
    window.wait(timeout=60)
    assert "input of F2HDR1 was changed" in window.messages()


def server_process() -> int:
    """The process id of the server, which is started if necessary."""
    connect()
    facts = read_connection_file()
    assert facts is not None
    return int(facts["pid"])


def test_a_server_killed_during_a_bake_is_reported(window: Comp) -> None:
    server = server_process()
    window.set(**SLOW)
    fake.press(window.node, "bake")
    fake.pump(window.results, timeout=120)  # not the progress bar: it may be late, and jump over a frame
    os.kill(server, signal.SIGKILL)
    window.wait(timeout=60)
    assert "does not answer" in window.messages()
    assert 1 <= len(window.results()) < 6
    window.bake(engine_method="f2hdr")
    assert window.state() == f"Baked {FIRST}-{LAST}."


@pytest.fixture
def lonely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No server runs, and there is no backend to start."""
    monkeypatch.setenv("F2HDR_RUNTIME", str(tmp_path / "nobody"))
    monkeypatch.setenv("F2HDR_BACKEND", str(tmp_path / "no" / "f2hdr"))


@pytest.mark.usefixtures("lonely")
def test_a_missing_backend_is_reported_in_a_window(window: Comp) -> None:
    window.bake()
    assert "F2HDR_BACKEND" in window.messages()
    assert window.state().startswith("Not baked. Stopped: ")
    assert str(Path("no", "f2hdr")) in window.state()
    assert not window.plates()


@pytest.mark.usefixtures("lonely")
def test_a_missing_backend_is_reported_in_a_terminal(plate: str, tmp_path: Path) -> None:
    comp = Comp(plate, tmp_path / "shot.nk", gui=False)
    with pytest.raises(RuntimeError, match="F2HDR: .*F2HDR_BACKEND") as failed:
        comp.bake()
    assert "\n" not in str(failed.value)
    assert session.messages == []


@contextlib.contextmanager
def server_of_version(version: str) -> Iterator[str]:
    """A server that reports another version."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"version": version}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_a_backend_of_another_version_is_reported(window: Comp) -> None:
    with server_of_version("9.9.9") as address:
        window.bake(backend_url=address)
    assert "9.9.9" in window.messages()
    assert window.node["f2hdr_version"].value() in window.messages()


def test_a_backend_of_another_version_is_reported_in_a_terminal(plate: str, tmp_path: Path, runtime: Path) -> None:
    comp = Comp(plate, tmp_path / "shot.nk", gui=False)
    with server_of_version("9.9.9") as address, pytest.raises(RuntimeError, match="9.9.9"):
        comp.bake(backend_url=address)


def test_a_missing_neighbor_of_the_files_is_named(window: Comp) -> None:
    window.from_files()
    Path(str(window.read["file"].evaluate(1003))).unlink()
    window.bake(exposure_mode="ratio", short_parity="even", cuts="none", bake_range="custom", bake_first=1001,
                bake_last=1002)  # fmt: skip
    assert "1003" in window.messages()
    assert window.results() == []


def test_a_frame_that_the_graph_cannot_render_is_named(comp: Comp) -> None:
    Path(str(comp.read["file"].evaluate(1003))).unlink()
    with contextlib.nullcontext() if session.gui else pytest.raises(RuntimeError, match="plate.1003.exr"):
        comp.bake()
    assert not session.gui or "plate.1003.exr" in comp.messages()


def test_a_bake_without_an_input_is_refused(window: Comp) -> None:
    window.node.setInput(0, None)
    window.bake()
    assert "has no input" in window.messages()


def test_graph_scope_variables_are_refused_with_a_reason(window: Comp) -> None:
    switch = nuke.createNode("VariableSwitch")
    switch.setInput(0, window.read)
    window.grade.setInput(0, switch)
    window.bake()
    assert "Graph Scope Variables (VariableSwitch1)" in window.messages()


def test_frames_outside_the_input_are_refused(window: Comp) -> None:
    window.bake(bake_range="custom", bake_first=1, bake_last=10)
    assert "1001-1006, none of 1-10" in window.messages()


def test_exposures_that_cannot_be_determined_are_an_error(window: Comp) -> None:
    window.grade["white"].setValue(0.0)
    window.bake()
    assert "exposures" in window.messages()


def test_show_log_opens_the_log_of_the_bake(window: Comp) -> None:
    window.bake()
    window.press("show_log")
    assert "log.txt" in window.messages()
    assert "done 1001-1006" in window.messages()


def test_check_shows_the_facts_of_the_backend(window: Comp) -> None:
    window.press("check")
    assert "The backend answers." in window.messages()
    assert "mergenet" in window.messages()
    assert not at_work()


def test_a_bake_with_a_network_shows_the_radiance_of_the_scene(window: Comp) -> None:
    window.bake(**SLOW)
    assert np.abs(window.rgb(1003) - scene(1003)).mean() < 0.03
