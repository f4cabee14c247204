"""How an ultrasound scanner makes grey of scatterers: point spread function, speckle, log compression, expected grey.

Field = (white complex Gaussian x sqrt(power)) convolved with the point spread function; its envelope goes through
20 log10, is clipped to the dynamic range and stored in 8 bits. The field is Gaussian at every pixel, its power that
of the echogenicity blurred by |PSF|^2; so the expected grey is a function of that power, and of the power of a coherent
echo on it, integrated here over the law of the intensity, clipping and rounding included. An ideal envelope detector
does not see the axial carrier of the pulse, so the point spread function is given by its envelope.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import fft, stats
from scipy.ndimage import map_coordinates

DYNAMIC_RANGE_DB = 60.0  # of the grey scale, 0..255
MAXIMUM = 255.0
LATERAL_SIGMA = 2.48  # pixels, of the PSF amplitude: stored grey correlates .85 .56 .32 .18 laterally, as in vivo,
AXIAL_SIGMA = 1.40  # pixels: and .63 .22 .09 axially
FRAME_CORRELATION = 0.96  # of the field between frames; the stored grey of still tissue then correlates about .84
MARGIN = 24  # pixels of tissue around the frame, so that motion and convolution never see the border
DIFFUSE_NODES = 20000  # quantiles of the intensity's law without a coherent echo; the expected grey is right to 0.01
COHERENT_NODES = 4000  # with one; right to 0.05
DIFFUSE_DB = np.arange(-DYNAMIC_RANGE_DB - 40.0, 60.0, 0.25)
COHERENT_DB = np.arange(-110.0, 40.1, 0.5)
RATIOS_DB = np.arange(-30.0, 60.1, 2.0)  # coherent over diffuse power

Image = npt.NDArray[np.float32]
Real = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]


@dataclass(frozen=True)
class Beam:
    """The point spread function of a frame: amplitude of unit energy around each pixel, moved with the tissue."""

    axial_shift: float
    lateral_shift: Real  # pixels by row of the canvas
    lateral_sigma: Real  # pixels by row of the canvas

    def axial(self, canvas: int) -> Real:
        """Return the axial part, periodic, around row 0."""
        offsets = fft.fftfreq(canvas, 1.0 / canvas) - self.axial_shift
        return _unit_energy(np.exp(-0.5 * (offsets / AXIAL_SIGMA) ** 2))

    def lateral(self, canvas: int) -> Real:
        """Return the lateral part, (rows, columns), periodic, around column 0."""
        offsets = fft.fftfreq(canvas, 1.0 / canvas) - self.lateral_shift[:, None]
        return _unit_energy(np.exp(-0.5 * (offsets / self.lateral_sigma[:, None]) ** 2))


def still_beam(canvas_rows: int, shift: tuple[float, float] = (0.0, 0.0)) -> Beam:
    """Return the beam that is as wide in all rows and moved as one piece, (axial, lateral) pixels."""
    return Beam(shift[0], np.full(canvas_rows, shift[1]), np.full(canvas_rows, LATERAL_SIGMA))


def echo_of(field: Complex, beam: Beam) -> Complex:
    """Return the echo of scatterers, (rows, columns) of the canvas, without the margin."""
    return _convolved(field, beam.axial(len(field)), beam.lateral(field.shape[1]))


def diffuse_power(power: Real, beam: Beam) -> Real:
    """Return the mean power of the echo of scatterers of this power, without the margin."""
    return _convolved(power, beam.axial(len(power)) ** 2, beam.lateral(power.shape[1]) ** 2).real


def renewed(scatterers: Complex, rng: np.random.Generator) -> Complex:
    """Return the scatterers of the next frame, partly new."""
    new = white(scatterers.shape, rng)
    return np.asarray(FRAME_CORRELATION * scatterers + np.sqrt(1.0 - FRAME_CORRELATION**2) * new)


def white(shape: tuple[int, ...], rng: np.random.Generator) -> Complex:
    """Return complex white noise of unit power."""
    real, imaginary = rng.standard_normal((2, *shape))
    return np.asarray((real + 1j * imaginary) / np.sqrt(2.0), np.complex128)


def grey_of(intensity: Real) -> Real:
    """Return the grey of an intensity, before it is rounded."""
    decibels = 10.0 * np.log10(np.maximum(intensity, 1e-60))
    return np.clip((decibels + DYNAMIC_RANGE_DB) * (MAXIMUM / DYNAMIC_RANGE_DB), 0.0, MAXIMUM)


def expected_grey(diffuse: Real, coherent: Real | None = None) -> Real:
    """Return the mean stored grey of speckle of this mean power, on a coherent echo of that power if there is one."""
    decibels = 10.0 * np.log10(np.maximum(diffuse, 1e-30))
    if coherent is None:
        return np.interp(decibels, DIFFUSE_DB, _diffuse_table())
    ratio = 10.0 * np.log10(np.maximum(coherent, 1e-30)) - decibels
    at = [
        (np.clip(each, grid[0], grid[-1]) - grid[0]) / (grid[1] - grid[0])
        for each, grid in ((ratio, RATIOS_DB), (decibels, COHERENT_DB))
    ]
    return np.asarray(map_coordinates(_coherent_table(), at, order=1))


@cache
def _diffuse_table() -> Real:
    """Return the expected grey at `DIFFUSE_DB`: the intensity follows an exponential law."""
    intensity = -np.log1p(-_quantiles(DIFFUSE_NODES))
    return np.array([_mean_grey(level, intensity) for level in DIFFUSE_DB])


@cache
def _coherent_table() -> Real:
    """Return the expected grey at `RATIOS_DB` and `COHERENT_DB`: |sqrt(k) + z|^2, z complex Gaussian of unit power."""
    laws = [stats.ncx2.ppf(_quantiles(COHERENT_NODES), 2, 2.0 * 10.0 ** (ratio / 10.0)) / 2.0 for ratio in RATIOS_DB]
    return np.array([[_mean_grey(level, law) for level in COHERENT_DB] for law in laws])


def _mean_grey(decibels: float, intensity: Real) -> float:
    return float(np.rint(grey_of(10.0 ** (decibels / 10.0) * intensity)).mean())


def _quantiles(count: int) -> Real:
    return (np.arange(count) + 0.5) / count


def _unit_energy(psf: Real) -> Real:
    return np.asarray(psf / np.sqrt((psf**2).sum(axis=-1, keepdims=True)))


def _convolved(field: Complex | Real, axial: Real, lateral: Real) -> Complex:
    tall = fft.ifft(fft.fft(field, axis=0) * fft.fft(axial)[:, None], axis=0)
    wide = fft.ifft(fft.fft(tall, axis=1) * fft.fft(lateral, axis=1), axis=1)
    return np.asarray(wide[MARGIN:-MARGIN, MARGIN:-MARGIN])
