"""Filters in the shape of small structures: spots of three widths and lines at eighteen angles, over 1, 3 or 7 slices.

Each is matched to the noise it searches in: divided by its spectrum in a slice, since a line is easily seen
in what has little power at low frequencies. A line over several slices is a plate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from operators.quality.bias import Images

Spectrum = npt.NDArray[np.complex64]
SPOTS, DEPTHS = (0.7, 1.2, 2.0), (1, 3, 7)  # pixels, sd; slices
NARROWEST = SPOTS[0]  # sd of a line, too, where its shape is compared
ANGLES, HALF_LINE = 18, 6  # lines of 13 pixels; with 12 angles those between two are missed
FILTERS = (len(SPOTS) + ANGLES) * len(DEPTHS)
WINDOW = 2.5  # pixels, sd of the Gaussian under which shapes are compared: what lies beside is another thing
ALL_CORES = -1  # slices are transformed side by side; each comes out the same whatever their number
SPECTRUM_SMOOTH = 3.0  # bins, sd: the slices are few
HALF_NYQUIST = 0.27  # cycles a pixel, with room for a soft cut
OUTER_FRACTION = 0.2  # of the power; white noise has .7 there, a magnitude of twice the acquired matrix .15
MOST_NOISE = 25.0  # times what was removed: with four fifths left the rest says little
LEAST_POWER = 0.3  # of the mean: with less, what the estimate lacks at low frequencies passes for small structures


@dataclass(frozen=True)
class Filter:
    """A filter: the number of its shape, its depth in slices, and the fraction of the noise in it that is gone."""

    shape: int
    depth: int
    removed: float


def matched(c: Images, f: Images) -> Iterator[tuple[Filter, Images]]:
    """Yield each filter and what was removed, (slices, rows, columns), through it; edges wrap around.

    Args:
        c: what was removed, even.
        f: what is left, the same shape and unit, bounded: its anatomy must not outweigh the noise in it.
    """
    size = c.shape[1:]
    spectrum = fft.rfft2(c)
    power, noise = noise_powers(spectrum, fft.rfft2(f))
    spectrum /= noise
    for number, shape in enumerate(shapes((size[0], size[1]))):
        transform = np.conj(fft.rfft2(shape))
        weight = np.square(np.abs(transform) / noise)
        removed = float(np.sqrt(np.sum(weight * power) / np.sum(weight * noise)))
        found = fft.irfft2(spectrum * transform, s=size, workers=ALL_CORES)
        until = np.cumsum(found, axis=0)
        for depth in DEPTHS:
            yield Filter(number, depth, removed), found if depth == 1 else _summed(until, depth // 2)


def _summed(until: Images, reach: int) -> Images:
    """Return the sum of so many slices to each side, as far as there are, of the sums of all ``until`` each."""
    last = np.minimum(np.arange(len(until)) + reach, len(until) - 1)
    summed = until[last]
    summed[reach + 1 :] -= until[: max(len(until) - reach - 1, 0)]
    return summed


def noise_powers(c: Spectrum, f: Spectrum) -> tuple[Images, Images]:
    """Return the power of what was removed and of the noise of before, smooth, of spectra of slices.

    The noise's is ``<y, c>^2 / <c, c>`` with y = f - c at each frequency: that of noise of which any fraction is gone.
    """
    power, cross = (
        ndimage.gaussian_filter(np.mean((one * np.conj(c)).real, axis=0), SPECTRUM_SMOOTH, mode=("wrap", "mirror"))
        for one in (c, f - c)
    )
    power = power + np.finfo(power.dtype).tiny
    noise = np.clip(cross * cross / power, power, MOST_NOISE * power)
    return power, np.maximum(noise, LEAST_POWER * noise.mean())


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
