"""Behavior shared by all verbs: complete help at any width, -h, -q, errors in the requested format."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from f2hdr_backend.cli import verbs
from f2hdr_backend.cli.command import MOST_PROCESSES, Section, Verb
from f2hdr_backend.cli.main import build_app, run
from f2hdr_backend.shot.errors import MissingFrames

COMMAND = typer.main.get_command(build_app())
PROCESSES = [
    ("farm", "run", "shot.json", "--engine", "dask", "--workers"),
    ("train", "images", "-o", "run", "--workers"),
    ("evaluate", "dataset", "hdm", "folder", "--jobs"),
]
"""Commands that start as many processes as their last option says."""

DUMMY = '''
from f2hdr_backend.cli.command import Section
from f2hdr_backend.shot.errors import MissingFrames


def register(app):
    app.command("dummy", rich_help_panel=Section.START)(dummy)


def dummy(word: str) -> None:
    """Repeat a word."""
    if word == "nothing":
        raise MissingFrames("There is no word.", hint="Give one.")
    print(word)
'''


def typed(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    """Run a command line as the shell does; return exit code, standard output and standard error."""
    monkeypatch.setattr(sys, "argv", ["f2hdr", *words])
    with pytest.raises(SystemExit) as ended:
        run(build_app())
    return (ended.value.code, *capsys.readouterr())


def all_verbs(command: object = COMMAND, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Verb]]:
    """Every command with its words, groups opened."""
    for name, found in command.commands.items():
        if hasattr(found, "commands"):
            yield from all_verbs(found, (*path, name))
        else:
            yield (*path, name), found


VERBS = dict(all_verbs())


@pytest.fixture(params=sorted(VERBS), ids=" ".join)
def verb(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return request.param


class TestEveryVerb:
    """The contract of a verb."""

    def test_every_verb_has_help(self, verb: tuple[str, ...]) -> None:
        command = VERBS[verb]
        assert isinstance(command, Verb)
        sentence = command.get_short_help_str(1000)
        assert sentence.endswith(".") and not sentence.endswith("...")
        for param in command.params:
            assert getattr(param, "hidden", False) or (param.help or "").strip(), f"{param.name} has no help"

    @pytest.mark.parametrize("width", [60, 80, 120])
    def test_names_of_options_are_complete_in_the_help(self, verb: tuple[str, ...], width: int) -> None:
        ran = CliRunner().invoke(build_app(), [*verb, "-h"], env={"COLUMNS": str(width)}, terminal_width=width)
        assert ran.exit_code == 0, ran.output
        words = set(re.findall(r"--?[a-z][a-z0-9-]*", ran.output))
        for param in VERBS[verb].params:
            if param.param_type_name == "option" and not param.hidden:
                assert words.issuperset(param.opts), param.opts
        assert max(map(len, ran.output.splitlines())) <= max(width, 80)

    def test_values_have_names_in_capitals_or_are_listed(self, verb: tuple[str, ...]) -> None:
        """No name of a type or a variable of Python, such as list[str] or checkpoint."""
        output = CliRunner().invoke(build_app(), [*verb, "-h"], terminal_width=120).output
        usage = output.splitlines()[0].removeprefix("Usage: root ").removeprefix(" ".join(verb))
        arguments = re.findall(r"[\[{]+([^\]}]+)[\]}]+(?:\.\.\.)?", usage.replace("[OPTIONS]", ""))
        for name in arguments:
            assert "|" in name or name.isupper() or name == "SHOT.json", usage
        assert "[[" not in usage and "list[" not in output and "default: False" not in output
        assert not re.findall(r"<[a-z|0-9-]+>", output)

    def test_a_wrong_option_is_refused_with_its_name(self, verb: tuple[str, ...]) -> None:
        ran = CliRunner().invoke(build_app(), [*verb, "--no-such-option"])
        assert ran.exit_code == 2 and "--no-such-option" in ran.stderr


def test_every_verb_is_in_a_section_of_the_help() -> None:
    ran = CliRunner().invoke(build_app(), ["-h"])
    places = [ran.output.index(f"{section}:") for section in Section]
    assert places == sorted(places) and "\nCommands:" not in ran.output
    assert ran.output.index("  render ") < ran.output.index("  bench ")


def test_a_new_verb_needs_only_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dummy_verb.py").write_text(DUMMY)
    monkeypatch.setattr(verbs, "__path__", [*verbs.__path__, str(tmp_path)])
    assert CliRunner().invoke(build_app(), ["dummy", "hello"]).stdout == "hello\n"
    assert "Repeat a word." in CliRunner().invoke(build_app(), ["-h"]).output
    code, _, words = typed(["dummy", "nothing"], monkeypatch, capsys)
    assert code == MissingFrames.exit_code and words == "error: There is no word.\nGive one.\n"


@pytest.mark.parametrize(
    ("words", "as_json"),
    [
        (["render", "no--json/p.####.tif", "-o", "x.####.exr"], False),
        (["render", "p --progress json.####.tif", "-o", "x.####.exr"], False),
        (["render", "p.####.tif", "-o", "x--json.####.exr"], False),
        (["render", "p.####.tif", "-o", "x.####.exr", "--json"], True),
        (["render", "p.####.tif", "-o", "x.####.exr", "--progress", "json"], True),
        (["render", "p.####.tif", "-o", "x.####.exr", "--progress=json"], True),
        (["detect", "p.####.tif", "--json"], True),
    ],
)
def test_only_the_option_json_switches_to_json(
    words: list[str], as_json: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output, errors = typed(words, monkeypatch, capsys)
    assert code == 2 and "error: " in errors
    assert [json.loads(line)["event"] for line in output.splitlines()] == (["error"] if as_json else [])


def test_quiet_hides_notes_and_keeps_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F2HDR_WEIGHTS", str(tmp_path))
    loud, quiet = (CliRunner().invoke(build_app(), ["weights", "list", *words]) for words in ([], ["-q"]))
    assert quiet.stdout == loud.stdout != ""
    assert str(tmp_path) in loud.stderr and quiet.stderr == ""


HEAVY = ("torch", "numpy", "cv2", "OpenEXR", "OpenImageIO", "PyOpenColorIO", "av", "safetensors", "fastapi", "rich")


@pytest.mark.parametrize(
    "words",
    [
        ["render", "no.####.tif"],
        ["render", "no.mov", "--dry-run"],
        ["render", "no.tif", "--exposures", "0,3"],
        ["render", "no.####.tif", "--quality", "superb"],
        ["render", "no.json"],
        ["prepare", "no.####.tif", "-o", "no.json"],
        ["check", "no.json"],
        ["detect", "no.####.tif"],
        ["response", "no.####.jpg", "-o", "no.cube"],
        ["convert", "no.####.exr", "-o", "no.mov", "--display", "sRGB"],
        ["compare", "no.####.exr", "no.####.exr", "-o", "no.html"],
        ["bench", "--device", "gpu"],
        ["weights", "import", "no.pth", "--name", "no"],
    ],
    ids=" ".join,
)
def test_a_wrong_request_fails_before_any_library_is_loaded(words: list[str], tmp_path: Path) -> None:
    code = f"""
import sys
from f2hdr_backend.cli.main import main
try:
    main()
except SystemExit as ended:
    print(ended.code > 1, *[name for name in {HEAVY!r} if name in sys.modules])
"""
    command = [sys.executable, "-c", code, *words]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path)
    assert ran.stdout.split() == ["True"], ran.stderr


def test_completion_knows_the_verbs() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "from f2hdr_backend.cli.main import build_app; build_app()(prog_name='f2hdr')"],
        env={**os.environ, "_F2HDR_COMPLETE": "complete_bash", "COMP_WORDS": "f2hdr re", "COMP_CWORD": "1"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "render" in ran.stdout.split()


@pytest.mark.parametrize("words", PROCESSES, ids=" ".join)
def test_an_option_does_not_start_a_million_processes(words):
    result = CliRunner().invoke(build_app(), [*words, "1000000"])
    assert result.exit_code == 2
    assert words[-1] in result.stderr and str(MOST_PROCESSES) in result.stderr
