"""A T1-weighted brain of thin slices with known truth: (slices, rows, columns) of amplitude, white Rician noise.

Truth is the noiseless amplitude; the noisy volume is the magnitude of truth plus complex white noise, so its mean lies
above the truth where the signal is weak. `mr_scan` makes what hospitals acquire: thick slices, filters, coils.
"""

import numpy as np

from validation.phantoms.anatomy import Phantom, Volume, average_slices, grid, sub_slices
from validation.phantoms.mr_brain import T1, brain
from validation.phantoms.mr_regions import regions_of

FOV_MM = 220.0  # a head
IN_PLANE = 2  # sub-pixels per axis, averaged: folds are only a few pixels wide


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
    image, covers = brain(rng, where, T1)
    truth = _averaged(image, parts)
    regions = regions_of({name: _averaged(cover, parts) for name, cover in covers.items()}, pixel)
    sigma = noise_percent / 100 * T1.white
    real, imaginary = sigma * rng.standard_normal((2, *shape), dtype=np.float32)
    noisy = np.hypot(truth + real, imaginary)
    return Phantom(truth, noisy, (slice_mm, pixel, pixel), "MR", regions)


def _averaged(fine: Volume, parts: int) -> Volume:
    slices, rows, columns = fine.shape
    blocks = fine.reshape(slices, rows // IN_PLANE, IN_PLANE, columns // IN_PLANE, IN_PLANE)
    return average_slices(blocks.mean(axis=(2, 4), dtype=np.float32), parts)
