"""Filters in the shape of small structures: spots of three widths and lines at eighteen angles, over 1, 3 or 7 slices.

Each is matched to the noise it searches in: divided by its spectrum in a slice, since a line is easily seen
in what has little power at low frequencies. A line over several slices is a plate. The division is done once, in
Fourier space; the shapes, of few pixels, are then summed in place, on a processor each slice while it is in cache.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from scipy import fft, ndimage
from torch import Tensor

from models.filters import gaussian
from models.side_by_side import AT_ONCE, on_device
from operators.quality.bias import Images

SPOTS, DEPTHS = (0.7, 1.2, 2.0), (1, 3, 7)  # pixels, sd; slices
NARROWEST = SPOTS[0]  # sd of a line, too, where its shape is compared
ANGLES, HALF_LINE = 18, 6  # lines of 13 pixels; with 12 angles those between two are missed
FILTERS = (len(SPOTS) + ANGLES) * len(DEPTHS)
TRUNCATE = 3  # sd, where spots end: the widest reaches as far as a line
WINDOW = 2.5  # pixels, sd of the Gaussian under which shapes are compared: what lies beside is another thing
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


def matched(c: Tensor, f: Tensor, box: tuple[slice, slice]) -> Iterator[tuple[Filter, Tensor]]:
    """Yield each filter and what was removed, (slices, rows, columns) of the box, through it.

    Edges of the whole wrap around. What is yielded lasts until the next is asked for.

    Args:
        c: what was removed, even.
        f: what is left, the same shape and unit, bounded: its anatomy must not outweigh the noise in it.
        box: rows and columns that are looked at.
    """
    rows, columns = c.shape[1:]
    spectrum = torch.fft.rfft2(c)
    power, noise = noise_powers(spectrum, torch.fft.rfft2(f))
    whitened = torch.fft.irfft2(spectrum.div_(on_device(noise, c.device)), s=(rows, columns))
    del spectrum
    for axis, (part, size) in enumerate(zip(box, (rows, columns), strict=True), 1):
        wide = torch.arange(part.start - HALF_LINE, part.stop + HALF_LINE, device=c.device)
        whitened = whitened.index_select(axis, wide % size)
    reach = DEPTHS[-1] // 2
    found = c.new_zeros(len(c) + 2 * reach, *(part.stop - part.start for part in box))
    sums = tuple(torch.empty_like(found[depth - 1 :]) for depth in DEPTHS[1:])
    for number, shape_power in enumerate(_shape_powers((rows, columns))):
        weight = shape_power / np.square(noise)
        removed = float(np.sqrt(np.sum(weight * power) / np.sum(weight * noise)))
        for part, out in zip(
            *(one.split(AT_ONCE[c.device.type]) for one in (whitened, found[reach:-reach])), strict=True
        ):
            _correlate(part, number, out)
        for depth, summed in zip(DEPTHS, _depth_sums(found, *sums), strict=True):
            yield Filter(number, depth, removed), summed


def _correlate(whitened: Tensor, number: int, out: Tensor) -> None:
    """Write to ``out`` slices correlated with a shape; they are `HALF_LINE` pixels larger on every side."""
    if number < len(SPOTS):
        inner = slice(HALF_LINE, -HALF_LINE)
        out.copy_(gaussian(whitened, SPOTS[number], TRUNCATE)[:, inner, inner])
        return
    rows, columns = out.shape[1:]
    out.zero_()
    for row, column in line_pixels(number):
        top, left = HALF_LINE + row, HALF_LINE + column
        out += whitened[:, top : top + rows, left : left + columns]


def _depth_sums(found: Tensor, three: Tensor, seven: Tensor) -> Iterator[Tensor]:
    """Yield the sums over 1, 3 and 7 slices around each of ``found``, which has three empty ones at both ends."""
    yield found[3:-3]
    torch.add(found[:-2], found[1:-1], out=three).add_(found[2:])
    yield three[2:-2]
    torch.add(three[:-4], three[4:], out=seven).add_(found[3:-3])
    yield seven


def noise_powers(c: Tensor, f: Tensor) -> tuple[Images, Images]:
    """Return the power of what was removed and of the noise of before, smooth, of spectra of slices.

    The noise's is ``<y, c>^2 / <c, c>`` with y = f - c at each frequency: that of noise of which any fraction is gone.
    """
    power, cross = (
        ndimage.gaussian_filter(_mean_product(one, c), SPECTRUM_SMOOTH, mode=("wrap", "mirror")) for one in (c, f - c)
    )
    power = power + np.finfo(power.dtype).tiny
    noise = np.clip(cross * cross / power, power, MOST_NOISE * power)
    return power, np.maximum(noise, LEAST_POWER * noise.mean())


def _mean_product(u: Tensor, v: Tensor) -> Images:
    """Return the real part of u times the conjugate of v, the mean of slices."""
    product = (torch.view_as_real(u) * torch.view_as_real(v)).sum(dim=-1)
    return np.asarray(product.mean(dim=0).cpu().numpy())


def interpolated(images: Tensor) -> bool:
    """Return whether what was removed has next to nothing above half the highest frequency, as if filled with zeros."""
    size = images.shape[1:]
    power = torch.fft.rfft2(images).abs().square().mean(dim=0).cpu().numpy()
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
        yield np.asarray(ndimage.gaussian_filter(point, width, truncate=TRUNCATE, mode="wrap"))
    for number in range(ANGLES):
        line = np.zeros(size, np.float32)
        for row, column in line_pixels(number):
            line[row % size[0], column % size[1]] += 1
        yield line


@lru_cache(maxsize=ANGLES)
def line_pixels(number: int) -> tuple[tuple[int, int], ...]:
    """Return the rows and columns of a line's pixels, from its centre."""
    angle, steps = np.pi * number / ANGLES, range(-HALF_LINE, HALF_LINE + 1)
    return tuple((round(step * np.sin(angle)), round(step * np.cos(angle))) for step in steps)


@lru_cache(maxsize=4)
def _shape_powers(size: tuple[int, int]) -> Images:
    """Return the power of each shape at each frequency of a slice of that size."""
    return np.stack([np.square(np.abs(fft.rfft2(shape))) for shape in shapes(size)])
