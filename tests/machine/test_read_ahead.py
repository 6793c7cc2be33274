"""Frames are read once, in order, within the read-ahead limit, and released; for any number of devices."""

from __future__ import annotations

import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from f2hdr_backend.machine.read_ahead import ReadAhead, read_each

WINDOWS = [(1, 0, 1), *((n - 1, n, n + 1) for n in range(1, 40)), (39, 40, 39)]


class Picture:
    def __init__(self, number):
        self.number = number


class Plate:
    """Records the frames that are read, and the pictures that are still referenced."""

    def __init__(self, broken=None):
        self.read_numbers = []
        self._alive = weakref.WeakSet()
        self._broken = broken

    def read(self, number):
        self.read_numbers.append(number)
        if number == self._broken:
            raise OSError(f"frame {number}")
        picture = Picture(number)
        self._alive.add(picture)
        return picture

    @property
    def held(self):
        return len(self._alive)


def numbers(pictures):
    return tuple(picture.number for picture in pictures)


def opened(plate, **options):
    options = {"ahead": 3, "readers": 1, "prepare": list, **options}
    return ReadAhead(plate.read, WINDOWS, **options)


@pytest.mark.parametrize("makers", [0, 2])
def test_windows_have_their_frames_and_each_frame_is_read_once_in_order(makers):
    plate = Plate()
    with opened(plate, makers=makers) as ahead:
        assert [numbers(ahead.take(place)) for place in range(len(WINDOWS))] == WINDOWS
    assert plate.read_numbers == [1, 0, *range(2, 41)]


def test_the_number_of_frames_read_and_stored_is_limited():
    plate = Plate()
    with opened(plate) as ahead:
        for place in range(len(WINDOWS)):
            taken = ahead.take(place)
            time.sleep(0.005)
            assert max(plate.read_numbers) <= place + 3 + 1
            assert plate.held <= 3 + 3
            del taken
    assert plate.held == 0


def test_windows_are_prepared_ahead_in_threads_of_their_own():
    prepared = []

    def prepare(pictures):
        prepared.append((pictures[1].number, threading.current_thread().name))
        return pictures[1].number

    plate = Plate()
    with opened(plate, prepare=prepare, makers=2) as ahead:
        assert ahead.take(0) == 0
        deadline = time.monotonic() + 30
        while len(prepared) < 4 and time.monotonic() < deadline:
            time.sleep(0.005)
        assert sorted(number for number, _ in prepared) == [0, 1, 2, 3]
        assert all(thread.startswith("make-ahead") for _, thread in prepared)


def test_several_devices_share_the_frames_read():
    plate = Plate()
    places = [range(0, 8), range(8, 16), range(16, 24), range(24, 32), range(32, len(WINDOWS))]
    with opened(plate, ahead=11, readers=3) as ahead, ThreadPoolExecutor(3) as devices:
        taken = devices.map(lambda run: [numbers(ahead.take(place)) for place in run], places)
        assert sum(taken, []) == WINDOWS
    assert sorted(plate.read_numbers) == list(range(41)) and plate.held == 0


def test_an_unreadable_frame_is_an_error_of_its_windows():
    before = threading.active_count()
    with pytest.raises(OSError, match="frame 5"), opened(Plate(broken=5), makers=1) as ahead:
        for place in range(len(WINDOWS)):
            assert place < 5
            ahead.take(place)
    assert threading.active_count() == before


@pytest.mark.parametrize("readers", [1, 4])
def test_single_frames_are_yielded_in_order_and_read_ahead(readers):
    plate = Plate()
    for expected, picture in enumerate(read_each(plate.read, range(50), readers)):
        assert picture.number == expected
        assert len(plate.read_numbers) <= expected + readers + 2
    assert sorted(plate.read_numbers) == list(range(50))


def test_single_frames_are_read_at_the_same_time_by_several_readers():
    together = threading.Barrier(3, timeout=60)

    def read(number):
        together.wait()
        return number

    assert list(read_each(read, range(9), 3)) == list(range(9))


def test_stopping_early_leaves_no_thread():
    before = threading.active_count()
    pictures = read_each(Plate().read, range(1000), 3)
    next(pictures)
    pictures.close()
    assert threading.active_count() == before
