"""Find what a scanner draws over ultrasound: text, rulers, markers, boxes, bars and grey wedges.

A letter or a line is drawn with one value, or with a few, stands out of its surroundings within one pixel, and stands
still in a cine. A bright thin echo varies along its length and rises over some pixels. Bars and wedges are even in
one direction and smooth in the other: laterally interpolated speckle has runs of equal pixels, but steps between them.
"""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from operators.dicom.regions import Mask
from operators.dicom.tissue_evidence import CINE_LENGTH, TissueEvidence

STROKE_HEIGHT = 0.35  # of full scale above its surroundings: brighter and thin may be a drawn line or a letter
STROKE_LEVEL = 0.5  # of full scale, the least brightness of strokes
STROKE_WIDTH = 5  # pixels, the widest stroke taken for one
STROKE_MARGIN = 2  # pixels around it, its smoothed edge and its shadow
PURE_FRACTION = 0.5  # of a stroke's pixels have its commonest value, within the tolerance; an echo's do not
TOLERANCE = 8 / 255  # of full scale, what compression adds to a drawn value
STATIC_TOLERANCE = 20 / 255  # of full scale, what compression adds to a drawn value at most over a cine
SMALLEST_STROKE = 4  # pixels
LETTER_FRACTION = 40  # a letter's height is at most the shorter image side over this
LETTERS = 2  # times that height: longer is a line or a box, which has no other letters around it
LINE_HEIGHT = 0.15  # of full scale above the pixels at both sides: lower is no drawn line
LINE_FILLED = 0.8  # of a run that is so high: compression and scaling take the rest
LINE_RUN = 25  # pixels down a column: an echo is wider than a line when it is so long, and fades
BAR_LEVEL = 0.1  # of full scale, the least brightness of filled bars and grey wedges
BAR_WIDTH = 7  # pixels, the least width of a bar
BAR_STEP = 5 / 255  # of full scale, from one row of a grey wedge to the next
EVEN_RUN = 9  # pixels of one value, the least length of a bar

NEIGHBOURS = np.ones((3, 3), bool)


def find_graphics(evidence: TissueEvidence, speckle: Mask, maximum: float) -> Mask:
    """Return strokes with their margin, box lines and evenly filled blocks; (rows, columns).

    Args:
        speckle: where a bright thin echo is likelier than a stroke. Outside, and within a letter's height of drawn
            strokes, all strokes count as drawn.
        maximum: the largest storable grey.
    """
    letter = min(speckle.shape) // LETTER_FRACTION
    drawn = drawn_strokes(evidence, maximum)
    likely = dilated(_smaller(drawn, LETTERS * letter), letter) | ~speckle
    strokes = drawn | (_strokes(evidence, maximum) & likely) | _lines(evidence, maximum)
    return np.asarray(dilated(strokes, STROKE_MARGIN) | even_blocks(evidence.darkest, maximum))


def drawn_strokes(evidence: TissueEvidence, maximum: float) -> Mask:
    """Return the strokes of one value that stand out sharply."""
    least = evidence.darkest
    parts, count = ndimage.label(_strokes(evidence, maximum), NEIGHBOURS)
    drawn = np.zeros(count + 1, bool)
    for number, (rows, columns) in enumerate(ndimage.find_objects(parts), 1):
        box = slice(max(0, rows.start - 1), rows.stop + 1), slice(max(0, columns.start - 1), columns.stop + 1)
        part = parts[box] == number
        rim = least[box][ndimage.binary_dilation(part, NEIGHBOURS) & ~part]
        drawn[number] = _is_drawn(least[box][part], rim, maximum)
    return np.asarray(drawn[parts])


def _smaller(mask: Mask, side: int) -> Mask:
    """Return the connected parts of a mask that fit into a square."""
    parts, count = ndimage.label(mask, NEIGHBOURS)
    small = np.zeros(count + 1, bool)
    small[1:] = [
        max(rows.stop - rows.start, columns.stop - columns.start) <= side
        for rows, columns in ndimage.find_objects(parts)
    ]
    return np.asarray(small[parts])


def even_blocks(image: npt.NDArray[np.float32], maximum: float) -> Mask:
    """Return bars and grey wedges: even along rows or columns, and smooth along the others."""
    blocks = np.zeros(image.shape, bool)
    for axis in (0, 1):
        blocks |= _in_runs(image, axis, EVEN_RUN, 0.0) & _in_runs(image, 1 - axis, BAR_WIDTH, BAR_STEP * maximum)
    return np.asarray(ndimage.binary_opening(blocks & (image > BAR_LEVEL * maximum), np.ones((BAR_WIDTH,) * 2)))


def dilated(mask: Mask, margin: int) -> Mask:
    """Return the mask grown by ``margin`` pixels in all eight directions."""
    return np.asarray(ndimage.maximum_filter(mask, 2 * margin + 1))


def _strokes(evidence: TissueEvidence, maximum: float) -> Mask:
    """Return all that is thin and bright; in a cine only what stands still."""
    least = evidence.darkest
    raised = ndimage.white_tophat(least, size=STROKE_WIDTH)
    return _static(evidence, (raised > STROKE_HEIGHT * maximum) & (least > STROKE_LEVEL * maximum), maximum)


def _static(evidence: TissueEvidence, mask: Mask, maximum: float) -> Mask:
    if evidence.frames < CINE_LENGTH:
        return mask
    return np.asarray(mask & (evidence.brightest - evidence.darkest <= STATIC_TOLERANCE * maximum))


def _is_drawn(values: npt.NDArray[np.float32], rim: npt.NDArray[np.float32], maximum: float) -> bool:
    """Return whether most of a stroke has one value, and most of its rim is far below that."""
    kinds, counts = np.unique(values, return_counts=True)
    commonest = kinds[counts.argmax()]
    pure = np.mean(np.abs(values - commonest) <= TOLERANCE * maximum) >= PURE_FRACTION
    sharp = commonest - np.median(rim) > STROKE_HEIGHT * maximum
    return bool(len(values) >= SMALLEST_STROKE and pure and sharp)


def _lines(evidence: TissueEvidence, maximum: float) -> Mask:
    """Return long straight lines down columns, and those along rows that touch them, as the sides of a box do."""
    upright, level = (_straight(evidence, axis, maximum) for axis in (0, 1))
    return np.asarray(ndimage.binary_propagation(upright, NEIGHBOURS, mask=upright | level))


def _straight(evidence: TissueEvidence, axis: int, maximum: float) -> Mask:
    """Return the pixels in long runs along an axis that exceed those two away on both sides."""
    image, across = evidence.darkest, 1 - axis
    sides = [ndimage.shift(image, np.roll((step, 0), across), order=0, mode="nearest") for step in (-2, 2)]
    ridge = _static(evidence, image - np.maximum(*sides) > LINE_HEIGHT * maximum, maximum)
    centres = ndimage.uniform_filter1d(ridge.astype(np.float32), LINE_RUN, axis) >= LINE_FILLED
    return np.asarray(ndimage.maximum_filter1d(centres, LINE_RUN, axis) & (image > np.maximum(*sides)))


def _in_runs(image: npt.NDArray[np.float32], axis: int, length: int, step: float) -> Mask:
    """Return the pixels in runs along an axis, neighbours in which differ by no more than a step."""
    pairs = np.abs(np.diff(image, axis=axis, append=np.inf)) <= step
    runs = ndimage.binary_opening(pairs, np.ones(np.where(np.arange(2) == axis, length - 1, 1)))
    return np.asarray(runs | np.roll(runs, 1, axis))
