"""A color config by environment, by file or built in is settled once and reaches every task."""

import json
import shutil

import pytest

from f2hdr_backend.color.config import SHIPPED_FILE
from f2hdr_backend.image.write import read_header
from tests.farm.plates import digests, document, f2hdr, prepared

BUILT_IN = "ocio://studio-config-v2.1.0_aces-v1.3_ocio-v2.3"


@pytest.mark.parametrize("way", ["environment", "file", "built in", "ours"])
def test_a_task_with_another_environment_renders_the_same_bytes(tmp_path, monkeypatch, way):
    own = tmp_path / "studio.ocio"
    shutil.copy(SHIPPED_FILE, own)
    named = {"environment": None, "file": str(own), "built in": BUILT_IN, "ours": "f2hdr"}[way]
    if way == "environment":
        monkeypatch.setenv("OCIO", str(own))
    config = ("--config", named) if named else ()
    shot = prepared(tmp_path, 4, "--input-space", "ACEScg", "--output-space", "ACES2065-1", *config)
    assert document(shot)["color"]["config"] == (named or str(own))
    assert f2hdr("render", shot, "--json").exit_code == 0
    expected = digests(tmp_path / "hdr")
    shutil.rmtree(tmp_path / "hdr")
    monkeypatch.setenv("OCIO", "/another/machine/config.ocio")
    for frames in ("1003-1004", "1001-1002"):
        result = f2hdr("render", shot, "--frames", frames, "--json")
        assert result.exit_code == 0, result.output
    assert digests(tmp_path / "hdr") == expected and len(expected) == 4
    assert read_header(tmp_path / "hdr" / "o.1001.exr")["f2hdr/color_config"] == (named or str(own))
    assert f2hdr("check", shot).exit_code == 0


def test_a_config_is_found_through_path_mapping(tmp_path):
    own = tmp_path / "here" / "studio.ocio"
    own.parent.mkdir()
    shutil.copy(SHIPPED_FILE, own)
    shot = prepared(tmp_path / "here", 2, "--input-space", "ACEScg", "--config", str(own))
    (tmp_path / "there.json").write_text(shot.read_text().replace(str(tmp_path / "here"), "/other"))
    rule = {"source_path_format": "POSIX", "source_path": "/other", "destination_path": str(tmp_path / "here")}
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"version": "pathmapping-1.0", "path_mapping_rules": [rule]}))
    result = f2hdr("render", tmp_path / "there.json", "--path-mapping", rules, "--json")
    assert result.exit_code == 0, result.output
    assert f2hdr("check", tmp_path / "there.json", "--path-mapping", rules).exit_code == 0
