"""Patches of a estimate that resemble each other.

Those that differ by no more than the noise left in the estimate are equally alike; which of them differ least is that
noise's doing, so that they are taken in an order that has nothing to do with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

PATCH = 3  # voxels a side
MOST, FEWEST = 64, 0.5  # patches of a group, and at least such a share of the nearest, alike or not
SEARCHED = 4096  # patches at a time; bounds the memory
ORDER_SEED, ORDER_STEP = 0, 1e-3  # the order of what is equally alike, and the share by which it moves a difference


@dataclass(frozen=True)
class Search:
    """How far a pass looks.

    Attributes:
        reach: slices, rows and columns that like patches may be away: half axes of an ellipsoid.
        apart: pixels between the patches that are looked for; members fill what lies between.
    """

    reach: tuple[int, int, int]
    apart: int

    @cached_property
    def shifts(self) -> list[tuple[int, int, int]]:
        """Slices, rows and columns from a patch to those that may be like it."""
        z, y, x = (range(-reach, reach + 1) for reach in self.reach)
        return [shift for shift in product(z, y, x) if self._reaches(shift)]

    def _reaches(self, shift: tuple[int, int, int]) -> bool:
        return sum((by / (reach + 0.5)) ** 2 for by, reach in zip(shift, self.reach, strict=True)) <= 1


NEAR, FAR = (3, 5, 5), (3, 6, 6)  # the first, nearer pass gains most
QUICK = (Search(NEAR, 5),)  # for volumes whose time allows no more; in CT 1.7 dB behind the thorough ones
BRISK = (*QUICK, Search(FAR, 5))  # .8 dB behind
THOROUGH = (Search(NEAR, 3), Search(FAR, 3), Search(FAR, 3))


def of_patches(plane: Tensor, apart: int) -> Tensor:
    """Means of the patches of (1, rows, columns), as far as whole ones go."""
    top, left = (_margin(side, apart) for side in plane.shape[1:])
    return functional.avg_pool2d(plane[:, top:, left:], PATCH, apart)[0]


def _margin(side: int, apart: int) -> int:
    """Pixels before the first patch."""
    return ((side - PATCH) % apart) // 2


def bands(tissue: Tensor, apart: int) -> Iterator[tuple[int, Tensor]]:
    """A band of rows of patches at a time: its first row of voxels, and which of its patches hold tissue.

    What no member reaches, as may happen at the edges of a slice, stays as estimated.
    """
    held = of_patches(tissue[None].float(), apart) > 0
    top = _margin(tissue.shape[0], apart)
    rows = max(1, SEARCHED // held.shape[1])
    for first in range(0, len(held), rows):
        if held[first : first + rows].any():
            yield top + apart * first, held[first : first + rows]


def like_patches(
    estimate: Tensor, z: int, top: int, held: Tensor, power: Tensor, alike: float, search: Search
) -> tuple[Tensor, Tensor]:
    """The patches most like each of n in a band of `bands`.

    Args:
        estimate: (slices, rows, columns).
        z: first slice of the n patches.
        top: first row of the band.
        held: which of its patches are the n.
        power: (n,) of the noise there, over that where its level is 1.
        alike: mean squared difference, over ``power``, up to which patches are equally alike.

    Returns:
        corners: (n, members) of like patches, flat in ``estimate``, their own among them.
        counts: the same shape, 1 for those that are members, 0 for the rest.
    """
    depth, rows, columns = estimate.shape
    left, (height, width) = _margin(columns, search.apart), (search.apart * (count - 1) + PATCH for count in held.shape)
    here = estimate[z : z + PATCH, top : top + height, left : left + width]
    _, down, across = search.reach
    padded = functional.pad(estimate, (across, across, down, down), value=torch.inf)
    shifts = [shift for shift in search.shifts if 0 <= z + shift[0] <= depth - PATCH]
    order = np.random.default_rng(ORDER_SEED).permutation(len(shifts)) / len(shifts) * ORDER_STEP
    everywhere = torch.empty(len(shifts), *held.shape, device=estimate.device)
    for row, (dz, dy, dx) in enumerate(shifts):
        y, x = top + dy + down, left + dx + across
        there = padded[z + dz : z + dz + PATCH, y : y + height, x : x + width]
        everywhere[row] = functional.avg_pool2d((here - there).square_().sum(dim=0)[None], PATCH, search.apart)[0]
    differences = everywhere.flatten(1).index_select(1, held.flatten().nonzero()[:, 0]).div_(PATCH * power)
    differences.clamp_(min=alike).add_(alike * torch.from_numpy(order)[:, None].to(differences))
    differences[shifts.index((0, 0, 0))] = -1.0
    most = min(MOST, len(shifts))
    nearest, which = differences.T.contiguous().topk(most, dim=1, largest=False)
    limit = nearest[:, int(FEWEST * most) - 1, None].clamp(min=(1 + ORDER_STEP) * alike)
    steps = torch.tensor([(dz * rows + dy) * columns + dx for dz, dy, dx in shifts], device=estimate.device)
    corners = torch.nonzero(held) * search.apart
    flat = (z * rows + top + corners[:, 0]) * columns + left + corners[:, 1]
    there = nearest.isfinite()
    return flat[:, None] + steps[which] * there, (there & (nearest <= limit)).float()
