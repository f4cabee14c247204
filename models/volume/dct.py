"""The cosine transform of blocks, in whose coefficients noise is measured and removed."""

import math

import numpy as np
import torch
from scipy.fft import dctn
from torch import Tensor

BLOCK = 4  # voxels a side
FEWEST_SLICES = 4  # neighbours from which on blocks span slices; with fewer, nothing separates noise from anatomy there


def block_slices(slices: int) -> int:
    """Return the slices of a block in a volume of so many: with too few the third dimension is switched off."""
    return BLOCK if slices >= FEWEST_SLICES else 1


def cosine_basis(*sides: int) -> Tensor:
    """Return the orthonormal transform of blocks of these sides, (voxels, voxels) float32.

    Rows are frequencies, columns are voxels, both in the order of the sides: slices, rows, columns.
    """
    voxels = math.prod(sides)
    impulses = np.eye(voxels).reshape(-1, *sides)
    basis = dctn(impulses, axes=range(1, len(sides) + 1), norm="ortho").reshape(voxels, -1).T
    return torch.from_numpy(np.ascontiguousarray(basis, np.float32))
