"""The correlation of the noise between slices, measured on the volume itself.

Blocks of tissue that are homogeneous in the coefficients of one parity are compared between slices in those of the
other. Anatomy that slices share only adds correlation, to some coefficients more than to others; so the correlation of
the noise is read from the least correlated ones.
"""

import torch
from torch import Tensor

from models.robust import evenly_spaced
from models.volume.dct import block_slices
from models.volume.noise.block_coefficients import (
    EVEN,
    MINIMUM_BLOCKS,
    ODD,
    coefficients,
    homogeneous_fraction,
    most_homogeneous,
    whole_blocks,
)
from models.volume.tissue import Tissue

INDEPENDENT = 0.2  # correlation of noise below which a neighbour serves as target (second neighbours of 1 mm CT: .05)
CHANCE = 0.1  # correlation below which it is taken for none: anatomy leaves up to .09 where there is none
LARGEST_GAP = 4  # slices; beyond it anatomy has changed too much to learn from
SAMPLED_WINDOWS = 8  # of LARGEST_GAP + 1 slices, evenly spaced along the volume
LOW_FRACTION = 0.25  # quantile over the coefficients
TINY = 1e-9  # real units; what is constant has no correlation


def slice_correlations(volume: Tensor, tissue: Tissue) -> tuple[float, ...]:
    """Return the correlation of the noise of slices 1, 2, ... apart; 0 without homogeneous tissue or with few slices.

    Args:
        volume: (slices, 1, rows, columns) in real units.
        tissue: its values.
    """
    if block_slices(len(volume)) == 1:
        return (0.0,)
    gaps = range(1, min(LARGEST_GAP, len(volume) - 1) + 1)
    starts = evenly_spaced(len(volume) - len(gaps), SAMPLED_WINDOWS)
    windows = [volume[start : start + len(gaps) + 1] for start in starts]
    inside = [whole_blocks(window > tissue.threshold) for window in windows]
    blocks = torch.cat([coefficients(w)[:, :, there] for w, there in zip(windows, inside, strict=True)], dim=2)
    if blocks.shape[2] < MINIMUM_BLOCKS:
        return (0.0,) * len(gaps)
    fraction = homogeneous_fraction(tissue)
    halves = [_by_coefficient(blocks, *parities, len(gaps), fraction) for parities in ((EVEN, ODD), (ODD, EVEN))]
    return tuple(torch.quantile(torch.cat(halves), LOW_FRACTION, dim=0).tolist())


def independent_gap(correlations: tuple[float, ...]) -> int:
    """Return the nearest gap whose noise counts as independent, else the least correlated; gaps count from 1."""
    for gap, correlation in enumerate(correlations, start=1):
        if correlation <= INDEPENDENT:
            return gap
    return 1 + correlations.index(min(correlations))


def settled(correlations: tuple[float, ...]) -> tuple[float, ...]:
    """Return the correlations, those set to 0 that chance explains: shared anatomy adds a slight correlation."""
    return tuple(value if value > CHANCE else 0.0 for value in correlations)


def _by_coefficient(
    blocks: Tensor, judged: tuple[int, ...], measured: tuple[int, ...], gaps: int, fraction: float
) -> Tensor:
    """Return (coefficients measured, gaps) of (BLOCK ** 2, slices, blocks), of that fraction of the blocks."""
    structure = torch.zeros_like(blocks[0, 0])
    for values in blocks[list(judged)]:
        structure += (values / values.abs().median().clamp(min=TINY)).square().sum(dim=0)
    everywhere = torch.ones_like(structure, dtype=torch.bool)
    chosen = blocks[list(measured)][..., most_homogeneous(structure, everywhere, fraction)]
    return torch.stack([_correlation(chosen[:, gap:], chosen[:, :-gap]) for gap in range(1, gaps + 1)], dim=1)


def _correlation(near: Tensor, far: Tensor) -> Tensor:
    """Return the correlation of each row, from medians."""
    total, difference = ((near + sign * far).abs().flatten(1).median(dim=1).values.square() for sign in (1, -1))
    return (total - difference) / (total + difference).clamp(min=TINY**2)
