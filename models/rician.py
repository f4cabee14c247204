"""The Rician bias of magnitude MR: least squares learns the mean E[M] of the magnitude, not the amplitude A.

Under noise of standard deviation s in each channel, E[M] is 1.25 s at A = 0 and A + 0.17 s at A = 3 s. The map
A -> E[M] (Rice 1944) is inverted as Koay and Basser (2006) do, here by interpolation in a table.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import ive

RAYLEIGH_RATIO = 1.913  # mean over sd of magnitude noise without signal
RATIO_TOLERANCE = 0.15  # of that ratio: coils combined otherwise, filtered or zeroed background fall outside
SD_TOLERANCE = 0.35  # background's noise against the tissue's own, relative: parallel imaging makes them differ
BACKGROUND_SHARE = 0.02  # of all voxels must be background, else it can't be judged
TABLE_END = 12.0  # A / s beyond which the bias is under 0.05 s and A^2 = E[M]^2 - s^2 serves

Voxels = npt.NDArray[np.float32]


def mean_magnitude(amplitude: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """E[M] for an amplitude A, both in units of the noise's sd."""
    half = amplitude**2 / 4
    value: npt.NDArray[np.float64] = np.sqrt(np.pi / 2) * ((1 + 2 * half) * ive(0, half) + 2 * half * ive(1, half))
    return value


def rician_sd(voxels: Voxels, threshold: float, tissue_sd: float) -> float:
    """The noise sd from the air around the body, or 0 where the air does not look like Rician noise.

    Args:
        voxels: (slices, rows, columns) as acquired.
        threshold: below which voxels may be air.
        tissue_sd: noise measured in tissue, which the air must agree with.
    """
    air = voxels[(voxels > 0) & (voxels < threshold)]
    if air.size < BACKGROUND_SHARE * voxels.size:
        return 0.0
    dark = air[air < np.quantile(air[:: 1 + air.size // 1_000_000], 0.9)]
    sd = float(np.sqrt((air.astype(np.float64) ** 2).mean() / 2))
    median_sd = float(np.median(air)) / np.sqrt(2 * np.log(2))
    like_rayleigh = abs(median_sd / sd - 1) <= RATIO_TOLERANCE and dark.size > 0
    return sd if like_rayleigh and abs(sd / tissue_sd - 1) <= SD_TOLERANCE else 0.0


def remove_rician_bias(images: Voxels, sd: float) -> Voxels:
    """The amplitude A of which ``images`` are the mean magnitude, same shape and unit; never negative."""
    amplitude = np.linspace(0, TABLE_END, 2401)
    mean = mean_magnitude(amplitude)
    corrected = np.empty_like(images)
    for image, out in zip(images, corrected, strict=True):
        scaled = image / sd
        beyond = np.sqrt(np.maximum(scaled**2 - 1, 0))
        out[...] = sd * np.where(scaled < mean[-1], np.interp(scaled, mean, amplitude), beyond)
    return corrected
