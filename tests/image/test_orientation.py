"""Pictures in all eight orientations are rotated upright, as Pillow does."""

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from f2hdr_backend.image.orientation import by_matrix, upright, upright_size
from f2hdr_backend.image.read import open_plate, read_image

CODES = np.arange(24 * 16 * 3, dtype=np.uint8).reshape(16, 24, 3)
ORIENTATIONS = range(1, 9)


def turned(number):
    exif = Image.Exif()
    exif[0x112] = number
    picture = Image.fromarray(CODES)
    picture.getexif().update(exif)
    return np.asarray(ImageOps.exif_transpose(picture)), exif


@pytest.mark.parametrize("number", ORIENTATIONS)
def test_orientation_agrees_with_pillow(number):
    np.testing.assert_array_equal(upright(CODES, number), turned(number)[0])
    assert upright_size((24, 16), number) == turned(number)[0].shape[1::-1]


@pytest.mark.parametrize("number", ORIENTATIONS)
@pytest.mark.parametrize("name", ["p.1001.png", "p.1001.jpg", "p.1001.tif"])
def test_stills_of_a_plate_are_rotated_upright(tmp_path, number, name):
    expected, exif = turned(number)
    path = tmp_path / name
    if name.endswith("tif"):
        tifffile.imwrite(path, CODES, photometric="rgb", extratags=[(274, "H", 1, number, True)])
    else:
        Image.fromarray(CODES).save(path, exif=exif, quality=100, subsampling=0)
    plate = open_plate(str(path).replace("1001", "####"))
    image = plate.read(1001)
    assert image.pixels.shape == (plate.size[1], plate.size[0], 3) == expected.shape
    assert np.abs(image.pixels * 255 - expected).max() < (20 if name.endswith("jpg") else 0.01)


@pytest.mark.parametrize(
    ("line", "number"),
    [("-Y 16 +X 24", 1), ("-Y 16 -X 24", 2), ("+Y 16 -X 24", 3), ("+Y 16 +X 24", 4), ("+X 16 -Y 24", 5)],
)
def test_radiance_pictures_are_rotated_by_their_resolution_line(tmp_path, line, number):
    stored = np.zeros((16, 24, 4), np.uint8)
    stored[..., 0], stored[..., 3] = np.arange(16 * 24).reshape(16, 24) % 200 + 20, 129
    path = tmp_path / "a.hdr"
    path.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n" + line.encode() + b"\n" + stored.tobytes())
    red = stored[..., 0] / np.float32(128)
    np.testing.assert_allclose(read_image(str(path)).pixels[..., 0], upright(red, number), rtol=1e-5)


def test_the_pixel_aspect_ratio_is_rotated_with_the_picture(tmp_path):
    tags = [(274, "H", 1, 6, True)]
    tifffile.imwrite(tmp_path / "a.tif", CODES, photometric="rgb", extratags=tags, resolution=(50, 100))
    upright_ratio = read_image(str(tmp_path / "a.tif")).metadata["pixelAspectRatio"]
    tifffile.imwrite(tmp_path / "b.tif", CODES, photometric="rgb", resolution=(50, 100))
    assert upright_ratio == pytest.approx(1 / read_image(str(tmp_path / "b.tif")).metadata["pixelAspectRatio"])


def test_only_rotations_by_90_degrees_are_orientations():
    assert by_matrix((0, 65536, -65536, 0)) == 6 and by_matrix((65536, 0, 0, 65536)) == 1
    assert by_matrix((46341, 46341, -46341, 46341)) is None
