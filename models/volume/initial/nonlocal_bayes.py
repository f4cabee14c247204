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
from models.volume.initial.block_matching import Candidates, bands, patch_means, similar_patches
from models.volume.initial.patch_noise import PatchNoise, patch_noise
from models.volume.initial.similar_patches import Search
from models.volume.measured_volume import MeasuredVolume

LOG = logging.getLogger(__name__)

SIMILAR = 3.0  # limit of the mean squared difference of patches, over what the noise left in the estimate explains
TINY = 1e-6  # noise power
ROUNDING = 1e-6  # of the power of a group: what single precision may lose of it, at strong edges or in smooth noise


@dataclass(frozen=True)
class _Pass:
    """What all layers of patches of a pass share.

    Attributes:
        images: the estimate, (slices, rows, columns).
        volume: as measured.
        candidates: of every patch.
        noise: of a patch.
        voxels: of a patch, as distances from its first one in flattened slices.
    """

    images: Tensor
    volume: MeasuredVolume
    candidates: Candidates
    noise: PatchNoise
    voxels: Tensor

    @property
    def patch(self) -> tuple[int, int, int]:
        """Slices, rows and columns of a patch."""
        return self.candidates.search.patch


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


def refine(images: Tensor, volume: MeasuredVolume, search: Search, pool: Executor, context: FitContext) -> None:
    """Improve the estimate ``images``, (slices, rows, columns) in the network's units, in place.

    Patches without tissue stay as estimated, and so does all that is left at the deadline.

    Args:
        pool: of workers, which share the layers of patches.
    """
    count, size, device = len(images), volume.size, images.device
    depth, *sides = search.patch
    if any(length < side for length, side in zip((count, *size), search.patch, strict=True)):
        return
    starts = sorted({*range(0, count - depth + 1, depth), count - depth})
    patch = torch.tensor([(z * size[0] + y) * size[1] + x for z, y, x in product(range(depth), *map(range, sides))])
    noise = patch_noise(volume.noise.coefficient_sd, search.patch)
    shared = _Pass(images, volume, Candidates.of(search, size, device), noise, patch.to(device))
    leading = torch.stack([_with_tissue(volume, search, z) for z in starts]).cpu().numpy()
    total = weight = torch.zeros(0, *size, device=device)
    first = 0
    layers = pool.map(partial(_refined_layer, shared, context), starts, leading)
    for layer in tqdm(layers, context.label, len(starts), unit="layer", disable=None):
        if layer is None:
            LOG.warning("%s: stopped by the time budget at slice %d of %d", context.label, first, count)
            break
        done = layer.first - first
        _write(images[first : layer.first], total[:done], weight[:done])
        more = len(layer.sums) - (len(total) - done)
        total, weight = (functional.pad(part[done:], (0, 0, 0, 0, 0, more)) for part in (total, weight))
        total, weight, first = total.add_(layer.sums), weight.add_(layer.weights), layer.first
    _write(images[first : first + len(total)], total, weight)


def _with_tissue(volume: MeasuredVolume, search: Search, z: int) -> Tensor:
    """Return which patches that begin at slice ``z`` hold tissue, (rows, columns) of patches."""
    slices = volume.voxels[z : z + search.patch[0], 0]
    tissue = (slices > volume.tissue.threshold).any(dim=0, keepdim=True)
    return patch_means(tissue.float(), search) > 0


def _refined_layer(shared: _Pass, context: FitContext, z: int, leading: npt.NDArray[np.bool_]) -> _Layer | None:
    """Return the results of the patches that begin at slice ``z``; None after the deadline."""
    if context.expired:
        return None
    images, volume, search = shared.images, shared.volume, shared.candidates.search
    depth, (reach, down, across) = search.patch[0], search.reach
    low, high = max(0, z - reach), min(len(images), z + depth + reach)
    estimate, noisy = images[low:high], volume.scaling.scaled(volume.voxels[low:high, 0])
    layer = _Layer(low, noisy, estimate, torch.zeros_like(noisy), torch.zeros_like(noisy))
    padded = functional.pad(estimate, (across, across, down, down), value=torch.inf)
    power = patch_means(volume.relative_noise(z + depth // 2), search).square()
    for band in bands(leading, images.device):
        local = power[band.rows, band.columns].flatten().index_select(0, band.leaders)
        tolerance = SIMILAR * 2 * shared.noise.left
        corners, counts = similar_patches(padded, z - low, band, local, tolerance, shared.candidates)
        _add_groups(layer, shared.voxels, corners, counts, shared.noise.covariance * local[:, None, None])
    _spread(layer.weights, search.patch)
    return layer


def _write(images: Tensor, sums: Tensor, weights: Tensor) -> None:
    """Write slices which no later patch reaches, where there are results."""
    torch.where(weights > 0, sums / weights, images, out=images)


def _add_groups(layer: _Layer, voxels: Tensor, corners: Tensor, counts: Tensor, noise: Tensor) -> None:
    """Add the results of all members of each group at their places, and their weights at their first voxels.

    Args:
        voxels: of a patch, as distances from its first one.
        corners: (groups, members) first voxels of the members, as indices of the flattened layer.
        counts: the same shape, 1 for members, 0 for the rest.
        noise: (groups, voxels, voxels) of a patch, covariance of the noise.
    """
    at = corners[..., None] + voxels
    places, members = at.flatten(), counts[..., None]
    number = members.sum(dim=1, keepdim=True)
    y, g = (values.flatten().index_select(0, places).view(at.shape) for values in (layer.noisy, layer.estimate))
    g.sub_(members.mT @ g / number).mul_(members)
    noise_part = _noise_part((g.mT @ g).div_((number - 1).clamp_(min=1)).add_(noise), noise)
    gain = torch.eye(len(voxels), device=at.device) - noise_part
    result = torch.baddbmm(members.mT @ y / number @ noise_part, y, gain)
    fraction = 1 / number[:, 0, 0]
    left = (noise @ gain).mul_(gain).sum(dim=(1, 2)) * (1 - fraction)
    left = left + noise.diagonal(dim1=1, dim2=2).sum(dim=1) * fraction
    weight = counts / left.clamp_(min=TINY)[:, None]
    layer.sums.view(-1).scatter_add_(0, places, result.mul_(weight[..., None]).flatten())
    layer.weights.view(-1).scatter_add_(0, corners.flatten(), weight.flatten())


def _noise_part(both: Tensor, noise: Tensor) -> Tensor:
    """Return (C + N)^-1 N of each group, 1 where rounding makes C + N singular; changes ``both``, C + N."""
    diagonal = both.diagonal(dim1=1, dim2=2)
    diagonal.add_(ROUNDING * diagonal.sum(dim=1)[:, None])
    factor, failed = torch.linalg.cholesky_ex(both)  # unlike cholesky, does not wait for a GPU
    unit = torch.eye(both.shape[-1], device=both.device)
    return torch.where(failed[:, None, None] == 0, torch.cholesky_inverse(factor) @ noise, unit)


def _spread(weights: Tensor, patch: tuple[int, int, int]) -> None:
    """Replace the weights at the first voxels of patches by their sums at every voxel; in place."""
    for axis, side in enumerate(patch):
        first, length = weights.clone(), weights.shape[axis]
        for step in range(1, side):
            weights.narrow(axis, step, length - step).add_(first.narrow(axis, 0, length - step))
