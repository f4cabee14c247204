"""Fusion of each denoised slice with its neighbours where they agree: two independent measurements of one tissue.

x_i <- (f_i + w_(i-1) f_(i-1) + w_(i+1) f_(i+1)) / (1 + w_(i-1) + w_(i+1)),  w_j = exp(-(d_j / (k s))^2 / 2)

d_j is the difference of 5x5 means of f_i and f_j over the local noise, and s its robust standard deviation in tissue:
what the fit left of the noise. s is limited by what the initial estimate left, since in thick slices most of d_j is
anatomy. A neighbour that shows something else has w near 0.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from models.robust import box_mean, evenly_spaced, robust_sd
from models.volume.scaling import Scaling

RADIUS = 2  # pixels; 5x5 means, so that low contrast counts before it is averaged away
AGREEMENT_SD = 1.5  # k; 1.0 leaves more of the noise, most of all in PET
LARGEST_SPREAD = 1.5  # limit of s, over the sd of the initial estimates' difference; with 1 thin CT gains .3 dB less
GROWTH = 3  # pixels; with 1, small vessels lose half as much contrast again
SAMPLED_PAIRS = 16  # pairs of slices, evenly spaced, in which s is measured


def fuse_neighbours(images: npt.NDArray[np.float32], scaling: Scaling, threshold: float, difference_sd: float) -> None:
    """Fuse slices in place.

    Args:
        images: (slices, rows, columns) in real units.
        threshold: real value above which a voxel is tissue.
        difference_sd: of two initial estimates of the same tissue, in units of the local noise.
    """
    device = scaling.relative_noise.device
    spread = min(_spread(images, scaling, threshold), LARGEST_SPREAD * difference_sd)
    if spread == 0.0:
        return
    before, here = None, _plane(images, 0, device)
    for i in range(len(images)):
        after = _plane(images, i + 1, device) if i + 1 < len(images) else None
        total, weight = here, torch.ones_like(here)
        for other in (before, after):
            if other is not None:
                w = agreement(difference(here, other, scaling, i), spread)
                total, weight = total + w * other, weight + w
        images[i] = (total / weight)[0, 0].cpu().numpy()
        before, here = here, after if after is not None else here


def difference(here: Tensor, other: Tensor, scaling: Scaling, index: int) -> Tensor:
    """Return d of two (1, 1, H, W) slices, in units of the local noise of slice ``index``."""
    noise = scaling.relative_noise_at(index, 0, 0, (here.shape[-2], here.shape[-1]))
    return box_mean(here - other, RADIUS) / (noise[None] * scaling.unit)


def agreement(d: Tensor, spread: float) -> Tensor:
    """Return w, the least of each 7x7 neighbourhood: the flanks of a disagreement are not fused either."""
    w = torch.exp(-0.5 * (d / (AGREEMENT_SD * spread)) ** 2)
    rows = functional.max_pool2d(-w, (2 * GROWTH + 1, 1), stride=1, padding=(GROWTH, 0))
    return -functional.max_pool2d(rows, (1, 2 * GROWTH + 1), stride=1, padding=(0, GROWTH))


def _spread(images: npt.NDArray[np.float32], scaling: Scaling, threshold: float) -> float:
    """Return s: the robust sd of d over the tissue of some pairs of slices."""
    differences, device = [], scaling.relative_noise.device
    for i in evenly_spaced(len(images) - 1, SAMPLED_PAIRS):
        here, after = _plane(images, i, device), _plane(images, i + 1, device)
        differences.append(difference(here, after, scaling, i)[here > threshold])
    return robust_sd(torch.cat(differences))


def _plane(images: npt.NDArray[np.float32], index: int, device: torch.device) -> Tensor:
    """Return a copy of one slice, (1, 1, H, W)."""
    return torch.from_numpy(images[index].copy())[None, None].to(device)
