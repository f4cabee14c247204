"""How much work a volume may have, from a written cost table: no clock, so that a fit repeats."""

from dataclasses import dataclass
from itertools import accumulate

from models.compute import Compute
from models.pairs import CROPS, SIDE

SECONDS_PER_MEGAPIXEL = {  # (device kind, precision): of a training step, of all else; two busy cores; cuda: assumed
    ("cpu", "bfloat16"): (1.4, 1.0),
    ("cpu", "float32"): (2.8, 1.4),
    ("cuda", "bfloat16"): (0.05, 0.05),
    ("cuda", "float32"): (0.1, 0.1),
}
SECONDS_PER_PASS = {"cpu": (2.0, 3.2), "cuda": (0.1, 0.2)}  # of refining, for a million voxels of tissue
FIT_SHARE = 0.7  # of the budget goes to planned work; the rest is reading, measuring, writing and slack
MINIMUM_STEPS = 50  # below this the network is still its first guess
MOST_LOOKS = 40  # at each voxel, in all steps; with 150 a small PET volume's noise is learnt by heart and costs .5 dB


@dataclass(frozen=True)
class SlicePlan:
    """What fits a budget: passes over the first guess, which gain most for their time, and steps of the network."""

    passes: int
    steps: int


def plan_slices(most: int, compute: Compute, voxels: int, tissue: int, budget: float) -> SlicePlan:
    """What fits ``budget`` seconds for a volume of so many voxels; ``most`` steps at most."""
    step, rest = SECONDS_PER_MEGAPIXEL[compute.kind, compute.precision]
    step *= 2 * CROPS * SIDE**2 / 1e6
    seconds = FIT_SHARE * budget - rest * voxels / 1e6
    looks = int(MOST_LOOKS * voxels / (2 * CROPS * SIDE**2))
    costs = [0.0, *accumulate(cost * tissue / 1e6 for cost in SECONDS_PER_PASS[compute.kind])]
    passes = sum(cost <= seconds - MINIMUM_STEPS * step for cost in costs[1:])
    planned = max(MINIMUM_STEPS, int(min(looks, (seconds - costs[passes]) / step)))
    return SlicePlan(passes, min(most, planned))
