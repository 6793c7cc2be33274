"""The page of an evaluation in a real browser: frames of several scenes and sizes, box plots, the paper's numbers."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import numpy as np
import pytest

from f2hdr_backend.evaluate.metrics.score import Score
from f2hdr_backend.evaluate.page.page import Grouping, Page, PageFrame, ScoreRow, Source, write_page
from tests.browser.chromium import By, browser, errors, overflowing, press, settle, webdriver

SIZES = {1: (160, 90), 5: (64, 80)}
"""Width and height of the frames that the page shows."""
SCENES = {0: "night", 1: "night", 2: "night", 3: "a_square_with_a_long_name", 4: "a_square_with_a_long_name"}
SCENES |= {number: f"{number // 5}" for number in range(5, 60)}  # whole numbers, which scripts like to put first
PSNR = {number: 30.0 + (7 * number) % 11 for number in SCENES}


def _frame(number: int, width: int, height: int) -> PageFrame:
    light = {"A": 0.25, "B": 0.5, "truth": 1.0}
    planes = {name: np.full((height, width, 3), value, np.float32) for name, value in light.items()}
    return PageFrame(number, {**planes, "A/reconstructed": np.ones((height, width), np.float32)})


@pytest.fixture(scope="module")
def opened(tmp_path_factory) -> Iterator[webdriver.Chrome]:
    folder = tmp_path_factory.mktemp("browser")
    by_scene = Grouping.of("scene", SCENES, lambda scene: scene)
    by_exposure = Grouping.of("reference", {n: n % 2 for n in SCENES}, lambda odd: f"× {1 + odd}", splits_scenes=True)
    firsts = [frames[0] for frames in by_scene.groups.values()]
    psnr = {number: Score("PSNR_T", value, "dB", (("mu", 5000.0),)) for number, value in PSNR.items()}
    rows = (
        ScoreRow("A", "truth", psnr),
        ScoreRow("A", "", {number: Score("flicker", 0.01, "stops") for number in firsts}, over="scenes"),
        ScoreRow("A", "", {number: Score("time", 0.2, "s") for number in SCENES}, "seconds"),
    )
    page = Page(
        "Run",
        tuple(Source(name, f"{name} pictures") for name in ("A", "B", "truth")),
        [_frame(number, *size) for number, size in SIZES.items()],
        rows,
        names={number: f"{scene}/{number}" for number, scene in SCENES.items()},
        groupings=(by_scene, by_exposure),
        published={"PSNR_T": 41.01},
    )
    write_page(folder / "page.html", page)
    with browser(folder / "page.html") as driver:
        yield driver


def _plot_by(page: webdriver.Chrome, title: str) -> None:
    button = page.find_element(By.CSS_SELECTOR, f"#plots button[data-plot={title}]")
    page.execute_script("arguments[0].click()", button)
    settle(page)


def _texts(page: webdriver.Chrome, selector: str) -> list[str]:
    return page.execute_script(f"return [...document.querySelectorAll('{selector}')].map((e) => e.textContent)")


def test_frames_have_their_names_and_sizes(page):
    assert page.find_element(By.ID, "frame-number").text == "night/1"
    assert page.find_element(By.ID, "summary").text == "160 × 90, 2 of 60 frames"
    press(page, ".")
    assert page.find_element(By.ID, "frame-number").text == "1/5"
    assert page.find_element(By.ID, "summary").text == "64 × 80, 2 of 60 frames"
    sizes = page.execute_script("return [sides.left.picture.canvas.width, sides.left.picture.canvas.height]")
    assert sizes == [64, 80]
    assert errors(page) == []


def test_the_mean_of_the_paper_is_next_to_ours(page):
    rows = {line[0]: line[1:] for line in map(_cells, _rows(page, "#means"))}
    assert rows["PSNR_T dB"] == [f"{statistics.fmean(PSNR.values()):.2f}", "41.01"]
    assert rows["flicker stops"] == ["0.0100", ""]
    assert rows["seconds"] == ["0.200", ""]


def _rows(page: webdriver.Chrome, table: str) -> list:
    return page.find_elements(By.CSS_SELECTOR, f"{table} tr[data-metric]")


def _cells(row) -> list[str]:
    return [cell.text for cell in row.find_elements(By.TAG_NAME, "td")]


def test_a_box_spans_the_quartiles_and_is_labeled_with_the_mean(page):
    _plot_by(page, "reference")
    even = sorted(value for number, value in PSNR.items() if number % 2 == 0)
    texts = _texts(page, "#plot text:not(.name)")
    assert f"{statistics.fmean(even):.2f}" in texts
    boxes = page.find_elements(By.CSS_SELECTOR, "#plot rect")
    assert len(boxes) == 2
    ticks = page.execute_script(
        "return [...document.querySelectorAll('#plot text[text-anchor=middle]')]"
        ".map((e) => [Number(e.getAttribute('x')), Number(e.textContent)])"
    )
    (x0, low), (x1, high) = ticks[0], ticks[-1]
    left, width = (float(boxes[0].get_attribute(name)) for name in ("x", "width"))
    ends = [low + (x - x0) / (x1 - x0) * (high - low) for x in (left, left + width)]
    assert ends == pytest.approx(np.quantile(even, [0.25, 0.75]), abs=1e-6)


def test_every_scene_has_a_box_and_a_click_shows_its_frame(page):
    _plot_by(page, "scene")
    names = page.find_elements(By.CSS_SELECTOR, "#plot .name")
    titles = [name.find_element(By.TAG_NAME, "title").get_attribute("textContent") for name in names]
    assert titles == list(dict.fromkeys(SCENES.values()))
    assert page.find_element(By.CSS_SELECTOR, "#plot .name.here title").get_attribute("textContent") == "night"
    dot = page.find_element(By.CSS_SELECTOR, "#plot circle[data-frame='5']")
    page.execute_script("arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))", dot)
    settle(page)
    assert page.find_element(By.ID, "frame-number").text == "1/5"


def test_scores_of_a_whole_scene_have_no_box(page):
    _plot_by(page, "reference")
    row = page.find_element(By.CSS_SELECTOR, "#means tr[data-metric=flicker]")
    page.execute_script("arguments[0].click()", row)
    settle(page)
    split = page.find_element(By.CSS_SELECTOR, "#plots button[data-plot=reference]")
    assert split.get_property("disabled") is True
    assert page.find_element(By.CSS_SELECTOR, "#plots button[data-plot='']").get_attribute("aria-checked") == "true"
    assert page.find_element(By.ID, "scores-note").get_attribute("textContent") == "mean of 13 scenes"
    assert _texts(page, "#by-frame td:first-child")[:2] == ["night", "a_square_with_a_long_name"]


@pytest.mark.parametrize("width", [1280, 2560])
def test_no_element_overflows_the_page(page, width):
    for title in ("scene", "reference"):
        _plot_by(page, title)
        assert overflowing(page, width) == []
    outside = page.execute_script(
        "const box = document.getElementById('plot').getBoundingClientRect();"
        "return [...document.querySelectorAll('#plot text')].filter((e) => {"
        "  const own = e.getBoundingClientRect(); return own.left < box.left - 1 || own.right > box.right + 1;"
        "}).map((e) => e.textContent)"
    )
    assert outside == []
