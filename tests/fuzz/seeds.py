"""One small valid file of every supported kind, generated here as seeds of the fuzz harness."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from tests.image.dng import write_dng

PLATES = "plates"
"""Folder below the seeds with the frames that the timelines reference."""
SHOT = {
    "plate": "plate.####.tif", "frames": "1001-1004", "exposures": {"cycle": [0, 3], "start": 1001},
    "engine": {"method": "merge", "memory": "8G", "tile": "512"}, "color": {"clip_level": [1.0]},
    "output": {"pattern": "hdr/h.####.exr", "anchor": "long", "layers": ["flow"]}, "cuts": [1003],
}  # fmt: skip
RULES = {
    "version": "pathmapping-1.0",
    "path_mapping_rules": [{"source_path_format": "POSIX", "source_path": "/a", "destination_path": "/b"}],
}
EDL = """TITLE: t
FCM: NON-DROP FRAME

001  AX V     C        00:00:41:17 00:00:41:21 00:00:00:00 00:00:00:04
* FROM CLIP NAME:  a
* FROM CLIP: plates/plate.####.tif
002  AX V     C        00:00:41:19 00:00:41:23 00:00:00:04 00:00:00:08
M2   AX       012.0    00:00:41:19
* FROM CLIP NAME:  b
003  AX V     D 002    00:00:41:19 00:00:41:23 00:00:00:08 00:00:00:12
* FROM CLIP NAME:  c
* TO CLIP NAME:  d
* FROM CLIP: plates/plate.####.tif
"""
CONFIG = """ocio_profile_version: 2
search_path: luts
roles: {default: lin, scene_linear: lin, aces_interchange: lin}
displays:
  d:
    - !<View> {name: v, colorspace: lin}
colorspaces:
  - !<ColorSpace>
    name: lin
  - !<ColorSpace>
    name: lut
    to_scene_reference: !<FileTransform> {src: a.spi1d}
"""
LUTS = {
    "a.spi1d": "Version 1\nFrom 0.0 1.0\nLength 4\nComponents 1\n{\n0.0\n0.2\n0.6\n1.0\n}\n",
    "a.cube": 'TITLE "t"\nLUT_3D_SIZE 2\n' + "".join(f"{r} {g} {b}\n" for b in (0, 1) for g in (0, 1) for r in (0, 1)),
}


def write_seeds(folder: Path) -> list[Path]:
    """Write the files; return their paths, sorted."""
    from f2hdr_backend.color.curve import KNOTS, Curve, write_curve
    from f2hdr_backend.image.write import write_exr, write_image
    from f2hdr_backend.server.buffers import Buffer, write_buffer

    pixels = np.random.default_rng(1).random((24, 32, 3)).astype(np.float32)
    for compression in ("zip", "piz", "dwaa", "none"):
        write_exr(
            folder / f"{compression}.exr", {"RGB": pixels}, {"framesPerSecond": Fraction(24)}, compression=compression
        )
    _write_exr_of_parts(folder / "parts.exr", pixels)
    for suffix, bits in (("png", 8), ("png", 16), ("tif", 8), ("tif", 32)):
        write_image(folder / f"{bits}.{suffix}", pixels, bits)
    write_dng(folder / "a.dng", pixels, iso=100)
    write_buffer(str(folder / "a.buffer"), Buffer(1001, pixels))
    _write_with_oiio(folder, pixels)
    for name, codec, pixel_format in (
        ("mpeg4.mov", "mpeg4", "yuv420p"),
        ("prores.mov", "prores_ks", "yuv422p10le"),
        ("h264.mp4", "libx264", "yuv420p"),
        ("jpeg.avi", "mjpeg", "yuvj420p"),
        ("ffv1.mkv", "ffv1", "yuv420p"),
        ("vp9.webm", "libvpx-vp9", "yuv420p"),
        ("mpeg2.mxf", "mpeg2video", "yuv420p"),
    ):
        _write_movie(folder / name, codec, pixel_format)
    documents = {"shot.json": json.dumps(SHOT), "rules.json": json.dumps(RULES), "a.edl": EDL, "a.ocio": CONFIG, **LUTS}
    for name, text in documents.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name in ("camera.json", "camera.cube"):
        write_curve(folder / name, Curve(np.repeat(np.asarray(KNOTS)[:, None] ** 2.2, 3, axis=1)), {})
    _write_matrix(folder / "a.mat", pixels[..., 0])
    (folder / PLATES).mkdir()
    for number in range(1001, 1009):
        write_image(folder / PLATES / f"plate.{number}.tif", pixels, 8)
    _write_timelines(folder)
    return sorted(path for path in folder.iterdir() if path.is_file())


def _write_exr_of_parts(path: Path, pixels: np.ndarray) -> None:
    import OpenEXR

    def part(name: str, **more: Any) -> Any:
        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, "name": name, **more}
        return OpenEXR.Part(header, {"RGB": pixels.copy(), "Z": pixels[..., 0].copy()}, name)

    OpenEXR.File([part("rgba", view="left"), part("depth")]).write(str(path))


def _write_with_oiio(folder: Path, pixels: np.ndarray) -> None:
    import OpenImageIO as oiio

    for suffix, kind in (("dpx", "uint16"), ("jpg", "uint8"), ("hdr", "float"), ("tga", "uint8"), ("webp", "uint8")):
        output = oiio.ImageOutput.create(f"a.{suffix}")
        if output and output.open(str(folder / f"a.{suffix}"), oiio.ImageSpec(32, 24, 3, kind)):
            output.write_image(pixels)
            output.close()


def _write_movie(path: Path, codec: str, pixel_format: str) -> None:
    """Write four frames, unless PyAV or this encoder is missing."""
    try:
        import av
    except ModuleNotFoundError:
        return
    if codec not in av.codecs_available:
        return
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixel_format
        for number in range(4):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 60 * number, np.uint8))
            container.mux(stream.encode(frame.reformat(format=pixel_format)))
        container.mux(stream.encode())


def _write_matrix(path: Path, values: np.ndarray) -> None:
    try:
        import scipy.io
    except ModuleNotFoundError:
        return
    scipy.io.savemat(path, {"curve": values}, do_compression=True)


def _write_timelines(folder: Path) -> None:
    try:
        import opentimelineio as otio
    except ModuleNotFoundError:
        return

    def time_range(first: int, count: int) -> Any:
        return otio.opentime.TimeRange(otio.opentime.RationalTime(first, 24), otio.opentime.RationalTime(count, 24))

    def clip(name: str, media: Any, first: int, count: int) -> Any:
        return otio.schema.Clip(name, media, time_range(first, count))

    whole = time_range(1001, 8)
    frames = otio.schema.ImageSequenceReference(
        PLATES, "plate.", ".tif", start_frame=1001, frame_step=1, rate=24, frame_zero_padding=4, available_range=whole
    )
    retimed = clip("c", otio.schema.ExternalReference(f"{PLATES}/plate.[1001-1008].tif", whole), 1002, 4)
    retimed.effects.append(otio.schema.LinearTimeWarp("t", time_scalar=2.0))
    timeline = otio.schema.Timeline("t")
    track = otio.schema.Track("v", kind="Video")
    track.append(clip("a", frames, 1001, 4))
    offset = otio.opentime.RationalTime(1, 24)
    track.append(otio.schema.Transition("d", "SMPTE_Dissolve", offset, offset))
    track.append(clip("b", otio.schema.ExternalReference(f"{PLATES}/plate.####.tif", whole), 1003, 4))
    track.append(retimed)
    timeline.tracks.append(track)
    otio.adapters.write_to_file(timeline, str(folder / "a.otio"))
    if "fcpx_xml" in otio.adapters.available_adapter_names():
        plain = otio.schema.Timeline("t")
        plain.tracks.append(otio.schema.Track("v", kind="Video"))
        media = otio.schema.ExternalReference(f"{PLATES}/plate.[1001-1008].tif", whole)
        plain.tracks[0].append(clip("a", media, 1001, 4))
        otio.adapters.write_to_file(plain, str(folder / "a.fcpxml"))
