"""Find what a scanner draws over ultrasound: text, rulers, markers, boxes, bars and grey wedges.

Box lines are straight and much longer than echoes are thin. Bars and wedges are even in one direction and smooth in
the other: laterally interpolated speckle has runs of equal pixels, but steps between them.
"""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from operators.dicom.regions import Mask
from operators.dicom.strokes import NEIGHBOURS, dilated, smaller_parts, static, thin_strokes
from operators.dicom.tissue_evidence import TissueEvidence

STROKE_MARGIN = 2  # pixels around it, its smoothed edge and its shadow
LETTER_FRACTION = 40  # a letter's height is at most the shorter image side over this
LETTERS = 2  # times that height: longer is a line or a box, which has no other letters around it
LINE_HEIGHT = 0.15  # of full scale above the pixels at both sides: lower is no drawn line
LINE_FILLED = 0.8  # of a run that is so high: compression and scaling take the rest
LINE_RUN = 25  # pixels down a column: an echo is wider than a line when it is so long, and fades
BAR_LEVEL = 0.1  # of full scale, the least brightness of filled bars and grey wedges
BAR_WIDTH = 9  # pixels of one value across a bar; JPEG makes blocks of 8
BAR_LENGTH = 25  # pixels along it; smooth tissue that was compressed has shorter blocks
BAR_STEP = 5 / 255  # of full scale, from one row of a grey wedge to the next


def find_graphics(evidence: TissueEvidence, drawn: Mask, speckle: Mask, maximum: float) -> Mask:
    """Return strokes with their margin, box lines and evenly filled blocks; (rows, columns).

    Args:
        drawn: the strokes that a scanner has drawn, (rows, columns).
        speckle: where a bright thin echo is likelier than a stroke. Outside, and within a letter's height of drawn
            strokes, all strokes count as drawn.
        maximum: the largest storable grey.
    """
    letter = min(speckle.shape) // LETTER_FRACTION
    likely = dilated(smaller_parts(drawn, LETTERS * letter), letter) | ~speckle
    strokes = drawn | (thin_strokes(evidence, maximum) & likely) | _lines(evidence, maximum)
    bars = even_blocks(evidence.darkest, maximum) & (evidence.darkest > BAR_LEVEL * maximum)
    return np.asarray(dilated(strokes, STROKE_MARGIN) | bars)


def even_blocks(image: npt.NDArray[np.float32], maximum: float) -> Mask:
    """Return bars and grey wedges: even across, along rows or columns, and smooth along the others."""
    blocks = np.zeros(image.shape, bool)
    for axis in (0, 1):
        even = _in_runs(image, axis, BAR_WIDTH, 0.0) & _in_runs(image, 1 - axis, BAR_LENGTH, BAR_STEP * maximum)
        shape = np.where(np.arange(2) == axis, BAR_WIDTH, BAR_LENGTH)
        blocks |= ndimage.binary_opening(even, np.ones(shape))
    return blocks


def _lines(evidence: TissueEvidence, maximum: float) -> Mask:
    """Return long straight lines down columns, and those along rows that touch them, as the sides of a box do."""
    upright, level = (_straight(evidence, axis, maximum) for axis in (0, 1))
    return np.asarray(ndimage.binary_propagation(upright, NEIGHBOURS, mask=upright | level))


def _straight(evidence: TissueEvidence, axis: int, maximum: float) -> Mask:
    """Return the pixels in long runs along an axis that exceed those two away on both sides."""
    image, across = evidence.darkest, 1 - axis
    sides = [ndimage.shift(image, np.roll((step, 0), across), order=0, mode="nearest") for step in (-2, 2)]
    ridge = static(evidence, image - np.maximum(*sides) > LINE_HEIGHT * maximum, maximum)
    centres = ndimage.uniform_filter1d(ridge.astype(np.float32), LINE_RUN, axis) >= LINE_FILLED
    return np.asarray(ndimage.maximum_filter1d(centres, LINE_RUN, axis) & (image > np.maximum(*sides)))


def _in_runs(image: npt.NDArray[np.float32], axis: int, length: int, step: float) -> Mask:
    """Return the pixels in runs along an axis, neighbours in which differ by no more than a step."""
    pairs = np.abs(np.diff(image, axis=axis, append=np.inf)) <= step
    runs = ndimage.binary_opening(pairs, np.ones(np.where(np.arange(2) == axis, length - 1, 1)))
    return np.asarray(runs | np.roll(runs, 1, axis))
