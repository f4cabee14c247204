"""Slices as coefficients of the cosine transform of 4 x 4 blocks, in which their noise is measured.

A block is judged by the coefficients of one parity and read in those of the other: the noise of the two is independent,
so that a block is never chosen for the very noise that is then read.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.robust import evenly
from models.volume.initial.transform import BLOCK, cosine_matrix

APART = 2  # pixels between blocks
TRIPLES = 24  # of slices, evenly along the volume
MOST_HOMOGENEOUS = 0.1  # share of the blocks whose difference of slices is taken for noise alone
FEWEST = 64  # blocks; with fewer neither spectrum nor correlation is told from chance
EVEN, ODD = (
    tuple(k for k in range(1, BLOCK**2) if (k // BLOCK + k % BLOCK) % 2 == parity) for parity in (0, 1)
)  # coefficients, without the mean, by the parity of row frequency + column frequency


@dataclass(frozen=True)
class Triples:
    """Three neighbouring slices each, at blocks `APART` pixels apart.

    Attributes:
        differences: (BLOCK ** 2, triples, rows, columns) coefficients of the second difference, in the volume's unit.
        sums: the same of the sum.
        inside: (triples, rows, columns) whether all of a block is tissue in all three slices.
    """

    differences: Tensor
    sums: Tensor
    inside: Tensor


def read_triples(volume: Tensor, threshold: float) -> Triples:
    """Of ``volume``, (slices, 1, rows, columns), at least 3 slices; tissue exceeds ``threshold``."""
    differences, sums, inside = [], [], []
    for first in evenly(len(volume) - 2, TRIPLES):
        before, here, after = volume[first : first + 3, None]
        differences.append(coefficients(before - 2 * here + after))
        sums.append(coefficients(before + here + after))
        inside.append(whole_blocks(volume[first : first + 3] > threshold))
    return Triples(torch.cat(differences, dim=1), torch.cat(sums, dim=1), torch.stack(inside))


def enough(triples: Triples) -> bool:
    """Whether there are blocks enough to tell noise from chance."""
    return int(triples.inside.sum()) >= FEWEST


def coefficients(slices: Tensor) -> Tensor:
    """(BLOCK ** 2, slices, rows of blocks, columns of blocks) of (slices, 1, rows, columns)."""
    matrix = cosine_matrix().to(slices.device)
    kernel = torch.kron(matrix, matrix).view(BLOCK**2, 1, BLOCK, BLOCK)
    padded = functional.pad(slices, _to_whole_blocks(slices), mode="replicate")
    return functional.conv2d(padded, kernel, stride=APART).transpose(0, 1)


def whole_blocks(tissue: Tensor) -> Tensor:
    """(rows of blocks, columns of blocks): whether all of a block is tissue in all of (slices, 1, rows, columns)."""
    outside = (~tissue).any(dim=0, keepdim=True).float()
    padded = functional.pad(outside, _to_whole_blocks(tissue), value=1.0)
    return functional.max_pool2d(padded, BLOCK, stride=APART)[0, 0] == 0


def plainest(structure: Tensor, inside: Tensor) -> Tensor:
    """The share `MOST_HOMOGENEOUS` of the blocks ``inside`` with least ``structure``; a mask of their shape."""
    values = structure[inside]
    return inside & (structure <= values.kthvalue(max(1, int(MOST_HOMOGENEOUS * len(values)))).values)


def _to_whole_blocks(slices: Tensor) -> tuple[int, int, int, int]:
    rows, columns = slices.shape[-2:]
    return (0, -columns % BLOCK, 0, -rows % BLOCK)
