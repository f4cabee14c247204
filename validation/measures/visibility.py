"""How much fainter a lesion or wider an edge may become before anyone can see it: the limit of an ideal observer.

It distinguishes two known signals in noise of a known spectrum with d'^2 = sum |difference|^2 / power, which no reader
exceeds; at d' = 1 it is right in 76 of 100 choices between two. Signals are (side, side) pixels of one slice.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import brentq

from validation.measures.edge_transfer import distances, profile, profile_sums, width

WIDEST_BLUR = 6.0  # pixels, sd; beyond it a rod is no longer one

Real = NDArray[np.float64]


def radial_power(noise: NDArray[np.floating], end: float) -> Real:
    """Return the power of noise at each frequency of a transform of its side, even all round.

    A signal's |DFT|^2 / side^2 over it, summed, is a squared d'. The lowest frequencies stand for the mean, too.

    Args:
        noise: (regions, side, side).
        end: cycles a pixel, above which the power is infinite: nothing is seen through what a kernel does not pass.
    """
    side = noise.shape[-1]
    centred = noise - noise.mean(axis=(1, 2), keepdims=True)
    power = (np.abs(np.fft.fft2(centred)) ** 2).mean(axis=0) / side**2
    frequency = np.hypot(*np.meshgrid(*2 * [np.fft.fftfreq(side)]))
    ring = np.rint(frequency * side).astype(int)
    mean = np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel())
    mean[0] = mean[1]
    return np.where(frequency <= end, mean[ring], np.inf)


def ideal_detectability(signal: Real, power: Real) -> float:
    """Return d' of an ideal observer for a signal in noise of a `radial_power`."""
    return float(np.sqrt((np.abs(np.fft.fft2(signal)) ** 2 / signal.size / power).sum()))


def visible_fading(lesion: Real, power: Real) -> float:
    """Return the fraction of its contrast that a lesion keeps where its fading can just be seen."""
    return 1 - 1 / ideal_detectability(lesion, power)


def visible_widening(rod: Real, power: Real, radius: float) -> float:
    """Return the width of a rod's edge over what it was where the widening can just be seen.

    Args:
        rod: in the middle, less its surroundings.
        power: of the noise.
        radius: of the rod, pixels.
    """

    def blurred(sd: float) -> Real:
        return np.asarray(ndimage.gaussian_filter(rod, sd, mode="constant"))

    sd = brentq(lambda sd: ideal_detectability(blurred(sd) - rod, power) - 1, 0.1, WIDEST_BLUR)
    return _edge_width(blurred(sd), radius) / _edge_width(rod, radius)


def _edge_width(rod: Real, radius: float) -> float:
    side = len(rod)
    outward = distances((side, side), ((side - 1) / 2, (side - 1) / 2), radius)
    sums, counts = profile_sums(np.asarray(rod[None], np.float32), outward)
    return width(profile(sums, counts[None]))
