"""Ultrasound: contrast in dB of grey, generalised contrast-to-noise ratio, and width of point echoes.

In: grey frames as stored (0..255) and masks of the same shape; the grey scale spans `DYNAMIC_RANGE_DB`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from validation.phantoms.speckle_physics import DYNAMIC_RANGE_DB, MAXIMUM

Grey = NDArray[np.float32]
Mask = NDArray[np.bool_]


def contrast_db(frame: Grey, inside: Mask, around: Mask) -> float:
    """Return the difference of mean grey between two places in dB of the display."""
    return float((frame[inside].mean() - frame[around].mean()) * DYNAMIC_RANGE_DB / MAXIMUM)


def gcnr(frame: Grey, inside: Mask, around: Mask) -> float:
    """Return 1 less the overlap of the two histograms: 0 the same, 1 told apart in every pixel.

    After Rodriguez-Molares et al., IEEE Trans. UFFC 67(4), 2020.
    """
    edges = np.arange(0, MAXIMUM + 2) - 0.5
    shares = [np.histogram(frame[where], edges)[0] / where.sum() for where in (inside, around)]
    return float(1 - np.minimum(*shares).sum())


def half_width(profile: NDArray[np.float64]) -> float:
    """Return the full width (bins) at half the height of a peak in the middle; infinite where there is none."""
    middle = len(profile) // 2
    floor = np.median(np.concatenate([profile[: middle // 2], profile[-(middle // 2) :]]))
    if profile[middle] <= floor:
        return math.inf
    half = (profile[middle] + floor) / 2
    sides = [_fall(profile[middle:], half), _fall(profile[middle::-1], half)]
    return float(sum(sides))


def _fall(side: NDArray[np.float64], half: float) -> float:
    below = np.flatnonzero(side < half)
    if not below.size:
        return float(len(side))
    i = int(below[0])
    return i - 1 + float((side[i - 1] - half) / (side[i - 1] - side[i])) if i else 0.0
