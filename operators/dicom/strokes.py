"""Find strokes in ultrasound pixels: what is thin and bright, and which of it a scanner has drawn.

A letter or a line is drawn with one value, or with a few, stands out of its surroundings within one pixel, and stands
still in a cine. A bright thin echo varies along its length and rises over some pixels.
"""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from operators.dicom.regions import Mask
from operators.dicom.tissue_evidence import CINE_LENGTH, TissueEvidence

STROKE_HEIGHT = 0.35  # of full scale above its surroundings: brighter and thin may be a drawn line or a letter
STROKE_LEVEL = 0.5  # of full scale, the least brightness of strokes
STROKE_WIDTH = 5  # pixels, the widest stroke taken for one
PURE_FRACTION = 0.5  # of a stroke's pixels have its commonest value, within the tolerance; an echo's do not
TOLERANCE = 8 / 255  # of full scale, what compression adds to a drawn value
STATIC_TOLERANCE = 20 / 255  # of full scale, what compression adds to a drawn value at most over a cine
RIM_PERCENT = 65  # of the pixels around a stroke are far below it, whatever the rest belongs to
SMALLEST_STROKE = 4  # pixels

NEIGHBOURS = np.ones((3, 3), bool)


def thin_strokes(evidence: TissueEvidence, maximum: float) -> Mask:
    """Return all that is thin and bright; in a cine only what stands still."""
    least = evidence.darkest
    raised = ndimage.white_tophat(least, size=STROKE_WIDTH)
    return static(evidence, (raised > STROKE_HEIGHT * maximum) & (least > STROKE_LEVEL * maximum), maximum)


def drawn_strokes(evidence: TissueEvidence, maximum: float) -> Mask:
    """Return the strokes of one value that stand out sharply."""
    least = evidence.darkest
    parts, count = ndimage.label(thin_strokes(evidence, maximum), NEIGHBOURS)
    drawn = np.zeros(count + 1, bool)
    for number, (rows, columns) in enumerate(ndimage.find_objects(parts), 1):
        box = slice(max(0, rows.start - 1), rows.stop + 1), slice(max(0, columns.start - 1), columns.stop + 1)
        part = parts[box] == number
        rim = least[box][ndimage.binary_dilation(part, NEIGHBOURS) & ~part]
        drawn[number] = _is_drawn(least[box][part], rim, maximum)
    return np.asarray(drawn[parts])


def static(evidence: TissueEvidence, mask: Mask, maximum: float) -> Mask:
    """Return that part of a mask which stands still in a cine; all of it in a still."""
    if evidence.frames < CINE_LENGTH:
        return mask
    return np.asarray(mask & (evidence.brightest - evidence.darkest <= STATIC_TOLERANCE * maximum))


def smaller_parts(mask: Mask, side: int) -> Mask:
    """Return the connected parts of a mask that fit into a square."""
    parts, count = ndimage.label(mask, NEIGHBOURS)
    small = np.zeros(count + 1, bool)
    small[1:] = [
        max(rows.stop - rows.start, columns.stop - columns.start) <= side
        for rows, columns in ndimage.find_objects(parts)
    ]
    return np.asarray(small[parts])


def dilated(mask: Mask, margin: int) -> Mask:
    """Return the mask grown by ``margin`` pixels in all eight directions."""
    return np.asarray(ndimage.maximum_filter(mask, 2 * margin + 1))


def _is_drawn(values: npt.NDArray[np.float32], rim: npt.NDArray[np.float32], maximum: float) -> bool:
    """Return whether most of a stroke has one value, and most of its rim is far below that."""
    kinds, counts = np.unique(values, return_counts=True)
    commonest = kinds[counts.argmax()]
    pure = np.mean(np.abs(values - commonest) <= TOLERANCE * maximum) >= PURE_FRACTION
    sharp = commonest - np.percentile(rim, RIM_PERCENT) > STROKE_HEIGHT * maximum
    return bool(len(values) >= SMALLEST_STROKE and pure and sharp)
