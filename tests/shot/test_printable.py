"""No message moves the cursor, starts a new line or fills the screen."""

import pytest

from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_backend.shot.events import Warned
from f2hdr_backend.shot.printable import escaped, has_control, printable


@pytest.mark.parametrize("hostile", ["\x1b[2Ja", "a\nerror: b", "a\r", "a\x9b1m", "\u202egnp.exe", "a\u2028b", "\x00"])
def test_control_characters_become_escapes(hostile):
    assert has_control(hostile) and not has_control(printable(hostile))
    error = F2HDRError(f'"{hostile}" cannot be read.', hint=f'Remove "{hostile}".', path=hostile)
    assert not has_control(str(error)) and error.path == hostile
    assert not has_control(Warned("code", hostile).message)


@pytest.mark.parametrize("hostile", ["\x1b[2Ja", "\x9b1m", "\u202egnp.exe", "m\udcffller"])
def test_control_characters_of_long_texts_become_escapes_and_line_breaks_stay(hostile):
    found = escaped(f"{hostile}\n\t" * 1000)
    assert not has_control(found.replace("\n", "").replace("\t", "")) and found.count("\n\t") == 1000
    assert found.isascii()


@pytest.mark.parametrize("text", ["größer", "日本語.exr", "प्लेट", "👩‍🚀", 'C:\\shots\\"a"'])
def test_letters_of_all_languages_are_unchanged(text):
    assert printable(text) == text and not has_control(text)


def test_long_text_is_shortened_in_the_middle():
    error = F2HDRError("begin " + "x" * 44_000 + " end", hint="h" * 44_000, frames=tuple(range(1000)))
    assert len(str(error)) <= 1001
    assert error.message.startswith("begin") and error.message.endswith("end")
    assert len(error.frames) == 1000
