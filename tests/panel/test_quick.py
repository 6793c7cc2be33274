"""The window's thread with a plate of 3840 x 2160: it never computes for long, whatever is dragged."""

import time

import numpy as np

from f2hdr_backend.color.config import load_config
from f2hdr_backend.image.read import read_image
from f2hdr_backend.image.write import write_exr
from f2hdr_backend.panel.shot_model import write_shot
from f2hdr_backend.pictures.display_transform import Display, Look
from f2hdr_backend.shot.document import Output, Shot
from f2hdr_backend.shot.exposure import ExposurePattern
from tests.panel.measure import Watchdog


def seconds_of_a_picture(path):
    """Processor time in which this machine reads and draws one frame; ``measure.py`` measures the target of 0.05 s."""
    display = Display(load_config("f2hdr"), "linear")
    display.draw(np.zeros((1, 1, 3), np.float32), Look())
    began = time.process_time()
    display.draw(read_image(path, 1).pixels, Look())
    return time.process_time() - began


def test_no_turn_of_the_event_loop_computes_a_whole_picture(window, tmp_path):
    rows = np.linspace(0, 1, 3840, dtype=np.float32)[None, :, None]
    pixels = np.broadcast_to(rows, (2160, 3840, 3))
    for name in ("p.0001.exr", "p.0002.exr", "h.0001.exr", "h.0002.exr"):
        write_exr(tmp_path / name, {"RGB": np.ascontiguousarray(pixels)}, {}, compression="none")
    output = Output(pattern=str(tmp_path / "h.####.exr"))
    shot = Shot(plate=str(tmp_path / "p.####.exr"), exposures=ExposurePattern((0.0, 3.0), 1), output=output)
    write_shot(str(tmp_path / "shot.json"), shot)
    window.bot.wait(300)
    dog = Watchdog()
    window.bot.wait(50)
    dog.cpu[:] = [0.0]
    dog.turns = 0
    window.open(str(tmp_path / "shot.json"), frames=2)
    for mode in ("wipe", "result", "difference", "plate"):
        window.it.viewer.bar.set_mode(mode)
        for step in range(4):
            window.it.viewer._wiped(0.3 + step / 10)
            window.it.viewer.bar.exposure.set_value(step / 4)
            window.it.player.step(1 if step % 2 else -1)
            window.settle()
    window.it.viewer.canvas.actual_size()
    window.settle()
    assert dog.turns > 20
    longest = max(dog.cpu)
    assert longest < seconds_of_a_picture(str(tmp_path / "p.0001.exr"))
