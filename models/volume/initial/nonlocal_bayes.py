"""Denoising a volume by what is alike in it: non-local Bayes in three dimensions.

Each 3 x 3 x 3 patch of a estimate finds those around it that it resembles. Together they tell how such patches vary,
beyond their mean; the noisy patches at the same places are drawn towards that by the noise that was measured, and
overlapping results are averaged with weights of one over the noise left (Lebrun, Buades and Morel 2013, NL-Bayes):

    x^ = m_y + C (C + N)^-1 (y - m_y),   C the covariance of the estimate's patches, N that of the noise.
"""

import logging
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from models.fitting import FitContext
from models.volume.initial.similar_patches import PATCH, Search, bands, like_patches, of_patches
from models.volume.initial.transform import BLOCK, cosine_matrix
from models.volume.scaling import Scaling

LOG = logging.getLogger(__name__)

ALIKE = 3.0  # times the mean squared difference which the noise left in the estimate explains
ESTIMATED = 256  # groups at a time, which fit a processor's cache
TINY = 1e-6  # noise power
ROUNDING = 1e-6  # of the power of a group: what single precision may lose of it, at strong edges or in smooth noise


@dataclass(frozen=True)
class PatchNoise:
    """The noise of one patch where its level is 1.

    Attributes:
        covariance: (PATCH ** 3, PATCH ** 3), slices, rows, columns.
        left: mean square of the noise in a estimate.
    """

    covariance: Tensor
    left: float


def patch_noise(spectrum: Tensor) -> PatchNoise:
    """From the spectrum of blocks of `BLOCK` voxels a side: a patch is part of a block.

    Args:
        spectrum: (BLOCK ** 3,) standard deviations of the coefficients.
    """
    kernel = torch.kron(torch.kron(cosine_matrix(), cosine_matrix()), cosine_matrix()).to(spectrum.device)
    block = (kernel.T * spectrum.square()) @ kernel
    cells = torch.arange(BLOCK**3, device=spectrum.device).view(BLOCK, BLOCK, BLOCK)
    total = torch.zeros(PATCH**3, PATCH**3, device=spectrum.device)
    corners = list(product(range(BLOCK - PATCH + 1), repeat=3))
    for z, y, x in corners:
        part = cells[z : z + PATCH, y : y + PATCH, x : x + PATCH].flatten()
        total += block[part][:, part]
    return PatchNoise(total / len(corners), float(spectrum[0]) ** 2 / len(spectrum))


@dataclass(frozen=True)
class Noisy:
    """A volume as measured, and what is known of it.

    Attributes:
        volume: (slices, 1, rows, columns) in real units.
        scaling: to the network's units, with the level of the noise.
        noise: of its patches.
        threshold: real value above which a voxel is tissue; what holds none stays as estimated.
    """

    volume: Tensor
    scaling: Scaling
    noise: PatchNoise
    threshold: float


def refine(images: npt.NDArray[np.float32], noisy: Noisy, search: Search, pool: Executor, context: FitContext) -> None:
    """Improve the estimate ``images``, (slices, rows, columns) in the network's units, in place.

    Args:
        pool: of workers, which share the layers of patches.
        context: of the fit; past its deadline the rest stays as estimated, too.
    """
    count, size = len(images), (images.shape[1], images.shape[2])
    if min(count, *size) < PATCH:
        return
    starts = sorted({*range(0, count - PATCH + 1, PATCH), count - PATCH})
    total = weight = torch.zeros(0, *size, device=noisy.volume.device)
    first = 0
    layers = pool.map(partial(_layer, images, noisy, search, context), starts)
    for done in tqdm(layers, context.label, len(starts), unit="layer", disable=None):
        if done is None:
            LOG.warning("%s: stopped by the time budget at slice %d of %d", context.label, first, count)
            break
        low, sums, weights = done
        _finish(images, first, low, total, weight)
        more = len(sums) - (len(total) - (low - first))
        total, weight = (functional.pad(kept[low - first :], (0, 0, 0, 0, 0, more)) for kept in (total, weight))
        total, weight, first = total + sums, weight + weights, low
    _finish(images, first, first + len(total), total, weight)


def _layer(
    images: npt.NDArray[np.float32], noisy: Noisy, search: Search, context: FitContext, z: int
) -> tuple[int, Tensor, Tensor] | None:
    """What patches that begin at slice ``z`` give: a first slice, sums and weights from there; None if it is late."""
    if context.expired:
        return None
    low, high = max(0, z - search.reach[0]), min(len(images), z + PATCH + search.reach[0])
    volume, scaling, noise = noisy.volume, noisy.scaling, noisy.noise
    estimate = torch.from_numpy(images[low:high]).to(volume.device)
    measured = scaling.scaled(volume[low:high, 0])
    sums, weights = torch.zeros_like(estimate), torch.zeros_like(estimate)
    level = scaling.level_at(z + 1, 0, 0, (images.shape[1], images.shape[2]))
    power = of_patches(level, search.apart).square()
    for band, held in bands((volume[z : z + PATCH, 0] > noisy.threshold).any(dim=0), search.apart):
        here = power[band // search.apart :][: len(held)][held]
        found = like_patches(estimate, z - low, band, held, here, ALIKE * 2 * noise.left, search)
        for corners, counts, share in zip(*(torch.split(p, ESTIMATED) for p in (*found, here)), strict=True):
            _estimate(measured, estimate, corners, counts, noise.covariance * share[:, None, None], sums, weights)
    return low, sums, weights


def _finish(images: npt.NDArray[np.float32], first: int, end: int, sums: Tensor, weights: Tensor) -> None:
    """Write slices ``first`` to ``end``, which no patch reaches any more, where there is anything to write."""
    for index in range(first, end):
        total, weight = (kept[index - first].cpu().numpy() for kept in (sums, weights))
        np.divide(total, weight, out=images[index], where=weight > 0)


def _estimate(
    measured: Tensor,
    estimate: Tensor,
    corners: Tensor,
    counts: Tensor,
    noise: Tensor,
    sums: Tensor,
    weights: Tensor,
) -> None:
    """Add the estimates of all members of each group, and their weights, where they lie.

    Args:
        corners: (groups, members), flat, of their patches.
        counts: the same shape, 0 or 1: whether they count.
        noise: (groups, PATCH ** 3, PATCH ** 3), its covariance.
    """
    inside = torch.tensor(
        [(z * estimate.shape[1] + y) * estimate.shape[2] + x for z, y, x in product(range(PATCH), repeat=3)],
        device=estimate.device,
    )
    at = corners[..., None] + inside
    share = counts[..., None]
    number = share.sum(dim=1, keepdim=True)
    y, g = (slices.flatten().index_select(0, at.flatten()).view(at.shape) for slices in (measured, estimate))
    mean = (y * share).sum(dim=1, keepdim=True) / number
    g = g - (g * share).sum(dim=1, keepdim=True) / number
    signal = (g * share).mT @ g / (number - 1).clamp(min=1)
    both = signal + noise
    both.diagonal(dim1=1, dim2=2).add_(ROUNDING * both.diagonal(dim1=1, dim2=2).sum(dim=1)[:, None])
    gain = torch.eye(PATCH**3, device=estimate.device) - torch.cholesky_inverse(torch.linalg.cholesky(both)) @ noise
    found = mean + (y - mean) @ gain
    trace = noise.diagonal(dim1=1, dim2=2).sum(dim=1)
    one = 1 / number[:, 0, 0]
    left = ((noise @ gain) * gain).sum(dim=(1, 2)) * (1 - one) + trace * one
    weight = (share / left.clamp(min=TINY)[:, None, None]).expand_as(found)
    sums.view(-1).scatter_add_(0, at.flatten(), (found * weight).flatten())
    weights.view(-1).scatter_add_(0, at.flatten(), weight.flatten())
