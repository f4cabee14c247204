"""Denoising of one volume by a network fitted on that volume alone, after NS-N2N (arXiv 2411.10831).

In: slices of one volume in real units and the mask of what is not padding; out: the same slices denoised, padding
bit-identical. Order: measure the noise and how far it reaches between slices -> noise units -> plan -> an initial
estimate, made with that noise -> one fit on random pairs of neighbouring crops -> every slice through the network ->
fused with its neighbours -> no change beyond the noise -> the low frequencies as measured -> for MR, the Rician bias
removed.

``default`` starts from the initial estimate, supervises where the neighbour confirms it and keeps it elsewhere;
``published`` is the method of the paper.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.compute import Compute
from models.fitting import Denoised, FitContext, fit
from models.volume.finishing.change_limit import limit_change
from models.volume.finishing.fusion import fuse_neighbours
from models.volume.finishing.low_frequencies import RETURNED_FRACTION, return_low_frequencies
from models.volume.finishing.rician import remove_rician_bias, rician_sd
from models.volume.initial.initial_estimate import initial_estimate
from models.volume.matching import estimate_difference_sd, published_guides
from models.volume.noise.noise_level import measure_noise
from models.volume.pairs import PairDrawer
from models.volume.scaling import Scaling, noise_units, unit_range
from models.volume.slice_losses import confirmed_loss, published_loss
from models.volume.slice_network import SliceNetwork
from models.volume.slice_plan import plan_slices
from models.volume.tissue import tissue_of

METHOD = "NS-N2N"
MINIMUM_SLICES = 4  # below this too few pairs tell noise from anatomy
LEARNING_RATE = 2e-3  # 1e-3 and 4e-3 both lose at this length of fit

Voxels = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


class TooFewSlicesError(ValueError):
    """The volume has too few slices for neighbours to teach anything."""

    def __init__(self, slices: int) -> None:
        super().__init__(f"the volume has {slices} slices and NS-N2N needs at least {MINIMUM_SLICES} neighbouring ones")


@dataclass(frozen=True)
class NSN2NSettings:
    """What a user may choose; ``variant`` published is the published method with our network and optimiser."""

    variant: Literal["default", "published"] = "default"
    steps: int = 800
    remove_rician_bias: bool = True


def denoise_volume(
    voxels: Voxels,
    valid: Mask,
    *,
    spacing: tuple[float, float, float],
    modality: str,
    settings: NSN2NSettings,
    context: FitContext,
) -> Denoised:
    """Remove the noise of one volume.

    Args:
        voxels: (slices, rows, columns) in real units.
        valid: the same shape, False on padding, which neither trains nor changes: it takes the lowest real value while
            this runs, since its own says nothing.
        spacing: mm between slices, rows and columns.
        modality: CT, MR or PT.

    Raises:
        TooFewSlicesError: fewer than `MINIMUM_SLICES` slices.
    """
    compute = context.compute
    if len(voxels) < MINIMUM_SLICES:
        raise TooFewSlicesError(len(voxels))
    outside = ~valid
    padding = voxels[outside]
    voxels[outside] = voxels.min(where=valid, initial=math.inf)  # in place, since a copy would double the memory
    volume, inside = (torch.from_numpy(array)[:, None].to(compute.device) for array in (voxels, valid))
    tissue = tissue_of(voxels, modality)
    noise = measure_noise(volume, tissue)
    default = settings.variant == "default"
    scaling = (noise_units if default else unit_range)(volume, noise)
    inside_tissue = int(np.count_nonzero(voxels > tissue.threshold)) if default else 0
    plan = plan_slices(settings.steps, compute, voxels.size, inside_tissue, context.budget)
    if default:
        images = initial_estimate(volume, scaling, noise.spectrum, tissue.threshold, plan.passes, context)
    else:
        images = published_guides(volume, scaling)
    guides = torch.from_numpy(images)[:, None].to(compute.device)
    network = _seeded_network(context.seed, default).to(compute.device)
    gap = noise.gap if default else 1
    drawer = PairDrawer(volume, inside, scaling, gap=gap, threshold=tissue.threshold, seed=context.seed, guides=guides)
    difference_sd = estimate_difference_sd(noise) if default else None
    loss = partial(_loss, network, drawer, difference_sd)
    taken = fit(network, loss, context, steps=plan.steps, learning_rate=LEARNING_RATE)
    _apply(network, volume, guides if default else None, scaling, compute, images)
    measures = {"noise_sd": noise.sd, "gap": gap, "slice_correlation": noise.correlations[gap - 1]}
    if difference_sd is not None:
        measures["passes"] = len(plan.passes)
        fuse_neighbours(images, scaling, tissue.threshold, difference_sd)
        limit_change(images, voxels, scaling)
        share = RETURNED_FRACTION[modality]
        measures["unchanged_above_mm"] = return_low_frequencies(images, voxels, spacing, tissue.threshold, share)
    measures |= _removed(voxels, images, tissue.threshold)
    if modality == "MR" and settings.remove_rician_bias and (sd := rician_sd(voxels, noise.sd)):
        images = remove_rician_bias(images, sd)
        measures["rician_sd"] = sd
    images[outside] = voxels[outside] = padding
    return Denoised(images, context.record(METHOD, settings.variant, plan.steps, taken, measures))


def _seeded_network(seed: int, guided: bool) -> SliceNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return SliceNetwork(guided)


def _loss(network: SliceNetwork, drawer: PairDrawer, difference_sd: float | None) -> Tensor:
    """Ours, where it is known by what estimates of the same may differ; else the published one."""
    pair = drawer.draw()
    return published_loss(network, pair) if difference_sd is None else confirmed_loss(network, pair, difference_sd)


def _removed(voxels: Voxels, images: Voxels, threshold: float) -> dict[str, float]:
    """Mean and sd of what was removed from tissue, in real units."""
    count, total, square = 0, 0.0, 0.0
    for before, after in zip(voxels, images, strict=True):
        removed = (before - after)[before > threshold]
        count += removed.size
        total += float(removed.sum(dtype=np.float64))
        square += float(np.square(removed, dtype=np.float64).sum())
    mean = total / max(1, count)
    return {"removed_mean": mean, "removed_sd": math.sqrt(max(0.0, square / max(1, count) - mean**2))}


@torch.no_grad()
def _apply(
    network: SliceNetwork,
    volume: Tensor,
    estimates: Tensor | None,
    scaling: Scaling,
    compute: Compute,
    images: Voxels,
) -> None:
    """Write every slice through the network into ``images``, which may be what ``estimates`` looks at."""
    network.eval()
    for i, slice_ in enumerate(volume):
        level = scaling.level_at(i, 0, 0, (volume.shape[-2], volume.shape[-1]))
        with compute.autocast():
            f = network(scaling.scaled(slice_)[None], level[None], None if estimates is None else estimates[i : i + 1])
        images[i] = scaling.real(f)[0, 0].cpu().numpy()
