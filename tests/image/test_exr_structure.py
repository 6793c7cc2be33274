"""Headers that no program writes are refused after few bytes, because they are read in the process itself."""

import io
import struct

import pytest

from f2hdr_backend.image.exr_structure import check_structure
from f2hdr_backend.shot.errors import UnreadableFrame

START = struct.pack("<iI", 20000630, 2)


class Counted(io.BytesIO):
    """A file that counts what is read from it."""

    read_bytes = 0
    largest_read = 0

    def read(self, size=-1):
        self.largest_read = max(self.largest_read, size)
        content = super().read(size)
        self.read_bytes += len(content)
        return content


def attribute(name, size, content=b""):
    return name + b"\0type\0" + struct.pack("<i", size) + content


@pytest.mark.parametrize("name", [b"a" * 1_000_000, b"a\0" + b"t" * 1_000_000], ids=["name", "type"])
def test_a_name_without_end_is_refused_after_its_longest_length(name):
    file = Counted(START + name)
    with pytest.raises(UnreadableFrame):
        check_structure("a.exr", file)
    assert file.read_bytes < 1000


def test_a_window_of_many_bytes_is_not_read():
    file = Counted(START + attribute(b"dataWindow", 2**31 - 1))
    with pytest.raises(UnreadableFrame):
        check_structure("a.exr", file)
    assert file.largest_read < 1000


def test_a_header_of_very_many_attributes_is_not_read_to_its_end():
    content = START + attribute(b"a", 0) * 300_000
    file = Counted(content)
    with pytest.raises(UnreadableFrame):
        check_structure("a.exr", file)
    assert file.read_bytes < len(content) / 2
