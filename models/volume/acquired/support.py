"""Find the part of k-space that was acquired, from the spectrum of the volume itself.

A scanner that interpolates fills k-space with zeros, so that the density of the spectrum falls steeply somewhere and
stays low beyond. A magnitude image has some density there, too, most of it from air; so air is masked out. Partial
Fourier makes a step of some 3 dB and a filter (Hamming, Fermi) or distortion correction makes a slope: none of them
counts as a cut.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.fft import fft2, fftfreq
from scipy.ndimage import gaussian_filter, median_filter
from scipy.signal.windows import tukey

from models.robust import evenly_spaced

SLICES = 24  # evenly along the volume, whose spectra are averaged
MASK_PIXELS = 4.0  # sd of the Gaussian that softens the mask: a sharp one would spread the spectrum over the cut
TAPER = 0.2  # fraction of rows and columns that fade at the borders, whose jump spreads likewise
ACROSS = (0.03, 0.15)  # cycles a pixel of the other axis: beside the axes' cross, within any ellipse
LEAST, MOST = 0.1, 0.47  # cycles a pixel between which a cut is looked for; beyond, nothing is gained
INSIDE, NEAR = (0.85, 0.97), (1.03, 1.15)  # times the cut's frequency: what is compared
CUT_DB = 12.5  # that the density falls by at a cut: cuts have 13 to 24, Hamming 8 to 12, partial Fourier 7, anatomy 6
EDGE_DB = 3.0  # below the inside, where the cut lies: the mask and the taper blur it evenly
MARGIN = 1.05  # times the lines up to the cut are taken: patches gain .15 dB from pixels that much finer than the cut
LARGEST_SEAM = (
    3.0  # times the difference of neighbouring rows: that of the last and the first where a volume is periodic
)
CORNER_DB = 10.0  # that corners lie below the rest where the support is an ellipse
RIM, CORNER = (0.75, 0.92), (1.08, 1.4)  # radii in units of the ellipse's, compared for that


Volume = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AcquiredMatrix:
    """The support of k-space.

    Attributes:
        rows, columns: lines of k-space that hold the image, about as many as were acquired; even where fewer than the
            image has.
        image: rows and columns of the image.
        elliptical: whether the corners of k-space are empty.
    """

    rows: int
    columns: int
    image: tuple[int, int]
    elliptical: bool

    @property
    def interpolated(self) -> bool:
        """Whether the image has more rows or columns than were acquired."""
        return (self.rows, self.columns) != self.image

    def __str__(self) -> str:
        rows, columns = self.image
        acquired = f"about {self.rows} x {self.columns} of {rows} x {columns}" if self.interpolated else "as recorded"
        return acquired + (", without corners" if self.elliptical else "")


def find_support(volume: Volume, threshold: float) -> AcquiredMatrix:
    """Return the support of k-space of ``volume``, (slices, rows, columns); tissue exceeds ``threshold``."""
    power = _power(volume, threshold)
    rows, columns = power.shape
    rows = _acquired_lines(power) if _is_periodic(volume) else rows
    columns = _acquired_lines(power.T) if _is_periodic(volume.swapaxes(1, 2)) else columns
    return AcquiredMatrix(rows, columns, power.shape, _has_empty_corners(power, rows, columns))


def _is_periodic(volume: Volume) -> bool:
    """Return whether the last row continues in the first, as after any Fourier interpolation and not after cropping."""
    seam = np.abs(volume[:, 0] - volume[:, -1]).mean()
    near = np.abs(volume[:, [1, -1]] - volume[:, [0, -2]]).mean()
    return bool(seam <= LARGEST_SEAM * near)


def _power(volume: Volume, threshold: float) -> Spectrum:
    """(rows, columns) mean power of the tissue of some slices."""
    rows, columns = volume.shape[1:]
    taper = np.outer(tukey(rows, TAPER), tukey(columns, TAPER))
    rounding = np.finfo(np.float32).eps * float(np.abs(volume).max())  # no spectrum is known below that
    total = np.full((rows, columns), rows * columns * rounding**2)
    for index in evenly_spaced(len(volume), SLICES):
        soft = gaussian_filter((volume[index] > threshold).astype(np.float64), MASK_PIXELS)
        mask = np.clip(2 * soft - 1, 0, 1) * taper
        total += np.abs(fft2(volume[index] * mask)) ** 2
    return total


def _acquired_lines(power: Spectrum) -> int:
    """The lines along the first axis of ``power`` that hold the image; all of them where there is no cut."""
    lines = len(power)
    across = np.abs(fftfreq(power.shape[1]))
    density = np.median(power[:, (across > ACROSS[0]) & (across < ACROSS[1])], axis=1)
    frequency = np.abs(fftfreq(lines))[: lines // 2 + 1]
    folded = (density + np.roll(density[::-1], 1))[: lines // 2 + 1] / 2
    if not folded.all():
        return lines  # an image of zeros
    level = median_filter(10 * np.log10(folded), 3, mode="nearest")
    candidates = frequency[(frequency >= LEAST) & (frequency <= MOST)]
    fall, cut = max(((_fall(frequency, level, at), at) for at in candidates), default=(0.0, 0.0))
    if fall < CUT_DB:
        return lines
    plateau = np.median(level[_between(frequency, cut, INSIDE)])
    below = frequency[(frequency > INSIDE[0] * cut) & (level < plateau - EDGE_DB)]
    return min(lines, 2 * round(MARGIN * float(below[0]) * lines)) if below.size else lines


def _fall(frequency: Spectrum, level: Spectrum, at: float) -> float:
    """By how many dB the density is lower just beyond ``at`` and all the way beyond than just inside."""
    near, beyond = _between(frequency, at, NEAR), frequency > NEAR[0] * at
    inside = np.median(level[_between(frequency, at, INSIDE)])
    return float(inside - max(np.median(level[near]), 10 * np.log10(np.mean(10 ** (level[beyond] / 10)))))


def _between(frequency: Spectrum, at: float, factors: tuple[float, float]) -> npt.NDArray[np.bool_]:
    return np.asarray((frequency >= factors[0] * at) & (frequency <= factors[1] * at))


def _has_empty_corners(power: Spectrum, rows: int, columns: int) -> bool:
    """Whether the corners of the support hold much less than the rim of the ellipse in it."""
    y, x = (2 * fftfreq(length) * length / held for length, held in zip(power.shape, (rows, columns), strict=True))
    y, x = np.meshgrid(y, x, indexing="ij")
    radius, diagonal = np.hypot(y, x), (np.abs(y) < 1) & (np.abs(x) < 1) & (np.minimum(np.abs(y), np.abs(x)) > 0.3)
    rim, corner = (np.median(power[diagonal & (radius > least) & (radius < most)]) for least, most in (RIM, CORNER))
    return bool(rim > 0 and corner < rim * 10 ** (-CORNER_DB / 10))
