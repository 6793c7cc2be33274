"""Folders that the server may access."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from f2hdr_backend.server.crash_cleanup import FoldersInUse
from f2hdr_backend.server.job import JobRecord
from f2hdr_backend.server.queue import Queue
from f2hdr_backend.server.render_jobs import Place, RenderOrder, RenderWork
from f2hdr_backend.server.renderers import Renderers
from f2hdr_backend.server.requests import DetectRequest, FrameRequest, JobRequest
from f2hdr_backend.server.roots import Roots
from f2hdr_backend.server.service import Service
from f2hdr_backend.shot.document import Color, Output, Shot
from f2hdr_backend.shot.errors import F2HDRError, ServerError, ShotError, UnreadableFrame
from f2hdr_backend.shot.paths import paths_in, with_paths
from tests.server.running import make_plate, make_shot


@pytest.fixture
def places(tmp_path):
    """An allowed folder and a forbidden one next to it, whose names begin alike."""
    allowed, forbidden = tmp_path / "shots", tmp_path / "shots-secret"
    for folder in (allowed, forbidden):
        folder.mkdir()
        (folder / "p.0001.exr").write_bytes(b"x")
    return allowed, forbidden


def test_files_below_a_root_are_allowed_and_resolved(places):
    allowed, _ = places
    assert Roots.of([str(allowed)]).allow(str(allowed / "p.0001.exr")) == os.path.realpath(allowed / "p.0001.exr")
    assert Roots.of([str(allowed)]).allow(str(allowed / "new" / "deep" / "o.exr"))
    assert Roots.of([str(allowed)]).allow(str(allowed))


@pytest.mark.parametrize(
    "path",
    [
        "{allowed}/../shots-secret/p.0001.exr",
        "{forbidden}/p.0001.exr",
        "{forbidden}",
        "{allowed}/link/p.0001.exr",
        "{allowed}/link/../../shots-secret",
        "{allowed}/direct.exr",
        "{allowed}/dangling",
        "/",
        "/etc/passwd",
        "//etc/passwd",
    ],
)
def test_no_path_leads_out_of_the_roots(places, path):
    allowed, forbidden = places
    (allowed / "link").symlink_to(forbidden)
    (allowed / "direct.exr").symlink_to(forbidden / "p.0001.exr")
    (allowed / "dangling").symlink_to(forbidden / "not-there")
    with pytest.raises(ServerError) as caught:
        Roots.of([str(allowed)]).allow(path.format(allowed=allowed, forbidden=forbidden))
    assert caught.value.status == 403 and "outside" in caught.value.message


@pytest.mark.parametrize("path", ["p.0001.exr", "", ".", "~/p.exr", "a\0b", "/a\0b", "/\ud800", "http://host/p.mov"])
def test_only_absolute_paths_are_accepted(path):
    with pytest.raises(ShotError):
        Roots.of(["/"]).allow(path)


def test_one_frame_that_is_a_link_to_the_outside_is_refused(places):
    allowed, forbidden = places
    roots = Roots.of([str(allowed)])
    roots.allow_plate(str(allowed / "p.####.exr"))
    (allowed / "p.0002.exr").symlink_to(forbidden / "p.0001.exr")
    with pytest.raises(ServerError):
        roots.allow_plate(str(allowed / "p.####.exr"))
    with pytest.raises(ServerError):
        roots.allow_frames(str(allowed / "p.####.exr"), [1, 2])
    roots.allow_frames(str(allowed / "p.####.exr"), [1, 3])


def test_a_named_pipe_is_refused_without_blocking(places):
    allowed, _ = places
    os.mkfifo(allowed / "p.0002.exr")
    os.mkfifo(allowed / "movie.mov")
    roots = Roots.of([str(allowed)])
    for plate in ("p.####.exr", "movie.mov"):
        with pytest.raises(UnreadableFrame, match=plate.replace("####", "0002")):
            roots.allow_plate(str(allowed / plate))
    with pytest.raises(UnreadableFrame, match=r"p\.0002\.exr"):
        roots.allow_frames(str(allowed / "p.####.exr"), [2])


def test_a_missing_plate_below_a_root_is_allowed(places):
    allowed, _ = places
    Roots.of([str(allowed)]).allow_plate(str(allowed / "q.####.exr"))


def test_every_path_is_allowed_or_raises_an_f2hdr_error(places):
    allowed, _ = places
    roots = Roots.of([str(allowed)])
    for path in (str(allowed / ("x" * 5000)), str(allowed) + "/a" * 3000, str(allowed / "é ü 日本.exr"), "/\udcff"):
        try:
            roots.allow(path)
            roots.allow_plate(path)
        except F2HDRError:
            pass


def test_a_root_must_be_a_folder(tmp_path):
    with pytest.raises(ShotError, match="nothing"):
        Roots.of([str(tmp_path / "nothing")])
    assert Roots.of(["/"]).folders == ("/",)


def test_a_folder_replaced_by_a_link_during_a_job_stops_the_job(places):
    allowed, forbidden = places
    shot = make_shot(make_plate(allowed / "plate", 40), allowed / "out" / "o.####.exr")
    record = JobRecord("test", keep=True)
    place = Place(Roots.of([str(allowed)]), FoldersInUse(allowed / "ledger.json"))
    work = RenderWork(record, RenderOrder(json.dumps(shot.to_json()), False, False), place)
    work.prepare()
    renderers = Renderers()
    while not (allowed / "out" / "o.0001.exr").exists():  # a step is also over after a while without a frame
        assert not work.step(renderers)
    (allowed / "out").rename(allowed / "before")
    (allowed / "out").symlink_to(forbidden)
    while not work.step(renderers):
        pass
    assert record.status().state == "failed" and record.status().error["facts"]["status"] == 403
    assert len(list(forbidden.glob("o.*.exr"))) < 10


def inside(allowed):
    """A request of each kind with all of its paths below the root."""
    response = allowed / "response.json"
    color = Color(response=str(response), config=str(allowed / "studio.ocio"))
    shot = Shot(str(allowed / "p.####.exr"), color=color, output=Output(str(allowed / "o.####.exr")))
    buffers = tuple(str(allowed / f"b{place}") for place in range(3))
    return {
        "submit": JobRequest(shot),
        "frame": FrameRequest(shot, buffers, str(allowed / "out")),
        "detect": DetectRequest(shot.plate, config=color.config),
    }


PATHS = [(kind, named.field) for kind, request in inside(Path("/in")).items() for named in paths_in(request)]
UNUSED = [("frame", "shot.plate"), ("frame", "shot.output.pattern")]


@pytest.mark.parametrize(("kind", "field"), [path for path in PATHS if path not in UNUSED])
def test_every_path_of_a_request_must_be_below_a_root(places, kind, field):
    allowed, forbidden = places
    request = inside(allowed)[kind]
    path = next(named.path for named in paths_in(request) if named.field == field)
    outside = with_paths(request, lambda text: text.replace(str(allowed), str(forbidden)) if text == path else text)
    service = Service(Roots.of([str(allowed)]), FoldersInUse(allowed / "ledger.json"), Queue(()))
    with pytest.raises(ServerError, match="outside") as caught:
        getattr(service, kind)(outside)
    assert caught.value.status == 403 and str(forbidden) in caught.value.path


def test_a_frame_ignores_the_plate_of_its_shot(places):
    allowed, forbidden = places
    request = inside(allowed)["frame"]
    shot = replace(request.shot, plate=str(forbidden / "p.####.exr"), output=Output("o.####.exr"))
    service = Service(Roots.of([str(allowed)]), FoldersInUse(allowed / "ledger.json"), Queue(["cpu"]))
    assert not service.frame(replace(request, shot=shot)).cancelled()
