"""One server for the tests that leave it as it was; tests that kill theirs start their own."""

from __future__ import annotations

import pytest

from tests.server.running import Served


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("served")).start()
    yield served
    served.stop()
