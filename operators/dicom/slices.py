"""Each frame of a series with its position in the patient, checked; frames of other kinds are left out.

In: a CT, MR or PT series. Out: its frames that may be denoised, and how many were left out for which reason.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from operators.dicom.errors import ImageKindError, MissingAttributeError, Refusal, UnusableValueError
from operators.dicom.frames import frame_headers
from operators.dicom.kinds import check_frame_kind, check_instance_kind
from operators.dicom.mappings import mapping_of, padding_of
from operators.dicom.study import Instance, Series
from operators.dicom.values import number, numbers

UNIT_TOLERANCE = 0.01  # of the length of the normal: more is no pair of perpendicular unit vectors
POSITION_NEED = "slices cannot be ordered without it"
LOCATION_NEED = "slices cannot be ordered without it, and SliceLocation has an origin of the maker's own"


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


def placed_slices(series: Series) -> tuple[list[PlacedSlice], Counter[str]]:
    """Return every frame that may be denoised, and the others by the reason for which they are left out.

    Raises:
        Refusal: no frame may be, or one that may is not placed.
    """
    slices: list[PlacedSlice] = []
    left_out: Counter[str] = Counter()
    refusal: Refusal | None = None
    for instance in series.instances:
        try:
            check_instance_kind(instance)
            padding_of(instance.header)
        except ImageKindError as reason:
            refusal = refusal or reason
            left_out[str(reason)] += instance.frame_count
            continue
        for frame, header in enumerate(frame_headers(instance)):
            try:
                check_frame_kind(header, instance, series.maps)
            except ImageKindError as reason:
                refusal = refusal or reason
                left_out[str(reason)] += 1
            else:
                slices.append(_placed(FramePlace(instance, frame), header))
    if not slices and refusal is not None:
        raise refusal
    return slices, left_out


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
