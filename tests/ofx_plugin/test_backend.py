"""The way to the backend: started, slow, silent, gone, of another version; each failure has one message."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.ofx_plugin.fake_backend import FakeBackend
from tests.ofx_plugin.host import Effect, Host
from tests.ofx_plugin.plates import plate
from tests.ofx_plugin.suites import OK, REPLY_DEFAULT, Properties
from tests.server.running import Served, write_backend

Load = Callable[..., Host]


def effect_of(host: Host, **values: object) -> Effect:
    effect = host.create(**values)
    effect.clips["Source"].show(plate(1, 9))
    return effect


def refused(effect: Effect, number: int = 3) -> str:
    """Render a frame that must fail, twice, and return the one message that was posted."""
    before = len(effect.texts())
    for frame in (number, number + 1):
        status, pixels = effect.render(frame)
        assert status != OK
        assert np.isnan(pixels).all(), "the output was touched"
    posted = effect.texts()[before:]
    assert len(posted) == 1, posted
    return posted[0]


def test_a_backend_is_started_and_serves_every_host(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the host's Python and library paths."""
    monkeypatch.setenv("F2HDR_BACKEND", str(write_backend(tmp_path)))
    monkeypatch.setenv("PYTHONPATH", "/of/the/host")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/of/the/host")
    effect = effect_of(load(), method="merge")
    assert effect.render(3)[0] == OK, effect.messages
    facts = json.loads((tmp_path / "run" / "f2hdr" / "server.json").read_text())
    try:
        environment = Path(f"/proc/{facts['pid']}/environ")
        if environment.exists():
            assert b"/of/the/host" not in environment.read_bytes()
        effect.press("check")
        assert str(facts["pid"]) in effect.parameters["status"].value
        other = effect_of(load(), method="merge")
        assert other.render(4)[0] == OK
        assert json.loads((tmp_path / "run" / "f2hdr" / "server.json").read_text()) == facts
    finally:
        os.kill(facts["pid"], signal.SIGTERM)


def test_a_missing_backend_is_reported(load: Load, tmp_path: Path) -> None:
    effect = effect_of(load())
    assert str(tmp_path / "no-backend") in refused(effect)


def test_a_backend_that_ends_at_its_start_is_reported(load: Load, tmp_path: Path) -> None:
    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\necho no such library >&2\nexit 3\n")
    program.chmod(0o755)
    effect = effect_of(load(), backend=str(program))
    words = refused(effect)
    assert "exit code 3" in words and "no such library" in words


def test_the_installed_bundle_uses_its_recorded_backend(
    library: Path, load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("F2HDR_BACKEND")
    contents = tmp_path / "F2HDR.ofx.bundle" / "Contents"
    for name in ("Resources", "Linux-x86-64"):
        (contents / name).mkdir(parents=True)
    installed = contents / "Linux-x86-64" / "F2HDR.ofx"
    shutil.copy(library, installed)
    (contents / "Resources" / "backend.json").write_text(json.dumps([str(tmp_path / "of the bundle"), "-m"]))
    host = Host(installed)
    assert str(tmp_path / "of the bundle") in refused(effect_of(host))
    (contents / "Resources" / "backend.json").write_text("{}")
    assert "backend.json" in refused(effect_of(host))
    host.unload()


def test_a_backend_of_another_version_is_refused(load: Load, tmp_path: Path) -> None:
    FakeBackend(tmp_path / "run", version="9.8.7")
    assert "9.8.7" in refused(effect_of(load()))


def test_a_connection_file_with_another_version_than_the_server_is_refused(load: Load, fake: FakeBackend) -> None:
    fake.version = "9.8.7"
    assert "9.8.7" in refused(effect_of(load()))


def test_a_connection_file_that_others_can_write_is_refused(load: Load, fake: FakeBackend, tmp_path: Path) -> None:
    (tmp_path / "run" / "f2hdr" / "server.json").chmod(0o666)
    assert "server.json" in refused(effect_of(load()))


def test_a_stale_connection_file_starts_a_new_backend(load: Load, fake: FakeBackend, tmp_path: Path) -> None:
    """Its process has ended, or does not listen: the effect starts a backend."""
    effect = effect_of(load())
    fake.announce(pid=2**22 + 1)
    assert "no-backend" in refused(effect)
    fake.announce()
    assert effect.render(3)[0] == OK
    assert effect.messages[-1][0] == "clear"


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"pid": 1}', '{"token": "a\\r\\nb", "pid": 1}', "\0" * 100])
def test_a_damaged_connection_file_starts_a_new_backend(
    load: Load, fake: FakeBackend, tmp_path: Path, content: str
) -> None:
    effect = effect_of(load())
    (tmp_path / "run" / "f2hdr" / "server.json").write_text(content)
    assert "no-backend" in refused(effect)


def test_a_backend_slower_than_the_longest_wait_is_reported(load: Load, fake: FakeBackend) -> None:
    fake.delay_s = 30
    assert "1 s" in refused(effect_of(load(), longest_wait=1.0))


def test_a_backend_that_never_answers_is_reported(load: Load, fake: FakeBackend) -> None:
    """The user can stop the render; else the longest wait ends it, or the limit for a status request."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        fake.announce(address=f"http://127.0.0.1:{silent.getsockname()[1]}", socket="")
        effect = effect_of(load())
        effect.abort_at = time.monotonic() + 0.2
        assert effect.render(3)[0] == OK
        assert not effect.messages
        effect.abort_at = float("inf")
        assert effect.render(3)[0] != OK
        assert len(effect.texts()) == 1
        assert str(os.getpid()) in effect.texts()[0] and "f2hdr serve --stop" in effect.texts()[0]
        assert "0.5 s" in refused(effect_of(load(), longest_wait=0.5))


def test_a_backend_that_hangs_during_a_frame_is_reported(load: Load, fake: FakeBackend) -> None:
    effect = effect_of(load())
    assert effect.render(3)[0] == OK, effect.messages
    fake.delay_s = fake.info_delay_s = 120
    effect.abort_at = time.monotonic() + 0.2
    assert effect.render(4)[0] == OK
    assert not effect.texts()
    effect.abort_at = float("inf")
    assert effect.render(4)[0] != OK
    assert "f2hdr serve --stop" in effect.texts()[0]


def test_a_backend_that_exits_during_a_frame_is_reported(load: Load, fake: FakeBackend) -> None:
    fake.drops = True
    assert "unexpectedly" in refused(effect_of(load()))


def test_errors_of_the_backend_are_shown(load: Load, fake: FakeBackend) -> None:
    effect = effect_of(load())
    message, hint = 'No weights "x\u00e9" are installed.', "Install them."
    fake.answer = (404, json.dumps({"code": "weights_missing", "message": message, "hint": hint}).encode())
    assert refused(effect) == f"{message} {hint}"


ANSWERS = [(200, b""), (200, b"[]"), (200, b"nonsense"), (500, b"<html>"), (200, b'{"a": "\\ud800"}')]


@pytest.mark.parametrize("answer", ANSWERS)
def test_invalid_responses_are_reported(load: Load, fake: FakeBackend, answer: tuple[int, bytes]) -> None:
    fake.answer = answer
    refused(effect_of(load()))


@pytest.mark.parametrize("fault", ["missing", "short", "frame"])
def test_a_result_that_does_not_match_the_frame_is_refused(load: Load, fake: FakeBackend, fault: str) -> None:
    fake.breaks_result = fault
    effect = effect_of(load())
    assert effect.render(3)[0] != OK
    assert "result" in effect.texts()[0]


def test_a_killed_backend_is_replaced_by_a_new_one(
    served: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = Served(tmp_path).start()
    for name, value in victim.environment.items():
        monkeypatch.setenv(name, value)
    effect = effect_of(served(), method="merge")
    assert effect.render(3)[0] == OK, effect.messages
    os.kill(victim.process.pid, signal.SIGSTOP)  # a frame is under way when it dies
    statuses: list[int] = []
    rendering = threading.Thread(target=lambda: statuses.append(effect.render(4)[0]))
    rendering.start()
    time.sleep(0.3)
    victim.kill()
    rendering.join(30)
    assert statuses and statuses[0] != OK
    assert len(effect.texts()) == 1 and "unexpectedly" in effect.texts()[0]
    successor = Served(tmp_path).start()
    try:
        assert effect.render(4)[0] == OK, effect.messages
        assert effect.messages[-1][0] == "clear"
    finally:
        successor.stop()


def test_an_abort_stops_a_frame_at_once(load: Load, fake: FakeBackend, tmp_path: Path) -> None:
    fake.delay_s = 30
    effect = effect_of(load())
    effect.abort_at = time.monotonic() + 0.3
    status, _ = effect.render(3)
    late = time.monotonic() - effect.abort_at
    assert status == OK and not effect.messages
    assert late < 20  # the answer would take 30 s; the benchmark measures the time itself
    fake.delay_s = 0
    effect.abort_at = float("inf")
    assert effect.render(4)[0] == OK, effect.messages


def test_an_abort_stops_the_start_of_a_backend(load: Load, tmp_path: Path) -> None:
    program = tmp_path / "sleeper"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    effect = effect_of(load(), backend=str(program))
    effect.abort_at = time.monotonic() + 0.3
    assert effect.render(3)[0] == OK
    assert time.monotonic() - effect.abort_at < 40  # the program would run for 60 s
    assert not effect.messages


def test_hosts_without_persistent_messages_get_one_dialog_per_cause(load: Load, tmp_path: Path) -> None:
    host = load(messages=1)
    effects = [effect_of(host) for _ in range(3)]
    for effect in effects:
        for number in (3, 4):
            assert effect.render(number)[0] != OK
    assert len(host.dialogs) == 1


def test_the_message_suite_2_of_resolve_is_not_used(load: Load) -> None:
    effect = effect_of(load(name="DaVinciResolve"))
    assert effect.render(3)[0] != OK
    assert {way for way, _, _ in effect.messages} == {"message"}


def test_a_full_folder_for_buffers_is_reported(load: Load, fake: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    monkeypatch.setenv("F2HDR_BUFFERS", "/dev/full")
    assert "F2HDR_BUFFERS" in refused(effect_of(load()))


def test_thumbnails_show_the_source_without_the_backend(load: Load, fake: FakeBackend) -> None:
    host = load()
    effect = effect_of(host)
    for flag, wanted in (("true", OK), ("false", REPLY_DEFAULT)):
        given = Properties(host.handles, OfxPropTime=3.0, OfxImageEffectPropThumbnailRender=flag)
        answer = Properties(host.handles)
        assert host.act("OfxImageEffectActionIsIdentity", effect, given, answer) == wanted
        assert answer.get("OfxPropName") == (["Source"] if wanted == OK else None)
    assert not fake.requests
