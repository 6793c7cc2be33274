"""Where files are: the studio's filters first, then ``~``, relative paths, drive letters and UNC."""

from __future__ import annotations

import os
from pathlib import Path

import nuke
import pytest
from f2hdr_nuke import paths
from nuke import fake
from nuke.session import session
from nuke_comp import Comp

from f2hdr_backend.shot.errors import ShotError

posix = pytest.mark.skipif(os.name == "nt", reason="a drive letter is a place on Windows")


def test_a_filter_sees_a_drive_letter_before_it_is_made_absolute(window: Comp, tmp_path: Path) -> None:
    nuke.addFilenameFilter(lambda path: path.replace("P:/", f"{tmp_path}/storage/"))
    window.bake(cache_dir="P:/cache")
    assert window.state().startswith("Baked")
    assert len(list((tmp_path / "storage" / "cache").glob("*/*/hdr.*.exr"))) == 6


@posix
def test_an_unmapped_drive_letter_is_named(window: Comp) -> None:
    window.bake(cache_dir="P:/cache")
    assert '"P:/cache"' in window.messages()
    assert not Path("P:").exists()


def test_original_files_on_a_mapped_drive_are_used(window: Comp, tmp_path: Path) -> None:
    nuke.addFilenameFilter(lambda path: path.replace("P:/", f"{tmp_path}/"))
    window.from_files()
    window.read["file"].setValue("P:/footage/plate.%04d.exr")
    window.bake()
    assert window.state().startswith("Baked")
    assert window.plates() == []


@pytest.mark.parametrize("project", ["", "{folder}", "sub"])
def test_relative_paths_start_at_the_project_directory_or_the_script(
    project: str, window: Comp, tmp_path: Path
) -> None:
    nuke.root()["project_directory"].setValue(project.format(folder=tmp_path / "project"))
    base = {"": tmp_path, "sub": tmp_path / "sub"}.get(project, tmp_path / "project")
    assert paths.located("cache/hdr") == f"{base.as_posix()}/cache/hdr"


def test_original_files_with_a_relative_path_are_used(window: Comp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    window.from_files()
    window.read["file"].setValue("footage/plate.%04d.exr")
    nuke.root()["project_directory"].setValue(str(window.script.parent))
    monkeypatch.chdir(window.script.parent)
    window.bake()
    assert window.state().startswith("Baked")
    assert window.plates() == []


def test_home_and_network_paths_are_resolved(window: Comp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "me"))
    assert paths.located("~/cache") == f"{tmp_path.as_posix()}/me/cache"
    assert paths.located("//server/share/../share/cache") == "//server/share/cache"
    assert paths.located("\\\\server\\share\\cache") == "//server/share/cache"


@posix
def test_a_read_with_a_path_of_another_system_does_not_stop_a_bake(window: Comp) -> None:
    """Nuke reads it only where its picture is used; its path counts for the identity of the input all the same."""
    other = nuke.createNode("Read")
    other["file"].setValue("P:/elsewhere/plate.%04d.exr")
    switch = nuke.createNode("Switch")
    switch.setInput(0, window.read)
    switch.setInput(1, other)
    window.grade.setInput(0, switch)
    window.bake(bake_range="custom", bake_first=1001, bake_last=1002, exposure_mode="ratio", short_parity="even")
    assert window.state() == "Baked 1001-1002."
    other["file"].setValue("Q:/elsewhere/plate.%04d.exr")
    fake.open_panel(window.node)
    assert window.state().startswith("STALE")


@posix
def test_a_path_of_another_system_is_not_an_error_of_the_panel(window: Comp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCIO", "ocio://cg-config-v2.1.0_aces-v1.3_ocio-v2.3")
    window.set(backend_program="P:/f2hdr/f2hdr.exe")
    fake.open_panel(window.node)
    window.wait()
    assert '"P:/f2hdr/f2hdr.exe"' in window.state() or window.node["color_input_space"].values()[3:]


def test_the_name_of_a_built_in_config_is_not_changed_to_a_path(window: Comp, monkeypatch: pytest.MonkeyPatch) -> None:
    from f2hdr_nuke import spaces

    monkeypatch.setenv("OCIO", "ocio://cg-config-v2.1.0_aces-v1.3_ocio-v2.3")
    assert spaces.config_file() == "ocio://cg-config-v2.1.0_aces-v1.3_ocio-v2.3"


@posix
def test_an_unmapped_drive_letter_raises_an_error_without_a_dialog(window: Comp) -> None:
    with pytest.raises(ShotError, match="Q:/x"):
        paths.located("Q:/x")
    assert session.messages == []
