"""The page of a suite: two methods, and the truth with its flow."""

import numpy as np
import torch

from f2hdr_backend.engine.method.merge import MergeMethod
from f2hdr_backend.evaluate.page.page import write_page
from f2hdr_backend.evaluate.suite.report import suite_page
from f2hdr_backend.evaluate.suite.scoring import run
from f2hdr_backend.evaluate.suite.suites import synthetic
from f2hdr_backend.shot.document import Engine
from tests.evaluate.page_text import facts_of, planes_of
from tests.evaluate.suite.images import image_folder

MERGE = Engine(method="merge", device="cpu", precision="fp32")


def channels_last(plane):
    return np.moveaxis(plane.astype(np.float32), 0, -1)


def test_a_suite_shows_two_methods_and_the_true_flow(tmp_path):
    suite = synthetic.Suite(image_folder(tmp_path / "images"))
    methods = {name: MergeMethod(MERGE, torch.device("cpu")) for name in ("one", "other")}
    scores = list(run(suite, methods, 2, "soft"))
    write_page(tmp_path / "page.html", suite_page(suite, scores, methods, "soft", 1))
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    facts, planes = facts_of(text), planes_of(text)
    assert [source["label"] for source in facts["sources"][:2]] == ["one", "other"]
    assert facts["names"]["1"] == "1 camera, 3 stops, short"
    wanted = {score.case.index: score.psnr_t for score in scores if score.method == "one"}
    assert dict(facts["scores"][0]["frames"]) == wanted
    (worst,) = facts["frames"]
    assert worst == min(wanted, key=wanted.get)
    window = suite.window(suite.case(worst))
    np.testing.assert_allclose(channels_last(planes[worst, "truth"]), window.radiance[1], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(channels_last(planes[worst, "truth/forward"]), window.flows[1], rtol=1e-3, atol=1e-2)
