"""``ssim-standard``: SSIM with the Gaussian window and data range of the original paper."""

from __future__ import annotations

from f2hdr_backend.evaluate.metrics.psnr_ssim import STANDARD, ssim_l, ssim_t
from f2hdr_backend.evaluate.paper.metric import FrameMetric, Scored, Scores, with_trust


def _ssim_standard(scored: Scored) -> Scores:
    pair = scored.result, scored.truth.radiance
    scores = {"SSIM_T std": ssim_t(*pair, settings=STANDARD), "SSIM_L std": ssim_l(*pair, settings=STANDARD)}
    return with_trust(scores, scored.settings.reference_trust)


METRIC = FrameMetric(_ssim_standard)
