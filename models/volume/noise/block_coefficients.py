"""Slices as coefficients of the cosine transform of 4 x 4 blocks, in which their noise is measured.

Blocks are chosen by the coefficients of one parity and measured in those of the other. The noise of the two is
independent, so that no block is chosen for the very noise that is then measured.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.robust import evenly_spaced
from models.volume.dct import BLOCK, block_slices, cosine_basis
from models.volume.tissue import Tissue

BLOCK_STEP = 2  # pixels between blocks
SAMPLED_TRIPLES = 24  # of slices, evenly spaced along the volume
HOMOGENEOUS_BLOCKS = 0.1  # fraction of the blocks whose difference of slices is taken for noise alone
SMOOTH_BLOCKS = (
    0.6  # the same of PET: its noise correlates over blocks, so that few of them lie below its level by chance
)
MINIMUM_BLOCKS = 64  # with fewer, neither coefficients nor correlations differ from chance
EVEN, ODD = (
    tuple(k for k in range(1, BLOCK**2) if (k // BLOCK + k % BLOCK) % 2 == parity) for parity in (0, 1)
)  # coefficients, without the mean, by the parity of row frequency + column frequency


@dataclass(frozen=True)
class Triples:
    """Coefficients of triples of neighbouring slices, in blocks `BLOCK_STEP` pixels apart.

    Where slices are too few, of each slice alone, which is its own difference and sum.

    Attributes:
        differences: (BLOCK ** 2, triples, rows, columns) of the second difference, in the volume's unit.
        sums: the same of the sum.
        inside: (triples, rows, columns) whether all of a block is tissue in all three slices.
        slices: of which each is made, 3 or 1.
        homogeneous: fraction of the blocks inside that is taken for noise alone.
    """

    differences: Tensor
    sums: Tensor
    inside: Tensor
    slices: int = 3
    homogeneous: float = HOMOGENEOUS_BLOCKS


def homogeneous_fraction(tissue: Tissue) -> float:
    """Return the fraction of the blocks of ``tissue`` that is taken for noise alone."""
    return SMOOTH_BLOCKS if tissue.counts else HOMOGENEOUS_BLOCKS


def read_triples(volume: Tensor, tissue: Tissue) -> Triples:
    """Return triples of ``volume``, (slices, 1, rows, columns) in real units."""
    threshold = tissue.threshold
    if block_slices(len(volume)) == 1:
        values = coefficients(volume)
        return Triples(values, values, torch.stack([whole_blocks(one[None] > threshold) for one in volume]), 1)
    differences, sums, inside = [], [], []
    for first in evenly_spaced(len(volume) - 2, SAMPLED_TRIPLES):
        before, here, after = volume[first : first + 3, None]
        differences.append(coefficients(before - 2 * here + after))
        sums.append(coefficients(before + here + after))
        inside.append(whole_blocks(volume[first : first + 3] > threshold))
    inside_all, homogeneous = torch.stack(inside), homogeneous_fraction(tissue)
    return Triples(torch.cat(differences, dim=1), torch.cat(sums, dim=1), inside_all, 3, homogeneous)


def has_enough_blocks(triples: Triples) -> bool:
    """Return whether there are enough blocks of tissue to separate noise from chance."""
    return int(triples.inside.sum()) >= MINIMUM_BLOCKS


def coefficients(slices: Tensor) -> Tensor:
    """Return (BLOCK ** 2, slices, rows of blocks, columns of blocks) of (slices, 1, rows, columns)."""
    kernel = cosine_basis(BLOCK, BLOCK).to(slices.device).view(BLOCK**2, 1, BLOCK, BLOCK)
    padded = functional.pad(slices, _to_whole_blocks(slices), mode="replicate")
    return functional.conv2d(padded, kernel, stride=BLOCK_STEP).transpose(0, 1)


def whole_blocks(tissue: Tensor) -> Tensor:
    """Return (rows of blocks, columns of blocks): whether all of a block is tissue in all of (slices, 1, H, W)."""
    outside = (~tissue).any(dim=0, keepdim=True).float()
    padded = functional.pad(outside, _to_whole_blocks(tissue), value=1.0)
    return functional.max_pool2d(padded, BLOCK, stride=BLOCK_STEP)[0, 0] == 0


def most_homogeneous(structure: Tensor, inside: Tensor, fraction: float = HOMOGENEOUS_BLOCKS) -> Tensor:
    """Return a mask of that fraction of the blocks ``inside`` that has least ``structure``, of their shape."""
    values = structure[inside]
    count = min(len(values), max(MINIMUM_BLOCKS, int(fraction * len(values))))
    return inside & (structure <= values.kthvalue(count).values)


def _to_whole_blocks(slices: Tensor) -> tuple[int, int, int, int]:
    rows, columns = slices.shape[-2:]
    return (0, -columns % BLOCK, 0, -rows % BLOCK)
