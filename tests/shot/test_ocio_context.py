"""Which variables a config uses, and their values."""

from f2hdr_backend.shot.ocio_context import context_of, parse_context


def test_variables_are_found_in_every_notation_and_recursively():
    text = "search_path: ${ROOT}/luts:%SHOW%\n src: $SHOT.cc, percent: 50%, price: $5"
    values = {"ROOT": "/r/$DEPARTMENT", "SHOW": "a=b", "SHOT": "", "DEPARTMENT": "comp", "HOME": "/h"}
    assert context_of(text, values) == ("DEPARTMENT=comp", "ROOT=/r/$DEPARTMENT", "SHOT=", "SHOW=a=b")
    assert parse_context(context_of(text, values)) == {name: values[name] for name in values if name != "HOME"}


def test_a_variable_without_a_value_is_left_out():
    assert context_of("${SHOT}", {}) == ()
