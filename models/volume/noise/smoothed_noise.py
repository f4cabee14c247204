"""Noise that a scanner has smoothed by a Gaussian, as PET's: its width and level, from the coefficients of one slice.

A single slice shows the noise of each coefficient but roughly. White noise smoothed by a Gaussian of sd w pixels has
the correlation exp(-d^2 / 4 w^2) at a distance of d pixels, so that two figures hold for all of them, those of a block
of means of s x s pixels included.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.volume.dct import BLOCK, cosine_basis

WIDTHS = np.geomspace(0.3, 3.0, 60)  # pixels
READ = tuple(k for k in range(1, BLOCK**2) if k // BLOCK + k % BLOCK < BLOCK)  # the others hold next to no noise
LEAST_POWER = 1e-6  # of a pixel's; weights of one over the noise stay finite


def smoothed_noise(sd: Tensor) -> tuple[float, Tensor]:
    """Return the width in pixels, and the (BLOCK ** 2,) sd of such noise that come closest to those measured."""
    read = list(READ)
    shapes = torch.stack([smoothed_sd(float(width)) for width in WIDTHS]).to(sd.device)
    ratios = sd[read].log() - shapes[:, read].log()
    level = ratios.median(dim=1).values
    best = int((ratios - level[:, None]).abs().mean(dim=1).argmin())
    return float(WIDTHS[best]), shapes[best] * level[best].exp()


def smoothed_sd(width: float, side: int = 1) -> Tensor:
    """Return (BLOCK ** 2,) sd of the coefficients of means of ``side`` x ``side`` pixels, over that of a pixel."""
    inside = np.subtract.outer(np.arange(side), np.arange(side))
    apart = side * np.subtract.outer(np.arange(BLOCK), np.arange(BLOCK))
    covariance = np.exp(-np.square((apart[..., None, None] + inside) / (2 * width))).mean(axis=(2, 3))
    basis = cosine_basis(BLOCK).numpy().astype(np.float64)
    along: npt.NDArray[np.float64] = np.sqrt(np.maximum(np.diag(basis @ covariance @ basis.T), LEAST_POWER))
    return torch.from_numpy(np.outer(along, along).ravel().astype(np.float32))
