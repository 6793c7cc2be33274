"""The OpenFX effect in a plug-in folder, from a stand-in for a built bundle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from f2hdr_backend.install import ofx
from f2hdr_backend.install.files import InstallError


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package folder that contains a built effect."""
    effect = tmp_path / "package" / "host_files" / ofx.BUNDLE / "Contents" / "Linux-x86-64" / "F2HDR.ofx"
    effect.parent.mkdir(parents=True)
    effect.write_bytes(b"effect")
    monkeypatch.setattr(ofx, "PACKAGE", tmp_path / "package")
    return effect


def test_the_effect_is_installed_with_its_backend_and_removed(built: Path, tmp_path: Path) -> None:
    root = tmp_path / "OFX" / "Plugins"
    ofx.install([root], ["/opt/f2hdr/bin/f2hdr"], dry_run=True)
    assert not root.exists()
    ofx.install([root], ["/opt/f2hdr/bin/f2hdr"], dry_run=False)
    contents = root / ofx.BUNDLE / "Contents"
    assert (contents / "Linux-x86-64" / "F2HDR.ofx").read_bytes() == b"effect"
    assert json.loads((contents / "Resources" / "backend.json").read_text()) == ["/opt/f2hdr/bin/f2hdr"]
    ofx.uninstall([root], dry_run=False)
    assert not root.exists()


def test_a_missing_effect_is_refused_and_the_hint_names_cmake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ofx, "PACKAGE", tmp_path / "package")
    with pytest.raises(InstallError) as refused:
        ofx.install([tmp_path], ["f2hdr"], dry_run=False)
    assert "cmake" in refused.value.hint.lower() and list(tmp_path.iterdir()) == []


def test_the_folder_is_that_of_ofx_plugin_path_or_of_the_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFX_PLUGIN_PATH", "/mine")
    assert ofx.default_folders() == [Path("/mine")]
    monkeypatch.delenv("OFX_PLUGIN_PATH")
    assert ofx.default_folders()[0].name == "Plugins"
