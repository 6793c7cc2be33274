"""Feedback during and after a bake: progress bar, status, log, terminal."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import nuke
import numpy as np
import OpenEXR
import pytest
from f2hdr_nuke import cache
from nuke import fake
from nuke.session import session
from nuke_comp import Comp
from nuke_footage import FIRST, LAST, exposed, write_exr

from f2hdr_backend.shot.errors import UnwritableFrame
from f2hdr_backend.shot.frames import FrameRange

RATIO = {"exposure_mode": "ratio", "short_parity": "even", "cuts": "none"}


def test_the_progress_bar_is_removed_after_a_bake_and_after_an_error(window: Comp) -> None:
    gc.disable()
    try:
        window.bake(**RATIO)
        window.node.setInput(0, None)
        window.bake()
        assert "has no input" in window.messages()
        assert [bar.closed for bar in session.tasks] == [True, True]
    finally:
        gc.enable()


def test_the_status_shows_why_a_bake_stopped_until_the_next_change(window: Comp) -> None:
    window.bake(**RATIO)
    window.node.setInput(0, None)
    window.bake()
    assert window.state() == "F2HDR1 has no input. Connect the plate of alternating exposures. Stopped: " \
        "F2HDR1 has no input."  # fmt: skip
    window.node.setInput(0, window.grade)
    fake.open_panel(window.node)
    assert window.state() == f"Baked {FIRST}-{LAST}."


def refusing(error: type[OSError], number: int) -> Any:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise error(number, os.strerror(number))

    return refuse


def test_a_full_disk_during_detection_is_reported(window: Comp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache.os, "link", refusing(OSError, 95))
    monkeypatch.setattr(cache.shutil, "copyfile", refusing(OSError, 28))
    window.press("detect")
    assert "No space left on device" in window.messages()
    assert "No space left on device" in window.state()
    assert not list(window.folder().glob("look.*"))


def test_a_folder_that_cannot_be_created_is_reported_with_the_frame(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableFrame, match=r"p\.0001\.exr") as failed:
        cache.stretch(str(tmp_path / "p.%04d.exr"), FrameRange((1,)), str(tmp_path / "file" / "look"))
    assert failed.value.facts["frame"] == 1


def test_warnings_are_counted_in_the_status_and_listed_in_the_log(comp: Comp) -> None:
    pixels = exposed(1003)
    pixels[3, 3] = np.nan
    write_exr(comp.script.parent / "footage" / "plate.1003.exr", pixels, 1003)
    comp.bake(color_clip_level="1", **RATIO)
    assert comp.state() == f"Baked {FIRST}-{LAST}. 1 warning, see log."
    assert "warning: 1 pixels of " in (comp.folder() / "log.txt").read_text()
    printed = [line for line in session.printed if "were NaN or Inf" in line]
    assert len(printed) == (0 if session.gui else 1)
    assert all(line.startswith("F2HDR: warning: ") for line in printed)


def test_a_relative_cache_folder_is_below_the_project_directory(window: Comp, tmp_path: Path) -> None:
    nuke.root()["project_directory"].setValue(f"{tmp_path}/project")
    window.bake(cache_dir="cache/hdr", **RATIO)
    assert window.state().startswith("Baked")
    assert len(list((tmp_path / "project" / "cache" / "hdr").glob("*/*/hdr.main.*.exr"))) == 6


def test_an_absolute_cache_folder_is_unchanged(window: Comp, tmp_path: Path) -> None:
    nuke.root()["project_directory"].setValue(f"{tmp_path}/project")
    window.bake(cache_dir=f"{tmp_path}/elsewhere", **RATIO)
    assert len(list((tmp_path / "elsewhere").glob("*/*/hdr.main.*.exr"))) == 6


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        ("file", "/shots/%{shot}/plate.%04d.exr"),
        ("file", "/shots/%shot/plate.%04d.exr"),
        ("file", "/shots/%__default__.shot/plate.%04d.exr"),
    ],
)
def test_variables_in_a_path_of_the_input_are_refused(window: Comp, knob: str, value: str) -> None:
    fake.set_variables(shot="sh010")
    window.read[knob].setValue(value)
    window.bake()
    assert "depends on Graph Scope Variables (Read1)" in window.messages()
    assert "Graph Scope Variables" in window.state()


def test_variables_in_an_expression_of_the_input_are_refused(window: Comp) -> None:
    window.grade["white"].setExpression("[python {nuke.root()['gsv'].getGsvValue('__default__.white')}]")
    window.bake()
    assert "depends on Graph Scope Variables (Grade1)" in window.messages()


def test_percent_signs_that_are_not_variables_are_allowed(window: Comp) -> None:
    fake.set_variables(shot="sh010")
    window.read["file"].setValue(window.read["file"].value().replace("%04d", "%d"))
    window.grade["label"].setValue("%{shot}")
    window.bake(**RATIO)
    assert window.state() == f"Baked {FIRST}-{LAST}."


def test_every_channel_of_the_file_is_in_the_output_under_nukes_name(window: Comp) -> None:
    window.set(**{f"layer_{layer}": True for layer in ("flow", "mask", "coarse", "occlusion")})
    window.bake(engine_method="f2hdr", bake_range="custom", bake_first=1003, bake_last=1003, **RATIO)
    image = window.node.picture(1003, "main")
    with OpenEXR.File(str(window.results()[0]), separate_channels=True) as file:
        channels = {name: np.array(channel.pixels) for name, channel in file.channels().items()}
    assert len(channels) == 14
    for name, pixels in channels.items():
        layer, _, channel = name.rpartition(".")
        nukes = f"{layer or 'rgba'}.{ {'R': 'red', 'G': 'green', 'B': 'blue'}.get(channel, channel) }"
        np.testing.assert_array_equal(image.plane(nukes)[::-1], pixels, err_msg=nukes)
        assert np.ptp(pixels) > 0 or layer == "occlusion", name
