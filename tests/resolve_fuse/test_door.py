"""The small Lua modules: JSON, sequences, processes, requests, waiting."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.frames import Sequence
from tests.resolve_fuse.lua import ALL, LUA51, LUAJIT, WITHOUT_FFI, Lua

PAIRS = pytest.mark.parametrize("lua", [LUAJIT, LUA51], ids=lambda lua: lua.name)
ROUND_TRIP = """
local json = require("f2hdr_json")
local file = assert(io.open((...), "rb"))
print((json.encode(assert(json.decode(file:read("*a"))))))
"""
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner.filter(lambda item: item is not None), max_size=4)
    | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@PAIRS
def test_json_is_unchanged_after_writing_and_reading(lua: Lua, tmp_path: Path) -> None:
    seen: list[object] = []

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(VALUES)
    def collect(value: object) -> None:
        seen.append(value)

    collect()
    for ensure_ascii in (True, False):
        text = json.dumps(seen, ensure_ascii=ensure_ascii).encode("utf-8", "surrogatepass")
        (tmp_path / "a.json").write_bytes(text)
        answered = json.loads(lua.evaluate(ROUND_TRIP, tmp_path / "a.json"))
        assert answered == seen


@PAIRS
@pytest.mark.parametrize(
    "text", ["", "{", "[1,", '{"a"}', "[1] 2", '"\\x"', "nul", "[" * 200 + "]" * 200, '{"a":1,}', '"', "01a", "-"]
)
def test_invalid_json_is_refused_with_a_message(lua: Lua, text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    code = 'local file = io.open((...), "rb") print(require("f2hdr_json").decode(file:read("*a")))'
    value, _, words = lua.evaluate(code, tmp_path / "a.json").strip().partition("\t")
    assert value == "nil" and words


@PAIRS
@pytest.mark.parametrize("pattern", ["/a b/p.####.exr", "p.%04d.tif", "/x.1/p_$F3.exr", "C:/a/p.@@@@@.dpx"])
@pytest.mark.parametrize("frame", [7, 1001, 123456, -5])
def test_sequence_patterns_give_the_frames_that_the_backend_reads(lua: Lua, pattern: str, frame: int) -> None:
    code = 'local p, n = ... print(require("f2hdr_sequence").parse(p):path(tonumber(n)))'
    assert lua.evaluate(code, pattern, frame).strip() == Sequence.parse(pattern).path(frame)


@PAIRS
def test_a_single_frame_gives_its_sequence(lua: Lua) -> None:
    code = 'for _, p in ipairs({...}) do local s = require("f2hdr_sequence").parse(p) print(s and s:pattern()) end'
    said = lua.evaluate(code, "/v2/p.0999.exr", "/shot010/plate.exr", "/a/b01.mov").split("\n")
    assert said[:3] == ["/v2/p.####.exr", "nil", "/a/b##.mov"]


@pytest.mark.parametrize("lua", ALL, ids=lambda lua: lua.name)
def test_programs_are_started_with_any_arguments_without_blocking(lua: Lua, tmp_path: Path) -> None:
    folder = tmp_path / "it's a folder, é $HOME `x`"
    code = """
local system = require("f2hdr_system")
local folder = ...
assert(system.make_folder(folder .. "/sub"))
local base = folder .. "/sub/job"
local began = os.time()
assert(system.start({"sh", "-c", 'sleep 1; printf "%s|" "$@" "$WORD" "$LD_LIBRARY_PATH"; echo no >&2; exit 7', "sh",
    "a b", "it's", '"$HOME"', "é;&|"}, base, {WORD = "x y"}))
assert(system.finished(base) == nil and os.time() - began <= 1)
while not system.finished(base) do system.sleep(0.05) end
print(system.finished(base), system.read_all(base .. ".out"), system.read_all(base .. ".err"))
"""
    said = lua.evaluate(code, folder, env={"LD_LIBRARY_PATH": "/host/lib"})
    assert said.strip() == '7\ta b|it\'s|"$HOME"|é;&||x y||\tno'.replace("é;&||", "é;&||")


@PAIRS
def test_a_folder_that_cannot_be_written_is_reported(lua: Lua, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code = 'print(require("f2hdr").door({folder = ...}))'
    said = lua.evaluate(code, tmp_path / "file" / "below")
    assert said.startswith("nil\t") and "choose another cache folder" in said


STATUS = """
local json, system, door = require("f2hdr_json"), require("f2hdr_system"), assert(require("f2hdr").door({folder = ...}))
local base = (...) .. "/jobs/x.status"
assert(system.write_all((...) .. "/jobs/x.json", "{}"))
local function reported(document)
    document.updated = document.updated or os.time()
    assert(system.write_all(base, json.encode(document)))
    local status = door:job("x"):status()
    print(status.state, status.message)
end
reported({state = "running", done = 1, total = 3, message = "Frame 2."})
reported({state = "running", done = 1, total = 3, message = "Frame 2.", updated = os.time() - 30})
reported({state = "starting", updated = os.time() - 30, message = "Starting."})
reported({state = "failed", error = {message = "No.", hint = "Fix it."}})
reported({state = "done", done = 3, total = 3, updated = 1, frame = json.null, error = json.null})
"""


@PAIRS
def test_a_status_file_that_is_no_longer_updated_is_a_failure(lua: Lua, tmp_path: Path) -> None:
    lines = lua.evaluate(STATUS, tmp_path).strip().split("\n")
    assert lines[0] == "running\tFrame 2."
    assert lines[1].startswith("failed\t") and "has not reported anything" in lines[1]
    assert lines[2] == "starting\tStarting."
    assert lines[3] == "failed\tNo. Fix it."
    assert lines[4].strip() == "done"


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        refused = self.path.endswith("/refused")
        document = {"message": "No.", "hint": "Fix it."} if refused else {
            "path": self.path, "method": self.command, "body": body, "token": self.headers["Authorization"]
        }  # fmt: skip
        text = json.dumps(document, ensure_ascii=False).encode()
        self.send_response(404 if refused else 200)
        if self.path.endswith("/chunked"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(text), 5):
                piece = text[at : at + 5]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
        self.close_connection = True

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


REQUEST = """
local http, json = require("f2hdr_http"), require("f2hdr_json")
print(http.available)
if http.available then
    local server = assert(http.server())
    for _, path in ipairs({"/v1/a", "/v1/chunked"}) do
        local answer = assert(http.request(server, "POST", path, json.encode({plate = ("é"):rep(60000)})))
        print(answer.method, answer.path, answer.token, #answer.body.plate)
    end
    print(http.request(server, "GET", "/v1/refused"))
    server.port = 1
    print(http.request(server, "GET", "/v1/a"))
end
"""


@pytest.mark.parametrize("lua", ALL, ids=lambda lua: lua.name)
def test_requests_reach_a_server_where_lua_has_sockets(lua: Lua, tmp_path: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "f2hdr").mkdir()
    facts = {"address": f"http://127.0.0.1:{server.server_port}", "token": "t0"}
    (tmp_path / "f2hdr" / "server.json").write_text(json.dumps(facts))
    (tmp_path / "f2hdr" / "server.json").chmod(0o600)
    lines = lua.evaluate(REQUEST, env={"F2HDR_RUNTIME": str(tmp_path)}).strip().split("\n")
    server.shutdown()
    server.server_close()
    if lua in (LUA51, WITHOUT_FFI):
        assert lines == ["false"]
    else:
        assert lines[1:3] == [f"POST\t/v1/{path}\tBearer t0\t120000" for path in ("a", "chunked")]
        assert lines[3:] == ["nil\tNo. Fix it.", "nil\tno server listens"]


SUBMIT = """
local door, http = require("f2hdr"), require("f2hdr_http")
print(http.available)
if http.available then
    local sent
    http.server = function() return {port = 1, token = "t"} end
    http.request = function(_, _, path, body)
        if body then sent = body end
        return {id = "1"}
    end
    local made = assert(door.door({folder = ...}))
    local colors = {{}, {config = ""}, {config = "own.ocio"}}
    for index = 1, 4 do
        assert(made:submit({version = 1, plate = "p.####.exr", color = colors[index]}, "j" .. index, {}))
        print(sent)
    end
end
"""


@pytest.mark.parametrize("lua", ALL, ids=lambda lua: lua.name)
def test_the_server_gets_the_color_config_of_the_host(lua: Lua, tmp_path: Path) -> None:
    lines = lua.evaluate(SUBMIT, tmp_path, env={"OCIO": "/studio/c.ocio"}).strip().split("\n")
    if lines == ["false"]:
        return
    configs = [json.loads(line)["shot"]["color"]["config"] for line in lines[1:]]
    assert configs == ["/studio/c.ocio", "/studio/c.ocio", "own.ocio", "/studio/c.ocio"]


@PAIRS
def test_shots_written_by_lua_are_valid(lua: Lua, tmp_path: Path) -> None:
    """What the timeline script and the Fuse build is read by the Shot's own strict reader in other tests; this one
    pins empty lists and null, which Lua tables do not distinguish."""
    code = """local json = require("f2hdr_json")
print(json.encode({version = 1, plate = "p.####.exr", cuts = json.array(), frames = json.null,
    exposures = {cycle = {0, 3}, start = 1, exceptions = json.array()}, output = {layers = json.array()}}))"""
    shot = Shot.from_json(lua.evaluate(code))
    assert shot.cuts == () and shot.frames is None and shot.exposures is not None and shot.exposures.cycle == (0.0, 3.0)


CHECKS = """
local folder, command = ...
for _ = 1, 3 do assert(assert(require("f2hdr").door({folder = folder, backend = command})):check()) end
print(require("f2hdr").door({folder = folder, backend = folder .. "/none"}):check())
"""


@PAIRS
def test_a_backend_that_answered_is_not_checked_again(lua: Lua, tmp_path: Path) -> None:
    """Each frame of a Fuse makes its own door."""
    command = tmp_path / "f2hdr"
    command.write_text(f"#!/bin/sh\necho asked >>'{tmp_path}/log'\necho 1.0\n")
    command.chmod(0o755)
    said = lua.evaluate(CHECKS, tmp_path, command)
    assert (tmp_path / "log").read_text() == "asked\n"
    assert said.startswith("nil\t") and "cannot be started" in said


SAME_NAME = """
local json, system, door = require("f2hdr_json"), require("f2hdr_system"), assert(require("f2hdr").door({folder = ...}))
local base = (...) .. "/jobs/x"
assert(system.write_all(base .. ".json", json.encode({a = 1})))
for _, case in ipairs({{"running", 1}, {"running", 2}, {"failed", 2}}) do
    assert(system.write_all(base .. ".status", json.encode({state = case[1], updated = os.time(), total = 3})))
    local job, why = door:submit({a = case[2]}, "x", {by_command = true})
    print(job ~= nil, why)
end
"""


@PAIRS
def test_a_name_with_a_running_job_is_not_used_with_other_settings(lua: Lua, tmp_path: Path) -> None:
    lines = lua.evaluate(SAME_NAME, tmp_path, env={"F2HDR_BACKEND": "true"}).strip().split("\n")
    assert lines[0].startswith("true")
    assert lines[1].startswith("false\tThese frames are being rendered with other settings.")
    assert lines[2].startswith("true")


CACHE = """
local cache, system = require("f2hdr_cache"), require("f2hdr_system")
local live = ...
local function made(digest, plates)
    assert(system.make_folder(live .. "/" .. digest))
    local names = {"hdr.-000001.exr", unpack(plates)}
    for _, name in ipairs(names) do assert(system.write_all(live .. "/" .. digest .. "/" .. name, ("x"):rep(100))) end
    cache.note(live, digest, names, 350)
    local left = {}
    for _, one in ipairs({"0a", "0b", "0cw1", "0d", "0e"}) do
        if system.exists(live .. "/" .. one .. "/hdr.-000001.exr") then left[#left + 1] = one end
    end
    print(table.concat(left, " "))
end
made("0a", {"plate.000001.exr"})
made("0b", {})
made("0b", {})
made("0cw1", {"plate.000001.exr"})
made("0d", {"p1", "p2", "p3", "p4"})
made("0e", {})
"""


@pytest.mark.parametrize("lua", ALL, ids=lambda lua: lua.name)
def test_the_oldest_results_are_removed_from_a_full_cache(lua: Lua, tmp_path: Path) -> None:
    """0d alone is above the limit: everything before it goes, it stays until the next one."""
    said = lua.evaluate(CACHE, tmp_path / "é").strip().split("\n")
    assert said == ["0a", "0a 0b", "0a 0b", "0b 0cw1", "0d", "0e"]
    assert {path.name for path in (tmp_path / "é").iterdir()} == {"0e", "results.txt"}
