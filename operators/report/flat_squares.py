"""The noise power spectrum of a patient's own images, from their flattest squares.

The squares are chosen in the image before: no edge in them, and little texture. What is left of each after a smooth
surface is taken away counts as noise. Anatomy that remains in the squares is in both spectra.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import gaussian_filter

from models.side_by_side import each
from operators.report.noise_power import Spectrum, power_of, sds_of, spectrum_of
from operators.report.sample import ImagePair, Sample

Squares = npt.NDArray[np.float32]  # (count, side, side)

SIDES = (32, 16)  # pixels; the larger where enough is flat
TEXTURE = 1.2  # noise in the larger squares against the smaller; above it, the larger ones hold texture
COARSE = 3.0  # pixels, sigma: noise is finer, the shading of tissue coarser
NORMAL_MEDIAN = 0.6745  # median magnitude of a normal variable of standard deviation 1
HOMOGENEOUS = 1.15  # spread of a square against the usual size of what is fine in it; an edge raises only the first
QUIET, LOUD = 10, 1.1  # percentile of the squares' spread, and how far above it fine texture is no longer noise
MOST_SQUARES = 96  # as many are enough, and take no time
ENOUGH = 8  # squares, for a mean with an error below a third


@dataclass(frozen=True, eq=False)
class NoisePower:
    """Noise power before and after in the same squares; frequencies per pixel where the spacing is not known."""

    before: Spectrum
    after: Spectrum
    sd_before: float  # unit: the noise in the squares
    sd_after: float
    squares: int
    side: int  # pixels


def noise_power_of(sample: Sample) -> NoisePower | None:
    """Return the noise power of a sample, None where it has no flat part large enough."""
    found = [power for side in SIDES if (power := _noise_power(sample, side)) is not None]
    return next((one for one in found if one.sd_before <= TEXTURE * found[-1].sd_before), None)


def _noise_power(sample: Sample, side: int) -> NoisePower | None:
    chosen = _flattest(sample, side)
    if len(chosen[0]) < ENOUGH:
        return None
    spacing = sample.spacing or (1.0, 1.0)
    before, after = (spectrum_of(power_of(squares, spacing), side, spacing) for squares in chosen)
    sd_before, sd_after = (float(np.sqrt(np.square(sds_of(squares)).mean())) for squares in chosen)
    return NoisePower(before, after, sd_before, sd_after, len(chosen[0]), side)


def _flattest(sample: Sample, side: int) -> tuple[Squares, Squares]:
    """Return the quietest homogeneous squares of tissue, before and after."""
    air = sample.air()
    found = each(lambda pair: _homogeneous(pair, side, air), sample.pairs)
    before, after = (np.concatenate([squares[index] for squares in found]) for index in (0, 1))
    if not len(before):
        return before, after
    spread = sds_of(before)
    quiet = np.flatnonzero(spread <= LOUD * np.percentile(spread, QUIET))
    chosen = quiet[:: 1 + len(quiet) // MOST_SQUARES]
    return before[chosen], after[chosen]


def _homogeneous(pair: ImagePair, side: int, air: float) -> tuple[Squares, Squares]:
    """Return the squares of tissue whose whole spread is no more than what is fine in them, before and after."""
    coarse = gaussian_filter((pair.before + pair.after) / 2, COARSE)
    tissue = _tiles(pair.valid & (coarse > air), side).all(axis=(1, 2))
    before, after = (_tiles(image, side)[tissue] for image in (pair.before, pair.after))
    if not len(before):
        return before, after
    fine = _tiles(np.abs(pair.before - gaussian_filter(pair.before, COARSE)), side)[tissue]
    usual = np.median(fine, axis=(1, 2)) / NORMAL_MEDIAN
    homogeneous = (sds_of(before) < HOMOGENEOUS * usual) & (usual > 0)
    return before[homogeneous], after[homogeneous]


def _tiles(image: npt.NDArray[Any], side: int) -> npt.NDArray[Any]:
    """Return the squares of an image (count, side, side), each overlapping its neighbours by half."""
    if min(image.shape) < side:
        return np.empty((0, side, side), image.dtype)
    return sliding_window_view(image, (side, side))[:: side // 2, :: side // 2].reshape(-1, side, side)
