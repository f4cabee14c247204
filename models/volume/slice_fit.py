"""The fit of a network on the slices of one volume, and that network's output; one function per variant.

``fit_default`` starts from the initial estimate, learns where the neighbouring slice confirms it and keeps it
elsewhere.
``fit_published`` is the published method with our network and optimiser.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.compute import Compute
from models.fitting import FitContext, Measures, fit
from models.volume.initial.initial_estimate import initial_estimate
from models.volume.initial.similar_patches import THOROUGH, THOROUGH_MR
from models.volume.matching import estimate_difference_sd, published_guides
from models.volume.measured_volume import MeasuredVolume
from models.volume.pairs import PairDrawer
from models.volume.slice_losses import confirmed_loss, published_loss
from models.volume.slice_network import SliceNetwork
from models.volume.slice_plan import plan_slices

LEARNING_RATE = 2e-3  # 1e-3 and 4e-3 both lose at this length of fit

Voxels = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FittedSlices:
    """What a fit made of a volume.

    Attributes:
        images: (slices, rows, columns) in real units.
        steps_planned: of the network.
        steps_taken: as many, unless the deadline came first.
        measures: for the record.
    """

    images: Voxels
    steps_planned: int
    steps_taken: int
    measures: Measures


def fit_default(volume: MeasuredVolume, steps: int, context: FitContext) -> FittedSlices:
    """Fit on pairs of slices whose noise is independent, guided by the initial estimate."""
    compute, gap = context.compute, volume.noise.gap
    tissue_voxels = int(torch.count_nonzero(volume.voxels > volume.tissue.threshold))  # a sum would copy to int64
    plan = plan_slices(steps, compute, volume.voxels.numel(), tissue_voxels, context.budget)
    slices_may_differ = volume.noise.agreement is not None  # MR, whose slices are often thick and far apart
    passes = THOROUGH_MR if slices_may_differ and plan.passes == THOROUGH else plan.passes
    images = initial_estimate(volume, passes, context)
    estimates = images[:, None]
    network = SliceNetwork(guided=True).to(compute.device)
    pairs = PairDrawer(volume, estimates, gap=gap, seed=context.seed)
    difference_sd = estimate_difference_sd(volume.noise)

    def draw_loss() -> Tensor:
        return confirmed_loss(network, pairs.draw(), difference_sd)

    taken = fit(network, draw_loss, context, steps=plan.steps, learning_rate=LEARNING_RATE)
    _apply(network, volume, estimates, compute, images)
    return FittedSlices(images.cpu().numpy(), plan.steps, taken, {**_measures(volume, gap), "passes": len(plan.passes)})


def fit_published(volume: MeasuredVolume, steps: int, context: FitContext) -> FittedSlices:
    """Fit on pairs of adjacent slices; the network sees no guide image."""
    compute = context.compute
    plan = plan_slices(steps, compute, volume.voxels.numel(), 0, context.budget)
    images = torch.from_numpy(published_guides(volume.voxels, volume.scaling)).to(compute.device)
    guides = images[:, None]
    network = SliceNetwork(guided=False).to(compute.device)
    pairs = PairDrawer(volume, guides, gap=1, seed=context.seed)

    def draw_loss() -> Tensor:
        return published_loss(network, pairs.draw())

    taken = fit(network, draw_loss, context, steps=plan.steps, learning_rate=LEARNING_RATE)
    _apply(network, volume, None, compute, images)
    return FittedSlices(images.cpu().numpy(), plan.steps, taken, _measures(volume, gap=1))


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
