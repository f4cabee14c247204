"""Find the large areas that speckle fills in the pixels of an ultrasound clip: all that is sure of its sectors."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from operators.dicom.graphics import even_blocks
from operators.dicom.regions import Mask
from operators.dicom.strokes import dilated
from operators.dicom.tissue_evidence import CINE_LENGTH, TissueEvidence

LIT = 2 / 255  # of full scale above the background: dimmer is background
DRAWN_BACKGROUND = 0.1  # of full scale: a brighter background is drawn, and tissue may be darker than it
WINDOW_FRACTION = 40  # the side of the window that separates speckle from text is the shorter image side over this
SMALLEST_WINDOW = 5  # pixels
LIT_FRACTION = 0.6  # of a window: speckle fills more of it, text and rulers less
SECTOR_FRACTION = 0.1  # of the largest area: a smaller one is a logo or a bar
MOVING_FRACTION = 0.3  # of an area's pixels: tissue in a cine varies in more of them
STROKE_SURROUNDINGS = 2  # pixels around text, left out of what counts as lit


def window_of(shape: tuple[int, ...]) -> int:
    """Return the side, in pixels, of the window in which speckle is separated from text."""
    return max(SMALLEST_WINDOW, min(shape) // WINDOW_FRACTION) | 1


def speckle_areas(evidence: TissueEvidence, lit: Mask, within: Mask, maximum: float) -> npt.NDArray[np.int32]:
    """Return the large connected areas that lit pixels fill, and that move in a cine: their numbers from 1, else 0."""
    parts, count = ndimage.label(filled_areas(lit, within, window_of(lit.shape) // 2))
    if not count:
        return np.asarray(parts)
    areas = np.bincount(parts.ravel())[1:]
    chosen = (areas >= SECTOR_FRACTION * areas.max()) & _moving(evidence, parts, count, maximum)
    return np.where(np.isin(parts, np.flatnonzero(chosen) + 1), parts, 0)


def lit_pixels(evidence: TissueEvidence, drawn: Mask, within: Mask, maximum: float) -> Mask:
    """Return what differs from the background (black, or the grey that a maker draws) and is no graphic."""
    brightest = evidence.brightest
    values, counts = np.unique(brightest[within], return_counts=True)
    background = float(values[counts.argmax()]) if values.size else 0.0
    difference = brightest - background
    differs = np.abs(difference) if background > DRAWN_BACKGROUND * maximum else difference
    graphics = dilated(drawn, STROKE_SURROUNDINGS) | even_blocks(brightest, maximum)
    return np.asarray(within & (differs > LIT * maximum) & ~graphics)


def filled_areas(mask: Mask, within: Mask, reach: int, text: Mask | None = None) -> Mask:
    """Return the areas that the mask fills and that are wider than twice the reach, text not counted."""
    window = window_of(mask.shape)
    near, mask_near = (ndimage.uniform_filter(part.astype(np.float32), window) for part in (within, mask))
    filled = within & (mask_near > LIT_FRACTION * near)
    opened = ndimage.binary_opening(filled if text is None else filled & ~text, iterations=reach)
    return np.asarray(filled & dilated(opened, reach))


def _moving(evidence: TissueEvidence, parts: npt.NDArray[np.int32], count: int, maximum: float) -> Mask:
    """Return which parts of a cine move; all of them in a still, and where nothing does."""
    moves = evidence.brightest - evidence.darkest > LIT * maximum
    moving = np.asarray(ndimage.mean(moves, parts, np.arange(1, count + 1))) > MOVING_FRACTION
    return moving if evidence.frames >= CINE_LENGTH and moving.any() else np.ones(count, bool)
