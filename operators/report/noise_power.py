"""Noise power spectrum of regions of interest, after ICRU report 87 and AAPM task group 233.

    NPS(u, v) = dx dy / N^2 <|DFT(region - surface)|^2>

In: square regions (regions, side, side) of one unit and the size of a pixel in mm. Out: power in unit^2 mm^2 against
frequency in 1/mm, averaged over directions. A quadratic surface is taken off each region first: cupping is no noise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rois = NDArray[np.float32]
Real = NDArray[np.float64]


@dataclass(frozen=True)
class Spectrum:
    """A radial noise power spectrum."""

    frequencies: Real  # 1/mm
    power: Real  # (frequencies), unit^2 mm^2

    @property
    def mean_frequency(self) -> float:
        """Frequency (1/mm) of the average noise: fine grain is high, blotches are low."""
        weights = self.power * self.frequencies  # the ring of each frequency grows with it
        return float((weights * self.frequencies).sum() / weights.sum())


def power_of(rois: Rois, spacing: tuple[float, float]) -> Real:
    """Return the radial power of each region, (regions, frequencies).

    Args:
        rois: (regions, side, side).
        spacing: height and width of a pixel, mm.
    """
    side = rois.shape[-1]
    spectra = np.abs(np.fft.fft2(detrended(rois))) ** 2 * spacing[0] * spacing[1] / side**2
    rows, columns = (np.fft.fftfreq(side, size) for size in spacing)
    ring = np.rint(np.hypot(rows[:, None], columns[None, :]) * side * max(spacing)).astype(int).ravel()
    sums = np.stack([np.bincount(ring, weights=each.ravel()) for each in spectra])
    return np.asarray((sums / np.bincount(ring))[:, 1 : side // 2], np.float64)


def spectrum_of(power: Real, side: int, spacing: tuple[float, float]) -> Spectrum:
    """Return the mean of the regions' radial powers as `power_of` gives them; `side` in pixels."""
    frequencies = np.arange(1, power.shape[-1] + 1) / (side * max(spacing))
    return Spectrum(frequencies, power.mean(axis=0))


def detrended(rois: Rois) -> Real:
    """Return the regions less the quadratic surface that fits each best."""
    side = rois.shape[-1]
    y, x = np.meshgrid(*2 * [np.linspace(-1, 1, side)], indexing="ij")
    surface = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y]).reshape(6, -1)
    flat = rois.reshape(len(rois), -1).astype(np.float64)
    fitted = flat @ np.linalg.pinv(surface) @ surface
    return np.asarray((flat - fitted).reshape(rois.shape), np.float64)


def sds_of(rois: Rois) -> Real:
    """Return the noise of each region: the sd about its quadratic surface."""
    return np.asarray(detrended(rois).std(axis=(1, 2)), np.float64)
