"""The paper's tables as text: which of them are shown next to which runs."""

import pytest

from f2hdr_backend.evaluate.metrics.score import Score
from f2hdr_backend.evaluate.paper import text_tables
from f2hdr_backend.evaluate.paper.results import FrameRow, Rows
from f2hdr_backend.evaluate.paper.summary import summarize

UNITS = {"PSNR_T": "dB", "PSNR_L": "dB", "warp PSNR": "dB", "EPE": "px", "seconds": "s"}


def run(size="1920x1080", **columns):
    facts = (("where", "cuda"), ("size", size))
    scores = {column: Score(column, value, UNITS.get(column, "")) for column, value in columns.items()}
    scores["seconds"] = Score("time", 0.25, "s", (), facts)
    return Rows((FrameRow("a", 1, 1.0, 1.0, "", scores),))


def reported(dataset, rows, *, ablation=False):
    lines = [*text_tables.published_lines(dataset, summarize(rows), ablation=ablation)]
    return "\n".join([*lines, *text_tables.cost_lines(rows.frames)])


@pytest.mark.parametrize(
    ("dataset", "columns", "ablation", "table", "paper"),
    [
        ("deephdrvideo", {"PSNR_T": 43.0, "SSIM_T": 0.95}, False, "Table 1", ["43.87", "0.9573"]),
        ("real-hdrv", {"PSNR_T": 41.0, "PSNR_L": 50.0}, False, "Table 2", ["41.01", "50.51"]),
        ("real-hdrv", {"EPE": 2.0, "warp PSNR": 30.0}, False, "Table 3", ["2.08", "30.84"]),
        ("deephdrvideo", {"PSNR_T": 43.0}, True, "Table 5", ["43.87"]),
        ("real-hdrv", {"PSNR_T": 40.0, "SSIM_T": 0.9}, True, "Table 5", ["41.01", "0.9538"]),
    ],
)
def test_the_row_of_the_paper_and_the_difference_are_shown_with_this_run(dataset, columns, ablation, table, paper):
    text = reported(dataset, run(**columns), ablation=ablation)
    own = text[text.index(table) :]
    lines = own.splitlines()
    ours = next(line for line in lines if line.startswith("F2HDR (paper)")).split()[2:]
    assert ours == paper
    this = next(line for line in lines if line.startswith("this run")).split()[2:]
    differences = next(line for line in lines if line.startswith("difference")).split()[1:]
    for number, reference, difference in zip(this, paper, differences, strict=True):
        assert float(number) - float(reference) == pytest.approx(float(difference), abs=1e-9)


def test_table_4_is_shown_only_for_frames_of_its_sizes():
    assert "1920x1080: F2HDR (paper) 0.290, this run 0.250" in reported("cinematic", run())
    assert "1536x813: F2HDR (paper) 0.190, this run 0.250" in reported("cinematic", run(size="1536x813"))
    assert "Table 4" not in reported("cinematic", run(size="640x480"))


def test_table_5_is_not_shown_for_the_full_network():
    assert "Table 5" not in reported("real-hdrv", run(PSNR_T=40.0))


def test_other_datasets_have_no_table():
    assert reported("exr-pairs", run(PSNR_T=40.0, size="10x10")) == ""
