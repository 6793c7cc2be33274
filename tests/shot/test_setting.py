"""Settings: what their metadata states is what is checked."""

import dataclasses

import pytest

from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.setting import check_settings, label_of, near, setting


@dataclasses.dataclass(frozen=True)
class Sample:
    """Settings of each kind."""

    gate: str = setting("Gate.", default="wide", choices=("wide", "narrow"))
    layers: tuple[str, ...] = setting("Layers.", default=(), choices=("flow", "mask"))
    tile_rows: str = setting("Rows.", default="auto", pattern=r"auto|\d+", hint="Use auto or a number.", label="Rows")


def test_the_metadata_contains_only_the_given_arguments():
    facts = {field.name: field.metadata for field in dataclasses.fields(Sample)}
    assert facts["gate"]["choices"] == ("wide", "narrow") and "pattern" not in facts["gate"]
    assert facts["gate"]["option"] is True and facts["gate"]["pixels"] is True


def test_a_name_without_a_label_is_made_from_the_field():
    assert [label_of(field) for field in dataclasses.fields(Sample)] == ["Gate", "Layers", "Rows"]


def test_valid_values_are_accepted():
    check_settings(Sample())
    check_settings(Sample("narrow", ("mask", "flow"), "512"))


@pytest.mark.parametrize(
    ("sample", "facts"),
    [
        (Sample("wid"), ["gate", "wid", "Did you mean wide?"]),
        (Sample("x"), ["gate", '"x"', "wide, narrow"]),
        (Sample(layers=("flow", "depth")), ["layers", "depth", "flow, mask"]),
        (Sample(tile_rows="12 "), ["tile_rows", "12 ", "auto or a number"]),
        (Sample(tile_rows="１２"), ["tile_rows"]),
    ],
)
def test_invalid_values_are_refused_with_field_value_and_action(sample, facts):
    with pytest.raises(DocumentError) as caught:
        check_settings(sample)
    for fact in facts:
        assert fact in str(caught.value)


def test_similar_names_are_suggested_only_if_they_are_close():
    assert near("stnadard", ["standard", "lite"]) == "Did you mean standard?"
    assert near("zzz", ["standard", "lite"]) == ""
