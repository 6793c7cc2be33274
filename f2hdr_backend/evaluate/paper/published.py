"""The numbers of the F2HDR paper (Yue et al., CVPR 2026, pages 33985-33994), as printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PAPER = "Yue et al., F2HDR, CVPR 2026"
OURS = "F2HDR (paper)"
"""The paper's row "Ours"."""


@dataclass(frozen=True)
class PublishedTable:
    """A table: values by method and column; a method has no entry for columns that the paper leaves empty."""

    source: str
    title: str
    rows: Mapping[str, Mapping[str, float]]
    remark: str = ""
    """Details that the paper does not specify."""


def _rows(columns: tuple[str, ...], rows: Mapping[str, tuple[float | None, ...]]) -> dict[str, dict[str, float]]:
    return {
        method: {column: value for column, value in zip(columns, values, strict=True) if value is not None}
        for method, values in rows.items()
    }


TABLE_1 = PublishedTable(
    f"{PAPER}, Table 1",
    "DeepHDRVideo",
    _rows(
        ("PSNR_T", "SSIM_T", "HDR-VDP-2"),
        {
            "Kalantari13": (40.33, 0.9409, None),
            "AHDRNet": (40.54, 0.9452, None),
            "Prabhakar": (40.21, 0.9414, None),
            "HDR-Transformer": (41.51, 0.9458, None),
            "Kalantari19": (39.91, 0.9329, None),
            "Chen21": (43.32, 0.9551, 78.37),
            "LAN-HDR": (41.83, 0.9499, 76.00),
            "NECHDR": (43.44, 0.9558, 77.28),
            "HDRFlow": (43.03, 0.9518, 77.58),
            "HDRFlow (with Sintel)": (43.25, 0.9515, 78.07),
            "HDR-V-Diff": (42.07, 0.9604, None),
            OURS: (43.87, 0.9573, 78.88),
        },
    ),
    "The paper does not specify how its dynamic and static scenes are averaged.",
)

TABLE_2 = PublishedTable(
    f"{PAPER}, Table 2",
    "Real-HDRV",
    _rows(
        ("PSNR_T", "SSIM_T", "HDR-VDP-2", "PSNR_L", "SSIM_L"),
        {
            "Chen21": (40.79, 0.9510, 76.50, 50.30, 0.9943),
            "LAN-HDR": (39.79, 0.9448, 74.43, 46.54, 0.9928),
            "HDRFlow": (40.34, 0.9481, 75.82, 49.72, 0.9941),
            "HDRFlow (with Sintel)": (40.28, 0.9450, 76.08, 49.87, 0.9941),
            "NECHDR": (40.88, 0.9518, 76.77, 50.41, 0.9952),
            OURS: (41.01, 0.9538, 76.93, 50.51, 0.9949),
        },
    ),
)

TABLE_3 = PublishedTable(
    f"{PAPER}, Table 3",
    "Optical flow on Real-HDRV",
    _rows(
        ("EPE", "warp PSNR", "warp SSIM"),
        {
            "HDRFlow": (3.53, 29.93, 0.8763),
            "NECHDR": (3.30, 30.31, 0.8901),
            "F2HDR without adapter (paper)": (1.81, 30.39, 0.8897),
            OURS: (2.08, 30.84, 0.8922),
        },
    ),
    "The paper's flow labels are MemFlow's on the ground truth; EPE depends on the estimator of the labels.",
)

TABLE_4 = PublishedTable(
    f"{PAPER}, Table 4",
    "Seconds per frame on an NVIDIA RTX 3090",
    _rows(
        ("1920x1080", "1536x813"),
        {
            "Kalantari19": (0.260, 0.220),
            "HDRFlow": (0.076, 0.050),
            "NECHDR": (0.160, 0.103),
            "Chen21": (0.570, 0.540),
            "LAN-HDR": (0.905, 0.525),
            OURS: (0.290, 0.190),
        },
    ),
)

_ABLATION = ("PSNR_T", "SSIM_T")
TABLE_5_DEEPHDRVIDEO = PublishedTable(
    f"{PAPER}, Table 5",
    "Ablation on DeepHDRVideo",
    _rows(
        _ABLATION,
        {
            "stage I without adapter": (43.06, 0.9514),
            "stage I without adapter, stage II": (43.21, 0.9530),
            "stage I": (43.39, 0.9549),
            "both stages, no mask": (43.68, 0.9565),
            "both stages, mask by a CNN": (43.76, 0.9569),
            OURS: (43.87, 0.9573),
        },
    ),
)
TABLE_5_REAL_HDRV = PublishedTable(
    f"{PAPER}, Table 5",
    "Ablation on Real-HDRV",
    _rows(
        _ABLATION,
        {
            "stage I without adapter": (40.29, 0.9453),
            "stage I without adapter, stage II": (40.45, 0.9461),
            "stage I": (40.61, 0.9481),
            "both stages, no mask": (40.87, 0.9502),
            "both stages, mask by a CNN": (40.93, 0.9524),
            OURS: (41.01, 0.9538),
        },
    ),
)

BY_DATASET: Mapping[str, tuple[PublishedTable, ...]] = {"deephdrvideo": (TABLE_1,), "real-hdrv": (TABLE_2, TABLE_3)}
"""The tables to compare a dataset's scores with; :data:`TABLE_4` applies to every dataset."""
ABLATIONS: Mapping[str, tuple[PublishedTable, ...]] = {
    "deephdrvideo": (TABLE_5_DEEPHDRVIDEO,),
    "real-hdrv": (TABLE_5_REAL_HDRV,),
}
"""The tables to compare with, for weights that omit a part of the method."""
