"""The noise power spectrum in the image plane, from the flattest squares of a patient's own images.

The squares are chosen in the image before: no edge in them, and little texture. From each a smooth surface of second
degree is taken away, and what is left is taken for noise:

    NPS(u, v) = dx dy / (N N) <|DFT(square - surface)|^2>        in unit^2 mm^2, ICRU report 87

so that its integral over all frequencies is the variance. Anatomy that remains in the squares is in both spectra.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import gaussian_filter

from operators.report.sample import ImagePair, Sample

Squares = npt.NDArray[np.float64]  # (count, side, side)
Curve = npt.NDArray[np.float64]

SIDES = (32, 16)  # pixels; the larger where enough is flat
ALIKE = 1.2  # noise in the larger squares against the smaller; above it, the larger ones hold texture
COARSE = 3.0  # pixels, sigma: noise is finer, the shading of tissue coarser
NORMAL_MEDIAN = 0.6745  # median magnitude of a normal variable of standard deviation 1
HOMOGENEOUS = 1.15  # spread of a square against the usual size of what is fine in it; an edge raises only the first
QUIET, LOUD = 10, 1.1  # percentile of the plain squares' spread, and how far above it fine texture is no longer noise
MOST_SQUARES = 96  # as many are enough, and take no time
ENOUGH = 8  # squares, for a mean with an error below a third


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Radially averaged noise power before and after, and the noise itself."""

    frequency: Curve  # per mm, or per pixel where the spacing is not known
    before: Curve  # unit^2 mm^2, or unit^2 pixel^2
    after: Curve
    sd_before: float  # unit: the noise in the squares
    sd_after: float
    squares: int
    side: int  # pixels


def spectrum_of(sample: Sample) -> Spectrum | None:
    """The spectrum of a sample, None where it has no flat part large enough."""
    found = [spectrum for side in SIDES if (spectrum := _spectrum(sample, side)) is not None]
    return next((one for one in found if one.sd_before <= ALIKE * found[-1].sd_before), None)


def _spectrum(sample: Sample, side: int) -> Spectrum | None:
    before, after = _flattest(sample, side)
    if len(before) < ENOUGH:
        return None
    spacing = sample.spacing or (1.0, 1.0)
    power = [spectrum_2d(without_surface(squares), spacing) for squares in (before, after)]
    (frequency, mean_before), (_, mean_after) = (radial(one, spacing) for one in power)
    sd_before, sd_after = (float(np.sqrt(one.sum() / (side**2 * spacing[0] * spacing[1]))) for one in power)
    return Spectrum(frequency, mean_before, mean_after, sd_before, sd_after, len(before), side)


def without_surface(squares: Squares) -> Squares:
    """Squares less the surface of second degree that fits each of them best."""
    side = squares.shape[-1]
    x, y = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side))
    basis, _ = np.linalg.qr(np.stack([x**0, x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6))
    flat = squares.reshape(len(squares), -1)
    return np.asarray((flat - flat @ basis @ basis.T).reshape(squares.shape))


def spectrum_2d(squares: Squares, spacing: tuple[float, float]) -> Curve:
    """The noise power spectrum (side, side) of squares of noise, zero frequency first."""
    side = squares.shape[-1]
    power = np.abs(np.fft.fft2(squares)) ** 2
    return np.asarray(power.mean(axis=0) * spacing[0] * spacing[1] / side**2)


def radial(spectrum: Curve, spacing: tuple[float, float]) -> tuple[Curve, Curve]:
    """Frequencies and the mean over all directions, in steps of the coarser axis, up to its Nyquist frequency."""
    side = len(spectrum)
    rows, columns = (np.fft.fftfreq(side, step) for step in spacing)
    distance = np.hypot(rows[:, None], columns[None, :])
    step = 1 / (side * max(spacing))
    ring = np.rint(distance / step).astype(int).ravel()
    count = np.bincount(ring)[1 : side // 2 + 1]
    total = np.bincount(ring, spectrum.ravel())[1 : side // 2 + 1]
    return step * np.arange(1, len(count) + 1, dtype=np.float64), total / count


def _flattest(sample: Sample, side: int) -> tuple[Squares, Squares]:
    """The quietest plain squares of tissue (count, side, side), before and after."""
    air = sample.air()
    plain = [_homogeneous(pair, side, air) for pair in sample.pairs]
    before, after = (np.concatenate([squares[index] for squares in plain]) for index in (0, 1))
    if not len(before):
        return before, after
    spread = without_surface(before).std(axis=(1, 2))
    quiet = np.flatnonzero(spread <= LOUD * np.percentile(spread, QUIET))
    chosen = quiet[:: 1 + len(quiet) // MOST_SQUARES]
    return before[chosen], after[chosen]


def _homogeneous(pair: ImagePair, side: int, air: float) -> tuple[Squares, Squares]:
    """The squares of tissue in an image whose whole spread is no more than what is fine in them, before and after."""
    coarse = gaussian_filter((pair.before + pair.after) / 2, COARSE)
    tissue = _tiles(pair.valid & (coarse > air), side).all(axis=(1, 2))
    before, after = (_tiles(image, side)[tissue].astype(np.float64) for image in (pair.before, pair.after))
    if not len(before):
        return before, after
    fine = _tiles(np.abs(pair.before - gaussian_filter(pair.before, COARSE)), side)[tissue]
    usual = np.median(fine, axis=(1, 2)) / NORMAL_MEDIAN
    plain = (without_surface(before).std(axis=(1, 2)) < HOMOGENEOUS * usual) & (usual > 0)
    return before[plain], after[plain]


def _tiles(image: npt.NDArray[Any], side: int) -> npt.NDArray[Any]:
    """The squares of an image (count, side, side), each overlapping its neighbours by half."""
    if min(image.shape) < side:
        return np.empty((0, side, side), image.dtype)
    return sliding_window_view(image, (side, side))[:: side // 2, :: side // 2].reshape(-1, side, side)
