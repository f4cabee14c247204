"""The noise of a volume, measured on the volume itself: its reach between slices, its spectrum, its local level.

Second differences of neighbouring slices hold noise and anatomy. So the level is read from their low quantiles around
each cell, trusted where the tissue is plain, and elsewhere taken to be no stronger than in the plain tissue around:
texture that changes from slice to slice (lung, tumour, folds) would otherwise pass for noise and be removed. How strong
the noise is in all is the spectrum's to say: in thick slices what neighbours differ by is half anatomy.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from models.robust import box_mean, sampled_quantile
from models.volume.initial.transform import BLOCK
from models.volume.noise.block_coefficients import APART, EVEN, ODD, Triples, enough, read_triples
from models.volume.noise.noise_spectrum import block_spectrum, in_slice_sd, noise_energy
from models.volume.noise.slice_correlation import independent_gap, settled, slice_correlations
from models.volume.tissue import Tissue

CELL = 8  # pixels between the places at which the level is read
WINDOW, NEIGHBOURS = 2, 2  # cells and triples on each side whose blocks tell a cell's level
LOW_FRACTION = 0.15  # quantile of the blocks' energy: anatomy may change in most of them
FINEST = (10, 11, 14, 15)  # coefficients in the upper half of the frequencies both ways, which hold least anatomy
HOMOGENEOUS_FRACTION = (
    0.3  # share of the tissue's cells with least structure for their finest detail: the level is trusted
)
AROUND = 4  # cells on each side, twice: how far plain tissue speaks for the noise of what is textured
PRIOR = 0.02  # weight of the typical level against the plain cells around; decides where there are none
LEVEL_FLOOR = 0.3  # of the typical level: where a volume is constant (clipped air) noise units must stay finite
LEVEL_STEP = 4  # pixels between the values of a level map


@dataclass(frozen=True)
class SliceNoise:
    """What is known of the noise of one volume.

    Attributes:
        gap: slices between a slice and the neighbour whose noise counts as independent.
        correlations: of the noise, for gaps 1, 2, ..., as measured.
        sd: typical standard deviation in tissue, in the volume's unit.
        level: (slices, 1, rows / 4, columns / 4) the local standard deviation over ``sd``.
        spectrum: (BLOCK ** 3,) standard deviation of each coefficient of a block, over the local one; their mean square
            is 1. Frequencies along slices, rows, columns.
    """

    gap: int
    correlations: tuple[float, ...]
    sd: float
    level: Tensor
    spectrum: Tensor


def measure_noise(volume: Tensor, tissue: Tissue) -> SliceNoise:
    """Measure the noise of ``volume``, (slices, 1, rows, columns) in real units, at least 3 slices, in its tissue."""
    slices, _, rows, columns = volume.shape
    correlations = slice_correlations(volume, tissue.threshold)
    reach = settled(correlations)
    triples = read_triples(volume, tissue.threshold)
    means = box_mean(triples.sums[0, :, None] / (3 * BLOCK), 1)[:, 0]
    shape = _expected(means, tissue)
    cells, plain = noise_level(triples, in_slice_sd(triples, shape, reach), shape, means, tissue)
    kept = replace(triples, inside=triples.inside & _at_blocks(plain.float(), triples, "nearest").bool())
    level = _at_blocks(cells, triples, "bilinear")
    spectrum = block_spectrum(in_slice_sd(kept if enough(kept) else triples, level, reach), reach)
    sd = float(spectrum.square().mean().sqrt())
    size = (slices, -(-rows // LEVEL_STEP), -(-columns // LEVEL_STEP))
    whole = functional.interpolate(cells.transpose(0, 1)[None], size=size, mode="trilinear")[0].transpose(0, 1)
    return SliceNoise(independent_gap(correlations), correlations, sd, whole.contiguous(), spectrum / sd)


def noise_level(triples: Triples, sd: Tensor, shape: Tensor, means: Tensor, tissue: Tissue) -> tuple[Tensor, Tensor]:
    """The local level of the noise, typically 1, and where it can be trusted.

    Args:
        sd: (BLOCK ** 2,) of the noise in the coefficients of differences, but for a factor.
        shape: (triples, rows of blocks, columns of blocks), how the noise is expected to vary.
        means: the same of the slices' values.

    Returns:
        level, plain: (triples, 1, rows / 8, columns / 8).
    """
    every = BLOCK // APART  # blocks that do not overlap tell as much
    means, shape, inside = (values[:, ::every, ::every] for values in (means, shape, triples.inside))
    differences, sums = (values[..., ::every, ::every] / shape for values in (triples.differences, triples.sums))
    low, mean = partial(torch.nanquantile, q=LOW_FRACTION, dim=-1), partial(torch.nanmean, dim=-1)
    energy = noise_energy(differences, EVEN + ODD, sd)
    level = _of_cells(energy.where(inside, torch.nan), low).sqrt()
    if level.isnan().any():  # no tissue near
        level = level.where(level.isfinite(), _of_cells(energy, low).sqrt())
    finest = _of_cells(noise_energy(differences, FINEST, sd).where(inside, torch.nan), low)
    total = _of_cells(noise_energy(sums, EVEN + ODD, sd).where(inside, torch.nan), mean)
    means, shape = (functional.avg_pool2d(values[:, None], CELL // BLOCK, ceil_mode=True) for values in (means, shape))
    usable = total.isfinite() & (finest > 0) & (means >= tissue.homogeneous[0]) & (means <= tissue.homogeneous[1])
    plain = _least(total / finest, usable)
    trusted = _trusted(level, plain, tissue.ceiling) * shape
    measured = trusted[(means > tissue.threshold) & (trusted > 0)]
    typical = sampled_quantile(measured, 0.5) if measured.numel() else 1.0
    return (trusted / typical).clamp(min=LEVEL_FLOOR), plain


def _least(structure: Tensor, usable: Tensor) -> Tensor:
    return usable & (structure <= sampled_quantile(structure[usable], HOMOGENEOUS_FRACTION)) if usable.any() else usable


def _of_cells(blocks: Tensor, figure: Callable[[Tensor], Tensor]) -> Tensor:
    """(triples, 1, rows, columns) of cells: a figure of the blocks around, (triples, rows, columns), NaN left out."""
    step = CELL // BLOCK
    rows, columns = blocks.shape[-2:]
    beyond = WINDOW * step
    padded = functional.pad(blocks, (beyond, beyond + -columns % step, beyond, beyond + -rows % step), value=torch.nan)
    side = step * (2 * WINDOW + 1)
    windows = padded.unfold(1, side, step).unfold(2, side, step).flatten(3)
    found = []
    for index in range(len(blocks)):
        near = windows[max(0, index - NEIGHBOURS) : index + NEIGHBOURS + 1]
        found.append(figure(near.permute(1, 2, 0, 3).flatten(2)))
    return torch.stack(found)[:, None]


def _at_blocks(cells: Tensor, triples: Triples, mode: str) -> Tensor:
    """(triples, rows of blocks, columns of blocks) of (triples, 1, rows, columns) of cells."""
    _, rows, columns = triples.inside.shape
    return functional.interpolate(cells, scale_factor=CELL / APART, mode=mode)[:, 0, :rows, :columns]


def _expected(means: Tensor, tissue: Tissue) -> Tensor:
    """How the noise follows the signal: not at all, or as the root of counts."""
    return means.clamp(min=max(tissue.threshold, 1e-6)).sqrt() if tissue.counts else torch.ones_like(means)


def _trusted(relative: Tensor, plain: Tensor, ceiling: float) -> Tensor:
    if not plain.any():
        return relative
    typical = sampled_quantile(relative[plain], 0.5)
    capped = relative.clamp(max=ceiling * typical)
    weight = box_mean(box_mean(plain.float(), AROUND), AROUND)
    around = (box_mean(box_mean(capped * plain, AROUND), AROUND) + PRIOR * typical) / (weight + PRIOR)
    return torch.where(plain, capped, torch.minimum(capped, around))
