"""What the ultrasound region calibration says of an image: where tissue is, and what must not be touched.

PS3.3 C.8.5.5: each region is a rectangle with a spatial format (2-D, M-mode, spectral ...) and a data type
(tissue, colour flow, Doppler, ECG, colour bar ...).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from operators.dicom.errors import UnusableValueError
from operators.dicom.values import integer, items, number

Mask = npt.NDArray[np.bool_]

TWO_DIMENSIONAL = 1  # RegionSpatialFormat
TISSUE = 1  # RegionDataType
CENTIMETRES, MM_PER_CM = 3, 10.0  # PhysicalUnitsXDirection
UNTYPED = 0  # RegionDataType: may be the whole screen, means nothing
EDGE_TOLERANCE = 1  # pixels: some makers write the size instead of the last index
CORNERS = ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1")


@dataclass(frozen=True, eq=False)
class Regions:
    """Masks (rows, columns)."""

    tissue: Mask | None  # None where no usable 2-D tissue region is given
    excluded: Mask  # colour flow, Doppler, M-mode, traces, bars
    others_only: bool  # regions are given, and none is of tissue


def regions_of(header: Dataset, rows: int, columns: int) -> Regions:
    """Return the masks of a header, cut to the image.

    A tissue region that reaches beyond the image was written for a larger one: its position is not to be
    trusted, and the tissue is to be located from the pixels.
    """
    tissue, excluded = np.zeros((rows, columns), bool), np.zeros((rows, columns), bool)
    given, trusted, others = False, True, False
    for region in items(header, "SequenceOfUltrasoundRegions"):
        kind = (integer(region, "RegionSpatialFormat"), integer(region, "RegionDataType"))
        corners = [integer(region, keyword) for keyword in CORNERS]
        if None in corners:
            continue
        left, top, right, bottom = (int(corner) for corner in corners if corner is not None)
        inside = right < columns + EDGE_TOLERANCE and bottom < rows + EDGE_TOLERANCE
        area = (slice(max(0, top), bottom + 1), slice(max(0, left), right + 1))
        if kind == (TWO_DIMENSIONAL, TISSUE):
            given, trusted = True, trusted and inside
            tissue[area] = True
        elif kind[1] not in {UNTYPED, None}:
            others = True
            if inside:
                excluded[area] = True
    return Regions(tissue if given and trusted else None, excluded, others and not given)


def pixel_size(header: Dataset) -> tuple[float, float] | None:
    """Return height and width of a pixel in mm by the first region of tissue that gives them, None where none does."""
    for region in items(header, "SequenceOfUltrasoundRegions"):
        try:
            units = [integer(region, f"PhysicalUnits{axis}Direction") for axis in "YX"]
            height, width = (abs(number(region, f"PhysicalDelta{axis}") or 0) * MM_PER_CM for axis in "YX")
        except UnusableValueError:
            continue
        if integer(region, "RegionDataType") == TISSUE and units == [CENTIMETRES] * 2 and height and width:
            return height, width
    return None
