"""One render parses the OCIO config once."""

from dataclasses import replace

import PyOpenColorIO as ocio
import pytest

from f2hdr_backend.color.config import SHIPPED_FILE, load_config
from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.shot.document import Color
from tests.color.test_plate import MERGE, shot_of, write_light


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each time that OpenColorIO parses a config file."""
    found: list[int] = []
    create = ocio.Config.CreateFromConfigIOProxy
    monkeypatch.setattr(
        ocio.Config, "CreateFromConfigIOProxy", staticmethod(lambda files: found.append(1) or create(files))
    )
    return found


def test_one_render_parses_the_config_once(tmp_path, parsed: list[int]) -> None:
    config = tmp_path / "own.ocio"
    config.write_bytes(SHIPPED_FILE.read_bytes())
    shot = shot_of(tmp_path, write_light(tmp_path))
    shot = replace(shot, color=Color(config=str(config), output_space="ACEScg"))
    list(Renderer(MERGE).render(shot))
    assert (tmp_path / "hdr").exists() and len(parsed) == 1


def test_a_config_is_parsed_again_only_for_variables_that_it_uses(tmp_path, parsed, monkeypatch) -> None:
    """A library that is imported between two uses may set variables of its own."""
    config = tmp_path / "shot.ocio"
    config.write_text(SHIPPED_FILE.read_text("utf-8").replace('search_path: ""', "search_path: luts/${SHOT}"), "utf-8")
    load_config(str(config))
    monkeypatch.setenv("SOME_LIBRARY", "loaded")
    load_config(str(config))
    assert len(parsed) == 1
    monkeypatch.setenv("SHOT", "sh010")
    load_config(str(config))
    assert len(parsed) == 2
