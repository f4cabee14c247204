"""Find the places where a filtered image is strongest, and how far each stands out of what is around it."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from models.robust import MAD_TO_SD
from operators.quality.bias import Images, Mask
from operators.quality.change_shape import Place, around

CANDIDATE = 4.5  # sd of the filtered c of a block, above which a place is looked at
APART = 4  # pixels between two places of one filter: neighbours show the same
MOST = 30  # places looked at, the strongest of each filter in a block
AROUND = ((0, 16), (3, 6), (3, 16))  # slices and pixels to each side of a place, where filtered c gives its own level
TINY = 1e-9  # keeps a fraction of nothing finite


def box_of(body: Mask) -> tuple[slice, slice]:
    """Return the rows and columns that hold the body."""
    sides = (np.flatnonzero(body.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    rows, columns = (slice(int(side[0]), int(side[-1]) + 1) for side in sides)
    return rows, columns


def boxed_indices(flat: npt.NDArray[np.intp], shape: tuple[int, ...], box: tuple[slice, slice]) -> npt.NDArray[np.intp]:
    """Return flat indices into a box of what ``flat`` are in the whole ``shape``."""
    slice_, row, column = np.unravel_index(flat, shape)
    rows, columns = (part.stop - part.start for part in box)
    return np.asarray((slice_ * rows + row - box[0].start) * columns + column - box[1].start)


def strongest(filtered: Images, inner: Mask, read: npt.NDArray[np.intp]) -> Iterator[Place]:
    """Yield the strongest places, none within `APART` pixels of another in its slice or the next.

    Args:
        filtered: (slices, rows, columns).
        inner: the same shape, where places may lie.
        read: flat indices of those that show what is typical.
    """
    size = np.abs(filtered)
    some = size.ravel()[read]
    found = np.flatnonzero((size > CANDIDATE * math.sqrt(float(some @ some) / max(some.size, 1))) & inner)
    found = found[np.argsort(size.ravel()[found])[::-1]]
    places = np.stack(np.unravel_index(found, filtered.shape), axis=1)
    for _ in range(MOST):
        if not len(places):
            return
        slice_, row, column = (int(i) for i in places[0])
        yield slice_, row, column
        places = places[(np.abs(places - places[0]) > (1, APART, APART)).any(axis=1)]


def stands_out(filtered: Images, body: Mask, place: Place, least: float) -> float:
    """Return the filtered value over the standard deviation of those around it, the largest of three neighbourhoods.

    0 where it is ``least`` or less, for which one neighbourhood may do.
    """
    size = math.inf
    for reach in AROUND:
        values, inside = around(filtered, place, *reach), around(body, place, *reach)
        spread = _median(np.abs(values[inside]))
        size = min(size, abs(float(filtered[place])) / (MAD_TO_SD * max(spread, TINY)))
        if size <= least:
            return 0.0
    return size


def _median(values: Images) -> float:
    """Return the median of a few values, none of them NaN, without what numpy's own spends on each call."""
    middle = len(values) // 2
    parted = np.partition(values, (middle - 1, middle) if middle else 0)
    return float(parted[middle] if len(values) % 2 else (parted[middle - 1] + parted[middle]) / 2)
