"""Linear and sector probes: where their beams run, and the scan conversion of a sector.

Coordinates are fractions of the frame's side, (row, column); a sector's raw frame has samples along rows and beams
along columns. The expectation of an interpolation is the interpolation of expectations, so a converted truth stays
exact.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from validation.phantoms.speckle_physics import MARGIN, Real

HALF_ANGLE, APEX = 0.60, 0.35  # of the sector: radians; how far its apex lies above the frame

Kind = Literal["linear", "sector"]


def sample_coordinates(kind: Kind, side: int) -> tuple[Real, Real]:
    """Return where in the frame each sample of the raw canvas lies."""
    rows, columns = np.meshgrid(*[(np.arange(side + 2 * MARGIN) - MARGIN) / side] * 2, indexing="ij")
    if kind == "linear":
        return rows, columns
    angle, depth = HALF_ANGLE * (2.0 * columns - 1.0), APEX + rows
    return depth * np.cos(angle) - APEX, 0.5 + depth * np.sin(angle)


def tissue_of_probe(kind: Kind, side: int) -> npt.NDArray[np.bool_]:
    """Return which pixels of the frame are imaged."""
    if kind == "linear":
        return np.ones((side, side), bool)
    depth, beam = _sector_samples(side)
    last = (side - 1) / side
    return np.asarray((depth >= 0.0) & (depth <= last) & (beam >= 0.0) & (beam <= last))


def frame_of(kind: Kind, raw: Real) -> Real:
    """Return the frame of a raw one: of a sector, bilinearly converted."""
    if kind == "linear":
        return raw
    side = len(raw)
    return np.asarray(map_coordinates(raw, [side * axis for axis in _sector_samples(side)], order=1))


def _sector_samples(side: int) -> tuple[Real, Real]:
    """Return sample and beam of each pixel of the frame."""
    y, x = np.meshgrid(*[np.arange(side) / side] * 2, indexing="ij")
    angle = np.arctan2(x - 0.5, y + APEX)
    return np.hypot(x - 0.5, y + APEX) - APEX, 0.5 * (angle / HALF_ANGLE + 1.0)
