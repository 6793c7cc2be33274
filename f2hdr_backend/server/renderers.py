"""A small LRU cache of loaded renderers."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.shot.document import Engine

KEPT = 2
"""Maximum number of renderers that stay loaded while unused."""


class Renderers:
    """The renderers of one worker; used only by its thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Engine, Renderer] = OrderedDict()
        self._users: Counter[Engine] = Counter()

    @contextmanager
    def lent(self, engine: Engine) -> Iterator[Renderer]:
        """Return the renderer for these settings for the duration of a block; loads it if needed.

        Raises WeightsError, DeviceError or DocumentError; see ``Renderer``.
        """
        if engine not in self._kept:
            self._make_room(KEPT - 1)
            self._kept[engine] = Renderer(engine)
        self._kept.move_to_end(engine)
        self._users[engine] += 1
        try:
            yield self._kept[engine]
        finally:
            self._users[engine] -= 1
            self._make_room(KEPT)

    def _make_room(self, most: int) -> None:
        for engine in [engine for engine in self._kept if not self._users[engine]]:
            if len(self._kept) > most:
                del self._kept[engine]
        self._users += Counter()
