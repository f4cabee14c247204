"""The Rician bias of magnitude MR: least squares learns the mean E[M] of the magnitude, not the amplitude A.

With noise of standard deviation s in each channel, E[M] is 1.25 s at A = 0 and A + 0.17 s at A = 3 s. The map
A -> E[M] (Rice 1944) is inverted as by Koay and Basser (2006), here by interpolation in a table.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.stats import rice

AIR_END = 1.5  # noise sds of tissue; two thirds of air without signal lie below, tissue lies above
CUT_POWER, CUT_MEDIAN = 0.459, 0.908  # mean square over 2 s^2 and median over s of Rayleigh noise truncated at 1.5 s
MEDIAN_TOLERANCE = 0.1  # of s; air that is filtered, zeroed, or mixed with dark tissue falls outside
SD_TOLERANCE = 0.25  # relative difference of the noise in air and in tissue; coil combination can make them differ
BACKGROUND_FRACTION = 0.05  # least fraction of all voxels that are air; with fewer its noise is not known
SAMPLE = 1_000_000  # voxels in which air is measured
TABLE_END = 12.0  # A / s beyond which the bias is under 0.05 s and A^2 = E[M]^2 - s^2 serves

Voxels = npt.NDArray[np.float32]


def mean_magnitude(amplitude: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return E[M] for an amplitude A, both in units of the noise's sd."""
    return np.asarray(rice.mean(amplitude), np.float64)


def rician_sd(voxels: Voxels, tissue_sd: float) -> float:
    """Return the sd of Rician noise, or 0 where the air around the body shows no such noise of about ``tissue_sd``.

    Args:
        voxels: (slices, rows, columns) as acquired.
        tissue_sd: of the noise, as measured in tissue.
    """
    sample = voxels.ravel()[:: 1 + voxels.size // SAMPLE]
    air = sample[(sample > 0) & (sample < AIR_END * tissue_sd)].astype(np.float64)
    if air.size < BACKGROUND_FRACTION * sample.size:
        return 0.0
    sd = math.sqrt(np.mean(air**2) / 2 / CUT_POWER)
    is_rayleigh = abs(float(np.median(air)) / sd - CUT_MEDIAN) <= MEDIAN_TOLERANCE
    return tissue_sd if is_rayleigh and abs(sd / tissue_sd - 1) <= SD_TOLERANCE else 0.0


def remove_rician_bias(images: Voxels, sd: float) -> Voxels:
    """Return the amplitude A of which ``images`` are the mean magnitude, same shape and unit; never negative."""
    amplitude = np.linspace(0, TABLE_END, 2401)
    mean = mean_magnitude(amplitude)
    corrected = np.empty_like(images)
    for image, out in zip(images, corrected, strict=True):
        scaled = image / sd
        beyond = np.sqrt(np.maximum(scaled**2 - 1, 0))
        out[...] = sd * np.where(scaled < mean[-1], np.interp(scaled, mean, amplitude), beyond)
    return corrected


def return_rician_bias(images: Voxels, sd: float) -> Voxels:
    """Return the mean magnitude of which ``images`` are the amplitude: the inverse of `remove_rician_bias`."""
    amplitude = np.linspace(0, TABLE_END, 2401)
    mean = mean_magnitude(amplitude)
    magnitude = np.empty_like(images)
    for image, out in zip(images, magnitude, strict=True):
        scaled = image / sd
        beyond = np.sqrt(scaled**2 + 1)
        out[...] = sd * np.where(scaled < TABLE_END, np.interp(scaled, amplitude, mean), beyond)
    return magnitude
