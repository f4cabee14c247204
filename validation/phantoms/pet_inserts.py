"""A PET test object after NEMA NU 2: a warm body with hot spheres of six sizes, several of each, noise of a scanner."""

import numpy as np
from scipy import ndimage

from validation.phantoms.anatomy import Phantom, coverage, ellipsoid, grid, paint
from validation.phantoms.pet_phantom import (
    NOISE_PER_ROOT,
    RESOLUTION_MM,
    SLICE_MM,
    SPHERE_CONTRAST,
    SPHERES,
    TISSUE,
    noisy_activity,
)
from validation.phantoms.test_object import Insert, TestObject, voxel_of

PIXEL_MM = 4.0
BODY_MM = (110.0, 150.0)  # half axes: rows, columns
RING_MM = ((62.0, 95.0), (28.0, 48.0))  # half axes of the two rings on which spheres lie
PLANES_MM = (-38.0, 38.0)  # two planes of spheres, far enough apart for the largest
UNIFORM_MM = 31.0  # side of the uniform field around the middle, through all slices


def pet_inserts(
    shape: tuple[int, int, int] = (40, 96, 96), *, noise_per_root: float = NOISE_PER_ROOT, seed: int
) -> TestObject:
    """Return the object; `noise_per_root` is the sd of the noise (Bq/mL) over the root of the activity (Bq/mL)."""
    rng = np.random.default_rng(seed)
    where = grid(shape, (SLICE_MM, PIXEL_MM, PIXEL_MM))
    image = np.zeros(shape, np.float32)
    paint(image, coverage(ellipsoid(where, (0, 0, 0), (1e6, *BODY_MM)), where), TISSUE)
    outer, inner = list(SPHERES), [13, 10, 17, 10, 13, 22]  # mm; small ones are the hard ones, so there are more
    balls = []
    for plane, z in enumerate(PLANES_MM):
        for diameters, (half_y, half_x) in zip((outer, inner), RING_MM, strict=True):
            for index, diameter in enumerate(diameters):
                angle = 2 * np.pi * (index + plane / 2) / len(diameters)
                point = (z, half_y * float(np.sin(angle)), half_x * float(np.cos(angle)))
                paint(image, coverage(ellipsoid(where, point, 3 * (diameter / 2,)), where), SPHERE_CONTRAST * TISSUE)
                contrast = (SPHERE_CONTRAST - 1) * TISSUE
                balls.append(Insert(voxel_of(where, point), diameter / 2 / PIXEL_MM, contrast))
    truth = np.asarray(ndimage.gaussian_filter(image, [RESOLUTION_MM / step for step in where.spacing]), np.float32)
    uniform = np.broadcast_to(
        (np.abs(where.y) <= UNIFORM_MM / 2) & (np.abs(where.x) <= UNIFORM_MM / 2) & (np.abs(where.z) < 1e6), shape
    )
    noisy = noisy_activity(rng, truth, where.spacing, noise_per_root)
    regions = {"uniform": uniform, "body": truth > TISSUE / 2}
    return TestObject(Phantom(truth, noisy, where.spacing, "PT", regions), balls=tuple(balls))
