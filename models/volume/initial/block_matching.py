"""Search of similar patches in an estimate (block matching).

Patches that differ by no more than the noise left in the estimate are equally similar. Which of them differ least is
due to that noise; so they are taken in an order that does not depend on it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from models.volume.initial.similar_patches import Search

MOST = 64  # patches of a group
NEAREST_FRACTION = 0.5  # of a group's patches are taken however much they differ
LEADERS = {"cpu": 400, "cuda": 2**15}  # patches at a time, by device: what fits a processor's cache; whole layers
ORDER_SEED, ORDER_STEP = 0, 1e-3  # of the order of equally similar patches, and by how much it moves a difference


@dataclass(frozen=True)
class Candidates:
    """The candidates of every patch in slices of one size, on their device.

    Attributes:
        search: that decides which they are.
        moves: (candidates,) distance in the flattened slices.
        order: (candidates,) position in the order of equally similar ones, 0 to 1.
    """

    search: Search
    moves: Tensor
    order: Tensor

    @classmethod
    def of(cls, search: Search, size: tuple[int, int], device: torch.device) -> "Candidates":
        """Return those in slices of ``size``, rows and columns."""
        moves = torch.tensor([(z * size[0] + y) * size[1] + x for z, y, x in search.shifts])
        order = np.random.default_rng(ORDER_SEED).permutation(len(moves)) / len(moves)
        return cls(search, moves.to(device), torch.from_numpy(order).float().to(device))


@dataclass(frozen=True)
class Band:
    """Some rows and columns of a layer's patches, and those that lead a group: (n,) indices of the flattened band."""

    rows: slice
    columns: slice
    leaders: Tensor


def patch_means(plane: Tensor, search: Search) -> Tensor:
    """Return the means of the patches of (1, rows, columns), as far as whole ones go."""
    top, left = search.margins((plane.shape[1], plane.shape[2]))
    return functional.avg_pool2d(plane[:, top:, left:], search.patch[1:], search.step)[0]


def bands(leading: npt.NDArray[np.bool_], device: torch.device) -> Iterator[Band]:
    """Yield the patches that lead a group, (rows, columns) of a layer's patches, one band at a time.

    What no member reaches, as may happen at the edges of a slice, stays as estimated.
    """
    count = max(1, LEADERS[device.type] // leading.shape[1])
    for first in range(0, len(leading), count):
        rows = slice(first, min(first + count, len(leading)))
        columns = np.flatnonzero(leading[rows].any(axis=0))
        if columns.size:
            across = slice(int(columns[0]), int(columns[-1]) + 1)
            leaders = torch.from_numpy(np.flatnonzero(leading[rows, across]))
            yield Band(rows, across, leaders.to(device))


def similar_patches(
    estimate: Tensor, z: int, band: Band, power: Tensor, tolerance: float, candidates: Candidates
) -> tuple[Tensor, Tensor]:
    """Return the patches most similar to each of the n leaders of ``band``.

    Args:
        estimate: (slices, rows, columns), with infinite margins as wide as the search reaches in rows and columns.
        z: first slice of the leaders.
        power: (n,) square of the relative noise there.
        tolerance: mean squared difference, over ``power``, up to which patches are equally similar.

    Returns:
        corners: (n, members) first voxels of similar patches and of the patch itself, as indices of the flattened
            estimate without margins.
        counts: the same shape, 1 for members, 0 for the rest.
    """
    search = candidates.search
    rows, columns = (side - 2 * reach for side, reach in zip(estimate.shape[1:], search.reach[1:], strict=True))
    top, left = _first_voxel(band, (rows, columns), search)
    differences = _differences(estimate, z, band, (top, left), search)
    differences /= math.prod(search.patch) * power[:, None]
    differences.clamp_(min=tolerance).add_(candidates.order, alpha=ORDER_STEP * tolerance)
    differences[:, search.shifts.index((0, 0, 0))] = -1.0
    most = min(MOST, len(search.shifts))
    nearest, which = differences.topk(most, dim=1, largest=False, sorted=False)
    always = nearest.kthvalue(int(NEAREST_FRACTION * most), dim=1, keepdim=True).values
    limit = always.clamp_(min=(1 + ORDER_STEP) * tolerance)
    inside = nearest.isfinite()
    across = band.columns.stop - band.columns.start
    y, x = top + search.step * (band.leaders // across), left + search.step * (band.leaders % across)
    own = (z * rows + y) * columns + x
    return own[:, None] + candidates.moves[which] * inside, (inside & (nearest <= limit)).float()


def _differences(estimate: Tensor, z: int, band: Band, first: tuple[int, int], search: Search) -> Tensor:
    """Return (n, candidates) summed squared differences of leaders and candidates, infinite beyond the edges.

    Rows of ``estimate`` are unfolded so that the same voxel of neighbouring patches is contiguous.
    """
    (slices, height, width), (_, down, across) = search.patch, search.reach
    count, beside = band.rows.stop - band.rows.start, band.columns.stop - band.columns.start
    span, along = (search.step * (number - 1) for number in (count, beside))
    lines = estimate[
        :, first[0] : first[0] + span + height + 2 * down, first[1] : first[1] + along + width + 2 * across
    ]
    lines = lines.unfold(2, width + 2 * across, search.step).transpose(2, 3).contiguous()
    windows = lines.unfold(1, height, 1).unfold(2, width, 1).permute(4, 5, 0, 1, 2, 3)
    here = windows[:, :, z : z + slices, down : down + span + 1 : search.step, across : across + 1]
    sums = torch.full((count, len(search.shifts), beside), torch.inf, device=estimate.device)
    for (dz, dy, dx), run in search.runs:
        if 0 <= z + dz <= len(estimate) - slices:
            y, x = slice(down + dy, down + dy + span + 1, search.step), across + dx
            there = windows[:, :, z + dz : z + dz + slices, y, x : x + run.stop - run.start]
            difference = torch.sub(there, here, out=torch.empty(there.shape, device=there.device))
            torch.sum(difference.square_().flatten(0, 2), dim=0, out=sums[:, run])
    return sums.transpose(1, 2).flatten(0, 1).index_select(0, band.leaders)


def _first_voxel(band: Band, size: tuple[int, int], search: Search) -> tuple[int, int]:
    """Return row and column of the band's first voxel."""
    top, left = search.margins(size)
    return top + search.step * band.rows.start, left + search.step * band.columns.start
