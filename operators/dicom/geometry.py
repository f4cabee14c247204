"""From a series to its volumes: which frames lie on one another, in which order, how far apart.

In: a CT, MR or PT series. Out: one ``Stack`` per volume, slices ordered along their normal. A series that
holds several volumes is split by what differs; a gap splits a volume where each part can stand alone.
What must not or cannot be denoised is left out, with the reason, while other volumes remain. Shuffled files
give the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from highdicom.spatial import get_normal_vector

from operators.dicom.errors import Refusal
from operators.dicom.reading import Series
from operators.dicom.slices import FramePlace, PlacedSlice, placed_slices
from operators.dicom.splitting import SAME_POSITION, volumes_among
from operators.dicom.volume_errors import OnePositionError, SliceGapError, TooFewPositionsError

__all__ = ["FramePlace", "Stack", "Volumes", "stacks_of", "volumes_in"]

ORIENTATION_TOLERANCE = 0.005  # difference of a direction cosine, about 0.3 degrees: less is rounding of the header
PIXEL_SPACING_TOLERANCE = 0.001  # relative: less is rounding of the header
GAP_TOLERANCE = 0.25  # of the usual spacing nearby: PET bed seams and table jitter stay below, a missing slice is 1.0
SHIFT_TOLERANCE = 1.0  # pixels that a slice may be off the line through its neighbours' origins
NEARBY = 2  # spacings on either side that tell the usual one, so that spacing may change along a scan


@dataclass(frozen=True, eq=False)
class Stack:
    """One volume: its frames in order along the slice normal. Compared by identity."""

    places: tuple[FramePlace, ...]
    spacing: tuple[float, float, float]  # mm: slice, row, column
    label: str  # what distinguishes it in its series, empty for the only one


@dataclass(frozen=True, eq=False)
class Volumes:
    """What a series holds for the method, and what is left out."""

    stacks: tuple[Stack, ...]
    left_out: Mapping[str, int]  # frames by the reason


def stacks_of(series: Series, minimum_slices: int) -> tuple[Stack, ...]:
    """The stacks of ``volumes_in``."""
    return volumes_in(series, minimum_slices).stacks


def volumes_in(series: Series, minimum_slices: int) -> Volumes:
    """The volumes of a series that have at least ``minimum_slices`` slices.

    Raises:
        Refusal: there is none, with the reason.
    """
    series.check()
    slices, left_out = placed_slices(series)
    stacks: list[Stack] = []
    refusals: list[tuple[int, Refusal]] = []
    for group in _parallel(slices):
        for label, chosen in _volumes_among(group, refusals):
            try:
                stacks.extend(_parts(chosen, label, minimum_slices, len(slices)))
            except Refusal as refusal:
                refusals.append((len(chosen), refusal))
    if not stacks:
        raise max(refusals, key=lambda one: one[0])[1]
    for count, reason in refusals:
        left_out[str(reason)] += count
    return Volumes(tuple(stacks), dict(left_out))


def _volumes_among(
    group: Sequence[PlacedSlice], refusals: list[tuple[int, Refusal]]
) -> Iterator[tuple[str, list[PlacedSlice]]]:
    """The volumes among parallel slices, each with its label; one refusal is noted where they can't be told apart."""
    along = _along_normal(group)
    try:
        if len(group) > 1 and max(along) - min(along) <= SAME_POSITION:
            raise OnePositionError(len(group))
        volumes = list(volumes_among(along, [one.header for one in group]))
    except Refusal as refusal:
        refusals.append((len(group), refusal))
        return
    for label, chosen in volumes:
        yield label, [group[index] for index in chosen]


def _parallel(slices: Sequence[PlacedSlice]) -> list[list[PlacedSlice]]:
    """Slices of one size, orientation and pixel spacing, in the order in which they first occur."""
    groups: list[list[PlacedSlice]] = []
    for one in slices:
        group = next((group for group in groups if _alike(group[0], one)), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    return groups


def _alike(one: PlacedSlice, other: PlacedSlice) -> bool:
    return (
        one.size == other.size
        and bool(np.allclose(one.orientation, other.orientation, rtol=0, atol=ORIENTATION_TOLERANCE))
        and bool(np.allclose(one.spacing, other.spacing, rtol=PIXEL_SPACING_TOLERANCE))
    )


def _along_normal(group: Sequence[PlacedSlice]) -> list[float]:
    """The position of each slice along the normal of the first, mm."""
    normal = get_normal_vector(group[0].orientation)
    return [float(one.position @ normal) for one in group]


def _parts(ordered: Sequence[PlacedSlice], label: str, minimum: int, images: int) -> Iterator[Stack]:
    """The volume as one stack, or as the parts into which its gaps cut it."""
    if len(ordered) < minimum:
        raise TooFewPositionsError(len(ordered), images, minimum)
    along = _along_normal(ordered)
    steps = np.diff(along)
    usual = np.array([np.median(steps[max(0, i - NEARBY) : i + NEARBY + 1]) for i in range(len(steps))])
    cuts = [int(i) for i in np.flatnonzero((steps > usual * (1 + GAP_TOLERANCE)) | _off_line(ordered))]
    bounds = list(pairwise([0, *(cut + 1 for cut in cuts), len(ordered)]))
    sizes = [end - start for start, end in bounds]
    if min(sizes) < minimum:
        gaps = ", ".join(f"between {along[cut]:.1f} and {along[cut + 1]:.1f} mm" for cut in cuts)
        raise SliceGapError(gaps, float(np.median(steps)), " and ".join(map(str, sizes)), minimum)
    for number, (start, end) in enumerate(bounds, 1):
        part = f"part {number} of {len(sizes)}" if len(sizes) > 1 else ""
        yield _stack(ordered[start:end], steps[start : end - 1], ", ".join(filter(None, (label, part))))


def _stack(ordered: Sequence[PlacedSlice], steps: npt.NDArray[np.float64], label: str) -> Stack:
    row, column = ordered[0].spacing
    step = float(np.median(steps)) if len(steps) else 0.0
    return Stack(tuple(one.place for one in ordered), (step, row, column), label)


def _off_line(ordered: Sequence[PlacedSlice]) -> npt.NDArray[np.bool_]:
    """Whether each step between slices leaves the line of the others within the plane; a gantry tilt does not."""
    if len(ordered) < 3:
        return np.zeros(max(0, len(ordered) - 1), bool)
    axes = np.array(ordered[0].orientation).reshape(2, 3)  # along a row, along a column
    shifts = np.diff([one.position for one in ordered], axis=0) @ axes.T  # mm (steps, 2)
    pixel = np.array(ordered[0].spacing[::-1])
    off = np.abs(shifts - np.median(shifts, axis=0)) > SHIFT_TOLERANCE * pixel
    return np.asarray(off.any(axis=1))
