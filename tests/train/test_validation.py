"""Validation of a model in training, and the sheets written by it and by the preview."""

import numpy as np
import torch

from f2hdr_backend.image.read import read_image
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.f2hdr import F2HDR
from f2hdr_backend.train.contact_sheet import GAP_PX, sheet, window_row
from f2hdr_backend.train.loop import setup_of
from f2hdr_backend.train.sampling_ranges import SceneStyle, Style
from f2hdr_backend.train.synthesis import synthesize
from f2hdr_backend.train.validation import SIDE_PX, WINDOWS, Validation
from tests.train.worlds import smooth_world, world

SMALL = Descriptor(adapter_channels=8, fusion_channels=16, refine_channels=8, refine_blocks=1, cell_px=2)


def test_equal_weights_have_equal_scores_and_write_a_contact_sheet(tmp_path):
    torch.manual_seed(1)
    tensors = F2HDR(SMALL).state_dict()
    setup = setup_of(SMALL)
    first, again = (Validation([world()], SMALL, setup)(tensors, tmp_path / f"{n}.png") for n in range(2))
    assert first == again and 5 < first < 60
    picture = read_image(str(tmp_path / "0.png")).pixels
    assert picture.shape[:2] == (WINDOWS * (SIDE_PX + GAP_PX), 5 * (SIDE_PX + GAP_PX))


def test_the_flow_of_a_preview_row_leads_to_equal_radiance():
    style = Style(SceneStyle(pieces=(0,), blurred=0.0, still=0.0, lit=0.0))
    window = synthesize([smooth_world()], (96, 64), np.random.default_rng(3), style)
    row = window_row(window)
    assert len(row) == 6 and all(picture.shape == (64, 96, 3) for picture in row)
    for side, brought in enumerate(row[4:]):
        seen = window.visible[side]
        assert seen.mean() > 0.3 and (brought[~seen] == 0.5).all()
        assert np.abs(brought - row[3])[seen].mean() < 0.01


def test_a_contact_sheet_contains_its_pictures_in_order():
    pictures = [[np.full((4, 6, 3), 0.1 * (3 * row + column), np.float32) for column in range(3)] for row in range(2)]
    whole = sheet(pictures)
    assert whole.shape == (2 * (4 + GAP_PX), 3 * (6 + GAP_PX), 3)
    assert whole[4 + GAP_PX, 6 + GAP_PX, 0] == np.float32(0.4)
