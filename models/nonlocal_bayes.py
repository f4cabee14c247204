"""Denoising a volume by what is alike in it: non-local Bayes in three dimensions.

Each 3 x 3 x 3 patch of a guess finds those around it that it resembles. Together they tell how such patches vary,
beyond their mean; the noisy patches at the same places are drawn towards that by the noise that was measured, and
overlapping results are averaged with weights of one over the noise left (Lebrun, Buades and Morel 2013, NL-Bayes):

    x^ = m_y + C (C + N)^-1 (y - m_y),   C the covariance of the guess's patches, N that of the noise.

Patches that differ by no more than the noise left in the guess are equally alike; which of them differ least is that
noise's doing, so that they are taken in an order that has nothing to do with it.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from models.scaling import Scaling
from models.transform import BLOCK, cosine_matrix

LOG = logging.getLogger(__name__)

PATCH = 3  # voxels a side; patches lie as many voxels apart
FEWEST = 0.5  # of the patches of a group: at least so many of the nearest, alike or not
ALIKE = 3.0  # times the mean squared difference which the noise left in the guess explains
SEARCHED, ESTIMATED = 4096, 256  # patches at a time: bounds the memory; groups that fit a processor's cache
ORDER_SEED, ORDER_STEP = 0, 1e-3  # the order of what is equally alike, and the share by which it moves a difference
TINY = 1e-6  # noise power
ROUNDING = 1e-6  # of the power of a group: what single precision may lose of it where edges are strong


@dataclass(frozen=True)
class Search:
    """How far a pass looks.

    Attributes:
        reach: slices, rows and columns that like patches may be away.
        most: patches of a group.
    """

    reach: tuple[int, int, int]
    most: int


PASSES = (Search((2, 4, 4), 48), Search((3, 5, 5), 64))  # the first, nearer one costs half and gains most


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
    images: npt.NDArray[np.float32],
    volume: Tensor,
    scaling: Scaling,
    noise: PatchNoise,
    threshold: float,
    search: Search,
    deadline: float,
    label: str,
) -> None:
    """Improve the guess ``images``, (slices, rows, columns) in the network's units, in place.

    Args:
        volume: as measured, (slices, 1, rows, columns) in real units.
        threshold: real value above which a voxel is tissue; what holds none stays as guessed.
        deadline: reading of ``time.monotonic()`` past which the rest stays as guessed, too.
        label: shown beside the progress.
    """
    count, size = len(images), (images.shape[1], images.shape[2])
    if min(count, *size) < PATCH:
        return
    sums = weights = torch.zeros(0, *size, device=volume.device)
    first = 0
    for z in tqdm(_starts(count), desc=label, unit="layer", disable=None):
        if time.monotonic() > deadline:
            LOG.warning("%s: stopped by the time budget at slice %d of %d", label, z, count)
            break
        low, high = max(0, z - search.reach[0]), min(count, z + PATCH + search.reach[0])
        _finish(images, first, low, sums, weights)
        more = high - low - (len(sums) - (low - first))
        sums, weights = (functional.pad(kept[low - first :], (0, 0, 0, 0, 0, more)) for kept in (sums, weights))
        first = low
        guess = torch.from_numpy(images[low:high]).to(volume.device)
        noisy = scaling.scaled(volume[low:high, 0])
        power = _of_patches(scaling.level_at(z + 1, 0, 0, size)).square()
        for band, held in _bands((volume[z : z + PATCH, 0] > threshold).any(dim=0)):
            here = power[band // PATCH :][: len(held)][held]
            found = _alike(guess, z - low, band, held, here, ALIKE * 2 * noise.left, search)
            for corners, counts, level in zip(*(torch.split(p, ESTIMATED) for p in (*found, here)), strict=True):
                covariance = noise.covariance * level[:, None, None]
                _estimate(noisy, guess, corners, counts, covariance, sums, weights)
    _finish(images, first, first + len(sums), sums, weights)


def _starts(count: int) -> list[int]:
    """First slices of the patches."""
    return sorted({*range(0, count - PATCH + 1, PATCH), count - PATCH})


def _finish(images: npt.NDArray[np.float32], first: int, end: int, sums: Tensor, weights: Tensor) -> None:
    """Write slices ``first`` to ``end``, which no patch reaches any more, where there is anything to write."""
    for index in range(first, end):
        total, weight = (kept[index - first].cpu().numpy() for kept in (sums, weights))
        np.divide(total, weight, out=images[index], where=weight > 0)


def _of_patches(plane: Tensor) -> Tensor:
    """Means of the patches that lie side by side in (1, rows, columns), as far as whole ones go."""
    top, left = ((side % PATCH) // 2 for side in plane.shape[1:])
    return functional.avg_pool2d(plane[:, top:, left:], PATCH)[0]


def _bands(tissue: Tensor) -> Iterator[tuple[int, Tensor]]:
    """A band of rows of patches at a time: its first row of voxels, and which of its patches hold tissue.

    Patches lie side by side; what is left over at the edges of a slice, a voxel at most on each, stays as guessed.
    """
    held = _of_patches(tissue[None].float()) > 0
    top = (tissue.shape[0] % PATCH) // 2
    rows = max(1, SEARCHED // held.shape[1])
    for first in range(0, len(held), rows):
        if held[first : first + rows].any():
            yield top + PATCH * first, held[first : first + rows]


def _alike(
    guess: Tensor, z: int, top: int, held: Tensor, power: Tensor, alike: float, search: Search
) -> tuple[Tensor, Tensor]:
    """Flat corners of the patches most like each that is ``held``, (n, most), and which of them count."""
    depth, rows, columns = guess.shape
    left, height, width = (columns % PATCH) // 2, PATCH * held.shape[0], PATCH * held.shape[1]
    here = guess[z : z + PATCH, top : top + height, left : left + width]
    _, down, across = search.reach
    padded = functional.pad(guess, (across, across, down, down), value=torch.inf)
    shifts = [s for s in product(*(range(-r, r + 1) for r in search.reach)) if 0 <= z + s[0] <= depth - PATCH]
    order = np.random.default_rng(ORDER_SEED).permutation(len(shifts)) / len(shifts) * ORDER_STEP
    everywhere = torch.empty(len(shifts), *held.shape, device=guess.device)
    for row, (dz, dy, dx) in enumerate(shifts):
        y, x = top + dy + down, left + dx + across
        there = padded[z + dz : z + dz + PATCH, y : y + height, x : x + width]
        everywhere[row] = functional.avg_pool2d((here - there).square_().sum(dim=0)[None], PATCH)[0]
    differences = everywhere[:, held] / (PATCH * power)
    differences.clamp_(min=alike).add_(alike * torch.from_numpy(order)[:, None].to(differences))
    differences[shifts.index((0, 0, 0))] = -1.0
    most = min(search.most, len(shifts))
    nearest, which = differences.T.contiguous().topk(most, dim=1, largest=False)
    limit = nearest[:, int(FEWEST * most) - 1, None].clamp(min=(1 + ORDER_STEP) * alike)
    steps = torch.tensor([(dz * rows + dy) * columns + dx for dz, dy, dx in shifts], device=guess.device)
    corners = torch.nonzero(held) * PATCH
    flat = (z * rows + top + corners[:, 0]) * columns + left + corners[:, 1]
    there = nearest.isfinite()
    return flat[:, None] + steps[which] * there, (there & (nearest <= limit)).float()


def _estimate(
    noisy: Tensor,
    guess: Tensor,
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
        [(z * guess.shape[1] + y) * guess.shape[2] + x for z, y, x in product(range(PATCH), repeat=3)],
        device=guess.device,
    )
    at = corners[..., None] + inside
    share = counts[..., None]
    number = share.sum(dim=1, keepdim=True)
    y, g = noisy.flatten()[at], guess.flatten()[at]
    mean = (y * share).sum(dim=1, keepdim=True) / number
    g = g - (g * share).sum(dim=1, keepdim=True) / number
    signal = (g * share).mT @ g / (number - 1).clamp(min=1)
    rounding = ROUNDING * signal.diagonal(dim1=1, dim2=2).sum(dim=1)[:, None, None] * torch.eye(PATCH**3).to(signal)
    gain = torch.cholesky_solve(signal, torch.linalg.cholesky(signal + noise + rounding))
    found = mean + (y - mean) @ gain
    trace = noise.diagonal(dim1=1, dim2=2).sum(dim=1)
    one = 1 / number[:, 0, 0]
    left = ((noise @ gain) * gain).sum(dim=(1, 2)) * (1 - one) + trace * one
    weight = (share / left.clamp(min=TINY)[:, None, None]).expand_as(found)
    sums.view(-1).index_add_(0, at.flatten(), (found * weight).flatten())
    weights.view(-1).index_add_(0, at.flatten(), weight.flatten())
