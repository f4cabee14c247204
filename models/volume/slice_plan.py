"""How much work a volume gets, from the table of costs and never from a clock, so that a fit repeats."""

import math
from dataclasses import dataclass

from models.costs import Costs
from models.volume.initial.similar_patches import (
    BRISK,
    QUICK,
    STEADY,
    THOROUGH,
    THOROUGH_MR,
    WITHOUT_NEIGHBOURS,
    Search,
)
from models.volume.pairs import CROPS, SIDE

MINIMUM_STEPS = 50  # below this the network is still its initial estimate
BEFORE_NETWORK = 2  # passes, each of which gains as much as a network in less time
HURRIED = 0.5  # of the time left that passes take where there is none for a network: a slower machine keeps it, too
MOST_VISITS = 40  # per voxel, in all steps; with 150 the network learns a small PET volume's noise and loses .5 dB
Ladder = tuple[tuple[Search, ...], ...]  # passes of refinement, from few to many
LADDER: Ladder = ((), QUICK, BRISK, STEADY, THOROUGH)
LADDERS = {"CT": LADDER, "MR": (*LADDER[:-1], THOROUGH_MR), "PT": LADDER}  # slices of MR are often thick and far apart
SLICES_ALONE: Ladder = tuple(WITHOUT_NEIGHBOURS[:count] for count in range(len(WITHOUT_NEIGHBOURS) + 1))


@dataclass(frozen=True)
class SlicePlan:
    """The work that fits a budget: passes of refinement of the initial estimate and steps of the network."""

    passes: tuple[Search, ...]
    steps: int

    def seconds(self, costs: Costs, voxels: int, tissue_voxels: int) -> float:
        """Return what the passes, the steps and applying the network cost."""
        network = costs["step"].of(0, self.steps) + after_steps(costs, voxels) if self.steps else 0.0
        return network + sum(costs[unit_of(search)].of(tissue_voxels) for search in self.passes)

    def given_up(self, passes: tuple[Search, ...], steps: int) -> tuple[str, ...]:
        """Return what of this plan, as it is without a limit of time, was not done."""
        fewer = ("network",) if self.steps and not steps else ("steps",) if steps < self.steps else ()
        return (*fewer, *(("passes",) if len(passes) < len(self.passes) else ()))


def unit_of(search: Search) -> str:
    """Return the unit of a pass in the table of costs."""
    reach, patch = ("x".join(map(str, sides)) for sides in (search.reach, search.patch))
    return f"pass {reach} step {search.step} patch {patch}"


def always(costs: Costs, voxels: int) -> float:
    """Return the seconds of the initial estimate without refinement, and of what is measured before and done after."""
    return sum(costs[unit].of(voxels) for unit in ("measure", "transform", "finish"))


def after_steps(costs: Costs, voxels: int) -> float:
    """Return the seconds of applying a fitted network."""
    return costs["apply"].of(voxels)


def least_network(costs: Costs, voxels: int) -> float:
    """Return the seconds of the shortest fit of a network that is worth its time."""
    return costs["step"].of(0, MINIMUM_STEPS) + after_steps(costs, voxels)


def plan_slices(
    most: int,
    costs: Costs,
    voxels: int,
    tissue_voxels: int,
    budget: float = math.inf,
    ladder: Ladder = LADDER,
) -> SlicePlan:
    """Return the work that fits ``budget`` seconds: two passes, then a network of at most ``most`` steps, then more.

    Args:
        voxels: of the volume.
        tissue_voxels: those that refinement visits.
        ladder: the passes among which is chosen.
    """
    wanted = min(most, max(MINIMUM_STEPS, MOST_VISITS * voxels // (2 * CROPS * SIDE**2)))
    left = budget - always(costs, voxels)
    prices = {passes: SlicePlan(passes, 0).seconds(costs, voxels, tissue_voxels) for passes in ladder}
    network = min(least_network(costs, voxels), SlicePlan((), wanted).seconds(costs, voxels, 0))
    beside = [passes for passes in ladder if len(passes) >= BEFORE_NETWORK and prices[passes] + network <= left]
    if not wanted or not beside:
        alone = (passes for passes in ladder if prices[passes] <= (HURRIED if wanted else 1.0) * left)
        return SlicePlan(max(alone, key=prices.__getitem__, default=()), 0)
    passes = max(beside, key=prices.__getitem__)
    affordable = (left - prices[passes] - after_steps(costs, voxels)) / costs["step"].of(0)
    return SlicePlan(passes, wanted if affordable >= wanted else int(affordable))
