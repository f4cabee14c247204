"""Task transfer function and edge width from circular edges, after AAPM task group 233.

In: for each repeat, the profile across an edge (mean value by distance from the edge), bins `STEP` wide. Many noisy
edges are averaged before anything is differentiated: a contrast of 10 HU shows only so. Out: the transfer against
frequency, the frequency at half of it, and the distance over which the edge rises.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import windows

STEP = 0.25  # pixels, width of a profile's bins
REACH = 8.0  # pixels on either side of the edge that belong to a profile
BINS = round(2 * REACH / STEP)
TAPER = 0.3  # of a profile, its ends alone: a window that is narrower makes blurred edges look sharp
PADDED = 1024  # bins of the transform: frequencies are then STEP * 1/256 apart
LARGEST_FREQUENCY = 1.0  # 1/pixel, twice the Nyquist frequency

Real = NDArray[np.float64]
Slice = NDArray[np.float32]


def distances(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> Real:
    """Return each pixel's distance outward from a circle's edge, in pixels; centre is (row, column)."""
    y, x = (np.arange(count) - middle for count, middle in zip(shape, centre, strict=True))
    return np.asarray(np.hypot(y[:, None], x[None, :]) - radius, np.float64)


def profile_sums(slices: Slice, outward: Real) -> tuple[Real, Real]:
    """Return sums and counts of the values in each bin, (slices, BINS) and (BINS,), from inside to outside."""
    bins = np.floor((outward + REACH) / STEP).astype(int)
    near = (bins >= 0) & (bins < BINS)
    counts = np.bincount(bins[near], minlength=BINS)
    sums = [np.bincount(bins[near], weights=each[near], minlength=BINS) for each in slices]
    return np.stack(sums).astype(np.float64), counts.astype(np.float64)


def profile(sums: Real, counts: Real) -> Real:
    """Return the mean profile of several edges, (edges, BINS) sums and counts; empty bins are interpolated."""
    total = counts.sum(axis=0)
    filled = total > 0
    bins = np.arange(BINS)
    means: Real = sums.sum(axis=0)[filled] / total[filled]
    return np.asarray(np.interp(bins, bins[filled], means), np.float64)


def transfer(edge: Real) -> tuple[Real, Real]:
    """Return frequencies (1/pixel) and the transfer there, 1 at frequency 0, of a profile (BINS,)."""
    line = np.diff(edge) * windows.tukey(BINS - 1, TAPER)
    spectrum = np.abs(np.fft.rfft(line, PADDED))
    frequencies = np.fft.rfftfreq(PADDED, STEP)
    shown = frequencies <= LARGEST_FREQUENCY
    blur = np.sinc(frequencies[shown] * STEP) ** 2  # of the bins and of the difference between them
    return np.asarray(frequencies[shown], np.float64), np.asarray(spectrum[shown] / spectrum[0] / blur, np.float64)


def frequency_at(edge: Real, level: float = 0.5) -> float:
    """Return the frequency (1/pixel) where the transfer first falls to `level`."""
    frequencies, passed = transfer(edge)
    below = np.flatnonzero(passed < level)
    if not below.size:
        return float(frequencies[-1])
    after, before = below[0], max(below[0] - 1, 0)
    fraction = (passed[before] - level) / max(passed[before] - passed[after], 1e-12)
    return float(frequencies[before] + fraction * (frequencies[after] - frequencies[before]))


def width(edge: Real) -> float:
    """Return the pixels over which a profile goes from 10 to 90 % of its step, levels taken at its ends."""
    ends = round(2 / STEP)
    start, stop = edge[:ends].mean(), edge[-ends:].mean()
    risen = (edge - start) / (stop - start)
    crossings = [_crossing(risen, level) for level in (0.1, 0.9)]
    return float((crossings[1] - crossings[0]) * STEP)


def _crossing(risen: Real, level: float) -> float:
    """The last bin position before the middle, or the first after it, where the profile crosses `level`."""
    middle = int(np.flatnonzero(risen >= 0.5)[0])
    if level < 0.5:
        before = np.flatnonzero(risen[: middle + 1] <= level)
        i = int(before[-1]) if before.size else 0
    else:
        i = middle - 1 + int(np.argmax(risen[middle:] >= level)) if (risen[middle:] >= level).any() else BINS - 2
    rise = risen[i + 1] - risen[i]
    return float(i + (level - risen[i]) / rise if abs(rise) > 1e-12 else i)
