"""How many steps a volume may have, from a written cost table: no clock, so that a fit repeats."""

import numpy as np

from models.compute import Compute
from models.pairs import CROPS, SIDE

SECONDS_PER_MEGAPIXEL = {  # (device kind, precision): of a training step, of all else; two busy cores; cuda: assumed
    ("cpu", "bfloat16"): (1.4, 1.3),
    ("cpu", "float32"): (2.8, 1.7),
    ("cuda", "bfloat16"): (0.05, 0.05),
    ("cuda", "float32"): (0.1, 0.1),
}
FIT_SHARE = 0.7  # of the budget goes to planned work; the rest is reading, measuring, writing and slack
MINIMUM_STEPS = 50  # below this the network is still its first guess


def plan_steps(most: int, compute: Compute, voxel_count: int, budget: float) -> int:
    """Steps that fit ``budget`` seconds, at most ``most``."""
    step, rest = SECONDS_PER_MEGAPIXEL[compute.kind, compute.precision]
    seconds = FIT_SHARE * budget - rest * voxel_count / 1e6
    return int(np.clip(seconds / (step * 2 * CROPS * SIDE**2 / 1e6), MINIMUM_STEPS, most))
