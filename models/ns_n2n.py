"""Denoising of one volume by a network fitted on that volume alone, after NS-N2N (arXiv 2411.10831).

In: slices of one volume in real units and the mask of what is not padding; out: the same slices denoised, padding
bit-identical. Order: measure the noise and how far it reaches between slices -> noise units -> plan the steps -> one
fit on random pairs of neighbouring crops -> every slice through the network -> fused with its neighbours -> the low
frequencies as measured -> for MR, the Rician bias removed.

``default`` supervises where the neighbour confirms a slice and is the identity elsewhere; ``paper`` is as published.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.compute import Compute
from models.fitting import Denoised, FitRecord, fit
from models.fusion import fuse_neighbours
from models.low_frequencies import return_low_frequencies
from models.matching import mean_difference_sd, strong_low_pass
from models.noise_level import SliceNoise, measure_noise
from models.pairs import PairDrawer
from models.rician import remove_rician_bias, rician_sd
from models.scaling import Scaling, noise_units, unit_range
from models.slice_losses import confirmed_loss, paper_loss
from models.slice_network import SliceNetwork
from models.tissue import tissue_of

METHOD = "NS-N2N"
MINIMUM_SLICES = 4  # below this too few pairs tell noise from anatomy
CROPS, SIDE = 8, 64  # pairs in a batch, pixels a side
LEARNING_RATE = 2e-3  # 1e-3 and 4e-3 both lose at this length of fit
SECONDS_PER_MEGAPIXEL = {  # (device kind, precision): of a training step, of applying; two busy cores; cuda: assumed
    ("cpu", "bfloat16"): (1.4, 0.5),
    ("cpu", "float32"): (2.8, 1.0),
    ("cuda", "bfloat16"): (0.05, 0.02),
    ("cuda", "float32"): (0.1, 0.04),
}
FIT_SHARE = 0.7  # of the budget goes to planned work; the rest is reading, measuring, writing and slack
MINIMUM_STEPS = 50  # below this the network is still its first guess

Voxels = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


class TooFewSlicesError(ValueError):
    """The volume has too few slices for neighbours to teach anything."""

    def __init__(self, slices: int) -> None:
        super().__init__(f"the volume has {slices} slices and NS-N2N needs at least {MINIMUM_SLICES} neighbouring ones")


@dataclass(frozen=True)
class NSN2NSettings:
    """What a user may choose; ``variant`` paper is the published method with our network and optimiser."""

    variant: Literal["default", "paper"] = "default"
    steps: int = 800
    remove_rician_bias: bool = True


def denoise_volume(
    voxels: Voxels,
    valid: Mask,
    *,
    spacing: tuple[float, float, float],
    modality: str,
    settings: NSN2NSettings,
    compute: Compute,
    seed: int,
    budget: float,
    deadline: float,
    label: str,
) -> Denoised:
    """Remove the noise of one volume.

    Args:
        voxels: (slices, rows, columns) in real units.
        valid: the same shape, False on padding, which neither trains nor changes: it takes the lowest real value while
            this runs, since its own says nothing.
        spacing: mm between slices, rows and columns.
        modality: CT, MR or PT.
        budget: seconds for this volume, from which the steps are planned.
        deadline: reading of ``time.monotonic()`` past which no further step begins.
        label: shown beside the progress; holds nothing of the patient.

    Raises:
        TooFewSlicesError: fewer than `MINIMUM_SLICES` slices.
    """
    if len(voxels) < MINIMUM_SLICES:
        raise TooFewSlicesError(len(voxels))
    outside = ~valid
    padding = voxels[outside]
    voxels[outside] = voxels.min(where=valid, initial=math.inf)  # in place, since a copy would double the memory
    volume, inside = (torch.from_numpy(array)[:, None].to(compute.device) for array in (voxels, valid))
    tissue = tissue_of(voxels, modality)
    noise = measure_noise(volume, tissue)
    scaling = (unit_range if settings.variant == "paper" else noise_units)(volume, noise)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = SliceNetwork().to(compute.device)
    drawer = _drawer(volume, inside, scaling, noise, settings, tissue.above, seed)
    steps = plan_steps(settings, compute, voxels.size, budget)
    loss = _loss(network, drawer, settings)
    taken = fit(network, loss, compute, steps=steps, learning_rate=LEARNING_RATE, deadline=deadline, label=label)
    images = _apply(network, volume, scaling, compute)
    measures = {"noise_sd": noise.sd, "gap": drawer.gap, "slice_correlation": noise.correlations[drawer.gap - 1]}
    if settings.variant == "default":
        fuse_neighbours(images, scaling, tissue.above)
        measures["unchanged_above_mm"] = return_low_frequencies(images, voxels, spacing, tissue.above)
    measures |= _removed(voxels, images, tissue.above)
    if modality == "MR" and settings.remove_rician_bias and (sd := rician_sd(voxels, noise.sd)):
        images = remove_rician_bias(images, sd)
        measures["rician_sd"] = sd
    images[outside] = voxels[outside] = padding
    record = FitRecord(
        METHOD, settings.variant, compute.kind, compute.precision, compute.processor, seed, steps, taken, measures
    )
    return Denoised(images, record)


def plan_steps(settings: NSN2NSettings, compute: Compute, voxel_count: int, budget: float) -> int:
    """Steps that fit the budget by the written cost table, at most those of the settings."""
    step, apply = SECONDS_PER_MEGAPIXEL[compute.kind, compute.precision]
    seconds = FIT_SHARE * budget - apply * voxel_count / 1e6
    return int(np.clip(seconds / (step * 2 * CROPS * SIDE**2 / 1e6), MINIMUM_STEPS, settings.steps))


def _loss(network: SliceNetwork, drawer: PairDrawer, settings: NSN2NSettings) -> Callable[[], Tensor]:
    if settings.variant == "paper":
        return lambda: paper_loss(network, drawer.draw())
    slices = range(0, len(drawer.volume) - drawer.gap, max(1, len(drawer.volume) // 8))
    difference_sd = mean_difference_sd(drawer.volume, drawer.scaling, drawer.gap, list(slices))
    return lambda: confirmed_loss(network, drawer.draw(), difference_sd)


def _removed(voxels: Voxels, images: Voxels, above: float) -> dict[str, float]:
    """Mean and sd of what was removed from tissue, in real units."""
    count, total, square = 0, 0.0, 0.0
    for before, after in zip(voxels, images, strict=True):
        removed = (before - after)[before > above]
        count += removed.size
        total += float(removed.sum(dtype=np.float64))
        square += float(np.square(removed, dtype=np.float64).sum())
    mean = total / max(1, count)
    return {"removed_mean": mean, "removed_sd": math.sqrt(max(0.0, square / max(1, count) - mean**2))}


def _drawer(
    volume: Tensor,
    valid: Tensor,
    scaling: Scaling,
    noise: SliceNoise,
    settings: NSN2NSettings,
    threshold: float,
    seed: int,
) -> PairDrawer:
    paper = settings.variant == "paper"
    guides = None
    if paper:
        planes = [strong_low_pass(scaling.scaled(slice_).cpu().numpy()) for slice_ in volume[:, 0]]
        guides = torch.from_numpy(np.stack(planes)).float()[:, None].to(volume.device)
    return PairDrawer(
        volume,
        valid,
        scaling,
        gap=1 if paper else noise.gap,
        threshold=threshold,
        crops=CROPS,
        side=SIDE,
        seed=seed,
        guides=guides,
    )


@torch.no_grad()
def _apply(network: SliceNetwork, volume: Tensor, scaling: Scaling, compute: Compute) -> Voxels:
    network.eval()
    images = np.empty((len(volume), *volume.shape[2:]), np.float32)
    for i, slice_ in enumerate(volume):
        level = scaling.level_at(i, 0, 0, (volume.shape[-2], volume.shape[-1]))
        with compute.autocast():
            f = network(scaling.scaled(slice_)[None], level[None])
        images[i] = scaling.real(f)[0, 0].cpu().numpy()
    return images
