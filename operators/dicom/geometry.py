"""From a series to its volumes: which frames lie on one another, in which order, how far apart.

In: a CT, MR or PT series. Out: one ``Stack`` per volume, slices ordered along their normal. A series that
holds several volumes is split by what differs; a gap splits a volume where each part can stand alone.
Frames of a kind that must not be denoised are left out while others remain. Shuffled files give the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from highdicom.spatial import get_normal_vector
from pydicom.dataset import Dataset

from operators.dicom.errors import (
    ImageKindError,
    MissingAttributeError,
    Refusal,
    SliceGapError,
    TooFewSlicesError,
    UnusableValueError,
)
from operators.dicom.frames import frame_headers
from operators.dicom.kinds import check_frame_kind, check_instance_kind
from operators.dicom.reading import Instance, Series
from operators.dicom.splitting import volumes_among
from operators.dicom.values import numbers

ORIENTATION_TOLERANCE = 0.005  # difference of a direction cosine, about 0.3 degrees: less is rounding of the header
PIXEL_SPACING_TOLERANCE = 0.001  # relative: less is rounding of the header
GAP_TOLERANCE = 0.25  # of the usual spacing nearby: PET bed seams and table jitter stay below, a missing slice is 1.0
SHIFT_TOLERANCE = 1.0  # pixels that a slice may be off the line through its neighbours' origins
NEARBY = 2  # spacings on either side that tell the usual one, so that spacing may change along a scan
UNIT_TOLERANCE = 0.01  # of the length of the normal: more is no pair of perpendicular unit vectors
POSITION_NEED = "slices cannot be ordered without it"


@dataclass(frozen=True, eq=False)
class FramePlace:
    """One frame of one instance; frames are counted from 0."""

    instance: Instance
    frame: int


@dataclass(frozen=True, eq=False)
class Stack:
    """One volume: its frames in order along the slice normal. Compared by identity."""

    places: tuple[FramePlace, ...]
    spacing: tuple[float, float, float]  # mm: slice, row, column
    label: str  # what distinguishes it in its series, empty for the only one


@dataclass(frozen=True, eq=False)
class _Slice:
    place: FramePlace
    header: Dataset
    position: npt.NDArray[np.float64]
    orientation: tuple[float, ...]
    spacing: tuple[float, ...]

    @property
    def size(self) -> tuple[int, int]:
        return self.place.instance.rows, self.place.instance.columns


def stacks_of(series: Series, minimum_slices: int) -> tuple[Stack, ...]:
    """The volumes of a series that have at least ``minimum_slices`` slices.

    Raises:
        Refusal: the series is no set of volumes that may be denoised, with the reason.
    """
    series.check()
    slices = _placed_slices(series)
    stacks: list[Stack] = []
    largest = 0
    for group in _parallel(slices):
        along = _along_normal(group)
        for label, chosen in volumes_among(along, [one.header for one in group]):
            largest = max(largest, len(chosen))
            if len(chosen) >= minimum_slices:
                ordered = [group[index] for index in chosen]
                stacks.extend(_parts(ordered, [along[index] for index in chosen], label, minimum_slices))
    if not stacks:
        raise TooFewSlicesError(largest, len(slices), minimum_slices)
    return tuple(stacks)


def _placed_slices(series: Series) -> list[_Slice]:
    """Every frame that may be denoised; raises the reason where there is none."""
    slices: list[_Slice] = []
    refusal: Refusal | None = None
    for instance in series.instances:
        check_instance_kind(instance)
        for frame, header in enumerate(frame_headers(instance)):
            try:
                check_frame_kind(header, instance)
            except ImageKindError as reason:
                refusal = refusal or reason
            else:
                slices.append(_slice(FramePlace(instance, frame), header))
    if not slices and refusal is not None:
        raise refusal
    return slices


def _slice(place: FramePlace, header: Dataset) -> _Slice:
    position = numbers(header, "ImagePositionPatient", 3)
    orientation = numbers(header, "ImageOrientationPatient", 6)
    spacing = numbers(header, "PixelSpacing", 2)
    if position is None or orientation is None or spacing is None:
        names = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
        absent = next(name for name, found in zip(names, (position, orientation, spacing), strict=True) if not found)
        raise MissingAttributeError(absent, POSITION_NEED)
    if min(spacing) <= 0:
        raise UnusableValueError("PixelSpacing")
    if abs(float(np.linalg.norm(np.cross(orientation[:3], orientation[3:]))) - 1) > UNIT_TOLERANCE:
        raise UnusableValueError("ImageOrientationPatient")
    return _Slice(place, header, np.array(position), orientation, spacing)


def _parallel(slices: Sequence[_Slice]) -> list[list[_Slice]]:
    """Slices of one size, orientation and pixel spacing, in the order in which they first occur."""
    groups: list[list[_Slice]] = []
    for one in slices:
        group = next((group for group in groups if _alike(group[0], one)), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    return groups


def _alike(one: _Slice, other: _Slice) -> bool:
    return (
        one.size == other.size
        and bool(np.allclose(one.orientation, other.orientation, rtol=0, atol=ORIENTATION_TOLERANCE))
        and bool(np.allclose(one.spacing, other.spacing, rtol=PIXEL_SPACING_TOLERANCE))
    )


def _along_normal(group: Sequence[_Slice]) -> list[float]:
    """The position of each slice along the normal of the first, mm."""
    normal = get_normal_vector(group[0].orientation)
    return [float(one.position @ normal) for one in group]


def _parts(ordered: Sequence[_Slice], along: Sequence[float], label: str, minimum: int) -> Iterator[Stack]:
    """The volume as one stack, or as the parts into which its gaps cut it."""
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


def _stack(ordered: Sequence[_Slice], steps: npt.NDArray[np.float64], label: str) -> Stack:
    row, column = ordered[0].spacing
    step = float(np.median(steps)) if len(steps) else 0.0
    return Stack(tuple(one.place for one in ordered), (step, row, column), label)


def _off_line(ordered: Sequence[_Slice]) -> npt.NDArray[np.bool_]:
    """Whether each step between slices leaves the line of the others within the plane; a gantry tilt does not."""
    if len(ordered) < 3:
        return np.zeros(max(0, len(ordered) - 1), bool)
    axes = np.array(ordered[0].orientation).reshape(2, 3)  # along a row, along a column
    shifts = np.diff([one.position for one in ordered], axis=0) @ axes.T  # mm (steps, 2)
    pixel = np.array(ordered[0].spacing[::-1])
    off = np.abs(shifts - np.median(shifts, axis=0)) > SHIFT_TOLERANCE * pixel
    return np.asarray(off.any(axis=1))
