"""The frames that are compared: how many are read at the same time."""

import numpy as np
import pytest

from f2hdr_backend.detection import compare
from f2hdr_backend.image.frame import PlateImage
from f2hdr_backend.machine.read_ahead import read_each


class Plate:
    """Two gray frames which say that they are of another size."""

    def __init__(self, name, size):
        self.name = name
        self.size = size

    def read(self, number):
        return PlateImage(number, self.name, np.full((32, 32, 3), 0.2 * number, np.float32), "integer")


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        ("p.####.png", (3840, 2160), 4),
        ("p.####.png", (8192, 4320), 4),
        ("p.####.png", (8000, 8000), 2),
        ("p.####.png", (11000, 11000), 1),
        ("p.####.png", (100_000, 100_000), 1),
        ("p.mov", (3840, 2160), 1),
    ],
)
def test_frames_read_at_the_same_time_are_fewer_when_they_are_large(monkeypatch, name, size, expected):
    asked = []

    def counted(read, numbers, readers):
        asked.append(readers)
        return read_each(read, numbers, readers)

    monkeypatch.setattr(compare, "usable_cpus", lambda: 64)
    monkeypatch.setattr(compare, "read_each", counted)
    found = compare.compared_frames(Plate(name, size), (1, 2), "gamma22")
    assert len(found.brightness) == 2 and asked == [expected]
