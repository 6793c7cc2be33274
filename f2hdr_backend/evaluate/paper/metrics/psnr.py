"""``psnr``: PSNR of mu-law tone-mapped (PSNR_T) and of linear radiance (PSNR_L)."""

from __future__ import annotations

from f2hdr_backend.evaluate.metrics.psnr_ssim import psnr_l, psnr_t
from f2hdr_backend.evaluate.paper.metric import FrameMetric, Scored, Scores, with_trust


def _psnr(scored: Scored) -> Scores:
    pair = scored.result, scored.truth.radiance
    return with_trust({"PSNR_T": psnr_t(*pair), "PSNR_L": psnr_l(*pair)}, scored.settings.reference_trust)


METRIC = FrameMetric(_psnr)
