"""CT noise as a scanner makes it: Radon transform, Poisson counts, filtered back-projection.

The noise is correlated within a slice, stronger where more tissue is crossed and streaked across bone; between slices
it is independent unless asked otherwise. Only the noise of each sinogram is reconstructed, so the truth itself is not
blurred.
"""

import numpy as np
from numpy.typing import NDArray
from skimage.transform import iradon, radon

from validation.phantoms.anatomy import Mask, Volume

WATER_PER_MM = 0.02  # attenuation of water at the mean energy of 120 kV
AIR_HU = -999.0  # below, nothing is crossed
ANGLES = 180  # one per degree: more cost time, fewer draw streaks
SINOGRAM_STEP = (
    4  # slices that share one clean sinogram: the thickness crossed hardly changes, only its noise must be new
)
PILOT_PHOTONS = 1e5  # per ray, to learn which dose gives the noise asked for
FEWEST_COUNTS = 1.0  # a detector reads at least this


def scanner_noise(
    rng: np.random.Generator, truth_hu: Volume, pixel_mm: float, soft: Mask, noise_hu: float, slice_correlation: float
) -> Volume:
    """Return noise in HU for each slice of `truth_hu`, its sd in `soft` tissue about `noise_hu`.

    `slice_correlation` mixes each slice's noise with that of the slice before, as overlapping reconstruction does: the
    correlation falls as its powers with distance.
    """
    thickness = [_thickness(slab, pixel_mm) for slab in truth_hu[SINOGRAM_STEP // 2 :: SINOGRAM_STEP]] or [
        _thickness(truth_hu[0], pixel_mm)
    ]
    middle = len(truth_hu) // 2
    chosen = min(middle // SINOGRAM_STEP, len(thickness) - 1)
    pilot = _noise(rng, thickness[chosen], pixel_mm, PILOT_PHOTONS)[soft[middle]].std()
    photons = PILOT_PHOTONS * (pilot / noise_hu) ** 2
    slices = [
        _noise(rng, thickness[min(i // SINOGRAM_STEP, len(thickness) - 1)], pixel_mm, photons)
        for i in range(len(truth_hu))
    ]
    return _mixed(np.stack(slices), slice_correlation)


def _thickness(slice_hu: NDArray[np.float32], pixel_mm: float) -> NDArray[np.float64]:
    """Line integrals of attenuation, (detectors, ANGLES)."""
    attenuation = np.where(slice_hu > AIR_HU, slice_hu / 1000 + 1, 0) * WATER_PER_MM
    angles = np.linspace(0, 180, ANGLES, endpoint=False)
    return np.asarray(radon(attenuation, angles, circle=True) * pixel_mm, np.float64)


def _noise(
    rng: np.random.Generator, thickness: NDArray[np.float64], pixel_mm: float, photons: float
) -> NDArray[np.float32]:
    expected = np.maximum(photons * np.exp(-thickness), FEWEST_COUNTS)
    # ln(N + 1/2) has no bias to first order, ln(N) has
    line_noise = -np.log((rng.poisson(expected) + 0.5) / expected)
    angles = np.linspace(0, 180, ANGLES, endpoint=False)
    per_mm = iradon(line_noise / pixel_mm, angles, filter_name="hann", circle=False, output_size=len(thickness))
    return np.asarray(per_mm / WATER_PER_MM * 1000, np.float32)


def _mixed(noise: Volume, correlation: float) -> Volume:
    for i in range(1, len(noise)):
        noise[i] = correlation * noise[i - 1] + np.sqrt(1 - correlation**2) * noise[i]
    return noise
