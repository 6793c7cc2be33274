"""The comparison page in a real browser, opened from a file: wipe, exposure, values, zoom, frames and keys."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from f2hdr_backend.evaluate.metrics.score import Score
from f2hdr_backend.evaluate.page.page import Page, PageFrame, ScoreRow, Source, write_page
from tests.browser.chromium import (
    ActionChains,
    By,
    Keys,
    browser,
    errors,
    overflowing,
    press,
    settle,
    webdriver,
)

WIDTH, HEIGHT = 160, 90
WHITE = 1.5


def _frames() -> list[PageFrame]:
    """Flat blocks of 10 x 10 pixels, so that any sampling of the screen meets the block's own value.

    In the first one the truth is above white and A is white: an error of 0, as scores clip the truth.
    """
    frames = []
    for number in (1001, 1002):
        random = np.random.default_rng(number)
        planes = {}
        for name in ("A", "B", "truth"):
            blocks = np.exp2(random.uniform(-4, 3, (HEIGHT // 10, WIDTH // 10, 3)))
            planes[name] = np.kron(blocks, np.ones((10, 10, 1))).astype(np.float32)
        planes["A"][:10, :10], planes["truth"][:10, :10] = WHITE, 4.0
        planes["A/forward"] = np.tile(np.float32([4, 0]), (HEIGHT, WIDTH, 1))
        frames.append(PageFrame(number, planes))
    return frames


FRAMES = _frames()


@pytest.fixture(scope="module")
def opened(tmp_path_factory) -> Iterator[webdriver.Chrome]:
    folder = tmp_path_factory.mktemp("browser")
    scores = {number: Score("PSNR_T", 40.0 + number % 7, "dB", (("mu", 5000.0),)) for number in (1001, 1002)}
    sources = tuple(Source(name, f"{name}/shot.####.exr") for name in ("A", "B", "truth"))
    rows = (ScoreRow("A", "truth", scores), ScoreRow("B", "truth", scores))
    write_page(folder / "page.html", Page("Browser test", sources, FRAMES, rows, WHITE))
    with browser(folder / "page.html") as driver:
        yield driver


def _place(driver: webdriver.Chrome, x: int, y: int) -> tuple[float, float]:
    """Where the middle of a picture's pixel is, from the corner of the stage, at the fitted zoom."""
    stage = driver.find_element(By.ID, "stage")
    wide, high = (int(stage.get_property(name)) for name in ("clientWidth", "clientHeight"))
    scale = min(wide / WIDTH, high / HEIGHT)
    return (wide - WIDTH * scale) / 2 + (x + 0.5) * scale, (high - HEIGHT * scale) / 2 + (y + 0.5) * scale


def _point_at(driver: webdriver.Chrome, x: int, y: int) -> None:
    stage = driver.find_element(By.ID, "stage")
    across, down = _place(driver, x, y)
    offset = round(across - stage.size["width"] / 2), round(down - stage.size["height"] / 2)
    ActionChains(driver).move_to_element_with_offset(stage, *offset).perform()
    settle(driver)


def _screen(driver: webdriver.Chrome, x: int, y: int) -> list[int]:
    """RGB codes that the screen shows for a pixel of the picture."""
    across, down = _place(driver, x, y)
    script = "return [...document.getElementById('picture').getContext('2d').getImageData(...arguments, 1, 1).data]"
    return driver.execute_script(script, round(across), round(down))[:3]


def _shown(plane: np.ndarray, x: int, y: int, stops: float = 0) -> list[int]:
    """The sRGB codes (IEC 61966-2-1) of a stored value."""
    light = np.clip(plane[y, x].astype(np.float16).astype(float) * 2.0**stops, 0, 1)
    return list(np.rint(255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)))


def test_the_page_opens_without_error_and_without_network(page):
    assert page.find_element(By.ID, "title").text == "Browser test"
    assert page.find_element(By.ID, "message").text == ""
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert errors(page) == []


def test_values_under_the_cursor_are_the_stored_ones(page):
    for x, y in ((5, 5), (84, 41), (159, 89)):
        _point_at(page, x, y)
        assert page.find_element(By.ID, "position").text == f"x {x} y {y}"
        for name in ("A", "B", "truth"):
            row = page.find_element(By.CSS_SELECTOR, f"#values tr[data-name={name}]")
            exact = [float(value) for value in row.get_attribute("data-rgb").split()]
            stored = FRAMES[0].planes[name][y, x]
            np.testing.assert_array_equal(exact, stored.astype(np.float16).astype(np.float64))
            read = [float(cell.text) for cell in row.find_elements(By.TAG_NAME, "td")[1:4]]
            np.testing.assert_allclose(read, stored, rtol=1e-3)


def test_dragging_the_wipe_shows_the_other_side(page):
    x, y = 44, 44
    assert _screen(page, x, y) == _shown(FRAMES[0].planes["A"], x, y)
    handle = page.find_element(By.ID, "wipe")
    left, middle = _place(page, 20, y)[0], _place(page, 79, y)[0]
    ActionChains(page).drag_and_drop_by_offset(handle, round(left - middle), 0).perform()
    settle(page)
    assert int(handle.get_attribute("aria-valuenow")) == pytest.approx(13, abs=2)
    assert _screen(page, x, y) == _shown(FRAMES[0].planes["B"], x, y)
    assert _screen(page, 5, 5) == _shown(FRAMES[0].planes["A"], 5, 5)


def test_arrow_keys_move_the_wipe_and_space_switches_sides(page):
    handle = page.find_element(By.ID, "wipe")
    press(page, Keys.ARROW_LEFT)
    assert int(handle.get_attribute("aria-valuenow")) < 50
    press(page, " ")
    assert _screen(page, 155, 5) == _shown(FRAMES[0].planes["A"], 155, 5)
    press(page, " ")
    assert _screen(page, 5, 5) == _shown(FRAMES[0].planes["B"], 5, 5)


def test_exposure_acts_on_the_float_values(page):
    press(page, *[Keys.ARROW_DOWN] * 6)
    assert page.find_element(By.ID, "exposure-value").text == "-3.00"
    for x, y in ((5, 5), (24, 64)):
        assert _screen(page, x, y) == _shown(FRAMES[0].planes["A"], x, y, -3)
    slider = page.find_element(By.ID, "exposure")
    ActionChains(page).click(slider).perform()
    settle(page)
    stops = float(page.find_element(By.ID, "exposure-value").text)
    assert stops == pytest.approx(0, abs=0.5)
    assert _screen(page, 135, 15) == _shown(FRAMES[0].planes["B"], 135, 15, stops)


def test_selecting_a_frame_changes_pixels_and_scores(page):
    press(page, ".")
    assert page.find_element(By.ID, "frame-number").text == "1002"
    assert _screen(page, 5, 5) == _shown(FRAMES[1].planes["A"], 5, 5)
    assert page.find_element(By.CSS_SELECTOR, "#by-frame tr.here").get_attribute("data-frame") == "1002"


def test_the_difference_is_zero_for_identical_sides_only(page):
    black = [0, 0, 4]
    press(page, "3")
    assert _screen(page, 5, 5) != black
    page.find_element(By.CSS_SELECTOR, "#sources button[data-side=right][data-name=A]").click()
    settle(page)
    assert _screen(page, 5, 5) == black


def test_the_error_is_against_the_truth_clipped_to_white(page):
    black = [0, 0, 4]
    press(page, "4")
    assert _screen(page, 5, 5) == black
    assert _screen(page, 15, 5) != black
    page.find_element(By.CSS_SELECTOR, "#sources button[data-side=right][data-name=truth]").click()
    press(page, "3")
    assert _screen(page, 5, 5) != black


def test_false_color_is_by_whole_stops_of_luminance(page):
    press(page, "2")
    colors = {}
    for x in range(5, 75, 10):
        for y in range(5, 90, 10):
            light = FRAMES[0].planes["A"][y, x].astype(np.float16).astype(float) @ (0.2126, 0.7152, 0.0722)
            colors.setdefault(int(np.floor(np.log2(light))), set()).add(tuple(_screen(page, x, y)))
    assert len(colors) >= 4
    assert all(len(shown) == 1 for shown in colors.values())
    assert len(set.union(*colors.values())) == len(colors)


def test_flow_is_drawn_over_its_own_side_only(page):
    press(page, "o")
    assert _screen(page, 5, 5) != _shown(FRAMES[0].planes["A"], 5, 5)
    assert _screen(page, 155, 5) == _shown(FRAMES[0].planes["B"], 155, 5)
    _point_at(page, 40, 40)
    assert "4.00, 0.00 px" in page.find_element(By.ID, "values").text


def test_zoom_keeps_the_pixel_under_the_cursor(page):
    _point_at(page, 31, 62)
    press(page, "+", "+", "+")
    assert page.find_element(By.ID, "position").text == "x 31 y 62"
    assert page.find_element(By.ID, "zoom").text == "3200 %"
    press(page, "f")
    assert page.find_element(By.ID, "position").text == "x 31 y 62"


@pytest.mark.parametrize("width", [1280, 2560])
def test_no_element_overflows_the_page(page, width):
    assert overflowing(page, width) == []
    assert page.execute_script("return document.getElementById('stage').clientWidth / innerWidth") > 0.7
