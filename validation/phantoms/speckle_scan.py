"""Speckle of known statistics on a scene, seen by a linear or a sector probe, with exact truth.

In: kind, side, frames, the scene's seed and the realisation's seed. Out: frames in 8 bits and the expected grey of each
pixel. Beyond `speckle_phantom`: the lateral spread grows with depth, points are coherent reflectors, and tissue below
the middle slides under tissue that stands still. The scene, not the speckle, decides the truth: realisations of one
scene measure bias.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from validation.phantoms.speckle_physics import (
    AXIAL_SIGMA,
    LATERAL_SIGMA,
    MARGIN,
    Beam,
    Complex,
    Image,
    Real,
    diffuse_power,
    echo_of,
    expected_grey,
    grey_of,
    renewed,
    white,
)
from validation.phantoms.speckle_probe import Kind, frame_of, sample_coordinates, tissue_of_probe
from validation.phantoms.speckle_scene import POINT_DB, Scene, draw_scene, echogenicity

SPREAD = 0.8, 1.25  # of the lateral sigma, from top to bottom
SLIDE, SLIDE_PERIOD = 4.0, 24.0  # pixels and frames of the lateral motion below
SLIDE_TOP, SLIDE_FULL = 0.52, 0.58  # rows between which the motion sets in


@dataclass(frozen=True, eq=False)
class SpeckleScan:
    """Frames, truth and what they show."""

    scene: Scene
    frames: Image  # (frames, rows, columns) whole grey levels
    truth: Image  # (frames, rows, columns) expected grey
    tissue: npt.NDArray[np.bool_]  # (rows, columns)


def make_scan(kind: Kind, side: int, frames: int, seed: int, realisation: int = 0) -> SpeckleScan:
    """Return a still or, with more frames than one, a cine in which the lower half slides and a vessel pulsates."""
    scene = draw_scene(np.random.default_rng([seed, 0]), pulsating=frames > 1)
    rng = np.random.default_rng([seed, 1, realisation])
    y, x = sample_coordinates(kind, side)
    points = _impulses(scene, y, x)
    tissue = tissue_of_probe(kind, side)
    scatterers = white(y.shape, rng)
    stored, truth = np.zeros((2, frames, side, side), np.float32)
    for frame in range(frames):
        power = 10.0 ** (echogenicity(scene, y, x, frame) / 10.0)
        beam = _beam(y[:, 0], frame if frames > 1 else 0, side)
        coherent = echo_of(points, beam)
        grey = frame_of(kind, grey_of(np.abs(echo_of(scatterers * np.sqrt(power), beam) + coherent) ** 2))
        expected = frame_of(kind, expected_grey(diffuse_power(power, beam), np.abs(coherent) ** 2))
        stored[frame], truth[frame] = np.rint(grey) * tissue, expected * tissue
        scatterers = renewed(scatterers, rng)
    return SpeckleScan(scene, stored, truth, tissue)


def _beam(y: Real, frame: int, side: int) -> Beam:
    """Return the beam whose spread grows with depth; the tissue slides by row, not at all in frame 0."""
    depth = np.clip((y - SLIDE_TOP) / (SLIDE_FULL - SLIDE_TOP), 0.0, 1.0)
    slide = depth * SLIDE * np.sin(2.0 * np.pi * frame / SLIDE_PERIOD)
    rows = (np.arange(len(y)) - MARGIN) / side
    return Beam(0.0, slide, LATERAL_SIGMA * np.interp(rows, (0.0, 1.0), SPREAD))


def _impulses(scene: Scene, y: Real, x: Real) -> Complex:
    """Return coherent reflectors whose echo peaks at `POINT_DB`, each at the sample next to its point."""
    field = np.zeros(y.shape, np.complex128)
    amplitude = 10.0 ** (POINT_DB / 20.0) * np.sqrt(np.pi * AXIAL_SIGMA * LATERAL_SIGMA)
    for row, column in scene.points:
        field[np.unravel_index(np.argmin((y - row) ** 2 + (x - column) ** 2), y.shape)] = amplitude
    return field
