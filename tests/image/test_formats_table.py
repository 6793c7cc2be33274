"""Every cell of the table of formats in docs/footage.md is run by the tests that are listed here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NONE = "none in the format"
GUESS, STILLS, TURNED = "color/test_guess", "image/test_read", "image/test_orientation"
EXR, DPX, RAW = "image/test_exr", "image/test_dpx", "image/test_raw"
MOVIE, FRAMES, CODES = "image/movie/test_plate", "image/movie/test_frames", "image/movie/test_ycbcr"
EXIF = "image/test_still:test_time_and_sensitivity_of_exif_give_the_exposure"
TURNED_STILLS = f"{TURNED}:test_stills_of_a_plate_are_rotated_upright"
ALPHA = f"{STILLS}:test_alpha_is_a_layer_and_does_not_change_color"
ICC = "color/test_icc:test_a_plate_with_a_profile_is_converted_to_linear"

TESTS = {
    "EXR": {
        "color tags": f"{GUESS}:test_exr_headers_give_the_space"
        " color/test_primaries:test_xyz_chromaticities_are_the_identity",
        "timecode, rate": "image/test_metadata:test_attributes_are_copied_from_plate_to_result_unchanged",
        "alpha": f"{EXR}:test_alpha_and_layers_pass_through_in_their_own_type",
        "windows, parts": f"{EXR}:test_pixels_of_the_whole_data_window_are_read"
        f" {EXR}:test_each_view_is_selectable_and_one_is_required"
        f" {EXR}:test_the_image_of_a_view_is_preferred_to_its_further_layers",
        "exposure": f"{STILLS}:test_exposures_come_from_exr_headers",
    },
    "TIFF": {
        "color tags": f"{ICC} {GUESS}:test_primaries_of_a_tiff_are_read"
        f" {GUESS}:test_the_profile_of_a_picture_after_its_thumbnail_is_used",
        "orientation": TURNED_STILLS,
        "alpha": f"{ALPHA} image/test_still:test_min_is_white_leaves_alpha_as_it_is",
        "windows, parts": "image/test_still:test_the_full_picture_is_read_and_not_the_thumbnail"
        " image/test_still:test_further_pages_are_reported"
        " image/test_still:test_a_thumbnail_whose_picture_is_in_a_sub_directory_is_refused",
        "exposure": f"{EXIF} image/test_still:test_exif_of_the_thumbnail_is_that_of_the_picture",
    },
    "PNG": {
        "color tags": f"{GUESS}:test_png_chunks_give_the_space {ICC}"
        f" {GUESS}:test_chromaticities_and_gamma_of_a_png_are_used_or_a_doubt"
        f" {GUESS}:test_png_chunks_that_give_no_space_are_a_doubt",
        "orientation": TURNED_STILLS,
        "alpha": ALPHA,
        "exposure": EXIF,
    },
    "JPEG": {
        "color tags": f"{ICC} {GUESS}:test_the_exif_tag_of_srgb_is_used"
        f" {GUESS}:test_adobe_rgb_of_cameras_is_recognized_without_a_profile",
        "orientation": TURNED_STILLS,
        "exposure": EXIF,
    },
    "DPX": {
        "color tags": f"{GUESS}:test_dpx_fields_are_interpreted_by_the_standard"
        f" {GUESS}:test_dpx_fields_that_give_no_space_are_a_doubt",
        "orientation": f"{DPX}:test_orientation_equals_that_of_openimageio",
        "timecode, rate": f"{STILLS}:test_metadata_has_its_exr_names",
        "alpha": f"{DPX}:test_every_code_is_decoded_at_its_place",
        "windows, parts": f"{DPX}:test_unsupported_dpx_files_are_refused",
    },
    "Radiance `.hdr`": {
        "color tags": f"{GUESS}:test_primaries_of_a_radiance_header_are_read"
        " image/test_still:test_lines_of_a_radiance_header_that_change_the_pixels_are_reported",
        "orientation": f"{TURNED}:test_radiance_pictures_are_rotated_by_their_resolution_line",
    },
    "camera raw, DNG": {
        "color tags": f"{RAW}:test_radiance_is_linear_within_a_thousandth",
        "orientation": f"{RAW}:test_portrait_frames_are_rotated_upright",
        "timecode, rate": f"{RAW}:test_timecode_and_rate_of_cinema_dng_are_kept",
        "exposure": f"{RAW}:test_exposures_come_from_shutter_and_sensitivity",
    },
    "MOV, MP4, MKV, MXF": {
        "color tags": f"{GUESS}:test_movie_tags_give_the_space"
        f" {CODES}:test_the_matrix_of_the_container_is_used_if_the_frame_has_none",
        "orientation": f"{MOVIE}:test_rotated_and_flipped_movies_are_read_upright",
        "timecode, rate": f"{MOVIE}:test_timecodes_of_high_rates_are_kept"
        f" {MOVIE}:test_frame_rate_and_drop_frame_timecode_are_read"
        f" {MOVIE}:test_timecode_and_rate_of_matroska_are_read",
        "alpha": f"{MOVIE}:test_alpha_is_read_as_a_layer {FRAMES}:test_video_that_is_not_read_is_reported",
        "windows, parts": f"{FRAMES}:test_edit_lists_give_the_frames_that_a_player_shows"
        f" {FRAMES}:test_video_that_is_not_read_is_reported",
    },
}
"""Tests by row and column."""


def table() -> dict[str, dict[str, str]]:
    """The cells that state something, by row and column."""
    text = (ROOT / "docs" / "footage.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in text.splitlines()
        if line.startswith("| ") and not set(line) <= set("|- ")
    ]
    heading, *formats = rows
    return {
        row[0]: {
            column: cell
            for column, cell in zip(heading[1:], row[1:], strict=True)
            if cell and not cell.startswith(NONE)
        }
        for row in formats
    }


def test_the_table_and_its_tests_have_the_same_cells() -> None:
    assert {row: set(cells) for row, cells in table().items()} == {row: set(cells) for row, cells in TESTS.items()}


@pytest.mark.parametrize("row", TESTS)
def test_the_tests_of_a_row_exist(row: str) -> None:
    for test in " ".join(TESTS[row].values()).split():
        path, name = test.split(":")
        source = (ROOT / "tests" / f"{path}.py").read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(", source, re.MULTILINE), test
