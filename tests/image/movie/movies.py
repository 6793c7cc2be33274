"""Small movies with known pictures, and how to recognize a frame by its number."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

av = pytest.importorskip("av")
WIDTH, HEIGHT = 160, 96
BT601, BT709, BT2020, UNTAGGED = 5, 1, 9, 2
WEIGHTS = {BT601: (0.299, 0.114), BT709: (0.2126, 0.0722), BT2020: (0.2627, 0.0593)}
LIMITED, FULL = 1, 2
# With B-frames, x265 writes meaningless times into movies of one or two frames.
QUIET = {"x265-params": "log-level=none:bframes=0", "crf": "4", "preset": "fast"}
FLAT = {"crf": "1", "preset": "fast"}


def encode(path, pictures, codec, pixel_format, tags=(BT709, LIMITED), options=None, rate=25, **metadata):
    """Write pictures given as Y'CbCr planes of code values; times may be shifted by ``start``."""
    start, colr = metadata.pop("start", 0), metadata.pop("colr", False)
    movie_options = {"avoid_negative_ts": "disabled"} if start else {}
    with av.open(str(path), "w", options=movie_options) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = pictures[0][0].shape
        stream.pix_fmt = pixel_format
        stream.codec_context.colorspace, stream.codec_context.color_range = tags
        if colr:
            stream.codec_context.color_primaries = stream.codec_context.color_trc = BT709
        stream.metadata.update(metadata)
        for number, planes in enumerate(pictures):
            frame = av.VideoFrame(stream.width, stream.height, pixel_format)
            frame.colorspace, frame.color_range = tags
            frame.pts = number
            frame.time_base = 1 / Fraction(rate)
            for plane, codes in zip(frame.planes, planes, strict=True):
                rows = np.zeros((plane.height, plane.line_size // codes.itemsize), codes.dtype)
                rows[:, : codes.shape[1]] = codes
                plane.update(rows.tobytes())
            mux(container, stream.encode(frame), start)
        mux(container, stream.encode(), start)
    return str(path)


def mux(container, packets, start):
    for packet in packets:
        shift = round(start / packet.time_base / 25)
        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
        container.mux(packet)


def to_planes(rgb, tags, bits, chroma_step):
    """Code ``(H, W, 3)`` by the definition of the standards, chroma sampled by averaging."""
    red, blue = WEIGHTS[tags[0]]
    luma = rgb @ np.array([red, 1 - red - blue, blue])
    cb, cr = (rgb[..., 2] - luma) / (2 - 2 * blue), (rgb[..., 0] - luma) / (2 - 2 * red)
    scale, top = 2 ** (bits - 8), 2**bits - 1
    y = luma * top if tags[1] == FULL else (16 + 219 * luma) * scale
    chroma = [c * top + 128 * scale if tags[1] == FULL else (128 + 224 * c) * scale for c in (cb, cr)]
    rows, columns = chroma_step
    height, width = luma.shape
    small = [c.reshape(height // rows, rows, width // columns, columns).mean(axis=(1, 3)) for c in chroma]
    dtype = np.uint8 if bits == 8 else np.uint16
    return tuple(np.round(plane).astype(dtype) for plane in (y, *small))


def patches():
    """Return flat patches of 32 x 32: grays and colors inside every gamut."""
    colors = np.array(
        [[0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.5], [0.8, 0.3, 0.2], [0.2, 0.7, 0.3], [0.25, 0.3, 0.9]]
        + [[0.9, 0.85, 0.1], [0.1, 0.6, 0.65], [0.7, 0.2, 0.6], [0.05, 0.06, 0.04], [0.95, 0.6, 0.5], [0.35, 0.35, 0.2]]
        + [[0.6, 0.6, 0.75], [0.15, 0.1, 0.3], [0.9, 0.2, 0.15]]
    )
    rgb = np.zeros((HEIGHT, WIDTH, 3))
    for index, color in enumerate(colors):
        row, column = divmod(index, WIDTH // 32)
        rgb[row * 32 : row * 32 + 32, column * 32 : column * 32 + 32] = color
    return rgb


def counters(count, bits=8, step=(2, 2)):
    """Return pictures whose gray is their number, coarse enough to survive the codec, over moving texture."""
    pictures = []
    for number in range(1, count + 1):
        rgb = np.repeat(np.random.default_rng(number).random((HEIGHT, WIDTH, 1)), 3, axis=-1) * 0.5
        for digit in range(8):
            rgb[:32, digit * 16 : digit * 16 + 16] = 0.9 if number >> digit & 1 else 0.1
        pictures.append(to_planes(rgb, (BT709, LIMITED), bits, step))
    return pictures


def number_in(image):
    return sum(int(image.pixels[16, digit * 16 + 8, 1] > 0.5) << digit for digit in range(8))


BFRAMES = {"bf": "3", "g": "12", "b_strategy": "0"}
