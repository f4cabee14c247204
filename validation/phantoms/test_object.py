"""A phantom with a plan of what lies where in it, so that measures need no search.

Centres are in voxels, (slice, row, column), fractions allowed; contrasts in the phantom's unit against what surrounds.
"""

from dataclasses import dataclass

import numpy as np

from validation.phantoms.anatomy import Grid, Mask, Phantom, Point

CLEAR = 2.0  # pixels from an edge that still hold some of it


@dataclass(frozen=True)
class Insert:
    """A rod along the slices, or a ball."""

    centre: Point  # voxels; of a rod, its middle slice
    radius: float  # pixels
    contrast: float  # over its surroundings, real units


@dataclass(frozen=True)
class TestObject:
    """The phantom and its plan."""

    phantom: Phantom
    rods: tuple[Insert, ...] = ()
    balls: tuple[Insert, ...] = ()

    @property
    def pixel_mm(self) -> float:
        """In-plane size of a pixel."""
        return self.phantom.spacing[1]


def voxel_of(where: Grid, point: Point) -> Point:
    """Return the voxel coordinates of a point in mm."""
    z, y, x = (
        value / step + (count - 1) / 2 for value, step, count in zip(point, where.spacing, where.shape, strict=True)
    )
    return z, y, x


def disc(shape: tuple[int, ...], insert: Insert, grown: float = 0.0) -> Mask:
    """Return the (rows, columns) pixels within an insert's radius, grown by so many pixels."""
    _, row, column = insert.centre
    y, x = (np.arange(count) - middle for count, middle in zip(shape[-2:], (row, column), strict=True))
    return np.asarray(np.hypot(y[:, None], x[None, :]) <= insert.radius + grown)


def ring(shape: tuple[int, ...], insert: Insert, thick: float) -> Mask:
    """Return the (rows, columns) pixels around an insert, clear of its edge."""
    return disc(shape, insert, CLEAR + thick) & ~disc(shape, insert, CLEAR)
