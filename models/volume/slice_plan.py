"""How much work a volume gets, from a table of costs and never from a clock, so that a fit repeats."""

from dataclasses import dataclass

from models.compute import Compute
from models.volume.initial.similar_patches import BRISK, QUICK, THOROUGH, Search
from models.volume.pairs import CROPS, SIDE

SECONDS_PER_MEGAPIXEL = {  # (device kind, precision): of a training step, of all else; on two busy cores; cuda: assumed
    ("cpu", "bfloat16"): (1.4, 1.0),
    ("cpu", "float32"): (2.8, 1.4),
    ("cuda", "bfloat16"): (0.05, 0.05),
    ("cuda", "float32"): (0.1, 0.1),
}
SECONDS_OF_REFINEMENT = {  # for a million voxels of tissue, on two busy cores; cuda: assumed
    "cpu": {(): 0.0, QUICK: 0.6, BRISK: 1.4, THOROUGH: 3.6},
    "cuda": {(): 0.0, QUICK: 0.05, BRISK: 0.1, THOROUGH: 0.3},
}
FIT_FRACTION = 0.65  # of the budget goes to planned work; the rest is for measuring, the check and slack
MINIMUM_STEPS = 50  # below this the network is still its initial estimate
MOST_VISITS = 40  # per voxel, in all steps; with 150 the network learns a small PET volume's noise and loses .5 dB


@dataclass(frozen=True)
class SlicePlan:
    """The work that fits a budget: passes of refinement of the initial estimate and steps of the network."""

    passes: tuple[Search, ...]
    steps: int


def plan_slices(most: int, compute: Compute, voxels: int, tissue_voxels: int, budget: float) -> SlicePlan:
    """Return the work that fits ``budget`` seconds: refinement first, which gains most, then at most ``most`` steps.

    Args:
        voxels: of the volume.
        tissue_voxels: those that refinement visits.
    """
    step, rest = SECONDS_PER_MEGAPIXEL[compute.kind, compute.precision]
    step *= 2 * CROPS * SIDE**2 / 1e6
    seconds = FIT_FRACTION * budget - rest * voxels / 1e6
    visits = int(MOST_VISITS * voxels / (2 * CROPS * SIDE**2))
    costs = {passes: cost * tissue_voxels / 1e6 for passes, cost in SECONDS_OF_REFINEMENT[compute.kind].items()}
    least = min(most, MINIMUM_STEPS)
    passes = max((p for p in costs if costs[p] <= seconds - least * step), key=costs.__getitem__, default=())
    planned = max(least, int(min(visits, (seconds - costs[passes]) / step)))
    return SlicePlan(passes, min(most, planned))
