"""A T1-weighted brain with known truth: (slices, rows, columns) of amplitude, Rician noise.

Scalp, skull, folded cortex, white matter, ventricles, deep grey nuclei, small dark lesions in the white matter, under a
smooth coil sensitivity. Truth is the noiseless amplitude; the noisy volume is the magnitude of truth plus complex white
noise, so its mean lies above the truth where the signal is weak.
"""

import numpy as np
from scipy import ndimage

from validation.phantoms.anatomy import (
    Grid,
    Mask,
    Phantom,
    Volume,
    average_slices,
    cylinder,
    ellipsoid,
    grid,
    paint,
    smooth_field,
    sub_slices,
    warped,
)
from validation.phantoms.structures import scattered_balls

SCALP, SKULL, CSF, GREY, WHITE, NUCLEUS, LESION = 900.0, 70.0, 190.0, 480.0, 720.0, 560.0, 430.0  # T1 amplitudes
FOV_MM = 220.0  # a head
CORTEX_MM = 3.2  # thickness of the grey ribbon
SULCUS_DEPTH_MM = 26.0  # folds reach this deep under the brain's surface
FOLD_MM = 15.0  # from one fold to the next
SULCUS_WIDTH = 0.13  # of a fold, half the fluid between two of them
EDGE_MM = 0.7  # half width of a soft edge between tissues
BIAS = 0.1  # coil sensitivity: sd of its relative change over the head
IN_PLANE = 2  # sub-pixels per axis, averaged: folds are only a few pixels wide
SOLID = 0.99  # share of a voxel that counts as wholly inside


def mr_phantom(
    shape: tuple[int, int, int] = (32, 128, 128),
    *,
    slice_mm: float = 1.5,
    noise_percent: float = 8.0,
    seed: int = 0,
) -> Phantom:
    """Return a T1 brain phantom.

    Args:
        shape: slices, rows, columns; rows equal columns.
        slice_mm: spacing and thickness of the slices, thick ones hold partial volume.
        noise_percent: sd of the real and of the imaginary noise, in percent of white matter.
        seed: of anatomy and noise.

    Regions: body (the head), brain, white, grey, lesions, flat (white matter and nuclei away from edges), air.
    """
    rng = np.random.default_rng(seed)
    parts = sub_slices(slice_mm)
    pixel = FOV_MM / shape[2]
    fine = (shape[0] * parts, shape[1] * IN_PLANE, shape[2] * IN_PLANE)
    where = grid(fine, (slice_mm / parts, pixel / IN_PLANE, pixel / IN_PLANE))
    image, covers = _anatomy(rng, where)
    truth = _averaged(image, parts)
    regions = _regions({name: _averaged(cover, parts) for name, cover in covers.items()}, pixel)
    sigma = noise_percent / 100 * WHITE
    real, imaginary = sigma * rng.standard_normal((2, *shape), dtype=np.float32)
    noisy = np.hypot(truth + real, imaginary)
    return Phantom(truth, noisy, (slice_mm, pixel, pixel), "MR", regions)


def _averaged(fine: Volume, parts: int) -> Volume:
    slices, rows, columns = fine.shape
    blocks = fine.reshape(slices, rows // IN_PLANE, IN_PLANE, columns // IN_PLANE, IN_PLANE)
    return average_slices(blocks.mean(axis=(2, 4), dtype=np.float32), parts)


def _soft(depth: Volume) -> Volume:
    return np.asarray(np.clip(depth / (2 * EDGE_MM) + 0.5, 0, 1), np.float32)


def _anatomy(rng: np.random.Generator, where: Grid) -> tuple[Volume, dict[str, Volume]]:
    bent = warped(rng, where, 2.0, 70.0)
    centre = (-12.0, 0.0, 0.0)
    head = ellipsoid(bent, centre, (98, 96, 78), 2.1)
    brain = ellipsoid(bent, centre, (84, 81, 64), 2.1)
    image = np.zeros(where.shape, np.float32)
    paint(image, _soft(head), SCALP * (1 + 0.08 * smooth_field(rng, where, 20)))
    paint(image, _soft(head - 6), SKULL)
    marrow = np.minimum(head - 8.5, 11.5 - head)
    paint(image, 0.6 * _soft(marrow), SCALP * 0.6)
    paint(image, _soft(brain + 2), CSF)
    tissue = _folded(rng, where, bent, brain)
    paint(image, _soft(tissue), GREY)
    white = tissue - CORTEX_MM
    paint(image, _soft(white), WHITE * (1 + 0.012 * smooth_field(rng, where, 25)))
    nuclei, ventricles = _paint_deep(image, bent)
    white = np.minimum(white, -ventricles)
    lesions = scattered_balls(rng, where, np.where(nuclei > 0, 0, white), 8, (2.0, 4.0))
    paint(image, lesions, LESION)
    bias = 1 + BIAS * smooth_field(rng, where, 160)
    image *= np.clip(bias, 0.6, 1.5)
    flat = np.where(nuclei > 0, nuclei, white) * (lesions == 0)
    return image, {
        "body": _soft(head), "brain": _soft(brain), "white": _soft(np.where(nuclei > -1, -1, white)),
        "grey": _soft(np.minimum(tissue, CORTEX_MM - tissue)), "lesions": lesions, "deep": _soft(flat - EDGE_MM),
        "air": _soft(-2 - head),
    }  # fmt: skip


def _folded(rng: np.random.Generator, where: Grid, bent: Grid, brain: Volume) -> Volume:
    """Depth under the nearest fluid: folds cut into the brain, sheets that stand upright on its surface."""
    folds = _upright(rng, bent, brain)
    reach = SULCUS_DEPTH_MM * (1 + 0.3 * smooth_field(rng, where, 3 * FOLD_MM))
    narrow = np.clip(1.1 - brain / np.maximum(reach, 1), 0, 1)
    midline = (np.abs(bent.x) < 0.9) & (brain < 30)
    fluid = (brain < 0) | (np.abs(folds) < SULCUS_WIDTH * narrow) | midline
    depth = ndimage.distance_transform_edt(~fluid, sampling=where.spacing)
    return np.where(fluid, -EDGE_MM, depth - where.spacing[1] / 2).astype(np.float32)


def _upright(rng: np.random.Generator, bent: Grid, brain: Volume) -> Volume:
    """A field that changes little with depth: points take the value found near where their ray meets the surface."""
    step = FOLD_MM / 8
    cube = grid(3 * (int(240 / step),), 3 * (step,))
    field = smooth_field(rng, cube, FOLD_MM)
    field -= ndimage.gaussian_filter(field, FOLD_MM / 2 / step)
    radius = np.sqrt(bent.z**2 + bent.y**2 + bent.x**2)
    stretch = 1 + 0.6 * np.maximum(brain, 0) / np.maximum(radius, 10)
    places = [axis * stretch / step + (cube.shape[0] - 1) / 2 for axis in (bent.z, bent.y, bent.x)]
    return np.asarray(ndimage.map_coordinates(field, places, order=1, mode="nearest") / field.std(), np.float32)


def _paint_deep(image: Volume, bent: Grid) -> tuple[Volume, Volume]:
    """Paint nuclei and ventricles; return the depth in the nuclei, less the ventricles, and in the ventricles."""
    mirrored = Grid(bent.z, bent.y, np.abs(bent.x), bent.spacing)
    thalamus = ellipsoid(mirrored, (-14, 12, 11), (13, 15, 8))
    caudate = ellipsoid(mirrored, (0, -20, 15), (17, 11, 5))
    putamen = ellipsoid(mirrored, (-10, -5, 26), (15, 17, 5.5))
    nuclei = np.maximum.reduce([thalamus, caudate, putamen])
    paint(image, _soft(nuclei), NUCLEUS)
    front = ellipsoid(mirrored, (3, -18, 8), (18, 17, 5))
    back = ellipsoid(mirrored, (5, 16, 13), (14, 22, 6))
    body = ellipsoid(mirrored, (11, 0, 9), (9, 30, 5))
    third = cylinder(bent, (8, 0), (14, 1.8)) - np.maximum(bent.z + 2, 0)
    ventricles = np.maximum.reduce([front, back, body, third])
    paint(image, _soft(ventricles), CSF)
    return np.minimum(nuclei, -ventricles), ventricles


def _regions(covers: dict[str, Volume], pixel: float) -> dict[str, Mask]:
    margin = np.ones((1, *2 * [2 * int(np.ceil(1.5 / pixel)) + 1]), bool)
    regions = {name: cover > SOLID for name, cover in covers.items() if name != "deep"}
    regions["flat"] = ndimage.binary_erosion(covers["deep"] > SOLID, margin)
    return regions
