"""Images to learn from and images held out."""

import numpy as np
import pytest

from f2hdr_backend.image.write import write_exr
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.train.sources import HELD_OUT, load_sources

NAME = min(HELD_OUT)


def write(folder, name, size=(8, 4)):
    light = np.full((size[1], size[0], 3), -1, np.float32)
    light[0] = 100
    write_exr(str(folder / f"{name}.exr"), {"RGB": light}, {}, pixel_type="float")


def test_held_out_images_are_never_training_images(tmp_path):
    for name in ("b", NAME, "a"):
        write(tmp_path, name)
    assert [source.name for source in load_sources(tmp_path)] == ["a", "b"]
    assert [source.name for source in load_sources(tmp_path, held_out=True)] == [NAME]


def test_radiance_is_never_negative_and_bright_values_stay(tmp_path):
    write(tmp_path, "a")
    (source,) = load_sources(tmp_path)
    assert source.radiance.min() == 0 and source.radiance.max() == 100
    assert source.panorama


def test_images_of_other_aspect_ratios_are_not_panoramas(tmp_path):
    write(tmp_path, "a", (6, 4))
    write(tmp_path, "b", (8, 4))
    assert [source.panorama for source in load_sources(tmp_path)] == [False, True]


def test_a_folder_without_a_panorama_is_named(tmp_path):
    write(tmp_path, "a", (6, 4))
    with pytest.raises(DocumentError) as caught:
        load_sources(tmp_path)
    assert str(tmp_path) in caught.value.message


def test_a_folder_without_images_is_named(tmp_path):
    write(tmp_path, "a")
    with pytest.raises(DocumentError) as caught:
        load_sources(tmp_path, held_out=True)
    assert str(tmp_path) in caught.value.message
