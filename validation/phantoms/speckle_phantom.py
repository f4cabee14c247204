"""Ultrasound with an exact truth: fully developed speckle on a known echogenicity, by `speckle_physics`.

In: the frame's size, the number of frames and a generator. Out: 8-bit grey frames as a scanner stores them and,
for each, the *expected* grey, which is what a denoiser should give back. A cine drifts as one piece under the probe,
its vessel pulsates, and its speckle decorrelates from frame to frame.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from validation.phantoms.speckle_physics import (
    MARGIN,
    Image,
    Real,
    diffuse_power,
    echo_of,
    expected_grey,
    grey_of,
    renewed,
    still_beam,
    white,
)

DRIFT_PIXELS = (1.5, 3.0)  # amplitude of the drift, axial and lateral
DRIFT_PERIOD = 31.0  # frames
PULSE_PERIOD = 16.0  # frames
PULSE = 0.12  # fraction by which the vessel's radius swings


@dataclass(frozen=True)
class SpecklePhantom:
    """Stored frames and their truth."""

    frames: Image  # (frames, rows, columns) whole grey levels 0..255
    truth: Image  # (frames, rows, columns) expected grey level


def make_speckle_phantom(rows: int, columns: int, frames: int, rng: np.random.Generator) -> SpecklePhantom:
    """A still (``frames`` = 1) or a moving cine of layers, cysts, a vessel, bright lines and point targets."""
    canvas = rows + 2 * MARGIN, columns + 2 * MARGIN
    points = _point_targets(rows, columns, rng)
    scatterers = white(canvas, rng)
    stored, truth = np.empty((2, frames, rows, columns), np.float32)
    for frame in range(frames):
        power = np.pad(10.0 ** (_echogenicity(rows, columns, frame) / 10.0), MARGIN, mode="edge")
        power[points] = 10.0 ** (5.0 / 10.0)
        beam = still_beam(canvas[0], _drift(frame) if frames > 1 else (0.0, 0.0))
        stored[frame] = np.rint(grey_of(np.abs(echo_of(scatterers * np.sqrt(power), beam)) ** 2))
        truth[frame] = expected_grey(diffuse_power(power, beam))
        scatterers = renewed(scatterers, rng)
    return SpecklePhantom(stored, truth)


def speckle_of(decibels: Real, rng: np.random.Generator) -> SpecklePhantom:
    """Return a still of given echogenicity, (rows, columns) in decibels below the top of the grey scale."""
    power = np.pad(10.0 ** (decibels / 10.0), MARGIN, mode="edge")
    beam = still_beam(len(power))
    stored = np.rint(grey_of(np.abs(echo_of(white(power.shape, rng) * np.sqrt(power), beam)) ** 2))
    return SpecklePhantom(
        stored[None].astype(np.float32), expected_grey(diffuse_power(power, beam))[None].astype(np.float32)
    )


def _drift(frame: int) -> tuple[float, float]:
    angle = 2.0 * np.pi * frame / DRIFT_PERIOD
    return DRIFT_PIXELS[0] * float(np.sin(angle)), DRIFT_PIXELS[1] * float(np.sin(angle + 1.0))


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
