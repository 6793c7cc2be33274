"""Networks by the names that training offers."""

import pytest

from f2hdr_backend.model.descriptor import ABLATIONS, Descriptor, MergeNetDescriptor
from f2hdr_backend.shot.errors import DocumentError, WeightsMissing
from f2hdr_backend.train.editions import EDITIONS, descriptor_of, known, weights_to_start_from
from f2hdr_backend.weights import store


def test_every_edition_and_ablation_is_a_different_network():
    networks = [descriptor_of(edition) for edition in EDITIONS]
    assert networks == [Descriptor(), Descriptor.lite(), MergeNetDescriptor()]
    parts = [descriptor_of("lite", ablation) for ablation in ABLATIONS]
    assert Descriptor.lite() not in parts and len(set(map(repr, parts))) == len(ABLATIONS)


@pytest.mark.parametrize(
    ("edition", "ablation", "facts"),
    [
        ("tiny", None, ["edition 'tiny'", *EDITIONS]),
        ("lite", "nothing", ["ablation 'nothing'", *ABLATIONS]),
        ("mergenet", next(iter(ABLATIONS)), ["mergenet", "--ablation"]),
    ],
)
def test_an_unknown_edition_is_refused_and_the_known_ones_listed(edition, ablation, facts):
    with pytest.raises(DocumentError) as caught:
        descriptor_of(edition, ablation)
    for fact in facts:
        assert fact in str(caught.value)


def test_a_known_name_is_returned():
    assert known("recipe", "ours", ["ours", "paper"]) == "ours"


def test_training_starts_only_from_installed_weights_of_the_same_network():
    name = "mergenet"
    assert weights_to_start_from(name, store.load(store.find(name)).reading()).name == name
    with pytest.raises(DocumentError) as caught:
        weights_to_start_from(name, Descriptor.lite())
    assert repr(name) in caught.value.message and "--edition" in caught.value.hint
    with pytest.raises(WeightsMissing):
        weights_to_start_from("nowhere", Descriptor())
