"""Decoder processes: the same pictures as without, and one error for a file that crashes, hangs or exhausts them."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from f2hdr_backend.color.tags import read_tags
from f2hdr_backend.image import decoder_processes
from f2hdr_backend.image.exr import read_header
from f2hdr_backend.image.read import open_plate, read_image
from f2hdr_backend.image.write import write_exr, write_image
from f2hdr_backend.shot.errors import MissingFrames, UnreadableFrame
from f2hdr_backend.shot.safe_open import confine

pytestmark = pytest.mark.skipif(not decoder_processes.IN_USE, reason="Windows decodes in the process itself")
ROOT = Path(__file__).parents[2]
PIXELS = np.random.default_rng(3).random((24, 36, 3)).astype(np.float32)


@pytest.fixture
def place(monkeypatch):
    decoders = decoder_processes.Decoders()
    monkeypatch.setattr(decoder_processes, "_decoders", decoders)
    yield decoders
    decoders.close()


def crash(path):
    os.kill(os.getpid(), signal.SIGSEGV)


def hang(path):
    time.sleep(1000)


def flood(path):
    return np.ones(6 * 10**9, np.uint8).sum()


def fail(path):
    raise KeyError(path)


def process(path):
    return os.getpid()


def standard_error(path):
    return os.fstat(2).st_rdev == os.stat(os.devnull).st_rdev


def the_same(one, other):
    assert one.metadata.keys() == other.metadata.keys() and one.layers.keys() == other.layers.keys()
    for name, plane in one.layers.items():
        np.testing.assert_array_equal(plane, other.layers[name])
    np.testing.assert_array_equal(one.pixels, other.pixels)
    assert one.pixels.dtype == other.pixels.dtype and other.pixels.flags.writeable


def test_pictures_equal_those_decoded_in_the_process_itself(tmp_path, monkeypatch, place):
    code = OpenEXR.TimeCode(12, 34, 56, 7, 1, 0, 1, 1, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8)
    header = {
        "framesPerSecond": Fraction(24000, 1001),
        "timeCode": code,
        "keyCode": OpenEXR.KeyCode(1, 2, 3, 4, 5, 4, 64),
    }
    write_exr(tmp_path / "a.1001.exr", {"RGB": PIXELS, "Z": PIXELS[..., 0]}, header)
    write_image(tmp_path / "a.1001.png", PIXELS, 16)
    write_image(tmp_path / "a.1001.tif", PIXELS, 32)
    for suffix in ("exr", "png", "tif"):
        path, pattern = str(tmp_path / f"a.1001.{suffix}"), str(tmp_path / f"a.####.{suffix}")
        there, tags = read_image(path, 1001), read_tags(open_plate(pattern))
        monkeypatch.setattr(decoder_processes, "_decoders", None)
        the_same(read_image(path, 1001), there)
        assert read_tags(open_plate(pattern)) == tags
        monkeypatch.setattr(decoder_processes, "_decoders", place)
    found = read_header(str(tmp_path / "a.1001.exr"))
    assert found["framesPerSecond"] == Fraction(24000, 1001) and found["keyCode"].count == 4
    assert found["timeCode"].userData == code.userData and found["timeCode"].fieldPhase and found["timeCode"].bgf2


def test_errors_equal_those_of_readers_in_the_process_itself(tmp_path, place):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(UnreadableFrame) as caught:
        read_image(str(tmp_path / "a.png"), 7)
    assert caught.value.frame == 7 and str(tmp_path / "a.png") in caught.value.message


@pytest.mark.parametrize(
    ("function", "limits", "fact"),
    [
        (crash, "", "SIGSEGV"),
        (hang, "seconds=1", "seconds=120"),
        pytest.param(
            flood,
            "memory=3G",
            "memory=8000000000",
            marks=pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits this memory"),
        ),
    ],
)
def test_a_file_that_crashes_its_decoder_is_named_and_the_next_one_is_read(monkeypatch, place, function, limits, fact):
    monkeypatch.setenv("F2HDR_LIMITS", limits)
    with pytest.raises(UnreadableFrame) as caught:
        place.run(function, "/plates/a.1003.exr")
    assert caught.value.path == "/plates/a.1003.exr" and caught.value.path in caught.value.message
    assert fact in str(caught.value)
    monkeypatch.setenv("F2HDR_LIMITS", "")
    assert place.run(len, "abc") == 3


def test_a_bug_in_a_reader_is_raised_with_its_traceback(place):
    with pytest.raises(RuntimeError, match="KeyError") as caught:
        place.run(fail, "a.exr")
    assert "in fail" in "".join(caught.value.__notes__)


def test_a_decoder_is_reused_and_each_thread_has_its_own(place):
    first = place.run(process, "a.exr")
    assert first == place.run(process, "b.exr") != os.getpid()
    one, other = place.take("a.exr"), place.take("b.exr")
    with ThreadPoolExecutor(2) as threads:
        numbers = set(threads.map(lambda decoder: decoder.call(process, "a.exr"), (one, other)))
    assert len(numbers) == 2 and first in numbers
    place.give_back(one)
    place.give_back(other)


def test_a_decoder_that_died_while_idle_is_replaced(place):
    decoder = place.take("a.exr")
    number = decoder.call(process, "a.exr")
    place.give_back(decoder)
    os.kill(number, signal.SIGKILL)
    decoder._process.wait()
    assert place.run(process, "a.exr") != number


def test_output_of_libraries_is_not_shown(place):
    assert place.run(standard_error, "a.exr")


def test_a_decoder_opens_nothing_outside_the_allowed_folders(tmp_path, place):
    (tmp_path / "in").mkdir()
    for path in (tmp_path / "in" / "a.png", tmp_path / "b.png"):
        write_image(path, PIXELS, 8)
    confine([str(tmp_path / "in")])
    try:
        assert read_image(str(tmp_path / "in" / "a.png")).pixels.shape == PIXELS.shape
        with pytest.raises(UnreadableFrame, match=r"b\.png"):
            read_image(str(tmp_path / "b.png"))
    finally:
        confine([])


def test_decoders_exit_with_their_parent_even_if_it_is_killed(tmp_path):
    write_image(tmp_path / "a.png", PIXELS, 8)
    program = f"""
import time
from f2hdr_backend.image import decoder_processes
from f2hdr_backend.image.read import read_image
decoder_processes.use_decoders()
read_image({str(tmp_path / "a.png")!r})
print(decoder_processes.decoders()._idle[0]._process.pid, flush=True)
time.sleep(1000)
"""
    reader = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE)
    number = int(reader.stdout.readline())
    os.kill(number, 0)
    reader.kill()
    reader.wait()
    reader.stdout.close()
    assert ends(number)


def test_a_hanging_decoder_exits_even_if_its_parent_was_killed(tmp_path):
    module = tmp_path / "spinning.py"
    module.write_text(
        "from pathlib import Path\ndef spin(path):\n    Path(path).touch()\n    while True:\n        pass\n"
    )
    program = """
import os, sys
from f2hdr_backend.image import decoder_processes
from spinning import spin
decoder = decoder_processes.Decoder()
os.environ["F2HDR_LIMITS"] = "seconds=1000"  # of the reader alone
print(decoder._process.pid, flush=True)
decoder.call(spin, sys.argv[1])
"""
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "F2HDR_LIMITS": "seconds=1"}
    command = [sys.executable, "-c", program, str(tmp_path / "began")]
    reader = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    number = int(reader.stdout.readline())
    while not (tmp_path / "began").exists():
        assert reader.poll() is None
        time.sleep(0.02)
    reader.kill()
    reader.wait()
    reader.stdout.close()
    assert ends(number)


def ends(number):
    """Wait for a process that is not a child of this one."""
    for _ in range(600):
        if not is_running(number):
            return True
        time.sleep(0.1)
    return False


def is_running(number):
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return False
        return not Path("/proc/self").exists()
    return state != "Z"


def test_a_movie_is_opened_once_and_readable_after_a_frame_crashed_its_decoder(tmp_path, monkeypatch, place):
    av = pytest.importorskip("av")
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=24)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuvj420p"
        for number in range(4):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 50 * number, np.uint8))
            container.mux(stream.encode(frame.reformat(format="yuvj420p")))
        container.mux(stream.encode())
    plate = open_plate(str(path))
    there = [plate.read(number) for number in (1, 4, 2)]
    os.kill(plate._decoder._process.pid, signal.SIGKILL)
    with pytest.raises(UnreadableFrame, match="SIGKILL"):
        plate.read(3)
    third = plate.read(3)
    with pytest.raises(MissingFrames):
        plate.read(5)
    identity, facts = plate.identity(2), (plate.frames, plate.size, plate.default_encoding)
    plate.close()
    monkeypatch.setattr(decoder_processes, "_decoders", None)
    own = open_plate(str(path))
    assert (own.identity(2), (own.frames, own.size, own.default_encoding)) == (identity, facts)
    for number, image in zip((1, 4, 2, 3), (*there, third), strict=True):
        the_same(own.read(number), image)
    own.close()
