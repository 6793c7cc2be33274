"""Timelines with media, as an editor exports them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from f2hdr_backend.image.write import write_exr, write_image

otio = pytest.importorskip("opentimelineio")
av = pytest.importorskip("av")
RATE = 24
GRAY = np.full((16, 16, 3), 128, np.uint8)


def time(frames, rate=RATE):
    return otio.opentime.RationalTime(frames, rate)


def span(start, count, rate=RATE):
    return otio.opentime.TimeRange(time(start, rate), time(count, rate))


def sequence(folder, name, numbers, header=None):
    for number in numbers:
        if header is None:
            write_image(folder / f"{name}.{number:04d}.png", GRAY, 8)
        else:
            write_exr(folder / f"{name}.{number:04d}.exr", {"RGB": GRAY / np.float32(255)}, header)


def movie(path, count, rate=RATE, **tags):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=Fraction(rate))
        stream.width = stream.height = 16
        stream.pix_fmt = "yuvj420p"
        stream.metadata.update(tags)
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(GRAY, format="rgb24").reformat(format="yuvj420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def pictures(first, count, name="sh010", **changes):
    fields = {"start_frame": first, "frame_step": 1, "rate": RATE, "frame_zero_padding": 4}
    fields |= {"available_range": span(first, count)} | changes
    return otio.schema.ImageSequenceReference("", f"{name}.", ".png", **fields)


def external(url, available=None):
    return otio.schema.ExternalReference(url, available_range=available)


def clip(name, media, start, count, rate=RATE, **more):
    return otio.schema.Clip(name, media_reference=media, source_range=span(start, count, rate), **more)


def write(folder, *items, name="cut.otio", track=None):
    timeline = otio.schema.Timeline("cut")
    track = otio.schema.Track("V1", kind="Video") if track is None else track
    track.extend(items)
    timeline.tracks.append(track)
    otio.adapters.write_to_file(timeline, str(folder / name))
    return str(folder / name)


def only(cut):
    assert not cut.refused and len(cut.clips) == 1, cut
    return cut.clips[0]


def reason(cut):
    assert not cut.clips and len(cut.refused) == 1, cut
    return cut.refused[0].reason
