"""False structures: what stands out of a uniform field after denoising without having stood there before.

In: the same uniform field before and after, (slices, rows, columns). Out: how many there are. Both are seen through a
Gaussian of the size of a small lesion, in units of the robust sd of what is then left: a spot that the input shows as
well is noise that was retained, not a structure that was made.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

SEEN = 5.0  # robust sd: pure noise reaches it about once in two million voxels
UNSEEN = 3.0  # robust sd: below, the input holds no sign of it

Volume = NDArray[np.float32]


def count(before: Volume, after: Volume, diameter: float) -> int:
    """Return the false structures of about `diameter` pixels in a uniform field."""
    was, became = (_standing_out(volume, diameter) for volume in (before, after))
    found = 0
    for old, new in zip(was, became, strict=True):
        labels, spots = ndimage.label(np.abs(new) > SEEN)
        known = ndimage.maximum(np.abs(old), labels, np.arange(1, spots + 1)) if spots else np.empty(0)
        found += int(np.sum(np.asarray(known) < UNSEEN))
    return found


def _standing_out(volume: Volume, diameter: float) -> Volume:
    """Each slice through the lesion's Gaussian, less its own broad mean, in robust sd of the whole volume."""
    sigma = diameter / 4  # a disc and the Gaussian that is half as wide at half its height
    near, broad = (ndimage.gaussian_filter(volume, (0, size, size), mode="reflect") for size in (sigma, 4 * sigma))
    spots = near - broad
    return np.asarray((spots - np.median(spots)) / stats.median_abs_deviation(spots, axis=None, scale="normal"))
