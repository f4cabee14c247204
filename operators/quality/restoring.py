"""Keeping the original where something small would be erased or invented, so that all else need not be given up."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from operators.quality.bias import Images, Mask
from operators.quality.local_change import BLOCK, Place, small_changes

AT_ONCE = 2  # blocks side by side; bounds the memory
ROUNDS = 8  # of looking and keeping at most: a line is longer than one place, and only the strongest are looked at
SLICE_SD, PIXEL_SD = 1.0, 3.0  # of the Gaussian that blends: about as wide as the widest thing that is looked for
REACH = 2, 9  # slices and pixels to each side, where it ends


def restore_small_structures(
    before: Images, after: Images, valid: Mask, tissue: Mask, noise_sd: float, limit: float
) -> int:
    """Blend ``before`` into ``after`` wherever a small change is larger than ``limit``; in place.

    Args:
        before: (slices, rows, columns), real units.
        after: the same shape and unit.
        valid: the same shape, False on padding.
        tissue: the same shape, where something small may lie.
        noise_sd: of ``before``, the same unit, above 0.
        limit: see `SmallChange.size`.

    Returns:
        The number of places.
    """
    starts = range(0, len(before), BLOCK)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        keep = partial(_restore_in_block, before, after, valid, tissue, noise_sd, limit)
        return sum(sum(pool.map(keep, starts[first::2])) for first in (0, 1))  # every second one reaches no other


def _restore_in_block(
    before: Images, after: Images, valid: Mask, tissue: Mask, noise_sd: float, limit: float, start: int
) -> int:
    kept: set[Place] = set()
    for _ in range(ROUNDS):
        found = small_changes(before, after, valid, tissue, noise_sd, start)
        places = {change.place for change in found if change.size > limit}
        for place in sorted(places):
            _blend(before, after, place)
        kept |= places
        if not places:
            break
    return len(kept)


def _blend(before: Images, after: Images, place: Place) -> None:
    reach = (REACH[0], REACH[1], REACH[1])
    sides = zip(place, reach, before.shape, strict=True)
    ranges = [np.arange(max(0, at - by), min(size, at + by + 1)) for at, by, size in sides]
    sds = (SLICE_SD, PIXEL_SD, PIXEL_SD)
    slices, rows, columns = (
        np.exp(-0.5 * ((range_ - at) / sd) ** 2) for range_, at, sd in zip(ranges, place, sds, strict=True)
    )
    share = (slices[:, None, None] * rows[:, None] * columns).astype(np.float32)
    here = tuple(slice(range_[0], range_[-1] + 1) for range_ in ranges)
    after[here] += share * (before[here] - after[here])
