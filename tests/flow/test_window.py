"""Frames as a flow estimator sees them, and which pair gives which flow."""

import pytest
import torch

from f2hdr_backend.flow.window import estimate_flows, flow_inputs, shown_exposures

SHORT, LONG = torch.tensor([1.0]), torch.tensor([8.0])


@pytest.mark.parametrize(
    ("alignment", "reference", "neighbor", "shown"),
    [
        ("none", SHORT, LONG, (1, 8)),
        ("eq2", SHORT, LONG, (8, 8)),
        ("eq2", LONG, SHORT, (1, 1)),
        ("brightest", SHORT, LONG, (8, 8)),
        ("brightest", LONG, SHORT, (8, 8)),
    ],
)
def test_pairs_are_converted_to_the_exposure_of_the_setting(alignment, reference, neighbor, shown):
    assert tuple(map(float, shown_exposures(reference, neighbor, alignment))) == shown


def test_frames_of_one_radiance_are_equal_at_one_exposure():
    radiance = torch.full((1, 3, 4, 4), 0.05)
    short, long = radiance ** (1 / 2.2), (8 * radiance) ** (1 / 2.2)
    reference, neighbor = flow_inputs(short, long, (SHORT, LONG), "brightest")
    assert torch.allclose(reference, neighbor, atol=1e-5)
    reference, neighbor = flow_inputs(short, long, (SHORT, LONG), "none")
    assert torch.equal(reference, short) and torch.equal(neighbor, long)


class Means:
    """An estimator whose flow is the difference of the frames' means."""

    def encode(self, frame):
        return frame.mean()

    def estimate(self, reference, neighbor):
        return torch.full((1, 2, 4, 4), float(neighbor - reference))


def test_flows_are_to_the_previous_and_then_to_the_next_frame():
    frames = torch.stack([torch.full((1, 3, 4, 4), value) for value in (0.1, 0.4, 0.6)], 1)
    flows = estimate_flows(frames, torch.ones(1, 3), Means(), "none")
    assert flows.shape == (1, 2, 2, 4, 4)
    assert torch.allclose(flows[0, :, 0, 0, 0], torch.tensor([-0.3, 0.2]), atol=1e-5)
