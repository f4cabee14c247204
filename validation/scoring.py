"""How near a volume comes to its truth, within a region: PSNR, SSIM and noise.

All volumes are (slices, rows, columns) of one unit; SSIM is taken slice by slice and averaged over the region.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from validation.phantoms.anatomy import Mask

Volume = NDArray[np.float32]


@dataclass(frozen=True)
class Score:
    """One volume against its truth."""

    psnr: float  # dB
    ssim: float
    noise: float  # sd of the error in even parts, the volume's unit


def score(volume: Volume, truth: Volume, region: Mask, even: Mask, data_range: float) -> Score:
    """Score a volume: PSNR and SSIM within `region`, noise within its `even` part."""
    maps = [
        structural_similarity(true, seen, data_range=data_range, full=True)[1]
        for true, seen in zip(truth, volume, strict=True)
    ]
    return Score(
        psnr=float(peak_signal_noise_ratio(truth[region], volume[region], data_range=data_range)),
        ssim=float(np.stack(maps)[region].mean()),
        noise=float((volume - truth)[even].std(dtype=np.float64)),
    )
