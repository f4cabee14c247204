"""Small structures of known contrast put into any volume, real or phantom: spots, lines and plates, bright or dark.

A run with and a run without them shows what a method leaves of each: the difference of the two results, projected on
what was inserted. Volumes are (slices, rows, columns); an insertion lies in whole slices, as small things do in thick
ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from validation.phantoms.anatomy import Mask, Point, Volume

APART_MM = 8.0  # between the insertions of one volume, so that a filter's window seldom holds two
APART_SLICES = 2
BLUR_PIXELS = 0.5  # sd of the in-plane point spread: a sampled image has no sharper edge
REACH = 3.0  # sd of the blur that a profile extends beyond its shape

Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Shape:
    """A spot, or a line in the plane; over several slices a line is a plate."""

    width_mm: float  # diameter of a spot, thickness of a line
    length_mm: float = 0.0  # of a line
    slices: int = 1


@dataclass(frozen=True)
class Insertion:
    """A shape in its place."""

    shape: Shape
    centre: tuple[int, int, int]  # voxel
    angle: float  # radians, of a line against the rows
    contrast: float  # at its peak, the volume's unit; negative: dark
    sds: float  # size of the contrast in sd of the noise there


SPOTS = tuple(Shape(mm, slices=n) for mm in (2.0, 3.0, 4.0, 6.0) for n in (1, 3))
LINES = tuple(Shape(mm, 20.0, n) for mm in (1.0, 2.0) for n in (1, 3))
PLATES = (Shape(1.0, 20.0, 7), Shape(2.0, 20.0, 7))


def draw_insertions(
    rng: np.random.Generator, room: Mask, spacing: Point, shapes: Iterable[Shape], sds: Sequence[float], sd: Volume
) -> list[Insertion]:
    """Draw each shape at each contrast once, bright or dark, as far as there is room.

    Args:
        rng: of centres, angles and signs.
        room: voxels where a centre may lie.
        spacing: mm between slices, rows, columns.
        shapes: what to insert.
        sds: contrasts in sd of the noise.
        sd: the noise at each voxel, the shape of `room`.
    """
    free, drawn = room.copy(), []
    for shape in shapes:
        for size in sds:
            candidates = np.argwhere(_clear_of_borders(free, shape, spacing))
            if not len(candidates):
                continue
            z, y, x = (int(i) for i in candidates[rng.integers(len(candidates))])
            contrast = float(size * sd[z, y, x] * rng.choice((-1, 1)))
            drawn.append(Insertion(shape, (z, y, x), float(rng.uniform(0, np.pi)), contrast, size))
            reach = _reach(shape, spacing, shape.length_mm / 2 + APART_MM, APART_SLICES)
            free[tuple(slice(max(0, c - r), c + r + 1) for c, r in zip((z, y, x), reach, strict=True))] = False
    return drawn


def inserted(volume: Volume, spacing: Point, insertions: Iterable[Insertion]) -> Volume:
    """Return the volume with the insertions added."""
    result = volume.copy()
    for insertion in insertions:
        box, profile = profile_of(insertion, spacing)
        result[box] += np.float32(insertion.contrast) * profile
    return result


def retained(insertion: Insertion, spacing: Point, with_it: Volume, without: Volume) -> float:
    """Return the fraction of its contrast that two results, with and without it, differ by: 1 where nothing is lost."""
    box, profile = profile_of(insertion, spacing)
    difference = (with_it[box] - without[box]).astype(np.float64)
    return float((difference * profile).sum() / (profile.astype(np.float64) ** 2).sum() / insertion.contrast)


def profile_of(insertion: Insertion, spacing: Point) -> tuple[Box, Volume]:
    """Return where an insertion lies and its profile there, 1 at its peak."""
    shape = insertion.shape
    half = _reach(shape, spacing, (shape.length_mm + shape.width_mm) / 2, 0)
    y, x = (slice(c - h, c + h + 1) for c, h in zip(insertion.centre[1:], half[1:], strict=True))
    first = insertion.centre[0] - (shape.slices - 1) // 2
    rows, columns = (np.arange(-h, h + 1) * step for h, step in zip(half[1:], spacing[1:], strict=True))
    along = rows[:, None] * np.sin(insertion.angle) + columns * np.cos(insertion.angle)
    across = rows[:, None] * np.cos(insertion.angle) - columns * np.sin(insertion.angle)
    distance = np.hypot(across, np.maximum(np.abs(along) - shape.length_mm / 2, 0))
    cover = np.clip((shape.width_mm / 2 - distance) / spacing[1] + 0.5, 0, 1)
    plane = ndimage.gaussian_filter(cover, BLUR_PIXELS)
    profile = np.repeat(plane[None] / plane.max(), shape.slices, axis=0)
    return (slice(first, first + shape.slices), y, x), np.asarray(profile, np.float32)


def _reach(shape: Shape, spacing: Point, millimetres: float, slices: int) -> tuple[int, int, int]:
    """Return how far (slices, rows, columns) a shape goes from its centre, with so much more around."""
    rows, columns = (int(np.ceil(millimetres / step + REACH * BLUR_PIXELS)) for step in spacing[1:])
    return shape.slices // 2 + slices, rows, columns


def _clear_of_borders(free: Mask, shape: Shape, spacing: Point) -> Mask:
    """Return where the whole profile lies in the volume."""
    clear = np.zeros_like(free)
    inside = tuple(
        slice(reach, count - reach)
        for reach, count in zip(
            _reach(shape, spacing, (shape.length_mm + shape.width_mm) / 2, 0), free.shape, strict=True
        )
    )
    clear[inside] = free[inside]
    return clear
