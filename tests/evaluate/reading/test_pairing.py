from __future__ import annotations

import pytest

from f2hdr_backend.evaluate.reading.pairing import number_of, pair_by_number
from f2hdr_backend.shot.errors import DocumentError, MissingFrames


def test_names_without_padding_are_paired_by_number():
    predictions = sorted(f"{number}_pred.hdr" for number in range(1, 12))
    references = sorted(f"gt_{number:04d}.exr" for number in range(1, 12))
    assert predictions[0] == "10_pred.hdr" != "1_pred.hdr"
    pairs = pair_by_number(predictions, references)
    assert pairs == [(number, f"{number}_pred.hdr", f"gt_{number:04d}.exr") for number in range(1, 12)]


@pytest.mark.parametrize(
    ("name", "number"),
    [("10_pred.hdr", 10), ("a2/plate.0007.exr", 7), ("scene3\\img_12.tif", 12), ("v2_shot9_0100.exr", 100), ("5", 5)],
)
def test_the_number_is_the_last_run_of_digits_of_the_file_name(name, number):
    assert number_of(name) == number


def test_all_frames_without_a_partner_are_named():
    with pytest.raises(MissingFrames, match="2, 4") as missing:
        pair_by_number(["1.exr", "2.exr", "3.exr"], ["1.hdr", "3.hdr", "4.hdr"])
    assert missing.value.frames == [2, 4]


def test_two_files_of_one_number_and_names_without_one_are_refused():
    with pytest.raises(DocumentError, match=r"'1.exr' and '01.exr' .*1"):
        pair_by_number(["1.exr", "01.exr"], ["1.hdr"])
    with pytest.raises(DocumentError, match=r"'beauty\.exr'.*plate\.0001\.exr"):
        pair_by_number(["beauty.exr"], [])
