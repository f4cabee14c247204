"""Find the places where a filtered image is strongest, and how far each stands out of what is around it."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from models.robust import MAD_TO_SD
from operators.quality.change_shape import Place

CANDIDATE = 4.5  # sd of the filtered c of a block, above which a place is looked at
APART = 4  # pixels between two places of one filter: neighbours show the same
MOST = 30  # places looked at, the strongest of each filter in a block
AROUND = ((0, 16), (3, 6), (3, 16))  # slices and pixels to each side of a place, where filtered c gives its own level
EVERY = 7  # rows of which one is read for what is typical
TINY = 1e-9  # keeps a fraction of nothing finite


def box_of(body: Tensor) -> tuple[slice, slice]:
    """Return the rows and columns that hold the body."""
    sides = (body.any(dim=axes).nonzero() for axes in ((0, 2), (0, 1)))
    rows, columns = (slice(int(side[0]), int(side[-1]) + 1) for side in sides)
    return rows, columns


def strongest(filtered: Tensor, inner: Tensor, some: Tensor) -> list[Place]:
    """Return the strongest places, none within `APART` pixels of another in its slice or the next.

    Args:
        filtered: (slices, rows, columns).
        inner: the same shape, where places may lie.
        some: 1 where ``inner`` and 0 elsewhere, of every `EVERY` th row.
    """
    limit = CANDIDATE * ((filtered[:, ::EVERY] * some).square().sum() / some.sum().clamp(min=1)).sqrt()
    rows = ((filtered.amax(dim=-1) > limit) | (filtered.amin(dim=-1) < -limit)).nonzero()  # few: most need no more
    size = filtered[rows.unbind(1)].abs()
    at = ((size > limit) & inner[rows.unbind(1)]).nonzero()
    strongest_first = size[at.unbind(1)].argsort(descending=True, stable=True)
    left = torch.cat([rows[at[:, 0]], at[:, 1:]], dim=1)[strongest_first].cpu().numpy()
    places: list[Place] = []
    while len(left) and len(places) < MOST:
        slice_, row, column = map(int, left[0])
        places.append((slice_, row, column))
        left = left[(np.abs(left - left[0]) > (1, APART, APART)).any(axis=1)]
    return places


def stand_out(filtered: Tensor, body: Tensor, places: Sequence[Place], least: Sequence[float]) -> list[float]:
    """Return the filtered value at each place over the standard deviation of those around it.

    Of three neighbourhoods that of the largest spread counts. 0 where the result is ``least`` of the place or less.
    """
    at, asked, left = torch.tensor(places, device=filtered.device), np.asarray(least), np.arange(len(places))
    own = filtered[at.unbind(1)].abs()
    stands, sizes = torch.full_like(own, torch.inf), np.zeros(0)
    for slices, pixels in AROUND:
        spread = _median_around(filtered, body, at, (slices, pixels, pixels))
        stands = torch.minimum(stands, own / (MAD_TO_SD * spread.clamp(min=TINY)))
        sizes = stands.cpu().numpy().astype(np.float64)
        kept = np.flatnonzero(sizes > asked[left])
        chosen = torch.from_numpy(kept).to(at.device)
        left, sizes, at, own, stands = left[kept], sizes[kept], at[chosen], own[chosen], stands[chosen]
    result = np.zeros(len(places))
    result[left] = sizes
    return [float(size) for size in result]


def _median_around(filtered: Tensor, body: Tensor, at: Tensor, reach: Place) -> Tensor:
    """Return the median magnitude of what is inside the body around each place, (places,)."""
    for axis, by in enumerate(reach):
        side = min(2 * by + 1, filtered.shape[axis])
        filtered, body = filtered.unfold(axis, side, 1), body.unfold(axis, side, 1)
    back, last = (torch.tensor(each, device=at.device) for each in (reach, [n - 1 for n in filtered.shape[:3]]))
    first = (at - back).clamp(min=0).minimum(last)  # the window stays within the block
    values, inside = (one[first.unbind(1)].flatten(1) for one in (filtered, body))
    return values.abs_().masked_fill_(~inside, torch.nan).nanmedian(dim=1).values
