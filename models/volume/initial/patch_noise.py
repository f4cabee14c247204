"""The noise of a patch, from that of the blocks of which it is a part."""

import math
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from models.volume.dct import BLOCK, cosine_basis


@dataclass(frozen=True)
class PatchNoise:
    """The noise of one patch where the relative noise is 1.

    Attributes:
        covariance: (voxels, voxels) of a patch in the order of slices, rows, columns.
        left: mean square of the noise that is left in the initial estimate: that of a block's mean.
    """

    covariance: Tensor
    left: float


def patch_noise(coefficient_sd: Tensor, patch: tuple[int, int, int]) -> PatchNoise:
    """Return the noise of patches of so many slices, rows and columns.

    Args:
        coefficient_sd: (slices * BLOCK ** 2,) of the noise of blocks.
        patch: slices, rows and columns, at most those of a block.
    """
    sides = (len(coefficient_sd) // BLOCK**2, BLOCK, BLOCK)
    basis = cosine_basis(*sides).to(coefficient_sd.device)
    block = (basis.T * coefficient_sd.square()) @ basis
    cells = torch.arange(len(coefficient_sd), device=coefficient_sd.device).view(sides)
    slices, rows, columns = patch
    total = torch.zeros(math.prod(patch), math.prod(patch), device=coefficient_sd.device)
    corners = list(product(*(range(of - side + 1) for of, side in zip(sides, patch, strict=True))))
    for z, y, x in corners:
        part = cells[z : z + slices, y : y + rows, x : x + columns].flatten()
        total += block[part][:, part]
    return PatchNoise(total / len(corners), float(coefficient_sd[0]) ** 2 / len(coefficient_sd))
