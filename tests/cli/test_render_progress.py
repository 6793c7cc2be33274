"""What a render shows to people, by the events of one."""

import pytest

from f2hdr_backend.cli import terminal
from f2hdr_backend.cli.render_progress import show_progress
from f2hdr_backend.shot.events import (
    ColorSettled,
    FrameDone,
    FrameSkipped,
    PlateMeasured,
    RenderFinished,
    RenderStarted,
    Warned,
)

STARTED = RenderStarted(
    total=12, done_before=1, size=(64, 48), device="cpu", precision="fp32", weights="mergenet", flow="dis",
    plan="whole frames", quality="good", seconds_a_frame=1.5, next_quality="best", next_seconds_a_frame=9.0,
)  # fmt: skip
EVENTS = [
    ColorSettled("ACEScg", "the file says so", "linear", "studio.ocio", (1.0, 1.5, 2.0), "given"),
    PlateMeasured(12, "0,3", 0.95, (7,)),
    STARTED,
    FrameSkipped(1001, "o.1001.exr", 1, 12),
    Warned("careful", "watch this"),
    FrameDone(1002, "o.1002.exr", 1.5, 12, 12),
    RenderFinished(11, 1, 17.0),
]


@pytest.fixture(autouse=True)
def loud():
    yield
    terminal.be_quiet(False)


def test_settings_and_progress_are_shown_on_standard_error(capsys):
    show_progress(EVENTS)
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = [line for line in shown.err.splitlines() if line.strip()]
    facts = [
        ("ACEScg", "the file says so", "linear", "studio.ocio", "1, 1.5, 2", "given"),
        ("0,3", "0.95", "7"),
        ("12 frames", "64 x 48", "1 already", "quality good", "1.5 s", "--quality best", "9 s", "mergenet", "dis"),
        ("watch this",),
        ("11 frames", "1 skipped", "17.0 s", "o.1002.exr"),
    ]
    for wanted in facts:
        assert any(all(fact in line for fact in wanted) for line in lines), wanted


def test_quiet_shows_only_warnings(capsys):
    terminal.be_quiet(True)
    show_progress(EVENTS)
    (line,) = capsys.readouterr().err.splitlines()
    assert "watch this" in line


def test_a_render_that_ends_before_its_first_frame_draws_no_bar(capsys):
    show_progress([])
    assert capsys.readouterr().err.strip() == ""
