"""Occlusion of a square that moves over a still background, whose hidden pixels are known."""

import torch

from f2hdr_backend.flow.occlusion import occlusion

STEP = 6


def test_only_pixels_that_the_moving_square_covers_are_occluded():
    flow, back = torch.zeros(1, 2, 40, 60), torch.zeros(1, 2, 40, 60)
    flow[:, 0, 10:30, 20:40] = STEP  # the square, at 20-40 in the reference
    back[:, 0, 10:30, 20 + STEP : 40 + STEP] = -STEP  # and moved in the neighbor
    found = occlusion(flow, back)[0, 0]
    truth = torch.zeros(40, 60)
    truth[10:30, 40 : 40 + STEP] = 1
    assert torch.equal(found, truth)


def test_pixels_that_leave_the_frame_are_occluded():
    flow, back = torch.zeros(1, 2, 8, 10), torch.zeros(1, 2, 8, 10)
    flow[:, 0], back[:, 0] = 3, -3
    assert occlusion(flow, back)[0, 0].sum(0).tolist() == [0] * 7 + [8] * 3
