"""The form of the names of devices."""

from __future__ import annotations

import pytest

from f2hdr_backend.shot.device_names import device_names
from f2hdr_backend.shot.errors import DeviceUnavailable


def test_names_are_split_at_commas():
    assert device_names("cuda:0, cuda:1") == ["cuda:0", "cuda:1"]
    assert device_names("auto") == ["auto"]


@pytest.mark.parametrize("text", ["gpu", "", "cuda:", "cuda:0,", "CUDA", "cpu:x", "cuda:0 cuda:1"])
def test_other_texts_are_refused_by_name(text):
    with pytest.raises(DeviceUnavailable) as raised:
        device_names(text)
    assert raised.value.facts["device"] in text
