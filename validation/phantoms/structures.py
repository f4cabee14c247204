"""Small structures for phantoms, in mm: trees of thin vessels that branch as straight tubes, and scattered balls."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from validation.phantoms.anatomy import Grid, Mask, Point, Volume, coverage

Vector = NDArray[np.float64]

BEND = 0.45  # random part of a branch's direction, against a unit vector: turns of about 25 degrees
TAPER = 0.79  # radius of a child over its parent's: Murray's law for two equal children
SHORTEN = 0.85  # length of a child over its parent's


@dataclass(frozen=True)
class Tube:
    """A straight piece of vessel; ends (z, y, x) and radius in mm."""

    start: Vector
    end: Vector
    radius: float


def tree(rng: np.random.Generator, root: Point, direction: Point, radius: float, thinnest: float) -> Iterator[Tube]:
    """Yield a tree that starts at `root` (mm) and branches in two until its radius falls under `thinnest` (mm)."""
    way = np.asarray(direction) / np.linalg.norm(direction)
    yield from _grow(rng, np.asarray(root, float), way, radius, 14 + 5 * radius, thinnest)


def _grow(
    rng: np.random.Generator, start: Vector, way: Vector, radius: float, length: float, thinnest: float
) -> Iterator[Tube]:
    end = start + way * length
    yield Tube(start, end, radius)
    child = radius * TAPER
    if child < thinnest:
        return
    sideways = np.cross(way, rng.standard_normal(3))
    sideways *= 0.7 / np.linalg.norm(sideways)
    for turn in (sideways, -sideways):
        bent = way + turn + BEND * rng.standard_normal(3)
        yield from _grow(rng, end, bent / np.linalg.norm(bent), child, length * SHORTEN, thinnest)


def tubes_coverage(tubes: Iterable[Tube], where: Grid) -> Volume:
    """Return the fraction of each voxel inside any tube, edges one pixel wide."""
    cover = np.zeros(where.shape, np.float32)
    for tube in tubes:
        box = _box(tube, where)
        if all(side.stop > side.start for side in box):
            near = Grid(where.z[box[0]], where.y[:, box[1]], where.x[:, :, box[2]], where.spacing)
            np.maximum(cover[box], _coverage(tube, near), out=cover[box])
    return cover


def _box(tube: Tube, where: Grid) -> tuple[slice, slice, slice]:
    reach = tube.radius + where.spacing[1]
    low, high = np.minimum(tube.start, tube.end) - reach, np.maximum(tube.start, tube.end) + reach
    axes = (where.z.ravel(), where.y.ravel(), where.x.ravel())
    z, y, x = (
        slice(int(np.searchsorted(axis, a)), int(np.searchsorted(axis, b)))
        for axis, a, b in zip(axes, low, high, strict=True)
    )
    return z, y, x


def _coverage(tube: Tube, near: Grid) -> Volume:
    along = tube.end - tube.start
    offset = [axis - s for axis, s in zip((near.z, near.y, near.x), tube.start, strict=True)]
    fraction = np.clip(sum(o * a for o, a in zip(offset, along, strict=True)) / (along @ along), 0, 1)
    distance = np.sqrt(sum((o - fraction * a) ** 2 for o, a in zip(offset, along, strict=True)))
    return coverage(tube.radius - distance, near)


def distance_within(inside: Mask, where: Grid) -> Volume:
    """Return the distance of each voxel to the nearest one outside `inside`, mm."""
    return np.asarray(ndimage.distance_transform_edt(inside, sampling=where.spacing), np.float32)


def scattered_balls(
    rng: np.random.Generator, where: Grid, depth: Volume, count: int, radii: tuple[float, float]
) -> Volume:
    """Return the coverage of up to `count` balls, radii in mm, apart from each other and where `depth` (mm) allows."""
    cover = np.zeros(where.shape, np.float32)
    for _ in range(count):
        radius = rng.uniform(*radii)
        free = np.argwhere(depth > radius + 2 * where.spacing[1])
        if not len(free):
            return cover
        at = free[rng.integers(len(free))]
        centred = [axis - axis.ravel()[i] for axis, i in zip((where.z, where.y, where.x), at, strict=True)]
        ball = radius - np.sqrt(sum(axis**2 for axis in centred))
        np.maximum(cover, coverage(ball, where), out=cover)
        depth = np.minimum(depth, -ball)
    return cover
