"""What verbs write to people, on standard error only."""

import logging

import pytest

from f2hdr_backend.cli import terminal


@pytest.fixture(autouse=True)
def loud():
    terminal.want_json(False)
    yield
    terminal.be_quiet(False)
    terminal.want_json(False)


def test_quiet_hides_notes_and_not_warnings(capsys):
    terminal.note("one")
    terminal.be_quiet(True)
    terminal.note("two")
    terminal.warn("three")
    shown = capsys.readouterr()
    assert shown.out == "" and "one" in shown.err and "two" not in shown.err and "three" in shown.err


def test_with_the_log_on_screen_a_warning_is_printed_once_and_logged(capsys, caplog):
    logger = logging.getLogger("f2hdr")
    before, level = list(logger.handlers), logger.level
    logger.addHandler(caplog.handler)
    try:
        terminal.be_verbose()
        terminal.warn("too dark")
        logger.info("one more")
    finally:
        logger.handlers[:] = before
        logger.setLevel(level)
    shown = capsys.readouterr().err
    assert shown.count("too dark") == 1 and shown.count("one more") == 1
    assert "too dark" in caplog.text


@pytest.mark.parametrize("write", [terminal.note, terminal.warn, terminal.show])
def test_control_characters_of_names_are_escaped(write, capsys):
    write("a\x1b[2Jb\n\udcff")
    shown = "".join(capsys.readouterr())
    assert "\x1b" not in shown and "\\x1b[2Jb\n\\udcff\n" in shown


@pytest.mark.parametrize(("number", "words"), [(0, "0 frames"), (1, "1 frame"), (2, "2 frames")])
def test_nouns_agree_with_their_count(number, words):
    assert terminal.count(number, "frame") == words


def test_a_progress_bar_yields_items_on_request_and_writes_nothing_to_standard_output(capsys):
    asked = []

    def items():
        for number in range(3):
            asked.append(number)
            yield number

    bar = terminal.track(items(), "frames", 3)
    assert asked == [] and next(bar) == 0
    assert list(bar) == [1, 2]
    assert list(terminal.track([], "frames", 0)) == []
    assert capsys.readouterr().out == ""


def test_bars_leave_nothing_where_there_is_no_terminal(capsys):
    with terminal.bars() as bar:
        task = bar.add_task("frames", total=2)
        bar.update(task, completed=2)
    assert bar.tasks[0].finished
    assert capsys.readouterr() == ("", "")


def test_the_choice_of_json_output_is_stored():
    assert not terminal.wants_json()
    terminal.want_json(True)
    assert terminal.wants_json()
