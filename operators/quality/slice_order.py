"""Whether each slice after is nearest to the slice before at its own place."""

import numpy as np

from operators.quality.bias import Images, Mask

STEP = 2  # pixels between those compared: a slice holds enough
NEIGHBOURS = (-2, -1, 1, 2)  # slices away that a slice could have come from; farther ones are less alike still
FEWEST = 64  # pixels of tissue that can tell two slices apart


def order_ratio(before: Images, after: Images, tissue: Mask) -> float | None:
    """The largest mean square distance of a slice from its original over that from a neighbour, if any can tell."""
    step = np.s_[::STEP, ::STEP]
    worst = None
    for index in range(len(before)):
        inside = tissue[index][step]
        if np.count_nonzero(inside) < FEWEST:
            continue
        here = after[index][step][inside]
        near = [before[index + gap][step][inside] for gap in NEIGHBOURS if 0 <= index + gap < len(before)]
        own = _distance(before[index][step][inside], here)
        other = min((_distance(one, here) for one in near), default=np.inf)
        worst = max(worst or 0.0, own / other if other else float(own > 0))
    return worst


def _distance(one: Images, other: Images) -> float:
    return float(np.square(one - other).mean(dtype=np.float64))
