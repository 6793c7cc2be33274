"""The metrics of a benchmark run, by the names that ``--metrics`` takes, and what each needs of a dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from f2hdr_backend.engine.method.base import HdrFrame
from f2hdr_backend.engine.method.padding import Padding
from f2hdr_backend.engine.trust import blend
from f2hdr_backend.evaluate.hdrvdp.hdrvdp import HdrVdpSettings, hdrvdp2
from f2hdr_backend.evaluate.metrics import color_video_vdp
from f2hdr_backend.evaluate.metrics.composite import composite, predicted_pixels
from f2hdr_backend.evaluate.metrics.flow_scores import end_point_error, warp_scores
from f2hdr_backend.evaluate.metrics.psnr_ssim import STANDARD, psnr_l, psnr_t, ssim_l, ssim_t, tonemap
from f2hdr_backend.evaluate.metrics.score import Score
from f2hdr_backend.evaluate.metrics.shot_scores import FLICKER, SHOT_METRICS, VIDEO
from f2hdr_backend.evaluate.reading.dataset import DatasetReader, Window, WindowFiles
from f2hdr_backend.evaluate.reading.ground_truth import GroundTruth
from f2hdr_backend.flow.estimator import load_estimator
from f2hdr_backend.flow.window import estimate_flows
from f2hdr_backend.shot.errors import DocumentError

FloatArray = NDArray[np.float32]
Scores = dict[str, Score]

TRUSTS = ("hard", "soft", "off")
VARYING = ("pixels_per_degree", "size")
"""Parameters of HDR-VDP that come from the frame's size: facts of a frame, so that sizes may differ."""


@dataclass(frozen=True)
class ScoreSettings:
    """Which metrics, and all that their numbers depend on beside the frames."""

    metrics: tuple[str, ...]
    """Of :data:`METRICS` or :data:`SHOT_METRICS`; none to measure time and memory alone."""
    reference_trust: str = "hard"
    """``hard`` is the published composite; ``soft`` and ``off`` are the renderer's."""
    hdrvdp: HdrVdpSettings = field(default_factory=HdrVdpSettings)
    label_flow: str = "dis"
    """The flow estimator that labels EPE, on tone-mapped ground truth."""

    def __post_init__(self) -> None:
        for name in self.metrics:
            if name not in metric_names():
                raise DocumentError(f"There is no metric {name!r}.", hint=f"Use {', '.join(metric_names())}.")
        if self.reference_trust not in TRUSTS:
            raise DocumentError(
                f"There is no reference trust {self.reference_trust!r}.", hint=f"Use {', '.join(TRUSTS)}."
            )


@dataclass(frozen=True)
class Scored:
    """A reconstructed window as the metrics see it."""

    reader: DatasetReader
    files: WindowFiles
    window: Window
    frame: HdrFrame
    result: FloatArray
    """``(H, W, 3)`` radiance with the reference's trusted pixels."""
    settings: ScoreSettings
    device: torch.device
    reading: Literal["exact", "released"]
    """How the method itself warps along its flows."""

    @property
    def truth(self) -> GroundTruth:
        """:func:`require_metrics` has made sure that there is one."""
        if self.window.truth is None:
            raise DocumentError(f"{self.files.name} has no ground truth.")
        return self.window.truth


def with_reference(window: Window, frame: HdrFrame, trust: str, cycle: int) -> FloatArray:
    """The radiance that is scored: ``hard`` by the published composite, else as the renderer blends."""
    if trust == "hard":
        return composite(frame.radiance, window.codes[1], window.exposures[1], exposures=cycle)
    return blend.use_reference(frame, list(window.codes), window.exposures, trust).radiance


def reconstructed_share(window: Window, trust: str, cycle: int) -> FloatArray:
    """``(H, W)``: how much of the radiance that is scored is the method's own, 0-1; the rest is the reference's."""
    codes = window.codes[1]
    if trust == "hard":
        return predicted_pixels(codes, window.exposures[1], cycle).astype(np.float32)
    return 1 - blend.trust(codes, window.exposures, trust)[..., 0]


def score_frame(scored: Scored) -> Scores:
    """The scores of a frame, by column. Raises ImageError for pictures that a metric refuses."""
    scores: Scores = {}
    for name in scored.settings.metrics:
        if name in METRICS:
            scores |= METRICS[name].score(scored)
    return scores


def metric_names() -> list[str]:
    """What ``--metrics`` takes."""
    return [*METRICS, *SHOT_METRICS]


def default_metrics(reader: DatasetReader) -> tuple[str, ...]:
    """The published columns, or flicker where there is no ground truth."""
    return ("psnr", "ssim", "hdrvdp") if all(files.truth for files in reader.windows) else (FLICKER,)


def require_metrics(reader: DatasetReader, metrics: tuple[str, ...]) -> None:
    """Refuse metrics that the dataset has no pictures for, or that are not installed.

    Raises DocumentError naming the first frame or scene without.
    """
    shortest, frames = min(Counter(files.scene for files in reader.windows).items(), key=lambda item: item[1])
    for name in metrics:
        shot = SHOT_METRICS.get(name)
        for files in reader.windows:
            if not (METRICS[name].possible(files) if shot is None else files.truth or not shot.needs_truth):
                needs = "ground truth" if shot else METRICS[name].needs
                raise DocumentError(
                    f"The metric {name!r} needs {needs}, and {files.name} has none.", hint="Leave it out of --metrics."
                )
        if shot and frames < shot.frames:
            raise DocumentError(
                f"The metric {name!r} needs scenes of {shot.frames} scored frames, and {shortest} has {frames}.",
                hint="Leave it out of --metrics.",
            )
    if VIDEO in metrics:
        color_video_vdp.parameters()


@dataclass(frozen=True)
class Metric:
    """One name of ``--metrics``."""

    score: Callable[[Scored], Scores]
    needs: str = "ground truth"
    possible: Callable[[WindowFiles], bool] = lambda files: files.truth is not None


def _psnr(scored: Scored) -> Scores:
    pair = scored.result, scored.truth.radiance
    return trusting({"PSNR_T": psnr_t(*pair), "PSNR_L": psnr_l(*pair)}, scored.settings.reference_trust)


def _ssim(scored: Scored) -> Scores:
    pair = scored.result, scored.truth.radiance
    return trusting({"SSIM_T": ssim_t(*pair), "SSIM_L": ssim_l(*pair)}, scored.settings.reference_trust)


def _ssim_standard(scored: Scored) -> Scores:
    pair = scored.result, scored.truth.radiance
    scores = {"SSIM_T std": ssim_t(*pair, settings=STANDARD), "SSIM_L std": ssim_l(*pair, settings=STANDARD)}
    return trusting(scores, scored.settings.reference_trust)


def _hdrvdp(scored: Scored) -> Scores:
    score = hdrvdp2(scored.result, scored.truth.radiance, scored.settings.hdrvdp, device=str(scored.device))
    fixed = tuple(item for item in score.parameters if item[0] not in VARYING)
    varying = tuple(item for item in score.parameters if item[0] in VARYING)
    return trusting({"HDR-VDP-2": replace(score, parameters=fixed, facts=varying)}, scored.settings.reference_trust)


def _warp(scored: Scored) -> Scores:
    """Table 3: both neighbors at the reference's exposure, warped by the final flows; the mean of the two."""
    neighbors = scored.files.same_exposure or ()
    sides = [
        warp_scores(scored.reader.codes(path), scored.window.codes[1], np.moveaxis(flow, -1, 0), scored.reading)
        for path, flow in zip(neighbors, scored.frame.flows, strict=True)
    ]
    return {
        "warp PSNR": _mean_of([side.psnr for side in sides]),
        "warp SSIM": _mean_of([side.ssim for side in sides]),
    }


def _epe(scored: Scored) -> Scores:
    """Table 3: the final flows against flow estimated on ground truth; the mean of the two sides."""
    labels = _flow_labels(scored)
    sides = [
        end_point_error(np.moveaxis(flow, -1, 0), label) for flow, label in zip(scored.frame.flows, labels, strict=True)
    ]
    mean = _mean_of(sides)
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


def _mean_of(sides: list[Score]) -> Score:
    parameters = (*sides[0].parameters, ("sides", "mean of both neighbors"))
    return replace(sides[0], value=fmean(side.value for side in sides), parameters=parameters, facts=())


def trusting(scores: Scores, trust: str) -> Scores:
    """The scores with the reference trust among their parameters."""
    named = ("reference_trust", trust)
    return {column: replace(score, parameters=(*score.parameters, named)) for column, score in scores.items()}


METRICS: Mapping[str, Metric] = {
    "psnr": Metric(_psnr),
    "ssim": Metric(_ssim),
    "ssim-standard": Metric(_ssim_standard),
    "hdrvdp": Metric(_hdrvdp),
    "warp": Metric(_warp, "both exposures of every frame (real-hdrv)", lambda files: files.same_exposure is not None),
    "epe": Metric(
        _epe,
        "ground truth of the neighbors",
        lambda files: files.truth is not None and files.neighbor_truths is not None,
    ),
}
"""By name; those of a whole scene are :data:`SHOT_METRICS`."""
