import numpy as np
import pytest

from f2hdr_backend.evaluate.pictures.contact_sheet import GROUND, ContactSheet, Panel, Scale, Section, Wheel, draw, grid
from f2hdr_backend.shot.errors import ImageError

WIDTH = 700
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def filled(color, width=320, height=180):
    return np.full((height, width, 3), color, np.uint8)


def sheet(*rows, table=()):
    return ContactSheet("Title", ("A line.",), table, (Section("Heading", "and text", rows),))


def places(picture, color):
    """Top, bottom, left and right of where a color is."""
    rows, columns = np.nonzero((picture == color).all(-1))
    return rows.min(), rows.max(), columns.min(), columns.max()


def test_pictures_are_placed_in_rows_and_columns():
    drawn = draw(sheet((Panel(filled(RED), "a"), Panel(filled(GREEN), "b")), (Panel(filled(BLUE), "c"),)), WIDTH)
    assert drawn.shape[1:] == (WIDTH, 3)
    red, green, blue = (places(drawn, color) for color in (RED, GREEN, BLUE))
    assert red[:2] == green[:2]
    assert red[3] < green[2]
    assert red[1] < blue[0]
    assert red[2:] == blue[2:]
    sides = {(bottom - top + 1, right - left + 1) for top, bottom, left, right in (red, green, blue)}
    ((height, width),) = sides
    assert height / width == pytest.approx(180 / 320, abs=0.01)


def test_a_picture_of_the_width_of_the_column_keeps_its_pixels():
    noise = np.random.default_rng(0).integers(0, 256, (40, 644, 3), np.uint8)
    drawn = draw(sheet((Panel(noise, "noise"),)), WIDTH)
    found = [top for top in range(drawn.shape[0] - 39) if np.array_equal(drawn[top : top + 40, 28:672], noise)]
    assert len(found) == 1


def test_small_pictures_are_enlarged_by_repeating_pixels():
    checks = np.indices((10, 20)).sum(0)[..., None] % 2 * np.array([255, 0, 0])
    drawn = draw(sheet((Panel(checks.astype(np.uint8), "checks"),)), WIDTH)
    top, bottom, left, right = places(drawn, RED)
    inside = drawn[top : bottom + 1, left : right + 1].reshape(-1, 3)
    assert {tuple(map(int, color)) for color in inside} == {RED, (0, 0, 0)}


def test_text_is_drawn_only_right_above_its_picture():
    one = draw(sheet((Panel(filled(RED), "a"),)), WIDTH)
    other = draw(sheet((Panel(filled(RED), "another label", "38.2 dB"),)), WIDTH)
    assert one.shape == other.shape
    changed = np.nonzero((one != other).any(-1))[0]
    top = places(one, RED)[0]
    assert changed.size
    assert top - 40 < changed.min() <= changed.max() < top


def test_the_table_is_in_the_header():
    rows = (("", "PSNR_T"), ("F2HDR", "40.00 dB"), ("merge", "38.00 dB"))
    without, having = (draw(sheet((Panel(filled(RED), "a"),), table=table), WIDTH) for table in ((), rows))
    head = places(having, RED)[0]
    assert (having[:head, WIDTH // 2 :] != GROUND).any(-1).sum() > (without[:head, WIDTH // 2 :] != GROUND).any(
        -1
    ).sum() + 200


@pytest.mark.parametrize("legend", [Scale("0", "0.1"), Wheel("rim 20 px")], ids=["scale", "wheel"])
def test_a_legend_covers_the_lower_right_corner(legend):
    drawn = draw(sheet((Panel(filled(RED), "a", legend=legend),)), WIDTH)
    top, bottom, left, right = places(drawn, RED)
    covered = (drawn[top : bottom + 1, left : right + 1] != RED).any(-1)
    rows, columns = np.nonzero(covered)
    assert rows.min() > covered.shape[0] // 2
    assert columns.min() > covered.shape[1] // 3
    assert 0.01 < covered.mean() < 0.2


def test_a_region_is_outlined_at_its_position():
    panel = Panel(filled(BLUE, 640, 360), "a", frame=(320, 180, 160, 90))
    drawn = draw(sheet((panel,)), WIDTH)
    top, bottom, left, right = places(drawn, BLUE)
    outline = (drawn[top : bottom + 1, left : right + 1] != BLUE).any(-1)
    rows, columns = np.nonzero(outline)
    size = np.array(outline.shape)
    assert np.allclose([rows.min() / size[0], columns.min() / size[1]], 0.5, atol=0.01)
    assert np.allclose([rows.max() / size[0], columns.max() / size[1]], 0.75, atol=0.01)


def test_a_grid_fills_rows_in_order():
    panels = tuple(Panel(filled(RED), str(index)) for index in range(5))
    assert [[panel.label for panel in row] for row in grid(panels, 2)] == [["0", "1"], ["2", "3"], ["4"]]


def test_invalid_pictures_are_refused():
    with pytest.raises(ImageError):
        draw(sheet())
    with pytest.raises(ImageError, match="float32"):
        draw(sheet((Panel(filled(RED).astype(np.float32), "floats"),)))
    with pytest.raises(ImageError, match="columns"):
        draw(sheet(tuple(Panel(filled(RED), "a") for _ in range(10))), 100)
