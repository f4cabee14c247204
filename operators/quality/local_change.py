"""Find what small was erased or invented: a spot, line or plate in c = after - before that is no noise.

c is freed of what is wide, divided by its own level around each place and bounded, so that uneven noise becomes even.
Filters in the shape of small structures (`matched_filters`), matched to the noise's own spectrum, then sum it, and what
stands out is reported in units of the filtered c around it. What chance gives in a volume of that many voxels is noise.
A strong thing of which a small part is missing was not erased: in its own shape, c must be at least half of the larger
of what before and after show. All this is done in pixels and again in means of 2 x 2, 4 x 4 ..., until the widest
filter spans 7 mm: small pixels, or pixels that were interpolated, hide nothing.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage
from scipy.stats import norm

from operators.quality.bias import Images, Mask, squares
from operators.quality.change_shape import Place, around, changed_fraction
from operators.quality.matched_filters import FILTERS, HALF_LINE, SPOTS, interpolated, matched
from operators.quality.noise import sampled
from operators.quality.volume_pair import TISSUE_SMOOTH, VolumePair, body_of

WIDE = 15  # pixels, side of the square whose mean is taken off: what is wider moves the means of intensities
CELL, CELLS = 4, 5  # pixels a side of a cell; cells a side whose median is the level: a small structure fills fewer
NEAR, NEAR_FRACTION = 7, 0.85  # cells a side, and the fraction of their level that counts at least: where noise is
# retained, as at edges, a voxel that is not must not stand out
LEAST_LEVEL = 0.25  # of the level of all: where hardly anything was changed, nothing was lost
BOUND = 8.0  # levels; what a voxel alone may count: wild noise has long tails, a lesion of 12 sd in one voxel is none
BLOCK, HALO = 16, 3  # slices filtered at a time, and those to each side that reach in
CANDIDATE = 4.0  # sd of the filtered c of a block, above which a place is looked at
MOST_VOXELS = 32 * 512 * 512  # looked at, for time; larger volumes in blocks spread evenly
APART = 4  # pixels between two places of one filter: neighbours show the same
MOST = 30  # places looked at, the strongest of each filter in a block
AROUND = 3, 16  # slices and pixels to each side of a place, where the filtered c gives its own level
FRACTION = 0.5  # of what before or after shows: with more left, a thing is fainter, not gone
CHANCE = 1e-3  # of standing out by noise alone, in a volume of this many voxels, through any filter
TINY = 1e-9  # keeps a fraction of nothing finite
FLOOR_SD = 2.5  # of the noise: mean magnitude below which Rician noise is visibly skewed
WIDEST_MM = 7.0  # what is wider is watched by the means of intensities
FWHM = 2.355  # of a Gaussian, in sd
FEWEST_ROWS = 48  # with fewer, means of pixels leave no surroundings to compare with
EVERY = 7  # values of which one is read for what is typical
MAD_TO_SD = 1.4826  # of normal noise


@dataclass(frozen=True)
class SmallChange:
    """Something small that was surely erased or invented.

    Attributes:
        place: slice, row, column.
        size: its contrast summed over it, in standard deviations of such a sum of the noise before.
        octave: 0 where it was found in pixels, 1 in means of 2 x 2, 2 of 4 x 4.
    """

    place: Place
    size: float
    octave: int


def local_change(pair: VolumePair, tissue: Mask, noise_sd: float) -> float | None:
    """Return the size of the largest small change, 0 where nothing stands out; None where the noise is not known."""
    if not noise_sd or not pair.valid.any():
        return None
    starts = range(0, len(tissue), BLOCK)
    most = max(1, MOST_VOXELS // (BLOCK * tissue[0].size))
    looked_at = [starts[i] for i in sampled(len(starts), most)]
    body = searched(pair, tissue, noise_sd)
    changes = (small_changes(pair, body, noise_sd, start) for start in looked_at)
    return max((change.size for some in changes for change in some), default=0.0)


def searched(pair: VolumePair, tissue: Mask, noise_sd: float) -> Mask:
    """Return where something small may lie: in the body, in MR where the signal stands out of the noise's floor."""
    body = body_of(tissue)
    if pair.modality == "MR":  # whose noise is skewed where there is hardly any signal, and passes for small structures
        for inside, old, new in zip(body, pair.before, pair.after, strict=True):
            inside &= ndimage.uniform_filter(old + new, TISSUE_SMOOTH) > 2 * FLOOR_SD * noise_sd
    return body


def octaves_of(spacing: tuple[float, float, float], rows: int) -> int:
    """Return in how many sizes of pixel small structures are searched for."""
    wanted = math.log2(max(WIDEST_MM / (SPOTS[-1] * FWHM * max(spacing[1:])), 1))
    return 1 + min(math.ceil(wanted), max(0, int(math.log2(rows / FEWEST_ROWS))))


def small_changes(pair: VolumePair, body: Mask, noise_sd: float, start: int) -> Iterator[SmallChange]:
    """Yield what was changed in `BLOCK` slices from ``start`` on; neighbouring filters may find the same thing twice.

    Args:
        pair: before and after.
        body: the same shape, see `searched`.
        noise_sd: of before, the same unit, above 0.
        start: the first slice.
    """
    octaves = octaves_of(pair.spacing, min(body.shape[1:]))
    chance = float(norm.isf(CHANCE / 2 / FILTERS / octaves / np.count_nonzero(pair.valid)))
    low, high = max(0, start - HALO), min(len(body), start + BLOCK + HALO)
    inside, there = pair.valid[low:high], body[low:high]
    images = (pair.after[low:high] - pair.before[low:high], pair.before[low:high])
    c, y = (np.where(inside, one, 0) for one in images)
    own = range(start - low, start - low + BLOCK)
    removed = 0.0  # fraction of the noise that is typically gone
    for octave in range(octaves):
        level = _level(_narrow(c), inside)
        typical = float(np.median(level[np.isfinite(level) & (level > 0)])) if (level[inside] > 0).any() else 1.0
        removed = removed or min(typical / noise_sd, 1)
        skipped = octave == 0 and pair.modality == "MR" and interpolated(c)  # no pixel that was acquired is so small
        looked_at = np.zeros_like(there) if skipped else there
        for place, size in _found(_narrow(y), _narrow(c), np.asarray(inside / level, np.float32), looked_at):
            if place[0] in own and size > chance:
                row, column = (2**octave * i + 2**octave // 2 for i in place[1:])
                size *= min(removed * float(level[place]) / typical, 1)
                yield SmallChange((place[0] + low, row, column), size, octave)
        c, y, inside, there = (_halved(one) for one in (c, y, inside, there))


def _found(y: Images, c: Images, even: Images, body: Mask) -> Iterator[tuple[Place, float]]:
    """Yield where something was erased or invented and how far it stands out of the noise around."""
    y, c = y * even, c * even
    bounded = np.clip(c, -BOUND, BOUND)
    body = body.copy()
    for border in (np.s_[:, :HALF_LINE], np.s_[:, -HALF_LINE:], np.s_[..., :HALF_LINE], np.s_[..., -HALF_LINE:]):
        body[border] = False  # the filters wrap around there
    for filtered in matched(bounded):
        typical = float(np.median(np.abs(filtered.ravel()[::EVERY])))
        for place in _strongest(np.where(body, filtered, 0)):
            if changed_fraction(y, c, place) >= FRACTION:
                yield place, _stands_out(filtered, place, typical)


def _halved(images: np.ndarray[Any, np.dtype[Any]]) -> Any:
    """Return the mean of each 2 x 2 pixels, of masks whether all are in; an odd row or column is left out."""
    rows, columns = (n // 2 * 2 for n in images.shape[1:])
    parts = [images[:, i:rows:2, j:columns:2] for i in (0, 1) for j in (0, 1)]
    return np.logical_and.reduce(parts) if images.dtype == bool else np.asarray(sum(parts) / np.float32(4))


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
    """Yield the strongest places, none within `APART` pixels of another in its slice or the next."""
    size = np.abs(filtered).ravel()
    found = np.flatnonzero(size > CANDIDATE * float(np.sqrt(np.mean(size * size))))
    taken: list[Place] = []
    for at in found[np.argsort(size[found])[::-1]]:
        slice_, row, column = (int(i) for i in np.unravel_index(at, filtered.shape))
        if not any(abs(slice_ - z) <= 1 and abs(row - y) <= APART and abs(column - x) <= APART for z, y, x in taken):
            taken.append((slice_, row, column))
            yield taken[-1]
            if len(taken) == MOST:
                return


def _stands_out(filtered: Images, place: Place, typical: float) -> float:
    """Return the filtered value over the standard deviation of those around it, at least of the ``typical`` one."""
    near = np.abs(around(filtered, place, *AROUND))
    return abs(float(filtered[place])) / (MAD_TO_SD * max(float(np.median(near[near > 0])), typical))
