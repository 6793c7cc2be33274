"""One render parses the OCIO config once."""

from dataclasses import replace

import PyOpenColorIO as ocio
import pytest

from f2hdr_backend.color.config import SHIPPED_FILE
from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.shot.document import Color
from tests.color.test_plate import MERGE, shot_of, write_light


def test_one_render_parses_the_config_once(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "own.ocio"
    config.write_bytes(SHIPPED_FILE.read_bytes())
    parsed = []
    create = ocio.Config.CreateFromConfigIOProxy
    monkeypatch.setattr(
        ocio.Config, "CreateFromConfigIOProxy", staticmethod(lambda files: parsed.append(1) or create(files))
    )
    shot = shot_of(tmp_path, write_light(tmp_path))
    shot = replace(shot, color=Color(config=str(config), output_space="ACEScg"))
    list(Renderer(MERGE).render(shot))
    assert (tmp_path / "hdr").exists() and len(parsed) == 1
