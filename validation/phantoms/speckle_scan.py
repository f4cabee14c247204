"""Phantoms of the bench: speckle of known statistics on a scene, seen by a linear or a sector probe, with exact truth.

In: kind, side, frames, the scene's seed and the realisation's seed. Out: frames in 8 bits and the expected grey level
of each pixel. Beyond validation/phantoms/speckle_phantom.py: the lateral spread grows with depth, points are coherent
reflectors (expected grey over the Rice law), tissue below the middle slides under tissue that stands still, and a
sector is scan converted, which keeps the truth exact since the expectation of an interpolation is the interpolation
of expectations. The scene, not the speckle, decides the truth: realisations of one scene measure bias.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import fft, stats
from scipy.ndimage import map_coordinates

from validation.phantoms.speckle_phantom import AXIAL_SIGMA, DYNAMIC_RANGE_DB, FRAME_CORRELATION, LATERAL_SIGMA, MAXIMUM
from validation.phantoms.speckle_scene import POINT_DB, Scene, draw_scene, echogenicity

MARGIN = 24  # pixels of tissue around the frame
SPREAD = 0.8, 1.25  # of the lateral sigma, from top to bottom
SLIDE, SLIDE_PERIOD = 4.0, 24.0  # pixels and frames of the lateral motion below
SLIDE_TOP, SLIDE_FULL = 0.52, 0.58  # rows between which the motion sets in
HALF_ANGLE, APEX = 0.60, 0.35  # of the sector: radians; how far its apex lies above the frame
NODES = 4000  # quantiles of the intensity's law; expected grey to 0.05
COHERENT_RATIOS_DB = np.arange(-30.0, 60.1, 2.0)  # coherent over diffuse power
LEVELS_DB = np.arange(-110.0, 40.1, 0.5)

Image = npt.NDArray[np.float32]
Real = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]
Kind = Literal["linear", "sector"]


@dataclass(frozen=True, eq=False)
class Phantom:
    """Frames, truth and where things are; masks are (rows, columns)."""

    scene: Scene
    frames: Image  # (frames, rows, columns) whole grey levels
    truth: Image  # (frames, rows, columns) expected grey
    tissue: npt.NDArray[np.bool_]


def make_phantom(kind: Kind, side: int, frames: int, seed: int, realisation: int = 0) -> Phantom:
    """A still or, with more frames than one, a cine in which the lower half slides and a vessel pulsates."""
    scene = draw_scene(np.random.default_rng([seed, 0]), pulsating=frames > 1)
    rng = np.random.default_rng([seed, 1, realisation])
    canvas = side + 2 * MARGIN
    rows, columns = np.meshgrid(*[(np.arange(canvas) - MARGIN) / side] * 2, indexing="ij")
    y, x = (rows, columns) if kind == "linear" else _polar_places(rows, columns)
    points = _nearest(y, x, scene.points)
    tissue = np.ones((side, side), bool) if kind == "linear" else _in_sector(side)
    scatterers = _white((canvas, canvas), rng)
    stored, truth = np.zeros((2, frames, side, side), np.float32)
    for frame in range(frames):
        power = 10.0 ** (echogenicity(scene, y, x, frame) / 10.0)
        shift = _slide(y[:, 0], frame) if frames > 1 else np.zeros(canvas)
        coherent = _observe(_impulses(points, canvas), shift, side)
        echo = _observe(scatterers * np.sqrt(power), shift, side) + coherent
        expected = expected_grey(_observe(power, shift, side, squared=True).real, np.abs(coherent) ** 2)
        grey = _grey(np.abs(echo) ** 2)
        if kind == "sector":
            grey, expected = (_scan_converted(image, side) for image in (grey, expected))
        stored[frame], truth[frame] = np.rint(grey) * tissue, expected * tissue
        scatterers = FRAME_CORRELATION * scatterers + np.sqrt(1 - FRAME_CORRELATION**2) * _white(scatterers.shape, rng)
    return Phantom(scene, stored, truth, tissue)


def expected_grey(diffuse: Real, coherent: Real) -> Real:
    """Mean stored grey of a coherent echo of this power on Gaussian speckle of that power."""
    level = 10.0 * np.log10(np.maximum(diffuse, 1e-12))
    ratio = 10.0 * np.log10(np.maximum(coherent, 1e-30)) - level
    places = [
        (np.clip(each, grid[0], grid[-1]) - grid[0]) / (grid[1] - grid[0])
        for each, grid in ((ratio, COHERENT_RATIOS_DB), (level, LEVELS_DB))
    ]
    return np.asarray(map_coordinates(_grey_table(), places, order=1))


@cache
def _grey_table() -> Real:
    """Expected grey by coherent ratio and diffuse level: |sqrt(k) + z|^2, z complex Gaussian of unit power."""
    quantiles = (np.arange(NODES) + 0.5) / NODES
    table = np.empty((len(COHERENT_RATIOS_DB), len(LEVELS_DB)))
    for row, ratio in enumerate(COHERENT_RATIOS_DB):
        intensity = stats.ncx2.ppf(quantiles, 2, 2.0 * 10.0 ** (ratio / 10.0)) / 2.0
        table[row] = [np.rint(_grey(10.0 ** (level / 10.0) * intensity)).mean() for level in LEVELS_DB]
    return table


def _grey(intensity: Real) -> Real:
    decibels = 10.0 * np.log10(np.maximum(intensity, 1e-30))
    return np.clip((decibels + DYNAMIC_RANGE_DB) * (MAXIMUM / DYNAMIC_RANGE_DB), 0.0, MAXIMUM)


def _observe(field: Complex | Real, shift: Real, side: int, squared: bool = False) -> Complex:
    """The field under a point spread function of unit energy, its lateral part by row; or power under its square."""
    canvas = len(field)
    offsets = fft.fftfreq(canvas, 1.0 / canvas)
    axial = np.exp(-0.5 * (offsets / AXIAL_SIGMA) ** 2)
    sigma = LATERAL_SIGMA * np.interp((np.arange(canvas) - MARGIN) / side, (0.0, 1.0), SPREAD)
    lateral = np.exp(-0.5 * ((offsets[None] - shift[:, None]) / sigma[:, None]) ** 2)
    axial, lateral = (psf / np.sqrt((psf**2).sum(axis=-1, keepdims=True)) for psf in (axial, lateral))
    if squared:
        axial, lateral = axial**2, lateral**2
    tall = fft.ifft(fft.fft(field, axis=0) * fft.fft(axial)[:, None], axis=0)
    wide = fft.ifft(fft.fft(tall, axis=1) * fft.fft(lateral, axis=1), axis=1)
    return np.asarray(wide[MARGIN : MARGIN + side, MARGIN : MARGIN + side])


def _impulses(points: list[tuple[int, int]], canvas: int) -> Complex:
    """Coherent reflectors whose echo peaks at ``POINT_DB``."""
    field = np.zeros((canvas, canvas), np.complex128)
    amplitude = 10.0 ** (POINT_DB / 20.0) * np.sqrt(np.pi * AXIAL_SIGMA * LATERAL_SIGMA)
    for row, column in points:
        field[row, column] = amplitude
    return field


def _nearest(y: Real, x: Real, points: tuple[tuple[float, float], ...]) -> list[tuple[int, int]]:
    nearest = (np.unravel_index(np.argmin((y - py) ** 2 + (x - px) ** 2), y.shape) for py, px in points)
    return [(int(row), int(column)) for row, column in nearest]


def _slide(y: Real, frame: int) -> Real:
    """Lateral shift by row, in pixels."""
    share = np.clip((y - SLIDE_TOP) / (SLIDE_FULL - SLIDE_TOP), 0.0, 1.0)
    return np.asarray(share * SLIDE * np.sin(2.0 * np.pi * frame / SLIDE_PERIOD))


def _polar_places(rows: Real, columns: Real) -> tuple[Real, Real]:
    """Where in the frame the samples (rows) of the beams (columns) lie."""
    angle, depth = HALF_ANGLE * (2.0 * columns - 1.0), APEX + rows
    return depth * np.cos(angle) - APEX, 0.5 + depth * np.sin(angle)


def _sector_places(side: int) -> tuple[Real, Real]:
    """Sample and beam, in shares, of each pixel of the frame."""
    y, x = np.meshgrid(*[np.arange(side) / side] * 2, indexing="ij")
    angle = np.arctan2(x - 0.5, y + APEX)
    return np.hypot(x - 0.5, y + APEX) - APEX, 0.5 * (angle / HALF_ANGLE + 1.0)


def _in_sector(side: int) -> npt.NDArray[np.bool_]:
    depth, beam = _sector_places(side)
    last = (side - 1) / side
    return np.asarray((depth >= 0.0) & (depth <= last) & (beam >= 0.0) & (beam <= last))


def _scan_converted(image: Real, side: int) -> Real:
    return np.asarray(map_coordinates(image, [side * place for place in _sector_places(side)], order=1))


def _white(shape: tuple[int, ...], rng: np.random.Generator) -> Complex:
    real, imaginary = rng.standard_normal((2, *shape))
    return np.asarray((real + 1j * imaginary) / np.sqrt(2.0))
