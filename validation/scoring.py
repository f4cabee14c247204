"""How near a volume comes to its truth, within a region: PSNR, SSIM and noise.

All volumes are (slices, rows, columns) of one unit. SSIM is taken slice by slice in windows of `SSIM_WINDOW` that lie
wholly in the slice, and averaged over the windows whose centres lie in the region.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from monai.metrics.regression import PSNRMetric, compute_ssim_and_cs

from validation.phantoms.anatomy import Mask, Volume

SSIM_WINDOW = 7  # pixels, uniform: the window of scikit-image, which agrees to .0006
GAUSSIAN_SIGMA, GAUSSIAN_WINDOW = 1.5, 11  # pixels: the window of Wang (2004)


@dataclass(frozen=True)
class Score:
    """One volume against its truth."""

    psnr: float  # dB
    ssim: float
    noise: float  # sd of the error in even parts, the volume's unit


def score(volume: Volume, truth: Volume, region: Mask, even: Mask, data_range: float) -> Score:
    """Score a volume: PSNR and SSIM within `region`, noise within its `even` part."""
    return Score(
        psnr=psnr(volume, truth, region, data_range),
        ssim=ssim(volume, truth, region, data_range),
        noise=float((volume - truth)[even].std(dtype=np.float64)),
    )


def psnr(volume: Volume, truth: Volume, region: Mask, data_range: float) -> float:
    """Return the peak signal-to-noise ratio within a region, dB."""
    seen, true = (torch.from_numpy(each[region].astype(np.float64))[None] for each in (volume, truth))
    return float(PSNRMetric(max_val=data_range)(seen, true))


def ssim(
    volume: Volume,
    truth: Volume,
    region: Mask,
    data_range: float,
    window: Literal["uniform", "gaussian"] = "uniform",
) -> float:
    """Return the mean structural similarity over the slices within a region."""
    side = SSIM_WINDOW if window == "uniform" else GAUSSIAN_WINDOW
    seen, true = (torch.from_numpy(each.astype(np.float64))[:, None] for each in (volume, truth))
    similarity, _ = compute_ssim_and_cs(
        seen, true, spatial_dims=2, kernel_size=(side, side), kernel_sigma=(GAUSSIAN_SIGMA, GAUSSIAN_SIGMA),
        data_range=data_range, kernel_type=window,
    )  # fmt: skip
    inner = slice(side // 2, -(side // 2))
    return float(similarity[:, 0].numpy()[region[:, inner, inner]].mean())
