"""Restore the original where something small was erased or invented, so that all else need not be given up."""

from dataclasses import replace
from functools import partial

import numpy as np

from models.side_by_side import each
from operators.quality.bias import Mask
from operators.quality.blending import Blend
from operators.quality.change_shape import Place
from operators.quality.local_change import AT_ONCE, BLOCK, searched, small_changes
from operators.quality.volume_pair import VolumePair

ROUNDS = 8  # of looking and keeping at most: a line is longer than one place, and only the strongest are looked at
SLICE_SD, PIXEL_SD = 1.0, 3.0  # of the Gaussian that blends: about as wide as the widest thing that is looked for
REACH = 2, 9  # slices and pixels to each side, where it ends


def restore_small_structures(blend: Blend, pair: VolumePair, noise_sd: float, limit: float) -> int:
    """Blend the original in wherever a small change is larger than ``limit``.

    Args:
        blend: of the output.
        pair: what it was, for what is known of it.
        noise_sd: of the original, the same unit, above 0.
        limit: see `SmallChange.size`.

    Returns:
        The number of locations.
    """
    starts = range(0, len(pair.before), BLOCK)
    body = searched(pair, pair.tissue, noise_sd)
    restore = partial(_restore_in_block, blend, pair, body, limit)
    halves = (starts[first::2] for first in (0, 1))  # every second one reaches no other
    return sum(sum(each(restore, half, device=pair.device, most=AT_ONCE)) for half in halves)


def _restore_in_block(blend: Blend, pair: VolumePair, body: Mask, limit: float, start: int) -> int:
    restored: set[Place] = set()
    for _ in range(ROUNDS):
        changes = small_changes(replace(pair, after=blend.images), body, start)
        locations = {(change.place, change.octave) for change in changes if change.size > limit}
        for place, octave in sorted(locations):
            _blend(blend, place, octave)
        restored |= {place for place, _ in locations}
        if not locations:
            break
    return len(restored)


def _blend(blend: Blend, place: Place, octave: int) -> None:
    scale = 2**octave
    sds = (SLICE_SD, scale * PIXEL_SD, scale * PIXEL_SD)
    reach = (REACH[0], scale * REACH[1], scale * REACH[1])
    sides = zip(place, reach, blend.before.shape, strict=True)
    ranges = [np.arange(max(0, at - by), min(size, at + by + 1)) for at, by, size in sides]
    slices, rows, columns = (
        np.exp(-0.5 * ((range_ - at) / sd) ** 2) for range_, at, sd in zip(ranges, place, sds, strict=True)
    )
    here = tuple(slice(range_[0], range_[-1] + 1) for range_ in ranges)
    blend.restore(here, (slices[:, None, None] * rows[:, None] * columns).astype(np.float32))
