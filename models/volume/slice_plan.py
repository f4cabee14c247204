"""How much work a volume may have, from a written cost table: no clock, so that a fit repeats."""

from dataclasses import dataclass

from models.compute import Compute
from models.volume.initial.similar_patches import BRISK, QUICK, THOROUGH, Search
from models.volume.pairs import CROPS, SIDE

SECONDS_PER_MEGAPIXEL = {  # (device kind, precision): of a training step, of all else; two busy cores; cuda: assumed
    ("cpu", "bfloat16"): (1.4, 1.0),
    ("cpu", "float32"): (2.8, 1.4),
    ("cuda", "bfloat16"): (0.05, 0.05),
    ("cuda", "float32"): (0.1, 0.1),
}
SECONDS_OF_REFINING = {  # for a million voxels of tissue, two busy cores; cuda: assumed
    "cpu": {(): 0.0, QUICK: 0.6, BRISK: 1.4, THOROUGH: 3.6},
    "cuda": {(): 0.0, QUICK: 0.05, BRISK: 0.1, THOROUGH: 0.3},
}
FIT_FRACTION = 0.65  # of the budget goes to planned work; the rest is measuring, the gate and slack
MINIMUM_STEPS = 50  # below this the network is still its initial estimate
MOST_VISITS = 40  # at each voxel, in all steps; with 150 a small PET volume's noise is learnt by heart and costs .5 dB


@dataclass(frozen=True)
class SlicePlan:
    """What fits a budget: passes over the initial estimate, which gain most, and steps of the network."""

    passes: tuple[Search, ...]
    steps: int


def plan_slices(most: int, compute: Compute, voxels: int, tissue: int, budget: float) -> SlicePlan:
    """What fits ``budget`` seconds for a volume of so many voxels; ``most`` steps at most."""
    step, rest = SECONDS_PER_MEGAPIXEL[compute.kind, compute.precision]
    step *= 2 * CROPS * SIDE**2 / 1e6
    seconds = FIT_FRACTION * budget - rest * voxels / 1e6
    visits = int(MOST_VISITS * voxels / (2 * CROPS * SIDE**2))
    costs = {passes: cost * tissue / 1e6 for passes, cost in SECONDS_OF_REFINING[compute.kind].items()}
    passes = max((p for p in costs if costs[p] <= seconds - MINIMUM_STEPS * step), key=costs.__getitem__, default=())
    planned = max(MINIMUM_STEPS, int(min(visits, (seconds - costs[passes]) / step)))
    return SlicePlan(passes, min(most, planned))
