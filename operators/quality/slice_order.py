"""Measure whether each slice after is in its own place: 0 where it is, 1 where it is its neighbour's.

With d the neighbour before less the slice before, the place is <f - y, d> / <d, d>, all smoothed. Noise moves similar
slices to .5, one farther and the other less. The mean place of both is free of that: exchanged slices stand beyond .5.
A slice that alone is out of place is judged by the neighbours from which it surely differs. Where slices differ by less
than the change itself nothing is decided.
"""

import numpy as np
import torch
from torch import Tensor

from models.filters import gaussian
from models.side_by_side import in_batches
from operators.quality.bias import Images, Mask

STEP = 2  # pixels between those compared: a slice holds enough
SMOOTH = 1.5  # pixels, sd: noise falls more than what distinguishes slices
FARTHEST = 2  # slices away that a slice could have come from; farther ones are less similar still
DIFFER, SURELY = 1.0, 6.0  # of what slices are typically changed by, in power: slices judged as a pair, and alone
FEWEST = 64  # pixels of tissue that can distinguish two slices


def slice_place(before: Images, after: Images, tissue: Mask, device: torch.device) -> float | None:
    """Return how far the slice, or the pair of slices, that is worst placed lies towards a neighbour.

    None where there is but one slice, or none with enough tissue.
    """
    old, new = (in_batches(_smooth, images, device=device) for images in (before, after))
    inside, change = tissue[:, ::STEP, ::STEP], new - old
    judged = {index: one for index, one in enumerate(inside) if np.count_nonzero(one) >= FEWEST}
    if not judged or len(before) == 1:
        return None
    typical = float(np.median([_mean(change[i] ** 2, one) for i, one in judged.items()]))
    worst = 0.0
    pairs = [(first, first + gap) for first in judged for gap in range(1, FARTHEST + 1) if first + gap in judged]
    for i, j in pairs:
        both = inside[i] & inside[j]
        if np.count_nonzero(both) < FEWEST:
            continue
        d = old[j] - old[i]
        power = _mean(d**2, both)
        if power > DIFFER * typical:
            places = _mean(change[i] * d, both) / power, -_mean(change[j] * d, both) / power
            worst = max(worst, sum(places) / 2, *(places if power > SURELY * typical else ()))
    return worst


def _smooth(images: Tensor) -> Tensor:
    return gaussian(images, SMOOTH)[:, ::STEP, ::STEP]


def _mean(values: Images, inside: Mask) -> float:
    return float(values.mean(where=inside, dtype=np.float64))
