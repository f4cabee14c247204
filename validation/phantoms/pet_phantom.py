"""An FDG whole-body PET with known truth: (slices, rows, columns) of activity in Bq/mL.

Chest and upper abdomen with warm blood, heart wall, liver, spleen, kidneys, cold lungs, and hot spheres of known
contrast. The truth is what a noiseless scan would show, blurred by the scanner. The noise is positively correlated
along all three axes, with sd growing as the root of the activity; values stay positive and their mean is the truth.
Neighbouring slices share noise: a method that takes them for independent learns it.
"""

import numpy as np
from scipy import ndimage, stats

from validation.phantoms.anatomy import (
    SOLID,
    Grid,
    Phantom,
    Volume,
    average_slices,
    coverage,
    ellipsoid,
    grid,
    paint,
    smooth_field,
    warped,
)

TISSUE, LUNG, LIVER, BLOOD, HEART_WALL, SPLEEN, KIDNEY, SPINE = (
    2200.0,
    700.0,
    5200.0,
    3300.0,
    9000.0,
    4200.0,
    11000.0,
    3800.0,
)
SPHERE_CONTRAST = 4.0  # hot spheres over the tissue around them: NEMA NU 2
SPHERES = {  # diameter in mm (NEMA NU 2): centre in mm, two of them in lung, one in liver
    37: (40.0, -45.0, 55.0),
    28: (10.0, -60.0, 22.0),
    22: (-40.0, 10.0, -72.0),
    17: (-45.0, 30.0, 85.0),
    13: (45.0, -10.0, -70.0),
    10: (20.0, -30.0, 85.0),
}
FOV_MM = 400.0  # a torso
SLICE_MM = 3.27  # of the scanner whose noise was measured
RESOLUTION_MM = 2.8  # sd of the scanner's point spread: 6.5 mm full width at half maximum
NOISE_IN_PLANE_MM = 5.0  # sd of the kernel that correlates the noise: a clinical scan's correlation .81 at 4.7 mm
NOISE_AXIAL_MM = 2.5  # same scan: about .6 between slices of 3.27 mm once the anatomy is taken off
NOISE_PER_ROOT = 15.0  # sd in Bq/mL per root of Bq/mL, same scan: 809 at 2660
LEAST = 1.0  # Bq/mL, keeps the noise law finite in air
HALF = 0.5  # of a sphere: the smallest fill no voxel
SUB_SLICES = 2  # averaged: organs are drawn finer than the slices


def pet_phantom(
    shape: tuple[int, int, int] = (40, 64, 64),
    *,
    slice_mm: float = SLICE_MM,
    noise_per_root: float = NOISE_PER_ROOT,
    seed: int = 0,
) -> Phantom:
    """Return a PET phantom.

    Args:
        shape: slices, rows, columns; rows equal columns.
        slice_mm: spacing and thickness of the slices.
        noise_per_root: sd of the noise (Bq/mL) over the root of the activity (Bq/mL).
        seed: of anatomy and noise.

    Regions: body, lung, flat (liver, away from edges), spheres (the hot ones), sphere_37 .. sphere_10 (their mm).
    """
    rng = np.random.default_rng(seed)
    pixel = FOV_MM / shape[2]
    where = grid((shape[0] * SUB_SLICES, *shape[1:]), (slice_mm / SUB_SLICES, pixel, pixel))
    image, covers = _anatomy(rng, where)
    blurred = ndimage.gaussian_filter(image, [RESOLUTION_MM / step for step in where.spacing])
    truth = average_slices(blurred, SUB_SLICES)
    regions = {
        name: average_slices(cover, SUB_SLICES) > (HALF if "sphere" in name else SOLID)
        for name, cover in covers.items()
    }
    spacing = (slice_mm, pixel, pixel)
    return Phantom(truth, noisy_activity(rng, truth, spacing, noise_per_root), spacing, "PT", regions)


def noisy_activity(
    rng: np.random.Generator, truth: Volume, spacing: tuple[float, float, float], per_root: float
) -> Volume:
    """Return activity (Bq/mL) as measured, `per_root` the sd over the root of the activity."""
    widths = [mm / step for mm, step in zip((NOISE_AXIAL_MM, *2 * [NOISE_IN_PLANE_MM]), spacing, strict=True)]
    field = ndimage.gaussian_filter(rng.standard_normal(truth.shape), widths, mode="wrap")
    share = stats.norm.cdf((field - field.mean()) / field.std())
    # a gamma law with this shape and scale has mean `truth` and variance per_root^2 * truth
    noisy = stats.gamma.ppf(share, np.maximum(truth, LEAST) / per_root**2, scale=per_root**2)
    return np.where(truth < LEAST, 0, noisy).astype(np.float32)


def _anatomy(rng: np.random.Generator, where: Grid) -> tuple[Volume, dict[str, Volume]]:
    bent = warped(rng, where, 4.0, 90.0)
    image = np.zeros(where.shape, np.float32)
    covers = {"body": coverage(ellipsoid(bent, (0, 0, 0), (1e6, 112, 160), 2.4), where)}
    paint(image, covers["body"], 0.35 * TISSUE)
    paint(
        image,
        coverage(ellipsoid(bent, (0, 0, 0), (1e6, 95, 140), 2.3), where),
        TISSUE * (1 + 0.08 * smooth_field(rng, where, 40)),
    )
    covers["lung"] = _paint_lungs(image, where, bent)
    covers["flat"], organs = _paint_organs(rng, image, where, bent)
    covers["lung"] *= 1 - organs
    spheres = _spheres(where)
    for cover in spheres.values():
        paint(image, cover, SPHERE_CONTRAST * TISSUE)
    covers["spheres"] = np.maximum.reduce(list(spheres.values()))
    return image, covers | spheres


def _paint_lungs(image: Volume, where: Grid, bent: Grid) -> Volume:
    top = float(where.z[0, 0, 0])
    right = ellipsoid(bent, (top, -5, -72), (75, 70, 50), 2.3)
    left = ellipsoid(bent, (top, -2, 76), (82, 68, 45), 2.3)
    lung = coverage(np.maximum(right, left), where)
    paint(image, lung, LUNG)
    return lung


def _paint_organs(rng: np.random.Generator, image: Volume, where: Grid, bent: Grid) -> tuple[Volume, Volume]:
    """Paint the organs; return the coverage of the inner liver and of all organs."""
    organs = np.zeros(where.shape, np.float32)
    top, bottom = float(where.z[0, 0, 0]), float(where.z[-1, 0, 0])
    chamber = ellipsoid(bent, (top + 22, -22, 30), (34, 26, 28))
    liver = ellipsoid(bent, (bottom - 22, -8, -66), (58, 74, 62), 2.2)
    for depth, value in (
        (ellipsoid(bent, (top + 18, -18, 8), (45, 44, 44)), BLOOD),
        (chamber + 10, HEART_WALL),
        (chamber, BLOOD),
        (ellipsoid(bent, (0, 42, 22), (1e6, 12, 12)), BLOOD),
        (ellipsoid(bent, (0, 62, 0), (1e6, 18, 20)), SPINE),
        (liver, LIVER * (1 + 0.04 * smooth_field(rng, where, 30))),
        (ellipsoid(bent, (bottom - 22, 30, 90), (34, 34, 24)), SPLEEN),
    ):
        cover = coverage(depth, where)
        paint(image, cover, value)
        np.maximum(organs, cover, out=organs)
    for side in (-1, 1):
        kidney = ellipsoid(bent, (bottom + 8, 48, side * 58), (38, 22, 20))
        paint(image, coverage(kidney, where), KIDNEY)
        paint(image, coverage(kidney - 10, where), TISSUE)
        liver = np.minimum(liver, -kidney)
    return coverage(liver - 3 * RESOLUTION_MM, where), organs


def _spheres(where: Grid) -> dict[str, Volume]:
    return {
        f"sphere_{diameter}": coverage(ellipsoid(where, centre, 3 * (diameter / 2,)), where)
        for diameter, centre in SPHERES.items()
    }
