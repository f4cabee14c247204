"""Denoising a volume by what is alike in it: non-local Bayes in three dimensions.

Each 3 x 3 x 3 patch of a guess finds those around it that it resembles. Together they tell how such patches vary,
beyond their mean; the noisy patches at the same places are drawn towards that by the noise that was measured, and
overlapping results are averaged with weights of one over the noise left (Lebrun, Buades and Morel 2013, NL-Bayes):

    x^ = m_y + C (C + N)^-1 (y - m_y),   C the covariance of the guess's patches, N that of the noise.

Patches that differ by no more than the noise left in the guess are equally alike; which of them differ least is that
noise's doing, so that they are taken in an order that has nothing to do with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from models.scaling import Scaling
from models.transform import BLOCK, cosine_matrix

PATCH = 3  # voxels a side; patches lie as many voxels apart
REACH = (3, 5, 5)  # slices, rows, columns that like patches may be away
MOST, FEWEST = 64, 32  # patches that make a group: those alike, and at least the nearest few
ALIKE = 3.0  # times the mean squared difference which the noise left in the guess explains
BATCH = 4096  # patches at a time; bounds the memory
FARTHEST = 1e4  # noise units; further from everything than any voxel: what lies beyond the edge
ORDER_SEED, ORDER_STEP = 0, 1e-3  # the order of what is equally alike, and the share by which it moves a difference
TINY = 1e-6  # noise power


@dataclass(frozen=True)
class PatchNoise:
    """The noise of one patch where its level is 1.

    Attributes:
        covariance: (PATCH ** 3, PATCH ** 3), slices, rows, columns.
        left: mean square of the noise in a guess.
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


def refine(
    images: npt.NDArray[np.float32], volume: Tensor, scaling: Scaling, noise: PatchNoise, threshold: float
) -> None:
    """Improve the guess ``images``, (slices, rows, columns) in the network's units, in place.

    Args:
        volume: as measured, (slices, 1, rows, columns) in real units.
        threshold: real value above which a voxel is tissue; what holds none stays as guessed.
    """
    count, size = len(images), (images.shape[1], images.shape[2])
    if min(count, *size) < PATCH:
        return
    sums = weights = torch.zeros(0, *size, device=volume.device)
    first = 0
    for z in _starts(count):
        low, high = max(0, z - REACH[0]), min(count, z + PATCH + REACH[0])
        _finish(images, first, low, sums, weights)
        more = high - low - (len(sums) - (low - first))
        sums, weights = (functional.pad(kept[low - first :], (0, 0, 0, 0, 0, more)) for kept in (sums, weights))
        first = low
        tissue = (volume[z : z + PATCH, 0] > threshold).any(dim=0)
        level = scaling.level_at(min(z + PATCH // 2, count - 1), 0, 0, size)[0]
        guess = torch.from_numpy(images[low:high]).to(volume.device)
        noisy = scaling.scaled(volume[low:high, 0])
        for places, power in _places(tissue, level):
            members = _alike(guess, z - low, places, power, ALIKE * 2 * noise.left)
            _estimate(noisy, guess, members, power, noise.covariance, sums, weights)
    _finish(images, first, count, sums, weights)


def _starts(count: int) -> list[int]:
    """First voxels of the patches along one axis."""
    return sorted({*range(0, count - PATCH + 1, PATCH), count - PATCH})


def _finish(images: npt.NDArray[np.float32], first: int, end: int, sums: Tensor, weights: Tensor) -> None:
    """Write slices ``first`` to ``end``, which no patch reaches any more, where there is anything to write."""
    for index in range(first, end):
        total, weight = (kept[index - first].cpu().numpy() for kept in (sums, weights))
        np.divide(total, weight, out=images[index], where=weight > 0)


def _places(tissue: Tensor, level: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Corners (n, 2) of patches that hold tissue, a band of rows at a time, and the power (n,) of the noise there."""
    rows, columns = (torch.tensor(_starts(side), device=tissue.device) for side in tissue.shape)
    held = functional.max_pool2d(tissue[None].float(), PATCH, stride=1)[0] > 0
    for band in rows.split(max(1, BATCH // len(columns))):
        corners = torch.cartesian_prod(band, columns)
        corners = corners[held[corners[:, 0], corners[:, 1]]]
        if len(corners):
            yield corners, level[corners[:, 0] + 1, corners[:, 1] + 1].square()


def _alike(guess: Tensor, z: int, places: Tensor, power: Tensor, alike: float) -> tuple[Tensor, Tensor]:
    """Flat corners of the `MOST` patches most like each of ``places`` in slice ``z``, (n, MOST), and which count."""
    depth, rows, columns = guess.shape
    top, bottom = int(places[:, 0].min()), int(places[:, 0].max()) + PATCH
    left, right = int(places[:, 1].min()), int(places[:, 1].max()) + PATCH
    sides = (REACH[2], REACH[2], REACH[1], REACH[1])
    padded = functional.pad(guess, sides, value=FARTHEST)[:, top : bottom + 2 * REACH[1], left : right + 2 * REACH[2]]
    here = guess[z : z + PATCH, top:bottom, left:right]
    at = (places[:, 0] - top, places[:, 1] - left)
    shifts = [s for s in product(*(range(-r, r + 1) for r in REACH)) if 0 <= z + s[0] <= depth - PATCH]
    order = np.random.default_rng(ORDER_SEED).permutation(len(shifts)) / len(shifts) * ORDER_STEP
    differences = torch.empty(len(shifts), len(places), device=guess.device)
    for row, (dz, dy, dx) in enumerate(shifts):
        there = padded[z + dz : z + dz + PATCH, dy + REACH[1] :, dx + REACH[2] :][:, : bottom - top, : right - left]
        square = (here - there).square_().mean(dim=0)[None]
        differences[row] = functional.avg_pool2d(square, PATCH, stride=1)[0][at]
    differences /= power
    differences.clamp_(min=alike).add_(alike * torch.from_numpy(order)[:, None].to(differences))
    differences[shifts.index((0, 0, 0))] = -1.0
    most = min(MOST, len(shifts))
    nearest, which = differences.T.contiguous().topk(most, dim=1, largest=False)
    limit = nearest[:, min(FEWEST, most) - 1 :][:, :1].clamp(min=(1 + ORDER_STEP) * alike)
    steps = torch.tensor([(dz * rows + dy) * columns + dx for dz, dy, dx in shifts], device=guess.device)
    corners = (z * rows + places[:, 0]) * columns + places[:, 1]
    return corners[:, None] + steps[which], (nearest <= limit).float()


def _estimate(
    noisy: Tensor,
    guess: Tensor,
    members: tuple[Tensor, Tensor],
    power: Tensor,
    covariance: Tensor,
    sums: Tensor,
    weights: Tensor,
) -> None:
    """Add the estimates of all members of each group, and their weights, where they lie."""
    corners, counts = members
    inside = torch.tensor(
        [(z * guess.shape[1] + y) * guess.shape[2] + x for z, y, x in product(range(PATCH), repeat=3)],
        device=guess.device,
    )
    at = corners[..., None] + inside
    share = counts[..., None]
    number = share.sum(dim=1, keepdim=True)
    y, g = noisy.flatten()[at], guess.flatten()[at]
    mean = (y * share).sum(dim=1, keepdim=True) / number
    g = g - (g * share).sum(dim=1, keepdim=True) / number
    noise = covariance * power[:, None, None]
    signal = (g * share).mT @ g / (number - 1)
    gain = torch.cholesky_solve(signal, torch.linalg.cholesky(signal + noise))
    found = mean + (y - mean) @ gain
    trace = noise.diagonal(dim1=1, dim2=2).sum(dim=1)
    one = 1 / number[:, 0, 0]
    left = ((noise @ gain) * gain).sum(dim=(1, 2)) * (1 - one) + trace * one
    weight = (share / left.clamp(min=TINY)[:, None, None]).expand_as(found)
    sums.view(-1).index_add_(0, at.flatten(), (found * weight).flatten())
    weights.view(-1).index_add_(0, at.flatten(), weight.flatten())
