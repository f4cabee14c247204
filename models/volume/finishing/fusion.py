"""Fusing each denoised slice with its neighbours where they agree: two independent looks at the same tissue.

x_i <- (f_i + w_(i-1) f_(i-1) + w_(i+1) f_(i+1)) / (1 + w_(i-1) + w_(i+1)),  w_j = exp(-(d_j / (k s))^2 / 2)

d_j is the difference of 5x5 means of f_i and f_j over the local noise level, s its robust standard deviation in tissue:
what the fit left of the noise, and not much more than the initial estimate left, since in thick slices most of d_j is
anatomy. A neighbour that shows something else has w near 0.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from models.robust import box_mean, robust_sd
from models.volume.scaling import Scaling

RADIUS = 2  # pixels; 5x5 means, so that low contrast counts before it is averaged away
AGREEMENT_SD = 1.5  # k; 1.0 leaves more of the noise, most of all in PET
LARGEST_SPREAD = 1.5  # of what initial estimate differ by; with 1 CT in thin slices gains .3 dB less
GROWTH = 3  # pixels; 1 loses half as much again of small vessels' contrast
SAMPLED_PAIRS = 16  # pairs of slices from which s is measured


def fuse_neighbours(images: npt.NDArray[np.float32], scaling: Scaling, threshold: float, difference_sd: float) -> None:
    """Fuse slices in place.

    Args:
        images: (slices, rows, columns) in real units.
        threshold: real value that tells tissue from air.
        difference_sd: of initial estimate of the same tissue, in units of the local noise.
    """
    device = scaling.level.device

    def plane(index: int) -> Tensor:
        return torch.from_numpy(images[index].copy())[None, None].to(device)

    step = max(1, (len(images) - 1) // SAMPLED_PAIRS)
    spread = robust_sd(
        torch.cat(
            [
                difference(plane(i), plane(i + 1), scaling, i)[plane(i) > threshold]
                for i in range(0, len(images) - 1, step)
            ]
        )
    )
    if spread == 0.0:
        return
    spread = min(spread, LARGEST_SPREAD * difference_sd)
    before, here = None, plane(0)
    for i in range(len(images)):
        after = plane(i + 1) if i + 1 < len(images) else None
        total, weight = here, torch.ones_like(here)
        for other in (before, after):
            if other is not None:
                w = agreement(difference(here, other, scaling, i), spread)
                total, weight = total + w * other, weight + w
        images[i] = (total / weight)[0, 0].cpu().numpy()
        before, here = here, after if after is not None else here


def difference(here: Tensor, other: Tensor, scaling: Scaling, index: int) -> Tensor:
    """The d of two (1, 1, H, W) slices, in units of the local noise of slice ``index``."""
    level = scaling.level_at(index, 0, 0, (here.shape[-2], here.shape[-1]))
    return box_mean(here - other, RADIUS) / (level[None] * scaling.unit)


def agreement(d: Tensor, spread: float) -> Tensor:
    """w, the least of each 7x7 neighbourhood: the flanks of a disagreement are not fused either."""
    w = torch.exp(-0.5 * (d / (AGREEMENT_SD * spread)) ** 2)
    rows = functional.max_pool2d(-w, (2 * GROWTH + 1, 1), stride=1, padding=(GROWTH, 0))
    return -functional.max_pool2d(rows, (1, 2 * GROWTH + 1), stride=1, padding=(0, GROWTH))
