"""Oriented filters for ultrasound: lines at sixteen angles and two spots, all Gaussians of unit sum.

Their size is in pixels: real speckle has grains of .4 to .9 (axial) by .7 to 2.3 pixels (lateral, sd).
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import fft

ANGLES = 16  # of lines; one between two of them keeps 97 % of its response
LINE = 5.0, 1.0  # pixels, sd along and across a line
SPOTS = (1.0, 1.5), (0.5, 0.7)  # pixels, axial and lateral sd: a grain, and its peak, which no dark speck weakens
FILTERS = ANGLES + len(SPOTS)
PEAK = FILTERS - 1  # the index of the narrower spot
MARGIN = 16  # pixels, three sds of a line, so that no response wraps around

Image = npt.NDArray[np.float32]
Real = npt.NDArray[np.float64]


def responses(image: Image) -> Iterator[Image]:
    """Yield the image (rows, columns) through each filter, lines first."""
    rows, columns = image.shape
    size = [fft.next_fast_len(side + MARGIN, True) for side in image.shape]
    spectrum = fft.rfft2(image, size)
    y, x = fft.fftfreq(size[0])[:, None], fft.rfftfreq(size[1])
    for angle in np.pi * np.arange(ANGLES) / ANGLES:
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        yield fft.irfft2(spectrum * _gaussian(along, across, LINE), size)[:rows, :columns]
    for spot in SPOTS:
        yield fft.irfft2(spectrum * _gaussian(y, x, spot), size)[:rows, :columns]


def _gaussian(first: Real, second: Real, sds: tuple[float, float]) -> Image:
    """Return the transfer of a Gaussian with these sds along two directions of frequency (cycles a pixel)."""
    return np.exp(-2 * np.pi**2 * ((sds[0] * first) ** 2 + (sds[1] * second) ** 2)).astype(np.float32)
