"""CT with known truth: (slices, rows, columns) in HU of a chest or an abdomen, noise as a scanner makes it.

The anatomies come from `ct_anatomy` and `ct_abdomen`, the noise from `ct_noise`.
"""

from functools import partial

import numpy as np
from scipy import ndimage

from validation.phantoms.anatomy import SOLID, Draw, Mask, Phantom, Point, Volume, average_slices, grid, sub_slices
from validation.phantoms.ct_abdomen import abdomen
from validation.phantoms.ct_anatomy import chest
from validation.phantoms.ct_noise import scanner_noise

FOV_MM = 320.0  # a chest
BLUR_PIXELS = 0.5  # sd of the scanner's in-plane point spread: a standard kernel
HALF = 0.5  # of a small ball, which may fill no voxel


def ct_phantom(
    shape: tuple[int, int, int] = (32, 192, 192),
    *,
    slice_mm: float = 1.0,
    noise_hu: float = 22.0,
    slice_correlation: float = 0.0,
    lesions: int = 12,
    seed: int = 0,
) -> Phantom:
    """Return a chest CT phantom.

    Args:
        shape: slices, rows, columns; rows equal columns.
        slice_mm: spacing and thickness of the slices, thick ones hold partial volume.
        noise_hu: sd of the noise in soft tissue; the dose follows from it.
        slice_correlation: correlation of the noise of neighbouring slices, below 1 (overlapping: about .34).
        lesions: of 10 HU and 5 mm in the organs, at most, as far as there is room.
        seed: of anatomy and noise.

    Regions: body, lung (parenchyma), vessels (their cores), nodules, lesions, bone, flat (soft organs away from edges
    and lesions).
    """
    rng = np.random.default_rng(seed)
    truth, regions, spacing = _drawn(rng, partial(chest, lesions=lesions), shape, slice_mm)
    noise = scanner_noise(rng, truth, spacing[1], regions["flat"], noise_hu, slice_correlation)
    return Phantom(truth, truth + noise, spacing, "CT", regions)


def abdomen_phantom(
    shape: tuple[int, int, int] = (16, 192, 192), *, slice_mm: float = 5.0, noise_hu: float = 15.0, seed: int = 0
) -> Phantom:
    """Return an abdominal CT of thick slices; the arguments are those of `ct_phantom`.

    Regions: body, vessels, nodules (bright foci in the liver), lesions (dark ones), bone, flat (liver).
    """
    rng = np.random.default_rng(seed)
    truth, regions, spacing = _drawn(rng, abdomen, shape, slice_mm)
    noise = scanner_noise(rng, truth, spacing[1], regions["flat"], noise_hu, 0.0)
    return Phantom(truth, truth + noise, spacing, "CT", regions)


def _drawn(
    rng: np.random.Generator, draw: Draw, shape: tuple[int, int, int], slice_mm: float
) -> tuple[Volume, dict[str, Mask], Point]:
    """Return truth, regions and spacing."""
    parts = sub_slices(slice_mm)
    pixel = FOV_MM / shape[2]
    where = grid((shape[0] * parts, *shape[1:]), (slice_mm / parts, pixel, pixel))
    thin, covers = draw(rng, where)
    blurred = ndimage.gaussian_filter(thin, (0, BLUR_PIXELS, BLUR_PIXELS))
    regions = _regions({name: average_slices(cover, parts) for name, cover in covers.items()}, pixel)
    return average_slices(blurred, parts), regions, (slice_mm, pixel, pixel)


def _regions(covers: dict[str, Volume], pixel: float) -> dict[str, Mask]:
    margin = np.ones((1, *2 * [2 * int(np.ceil(4 / pixel)) + 1]), bool)
    taken = ndimage.binary_dilation(np.maximum(covers["vessels"], covers["nodules"]) > 0, margin)
    flat = ndimage.binary_erosion((covers["organ"] > SOLID), margin)
    lung = {"lung": (covers["lung"] > SOLID) & ~taken} if "lung" in covers else {}
    return lung | {
        "body": covers["body"] > SOLID,
        "vessels": covers["vessels"] > 0.9,
        "nodules": covers["nodules"] > HALF,
        "lesions": covers["lesions"] > HALF,
        "flat": flat & ~ndimage.binary_dilation(covers["lesions"] > 0, margin),
        "bone": covers["bone"] > SOLID,
    }
