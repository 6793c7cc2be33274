"""The correcting network as a method: loading, layers, bands and precision, next to the classical merge."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from f2hdr_backend.engine.method.apply_trust import use_reference
from f2hdr_backend.engine.method.choose import open_method
from f2hdr_backend.engine.method.merge import MergeMethod
from f2hdr_backend.engine.method.mergenet import MergeNetMethod
from f2hdr_backend.engine.method.network import NetworkMethod
from f2hdr_backend.model.descriptor import MergeNetDescriptor
from f2hdr_backend.model.mergenet import MergeNet
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.shot.errors import WeightsMismatch
from f2hdr_backend.weights import store
from tests.engine.alternating import Scene

CPU = torch.device("cpu")
SMALL = MergeNetDescriptor(channels=(8, 8, 16), blocks=(1, 1, 1))
EXPOSURES = (8.0, 1.0, 8.0)


def codes(height=90, width=160):
    """A window of a panning camera, as gamma-2.2 codes; larger frames repeat it."""
    light = [Scene().radiance(number) * gain for number, gain in enumerate(EXPOSURES)]
    return np.stack([np.resize(np.clip(each, 0, 1) ** np.float32(1 / 2.2), (height, width, 3)) for each in light])


def rendered(method, window):
    """A window as a render gives it, with soft trust."""
    return use_reference(method(window, EXPOSURES, occlusions=True), list(window), EXPOSURES, "soft")


def rendered_merge(window):
    return rendered(MergeMethod(Engine(method="merge"), CPU), window)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("weights")


def saved(folder, name, stirred):
    torch.manual_seed(1)
    network = MergeNet(SMALL)
    if stirred:
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.05)
    card = {"source": "made by a test", "license": "none", "ratio_stops": [1, 5]}
    return store.save(store.Weights(name, SMALL, card, network.state_dict()), folder, replace=True)


@pytest.fixture(scope="module")
def untrained(folder):
    return saved(folder, "untrained", stirred=False)


@pytest.fixture(scope="module")
def trained(folder):
    return saved(folder, "trained", stirred=True)


@pytest.mark.parametrize("size", [(90, 160), (45, 61), (20, 24)])
def test_untrained_weights_render_the_merge_with_all_its_layers(untrained, size):
    window = codes()[:, : size[0], : size[1]]
    merge = rendered_merge(window)
    found = rendered(open_method(Engine(), CPU, untrained), window)
    for layer in ("radiance", "flows", "masks", "occlusions"):
        assert np.array_equal(getattr(found, layer), getattr(merge, layer)), layer
    assert np.array_equal(found.coarse, merge.radiance) and found.matched == merge.matched


def test_trained_weights_change_the_radiance_and_no_layer(trained):
    merge = rendered_merge(codes())
    found = rendered(open_method(Engine(precision="fp32"), CPU, trained), codes())
    assert not np.allclose(found.radiance, merge.radiance, atol=1e-3)
    assert np.array_equal(found.coarse, merge.radiance) and np.array_equal(found.masks, merge.occlusions)


@pytest.mark.parametrize("tile", ["16", "64"])
def test_the_height_of_bands_does_not_change_the_picture(trained, tile):
    engine = Engine(precision="fp32", tile="off")
    whole = open_method(engine, CPU, trained)(codes(), EXPOSURES, occlusions=False)
    banded = open_method(replace(engine, tile=tile), CPU, trained)(codes(), EXPOSURES, occlusions=False)
    np.testing.assert_allclose(banded.radiance, whole.radiance, rtol=1e-4, atol=1e-5)


def test_half_precision_is_close_and_has_another_identity(trained):
    full, half = (open_method(Engine(precision=each), CPU, trained) for each in ("fp32", "bf16"))
    one, other = (method(codes(), EXPOSURES, occlusions=False) for method in (full, half))
    assert half.precision == "bf16" and half.digest != full.digest
    assert np.abs(np.log1p(5000 * one.radiance) - np.log1p(5000 * other.radiance)).mean() < 0.05


def test_weights_select_their_method(untrained):
    assert isinstance(open_method(Engine(), CPU, untrained), MergeNetMethod)
    assert isinstance(open_method(Engine(weights="lite"), CPU), NetworkMethod)
    assert isinstance(open_method(Engine(method="merge"), CPU), MergeMethod)
    with pytest.raises(WeightsMismatch, match="untrained"):
        NetworkMethod(Engine(), CPU, untrained)
    with pytest.raises(WeightsMismatch, match="lite"):
        MergeNetMethod(Engine(weights="lite"), CPU)


def test_weights_of_mergenet_are_saved_and_loaded(trained):
    loaded = store.load(trained)
    assert loaded.descriptor == SMALL and trained.kind == "mergenet"


def test_large_frames_are_planned_in_bands(trained):
    plan = open_method(Engine(), CPU, trained).plan((3840, 2160))
    assert plan.rows is not None and plan.bytes < 16 << 30


def test_clipped_channels_keep_0_9_of_the_clip_level_when_the_network_darkens(folder):
    """A network that darkens everything: a clipped reference still gives 0.9 of its clip."""
    torch.manual_seed(1)
    network = MergeNet(SMALL)
    with torch.no_grad():
        network.tail.bias.fill_(-3.0)
    card = {"source": "made by a test", "license": "none", "ratio_stops": [1, 5]}
    entry = store.save(store.Weights("dark", SMALL, card, network.state_dict()), folder, replace=True)
    window, exposures = codes() * np.float32(3), (1.0, 8.0, 1.0)
    window = window.clip(0, 1)
    found = open_method(Engine(precision="fp32"), CPU, entry)(window, exposures, occlusions=False)
    clipped = window[1] >= 0.985
    assert clipped.any() and found.radiance[~clipped].min() == 0
    assert found.radiance[clipped].min() >= 0.9 * 0.985**2.2 / 8 * 0.999
