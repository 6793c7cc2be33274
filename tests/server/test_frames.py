"""One window now, from pixels that a host has in mapped buffers."""

import os
import struct
import threading

import numpy as np
import OpenEXR
import pytest

from f2hdr_backend.client.jobs import submit
from f2hdr_backend.image.read import read_image
from f2hdr_backend.image.write import write_exr
from f2hdr_backend.shot.document import Shot
from tests.server.running import LONG_S, make_plate, make_shot


def write_host_buffer(path, frame, pixels):
    """As a host writes it: header by the documentation, then RGBA."""
    height, width = pixels.shape[:2]
    rgba = np.dstack([pixels, np.ones((height, width), "<f4")]).astype("<f4")
    header = b"F2HDRPIX" + struct.pack("<IIIIQq24x", 1, width, height, 4, width * 16, frame)
    path.write_bytes(header + rgba.tobytes())
    return str(path)


def read_host_buffer(path):
    content = open(path, "rb").read()
    magic, version, width, height, channels, row_bytes, frame = struct.unpack("<8sIIIIQq24x", content[:64])
    assert (magic, version, row_bytes) == (b"F2HDRPIX", 1, width * channels * 4)
    return frame, np.frombuffer(content[64:], "<f4").reshape(height, width, channels)


@pytest.fixture
def shot(tmp_path) -> Shot:
    """A float EXR plate of three frames, light with 1.0 at the clip."""
    source = make_plate(tmp_path / "source", 3, (48, 32))
    for number in (1, 2, 3):
        light = read_image(source.replace("####", f"{number:04d}")).pixels ** 2.2
        write_exr(tmp_path / "plate" / f"p.{number:04d}.exr", {"RGB": light}, {}, pixel_type="float")
    made = make_shot(str(tmp_path / "plate" / "p.####.exr"), tmp_path / "o" / "o.####.exr", method="f2hdr")
    document = made.to_json()
    document["color"] = {"input_space": "linear", "clip_level": [1.0]}
    document["output"] |= {"pixel_type": "float"}
    return Shot.from_json(document)


@pytest.fixture
def body(shot, tmp_path):
    """A request for frame 2 of that plate."""
    buffers = []
    for number in (1, 2, 3):
        pixels = read_image(shot.plate.replace("####", f"{number:04d}")).pixels
        buffers.append(write_host_buffer(tmp_path / f"in{number}", number, pixels))
    return {"shot": shot.to_json(), "buffers": buffers, "output": str(tmp_path / "out")}


def test_a_window_has_the_pixels_of_a_render_of_the_files(server, shot, body):
    assert list(submit(server.connection, shot).watch(LONG_S))[-1]["event"] == "render_finished"
    with OpenEXR.File(shot.output.pattern.replace("####", "0002")) as file:
        rendered = file.channels()["RGB"].pixels.copy()
    status, answer = server.ask("POST", "/v1/frames", body)
    assert status == 200, answer
    frame, pixels = read_host_buffer(body["output"])
    assert (frame, answer["frame"], answer["width"], answer["height"]) == (2, 2, 48, 32)
    assert pixels.shape == (32, 48, 3)
    assert np.array_equal(pixels, rendered)


def changed(body, **changes):
    return {**body, **changes}


def test_errors_of_a_window_are_reported(server, shot, body, tmp_path):
    small = write_host_buffer(tmp_path / "small", 3, np.zeros((8, 8, 3)))
    same = write_host_buffer(tmp_path / "same", 4, np.zeros((32, 48, 3)))
    before, reference, after = body["buffers"]
    settled = shot.to_json()
    cases = [
        (changed(body, buffers=[before, reference, small]), 422, "differ in size"),
        (changed(body, buffers=[before, reference, same]), 422, "do not alternate"),
        (changed(body, buffers=[before, reference]), 400, "a list of 3"),
        (changed(body, buffers=[before, reference, str(tmp_path / "none")]), 422, "cannot be read"),
        (changed(body, buffers=[before, reference, "in3"]), 422, "absolute path"),
        (changed(body, shot=settled | {"exposures": None}), 422, "exposures"),
        (changed(body, shot=settled | {"engine": {"method": "f2hdr", "weights": "none"}}), 404, "none"),
        (changed(body, output=str(tmp_path)), 422, "F2HDR buffer"),
        (changed(body, output=str(tmp_path / "plate" / "p.0001.exr")), 422, "F2HDR buffer"),
    ]
    for asked, wanted, words in cases:
        status, answer = server.ask("POST", "/v1/frames", asked)
        assert status == wanted and words in answer["message"], answer
    assert not os.path.exists(body["output"])


def test_a_window_is_computed_before_waiting_renders(server, body, tmp_path):
    plate = make_plate(tmp_path / "long", 3000, (640, 480))
    batches = [
        submit(server.connection, make_shot(plate, tmp_path / name / "o.####.exr"), client=name) for name in "ab"
    ]
    server.ask("POST", "/v1/frames", body)
    for _ in range(3):
        assert server.ask("POST", "/v1/frames", body)[0] == 200
    states = [batch.status() for batch in batches]
    assert all(state.state in ("queued", "running") and state.done < 3000 for state in states)
    for batch in batches:
        batch.cancel()


def test_frames_of_many_simultaneous_hosts_are_all_computed(server, body, tmp_path):
    answers = []

    def ask(index):
        wanted = changed(body, output=str(tmp_path / f"out{index}"), client=f"host {index}")
        answers.append(server.ask("POST", "/v1/frames", wanted)[0])

    asking = [threading.Thread(target=ask, args=(index,)) for index in range(12)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert answers == [200] * 12
    pictures = {open(tmp_path / f"out{index}", "rb").read() for index in range(12)}
    assert len(pictures) == 1
