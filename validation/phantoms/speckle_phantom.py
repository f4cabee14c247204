"""Ultrasound with an exact truth: fully developed speckle on a known echogenicity.

In: the frame's size, the number of frames and a generator. Out: 8-bit grey frames as a scanner stores them and,
for each, the *expected* grey level, which is what a denoiser should give back.

Field = (white complex Gaussian x sqrt(power)) convolved with the point spread function; its envelope goes through
20 log10, is clipped to the dynamic range and stored in 8 bits. The field is Gaussian at every pixel, its power that
of the echogenicity blurred by |PSF|^2; so the expected grey level is a function of that power alone, integrated
here over the exponential law of the intensity, clipping and rounding included. An ideal envelope detector does not
see the axial carrier of the pulse, so the point spread function is given by its envelope.

A cine drifts as one piece under the probe, its vessel pulsates, and its speckle decorrelates from frame to frame.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

DYNAMIC_RANGE_DB = 60.0  # of the grey scale, 0..255
MAXIMUM = 255.0
LATERAL_SIGMA = 2.48  # pixels, of the PSF amplitude: stored grey correlates .85 .56 .32 .18 laterally, as in vivo,
AXIAL_SIGMA = 1.40  # pixels: and .63 .22 .09 axially
FRAME_CORRELATION = 0.96  # of the field between frames; the stored grey of still tissue then correlates about .84
MARGIN = 24  # pixels of tissue around the frame, so that drift and convolution never see the border
DRIFT_PIXELS = (1.5, 3.0)  # amplitude of the drift, axial and lateral
DRIFT_PERIOD = 31.0  # frames
PULSE_PERIOD = 16.0  # frames
PULSE = 0.12  # share by which the vessel's radius swings
QUADRATURE_NODES = 20000  # of the exponential law; the expected grey is then right to 0.01

Image = npt.NDArray[np.float32]
Real = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SpecklePhantom:
    """Stored frames and their truth."""

    frames: Image  # (frames, rows, columns) whole grey levels 0..255
    truth: Image  # (frames, rows, columns) expected grey level


def make_speckle_phantom(rows: int, columns: int, frames: int, rng: np.random.Generator) -> SpecklePhantom:
    """A still (``frames`` = 1) or a moving cine of layers, cysts, a vessel, bright lines and point targets."""
    canvas = rows + 2 * MARGIN, columns + 2 * MARGIN
    points = _point_targets(rows, columns, rng)
    scatterers = _white(canvas, rng)
    stored = np.empty((frames, rows, columns), np.float32)
    truth = np.empty_like(stored)
    for frame in range(frames):
        power = np.pad(10.0 ** (_echogenicity(rows, columns, frame) / 10.0), MARGIN, mode="edge")
        power[points] = 10.0 ** (5.0 / 10.0)
        shift = _drift(frame) if frames > 1 else (0.0, 0.0)
        stored[frame] = _grey(_observe(scatterers * np.sqrt(power), shift))
        truth[frame] = expected_grey(_observed_power(power, shift))
        scatterers = FRAME_CORRELATION * scatterers + np.sqrt(1.0 - FRAME_CORRELATION**2) * _white(canvas, rng)
    return SpecklePhantom(stored, truth)


def speckle_of(level: Real, rng: np.random.Generator) -> SpecklePhantom:
    """A still of given echogenicity, (rows, columns) in decibels below the top of the grey scale."""
    power = np.pad(10.0 ** (level / 10.0), MARGIN, mode="edge")
    stored = _grey(_observe(_white(power.shape, rng) * np.sqrt(power), (0.0, 0.0)))
    return SpecklePhantom(stored[None], expected_grey(_observed_power(power, (0.0, 0.0)))[None])


def expected_grey(power: Real) -> Image:
    """Mean stored grey of a Gaussian field of this power: E[grey(power x intensity)], intensity ~ Exp(1)."""
    quantiles = (np.arange(QUADRATURE_NODES) + 0.5) / QUADRATURE_NODES
    intensity = -np.log1p(-quantiles)
    decibels = np.arange(-DYNAMIC_RANGE_DB - 40.0, 60.0, 0.25)
    table = [_grey(np.sqrt(10.0 ** (level / 10.0) * intensity)).mean(dtype=np.float64) for level in decibels]
    grey = np.interp(10.0 * np.log10(np.maximum(power, 1e-30)), decibels, table)
    return np.asarray(grey, np.float32)


def _grey(envelope: Real) -> Image:
    decibels = 20.0 * np.log10(np.maximum(envelope, 1e-30))
    scaled = (decibels + DYNAMIC_RANGE_DB) * (MAXIMUM / DYNAMIC_RANGE_DB)
    return np.asarray(np.rint(np.clip(scaled, 0.0, MAXIMUM)), np.float32)


def _white(shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[np.complex128]:
    real, imaginary = rng.standard_normal((2, *shape))
    return np.asarray((real + 1j * imaginary) / np.sqrt(2.0), np.complex128)


def _drift(frame: int) -> tuple[float, float]:
    angle = 2.0 * np.pi * frame / DRIFT_PERIOD
    return DRIFT_PIXELS[0] * float(np.sin(angle)), DRIFT_PIXELS[1] * float(np.sin(angle + 1.0))


def _psf(shape: tuple[int, ...], shift: tuple[float, float]) -> Real:
    """Amplitude PSF around pixel (0, 0) moved by ``shift``, periodic, of unit energy."""
    axial = fft.fftfreq(shape[0], 1.0 / shape[0]) - shift[0]
    lateral = fft.fftfreq(shape[1], 1.0 / shape[1]) - shift[1]
    psf: Real = np.outer(np.exp(-0.5 * (axial / AXIAL_SIGMA) ** 2), np.exp(-0.5 * (lateral / LATERAL_SIGMA) ** 2))
    return np.asarray(psf / np.sqrt(np.sum(psf**2)), np.float64)


def _observe(field: npt.NDArray[np.complex128], shift: tuple[float, float]) -> Real:
    echo = fft.ifft2(fft.fft2(field) * fft.fft2(_psf(field.shape, shift)))
    return np.asarray(np.abs(echo)[MARGIN:-MARGIN, MARGIN:-MARGIN], np.float64)


def _observed_power(power: Real, shift: tuple[float, float]) -> Real:
    blurred = fft.ifft2(fft.fft2(power) * fft.fft2(_psf(power.shape, shift) ** 2)).real
    return np.asarray(blurred[MARGIN:-MARGIN, MARGIN:-MARGIN], np.float64)


def _echogenicity(rows: int, columns: int, frame: int) -> Real:
    """Decibels below the top of the grey scale, (rows, columns); sizes are shares of the frame's."""
    y, x = np.meshgrid(np.arange(rows) / rows, np.arange(columns) / columns, indexing="ij")
    level = np.full((rows, columns), -28.0)
    border = 0.04 * np.sin(2.0 * np.pi * x)  # tissue layers that undulate
    level[y < 0.20 + border] = -20.0
    level[y < 0.12 + border] = -34.0
    level[y > 0.78 - border] = -38.0
    level[(y > 0.86 - border) & (y < 0.90 - border)] = -24.0
    for centre_y, centre_x, radius, decibels in (
        (0.36, 0.18, 0.070, -60.0),
        (0.36, 0.42, 0.050, -40.0),
        (0.36, 0.63, 0.050, -16.0),
        (0.36, 0.84, 0.070, -34.0),
        (0.68, 0.12, 0.025, -60.0),
        (0.68, 0.24, 0.025, -12.0),
        (0.68, 0.36, 0.015, -60.0),
    ):
        level[np.hypot(y - centre_y, x - centre_x) < radius] = decibels
    vessel = np.hypot(y - 0.60, x - 0.68) / (0.10 * (1.0 + PULSE * np.sin(2.0 * np.pi * frame / PULSE_PERIOD)))
    level[vessel < 1.15] = -18.0
    level[vessel < 1.0] = -55.0
    width = 1.5 / rows  # lines of three pixels, whatever the size
    for height, slope in ((0.50, 0.03), (0.80, -0.10), (0.055, 0.02)):
        level[(np.abs(y - height - slope * x) < width) & (vessel > 1.15)] = -8.0
    return level


def _point_targets(rows: int, columns: int, rng: np.random.Generator) -> tuple[npt.NDArray[np.intp], ...]:
    """Canvas indices of a row of points, each moved a little, in otherwise even tissue."""
    x = np.linspace(0.1, 0.9, 9) * columns
    y = np.full(9, 0.27 * rows)
    jitter = rng.uniform(-3.0, 3.0, (2, 9))
    return tuple(np.rint(axis + MARGIN).astype(np.intp) for axis in (y + jitter[0], x + jitter[1]))
