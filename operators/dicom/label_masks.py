"""Recognise label masks by their values, where no header names them: a few whole numbers in areas without any noise."""

import numpy as np
import numpy.typing as npt

from operators.dicom.errors import ImageKindError

LABELS = ("a label mask", "its values are labels, not measured; send the images that it marks")
MOST_LABELS = 256  # in one slice; atlases of the brain have about 180 in all
SLICES_EXAMINED = 5  # evenly spread: labels may be absent from any one slice
EQUAL_NEIGHBOURS = 0.5  # of the labelled pixels; noise of one stored unit leaves about a quarter equal


def examined(count: int) -> list[int]:
    """Return the indices of the slices that are examined among ``count``."""
    return [int(index) for index in np.unique(np.linspace(0, count - 1, SLICES_EXAMINED).astype(int))]


def resembles_labels(values: npt.NDArray[np.floating]) -> bool:
    """Return whether a volume (slices, rows, columns) holds labels: whole numbers, equal to their neighbours in a row.

    The most frequent value is background and does not count. A volume of one value alone holds no labels.
    """
    slices = values[examined(len(values))]
    levels, counts = np.unique(slices, return_counts=True)
    if not 1 < len(levels) <= MOST_LABELS or not np.array_equal(levels, np.rint(levels)):
        return False
    labelled = slices != levels[counts.argmax()]
    equal = slices[..., 1:] == slices[..., :-1]
    return bool(equal[labelled[..., 1:]].mean() > EQUAL_NEIGHBOURS) if labelled[..., 1:].any() else False


def refuse_labels(values: npt.NDArray[np.floating]) -> None:
    """Let an image pass.

    Raises:
        ImageKindError: the values are labels.
    """
    if resembles_labels(values):
        raise ImageKindError(*LABELS)
