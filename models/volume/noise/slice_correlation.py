"""How far the noise of a volume reaches between slices, measured on the volume itself.

In blocks of tissue that are plain in the coefficients of one parity, those of the other are compared between slices.
Anatomy that slices share only ever adds correlation, to some coefficients more than to others; so the least correlated
of them tell the noise's.
"""

import torch
from torch import Tensor

from models.robust import evenly
from models.volume.noise.block_coefficients import EVEN, FEWEST, ODD, coefficients, plainest, whole_blocks

INDEPENDENT = 0.2  # correlation of noise below which a neighbour serves as target (second neighbours of 1 mm CT: .05)
CHANCE = 0.1  # correlation below which it is taken for none: anatomy leaves up to .09 where there is none
LARGEST_GAP = 4  # slices; beyond it anatomy has changed too much to learn from
WINDOWS = 8  # places along the volume, each LARGEST_GAP + 1 slices long, where the correlation is measured
LOW_FRACTION = 0.25  # quantile over the coefficients
TINY = 1e-9  # real units; what is constant has no correlation


def slice_correlations(volume: Tensor, threshold: float) -> tuple[float, ...]:
    """Correlation of the noise of slices 1, 2, ... apart; 0 without plain tissue.

    Args:
        volume: (slices, 1, rows, columns) in real units.
        threshold: real value above which a voxel is tissue.
    """
    gaps = range(1, min(LARGEST_GAP, len(volume) - 1) + 1)
    windows = [volume[start : start + len(gaps) + 1] for start in evenly(len(volume) - len(gaps), WINDOWS)]
    inside = [whole_blocks(window > threshold) for window in windows]
    blocks = torch.cat([coefficients(w)[:, :, there] for w, there in zip(windows, inside, strict=True)], dim=2)
    if blocks.shape[2] < FEWEST:
        return (0.0,) * len(gaps)
    found = torch.cat([_by_coefficient(blocks, *halves, len(gaps)) for halves in ((EVEN, ODD), (ODD, EVEN))])
    return tuple(torch.quantile(found, LOW_FRACTION, dim=0).tolist())


def independent_gap(correlations: tuple[float, ...]) -> int:
    """The nearest gap whose noise counts as independent, else the least correlated; gaps count from 1."""
    for gap, correlation in enumerate(correlations, start=1):
        if correlation <= INDEPENDENT:
            return gap
    return 1 + correlations.index(min(correlations))


def settled(correlations: tuple[float, ...]) -> tuple[float, ...]:
    """What chance explains is taken to be none: anatomy that neighbours share looks like a little correlation."""
    return tuple(value if value > CHANCE else 0.0 for value in correlations)


def _by_coefficient(blocks: Tensor, judged: tuple[int, ...], read: tuple[int, ...], gaps: int) -> Tensor:
    """(coefficients read, gaps) of (BLOCK ** 2, slices, blocks)."""
    structure = torch.zeros_like(blocks[0, 0])
    for values in blocks[list(judged)]:
        structure += (values / values.abs().median().clamp(min=TINY)).square().sum(dim=0)
    plain = blocks[list(read)][..., plainest(structure, torch.ones_like(structure, dtype=torch.bool))]
    return torch.stack([_correlation(plain[:, gap:], plain[:, :-gap]) for gap in range(1, gaps + 1)], dim=1)


def _correlation(near: Tensor, far: Tensor) -> Tensor:
    """Of each row, from medians."""
    together, apart = ((near + sign * far).abs().flatten(1).median(dim=1).values.square() for sign in (1, -1))
    return (together - apart) / (together + apart).clamp(min=TINY**2)
