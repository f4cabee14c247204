"""The cosine transform of blocks, in whose coefficients noise is measured and removed."""

import numpy as np
import torch
from scipy.fft import dctn
from torch import Tensor

BLOCK = 4  # voxels a side


def cosine_basis(axes: int) -> Tensor:
    """Return the orthonormal transform of blocks of ``axes`` dimensions, (BLOCK ** axes, BLOCK ** axes) float32.

    Rows are frequencies, columns are voxels, both in the order of slices, rows, columns.
    """
    impulses = np.eye(BLOCK**axes).reshape(-1, *(BLOCK,) * axes)
    basis = dctn(impulses, axes=range(1, axes + 1), norm="ortho").reshape(BLOCK**axes, -1).T
    return torch.from_numpy(np.ascontiguousarray(basis, np.float32))
