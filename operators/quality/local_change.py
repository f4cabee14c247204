"""Whether something small was erased or invented: a spot or line in c = after - before that is no noise.

c is freed of what is wide, divided by its own level around each place and bounded, so that uneven noise becomes even.
Filters in the shape of small things (`small_shapes`), matched to the noise's own spectrum, then sum it, and what stands
out is told in units of the filtered c around it. What chance gives in a volume of that many voxels is noise. A strong
thing of which a small part is missing was not erased: in its own shape, c must be at least half of the larger of what
before and after show.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.stats import norm

from operators.quality.bias import Images, Mask, squares
from operators.quality.matched_filters import FILTERS, NARROWEST, matched
from operators.quality.noise import sampled

WIDE = 15  # pixels, side of the square whose mean is taken off: what is wider moves the level lights
CELL, CELLS = 4, 5  # pixels a side of a cell; cells a side whose median is the level: a small thing fills fewer
NEAR, NEAR_FRACTION = 3, 0.6  # cells a side, and the share of their level that counts at least: noise may rise steeply
LEAST_LEVEL = 0.25  # of the level of all: where hardly anything was changed, nothing was lost
BOUND = 4.0  # levels; a single wild voxel is noise with long tails, a lesion has many
BLOCK, HALO = 16, 3  # slices filtered at a time, and those to each side that reach in
CANDIDATE = 4.0  # sd of the filtered c of a block, above which a place is looked at
MOST_VOXELS = 32 * 512 * 512  # looked at, for time; larger volumes in blocks spread evenly
MOST = 30  # places looked at, the strongest of each filter in a block
AROUND = 3, 16  # slices and pixels to each side of a place, where the filtered c tells its own level
COMPACT = 1, 4  # slices and pixels to each side of a place, where its shape is compared
FRACTION = 0.5  # of what before or after shows: with more left, a thing is fainter, not gone
CHANCE = 1e-3  # of standing out by noise alone, in a volume of this many voxels, through any filter
TINY = 1e-9  # keeps a share of nothing finite
MAD_TO_SD = 1.4826  # of normal noise

Place = tuple[int, int, int]


@dataclass(frozen=True)
class SmallChange:
    """Something small that was surely erased or invented.

    Attributes:
        place: slice, row, column.
        size: its contrast summed over it, in standard deviations of such a sum of the noise before.
    """

    place: Place
    size: float


def local_change(before: Images, after: Images, valid: Mask, tissue: Mask, noise_sd: float) -> float | None:
    """The size of the largest small change, 0 where nothing stands out of what was removed.

    Args:
        before: (slices, rows, columns), real units.
        after: the same shape and unit.
        valid: the same shape, False on padding.
        tissue: the same shape, where something small may lie: the noise of MR's air is skewed and passes for it.
        noise_sd: of ``before``, the same unit.

    Returns:
        None where the noise is not known.
    """
    if not noise_sd or not valid.any():
        return None
    starts = range(0, len(before), BLOCK)
    most = max(1, MOST_VOXELS // (BLOCK * before[0].size))
    looked_at = (starts[i] for i in sampled(len(starts), most))
    changes = (small_changes(before, after, valid, tissue, noise_sd, start) for start in looked_at)
    return max((change.size for some in changes for change in some), default=0.0)


def small_changes(
    before: Images, after: Images, valid: Mask, tissue: Mask, noise_sd: float, start: int
) -> Iterator[SmallChange]:
    """What was changed in `BLOCK` slices from ``start`` on; neighbouring filters may find the same thing twice."""
    chance = float(norm.isf(CHANCE / 2 / FILTERS / np.count_nonzero(valid)))
    low, high = max(0, start - HALO), min(len(before), start + BLOCK + HALO)
    inside = valid[low:high]
    c, y = (_narrow(np.where(inside, images, 0)) for images in (after[low:high] - before[low:high], before[low:high]))
    level = _level(c, inside)
    even = inside / level
    removed = np.minimum(level / noise_sd, 1)  # share of the noise
    y *= even
    c = np.clip(c * even, -BOUND, BOUND)
    own = range(start - low, start - low + BLOCK)
    for filtered in matched(c):
        for place in _strongest(filtered):
            size = _stands_out(filtered, place)
            there = (place[0] + low, *place[1:])
            if place[0] in own and tissue[there] and size > chance and _fraction(y, c, place) >= FRACTION:
                yield SmallChange(there, float(size * removed[place]))


def _narrow(images: Images) -> Images:
    return np.asarray(images - ndimage.uniform_filter(images, (0, WIDE, WIDE)))


def _level(c: Images, inside: Mask) -> Images:
    """The standard deviation of ``c`` around each voxel; infinite where there is next to none, 0 where nothing is."""
    pad = [(0, 0), *((0, -size % CELL) for size in c.shape[1:])]
    power, counted = (
        ndimage.uniform_filter1d(squares(np.pad(one, pad), CELL).mean(axis=-1), 3, axis=0)
        for one in (np.where(inside, c * c, 0), inside.astype(np.float32))
    )
    least = LEAST_LEVEL**2 * power.sum() / max(counted.sum(), 1.0)
    loud = power > least * counted
    near, weight = (ndimage.uniform_filter(np.where(loud, one, 0), (0, NEAR, NEAR)) for one in (power, counted))
    near = near / np.maximum(weight, TINY)
    own = np.where(loud, power / np.maximum(counted, TINY), near)
    typical = ndimage.median_filter(own, (1, CELLS, CELLS))
    level = np.where(loud, np.sqrt(np.maximum(typical, NEAR_FRACTION**2 * near)), np.inf)
    return np.asarray(level.repeat(CELL, 1).repeat(CELL, 2)[:, : c.shape[1], : c.shape[2]], np.float32)


def _strongest(filtered: Images) -> Iterator[Place]:
    size = np.abs(filtered).ravel()
    found = np.flatnonzero(size > CANDIDATE * float(np.sqrt(np.mean(size * size))))
    for at in found[np.argsort(size[found])[-MOST:]]:
        slice_, row, column = np.unravel_index(at, filtered.shape)
        yield int(slice_), int(row), int(column)


def _around(images: Images, place: Place, slices: int, pixels: int) -> Images:
    reach = (slices, pixels, pixels)
    return images[tuple(slice(max(0, at - by), at + by + 1) for at, by in zip(place, reach, strict=True))]


def _stands_out(filtered: Images, place: Place) -> float:
    """The filtered value over the standard deviation of those around it."""
    near = np.abs(_around(filtered, place, *AROUND))
    chance = MAD_TO_SD * float(np.median(near[near > 0]))
    return abs(float(filtered[place])) / chance


def _fraction(y: Images, c: Images, place: Place) -> float:
    """How much of what before or after shows in the shape of the change at ``place`` is the change itself."""
    was, change = (_shape(_around(images, place, *COMPACT)) for images in (y, c))
    pattern = _shape(ndimage.gaussian_filter(_around(c, place, *COMPACT), NARROWEST))
    power = float(np.sum(pattern * change))
    old = float(np.sum(pattern * was))
    return abs(power) / max(abs(old), abs(old + power), TINY)


def _shape(images: Images) -> Images:
    """Images less the plane through them."""
    axes = np.meshgrid(*(np.arange(size) - (size - 1) / 2 for size in images.shape), indexing="ij")
    for axis in (np.ones(images.shape), *axes):
        images = images - np.sum(images * axis) / max(np.sum(axis * axis), TINY) * axis
    return images
