"""The curves of a run, as passed to matplotlib."""

import subprocess
import sys
from pathlib import Path

import pytest

from f2hdr_backend.cli.training_plot import draw
from f2hdr_backend.image.read import read_image
from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.train.run import LOG, VALIDATION

pytest.importorskip("matplotlib")


def write(path, columns, rows):
    path.write_text("\n".join(",".join(map(str, row)) for row in [columns, *rows]) + "\n")


@pytest.fixture
def lines(monkeypatch):
    """What is drawn: label, steps and values of each curve of the log."""
    from matplotlib.axes import Axes

    drawn, plot = [], Axes.plot

    def recorded(self, steps, values, **named):
        drawn.append((named["label"], list(steps), list(values)))
        return plot(self, steps, values, **named)

    monkeypatch.setattr(Axes, "plot", recorded)
    return drawn


def test_curves_are_means_over_groups_of_steps(tmp_path, lines):
    write(tmp_path / LOG, ["step", "loss", "psnr"], [(step, step % 2, step) for step in range(1, 41)])
    path = draw(tmp_path)
    assert lines == [
        ("loss", list(range(2, 41, 2)), [0.5] * 20),
        ("psnr", list(range(2, 41, 2)), [step - 0.5 for step in range(2, 41, 2)]),
    ]
    assert read_image(str(path)).pixels.std() > 0


def test_validation_is_drawn_if_there_is_one(tmp_path, lines):
    write(tmp_path / LOG, ["step", "loss"], [(1, 3.0), (2, 2.0)])
    write(tmp_path / VALIDATION, ["step", "psnr_t"], [(1, 30.0), (2, 31.5)])
    draw(tmp_path)
    assert lines == [("loss", [1, 2], [3.0, 2.0]), ("held out", [1, 2], [30.0, 31.5])]


@pytest.mark.parametrize("text", ["", "step,loss\n1,abc\n", "step,loss\n1,2\n3\n", "step,loss\n1,\0\n"])
def test_a_damaged_log_is_named(tmp_path, text):
    (tmp_path / LOG).write_text(text)
    with pytest.raises(DocumentError) as caught:
        draw(tmp_path)
    assert str(tmp_path / LOG) in caught.value.message


def test_matplotlib_settings_in_the_current_folder_are_not_read(tmp_path):
    write(tmp_path / LOG, ["step", "loss"], [(1, 3.0), (2, 2.0)])
    (tmp_path / "matplotlibrc").write_bytes(b"\xff is not text, which matplotlib does not survive\n")
    code = f"import sys; sys.path.append({str(Path(__file__).parents[2])!r})\n"
    code += "from pathlib import Path; from f2hdr_backend.cli.training_plot import draw; draw(Path.cwd())\n"
    subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, check=True)
    assert (tmp_path / "curves.png").exists()
