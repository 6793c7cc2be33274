"""DPX is read by its standard at every width, in every packing, with all components; FFmpeg reads the same."""

import struct
from fractions import Fraction

import av
import numpy as np
import OpenImageIO as oiio
import pytest

from f2hdr_backend.image import dpx
from f2hdr_backend.image.dpx import read_dpx, read_header
from f2hdr_backend.image.read import read_image
from f2hdr_backend.shot.errors import UnreadableFrame

RNG = np.random.default_rng(5)
DESCRIPTORS = {"Y": 6, "RGB": 50, "RGBA": 51, "ABGR": 52, "uYvY": 100, "uYv": 102, "uYvA": 103}


def write(path, size, body, *, bits=10, packing=1, order="RGB", big=True, colorimetric=0, orientation=0, transfer=0):
    """Write a DPX file by the standard's table of fields."""
    mark = ">" if big else "<"
    header = bytearray(b"\xff" * 2048)
    header[0:4] = b"SDPX" if big else b"XPDS"
    struct.pack_into(mark + "I", header, 4, 2048)
    header[136:160] = b"2026:01:01:00:00:00\0\0\0\0\0"
    header[160:260], header[460:660] = bytes(100), bytes(200)
    struct.pack_into(mark + "HHII", header, 768, orientation, 1, *size)
    struct.pack_into(mark + "I", header, 780, 0)
    header[800:804] = bytes((DESCRIPTORS[order], transfer, colorimetric, bits))
    struct.pack_into(mark + "HHIII", header, 804, packing, 0, 2048, 0, 0)
    path.write_bytes(bytes(header) + body)
    return str(path)


def packed(codes, *, bits, packing, big, low_first=False):
    """Pack ``(H, N)`` codes into rows that end on 32 bits, component by component."""
    mark, rows = ">" if big else "<", []
    for row in codes.tolist():
        if bits in (8, 16) or (bits == 12 and packing):
            shift = 4 if bits == 12 and packing == 1 else 0
            data = struct.pack(f"{mark}{len(row)}{'B' if bits == 8 else 'H'}", *(code << shift for code in row))
            data += bytes(-len(data) % 4)
        elif packing == 0:
            stream = sum(code << (index * bits) for index, code in enumerate(row))
            words = -(-len(row) * bits // 32)
            data = struct.pack(f"{mark}{words}I", *(stream >> (32 * word) & 0xFFFFFFFF for word in range(words)))
        else:
            shifts = [2, 12, 22] if packing == 1 else [0, 10, 20]
            shifts = shifts if low_first else shifts[::-1]
            padded = row + [0] * (-len(row) % 3)
            groups = (zip(padded[at : at + 3], shifts, strict=True) for at in range(0, len(padded), 3))
            words = [sum(code << shift for code, shift in group) for group in groups]
            data = struct.pack(f"{mark}{len(words)}I", *words)
        rows.append(data)
    return b"".join(rows)


@pytest.mark.parametrize("big", [True, False])
@pytest.mark.parametrize("width", [61, 62, 63, 64])
@pytest.mark.parametrize("order", ["Y", "RGB", "RGBA", "ABGR"])
@pytest.mark.parametrize(("bits", "packing"), [(8, 1), (10, 1), (10, 2), (10, 0), (12, 1), (12, 2), (12, 0), (16, 1)])
def test_every_code_is_decoded_at_its_place(tmp_path, width, order, bits, packing, big):
    codes = RNG.integers(0, 2**bits, (5, width, len(order)))
    body = packed(codes.reshape(5, -1), bits=bits, packing=packing, big=big, low_first=order == "Y")
    image = read_dpx(write(tmp_path / "a.dpx", (width, 5), body, bits=bits, packing=packing, order=order, big=big))
    planes = {name: codes[..., place] / (2**bits - 1) for place, name in enumerate(order)}
    for channel, name in enumerate("RGB" if "R" in order else "YYY"):
        np.testing.assert_allclose(image.pixels[..., channel], planes[name], atol=1e-6)
    assert image.layers.keys() == ({"A"} if "A" in order else set())
    if "A" in order:
        np.testing.assert_allclose(image.layers["A"], planes["A"], atol=1e-6)


@pytest.mark.parametrize("layout", ["rgb24", "gray", "gbrp10be", "gbrp12be", "rgb48be", "rgba64be"])
@pytest.mark.parametrize("width", [61, 62, 64])
def test_ffmpeg_reads_and_writes_the_same_pixels(tmp_path, layout, width):
    """What FFmpeg's encoder wrote, its decoder and F2HDR read alike."""
    noise = RNG.integers(0, 65536, (16, width, 3), np.uint16)
    frame = av.VideoFrame.from_ndarray(noise.astype("<u2"), "rgb48le").reformat(format=layout)
    context = av.CodecContext.create("dpx", "w")
    context.width, context.height, context.pix_fmt, context.time_base = width, 16, layout, Fraction(1, 24)
    path = tmp_path / "a.dpx"
    path.write_bytes(b"".join(bytes(packet) for packet in (*context.encode(frame), *context.encode(None))))
    with av.open(str(path), format="dpx_pipe") as container:
        decoded = next(container.decode(video=0))
        is_8_bit = layout in ("rgb24", "gray")
        codes = decoded.to_ndarray() if is_8_bit else decoded.reformat(format="rgb48le").to_ndarray()
    expected = codes.reshape(16, width, -1) / (255 if is_8_bit else 65535)
    assert np.abs(read_image(str(path)).pixels - expected).max() < 0.001


def test_rows_without_padding_are_read(tmp_path):
    """Some writers leave out the padding of 8-bit rows."""
    codes = RNG.integers(0, 256, (5, 61 * 3), np.uint8)
    image = read_dpx(write(tmp_path / "a.dpx", (61, 5), codes.tobytes(), bits=8))
    np.testing.assert_allclose(image.pixels.reshape(5, -1), codes / 255, atol=1e-6)


@pytest.mark.parametrize(("colorimetric", "weights"), [(6, (0.2126, 0.0722)), (7, (0.299, 0.114)), (0, (0.299, 0.114))])
@pytest.mark.parametrize("order", ["uYv", "uYvA", "uYvY"])
def test_y_cbcr_is_converted_by_its_matrix(tmp_path, order, colorimetric, weights):
    """Full red, green and blue, black and white, in bands of eight columns, limited range."""
    colors = np.repeat(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [1, 1, 1]], float), 8, axis=0)
    red, blue = weights
    luma = colors @ np.array([red, 1 - red - blue, blue])
    cb, cr = (colors[:, 2] - luma) / (2 - 2 * blue), (colors[:, 0] - luma) / (2 - 2 * red)
    named = {"Y": 64 + luma * 876, "u": 512 + cb * 896, "v": 512 + cr * 896, "A": np.full(40, 1023.0)}
    codes = np.rint(np.stack([named[name] for name in dict.fromkeys(order)], axis=1)).astype(int)
    if order == "uYvY":
        u, y, v = codes.T
        codes = np.stack([u[::2], y[::2], v[::2], y[1::2]], axis=1)
    rows = np.tile(codes.reshape(1, -1), (4, 1))
    body = packed(rows, bits=10, packing=1, big=True)
    image = read_dpx(write(tmp_path / "a.dpx", (40, 4), body, order=order, colorimetric=colorimetric))
    inner = np.arange(40) % 8 < 7 if order == "uYvY" else np.full(40, True)
    assert np.abs(image.pixels - colors)[:, inner].max() < 0.004
    assert (image.metadata["f2hdr/plate_matrix"] == "bt709") == (colorimetric == 6)


@pytest.mark.parametrize("number", range(4))
def test_orientation_equals_that_of_openimageio(tmp_path, number):
    codes = RNG.integers(0, 1024, (5, 7 * 3))
    path = write(tmp_path / "a.dpx", (7, 5), packed(codes, bits=10, packing=1, big=True), orientation=number)
    buffer = oiio.ImageBufAlgo.reorient(oiio.ImageBuf(path))
    np.testing.assert_allclose(read_dpx(path).pixels, buffer.get_pixels(oiio.FLOAT), atol=1e-3)
    assert read_header(path).upright_size == (buffer.spec().width, buffer.spec().height)


@pytest.mark.parametrize(("number", "corner"), [(4, (0, 0)), (5, (0, 4)), (6, (6, 0)), (7, (6, 4))])
def test_vertical_scan_lines_become_columns(tmp_path, number, corner):
    """``corner`` is (row, column) of the first stored pixel; its line's next pixel is in the next row."""
    codes = RNG.integers(0, 1024, (5, 7, 3))
    body = packed(codes.reshape(5, -1), bits=10, packing=1, big=True)
    pixels = read_dpx(write(tmp_path / "a.dpx", (7, 5), body, orientation=number)).pixels
    row, column = corner
    np.testing.assert_allclose(pixels[row, column], codes[0, 0] / 1023, atol=1e-6)
    np.testing.assert_allclose(pixels[row + (1 if row == 0 else -1), column], codes[0, 1] / 1023, atol=1e-6)
    np.testing.assert_allclose(pixels[row, column + (1 if column == 0 else -1)], codes[1, 0] / 1023, atol=1e-6)


def test_a_size_beyond_the_limit_is_refused_before_the_pixels_are_read(tmp_path):
    path = write(tmp_path / "a.dpx", (12_000, 11_000), b"")
    for read in (read_header, read_dpx):
        with pytest.raises(UnreadableFrame) as caught:
            read(path)
        assert "12000 x 11000" in caught.value.message and "pixels=" in caught.value.hint


def test_only_the_pixels_are_read_from_a_file_that_has_more_bytes(tmp_path, monkeypatch):
    path = write(tmp_path / "a.dpx", (16, 5), bytes(64 * 5) + bytes(1_000_000))
    sizes = []
    opened = dpx.open_file

    def counted(path):
        file = opened(path)
        read = file.read
        file.read = lambda size: sizes.append(size) or read(size)  # type: ignore[method-assign]
        return file

    monkeypatch.setattr(dpx, "open_file", counted)
    read_dpx(path)
    assert sum(sizes) <= 2048 + 64 * 5


def test_unsupported_dpx_files_are_refused(tmp_path):
    body = bytes(64 * 5)
    whole = write(tmp_path / "a.dpx", (16, 5), body)
    damaged = bytearray(open(whole, "rb").read())
    for at, value in ((800, 150), (803, 32), (807, 1), (771, 2), (0, 0)):
        changed = damaged.copy()
        changed[at] = value
        (tmp_path / "b.dpx").write_bytes(changed)
        with pytest.raises(UnreadableFrame, match="b.dpx"):
            read_dpx(str(tmp_path / "b.dpx"))
    for length in (0, 100, 2048, 2048 + 100):
        (tmp_path / "c.dpx").write_bytes(damaged[:length])
        with pytest.raises(UnreadableFrame, match="c.dpx"):
            read_dpx(str(tmp_path / "c.dpx"))
