"""State dicts with exactly the names and shapes of the published files, filled by the golden rule."""

import json
from pathlib import Path

import numpy as np
import torch

from tests.golden import fill_rule

FLOW_PREFIX = "coarse_flow_net.net."
SHAPES = json.loads((Path(__file__).parent / "parameters.json").read_text())
SOBEL_X = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)[None, None] / 8


def f2hdr_state():
    """What F2HDR's ``checkpoint.pth`` contains under ``state_dict``."""
    return {name: _tensor(name) for name in SHAPES if not name.startswith(FLOW_PREFIX)}


def sea_raft_state():
    """What SEA-RAFT's published file contains."""
    return {name.removeprefix(FLOW_PREFIX): _tensor(name) for name in SHAPES if name.startswith(FLOW_PREFIX)}


def _tensor(name):
    if name.endswith("sobel_x"):
        return torch.from_numpy(SOBEL_X.copy())
    if name.endswith("sobel_y"):
        return torch.from_numpy(SOBEL_X.swapaxes(2, 3).copy())
    return torch.from_numpy(np.asarray(fill_rule.tensor(name, SHAPES[name])))
