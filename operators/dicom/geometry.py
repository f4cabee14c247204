"""From a series to its volumes: which frames lie on one another, in which order, how far apart.

In: a CT, MR or PT series. Out: one ``Stack`` per volume, slices ordered along their normal. A series that
holds several volumes is split by what differs; gaps and zones of other spacing split a volume. A slice without
neighbours is a volume of its own.
What must not or cannot be denoised is left out, with the reason, while other volumes remain. Shuffled files
give the same.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from operators.dicom.errors import Refusal, UndecodableError
from operators.dicom.slices import FramePlace, LeftOut, PlacedSlice, placed_slices
from operators.dicom.splitting import volumes_among
from operators.dicom.study import Series
from operators.dicom.values import number
from operators.dicom.volume_errors import RepeatedPositionError
from operators.dicom.zones import along_normal, blocks_of, zones_of

ORIENTATION_TOLERANCE = 0.005  # difference of a direction cosine, about 0.3 degrees: less is rounding of the header
PIXEL_SPACING_TOLERANCE = 0.001  # relative: less is rounding of the header


@dataclass(frozen=True, eq=False)
class Stack:
    """One volume: its frames in order along the slice normal. Compared by identity."""

    places: tuple[FramePlace, ...]
    spacing: tuple[float, float, float]  # mm: slice, row, column; of one slice its thickness
    label: str  # what distinguishes it in its series, empty for the only one

    def taken(self, indices: Sequence[int]) -> "Stack":
        """Return some of its slices."""
        return replace(self, places=tuple(self.places[index] for index in indices))


@dataclass(frozen=True, eq=False)
class Volumes:
    """What a series holds for the method, and what is left out."""

    stacks: tuple[Stack, ...]
    left_out: Counter[str]  # frames by the reason


def stacks_of(series: Series, minimum_slices: int) -> tuple[Stack, ...]:
    """Return the stacks of ``volumes_in``."""
    return volumes_in(series, minimum_slices).stacks


def volumes_in(series: Series, minimum_slices: int) -> Volumes:
    """Return the volumes of a series.

    Args:
        series: of CT, MR or PET.
        minimum_slices: that a change of spacing must leave on either side to split a volume.

    Raises:
        Refusal: there is none, with the reason.
    """
    series.check()
    slices, left_out = placed_slices(series)
    stacks: list[Stack] = []
    for group in _parallel(slices):
        for label, chosen in _volumes_among(group, minimum_slices, left_out):
            try:
                stacks.extend(_parts(chosen, label, minimum_slices))
            except Refusal as refusal:
                left_out.append((len(chosen), refusal))
    return volumes_of(stacks, left_out)


def volumes_of(stacks: Sequence[Stack], left_out: LeftOut) -> Volumes:
    """Return the volumes with the reasons counted.

    Raises:
        Refusal: there is no volume; damage is the reason of gaps, else the reason for most frames is given.
    """
    if not stacks:
        raise max(left_out, key=lambda one: (isinstance(one[1], UndecodableError), one[0]))[1]
    reasons: Counter[str] = Counter()
    for frames, reason in left_out:
        reasons[str(reason)] += frames
    return Volumes(tuple(stacks), reasons)


def _volumes_among(
    group: Sequence[PlacedSlice], minimum: int, left_out: LeftOut
) -> Iterator[tuple[str, Sequence[PlacedSlice]]]:
    """Yield the volumes among parallel slices, each with its label; note a refusal where nothing distinguishes them."""
    along = along_normal(group)
    try:
        volumes = list(volumes_among(along, [one.header for one in group]))
    except RepeatedPositionError as refusal:
        blocks = blocks_of(group, minimum)
        yield from ((f"block {number} of {len(blocks)}", block) for number, block in enumerate(blocks, 1))
        if not blocks:
            left_out.append((len(group), refusal))
        return
    except Refusal as refusal:
        left_out.append((len(group), refusal))
        return
    for label, chosen in volumes:
        yield label, [group[index] for index in chosen]


def _parallel(slices: Sequence[PlacedSlice]) -> list[list[PlacedSlice]]:
    """Return slices of one size, orientation and pixel spacing, in the order in which they first occur."""
    groups: list[list[PlacedSlice]] = []
    for one in slices:
        group = next((group for group in groups if _stackable(group[0], one)), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    return groups


def _stackable(one: PlacedSlice, other: PlacedSlice) -> bool:
    return (
        one.size == other.size
        and bool(np.allclose(one.orientation, other.orientation, rtol=0, atol=ORIENTATION_TOLERANCE))
        and bool(np.allclose(one.spacing, other.spacing, rtol=PIXEL_SPACING_TOLERANCE))
    )


def _parts(ordered: Sequence[PlacedSlice], label: str, minimum: int) -> Iterator[Stack]:
    """Yield the volume as one stack, or as its zones."""
    zones = zones_of(ordered, minimum)
    for index, zone in enumerate(zones, 1):
        part = f"part {index} of {len(zones)}" if len(zones) > 1 else ""
        yield _stack(zone, ", ".join(filter(None, (label, part))))


def _stack(ordered: Sequence[PlacedSlice], label: str) -> Stack:
    row, column = ordered[0].spacing
    steps = np.diff(along_normal(ordered))
    step = float(np.median(steps)) if len(steps) else number(ordered[0].header, "SliceThickness") or row
    return Stack(tuple(one.place for one in ordered), (step, row, column), label)
