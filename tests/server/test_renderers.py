"""Which renderers stay loaded."""

import pytest

from f2hdr_backend.server import renderers as module
from f2hdr_backend.server.renderers import KEPT, Renderers
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import WeightsMissing

ENGINES = [Engine(tile=str(rows)) for rows in (1, 2, 3)]


@pytest.fixture
def opened(monkeypatch):
    made = []

    def renderer(engine):
        if engine.tile == "off":
            raise WeightsMissing("none")
        made.append(engine)
        return object()

    monkeypatch.setattr(module, "Renderer", renderer)
    return made


def lend(renderers, engine):
    with renderers.lent(engine) as renderer:
        return renderer


def test_the_same_settings_get_the_same_renderer_and_the_oldest_is_dropped(opened):
    renderers = Renderers()
    first = lend(renderers, ENGINES[0])
    assert lend(renderers, ENGINES[0]) is first
    for engine in ENGINES[1 : KEPT + 1]:
        lend(renderers, engine)
    lend(renderers, ENGINES[0])
    assert opened == [*ENGINES[: KEPT + 1], ENGINES[0]]


def test_a_renderer_in_use_is_not_dropped(opened):
    renderers = Renderers()
    with renderers.lent(ENGINES[0]) as first:
        for engine in ENGINES[1:]:
            lend(renderers, engine)
        assert lend(renderers, ENGINES[0]) is first
    assert opened.count(ENGINES[0]) == 1


def test_a_renderer_that_cannot_be_loaded_does_not_affect_others(opened):
    renderers = Renderers()
    kept = lend(renderers, ENGINES[0])
    with pytest.raises(WeightsMissing):
        lend(renderers, Engine(tile="off"))
    assert lend(renderers, ENGINES[0]) is kept
