"""EXR plates: the picture is found, positioned and complete; all other channels pass through."""

import numpy as np
import OpenEXR
import OpenImageIO as oiio
import pytest

from f2hdr_backend.image.exr import read_exr, read_header
from f2hdr_backend.image.frame import Windows
from f2hdr_backend.image.read import read_image
from f2hdr_backend.image.write import write_exr
from f2hdr_backend.shot.errors import UnreadableFrame

HEIGHT, WIDTH = 40, 56
RNG = np.random.default_rng(11)
PICTURE = RNG.random((HEIGHT, WIDTH, 3), np.float32).astype(np.float16)
PLANE = RNG.random((HEIGHT, WIDTH), np.float32)


def header(**attributes):
    return {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, **attributes}


def window(left, top, width, height):
    return (np.array([left, top], np.int32), np.array([left + width - 1, top + height - 1], np.int32))


def save(path, channels, **attributes):
    OpenEXR.File(header(**attributes), channels).write(str(path))
    return str(path)


def save_parts(path, parts):
    OpenEXR.File([OpenEXR.Part(header(), channels, name) for name, channels in parts]).write(str(path))
    return str(path)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("compression", ["ZIP", "PIZ", "NO", "ZIPS", "RLE"])
def test_half_and_float_pixels_are_read_exactly(tmp_path, dtype, compression):
    pixels = PICTURE.astype(dtype) * 100 - 3
    kind = getattr(OpenEXR, f"{compression}_COMPRESSION")
    image = read_exr(save(tmp_path / "a.exr", {"RGB": pixels}, compression=kind))
    assert image.kind == "float" and image.pixels.dtype == np.float32 and image.layers == {}
    np.testing.assert_array_equal(image.pixels, pixels.astype(np.float32))


def test_tiled_files_are_read(tmp_path):
    tiles = OpenEXR.TileDescription()
    tiles.xSize = tiles.ySize = 16
    path = save(tmp_path / "a.exr", {"RGB": PICTURE}, type=OpenEXR.tiledimage, tiles=tiles)
    np.testing.assert_array_equal(read_exr(path).pixels, PICTURE.astype(np.float32))
    whole = (tmp_path / "a.exr").read_bytes()
    (tmp_path / "b.exr").write_bytes(whole[:-1])
    with pytest.raises(UnreadableFrame, match="truncated"):
        read_exr(str(tmp_path / "b.exr"))


def test_alpha_and_layers_pass_through_in_their_own_type(tmp_path):
    ids = np.arange(HEIGHT * WIDTH, dtype=np.uint32).reshape(HEIGHT, WIDTH)
    channels = {"RGB": PICTURE, "A": PLANE, "depth.Z": PLANE * 2, "id": ids, "diffuse.R": PLANE.astype(np.float16)}
    layers = read_exr(save(tmp_path / "a.exr", channels)).layers
    assert {name: plane.dtype for name, plane in layers.items()} == {
        "A": np.float32,
        "depth.Z": np.float32,
        "id": np.uint32,
        "diffuse.R": np.float16,
    }
    np.testing.assert_array_equal(layers["id"], ids)
    np.testing.assert_array_equal(layers["depth.Z"], PLANE * 2)


@pytest.mark.parametrize(
    ("data", "display"),
    [
        ((5, 7, WIDTH, HEIGHT), (0, 0, 100, 80)),
        ((-6, -4, WIDTH, HEIGHT), (0, 0, 30, 20)),
        ((10, -4, WIDTH, HEIGHT), (-3, 2, 40, 50)),
        ((500, 0, WIDTH, HEIGHT), (0, 0, 32, 24)),
    ],
)
def test_pixels_of_the_whole_data_window_are_read(tmp_path, data, display):
    """The picture covers both windows: overscan stays, and where no data is there is black."""
    path = save(
        tmp_path / "a.exr",
        {"RGB": PICTURE, "A": PLANE},
        dataWindow=window(*data),
        displayWindow=window(*display),
    )
    image = read_exr(path)
    left, top = min(data[0], display[0]), min(data[1], display[1])
    right, bottom = (max(data[i] + data[i + 2], display[i] + display[i + 2]) for i in (0, 1))
    assert image.pixels.shape == (bottom - top, right - left, 3)
    assert image.layers["A"].shape == (bottom - top, right - left)
    expected = np.zeros(image.pixels.shape, np.float32)
    rows, columns = data[1] - top, data[0] - left
    expected[rows : rows + HEIGHT, columns : columns + WIDTH] = PICTURE
    np.testing.assert_array_equal(image.pixels, expected)
    if (left, top, right - left, bottom - top) == display:
        assert image.windows is None
        return
    shown = (display[0], display[1], display[0] + display[2] - 1, display[1] + display[3] - 1)
    assert image.windows == Windows((left, top, right - 1, bottom - 1), shown)
    write_exr(tmp_path / "b.exr", {"RGB": image.pixels}, {}, pixel_type="float", windows=image.windows)
    other = oiio.ImageBuf(str(tmp_path / "b.exr"))
    assert (other.xbegin, other.ybegin) == (left, top)
    assert (other.spec().full_x, other.spec().full_width) == (display[0], display[2])
    np.testing.assert_array_equal(other.get_pixels(oiio.FLOAT), image.pixels)


def test_the_picture_is_found_among_parts_and_other_parts_become_layers(tmp_path):
    other = PICTURE[..., ::-1].copy()
    parts = [("depth", {"Z": PLANE}), ("normals", {"X": PLANE, "Y": PLANE, "Z": PLANE}), ("main", {"RGB": PICTURE})]
    image = read_exr(save_parts(tmp_path / "a.exr", [*parts, ("diffuse", {"RGB": other})]))
    np.testing.assert_array_equal(image.pixels, PICTURE.astype(np.float32))
    names = {"depth.Z", "normals.X", "normals.Y", "normals.Z", "diffuse.R", "diffuse.G", "diffuse.B"}
    assert image.layers.keys() == names
    np.testing.assert_array_equal(image.layers["diffuse.R"], other[..., 0])


def test_a_part_named_rgba_is_preferred_to_an_earlier_part(tmp_path):
    other = PICTURE[..., ::-1].copy()
    parts = [("diffuse", {"RGB": other}), ("rgba", {"RGB": PICTURE, "A": PLANE}), ("z", {"z.Z": PLANE})]
    image = read_exr(save_parts(tmp_path / "a.exr", parts))
    np.testing.assert_array_equal(image.pixels, PICTURE.astype(np.float32))
    assert image.layers.keys() == {"diffuse.R", "diffuse.G", "diffuse.B", "A", "z.Z"}


@pytest.mark.parametrize("layer", ["rgba", "beauty", "Beauty", "ViewLayer.Combined"])
def test_a_picture_in_a_named_layer_is_found_with_its_alpha(tmp_path, layer):
    channels = {f"{layer}.{color}": PICTURE[..., index].copy() for index, color in enumerate("RGB")}
    path = save(tmp_path / "a.exr", {**channels, f"{layer}.A": PLANE, "spec.R": PLANE})
    image = read_exr(path)
    np.testing.assert_array_equal(image.pixels, PICTURE.astype(np.float32))
    assert image.layers.keys() == {"A", "spec.R"}


def test_luminance_alone_becomes_gray_and_luminance_with_chroma_is_refused(tmp_path):
    gray = read_exr(save(tmp_path / "gray.exr", {"Y": PLANE, "A": PLANE}))
    np.testing.assert_array_equal(gray.pixels, np.stack([PLANE] * 3, axis=-1))
    assert gray.layers.keys() == {"A"}
    with pytest.raises(UnreadableFrame, match="BY, RY, Y"):
        read_exr(save(tmp_path / "chroma.exr", {"Y": PLANE, "RY": PLANE, "BY": PLANE}))


def views(path, *, parts):
    """A file with a left and a right eye, as two parts or as one part with prefixed channels."""
    right = PICTURE[:, ::-1].copy()
    if parts:
        named = [("rgba.left", {"RGB": PICTURE}, "left"), ("rgba.right", {"RGB": right}, "right")]
        OpenEXR.File([OpenEXR.Part(header(view=view), pixels, name) for name, pixels, view in named]).write(str(path))
    else:
        channels = {f"right.{color}": right[..., index].copy() for index, color in enumerate("RGB")}
        save(path, {"RGB": PICTURE, **channels}, multiView=["left", "right"])
    return str(path), {"left": PICTURE, "right": right}


@pytest.mark.parametrize("parts", [True, False])
def test_each_view_is_selectable_and_one_is_required(tmp_path, parts):
    path, expected = views(tmp_path / "a.exr", parts=parts)
    with pytest.raises(UnreadableFrame) as caught:
        read_exr(path)
    assert "--layer left" in caught.value.hint and "--layer right" in caught.value.hint
    for name, pixels in expected.items():
        image = read_exr(path, name)
        np.testing.assert_array_equal(image.pixels, pixels.astype(np.float32))
        assert image.metadata["view"] == name and image.layers == {}


def test_the_image_of_a_view_is_preferred_to_its_further_layers(tmp_path):
    """As in the specification of multi-view files, the layer diffuse.left belongs to the view left."""
    layers = {"left": PICTURE[:, ::-1].copy(), "diffuse.left": PICTURE / 2, "diffuse.right": PICTURE / 4}
    channels = {
        f"{name}.{color}": pixels[..., index].copy()
        for name, pixels in layers.items()
        for index, color in enumerate("RGB")
    }
    path = save(tmp_path / "a.exr", {"RGB": PICTURE, **channels, "left.A": PLANE}, multiView=["right", "left"])
    image = read_exr(path, "left")
    np.testing.assert_array_equal(image.pixels, layers["left"].astype(np.float32))
    assert image.layers.keys() == {"A", *(f"diffuse.left.{color}" for color in "RGB")}
    np.testing.assert_array_equal(read_exr(path, "right").pixels, PICTURE.astype(np.float32))


def test_a_layer_is_chosen_by_its_name(tmp_path):
    channels = {f"main.{color}": PICTURE[..., index].copy() for index, color in enumerate("RGB")}
    path = save(tmp_path / "a.exr", {**channels, "main.A": PLANE, "Z": PLANE})
    with pytest.raises(UnreadableFrame) as caught:
        read_exr(path)
    assert "--layer main" in caught.value.hint
    image = read_exr(path, "main")
    np.testing.assert_array_equal(image.pixels, PICTURE.astype(np.float32))
    assert image.layers.keys() == {"A", "Z"}
    with pytest.raises(UnreadableFrame, match="other"):
        read_exr(path, "other")


def test_the_error_of_a_file_without_a_picture_names_its_channels(tmp_path):
    with pytest.raises(UnreadableFrame, match=r"depth\.Z.*R, G and B"):
        read_exr(save(tmp_path / "a.exr", {"depth.Z": PLANE}))


def test_truncated_files_are_refused_without_output_of_the_library(tmp_path, capfd):
    for name, path in (
        ("scanlines", save(tmp_path / "a.exr", {"RGB": PICTURE, "A": PLANE})),
        ("parts", save_parts(tmp_path / "b.exr", [("rgba", {"RGB": PICTURE}), ("depth", {"Z": PLANE})])),
    ):
        whole = open(path, "rb").read()
        cut = tmp_path / f"{name}.exr"
        for length in [0, 3, 7, 60, *range(100, len(whole), 397), len(whole) - 1]:
            cut.write_bytes(whole[:length])
            for read in (read_exr, read_header):
                with pytest.raises(UnreadableFrame, match="truncated") as caught:
                    read(str(cut))
                assert str(cut) in caught.value.message
    assert capfd.readouterr() == ("", "")


def test_a_file_that_was_never_finished_is_refused(tmp_path):
    path = save(tmp_path / "a.exr", {"RGB": PICTURE}, comments="x")
    whole = bytearray(open(path, "rb").read())
    chunks = -(-HEIGHT // 16)
    table = next(at for at in range(len(whole)) if int.from_bytes(whole[at : at + 8], "little") == at + 8 * chunks)
    whole[table + 8 : table + 16] = bytes(8)
    (tmp_path / "b.exr").write_bytes(whole)
    with pytest.raises(UnreadableFrame, match="truncated"):
        read_exr(str(tmp_path / "b.exr"))


def test_a_channel_whose_name_is_not_text_is_refused(tmp_path):
    path = save(tmp_path / "a.exr", {"RGB": PICTURE, "Zab": PICTURE[..., 0]})
    (tmp_path / "b.exr").write_bytes(open(path, "rb").read().replace(b"Zab\0", b"Z\xff\xfe\0"))
    for read in (read_exr, read_header):
        with pytest.raises(UnreadableFrame, match=r"b\.exr"):
            read(str(tmp_path / "b.exr"))


def test_a_file_with_damaged_pixels_is_refused(tmp_path):
    path = save(tmp_path / "a.exr", {"RGB": PICTURE})
    damaged = bytearray(open(path, "rb").read())
    for at in range(len(damaged) // 2, len(damaged) // 2 + 300):
        damaged[at] ^= 0x5A
    (tmp_path / "b.exr").write_bytes(damaged)
    with pytest.raises(UnreadableFrame, match=r"b\.exr.*damaged"):
        read_exr(str(tmp_path / "b.exr"))


def test_other_files_and_missing_ones_are_refused(tmp_path):
    (tmp_path / "text.exr").write_text("this is not a picture " * 20)
    with pytest.raises(UnreadableFrame, match=r"text\.exr"):
        read_exr(str(tmp_path / "text.exr"))
    with pytest.raises(UnreadableFrame) as caught:
        read_image(str(tmp_path / "none.exr"), 1007)
    assert caught.value.frame == 1007 and caught.value.path.endswith("none.exr")


def test_nonfinite_pixels_are_counted_and_replaced(tmp_path):
    pixels = PICTURE.astype(np.float32) * 0.5
    pixels[3, 4] = [np.nan, 2.0, np.inf]
    pixels[5, 6, 0] = -np.inf
    pixels[7, 8, 2] = 9.0
    image = read_image(save(tmp_path / "a.exr", {"RGB": pixels}), 12)
    assert image.nonfinite == 2 and image.number == 12
    np.testing.assert_array_equal(image.pixels[3, 4], [0.0, 2.0, 9.0])
    assert image.pixels[5, 6, 0] == 0
    untouched = np.isfinite(pixels)
    np.testing.assert_array_equal(image.pixels[untouched], pixels[untouched])
    assert read_image(save(tmp_path / "b.exr", {"RGB": PICTURE})).nonfinite == 0


def test_a_picture_without_finite_pixels_is_black(tmp_path):
    image = read_image(save(tmp_path / "a.exr", {"RGB": np.full((4, 5, 3), np.inf, np.float32)}))
    assert image.nonfinite == 20 and not image.pixels.any()


LOSSY = ["PXR24", "B44", "B44A", "DWAA", "DWAB"]


@pytest.mark.parametrize("compression", LOSSY)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_lossy_compressions_are_read_as_openimageio_reads_them(tmp_path, compression, dtype):
    kind = getattr(OpenEXR, f"{compression}_COMPRESSION")
    path = save(tmp_path / "a.exr", {"RGB": PICTURE.astype(dtype), "A": PLANE.astype(dtype)}, compression=kind)
    image = read_exr(path)
    other = oiio.ImageBuf(path).get_pixels(oiio.FLOAT)
    np.testing.assert_allclose(image.pixels, other[..., :3], atol=1e-3)
    np.testing.assert_allclose(image.layers["A"], other[..., 3], atol=1e-3)
    np.testing.assert_allclose(image.pixels, PICTURE, atol=0.15)  # B44 on noise


def test_integer_channels_are_read_without_scaling(tmp_path):
    codes = (PLANE * 60000).astype(np.uint32)
    image = read_exr(save(tmp_path / "a.exr", {name: codes + offset for offset, name in enumerate("RGB")}))
    np.testing.assert_array_equal(image.pixels, np.stack([codes, codes + 1, codes + 2], axis=-1).astype(np.float32))


@pytest.mark.parametrize("order", ["INCREASING_Y", "DECREASING_Y"])
def test_the_line_order_does_not_change_the_picture(tmp_path, order):
    path = save(tmp_path / "a.exr", {"RGB": PICTURE}, lineOrder=getattr(OpenEXR, order))
    np.testing.assert_array_equal(read_exr(path).pixels, PICTURE.astype(np.float32))


def test_the_largest_level_of_a_mipmap_is_read(tmp_path):
    source = oiio.ImageBuf(oiio.ImageSpec(64, 64, 3, oiio.HALF))
    pixels = RNG.random((64, 64, 3), np.float32).astype(np.float16).astype(np.float32)
    source.set_pixels(oiio.ROI.All, pixels)
    path = str(tmp_path / "a.exr")
    assert oiio.ImageBufAlgo.make_texture(oiio.MakeTxTexture, source, path, oiio.ImageSpec())
    np.testing.assert_allclose(read_exr(path).pixels, pixels, atol=1e-3)


@pytest.mark.parametrize("names", ["RG", "R", "GB"])
def test_a_picture_without_one_of_its_colors_is_refused_with_its_channels(tmp_path, names):
    path = save(tmp_path / "a.exr", {name: PLANE for name in names})
    with pytest.raises(UnreadableFrame, match=", ".join(sorted(names))):
        read_exr(path)


@pytest.mark.parametrize("kind", [OpenEXR.deepscanline, OpenEXR.deeptile])
def test_deep_pixels_are_refused(tmp_path, kind):
    deep = np.empty((4, 6), object)
    for y in range(4):
        for x in range(6):
            deep[y, x] = np.full(1 + (x + y) % 3, 0.5, np.float32)
    attributes = {"type": kind, "compression": OpenEXR.ZIPS_COMPRESSION}
    if kind == OpenEXR.deeptile:
        attributes["tiles"] = OpenEXR.TileDescription()
    path = save(tmp_path / "deep.exr", {name: deep for name in "RGBAZ"}, **attributes)
    with pytest.raises(UnreadableFrame, match="deep"):
        read_exr(path)


def test_chromaticities_and_unknown_attributes_reach_the_header(tmp_path):
    primaries = (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)
    path = save(tmp_path / "a.exr", {"RGB": PICTURE}, chromaticities=primaries, comments="take 3")
    found = read_header(path)
    np.testing.assert_allclose(found["chromaticities"], primaries, atol=1e-6)
    assert found["comments"] == "take 3"
