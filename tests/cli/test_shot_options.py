"""The options about a Shot are the Shot's settings: a new field needs no second edit."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click
import pytest
import typer

from f2hdr_backend.cli import shot_options
from f2hdr_backend.server.models import schemas_of
from f2hdr_backend.shot.document import Color, Engine, Output, Shot
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.setting import setting

HOSTS = {
    "nuke": Path("nuke_plugin/F2HDR.gizmo"),
    "resolve": Path("resolve_fuse/F2HDR.fuse"),
}
ROOT = Path(__file__).parents[2]
_BACKENDS = {"flow", "precision", "device", "memory", "tile", "compression", "pixel_type"}
_GIVEN = {"frames", "trust_given", "response"}
"""The host's range and exposure controls correspond to these."""
NOT_IN_HOSTS = {
    "nuke": _BACKENDS | _GIVEN,
    "resolve": _BACKENDS | _GIVEN | {"config", "input_space", "output_space"},  # works in the timeline's own space
}
"""Settings that a host leaves to the backend; anything else must be a control of it."""


@dataclasses.dataclass(frozen=True)
class Widened(Engine):
    """An engine with three more settings."""

    gate: str = setting("Kind of gate.", default="wide", choices=("wide", "narrow"))
    steps: tuple[float, ...] | None = setting("Steps.", default=None, unit="stops")
    careful: bool = setting("Whether to be careful.", default=False)


def _command() -> click.Command:
    app = typer.Typer()

    @app.command()
    @shot_options.takes_shot_options
    def verb(options: shot_options.ShotOptions) -> None:
        typer.echo(options.shot("p.####.tif", None)[0].engine)

    return typer.main.get_command(app)


def test_every_setting_is_an_option() -> None:
    options = {parameter.name: parameter for parameter in _command().params}
    for part in (Color, Engine, Output, Shot):
        for field in dataclasses.fields(part):
            wanted = field.metadata["option"] and field.name not in shot_options.PARTS
            assert (field.name in options) == wanted or field.name == "exposures", field.name
            if wanted:
                assert field.metadata["help"] in (getattr(options[field.name], "help", "") or "")


def test_a_new_field_is_an_option_and_a_server_field_without_another_edit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(shot_options.PARTS, "engine", Widened)
    monkeypatch.setattr(shot_options, "read_shot", lambda source: dataclasses.replace(Shot(source), engine=Widened()))
    arguments = ["--gate", "narrow", "--steps", "0,2.5", "--careful", "--weights", "mine"]
    _command().main(arguments, standalone_mode=False)
    printed = capsys.readouterr().out
    assert "gate='narrow'" in printed and "steps=(0.0, 2.5)" in printed
    assert "careful=True" in printed and "weights='mine'" in printed
    with pytest.raises(DocumentError):
        _command().main(["--gate", "open"], standalone_mode=False)
    properties = schemas_of(Widened)["Widened"]["properties"]
    assert properties["gate"]["enum"] == ["wide", "narrow"]
    assert "stops" in properties["steps"]["description"]


def test_pixel_settings_are_part_of_the_digest_and_others_are_not() -> None:
    shot = Shot("a.####.tif")
    same = dataclasses.replace(shot, plate="b.####.tif", engine=Engine(device="cpu", memory="8G", tile="64"))
    other = dataclasses.replace(shot, engine=Engine(method="merge"))
    assert shot.pixel_digest_fields() == same.pixel_digest_fields() != other.pixel_digest_fields()


@pytest.mark.parametrize("host", HOSTS)
def test_hosts_have_a_control_for_every_setting(host: str) -> None:
    text = (ROOT / HOSTS[host]).read_text(encoding="utf-8").lower()
    lacking = [
        name
        for name in shot_options.settings()
        if name not in NOT_IN_HOSTS[host] and name.replace("_", "") not in text.replace("_", "")
    ]
    assert lacking == []


def test_the_exceptions_for_hosts_are_existing_settings() -> None:
    for names in NOT_IN_HOSTS.values():
        assert names <= shot_options.settings().keys()


def test_every_part_of_a_shot_has_its_options() -> None:
    parts = {field.name for field in dataclasses.fields(Shot) if field.default_factory is not dataclasses.MISSING}
    assert parts == set(shot_options.PARTS)
