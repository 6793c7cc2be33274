"""A page in a real browser, opened from a file."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed (pip install selenium)")
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

__all__ = [
    "ActionChains", "By", "Keys", "browser", "errors", "overflowing", "press", "settle", "webdriver",
]  # fmt: skip

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
if not (CHROMIUM and DRIVER):
    pytest.skip("no Chromium with its driver (apt install chromium chromium-driver)", allow_module_level=True)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--force-device-scale-factor=1", "--window-size=1280,943",
)  # fmt: skip


@contextmanager
def browser(page: Path) -> Iterator[webdriver.Chrome]:
    """Chromium showing ``page``."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={page.parent / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        driver.get(page.as_uri())
        yield driver
    finally:
        driver.quit()


def settle(driver: webdriver.Chrome) -> None:
    """Wait until the page has shown its present state: two screen refreshes later, with all pixels there."""
    driver.execute_async_script(
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30)))"
    )
    WebDriverWait(driver, 60).until(
        lambda d: d.execute_script("return document.getElementById('stage').dataset.state") == "ready"
    )


def press(driver: webdriver.Chrome, *keys: str) -> None:
    """Type, and wait for the page."""
    ActionChains(driver).send_keys(*keys).perform()
    settle(driver)


def errors(driver: webdriver.Chrome) -> list[dict]:
    """Errors in the console of the page."""
    return [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


def overflowing(driver: webdriver.Chrome, width: int) -> list[str]:
    """What does not fit into its place in a window of ``width``, 16 to 9."""
    driver.set_window_size(width, width * 9 // 16)
    settle(driver)
    return driver.execute_script(
        "return [document.documentElement, ...document.querySelectorAll('aside, aside > section, #transport, header')]"
        ".filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.id || e.tagName)"
    )
