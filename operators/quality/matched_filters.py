"""Filters in the shape of small structures: spots of three widths and lines at eighteen angles, over 1, 3 or 7 slices.

Each is matched to the noise it searches in: divided by its spectrum in a slice, since a line is easily seen
in what has little power at low frequencies. A line over several slices is a plate.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from operators.quality.bias import Images

SPOTS, DEPTHS = (0.7, 1.2, 2.0), (1, 3, 7)  # pixels, sd; slices
NARROWEST = SPOTS[0]  # sd of a line, too, where its shape is compared
ANGLES, HALF_LINE = 18, 6  # lines of 13 pixels; with 12 angles those between two are missed
FILTERS = (len(SPOTS) + ANGLES) * len(DEPTHS)
WINDOW = 2.5  # pixels, sd of the Gaussian under which shapes are compared: what lies beside is another thing
ALL_CORES = -1  # slices are transformed side by side; each comes out the same whatever their number
SPECTRUM_SMOOTH = 3.0  # bins, sd: the slices are few
HALF_NYQUIST = 0.27  # cycles a pixel, with room for a soft cut
OUTER_FRACTION = 0.2  # of the power; white noise has .7 there, a magnitude of twice the acquired matrix .15
LEAST_POWER = 0.3  # of the mean: with less, what the estimate lacks at low frequencies passes for small structures


def matched(images: Images) -> Iterator[tuple[int, int, Images]]:
    """Yield the number of a shape, a depth in slices and ``images``, (slices, rows, columns), through that filter.

    Edges wrap around.
    """
    size = images.shape[1:]
    spectrum = fft.rfft2(images)
    spectrum /= noise_power(spectrum)
    for number, shape in enumerate(shapes((size[0], size[1]))):
        found = fft.irfft2(spectrum * np.conj(fft.rfft2(shape)), s=size, workers=ALL_CORES)
        until = np.cumsum(found, axis=0)
        for depth in DEPTHS:
            yield number, depth, found if depth == 1 else _summed(until, depth // 2)


def _summed(until: Images, reach: int) -> Images:
    """Return the sum of so many slices to each side, as far as there are, of the sums of all ``until`` each."""
    last = np.minimum(np.arange(len(until)) + reach, len(until) - 1)
    summed = until[last]
    summed[reach + 1 :] -= until[: max(len(until) - reach - 1, 0)]
    return summed


def noise_power(spectrum: npt.NDArray[np.complex64]) -> Images:
    """Return the power by which the spectrum of slices, (slices, rows, columns), is divided: their mean, smooth."""
    power = np.square(np.abs(spectrum)).mean(axis=0)
    power = ndimage.gaussian_filter(power, SPECTRUM_SMOOTH, mode=("wrap", "mirror"))
    return np.asarray(np.maximum(power, LEAST_POWER * power.mean() + np.finfo(power.dtype).tiny))


def interpolated(images: Images) -> bool:
    """Return whether what was removed has next to nothing above half the highest frequency, as if filled with zeros."""
    size = images.shape[1:]
    power = np.square(np.abs(fft.rfft2(images))).mean(axis=0)
    outer = (np.abs(fft.fftfreq(size[0])) > HALF_NYQUIST)[:, None] | (fft.rfftfreq(size[1]) > HALF_NYQUIST)
    return bool(power[outer].sum() < OUTER_FRACTION * power.sum())


@lru_cache(maxsize=1)
def patterns() -> Images:
    """Return what measures each shape in the 13 x 13 pixels around its centre, (shapes, 13, 13).

    It is blind to planes and paraboloids, which are what lies beside a small structure.
    """
    side = 2 * HALF_LINE + 1
    rows, columns = np.mgrid[-HALF_LINE : HALF_LINE + 1, -HALF_LINE : HALF_LINE + 1].reshape(2, -1).astype(np.float64)
    weight = np.exp(-(rows**2 + columns**2) / (2 * WINDOW**2))
    wide = np.stack([np.ones(side**2), rows, columns, rows**2, rows * columns, columns**2])
    made = []
    for number, shape in enumerate(shapes((2 * side, 2 * side))):
        smooth = shape if number < len(SPOTS) else ndimage.gaussian_filter(shape, NARROWEST, mode="wrap")
        middle = np.roll(smooth, (HALF_LINE, HALF_LINE), (0, 1))[:side, :side].ravel()
        fitted = np.linalg.solve((wide * weight) @ wide.T, (wide * weight) @ middle) @ wide
        made.append((weight * (middle - fitted)).reshape(side, side))
    return np.asarray(made, np.float32)


def shapes(size: tuple[int, int]) -> Iterator[Images]:
    """Yield each shape, centred on the first pixel."""
    point = np.zeros(size, np.float32)
    point[0, 0] = 1
    for width in SPOTS:
        yield np.asarray(ndimage.gaussian_filter(point, width, truncate=3, mode="wrap"))
    for angle in np.pi * np.arange(ANGLES) / ANGLES:
        line = np.zeros(size, np.float32)
        for step in range(-HALF_LINE, HALF_LINE + 1):
            line[round(step * np.sin(angle)) % size[0], round(step * np.cos(angle)) % size[1]] += 1
        yield line
