"""Measure whether each slice after is in its own place: 0 where it is, 1 where it is its neighbour's.

With d the neighbour before less the slice before, the place is <f - y, d> / <d, d>, both smoothed. Noise moves a slice
in its own place to .5 at most, and its neighbour's to .5 at least. Where slices differ by less than the change itself
nothing is decided: smooth PET passes.
"""

import numpy as np
from scipy import ndimage

from operators.quality.bias import Images, Mask
from operators.quality.side_by_side import each

STEP = 2  # pixels between those compared: a slice holds enough
SMOOTH = 1.5  # pixels, sd: noise falls more than what distinguishes slices
NEIGHBOURS = (-2, -1, 1, 2)  # slices away that a slice could have come from; farther ones are less similar still
SIMILAR = 1.5  # of what slices are typically changed by, in power: slices that differ by less can't be distinguished
FEWEST = 64  # pixels of tissue that can distinguish two slices


def slice_place(before: Images, after: Images, tissue: Mask) -> float | None:
    """Return how far the slice that is worst placed lies towards a neighbour.

    None where there is but one slice, or none with enough tissue.
    """
    old, new = (np.stack(each(_smooth, images)) for images in (before, after))
    inside = tissue[:, ::STEP, ::STEP]
    judged = [index for index, one in enumerate(inside) if np.count_nonzero(one) >= FEWEST]
    typical = np.median([_power((new[i] - old[i])[inside[i]]) for i in judged]) if judged else 0.0
    worst = 0.0
    for i in judged:
        change = (new[i] - old[i])[inside[i]]
        for j in (i + gap for gap in NEIGHBOURS if 0 <= i + gap < len(before)):
            d = (old[j] - old[i])[inside[i]]
            if _power(d) > SIMILAR * typical:
                worst = max(worst, float((change * d).mean(dtype=np.float64)) / _power(d))
    return worst if judged and len(before) > 1 else None


def _smooth(image: Images) -> Images:
    return np.asarray(ndimage.gaussian_filter(image, SMOOTH)[::STEP, ::STEP])


def _power(values: Images) -> float:
    return float(np.square(values).mean(dtype=np.float64))
