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

from models.filters import maximum, uniform
from models.robust import evenly_spaced, robust_sd
from models.volume.scaling import Scaling

SIDE = 5  # pixels of the squares whose means are compared, so that low contrast counts before it is averaged away
AGREEMENT_SD = 1.5  # k; 1.0 leaves more of the noise, most of all in PET
LARGEST_SPREAD = 1.5  # limit of s, over the sd of the initial estimates' difference; with 1 thin CT gains .3 dB less
NEIGHBOURHOOD = 7  # pixels a side; with 3, small vessels lose half as much contrast again
SAMPLED_PAIRS = 16  # pairs of slices, evenly spaced, in which s is measured


def fuse_neighbours(images: npt.NDArray[np.float32], scaling: Scaling, threshold: float, difference_sd: float) -> None:
    """Fuse slices in place.

    Args:
        images: (slices, rows, columns) in real units.
        threshold: real value above which a voxel is tissue.
        difference_sd: of two initial estimates of the same tissue, in units of the local noise.
    """
    slices = torch.from_numpy(images)[:, None, None].to(scaling.relative_noise.device)
    spread = min(_spread(slices, scaling, threshold), LARGEST_SPREAD * difference_sd)
    if spread == 0.0:
        return
    here, neighbours = slices[0].clone(), []  # with each neighbour, the difference of their means
    for i in range(len(slices)):
        noise = (
            AGREEMENT_SD
            * spread
            * scaling.unit
            * scaling.relative_noise_of([(i, 0, 0)], (images.shape[1], images.shape[2]))
        )
        after = slices[i + 1].clone() if i + 1 < len(slices) else here
        if after is not here:
            neighbours.append((after, uniform(here - after, SIDE)))
        total, weight = here.clone(), torch.ones_like(here)
        for other, difference in neighbours:
            w = agreement(difference / noise)
            total.addcmul_(w, other)
            weight += w
        torch.div(total, weight, out=slices[i])
        neighbours = [(here, neighbours[-1][1])]
        here = after
    images[...] = slices[:, 0, 0].cpu().numpy()


def agreement(d: Tensor) -> Tensor:
    """Return w of differences over k s, the least of each 7x7 neighbourhood: flanks of a disagreement count as one."""
    return torch.exp(-0.5 * maximum(d.square(), NEIGHBOURHOOD))


def _spread(slices: Tensor, scaling: Scaling, threshold: float) -> float:
    """Return s: the robust sd of d over the tissue of some pairs of slices."""
    differences = []
    for i in evenly_spaced(len(slices) - 1, SAMPLED_PAIRS):
        noise = scaling.unit * scaling.relative_noise_of([(i, 0, 0)], (slices.shape[-2], slices.shape[-1]))
        d = uniform(slices[i] - slices[i + 1], SIDE) / noise
        differences.append(d[slices[i] > threshold])
    return robust_sd(torch.cat(differences))
