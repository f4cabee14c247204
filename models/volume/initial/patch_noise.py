"""The noise of a patch, from that of the blocks of which it is a part."""

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from models.volume.dct import BLOCK, cosine_basis
from models.volume.initial.similar_patches import PATCH


@dataclass(frozen=True)
class PatchNoise:
    """The noise of one patch where the relative noise is 1.

    Attributes:
        covariance: (PATCH ** 3, PATCH ** 3), voxels in the order of slices, rows, columns.
        left: mean square of the noise that is left in the initial estimate: that of a block's mean.
    """

    covariance: Tensor
    left: float


def patch_noise(coefficient_sd: Tensor) -> PatchNoise:
    """Return the noise of patches, from (BLOCK ** 3,) standard deviations of the coefficients of blocks."""
    basis = cosine_basis(3).to(coefficient_sd.device)
    block = (basis.T * coefficient_sd.square()) @ basis
    cells = torch.arange(BLOCK**3, device=coefficient_sd.device).view(BLOCK, BLOCK, BLOCK)
    total = torch.zeros(PATCH**3, PATCH**3, device=coefficient_sd.device)
    corners = list(product(range(BLOCK - PATCH + 1), repeat=3))
    for z, y, x in corners:
        part = cells[z : z + PATCH, y : y + PATCH, x : x + PATCH].flatten()
        total += block[part][:, part]
    return PatchNoise(total / len(corners), float(coefficient_sd[0]) ** 2 / len(coefficient_sd))
