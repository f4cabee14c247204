"""Each frame of a series with its position in the patient, checked; frames of other kinds are left out.

In: a CT, MR or PT series. Out: its frames that may be denoised, and why the others are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from operators.dicom.decoding import check_frames
from operators.dicom.errors import (
    ImageKindError,
    MissingAttributeError,
    Refusal,
    UndecodableError,
    UnusableValueError,
    kept,
)
from operators.dicom.frames import frame_headers, whole_dataset
from operators.dicom.kinds import check_frame_kind, check_instance_kind
from operators.dicom.mappings import mapping_of, padding_of
from operators.dicom.study import Instance, Series
from operators.dicom.values import number, numbers

UNIT_TOLERANCE = 0.01  # of the length of the normal: more is no pair of perpendicular unit vectors
POSITION_NEED = "slices cannot be ordered without it"
LOCATION_NEED = "slices cannot be ordered without it, and SliceLocation has an origin of the maker's own"

LeftOut = list[tuple[int, Refusal]]  # a number of frames and the reason


@dataclass(frozen=True, eq=False)
class FramePlace:
    """One frame of one instance; frames are counted from 0."""

    instance: Instance
    frame: int


@dataclass(frozen=True, eq=False)
class PlacedSlice:
    """One frame, where it lies and how large its pixels are."""

    place: FramePlace
    header: Dataset  # of the frame, flat
    position: npt.NDArray[np.float64]  # mm
    orientation: tuple[float, ...]  # direction cosines along a row, then along a column
    spacing: tuple[float, ...]  # mm: between rows, between columns

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.place.instance.rows, self.place.instance.columns


def placed_slices(series: Series) -> tuple[list[PlacedSlice], LeftOut]:
    """Return every frame that may be denoised, and why others may not.

    Raises:
        Refusal: a frame that may be is not placed.
    """
    slices: list[PlacedSlice] = []
    left_out: LeftOut = []
    for instance in series.instances:
        others: LeftOut = []
        try:
            check_instance_kind(instance)
            padding_of(instance.header)
            frames = list(_frames_of(instance, series.maps, others))
            if frames:
                check_frames(whole_dataset(instance))
        except (ImageKindError, UndecodableError) as reason:
            others = [(instance.frame_count, kept(reason))]
        else:
            slices.extend(frames)
        left_out.extend(others)
    return slices, left_out


def _frames_of(instance: Instance, maps: frozenset[str], left_out: LeftOut) -> Iterator[PlacedSlice]:
    for frame, header in enumerate(frame_headers(instance)):
        try:
            check_frame_kind(header, instance, maps)
        except ImageKindError as reason:
            left_out.append((1, reason))
        else:
            yield _placed(FramePlace(instance, frame), header)


def _placed(place: FramePlace, header: Dataset) -> PlacedSlice:
    position = numbers(header, "ImagePositionPatient", 3)
    orientation = numbers(header, "ImageOrientationPatient", 6)
    spacing = numbers(header, "PixelSpacing", 2)
    if position is None or orientation is None or spacing is None:
        names = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
        absent = next(name for name, given in zip(names, (position, orientation, spacing), strict=True) if not given)
        located = position is None and number(header, "SliceLocation") is not None
        raise MissingAttributeError(absent, LOCATION_NEED if located else POSITION_NEED)
    if min(spacing) <= 0:
        raise UnusableValueError("PixelSpacing")
    if abs(float(np.linalg.norm(np.cross(orientation[:3], orientation[3:]))) - 1) > UNIT_TOLERANCE:
        raise UnusableValueError("ImageOrientationPatient")
    mapping_of(header)
    return PlacedSlice(place, header, np.array(position), orientation, spacing)
