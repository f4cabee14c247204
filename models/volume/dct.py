"""The cosine transform of blocks, in whose coefficients noise is measured and removed."""

import math

import torch
from torch import Tensor

BLOCK = 4  # voxels a side


def cosine_basis(axes: int) -> Tensor:
    """Return the orthonormal transform of blocks of ``axes`` dimensions, (BLOCK ** axes, BLOCK ** axes).

    Rows are frequencies, columns are voxels, both in the order of slices, rows, columns.
    """
    matrix = basis = _matrix()
    for _ in range(axes - 1):
        basis = torch.kron(basis, matrix)
    return basis


def _matrix() -> Tensor:
    k, n = torch.arange(BLOCK, dtype=torch.float32)[:, None], torch.arange(BLOCK, dtype=torch.float32)[None]
    matrix = torch.cos(math.pi * (n + 0.5) * k / BLOCK) * math.sqrt(2 / BLOCK)
    matrix[0] /= math.sqrt(2)
    return matrix
