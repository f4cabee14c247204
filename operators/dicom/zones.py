"""Cut the slices of one volume where they are no neighbours, or where their spacing changes.

Slices missing, a jump within the plane, or more than ``NEIGHBOUR_SPACING`` apart: such cuts are needed. Where the
spacing changes, or a step is too short, zones of constant spacing begin: such cuts are made when every zone has enough
neighbours. Packs that interleave at uneven distances are volumes of their own, and so are blocks that overlap. A slice
without neighbours is a zone of its own.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from highdicom.spatial import get_normal_vector

from operators.dicom.slices import PlacedSlice
from operators.dicom.splitting import SAME_POSITION
from operators.dicom.values import integer, number

GAP_TOLERANCE = 0.25  # of the usual spacing nearby: PET bed seams and table jitter stay below, a missing slice is 1.0
SHIFT_TOLERANCE = 1.0  # pixels that a slice may be off the line through its neighbours' origins
NEARBY = 2  # steps on either side that give the usual spacing, so that it may change along a scan
# Of the slice thickness: protocols leave gaps of up to one thickness (2.0); tilt and the header's rounding add little.
# Beyond, most of the anatomy between two slices was not measured, and they show different structures.
NEIGHBOUR_SPACING = 2.5

Steps = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def along_normal(group: Sequence[PlacedSlice]) -> list[float]:
    """Return the position of each slice along the normal of the first, mm."""
    normal = get_normal_vector(group[0].orientation)
    return [float(one.position @ normal) for one in group]


def zones_of(ordered: Sequence[PlacedSlice], minimum: int) -> list[Sequence[PlacedSlice]]:
    """Return the zones of a volume, ordered by position.

    Args:
        ordered: slices by position, no two at one.
        minimum: slices of a zone, unless a needed cut leaves fewer.
    """
    steps = np.diff(along_normal(ordered))
    if len(ordered) >= 2 * minimum and _interleaves_unevenly(steps):
        return [zone for pack in (ordered[0::2], ordered[1::2]) for zone in zones_of(pack, minimum)]
    usual = _usual(steps)
    needed = (steps > NEIGHBOUR_SPACING * _thickness(ordered)) | _off_line(ordered, steps)
    needed |= steps > usual * (1 + GAP_TOLERANCE)
    zones = _parts(ordered, needed | _zone_starts(steps, needed))
    if len(zones) == 1:
        return zones
    blocks = blocks_of(ordered, minimum, float(usual.max()) * (1 + GAP_TOLERANCE))
    if blocks and (len(blocks) < len(zones) or _smallest(zones) < minimum):
        return blocks
    return zones if _smallest(zones) >= minimum else _parts(ordered, needed)


def blocks_of(group: Sequence[PlacedSlice], minimum: int, widest: float = np.inf) -> list[Sequence[PlacedSlice]]:
    """Return the blocks of constant spacing in the order of acquisition, each ordered by position.

    Args:
        group: parallel slices in any order; blocks may repeat positions.
        minimum: slices of a block; the list is empty where one has fewer.
        widest: mm; a longer step, as slices acquired in turns have, ends a block.
    """
    numbers = [(integer(one.header, "InstanceNumber"), one.place.frame) for one in group]
    if any(instance is None for instance, _ in numbers) or len(set(numbers)) < len(group):
        return []
    acquired = [group[index] for index in sorted(range(len(group)), key=numbers.__getitem__)]
    steps = np.diff(along_normal(acquired))
    usual = _usual(steps)
    cuts = np.abs(steps - usual) > GAP_TOLERANCE * np.abs(usual)
    cuts |= np.abs(steps) > np.minimum(widest, NEIGHBOUR_SPACING * _thickness(acquired))
    cuts |= _zone_starts(np.abs(steps), cuts)
    blocks = _parts(acquired, cuts | _off_line(acquired, steps) | (np.abs(steps) <= SAME_POSITION))
    if _smallest(blocks) < minimum:
        return []
    return [[block[index] for index in np.argsort(along_normal(block))] for block in blocks]


def _interleaves_unevenly(steps: Steps) -> bool:
    """Return whether short and long steps alternate: two packs of slices, one moved against the other."""
    pairs, shorter = steps[1:] + steps[:-1], np.minimum(steps[1:], steps[:-1])
    regular = np.abs(pairs - np.median(pairs)) <= GAP_TOLERANCE * shorter
    return bool((regular & (np.abs(np.diff(steps)) > GAP_TOLERANCE * shorter)).all())


def _usual(steps: Steps) -> Steps:
    """Return the median of the steps nearby, for each step."""
    return np.array([np.median(steps[max(0, i - NEARBY) : i + NEARBY + 1]) for i in range(len(steps))])


def _zone_starts(steps: Steps, cuts: Mask) -> Mask:
    """Return the steps that are too short, and those from which on the usual spacing is another."""
    usual = _usual(steps)
    starts = steps < usual * (1 - GAP_TOLERANCE)
    previous = None
    for i in np.flatnonzero(~(cuts | starts)):
        if previous is not None and i == previous + 1:
            starts[i] = abs(usual[i] - usual[previous]) > GAP_TOLERANCE * min(usual[i], usual[previous])
        previous = i
    return np.asarray(starts)


def _thickness(ordered: Sequence[PlacedSlice]) -> Steps:
    """Return the larger thickness of the slices at either end of each step, mm; infinite where it is not given."""
    each = [number(one.header, "SliceThickness") or np.inf for one in ordered]
    return np.array([max(pair) for pair in pairwise(each)])


def _off_line(ordered: Sequence[PlacedSlice], steps: Steps) -> Mask:
    """Return whether each step leaves the line of the others within the plane; a gantry tilt is such a line."""
    moved = steps != 0
    if moved.sum() < 2:
        return np.zeros(len(steps), bool)
    axes = np.array(ordered[0].orientation).reshape(2, 3)  # along a row, along a column
    shifts = np.diff([one.position for one in ordered], axis=0) @ axes.T  # mm (steps, 2)
    tilt = np.median(shifts[moved] / steps[moved, None], axis=0)
    pixel = np.array(ordered[0].spacing[::-1])
    off = np.abs(shifts - tilt * steps[:, None]) > SHIFT_TOLERANCE * pixel
    return np.asarray(off.any(axis=1))


def _parts(ordered: Sequence[PlacedSlice], cuts: Mask) -> list[Sequence[PlacedSlice]]:
    bounds = [0, *(np.flatnonzero(cuts) + 1), len(ordered)]
    return [ordered[start:end] for start, end in pairwise(bounds)]


def _smallest(parts: Sequence[Sequence[PlacedSlice]]) -> int:
    return min(map(len, parts))
