"""Find what small was erased or invented: a spot, line or plate in c = after - before that is no noise.

c is made even (`even_change`) and bounded. Filters in the shape of small structures (`matched_filters`), matched to the
noise's own spectrum, then sum it. How far a place stands out of the filtered c around it, times the fraction of the
noise that is gone there, is its contrast in sd of the noise of before. What the noise of as many voxels and filters
shows by chance is noise. A strong thing of which a small part is missing was not erased: in the filter's shape, c must
be a good part of the larger of what before and after show. All this is done in pixels and again in means of 2 x 2,
4 x 4 ..., until the widest filter spans 7 mm: small pixels, or pixels that were interpolated, hide nothing.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.stats import norm
from torch import Tensor

from models.filters import uniform
from models.side_by_side import each, in_batches, on_device
from operators.quality.bias import Images, Mask
from operators.quality.change_shape import Place, changed_fraction
from operators.quality.even_change import CELL, FAINT, halved, level_of, narrow, removed_near, stabilised
from operators.quality.matched_filters import FILTERS, HALF_LINE, SPOTS, interpolated, matched
from operators.quality.noise import noise_levels, sampled
from operators.quality.standing_out import EVERY, box_of, stand_out, strongest
from operators.quality.volume_pair import TISSUE_SMOOTH, VolumePair, body_of

BOUND = 8.0  # levels; what a voxel alone may count: wild noise has long tails, a lesion of 12 sd in one voxel is none
AT_ONCE = 2  # blocks side by side; bounds the memory
BLOCK, HALO = 16, 3  # slices filtered at a time, and those to each side that reach in
LOUD, QUIETEST = 0.75, 0.7  # quantile of c's level in the body, and the fraction of it below which noise is retained as
# texture rather than weak: what stands out of that is noise that was not
MOST_VOXELS = 32 * 512 * 512  # looked at, for time; larger volumes in blocks spread evenly
FRACTION = 0.3  # of what before or after shows, which half of a thing seldom falls below: with more left it is fainter
CHANCE = 1e-3  # of a place in a slice that stands out by noise alone
TINY = 1e-9  # keeps a fraction of nothing finite
FLOOR_SD = {"MR": 2.5, "PT": 5.0}  # of the noise: mean magnitude, or root of activity, below which it is visibly skewed
WIDEST_MM = 7.0  # what is wider is watched by the means of intensities
FWHM = 2.355  # of a Gaussian, in sd
FEWEST_ROWS = 48  # with fewer, means of pixels leave no surroundings to compare with


@dataclass(frozen=True)
class SmallChange:
    """Something small that was surely erased or invented.

    Attributes:
        place: slice, row, column.
        size: its contrast summed over it, in standard deviations of such a sum of the noise before.
        octave: 0 where it was found in pixels, 1 in means of 2 x 2, 2 of 4 x 4.
        shape: number of the filter's shape, see `matched_filters.patterns`.
        depth: of the filter, slices.
    """

    place: Place
    size: float
    octave: int
    shape: int
    depth: int


def local_change(pair: VolumePair, body: Mask) -> float:
    """Return the size of the largest small change in the body, see `searched`; 0 where nothing stands out."""
    starts = range(0, len(body), BLOCK)
    most = max(1, MOST_VOXELS // (BLOCK * body[0].size))
    looked_at = [starts[i] for i in sampled(len(starts), most)]
    sizes = each(
        lambda start: max((change.size for change in small_changes(pair, body, start)), default=0.0),
        looked_at,
        device=pair.device,
        most=AT_ONCE,
    )
    return max(sizes, default=0.0)


def searched(pair: VolumePair, tissue: Mask, noise_sd: float) -> Mask:
    """Return where something small may lie: in the body, in MR and PET where the signal stands out of skewed noise."""
    body = body_of(tissue, pair.device)
    if pair.modality not in FLOOR_SD:
        return body
    if pair.modality == "PT":
        chosen = sampled(len(tissue))
        y, f = (
            stabilised(torch.from_numpy(images[chosen]), pair.modality).numpy() for images in (pair.before, pair.after)
        )
        noise_sd, _ = noise_levels(y, f, tissue[chosen])

    def loud(inside: Tensor, old: Tensor, new: Tensor) -> Tensor:
        both = stabilised(old, pair.modality) + stabilised(new, pair.modality)
        return inside & (uniform(both, TISSUE_SMOOTH) / 2 > FLOOR_SD[pair.modality] * noise_sd)

    return in_batches(loud, body, pair.before, pair.after, device=pair.device)


def octaves_of(spacing: tuple[float, float, float], rows: int) -> int:
    """Return in how many sizes of pixel small structures are searched for."""
    wanted = math.log2(max(WIDEST_MM / (SPOTS[-1] * FWHM * max(spacing[1:])), 1))
    return 1 + min(math.ceil(wanted), max(0, int(math.log2(rows / FEWEST_ROWS))))


def small_changes(pair: VolumePair, body: Mask, start: int) -> Iterator[SmallChange]:
    """Yield what was changed in `BLOCK` slices from ``start`` on; neighbouring filters may find the same thing twice.

    Args:
        pair: before and after.
        body: the same shape, see `searched`.
        start: the first slice.
    """
    octaves = octaves_of(pair.spacing, min(body.shape[1:]))
    chance = chance_limit(np.count_nonzero(body) / len(body), octaves)
    low, high = max(0, start - HALO), min(len(body), start + BLOCK + HALO)
    parts = (pair.before, pair.after, pair.valid, body)
    old, new, inside, there = (on_device(part[low:high], pair.device) for part in parts)
    y, f = (stabilised(images, pair.modality) for images in (old, new))
    c, y = (one.where(inside, 0) for one in (f - y, y))
    own = slice(start - low, start - low + BLOCK)
    for octave in range(octaves):
        if octave or pair.modality != "MR" or not interpolated(c):  # else no pixel that was acquired is so small
            even = narrow(c)
            for found in _found(narrow(y), even, level_of(even, inside & there), there & inside, own, chance):
                row, column = (2**octave * i + 2**octave // 2 for i in found.place[1:])
                yield replace(found, place=(found.place[0] + low, row, column), octave=octave)
        c, y, inside, there = (halved(one) for one in (c, y, inside, there))


def chance_limit(positions: float, octaves: int) -> float:
    """Return how far noise alone stands out somewhere in a slice, through any filter, with a chance of `CHANCE`.

    Args:
        positions: voxels of a slice that are looked at; neighbours are not independent, which is left aside.
        octaves: sizes of pixel.
    """
    tests = FILTERS * max(positions, 1.0) * sum(4.0**-octave for octave in range(octaves))
    return float(norm.isf(CHANCE / 2 / tests))


def _found(y: Tensor, c: Tensor, level: Tensor, body: Tensor, own: slice, least: float) -> Iterator[SmallChange]:
    """Yield what was erased or invented in ``own`` slices and stands out of the noise around by more than ``least``."""
    y, c = y / level, c / level
    inner = torch.zeros_like(body)
    away = np.s_[:, HALF_LINE:-HALF_LINE, HALF_LINE:-HALF_LINE]  # from the borders, where the filters wrap around
    inner[away] = body[away]
    levels = _cells_of(level, inner)
    if not levels.size:
        return
    removed = removed_near(y, c)
    typical, loud = float(np.median(_cells_of(removed, inner))), float(np.quantile(levels, LOUD))
    removed = ((level / (QUIETEST * loud)).clamp(max=1) * removed / typical).cpu()
    box = box_of(body)
    inner, body = inner[own, *box], body[:, *box].contiguous()
    some = inner[:, ::EVERY].to(c.dtype)
    for filter_, filtered in matched(c.clamp(-BOUND, BOUND), (y + c).clamp(-FAINT, FAINT), box):
        found = strongest(filtered[own], inner, some)
        if not found:
            continue
        boxed = [(slice_ + own.start, row, column) for slice_, row, column in found]
        places = [(slice_, row + box[0].start, column + box[1].start) for slice_, row, column in boxed]
        gone = [min(filter_.removed * float(removed[place]), 1.0) for place in places]
        stands = stand_out(filtered, body, boxed, [least / max(one, TINY) for one in gone])
        for place, fraction, size in zip(places, gone, stands, strict=True):
            if size and changed_fraction(y, c, place, filter_.shape, filter_.depth) >= FRACTION:
                yield SmallChange(place, fraction * size, 0, filter_.shape, filter_.depth)


def _cells_of(images: Tensor, inside: Tensor) -> Images:
    """Return the values of the cells whose first pixel is inside."""
    return np.asarray(images[:, ::CELL, ::CELL][inside[:, ::CELL, ::CELL]].cpu().numpy())
