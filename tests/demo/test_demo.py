import cv2
import numpy as np
import OpenEXR
import pytest
import torch

from f2hdr_backend.demo.demo import REFERENCE, Demo, Take
from f2hdr_backend.demo.scene import DemoScene
from f2hdr_backend.demo.sheet import demo_sheet
from f2hdr_backend.engine.renderer import Renderer
from f2hdr_backend.evaluate.pictures.contact_sheet import draw
from f2hdr_backend.model.descriptor import Descriptor
from f2hdr_backend.model.f2hdr import F2HDR
from f2hdr_backend.shot.document import Engine, Shot
from f2hdr_backend.shot.events import RenderFinished
from f2hdr_backend.weights import store

SIZE = (160, 96)
FRAMES = 3
TAKES = (Take("F2HDR", "hdr", Engine(weights="trial")), Take("classical merge", "merge", Engine(method="merge")))


def untrained():
    torch.manual_seed(0)
    card = {"source": "tests", "license": "CC0"}
    return store.Weights("trial", Descriptor(), card, F2HDR(Descriptor()).state_dict())


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A demo that has been shot and rendered both ways, by an untrained network and by the merge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("F2HDR_WEIGHTS", str(tmp_path_factory.mktemp("weights")))
        store.save(untrained())
        demo = Demo(tmp_path_factory.mktemp("demo"), SIZE, FRAMES, TAKES)
        assert list(demo.shoot()) == [1001, 1002, 1003]
        for take in demo.takes:
            *_, last = demo.render(take)
            assert isinstance(last, RenderFinished)
            assert last.rendered == FRAMES
        yield demo


@pytest.fixture(scope="module")
def scores(demo):
    return {score.name: score for score in demo.scores()}


def exr(path):
    pixels = OpenEXR.File(str(path)).channels()["RGB"].pixels
    return pixels.astype(np.float64)


def codes(demo, frame):
    return cv2.imread(str(demo.folder / f"plate/plate.{frame}.tif"), cv2.IMREAD_UNCHANGED)[..., ::-1]


def test_every_folder_has_every_frame(demo):
    files = {str(path.relative_to(demo.folder)) for path in demo.folder.rglob("*.*")}
    patterns = ("plate/plate.{}.tif", "truth/truth.{}.exr", "hdr/demo.{}.exr", "merge/demo.{}.exr")
    frames = {pattern.format(frame) for pattern in patterns for frame in (1001, 1002, 1003)}
    records = {f"{folder}/demo.1001-1003.f2hdr.json" for folder in ("hdr", "merge")}
    assert files == frames | records | {"hdr.json", "merge.json"}


def test_the_ground_truth_is_the_scene_around_the_middle_frame(demo):
    scene = DemoScene(SIZE)
    assert np.allclose(exr(demo.folder / "truth/truth.1002.exr"), scene.frame(8), rtol=1e-3)
    assert np.allclose(exr(demo.folder / "truth/truth.1003.exr"), scene.frame(9), rtol=1e-3)


def test_the_plate_is_ten_bits_of_alternating_exposures_short_first(demo):
    for frame, gain in ((1001, 1), (1002, 8), (1003, 1)):
        plate = codes(demo, frame)
        assert plate.dtype == np.uint16
        levels = plate / 65535 * 1023
        assert np.abs(levels - np.rint(levels)).max() < 0.02
        light = (plate / 65535.0) ** 2.2 / gain
        truth = exr(demo.folder / f"truth/truth.{frame}.exr")
        mid = (plate > 0.3 * 65535) & (plate < 0.9 * 65535)
        assert np.mean(light[mid]) == pytest.approx(np.mean(truth[mid]), rel=0.01)
        assert (plate[truth * gain > 1.5] == 65535).all()


def test_the_plate_is_deterministic(demo, tmp_path):
    again = Demo(tmp_path, SIZE, FRAMES, TAKES)
    list(again.shoot())
    assert np.array_equal(codes(again, 1002), codes(demo, 1002))


def test_scores_are_those_of_the_files(demo, scores):
    for name, folder in (("F2HDR", "hdr"), ("classical merge", "merge")):
        result = exr(demo.folder / folder / "demo.1002.exr") / 8
        truth = np.clip(exr(demo.folder / "truth/truth.1002.exr"), 0, 1)
        expected = -10 * np.log10(np.mean((result - truth) ** 2))
        assert scores[name].psnr_l[1002].value == pytest.approx(expected, abs=1e-6)
    light = (codes(demo, 1002) / 65535.0) ** 2.2 / 8
    tonemapped = [np.log1p(5000 * radiance) / np.log1p(5000) for radiance in (light, truth)]
    expected = -10 * np.log10(np.mean((tonemapped[0] - tonemapped[1]) ** 2))
    assert scores[REFERENCE].psnr_t[1002].value == pytest.approx(expected, abs=1e-3)


def test_means_are_over_frames(scores):
    merge = scores["classical merge"]
    assert merge.means()[0] == pytest.approx(np.mean([merge.psnr_t[frame].value for frame in (1001, 1002, 1003)]))


def test_the_merge_scores_higher_than_the_reference_alone(scores):
    assert scores["classical merge"].means()[0] > scores[REFERENCE].means()[0] + 1


def test_rendering_a_shot_document_of_the_demo_again_skips_all_frames(demo):
    shot = Shot.from_json((demo.folder / "merge.json").read_text(encoding="utf-8"))
    *_, last = Renderer(shot.engine).render(shot)
    assert (last.rendered, last.skipped) == (0, FRAMES)


def test_the_sheet_shows_a_short_and_a_long_reference(demo, scores):
    sheet = demo_sheet(demo, list(scores.values()))
    assert [section.heading for section in sheet.sections] == [
        "Frame 1002, long reference",
        "Frame 1003, short reference",
    ]
    assert {len(row) for section in sheet.sections for row in section.rows} == {4}
    assert [row[0] for row in sheet.table[1:]] == ["F2HDR", "classical merge", REFERENCE]
    long = sheet.sections[0]
    plate = long.rows[0][1].picture
    assert np.abs(plate.astype(int) - np.rint(codes(demo, 1002) / 257)).max() <= 1
    assert draw(sheet).shape[1] == 1920
