"""Tiny datasets on disk, in the layouts that the published ones have, written with OpenCV."""

import cv2
import numpy as np

GAMMA = 2.2


def radiance(index, size=(48, 40), seed=0):
    """``(H, W, 3)`` a smooth textured picture within 0-1 that moves with ``index``; bright in its right half."""
    width, height = size
    rng = np.random.default_rng(seed)
    texture = cv2.GaussianBlur(rng.random((height, width + 32, 3)).astype(np.float32), (0, 0), 2.0)
    texture = (texture - texture.min()) / (texture.max() - texture.min())
    moved = texture[:, index : index + width]
    return np.ascontiguousarray(moved * np.linspace(0.02, 1, width, dtype=np.float32)[:, None])


def coded(light, gain):
    """16-bit gamma-2.2 codes of radiance at a gain."""
    return np.rint(np.clip(light * gain, 0, 1) ** (1 / GAMMA) * 65535).astype(np.uint16)


def write_picture(path, rgb):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.ascontiguousarray(rgb[..., ::-1]))


def read_codes(path):
    return (cv2.imread(str(path), -1)[..., ::-1] / 65535).astype(np.float32)


def read_truth(path):
    return np.maximum(cv2.imread(str(path), -1)[..., ::-1], 0)


def deephdrvideo(root, frames=6, size=(48, 40), scenes=("alley",), stops=(0.0, 3.0), peak=1.0):
    """Frames of even number are at the first of ``stops``. ``peak`` scales the ground truth."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "scene_all.txt").write_text("\n".join(scenes) + "\n")
    for seed, scene in enumerate(scenes):
        for index in range(frames):
            light = radiance(index, size, seed)
            gain = 2 ** (stops[index % len(stops)] - min(stops))
            write_picture(root / scene / f"img_{index}.tif", coded(light, gain))
            write_picture(root / scene / f"hdr_{index}.hdr", light * np.float32(peak))
        lines = [f"img_{index}.tif hdr_{index}.hdr" for index in range(frames)]
        (root / scene / "img_hdr_list.txt").write_text("\n".join(lines))
        (root / scene / "Exposures.txt").write_text("\n".join(f"{stop}" for stop in stops))
    return root


def real_hdrv(root, frames=8, size=(48, 40), scenes=("night",), peak=1.0):
    """``peak`` scales the ground truth."""
    for seed, scene in enumerate(scenes):
        for index in range(frames):
            light = radiance(index, size, seed)
            write_picture(root / scene / "Input_0" / f"frame_{index:02d}.tif", coded(light, 1))
            write_picture(root / scene / "Input_1" / f"frame_{index:02d}.tif", coded(light, 8))
            write_picture(root / scene / "GT" / f"GT_frame_{index:02d}.hdr", light * np.float32(peak))
    return root


def cinematic(root, frames=6, scenes=("poker",)):
    root.mkdir(parents=True, exist_ok=True)
    (root / "scenes_2expo.txt").write_text("\n".join(scenes))
    for scene in scenes:
        folder = root / "Images" / scene
        for index in range(frames):
            light = radiance(index)
            write_picture(folder / f"{index:03d}.tif", coded(light, (1, 4)[index % 2]))
            write_picture(folder / f"{index:03d}.hdr", light)
        (folder / "img_list.txt").write_text("\n".join(f"{index:03d}" for index in range(frames)))
        (folder / "Exposures.txt").write_text("-2\n0\n")
    return root
