"""A short run of the fuzz harness; ``make fuzz`` is the long one."""

import sys

import pytest

from tests.fuzz.harness import mutated, run
from tests.fuzz.seeds import write_seeds


@pytest.mark.skipif(sys.platform == "win32", reason="counts memory and signals as POSIX does")
def test_no_mutated_file_gives_a_traceback_a_signal_or_a_long_message():
    counts, wrong = run(list(range(150)))
    assert wrong == []
    assert counts["read"] and counts["refused"] and counts.total() == 150


def test_mutations_are_repeatable_and_different(tmp_path):
    content = write_seeds(tmp_path)[0].read_bytes()
    assert mutated(content, 7) == mutated(content, 7)
    assert len({mutated(content, number) for number in range(50)}) > 45
