"""Files referenced by an OCIO config: read below the allowed folders, regular files only, of bounded size."""

import os
import sys
import zipfile

import numpy as np
import PyOpenColorIO as ocio
import pytest

from f2hdr_backend.color.config import load_config
from f2hdr_backend.color.ocio_files import read_table
from f2hdr_backend.shot.errors import ColorError
from f2hdr_backend.shot.safe_open import confine

CONFIG = """ocio_profile_version: 2
roles: {default: lin, scene_linear: lin}
displays:
  d:
    - !<View> {name: v, colorspace: lin}
colorspaces:
  - !<ColorSpace>
    name: lin
"""
TABLE = "Version 1\nFrom 0.0 1.0\nLength 2\nComponents 1\n{\n0.0\n0.5\n}\n"
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs pipes, devices and links")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An allowed folder with a table, and another table outside it."""
    monkeypatch.delenv("OCIO", raising=False)
    (tmp_path / "in" / "luts").mkdir(parents=True)
    (tmp_path / "in" / "luts" / "a.spi1d").write_text(TABLE)
    (tmp_path / "a.spi1d").write_text(TABLE)
    confine([str(tmp_path / "in")])
    yield tmp_path / "in"
    confine([])


def config_with(table, search):
    """The text of a config whose space uses the table."""
    config = ocio.Config.CreateRaw()
    config.setSearchPath(search)
    config.addColorSpace(ocio.ColorSpace(ocio.REFERENCE_SPACE_SCENE, "lin"))
    config.setRole("aces_interchange", "lin")
    space = ocio.ColorSpace(ocio.REFERENCE_SPACE_SCENE, "lut")
    space.setTransform(ocio.FileTransform(table), ocio.COLORSPACE_DIR_TO_REFERENCE)
    config.addColorSpace(space)
    return config.serialize()


def converted(folder, table, search="luts"):
    """The value of 1.0 converted by a config in the folder whose space uses the table."""
    path = folder / "c.ocio"
    path.write_text(config_with(table, search), encoding="utf-8")
    return result(path)


def result(path):
    return load_config(str(path)).transform("lut", "lin").apply(np.ones((1, 1, 3), np.float32))[0, 0, 0]


def test_a_lookup_table_below_the_allowed_folder_is_used(folder):
    assert converted(folder, "a.spi1d") == 0.5
    assert converted(folder, "luts/../luts/a.spi1d", ".") == 0.5
    assert converted(folder, str(folder / "luts" / "a.spi1d")) == 0.5


def test_a_lookup_table_that_is_changed_added_or_removed_is_noticed_at_once(folder):
    table = folder / "luts" / "b.spi1d"
    with pytest.raises(ColorError):
        converted(folder, "b.spi1d")
    for number, value in enumerate(("0.5", "0.25", "0.125")):
        table.write_text(TABLE.replace("0.5", value))
        os.utime(table, (1000 + number, 1000 + number))
        assert result(folder / "c.ocio") == float(value)
        assert result(folder / "c.ocio") == float(value)
    table.unlink()
    with pytest.raises(ColorError):
        result(folder / "c.ocio")


@posix
@pytest.mark.parametrize("way", ["absolute", "dots", "search", "link", "device", "pipe", "folder"])
def test_a_table_outside_the_folder_or_not_a_regular_file_is_refused_without_blocking(folder, way):
    outside = folder.parent / "a.spi1d"
    table, search = "b.spi1d", "luts"
    if way == "absolute":
        table = str(outside)
    elif way == "dots":
        table = "../../a.spi1d"
    elif way == "search":
        table, search = "a.spi1d", str(folder.parent)
    elif way == "link":
        (folder / "luts" / "b.spi1d").symlink_to(outside)
    elif way == "device":
        confine([])
        table = "/dev/zero"
    elif way == "pipe":
        os.mkfifo(folder / "luts" / "b.spi1d")
    else:
        (folder / "luts" / "b.spi1d").mkdir()
    with pytest.raises(ColorError) as caught:
        converted(folder, table, search)
    assert os.path.basename(table) in caught.value.message


@pytest.mark.parametrize("damage", [False, True])
def test_an_archive_that_becomes_too_large_or_is_damaged_is_refused(tmp_path, monkeypatch, damage):
    path = tmp_path / "c.ocioz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.ocio", ocio.Config.CreateRaw().serialize())
        archive.writestr("a.spi1d", b"0" * 2_000_000)
    assert load_config(str(path)).names()
    if damage:
        path.write_bytes(path.read_bytes()[:-30])
    else:
        monkeypatch.setenv("F2HDR_LIMITS", "lut=1M")
        path.touch()
    with pytest.raises(ColorError) as caught:
        load_config(str(path))
    assert str(path) in caught.value.message and ("2000" in caught.value.message or damage)


@posix
@pytest.mark.parametrize("table", ["a.spi1d", "../a.spi1d", "{outside}/a.spi1d", "/dev/zero"])
def test_an_archive_opens_no_file_outside_itself(folder, table):
    path = folder / "c.ocioz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.ocio", config_with(table.format(outside=folder.parent), "."))
        archive.writestr("b.spi1d", TABLE)
    with pytest.raises(ColorError):
        result(path)


@pytest.mark.parametrize("table", ["a.spi1d", "luts/../a.spi1d"])
def test_tables_in_an_archive_are_used(folder, table):
    path = folder / "c.ocioz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.ocio", config_with(table, "."))
        archive.writestr("a.spi1d", TABLE)
    assert result(path) == 0.5
    config = load_config(str(path))
    assert config.digest_with(config.transform("lut", "lin")) != config.digest


def test_a_lookup_table_of_deeply_nested_xml_is_refused(tmp_path):
    """OpenColorIO itself needs seconds for 100,000 elements, and a minute for a million."""
    (tmp_path / "a.ccc").write_text("<ColorCorrectionCollection>" * 100_000)
    with pytest.raises(ValueError, match="a.ccc"):
        read_table(str(tmp_path / "a.ccc"))


def test_lookup_tables_of_flat_xml_and_of_text_are_read(tmp_path):
    flat = "<ProcessList>" + "<Description>a</Description>" * 1000 + "</ProcessList>"
    for name, content in (("a.clf", flat), ("a.spi1d", TABLE), ("a.icc", "\0" * 200)):
        (tmp_path / name).write_text(content)
        assert read_table(str(tmp_path / name)) == content.encode()


def test_a_config_that_takes_too_long_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.ocio"
    path.write_text(CONFIG)
    assert load_config(str(path)).names() == ("lin",)
    monkeypatch.setattr("f2hdr_backend.color.ocio_files.SLOWEST_S", -1.0)
    path.write_text(CONFIG + "description: changed\n")
    with pytest.raises(ColorError) as caught:
        load_config(str(path))
    assert str(path) in caught.value.message


def test_lines_of_the_library_do_not_reach_the_terminal(tmp_path, capfd):
    path = tmp_path / "a.ocio"
    path.write_text(CONFIG + '"unknown \\e[2J key": 1\n')
    assert load_config(str(path)).names() == ("lin",)
    assert capfd.readouterr() == ("", "")
