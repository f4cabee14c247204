"""K-space of a slice: what a scanner acquires of it, how it filters that, and what it fills with zeros.

Spectra are (rows, columns) in the order of `numpy.fft.fft2`, scaled so that an image keeps its amplitude whatever the
size of its matrix (`norm="forward"`).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complex64]
Real = NDArray[np.float32]

HAMMING = 0.54  # centre of the window's cosine
FERMI_RADIUS, FERMI_WIDTH = 0.8, 0.06  # of half the acquired band: where the window is one half, and how fast it falls


@dataclass(frozen=True)
class Encoding:
    """Which part of k-space is acquired and how it is weighted; the default is all of it, unweighted."""

    zero_fill: tuple[float, float] = (1.0, 1.0)  # delivered over acquired matrix: rows, columns
    elliptical: bool = False  # corners of the acquired part are left out
    partial_fourier: float = 1.0  # fraction of the acquired rows of k-space, over one half; the rest is zero
    window: Literal["none", "hamming", "fermi"] = "none"

    def acquired(self, delivered: tuple[int, int]) -> tuple[int, int]:
        """Return the acquired matrix, even, of a delivered one."""
        rows, columns = (2 * round(n / factor / 2) for n, factor in zip(delivered, self.zero_fill, strict=True))
        return rows, columns

    def weights(self, acquired: tuple[int, int]) -> Real:
        """Return the factor of each sample of the acquired matrix."""
        rows, columns = (np.fft.fftfreq(n, 0.5).astype(np.float32) for n in acquired)  # -1..1 over the band
        radius = np.hypot(rows[:, None], columns[None, :])
        weights = np.ones(acquired, np.float32)
        if self.window == "hamming":
            weights *= np.multiply.outer(*(HAMMING + (1 - HAMMING) * np.cos(np.pi * k) for k in (rows, columns)))
        elif self.window == "fermi":
            weights /= 1 + np.exp((radius - FERMI_RADIUS) / FERMI_WIDTH)
        if self.elliptical:
            weights *= radius <= 1
        weights *= rows[:, None] <= 2 * self.partial_fourier - 1
        return weights


FULL = Encoding()


def spectrum(image: Complex | Real) -> Complex:
    """Return the spectra of images (..., rows, columns)."""
    return np.asarray(np.fft.fft2(image, norm="forward"), np.complex64)


def image_of(spectra: Complex) -> Complex:
    """Return the images of spectra (..., rows, columns)."""
    return np.asarray(np.fft.ifft2(spectra, norm="forward"), np.complex64)


def resized(spectra: Complex, shape: tuple[int, int]) -> Complex:
    """Return spectra (..., rows, columns) cut or filled with zeros to (rows, columns); all sizes even."""
    for axis, size in zip((-2, -1), shape, strict=True):
        half = min(size, spectra.shape[axis]) // 2
        low, high = np.split(np.take(spectra, np.r_[0:half, -half:0], axis), 2, axis)
        gap = list(low.shape)
        gap[axis] = size - 2 * half
        spectra = np.concatenate([low, np.zeros(gap, spectra.dtype), high], axis)
    return spectra


def moved(spectra: Complex, pixels: float) -> Complex:
    """Return spectra of the images moved down and right by so many pixels, a negative number up and left."""
    for axis in (-2, -1):
        ramp = np.exp(-2j * np.pi * pixels * np.fft.fftfreq(spectra.shape[axis]))
        spectra = spectra * (ramp[:, None] if axis == -2 else ramp)
    return np.asarray(spectra, np.complex64)
