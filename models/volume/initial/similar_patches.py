"""Search of similar patches in an estimate (block matching).

Patches that differ by no more than the noise left in the estimate are equally similar. Which of them differ least is
due to that noise; so they are taken in an order that does not depend on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

MOST = 64  # patches of a group
NEAREST_FRACTION = 0.5  # of a group's patches are taken however much they differ
SEARCHED = 4096  # patches at a time; bounds the memory
ORDER_SEED, ORDER_STEP = 0, 1e-3  # of the order of equally similar patches, and by how much it moves a difference


@dataclass(frozen=True)
class Search:
    """How far a pass searches.

    Attributes:
        reach: half axes of an ellipsoid, in slices, rows and columns, in which similar patches are searched.
        step: pixels between the patches that lead a group; the members of groups fill the space between them.
        patch: size of a patch in slices, rows and columns, at most `BLOCK` each.
    """

    reach: tuple[int, int, int]
    step: int
    patch: tuple[int, int, int] = (3, 3, 3)

    @cached_property
    def shifts(self) -> list[tuple[int, int, int]]:
        """Slices, rows and columns from a patch to the candidates."""
        z, y, x = (range(-reach, reach + 1) for reach in self.reach)
        return [shift for shift in product(z, y, x) if self._reaches(shift)]

    def _reaches(self, shift: tuple[int, int, int]) -> bool:
        return sum((by / (reach + 0.5)) ** 2 for by, reach in zip(shift, self.reach, strict=True)) <= 1


NEAR, FAR = (3, 5, 5), (3, 6, 6)  # the first, nearer pass gains most
QUICK = (Search(NEAR, 5),)  # for volumes whose time allows no more; in CT 1.7 dB less than thorough
BRISK = (*QUICK, Search(FAR, 5))  # .8 dB less
THOROUGH = (Search(NEAR, 3), Search(FAR, 3), Search(FAR, 3))
IN_SLICE = Search(FAR, 3, (1, 4, 4))  # patches of one slice, searched in several: for slices that may differ
THOROUGH_MR = (*THOROUGH[:2], IN_SLICE)  # in slices of 6 mm .2 to .3 dB more, in 3 mm .15, in 1.4 mm as much


@dataclass(frozen=True)
class Band:
    """A band of rows of patches: its first row of voxels, and which of its patches hold tissue (rows, columns)."""

    top: int
    chosen: Tensor


def patch_means(plane: Tensor, search: Search) -> Tensor:
    """Return the means of the patches of (1, rows, columns), as far as whole ones go."""
    top, left = _margins((plane.shape[1], plane.shape[2]), search)
    return functional.avg_pool2d(plane[:, top:, left:], search.patch[1:], search.step)[0]


def bands(tissue: Tensor, search: Search) -> Iterator[Band]:
    """Yield the patches that hold ``tissue``, (rows, columns), one band at a time.

    What no member reaches, as may happen at the edges of a slice, stays as estimated.
    """
    chosen = patch_means(tissue[None].float(), search) > 0
    top, _ = _margins((tissue.shape[0], tissue.shape[1]), search)
    rows = max(1, SEARCHED // chosen.shape[1])
    for first in range(0, len(chosen), rows):
        if chosen[first : first + rows].any():
            yield Band(top + search.step * first, chosen[first : first + rows])


def similar_patches(
    estimate: Tensor, z: int, band: Band, power: Tensor, tolerance: float, search: Search
) -> tuple[Tensor, Tensor]:
    """Return the patches most similar to each of the n chosen ones of ``band``.

    Args:
        estimate: (slices, rows, columns).
        z: first slice of the n patches.
        power: (n,) square of the relative noise there.
        tolerance: mean squared difference, over ``power``, up to which patches are equally similar.

    Returns:
        corners: (n, members) first voxels of similar patches and of the patch itself, as indices of the flattened
            ``estimate``.
        counts: the same shape, 1 for members, 0 for the rest.
    """
    depth, rows, columns = estimate.shape
    shifts = [shift for shift in search.shifts if 0 <= z + shift[0] <= depth - search.patch[0]]
    differences = _differences(estimate, z, band, shifts, search).div_(search.patch[0] * power)
    order = np.random.default_rng(ORDER_SEED).permutation(len(shifts)) / len(shifts) * ORDER_STEP
    differences.clamp_(min=tolerance).add_(tolerance * torch.from_numpy(order)[:, None].to(differences))
    differences[shifts.index((0, 0, 0))] = -1.0
    most = min(MOST, len(shifts))
    nearest, which = differences.T.contiguous().topk(most, dim=1, largest=False)
    limit = nearest[:, int(NEAREST_FRACTION * most) - 1, None].clamp(min=(1 + ORDER_STEP) * tolerance)
    inside = nearest.isfinite()
    corners = torch.nonzero(band.chosen) * search.step
    own = (z * rows + band.top + corners[:, 0]) * columns + _margins((rows, columns), search)[1] + corners[:, 1]
    moves = torch.tensor([(dz * rows + dy) * columns + dx for dz, dy, dx in shifts], device=estimate.device)
    return own[:, None] + moves[which] * inside, (inside & (nearest <= limit)).float()


def _differences(estimate: Tensor, z: int, band: Band, shifts: list[tuple[int, int, int]], search: Search) -> Tensor:
    """Return (shifts, n) squared differences of the chosen patches and their shifted ones, summed over slices.

    They are means over rows and columns, and infinite beyond the edges of a slice.
    """
    slices, *sides = search.patch
    _, left = _margins((estimate.shape[1], estimate.shape[2]), search)
    height, width = (search.step * (count - 1) + side for count, side in zip(band.chosen.shape, sides, strict=True))
    here = estimate[z : z + slices, band.top : band.top + height, left : left + width]
    _, down, across = search.reach
    padded = functional.pad(estimate, (across, across, down, down), value=torch.inf)
    everywhere = torch.empty(len(shifts), *band.chosen.shape, device=estimate.device)
    for row, (dz, dy, dx) in enumerate(shifts):
        y, x = band.top + dy + down, left + dx + across
        there = padded[z + dz : z + dz + slices, y : y + height, x : x + width]
        everywhere[row] = functional.avg_pool2d((here - there).square_().sum(dim=0)[None], sides, search.step)[0]
    return everywhere.flatten(1).index_select(1, band.chosen.flatten().nonzero()[:, 0])


def _margins(size: tuple[int, int], search: Search) -> tuple[int, int]:
    """Return the rows and columns before the first patch."""
    top, left = (((length - side) % search.step) // 2 for length, side in zip(size, search.patch[1:], strict=True))
    return top, left
