"""Data embedded in a comparison page, decoded by its documented layout."""

import base64
import html
import json
import re
import zlib

import numpy as np


def facts_of(text):
    """The page's facts."""
    return json.loads(re.search(r'id="facts">(.*?)</script>', text, re.DOTALL)[1])


def planes_of(text):
    """``(C, H, W)`` half floats by frame and name."""
    planes = {}
    pattern = r'data-frame="(-?\d+)" data-plane="([^"]+)" data-shape="(\d+) (\d+) (\d+)">([^<]*)</script>'
    for number, name, high, wide, channels, packed in re.findall(pattern, text):
        raw = np.frombuffer(zlib.decompress(base64.b64decode(packed)), np.uint8).astype(np.uint32)
        steps = 256 * raw[: len(raw) // 2] + raw[len(raw) // 2 :]
        bits = np.cumsum(steps.reshape(int(channels), int(high), int(wide)), axis=2) % 65536
        planes[int(number), html.unescape(name)] = bits.astype(np.uint16).view(np.float16)
    return planes
