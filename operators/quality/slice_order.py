"""Measure whether each slice after is in its own place: 0 where it is, 1 where it is its neighbour's.

With d the neighbour before less the slice before, the place is <f - y, d> / <d, d>, both smoothed. Noise alone puts an
honest slice at up to .5, and one of the neighbour's at .5 or more; so where slices differ by little more than noise
nothing is decided, and smooth PET passes.
"""

import numpy as np
from scipy import ndimage

from operators.quality.bias import Images, Mask

STEP = 2  # pixels between those compared: a slice holds enough
SMOOTH = 1.5  # pixels, sd: noise falls more than what tells slices apart
NEIGHBOURS = (-2, -1, 1, 2)  # slices away that a slice could have come from; farther ones are less alike still
FEWEST = 64  # pixels of tissue that can tell two slices apart


def slice_place(before: Images, after: Images, tissue: Mask) -> float | None:
    """Return how far the slice that is worst placed lies towards a neighbour, None where no slice has enough tissue."""
    old, new = (ndimage.gaussian_filter(one, (0, SMOOTH, SMOOTH))[:, ::STEP, ::STEP] for one in (before, after))
    worst = None
    for index, inside in enumerate(tissue[:, ::STEP, ::STEP]):
        if np.count_nonzero(inside) < FEWEST:
            continue
        change = (new[index] - old[index])[inside]
        for gap in NEIGHBOURS:
            if 0 <= index + gap < len(before):
                d = (old[index + gap] - old[index])[inside]
                power = float(np.square(d).sum(dtype=np.float64))
                worst = max(worst or 0.0, float((change * d).sum(dtype=np.float64)) / power if power else 0.0)
    return worst
