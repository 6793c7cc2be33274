"""What tests of pages share."""

import pytest


@pytest.fixture
def page(opened):
    """The module's ``opened`` page as it opens."""
    from tests.browser.chromium import settle

    opened.refresh()
    settle(opened)
    return opened
