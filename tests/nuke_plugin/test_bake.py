"""Bake in a Nuke with a window and without: the output pictures, compared with the scene."""

from __future__ import annotations

import nuke
import numpy as np
import OpenEXR
import pytest
from nuke.session import session
from nuke_comp import Comp
from nuke_footage import FIRST, LAST, exposed, scene, write_exr, write_plate

FRAMES = range(FIRST, LAST + 1)


def test_every_baked_frame_shows_the_radiance_of_the_scene(comp: Comp) -> None:
    comp.bake()
    assert comp.state() == f"Baked {FIRST}-{LAST}."
    for frame in FRAMES:
        assert np.abs(comp.rgb(frame) - scene(frame)).mean() < 0.01
        assert comp.rgb(frame).max() > 5.5
    assert session.messages == []


def test_nothing_is_clamped_and_channels_keep_their_order(comp: Comp) -> None:
    for frame in FRAMES:
        pixels = exposed(frame)
        pixels[:6, :6] = -0.05
        pixels[:6, 6:12] = (0.4, 0.2, 0.1)
        write_exr(comp.script.parent / "footage" / f"plate.{frame}.exr", pixels, frame)
    comp.bake(exposure_mode="ratio", ev_ratio=3.0, short_parity="even", cuts="none")
    plate = OpenEXR.File(str(comp.plates()[0]), separate_channels=True).channels()
    assert plate["R"].pixels[:6, :6].max() < 0
    assert plate["R"].pixels.dtype == np.float32
    red, green, blue = comp.rgb(FIRST)[3, 9]
    np.testing.assert_allclose((red, green, blue), (0.4, 0.2, 0.1), rtol=0.02)


def test_negative_values_of_the_result_are_kept_by_the_node(comp: Comp) -> None:
    comp.bake()
    path = comp.results()[0]
    with OpenEXR.File(str(path)) as file:
        header, rgb = dict(file.parts[0].header), np.array(file.channels()["RGB"].pixels)
    rgb[0, 0] = (-3.0, 0.0, 500.0)
    OpenEXR.File(header, {"RGB": rgb}).write(str(path))
    session.read_cache.clear()
    np.testing.assert_array_equal(comp.rgb(FIRST)[0, 0], (-3.0, 0.0, 500.0))
    comp.node["gain"].setValue(0.5)
    np.testing.assert_array_equal(comp.rgb(FIRST)[0, 0], (-1.5, 0.0, 250.0))


def test_alpha_layers_format_and_metadata_are_those_of_the_input(comp: Comp) -> None:
    comp.bake()
    source, result = comp.grade.picture(FIRST + 2, "main"), comp.node.picture(FIRST + 2, "main")
    assert (comp.node.firstFrame(), comp.node.lastFrame()) == (FIRST, LAST)
    assert (result.size, result.bbox, result.aspect) == (source.size, source.bbox, 2.0)
    assert set(result.planes) == set(source.planes)
    for name in ("rgba.alpha", "depth.Z"):
        np.testing.assert_array_equal(result.plane(name), source.plane(name))
    assert result.metadata["input/timecode"] == "01:00:00:02"
    assert result.metadata["f2hdr/frames"] == f"{FIRST}-{LAST}"
    assert result.metadata["f2hdr/method"] == "merge"


def test_pixels_outside_the_format_are_those_of_the_input(comp: Comp) -> None:
    comp.read["file"].setValue(write_plate(comp.script.parent / "overscan", overscan=5))
    comp.bake()
    source, result = comp.grade.picture(FIRST, "main"), comp.node.picture(FIRST, "main")
    assert result.bbox == source.bbox == (-5, -5, 69, 53)
    outside = np.ones(source.plane("rgba.red").shape, bool)
    outside[5:-5, 5:-5] = False
    for name in source.planes:
        np.testing.assert_array_equal(result.plane(name)[outside], source.plane(name)[outside])
    assert np.abs(comp.rgb(FIRST) - scene(FIRST)).mean() < 0.01


@pytest.mark.parametrize("is_baked", [True, False])
def test_the_bounding_box_is_the_inputs_where_it_is_smaller_than_the_result(is_baked: bool, window: Comp) -> None:
    """Before a bake the result is black over the whole format; every layer is copied from it."""
    crop = nuke.createNode("Crop")
    crop["box"].fromScript("8 6 50 40")
    crop.setInput(0, window.grade)
    window.node.setInput(0, crop)
    window.set(missing="black", **{f"layer_{layer}": True for layer in ("flow", "mask", "coarse", "occlusion")})
    if is_baked:
        window.bake(exposure_mode="ratio", short_parity="even", cuts="none")
        assert np.abs((window.rgb(FIRST) - scene(FIRST))[8:42, 8:50]).mean() < 0.02
    for view in ("HDR", "source", "difference", "mask", "forward flow", "backward flow"):
        window.node["result"].setValue(view)
        assert window.node.picture(FIRST, "main").bbox == (8, 6, 50, 40), view


def test_premultiplied_input_is_divided_before_and_multiplied_after(comp: Comp) -> None:
    comp.bake(premultiplied=True)
    source = comp.grade.picture(FIRST, "main")
    plate = OpenEXR.File(str(comp.plates()[0]), separate_channels=True).channels()
    np.testing.assert_allclose(
        plate["R"].pixels[::-1] * source.plane("rgba.alpha"), source.plane("rgba.red"), rtol=1e-6
    )
    well_exposed = (scene(FIRST).max(axis=-1) < 0.4)[..., None]
    difference = np.abs(comp.rgb(FIRST) - scene(FIRST)) * well_exposed
    assert difference.mean() < 0.01


def test_the_original_files_are_used_if_no_node_changes_the_picture(comp: Comp) -> None:
    comp.from_files()
    comp.bake()
    assert comp.state().startswith("Baked")
    assert comp.plates() == []
    assert np.abs(comp.rgb(FIRST) - scene(FIRST)).mean() < 0.01


def test_plate_from_files_reports_why_the_files_cannot_be_used(window: Comp) -> None:
    window.bake(plate_from="files")
    assert "Grade1" in window.messages()
    assert window.results() == []


def test_part_of_the_range_reads_the_neighbors_that_it_needs(comp: Comp) -> None:
    comp.bake(bake_range="custom", bake_first=1003, bake_last=1003, exposure_mode="ratio", short_parity="even",
              cuts="none")  # fmt: skip
    assert [path.name for path in comp.results()] == ["hdr.main.1003.exr"]
    assert sorted(path.name for path in comp.plates()) == [f"plate.main.{frame}.exr" for frame in (1002, 1003, 1004)]
    assert np.abs(comp.rgb(1003) - scene(1003)).mean() < 0.01


def test_layers_difference_and_source_are_shown_by_the_result_knob(comp: Comp) -> None:
    comp.bake(layer_flow=True, layer_mask=True)
    result = comp.node.picture(1003, "main")
    assert {"forward.u", "forward.v", "backward.u", "motion_mask.forward", "motion_mask.backward"} <= set(result.planes)
    hdr = comp.rgb(1003)
    views = {}
    for name in ("source", "difference", "mask", "forward flow", "backward flow"):
        comp.node["result"].setValue(name)
        views[name] = comp.rgb(1003)
    np.testing.assert_array_equal(views["source"], comp.rgb(1003, node=comp.grade))
    np.testing.assert_allclose(views["difference"], np.abs(hdr - views["source"]), atol=1e-6)
    np.testing.assert_array_equal(views["mask"][::-1, :, 0], result.plane("motion_mask.forward"))
    for way in ("forward", "backward"):
        np.testing.assert_array_equal(views[f"{way} flow"][::-1, :, 0], result.plane(f"{way}.u"))
        np.testing.assert_array_equal(views[f"{way} flow"][::-1, :, 1], result.plane(f"{way}.v"))


def test_bake_leaves_the_write_disabled_and_the_script_in_its_proxy_mode(comp: Comp) -> None:
    nuke.root().setProxy(True)
    comp.bake()
    write = nuke.toNode("F2HDR1.F2HDR_plate")
    assert write["disable"].value() is True
    assert write["file"].value() == ""
    assert nuke.root().proxy()
    assert comp.node.picture(FIRST, "main").size == (32, 24)
    assert OpenEXR.File(str(comp.results()[0])).parts[0].width() == 64
    nuke.root().setProxy(False)
    assert np.abs(comp.rgb(FIRST) - scene(FIRST)).mean() < 0.01


def test_each_stereo_view_is_baked(comp: Comp) -> None:
    session.views[:] = ["left", "right"]
    session.view = "left"
    folder = comp.script.parent / "stereo"
    write_plate(folder, "left")
    write_plate(folder, "right")
    for frame in FRAMES:
        write_exr(folder / f"right.{frame}.exr", exposed(frame) * np.float32(0.5), frame)
    comp.read["file"].setValue(f"{folder}/%V.%04d.exr")
    comp.bake(exposure_mode="ratio", short_parity="even", cuts="none")
    assert comp.state().startswith("Baked")
    left, right = comp.rgb(1003, "left"), comp.rgb(1003, "right")
    assert np.abs(left - scene(1003)).mean() < 0.01
    assert 0.3 < right.mean() / left.mean() < 0.7
