"""The level of the noise everywhere in a volume, measured on the volume itself.

Differences of neighbouring slices hold noise and anatomy. So the level is read from their low quantiles in blocks,
trusted where the tissue is plain, and elsewhere taken to be no stronger than in the plain tissue around: texture that
changes from slice to slice (lung, tumour, folds) would otherwise pass for noise and be removed.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.slice_noise import (
    box_mean,
    evenly,
    flatness,
    independent_gap,
    sampled_quantile,
    settled,
    slice_correlations,
)
from models.tissue import Tissue

LEVEL_SLICES = 48  # slices the level is measured at; it changes slowly between them
BLOCKS_PER_SIDE, BLOCK_RANGE = 32, (8, 16)  # the noise level is constant over blocks of so many pixels a side
LOW_SHARE = 0.3  # quantile of absolute differences the level is read from: anatomy may change in most of a block
LOW_SHARE_TO_SD = 2.595  # sd over that quantile of the magnitude of normal noise: 1 / 0.3853
HIGHEST_CORRELATION = 0.9  # of neighbouring slices that differences are corrected for; beyond it they tell nothing
PLAIN_SHARE = 0.3  # share of the tissue's blocks with least structure for their noise, where the level is trusted
AROUND = 4  # blocks on each side, twice: how far plain tissue speaks for the noise of what is textured
PRIOR = 0.02  # weight of the typical level against the plain blocks around; decides where there are none
LEVEL_FLOOR = 0.3  # of the typical level: where a volume is constant (clipped air) noise units must stay finite
LEVEL_STEP = 4  # pixels between the values of a level map


@dataclass(frozen=True)
class SliceNoise:
    """What is known of the noise of one volume.

    Attributes:
        gap: slices between a slice and the neighbour whose noise counts as independent.
        correlations: of the noise, for gaps 1, 2, ...
        sd: typical standard deviation in tissue, in the volume's unit.
        level: (slices, 1, rows / 4, columns / 4) the local standard deviation over ``sd``.
    """

    gap: int
    correlations: tuple[float, ...]
    sd: float
    level: Tensor


def measure_noise(volume: Tensor, tissue: Tissue) -> SliceNoise:
    """Measure the noise of ``volume``, (slices, 1, rows, columns) in real units, in its tissue."""
    correlations = slice_correlations(volume, tissue.above)
    level, sd = noise_level(volume, tissue, settled(correlations)[0])
    return SliceNoise(independent_gap(correlations), correlations, sd, level)


def noise_level(volume: Tensor, tissue: Tissue, correlation: float) -> tuple[Tensor, float]:
    """The map and the typical level of `SliceNoise`.

    Next neighbours serve whatever the gap: anatomy changes least between them, and ``correlation`` of their noise is
    known.
    """
    slices, _, rows, columns = volume.shape
    firsts = evenly(slices - 1, LEVEL_SLICES)
    side = min(max(min(rows, columns) // BLOCKS_PER_SIDE, BLOCK_RANGE[0]), BLOCK_RANGE[1])
    differences = torch.cat([block_quantile((volume[[i]] - volume[[i + 1]]).abs(), LOW_SHARE, side) for i in firsts])
    means = torch.cat([block_quantile(volume[[i]], 0.5, side) for i in firsts])
    structure = torch.cat([block_quantile(flatness(volume[[i]], tissue.above), 0.5, side) for i in firsts])
    shape = _expected(means, tissue)
    to_sd = LOW_SHARE_TO_SD / math.sqrt(2 * (1 - min(correlation, HIGHEST_CORRELATION)))
    relative = box_mean(_median_of_neighbours(differences), 1) * to_sd / shape
    blocks = _trusted(relative, _plain(structure, means, relative * shape, tissue), tissue.ceiling) * shape
    measured = blocks[(means > tissue.above) & (blocks > 0)]
    sd = sampled_quantile(measured, 0.5) if measured.numel() else 1.0
    size = (slices, -(-rows // LEVEL_STEP), -(-columns // LEVEL_STEP))
    stacked = (blocks / sd).clamp(min=LEVEL_FLOOR).transpose(0, 1)[None]
    return functional.interpolate(stacked, size=size, mode="trilinear")[0].transpose(0, 1).contiguous(), sd


def block_quantile(slice_: Tensor, share: float, side: int) -> Tensor:
    """A quantile of every block of ``side`` pixels of (1, 1, rows, columns)."""
    rows, columns = slice_.shape[-2:]
    padded = functional.pad(slice_, (0, -columns % side, 0, -rows % side), mode="replicate")
    values = functional.unfold(padded, side, stride=side).kthvalue(1 + int(share * (side**2 - 1)), dim=1).values
    return values.view(1, 1, padded.shape[-2] // side, padded.shape[-1] // side)


def _expected(means: Tensor, tissue: Tissue) -> Tensor:
    """How the noise follows the signal: not at all, or as the root of counts."""
    return means.clamp(min=max(tissue.above, 1e-6)).sqrt() if tissue.counts else torch.ones_like(means)


def _plain(structure: Tensor, means: Tensor, level: Tensor, tissue: Tissue) -> Tensor:
    usable = torch.isfinite(structure) & (level > 0) & (means >= tissue.plain[0]) & (means <= tissue.plain[1])
    ratio = structure / level.square().clamp(min=1e-12)
    return usable & (ratio <= sampled_quantile(ratio[usable], PLAIN_SHARE)) if usable.any() else usable


def _trusted(relative: Tensor, plain: Tensor, ceiling: float) -> Tensor:
    if not plain.any():
        return relative
    typical = sampled_quantile(relative[plain], 0.5)
    capped = relative.clamp(max=ceiling * typical)
    weight = box_mean(box_mean(plain.float(), AROUND), AROUND)
    around = (box_mean(box_mean(capped * plain, AROUND), AROUND) + PRIOR * typical) / (weight + PRIOR)
    return torch.where(plain, capped, torch.minimum(capped, around))


def _median_of_neighbours(blocks: Tensor) -> Tensor:
    reach = min(2, (len(blocks) - 1) // 2)
    edges = torch.cat([blocks[:1].expand(reach, -1, -1, -1), blocks, blocks[-1:].expand(reach, -1, -1, -1)])
    return edges.unfold(0, 2 * reach + 1, 1).median(dim=-1).values
