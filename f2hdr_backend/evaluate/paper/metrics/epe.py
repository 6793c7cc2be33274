"""``epe``: end-point error of the final flows against flows estimated on the ground truth (Table 3)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from f2hdr_backend.engine.method.padding import Padding
from f2hdr_backend.evaluate.metrics.flow_scores import end_point_error
from f2hdr_backend.evaluate.metrics.psnr_ssim import tonemap
from f2hdr_backend.evaluate.paper.metric import FrameMetric, Scored, Scores, mean_of_sides
from f2hdr_backend.flow.estimator import load_estimator
from f2hdr_backend.flow.window import estimate_flows


def _epe(scored: Scored) -> Scores:
    """Table 3: the final flows against flow estimated on ground truth; the mean of the two sides."""
    labels = _flow_labels(scored)
    sides = [
        end_point_error(np.moveaxis(flow, -1, 0), label) for flow, label in zip(scored.frame.flows, labels, strict=True)
    ]
    mean = mean_of_sides(sides)
    label = ("label", f"{scored.settings.label_flow} on tone-mapped ground truth")
    return {"EPE": replace(mean, parameters=(*mean.parameters, label))}


def _flow_labels(scored: Scored) -> NDArray[np.float32]:
    """``(2, 2, H, W)`` pixels, reference to previous and to next, estimated on the tone-mapped truth of all three."""
    before, after = (scored.reader.truth(path) for path in scored.files.neighbor_truths or ())
    own = scored.truth
    scale = max(truth.divisor for truth in (before, own, after))
    pictures = [tonemap(truth.radiance * (truth.divisor / scale)) for truth in (before, own, after)]
    estimator = load_estimator(scored.settings.label_flow, scored.device)
    height, width = pictures[0].shape[:2]
    padding = Padding.around((width, height), (estimator.size,))
    stacked = np.moveaxis(np.stack(pictures), -1, 1).astype(np.float32)
    frames = padding.pad(torch.from_numpy(stacked).to(scored.device)).unsqueeze(0)
    exposures = torch.ones((1, 3), device=scored.device)
    with torch.inference_mode():
        flows = estimate_flows(frames, exposures, estimator, "none")[0]
    return np.asarray(padding.crop(flows).cpu().numpy(), np.float32)


METRIC = FrameMetric(
    _epe,
    "ground truth of the neighbors",
    lambda files: files.truth is not None and files.neighbor_truths is not None,
    settings=lambda settings: settings.label_flow,
)
