"""The correcting network: the merge where it is untrained, the same pixels in bands, gradients that arrive."""

import pytest
import torch

from f2hdr_backend.model.bands import Bands
from f2hdr_backend.model.descriptor import MergeNetDescriptor
from f2hdr_backend.model.merge import merge
from f2hdr_backend.model.mergenet import Correction, MergeNet
from f2hdr_backend.model.radiance import tonemap

SMALL = MergeNetDescriptor(channels=(8, 8, 16), blocks=(1, 1, 1))


def window(height, width, exposures=(1.0, 8.0, 1.0), seed=3):
    """Frames with clipped and black pixels, exposures, flows that also lead outside, and occlusions."""
    draw = torch.Generator().manual_seed(seed)
    frames = (torch.rand(1, 3, 3, height, width, generator=draw) * 1.4 - 0.2).clamp(0, 1)
    flows = torch.randn(1, 2, 2, height, width, generator=draw) * 6
    hidden = (torch.rand(1, 2, 1, height, width, generator=draw) > 0.8).float()
    return frames, torch.tensor([exposures]), flows, hidden


def corrected(network, given, *over):
    """The network on the merge of a window."""
    return network(merge(*given), given[1], *over)


def stirred(descriptor=SMALL, scale=0.1):
    """A network as if it were trained: no weight is zero."""
    torch.manual_seed(5)
    network = MergeNet(descriptor).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * scale)
    return network


@pytest.mark.parametrize("size", [(64, 96), (33, 47), (5, 3)])
@pytest.mark.parametrize("exposures", [(1.0, 8.0, 1.0), (32.0, 1.0, 32.0)])
@pytest.mark.parametrize("half", [False, True])
def test_untrained_weights_return_the_merge_bit_for_bit(size, exposures, half):
    given = window(*size, exposures)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=half):
        found = corrected(MergeNet(), given)
    expected = merge(*given).radiance
    assert torch.equal(found.radiance, expected) and torch.equal(found.start, expected)


@pytest.mark.parametrize("size", [(112, 40), (75, 33)])
@pytest.mark.parametrize("rows", [16, 48])
def test_bands_equal_the_whole_frame(size, rows):
    given, network = window(*size), stirred()
    with torch.no_grad():
        whole, banded = corrected(network, given), corrected(network, given, Bands(rows))
    assert whole.delta.abs().mean() > 0.01
    torch.testing.assert_close(banded.delta, whole.delta, rtol=1e-4, atol=1e-5)


def test_a_pixel_depends_only_on_pixels_within_the_receptive_field():
    """Bands rely on a limited reach: what changes far away changes nothing here."""
    frames, *rest = window(256, 32)
    network = stirred(MergeNetDescriptor())
    changed = frames.clone()
    changed[..., 180:, :] = 0.5
    rest[1].zero_()
    with torch.no_grad():
        one, other = corrected(network, (frames, *rest)), corrected(network, (changed, *rest))
    assert torch.equal(one.delta[..., :40, :], other.delta[..., :40, :])
    assert not torch.equal(one.delta[..., 150:180, :], other.delta[..., 150:180, :])


def test_odd_sizes_give_finite_pictures_of_the_same_size():
    given = window(45, 51)
    with torch.no_grad():
        found = corrected(stirred(), given)
    assert found.radiance.shape == (1, 3, 45, 51) and torch.isfinite(found.radiance).all()


def test_the_correction_is_added_on_the_mu_law_curve():
    torch.manual_seed(2)
    merged, delta = torch.rand(1, 3, 16, 16), torch.randn(1, 3, 16, 16) * 0.3
    found = Correction(merged, delta)
    assert found.radiance.min() >= 0 and found.radiance.max() <= 1
    torch.testing.assert_close(tonemap(found.radiance), found.tone.clamp(0, 1), rtol=1e-4, atol=1e-5)


def test_every_layer_has_a_gradient_after_a_few_steps():
    network, given = MergeNet(SMALL), window(32, 32)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    truth = torch.rand(1, 3, 32, 32)
    for _ in range(3):
        optimizer.zero_grad()
        (corrected(network, given).tone - truth).square().mean().backward()
        optimizer.step()
    assert all(parameter.grad.abs().max() > 0 for parameter in network.parameters())


def test_an_infinite_weight_gives_nonfinite_radiance():
    network = stirred()
    with torch.no_grad():
        network.tail.bias.fill_(float("inf"))
        assert not torch.isfinite(corrected(network, window(16, 16)).radiance).all()


@pytest.mark.parametrize(
    "values",
    [{"channels": [48, 64]}, {"blocks": [1, 2, 0]}, {"exposure_alignment": "eq2"}, {"width": 4}],
)
def test_a_wrong_descriptor_is_refused_by_name(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        MergeNetDescriptor.from_json(values)


def test_a_descriptor_converts_to_json_and_back():
    descriptor = MergeNetDescriptor(channels=(8, 16, 24), blocks=(1, 1, 2))
    assert MergeNetDescriptor.from_json(descriptor.to_json()) == descriptor
