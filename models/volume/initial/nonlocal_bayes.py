"""Refinement of an estimate by similar patches: non-local Bayes in three dimensions.

For each 3 x 3 x 3 patch of the estimate, similar patches around it are searched. They show how such patches vary beyond
their mean. The noisy patches at the same places are drawn towards that by the noise that was measured, and overlapping
results are averaged with weights of one over the noise left (Lebrun, Buades and Morel 2013, NL-Bayes):

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
from models.volume.initial.patch_noise import PatchNoise, patch_noise
from models.volume.initial.similar_patches import Search, bands, patch_means, similar_patches
from models.volume.measured_volume import MeasuredVolume

LOG = logging.getLogger(__name__)

SIMILAR = 3.0  # limit of the mean squared difference of patches, over what the noise left in the estimate explains
GROUPS = 256  # of similar patches at a time, which fit a processor's cache
TINY = 1e-6  # noise power
ROUNDING = 1e-6  # of the power of a group: what single precision may lose of it, at strong edges or in smooth noise

Images = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Layer:
    """The slices within reach of one layer of patches, (slices, rows, columns), from slice ``first`` on.

    ``sums`` and ``weights`` collect the weighted results and their weights.
    """

    first: int
    noisy: Tensor
    estimate: Tensor
    sums: Tensor
    weights: Tensor


def refine(images: Images, volume: MeasuredVolume, search: Search, pool: Executor, context: FitContext) -> None:
    """Improve the estimate ``images``, (slices, rows, columns) in the network's units, in place.

    Patches without tissue stay as estimated, and so does all that is left at the deadline.

    Args:
        pool: of workers, which share the layers of patches.
    """
    count, size = len(images), (images.shape[1], images.shape[2])
    depth = search.patch[0]
    if any(length < side for length, side in zip((count, *size), search.patch, strict=True)):
        return
    starts = sorted({*range(0, count - depth + 1, depth), count - depth})
    noise = patch_noise(volume.noise.coefficient_sd, search.patch)
    total = weight = torch.zeros(0, *size, device=volume.voxels.device)
    first = 0
    layers = pool.map(partial(_refined_layer, images, volume, noise, search, context), starts)
    for layer in tqdm(layers, context.label, len(starts), unit="layer", disable=None):
        if layer is None:
            LOG.warning("%s: stopped by the time budget at slice %d of %d", context.label, first, count)
            break
        _write(images, first, layer.first, total, weight)
        done = layer.first - first
        more = len(layer.sums) - (len(total) - done)
        total, weight = (functional.pad(part[done:], (0, 0, 0, 0, 0, more)) for part in (total, weight))
        total, weight, first = total + layer.sums, weight + layer.weights, layer.first
    _write(images, first, first + len(total), total, weight)


def _refined_layer(
    images: Images, volume: MeasuredVolume, noise: PatchNoise, search: Search, context: FitContext, z: int
) -> _Layer | None:
    """Return the results of the patches that begin at slice ``z``; None after the deadline."""
    if context.expired:
        return None
    depth = search.patch[0]
    low, high = max(0, z - search.reach[0]), min(len(images), z + depth + search.reach[0])
    estimate = torch.from_numpy(images[low:high]).to(volume.voxels.device)
    noisy = volume.scaling.scaled(volume.voxels[low:high, 0])
    layer = _Layer(low, noisy, estimate, torch.zeros_like(estimate), torch.zeros_like(estimate))
    power = patch_means(volume.relative_noise(z + depth // 2), search).square()
    tissue = (volume.voxels[z : z + depth, 0] > volume.tissue.threshold).any(dim=0)
    for band in bands(tissue, search):
        local = power[band.top // search.step :][: len(band.chosen)][band.chosen]
        groups = similar_patches(estimate, z - low, band, local, SIMILAR * 2 * noise.left, search)
        for corners, counts, scale in zip(*(torch.split(part, GROUPS) for part in (*groups, local)), strict=True):
            _add_groups(layer, search.patch, corners, counts, noise.covariance * scale[:, None, None])
    return layer


def _write(images: Images, first: int, end: int, sums: Tensor, weights: Tensor) -> None:
    """Write slices ``first`` to ``end``, which no later patch reaches, where there are results."""
    for index in range(first, end):
        total, weight = (values[index - first].cpu().numpy() for values in (sums, weights))
        np.divide(total, weight, out=images[index], where=weight > 0)


def _add_groups(layer: _Layer, size: tuple[int, int, int], corners: Tensor, counts: Tensor, noise: Tensor) -> None:
    """Add the results of all members of each group, and their weights, at the members' places.

    Args:
        size: of a patch.
        corners: (groups, members) first voxels of the members, as indices of the flattened layer.
        counts: the same shape, 1 for members, 0 for the rest.
        noise: (groups, voxels, voxels) of a patch, covariance of the noise.
    """
    rows, columns = layer.estimate.shape[1:]
    patch = [(z * rows + y) * columns + x for z, y, x in product(*map(range, size))]
    at = corners[..., None] + torch.tensor(patch, device=corners.device)
    counts = counts[..., None]
    number = counts.sum(dim=1, keepdim=True)
    y, g = (values.flatten().index_select(0, at.flatten()).view(at.shape) for values in (layer.noisy, layer.estimate))
    mean = (y * counts).sum(dim=1, keepdim=True) / number
    g = g - (g * counts).sum(dim=1, keepdim=True) / number
    signal = (g * counts).mT @ g / (number - 1).clamp(min=1)
    gain = _noise_gain(signal + noise, noise)
    result = mean + (y - mean) @ gain
    fraction = 1 / number[:, 0, 0]
    left = ((noise @ gain) * gain).sum(dim=(1, 2)) * (1 - fraction)
    left = left + noise.diagonal(dim1=1, dim2=2).sum(dim=1) * fraction
    weight = (counts / left.clamp(min=TINY)[:, None, None]).expand_as(result)
    layer.sums.view(-1).scatter_add_(0, at.flatten(), (result * weight).flatten())
    layer.weights.view(-1).scatter_add_(0, at.flatten(), weight.flatten())


def _noise_gain(both: Tensor, noise: Tensor) -> Tensor:
    """Return 1 - (C + N)^-1 N of each group; changes ``both``, C + N."""
    diagonal = both.diagonal(dim1=1, dim2=2)
    diagonal.add_(ROUNDING * diagonal.sum(dim=1)[:, None])
    unit = torch.eye(both.shape[-1], device=both.device)
    return unit - torch.cholesky_inverse(torch.linalg.cholesky(both)) @ noise
