"""A CT test object: a water-like cylinder with rods for edges and HU, faint balls for detection, and a uniform field.

Rods run through all slices on a ring; balls of three sizes and two contrasts lie in planes, ten slices apart, around
the uniform square in the middle. Noise is that of a scanner, from `ct_noise`.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from validation.phantoms.anatomy import Grid, Phantom, Volume, coverage, cylinder, ellipsoid, grid, paint
from validation.phantoms.ct_noise import scanner_noise
from validation.phantoms.ct_phantom import BLUR_PIXELS
from validation.phantoms.test_object import Insert, TestObject, voxel_of

PIXEL_MM, SLICE_MM = 0.75, 1.0
SOFT, AIR = 40.0, -1000.0  # HU
BODY_MM, RING_MM, ROD_MM = 90.0, 72.0, 8.0  # radii: of the cylinder, of the rods' ring, of a rod
ROD_CONTRASTS = (10, 30, 100, 10, 500, 30, 10, -140, 100, 10, 30, 500, 10, 100, 30, -890)  # HU over SOFT, in order
UNIFORM_PIXELS = 64  # side of the uniform square
BALLS = {(5.0, 10.0): 56, (3.0, 10.0): 22, (8.0, 10.0): 22, (3.0, 30.0): 22, (5.0, 30.0): 22, (8.0, 30.0): 20}
# (diameter in mm, HU): how many; the first is the lesion of the acceptance tests
SITE_MM, PLANE_SLICES = 12.0, 10  # between the balls of a plane, and from plane to plane
SITES_WITHIN_MM, SITES_BEYOND_MM = 55.0, 30.0  # distance from the centre, and from the square's axes


def ct_inserts(
    shape: tuple[int, int, int] = (40, 256, 256), *, slice_mm: float = SLICE_MM, noise_hu: float, seed: int
) -> TestObject:
    """Return the object; `shape` are slices, rows, columns, `noise_hu` the sd of the noise in the uniform square."""
    rng = np.random.default_rng(seed)
    where = grid(shape, (slice_mm, PIXEL_MM, PIXEL_MM))
    image = np.full(shape, AIR, np.float32)
    paint(image, coverage(cylinder(where, (0, 0), (BODY_MM, BODY_MM)), where), SOFT)
    rods = tuple(_paint_rods(image, where))
    balls = tuple(_paint_balls(rng, image, where))
    truth = np.asarray(ndimage.gaussian_filter(image, (0, BLUR_PIXELS, BLUR_PIXELS)), np.float32)
    uniform = np.zeros(shape, bool)
    middle = [slice((count - UNIFORM_PIXELS) // 2, (count + UNIFORM_PIXELS) // 2) for count in shape[1:]]
    uniform[:, middle[0], middle[1]] = True
    noisy = truth + scanner_noise(rng, truth, PIXEL_MM, uniform, noise_hu, 0.0)
    regions = {"uniform": uniform, "body": truth > SOFT - 200}
    return TestObject(Phantom(truth, noisy, where.spacing, "CT", regions), rods, balls)


def planes(slices: int) -> NDArray[np.intp]:
    """Return the slices in whose middle balls lie; half-way between them lies none."""
    return np.arange(PLANE_SLICES // 2, slices, PLANE_SLICES)


def empty_sites(shape: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Return voxels with the same surroundings as the balls' centres, but no ball."""
    between = planes(shape[0])[:-1] + PLANE_SLICES // 2
    offset = [(count - 1) / 2 for count in shape[1:]]
    return [
        (int(z), round(y / PIXEL_MM + offset[0]), round(x / PIXEL_MM + offset[1])) for z in between for y, x in _sites()
    ]


def _paint_rods(image: Volume, where: Grid) -> list[Insert]:
    rods = []
    for index, contrast in enumerate(ROD_CONTRASTS):
        angle = 2 * np.pi * index / len(ROD_CONTRASTS)
        y, x = RING_MM * np.sin(angle), RING_MM * np.cos(angle)
        paint(image, coverage(cylinder(where, (y, x), (ROD_MM, ROD_MM)), where), SOFT + contrast)
        rods.append(Insert(voxel_of(where, (0.0, y, x)), ROD_MM / PIXEL_MM, float(contrast)))
    return rods


def _paint_balls(rng: np.random.Generator, image: Volume, where: Grid) -> list[Insert]:
    kinds = np.repeat(np.array(list(BALLS)), list(BALLS.values()), axis=0)
    centres = [(z, y, x) for z in where.z.ravel()[planes(where.shape[0])] for y, x in _sites()]
    balls = []
    for (diameter, contrast), (z, y, x) in zip(rng.permutation(kinds), centres, strict=False):
        # on a voxel's centre, so that every ball of a kind is sampled the same
        point = tuple(float(axis.ravel()[np.abs(axis - at).argmin()]) for axis, at in
                      zip((where.z, where.y, where.x), (z, y, x), strict=True))  # fmt: skip
        ball = ellipsoid(where, (point[0], point[1], point[2]), 3 * (diameter / 2,))
        image += contrast * coverage(ball, where)
        balls.append(Insert(voxel_of(where, (point[0], point[1], point[2])), diameter / 2 / PIXEL_MM, float(contrast)))
    return balls


def _sites() -> list[tuple[float, float]]:
    """(y, x) in mm of the centres of balls in a plane."""
    along = np.arange(-4, 5) * SITE_MM
    return [
        (float(y), float(x))
        for y in along
        for x in along
        if np.hypot(y, x) <= SITES_WITHIN_MM and max(abs(y), abs(x)) >= SITES_BEYOND_MM
    ]
