"""The golden fill: every tensor of a state dict, from its name and shape alone."""

import zlib

import numpy as np

# The first substring that matches a name wins.
GAINS = [
    ("flow_head.2.weight", 1.5e-3),
    ("fnet.layer", 0.7),
    ("cnet.layer", 0.7),
    ("final_conv.weight", 0.2),
    ("flow_adapter.tail.weight", 4e-5),
    ("refine_net.head.1.weight", 2e-3),
    ("merge.weight", 0.5),
    ("adapt_in.weight", 0.5),
    ("pwconv2.weight", 0.5),
    ("weight_net.4.weight", 0.3),
]


def tensor(name, shape):
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    seed = np.random.PCG64(zlib.crc32(name.encode()))
    n = np.random.Generator(seed).standard_normal(shape).astype(np.float32)
    if name.endswith("running_var"):
        return (1 + 0.1 * np.abs(n)).astype(np.float32)
    if name.endswith("running_mean"):
        return (0.05 * n).astype(np.float32)
    if name.endswith(".gamma"):
        return (0.2 + 0.02 * n).astype(np.float32)
    if name.endswith("bias"):
        return (0.02 * n).astype(np.float32)
    if len(shape) >= 2:
        gain = next((g for part, g in GAINS if part in name), 1.6)
        return (n * np.float32(np.sqrt(gain / np.prod(shape[1:])))).astype(np.float32)
    if len(shape) == 1 and ".se." not in name and is_prelu(name):
        return (0.25 + 0.02 * n).astype(np.float32)
    return (1 + 0.05 * n).astype(np.float32)


def is_prelu(name):
    return name.startswith(("flow_adapter.", "motion_mask.", "refine_net."))
