"""Tags of a TIFF structure: in both byte orders, in the entry or elsewhere, and in directories that others point to."""

import io
import struct

import pytest

from f2hdr_backend.image.tiff_tags import rationals, read_tiff_tags

EXIF, INDEX, NAME, SHARE = 0x8769, 1, 51081, 318


def directory(order, entries):
    """Entries are (tag, kind, number, 4 bytes)."""
    return struct.pack(order + "H", len(entries)) + b"".join(
        struct.pack(order + "HHI", tag, kind, number) + value for tag, kind, number, value in entries
    )


def tiff(order):
    """A short text in its entry, two rationals at 200, and a pointer to a directory at 100."""

    def at(place):
        return struct.pack(order + "I", place)

    first = directory(order, [(NAME, 2, 3, b"A1\0\0"), (SHARE, 5, 2, at(200)), (EXIF, 4, 1, at(100))])
    data = {"<": b"II*\0", ">": b"MM\0*"}[order] + at(8) + first
    data = data.ljust(100, b"\0") + directory(order, [(INDEX, 2, 4, b"R03\0")])
    return data.ljust(200, b"\0") + struct.pack(order + "4I", 1, 4, 3, 2)


@pytest.mark.parametrize("order", "<>")
def test_tags_are_read_by_type_and_place(order):
    file = io.BytesIO(tiff(order))
    found = read_tiff_tags(file, (NAME, SHARE, 999))
    assert found[NAME] == (b"A1\0", order) and rationals(*found[SHARE]) == (0.25, 1.5) and len(found) == 2
    assert read_tiff_tags(file, (INDEX,), (EXIF,)) == {INDEX: (b"R03\0", order)}
    assert read_tiff_tags(file, (INDEX,)) == {} and read_tiff_tags(file, (INDEX,), (0xA005,)) == {}


@pytest.mark.parametrize("length", [0, 3, 7, 9, 40, 101, 110])
def test_files_that_are_cut_off_or_no_tiff_raise_nothing(length):
    for data in (tiff("<")[:length], b"x" * length):
        assert read_tiff_tags(io.BytesIO(data), (INDEX,), (EXIF,)) == {}


def test_a_share_of_zero_gives_no_numbers():
    assert rationals(struct.pack("<4I", 1, 2, 1, 0), "<") == ()
