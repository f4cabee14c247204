"""What a PET reading stands on: the total activity, and the peaks of the hottest places."""

import numpy as np
from scipy import ndimage

from operators.quality.bias import SURE, Images, Mask

PEAK_MM = 10.0  # side of the cube of 1 cm3 whose mean is a peak
HOTTEST = 10  # peaks that are followed; single ones are noise
APART = 3  # cubes between two of them


def total_change(before: Images, after: Images, valid: Mask) -> float:
    """Percent by which the sum of all values changed."""
    old, new = (float(images.sum(where=valid, dtype=np.float64)) for images in (before, after))
    return 100 * (new / old - 1) if old else 0.0


def peak_change(before: Images, after: Images, valid: Mask, spacing: tuple[float, float, float]) -> float | None:
    """Percent by which the peaks of the hottest places surely changed, on average.

    Places are sought in after, which has little noise to choose them by: the hottest of before are hot by chance, and
    the truth itself would read 6 to 11 percent less. That a hot place is erased is for the small structures to see.
    None where the slices are thinner than a cube: means of so few voxels are peaks of noise.
    """
    if len(before) * spacing[0] < PEAK_MM:
        return None
    size = [max(1, round(PEAK_MM / mm)) for mm in spacing]
    old, new = (ndimage.uniform_filter(np.where(valid, images, 0), size) for images in (before, after))
    peaks = new == ndimage.maximum_filter(new, [APART * side for side in size])
    hottest = np.argsort(new[peaks])[-HOTTEST:]
    was, is_ = old[peaks][hottest], new[peaks][hottest]
    if not was.sum():
        return 0.0
    change = 100 * (is_ - was) / was.mean()
    error = SURE * float(change.std()) / np.sqrt(len(change))
    return float(np.sign(change.mean()) * max(0.0, abs(change.mean()) - error))
