"""Paths of the submitting machine on the rendering one, held against OpenJD's own rules."""

import json
from pathlib import PurePosixPath, PureWindowsPath

import pytest

from f2hdr_backend.farm.path_mapping import PathMapping
from f2hdr_backend.shot.errors import DocumentError
from tests.farm.jobs import SHOT


def rule(source, destination, kind="POSIX"):
    return {"source_path_format": kind, "source_path": source, "destination_path": destination}


def mapping(*rules):
    return PathMapping.from_json({"version": "pathmapping-1.0", "path_mapping_rules": list(rules)})


def test_the_longest_source_path_is_used_and_only_whole_folder_names_match():
    paths = mapping(rule("/shots", "/mnt/a"), rule("/shots/sh010", "/fast/sh010"))
    assert paths.path("/shots/sh010/p.####.exr") == "/fast/sh010/p.####.exr"
    assert paths.path("/shots/sh0100/p.####.exr") == "/mnt/a/sh0100/p.####.exr"
    assert paths.path("/other/p.exr") == "/other/p.exr"


def test_windows_paths_match_without_case():
    paths = mapping(rule(r"P:\Shots", "/mnt/shots", "WINDOWS"))
    assert paths.path(r"p:\shots\sh010\plate.####.tif") == "/mnt/shots/sh010/plate.####.tif"


@pytest.mark.parametrize("path", ["/a/b/c.exr", "/a/bb/c.exr", "/a/b", r"C:\x\y.exr", "b/c.exr"])
def test_rules_equal_those_of_the_openjd_sessions_library(path):
    sessions = pytest.importorskip("openjd.sessions")
    for kind, source in (("POSIX", "/a/b"), ("WINDOWS", r"c:\X")):
        pure = {"POSIX": PurePosixPath, "WINDOWS": PureWindowsPath}[kind]
        theirs = sessions.PathMappingRule(
            source_path_format=sessions.PathFormat[kind], source_path=pure(source), destination_path=PurePosixPath("/z")
        )
        assert mapping(rule(source, "/z", kind)).path(path) == str(theirs.apply(path=path)[1])


def test_all_paths_of_a_shot_and_no_other_values_are_mapped():
    mapped = mapping(rule("/shots", "/mnt/shots")).shot(SHOT)
    assert mapped.plate == "/mnt/shots/sh010/plate/sh010.####.exr"
    assert mapped.output.pattern == "/mnt/shots/sh010/hdr/sh010.####.exr"
    assert mapped.color.config == "/mnt/shots/config/studio.ocio"
    assert mapped.exposures == SHOT.exposures and mapped.frames == SHOT.frames


def test_an_empty_object_has_no_rules(tmp_path):
    (tmp_path / "rules.json").write_text("{}")
    assert PathMapping.read(tmp_path / "rules.json").shot(SHOT) == SHOT


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        '{"version": "pathmapping-2.0"}',
        json.dumps({"version": "pathmapping-1.0", "path_mapping_rules": [{"source_path": "/a"}]}),
        json.dumps({"version": "pathmapping-1.0", "path_mapping_rules": [rule("/a", "/b", "VMS")]}),
    ],
)
def test_invalid_rules_are_refused(tmp_path, text):
    (tmp_path / "rules.json").write_text(text)
    with pytest.raises(DocumentError):
        PathMapping.read(tmp_path / "rules.json")
