"""``ssim``: SSIM as the published programs compute it, tone-mapped (SSIM_T) and linear (SSIM_L)."""

from __future__ import annotations

from f2hdr_backend.evaluate.metrics.psnr_ssim import ssim_l, ssim_t
from f2hdr_backend.evaluate.paper.metric import FrameMetric, Scored, Scores, with_trust


def _ssim(scored: Scored) -> Scores:
    pair = scored.result, scored.truth.radiance
    return with_trust({"SSIM_T": ssim_t(*pair), "SSIM_L": ssim_l(*pair)}, scored.settings.reference_trust)


METRIC = FrameMetric(_ssim)
