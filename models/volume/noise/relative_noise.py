"""The local noise over the typical one, in cells of 8 x 8 pixels of some slices.

Second differences of neighbouring slices hold noise and anatomy. The local noise is read from the low quantiles of
their energy around each cell. It is trusted where the tissue is homogeneous, and elsewhere limited to that of the
homogeneous tissue around: texture that changes from slice to slice (lung, tumour, folds) would otherwise count as noise
and be removed.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from models.filters import uniform
from models.robust import sampled_quantile
from models.volume.dct import BLOCK
from models.volume.noise.block_coefficients import BLOCK_STEP, EVEN, ODD, Triples
from models.volume.noise.noise_spectrum import noise_energy
from models.volume.tissue import Tissue

CELL = 8  # pixels a side
WINDOW, NEIGHBOURS = 2, 2  # cells and triples on each side from whose blocks a cell's noise is read
LOW_FRACTION = 0.15  # quantile of the blocks' energy: anatomy may change in most of them
FINEST = (10, 11, 14, 15)  # coefficients in the upper half of the frequencies both ways, which hold least anatomy
HOMOGENEOUS_FRACTION = 0.3  # of the tissue's cells: those with least structure for their finest detail
AROUND = 9  # cells a side, twice: how far homogeneous tissue limits the noise of textured tissue
PRIOR = 0.02  # weight of the typical noise against that of homogeneous cells around; decides where there are none
LOWEST = 0.3  # of the typical noise: where a volume is constant (clipped air) noise units must stay finite
TINY = 1e-6  # real units


def local_noise(triples: Triples, sd: Tensor, expected: Tensor, means: Tensor, tissue: Tissue) -> tuple[Tensor, Tensor]:
    """Return the local noise, typically 1, and where tissue is homogeneous.

    Args:
        triples: coefficients of slices.
        sd: (BLOCK ** 2,) of the noise in the coefficients of differences, up to a factor.
        expected: (triples, rows of blocks, columns of blocks), how the noise is expected to vary.
        means: the same of the slices' values.
        tissue: of the volume.

    Returns:
        local, homogeneous: (triples, 1, rows / 8, columns / 8).
    """
    every = BLOCK // BLOCK_STEP  # blocks that do not overlap hold all the information
    means, expected, inside = (values[:, ::every, ::every] for values in (means, expected, triples.inside))
    differences, sums = (values[..., ::every, ::every] / expected for values in (triples.differences, triples.sums))
    energy = noise_energy(differences, EVEN + ODD, sd)
    local = _of_cells(energy.where(inside, torch.nan), low_quantiles).sqrt()
    if (far := local.isnan()).any():  # no tissue near
        local = local.where(~far, _of_cells(energy, low_quantiles, far).sqrt())
    finest = _of_cells(noise_energy(differences, FINEST, sd).where(inside, torch.nan), low_quantiles)
    total = _of_cells(noise_energy(sums, EVEN + ODD, sd).where(inside, torch.nan), partial(torch.nanmean, dim=-1))
    means, expected = (
        functional.avg_pool2d(values[:, None], CELL // BLOCK, ceil_mode=True) for values in (means, expected)
    )
    usable = total.isfinite() & (finest > 0) & (means >= tissue.homogeneous[0]) & (means <= tissue.homogeneous[1])
    homogeneous = _least(total / finest, usable)
    trusted = _trusted(local, homogeneous, tissue.ceiling) * expected
    in_tissue = trusted[(means > tissue.threshold) & (trusted > 0)]
    typical = sampled_quantile(in_tissue, 0.5) if in_tissue.numel() else 1.0
    return (trusted / typical).clamp(min=LOWEST), homogeneous


def expected_noise(means: Tensor, tissue: Tissue) -> Tensor:
    """Return how the noise follows the signal ``means``: not at all, or as the square root of counts."""
    return means.clamp(min=max(tissue.threshold, TINY)).sqrt() if tissue.counts else torch.ones_like(means)


def interpolated_at_blocks(cells: Tensor, triples: Triples, mode: str) -> Tensor:
    """Return (triples, rows of blocks, columns of blocks) of (triples, 1, rows, columns) of cells."""
    _, rows, columns = triples.inside.shape
    return functional.interpolate(cells, scale_factor=CELL / BLOCK_STEP, mode=mode)[:, 0, :rows, :columns]


def low_quantiles(values: Tensor) -> Tensor:
    """Return the quantile `LOW_FRACTION` of each row of ``values`` as `torch.nanquantile` does, without sorting all."""
    counts = values.isnan().logical_not_().sum(dim=-1, keepdim=True)
    rank = LOW_FRACTION * (counts - 1).clamp_(min=0)
    most = 1 + math.ceil(LOW_FRACTION * (values.shape[-1] - 1))
    least = values.nan_to_num(torch.inf).topk(most, dim=-1, largest=False).values
    below, above = (least.gather(-1, at.long()) for at in (rank.floor(), rank.ceil()))
    return below.lerp(above, rank.frac())[..., 0].where(counts[..., 0] > 0, torch.nan)


def _least(structure: Tensor, usable: Tensor) -> Tensor:
    return usable & (structure <= sampled_quantile(structure[usable], HOMOGENEOUS_FRACTION)) if usable.any() else usable


def _of_cells(blocks: Tensor, statistic: Callable[[Tensor], Tensor], chosen: Tensor | None = None) -> Tensor:
    """Return (triples, 1, rows, columns): a statistic of the blocks around each cell, (triples, rows, columns).

    Args:
        blocks: NaN where they do not count; where none does, so does the result hold.
        statistic: of the last axis.
        chosen: cells that are asked for, of the result's shape; all by default. The rest is NaN.
    """
    step = CELL // BLOCK
    rows, columns = blocks.shape[-2:]
    beyond = WINDOW * step
    padded = functional.pad(blocks, (beyond, beyond + -columns % step, beyond, beyond + -rows % step), value=torch.nan)
    side = step * (2 * WINDOW + 1)
    windows = padded.unfold(1, side, step).unfold(2, side, step).flatten(3)
    cells = torch.full_like(windows[..., 0], torch.nan)
    for index, cell in enumerate(cells):
        near = windows[max(0, index - NEIGHBOURS) : index + NEIGHBOURS + 1].permute(1, 2, 0, 3).flatten(2)
        asked = ~near.isnan().all(dim=-1) if chosen is None else chosen[index, 0]
        cell[asked] = statistic(near[asked])
    return cells[:, None]


def _trusted(local: Tensor, homogeneous: Tensor, ceiling: float) -> Tensor:
    """Return the local noise, limited by ``ceiling`` and by the homogeneous cells around."""
    if not homogeneous.any():
        return local
    typical = sampled_quantile(local[homogeneous], 0.5)
    capped = local.clamp(max=ceiling * typical)
    weight = uniform(uniform(homogeneous.float(), AROUND), AROUND)
    around = (uniform(uniform(capped * homogeneous, AROUND), AROUND) + PRIOR * typical) / (weight + PRIOR)
    return torch.where(homogeneous, capped, torch.minimum(capped, around))
