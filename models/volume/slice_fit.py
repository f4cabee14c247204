"""The fit of a network on the slices of one volume, and that network's output; one function per variant.

``fit_default`` starts from the initial estimate, learns where the neighbouring slice confirms it and keeps it
elsewhere. Where slices are too few for that, the estimate is the result.
``fit_published`` is the published method with our network and optimiser.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.compute import Compute
from models.fitting import FitContext, Measures, WorkDone
from models.training_loop import fit
from models.volume.initial.scales import estimate_in_scales
from models.volume.matching import estimate_difference_sd, published_guides
from models.volume.measured_volume import MeasuredVolume
from models.volume.pairs import PairDrawer
from models.volume.slice_losses import confirmed_loss, published_loss
from models.volume.slice_network import SliceNetwork
from models.volume.slice_plan import (
    LADDERS,
    MINIMUM_STEPS,
    SLICES_ALONE,
    after_steps,
    least_network,
    plan_slices,
)

LEARNING_RATE = 2e-3  # 1e-3 and 4e-3 both lose at this length of fit

Voxels = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FittedSlices:
    """What a fit made of a volume.

    Attributes:
        images: (slices, rows, columns) in real units.
        work: steps of the network, and what was given up for lack of time.
        measures: for the record.
    """

    images: Voxels
    work: WorkDone
    measures: Measures


def fit_default(volume: MeasuredVolume, steps: int, context: FitContext) -> FittedSlices:
    """Fit on pairs of slices whose noise is independent, guided by the initial estimate."""
    costs, voxels, tissue_voxels = context.costs, volume.voxels.numel(), volume.tissue_voxels
    most = 0 if volume.noise.in_slice else steps
    ladder = SLICES_ALONE if volume.noise.in_slice else LADDERS[context.modality]
    wanted, plan = (
        plan_slices(most, costs, voxels, tissue_voxels, budget, ladder) for budget in (math.inf, context.budget)
    )
    reserved = least_network(costs, voxels) if plan.steps else 0.0
    images, begun = estimate_in_scales(volume, plan.passes, context.before(reserved))
    measures = {**_measures(volume, volume.noise.gap), "passes": begun}
    taken = 0
    if plan.steps and context.has_time_for(reserved):
        taken = _fit_guided(volume, images, plan.steps, context)
    else:
        for image in images:
            image[...] = volume.scaling.real(image)
    return FittedSlices(
        images.cpu().numpy(), WorkDone(plan.steps, taken, wanted.given_up(plan.passes[:begun], taken)), measures
    )


def _fit_guided(volume: MeasuredVolume, images: Tensor, steps: int, context: FitContext) -> int:
    """Replace the initial estimate ``images`` by the output of a network fitted on it, and return the steps taken."""
    compute, costs = context.compute, context.costs
    estimates = images[:, None]
    network = SliceNetwork(guided=True).to(compute.device)
    pairs = PairDrawer(volume, estimates, gap=volume.noise.gap, seed=context.seed)
    difference_sd = estimate_difference_sd(volume.noise)

    def draw_loss() -> Tensor:
        return confirmed_loss(network, pairs.draw(), difference_sd)

    in_time = context.before(after_steps(costs, images.numel()))
    taken = fit(network, draw_loss, in_time, steps=steps, learning_rate=LEARNING_RATE, cost=costs["step"])
    with context.stage("apply", images.numel()):
        _apply(network, volume, estimates, compute, images)
    return taken


def fit_published(volume: MeasuredVolume, steps: int, context: FitContext) -> FittedSlices:
    """Fit on pairs of adjacent slices; the network sees no guide image."""
    compute, costs, voxels = context.compute, context.costs, volume.voxels.numel()
    wanted, plan = (plan_slices(steps, costs, voxels, 0, budget) for budget in (math.inf, context.budget))
    images = torch.from_numpy(published_guides(volume.voxels, volume.scaling)).to(compute.device)
    guides = images[:, None]
    network = SliceNetwork(guided=False).to(compute.device)
    pairs = PairDrawer(volume, guides, gap=1, seed=context.seed)

    def draw_loss() -> Tensor:
        return published_loss(network, pairs.draw())

    planned = plan.steps or min(steps, MINIMUM_STEPS)  # there is no initial estimate that could stand alone
    in_time = context.before(after_steps(costs, voxels))
    taken = fit(network, draw_loss, in_time, steps=planned, learning_rate=LEARNING_RATE, cost=costs["step"])
    _apply(network, volume, None, compute, images)
    return FittedSlices(
        images.cpu().numpy(), WorkDone(planned, taken, wanted.given_up((), taken)), _measures(volume, gap=1)
    )


def _measures(volume: MeasuredVolume, gap: int) -> dict[str, float | int | str]:
    noise = volume.noise
    measures: dict[str, float | int | str] = {
        "noise_sd": noise.sd,
        "gap": gap,
        "slice_correlation": noise.correlations[gap - 1],
    }
    return measures | (noise.agreement.measures if noise.agreement else {})


@torch.no_grad()
def _apply(
    network: SliceNetwork, volume: MeasuredVolume, estimates: Tensor | None, compute: Compute, images: Tensor
) -> None:
    """Write every slice through the network into ``images``, whose memory ``estimates`` may share."""
    network.eval()
    for i, slice_ in enumerate(volume.voxels):
        x, noise = volume.scaling.scaled(slice_)[None], volume.relative_noise(i)[None]
        with compute.autocast():
            f = network(x, noise, None if estimates is None else estimates[i : i + 1])
        images[i] = volume.scaling.real(f)[0, 0]
