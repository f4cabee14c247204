"""Filters in the shape of small structures: spots of three widths over 1, 3 or 7 slices, and lines at eighteen angles.

Each is matched to the noise it searches in: divided by its spectrum in a slice, since a line is easily seen
in what has little power at low frequencies.
"""

from collections.abc import Iterator

import numpy as np
from scipy import fft, ndimage

from operators.quality.bias import Images

SPOTS, DEPTHS = (0.7, 1.2, 2.0), (1, 3)  # pixels, sd; slices
NARROWEST, LONG_DEPTH = SPOTS[0], 7  # a line along the normal is the narrowest spot over so many slices
ANGLES, HALF_LINE = 18, 6  # lines of 13 pixels; with 12 angles those between two are missed
FILTERS = len(SPOTS) * len(DEPTHS) + 1 + ANGLES
ALL_CORES = -1  # slices are transformed side by side; each comes out the same whatever their number
SPECTRUM_SMOOTH = 3.0  # bins, sd: the slices are few
HALF_NYQUIST = 0.27  # cycles a pixel, with room for a soft cut
OUTER_FRACTION = 0.2  # of the power; white noise has .7 there, a magnitude of twice the acquired matrix .15
LEAST_POWER = 0.3  # of the mean: with less, what the estimate lacks at low frequencies passes for small structures


def matched(images: Images) -> Iterator[Images]:
    """``images``, (slices, rows, columns), through each filter, always in the same order; edges wrap around."""
    size = images.shape[1:]
    spectrum = fft.rfft2(images)
    power = np.square(np.abs(spectrum)).mean(axis=0)
    power = ndimage.gaussian_filter(power, SPECTRUM_SMOOTH, mode=("wrap", "mirror"))
    whitened = spectrum / np.maximum(power, LEAST_POWER * power.mean() + np.finfo(power.dtype).tiny)
    for shape, depth in _shapes((size[0], size[1])):
        found = fft.irfft2(whitened * np.conj(fft.rfft2(shape)), s=size, workers=ALL_CORES)
        yield found if depth == 1 else np.asarray(ndimage.uniform_filter1d(found, depth, axis=0, mode="constant"))


def interpolated(images: Images) -> bool:
    """Return whether what was removed has next to nothing above half the highest frequency, as if filled with zeros."""
    size = images.shape[1:]
    power = np.square(np.abs(fft.rfft2(images))).mean(axis=0)
    outer = (np.abs(fft.fftfreq(size[0])) > HALF_NYQUIST)[:, None] | (fft.rfftfreq(size[1]) > HALF_NYQUIST)
    return bool(power[outer].sum() < OUTER_FRACTION * power.sum())


def _shapes(size: tuple[int, int]) -> Iterator[tuple[Images, int]]:
    """Each shape, centred on the first pixel, and its depth in slices."""
    point = np.zeros(size, np.float32)
    point[0, 0] = 1
    for width in SPOTS:
        spot = np.asarray(ndimage.gaussian_filter(point, width, truncate=3, mode="wrap"))
        for depth in (*DEPTHS, LONG_DEPTH) if width == NARROWEST else DEPTHS:
            yield spot, depth
    for angle in np.pi * np.arange(ANGLES) / ANGLES:
        line = np.zeros(size, np.float32)
        for step in range(-HALF_LINE, HALF_LINE + 1):
            line[round(step * np.sin(angle)) % size[0], round(step * np.cos(angle)) % size[1]] += 1
        yield line, 1
