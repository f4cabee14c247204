"""Low-contrast detectability by a channelised Hotelling observer, as in the LCD-CT tool of the FDA.

In: regions of interest with and without the signal in their centre, (regions, side, side). Out: d', the distance of
the two in units of the noise as a trained linear observer sees them, which may use what passes a few Laguerre-Gauss or
Gabor channels only, like an eye. The mean of each region is taken off first: absolute brightness is no signal.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import eval_laguerre

CHANNELS = 5  # Laguerre-Gauss: what LCD-CT uses
BANDS, ORIENTATIONS = 4, 4  # Gabor, same source
TOP_FREQUENCY = 1 / 8  # 1/pixel, upper end of the highest Gabor band, same source

Rois = NDArray[np.float32]
Real = NDArray[np.float64]


def laguerre_gauss(side: int, width: float) -> Real:
    """Return channels (CHANNELS, side, side), the Gaussian `width` pixels wide."""
    squared = _radius_squared(side) / width**2
    envelope = np.sqrt(2) / width * np.exp(-np.pi * squared)
    return np.stack([envelope * eval_laguerre(order, 2 * np.pi * squared) for order in range(CHANNELS)])


def gabor(side: int) -> Real:
    """Return channels (BANDS * ORIENTATIONS, side, side), octave bands downward from `TOP_FREQUENCY`."""
    along = np.arange(side) - (side - 1) / 2
    made = []
    for band in range(BANDS):
        high = TOP_FREQUENCY / 2**band
        centre, size = 0.75 * high, 4 * np.log(2) / (np.pi * high / 2)
        envelope = np.exp(-4 * np.log(2) * _radius_squared(side) / size**2)
        for angle in np.arange(ORIENTATIONS) * np.pi / ORIENTATIONS:
            across = along[None, :] * np.cos(angle) + along[:, None] * np.sin(angle)
            made.append(envelope * np.cos(2 * np.pi * centre * across))
    return np.stack(made)


def responses(rois: Rois, channels: Real) -> Real:
    """Return what the channels pass of each region less its mean, (regions, channels)."""
    centred = rois - rois.mean(axis=(1, 2), keepdims=True)
    return np.asarray(centred.reshape(len(rois), -1) @ channels.reshape(len(channels), -1).T, np.float64)


def detectability(present: Real, absent: Real) -> float:
    """Return d' from channel responses, freed of the gain that training and testing on the same regions gives.

    With n regions in all and p channels, d'^2 of the sample exceeds the true one by the factor (n - 2) / (n - p - 3)
    and by p (1/n_present + 1/n_absent).
    """
    counts, channels = (len(present), len(absent)), present.shape[1]
    signal = present.mean(axis=0) - absent.mean(axis=0)
    freedom = sum(counts) - 2
    covariance = _scatter(present) + _scatter(absent)
    squared = float(signal @ np.linalg.pinv(covariance / freedom) @ signal)
    unbiased = squared * (freedom - channels - 1) / freedom - channels * sum(1 / count for count in counts)
    return float(np.sqrt(max(unbiased, 0.0)))


def regions_around(volume: NDArray[np.float32], centres: Sequence[tuple[int, int, int]], side: int) -> Rois:
    """Return the in-plane squares of `side` (odd) pixels around (slice, row, column) centres."""
    half = side // 2
    return np.stack([volume[z, y - half : y + half + 1, x - half : x + half + 1] for z, y, x in centres])


def _scatter(responded: Real) -> Real:
    centred = responded - responded.mean(axis=0)
    return np.asarray(centred.T @ centred, np.float64)


def _radius_squared(side: int) -> Real:
    along = np.arange(side) - (side - 1) / 2
    return np.asarray(along[:, None] ** 2 + along[None, :] ** 2, np.float64)
