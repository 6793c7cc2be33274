"""Threads around the devices: as many as there are processors, within the host's memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import pytest
import torch

from f2hdr_backend.engine.method.staging import ON_CPU, one_thread_each, stage
from f2hdr_backend.server.render_jobs import LOOKED_AHEAD


@pytest.mark.parametrize("lanes", [1, 2, 8])
@pytest.mark.parametrize("makes_flows", [True, False])
def test_with_less_memory_there_are_fewer_threads_and_stored_frames_fit(lanes, makes_flows):
    before = None
    for room in (1e6, 20_000, 10_000, 6000, 3000, 1000):
        found = stage(lanes, 32, room, makes_flows=makes_flows)
        assert found.bytes_per_pixel <= room or found.writers == found.readers == 1
        assert before is None or found.bytes_per_pixel <= before.bytes_per_pixel
        before = found
    assert before.writers < stage(lanes, 32, 1e6, makes_flows=makes_flows).writers


def test_a_render_on_the_cpu_has_one_reader_one_writer_and_no_flow_thread():
    assert (ON_CPU.readers, ON_CPU.writers, ON_CPU.makers) == (1, 1, 0)


def test_with_very_little_memory_there_is_at_least_one_thread_of_each_kind():
    found = stage(4, 16, 1.0, makes_flows=True)
    assert min(found.readers, found.writers, found.makers, found.results) == 1


def test_with_one_processor_there_is_one_thread_of_each_kind():
    found = stage(1, 1, 1e6, makes_flows=True)
    assert (found.readers, found.writers, found.makers) == (1, 1, 1)


def test_for_several_devices_more_frames_are_read_ahead():
    one, four = (stage(lanes, 16, 1e6, makes_flows=True) for lanes in (1, 4))
    assert four.ahead == one.ahead + 3 * 8
    assert four.results * 4 <= max(4, four.writers)


def test_a_server_looks_further_ahead_than_a_render_reads():
    most = stage(1, 1000, 1e9, makes_flows=True)
    assert most.ahead + most.results + 2 < LOOKED_AHEAD


def test_flows_get_most_of_the_processors_because_they_take_most_of_the_time():
    found = stage(1, 16, 1e6, makes_flows=True)
    assert (found.readers, found.makers, found.writers) == (4, 12, 8)


def test_threads_beside_a_gpu_compute_with_one_thread_each():
    def threads():
        return torch.get_num_threads(), cv2.getNumThreads()

    before = threads()
    with one_thread_each(), ThreadPoolExecutor(1) as others:
        assert others.submit(threads).result() == (1, 1)
    assert threads() == before
