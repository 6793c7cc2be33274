"""``warp``: quality of the neighbors, at the reference's exposure, warped by the final flows (Table 3)."""

from __future__ import annotations

import numpy as np

from f2hdr_backend.evaluate.metrics.flow_scores import warp_scores
from f2hdr_backend.evaluate.paper.metric import FrameMetric, Scored, Scores, mean_of_sides


def _warp(scored: Scored) -> Scores:
    """Table 3: both neighbors at the reference's exposure, warped by the final flows; the mean of the two."""
    neighbors = scored.files.same_exposure or ()
    sides = [
        warp_scores(scored.reader.codes(path), scored.window.codes[1], np.moveaxis(flow, -1, 0), scored.reading)
        for path, flow in zip(neighbors, scored.frame.flows, strict=True)
    ]
    return {
        "warp PSNR": mean_of_sides([side.psnr for side in sides]),
        "warp SSIM": mean_of_sides([side.ssim for side in sides]),
    }


METRIC = FrameMetric(_warp, "both exposures of every frame (real-hdrv)", lambda files: files.same_exposure is not None)
