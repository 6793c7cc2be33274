"""Method and weights of each quality, precedence of explicit options, and estimated times."""

import pytest

from f2hdr_backend.engine.method import quality
from f2hdr_backend.engine.method.quality import STEPS, choice, resolved
from f2hdr_backend.shot.document import Engine
from f2hdr_backend.weights import store


@pytest.mark.parametrize("name", STEPS)
def test_a_quality_selects_a_method_and_installed_weights(name):
    engine = resolved(Engine(quality=name, device="cpu"))
    assert engine.method == STEPS[name].method
    if engine.method != "merge":
        assert store.find(engine.weights).name == STEPS[name].weights


def test_the_default_on_a_cpu_is_good():
    assert resolved(Engine(device="cpu")).weights == STEPS["good"].weights


def test_draft_is_the_merge():
    assert resolved(Engine(quality="draft", device="cpu")).method == "merge"


@pytest.mark.parametrize("name", STEPS)
def test_given_weights_and_a_given_method_override_the_quality(name):
    assert resolved(Engine(quality=name, weights="mine", device="cpu")).weights == "mine"
    assert resolved(Engine(quality=name, weights="mine", device="cpu")).method == "f2hdr"
    assert resolved(Engine(quality=name, method="merge", device="cpu")).method == "merge"
    network = resolved(Engine(quality=name, method="f2hdr", device="cpu"))
    assert network.method == "f2hdr" and store.find(network.weights)


def test_resolved_settings_are_unchanged():
    for name in STEPS:
        engine = resolved(Engine(quality=name, device="cpu"))
        assert resolved(engine) == engine


def test_the_estimate_scales_with_pixels_and_names_the_next_quality(monkeypatch):
    monkeypatch.setattr(quality, "probe_seconds", lambda: 0.01)
    small, large = (choice(resolved(Engine(quality="draft", device="cpu")), size) for size in ((100, 100), (200, 100)))
    assert small.quality == "draft" and large.seconds == pytest.approx(2 * small.seconds)
    assert small.next_seconds > small.seconds
    assert small.next_quality == "good"
    assert choice(resolved(Engine(quality="best", device="cpu")), (100, 100)).next_quality == ""


def test_weights_of_no_quality_have_no_estimate():
    found = choice(Engine(method="f2hdr", weights="mine", device="cpu"), (100, 100))
    assert (found.quality, found.seconds, found.next_quality) == ("", None, "")


def test_the_speed_of_the_machine_is_measured():
    assert quality.probe_seconds() > 0
